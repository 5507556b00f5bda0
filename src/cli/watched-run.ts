// A run that this program carries out: its progress is shown, and Ctrl-C asks it to stop, then to stop at once.
import type { Settings } from '../app/config.ts';
import type { Rustine } from '../app/rustine.ts';
import type { RunListener } from '../journal/journal.ts';
import type { Cli } from './cli.ts';
import { interruption } from './interruption.ts';

/** What a verb that is watched is given besides its request. */
export interface Watching {
  readonly listener: RunListener;
  /** Nothing more begins. */
  readonly cancel: AbortSignal;
  /** What is at work is rolled back. */
  readonly abort: AbortSignal;
  readonly jobs?: number;
}

/** @param interrupting what is said at a Ctrl-C; `hard`: at the second one */
export async function watched<T>(
  cli: Cli,
  asked: { readonly jobs?: number },
  interrupting: (hard: boolean) => string,
  work: (rustine: Rustine, watching: Watching, settings: Settings) => Promise<T>,
): Promise<T> {
  const { createProgress, silentProgress } = await import('./progress.ts');
  const { terminal, messages } = cli;
  const { json, quiet } = cli.options;
  return cli.withRustine(async (rustine, settings) => {
    const jobs = asked.jobs ?? settings.jobs;
    const progress = quiet || json ? silentProgress(terminal) : createProgress(terminal, messages);
    const stop = interruption(terminal, (hard) => progress.say(interrupting(hard)));
    try {
      const { cancel, abort } = stop;
      return await work(
        rustine,
        { listener: progress.listener, cancel, abort, ...(jobs === undefined ? {} : { jobs }) },
        settings,
      );
    } finally {
      stop.end();
      progress.end();
    }
  });
}
