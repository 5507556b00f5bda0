// A run over many folders, side by side with psql: the same statements, rendered to a file per folder, on as many connections.
// Usage: node bench/folders.ts [--folders 500] [--jobs 2] [--rounds 3]
import { mkdtemp } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openEmbedded } from '../src/database/embedded.ts';
import type { Element } from '../test/support/patches.ts';
import { activityCode, any, rows, script, table, texts, writePatchFile } from '../test/support/patches.ts';
import { serverPlace } from '../test/support/server-place.ts';
import { temporaryHome } from '../test/support/servers.ts';
import {
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

const PSQL_RATIO_AT_MOST = 1.5;
const REHEARSAL_RATIO_AT_MOST = 1.3;
const NOTHING_AT_MOST_S = 2;
const RSS_AT_MOST_MB = 300;

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

interface PatchBench extends Bench {
  readonly patch: string;
}

/** The statements of a run, from a run that was listened to. */
async function render(bench: PatchBench): Promise<Rendered> {
  return copied(bench, 'recorded', async (url) => {
    const recorder = await openRecorder(url);
    await rustine(recorder.url, ['integrate', bench.patch, '--jobs', '1']);
    await recorder.close();
    const ofFolder = (each: RecordedTransaction): boolean =>
      each.statements.some((text) => /from rustine\.folder where id = .* for no key update/.test(text));
    const folders = recorder.transactions.filter(ofFolder);
    if (folders.length !== bench.folders) throw new Error(`${folders.length} folder transactions instead of ${bench.folders}`);
    const shared = recorder.transactions.filter((each) => !ofFolder(each) && isShared(each));
    return writeStatements(bench, shared, folders);
  });
}

interface Round {
  readonly run: Measured;
  readonly again: Measured;
  readonly rehearsal: Measured;
  readonly psql: number;
}

async function round(bench: PatchBench, rendered: Rendered): Promise<Round> {
  const jobs = ['--jobs', String(bench.jobs)];
  const { run, again } = await copied(bench, 'by_rustine', async (url) => ({
    run: await rustine(url, ['integrate', bench.patch, ...jobs]),
    again: await rustine(url, ['integrate', bench.patch, ...jobs]),
  }));
  const byPsql = await withPsql(bench, rendered);
  const rehearsal = await copied(bench, 'rehearsed', (url) => rustine(url, ['integrate', bench.patch, '--rehearse', ...jobs]));
  return { run, again, rehearsal, psql: byPsql };
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
    await createEnvironment(place);
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
