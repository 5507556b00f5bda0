// What was done to so many: sums over patches, and their words. Pure.
import type { PatchOutcome } from '../journal/outcome.ts';
import type { Messages } from './messages/en.ts';

export type Counts = Readonly<Record<string, number>>;

export function sums(patches: readonly PatchOutcome[], of: (patch: PatchOutcome) => Counts): Counts {
  const total: Record<string, number> = {};
  for (const patch of patches) for (const [name, count] of Object.entries(of(patch))) total[name] = (total[name] ?? 0) + count;
  return total;
}

export const elementCounts = ({ elements }: PatchOutcome): Counts => ({ ...elements });
export const tableCounts = ({ tables }: PatchOutcome): Counts => ({
  created: tables.created.length,
  altered: tables.altered.length,
  removed: tables.removed.length,
});
/** Whoever ran them: the database, or a runner. */
export const scriptCounts = ({ scripts, ranOutside = [] }: PatchOutcome): Counts => ({
  ...scripts,
  run: scripts.run + ranOutside.length,
});
export const rowCounts = ({ rows }: PatchOutcome): Counts => ({ ...rows });

/** Words for what was done to so many, by kind of thing: what was taken back has its own. */
export function wordsFor(patches: readonly PatchOutcome[], { report }: Messages): CountWords {
  return patches.some(({ state }) => state === 'reverted') ? report.reverted : report;
}

export type CountWords = Readonly<Record<'elements' | 'tables' | 'scripts' | 'rows', Words>>;
type Words = Readonly<Record<string, (count: number) => string>>;

/** `3 new, 2 ignored`; zeros are left out. */
export function counts(words: Readonly<Record<string, (count: number) => string>>, numbers: Counts): string {
  const said = Object.entries(words).flatMap(([name, word]) => {
    const number = numbers[name] ?? 0;
    return number === 0 ? [] : [`${number} ${word(number)}`];
  });
  return said.length === 0 ? '-' : said.join(', ');
}
