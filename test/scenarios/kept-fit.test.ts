// Putting back (R27) into tables that changed since: the same values or none, empty stays empty, and what found no place stays to be put back.
import { describe, expect, test } from 'vitest';
import type { RestoreOptions } from '../../src/app/kept.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import type { Field } from '../support/patches.ts';
import { bare, content, row, rows, table } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

let files = 0;
async function integrate(env: TestEnvironment, ...elements: Parameters<TestEnvironment['patch']>[1]): Promise<void> {
  await env.integrate(await env.patch(`F${++files}.dat`, elements));
}

const item = (fields: Readonly<Record<string, Field>>) => table('ITEM', 'ITM', { COD: 'A:5', ...fields }, { ITM0: 'COD' });

const restore = async (env: TestEnvironment, ids: readonly number[], options: RestoreOptions = {}) => {
  const { state, findings } = await env.rustine.restoreKept(ids, options);
  return [state, ...findings.map(({ code, facts }) => [code, facts.columns ?? facts.count, facts.keys])];
};

const open = async (env: TestEnvironment) => (await env.rustine.kept({})).filter((entry) => entry.restored === null);
const latest = async (env: TestEnvironment): Promise<number> => (await open(env))[0]?.id ?? 0;
const items = (env: TestEnvironment, columns: string) => env.query(`select ${columns} from x3.item order by cod_0`);

describe.each(everyServer())('kept values into changed tables on $name', (server) => {
  test('R27: rows are not put back into narrower or coarser columns: rounding and cutting would change them silently', async () => {
    const env = await openEnvironment(server);
    await integrate(env, item({ QTY: 'DCB:9.2', TIM: 'ADATIM', NAM: 'A:9' }));
    const old = { COD: 'A', QTY: bare('12.55'), TIM: '2024-02-29T10:11:12Z', NAM: 'x' };
    await integrate(env, rows('ITM', 'all', [old, { COD: 'B', QTY: bare('7.00'), TIM: '2024-02-29T00:00:00Z', NAM: 'y' }]));
    await integrate(
      env,
      rows('ITM', 'all', [
        { COD: 'A', QTY: bare('1.5'), TIM: '0000-00-00T00:00:00Z', NAM: 'new' },
        { COD: 'B', QTY: bare('2.5'), TIM: '0000-00-00T00:00:00Z', NAM: 'new' },
      ]),
    );
    const id = await latest(env);
    await integrate(env, item({ QTY: 'DCB:9.1', TIM: 'D', NAM: 'A:9' }));
    const before = await items(env, '*');
    expect(await restore(env, [id], { overwrite: true })).toEqual(['refused', ['kept-values-unfit', ['qty_0', 'tim_0'], ['A']]]);
    expect(await items(env, '*')).toEqual(before);
    await integrate(env, item({ QTY: 'DCB:9.2', TIM: 'ADATIM', NAM: 'A:9' }));
    expect(await restore(env, [id])).toEqual(['done']);
    expect(await items(env, `qty_0, to_char(tim_0 at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as tim, nam_0`)).toEqual([
      { qty_0: '12.55', tim: '2024-02-29 10:11:12', nam_0: 'x' },
      { qty_0: '7.00', tim: '2024-02-29 00:00:00', nam_0: 'y' },
    ]);
  });

  test('R27: a column that is back narrower takes no rounded values either; one that is wider takes them', async () => {
    const env = await openEnvironment(server);
    await integrate(env, item({ QTY: 'DCB:9.2' }), row('ITM', 'a', { COD: 'A', QTY: bare('12.55') }));
    await integrate(env, item({}));
    const id = await latest(env);
    await integrate(env, item({ QTY: 'DCB:9.1' }));
    expect(await restore(env, [id])).toEqual(['refused', ['kept-values-unfit', ['qty_0'], ['A']]]);
    expect(await items(env, 'qty_0')).toEqual([{ qty_0: '0.0' }]);
    await integrate(env, item({ QTY: 'DCB:9.4' }));
    expect(await restore(env, [id])).toEqual(['done']);
    expect(await items(env, 'qty_0')).toEqual([{ qty_0: '12.5500' }]);
  });

  test('R27: empty comes back as empty, whatever type the column has by now', async () => {
    const env = await openEnvironment(server);
    const empty = { COD: 'A', DAY: bare('000000'), TXT: '', NUM: 0, DEC: bare('3.00') };
    await integrate(env, item({ DAY: 'D', TXT: 'A:9', NUM: 'C', DEC: 'DCB:5.2', NAM: 'A:9' }), row('ITM', 'a', empty));
    await integrate(env, row('ITM', 'a', { ...empty, NAM: 'new' }));
    const id = await latest(env);
    await integrate(env, item({ DAY: 'A:10', TXT: 'L', NUM: 'D', DEC: 'C', NAM: 'A:9' }));
    expect(await restore(env, [id])).toEqual(['done']);
    expect(await items(env, 'day_0, txt_0, num_0, dec_0, nam_0')).toEqual([
      { day_0: '', txt_0: 0, num_0: null, dec_0: 3, nam_0: '' },
    ]);
  });

  test('R27: an administrator’s generated column is left to the server; his constraints refuse with a finding, not an abort', async () => {
    const env = await openEnvironment(server);
    await integrate(env, item({ QTY: 'C' }), row('ITM', 'a', { COD: 'A', QTY: 5 }));
    await env.query('alter table x3.item add column twice integer generated always as (qty_0 * 2) stored');
    await integrate(env, row('ITM', 'a', { COD: 'A', QTY: 1 }));
    const id = await latest(env);
    await env.query('alter table x3.item add constraint small check (qty_0 < 3)');
    expect(await restore(env, [id])).toEqual(['refused', ['kept-unfit', undefined, undefined]]);
    await env.query('alter table x3.item drop constraint small');
    expect(await restore(env, [id])).toEqual(['done']);
    expect(await items(env, 'qty_0, twice')).toEqual([{ qty_0: 5, twice: 10 }]);
  });

  test('R27: values whose rows are gone are put back once the rows are', async () => {
    const env = await openEnvironment(server);
    await integrate(
      env,
      item({ QTY: 'C' }),
      rows('ITM', 'all', [
        { COD: 'A', QTY: 1 },
        { COD: 'B', QTY: 2 },
      ]),
    );
    await integrate(env, item({}));
    const values = await latest(env);
    await integrate(env, content('ITEM', [{ COD: 'C' }]));
    const gone = await latest(env);
    expect(await restore(env, [values])).toEqual([
      'done',
      ['kept-undefined', ['qty_0'], undefined],
      ['kept-rows-gone', 2, undefined],
    ]);
    expect((await open(env)).map(({ id }) => id)).toEqual([gone, values]);
    expect(await restore(env, [gone])).toEqual(['done']);
    expect(await restore(env, [values])).toEqual(['done']);
    expect(await items(env, 'cod_0, qty_0')).toEqual([
      { cod_0: 'A', qty_0: 1 },
      { cod_0: 'B', qty_0: 2 },
      { cod_0: 'C', qty_0: 0 },
    ]);
    expect(await restore(env, [values])).toEqual(['refused', ['kept-restored', undefined, undefined]]);
  });

  test('R27: values of columns that are gone are put back once the columns are', async () => {
    const env = await openEnvironment(server);
    await integrate(env, item({ QTY: 'C', NAM: 'A:5' }), row('ITM', 'a', { COD: 'A', QTY: 1, NAM: 'old' }));
    await integrate(env, row('ITM', 'a', { COD: 'A', QTY: 2, NAM: 'new' }));
    const id = await latest(env);
    await integrate(env, item({ NAM: 'A:5' }));
    expect(await restore(env, [id])).toEqual(['done', ['kept-columns-gone', ['qty_0'], undefined]]);
    await integrate(env, item({ NAM: 'A:5', QTY: 'C' }));
    expect(await restore(env, [id])).toEqual(['done']);
    expect(await items(env, 'qty_0, nam_0')).toEqual([{ qty_0: 1, nam_0: 'old' }]);
  });

  test('R27: what a retyping put aside is refused while the type is the other one, and comes back with the old type', async () => {
    const env = await openEnvironment(server);
    await integrate(
      env,
      item({ NUM: 'A:5' }),
      rows('ITM', 'all', [
        { COD: 'A', NUM: '001' },
        { COD: 'B', NUM: '2' },
      ]),
    );
    await integrate(env, item({ NUM: 'L' }));
    const id = await latest(env);
    expect(await restore(env, [id], { overwrite: true })).toEqual(['refused', ['kept-values-unfit', ['num_0'], ['A']]]);
    await integrate(env, item({ NUM: 'A:5' }));
    expect(await restore(env, [id], { overwrite: true })).toEqual(['done']);
    expect(await items(env, 'num_0')).toEqual([{ num_0: '001' }, { num_0: '2' }]);
  });

  test('R27: a table that has had 1,600 columns takes no kept one back: dropped columns count', async () => {
    const env = await openEnvironment(server);
    const wide = { slots: 1_590, type: 'C' };
    await integrate(env, item({ ARR: wide, OLD: 'C' }), row('ITM', 'a', { COD: 'A', OLD: 7 }));
    await integrate(env, item({ ARR: wide }));
    const id = await latest(env);
    await env.query(`alter table x3.item ${Array.from({ length: 6 }, (_, at) => `add column dba${at} integer`).join(', ')}`);
    const { state, findings } = await env.rustine.restoreKept([id], {});
    expect([state, findings.map(({ code, facts }) => [code, facts.count, facts.dropped])]).toEqual([
      'refused',
      [['too-many-columns', 1_601, 1]],
    ]);
  });
});
