// `rustine status` over many folders with many patches each, as the user feels it: the whole program, from its start to its end.
// Usage: node bench/status.ts [--folders 500] [--patches 200,1000] [--tables 200] [--rounds 5]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { openRustine } from '../src/app/rustine.ts';
import { openEmbedded } from '../src/database/embedded.ts';
import { serverPlace } from '../test/support/server-place.ts';
import { temporaryHome } from '../test/support/servers.ts';

const SECONDS_AT_MOST = 1;
const PROGRAM = join(import.meta.dirname, '../bin/rustine.js');

async function query(url: string, text: string, values: readonly unknown[] = []): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

/**
 * An environment in which every third folder lacks the last patches, one of them more than the others, and a few have other content of one.
 * By SQL: what the folders have in their schemas, `status` does not look at. Rows go in as a copy of a database would bring them, so where the
 * folders stand is counted afterwards, as for an environment of an earlier version.
 */
async function create(
  server: string,
  home: string,
  name: string,
  folders: number,
  patches: number,
  tables: number,
): Promise<string> {
  await query(server, `create database ${name} template template0`);
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href;
  const program = await openRustine({ home, database: url, language: 'en' });
  await program.init({}).finally(() => program.close());
  await query(
    url,
    `insert into rustine.folder (code, parent, state, schema_name, languages, created_by)
     select 'F' || n, 1, 'ready', 'f' || n, '{ENG,FRA}', 'bench' from generate_series(1, $1::integer - 1) n`,
    [folders],
  );
  await query(
    url,
    `with off as (select set_config('session_replication_role', 'replica', false))
     insert into rustine.integration (folder, kind, run, file, digest, patch_type, series, number, version, apatch_num, operator, rows, outcome, apatch, previous, hash)
     select f.id, 'patch', 'bench', format('P_%s_140.dat', lpad(n::text, 4, '0')), sha256(convert_to(n || case when f.id % 100 = 7 and n = 5 then 'other' else '' end, 'UTF8')),
       '1', 'P', n, '140', n, 'bench', 10, $3::jsonb, jsonb_build_object('num_0', n, 'fic_0', format('P_%s_140.dat', n), 'usr_0', 'bench', 'comment_0', repeat('x', 100)),
       sha256(convert_to(n::text, 'UTF8')), sha256(convert_to((n + 1)::text, 'UTF8'))
     from off, generate_series(1, $2::integer) n cross join rustine.folder f where f.id <= $1::integer + 1 and (f.id % 3 <> 0 or n <= $2 - 3 - f.id % 40)`,
    [
      folders,
      patches,
      JSON.stringify({ file: 'x', state: 'integrated', elements: { created: 1, updated: 2 }, ms: 40, ran: [], pending: [] }),
    ],
  );
  await query(
    url,
    `insert into rustine.element (folder, type, name, title, created_by, updated_by)
     select f.id, 'ATB', 'T' || n, 'Table', 1, 1 from rustine.folder f, generate_series(1, $1::integer) n`,
    [tables],
  );
  await query(
    url,
    'update rustine.folder f set (level, patches, standard) = (select s.level, s.patches, s.standard from rustine.standing(f.id) s)',
  );
  await query(url, 'vacuum analyze');
  return url;
}

async function status(url: string, options: readonly string[]): Promise<{ readonly seconds: number; readonly out: string }> {
  const started = performance.now();
  const child = spawn(process.execPath, [PROGRAM, 'status', '--database', url, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const out: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`status ended with ${code}`);
  return { seconds: (performance.now() - started) / 1000, out: Buffer.concat(out).toString() };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      folders: { type: 'string', default: '500' },
      patches: { type: 'string', default: '200,1000' },
      tables: { type: 'string', default: '200' },
      rounds: { type: 'string', default: '5' },
    },
  });
  const folders = Number(values.folders);
  const { home, remove } = await temporaryHome('rustine-bench-', await serverPlace());
  const directory = await mkdtemp(join(home, 'bench-'));
  const server = await openEmbedded(home);
  try {
    for (const patches of values.patches.split(',').map(Number)) {
      const url = await create(server.url, directory, `status_${patches}`, folders, patches, Number(values.tables));
      for (const options of [[], ['--json']]) {
        await status(url, options);
        const seconds: number[] = [];
        for (let round = 0; round < Number(values.rounds); round++) seconds.push((await status(url, options)).seconds);
        const middle = median(seconds);
        console.log(
          `${folders} folders, ${patches} patches each: status ${options.join(' ')} ${middle.toFixed(2)} s (under ${SECONDS_AT_MOST})`,
        );
        if (middle >= SECONDS_AT_MOST) process.exitCode = 1;
      }
      const { folders: told } = JSON.parse((await status(url, ['--json'])).out) as {
        folders: readonly { lag: readonly string[]; patches: number }[];
      };
      const lagging = told.filter(({ lag }) => lag.length > 0).length;
      if (told.length !== folders || lagging === 0 || lagging === folders)
        throw new Error(`${told.length} folders, ${lagging} of them lag`);
    }
  } finally {
    await server.release();
    await remove();
  }
}

await main();
