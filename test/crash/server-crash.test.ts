// The database server is killed under a run: what was committed stays, nothing says it is there when it is not, and running again ends it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openRustine } from '../../src/app/rustine.ts';
import { openEmbedded } from '../../src/database/embedded.ts';
import type { RunListener } from '../../src/journal/journal.ts';
import { abandoned, leftovers, random, rustine } from '../support/crash.ts';
import { queryAt } from '../support/environment.ts';
import type { Environment } from '../support/folder-dump.ts';
import { difference, holdings } from '../support/folder-dump.ts';
import type { Element } from '../support/patches.ts';
import { any, rows, script, table, texts, writePatchFile } from '../support/patches.ts';
import { temporaryHome } from '../support/servers.ts';

/** How often the server is killed at a random moment. */
const RUNS = Math.ceil(Number(process.env.RUSTINE_CRASH_RUNS ?? '25') / 5);
const SEED = Number(process.env.RUSTINE_CRASH_SEED ?? '1');

const FOLDERS = ['A', 'B', 'C', 'D', 'X3'] as const;
const FIELDS = { COD: 'A:10', DES: 'A:30' } as const;

const parameter = (access: string, title: string): Element =>
  any('ADP', 'LIMIT', [{ tag: 'ADP', values: { ACS: access, INTIT: texts({ ENG: title }), PARAM: 'LIMIT' } }]);
const BEFORE: readonly Element[] = [parameter('KEEP', 'Limit'), table('ITEM', 'ITM', FIELDS, { ITM0: 'COD', ITM1: 'DES' })];
/** Updates what is there (a set-up field, a line that goes away) and brings new elements. */
const PATCH: readonly Element[] = [
  parameter('OTHER', 'Upper limit'),
  table('ITEM', 'ITM', FIELDS, { ITM0: 'COD' }),
  ...Array.from({ length: 8 }, (_, at) => table(`ITEM${at}`, `I${at}`, FIELDS, { [`I${at}0`]: 'COD' })),
  rows('I0', 'ALL', [
    { COD: 'A', DES: 'one' },
    { COD: 'B', DES: 'two' },
  ]),
  script('ITEMLIB', 'End'),
];
const FILES = ['P_0001_140.dat', 'P_0002_140.dat'] as const;

let home = '';
let url = '';
let databases = 0;
let path = '';
let after: Environment;
const cleanUp: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const temporary = await temporaryHome();
  home = temporary.home;
  cleanUp.push(temporary.remove);
  const server = await openEmbedded(home);
  cleanUp.unshift(server.release);
  url = server.url;
  const { database } = await environment();
  expect(await integrate(database)).toEqual([0, '']);
  after = await holdings(database);
});

afterAll(async () => {
  for (const work of cleanUp) await work();
});

/** An environment in a database of its own, in which the first patch is integrated. */
async function environment(): Promise<{ readonly database: string; readonly before: Environment }> {
  const name = `environment_${++databases}`;
  await queryAt(url, `create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  const program = await openRustine({ home, database: own.href, language: 'en' });
  await program.init({});
  await program.createFolders(FOLDERS.slice(0, -1), {});
  const first = await writePatchFile(join(home, 'patches'), FILES[0], BEFORE);
  await program.integrate({ paths: [first], mode: 'integrate' });
  await program.close();
  path = await writePatchFile(join(home, 'patches'), FILES[1], PATCH);
  return { database: own.href, before: await holdings(own.href) };
}

async function integrate(database: string): Promise<readonly unknown[]> {
  const { code, err } = await rustine(['integrate', path, '--database', database, '--quiet']);
  return [code, err];
}

function expectBeforeOrAfter(now: Environment, before: Environment): void {
  for (const code of FOLDERS) {
    const expected = now.apatch.get(code)?.includes(FILES[1]) === true ? after : before;
    expect([code, difference(expected.folders.get(code) ?? [], now.folders.get(code) ?? [])]).toEqual([code, []]);
  }
}

async function expectTheEnd(database: string): Promise<void> {
  expect(await integrate(database)).toEqual([0, '']);
  const now = await holdings(database);
  expectBeforeOrAfter(now, after);
  for (const code of FOLDERS) expect(now.apatch.get(code)).toEqual(FILES);
  expect(await leftovers(database)).toEqual([]);
}

/** The server answers again. */
async function recovered(): Promise<void> {
  for (const deadline = Date.now() + 20_000; ; await sleep(20)) {
    try {
      await queryAt(url, 'select 1');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

/** A session of the server that may be killed at any time. */
async function victim(): Promise<number> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  const { rows: found } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return found[0]?.pid ?? 0;
}

test.each(['X3', 'A', 'B', 'D'])(
  'R30: the server restarts when folder %s has got the patch: the others get all of it or nothing',
  async (folder) => {
    const { database, before } = await environment();
    const pid = await victim();
    const program = await openRustine({ home, database, language: 'en', jobs: 1 });
    // A session that dies makes the server restart by itself; unlogged tables, such as those of the staging, are empty then.
    const listener: RunListener = (event) => {
      if (event.kind !== 'patch-finished' || event.folder !== folder || event.outcome.state !== 'integrated') return;
      process.kill(pid, 'SIGKILL');
      // Long enough that only one folder meets the dying server, and the next ones the restarted.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
    };
    await program.integrate({ paths: [path], mode: 'integrate', listener }).catch(() => undefined);
    await recovered();
    await program.close();
    await abandoned(database);
    const now = await holdings(database);
    expect(now.apatch.get(folder)).toContain(FILES[1]);
    expectBeforeOrAfter(now, before);
    // The same process goes on, as a server does: it knows that its own run is no longer there.
    const next = await openRustine({ home, database, language: 'en' });
    await next.integrate({ paths: [path], mode: 'integrate' });
    await next.close();
    await expectTheEnd(database);
  },
);

test(
  `R30: kill -9 of the server at ${RUNS} random moments of a run (seed ${SEED})`,
  async () => {
    const next = random(SEED);
    for (let run = 0; run < RUNS; run++) {
      const { database, before } = await environment();
      const running = integrate(database);
      await sleep(150 + next() * 350);
      const pid = Number((await readFile(join(home, 'postgres', 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);
      process.kill(pid, 'SIGKILL');
      const [code, err] = await running;
      // Whatever the server answers or does not answer: the world failed, not the program.
      expect([code, err]).toEqual([code === 0 || code === 1 ? code : 3, err]);
      await recovered();
      await abandoned(database);
      expectBeforeOrAfter(await holdings(database), before);
      await expectTheEnd(database);
    }
  },
  60_000 + RUNS * 20_000,
);
