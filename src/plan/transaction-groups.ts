// Which folders of a run that is all or none share a transaction: those that need what an ancestor's brings and has not committed. Pure.
import { isSpecificScript } from '../dictionary/activity-codes.ts';
import { ELEMENT_TYPES } from '../dictionary/element-types.ts';
import type { Delivery } from './delivery.ts';

/** A folder with the deliveries that it is to get. */
export interface GroupedFolder {
  readonly code: string;
  readonly depth: number;
  readonly supervisor: boolean;
  readonly test: boolean;
  /** Codes from the parent up. */
  readonly ancestors: readonly string[];
  readonly deliveries: readonly GroupedDelivery[];
}

export type GroupedDelivery = Pick<Delivery, 'file' | 'elements' | 'sqlScripts'>;

/**
 * What is prepared and not committed, nobody else sees: neither a function that a SQL script made in an ancestor's schema, which scripts of this
 * folder call (R4), nor a script that an ancestor got from an earlier file and that is run here. Such folders go into the ancestor's
 * transaction, one after the other; all others have one of their own.
 * @param sqlInCatalog names of scripts of which some folder has a copy in SQL
 * @returns groups in the order of their topmost folder, each in the order of the tree
 */
export function groupFolders(
  folders: readonly GroupedFolder[],
  sqlInCatalog: ReadonlySet<string>,
): readonly (readonly GroupedFolder[])[] {
  const sql = new Set([
    ...sqlInCatalog,
    ...folders.flatMap(({ deliveries }) => deliveries.flatMap((each) => [...each.sqlScripts])),
  ]);
  const ordered = [...folders].sort((a, b) => a.depth - b.depth || (a.code < b.code ? -1 : 1));
  const runs = new Map(ordered.map((folder) => [folder.code, runsSql(folder, sql)]));
  const groupOf = new Map<string, GroupedFolder[]>();
  for (const folder of ordered) {
    const own = [folder];
    const needed = ordered.filter((each) => folder.ancestors.includes(each.code) && needs(folder, each, runs));
    // Several ancestors that did not need each other become one: they all have to be seen.
    const joined = new Set(needed.map(({ code }) => groupOf.get(code) ?? []));
    for (const group of joined) own.push(...group);
    for (const each of own) groupOf.set(each.code, own);
  }
  const place = new Map(ordered.map((folder, at) => [folder.code, at]));
  const at = (folder: GroupedFolder | undefined): number => place.get(folder?.code ?? '') ?? 0;
  return [...new Set(groupOf.values())].map((group) => group.sort((a, b) => at(a) - at(b))).sort(([a], [b]) => at(a) - at(b));
}

/** Whether the folder's transaction executes SQL of the patches: it may make functions, and call those of ancestors. */
function runsSql(folder: GroupedFolder, sql: ReadonlySet<string>): boolean {
  return folder.deliveries.some(
    ({ elements, sqlScripts }) =>
      [...sqlScripts].some((name) => receives(folder, name)) ||
      elements.some(({ type, name }) => type === 'EXE' && sql.has(name)),
  );
}

/** As R22, except that a folder which has a copy of a specific script is not known here: it may. */
const receives = (folder: GroupedFolder, name: string): boolean => folder.supervisor || folder.test || isSpecificScript(name);

function needs(folder: GroupedFolder, ancestor: GroupedFolder, runs: ReadonlyMap<string, boolean>): boolean {
  if (runs.get(folder.code) === true && runs.get(ancestor.code) === true) return true;
  const brought = ancestor.deliveries.flatMap(({ file, elements }) =>
    elements
      .filter(({ type, name }) => ELEMENT_TYPES.get(type)?.behaviour === 'script' && receives(ancestor, name))
      .map(({ name }) => ({ file, name })),
  );
  return folder.deliveries.some(({ file, elements }) =>
    elements.some(({ type, name }) => type === 'EXE' && brought.some((each) => each.name === name && each.file !== file)),
  );
}

/**
 * No more groups than the server has room for: those that need nobody are put together, as evenly as may be. The first one, with the
 * topmost folder, stays as it is as long as there is more than one: where the supervisor folder fails, the others need not begin.
 */
export function mergeGroups<Folder>(groups: readonly (readonly Folder[])[], most: number): readonly (readonly Folder[])[] {
  if (groups.length <= most) return groups;
  const [first, ...others] = groups;
  if (first === undefined || most <= 0) return [];
  if (most === 1) return [groups.flat()];
  const merged = Array.from({ length: most - 1 }, (): Folder[] => []);
  for (const group of others) {
    const smallest = merged.reduce((a, b) => (b.length < a.length ? b : a));
    smallest.push(...group);
  }
  return [first, ...merged.filter((group) => group.length > 0)];
}
