// The frame of a run: its lease, its folders taken before anything is looked at, its end whatever happens.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Finding } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import { blockerFacts } from '../environment/blocker-facts.ts';
import type { Folder } from '../environment/folder.ts';
import { letIn } from '../environment/logins.ts';
import type { RunEvent, RunListener } from '../journal/journal.ts';
import type { RunMode, RunOutcome } from '../journal/outcome.ts';
import { type Lease, takeLease } from '../journal/processes.ts';
import { beginRun, type FolderUsers, finishRun, type NotBegun } from '../journal/runs.ts';
import { settleRuns } from '../journal/settling.ts';
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
}

export interface StartedRun {
  readonly id: string;
  readonly lease: Lease;
  readonly waves: readonly Wave[];
  readonly cancelling: Cancelling;
  /** `run-active` where another run has folders of this one: nothing may be done then. */
  readonly findings: readonly Finding[];
  /** What happened so far; told already. */
  readonly events: readonly RunEvent[];
}

/** How often a run that waits looks whether the others are over. */
const LOOK_MS = 500;

/**
 * Takes the folders, then does the work; from the first moment to the last nobody else has them. What dead programs left is settled before.
 * @throws what the work throws; the run has failed then
 */
export async function withRun(
  database: Database,
  start: RunStart,
  work: (started: StartedRun) => Promise<RunOutcome>,
): Promise<RunOutcome> {
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
      const begun = await begin(database, start, id, lease.process, asked.soft);
      return await work({ id, lease, cancelling: asked, findings: usersFindings(begun.users), ...begun });
    } catch (error) {
      // Nobody else would say that it ended; where the database is lost, the next command does.
      await finishRun(database, id, 'failed').catch(() => undefined);
      // Also those that were shut by a commit whose answer was lost.
      await letIn(database, { run: id }).catch(() => undefined);
      throw error;
    }
  } finally {
    asked.end();
    await lease.release();
  }
}

interface Begun extends Pick<StartedRun, 'waves' | 'events'> {
  readonly users: FolderUsers;
}

async function begin(database: Database, start: RunStart, id: string, lease: string, stop: AbortSignal): Promise<Begun> {
  const began = performance.now();
  const until = began + start.waitMs;
  const waves = wavesOf(start.folders, start.first);
  const run = { ...start, id, waves: waves.map(({ folders }) => folders.map(({ code }) => code)) };
  const events: RunEvent[] = [];
  const told = new Set<string>();
  // A person's change of a folder is over soon, and waited for as locks are.
  const inVain = (users: FolderUsers): NotBegun => {
    if (stop.aborted) return 'cancelled';
    const changesOnly = users.runs.length === 0 && users.tasks.length === 0;
    const end = changesOnly ? Math.max(until, began + start.changesMs) : until;
    return performance.now() < end ? 'waiting' : 'refused';
  };
  for (;;) {
    const { state, ...users } = await beginRun(database, lease, run, inVain);
    if (state !== 'waiting') return { users, waves, events };
    for (const event of waitingFor(users, told)) {
      events.push(event);
      start.listener(event);
    }
    await pause(LOOK_MS, undefined, { signal: stop }).catch(() => undefined);
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
    ...runs.map(({ run, mode, operator, host, since, files, folders }): Finding => {
      return { code: 'run-active', severity: 'block', facts: { run, mode, operator, host, since, files, folders } };
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
