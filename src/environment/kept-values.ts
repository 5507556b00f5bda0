// What folders keep against deliveries, read for all of them at once (R37).
import { sql } from '../database/sql.ts';
import type { Choice } from '../dictionary/cases.ts';
import { ELEMENT_TYPES } from '../dictionary/element-types.ts';
import { fieldsFromJson } from '../dictionary/fields.ts';
import type { Content, KeptCase, OfferedRecord } from '../dictionary/kept-cases.ts';
import { keptCases } from '../dictionary/kept-cases.ts';
import type { OfferScope } from '../dictionary/merge-record.ts';
import type { Reader } from './catalog.ts';

export interface Decided {
  readonly choice: Choice;
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}

export interface FolderCase extends KeptCase {
  readonly folder: number;
  /** Patch that brought the value that was not taken, and when (ISO 8601). */
  readonly patch: string;
  readonly since: string;
  readonly decision: Decided | null;
}

interface Row {
  readonly folder: number;
  readonly type: string;
  readonly name: string;
  readonly tag: string;
  readonly key: string;
  readonly scope: OfferScope;
  readonly code: string;
  readonly patch: string | null;
  readonly since: string;
  readonly now_meaning: string;
  readonly now_fields: string;
  readonly before_meaning: string | null;
  readonly before_fields: string | null;
  readonly own_meaning: string | null;
  readonly own_fields: string | null;
  readonly header: string | null;
  readonly changed: readonly string[] | null;
}

const WITH_HEADER = [...ELEMENT_TYPES.values()].filter((type) => Object.keys(type.setUpWhen).length > 0).map((type) => type.type);

/**
 * Cases of these folders, decided ones too.
 * @param element only those of one element
 */
export async function readKeptCases(
  reader: Reader,
  folders: readonly number[],
  element?: { readonly type: string; readonly name: string },
): Promise<readonly FolderCase[]> {
  const rows = await reader.query<Row>(sql`
    select o.folder, o.type, o.name, o.tag, o.key, o.scope, o.code, i.file as patch,
      to_char(o.since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as since,
      encode(n.meaning, 'hex') as now_meaning, n.fields::text as now_fields, encode(b.meaning, 'hex') as before_meaning, b.fields::text as before_fields,
      encode(c.meaning, 'hex') as own_meaning, c.fields::text as own_fields, h.fields::text as header, r.changed
    from rustine.offer o join rustine.content n on n.id = o.content left join rustine.content b on b.id = o.before
    left join rustine.record r on r.folder = o.folder and r.type = o.type and r.name = o.name and r.tag = o.tag and r.key = o.key
    left join rustine.content c on c.id = r.content
    left join rustine.record k on o.type = any(${WITH_HEADER}::text[]) and k.folder = o.folder and k.type = o.type and k.name = o.name and k.tag = o.type
    left join rustine.content h on h.id = k.content
    left join rustine.integration i on i.id = o.integration
    where o.folder = any(${folders}::integer[]) and (${element?.type ?? null}::text is null or (o.type = ${element?.type ?? ''} and o.name = ${element?.name ?? ''}))
    order by o.folder, o.type, o.name, o.position`);
  const lines = await readLines(reader, rows);
  const decisions = await readDecisions(reader, rows);
  return [...Map.groupBy(rows, placeOf)].flatMap(([place, offers]) => {
    const first = offers[0];
    if (first === undefined) return [];
    const { folder, patch, since } = first;
    return keptCases(offers.map(offeredRecord), lines.get(place) ?? []).map((kept) => {
      const offer = offers.find((each) => each.tag === kept.tag && each.key === kept.key);
      const decision = decisions.get(kept.caseId) ?? null;
      return { ...kept, folder, patch: offer?.patch ?? patch ?? '', since: offer?.since ?? since, decision };
    });
  });
}

const placeOf = (row: { folder: number; type: string; name: string }): string => `${row.folder}\0${row.type}\0${row.name}`;

function offeredRecord(row: Row): OfferedRecord {
  const { type, name, tag, key, scope, code, header, changed } = row;
  return {
    type,
    name,
    tag,
    key,
    scope,
    code,
    now: { meaning: row.now_meaning, fields: fieldsFromJson(row.now_fields) },
    before: contentOf(row.before_meaning, row.before_fields),
    own: contentOf(row.own_meaning, row.own_fields),
    header: header === null ? null : fieldsFromJson(header),
    changed: changed ?? [],
  };
}

function contentOf(meaning: string | null, fields: string | null): Content | null {
  return meaning === null || fields === null ? null : { meaning, fields: fieldsFromJson(fields) };
}

interface Line {
  readonly tag: string;
  readonly key: string;
  readonly meaning: string;
}

/** All lines of the elements that are protected as a whole. */
async function readLines(reader: Reader, rows: readonly Row[]): Promise<ReadonlyMap<string, readonly Line[]>> {
  const elements = [...new Map(rows.filter((row) => row.scope === 'element').map((row) => [placeOf(row), row])).values()];
  if (elements.length === 0) return new Map();
  const lines = await reader.query<Line & { folder: number; type: string; name: string }>(sql`
    select r.folder, r.type, r.name, r.tag, r.key, encode(c.meaning, 'hex') as meaning
    from unnest(${elements.map((e) => e.folder)}::integer[], ${elements.map((e) => e.type)}::text[], ${elements.map((e) => e.name)}::text[]) as e (folder, type, name)
    join rustine.record r using (folder, type, name) join rustine.content c on c.id = r.content`);
  return Map.groupBy(lines, placeOf);
}

async function readDecisions(reader: Reader, rows: readonly Row[]): Promise<ReadonlyMap<string, Decided>> {
  if (rows.length === 0) return new Map();
  const elements = [...new Map(rows.map((row) => [`${row.type}\0${row.name}`, row])).values()];
  const decisions = await reader.query<Decided & { case_id: string }>(sql`
    select d.case_id, d.choice, d.decided_by as by, to_char(d.decided_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at, d.reason
    from rustine.decision d join unnest(${elements.map((e) => e.type)}::text[], ${elements.map((e) => e.name)}::text[]) as e (type, name) using (type, name)`);
  return new Map(decisions.map(({ case_id, ...decision }) => [case_id, decision]));
}
