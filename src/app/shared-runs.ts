// A worker's runs: begins those that are queued, joins those that are at work, and takes their folders.
import { setTimeout as pause } from 'node:timers/promises';
import { Failure, Refusal } from '../base/errors.ts';
import { blocks } from '../base/finding.ts';
import { joinSharedRun, type SharedRun } from '../batch/shared-run.ts';
import { enterSingleUser } from '../batch/single-user.ts';
import { usersFindings, waitingFor } from '../batch/started-run.ts';
import type { Work } from '../batch/worker.ts';
import type { RunEvent } from '../journal/journal.ts';
import { removeRunFiles } from '../journal/run-files.ts';
import {
  beginSharedRun,
  endSharedRun,
  openSharedRuns,
  openToWorkers,
  readSharedRun,
  type SharedRunRow,
  usersOfRun,
} from '../journal/shared-runs.ts';
import type { Task } from '../journal/tasks.ts';
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
  readonly reached: (name: string) => void;
}

/** Between two looks, where others are at work or in the way. */
const LOOK_MS = 500;

interface Joined {
  readonly stored: StoredRun;
  readonly shared: SharedRun;
}

export function sharedRuns(opened: Opened, options: SharedRunsOptions): SharedRuns {
  const { database } = opened;
  const joined = new Map<string, Promise<Joined>>();
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
  const source = async (): Promise<Work | undefined> => {
    for (const run of await openSharedRuns(database)) {
      const row = await readSharedRun(database, run);
      if (row?.state !== 'running') continue;
      const { shared } = await join(row);
      const step = await shared.step();
      if (typeof step === 'function') return step;
      if (step === 'over') await leave(run);
    }
    return undefined;
  };
  const runPatches = async (task: Task): Promise<boolean> => {
    const run = task.run ?? '';
    const told = new Set<string>();
    const until = { at: 0 };
    while (!options.stop.aborted) {
      const row = await readSharedRun(database, run);
      if (row === undefined || (row.state !== 'queued' && row.state !== 'running')) {
        await leave(run);
        // One that was cancelled while it was queued still has them.
        await database.transaction((session) => removeRunFiles(session, run));
        return true;
      }
      if (!(await onward({ opened, options, row, told, until, join: () => join(row) })))
        await pause(LOOK_MS, undefined, { signal: options.stop }).catch(() => undefined);
    }
    return false;
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
    runners: settings.runners ?? {},
    listener: (event) => told(row.id, event),
    reached,
    stop,
    lost,
  });
  return { stored, shared };
}

interface Onward {
  readonly opened: Opened;
  readonly options: SharedRunsOptions;
  readonly row: SharedRunRow;
  /** Whom the trace has been told about. */
  readonly told: Set<string>;
  /** How long others are waited for. */
  readonly until: { at: number };
  readonly join: () => Promise<Joined>;
}

/** One step of the run that this worker has the task of. @returns false where it has to wait */
async function onward(step: Onward): Promise<boolean> {
  const { opened, row } = step;
  if (row.state === 'queued' && row.cancelBy !== null) return endSharedRun(opened.database, row.id, 'cancelled', ['queued']);
  let joined: Joined;
  try {
    joined = await step.join();
  } catch (error) {
    // The files changed on their way, or cannot be read: no worker could do better.
    const known = error instanceof Refusal || (error instanceof Failure && error.code === 'patch-changed');
    if (!known) throw error;
    return endSharedRun(opened.database, row.id, 'failed', ['queued', 'running']);
  }
  if (row.state === 'queued') return begin(step, joined);
  if (!row.ready) return enter(step, joined);
  const next = await joined.shared.step();
  if (typeof next === 'function') await next();
  return next !== 'wait';
}

/** Waits for who is at work there, then says what the checks found, and goes on or ends. */
async function begin({ opened, options, row, told, until }: Onward, { stored, shared }: Joined): Promise<boolean> {
  const { database } = opened;
  const { waitMs } = stored.request;
  const users = await usersOfRun(database, row);
  const inTheWay = users.runs.length > 0 || users.tasks.length > 0;
  if (inTheWay) {
    if (until.at === 0) until.at = waitMs === null ? Number.POSITIVE_INFINITY : performance.now() + waitMs;
    const waiting = waitingFor(users, told);
    if (waiting.length > 0) await shared.note(waiting);
    if (performance.now() < until.at) return false;
  }
  const findings = [...(inTheWay ? usersFindings(users) : []), ...stored.findings];
  const events: RunEvent[] = [
    { kind: 'run-started', run: row.id, mode: row.mode, files: row.files, folders: row.folders },
    ...stored.asked.deliveries.map(
      ({ file, elements, bytes }): RunEvent => ({ kind: 'file-read', file, elements: elements.length, bytes }),
    ),
    ...findings.map((finding): RunEvent => ({ kind: 'finding', finding })),
  ];
  if (blocks(findings)) {
    await shared.note(events);
    return endSharedRun(database, row.id, 'refused', ['queued']);
  }
  options.reached('run-to-begin');
  const now = await beginSharedRun(database, row, shared.numbered(events));
  options.reached('run-begun');
  return now.runs.length === 0 && now.tasks.length === 0;
}

/** Nobody else may be in the folders before workers take them (R12). */
async function enter({ opened, options, row }: Onward, { stored, shared }: Joined): Promise<boolean> {
  const { database } = opened;
  const { asked, tasks, request } = stored;
  const concerned = asked.folders.filter(({ code }) => [...(tasks.get(code)?.values() ?? [])].includes('integrate'));
  const events: RunEvent[] = [];
  const single = await enterSingleUser(database, {
    run: row.id,
    folders: concerned,
    forced: row.forced.sessions !== undefined,
    waitMs: request.waitMs ?? 0,
    disconnect: request.disconnect,
    emit: (event) => void events.push(event),
    soft: options.stop,
    stopPoint: options.reached,
  });
  // Who stops meanwhile leaves it to the next worker, which looks for sessions again.
  if (options.stop.aborted) return false;
  await shared.note([...events, ...single.findings.map((finding): RunEvent => ({ kind: 'finding', finding }))]);
  if (blocks(single.findings)) {
    const left = await single.leave();
    await shared.note(left.map((finding): RunEvent => ({ kind: 'finding', finding })));
    return endSharedRun(database, row.id, 'refused');
  }
  await openToWorkers(database, row.id);
  options.reached('run-open');
  return true;
}
