// The command line in this process, against a real environment: what a person would type, what it prints, Ctrl-C.
import { openRustine } from '../../src/app/rustine.ts';
import { run } from '../../src/cli/run.ts';
import type { TestEnvironment } from './environment.ts';

export interface Typed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Typing {
  /** Called with each piece of text on standard error; `interrupt` is Ctrl-C. */
  readonly heard?: (text: string, interrupt: () => void) => void;
  readonly settings?: object;
}

/** @param words as typed, without `rustine` */
export async function typed({ home, url }: TestEnvironment, words: readonly string[], typing: Typing = {}): Promise<Typed> {
  const streams = { out: '', err: '' };
  const listeners = new Set<() => void>();
  const interrupt = (): void => {
    for (const told of [...listeners]) told();
  };
  const code = await run([...words, '--home', home, '--database', url], {
    out: (text) => {
      streams.out += text;
    },
    err: (text) => {
      streams.err += text;
      typing.heard?.(text, interrupt);
    },
    env: {},
    cwd: home,
    width: undefined,
    colour: false,
    errWidth: undefined,
    errHeight: undefined,
    errColour: false,
    onInterrupt: (told) => {
      listeners.add(told);
      return () => listeners.delete(told);
    },
    open: (settings) => openRustine({ ...settings, ...typing.settings }),
    stopDatabase: async () => 'not-running',
  });
  return { code, ...streams };
}
