// Tasks of the batch server: added, taken by a worker, ended, cancelled; the table of tasks and the queue change in one transaction.
import { Refusal } from '../base/errors.ts';
import type { Database, Session } from '../database/database.ts';
import { endDeadWorkers } from '../journal/dead-workers.ts';
import { lockRuns } from '../journal/runs.ts';
import {
  beginTask,
  endTask,
  heldFolders,
  insertTask,
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
    await lockRuns(session);
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

/** What workers left that are gone: given to others, or failed where it must not run twice. @returns how many */
export async function settleTasks(database: Database, openQueue: () => Promise<Queue>): Promise<number> {
  const active = await readTasks(database, { states: ['active'], limit: 1 });
  if (active.length === 0) return 0;
  // First of all: one that only slept ends what it is at when it finds its lease gone.
  await endDeadWorkers(database);
  // Mostly there is nothing to settle: the queue is opened only then.
  if ((await database.transaction(orphanedTasks)).length === 0) return 0;
  const queue = await openQueue();
  return database.transaction(async (session) => {
    await lockRuns(session);
    const orphans = await orphanedTasks(session);
    for (const task of orphans) await settleTask(session, queue, task);
    return orphans.length;
  });
}

async function settleTask(session: Session, queue: Queue, task: Task): Promise<void> {
  const worker = task.worker ?? '';
  if (!task.cancelRequested && REPEATABLE.has(task.kind) && task.attempts < MOST_ATTEMPTS) {
    if (await returnTask(session, task.id, worker)) await queue.giveBack(session, task.kind, task.job);
    return;
  }
  const state = task.cancelRequested ? 'cancelled' : 'failed';
  if (await endTask(session, task.id, worker, { state, exit: null, reason: 'worker-lost', output: '' }))
    await queue.remove(session, task.kind, task.job);
}
