// A run that is all or none over two servers is killed at every named point, or the further server is: afterwards all folders of both have all of it, or none has any.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRustine, type Rustine } from '../../src/app/rustine.ts';
import type { RunEvent } from '../../src/journal/journal.ts';
import { abandoned, leftovers, rustine as program } from '../support/crash.ts';
import { queryAt } from '../support/environment.ts';
import { openOwnServer } from '../support/own-server.ts';
import { row, table } from '../support/patches.ts';
import { oneServer, servers } from '../support/servers.ts';
import { reopened, statesOf, type Two, twoServers } from '../support/two-servers.ts';

const item = (fields: Record<string, string> = {}) => table('ITEM', 'ITM', { COD: 'A:10', ...fields }, { IDX0: 'COD' });

/** The points that the sources name. */
const POINTS = readdirSync(join(import.meta.dirname, '../../src/batch'))
  .filter((file) => file.startsWith('all-or-none'))
  .flatMap((file) => [
    ...readFileSync(join(import.meta.dirname, '../../src/batch', file), 'utf8').matchAll(/reached\('([^']+)'\)/g),
  ])
  .map((match) => match[1] ?? '');

/** Once it is decided, nothing can be undone any more. */
const DECIDED = ['decided', 'finished', 'settled'];
const AT = POINTS.flatMap((point) => [
  { at: point, expected: DECIDED.includes(point) ? 'after' : 'before' },
  { at: `${point}@NORTH`, expected: DECIDED.includes(point) ? 'after' : 'before' },
]);

/**
 * Nothing waits on either server, nobody is shut out, and who recovers again finds nothing to do.
 * @param ended of a run that was decided to stay, where the environment is
 * @returns whether all have the patch
 */
async function settled(env: Two, file: string, ended = 'done'): Promise<'before' | 'after'> {
  const again = await open(env);
  await again.recover();
  for (const { settled: done, left } of Object.values(await again.recover())) expect([done, left]).toEqual([[], []]);
  expect([await leftovers(env.url), await leftovers(env.north)]).toEqual([[], []]);
  const names = 'select gid from rustine.prepared union all select run from rustine.participant';
  expect([await env.query(names), await env.at(names)]).toEqual([[], []]);
  expect(await shut(env)).toEqual([]);
  await again.close();
  const got = [
    ...['x3', 'loc'].map((schema) => env.query<Held>(held(schema, file))),
    ...['x3', 'far'].map((schema) => env.at<Held>(held(schema, file))),
  ];
  const found = new Set((await Promise.all(got)).flatMap((rows) => rows.map((each) => JSON.stringify(each))));
  expect([...found]).toHaveLength(1);
  const [{ patches, column } = { patches: -1, column: false }] = [...found].map((each) => JSON.parse(each) as Held);
  expect([patches, column]).toEqual(patches === 0 ? [0, false] : [1, true]);
  const runs = `select state, decision from rustine.run where atomic order by started_at desc limit 1`;
  for (const [rows, good] of [
    [await env.query<Run>(runs), ended],
    [await env.at<Run>(runs), 'done'],
  ] as const)
    for (const { state, decision } of rows)
      expect(decision === 'commit' ? [good] : ['interrupted', 'failed', 'refused']).toContain(state);
  return patches === 0 ? 'before' : 'after';
}

const open = (env: Two): Promise<Rustine> =>
  openRustine({ home: env.home, database: env.url, language: 'en', servers: { NORTH: env.north } });

interface Run {
  readonly state: string;
  readonly decision: string | null;
}

interface Held {
  readonly patches: number;
  readonly column: boolean;
}

/** Of the file that brings a column of its name: APATCH and the table. */
const held = (schema: string, file: string): string =>
  `select (select count(*)::integer from ${schema}.apatch where fic_0 = '${file}') as patches, exists (select from pg_attribute
    where attrelid = to_regclass('${schema}.item') and attname = '${columnOf(file).toLowerCase()}_0') as column`;

const columnOf = (file: string): string => `N${file.replace(/\D/g, '')}`;

/** Logins of folders that nobody can use. */
async function shut(env: Two): Promise<readonly string[]> {
  const text = `select r.rolname as name from rustine.folder f join pg_roles r on r.rolname = f.role_name where r.rolconnlimit = 0`;
  return [...(await env.query<{ name: string }>(text)), ...(await env.at<{ name: string }>(text))].map(({ name }) => name);
}

describe.each(oneServer())('two servers, from $name', (server) => {
  test('R30: killed at every point, on either side: all or none over both servers', async () => {
    const env = await twoServers(server, servers().at(-1));
    await env.rustine.close();
    process.env.RUSTINE_SERVER_NORTH_URL = env.north;
    onTestFinished(() => {
      delete process.env.RUSTINE_SERVER_NORTH_URL;
    });
    expect(POINTS).toEqual(expect.arrayContaining(['announced', 'prepared', 'voted', 'decided', 'finished', 'settled']));
    const fields: Record<string, string> = {};
    let number = 0;
    let file = '';
    let path = '';
    const next = async (): Promise<void> => {
      file = `A${++number}.dat`;
      fields[columnOf(file)] = 'A:5';
      path = await env.patch(file, [item(fields), row('ITM', `r${number}`, { COD: `${number}` })]);
    };
    await next();
    for (const { at, expected } of AT) {
      const command = ['integrate', path, '--atomic', '--database', env.url, '--home', env.home, '--json'];
      const killed = await program(command, { at });
      expect([at, killed.code]).toEqual([at, null]);
      await Promise.all([abandoned(env.url), abandoned(env.north)]);
      expect([at, await settled(env, file)]).toEqual([at, expected]);
      if (expected === 'after') await next();
    }
    const again = await reopened(env);
    const ended = await again.integrate({ paths: [path], mode: 'integrate', atomic: true });
    expect([ended.state, await settled(env, file)]).toEqual(['done', 'after']);
  }, 180_000);

  test('R30: kill -9 of the further server once its folder is prepared, and once it is decided: all or none over both servers', async () => {
    const north = await openOwnServer(onTestFinished);
    const env = await twoServers(server, { name: 'PostgreSQL 18 (embedded)', url: north.url });
    const moments: readonly ((event: RunEvent) => boolean)[] = [
      (event) => event.kind === 'folder-prepared' && event.folder === 'FAR',
      (event) => event.kind === 'run-decided',
    ];
    const fields: Record<string, string> = {};
    for (const [at, isIt] of moments.entries()) {
      const file = `A${at}.dat`;
      fields[columnOf(file)] = 'A:5';
      const path = await env.patch(file, [item(fields)]);
      let killed: Promise<void> | undefined;
      const listener = (event: RunEvent): void => {
        if (isIt(event)) killed ??= north.kill();
      };
      const outcome = await env.rustine.integrate({ paths: [path], mode: 'integrate', atomic: true, listener });
      await killed;
      await answering(env);
      // It may have carried out what was decided, and be gone before that was written down.
      const untold = outcome.state === 'partial' && !outcome.findings.some(({ code }) => code === 'decision-pending');
      const came = await settled(env, file, untold ? 'partial' : 'done');
      if (outcome.state === 'done') expect([at, came, statesOf(outcome).FAR]).toEqual([at, 'after', 'integrated']);
      if (at === moments.length - 1) expect([at, came]).toEqual([at, 'after']);
      await complete(env.rustine, path);
      expect(await settled(env, file)).toBe('after');
    }
  }, 120_000);
});

async function complete(rustine: Rustine, path: string): Promise<void> {
  expect((await rustine.integrate({ paths: [path], mode: 'integrate', atomic: true })).state).toBe('done');
}

/** The further server is there again. */
async function answering({ north }: Two): Promise<void> {
  for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
    try {
      await queryAt(north, 'select 1');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}
