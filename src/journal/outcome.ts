// What a run reports: the JSON contract of `integrate --json`.
import type { Finding } from '../base/finding.ts';
import { NO_LINES } from '../dictionary/merge-result.ts';
import type { TableCost } from '../tables/cost.ts';
import type { TableChange } from '../tables/diff.ts';

export type RunMode = 'integrate' | 'rehearse' | 'validate' | 'validate-rehearse' | 'revert' | 'revert-rehearse';
export type RunState = 'done' | 'partial' | 'refused' | 'failed' | 'cancelled';
/** `cancelled`: left out, wholly or from some patch on, because the run was cancelled. */
export type FolderRunState = 'integrated' | 'validated' | 'reverted' | 'unchanged' | 'failed' | 'skipped' | 'cancelled';
/** `reverted`: taken back. */
export type PatchRunState = 'integrated' | 'already' | 'reverted' | 'failed' | 'skipped';

export interface ElementCounts {
  readonly created: number;
  readonly updated: number;
  readonly identical: number;
  /** Left as the folder has it (protected or set-up). */
  readonly kept: number;
  /** Not authorised (R19). */
  readonly ignored: number;
  /** Of a patch that was taken back: those that it had brought. */
  readonly removed?: number;
}

/** Lines of the elements, headers among them, by what became of them. */
export interface LineCounts extends ElementCounts {
  /** Missing from the patch, and neither protected nor set-up (R21). */
  readonly removed: number;
}

export interface TableOutcome {
  readonly created: readonly string[];
  readonly altered: readonly string[];
  /** Not generated any more: their rows are put aside (R27). */
  readonly removed: readonly string[];
  /** What was done to tables that were there before, step by step, and what it costs. */
  readonly changes: readonly TableCost[];
}

export interface PatchOutcome {
  readonly file: string;
  readonly state: PatchRunState;
  readonly elements: ElementCounts;
  readonly lines: LineCounts;
  readonly tables: TableOutcome;
  /** `run`: SQL scripts that were run at the end (R28) · `removed`: of a patch that was taken back, those that it had brought. */
  readonly scripts: { readonly installed: number; readonly run: number; readonly removed?: number };
  /** `deleted`: put aside because a table's content was replaced (R24, R27). */
  readonly rows: { readonly inserted: number; readonly updated: number; readonly deleted: number };
  /** SQL scripts that were run at the end. */
  readonly ran: readonly string[];
  /** Scripts of other languages that their runners ran, after the patch (R28). */
  readonly ranOutside?: readonly string[];
  /** Scripts to run at the end that waited when the patch was written: those that the database does not run (R28). */
  readonly pending: readonly string[];
  readonly ms: number;
  /** Why it failed or was skipped: code and facts, as of an error. */
  readonly reason?: { readonly code: string; readonly facts: Finding['facts'] };
}

/** What a folder's part of a run came to, whatever the run does. */
export interface FolderEnd {
  readonly folder: string;
  readonly state: FolderRunState;
  readonly due: boolean;
}

export interface FolderOutcome extends FolderEnd {
  readonly patches: readonly PatchOutcome[];
}

export interface RunOutcomeOf<Folder extends FolderEnd> {
  readonly run: string;
  readonly mode: RunMode;
  readonly state: RunState;
  readonly findings: readonly Finding[];
  readonly folders: readonly Folder[];
}

export type RunOutcome = RunOutcomeOf<FolderOutcome>;

export const NO_TABLES: TableOutcome = { created: [], altered: [], removed: [], changes: [] };

export function tableOutcome(tables: readonly TableChange[], changes: readonly TableCost[]): TableOutcome {
  const named = (kind: TableChange['change']): readonly string[] =>
    tables
      .filter(({ change }) => change === kind)
      .map((change) => (change.change === 'create' ? change.table.name : change.table));
  return { created: named('create'), altered: named('alter'), removed: named('remove'), changes };
}

export const NO_ELEMENTS: ElementCounts = { created: 0, updated: 0, identical: 0, kept: 0, ignored: 0 };

/** Of a patch of which nothing was done. */
export function emptyOutcome(file: string, state: PatchOutcome['state'], ms: number): PatchOutcome {
  return {
    file,
    state,
    elements: NO_ELEMENTS,
    lines: NO_LINES,
    tables: NO_TABLES,
    scripts: { installed: 0, run: 0 },
    rows: { inserted: 0, updated: 0, deleted: 0 },
    ran: [],
    pending: [],
    ms,
  };
}
