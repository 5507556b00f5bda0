// A command over many folders, side by side with psql: rounds of both, what they come to, and whether that is within the limits.
import { mkdtemp } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openEmbedded } from '../src/database/embedded.ts';
import { serverPlace } from '../test/support/server-place.ts';
import { temporaryHome } from '../test/support/servers.ts';
import {
  type Bench,
  copied,
  isShared,
  type Measured,
  median,
  type Rendered,
  rustine,
  withPsql,
  writeStatements,
} from './side-by-side.ts';
import { openRecorder, type RecordedTransaction } from './wire-recorder.ts';

const NOTHING_AT_MOST_S = 2;
const RSS_AT_MOST_MB = 300;

export interface Comparison {
  /** Makes the environment. @returns the command */
  prepare(bench: Bench): Promise<readonly string[]>;
  /** In a statement of each folder's transaction and of no other. */
  readonly folderStatement: RegExp;
  /** Folders that get nothing from the command, besides those that are asked for. */
  readonly idle: number;
  /** The option with which the command changes nothing, and how many times as long as the command that may take. */
  readonly dry: { readonly option: string; readonly ratioAtMost: number };
  readonly psqlRatioAtMost: number;
}

/** The statements of a run, from a run that was listened to. */
async function render(bench: Bench, { folderStatement, idle }: Comparison, command: readonly string[]): Promise<Rendered> {
  return copied(bench, 'recorded', async (url) => {
    const recorder = await openRecorder(url);
    await rustine(recorder.url, [...command, '--jobs', '1']);
    await recorder.close();
    const ofFolder = ({ statements }: RecordedTransaction): boolean => statements.some((text) => folderStatement.test(text));
    const folders = recorder.transactions.filter(ofFolder);
    const expected = bench.folders - idle;
    if (folders.length !== expected) throw new Error(`${folders.length} folder transactions instead of ${expected}`);
    const shared = recorder.transactions.filter((each) => !ofFolder(each) && isShared(each));
    console.log(`statements ${median(folders.map(({ statements }) => statements.length))} per folder`);
    return writeStatements(bench, shared, folders);
  });
}

interface Round {
  readonly run: Measured;
  readonly again: Measured;
  readonly dry: Measured;
  readonly psql: number;
}

async function round(bench: Bench, rendered: Rendered, command: readonly string[], option: string): Promise<Round> {
  const argv = [...command, '--jobs', String(bench.jobs)];
  const { run, again } = await copied(bench, 'by_rustine', async (url) => ({
    run: await rustine(url, argv),
    again: await rustine(url, argv),
  }));
  const psql = await withPsql(bench, rendered);
  const dry = await copied(bench, 'dry', (url) => rustine(url, [...argv, option]));
  return { run, again, dry, psql };
}

/** @returns whether all is within the limits */
function judge(rounds: readonly Round[], { dry, psqlRatioAtMost }: Comparison): boolean {
  const ratio = median(rounds.map((each) => each.run.seconds / each.psql));
  const dryRatio = median(rounds.map((each) => each.dry.seconds / each.run.seconds));
  const again = median(rounds.map((each) => each.again.seconds));
  const peak = Math.max(...rounds.flatMap((each) => [each.run.peak, each.again.peak, each.dry.peak]));
  console.log(`run/psql   ${ratio.toFixed(2)} (at most ${psqlRatioAtMost})`);
  console.log(`again      ${again.toFixed(2)} s (under ${NOTHING_AT_MOST_S})`);
  console.log(`${dry.option.padEnd(10)} ${dryRatio.toFixed(2)} times the run (at most ${dry.ratioAtMost})`);
  console.log(`peak RSS   ${peak.toFixed(0)} MB (at most ${RSS_AT_MOST_MB})`);
  return ratio <= psqlRatioAtMost && dryRatio <= dry.ratioAtMost && again < NOTHING_AT_MOST_S && peak <= RSS_AT_MOST_MB;
}

/** Options of the program: `--folders`, `--jobs`, `--rounds`. It ends with 1 where a limit is missed. */
export async function compare(comparison: Comparison): Promise<void> {
  const { values } = parseArgs({
    options: {
      folders: { type: 'string', default: '500' },
      jobs: { type: 'string', default: String(Math.max(2, availableParallelism())) },
      rounds: { type: 'string', default: '3' },
    },
  });
  const jobs = Number(values.jobs);
  const { home, remove } = await temporaryHome('rustine-bench-', await serverPlace());
  const directory = await mkdtemp(join(home, 'bench-'));
  const server = await openEmbedded(home);
  try {
    const folders = Number(values.folders) + comparison.idle;
    const bench = { directory, server: server.url, original: 'original', folders, jobs };
    const command = await comparison.prepare(bench);
    const rendered = await render(bench, comparison, command);
    console.log(`folders    ${values.folders}, ${jobs} at a time`);
    const rounds: Round[] = [];
    for (let number = 1; number <= Number(values.rounds); number++) {
      const one = await round(bench, rendered, command, comparison.dry.option);
      rounds.push(one);
      const seconds = {
        run: one.run.seconds,
        psql: one.psql,
        again: one.again.seconds,
        [comparison.dry.option]: one.dry.seconds,
      };
      const told = Object.entries(seconds).map(([name, value]) => `${name} ${value.toFixed(2)} s`);
      console.log(`round ${number}    ${told.join(', ')}`);
    }
    if (!judge(rounds, comparison)) process.exitCode = 1;
  } finally {
    await server.release();
    await remove();
  }
}
