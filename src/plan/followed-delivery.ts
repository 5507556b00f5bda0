// What a folder takes from the one that it follows, as a delivery: elements as they were last delivered there, and copies of scripts.
import { sql } from '../database/sql.ts';
import { authorize, EVERYTHING, isAuthorized } from '../dictionary/activity-codes.ts';
import type { DictionaryElement, DictionaryRecord } from '../dictionary/element.ts';
import { patchTypeOfAction } from '../dictionary/element-types.ts';
import type { Fields } from '../dictionary/fields.ts';
import { fieldsFromJson } from '../dictionary/fields.ts';
import type { Reader } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import type { DeliveredPart, Delivery, Terms } from './delivery.ts';
import { FROM_DICTIONARY } from './delivery.ts';
import { readInheritedScripts } from './dictionary-delivery.ts';
import type { Differing, DifferingElement } from './differing.ts';

const PAGE = 1_000;

interface Row {
  readonly type: string;
  readonly name: string;
  readonly tag: string;
  readonly key: string;
  readonly position: number;
  readonly activity: string | null;
  readonly fields: string | null;
  readonly changed: readonly string[] | null;
  readonly scope: 'fields' | 'line' | 'element' | null;
  readonly code: string | null;
  readonly offered_position: number | null;
  readonly offered_activity: string | null;
  readonly offered: string | null;
  readonly before: string | null;
}

/** @param reader who sees the other folder as it is to be followed */
export async function followedDelivery(
  reader: Reader,
  source: Folder,
  { elements, scripts }: Pick<Differing, 'elements' | 'scripts'>,
): Promise<Delivery> {
  const wanted = new Map(scripts.map((script) => [`${script.kind}\0${script.name}`, script]));
  const found = scripts.length === 0 ? [] : await readInheritedScripts(reader, source);
  const copies = found.flatMap((script) => {
    const terms = wanted.get(`${script.kind}\0${script.name}`)?.terms;
    return terms === undefined ? [] : [{ ...script, terms }];
  });
  return {
    file: `(dictionary of ${source.code})`,
    ...FROM_DICTIONARY,
    languages: source.languages,
    // A folder may have texts that the other one lacks: it got that language before.
    partlyTranslated: elements.some(({ terms }) => !terms.exactly),
    abbreviations: new Set(elements.map(({ abbreviation }) => abbreviation).filter((abbreviation) => abbreviation !== '')),
    elements: [
      ...elements.map(({ type, name, title }) => ({ type, name, title })),
      ...copies.map(({ kind, name, title }) => ({ type: kind, name, title })),
    ],
    parts: async function* () {
      yield* readElements(reader, source.id, elements);
      yield* copies;
    },
  };
}

async function* readElements(
  reader: Reader,
  folder: number,
  elements: readonly DifferingElement[],
): AsyncGenerator<DeliveredPart> {
  for (let from = 0; from < elements.length; from += PAGE) {
    const page = elements.slice(from, from + PAGE);
    const rows = await reader.query<Row>(sql`
      select k.type, k.name, k.tag, k.key, coalesce(r.position, o.position) as position, c.activity, c.fields::text as fields, r.changed,
        o.scope, o.code, o.position as offered_position, oc.activity as offered_activity, oc.fields::text as offered, bc.fields::text as before
      from unnest(${page.map((e) => e.type)}::text[], ${page.map((e) => e.name)}::text[]) as e (type, name)
      cross join lateral (
        select type, name, tag, key from rustine.record where folder = ${folder} and type = e.type and name = e.name
        union
        select type, name, tag, key from rustine.offer where folder = ${folder} and type = e.type and name = e.name) k
      left join rustine.record r on r.folder = ${folder} and r.type = k.type and r.name = k.name and r.tag = k.tag and r.key = k.key
      left join rustine.content c on c.id = r.content
      left join rustine.offer o on o.folder = ${folder} and o.type = k.type and o.name = k.name and o.tag = k.tag and o.key = k.key
      left join rustine.content oc on oc.id = o.content
      left join rustine.content bc on bc.id = o.before
      order by coalesce(r.position, o.position)`);
    const byElement = Map.groupBy(rows, (row) => `${row.type}\0${row.name}`);
    for (const { type, name, title, terms, several } of page) {
      const own = byElement.get(`${type}\0${name}`) ?? [];
      const records = terms.exactly ? own.flatMap((row) => ownRecord(row) ?? []) : lastDelivered(own, terms, several);
      yield { part: 'dictionary', element: { type, name, title, records } satisfies DictionaryElement, terms };
    }
  }
}

/**
 * What that folder was offered and did not take is what was delivered; values that its people changed go on from it to those that follow. What
 * it guards by a code comes to those that may have the code, with what was offered against it; else what was offered comes.
 */
function lastDelivered(rows: readonly Row[], { authorized }: Terms, several: boolean): readonly DictionaryRecord[] {
  const codes = authorized === 'everything' ? EVERYTHING : authorize(authorized);
  const opens = (code: string): boolean => patchTypeOfAction(code) !== undefined || isAuthorized(codes, code);
  const closed = rows.some(({ scope, code }) => scope === 'element' && !opens(code ?? ''));
  return rows.flatMap((row) => {
    const own = ownRecord(row);
    const offer = offeredRecord(row);
    if (closed) return row.scope === 'element' && offer !== undefined ? [offer] : [];
    if (own === undefined || offer === undefined) return own ?? (row.scope === 'line' ? offer : undefined) ?? [];
    const { scope, code } = row;
    if (scope === 'line' && !opens(code ?? '')) return [offer];
    const initial = {
      fields: own.fields,
      changed: row.changed ?? [],
      offered: offer.fields,
      scope: scope ?? 'fields',
      code: code ?? '',
      several,
      ...(row.before === null ? {} : { before: fieldsFromJson(row.before) }),
    };
    if (scope !== 'fields') return [{ ...own, initial }];
    return [{ ...own, activity: offer.activity, fields: withChanged(offer.fields, own.fields, initial.changed), initial }];
  });
}

function withChanged(delivered: Fields, own: Fields, changed: readonly string[]): Fields {
  const theirs = changed.flatMap((field) => (own.slots[field] === undefined ? [] : [[field, own.slots[field]] as const]));
  return theirs.length === 0 ? delivered : { ...delivered, slots: { ...delivered.slots, ...Object.fromEntries(theirs) } };
}

function ownRecord({ tag, key, position, activity, fields }: Row): DictionaryRecord | undefined {
  return fields === null ? undefined : { tag, key, position, activity: activity ?? '', fields: fieldsFromJson(fields) };
}

function offeredRecord({ tag, key, position, offered_position, offered_activity, offered }: Row): DictionaryRecord | undefined {
  if (offered === null) return undefined;
  return {
    tag,
    key,
    position: offered_position ?? position,
    activity: offered_activity ?? '',
    fields: fieldsFromJson(offered),
  };
}
