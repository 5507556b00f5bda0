// What benches share that put a run side by side with psql: copies of an environment, programs with time and memory, statements rendered to files.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, escapeIdentifier } from 'pg';
import { openRustine } from '../src/app/rustine.ts';
import type { RecordedTransaction } from './wire-recorder.ts';

const KB = 1024;
const PROGRAM = join(import.meta.dirname, '../bin/rustine.js');

/** The environment that is copied for each run. */
export interface Bench {
  readonly directory: string;
  readonly server: string;
  readonly original: string;
  readonly folders: number;
  readonly jobs: number;
}

export interface Measured {
  readonly seconds: number;
  /** Highest resident size, MB (10^6 bytes); 0 where the machine does not tell. */
  readonly peak: number;
}

/** Runs a program to its end. @throws Error where it does not end with the code */
async function timed(
  program: string,
  argv: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  expected = 0,
): Promise<Measured> {
  const started = performance.now();
  const child = spawn(program, argv, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
  const said: Buffer[] = [];
  child.stdout.on('data', () => undefined);
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  let peak = 0;
  const sample = async (): Promise<void> => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    peak = Math.max(peak, (Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * KB) / 1e6);
  };
  const timer = setInterval(() => void sample(), 50);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(timer);
  if (code !== expected) throw new Error(`${program} ${argv.join(' ')} ended with ${code}: ${Buffer.concat(said)}`);
  return { seconds: (performance.now() - started) / 1000, peak };
}

/** Several programs side by side, as long as the slowest. */
async function together(works: readonly Promise<Measured>[]): Promise<Measured> {
  const all = await Promise.all(works);
  return { seconds: Math.max(...all.map(({ seconds }) => seconds)), peak: 0 };
}

export const rustine = (url: string, argv: readonly string[], code = 0): Promise<Measured> =>
  timed(process.execPath, [PROGRAM, ...argv, '--database', url, '--quiet'], {}, code);

export async function query(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

export const at = (server: string, name: string): string => Object.assign(new URL(server), { pathname: `/${name}` }).href;

/** A copy of the environment; what it was copied from is on disk before the clock runs. */
export async function copied<Result>(bench: Bench, name: string, work: (url: string) => Promise<Result>): Promise<Result> {
  await query(bench.server, `CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(bench.original)}`);
  await query(bench.server, 'CHECKPOINT');
  try {
    return await work(at(bench.server, name));
  } finally {
    await query(bench.server, `DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`);
  }
}

/** An environment with so many folders, the supervisor folder among them. */
export async function createEnvironment(bench: Bench): Promise<void> {
  await query(bench.server, `CREATE DATABASE ${escapeIdentifier(bench.original)} TEMPLATE template0`);
  const program = await openRustine({ home: bench.directory, database: at(bench.server, bench.original), language: 'en' });
  try {
    await program.init({});
    const codes = Array.from({ length: bench.folders - 1 }, (_, number) => `F${number}`);
    for (let from = 0; from < codes.length; from += 50) await program.createFolders(codes.slice(from, from + 50), {});
  } finally {
    await program.close();
  }
}

/** What psql gets: what all folders share first, then a file per folder. */
export interface Rendered {
  readonly shared: string;
  readonly folders: readonly string[];
}

/** The run, and what its folders share: deliveries and plans. */
export function isShared({ statements }: RecordedTransaction): boolean {
  return statements.some(
    (text) => /\brustine\.(run|process|delivery_element|plan_item|work)\b/.test(text) && /^(insert|copy|with)\b/im.test(text),
  );
}

/** @param folders a transaction for each folder, the supervisor folder's first where it has one */
export async function writeStatements(
  bench: Bench,
  shared: readonly RecordedTransaction[],
  folders: readonly RecordedTransaction[],
): Promise<Rendered> {
  const directory = join(bench.directory, 'statements');
  await mkdir(directory);
  const write = async (name: string, list: readonly RecordedTransaction[]): Promise<string> => {
    const path = join(directory, `${name}.sql`);
    await writeFile(path, list.flatMap(({ statements }) => statements).join(''));
    return path;
  };
  return {
    shared: await write('shared', shared),
    folders: await Promise.all(folders.map((each, number) => write(`folder-${number}`, [each]))),
  };
}

async function psql(url: string, files: readonly string[]): Promise<Measured> {
  return timed('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url, ...files.flatMap((file) => ['-f', file])]);
}

/** First what is shared, then the first folder alone, then the others on as many connections as there are jobs. @returns seconds */
export async function withPsql(bench: Bench, { shared, folders }: Rendered): Promise<number> {
  return copied(bench, 'by_psql', async (url) => {
    const first = await psql(url, [shared]);
    const [supervisor = '', ...others] = folders;
    const second = await psql(url, [supervisor]);
    const shares = Array.from({ length: bench.jobs }, (_, job) => others.filter((_file, number) => number % bench.jobs === job));
    const rest = await together(shares.map((files) => psql(url, files)));
    return first.seconds + second.seconds + rest.seconds;
  });
}

/** The middle one: machines are noisy. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
