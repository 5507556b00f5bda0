// A run over many folders, side by side with psql: the same statements, rendered to a file per folder, on as many connections.
// Usage: node bench/folders.ts [--folders 500] [--jobs 2] [--rounds 3]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client, escapeIdentifier } from 'pg';
import { openRustine } from '../src/app/rustine.ts';
import { openEmbedded } from '../src/database/embedded.ts';
import type { Element } from '../test/support/patches.ts';
import { activityCode, any, rows, script, table, texts, writePatchFile } from '../test/support/patches.ts';
import { serverPlace } from '../test/support/server-place.ts';
import { temporaryHome } from '../test/support/servers.ts';
import { openRecorder, type RecordedTransaction } from './wire-recorder.ts';

const PSQL_RATIO_AT_MOST = 1.5;
const REHEARSAL_RATIO_AT_MOST = 1.3;
const NOTHING_AT_MOST_S = 2;
const RSS_AT_MOST_MB = 300;
const KB = 1024;

const PROGRAM = join(import.meta.dirname, '../bin/rustine.js');

/** A delivery as they come: tables, parameters, a script, rows of data. */
function delivery(): readonly Element[] {
  const fields = { COD: 'A:10', DES: 'A:60', QTY: 'DCB:9.3', DAT: 'D', NUM: 'L' } as const;
  return [
    activityCode('SIZ', { size: 3 }),
    ...Array.from({ length: 20 }, (_, at) =>
      any('ADP', `LIMIT${at}`, [
        { tag: 'ADP', values: { ACS: '', PARAM: `LIMIT${at}`, INTIT: texts({ ENG: 'Limit', FRA: 'Limite' }) } },
      ]),
    ),
    ...Array.from({ length: 10 }, (_, at) =>
      table(`STOCK${at}`, `S${at}`, fields, { [`S${at}0`]: 'COD', [`S${at}1`]: '-DAT+COD' }),
    ),
    rows(
      'S0',
      'STOCK',
      Array.from({ length: 200 }, (_, at) => ({ COD: `C${at}`, DES: `Item number ${at}`, NUM: at })),
    ),
    script('STOCKLIB', '# source\nEnd'),
  ];
}

interface Measured {
  readonly seconds: number;
  /** Highest resident size, MB (10^6 bytes); 0 where the machine does not tell. */
  readonly peak: number;
}

/** Runs a program to its end. @throws Error where it fails */
async function timed(program: string, argv: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Measured> {
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
  if (code !== 0) throw new Error(`${program} ${argv.join(' ')} ended with ${code}: ${Buffer.concat(said)}`);
  return { seconds: (performance.now() - started) / 1000, peak };
}

/** Several programs side by side, as long as the slowest. */
async function together(works: readonly Promise<Measured>[]): Promise<Measured> {
  const all = await Promise.all(works);
  return { seconds: Math.max(...all.map(({ seconds }) => seconds)), peak: 0 };
}

const rustine = (url: string, argv: readonly string[]): Promise<Measured> =>
  timed(process.execPath, [PROGRAM, ...argv, '--database', url, '--quiet']);

interface Bench {
  readonly directory: string;
  readonly server: string;
  readonly original: string;
  readonly patch: string;
  readonly folders: number;
  readonly jobs: number;
}

async function query(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

const at = (server: string, name: string): string => Object.assign(new URL(server), { pathname: `/${name}` }).href;

/** A copy of the environment; what it was copied from is on disk before the clock runs. */
async function copied<Result>(bench: Bench, name: string, work: (url: string) => Promise<Result>): Promise<Result> {
  await query(bench.server, `CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(bench.original)}`);
  await query(bench.server, 'CHECKPOINT');
  try {
    return await work(at(bench.server, name));
  } finally {
    await query(bench.server, `DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`);
  }
}

async function create(bench: Omit<Bench, 'patch'>): Promise<void> {
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
interface Rendered {
  readonly shared: string;
  readonly folders: readonly string[];
}

/** The statements of a run, from a run that was listened to. */
async function render(bench: Bench): Promise<Rendered> {
  return copied(bench, 'recorded', async (url) => {
    const recorder = await openRecorder(url);
    await rustine(recorder.url, ['integrate', bench.patch, '--jobs', '1']);
    await recorder.close();
    const ofFolder = (each: RecordedTransaction): boolean =>
      each.statements.some((text) => /from rustine\.folder where id = .* for update/.test(text));
    const folders = recorder.transactions.filter(ofFolder);
    if (folders.length !== bench.folders) throw new Error(`${folders.length} folder transactions instead of ${bench.folders}`);
    // The run, and what its folders share: the delivery and its plans.
    const shared = recorder.transactions.filter(
      (each) =>
        !ofFolder(each) &&
        each.statements.some(
          (text) =>
            /\brustine\.(run|process|delivery_element|plan_item|work)\b/.test(text) && /^(insert|copy|with)\b/im.test(text),
        ),
    );
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
  });
}

async function psql(url: string, files: readonly string[]): Promise<Measured> {
  return timed('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url, ...files.flatMap((file) => ['-f', file])]);
}

async function withPsql(bench: Bench, { shared, folders }: Rendered): Promise<number> {
  return copied(bench, 'by_psql', async (url) => {
    const first = await psql(url, [shared]);
    const [supervisor = '', ...others] = folders;
    const second = await psql(url, [supervisor]);
    const shares = Array.from({ length: bench.jobs }, (_, job) => others.filter((_file, number) => number % bench.jobs === job));
    const rest = await together(shares.map((files) => psql(url, files)));
    return first.seconds + second.seconds + rest.seconds;
  });
}

interface Round {
  readonly run: Measured;
  readonly again: Measured;
  readonly rehearsal: Measured;
  readonly psql: number;
}

async function round(bench: Bench, rendered: Rendered): Promise<Round> {
  const jobs = ['--jobs', String(bench.jobs)];
  const { run, again } = await copied(bench, 'by_rustine', async (url) => ({
    run: await rustine(url, ['integrate', bench.patch, ...jobs]),
    again: await rustine(url, ['integrate', bench.patch, ...jobs]),
  }));
  const byPsql = await withPsql(bench, rendered);
  const rehearsal = await copied(bench, 'rehearsed', (url) => rustine(url, ['integrate', bench.patch, '--rehearse', ...jobs]));
  return { run, again, rehearsal, psql: byPsql };
}

/** The middle one: machines are noisy. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      folders: { type: 'string', default: '500' },
      jobs: { type: 'string', default: String(Math.max(2, availableParallelism())) },
      rounds: { type: 'string', default: '3' },
    },
  });
  const folders = Number(values.folders);
  const jobs = Number(values.jobs);
  const { home, remove } = await temporaryHome('rustine-bench-', await serverPlace());
  const directory = await mkdtemp(join(home, 'bench-'));
  const server = await openEmbedded(home);
  try {
    const place = { directory, server: server.url, original: 'original', folders, jobs };
    await create(place);
    const bench = { ...place, patch: await writePatchFile(directory, 'P_0001_140.dat', delivery()) };
    const rendered = await render(bench);
    const rounds: Round[] = [];
    for (let number = 0; number < Number(values.rounds); number++) {
      const one = await round(bench, rendered);
      rounds.push(one);
      console.log(
        `round ${number + 1}    run ${one.run.seconds.toFixed(2)} s, psql ${one.psql.toFixed(2)} s, again ${one.again.seconds.toFixed(2)} s, rehearsal ${one.rehearsal.seconds.toFixed(2)} s`,
      );
    }
    const ratio = median(rounds.map((each) => each.run.seconds / each.psql));
    const rehearsal = median(rounds.map((each) => each.rehearsal.seconds / each.run.seconds));
    const again = median(rounds.map((each) => each.again.seconds));
    const peak = Math.max(...rounds.flatMap((each) => [each.run.peak, each.again.peak, each.rehearsal.peak]));
    console.log(`folders    ${folders}, ${jobs} at a time`);
    console.log(`run/psql   ${ratio.toFixed(2)} (at most ${PSQL_RATIO_AT_MOST})`);
    console.log(`again      ${again.toFixed(2)} s (under ${NOTHING_AT_MOST_S})`);
    console.log(`rehearsal  ${rehearsal.toFixed(2)} times the run (at most ${REHEARSAL_RATIO_AT_MOST})`);
    console.log(`peak RSS   ${peak.toFixed(0)} MB (at most ${RSS_AT_MOST_MB})`);
    const missed =
      ratio > PSQL_RATIO_AT_MOST || rehearsal > REHEARSAL_RATIO_AT_MOST || again >= NOTHING_AT_MOST_S || peak > RSS_AT_MOST_MB;
    if (missed) process.exitCode = 1;
  } finally {
    await server.release();
    await remove();
  }
}

await main();
