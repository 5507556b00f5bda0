// Runs an outside program, for a script or a task: no shell, a time limit for it and its process group, bounded output, no secrets in its environment.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leaveAlone, openGuard, watchOver } from './program-guard.ts';

/** A program that runs scripts of one language, or tasks, as rustine.yaml describes it. */
export interface Runner {
  readonly command: string;
  /** Arguments, with placeholders: for scripts `{folder}`, `{script}` and `{file}`, for tasks `{folder}`, `{task}`, `{kind}` and `{title}`. */
  readonly words: readonly string[];
  readonly timeoutMs: number;
  /** Names of the environment variables that it gets besides PATH, HOME and LANG. */
  readonly environment: readonly string[];
}

export interface RunnerResult {
  /** `not-started`: it could not even be started · `timeout`, `aborted`: it was ended · `exit`: it ended by itself, with this code or by this signal. */
  readonly end: 'exit' | 'timeout' | 'aborted' | 'not-started';
  readonly exit: number | null;
  /** Signal, or the system's code where it could not be started. */
  readonly signal: string;
  /** The last of what it printed. */
  readonly output: string;
  readonly ms: number;
}

/** So much of the end of the output is kept. */
export const OUTPUT_BYTES = 64 * 1024;
/** From the polite signal to the other one. */
const GRACE_MS = 2_000;
/** From its end to that of what it left behind, which may hold the pipes of its output open. */
const DRAIN_MS = 500;
const USUAL_ENVIRONMENT = ['PATH', 'HOME', 'LANG'];

/** @param name checked before: it becomes part of arguments @param abort ends it, where signals for this process are listened to by somebody else */
export async function runWith(
  runner: Runner,
  folder: string,
  name: string,
  body: Uint8Array,
  abort?: AbortSignal,
): Promise<RunnerResult> {
  const directory = await mkdtemp(join(tmpdir(), 'rustine-script-'));
  const file = join(directory, 'script');
  try {
    await writeFile(file, body, { mode: 0o600, flag: 'wx' });
    return await runProgram(
      runner,
      { folder, script: name, file },
      { RUSTINE_FOLDER: folder, RUSTINE_SCRIPT: name },
      { withSignals: abort === undefined, ...(abort === undefined ? {} : { abort }) },
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export interface ProgramRun {
  /** A signal for this process ends the program at once, and then this process; false: whoever listens to signals decides. */
  readonly withSignals: boolean;
  /** Ends the program, as its time limit does. */
  readonly abort?: AbortSignal;
}

/** @param values for the placeholders in its arguments @param variables of its environment, besides those it is allowed to see */
export function runProgram(
  runner: Runner,
  values: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>>,
  { withSignals, abort }: ProgramRun,
): Promise<RunnerResult> {
  // One pass: a value that looks like a placeholder stays what it is.
  const words = runner.words.map((word) =>
    word.replace(/\{([a-z]+)\}/g, (text, key: string) => (Object.hasOwn(values, key) ? (values[key] ?? '') : text)),
  );
  const seen = Object.fromEntries(
    [...USUAL_ENVIRONMENT, ...runner.environment].flatMap((key) =>
      process.env[key] === undefined ? [] : [[key, process.env[key] as string]],
    ),
  );
  const env = { ...seen, ...variables };
  const begun = performance.now();
  openGuard();
  return new Promise((resolve) => {
    const output = new Tail();
    let end: RunnerResult['end'] = 'exit';
    const finish = (exit: number | null, signal: string): void => {
      clearTimeout(limit);
      clearTimeout(last);
      process.off('exit', kill);
      for (const each of STOPS) process.off(each, interrupted);
      abort?.removeEventListener('abort', asked);
      if (child.pid !== undefined) leaveAlone(child.pid);
      resolve({ end, exit, signal, output: output.text(), ms: Math.round(performance.now() - begun) });
    };
    // A process group of its own: what the program starts ends with it.
    const child = spawn(runner.command, words, { shell: false, detached: true, env, stdio: ['ignore', 'pipe', 'pipe'] });
    if (child.pid !== undefined) watchOver(child.pid);
    const signalGroup = (signal: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch {
        // Gone already.
      }
    };
    const kill = (): void => signalGroup('SIGKILL');
    const interrupted = (signal: NodeJS.Signals): void => {
      kill();
      for (const each of STOPS) process.off(each, interrupted);
      process.kill(process.pid, signal);
    };
    const cut = (): void => {
      kill();
      // Something that left the group may hold the pipes open: it is not waited for.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    let last: NodeJS.Timeout | undefined;
    const stop = (why: RunnerResult['end']): void => {
      if (end !== 'exit') return;
      end = why;
      signalGroup('SIGTERM');
      last = setTimeout(cut, GRACE_MS);
    };
    const limit = setTimeout(() => stop('timeout'), runner.timeoutMs);
    const asked = (): void => stop('aborted');
    process.once('exit', kill);
    if (withSignals) for (const each of STOPS) process.on(each, interrupted);
    if (abort?.aborted === true) asked();
    abort?.addEventListener('abort', asked);
    child.stdout.on('data', (chunk: Buffer) => output.add(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.add(chunk));
    child.on('error', (error: NodeJS.ErrnoException) => {
      end = 'not-started';
      finish(null, error.code ?? 'unknown');
    });
    child.on('exit', () => {
      if (end !== 'exit') return;
      // It has ended by itself, and in time, whatever it left running.
      clearTimeout(limit);
      last = setTimeout(cut, DRAIN_MS);
    });
    child.on('close', (code, signal) => {
      // What the program left behind in its group ends too.
      kill();
      finish(code, signal ?? '');
    });
  });
}

const STOPS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** The end of what was printed, in bounded memory. */
class Tail {
  #chunks: Buffer[] = [];
  #size = 0;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size > 2 * OUTPUT_BYTES) {
      this.#chunks = [this.#bytes()];
      this.#size = this.#chunks[0]?.length ?? 0;
    }
  }

  #bytes(): Buffer {
    return Buffer.concat(this.#chunks).subarray(-OUTPUT_BYTES);
  }

  /** Without NUL, which the database cannot store. */
  text(): string {
    return this.#bytes().toString('utf8').replaceAll('\0', '\uFFFD');
  }
}
