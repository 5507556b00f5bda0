// The fields of one record: from the lines of a patch to a value that is compared, stored as JSON, and brought back. Pure.
import { canonical, digestOf } from '../base/canonical.ts';
import type { Digest } from '../base/ids.ts';
import type { RecordLine } from '../patch/format.ts';
import { NOISE } from './element-types.ts';

export interface TextIn {
  readonly text: string;
  /** Text number, verbatim; kept for re-emission, noise for comparison. */
  readonly number: string;
  readonly comment: string;
}
export interface TranslationIn {
  readonly text: string;
  readonly id1: string;
  readonly id2: string;
}

/** One slot of a field: text, a bare token (number or date, digits as they came), or texts by language. */
export type Slot =
  | { readonly text: string }
  | { readonly bare: string }
  | { readonly texts: Readonly<Record<string, TextIn>> }
  | { readonly translations: Readonly<Record<string, TranslationIn>> };

/** Field name → slots by index (a missing slot is null), and lines that have no place of their own, verbatim. */
export interface Fields {
  readonly slots: Readonly<Record<string, readonly (Slot | null)[]>>;
  readonly extra: readonly string[];
}

type Open = Record<string, (Slot | null)[]>;

/** Collects the lines of a record. Line kinds that the grammar does not know are kept verbatim in `extra`. */
export function fieldsOf(lines: readonly RecordLine[]): Fields {
  const slots: Open = Object.create(null) as Open;
  const extra: string[] = [];
  for (const line of lines) {
    if (line.kind === 'unknown') extra.push(line.line);
    else addLine(slots, line);
  }
  return { slots, extra };
}

function addLine(slots: Open, line: Exclude<RecordLine, { kind: 'unknown' }>): void {
  const field = slots[line.field] ?? [];
  slots[line.field] = field;
  while (field.length < line.index) field.push(null);
  const before = field[line.index];
  field[line.index] = nextSlot(before ?? null, line);
}

/** Slots that a record may have: a table has at most 1,600 columns, and an index of 99999 costs the places before it. */
export const MOST_SLOTS = 20_000;

/** How many slots `fieldsOf` would make of these lines, and the field with most of them; without making them. */
export function countSlots(lines: readonly RecordLine[]): { readonly count: number; readonly field: string } {
  const counts = new Map<string, number>();
  for (const line of lines) {
    if (line.kind !== 'unknown') counts.set(line.field, Math.max(counts.get(line.field) ?? 0, line.index + 1));
  }
  let count = 0;
  let widest: readonly [string, number] = ['', 0];
  for (const each of counts) {
    count += each[1];
    if (each[1] > widest[1]) widest = each;
  }
  return { count, field: widest[0] };
}

function nextSlot(before: Slot | null, line: Exclude<RecordLine, { kind: 'unknown' }>): Slot {
  switch (line.kind) {
    case 'value':
      return line.value.startsWith('"') ? { text: line.value.slice(1, -1) } : { bare: line.value };
    case 'text': {
      const texts = before !== null && 'texts' in before ? before.texts : {};
      return { texts: { ...texts, [line.language]: { text: line.text, number: line.number, comment: line.comment } } };
    }
    case 'translation': {
      const translations = before !== null && 'translations' in before ? before.translations : {};
      return { translations: { ...translations, [line.language]: { text: line.text, id1: line.id1, id2: line.id2 } } };
    }
    case 'close':
      return before ?? (line.of === 'text' ? { texts: {} } : { translations: {} });
  }
}

/** The slots of a field. Names come from patches: `constructor` is one like any other, and what objects inherit is none. */
export function slotsOf(fields: Fields, name: string): readonly (Slot | null)[] | undefined {
  return Object.hasOwn(fields.slots, name) ? fields.slots[name] : undefined;
}

/** The text or bare token of a field's slot; undefined where it is absent or holds texts by language. */
export function fieldValue(fields: Fields, name: string, index = 0): string | undefined {
  const slot = slotsOf(fields, name)?.[index];
  if (slot === undefined || slot === null) return undefined;
  if ('text' in slot) return slot.text;
  if ('bare' in slot) return slot.bare;
  return undefined;
}

/** Keeps the folder's languages only (R23); where none of them was delivered, the first language of the patch. */
export function inLanguages(fields: Fields, languages: readonly string[], patchLanguages: readonly string[]): Fields {
  const slots = mapSlots(fields.slots, (slot) => {
    if ('texts' in slot) return { texts: pick(slot.texts, languages, patchLanguages) };
    if ('translations' in slot) return { translations: pick(slot.translations, languages, patchLanguages) };
    return slot;
  });
  return { ...fields, slots };
}

function pick<Entry>(
  entries: Readonly<Record<string, Entry>>,
  languages: readonly string[],
  patchLanguages: readonly string[],
): Record<string, Entry> {
  const kept = Object.entries(entries).filter(([language]) => languages.includes(language));
  if (kept.length > 0) return Object.fromEntries(kept);
  const first = patchLanguages.find((language) => Object.hasOwn(entries, language)) ?? Object.keys(entries)[0];
  return first === undefined ? {} : { [first]: entries[first] as Entry };
}

/**
 * Adds the folder's own texts in languages that the patch does not carry (R23): it says nothing about them. Where they are the only
 * ones in the folder's languages, the text that was delivered for want of one is left out.
 */
export function withOwnTexts(
  delivered: Fields,
  own: Fields,
  languages: readonly string[],
  patchLanguages: readonly string[],
): Fields {
  const mine = languages.filter((language) => !patchLanguages.includes(language));
  if (mine.length === 0) return delivered;
  const added = Object.entries(own.slots).flatMap(([name, slots]) => {
    const before = slotsOf(delivered, name) ?? [];
    const after = Array.from({ length: Math.max(before.length, slots.length) }, (_, at) =>
      slotWithTexts(before[at] ?? null, slots[at] ?? null, mine, languages),
    );
    while (after.length > before.length && after.at(-1) === null) after.pop();
    return after.every((slot, at) => slot === before[at]) && after.length === before.length ? [] : [[name, after] as const];
  });
  return added.length === 0 ? delivered : { ...delivered, slots: { ...delivered.slots, ...Object.fromEntries(added) } };
}

function slotWithTexts(slot: Slot | null, own: Slot | null, mine: readonly string[], languages: readonly string[]): Slot | null {
  if (own === null) return slot;
  if ('texts' in own && (slot === null || 'texts' in slot)) {
    const texts = joined(slot?.texts ?? {}, own.texts, mine, languages);
    return texts === undefined ? slot : { texts };
  }
  if ('translations' in own && (slot === null || 'translations' in slot)) {
    const translations = joined(slot?.translations ?? {}, own.translations, mine, languages);
    return translations === undefined ? slot : { translations };
  }
  return slot;
}

function joined<Entry>(
  delivered: Readonly<Record<string, Entry>>,
  own: Readonly<Record<string, Entry>>,
  mine: readonly string[],
  languages: readonly string[],
): Readonly<Record<string, Entry>> | undefined {
  const kept = Object.entries(own).filter(([language]) => mine.includes(language) && !Object.hasOwn(delivered, language));
  if (kept.length === 0) return undefined;
  return Object.fromEntries([...Object.entries(delivered).filter(([language]) => languages.includes(language)), ...kept]);
}

function mapSlots(slots: Fields['slots'], change: (slot: Slot) => Slot): Fields['slots'] {
  return Object.fromEntries(
    Object.entries(slots).map(([name, each]) => [name, each.map((slot) => (slot === null ? null : change(slot)))]),
  );
}

// --- as JSON --------------------------------------------------------------------------------------------------------------------------
// text → JSON string · bare → JSON number where that keeps every digit, else {"bare": "000000"} · texts → {"text": {"FRA": [text, number, comment]}} ·
// translations → {"translation": {"FRA": [text, id1, id2]}} · one slot: the value itself, several: an array · extra lines under "".

// JSONB knows no negative zero: `-0.00` would come back without its sign.
const JSON_NUMBER = /^(?!-0(?:\.0+)?$)-?(?:0|[1-9]\d*)(?:\.\d+)?$/;
// No field has an empty name.
const EXTRA = '';

function slotJson(slot: Slot | null): string {
  if (slot === null) return 'null';
  if ('text' in slot) return JSON.stringify(slot.text);
  if ('bare' in slot) return JSON_NUMBER.test(slot.bare) ? slot.bare : JSON.stringify({ bare: slot.bare });
  if ('texts' in slot) return JSON.stringify({ text: mapValues(slot.texts, (t) => [t.text, t.number, t.comment]) });
  return JSON.stringify({ translation: mapValues(slot.translations, (t) => [t.text, t.id1, t.id2]) });
}

function mapValues<A, B>(entries: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, change(value)]));
}

/** JSON text for the record store; digits of numbers stay as they came. */
export function fieldsToJson(fields: Fields): string {
  const members = Object.entries(fields.slots).map(([name, slots]) => {
    const value = slots.length === 1 ? slotJson(slots[0] ?? null) : `[${slots.map(slotJson).join(',')}]`;
    return `${JSON.stringify(name)}:${value}`;
  });
  if (fields.extra.length > 0) members.push(`${JSON.stringify(EXTRA)}:${JSON.stringify(fields.extra)}`);
  return `{${members.join(',')}}`;
}

/** Reads what `fieldsToJson` wrote (through JSONB: key order may differ, digits do not). */
export function fieldsFromJson(json: string): Fields {
  const parsed = JSON.parse(json, keepDigits) as Record<string, unknown>;
  const { [EXTRA]: extra, ...members } = parsed;
  const slots = Object.fromEntries(
    Object.entries(members).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(slotFromJson) : [slotFromJson(value)],
    ]),
  );
  return { slots, extra: Array.isArray(extra) ? (extra as string[]) : [] };
}

/** JSON.parse gives the source of each number: a float never comes between. */
function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? { bare: context?.source ?? String(value) } : value;
}

function slotFromJson(value: unknown): Slot | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return { text: value };
  const slot = value as { bare?: string; text?: Record<string, string[]>; translation?: Record<string, string[]> };
  if (slot.bare !== undefined) return { bare: slot.bare };
  if (slot.translation !== undefined) {
    return { translations: mapValues(slot.translation, ([text = '', id1 = '', id2 = '']) => ({ text, id1, id2 })) };
  }
  return { texts: mapValues(slot.text ?? {}, ([text = '', number = '', comment = '']) => ({ text, number, comment })) };
}

// PostgreSQL stores no NUL; in JSON text it is an escape that is not itself escaped.
const NUL = /(?<!\\)((?:\\\\)*)\\u0000/g;

export function hasNul(json: string): boolean {
  return json.includes('\\u0000') && json.search(NUL) >= 0;
}

export function withoutNul(json: string): string {
  return hasNul(json) ? json.replace(NUL, '$1') : json;
}

// --- comparison -----------------------------------------------------------------------------------------------------------------------

/** Digest of the fields as they came. */
export function exactDigest(fields: Fields): Digest {
  return digestOf(canonical(fields));
}

/** Digest without noise: dates, users, ticks, text numbers. Two records with the same meaning are identical. */
export function meaningDigest(fields: Fields): Digest {
  const slots = Object.fromEntries(Object.entries(fields.slots).filter(([name]) => !NOISE.has(name)));
  const withoutNumbers = mapSlots(slots, (slot) =>
    'texts' in slot ? { texts: mapValues(slot.texts, (t) => ({ ...t, number: '' })) } : slot,
  );
  return digestOf(canonical({ slots: withoutNumbers, extra: fields.extra }));
}
