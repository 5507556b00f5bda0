// Tasks of the batch server: added, taken by a worker, ended, cancelled; the table of tasks and the queue change in one transaction.
import { Refusal } from '../base/errors.ts';
import type { Database, Session } from '../database/database.ts';
import { sqlState } from '../database/postgres.ts';
import { endDeadWorkers } from '../journal/dead-workers.ts';
import { giveUpRun } from '../journal/run-end.ts';
import { removeRunFiles } from '../journal/run-files.ts';
import { lockRuns } from '../journal/runs.ts';
import { readSharedRun } from '../journal/shared-runs.ts';
import {
  beginTask,
  endTask,
  heldFolders,
  insertTask,
  loseTask,
  type NewTask,
  orphanedTasks,
  readTasks,
  requestCancel,
  returnTask,
  type Task,
  type TaskEnd,
  type TaskKind,
} from '../journal/tasks.ts';
import type { Queue } from './queue.ts';

/** A task that its workers do not survive is not tried for ever. */
const MOST_ATTEMPTS = 5;
/** What can be begun again, because it goes on where it was; of a program nobody knows how far it got. */
const REPEATABLE: ReadonlySet<TaskKind> = new Set(['patch', 'validation']);

export async function addTask(session: Session, queue: Queue, task: NewTask): Promise<number> {
  const { id, job } = await insertTask(session, task);
  // A run is in many folders: its task is in none, and what holds it up is looked at when it begins.
  await queue.put(session, task.kind, job, task.kind === 'patch' ? undefined : task.folder);
  return id;
}

/** The next task that may start now, for the worker with this lease. */
export async function takeTask(
  database: Database,
  queue: Queue,
  kinds: readonly TaskKind[],
  worker: string,
): Promise<Task | undefined> {
  // Most of the time there is nothing: that costs no lock.
  const waiting = await readTasks(database, { states: ['queued'], kinds, limit: 1 });
  if (waiting.length === 0) return undefined;
  return database.transaction(async (session) => {
    await lockRuns(session, worker);
    for (const kind of kinds) {
      const held = await heldFolders(session, kind);
      for (let job = await queue.take(session, kind, held); job !== undefined; job = await queue.take(session, kind, held)) {
        if (await beginTask(session, job, worker)) {
          const [task] = await readTasks(session, { job });
          return task;
        }
        // Its run was removed meanwhile, and its row with it.
        await queue.remove(session, kind, job);
      }
    }
    return undefined;
  });
}

/** @returns false where somebody else has settled it: this worker was taken for dead */
export async function finishTask(database: Database, queue: Queue, task: Task, worker: string, end: TaskEnd): Promise<boolean> {
  return database.transaction(async (session) => {
    const ended = await endTask(session, task.id, worker, end);
    if (ended) await queue.remove(session, task.kind, task.job);
    return ended;
  });
}

/** Another worker, or this one later, begins it anew. */
export async function giveBackTask(database: Database, queue: Queue, task: Task, worker: string): Promise<void> {
  await database.transaction(async (session) => {
    if (await returnTask(session, task.id, worker)) await queue.giveBack(session, task.kind, task.job);
  });
}

/**
 * A queued task is cancelled at once; the worker of an active one is asked to stop it.
 * @throws Refusal `task-unknown`, `task-ended`, `task-of-run`
 */
export async function cancelTask(database: Database, queue: Queue, id: number): Promise<Task> {
  return database.transaction(async (session) => {
    await lockRuns(session);
    const task = await knownTask(session, id);
    if (task.kind === 'patch') throw new Refusal('task-of-run', { task: id, run: task.run });
    if (task.state === 'queued') {
      await endTask(session, id, null, { state: 'cancelled', exit: null, reason: '', output: '' });
      await queue.remove(session, task.kind, task.job);
    } else if (task.state === 'active') await requestCancel(session, id);
    else throw new Refusal('task-ended', { task: id, state: task.state });
    return knownTask(session, id);
  });
}

async function knownTask(session: Session, id: number): Promise<Task> {
  const [task] = await readTasks(session, { id });
  if (task === undefined) throw new Refusal('task-unknown', { task: id });
  return task;
}

/**
 * What workers left that are gone: given to others, or ended where it must not run twice, or was lost too often.
 * @returns their numbers
 */
export async function settleTasks(database: Database, openQueue: () => Promise<Queue>): Promise<readonly number[]> {
  const active = await readTasks(database, { states: ['active'], limit: 1 });
  if (active.length === 0) return [];
  // First of all: one that only slept ends what it is at when it finds its lease gone.
  await endDeadWorkers(database);
  // Mostly there is nothing to settle: the queue is opened only then.
  const orphans = await database.transaction(orphanedTasks);
  if (orphans.length === 0) return [];
  const queue = await openQueue();
  const settled: number[] = [];
  // Each by itself: a run that cannot be ended yet does not keep the others.
  for (const { id } of orphans) if (await settledNow(database, queue, id)) settled.push(id);
  return settled;
}

async function settledNow(database: Database, queue: Queue, id: number): Promise<boolean> {
  try {
    return await database.transaction(async (session) => {
      await lockRuns(session);
      const task = (await orphanedTasks(session)).find((each) => each.id === id);
      if (task !== undefined) await settleTask(session, queue, task);
      return task !== undefined;
    });
  } catch (error) {
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
    return false;
  }
}

const LOCK_NOT_AVAILABLE = '55P03';

async function settleTask(session: Session, queue: Queue, task: Task): Promise<void> {
  const worker = task.worker ?? '';
  const end = await endOf(session, task);
  if (end === undefined) {
    if (await loseTask(session, task.id, worker)) await queue.giveBack(session, task.kind, task.job);
  } else if (await endTask(session, task.id, worker, { exit: null, output: '', ...end }))
    await queue.remove(session, task.kind, task.job);
}

/** How the task of a lost worker ends; undefined: somebody goes on with it. */
async function endOf(session: Session, task: Task): Promise<Pick<TaskEnd, 'state' | 'reason'> | undefined> {
  if (task.cancelRequested) return { state: 'cancelled', reason: 'worker-lost' };
  if (!REPEATABLE.has(task.kind)) return { state: 'failed', reason: 'worker-lost' };
  const run = task.run === null ? undefined : await readSharedRun(session, task.run);
  if (run !== undefined && run.state !== 'queued' && run.state !== 'running') {
    // Whoever settled it did not look for them.
    await removeRunFiles(session, run.id);
    return { state: run.state === 'cancelled' ? 'cancelled' : 'done', reason: '' };
  }
  if (task.attempts < MOST_ATTEMPTS) return undefined;
  // Its run must not outlive it: nobody else would begin it, or let the users in again. One that others are at goes on.
  const facts = { workers: task.attempts };
  if (run !== undefined && !(await giveUpRun(session, run.id, { code: 'run-given-up', severity: 'block', facts })))
    return undefined;
  return { state: 'failed', reason: 'worker-lost' };
}
