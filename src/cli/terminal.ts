// What the command line touches of the outside world: streams, environment, directory; replaced in tests.
import type { Settings } from '../app/config.ts';
import type { Rustine } from '../app/rustine.ts';

export interface Terminal {
  /** Standard output: results. */
  out(text: string): void;
  /** Standard error: progress, problems. */
  err(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Width and colour of standard output; no width where it is not a terminal: lines are not cut for a file or a pipe. */
  readonly width: number | undefined;
  readonly colour: boolean;
  /** Width of standard error; undefined where it is not a terminal: no line is rewritten there. */
  readonly errWidth: number | undefined;
  /** Height and colour of standard error; no height where it is not a terminal. Width and height may change at any time. */
  readonly errHeight: number | undefined;
  readonly errColour: boolean;
  /** Ctrl-C, or being asked to end: told instead of ending, until what is returned is called. */
  onInterrupt(told: () => void): () => void;
  open(settings: Settings): Promise<Rustine>;
  stopDatabase(settings: Settings): Promise<'stopped' | 'not-running' | 'in-use'>;
}

export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  const drawable = stderr.isTTY === true && env.TERM !== 'dumb';
  // A reader that has seen enough (`rustine folder list | head -1`) is no error; the work goes on.
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    env,
    cwd: process.cwd(),
    width: stdout.isTTY ? stdout.columns || 80 : undefined,
    colour: stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb',
    get errWidth() {
      return drawable ? stderr.columns || 80 : undefined;
    },
    get errHeight() {
      return drawable ? stderr.rows || 24 : undefined;
    },
    errColour: drawable && !env.NO_COLOR,
    onInterrupt: (told) => {
      const signals = ['SIGINT', 'SIGTERM'] as const;
      for (const signal of signals) process.on(signal, told);
      return () => {
        for (const signal of signals) process.off(signal, told);
      };
    },
    open: async (settings) => (await import('../app/rustine.ts')).openRustine(settings),
    stopDatabase: async (settings) => (await import('../database/embedded.ts')).stopEmbedded(settings.home),
  };
}
