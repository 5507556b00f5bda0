// A worker's runs: begins those that are queued, joins those that are at work, and takes their folders.
import { setTimeout as pause } from 'node:timers/promises';
import { Failure, Refusal } from '../base/errors.ts';
import { blocks } from '../base/finding.ts';
import { joinSharedRun, type SharedRun } from '../batch/shared-run.ts';
import { enterSingleUser } from '../batch/single-user.ts';
import { usersFindings, waitingFor } from '../batch/started-run.ts';
import type { Work } from '../batch/worker.ts';
import type { Database } from '../database/database.ts';
import { letIn } from '../environment/logins.ts';
import type { RunEvent } from '../journal/journal.ts';
import { endSharedRun, giveUpRun } from '../journal/run-end.ts';
import { removeRunFiles } from '../journal/run-files.ts';
import { type FolderUsers, isFree } from '../journal/runs.ts';
import {
  beginSharedRun,
  openSharedRuns,
  openToWorkers,
  readSharedRun,
  type SharedRunRow,
  usersOfRun,
} from '../journal/shared-runs.ts';
import type { Task } from '../journal/tasks.ts';
import { KEEP_PATCHES_BYTES } from './keep-limit.ts';
import type { Opened } from './rustine.ts';
import { SCRIPT_TIMEOUT_MS } from './script-limit.ts';
import { openStoredRun, type StoredRun } from './stored-run.ts';

export interface SharedRuns {
  /** The next folder of a run that is at work. */
  readonly source: () => Promise<Work | undefined>;
  /** Begins the run of a task and stays with it. @returns whether it is over */
  runPatches(task: Task): Promise<boolean>;
  close(): Promise<void>;
}

export interface SharedRunsOptions {
  readonly lease: string;
  readonly stop: AbortSignal;
  readonly lost: AbortSignal;
  readonly told: (run: string, event: RunEvent) => void;
  /** A run cannot go on at the moment; it is tried again. */
  readonly trouble: (failure: Failure) => void;
  readonly reached: (name: string) => void;
  /** Carries one out that is one worker's. @returns false where it has to wait */
  readonly whole: (row: SharedRunRow) => Promise<boolean>;
}

/** Between two looks, where others are at work or in the way. */
const LOOK_MS = 500;
/** After a failure. */
const TROUBLE_MS = 1_000;
/** A run that fails that often at its beginning, or at the staging of its deliveries, has failed; its users must come in again. */
const MOST_FAILURES = 4;
const AWAY: ReadonlySet<string> = new Set(['database-lost', 'database-unreachable']);

interface Joined {
  readonly stored: StoredRun;
  readonly shared: SharedRun;
  /** Pieces of work that are under way here. */
  atWork: number;
}

export function sharedRuns(opened: Opened, options: SharedRunsOptions): SharedRuns {
  const { database } = opened;
  const joined = new Map<string, Promise<Joined>>();
  /** Runs of which this worker has the task. */
  const held = new Set<string>();
  const join = (row: SharedRunRow): Promise<Joined> => {
    const known = joined.get(row.id) ?? joinStored(opened, options, row);
    joined.set(row.id, known);
    // What failed is tried anew.
    known.catch(() => joined.delete(row.id));
    return known;
  };
  const leave = async (run: string): Promise<void> => {
    const known = joined.get(run);
    joined.delete(run);
    await known?.then(({ shared }) => shared.leave()).catch(() => undefined);
  };
  /** Runs that others have ended: nothing of them stays here, unless somebody here still reads it. */
  const leaveEnded = async (open: readonly string[]): Promise<void> => {
    for (const [run, known] of joined) {
      if (open.includes(run) || held.has(run)) continue;
      const atWork = await known.then((each) => each.atWork).catch(() => 0);
      if (atWork === 0) await leave(run);
    }
  };
  const folderOf = async (run: string): Promise<Work | undefined> => {
    const row = await readSharedRun(database, run);
    if (row?.state !== 'running') return undefined;
    const known = await join(row);
    const step = await known.shared.step();
    return typeof step === 'function' ? counted(known, step) : undefined;
  };
  const source = async (): Promise<Work | undefined> => {
    const open = await openSharedRuns(database);
    await leaveEnded(open);
    let trouble: Failure | undefined;
    for (const run of open) {
      try {
        const work = await folderOf(run);
        if (work !== undefined) return work;
      } catch (error) {
        // Whoever has its task ends a run that cannot be read.
        if (error instanceof Failure) trouble ??= error;
        else if (!(error instanceof Refusal)) throw error;
      }
    }
    if (trouble !== undefined) throw trouble;
    return undefined;
  };
  const runPatches = async (task: Task): Promise<boolean> => {
    const run = task.run ?? '';
    const told = new Set<string>();
    const until: Onward['until'] = { waited: false };
    let failures = 0;
    held.add(run);
    try {
      while (!options.stop.aborted) {
        try {
          const row = await readSharedRun(database, run);
          if (row === undefined || (row.state !== 'queued' && row.state !== 'running')) {
            // One that was cancelled while it was queued still has them.
            await database.transaction((session) => removeRunFiles(session, run));
            return true;
          }
          const step = { opened, options, row, told, until, join: () => join(row), leave: () => leave(run) };
          const on = await (row.whole ? options.whole(row) : onward(step));
          failures = 0;
          if (!on) await pause(LOOK_MS, undefined, { signal: options.stop }).catch(() => undefined);
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          // The run's, not the worker's: it is tried again, for ever only where the database is away.
          options.trouble(error);
          if (!AWAY.has(error.code) && ++failures >= MOST_FAILURES) await failRun(database, run, error, options.lease);
          await pause(TROUBLE_MS, undefined, { signal: options.stop }).catch(() => undefined);
        }
      }
      return false;
    } finally {
      held.delete(run);
    }
  };
  return {
    source,
    runPatches,
    close: async () => {
      for (const run of [...joined.keys()]) await leave(run);
    },
  };
}

async function joinStored(
  opened: Opened,
  { lease, stop, lost, told, reached }: SharedRunsOptions,
  row: SharedRunRow,
): Promise<Joined> {
  const { database, settings } = opened;
  const stored = await openStoredRun(opened, row);
  const { request, asked, tasks } = stored;
  const shared = await joinSharedRun(database, {
    row,
    lease,
    deliveries: asked.deliveries,
    tasks,
    folders: asked.folders,
    supervisor: asked.supervisor,
    first: request.first,
    takeUnchanged: request.takeUnchanged,
    onError: request.onError,
    lockTimeoutMs: request.lockTimeoutMs,
    scriptTimeoutMs: settings.scriptTimeoutMs ?? SCRIPT_TIMEOUT_MS,
    keepBytes: settings.keepPatchesBytes ?? KEEP_PATCHES_BYTES,
    runners: settings.runners ?? {},
    listener: (event) => told(row.id, event),
    reached,
    stop,
    lost,
  });
  return { stored, shared, atWork: 0 };
}

function counted(joined: Joined, work: Work): Work {
  joined.atWork++;
  return () => work().finally(() => joined.atWork--);
}

/** Unless another worker is at it. @returns whether it has ended */
async function failRun(database: Database, run: string, { code, facts }: Failure | Refusal, lease: string): Promise<boolean> {
  const ended = await database
    .transaction((session) => giveUpRun(session, run, { code, severity: 'block', facts }, lease))
    // Somebody still has a transaction open there: another time.
    .catch((error: unknown) => {
      if (error instanceof Failure) return false;
      throw error;
    });
  if (ended) await letIn(database, 'over').catch(() => undefined);
  return ended;
}

interface Onward {
  readonly opened: Opened;
  readonly options: SharedRunsOptions;
  readonly row: SharedRunRow;
  /** Whom the trace has been told about. */
  readonly told: Set<string>;
  /** Since when others are waited for, and whether just now. */
  readonly until: { since?: number; waited: boolean };
  readonly join: () => Promise<Joined>;
  readonly leave: () => Promise<void>;
}

/** One step of the run that this worker has the task of. @returns false where it has to wait */
async function onward(step: Onward): Promise<boolean> {
  const { opened, row } = step;
  if (row.state === 'queued' && row.cancelBy !== null)
    return endSharedRun(opened.database, row.id, 'cancelled', { from: ['queued'] });
  let joined: Joined;
  try {
    joined = await step.join();
  } catch (error) {
    // The files changed on their way, or cannot be read: no worker could do better.
    const known = error instanceof Refusal || (error instanceof Failure && error.code === 'patch-changed');
    if (!known) throw error;
    return failRun(opened.database, row.id, error, step.options.lease);
  }
  if (row.state === 'queued') return begin(step, joined);
  if (!row.ready) return enter(step, joined);
  const next = await joined.shared.step();
  if (typeof next === 'function') await counted(joined, next)();
  return next !== 'wait';
}

/** Waits for who is at work there, then says what the checks found, and goes on or ends. */
async function begin(step: Onward, { stored, shared }: Joined): Promise<boolean> {
  const { opened, options, row, until, leave } = step;
  const { database } = opened;
  const users = await usersOfRun(database, row, options.lease);
  if (isFree(users) && until.waited) {
    // What was waited for may have changed what the checks looked at: they are made anew, and nobody can come in between.
    until.waited = false;
    await leave();
    return true;
  }
  if (!isFree(users) && (await waits(step, stored, shared, users))) return false;
  const findings = [...usersFindings(users), ...stored.findings];
  const events: RunEvent[] = [
    { kind: 'run-started', run: row.id, mode: row.mode, files: row.files, folders: row.folders },
    ...stored.asked.deliveries.map(
      ({ file, elements, bytes }): RunEvent => ({ kind: 'file-read', file, elements: elements.length, bytes }),
    ),
    ...findings.map((finding): RunEvent => ({ kind: 'finding', finding })),
  ];
  if (blocks(findings)) {
    await shared.note(events);
    return endSharedRun(database, row.id, 'refused', { from: ['queued'], beginner: options.lease });
  }
  options.reached('run-to-begin');
  const now = await beginSharedRun(database, row, shared.numbered(events), options.lease);
  options.reached('run-begun');
  if (isFree(now)) return true;
  // Who came in between changes what was checked.
  await waits(step, stored, shared, now);
  return false;
}

/** Tells who is in the way. @returns whether they are waited for still: other commands as long as for a lock at the least */
async function waits({ told, until }: Onward, { request }: StoredRun, shared: SharedRun, users: FolderUsers): Promise<boolean> {
  const now = performance.now();
  until.waited = true;
  until.since ??= now;
  const waiting = waitingFor(users, told);
  if (waiting.length > 0) await shared.note(waiting);
  const changesOnly = users.runs.length === 0 && users.tasks.length === 0;
  const ms = Math.max(request.waitMs ?? Number.POSITIVE_INFINITY, changesOnly ? request.lockTimeoutMs : 0);
  return now < until.since + ms;
}

/** Nobody else may be in the folders before workers take them (R12). */
async function enter({ opened, options, row }: Onward, { stored, shared }: Joined): Promise<boolean> {
  const { database } = opened;
  const { asked, tasks, request } = stored;
  const concerned = asked.folders.filter(({ code }) => [...(tasks.get(code)?.values() ?? [])].includes('integrate'));
  // As they come: who follows the run sees whom it waits for.
  let noted: Promise<void> = Promise.resolve();
  const emit = (event: RunEvent): void => {
    noted = noted.then(() => shared.note([event])).catch(() => undefined);
  };
  const { lease } = options;
  const single = await enterSingleUser(database, {
    run: row.id,
    lease,
    folders: concerned,
    forced: row.forced.sessions !== undefined,
    waitMs: request.waitMs ?? 0,
    disconnect: request.disconnect,
    emit,
    soft: shared.soft,
    stopPoint: options.reached,
  });
  // Who stops meanwhile leaves it to the next worker, which looks for sessions again.
  if (options.stop.aborted) return false;
  await noted;
  // Who slept meanwhile may find users in folders that another worker is through with: nothing of the run is this one's then.
  if (blocks(single.findings)) {
    const findings = [...single.findings, ...(await single.leave())];
    const events = findings.map((finding): RunEvent => ({ kind: 'finding', finding }));
    const ended = await endSharedRun(database, row.id, 'refused', { events, beginner: lease });
    if (ended) for (const event of events) options.told(row.id, event);
    return ended;
  }
  await shared.note(single.findings.map((finding): RunEvent => ({ kind: 'finding', finding })));
  await openToWorkers(database, row.id, lease);
  options.reached('run-open');
  return true;
}
