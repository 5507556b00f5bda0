// What a worker keeps of a run that it shares with others: what was asked, its deliveries as they are staged here, what it has still to write down.
import type { Database } from '../database/database.ts';
import type { Folder } from '../environment/folder.ts';
import type { Runner } from '../integrate/runner.ts';
import type { RunListener } from '../journal/journal.ts';
import type { FolderChange } from '../journal/run-folders.ts';
import type { SharedRunRow } from '../journal/shared-runs.ts';
import type { Delivery } from '../plan/delivery.ts';
import type { Preflight } from '../plan/preflight.ts';
import type { Cancelling } from './cancelling.ts';
import type { Running } from './folder-run.ts';

export interface SharedRunRequest {
  readonly row: SharedRunRow;
  /** Lease of the worker. */
  readonly lease: string;
  readonly deliveries: readonly Delivery[];
  readonly tasks: Preflight['tasks'];
  readonly folders: readonly Folder[];
  readonly supervisor: string;
  readonly first: readonly string[];
  readonly takeUnchanged: boolean;
  readonly onError: 'continue' | 'stop';
  readonly lockTimeoutMs: number;
  readonly scriptTimeoutMs: number;
  /** Larger patch files are remembered by their elements alone. */
  readonly keepBytes: number;
  readonly runners: Readonly<Record<string, Runner>>;
  readonly listener: RunListener;
  /** Called at named points; tests stop the program there. */
  readonly reached: (name: string) => void;
  /** The worker is to stop: folders at work end their patch, and go back. */
  readonly stop: AbortSignal;
  /** The worker was taken for dead: what it is at is rolled back. */
  readonly lost: AbortSignal;
}

/** A wave as the run was queued with it: folders may have gone since. */
export interface SharedWave {
  readonly folders: readonly string[];
  readonly canary: boolean;
}

/** What earlier waves came to. */
export interface Before {
  readonly failedCanaries: readonly string[];
  /** Files that the supervisor folder was to get and did not (R31). */
  readonly missed: readonly string[];
}

export interface Sharing extends SharedRunRequest {
  readonly database: Database;
  readonly running: Running;
  readonly asked: Cancelling;
  /** By their number. */
  readonly waves: readonly SharedWave[];
  readonly byCode: ReadonlyMap<string, Folder>;
  /** What the folders of a wave have to know of those before it: read once, since these are through. */
  readonly before: Map<number, Promise<Before>>;
  /** What folders came to that could not be written down, because the database was away: nobody else can take them before. */
  readonly unsettled: Map<string, FolderChange>;
  /** Somebody wants the run, not only this worker, to stop. */
  readonly cancelled: () => boolean;
  readonly flush: () => Promise<void>;
}
