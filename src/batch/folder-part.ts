// What a folder has got of a run so far, and how it waits for locks: an attempt that met one goes on later where it stopped.
import type { Folder } from '../environment/folder.ts';
import type { LockWait } from '../environment/sessions.ts';
import type { FolderOutcome, FolderRunState, PatchOutcome } from '../journal/outcome.ts';
import { emptyOutcome } from '../journal/outcome.ts';

export interface FolderPart {
  readonly folder: Folder;
  /** Of the patches that it is through with. */
  patches: PatchOutcome[];
  due: boolean;
  /** Later patches may need the one that failed. */
  broken: boolean;
  /** Left out, wholly or from some patch on, because the run was cancelled. */
  cancelled: boolean;
  attempts: number;
  /** Waited for locks, pauses included. */
  waitedMs: number;
}

export function partOf(folder: Folder): FolderPart {
  return { folder, patches: [], due: folder.due.length > 0, broken: false, cancelled: false, attempts: 0, waitedMs: 0 };
}

/** Thrown out of an attempt: its transaction is rolled back, and it comes again. */
export class Postponed extends Error {
  override readonly name = 'Postponed';
  readonly file: string;
  readonly wait: LockWait;

  constructor(file: string, wait: LockWait) {
    super(`postponed: ${file}`);
    this.file = file;
    this.wait = wait;
  }
}

/** Thrown out of an attempt that was rolled back because the run is to stop at once. */
export class Aborted extends Error {
  override readonly name = 'Aborted';
}

/** What one attempt waits at the most: others that come to the lock later stand behind it. */
const ATTEMPT_MS = 3_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

type Waited = Pick<FolderPart, 'waitedMs'>;

/** How long a statement of the next attempt may wait. @param budgetMs of all attempts; 0, as for the server: without end */
export function attemptMs(part: Waited, budgetMs: number): number {
  if (budgetMs === 0) return ATTEMPT_MS;
  return Math.max(1, Math.min(ATTEMPT_MS, budgetMs - part.waitedMs));
}

/** Whether it may come again when this attempt, too, has waited in vain. */
export function mayWait(part: Waited, budgetMs: number): boolean {
  return budgetMs === 0 || part.waitedMs + attemptMs(part, budgetMs) < budgetMs;
}

/** Longer each time, and never the same for two: else they would meet again. @param chance from 0 to 1 */
export function pauseAfter(attempts: number, chance: number): number {
  return Math.round(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1)) * (0.5 + chance));
}

/** @param files what the run brings: those that the part has not come to are left out */
export function outcomeOf(part: FolderPart, files: readonly string[]): FolderOutcome {
  const { folder, due } = part;
  const patches = [...part.patches, ...files.slice(part.patches.length).map((file) => emptyOutcome(file, 'skipped', 0))];
  return { folder: folder.code, state: stateOf(part, patches), due, patches };
}

function stateOf({ cancelled }: FolderPart, patches: readonly PatchOutcome[]): FolderRunState {
  if (patches.some((patch) => patch.state === 'failed')) return 'failed';
  if (cancelled) return 'cancelled';
  if (patches.some((patch) => patch.state === 'integrated')) return 'integrated';
  if (patches.some((patch) => patch.state === 'reverted')) return 'reverted';
  return patches.every((patch) => patch.state === 'already') ? 'unchanged' : 'skipped';
}
