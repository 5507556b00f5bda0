// What is seen in the fields of records, and the type that a view's column gets from it. Pure.
import type { Fields, Slot } from './fields.ts';
import { viewOfTag } from './view-names.ts';

export type Kind = 'text' | 'number' | 'date' | 'time' | 'texts';

/** Marks of the values of a slot. They only add up, so the order in which patches come in does not change what a column becomes. */
const SIGN = { number: 1, day: 2, noDay: 4, token: 8, empty: 16, time: 32, text: 64, texts: 128 } as const;
const TOKENS = SIGN.number | SIGN.day | SIGN.noDay | SIGN.token;
const STRINGS = SIGN.empty | SIGN.time | SIGN.text;

/** Fields with other names come from damaged patches; they stay in the records, and the views leave them out. */
const FIELD = /^[A-Z][A-Z0-9_]{0,49}$/i;
/** Of one view, and places of one field: no view can show more. */
const MOST_FIELDS = 1_600;

/** Field → signs by slot, per view. */
export type FieldsSeen = Map<string, Map<string, number[]>>;

/** Takes note of the fields of a record. Costs a look-up for each field; memory is bound by the number of fields, not of records. */
export function seeFields(seen: FieldsSeen, type: string, tag: string, fields: Fields): void {
  const view = viewOfTag(type, tag);
  if (view === undefined) return;
  const known = seen.get(view.name) ?? new Map<string, number[]>();
  if (known.size === 0) seen.set(view.name, known);
  for (const field in fields.slots) {
    const before = known.get(field);
    if (before === undefined && (known.size >= MOST_FIELDS || !FIELD.test(field))) continue;
    const signs = before ?? [];
    if (before === undefined) known.set(field, signs);
    const slots = fields.slots[field] ?? [];
    for (let at = 0; at < slots.length && at < MOST_FIELDS; at++)
      signs[at] = (signs[at] ?? 0) | signOf(slots[at] ?? null, signs[at] ?? 0);
  }
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;
const DAY = /^(\d{4})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/;
const NO_DAY = /^0{6}(?:00)?$/;
const TIME = /^\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

function signOf(slot: Slot | null, before: number): number {
  if (slot === null) return 0;
  if ('texts' in slot || 'translations' in slot) return SIGN.texts;
  if ('bare' in slot) return tokenSign(slot.bare);
  if (slot.text === '') return SIGN.empty;
  // Once a text is a text, no other can make it something else.
  return (before & SIGN.text) === 0 && TIME.test(slot.text) ? SIGN.time : SIGN.text;
}

function tokenSign(token: string): number {
  if (NO_DAY.test(token)) return SIGN.noDay;
  if (token.length === 8 && isDay(token)) return SIGN.day;
  // JSON knows no negative zero, so it is stored as a token.
  return NUMBER.test(token) && !/^-0(?:\.0+)?$/.test(token) ? SIGN.number : SIGN.token;
}

function isDay(token: string): boolean {
  const [, year = '', month = '', day = ''] = DAY.exec(token) ?? [];
  return year > '0000' && new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCMonth() === Number(month) - 1;
}

/**
 * Numbers and dates look alike: eight digits are a date only where every value is one and either the empty date (`000000`, which no number
 * looks like) was seen or the field's name says so (CREDAT, DATDEB).
 */
export function kindOf(field: string, signs: number): Kind {
  if ((signs & SIGN.texts) !== 0) return 'texts';
  const tokens = signs & TOKENS;
  if ((signs & STRINGS) !== 0) {
    return tokens === 0 && (signs & SIGN.time) !== 0 && (signs & SIGN.text) === 0 ? 'time' : 'text';
  }
  if (tokens === 0) return 'text';
  const days = (tokens & (SIGN.number | SIGN.token)) === 0;
  if (days && ((tokens & SIGN.noDay) !== 0 || /DAT/i.test(field))) return 'date';
  return (tokens & (SIGN.noDay | SIGN.token)) === 0 ? 'number' : 'text';
}
