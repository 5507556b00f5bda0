// Somebody else's locks, views and limits: waited for in short steps, named, told with table and way out; the folder stays as it was.
import { setTimeout } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRustine } from '../../src/app/rustine.ts';
import type { Failure } from '../../src/base/errors.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { checkLocks } from '../../src/integrate/lock-capacity.ts';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { connected, openEnvironment } from '../support/environment.ts';
import type { Field } from '../support/patches.ts';
import { activityCode, bare, exe, row, script, table } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

let files = 0;
const attempt = async (
  env: TestEnvironment,
  elements: Parameters<TestEnvironment['patch']>[1],
  lockTimeoutMs = 15_000,
): Promise<RunOutcome> =>
  env.rustine.integrate({ paths: [await env.patch(`L${++files}.dat`, elements)], mode: 'integrate', lockTimeoutMs });

const item = (fields: Readonly<Record<string, Field>>) => table('ITEM', 'ITM', { COD: 'A:5', ...fields }, { ITM0: 'COD' });
const told = ({ state, findings }: RunOutcome) => [state, ...findings.map(({ code, subject, facts }) => [code, subject, facts])];

describe.each(everyServer())('locks and dependents on $name', (server) => {
  test('R17: while a table’s lock is waited for, those who only read it are let through every second', async () => {
    const env = await openEnvironment(server);
    await attempt(env, [item({ NUM: 'C' }), table('OTHER', 'OTH', { COD: 'A:5' }, { OTH0: 'COD' })]);
    await connected(env.url, async (holder) => {
      await holder.query('begin');
      await holder.query('select from x3.item');
      const run = attempt(env, [item({ NUM: 'C', NEW: 'C' })], 4_000);
      await setTimeout(400);
      const started = performance.now();
      await env.query('select from x3.item');
      expect(performance.now() - started).toBeLessThan(2_500);
      await holder.query('commit');
      expect((await run).state).toBe('done');
    });
  });

  test('R17: who holds the lock is named with the table that is waited for, not who works on another one', async () => {
    const env = await openEnvironment(server);
    await attempt(env, [item({ NUM: 'C' }), table('OTHER', 'OTH', { COD: 'A:5' }, { OTH0: 'COD' })]);
    await connected(env.url, async (bystander) => {
      await bystander.query(`set application_name = 'bystander'; begin; select from x3.other`);
      await connected(env.url, async (holder) => {
        await holder.query(`set application_name = 'holder'; begin; select from x3.item`);
        const outcome = await attempt(env, [item({ NUM: 'C', NEW: 'C' })], 300);
        expect(outcome.folders[0]?.patches[0]?.reason).toMatchObject({
          code: 'lock-timeout',
          facts: { table: 'item', applications: ['holder'] },
        });
      });
      // Where the error names no table: who has the folder's row, or a table of it in a mode that keeps rows from being written; others' rows, and readers, do not.
      await bystander.query('lock table rustine.folder in row share mode');
      const add = (code: string) => attempt(env, [row('OTH', code, { COD: 'A' })], 300);
      for (const [statement, held] of [
        ['lock table x3.apatch in share mode', 'apatch'],
        [`select from rustine.folder where code = 'X3' for update`, 'folder'],
        [`select from rustine.folder where code = 'X3' for share`, 'folder'],
      ] as const)
        await connected(env.url, async (holder) => {
          await holder.query(`set application_name = 'holder'; begin; ${statement}`);
          const outcome = await add(held);
          expect(outcome.folders[0]?.patches[0]?.reason).toMatchObject({
            code: 'lock-timeout',
            facts: { table: held, applications: ['holder'] },
          });
        });
      // An index lets them read on: nobody waits for a reader.
      const indexed = table('OTHER', 'OTH', { COD: 'A:5' }, { OTH0: 'COD', OTH1: 'COD' });
      await connected(env.url, async (holder) => {
        await holder.query(`set application_name = 'holder'; begin; lock table x3.other in row exclusive mode`);
        const outcome = await attempt(env, [indexed], 300);
        expect(outcome.folders[0]?.patches[0]?.reason).toMatchObject({
          code: 'lock-timeout',
          facts: { table: 'other', applications: ['holder'] },
        });
      });
      expect((await attempt(env, [indexed])).state).toBe('done');
    });
  });

  test('a folder that somebody works in is not half dropped: who it is, is told first', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await attempt(env, [item({ NUM: 'C' })]);
    await connected(env.url, async (holder) => {
      await holder.query(`set application_name = 'holder'; begin; select from seed.item`);
      await expect(env.rustine.dropFolder('SEED', { lockTimeoutMs: 300 })).rejects.toMatchObject({
        code: 'lock-timeout',
        facts: { folder: 'SEED', table: 'item', applications: ['holder'] },
      });
    });
    expect((await env.rustine.folder('SEED')).state).toBe('ready');
    await env.rustine.dropFolder('SEED');
    expect((await env.rustine.folders()).map(({ code }) => code)).toEqual(['X3']);
  });

  test('R26: what else in the database needs a column that goes or changes is named, with its owner, and nothing changes', async () => {
    const env = await openEnvironment(server);
    await attempt(env, [item({ NUM: 'C', NAM: 'A:9' })]);
    await env.query('create schema bi');
    await env.query('create view bi.totals as select num_0, nam_0 from x3.item');
    const [{ owner } = { owner: '' }] = await env.query<{ owner: string }>('select current_user::text as owner');
    const facts = { element: 'ATB:ITEM', folder: 'X3', table: 'ITEM' };
    expect(told(await attempt(env, [item({ NAM: 'A:12' })]))).toEqual([
      'refused',
      ['column-in-use', 'ATB:ITEM', { ...facts, columns: ['nam_0', 'num_0'], objects: [`VIEW bi.totals (${owner})`] }],
    ]);
    await env.query('drop view bi.totals');
    await env.query('alter table x3.item add column twice integer generated always as (num_0 * 2) stored');
    expect(told(await attempt(env, [item({ NUM: 'L', NAM: 'A:9' })]))).toEqual([
      'refused',
      ['column-in-use', 'ATB:ITEM', { ...facts, columns: ['num_0'], objects: ['TABLE COLUMN x3.item.twice'] }],
    ]);
    await env.query('alter table x3.item drop column twice');
    expect((await attempt(env, [item({ NUM: 'L', NAM: 'A:12' })])).state).toBe('done');
  });

  test('R17: an index of too many fields and rows that are too long are findings with table and index', async () => {
    const env = await openEnvironment(server);
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`F${at}`, 'A:99']));
    const wide = (keys: number) => table('WIDE', 'WID', many, { WID0: Object.keys(many).slice(0, keys).join('+') });
    expect(told(await attempt(env, [wide(33)]))).toEqual([
      'refused',
      ['index-too-wide', 'ATB:WIDE', { table: 'WIDE', index: 'WID0', count: 33, most: 32 }],
    ]);
    expect((await attempt(env, [wide(32)])).state).toBe('done');
    // Something that does not compress: the limit is on what is stored.
    const noise = (at: number) =>
      Array.from({ length: 99 }, (_, n) => String.fromCharCode(256 + ((at * 7919 + n * n * 104_729) % 5_000))).join('');
    const values = Object.fromEntries(Object.keys(many).map((field, at) => [field, noise(at)]));
    const outcome = await attempt(env, [row('WID', 'x', values)]);
    expect([outcome.state, outcome.findings.map(({ code, facts }) => [code, facts.tables])]).toEqual([
      'refused',
      [['row-too-long', ['WIDE']]],
    ]);
  });

  test('R26: values that only one of two types knows are told by row, never an abort; text of a date is the same on every server', async () => {
    const env = await openEnvironment(server);
    const day = (date: string) => row('ITM', 'a', { COD: 'A', DAY: bare(date) });
    await attempt(env, [item({ NUM: 'DCB:4', DAY: 'D' }), day('20240229')]);
    await env.query(`update x3.item set num_0 = 'NaN', day_0 = '300000-01-01'`);
    const outcome = await attempt(env, [item({ NUM: 'C', DAY: 'ADATIM' })]);
    expect([outcome.state, outcome.findings.map(({ code, facts }) => [code, facts.field, facts.count])]).toEqual([
      'refused',
      [
        ['values-do-not-fit', 'num_0', 1],
        ['values-do-not-fit', 'day_0', 1],
      ],
    ]);
    await env.query(`update x3.item set num_0 = 7, day_0 = '2024-02-29'`);
    await env.query(`do $$ begin execute format('alter database %I set datestyle = %L', current_database(), 'German'); end $$`);
    const fresh = await openRustine({ home: env.home, database: env.url, language: 'en' });
    onTestFinished(() => fresh.close());
    const paths = [await env.patch('TEXT.dat', [item({ NUM: 'C', DAY: 'A:10' })])];
    expect((await fresh.integrate({ paths, mode: 'integrate' })).state).toBe('done');
    expect(await env.query('select num_0, day_0 from x3.item')).toEqual([{ num_0: 7, day_0: '2024-02-29' }]);
  });

  test('R2: a code of size 1 gives its fields one slot; one of size 0 sizes nothing', async () => {
    const env = await openEnvironment(server);
    const sized = (size: number) => [activityCode('SIZ', { size }), item({ ARR: { type: 'C', slots: 3, activity: 'SIZ' } })];
    const slots = async (size: number) => {
      await attempt(env, sized(size));
      return env.query(
        `select attname from pg_attribute where attrelid = 'x3.item'::regclass and attname like 'arr%' and not attisdropped`,
      );
    };
    expect((await slots(1)).length).toBe(1);
    expect((await slots(2)).length).toBe(2);
    expect((await slots(0)).length).toBe(3);
  });

  test('R17: where the server’s table of locks is full, the setting that has room for more is named', async () => {
    const env = await openEnvironment(server, { folders: ['A'] });
    // As the server tells it; a real one needs all of its locks.
    const full = (hint: string) =>
      `-- x\ndo $$ begin raise exception using errcode = '53200', message = 'out of shared memory', hint = '${hint}'; end $$;`;
    const reasons = async (hint: string) =>
      (await attempt(env, [script('FULL', full(hint)), exe('FULL')])).folders.map(({ patches }) => patches[0]?.reason?.code);
    const { folders } = await attempt(env, [script('FULL', full('raise it')), exe('FULL')]);
    expect(folders[0]?.patches[0]?.reason).toMatchObject({
      code: 'locks-used-up',
      facts: {
        folder: 'X3',
        reason: 'out of shared memory',
        setting: expect.stringMatching(/^max_locks_per_transaction = \d+$/),
        locks: expect.any(Number),
      },
    });
    // Memory that has run out is another thing.
    expect((await reasons('')).at(0)).toBe('database-error');
    // Where a transaction has locks of other folders already (a preview of folders that follow each other), there is less room.
    const database = await openPostgres(env.url, 1);
    onTestFinished(() => database.close());
    const check = (schema: string, needed: number): Promise<unknown> =>
      database
        .transaction(async (session) => {
          await session.script('lock table x3.apatch, x3.adosact in access exclusive mode');
          await checkLocks(session, { code: schema.toUpperCase(), schema }, needed);
        }, 'rollback')
        .catch((error: unknown) => error);
    const refused = await check('a', 1_000_000);
    const { available } = (refused as Failure).facts as { readonly available: number };
    expect(refused).toMatchObject({ code: 'lock-capacity', facts: { folder: 'A', needed: 1_000_002 } });
    expect(await check('a', available - 1)).toMatchObject({ code: 'lock-capacity', facts: { needed: available + 1 } });
    expect(await check('x3', available - 1)).toBeUndefined();
  });
});
