// What was put aside comes back (R27): listed, shown, restored all or nothing, removed on request only; on a real database.
import { describe, expect, test } from 'vitest';
import type { RestoreOptions } from '../../src/app/kept.ts';
import { typed as command } from '../support/command-line.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { connected, openEnvironment } from '../support/environment.ts';
import { activityCode, content, row, rows, table } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

const FIELDS = { COD: 'A:10', NAM: 'A:20', QTY: 'C', AMT: 'DCB:9.2', DAT: 'D' };
const item = (fields: Parameters<typeof table>[2] = FIELDS) => table('ITEM', 'ITM', fields, { ITM0: 'COD' });
const A = { COD: 'A', NAM: 'a', QTY: 1 };
const B = { COD: 'B', NAM: 'b', QTY: 2 };

let files = 0;
/** Integrates elements under a new name. @returns the name */
async function integrate(env: TestEnvironment, ...elements: Parameters<TestEnvironment['patch']>[1]): Promise<string> {
  const file = `K${++files}.dat`;
  await env.integrate(await env.patch(file, elements));
  return file;
}

const items = (env: TestEnvironment, columns = 'cod_0, nam_0, qty_0') =>
  env.query(`select ${columns} from x3.item order by cod_0 collate "C"`);

/** Puts something aside as the table validation does. @returns its number */
async function aside(
  env: TestEnvironment,
  entry: {
    readonly kind: 'table' | 'columns' | 'rows';
    readonly columns?: Readonly<Record<string, string>>;
    readonly table?: string;
    /** Key → values of the row. */
    readonly values?: Readonly<Record<string, object>>;
  },
): Promise<number> {
  const { kind, columns = {}, table: name = 'item', values = {} } = entry;
  const [made] = await env.query<{ id: string }>(
    `insert into rustine.kept (folder, kind, table_name, columns, rows, why, kept_by) select id, $1, $2, $3, $4, 'dropped', 'somebody' from rustine.folder where code = 'X3' returning id`,
    [kind, name, JSON.stringify(columns), Object.keys(values).length],
  );
  for (const [key, value] of Object.entries(values))
    await env.query(
      `insert into rustine.kept_row (kept, row_number, value) select $1, coalesce((select rowid from x3.item where cod_0 = $2), 999999), $3`,
      [made?.id, key, JSON.stringify(value)],
    );
  return Number(made?.id);
}

/** Moves a table of the supervisor folder aside as the table validation does. */
async function moveAside(env: TestEnvironment, name: string): Promise<number> {
  const [count] = await env.query<{ n: number }>(`select count(*)::integer as n from x3.${name}`);
  const id = await aside(env, { kind: 'table', table: name });
  await env.query(`update rustine.kept set relation = 'k${id}', rows = ${count?.n} where id = ${id}`);
  await env.query(`do $$ declare each record; begin
    for each in select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = 'x3.${name}'::regclass loop
      update rustine.kept set indexes = indexes || jsonb_build_object('k${id}_' || each.relname, each.relname) where id = ${id};
      execute format('alter index x3.%I rename to %I', each.relname, 'k${id}_' || each.relname);
    end loop; end $$`);
  await env.query(`alter table x3.${name} rename to k${id}`);
  await env.query(`alter table x3.k${id} set schema rustine_kept`);
  return id;
}

const restore = async (env: TestEnvironment, ids: readonly number[], options: RestoreOptions = {}) => {
  const { state, findings, restored } = await env.rustine.restoreKept(ids, options);
  return { state, findings: findings.map(({ code, severity, facts }) => [code, severity, facts]), restored };
};

const latest = async (env: TestEnvironment) => (await env.rustine.kept({})).filter((entry) => entry.restored === null);

describe.each(everyServer())('kept on $name', (server) => {
  test('R27: what a patch replaced is listed by folder and table, and shown with what stands there now', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await integrate(env, item(), rows('ITM', 'all', [A, B]), table('OTHER', 'OTH', { KEY: 'A:5', T: 'A:5' }, { OTH0: 'KEY' }));
    await integrate(env, row('OTH', 'x', { KEY: 'k', T: '1' }));
    const file = await integrate(env, row('ITM', 'a', { ...A, NAM: 'new' }), row('OTH', 'x', { KEY: 'k', T: '2' }));
    const kept = await env.rustine.kept({});
    expect(
      kept.map(({ folder, table: name, kind, why, rows: count, file: by, restored }) => [
        folder,
        name,
        kind,
        why,
        count,
        by,
        restored,
      ]),
    ).toEqual(
      ['SEED', 'X3'].flatMap((folder) => ['other', 'item'].map((name) => [folder, name, 'rows', 'updated', 1, file, null])),
    );
    expect(kept[0]?.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(kept[0]?.by).not.toBe('');
    const [entry, ...others] = await env.rustine.kept({ folder: 'seed', table: 'ITEM' });
    expect([entry?.folder, entry?.table, others]).toEqual(['SEED', 'item', []]);
    const { rows: values } = await env.rustine.keptRows(entry?.id ?? 0, 10);
    expect(values).toMatchObject([
      { key: { cod_0: 'A' }, old: { nam_0: 'a', qty_0: '1', amt_0: '0.00', dat_0: null }, now: { nam_0: 'new' } },
    ]);
    await expect(env.rustine.kept({ folder: 'NONE' })).rejects.toMatchObject({ code: 'folder-unknown' });
    await expect(env.rustine.keptRows(4711, 10)).rejects.toMatchObject({ code: 'kept-unknown', facts: { ids: ['4711'] } });
  });

  test('R27: updated and replaced rows come back as they were; what they overwrite is put aside', async () => {
    const env = await openEnvironment(server);
    await integrate(env, item(), rows('ITM', 'all', [A, B]));
    await integrate(env, content('ITEM', [{ ...A, NAM: 'new' }]));
    const ids = (await latest(env)).map((entry) => entry.id);
    expect(ids.length).toBe(2);
    expect(await restore(env, ids, { rehearse: true })).toMatchObject({ state: 'done', findings: [] });
    expect(await items(env)).toEqual([{ cod_0: 'A', nam_0: 'new', qty_0: 1 }]);
    const { state, restored } = await restore(env, ids);
    expect([state, restored.map((each) => [each.table, each.rows])]).toEqual([
      'done',
      [
        ['item', 1],
        ['item', 1],
      ],
    ]);
    expect(await items(env)).toEqual([
      { cod_0: 'A', nam_0: 'a', qty_0: 1 },
      { cod_0: 'B', nam_0: 'b', qty_0: 2 },
    ]);
    const [overwritten, ...others] = await latest(env);
    expect([overwritten?.why, overwritten?.rows, overwritten?.file, others]).toEqual(['overwritten', 1, null, []]);
    expect((await env.rustine.keptRows(overwritten?.id ?? 0, 5)).rows).toMatchObject([
      { old: { nam_0: 'new' }, now: { nam_0: 'a' } },
    ]);
    const again = await restore(env, ids);
    expect([again.state, again.findings.map(([code]) => code)]).toEqual(['refused', ['kept-restored', 'kept-restored']]);
    await restore(env, [overwritten?.id ?? 0]);
    expect(await items(env, 'nam_0')).toEqual([{ nam_0: 'new' }, { nam_0: 'b' }]);
  });

  test('R27: a key that another row has by now is not taken from it; with --overwrite that row is put aside', async () => {
    const env = await openEnvironment(server);
    await integrate(env, item(), rows('ITM', 'all', [A, B]));
    await integrate(env, content('ITEM', []));
    await integrate(env, row('ITM', 'a', { ...A, NAM: 'another' }));
    const [entry] = await latest(env);
    const id = entry?.id ?? 0;
    expect(await restore(env, [id])).toEqual({
      state: 'refused',
      findings: [['kept-key-taken', 'block', { kept: id, table: 'item', index: 'item_itm0', count: 1, keys: ['A'] }]],
      restored: [],
    });
    expect(await items(env, 'nam_0')).toEqual([{ nam_0: 'another' }]);
    expect((await restore(env, [id], { overwrite: true })).state).toBe('done');
    expect(await items(env, 'nam_0')).toEqual([{ nam_0: 'a' }, { nam_0: 'b' }]);
    const [other] = await latest(env);
    expect((await env.rustine.keptRows(other?.id ?? 0, 5)).rows).toMatchObject([{ old: { nam_0: 'another' }, now: null }]);
  });

  test('R27: texts by language come back', async () => {
    const env = await openEnvironment(server);
    const named = (text: string) => row('ITM', 'a', { COD: 'A' }, { NAM: { ENG: text, FRA: 'clou' } });
    await integrate(env, item(), named('nail'));
    await integrate(env, named('screw'));
    const [texts] = await env.rustine.kept({ table: 'rustine.translation' });
    expect((await env.rustine.keptRows(texts?.id ?? 0, 5)).rows).toMatchObject([
      { key: { table_name: 'item', field: 'NAM', language: 'ENG' }, old: { text: 'nail' }, now: { text: 'screw' } },
    ]);
    await restore(env, [texts?.id ?? 0]);
    expect(await env.query('select text from rustine.translation order by language')).toEqual([
      { text: 'nail' },
      { text: 'clou' },
    ]);
    expect(await latest(env)).toMatchObject([{ table: 'rustine.translation', why: 'overwritten' }, { table: 'item' }]);
  });

  test('R27: values of a column come back where it is empty now; other values are not overwritten unless asked, and then put aside', async () => {
    const env = await openEnvironment(server);
    await integrate(env, item(), rows('ITM', 'all', [A, { ...B, NAM: '' }, { COD: 'C', NAM: '', QTY: 0 }]));
    const id = await aside(env, {
      kind: 'columns',
      columns: { nam_0: 'varchar(20)', dat_0: 'date' },
      values: { A: { nam_0: 'old a' }, B: { nam_0: `it's "b"`, dat_0: '2024-02-29' }, X: { nam_0: 'x' } },
    });
    expect(await restore(env, [id])).toEqual({
      state: 'refused',
      findings: [
        ['kept-values-present', 'block', { kept: id, table: 'item', columns: ['dat_0', 'nam_0'], count: 1, keys: ['A'] }],
      ],
      restored: [],
    });
    const done = await restore(env, [id], { overwrite: true });
    expect(done).toMatchObject({
      state: 'done',
      findings: [['kept-rows-gone', 'warn', { kept: id, table: 'item', count: 1 }]],
      restored: [{ id, folder: 'X3', table: 'item', rows: 2, columns: [], whole: false }],
    });
    expect(await items(env, 'cod_0, nam_0, dat_0::text as dat')).toEqual([
      { cod_0: 'A', nam_0: 'old a', dat: null },
      { cod_0: 'B', nam_0: `it's "b"`, dat: '2024-02-29' },
      { cod_0: 'C', nam_0: '', dat: null },
    ]);
    const [overwritten] = await latest(env);
    expect((await env.rustine.keptRows(overwritten?.id ?? 0, 5)).rows).toMatchObject([
      { key: { cod_0: 'A' }, old: { nam_0: 'a' } },
    ]);
  });

  test('R27: a column that is gone is added again with its type, and a warning says that the dictionary does not define it', async () => {
    const env = await openEnvironment(server);
    await integrate(env, item(), rows('ITM', 'all', [A, B]));
    const id = await aside(env, {
      kind: 'columns',
      columns: { 'o"ld_0': 'numeric(11,2)', not_0: 'character varying(7)', day_0: 'date' },
      values: { A: { 'o"ld_0': 12.5 }, B: { not_0: 'note', day_0: '2020-01-01' } },
    });
    expect((await env.rustine.keptRows(id, 5)).rows).toMatchObject([
      { key: { cod_0: 'A' }, old: { 'o"ld_0': '12.5' }, now: {} },
      {},
    ]);
    expect(await restore(env, [id])).toEqual({
      state: 'done',
      findings: [['kept-undefined', 'warn', { kept: id, table: 'item', columns: ['day_0', 'not_0', 'o"ld_0'] }]],
      restored: [{ id, folder: 'X3', table: 'item', rows: 2, columns: ['day_0', 'not_0', 'o"ld_0'], whole: true }],
    });
    expect(await items(env, 'cod_0, "o""ld_0", not_0, day_0::text as day')).toEqual([
      { cod_0: 'A', 'o"ld_0': '12.50', not_0: '', day: null },
      { cod_0: 'B', 'o"ld_0': '0.00', not_0: 'note', day: '2020-01-01' },
    ]);
    const bad = await aside(env, { kind: 'columns', columns: { x_0: 'text; drop table x3.item' }, values: {} });
    await expect(restore(env, [bad])).rejects.toMatchObject({ code: 'kept-type' });
    const unfit = await aside(env, { kind: 'columns', columns: { qty_0: 'varchar(9)' }, values: { A: { qty_0: 'many' } } });
    const refused = await restore(env, [unfit], { overwrite: true });
    expect([refused.state, refused.findings.map(([code]) => code)]).toEqual(['refused', ['kept-unfit']]);
    expect(await items(env, 'qty_0')).toEqual([{ qty_0: 1 }, { qty_0: 2 }]);
  });

  test('R27: a table moves back with rows, indexes, numbers and the rights of the folder’s role', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await integrate(env, item(), rows('ITM', 'all', [A, B]));
    const id = await moveAside(env, 'item');
    expect(await env.query(`select to_regclass('x3.item')::text as there`)).toEqual([{ there: null }]);
    expect((await env.rustine.keptRows(id, 1)).rows).toMatchObject([{ key: { cod_0: 'A' }, old: { nam_0: 'a' }, now: null }]);
    const done = await restore(env, [id]);
    expect([done.state, done.findings.map(([code, severity]) => [code, severity])]).toEqual([
      'done',
      [['kept-undefined', 'warn']],
    ]);
    expect(await items(env, 'cod_0')).toEqual([{ cod_0: 'A' }, { cod_0: 'B' }]);
    expect(await env.query(`select indexname from pg_indexes where schemaname = 'x3' and tablename = 'item'`)).toEqual([
      { indexname: 'item_itm0' },
    ]);
    expect(
      await env.query(`select string_agg(privilege_type, ',' order by privilege_type) as rights from information_schema.role_table_grants
        where table_schema = 'x3' and table_name = 'item' and grantee = (select role_name from rustine.folder where code = 'X3')`),
    ).toEqual([{ rights: 'DELETE,INSERT,SELECT,UPDATE' }]);
    await integrate(env, rows('ITM', 'all', [{ ...A, NAM: 'new' }, { COD: 'C' }]));
    expect(await items(env, 'cod_0, nam_0')).toEqual([
      { cod_0: 'A', nam_0: 'new' },
      { cod_0: 'B', nam_0: 'b' },
      { cod_0: 'C', nam_0: '' },
    ]);
    expect(await env.query(`select count(distinct rowid)::integer as n from x3.item`)).toEqual([{ n: 3 }]);
  });

  test('R27: where a table of that name exists again, its rows come back by common columns; taken keys refuse', async () => {
    const env = await openEnvironment(server);
    await integrate(env, item(), rows('ITM', 'all', [A, B]));
    const id = await moveAside(env, 'item');
    await env.query(`create table x3.item (cod_0 varchar(10) not null default '', nam_0 varchar(20) not null default '', more_0 integer not null default 7,
      updtick_0 integer not null default 1, rowid bigint not null default nextval('x3.rowid_seq'))`);
    await env.query('create unique index item_itm0 on x3.item (cod_0)');
    await env.query(`insert into x3.item (cod_0, nam_0) values ('B', 'newer'), ('D', 'd')`);
    expect(await restore(env, [id])).toEqual({
      state: 'refused',
      findings: [['kept-key-taken', 'block', { kept: id, table: 'item', index: 'item_itm0', count: 1, keys: ['B'] }]],
      restored: [],
    });
    const done = await restore(env, [id], { overwrite: true });
    expect([done.state, done.findings.map(([code, , facts]) => [code, facts]), done.restored[0]?.rows]).toEqual([
      'done',
      [['kept-columns-gone', { kept: id, table: 'item', columns: ['qty_0', 'amt_0', 'dat_0'] }]],
      2,
    ]);
    expect(await items(env, 'cod_0, nam_0, more_0')).toEqual([
      { cod_0: 'A', nam_0: 'a', more_0: 7 },
      { cod_0: 'B', nam_0: 'b', more_0: 7 },
      { cod_0: 'D', nam_0: 'd', more_0: 7 },
    ]);
    expect((await latest(env)).map(({ kind, why, rows: count }) => [kind, why, count])).toEqual([
      ['rows', 'overwritten', 1],
      // Its other columns may come back too, and then their values.
      ['table', 'dropped', 2],
    ]);
    // What was put back from stays: only `purge` removes it.
    expect(await env.query(`select count(*)::integer as n from rustine_kept.k${id}`)).toEqual([{ n: 2 }]);
  });

  test('all or nothing: one entry that cannot come back leaves the others where they are; all problems are told', async () => {
    const env = await openEnvironment(server);
    await integrate(env, item(), rows('ITM', 'all', [A, B]));
    await integrate(env, row('ITM', 'a', { ...A, NAM: 'new' }));
    const [good] = await latest(env);
    const gone = await aside(env, { kind: 'columns', table: 'no"table', columns: { x_0: 'date' } });
    await env.query('create view x3.viewed as select 1 as one');
    await integrate(env, table('MOVED', 'MOV', { K: 'A:3' }, { MOV0: 'K' }));
    const moved = await moveAside(env, 'moved');
    await env.query(`update rustine.kept set table_name = 'viewed' where id = ${moved}`);
    const lost = await aside(env, { kind: 'table', table: 'lost' });
    const outcome = await restore(env, [good?.id ?? 0, gone, moved, lost]);
    expect([outcome.state, outcome.restored, outcome.findings.map(([code, severity]) => [code, severity])]).toEqual([
      'refused',
      [],
      [
        ['kept-relation-gone', 'block'],
        ['kept-name-taken', 'block'],
        ['kept-table-gone', 'block'],
      ],
    ]);
    expect(await items(env, 'nam_0')).toEqual([{ nam_0: 'new' }, { nam_0: 'b' }]);
    expect((await latest(env)).length).toBe(4);
    await expect(restore(env, [good?.id ?? 0, 4711, 4712])).rejects.toMatchObject({
      code: 'kept-unknown',
      facts: { ids: ['4711', '4712'] },
    });
  });

  test('R26, R27: a field that a patch took away comes back: into its column when the field is defined again, else as a column of its own', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const { NAM: _, QTY: _qty, ...less } = FIELDS;
    await integrate(env, item(), rows('ITM', 'all', [A, { ...B, NAM: '', QTY: 0 }]));
    const dropping = await integrate(env, item(less));
    const [seed, x3] = await env.rustine.kept({ table: 'item' });
    expect(x3).toMatchObject({ folder: 'X3', kind: 'columns', why: 'dropped', rows: 1, file: dropping });
    expect(x3?.columns).toEqual({ nam_0: 'varchar(20)', qty_0: 'smallint' });
    expect(await restore(env, [x3?.id ?? 0])).toMatchObject({
      state: 'done',
      findings: [['kept-undefined', 'warn', { columns: ['nam_0', 'qty_0'] }]],
      restored: [{ rows: 1 }],
    });
    expect(await items(env)).toEqual([
      { cod_0: 'A', nam_0: 'a', qty_0: 1 },
      { cod_0: 'B', nam_0: '', qty_0: 0 },
    ]);
    // Nobody defines these columns, so table validation has nothing to say about them.
    await integrate(env, item({ ...less, MORE: 'C' }));
    await integrate(env, item());
    expect(await items(env)).toMatchObject([{ cod_0: 'A', nam_0: 'a', qty_0: 1 }, {}]);
    expect(await restore(env, [seed?.id ?? 0])).toMatchObject({
      state: 'done',
      findings: [],
      restored: [{ rows: 1, columns: [] }],
    });
    expect(await env.query('select cod_0, nam_0, qty_0 from seed.item order by 1')).toEqual(await items(env));
    await integrate(env, item(less));
    expect((await latest(env)).map(({ folder, kind, why, rows: count }) => [folder, kind, why, count])).toEqual([
      ['SEED', 'columns', 'dropped', 1],
      ['X3', 'columns', 'dropped', 1],
    ]);
  });

  test('R2, R27: a slot that its activity code took away comes back, and goes again at the next table validation', async () => {
    const env = await openEnvironment(server);
    const array = table('ARR', 'ARR', { COD: 'A:5', QTY: { type: 'C', slots: 2, activity: 'NBQ' } }, { ARR0: 'COD' });
    await integrate(env, activityCode('NBQ', { size: 3 }), array, row('ARR', 'a', { COD: 'A', QTY: [1, 2, 3] }));
    await integrate(env, activityCode('NBQ', { size: 2 }), array);
    const [shrunk] = await latest(env);
    expect(shrunk).toMatchObject({ kind: 'columns', why: 'shrunk', columns: { qty_2: 'smallint' } });
    expect((await restore(env, [shrunk?.id ?? 0])).findings).toMatchObject([['kept-undefined', 'warn', { columns: ['qty_2'] }]]);
    expect(await env.query('select qty_1, qty_2 from x3.arr')).toEqual([{ qty_1: 2, qty_2: 3 }]);
    await integrate(env, array);
    expect(await latest(env)).toMatchObject([{ why: 'shrunk', columns: { qty_2: 'smallint' }, rows: 1 }]);
  });

  test('R26, R27: values that another type could not hold come back when the type is back', async () => {
    const env = await openEnvironment(server);
    const typed = (type: string) => table('TYP', 'TYP', { COD: 'A:5', VAL: type }, { TYP0: 'COD' });
    await integrate(
      env,
      typed('A:9'),
      rows('TYP', 'all', [
        { COD: 'A', VAL: '007' },
        { COD: 'B', VAL: '8' },
      ]),
    );
    await integrate(env, typed('L'));
    const [retyped] = await latest(env);
    expect(retyped).toMatchObject({ kind: 'columns', why: 'retyped', columns: { val_0: 'varchar(9)' }, rows: 1 });
    await integrate(env, typed('A:9'));
    expect(await env.query('select val_0 from x3.typ order by cod_0')).toEqual([{ val_0: '7' }, { val_0: '8' }]);
    expect((await restore(env, [retyped?.id ?? 0])).findings).toMatchObject([
      ['kept-values-present', 'block', { count: 1, keys: ['A'] }],
    ]);
    expect((await restore(env, [retyped?.id ?? 0], { overwrite: true })).state).toBe('done');
    expect(await env.query('select val_0 from x3.typ order by cod_0')).toEqual([{ val_0: '007' }, { val_0: '8' }]);
  });

  test('R2, R27: a table that went with its activity code comes back whole, or row by row into the one that is there again', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const box = table('BOX', 'BOX', { COD: 'A:5', SIZ: 'C' }, { BOX0: 'COD', BOX1: 'SIZ' }, { activity: 'KIT' });
    await integrate(
      env,
      activityCode('KIT'),
      box,
      rows('BOX', 'all', [
        { COD: 'B1', SIZ: 2 },
        { COD: 'B2', SIZ: 3 },
      ]),
    );
    await integrate(env, activityCode('KIT', { active: false }), box);
    const [seed, x3] = await env.rustine.kept({ table: 'box' });
    expect(x3).toMatchObject({ folder: 'X3', kind: 'table', why: 'inactive', rows: 2 });
    expect((await env.rustine.keptRows(x3?.id ?? 0, 1)).rows).toMatchObject([{ key: { cod_0: 'B1' }, now: null }]);
    expect((await restore(env, [x3?.id ?? 0])).state).toBe('done');
    await integrate(env, activityCode('KIT'), box, row('BOX', 'x', { COD: 'B1', SIZ: 9 }));
    expect(await env.query('select cod_0, siz_0 from x3.box order by 1')).toEqual([
      { cod_0: 'B1', siz_0: 9 },
      { cod_0: 'B2', siz_0: 3 },
    ]);
    expect(await env.query(`select indexname from pg_indexes where schemaname = 'x3' and tablename = 'box' order by 1`)).toEqual([
      { indexname: 'box_box0' },
      { indexname: 'box_box1' },
    ]);
    expect((await restore(env, [seed?.id ?? 0])).findings).toMatchObject([
      ['kept-key-taken', 'block', { count: 1, keys: ['B1'] }],
    ]);
    expect((await restore(env, [seed?.id ?? 0], { overwrite: true })).restored).toMatchObject([{ folder: 'SEED', rows: 2 }]);
    expect(await env.query('select cod_0, siz_0 from seed.box order by 1')).toEqual([
      { cod_0: 'B1', siz_0: 2 },
      { cod_0: 'B2', siz_0: 3 },
    ]);
  });

  test('who holds the table for too long is named, and nothing is put back', async () => {
    const env = await openEnvironment(server);
    await integrate(env, item(), row('ITM', 'a', A));
    await integrate(env, row('ITM', 'a', { ...A, NAM: 'new' }));
    const [entry] = await latest(env);
    await connected(env.url, async (other) => {
      await other.query('begin');
      await other.query('lock table x3.item in access exclusive mode');
      await expect(restore(env, [entry?.id ?? 0], { lockTimeoutMs: 50 })).rejects.toMatchObject({
        code: 'lock-timeout',
        facts: { folder: 'X3', table: 'item' },
      });
    });
    expect(await items(env, 'nam_0')).toEqual([{ nam_0: 'new' }]);
    expect(await latest(env)).toEqual([entry]);
  });

  test('only purge and the drop of the folder remove what is kept', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await integrate(env, item(), rows('ITM', 'all', [A, B]));
    await integrate(env, row('ITM', 'a', { ...A, NAM: 'new' }));
    const file = await integrate(env, row('ITM', 'b', { ...B, NAM: 'new' }));
    const table_ = await moveAside(env, 'item');
    const [first] = await env.rustine.kept({ folder: 'SEED' });
    await expect(env.rustine.purgeKept({ ids: [first?.id ?? 0, 4711] })).rejects.toMatchObject({ code: 'kept-unknown' });
    expect((await env.rustine.kept({})).length).toBe(5);
    expect((await env.rustine.purgeKept({ ids: [first?.id ?? 0] })).purged.map((entry) => entry.id)).toEqual([first?.id]);
    expect(await env.rustine.purgeKept({ folder: 'x3', before: '2020-01-01' })).toEqual({ purged: [], forgotten: [] });
    const remembered = async () => (await env.rustine.rememberedPatches({})).map(({ folder, patches }) => [folder, patches]);
    expect(await remembered()).toEqual([
      ['SEED', 3],
      ['X3', 3],
    ]);
    const { purged, forgotten } = await env.rustine.purgeKept({ folder: 'x3', before: '2999-01-01' });
    expect([purged.length, forgotten.length, forgotten.at(-1)?.file]).toEqual([3, 3, file]);
    expect(await remembered()).toEqual([['SEED', 3]]);
    const refused = await env.rustine.revert({ file });
    expect([refused.state, refused.findings.map(({ code, folder }) => [code, folder])]).toEqual([
      'refused',
      [
        ['revert-purged', 'X3'],
        ['revert-kept-gone', 'SEED'],
      ],
    ]);
    const told = await command(env, ['revert', file, '--folder', 'all', '--rehearse', '--lang', 'fr']);
    expect(`${told.out}${told.err}`).toContain(`${file} ne peut plus être repris dans X3`);
    const history = await command(env, ['history', '--patch', file, '--lang', 'en']);
    expect(history.out.replace(/\s+/g, ' ')).toContain('cannot be taken back any more, what was remembered of it was purged by');
    expect((await env.rustine.verify({})).differences.filter(({ code }) => code.startsWith('history-'))).toEqual([]);
    expect((await command(env, ['kept', '--lang', 'en'])).out).toMatch(/^SEED +3 +\d{4}-/m);
    expect(await env.query(`select to_regclass('rustine_kept.k${table_}')::text as there`)).toEqual([{ there: null }]);
    await env.rustine.dropFolder('SEED');
    expect(await env.rustine.kept({})).toEqual([]);
    expect(await env.query('select count(*)::integer as n from rustine.kept_row')).toEqual([{ n: 0 }]);
  });
});
