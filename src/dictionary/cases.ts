// Cases that a person can decide (R37): a kept field, line or element with its three values; equal cases have the same id. Pure.
import { canonical, digestOf } from '../base/canonical.ts';
import type { Slot } from './fields.ts';

export type Choice = 'keep' | 'take' | 'value';

export type FieldValue = readonly (Slot | null)[];

/** What was decided about a case; `value` for choice `value` only. */
export interface Decision {
  readonly choice: Choice;
  readonly value?: FieldValue;
}

/** Decisions by case id. */
export type Decisions = ReadonlyMap<string, Decision>;

export const NO_DECISIONS: Decisions = new Map();

/** Where a case is: field '' for a whole line, tag and key '' too for a whole element. */
export interface CasePlace {
  readonly type: string;
  readonly name: string;
  readonly tag: string;
  readonly key: string;
  readonly field: string;
}

/** The three values: of a field its slots, of a line or element a digest of its meaning; null where there was none. */
export interface CaseValues {
  readonly before: unknown;
  readonly now: unknown;
  readonly own: unknown;
}

const ID_LENGTH = 12;

/** 12 hexadecimal digits: long enough never to meet by chance, short enough to type. */
export function caseId(place: CasePlace, values: CaseValues): string {
  const { type, name, tag, key, field } = place;
  return digestOf(canonical([type, name, tag, key, field, values.before ?? null, values.now ?? null, values.own ?? null])).slice(
    0,
    ID_LENGTH,
  );
}

/** A value without what says nothing about a change: text numbers. */
export function plainValue(slots: FieldValue | undefined): FieldValue | null {
  if (slots === undefined) return null;
  return slots.map((slot) => {
    if (slot === null || !('texts' in slot)) return slot;
    return {
      texts: Object.fromEntries(Object.entries(slot.texts).map(([language, text]) => [language, { ...text, number: '' }])),
    };
  });
}

export function sameValue(a: FieldValue | undefined, b: FieldValue | undefined): boolean {
  return canonical(plainValue(a)) === canonical(plainValue(b));
}

/** Stands for several records: the meaning of a line, or of all lines of an element. */
export function linesDigest(
  lines: readonly { readonly tag: string; readonly key: string; readonly meaning: string }[],
): string | null {
  if (lines.length === 0) return null;
  return digestOf(canonical(lines.map(({ tag, key, meaning }) => [tag, key, meaning]).sort()));
}
