// English words of the batch server: help of `task` and `worker`, the list of tasks, what a worker says.
import type { TaskKind, TaskState } from '../../../journal/tasks.ts';

export const batchHelp = {
  task: { is: 'tasks of the batch server: list, show, add, cancel' },
  taskList: {
    is: 'list the tasks, the latest first (the default)',
    folder: 'of these folders only',
    kind: 'of this kind only: patch, validation, accounting, other',
    state: 'in this state only: queued, active, done, failed, cancelled',
    limit: 'so many at the most (default: 50)',
  },
  taskShow: { is: 'show a task with what it printed', id: 'number of the task, from the list' },
  taskAdd: {
    is: 'queue a task for a folder; a worker carries it out',
    kind: 'validation, or a task that a program carries out: accounting, other',
    folder: 'folder',
    title: 'what it is about, for people',
    program: 'name of its program below tasks in rustine.yaml (default: the kind)',
  },
  taskCancel: { is: 'cancel a task: at once while it is queued, else its worker stops it', id: 'number of the task' },
  worker: {
    is: 'carry out tasks and runs of patches that are queued, until stopped',
    kinds: 'only tasks of these kinds, separated by commas (default: all)',
    jobs: 'tasks and folders at the same time',
    once: 'end when nothing is left to do',
  },
};

const kinds: Record<TaskKind, string> = { patch: 'patch', validation: 'validation', accounting: 'accounting', other: 'other' };
const states: Record<TaskState, string> = {
  queued: 'queued',
  active: 'active',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
};
const reasons: Readonly<Record<string, string>> = {
  exit: 'its program ended with an error',
  signal: 'its program was ended by a signal',
  timeout: 'it took longer than its program may',
  'not-started': 'its program could not be started',
  'no-program': 'rustine.yaml of the worker has no such program below tasks',
  'worker-lost': 'its worker is gone; nobody knows how far it got',
};

export const batchReport = {
  none: 'There are no tasks.',
  kinds,
  states,
  stopping: 'stopping',
  runEnded: (state: string, run: string) => `${state}, its run: ${run}`,
  reasons,
  columns: {
    id: 'task',
    kind: 'kind',
    title: 'title',
    program: 'program',
    since: 'since',
    worker: 'worker',
    created: 'added',
    by: 'by',
    started: 'begun',
    ended: 'ended',
    attempts: 'attempts',
    exit: 'exit code',
    reason: 'reason',
    run: 'run',
  },
  waiting: (tasks: string) => `Waiting until these tasks have ended: ${tasks}`,
  queued: (run: string, patches: number, folders: number) =>
    `Run ${run} is queued: ${patches} ${patches === 1 ? 'patch' : 'patches'}, ${folders} ${folders === 1 ? 'folder' : 'folders'}. \`rustine log ${run} --follow\` shows how it goes, \`rustine cancel ${run}\` stops it.`,
  noWorker: 'It waits: there is no worker. `rustine worker` starts one, here or on any machine that reaches the database.',
  left: (run: string) => `Run ${run} goes on. \`rustine log ${run} --follow\` shows how.`,
  waitingWork: (runs: number, tasks: number, workers: number, shut: number) =>
    `Batch server: ${runs} ${runs === 1 ? 'run' : 'runs'} and ${tasks} other ${tasks === 1 ? 'task' : 'tasks'} queued, ${workers === 0 ? 'no worker: they wait until `rustine worker` starts one' : `${workers} ${workers === 1 ? 'worker' : 'workers'} at work`}.${shut > 0 && workers === 0 ? ` Nobody is let into ${shut} ${shut === 1 ? 'folder' : 'folders'} until then; \`rustine cancel RUN\` ends the run and lets people in.` : ''}`,
  idle: (run: string) =>
    `No worker is left: the run stands still, and nobody is let into its folders that wait. \`rustine worker\` goes on with it, \`rustine cancel ${run}\` ends it.`,
  added: (id: number, kind: string, folder: string) =>
    `Task ${id} (${kind}, folder ${folder}) is queued: a worker carries it out.`,
  cancelled: (id: number) => `Task ${id} is cancelled.`,
  cancelling: (id: number) => `Task ${id} is at work: its worker stops it.`,
  taskOf: (id: number, kind: string, folder: string) => `task ${id} (${kind}, ${folder})`,
  began: (what: string) => `${what}: begun`,
  ended: (what: string, state: string, why: string) => `${what}: ${state}${why === '' ? '' : `, ${why}`}`,
  returned: (what: string) => `${what}: given back`,
  workerStarted: (worker: string, taken: string, jobs: number) => `Worker ${worker} at work: ${taken}; ${jobs} at the same time`,
  workerStopping: 'Stopping: what is at work ends first. Once more to end programs at once.',
  workerTrouble: (why: string) => `The database does not answer (${why}); trying again.`,
  workerEnded: (done: number, failed: number, cancelled: number) =>
    `Tasks: ${done} done, ${failed} failed, ${cancelled} cancelled.`,
};
