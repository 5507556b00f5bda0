// Many folders that lag, validated in one run, side by side with psql: the same statements, rendered to a file per folder, on as many connections.
// Usage: node bench/validate.ts [--folders 500] [--jobs 2] [--rounds 3]
import { mkdtemp } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openRustine } from '../src/app/rustine.ts';
import { openEmbedded } from '../src/database/embedded.ts';
import type { Element } from '../test/support/patches.ts';
import { activityCode, any, rows, script, table, texts, writePatchFile } from '../test/support/patches.ts';
import { serverPlace } from '../test/support/server-place.ts';
import { temporaryHome } from '../test/support/servers.ts';
import {
  at,
  type Bench,
  copied,
  createEnvironment,
  isShared,
  type Measured,
  median,
  type Rendered,
  rustine,
  withPsql,
  writeStatements,
} from './side-by-side.ts';
import { openRecorder, type RecordedTransaction } from './wire-recorder.ts';

const PSQL_RATIO_AT_MOST = 2;
const NOTHING_AT_MOST_S = 2;
const RSS_AT_MOST_MB = 300;

/** A delivery as they come; the second one changes what the first one brought, adds to it, and comes to the supervisor folder only. */
function delivery(size: number): readonly Element[] {
  const fields = { COD: 'A:10', DES: `A:${size}`, QTY: 'DCB:9.3', DAT: 'D', NUM: 'L' } as const;
  return [
    activityCode('SIZ', { size: 3 }),
    ...Array.from({ length: 20 }, (_, number) =>
      any('ADP', `LIMIT${number}`, [
        {
          tag: 'ADP',
          values: { ACS: '', PARAM: `LIMIT${number}`, INTIT: texts({ ENG: `Limit ${size}`, FRA: `Limite ${size}` }) },
        },
      ]),
    ),
    ...Array.from({ length: 10 }, (_, number) =>
      table(`STOCK${number}`, `S${number}`, fields, { [`S${number}0`]: 'COD', [`S${number}1`]: '-DAT+COD' }),
    ),
    rows(
      'S0',
      'STOCK',
      Array.from({ length: 200 }, (_, number) => ({ COD: `C${number}`, DES: `Item ${number} of ${size}`, NUM: number })),
    ),
    script('STOCKLIB', `# source ${size}\nEnd`),
  ];
}

async function lagging(bench: Bench): Promise<void> {
  await createEnvironment(bench);
  const program = await openRustine({ home: bench.directory, database: at(bench.server, bench.original), language: 'en' });
  try {
    const integrate = async (file: string, size: number, folders: object): Promise<void> => {
      const path = await writePatchFile(bench.directory, file, delivery(size));
      const { state } = await program.integrate({ paths: [path], mode: 'integrate', jobs: bench.jobs, ...folders });
      if (state !== 'done') throw new Error(`${file} came to ${state}`);
    };
    await integrate('P_0001_140.dat', 40, {});
    await integrate('P_0002_140.dat', 60, { folders: ['X3'] });
  } finally {
    await program.close();
  }
}

/** The statements of a run, from a run that was listened to. */
async function render(bench: Bench): Promise<Rendered> {
  return copied(bench, 'recorded', async (url) => {
    const recorder = await openRecorder(url);
    await rustine(recorder.url, ['validate', '--due', '--jobs', '1']);
    await recorder.close();
    const ofFolder = (each: RecordedTransaction): boolean =>
      each.statements.some((text) => /savepoint before_validation|savepoint validation/i.test(text));
    const folders = recorder.transactions.filter(ofFolder);
    if (folders.length !== bench.folders - 1)
      throw new Error(`${folders.length} folder transactions instead of ${bench.folders - 1}`);
    const shared = recorder.transactions.filter((each) => !ofFolder(each) && isShared(each));
    console.log(`statements ${median(folders.map(({ statements }) => statements.length))} per folder`);
    return writeStatements(bench, shared, folders);
  });
}

interface Round {
  readonly run: Measured;
  readonly again: Measured;
  readonly preview: Measured;
  readonly psql: number;
}

async function round(bench: Bench, rendered: Rendered): Promise<Round> {
  const jobs = ['--jobs', String(bench.jobs)];
  const { run, again } = await copied(bench, 'by_rustine', async (url) => ({
    run: await rustine(url, ['validate', '--due', ...jobs]),
    again: await rustine(url, ['validate', '--due', ...jobs]),
  }));
  const psql = await withPsql(bench, rendered);
  const preview = await copied(bench, 'previewed', (url) => rustine(url, ['validate', '--due', '--preview', ...jobs]));
  return { run, again, preview, psql };
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
    // The supervisor folder follows nobody: so many others lag.
    const bench = { directory, server: server.url, original: 'original', folders: folders + 1, jobs };
    await lagging(bench);
    const rendered = await render(bench);
    const rounds: Round[] = [];
    for (let number = 0; number < Number(values.rounds); number++) {
      const one = await round(bench, rendered);
      rounds.push(one);
      console.log(
        `round ${number + 1}    run ${one.run.seconds.toFixed(2)} s, psql ${one.psql.toFixed(2)} s, again ${one.again.seconds.toFixed(2)} s, preview ${one.preview.seconds.toFixed(2)} s`,
      );
    }
    const ratio = median(rounds.map((each) => each.run.seconds / each.psql));
    const again = median(rounds.map((each) => each.again.seconds));
    const peak = Math.max(...rounds.flatMap((each) => [each.run.peak, each.again.peak, each.preview.peak]));
    console.log(`folders    ${folders} that lag, ${jobs} at a time`);
    console.log(`run/psql   ${ratio.toFixed(2)} (at most ${PSQL_RATIO_AT_MOST})`);
    console.log(`again      ${again.toFixed(2)} s (under ${NOTHING_AT_MOST_S})`);
    console.log(`peak RSS   ${peak.toFixed(0)} MB (at most ${RSS_AT_MOST_MB})`);
    if (ratio > PSQL_RATIO_AT_MOST || again >= NOTHING_AT_MOST_S || peak > RSS_AT_MOST_MB) process.exitCode = 1;
  } finally {
    await server.release();
    await remove();
  }
}

await main();
