// The verbs of the batch server: its tasks, added, listed and cancelled, and the worker that carries them out.
import type { Failure } from '../base/errors.ts';
import { Refusal } from '../base/errors.ts';
import { folderCode } from '../base/ids.ts';
import { openQueue, type Queue } from '../batch/queue.ts';
import { startRecovering } from '../batch/recovering.ts';
import { type TaskEvent, taskSource } from '../batch/task-source.ts';
import { addTask, cancelTask } from '../batch/tasks.ts';
import { runWorker } from '../batch/worker.ts';
import type { Database } from '../database/database.ts';
import { countShutLogins } from '../environment/logins.ts';
import type { RunEvent } from '../journal/journal.ts';
import { readWorkers, takeLease, tellPatchJobs } from '../journal/processes.ts';
import type { SharedRunRow } from '../journal/shared-runs.ts';
import { readTasks, TASK_KINDS, type Task, type TaskFilter, type TaskKind } from '../journal/tasks.ts';
import { jobsAtOnce } from './jobs.ts';
import { existingFolders } from './known-folders.ts';
import { openSettled } from './opened-environment.ts';
import { recoverElsewhere } from './recovery-elsewhere.ts';
import type { Opened } from './rustine.ts';
import { sharedRuns } from './shared-runs.ts';
import { stopPoints } from './stop-points.ts';
import type { ValidateOptions, ValidationOutcome } from './validations.ts';
import type { WholeRunOptions } from './whole-run.ts';

export interface NewTaskOptions {
  readonly kind: Exclude<TaskKind, 'patch'>;
  readonly folder: string;
  readonly title?: string;
  /** Name of a program below `tasks` in rustine.yaml; absent: the kind's own name. */
  readonly program?: string;
}

export interface WorkerOptions {
  /** Absent: all. */
  readonly kinds?: readonly TaskKind[];
  /** Pieces of work at the same time; absent: as many as folders elsewhere. */
  readonly jobs?: number;
  /** Ends when nothing is left. */
  readonly once?: boolean;
  /** Nothing more is taken; what is at work ends. */
  readonly stop: AbortSignal;
  /** Programs of tasks are ended, too. */
  readonly abort: AbortSignal;
  readonly listener: (event: WorkerEvent) => void;
}

export type WorkerEvent =
  | { readonly kind: 'worker-started'; readonly worker: string; readonly kinds: readonly TaskKind[]; readonly jobs: number }
  | { readonly kind: 'worker-trouble'; readonly failure: Failure }
  | { readonly kind: 'run-event'; readonly run: string; readonly event: RunEvent }
  | TaskEvent;

export interface TaskVerbs {
  /** @throws Refusal `folder-unknown`, `task-program` */
  add(options: NewTaskOptions): Promise<Task>;
  /** The latest first; absent states: all. */
  list(filter: TaskFilter): Promise<readonly Task[]>;
  /** What waits, who could do it, and into how many folders nobody is let meanwhile. */
  waiting(): Promise<{ readonly runs: number; readonly tasks: number; readonly workers: number; readonly shut: number }>;
  /** @throws Refusal `task-unknown` */
  show(id: number): Promise<Task>;
  /** @throws Refusal `task-unknown`, `task-ended`, `task-of-run` */
  cancel(id: number): Promise<Task>;
  /** Takes tasks and carries them out, until it is stopped. */
  work(options: WorkerOptions): Promise<void>;
}

/** What is the same on whatever server a folder lives. */
export interface EveryServer {
  /** Codes of folders on further servers. */
  elsewhere(): Promise<readonly string[]>;
  validate(options: ValidateOptions): Promise<ValidationOutcome>;
  /** Carries out a queued run that is one worker's. @returns false where it has to wait */
  carryOut(row: SharedRunRow, how: WholeRunOptions): Promise<boolean>;
}

/** Tasks of all folders are in the environment's own catalog, wherever the folders live. */
export function taskVerbs(opened: Opened, everywhere: EveryServer): TaskVerbs {
  const { database, settings, operator } = opened;
  const knownFolder = async (text: string): Promise<string> => {
    const here = await existingFolders(database);
    const code = folderCode(text);
    const there = await everywhere.elsewhere();
    if (there.includes(code) || here.some((folder) => folder.code === code)) return code;
    throw new Refusal('folder-unknown', { folder: code, known: [...here.map((folder) => folder.code), ...there] });
  };
  return {
    add: async ({ kind, folder: text, title = '', program: named }) => {
      const folder = await knownFolder(text);
      const program = kind === 'validation' ? '' : (named ?? kind);
      const programs = Object.keys(settings.tasks ?? {});
      if (kind === 'validation' && named !== undefined) throw new Refusal('usage', { problem: 'task-program-validation' });
      if (program !== '' && !programs.includes(program)) throw new Refusal('task-program', { program, known: programs });
      return withQueue(database, async (queue) => {
        const task = { kind, folder, title: title.replaceAll('\0', ''), program, run: null, by: operator };
        const id = await database.transaction((session) => addTask(session, queue, task));
        return onlyTask(database, id);
      });
    },
    list: async (filter) => {
      await existingFolders(database);
      const named = filter.folders === undefined ? {} : { folders: await Promise.all(filter.folders.map(knownFolder)) };
      return readTasks(database, { ...filter, ...named });
    },
    waiting: async () => {
      await openSettled(database);
      const queued = await readTasks(database, { states: ['queued'] });
      const runs = queued.filter(({ kind }) => kind === 'patch').length;
      const workers = queued.length === 0 ? 0 : (await readWorkers(database)).length;
      return {
        runs,
        tasks: queued.length - runs,
        workers,
        shut:
          runs === 0
            ? 0
            : await countShutLogins(
                database,
                queued.flatMap(({ run }) => run ?? []),
              ),
      };
    },
    show: async (id) => {
      await openSettled(database);
      return onlyTask(database, id);
    },
    cancel: async (id) => {
      await openSettled(database);
      return withQueue(database, (queue) => cancelTask(database, queue, id));
    },
    work: (options) => work(opened, everywhere, options),
  };
}

async function onlyTask(database: Database, id: number): Promise<Task> {
  const [task] = await readTasks(database, { id });
  if (task === undefined) throw new Refusal('task-unknown', { task: id });
  return task;
}

async function withQueue<Result>(database: Database, use: (queue: Queue) => Promise<Result>): Promise<Result> {
  const queue = await openQueue(database);
  try {
    return await use(queue);
  } finally {
    await queue.close();
  }
}

async function work(opened: Opened, everywhere: EveryServer, options: WorkerOptions): Promise<void> {
  const { database, settings, operator } = opened;
  const { stop, abort, listener, kinds = TASK_KINDS, once = false } = options;
  const jobs = jobsAtOnce(options.jobs ?? opened.jobs);
  await existingFolders(database);
  await withQueue(database, async (queue) => {
    const lease = await takeLease(database, 'worker', operator);
    // Somebody else has settled what was ours: this worker slept longer than its lease.
    const lost = new AbortController();
    lease.onRenewal(({ alive }) => {
      if (!alive) lost.abort();
    });
    await tellPatchJobs(database, lease.process, kinds.includes('patch') ? jobs : 0);
    listener({ kind: 'worker-started', worker: lease.process, kinds, jobs });
    const reached = stopPoints(process.env.RUSTINE_STOP_AT);
    const told = (run: string, event: RunEvent): void => listener({ kind: 'run-event', run, event });
    const recovering = startRecovering(database, undefined, () => recoverElsewhere(opened));
    const runs = sharedRuns(opened, {
      lease: lease.process,
      stop: AbortSignal.any([stop, lost.signal]),
      lost: lost.signal,
      told,
      trouble: (failure) => listener({ kind: 'worker-trouble', failure }),
      reached,
      whole: (row) =>
        everywhere.carryOut(row, {
          stop: AbortSignal.any([stop, abort, lost.signal]),
          abort: AbortSignal.any([abort, lost.signal]),
          told,
        }),
    });
    try {
      const tasks = taskSource({
        database,
        queue,
        worker: lease.process,
        kinds,
        work: {
          programs: settings.tasks ?? {},
          validate: async (folder, task) => {
            const { state, findings } = await everywhere.validate({ folders: [folder], task });
            if (state === 'done') return [];
            return [...new Set(findings.filter(({ severity }) => severity === 'block').map(({ code }) => code)), state];
          },
        },
        runPatches: (task) => runs.runPatches(task),
        abort: AbortSignal.any([abort, lost.signal]),
        told: listener,
        reached,
      });
      await runWorker({
        // Folders of runs that are at work come before what is new.
        sources: [...(kinds.includes('patch') ? [runs.source] : []), tasks],
        jobs,
        drain: once,
        stop: AbortSignal.any([stop, lost.signal]),
        onTrouble: (failure) => listener({ kind: 'worker-trouble', failure }),
      });
    } finally {
      await runs.close();
      await lease.release();
      await recovering.end();
    }
    if (lost.signal.aborted) throw new Refusal('worker-lost', {});
  });
}
