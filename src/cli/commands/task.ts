// `rustine task …`: lists, shows, adds and cancels the tasks of the batch server.
import type { TaskKind, TaskState } from '../../journal/tasks.ts';
import type { Cli } from '../cli.ts';
import { listOf, numberOf, oneOf, positiveNumber } from '../option-values.ts';
import type { Program } from '../program.ts';

const DEFAULT_LIMIT = 50;
const KINDS = ['patch', 'validation', 'accounting', 'other'] as const;
/** A run of patches is queued by `integrate --batch`. */
const ADDED = ['validation', 'accounting', 'other'] as const;
const STATES = ['queued', 'active', 'done', 'failed', 'cancelled'] as const;

interface ListOptions {
  readonly folder?: readonly string[];
  readonly kind?: TaskKind;
  readonly state?: TaskState;
  readonly limit?: number;
}

export function defineTask(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands;
  const task = program.command('task').description(words.task.is);
  task
    .command('list', { isDefault: true })
    .description(words.taskList.is)
    .option('--folder <folders>', words.taskList.folder, listOf('--folder'))
    .option('--kind <kind>', words.taskList.kind, oneOf('--kind', KINDS))
    .option('--state <state>', words.taskList.state, oneOf('--state', STATES))
    .option('--limit <number>', words.taskList.limit, positiveNumber('--limit'))
    .action((options: ListOptions) => list(cli, options));
  task
    .command('show')
    .description(words.taskShow.is)
    .argument('<id>', words.taskShow.id, numberOf('<id>'))
    .action((id: number) => show(cli, id));
  task
    .command('add')
    .description(words.taskAdd.is)
    .argument('<kind>', words.taskAdd.kind, oneOf('<kind>', ADDED))
    .argument('<folder>', words.taskAdd.folder)
    .option('--title <text>', words.taskAdd.title)
    .option('--program <name>', words.taskAdd.program)
    .action((kind: (typeof ADDED)[number], folder: string, options: { title?: string; program?: string }) =>
      add(cli, { kind, folder, ...options }),
    );
  task
    .command('cancel')
    .description(words.taskCancel.is)
    .argument('<id>', words.taskCancel.id, numberOf('<id>'))
    .action((id: number) => cancel(cli, id));
}

async function list(cli: Cli, { folder, kind, state, limit = DEFAULT_LIMIT }: ListOptions): Promise<void> {
  const { taskDocument, tasksTable } = await import('../task-view.ts');
  const filter = {
    limit,
    ...(folder === undefined ? {} : { folders: folder }),
    ...(kind === undefined ? {} : { kinds: [kind] }),
    ...(state === undefined ? {} : { states: [state] }),
  };
  const tasks = await cli.withRustine((rustine) => rustine.tasks.list(filter));
  cli.result({ tasks: tasks.map(taskDocument) }, () => tasksTable(tasks, cli.messages, cli.terminal.width));
}

async function show(cli: Cli, id: number): Promise<void> {
  const { taskDocument, taskText } = await import('../task-view.ts');
  const task = await cli.withRustine((rustine) => rustine.tasks.show(id));
  cli.result(taskDocument(task), () => taskText(task, cli.messages));
}

async function add(
  cli: Cli,
  options: { readonly kind: (typeof ADDED)[number]; readonly folder: string; readonly title?: string; readonly program?: string },
): Promise<void> {
  const { taskDocument } = await import('../task-view.ts');
  const task = await cli.withRustine((rustine) => rustine.tasks.add(options));
  const { batch } = cli.messages.report;
  cli.result(taskDocument(task), () => (cli.options.quiet ? '' : batch.added(task.id, batch.kinds[task.kind], task.folder)));
}

async function cancel(cli: Cli, id: number): Promise<void> {
  const { taskDocument } = await import('../task-view.ts');
  const task = await cli.withRustine((rustine) => rustine.tasks.cancel(id));
  const { batch } = cli.messages.report;
  cli.result(taskDocument(task), () =>
    cli.options.quiet ? '' : task.state === 'cancelled' ? batch.cancelled(id) : batch.cancelling(id),
  );
}
