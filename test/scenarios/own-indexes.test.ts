// An administrator's own indexes and constraints: they decide nothing about the dictionary's tables, and go visibly with a column that goes.
import { describe, expect, test } from 'vitest';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import type { Field } from '../support/patches.ts';
import { activityCode, row, rows, table } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

let files = 0;
const integrate = async (env: TestEnvironment, ...elements: Parameters<TestEnvironment['patch']>[1]): Promise<RunOutcome> =>
  env.integrate(await env.patch(`I${++files}.dat`, elements));

const item = (fields: Readonly<Record<string, Field>>) => table('ITEM', 'ITM', { COD: 'A:5', ...fields }, { ITM0: 'COD' });

const indexes = async (env: TestEnvironment, name: string): Promise<readonly string[]> =>
  (
    await env.query<{ name: string }>(
      `select indexname::text as name from pg_indexes where schemaname = 'x3' and tablename = $1 order by 1`,
      [name],
    )
  ).map((each) => each.name);

const dropped = (outcome: RunOutcome) =>
  outcome.folders[0]?.patches[0]?.tables.changes.flatMap(({ step, index }) => (step === 'drop-index' ? [index] : []));

describe.each(everyServer())('an administrator’s own indexes on $name', (server) => {
  test('R26: a unique index of some rows only says nothing about the others', async () => {
    const env = await openEnvironment(server);
    const all = [
      { COD: 'A', NUM: '1', ACT: 0 },
      { COD: 'B', NUM: '1', ACT: 0 },
    ];
    await integrate(env, item({ NUM: 'A:5', ACT: 'C' }), rows('ITM', 'all', all));
    await env.query('create unique index mine on x3.item (num_0) where act_0 = 1');
    await integrate(env, item({ NUM: 'L', ACT: 'C' }));
    expect(await env.query('select num_0 from x3.item')).toEqual([{ num_0: 1 }, { num_0: 1 }]);
    await integrate(env, row('ITM', 'a', { COD: 'A', NUM: 2, ACT: 0 }));
    const [kept] = await env.rustine.kept({});
    const { state, findings } = await env.rustine.restoreKept([kept?.id ?? 0], { overwrite: true });
    expect([state, findings]).toEqual(['done', []]);
    expect(await env.query('select cod_0, num_0 from x3.item order by 1')).toEqual([
      { cod_0: 'A', num_0: 1 },
      { cod_0: 'B', num_0: 1 },
    ]);
  });

  test('R26: the dictionary’s own index is made anew where somebody replaced it by one of some rows', async () => {
    const env = await openEnvironment(server);
    await integrate(env, item({ NUM: 'C' }));
    await env.query('drop index x3.item_itm0');
    await env.query('create unique index item_itm0 on x3.item (cod_0) where num_0 > 0');
    await integrate(env, item({ NUM: 'C' }));
    expect(
      await env.query(`select pg_get_expr(indpred, indrelid) as p from pg_index where indexrelid = 'x3.item_itm0'::regclass`),
    ).toEqual([{ p: null }]);
  });

  test('R26: a constraint on a field goes with its column, as a step of the plan', async () => {
    const env = await openEnvironment(server);
    await integrate(env, item({ NUM: 'C', TWO: 'C' }), row('ITM', 'a', { COD: 'A', NUM: 1, TWO: 2 }));
    await env.query('alter table x3.item add constraint mine primary key (num_0), add constraint pair unique (cod_0, two_0)');
    expect(dropped(await integrate(env, item({ TWO: 'C' })))).toEqual(['mine']);
    expect(await indexes(env, 'item')).toEqual(['item_itm0', 'pair']);
  });

  test('R26: indexes on expressions, with a condition or with included columns go visibly with a column that they need', async () => {
    const env = await openEnvironment(server);
    await integrate(env, item({ NUM: 'C', TWO: 'C' }));
    await env.query('create index expr on x3.item ((num_0 + 1))');
    await env.query('create index cond on x3.item (cod_0) where num_0 > 0');
    await env.query('create index incl on x3.item (cod_0) include (num_0)');
    await env.query('create index stays on x3.item ((two_0 + 1)) include (cod_0) where two_0 > 0');
    expect(dropped(await integrate(env, item({ TWO: 'C' })))).toEqual(['cond', 'expr', 'incl']);
    expect(await indexes(env, 'item')).toEqual(['item_itm0', 'stays']);
  });

  test('R27: a table put aside comes back with the names of its indexes, however long they are', async () => {
    const env = await openEnvironment(server);
    const [name, start] = ['T'.repeat(40), 'I'.repeat(19)];
    const long = (active: boolean) => [
      activityCode('KIT', { active }),
      table(name, 'LNG', { COD: 'A:5', NUM: 'C' }, { [`${start}A`]: 'COD', [`${start}B`]: 'NUM' }, { activity: 'KIT' }),
    ];
    await integrate(env, ...long(true), row('LNG', 'a', { COD: 'A', NUM: 1 }));
    const before = await indexes(env, name.toLowerCase());
    expect(before.length).toBe(2);
    await integrate(env, ...long(false));
    const [kept] = await env.rustine.kept({});
    expect((await env.rustine.restoreKept([kept?.id ?? 0], {})).state).toBe('done');
    expect(await indexes(env, name.toLowerCase())).toEqual(before);
    await integrate(env, ...long(true));
    expect(await indexes(env, name.toLowerCase())).toEqual(before);
  });

  test('R27: a table put aside that somebody’s view needs is not purged, and the view is named', async () => {
    const env = await openEnvironment(server);
    const box = (active: boolean) => [
      activityCode('KIT', { active }),
      table('BOX', 'BOX', { COD: 'A:5' }, { BOX0: 'COD' }, { activity: 'KIT' }),
    ];
    await integrate(env, ...box(true), row('BOX', 'a', { COD: 'A' }));
    await env.query('create schema bi');
    await env.query('create view bi.boxes as select cod_0 from x3.box');
    await integrate(env, ...box(false));
    const [kept] = await env.rustine.kept({});
    await expect(env.rustine.purgeKept({ ids: [kept?.id ?? 0] })).rejects.toMatchObject({
      code: 'kept-in-use',
      facts: { reason: expect.stringContaining('bi.boxes') },
    });
    await env.query('drop view bi.boxes');
    expect((await env.rustine.purgeKept({ ids: [kept?.id ?? 0] })).purged.length).toBe(1);
  });
});
