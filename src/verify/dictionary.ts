// A folder's dictionary and scripts against what was delivered last: what integrating it again would still have to do is a difference.
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { elementKey } from '../dictionary/element.ts';
import { ELEMENT_TYPES, NOISE } from '../dictionary/element-types.ts';
import type { Fields } from '../dictionary/fields.ts';
import { fieldsFromJson, fieldValue } from '../dictionary/fields.ts';
import type { OwnRecord } from '../dictionary/merge-record.ts';
import type { Folder } from '../environment/folder.ts';
import { settingsOf } from '../integrate/settings.ts';
import type { PlanItem } from '../plan/draft.ts';
import type { FolderFacts } from '../plan/facts.ts';
import { gatherBasis, gatherFacts } from '../plan/facts.ts';
import { planDelivery } from '../plan/planner.ts';
import type { Difference, Mend } from './difference.ts';
import { MOST_LISTED, warn } from './difference.ts';
import type { Expectation, Expected } from './expected-elements.ts';

/** In a snapshot of somebody's, who sees to it that nothing was written to the folder since what is expected was staged. */
export async function verifyDictionary(
  session: Session,
  folder: Folder,
  expectation: Expectation | undefined,
): Promise<readonly Difference[]> {
  const found: Difference[] = [];
  for (const expected of expectation?.expected ?? []) found.push(...(await compare(session, folder, expected)));
  return found;
}

async function compare(session: Session, folder: Folder, expected: Expected): Promise<readonly Difference[]> {
  const { digest } = await gatherBasis(session, settingsOf(folder), expected.stagedAs, [], []);
  const { languages, test, specific, parent } = folder;
  const followed = await readFollowedFolder(session, folder);
  const mark = JSON.stringify([digest, languages, followed.languages, followed.types, test, specific, parent === null]);
  const before = expected.known.get(mark);
  if (before !== undefined) return before;
  const found = judge(session, folder, followed, expected);
  expected.known.set(mark, found);
  found.catch(() => expected.known.delete(mark));
  return found;
}

/** What a validation brings of the folder that is followed, besides what was delivered there. */
interface Followed {
  readonly id: number;
  /** In these it brings texts. */
  readonly languages: readonly string[];
  /** Contents of elements such as data types, whose length its people may have set: it comes to those that did not set one themselves. */
  readonly types: readonly string[];
}

async function readFollowedFolder(session: Session, { parent, historyOf }: Folder): Promise<Followed> {
  const [row] = await session.query<Followed>(sql`
    select f.id, f.languages, array(
      select r.content::text from rustine.record r where r.folder = f.id and r.type = any(${PERSONAL}) order by r.type, r.name, r.position) as types
    from rustine.folder f where f.code = ${historyOf ?? parent}`);
  return row ?? { id: 0, languages: [], types: [] };
}

/** Types of elements with fields that people set for all below them. */
const PERSONAL = [...ELEMENT_TYPES.values()].flatMap(({ type, personal }) => (personal.length > 0 ? [type] : []));

type Written = PlanItem & { readonly type: string; readonly name: string };

const isOfElement = (item: PlanItem): item is Written =>
  item.name !== undefined && item.type !== undefined && ['element', 'record', 'move', 'remove', 'script'].includes(item.item);

async function judge(session: Session, folder: Folder, followed: Followed, expected: Expected): Promise<readonly Difference[]> {
  const { delivery, stagedAs, authorized } = expected;
  const facts = await gatherFacts(session, settingsOf(folder), delivery, stagedAs);
  const scope = { rowsOnly: false, onlyTables: null, ranBefore: [], leftToRun: [], takeUnchanged: false };
  const elements = new Map<string, Written[]>();
  const planned = planDelivery({ delivery, folder: settingsOf(folder), facts, authorized, ...scope });
  for await (const item of planned) {
    if (!isOfElement(item)) continue;
    const key = elementKey(item.type, item.name);
    elements.set(key, [...(elements.get(key) ?? []), item]);
  }
  const items = [...elements.values()].flat();
  const own = await storedFields(session, facts, items);
  const theirs = await personalFields(session, followed, items);
  return [...elements].flatMap(([key, written]) =>
    elementDifference(key, written, { expected, facts, own, theirs, folder, followed }),
  );
}

interface Judging {
  readonly expected: Expected;
  readonly facts: FolderFacts;
  /** Fields of the folder's records that differ, by `type\0name\0tag\0key`. */
  readonly own: ReadonlyMap<string, Fields>;
  /** As in the folder that is followed, where that is asked for; by the same. */
  readonly theirs: ReadonlyMap<string, Fields>;
  readonly folder: Folder;
  readonly followed: Followed;
}

function elementDifference(key: string, written: readonly Written[], judging: Judging): readonly Difference[] {
  const [first] = written;
  if (first === undefined) return [];
  const { type, name } = first;
  const { expected, facts, folder } = judging;
  const element = `${type}:${name}`;
  // Without a file it came with the kernel, from which a validation brings it to the supervisor folder.
  const file = expected.files.get(key);
  const mend: Mend = folder.parent === null && file !== undefined ? { by: 'integrate', file } : { by: 'validate' };
  if (first.item === 'script') return scriptDifference(element, key, file, mend, judging);
  const own = facts.elements.get(key);
  if (own === undefined) return [warn('element-missing', element, { element }, mend, file)];
  const lines = written.flatMap((item) => lineOf(item, judging));
  if (lines.length === 0) return [];
  if (lines.every(({ onlyTexts }) => onlyTexts)) {
    const languages = [...new Set(lines.flatMap((line) => line.languages))].sort();
    const follows = languages.every((language) => judging.followed.languages.includes(language));
    // Nothing can be done for it where the parent was created without that language, too.
    if (file === undefined && folder.parent !== null && !follows) return [];
    const brings: Mend =
      follows || file === undefined
        ? { by: 'validate' }
        : // Integrating the patch again would take back what later ones brought: that is for people to judge.
          { by: 'nothing' };
    const code = file === undefined ? 'kernel-texts-to-come' : 'element-texts-to-come';
    return [{ ...warn(code, element, { element, languages, file: file ?? '' }, brings, file), severity: 'info' }];
  }
  const shown = lines.filter(({ onlyTexts }) => !onlyTexts).map(({ text }) => text);
  return [warn('element-differs', element, { element, lines: shown.slice(0, MOST_LISTED), count: shown.length }, mend, file)];
}

/** Whether a folder gets copies of scripts may have been decided later: one that it lacks is found at its ancestors. */
function scriptDifference(
  element: string,
  key: string,
  file: string | undefined,
  mend: Mend,
  { facts, folder }: Judging,
): readonly Difference[] {
  const there = facts.scripts.own.has(key);
  if (there) return [warn('script-differs', element, { element }, mend, file)];
  const missing = warn('script-missing', element, { element }, mend, file);
  return [folder.parent === null ? missing : { ...missing, severity: 'info' }];
}

interface Line {
  readonly text: string;
  /** Nothing but texts in languages of which there are none: the folder got these later. */
  readonly onlyTexts: boolean;
  readonly languages: readonly string[];
}

function lineOf(item: Written, { facts, own, theirs, folder }: Judging): readonly Line[] {
  const line = `${item.tag ?? ''} ${item.key ?? ''}`.trim();
  const is = (text: string): readonly Line[] => [{ text, onlyTexts: false, languages: [] }];
  const element = facts.elements.get(elementKey(item.type, item.name));
  switch (item.item) {
    case 'element':
      return element === undefined || element.title === item.title ? [] : is(`title: ${item.title ?? ''} → ${element.title}`);
    case 'record': {
      const expected = fieldsFromJson(item.fields ?? '{}');
      const found = own.get(placeOf(item));
      if (found === undefined) {
        const language = newLanguage(item, expected, element?.records ?? []);
        return language === undefined ? is(`− ${line}`) : [{ text: `− ${line}`, onlyTexts: true, languages: [language] }];
      }
      const fields = differingFields(expected, found, folder.languages).filter(
        ({ field }) => !isSetAbove(item, field, found, theirs.get(placeOf(item))),
      );
      const changes = fields.map(({ field }) => `${field}: ${shown(expected, field)} → ${shown(found, field)}`);
      const onlyTexts = fields.length > 0 && fields.every(({ toCome }) => toCome.length > 0);
      const nothing = fields.length === 0 && differs(expected, found) && !isElsewhere(item, element?.records ?? []);
      const text = `${line} (${changes.join('; ')})`;
      return nothing ? [] : [{ text, onlyTexts, languages: fields.flatMap(({ toCome }) => toCome) }];
    }
    case 'remove':
      return is(`+ ${line}`);
    case 'move':
      return is(`↕ ${line}`);
    default:
      return [];
  }
}

const placeOf = ({ type, name, tag, key }: PlanItem): string => [type, name, tag, key].join('\0');

/** Only where something differs there. */
async function personalFields(
  session: Session,
  { id, types }: Followed,
  items: readonly Written[],
): Promise<ReadonlyMap<string, Fields>> {
  if (types.length === 0 || !items.some(({ item, type }) => item === 'record' && PERSONAL.includes(type))) return new Map();
  const rows = await session.query<{ type: string; name: string; tag: string; key: string; fields: string }>(sql`
    select r.type, r.name, r.tag, r.key, c.fields::text as fields from rustine.record r join rustine.content c on c.id = r.content
    where r.folder = ${id} and r.type = any(${PERSONAL})`);
  return new Map(rows.map(({ fields, ...row }) => [[row.type, row.name, row.tag, row.key].join('\0'), fieldsFromJson(fields)]));
}

function isSetAbove({ type }: Written, field: string, found: Fields, theirs: Fields | undefined): boolean {
  if (theirs === undefined || ELEMENT_TYPES.get(type)?.personal.includes(field) !== true) return false;
  return valuesOf(found, field) === valuesOf(theirs, field);
}

async function storedFields(
  session: Session,
  facts: FolderFacts,
  items: readonly Written[],
): Promise<ReadonlyMap<string, Fields>> {
  const digests = new Map<string, string>();
  for (const item of items) {
    if (item.item !== 'record') continue;
    const records = facts.elements.get(elementKey(item.type, item.name))?.records ?? [];
    const own = records.find(({ tag, key }) => tag === item.tag && key === item.key);
    if (own !== undefined) digests.set(placeOf(item), own.digest);
  }
  if (digests.size === 0) return new Map();
  const rows = await session.query<{ digest: string; fields: string }>(sql`
    select encode(digest, 'hex') as digest, fields::text as fields from rustine.content
    where digest in (select decode(x, 'hex') from unnest(${[...new Set(digests.values())]}::text[]) x)`);
  const byDigest = new Map(rows.map(({ digest, fields }) => [digest, fieldsFromJson(fields)]));
  return new Map(
    [...digests].flatMap(([place, digest]) => {
      const fields = byDigest.get(digest);
      return fields === undefined ? [] : [[place, fields] as const];
    }),
  );
}

interface DifferingField {
  readonly field: string;
  /** Where nothing else differs: languages of texts that are expected, of which there are none. */
  readonly toCome: readonly string[];
}

/** Texts in languages that the folder has no longer stay until a patch brings the record anew: they are not compared. */
function differingFields(expected: Fields, found: Fields, languages: readonly string[]): readonly DifferingField[] {
  return comparedFields(expected, found).flatMap((field) => {
    const [wanted, all] = [textsOf(expected, field), textsOf(found, field)];
    if (wanted === undefined || all === undefined)
      return valuesOf(expected, field) === valuesOf(found, field) ? [] : [{ field, toCome: [] }];
    const own = Object.entries(all).filter(([place]) => wanted[place] !== undefined || languages.includes(languageOf(place)));
    const there = new Set(own.map(([place]) => place));
    const added = Object.keys(wanted).filter((place) => !there.has(place));
    const same = own.every(([place, text]) => wanted[place] === text);
    if (same && added.length === 0) return [];
    return [{ field, toCome: same ? [...new Set(added.map(languageOf))] : [] }];
  });
}

function comparedFields(expected: Fields, found: Fields): readonly string[] {
  const names = new Set([...Object.keys(expected.slots), ...Object.keys(found.slots)]);
  return [...names].filter((name) => !NOISE.has(name)).sort();
}

/** In whatever language. */
function differs(expected: Fields, found: Fields): boolean {
  return comparedFields(expected, found).some((field) => valuesOf(expected, field) !== valuesOf(found, field));
}

/** The language of a line of texts that is expected, where the element has no such line in it. */
function newLanguage({ type, tag = '' }: Written, expected: Fields, records: readonly OwnRecord[]): string | undefined {
  const fields = ELEMENT_TYPES.get(type)?.language ?? {};
  const field = Object.hasOwn(fields, tag) ? fields[tag] : undefined;
  const language = field === undefined ? '' : (fieldValue(expected, field) ?? '');
  if (field === undefined || language === '') return undefined;
  const had = records.some(
    (each) => each.tag === tag && each.fields !== undefined && fieldValue(each.fields, field) === language,
  );
  return had ? undefined : language;
}

function isElsewhere({ tag, key, position }: Written, records: readonly OwnRecord[]): boolean {
  return records.some((each) => each.tag === tag && each.key === key && each.position !== position);
}

/** Texts by language and slot. */
function textsOf({ slots }: Fields, field: string): Readonly<Record<string, string>> | undefined {
  const texts: Record<string, string> = {};
  for (const [at, slot] of (slots[field] ?? []).entries()) {
    if (slot === null) continue;
    if ('text' in slot || 'bare' in slot) return undefined;
    for (const [language, { text }] of Object.entries('texts' in slot ? slot.texts : slot.translations))
      texts[`${language} ${at}`] = text;
  }
  return texts;
}

const languageOf = (place: string): string => place.split(' ')[0] ?? place;

const LONGEST_VALUE = 60;

function shown(fields: Fields, field: string): string {
  const text = valuesOf(fields, field);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

function valuesOf({ slots }: Fields, field: string): string {
  const values = (slots[field] ?? []).map((slot) => {
    if (slot === null) return '';
    if ('text' in slot) return slot.text;
    if ('bare' in slot) return slot.bare;
    const texts = 'texts' in slot ? slot.texts : slot.translations;
    return Object.entries(texts)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([language, { text }]) => `${language} ${text}`)
      .join(', ');
  });
  return values.join(' | ');
}
