// A network that forgets a connection tells neither end: no answer comes, and nothing says that none will.
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { isLost, type SilenceLimits } from '../../src/database/silence.ts';
import { sql } from '../../src/database/sql.ts';
import { takeLease } from '../../src/journal/processes.ts';
import { openEnvironment } from '../support/environment.ts';
import { openProxy, type ServerProxy } from '../support/proxy.ts';
import { createDatabase, oneServer, type TestServer } from '../support/servers.ts';

const QUICK: SilenceLimits = {
  askAfterMs: 300,
  lookMs: 400,
  answeredForMs: 100,
  unsentMs: 1_500,
  unreachableMs: 600,
  awayMs: 300,
  goodbyeMs: 300,
};

async function open(
  server: TestServer,
): Promise<{ readonly proxy: ServerProxy; readonly database: Database; readonly url: string }> {
  const created = await createDatabase(server);
  onTestFinished(() => created.drop());
  const proxy = await openProxy(created.url);
  onTestFinished(() => proxy.close());
  const database = await openPostgres(proxy.url, 3, QUICK);
  onTestFinished(() => database.close().catch(() => undefined));
  return { proxy, database, url: created.url };
}

const pidOf = sql`select pg_backend_pid() as pid`;

describe.each(oneServer())('$name', (server) => {
  test('R30: a transaction whose connection falls silent ends as lost; the next one goes on over another connection', async () => {
    const { proxy, database } = await open(server);
    const work = database.transaction(async (session) => {
      await session.query(pidOf);
      proxy.silence();
      return session.query(pidOf);
    });
    await expect(work).rejects.toMatchObject({ code: 'database-lost' });
    expect(await database.query(sql`select 1 as one`)).toEqual([{ one: 1 }]);
  });

  test('the answer of a long statement that goes lost is not waited for; one that is at work is, however long', async () => {
    const { proxy, database } = await open(server);
    expect(await database.query(sql`select 1 as one from pg_sleep(1.5)`)).toEqual([{ one: 1 }]);
    const lost = database.query(sql`select 1 as one from pg_sleep(1)`);
    const kept = database.query(sql`select 1 as one`);
    expect(await kept).toEqual([{ one: 1 }]);
    proxy.silence();
    await expect(lost).rejects.toMatchObject({ code: 'database-lost' });
  });

  test('rows that are copied and do not arrive: the server waits for them, so the connection is lost', async () => {
    const { proxy, database } = await open(server);
    const work = database.transaction(async (session) => {
      await session.script('create table public.rows (n integer)');
      async function* rows(): AsyncGenerator<string> {
        yield '1\n';
        await pause(50);
        proxy.silence();
        yield '2\n';
      }
      return session.copyIn('copy public.rows from stdin', rows());
    });
    await expect(work).rejects.toMatchObject({ code: 'database-lost' });
    expect(await database.query(sql`select to_regclass('public.rows') as there`)).toEqual([{ there: null }]);
  });

  test('where new connections are silent as well, nothing can be asked: after a while it is lost all the same', async () => {
    const { proxy, database } = await open(server);
    await database.query(pidOf);
    proxy.silence(true);
    await expect(database.query(pidOf)).rejects.toMatchObject({ code: 'database-lost' });
    // Whoever comes next does not wait as long as the first one.
    const started = performance.now();
    await expect(database.query(pidOf)).rejects.toMatchObject({ code: 'database-unreachable' });
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  test('closing waits neither for a connection that is silent nor for its answer', async () => {
    const { proxy, database } = await open(server);
    await Promise.all([database.query(sql`select pg_sleep(0.1)`), database.query(sql`select pg_sleep(0.1)`)]);
    proxy.silence(true);
    const both = [database.query(pidOf), database.query(pidOf)];
    await pause(50);
    // One that is being opened, too.
    const asked = Promise.allSettled([...both, database.query(pidOf)]);
    await pause(50);
    const started = performance.now();
    await database.close();
    expect(performance.now() - started).toBeLessThan(3_000);
    expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });

  test('the server is told how long a client that says nothing may be gone', async () => {
    const { database } = await open(server);
    const [row] = await database.query<Record<string, string>>(sql`
      select current_setting('tcp_keepalives_idle') as idle, current_setting('tcp_user_timeout') as unanswered,
        current_setting('idle_in_transaction_session_timeout') as open`);
    expect(row).toMatchObject({ idle: '30', open: '10min' });
    expect(['60s', '1min', '60000ms', '60000']).toContain(row?.unanswered);
  });

  test.each([
    ['the server ends the session', `select pg_terminate_backend(pg_backend_pid())`],
    ['its transaction stood still for too long', `set local idle_in_transaction_session_timeout = 50`],
  ])('R30: lost is lost, whoever says so: %s', async (_who, statement) => {
    const { database } = await open(server);
    const work = database.transaction(async (session) => {
      await session.script(statement);
      await pause(200);
      return session.query(pidOf);
    });
    await expect(work).rejects.toMatchObject({ code: 'database-lost' });
  });

  test('R30: a lease goes on being renewed when the connection of a renewal falls silent, and nobody waits for that one', async () => {
    const env = await openEnvironment(server);
    const proxy = await openProxy(env.url);
    onTestFinished(() => proxy.close());
    const database = await openPostgres(proxy.url, 3, { ...QUICK, askAfterMs: 15_000 });
    onTestFinished(() => database.close().catch(() => undefined));
    const lease = await takeLease(database, 'command', 'nightly', 500);
    const until = async (): Promise<string | undefined> =>
      (await env.query<{ at: string }>('select alive_until::text as at from rustine.process'))[0]?.at;
    proxy.silence();
    const before = await until();
    await expect.poll(until, { timeout: 5_000 }).not.toBe(before);
    proxy.silence();
    const started = performance.now();
    await lease.release();
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  test('what the work throws on purpose is not replaced, also when the connection was lost before; nor is an error that a script raises', async () => {
    const { database, url } = await open(server);
    class OnPurpose extends Error {}
    const work = database.transaction(async (session) => {
      const [row] = await session.query<{ pid: number }>(pidOf);
      const other = new Client({ connectionString: url });
      await other.connect();
      await other.query('select pg_terminate_backend($1)', [row?.pid]);
      await other.end();
      await pause(100);
      throw new OnPurpose('on purpose');
    });
    await expect(work).rejects.toBeInstanceOf(OnPurpose);
    const raised = database.transaction((session) => session.script(`do $$ begin raise sqlstate '08001'; end $$`));
    await expect(raised).rejects.toMatchObject({ code: 'database-error', facts: { sqlstate: '08001' } });
  });
});

test('a connection is lost when the server does not know it, has answered, or waits for what we send; never for a long statement', () => {
  const seen = (state: string, forMs: number, reads = false) => ({ state, forMs, reads });
  expect([
    isLost(undefined, 15_000),
    isLost(seen('idle in transaction', 6_000), 15_000),
    isLost(seen('idle', 6_000), 15_000),
    isLost(seen('active', 3_600_000, true), 120_000),
  ]).toEqual([true, true, true, true]);
  expect([
    isLost(seen('active', 36_000_000), 36_000_000),
    isLost(seen('active', 20_000, true), 20_000),
    isLost(seen('idle in transaction', 100), 15_000),
    isLost(seen('disabled', 60_000), 60_000),
    isLost(seen('', 60_000), 60_000),
  ]).toEqual([false, false, false, false, false]);
});
