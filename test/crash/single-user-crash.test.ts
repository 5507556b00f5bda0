// R12: whatever kills a run, no login stays shut: the next command lets it in again, and never those of a run that lives.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startRecovering } from '../../src/batch/recovering.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { abandoned, leftovers, random, rustine } from '../support/crash.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { table } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

/** How many runs are killed at a random moment; more: RUSTINE_CRASH_RUNS=500, other moments: RUSTINE_CRASH_SEED=7. */
const RUNS = Math.ceil(Number(process.env.RUSTINE_CRASH_RUNS ?? '12') / 2);
const SEED = Number(process.env.RUSTINE_CRASH_SEED ?? '1');

describe.each(everyServer())('R12: killed on $name', (server) => {
  const cleanUp: (() => Promise<void>)[] = [];
  let env: TestEnvironment;
  let logins: ReadonlyMap<string, string>;

  beforeAll(async () => {
    env = await openEnvironment(server, { folders: ['SEED', 'SHOP'], later: (work) => void cleanUp.unshift(work) });
    await env.integrate(await env.patch('A.dat', [table('ITEM', 'ITM', { COD: 'A:5' }, { ITM0: 'COD' })]));
    await env.patch('B.dat', [table('ITEM', 'ITM', { COD: 'A:9' }, { ITM0: 'COD' })]);
    logins = new Map(
      await Promise.all(['X3', 'SEED', 'SHOP'].map(async (code) => [code, await env.rustine.databaseUrl(code)] as const)),
    );
    await env.rustine.close();
  });

  afterAll(async () => {
    for (const work of cleanUp) await work().catch(() => undefined);
  });

  const program = (argv: readonly string[], stop: Parameters<typeof rustine>[1] = {}) =>
    rustine([...argv, '--database', env.url, '--home', env.home, '--json'], stop);
  const rehearse = (folders: string, stop: Parameters<typeof rustine>[1] = {}, options: readonly string[] = []) =>
    program(['integrate', `${env.directory}/B.dat`, '--rehearse', '--folders', folders, ...options], stop);

  /** Folders whose login the server refuses. */
  async function shut(): Promise<readonly string[]> {
    const refused: string[] = [];
    for (const [code, url] of logins) {
      const client = new Client({ connectionString: url });
      client.on('error', () => undefined);
      await client.connect().catch(() => refused.push(code));
      await client.end().catch(() => undefined);
    }
    return refused;
  }

  /** The same as the catalog of the server has it: whoever tries to come in before a run begins would be a session that blocks it. */
  async function limited(): Promise<readonly string[]> {
    const rows = await env.query<{ code: string }>(
      `select upper(substr(rolname, length(current_database()) + 2)) as code from pg_roles where starts_with(rolname, current_database() || '_') and rolconnlimit = 0 order by 1`,
    );
    return rows.map(({ code }) => code);
  }

  /** The next command, whichever it is, settles it; then there is nothing left to do. */
  async function expectSettled(): Promise<void> {
    expect(await program(['status'])).toMatchObject({ code: 0, err: '' });
    expect(await shut()).toEqual([]);
    expect(await leftovers(env.url)).toEqual([]);
    const { out } = await program(['recover']);
    const { settled, left } = JSON.parse(out) as Record<string, Record<string, readonly string[]>>;
    expect([Object.values(settled ?? {}).flat(), Object.values(left ?? {}).flat()]).toEqual([[], []]);
  }

  test.each(['run-logins-shut', 'run-alone', 'folder-locked', 'applied:2'])(
    'at "%s": the next command lets everybody in',
    async (at) => {
      expect((await rehearse('all', { at })).code).toBeNull();
      expect(await shut()).toEqual(['X3', 'SEED', 'SHOP']);
      await abandoned(env.url);
      await expectSettled();
    },
  );

  test('recover says what it settled, and may be repeated, by several at once', async () => {
    expect((await rehearse('SEED,SHOP', { at: 'recorded' })).code).toBeNull();
    expect(await shut()).toEqual(['SEED', 'SHOP']);
    await abandoned(env.url);
    const both = await Promise.all([program(['recover']), program(['recover'])]);
    expect(both.map(({ code, err }) => [code, err])).toEqual([
      [0, ''],
      [0, ''],
    ]);
    const settled = both.map(({ out }) => (JSON.parse(out) as { settled: { runs: string[]; logins: string[] } }).settled);
    expect(settled.flatMap(({ logins: open }) => open).sort()).toEqual(['SEED', 'SHOP']);
    expect(new Set(settled.flatMap(({ runs }) => runs)).size).toBe(1);
    await expectSettled();
  });

  test('a worker settles it, without anybody running a command', async () => {
    expect((await rehearse('SEED', { at: 'run-alone' })).code).toBeNull();
    const database = await openPostgres(env.url, 2);
    onTestFinished(() => database.close());
    const duty = startRecovering(database, 20);
    onTestFinished(() => duty.end());
    await expect.poll(limited).toEqual([]);
    expect(await leftovers(env.url)).toEqual([]);
  });

  test('of two runs over different folders one is killed: its logins are let in, those of the other stay shut until it ends', async () => {
    const holder = new Client({ connectionString: env.url });
    await holder.connect();
    onTestFinished(() => holder.end());
    await holder.query('begin; lock table shop.item');
    const living = rehearse('SHOP');
    await expect.poll(limited, { timeout: 15_000 }).toEqual(['SHOP']);
    expect((await rehearse('SEED', { at: 'folder-locked' })).code).toBeNull();
    expect(await shut()).toEqual(['SEED', 'SHOP']);
    // Its transaction ends as soon as the server has noticed.
    await expect.poll(async () => (await program(['recover'])).code === 0 && shut(), { timeout: 10_000 }).toEqual(['SHOP']);
    await holder.query('rollback');
    expect(await living).toMatchObject({ code: 0 });
    await expectSettled();
  });

  test(
    `at ${RUNS} random moments while users are disconnected (seed ${SEED}): nobody stays shut out`,
    async () => {
      const next = random(SEED);
      const whole = (await rehearse('all', {}, ['--disconnect'])).ms;
      let found = 0;
      for (let run = 0; run < RUNS; run++) {
        const users = [...logins.values()].map((connectionString) => new Client({ connectionString }));
        for (const client of users) client.on('error', () => undefined);
        await Promise.all(users.map((client) => client.connect()));
        await rehearse('all', { after: Math.round(next() * whole) }, ['--disconnect']);
        if ((await shut()).length > 0) found += 1;
        if (next() < 0.5) await sleep(50);
        await Promise.all(users.map((client) => client.end().catch(() => undefined)));
        await abandoned(env.url);
        await expectSettled();
      }
      if (RUNS >= 20) expect(found).toBeGreaterThan(0);
    },
    60_000 + RUNS * 10_000,
  );
});
