// `rustine worker`: carries out tasks and runs until it is stopped: once politely, twice at once.
import type { WorkerEvent } from '../../app/tasks.ts';
import { Refusal } from '../../base/errors.ts';
import type { Task, TaskKind } from '../../journal/tasks.ts';
import type { Cli } from '../cli.ts';
import { listOf, positiveNumber } from '../option-values.ts';
import type { Program } from '../program.ts';

const KINDS: readonly string[] = ['patch', 'validation', 'accounting', 'other'] satisfies readonly TaskKind[];
const STOPS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];
/** A script that is running hands the signal that it got on: that is the same one, not a second. */
const SAME_SIGNAL_MS = 300;

interface Options {
  readonly kinds?: readonly TaskKind[];
  readonly jobs?: number;
  readonly once?: true;
}

export function defineWorker(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands.worker;
  program
    .command('worker')
    .description(words.is)
    .option('--kinds <kinds>', words.kinds, kindsOf)
    .option('--jobs <number>', words.jobs, positiveNumber('--jobs'))
    .option('--once', words.once)
    .action((options: Options) => worker(cli, options));
}

/** @throws Refusal `usage` */
function kindsOf(value: string): readonly TaskKind[] {
  const kinds = [...new Set(listOf('--kinds')(value))];
  const wrong = kinds.find((kind) => !KINDS.includes(kind));
  if (wrong !== undefined) throw new Refusal('usage', { problem: 'choice', option: '--kinds', value: wrong, known: KINDS });
  return kinds as readonly TaskKind[];
}

async function worker(cli: Cli, options: Options): Promise<void> {
  const { workerLine } = await import('../task-view.ts');
  const { terminal, messages } = cli;
  const silent = cli.options.quiet === true || cli.options.json === true;
  const counts = { done: 0, failed: 0, cancelled: 0 };
  const listener = (event: WorkerEvent): void => {
    if (event.kind === 'task-finished') counts[cameTo(event.task)]++;
    const line = silent ? '' : workerLine(event, messages);
    if (line !== '') terminal.err(`${line}\n`);
  };
  const signals = stopSignals(() => {
    if (!silent) terminal.err(`${messages.report.batch.workerStopping}\n`);
  });
  try {
    await cli.withRustine((rustine) => rustine.tasks.work({ ...options, stop: signals.stop, abort: signals.abort, listener }));
  } finally {
    signals.release();
  }
  cli.result({ tasks: counts }, () =>
    cli.options.quiet ? '' : messages.report.batch.workerEnded(counts.done, counts.failed, counts.cancelled),
  );
}

/** A patch task is through also where its run was refused or failed. */
function cameTo({ state, runState }: Task): 'done' | 'failed' | 'cancelled' {
  if (state === 'failed' || state === 'cancelled') return state;
  if (runState === 'cancelled') return 'cancelled';
  return runState === null || runState === 'done' ? 'done' : 'failed';
}

function stopSignals(stopping: () => void): { readonly stop: AbortSignal; readonly abort: AbortSignal; release(): void } {
  const stop = new AbortController();
  const abort = new AbortController();
  let first = 0;
  const heard = (): void => {
    if (!stop.signal.aborted) {
      first = performance.now();
      stop.abort();
      stopping();
    } else if (performance.now() - first > SAME_SIGNAL_MS) abort.abort();
  };
  for (const signal of STOPS) process.on(signal, heard);
  return {
    stop: stop.signal,
    abort: abort.signal,
    release: () => {
      for (const signal of STOPS) process.off(signal, heard);
    },
  };
}
