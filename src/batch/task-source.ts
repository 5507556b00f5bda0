// Where a worker gets tasks from: takes one, carries it out, watches for its cancellation, and puts down what came of it.
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../base/errors.ts';
import type { Database } from '../database/database.ts';
import { readTasks, type Task, type TaskEnd, type TaskKind } from '../journal/tasks.ts';
import type { Queue } from './queue.ts';
import { carryOut, type TaskWork } from './task-work.ts';
import { finishTask, giveBackTask, takeTask } from './tasks.ts';
import type { Work } from './worker.ts';

export interface TaskSource {
  readonly database: Database;
  readonly queue: Queue;
  /** Lease of this worker. */
  readonly worker: string;
  readonly kinds: readonly TaskKind[];
  readonly work: TaskWork;
  /** What is done for a run of patches. @returns whether it is over; else it is given back */
  readonly runPatches: (task: Task) => Promise<boolean>;
  /** Programs are ended, their tasks cancelled. */
  readonly abort: AbortSignal;
  readonly told: (event: TaskEvent) => void;
  readonly reached: (name: string) => void;
}

export type TaskEvent =
  | { readonly kind: 'task-started'; readonly task: Task }
  | { readonly kind: 'task-returned'; readonly task: Task }
  | { readonly kind: 'task-finished'; readonly task: Task };

/** Between two looks whether somebody wants a task to be cancelled. */
const WATCH_MS = 1_000;
/** Between two attempts to put down what came of a task. */
const AGAIN_MS = 1_000;

/** A source of work for `runWorker`. */
export function taskSource(source: TaskSource): () => Promise<Work | undefined> {
  const { database, queue, worker, told } = source;
  // Each kind comes first in turn: none waits for ever behind another.
  const kinds = [...source.kinds];
  return async () => {
    const first = kinds.shift();
    if (first !== undefined) kinds.push(first);
    const task = await takeTask(database, queue, kinds, worker);
    if (task === undefined) return undefined;
    return async () => {
      told({ kind: 'task-started', task });
      source.reached('task-taken');
      if (task.kind === 'patch') return patchTask(source, task);
      const end = await watched(source, task);
      source.reached('task-carried-out');
      await putDown(source, () => finishTask(database, queue, task, worker, end));
      await tellEnd(source, task);
    };
  };
}

async function patchTask(source: TaskSource, task: Task): Promise<void> {
  const { database, queue, worker, told } = source;
  if (!(await source.runPatches(task))) {
    await putDown(source, () => giveBackTask(database, queue, task, worker));
    return told({ kind: 'task-returned', task });
  }
  const end: TaskEnd = { state: 'done', exit: null, reason: '', output: '' };
  await putDown(source, () => finishTask(database, queue, task, worker, end));
  await tellEnd(source, task);
}

/**
 * What came of a task is in hand: a database that is away for a moment must not turn it into a lost worker's.
 * @throws Failure where the worker is to end meanwhile: its task is settled when its lease has ended
 */
async function putDown<Result>({ abort }: TaskSource, put: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await put();
    } catch (error) {
      if (!(error instanceof Failure) || abort.aborted) throw error;
      await pause(AGAIN_MS, undefined, { signal: abort }).catch(() => undefined);
    }
  }
}

async function tellEnd(source: TaskSource, task: Task): Promise<void> {
  const { database, told } = source;
  const [ended] = await putDown(source, () => readTasks(database, { id: task.id }));
  told({ kind: 'task-finished', task: ended ?? task });
}

async function watched(source: TaskSource, task: Task): ReturnType<typeof carryOut> {
  const asked = new AbortController();
  const look = async (): Promise<void> => {
    const [now] = await source.database
      .transaction((session) => readTasks(session, { id: task.id }))
      .catch((error: unknown) => {
        // Lost for a moment: the task goes on, and is looked at again.
        if (error instanceof Failure) return [];
        throw error;
      });
    if (now?.cancelRequested === true) asked.abort();
  };
  let looking = Promise.resolve();
  const timer = setInterval(() => (looking = looking.then(look)), WATCH_MS);
  try {
    return await carryOut(source.work, task, AbortSignal.any([source.abort, asked.signal]));
  } finally {
    clearInterval(timer);
    await looking;
  }
}
