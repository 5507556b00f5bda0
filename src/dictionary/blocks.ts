// Blocks of a header: arrays of which each place has its own activity code (blocks of a screen, screens of a window). Pure.
import type { BlockRule } from './element-types.ts';
import type { Fields, Slot } from './fields.ts';
import { fieldValue, slotsOf } from './fields.ts';
import { LINE_VERDICTS } from './verdicts.ts';

type Places = readonly (Slot | null)[];

export interface MergedBlocks {
  readonly fields: Fields;
  /** Codes of blocks that did not come in, with their place. */
  readonly ignored: readonly { readonly code: string; readonly block: number }[];
  /** Codes of the folder's own blocks that stay. */
  readonly kept: readonly { readonly code: string; readonly block: number }[];
  /** Own blocks that had to give way to a delivered one: old place → new place. Lines that point at them follow. */
  readonly moved: ReadonlyMap<number, number>;
}

/** The code that guards a block: its activity code, else the specific name it has. */
export function blockCode(fields: Fields, rule: BlockRule, block: number): string {
  const code = fieldValue(fields, rule.activity, block) ?? '';
  if (code !== '' || rule.name === undefined) return code;
  const name = fieldValue(fields, rule.name, block) ?? '';
  return /^[XYZ]/i.test(name) ? name : '';
}

/** The block that a line belongs to, counted from 0; undefined where it belongs to none. */
export function blockOf(rule: BlockRule, tag: string, fields: Fields): number | undefined {
  const field = Object.hasOwn(rule.lines, tag) ? rule.lines[tag] : undefined;
  const number = field === undefined ? Number.NaN : Number(fieldValue(fields, field) ?? Number.NaN);
  return Number.isInteger(number) && number >= 1 ? number - 1 : undefined;
}

/** @param isProtected whether a code is specific and not authorised */
export function mergeBlocks(
  delivered: Fields,
  own: Fields | undefined,
  rule: BlockRule,
  isProtected: (code: string) => boolean,
): MergedBlocks {
  const theirs = usedPlaces(delivered, rule);
  const mine = own === undefined ? [] : usedPlaces(own, rule);
  const guarded = own === undefined ? [] : mine.filter((at) => isProtected(blockCode(own, rule, at)));
  const ignored = theirs.filter(
    (at) => verdictOf(isProtected(blockCode(delivered, rule, at)), guarded.includes(at)) === 'ignored',
  );
  if (ignored.length === 0 && guarded.length === 0) return { fields: delivered, ignored: [], kept: [], moved: new Map() };
  const names = blockFields(delivered, own, rule);
  const arrays = new Map(names.map((name) => [name, [...(slotsOf(delivered, name) ?? [])]]));
  const used = new Set(theirs);
  // As with lines: a delivered block that may not come in leaves what the folder has in its place.
  for (const at of ignored) {
    if (!mine.includes(at)) used.delete(at);
    for (const [name, places] of arrays) {
      const there = own === undefined || !mine.includes(at) ? null : (slotsOf(own, name)?.[at] ?? null);
      if (at < places.length) places[at] = there ?? emptyOf(places[at] ?? null);
    }
  }
  const moved = new Map<number, number>();
  // Those that can keep their place come first: fewer have to give way.
  const stays = (at: number): boolean => ignored.includes(at) || !used.has(at);
  for (const at of [...guarded.filter(stays), ...guarded.filter((each) => !stays(each))]) {
    const to = stays(at) ? at : afterLast(used);
    if (to !== at) moved.set(at, to);
    used.add(to);
    for (const [name, places] of arrays) put(places, to, own === undefined ? null : (slotsOf(own, name)?.[at] ?? null));
  }
  const slots = { ...delivered.slots, ...Object.fromEntries([...arrays].filter(([, places]) => places.length > 0)) };
  return {
    fields: counted({ ...delivered, slots }, afterLast(used), rule),
    ignored: ignored.map((block) => ({ code: blockCode(delivered, rule, block), block })),
    kept: own === undefined ? [] : guarded.map((block) => ({ code: blockCode(own, rule, block), block })),
    moved,
  };
}

/** Places with a block: as many as the header says, where it says so and has them; else those that hold something. */
function usedPlaces(fields: Fields, rule: BlockRule): readonly number[] {
  const places = placesOf(fields, rule);
  const count = Number(rule.count === undefined ? Number.NaN : (fieldValue(fields, rule.count) ?? Number.NaN));
  if (Number.isInteger(count) && count >= 1 && count <= places) return range(count);
  const arrays = new Map(blockFields(fields, undefined, rule).map((name) => [name, slotsOf(fields, name) ?? []]));
  return range(places).filter((at) => !isFree(arrays, at));
}

const afterLast = (used: ReadonlySet<number>): number => Math.max(-1, ...used) + 1;

/**
 * The folder's blocks where they stand in the merged header, and the delivered ones where the folder has none: set-up values belong to a
 * block, so they go with it, and a block that is new brings its own.
 */
export function arrangedBlocks(own: Fields, merged: Fields, rule: BlockRule, moved: ReadonlyMap<number, number>): Fields {
  const names = blockFields(own, undefined, rule);
  const before = new Map(names.map((name) => [name, slotsOf(own, name) ?? []]));
  const there = usedPlaces(own, rule);
  const arranged = names.map((name) => {
    const places = [...(slotsOf(merged, name) ?? [])];
    const mine = before.get(name) ?? [];
    for (const at of there) {
      const to = moved.get(at) ?? at;
      if (to < places.length) places[to] = mine[at] ?? null;
    }
    return [name, slotsOf(merged, name) === undefined ? mine : places] as const;
  });
  return { ...own, slots: { ...own.slots, ...Object.fromEntries(arranged) } };
}

function verdictOf(closed: boolean, guarded: boolean): string {
  return LINE_VERDICTS[closed ? 'not-authorised' : 'authorised'][guarded ? 'protected' : 'standard'];
}

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at);

function blockFields(delivered: Fields, own: Fields | undefined, rule: BlockRule): readonly string[] {
  const names = new Set([...Object.keys(delivered.slots), ...Object.keys(own?.slots ?? {})]);
  return [...names].filter((name) => rule.fields.test(name));
}

function placesOf(fields: Fields, rule: BlockRule): number {
  return Math.max(0, ...blockFields(fields, undefined, rule).map((name) => slotsOf(fields, name)?.length ?? 0));
}

function isEmpty(slot: Slot | null | undefined): boolean {
  if (slot === null || slot === undefined) return true;
  if ('text' in slot) return slot.text === '';
  if ('bare' in slot) return /^0*$/.test(slot.bare);
  return Object.values('texts' in slot ? slot.texts : slot.translations).every((each) => each.text === '');
}

function emptyOf(slot: Slot | null): Slot | null {
  if (slot === null) return null;
  if ('text' in slot) return { text: '' };
  if ('bare' in slot) return { bare: '0' };
  return 'texts' in slot ? { texts: {} } : { translations: {} };
}

const isFree = (arrays: ReadonlyMap<string, Places>, at: number): boolean =>
  [...arrays.values()].every((places) => isEmpty(places[at]));

function put(places: (Slot | null)[], at: number, slot: Slot | null): void {
  if (slot === null && at >= places.length) return;
  while (places.length <= at) places.push(emptyOf(places[0] ?? null));
  places[at] = slot;
}

/** The header's number of blocks follows where it is a plain number. */
function counted(fields: Fields, blocks: number, rule: BlockRule): Fields {
  const before = rule.count === undefined ? undefined : slotsOf(fields, rule.count)?.[0];
  if (rule.count === undefined || before === undefined || before === null || !('bare' in before)) return fields;
  return { ...fields, slots: { ...fields.slots, [rule.count]: [{ bare: String(blocks) }] } };
}
