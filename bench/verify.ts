// `rustine status --verify` over many folders: as they should be, and each with differences of its own; how long, and how much memory.
// Usage: node bench/verify.ts [--folders 500]
import { mkdtemp } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openRustine } from '../src/app/rustine.ts';
import { openEmbedded } from '../src/database/embedded.ts';
import { writePatchFile } from '../test/support/patches.ts';
import { serverPlace } from '../test/support/server-place.ts';
import { temporaryHome } from '../test/support/servers.ts';
import { delivery } from './delivery.ts';
import { at, type Bench, createEnvironment, query, rustine } from './side-by-side.ts';

/** On a machine that does nothing else. */
const SECONDS_AT_MOST = 120;

/** In each folder ten tables with a column and an index that no other folder has, a parameter and a row of APATCH that are gone: no two look the same. */
const TAMPER = `do $$ declare f record; n integer; begin
  for f in select * from rustine.folder where parent is not null loop
    for n in 0..9 loop
      execute format('alter table %I.%I add column %I integer, alter column num_0 drop not null', f.schema_name, 'stock' || n, 'own_' || f.id);
    end loop;
    execute format('delete from %I.apatch', f.schema_name);
    delete from rustine.record where folder = f.id and type = 'ADP' and name in ('LIMIT1', 'LIMIT2');
  end loop;
end $$`;

async function create(bench: Bench): Promise<string> {
  await createEnvironment(bench);
  const url = at(bench.server, bench.original);
  const program = await openRustine({ home: bench.directory, database: url, language: 'en' });
  try {
    const path = await writePatchFile(bench.directory, 'P_0001_140.dat', delivery(60));
    const { state } = await program.integrate({ paths: [path], mode: 'integrate', jobs: bench.jobs });
    if (state !== 'done') throw new Error(`the patch came to ${state}`);
  } finally {
    await program.close();
  }
  return url;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { folders: { type: 'string', default: '500' } } });
  const folders = Number(values.folders);
  const { home, remove } = await temporaryHome('rustine-bench-', await serverPlace());
  const directory = await mkdtemp(join(home, 'bench-'));
  const server = await openEmbedded(home);
  try {
    const jobs = Math.max(2, availableParallelism());
    const url = await create({ directory, server: server.url, original: 'verified', folders, jobs });
    // Differences are held until all folders are done: each is told once, with the folders that have it.
    for (const [how, code, mostMb] of [
      ['as they should be', 0, 300],
      ['each with differences', 1, 400],
    ] as const) {
      if (code === 1) await query(url, TAMPER);
      await query(url, 'vacuum analyze');
      const { seconds, peak } = await rustine(url, ['status', '--verify', '--json'], code);
      console.log(
        `${folders} folders, ${how}: ${seconds.toFixed(1)} s (under ${SECONDS_AT_MOST}), peak RSS ${peak.toFixed(0)} MB (at most ${mostMb})`,
      );
      if (seconds >= SECONDS_AT_MOST || peak > mostMb) process.exitCode = 1;
    }
  } finally {
    await server.release();
    await remove();
  }
}

await main();
