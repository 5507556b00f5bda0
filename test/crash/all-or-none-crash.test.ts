// A run that is all or none is killed, the process or the server: afterwards all folders have all of it, or none has any; nothing stays prepared.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openRustine } from '../../src/app/rustine.ts';
import type { Failure } from '../../src/base/errors.ts';
import type { RunEvent } from '../../src/journal/journal.ts';
import { abandoned, leftovers, random, rustine } from '../support/crash.ts';
import { cloneDatabase, connected, openEnvironment, queryAt } from '../support/environment.ts';
import { difference, type Environment, holdings } from '../support/folder-dump.ts';
import { openOwnServer } from '../support/own-server.ts';
import { exe, row, rows, script, table, writePatchFile } from '../support/patches.ts';
import { everyServer, servers } from '../support/servers.ts';

/** How often a run is killed at a random moment. */
const RUNS = Math.ceil(Number(process.env.RUSTINE_CRASH_RUNS ?? '25') / 5);
const SERVER_RUNS = Math.ceil(Number(process.env.RUSTINE_CRASH_RUNS ?? '25') / 12);
const SEED = Number(process.env.RUSTINE_CRASH_SEED ?? '1');

const FIELDS = { COD: 'A:10', DES: 'A:30' } as const;
const FOLDERS = ['DEV', 'LIVE', 'SEED', 'X3'] as const;
const FILES = ['P_0001_140.dat', 'P_0002_140.dat'] as const;
const PATCHES = [
  [
    table('ITEM', 'ITM', FIELDS, { ITM0: 'COD' }),
    table('BAG', 'BAG', FIELDS, { BAG0: 'COD', BAG1: 'DES' }),
    rows('ITM', 'ALL', [
      { COD: 'A', DES: 'one' },
      { COD: 'B', DES: 'two' },
    ]),
    script('LIB', `create function items() returns bigint language sql as 'select count(*) from item';`),
  ],
  [
    table('ITEM', 'ITM', { ...FIELDS, MORE: 'A:10' }, { ITM0: 'COD', ITM1: 'DES' }),
    row('ITM', 'ONE', { COD: 'C', DES: 'three', MORE: 'x' }),
    script('AFTER', '# 4GL\nEnd'),
    exe('AFTER'),
  ],
];

const RECOVERY = join(import.meta.dirname, '../support/recovery-client.ts');

/** The points that the sources name. */
const POINTS = readdirSync(join(import.meta.dirname, '../../src/batch'))
  .filter((file) => file.startsWith('all-or-none'))
  .flatMap((file) => [
    ...readFileSync(join(import.meta.dirname, '../../src/batch', file), 'utf8').matchAll(/reached\('([^']+)'\)/g),
  ])
  .map((match) => match[1] ?? '');
/** Those that each folder comes to. LIVE is a test folder: it shares the supervisor folder's transaction. */
const GROUPS = FOLDERS.length - 1;

describe.each(everyServer())('$name', (server) => {
  const thorough = server.name === servers()[0]?.name;
  const cleanUp: (() => Promise<void>)[] = [];
  let directory = '';
  let original = '';
  let before: Environment;
  let after: Environment;

  beforeAll(async () => {
    const later = (work: () => Promise<void>): void => void cleanUp.unshift(work);
    directory = await mkdtemp(join(tmpdir(), 'rustine-atomic-'));
    later(() => rm(directory, { recursive: true, force: true }));
    for (const [at, file] of FILES.entries()) await writePatchFile(directory, file, PATCHES[at] ?? []);
    const environment = await openEnvironment(server, { folders: ['DEV', 'SEED'], later });
    await environment.folders(['LIVE'], { parent: 'DEV', test: true });
    await environment.rustine.close();
    original = environment.database;
    const undisturbed = await cloneDatabase(server, original, later);
    before = await holdings(undisturbed.url);
    expect(await integrate(undisturbed.url)).toMatchObject({ code: 0, err: '' });
    after = await holdings(undisturbed.url);
  });

  afterAll(async () => {
    for (const work of cleanUp) await work().catch(() => undefined);
  });

  const copy = async (): Promise<string> => (await cloneDatabase(server, original, onTestFinished)).url;
  const integrate = (url: string, stop: Parameters<typeof rustine>[1] = {}) =>
    rustine(
      ['integrate', directory, '--atomic', '--jobs', '2', '--database', url, '--home', `${directory}-none`, '--json'],
      stop,
    );

  /** A command that does nothing with the folders settles what a dead one left. */
  async function settled(url: string): Promise<'before' | 'after'> {
    await abandoned(url);
    const told = await rustine(['recover', '--database', url, '--home', `${directory}-none`, '--json']);
    expect([told.code, told.err]).toEqual([0, '']);
    expect(await leftovers(url)).toEqual([]);
    expect(await queryAt(url, 'select gid from rustine.prepared')).toEqual([]);
    const now = await holdings(url);
    const got = now.apatch.get('X3')?.length === FILES.length;
    for (const code of FOLDERS) {
      const expected = got ? after : before;
      expect([code, difference(expected.folders.get(code) ?? [], now.folders.get(code) ?? [])]).toEqual([code, []]);
      expect(now.apatch.get(code)).toEqual(got ? FILES : []);
    }
    const runs = await queryAt<{ state: string; decision: string | null }>(url, 'select state, decision from rustine.run');
    for (const { state, decision } of runs) expect(decision === 'commit' ? ['done'] : ['interrupted', 'failed']).toContain(state);
    return got ? 'after' : 'before';
  }

  async function expectTheEnd(url: string): Promise<void> {
    expect(await integrate(url)).toMatchObject({ code: 0, err: '' });
    const now = await holdings(url);
    for (const code of FOLDERS) {
      expect([code, difference(after.folders.get(code) ?? [], now.folders.get(code) ?? [])]).toEqual([code, []]);
      expect(now.apatch.get(code)).toEqual(FILES);
    }
    expect(await leftovers(url)).toEqual([]);
  }

  test('the sources name points to stop at', () => {
    expect(POINTS).toEqual(expect.arrayContaining(['announced', 'prepared', 'decided', 'finished']));
  });

  const positions = [
    ...Array.from({ length: GROUPS }, (_, at) => ['prepared', at + 1, 'before'] as const),
    ...Array.from({ length: GROUPS }, (_, at) => ['finished', at + 1, 'after'] as const),
    ['announced', 1, 'before'] as const,
    ['decided', 1, 'after'] as const,
    ['recorded', 5, 'before'] as const,
  ].filter(([, at]) => thorough || at === 2);

  test.each(positions)('R30: killed at "%s" for the %d. time: every folder is %s', async (point, position, expected) => {
    const url = await copy();
    const killed = await integrate(url, { at: `${point}:${position}` });
    expect(killed.code).toBe(null);
    if (point === 'prepared') {
      // Nobody sees anything of what waits.
      await abandoned(url);
      // The next one may have been prepared in the same moment.
      const [waiting] = await queryAt<{ count: number }>(
        url,
        'select count(*)::integer as count from pg_prepared_xacts where database = current_database()',
      );
      expect(waiting?.count).toBeGreaterThanOrEqual(position);
      expect((await holdings(url)).apatch.get('X3')).toEqual([]);
    }
    expect(await settled(url)).toBe(expected);
    await expectTheEnd(url);
  });

  test(
    `R30: killed at ${thorough ? RUNS : 2} random moments (seed ${SEED})`,
    async () => {
      const next = random(SEED);
      const whole = (await integrate(await copy())).ms;
      for (let run = 0; run < (thorough ? RUNS : 2); run++) {
        const url = await copy();
        // The decision comes late.
        await integrate(url, { after: Math.round((0.3 + 0.7 * next()) * whole) });
        if (next() < 0.7) await settled(url);
        await expectTheEnd(url);
        await queryAt(server.url, `DROP DATABASE ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
      }
    },
    60_000 + RUNS * 15_000,
  );

  test('R30: killed while it settles, again and again: the next command goes on', async () => {
    const url = await copy();
    await integrate(url, { at: 'decided' });
    await abandoned(url);
    for (const after of [150, 250, 350]) await rustine(['recover', '--database', url, '--home', `${directory}-none`], { after });
    expect(await settled(url)).toBe('after');
  });

  test('R30: a run that lives is left alone by whoever recovers meanwhile', async () => {
    const url = await copy();
    const running = integrate(url);
    const recovered: (number | null)[] = [];
    let over = false;
    void running.then(() => (over = true));
    while (!over) recovered.push((await rustine(['recover', '--database', url, '--home', `${directory}-none`, '--json'])).code);
    expect([(await running).code, [...new Set(recovered)]]).toEqual([0, [0]]);
    expect(await settled(url)).toBe('after');
  });

  test('R30: one that was believed to be dead and wakes up finds the decision of whoever settled its run', async () => {
    const url = await copy();
    const program = await openRustine({ home: `${directory}-none`, database: url, language: 'en', jobs: 1 });
    onTestFinished(() => program.close().catch(() => undefined));
    await connected(url, async (client) => {
      // The run stands still at its last folder.
      await client.query(`begin; select from rustine.folder where code = 'SEED' for update`);
      const prepared = Promise.withResolvers<void>();
      const listener = ({ kind }: RunEvent): void => void (kind === 'folder-prepared' && prepared.resolve());
      const woken = program.integrate({ paths: [directory], mode: 'integrate', atomic: true, listener });
      const told = woken.then(
        ({ state, folders }) => [state, ...new Set(folders.map((each) => each.state))],
        ({ code }: Failure) => [code],
      );
      await prepared.promise;
      // As if it had slept: its lease has ended, and another program settles what it left, and ends the session that stands still.
      await once(spawn(process.execPath, [RECOVERY, url], { stdio: 'ignore' }), 'exit');
      expect(await queryAt(url, 'select decision from rustine.run')).toEqual([{ decision: 'rollback' }]);
      await client.query('rollback');
      // Either it learns first that its run was settled, or that the connection was ended on which it was at work: nothing anywhere in both cases.
      expect([['run-lost'], ['failed', 'skipped', 'failed'], ['failed', 'failed', 'skipped']]).toContainEqual(await told);
    });
    await program.close();
    expect(await settled(url)).toBe('before');
    await expectTheEnd(url);
  });
});

describe('the database server', () => {
  test(
    `R30: kill -9 of the server at ${SERVER_RUNS} random moments of a run that is all or none (seed ${SEED})`,
    async () => {
      const server = await openOwnServer(onTestFinished);
      const { home } = server;
      const paths: string[] = [];
      for (const [at, file] of FILES.entries()) paths.push(await writePatchFile(join(home, 'patches'), file, PATCHES[at] ?? []));
      const next = random(SEED);
      const integrate = (url: string) => rustine(['integrate', ...paths, '--atomic', '--database', url, '--quiet']);
      const made = async (name: string): Promise<string> => {
        await queryAt(server.url, `create database ${name}`);
        const own = new URL(server.url);
        own.pathname = `/${name}`;
        const program = await openRustine({ home, database: own.href, language: 'en' });
        await program.init({});
        await program.createFolders(['DEV', 'SEED'], {});
        await program.createFolders(['LIVE'], { parent: 'DEV', test: true });
        await program.close();
        return own.href;
      };
      const whole = (await integrate(await made('undisturbed'))).ms;
      for (let run = 0; run < SERVER_RUNS; run++) {
        const url = await made(`killed_${run}`);
        const before = await holdings(url);
        const running = integrate(url);
        await sleep((0.4 + 0.6 * next()) * whole);
        await server.kill();
        const { code } = await running;
        expect([0, 1, 3]).toContain(code);
        await reachable(server);
        expect((await rustine(['recover', '--database', url])).code).toBe(0);
        const now = await holdings(url);
        const counts = new Set(FOLDERS.map((folder) => now.apatch.get(folder)?.length));
        expect([...counts]).toEqual([code === 0 ? FILES.length : expect.toBeOneOf([0, FILES.length])]);
        if (counts.has(0))
          for (const folder of FOLDERS)
            expect([folder, difference(held(before, folder), held(now, folder))]).toEqual([folder, []]);
        expect(await leftovers(url)).toEqual([]);
        expect(await integrate(url)).toMatchObject({ code: 0, err: '' });
        expect(await leftovers(url)).toEqual([]);
      }
    },
    60_000 + SERVER_RUNS * 30_000,
  );
});

const held = ({ folders }: Environment, code: string): readonly string[] => folders.get(code) ?? [];

/** The server answers again. */
async function reachable(server: { readonly url: string }): Promise<void> {
  for (const deadline = Date.now() + 20_000; ; await sleep(20)) {
    try {
      await queryAt(server.url, 'select 1');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}
