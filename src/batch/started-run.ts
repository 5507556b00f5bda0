// The frame of a run: its lease, its folders taken before anything is looked at, its end whatever happens.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import { blockerFacts } from '../environment/blocker-facts.ts';
import type { Folder } from '../environment/folder.ts';
import { letIn } from '../environment/logins.ts';
import type { RunEvent, RunListener } from '../journal/journal.ts';
import type { RunMode } from '../journal/outcome.ts';
import { type Lease, takeLease } from '../journal/processes.ts';
import { beginRun, type FolderUsers, finishRun, type NotBegun, noteEvents, serverEpoch } from '../journal/runs.ts';
import { settleRuns } from '../journal/settling.ts';
import { joinRun, NUMBERS_OF_A_WORKER } from '../journal/shared-runs.ts';
import { isRunOf, type TakenUpAs, takeUpRun } from '../journal/whole-runs.ts';
import { type Cancelling, type CancelSignals, cancelling } from './cancelling.ts';
import { type Wave, wavesOf } from './waves.ts';

export interface RunStart extends CancelSignals {
  /** Number of the run that this is a part of; absent: a new one. */
  readonly id?: string;
  readonly mode: RunMode;
  /** Folders given. */
  readonly folders: readonly Folder[];
  /** Codes of the canaries. */
  readonly first: readonly string[];
  /** Absent: level by level, the supervisor folder first. */
  readonly waves?: readonly Wave[];
  readonly from: string;
  readonly operator: string;
  readonly files: readonly string[];
  readonly authorized: readonly string[];
  readonly forced: Readonly<Record<string, string>>;
  readonly request: Readonly<Record<string, unknown>>;
  /** How long another run that has folders of this one is waited for. */
  readonly waitMs: number;
  /** How long other commands that are changing these folders are waited for at the least. */
  readonly changesMs: number;
  readonly listener: RunListener;
  /** Codes of its folders on further servers. */
  readonly elsewhere?: readonly string[];
  /** A worker takes the run up from the queue. */
  readonly taken?: Taken;
  /** Number of the task of the batch server that this run is: it does not keep itself out. */
  readonly task?: number;
}

/** How a worker has a run that was queued. */
export interface Taken {
  readonly as: TakenUpAs;
  /** The worker is to stop, not the run: that goes back to the queue. */
  readonly stop: AbortSignal;
  /** Of a part on a further server: settles what an earlier worker left there, which may need what is decided elsewhere. */
  readonly settle?: () => Promise<unknown>;
}

export interface StartedRun {
  readonly id: string;
  readonly lease: Lease;
  readonly waves: readonly Wave[];
  /** Codes of its folders on further servers. */
  readonly elsewhere: readonly string[];
  readonly cancelling: Cancelling;
  /** `run-active` where another run has folders of this one: nothing may be done then. */
  readonly findings: readonly Finding[];
  /** What happened so far; told already. */
  readonly events: readonly RunEvent[];
  /** How often a worker has taken it up, this time counted; 0: it is a command's. */
  readonly turn: number;
  /** Last number of an event that is written. */
  readonly seq: number;
  readonly taken?: Taken;
}

/** How often a run that waits looks whether the others are over. */
const LOOK_MS = 500;

/**
 * Takes the folders, then does the work; from the first moment to the last nobody else has them. What dead programs left is settled before.
 * @throws what the work throws; the run has failed then
 */
export async function withRun<Outcome>(
  database: Database,
  start: RunStart,
  work: (started: StartedRun) => Promise<Outcome>,
): Promise<Outcome> {
  await settleRuns(database);
  const lease = await takeLease(database, 'command', start.operator);
  const asked = cancelling(start.operator, start);
  const id = start.id ?? randomUUID();
  lease.onRenewal(({ alive, cancelled }) => {
    // Each folder's transaction finds that out too (`run-lost`); what is done outside of one does not.
    if (!alive) asked.lose();
    for (const each of cancelled) if (each.run === id) asked.request(each.by, false);
  });
  try {
    try {
      const taken = start.taken === undefined ? {} : { taken: start.taken };
      const begun = await begin(database, start, id, lease.process, asked.soft);
      const { elsewhere = [] } = start;
      return await work({ id, lease, elsewhere, cancelling: asked, findings: usersFindings(begun.users), ...begun, ...taken });
    } catch (error) {
      if (start.taken?.as === 'run') await noteEnd(database, id, lease.process, error).catch(() => undefined);
      // Nobody else would say that it ended; where the database is lost, the next command does.
      await finishRun(database, id, 'failed', lease.process).catch(() => undefined);
      // Also those that were shut by a commit whose answer was lost.
      await letIn(database, { run: id, process: lease.process }).catch(() => undefined);
      throw error;
    }
  } finally {
    asked.end();
    await lease.release();
  }
}

/** Nobody reads what a worker prints: the trace says what a run of the queue failed of. @returns number of its last event */
export async function noteFailure(database: Database, run: string, error: unknown): Promise<number> {
  const seq = await joinRun(database, run);
  if (!(error instanceof Failure) && !(error instanceof Refusal)) return seq;
  const { code, facts } = error;
  const event: RunEvent = { kind: 'finding', finding: { code, severity: 'block', facts } };
  await noteEvents(database, run, [{ seq: seq + 1, event, at: performance.now() }], await serverEpoch(database));
  return seq + 1;
}

/** One that has not begun, or that somebody else has by now, does not end here. */
async function noteEnd(database: Database, run: string, process: string, error: unknown): Promise<void> {
  if (!(await isRunOf(database, run, process))) return;
  const seq = await noteFailure(database, run, error);
  const event: RunEvent = { kind: 'run-finished', run, state: 'failed', ms: 0 };
  await noteEvents(database, run, [{ seq: seq + 1, event, at: performance.now() }], await serverEpoch(database));
}

interface Begun extends Pick<StartedRun, 'waves' | 'events' | 'turn' | 'seq'> {
  readonly users: FolderUsers;
}

async function begin(database: Database, start: RunStart, id: string, lease: string, stop: AbortSignal): Promise<Begun> {
  const began = performance.now();
  const until = began + start.waitMs;
  const waves = start.waves ?? wavesOf(start.folders, start.first);
  const run = { ...start, id, waves: waves.map(({ folders }) => folders.map(({ code }) => code)) };
  const events: RunEvent[] = [];
  const told = new Set<string>();
  // A person's change of a folder is over soon, and waited for as locks are.
  const inVain = (users: FolderUsers): NotBegun => {
    // A worker that stops cancels nothing: it goes, and the run stays in the queue.
    if (start.taken?.stop.aborted === true) return 'waiting';
    if (stop.aborted) return 'cancelled';
    const changesOnly = users.runs.length === 0 && users.tasks.length === 0;
    const end = changesOnly ? Math.max(until, began + start.changesMs) : until;
    return performance.now() < end ? 'waiting' : 'refused';
  };
  const { taken } = start;
  let waits = false;
  // Who follows a run in the queue sees what it waits for.
  const joined = taken?.as === 'run' ? { seq: await joinRun(database, id), epoch: await serverEpoch(database) } : undefined;
  let seq = joined?.seq ?? 0;
  for (;;) {
    if (taken?.stop.aborted === true) throw new Failure('run-lost', { run: id, folder: '' });
    const { state, turn, ...users } =
      taken === undefined
        ? { ...(await beginRun(database, lease, run, inVain, waits)), turn: 0 }
        : await takeUpRun(database, lease, run, taken.as, inVain);
    if (state !== 'waiting') return { users, waves, events, turn, seq: Math.max(seq, turn * NUMBERS_OF_A_WORKER) };
    waits = true;
    for (const event of waitingFor(users, told)) {
      if (joined === undefined) events.push(event);
      else await noteEvents(database, id, [{ seq: ++seq, event, at: performance.now() }], joined.epoch);
      start.listener(event);
    }
    await pause(LOOK_MS, undefined, { signal: stop }).catch(() => undefined);
    await taken?.settle?.();
    // What is still held is waited for by the turns together.
    await settleRuns(database, 0);
  }
}

/** @param told whom a person has been told about: each once */
export function waitingFor({ runs, tasks, changes }: FolderUsers, told: Set<string>): readonly RunEvent[] {
  const isNew = (name: string): boolean => !told.has(name) && told.add(name).has(name);
  const others = runs.filter(({ run }) => isNew(run));
  const changing = changes.filter(({ folder, pid }) => isNew(`change ${folder} ${pid}`));
  const waited = tasks.filter(({ id }) => isNew(`task ${id}`));
  return [
    ...others.map(
      ({ run, operator, host, since, folders }): RunEvent => ({ kind: 'run-waiting', run, operator, host, since, folders }),
    ),
    ...(waited.length === 0 ? [] : [tasksWaiting(waited)]),
    ...(changing.length === 0 ? [] : [{ kind: 'changes-waiting', changes: changing } as const]),
  ];
}

function tasksWaiting(tasks: FolderUsers['tasks']): RunEvent {
  return {
    kind: 'tasks-waiting',
    tasks: tasks.map(({ id, kind, folder, host }) => ({ task: id, kind, folder, host })),
  };
}

/** Where others have folders of a run, nothing may be done. */
export function usersFindings({ runs, tasks, changes }: FolderUsers): readonly Finding[] {
  return [
    ...runs.map(({ run, state, mode, operator, host, since, files, folders }): Finding => {
      return {
        code: 'run-active',
        severity: 'block',
        facts: { run, state, mode, operator, host, since, files, folders, option: '--wait 10m' },
      };
    }),
    ...tasks.map(({ id, kind, folder, title, since, host }): Finding => {
      const facts = { task: id, kind, folder, title, since, worker: host };
      return { code: 'tasks-active', severity: 'block', folder, facts };
    }),
    ...changes.map(
      ({ folder, pid, role, application, since }): Finding => ({
        code: 'folder-in-use',
        severity: 'block',
        folder,
        facts: { folder, ...blockerFacts([{ pid, role, application, since }]) },
      }),
    ),
  ];
}
