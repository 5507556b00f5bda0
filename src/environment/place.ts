// Where a folder may stand among the others: below which parent, and whose history it may be (R1, R36). Pure.
import { Refusal } from '../base/errors.ts';
import type { Folder } from './folder.ts';

/**
 * A history folder is not patched (R36): whoever inherits from it would look scripts up in the past.
 * @param chain the parent, and its ancestors
 * @throws Refusal `folder-parent-history`
 */
export function checkParent(folder: string, chain: readonly Folder[]): void {
  const history = chain.find((each) => each.historyOf !== null);
  if (history === undefined) return;
  const parent = chain[0]?.code ?? '';
  throw new Refusal('folder-parent-history', { folder, parent, history: history.code, of: history.historyOf ?? '' });
}

/**
 * A history folder follows a folder that is patched itself and has data of its own.
 * @throws Refusal `folder-history-supervisor`, `folder-history-history`
 */
export function checkHistory(folder: string, of: Folder): void {
  if (of.parent === null) throw new Refusal('folder-history-supervisor', { folder, of: of.code });
  if (of.historyOf !== null) throw new Refusal('folder-history-history', { folder, of: of.code, live: of.historyOf });
}

/** What is done to the live folder, and comes from there. */
export type LiveChange = 'element' | 'revert' | 'settings';

/**
 * A history folder is as its live folder is: what is changed there comes to it by validation.
 * @throws Refusal `history-folder-follows`
 */
export function checkNoHistory({ code, historyOf }: Pick<Folder, 'code' | 'historyOf'>, change: LiveChange): void {
  if (historyOf !== null) throw new Refusal('history-folder-follows', { folder: code, live: historyOf, change });
}
