// What differs between two elements, line by line and field by field. Pure.
import type { DictionaryRecord } from './element.ts';
import { NOISE } from './element-types.ts';
import type { Fields, Slot } from './fields.ts';
import { slotsOf } from './fields.ts';

/** One slot as people read it; null where there is none. Digits of numbers stay as they came. */
export interface FieldDifference {
  readonly field: string;
  readonly slot: number;
  readonly here: string | null;
  readonly there: string | null;
}

export interface RecordPlace {
  readonly tag: string;
  readonly key: string;
}

export interface ElementDifference {
  readonly onlyHere: readonly RecordPlace[];
  readonly onlyThere: readonly RecordPlace[];
  readonly changed: readonly (RecordPlace & { readonly fields: readonly FieldDifference[] })[];
  /** The lines that both have stand in another order. */
  readonly reordered: boolean;
}

type Compared = Pick<DictionaryRecord, 'tag' | 'key' | 'fields'>;

const placeOf = ({ tag, key }: RecordPlace): string => `${tag}\0${key}`;
const only = ({ tag, key }: RecordPlace): RecordPlace => ({ tag, key });

/** @param withNoise also dates, users and ticks, which say nothing about a change */
export function compareRecords(here: readonly Compared[], there: readonly Compared[], withNoise = false): ElementDifference {
  const [mine, theirs] = [
    new Map(here.map((each) => [placeOf(each), each])),
    new Map(there.map((each) => [placeOf(each), each])),
  ];
  const common = here.filter((each) => theirs.has(placeOf(each)));
  const changed = common.flatMap((record) => {
    const fields = compareFields(record.fields, theirs.get(placeOf(record))?.fields ?? record.fields, withNoise);
    return fields.length === 0 ? [] : [{ ...only(record), fields }];
  });
  const order = there.filter((each) => mine.has(placeOf(each)));
  return {
    onlyHere: here.filter((each) => !theirs.has(placeOf(each))).map(only),
    onlyThere: there.filter((each) => !mine.has(placeOf(each))).map(only),
    changed,
    reordered: common.some((each, at) => placeOf(each) !== placeOf(order[at] ?? each)),
  };
}

/** Slot by slot, as people read them. */
export function compareFields(here: Fields, there: Fields, withNoise: boolean): readonly FieldDifference[] {
  const names = [...new Set([...Object.keys(here.slots), ...Object.keys(there.slots)])].sort();
  return names
    .filter((field) => withNoise || !NOISE.has(field))
    .flatMap((field) => {
      const [mine, theirs] = [slotsOf(here, field) ?? [], slotsOf(there, field) ?? []];
      return Array.from({ length: Math.max(mine.length, theirs.length) }, (_, slot) => {
        const [a, b] = [slotText(mine[slot] ?? null), slotText(theirs[slot] ?? null)];
        return a === b ? [] : [{ field, slot, here: a, there: b }];
      }).flat();
    });
}

/** Text as it is, a token as it came, texts as `ENG One · FRA Un`. */
export function slotText(slot: Slot | null): string | null {
  if (slot === null) return null;
  if ('text' in slot) return slot.text;
  if ('bare' in slot) return slot.bare;
  const byLanguage = 'texts' in slot ? slot.texts : slot.translations;
  return Object.keys(byLanguage)
    .sort()
    .map((language) => `${language} ${byLanguage[language]?.text ?? ''}`)
    .join(' · ');
}
