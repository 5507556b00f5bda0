// Tasks for people: the list, one in full with what it printed, and the lines that a worker says about them.
import type { WorkerEvent } from '../app/tasks.ts';
import { assertNever } from '../base/errors.ts';
import type { RunEvent } from '../journal/journal.ts';
import type { Task } from '../journal/tasks.ts';
import { pairs, table } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe } from './messages/said.ts';

/** As programs get it. */
export function taskDocument({ job: _, ...task }: Task): object {
  return task;
}

export function tasksTable(tasks: readonly Task[], messages: Messages, width: number | undefined): string {
  const { report } = messages;
  const { columns, none, kinds } = report.batch;
  if (tasks.length === 0) return none;
  const heads = [
    columns.id,
    columns.kind,
    report.columns.folder,
    report.columns.state,
    columns.since,
    columns.worker,
    columns.title,
  ];
  return table(
    heads.map((title, at) => (at === 0 ? { title, right: true } : { title })),
    tasks.map((task) => [
      String(task.id),
      kinds[task.kind],
      task.folder,
      stateText(task, messages),
      minute(task.finishedAt ?? task.startedAt ?? task.createdAt),
      task.host ?? '-',
      task.title || task.program || task.run || '-',
    ]),
    width,
  );
}

export function taskText(task: Task, messages: Messages): string {
  const { report } = messages;
  const { columns, kinds } = report.batch;
  const rows: (readonly [string, string])[] = [
    [columns.id, String(task.id)],
    [columns.kind, kinds[task.kind]],
    [report.columns.folder, task.folder],
    [columns.title, task.title || '-'],
    [report.columns.state, stateText(task, messages)],
    ...(task.program === '' ? [] : [[columns.program, task.program] as const]),
    ...(task.run === null ? [] : [[columns.run, task.run] as const]),
    ...(task.reason === '' ? [] : [[columns.reason, reasonText(task, messages)] as const]),
    ...(task.exit === null ? [] : [[columns.exit, String(task.exit)] as const]),
    [columns.created, `${minute(task.createdAt)} (${task.createdBy || '-'})`],
    [columns.started, task.startedAt === null ? '-' : minute(task.startedAt)],
    [columns.ended, task.finishedAt === null ? '-' : minute(task.finishedAt)],
    [columns.worker, task.worker === null ? '-' : `${task.worker} (${task.host ?? '?'})`],
    [columns.attempts, String(task.attempts)],
  ];
  return [pairs(rows), safe(task.output).trimEnd()].filter((part) => part !== '').join('\n\n');
}

/** What a worker says as it goes. */
export function workerLine(event: WorkerEvent, messages: Messages): string {
  const { batch } = messages.report;
  switch (event.kind) {
    case 'worker-started':
      return batch.workerStarted(event.worker, event.kinds.map((kind) => batch.kinds[kind]).join(', '), event.jobs);
    case 'worker-trouble':
      return batch.workerTrouble(event.failure.code);
    case 'run-event':
      return runEventLine(event.event, messages);
    case 'task-started':
      return batch.began(nameOf(event.task, messages));
    case 'task-returned':
      return batch.returned(nameOf(event.task, messages));
    case 'task-finished': {
      const { task } = event;
      return batch.ended(nameOf(task, messages), stateText(task, messages), task.reason === '' ? '' : reasonText(task, messages));
    }
    default:
      return assertNever(event);
  }
}

/** Of a run only what its folders come to: the trace has the rest. */
function runEventLine(event: RunEvent, { report, summary }: Messages): string {
  return event.kind === 'folder-finished' ? summary.part(event.folder, report.states[event.state]) : '';
}

function nameOf({ id, kind, folder }: Task, { report }: Messages): string {
  return report.batch.taskOf(id, report.batch.kinds[kind], folder);
}

/** Of a patch task that is through, what its run came to: it is done also where the run was refused or failed. */
function stateText({ state, cancelRequested, runState }: Task, { report }: Messages): string {
  const text = state === 'active' && cancelRequested ? report.batch.stopping : report.batch.states[state];
  const told = state !== 'done' || runState === null || runState === 'done';
  return told ? text : report.batch.runEnded(text, report.openRuns.states[runState]);
}

/** The code of an error says more than nothing. */
function reasonText({ reason }: Task, { report }: Messages): string {
  return Object.hasOwn(report.batch.reasons, reason) ? (report.batch.reasons[reason] ?? reason) : reason;
}

const minute = (at: string): string => at.slice(0, 16).replace('T', ' ');
