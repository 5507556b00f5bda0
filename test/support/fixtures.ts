// Fixtures as elements of patches, and deliveries made from them: other noise, changed, lines missing, added, in another order.
import { readFileSync } from 'node:fs';
import type { ElementType } from '../../src/dictionary/element-types.ts';
import { ELEMENT_TYPES, NOISE } from '../../src/dictionary/element-types.ts';
import type { Fields, Slot } from '../../src/dictionary/fields.ts';
import type { PatchPart, PatchRecord, RecordLine } from '../../src/patch/format.ts';
import { description, fixtureNames, fixturePath } from '../fixtures/pack.ts';
import { readBytes } from './patch-files.ts';
import type { Element } from './patches.ts';

export interface Fixture {
  /** The fixture's name: its type, or DIV. */
  readonly file: string;
  readonly type: string;
  readonly name: string;
  readonly title: string;
  /** Absent where the type is no type of the registry (DIV). */
  readonly registered?: ElementType;
  readonly records: readonly PatchRecord[];
  readonly element: Element;
  /** Per tag: the field that a later delivery changes, where the record has no texts. */
  readonly changes: Readonly<Record<string, string>>;
}

/** Ranks apart, the order of the list is that of the registry: what is needed comes first. */
export async function fixtures(): Promise<readonly Fixture[]> {
  const all = await Promise.all(fixtureNames().map(fixture));
  return all.sort((a, b) => rankOf(a) - rankOf(b));
}

const rankOf = ({ registered }: Fixture): number => registered?.rank ?? 100;

async function fixture(file: string): Promise<Fixture> {
  const { type = file, name, title, changes = {} } = description(file);
  const parts = await readBytes(readFileSync(fixturePath(file)));
  const records = parts.flatMap((part) => (part.part === 'record' ? [part.record] : []));
  const element = parts.filter((part) => part.part !== 'header' && part.part !== 'end');
  const registered = ELEMENT_TYPES.get(type);
  return { file, type, name, title, ...(registered === undefined ? {} : { registered }), records, element, changes };
}

/** Types whose elements are records of the dictionary. */
export const inDictionary = ({ registered }: Fixture): boolean => registered !== undefined && registered.header.table !== '';

/** The same fixture with other records. */
function withRecords(given: Fixture, records: readonly PatchRecord[]): Fixture {
  const at = { line: 0, offset: 0 };
  const [first, last] = [given.element[0], given.element.at(-1)];
  if (first === undefined || last === undefined) throw new Error(`${given.file} has no element`);
  const parts = records.map((record): PatchPart => ({ part: 'record', record, at }));
  return { ...given, records, element: [first, ...parts, last] };
}

/** Other dates and users, other text numbers: what says nothing about a change. */
export function withOtherNoise(given: Fixture): Fixture {
  return withLines(given, (line) => {
    if (line.kind === 'text') return { ...line, number: String(Number(line.number) + 5_000) };
    if (line.kind !== 'value' || !NOISE.has(line.field)) return line;
    return { ...line, value: line.value.replace('2024', '2025').replace(/AUTHOR|EDITOR/, 'SOMEONE') };
  });
}

/** A later delivery: in each record one field that is no set-up field is new, and all set-up fields are. */
export function changed(given: Fixture): Fixture {
  return withLines(withOtherNoise(given), (line, record) => {
    if (line.kind === 'text' && line.field === changingText(given, record)) return { ...line, text: `${line.text} (new)` };
    if (line.kind !== 'value') return line;
    if (line.field === given.changes[record.tag]) return { ...line, value: '"new"' };
    const changes = [...setUpFields(given, record), ...personalFields(given, record.tag)];
    return changes.includes(line.field) ? { ...line, value: otherValue(line.value) } : line;
  });
}

/** Set-up fields that follow the delivery, because nobody in the folder changed them. */
const personalFields = ({ registered }: Fixture, tag: string): readonly string[] =>
  tag === registered?.header.tag ? registered.personal : [];

/** Set-up fields of a record that stay the folder's whoever wrote them last. */
export function setUpFields(given: Fixture, { tag, lines }: Pick<PatchRecord, 'tag' | 'lines'>): readonly string[] {
  const { setUp = {}, personal = [] } = given.registered ?? {};
  const named = setUp[tag] ?? [];
  const key = keyFields(given, tag);
  const all = lines.flatMap((line) => (line.kind === 'unknown' || NOISE.has(line.field) ? [] : [line.field]));
  return named.includes('*') ? all.filter((field) => !key.includes(field)) : named.filter((field) => !personal.includes(field));
}

function changingText(given: Fixture, record: PatchRecord): string | undefined {
  if (given.changes[record.tag] !== undefined) return undefined;
  return record.lines.find((line) => line.kind === 'text')?.field;
}

const otherValue = (value: string): string => (value.startsWith('"') ? '"OTHER"' : String(Number(value) + 1));

/** Without these records. */
export function without(given: Fixture, gone: readonly PatchRecord[]): Fixture {
  return withRecords(
    given,
    given.records.filter((record) => !gone.includes(record)),
  );
}

/** The last line of each tag that has several, but those of the tags named. */
export function lastLines(given: Fixture, but: readonly string[]): readonly PatchRecord[] {
  const counts = Map.groupBy(given.records, (record) => record.tag);
  return [...counts].flatMap(([tag, records]) => (but.includes(tag) ? [] : records.slice(1).slice(-1)));
}

/** Keyed lines from the last to the first; where the registry names no key, the place among the like is the identity. */
export function reordered(given: Fixture): Fixture {
  const [header, ...lines] = given.records;
  const keyed = lines.filter((line) => keyFields(given, line.tag).length > 0);
  const others = lines.filter((line) => !keyed.includes(line));
  return withRecords(given, [...(header === undefined ? [] : [header]), ...keyed.toReversed(), ...others]);
}

export const keyFields = ({ registered }: Fixture, tag: string): readonly string[] =>
  (registered?.lines[tag]?.key ?? []).map((alternatives) => alternatives.split('|')[0] ?? '');

/** With an activity code in its header. */
export function underCode(given: Fixture, code: string): Fixture {
  const [header, ...lines] = given.records;
  const field = given.registered?.activity[0];
  if (header === undefined || field === undefined) throw new Error(`${given.file} has no activity code`);
  return withRecords(given, [withValue(header, field, `"${code}"`), ...lines]);
}

/** The line that `withOwnLine` adds: a copy of the last one of the first keyed tag, under another key and the code. */
export function ownLine(given: Fixture, code: string): PatchRecord | undefined {
  const tag = Object.keys(given.registered?.lines ?? {}).find((each) => keyFields(given, each).length > 0);
  const activity = given.registered?.activity ?? [];
  const like = given.records.findLast((record) => record.tag === tag);
  const key = tag === undefined ? undefined : keyFields(given, tag).at(0);
  if (like === undefined || key === undefined || activity.length === 0) return undefined;
  const field = activity.find((each) => like.lines.some((line) => line.kind === 'value' && line.field === each)) ?? activity[0];
  const bare = like.lines.some((line) => line.kind === 'value' && line.field === key && !line.value.startsWith('"'));
  return withValue(withValue(like, key, bare ? '77' : '"OWN"'), field ?? '', `"${code}"`);
}

export function withOwnLine(given: Fixture, code: string): Fixture {
  const own = ownLine(given, code);
  return own === undefined ? given : withRecords(given, [...given.records, own]);
}

/** With a field, a kind of line and a tag that nobody knows. */
export function withUnknown(given: Fixture): Fixture {
  const [header, ...lines] = given.records;
  if (header === undefined) throw new Error(`${given.file} has no header`);
  const stranger: PatchRecord = {
    tag: 'QZX',
    key: '"any label"',
    lines: [
      { kind: 'value', field: 'A', index: 0, value: '007' },
      { kind: 'value', field: 'B', index: 0, value: '"say "so""' },
    ],
  };
  const wider = withValue(header, 'ZZNEW', '"kept"');
  const extra: RecordLine = { kind: 'unknown', line: '44,"NEW",0,"as it came"' };
  return withRecords(given, [{ ...wider, lines: [...wider.lines, extra] }, ...lines, stranger]);
}

function withLines(given: Fixture, change: (line: RecordLine, record: PatchRecord) => RecordLine): Fixture {
  return withRecords(
    given,
    given.records.map((record) => ({ ...record, lines: record.lines.map((line) => change(line, record)) })),
  );
}

/** One value of a record; a field that it has not is put in its place. */
function withValue(record: PatchRecord, field: string, value: string): PatchRecord {
  const others = record.lines.filter((line) => line.kind === 'unknown' || line.field !== field);
  const line: RecordLine = { kind: 'value', field, index: 0, value };
  const at = others.findIndex((each) => each.kind !== 'unknown' && each.field > field);
  return { ...record, lines: at < 0 ? [...others, line] : others.toSpliced(at, 0, line) };
}

/** The lines of a record that these fields came from, in the order of a patch: what was stored comes out as it came in. */
export function linesOf(fields: Fields): readonly RecordLine[] {
  const names = Object.keys(fields.slots).sort();
  const lines = names.flatMap((field) => (fields.slots[field] ?? []).flatMap((slot, index) => slotLines(field, index, slot)));
  return [...lines, ...fields.extra.map((line): RecordLine => ({ kind: 'unknown', line }))];
}

function slotLines(field: string, index: number, slot: Slot | null): readonly RecordLine[] {
  if (slot === null) return [];
  if ('text' in slot) return [{ kind: 'value', field, index, value: `"${slot.text}"` }];
  if ('bare' in slot) return [{ kind: 'value', field, index, value: slot.bare }];
  if ('translations' in slot) throw new Error('texts of data rows are no part of the dictionary');
  const texts = Object.entries(slot.texts).map(
    ([language, text]): RecordLine => ({ kind: 'text', field, index, language, ...text }),
  );
  return [...texts, { kind: 'close', of: 'text', field, index }];
}
