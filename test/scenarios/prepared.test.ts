// Transactions that are prepared and wait for their end: named, found, decided about once, ended from anywhere.
import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { openPostgres, sqlState } from '../../src/database/postgres.ts';
import { sql } from '../../src/database/sql.ts';
import { announce, decide, finish, finishAll, gidOf, parseGid, waitingOf } from '../../src/journal/prepared.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { everyServer, oneServer } from '../support/servers.ts';

const ENVIRONMENT = randomUUID();

interface Story {
  readonly environment: TestEnvironment;
  readonly database: Database;
  readonly run: string;
  /** Prepares a transaction that adds a row. @returns its name */
  prepared(number: number): Promise<string>;
  /** Rows that were added, as somebody else sees them. */
  rows(): Promise<readonly number[]>;
}

async function story(server: Parameters<typeof openEnvironment>[0]): Promise<Story> {
  const environment = await openEnvironment(server);
  const database = await openPostgres(environment.url, 4);
  onTestFinished(() => database.close());
  const run = randomUUID();
  await environment.query('create schema story');
  await environment.query('create table story.row (number integer primary key)');
  await environment.query(
    `insert into rustine.run (id, mode, state, from_folder, operator, host, pid, files, atomic) values ('${run}', 'integrate', 'running', 'X3', 'me', 'here', 1, '{}', true)`,
  );
  return {
    environment,
    database,
    run,
    prepared: async (number) => {
      const gid = gidOf(ENVIRONMENT, run, number);
      await announce(database, run, [{ gid, folders: [`F${number}`] }]);
      await database.prepare(gid, async (session) => {
        await session.query(sql`select from rustine.run where id = ${run} for key share`);
        await session.query(sql`insert into story.row values (${number})`);
      });
      return gid;
    },
    rows: async () =>
      (await environment.query<{ number: number }>('select number from story.row order by 1')).map((each) => each.number),
  };
}

describe.each(everyServer())('$name', (server) => {
  test('R30: prepared, nobody sees it; committed from any connection, it is there; again, it is no error', async () => {
    const { environment, database, prepared, rows } = await story(server);
    const gid = await prepared(1);
    expect(await rows()).toEqual([]);
    const other = await openPostgres(environment.url, 1);
    onTestFinished(() => other.close());
    expect([await finish(other, gid, 'commit'), await finish(other, gid, 'commit')]).toEqual([true, false]);
    expect(await rows()).toEqual([1]);
    // The connection that prepared it is as good as new.
    expect(await database.query(sql`select current_setting('search_path') as path`)).toEqual([{ path: 'pg_catalog, pg_temp' }]);
  });

  test('R30: what was decided first stands, and all transactions of the run follow it', async () => {
    const { database, run, prepared, rows } = await story(server);
    for (const number of [1, 2, 3]) await prepared(number);
    expect(await waitingOf(database, run)).toHaveLength(3);
    const both = [await decide(database, run, 'rollback', null), await decide(database, run, 'commit', null)];
    expect(both).toEqual(['rollback', 'rollback']);
    // Another program has it by now.
    expect(await decide(database, run, 'commit', 'another')).toBe(undefined);
    expect(await finishAll(database, run, 'rollback')).toBe(3);
    expect([await rows(), await waitingOf(database, run)]).toEqual([[], []]);
    expect(await database.query(sql`select gid from rustine.prepared`)).toEqual([]);
    expect(await finishAll(database, run, 'rollback')).toBe(0);
  });

  test('R30: one that is prepared while the others are rolled back is not forgotten', async () => {
    const { database, run, prepared, rows } = await story(server);
    await prepared(1);
    const gid = gidOf(ENVIRONMENT, run, 2);
    let go: () => void = () => undefined;
    const mayGo = new Promise<void>((resolve) => (go = resolve));
    let begun: () => void = () => undefined;
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    const late = database.prepare(gid, async (session) => {
      await session.query(sql`select from rustine.run where id = ${run} for key share`);
      await session.query(sql`insert into story.row values (2)`);
      begun();
      await mayGo;
    });
    await hasBegun;
    const settled = finishAll(database, run, 'rollback');
    setTimeout(go, 300);
    await late;
    expect(await settled).toBe(2);
    expect([await rows(), await waitingOf(database, run)]).toEqual([[], []]);
  });
});

describe.each(oneServer())('$name', (server) => {
  test('a run that nobody knows is not committed', async () => {
    const { database } = await story(server);
    expect(await decide(database, randomUUID(), 'commit', null)).toBe(undefined);
  });

  test('a transaction in which a statement failed is not taken for prepared', async () => {
    const { database, rows } = await story(server);
    const gid = gidOf(ENVIRONMENT, randomUUID(), 1);
    const failed = database.prepare(gid, async (session) => {
      await session.query(sql`insert into story.row values (1)`);
      await session.query(sql`select 1 / 0`).catch(() => undefined);
    });
    await expect(failed).rejects.toMatchObject({ code: 'bug' });
    expect([await finish(database, gid, 'commit'), await rows()]).toEqual([false, []]);
  });

  test('work with temporary objects cannot be prepared: SQLSTATE 0A000, and it is rolled back', async () => {
    const { database, rows } = await story(server);
    const error: unknown = await database
      .prepare(gidOf(ENVIRONMENT, randomUUID(), 1), async (session) => {
        await session.query(sql`insert into story.row values (1)`);
        await session.script('create temporary table brief (a integer); drop table brief');
      })
      .catch((each: unknown) => each);
    expect([sqlState(error), await rows()]).toEqual(['0A000', []]);
  });

  test('names say whose a transaction is, and nobody else has such names', () => {
    const run = randomUUID();
    expect(parseGid(gidOf(ENVIRONMENT, run, 7))).toEqual({ environment: ENVIRONMENT, run, number: 7 });
    for (const other of [
      '',
      'rustine:',
      `rustine:${ENVIRONMENT}:${run}`,
      `other:${ENVIRONMENT}:${run}:1`,
      `rustine:${ENVIRONMENT}:${run}:1x`,
    ])
      expect(parseGid(other)).toBeUndefined();
    expect(gidOf(ENVIRONMENT, run, 999_999_999).length).toBeLessThan(200);
  });
});
