// In which order folders come: level by level (R31), live folders before their history (R36), canaries with their ancestors before all others. Pure.
import type { Folder } from '../environment/folder.ts';

export interface Wave {
  readonly folders: readonly Folder[];
  /** The waves that are none begin only when those that are got everything. */
  readonly canary: boolean;
}

/** @param first codes of the canaries */
export function wavesOf(folders: readonly Folder[], first: readonly string[]): readonly Wave[] {
  const canaries = canariesOf(folders, first);
  return [true, false].flatMap((canary) =>
    levels(
      folders.filter(({ code }) => canaries.has(code) === canary),
      canary,
    ),
  );
}

/** The deepest folders first: who gives something up must not leave those behind who look it up there. */
export function wavesUp(folders: readonly Folder[]): readonly Wave[] {
  return levels(folders, false).toReversed();
}

function levels(folders: readonly Folder[], canary: boolean): readonly Wave[] {
  const ranks = ranksOf(folders);
  return [...Map.groupBy(folders, ({ code, depth }) => ranks.get(code) ?? depth)]
    .sort(([a], [b]) => a - b)
    .map(([, level]) => ({ folders: level, canary }));
}

/** Its level; of a history folder, which stands beside its live one, that of whatever would stand below it (R36). */
function ranksOf(folders: readonly Folder[]): ReadonlyMap<string, number> {
  const byCode = new Map(folders.map((folder) => [folder.code, folder]));
  const rankOf = ({ depth, historyOf }: Folder): number => Math.max(depth, (byCode.get(historyOf ?? '')?.depth ?? -1) + 1);
  return new Map(folders.map((folder) => [folder.code, rankOf(folder)]));
}

/** They, and their ancestors. @param first codes; of folders that there are no more, too */
export function canariesOf(folders: readonly Folder[], first: readonly string[]): ReadonlySet<string> {
  const chosen = folders.filter(({ code }) => first.includes(code));
  return new Set([
    ...first,
    ...chosen.flatMap(({ ancestors, historyOf }) => [...ancestors.map((each) => each.code), historyOf ?? []].flat()),
  ]);
}
