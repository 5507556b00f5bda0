// Tables follow their definition, folder by folder: what changes, what is put aside, what blocks. Values before and after, on a real database.
import { describe, expect, test } from 'vitest';
import type { PatchOutcome, RunOutcome } from '../../src/journal/outcome.ts';
import { isReserved } from '../../src/tables/reserved-names.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import type { Element } from '../support/patches.ts';
import { activityCode, any, bare, row, rows, table } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

const attempt = (env: TestEnvironment, path: string): Promise<RunOutcome> =>
  env.rustine.integrate({ paths: [path], mode: 'integrate' });

let files = 0;
const deliver = async (env: TestEnvironment, ...elements: readonly Element[]): Promise<RunOutcome> =>
  env.integrate(await env.patch(`T${++files}.dat`, elements));
const tryToDeliver = async (env: TestEnvironment, ...elements: readonly Element[]): Promise<RunOutcome> =>
  attempt(env, await env.patch(`T${++files}.dat`, elements));

const nameOf = (element: Element | undefined): string => {
  const [head] = element ?? [];
  return head?.part === 'element' ? head.element.name : '';
};

const tables = (outcome: RunOutcome, folder = 0): PatchOutcome['tables'] => outcome.folders[folder]!.patches[0]!.tables;
const blocking = (outcome: RunOutcome) =>
  outcome.findings
    .filter((finding) => finding.severity === 'block')
    .map((finding) => [finding.code, finding.subject, finding.facts]);

const columns = async (env: TestEnvironment, name: string): Promise<string[]> =>
  (
    await env.query<{ c: string }>(
      `select attname || ' ' || format_type(atttypid, atttypmod) as c from pg_attribute
       where attrelid = to_regclass($1) and attnum > 0 and not attisdropped and attname not in ('rowid', 'updtick_0') order by attnum`,
      [name],
    )
  ).map((each) => each.c);
const indexes = async (env: TestEnvironment, schema: string, name: string): Promise<string[]> =>
  (
    await env.query<{ i: string }>(
      'select indexname::text as i from pg_indexes where schemaname = $1 and tablename = $2 order by 1',
      [schema, name],
    )
  ).map((each) => each.i);

const kept = (env: TestEnvironment) =>
  env.query<{
    folder: string;
    kind: string;
    table_name: string;
    columns: object;
    why: string;
    rows: string;
    relation: string | null;
  }>(
    'select f.code as folder, kind, table_name, columns, why, rows, relation from rustine.kept k join rustine.folder f on f.id = k.folder order by k.id',
  );
const keptRows = (env: TestEnvironment) =>
  env.query(
    'select k.table_name, r.value from rustine.kept_row r join rustine.kept k on k.id = r.kept order by r.kept, r.row_number',
  );

describe.each(everyServer())('tables on $name', (server) => {
  test('R2, R25: an inactive code keeps table, field and index away in that folder; the dictionary is stored, rows are left out', async () => {
    const env = await openEnvironment(server);
    await deliver(env, activityCode('KIT', { active: false }));
    await env.folders(['WITH'], { activityCodes: ['KIT'] });
    await env.folders(['SANS']);
    const outcome = await deliver(
      env,
      table('BOX', 'BOX', { COD: 'A:5', SIZ: 'C' }, { BOX0: 'COD' }, { activity: 'KIT' }),
      table('ITEM', 'ITM', { COD: 'A:5', KITCOD: { type: 'A:5', activity: 'KIT' } }, { ITM0: 'COD', ITM1: 'KITCOD+COD' }),
      row('BOX', 'all', { COD: 'B1', SIZ: 2 }),
      row('ITM', 'all', { COD: 'I1', KITCOD: 'K' }),
    );
    expect(
      outcome.folders.map((folder) => [folder.folder, folder.patches[0]?.tables.created, folder.patches[0]?.rows.inserted]),
    ).toEqual([
      ['X3', ['item'], 1],
      ['SANS', ['item'], 1],
      ['WITH', ['box', 'item'], 2],
    ]);
    expect(await columns(env, 'sans.item')).toEqual(['cod_0 character varying(5)']);
    expect(await columns(env, 'with.item')).toEqual(['cod_0 character varying(5)', 'kitcod_0 character varying(5)']);
    expect(await indexes(env, 'sans', 'item')).toEqual(['item_itm0']);
    expect(await indexes(env, 'with', 'item')).toEqual(['item_itm0', 'item_itm1']);
    expect(
      await env.query(`select * from rustine.dictionary where folder = 'SANS' and type = 'ATB' and name = 'BOX'`),
    ).toHaveLength(4);
    const said = outcome.findings.filter((finding) => finding.folder === 'SANS');
    expect(said.map((finding) => [finding.code, finding.severity, finding.subject, finding.facts])).toEqual([
      ['index-left-out', 'info', 'ATB:ITEM', { table: 'ITEM', index: 'ITM1', field: 'KITCOD' }],
      ['rows-left-out', 'warn', 'ATB:BOX', { table: 'BOX', rows: 1 }],
      ['field-left-out', 'warn', 'ATB:ITEM', { table: 'ITEM', field: 'KITCOD' }],
    ]);
    expect(outcome.findings.filter((finding) => finding.folder === 'WITH')).toEqual([]);
  });

  test('R2, R25: tables of a delivery follow the code that comes with it: the table goes aside with its rows, and its place is told when it is back', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const box = table('BOX', 'BOX', { COD: 'A:5', SIZ: 'C' }, { BOX0: 'COD', BOX1: 'SIZ' }, { activity: 'KIT' });
    await deliver(env, activityCode('KIT'), box, row('BOX', 'all', { COD: 'B1', SIZ: 2 }));
    const off = await deliver(env, activityCode('KIT', { active: false }), box);
    expect(tables(off)).toEqual({
      created: [],
      altered: [],
      removed: ['box'],
      changes: [{ table: 'box', step: 'remove-table', rewrites: false, lock: 'access-exclusive', rows: null }],
    });
    expect(await env.query(`select to_regclass('seed.box') as t`)).toEqual([{ t: null }]);
    const aside = await kept(env);
    expect(aside.map(({ relation: _, ...each }) => each)).toEqual(
      ['X3', 'SEED'].map((folder) => ({
        folder,
        kind: 'table',
        table_name: 'box',
        columns: { updtick_0: 'integer', cod_0: 'varchar(5)', siz_0: 'smallint', rowid: 'bigint' },
        why: 'inactive',
        rows: '1',
      })),
    );
    for (const { relation } of aside)
      expect(await env.query(`select cod_0, siz_0 from rustine_kept.${relation}`)).toEqual([{ cod_0: 'B1', siz_0: 2 }]);
    const on = await deliver(env, activityCode('KIT'), box);
    expect(tables(on, 1).created).toEqual(['box']);
    expect(on.findings.map((finding) => [finding.folder, finding.code, finding.severity, finding.facts.command])).toEqual([
      ['X3', 'values-kept-aside', 'info', 'rustine kept restore 1'],
      ['SEED', 'values-kept-aside', 'info', 'rustine kept restore 2'],
    ]);
    // What is aside is whole: it still gives its rows numbers.
    await env.query(`insert into rustine_kept.${aside[1]?.relation} (cod_0) values ('B2')`);
    await env.rustine.dropFolder('SEED');
    expect(
      await env.query(`select relname::text from pg_class where relnamespace = 'rustine_kept'::regnamespace and relkind = 'r'`),
    ).toEqual([{ relname: aside[0]?.relation }]);
  });

  test('R2: a code with a size gives its fields their slots, per folder; slots appear and go with what they held', async () => {
    const env = await openEnvironment(server);
    const item = table(
      'ITEM',
      'ITM',
      { COD: 'A:5', QTY: { type: 'C', slots: 2, activity: 'NBQ' } },
      { ITM0: 'COD', ITM1: 'QTY(1)' },
    );
    await deliver(env, item, row('ITM', 'all', { COD: 'A', QTY: [1, 2] }));
    expect(await columns(env, 'x3.item')).toHaveLength(3);
    await deliver(env, activityCode('NBQ', { size: 4 }), item, row('ITM', 'all', { COD: 'B', QTY: [1, 2, 3, 4] }));
    expect((await columns(env, 'x3.item')).slice(1)).toEqual([
      'qty_0 smallint',
      'qty_1 smallint',
      'qty_2 smallint',
      'qty_3 smallint',
    ]);
    const less = await deliver(env, activityCode('NBQ', { size: 3 }), item);
    expect(tables(less).changes.map(({ step, column }) => [step, column])).toEqual([['drop-column', 'qty_3']]);
    expect(await kept(env)).toEqual([
      {
        folder: 'X3',
        kind: 'columns',
        table_name: 'item',
        columns: { qty_3: 'smallint' },
        why: 'shrunk',
        rows: '1',
        relation: null,
      },
    ]);
    expect(await keptRows(env)).toEqual([{ table_name: 'item', value: { qty_3: 4 } }]);
    const one = await deliver(
      env,
      activityCode('NBQ'),
      table('ITEM', 'ITM', { COD: 'A:5', QTY: { type: 'C', activity: 'NBQ' } }, { ITM0: 'COD' }),
    );
    expect(await columns(env, 'x3.item')).toEqual(['cod_0 character varying(5)', 'qty_0 smallint']);
    expect(tables(one).changes.map(({ step, column, index }) => [step, column ?? index])).toEqual([
      ['drop-column', 'qty_1'],
      ['drop-column', 'qty_2'],
      ['drop-index', 'item_itm1'],
    ]);
    expect(await env.query('select cod_0, qty_0 from x3.item order by 1')).toEqual([
      { cod_0: 'A', qty_0: 1 },
      { cod_0: 'B', qty_0: 1 },
    ]);
  });

  test('R2: a table of a module that the folder does not use is not generated there; APATCH and ADOSACT always are', async () => {
    const env = await openEnvironment(server);
    await env.rustine.createFolders(['FEW'], { modules: [2] });
    const module = (code: string, number: number) =>
      table(code, code, { COD: 'A:5' }, { [`${code}0`]: 'COD' }, { header: { MODULE: number } });
    const outcome = await deliver(env, module('ONE', 1), module('TWO', 2), module('EVERY', 0));
    expect([tables(outcome).created, tables(outcome, 1).created]).toEqual([
      ['one', 'two', 'every'],
      ['two', 'every'],
    ]);
    expect(await env.query(`select count(*)::integer as n from few.apatch`)).toEqual([{ n: 1 }]);
  });

  test('R26: what has to fit is looked at before anything changes: values, count and keys of those that do not', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const item = (fields: Parameters<typeof table>[2]) => table('ITEM', 'ITM', fields, { ITM0: 'COD' });
    const before = { COD: 'A:10', NAM: 'A:20', TXT: 'A:10', AMT: 'DCB:7.2', QTY: 'L' };
    await deliver(env, item(before), row('ITM', 'all', { COD: 'A', NAM: 'short', TXT: '7', AMT: bare('12.50'), QTY: 7 }));
    await env.query(`insert into seed.item (cod_0, nam_0, txt_0, amt_0, qty_0)
      select 'N' || n, 'much too long ' || n, 'no number', 12.55, 70000 from generate_series(1, 7) n`);
    const outcome = await tryToDeliver(env, item({ COD: 'A:10', NAM: 'A:5', TXT: 'C', AMT: 'DCB:5.1', QTY: 'C' }));
    expect([outcome.state, ...outcome.folders.map((folder) => folder.state)]).toEqual(['partial', 'integrated', 'failed']);
    const samples = (text: string) => [1, 2, 3, 4, 5].map((n) => `N${n}: ${text.replace('#', String(n))}`);
    expect(blocking(outcome)).toEqual(
      [
        ['nam_0', 'varchar(20)', 'varchar(5)', 'much too long #'],
        ['txt_0', 'varchar(10)', 'smallint', 'no number'],
        ['amt_0', 'numeric(9,2)', 'numeric(6,1)', '12.55'],
        ['qty_0', 'integer', 'smallint', '70000'],
      ].map(([field, from, to, text]) => [
        'values-do-not-fit',
        'ATB:ITEM',
        { table: 'ITEM', field, from, to, count: 7, keys: samples(text ?? '') },
      ]),
    );
    expect((await columns(env, 'seed.item'))[1]).toBe('nam_0 character varying(20)');
    expect(
      await env.query(
        `select count(*)::integer as n from rustine.dictionary where folder = 'SEED' and name = 'ITEM' and tag = 'ATZ' and fields ->> 'LONG' = '20'`,
      ),
    ).toEqual([{ n: 1 }]);
    expect(await env.query('select cod_0, nam_0, txt_0, amt_0, qty_0 from x3.item')).toEqual([
      { cod_0: 'A', nam_0: 'short', txt_0: 7, amt_0: '12.5', qty_0: 7 },
    ]);
  });

  test('R26, R27: a field of another type keeps every value; one that would be written in another way is put aside as it was', async () => {
    const env = await openEnvironment(server);
    const item = (fields: Parameters<typeof table>[2]) => table('ITEM', 'ITM', fields, { ITM0: 'COD', ITM1: 'NUM' });
    await deliver(
      env,
      item({ COD: 'A:10', NUM: 'A:10', DAY: 'A:10', CNT: 'C' }),
      rows('ITM', 'all', [
        { COD: 'A', NUM: '007', DAY: '2024-02-29', CNT: 3 },
        { COD: 'B', NUM: '42', DAY: '', CNT: 0 },
      ]),
    );
    const outcome = await deliver(env, item({ COD: 'A:10', NUM: 'L', DAY: 'D', CNT: 'A:5' }));
    expect(tables(outcome).changes.map(({ step, column, rewrites, rows: count }) => [step, column, rewrites, count])).toEqual([
      ['retype-column', 'num_0', true, 2],
      ['retype-column', 'day_0', true, 2],
      ['retype-column', 'cnt_0', true, 2],
    ]);
    expect(await env.query('select cod_0, num_0, day_0::text, cnt_0 from x3.item order by 1')).toEqual([
      { cod_0: 'A', num_0: 7, day_0: '2024-02-29', cnt_0: '3' },
      { cod_0: 'B', num_0: 42, day_0: null, cnt_0: '0' },
    ]);
    expect(await kept(env)).toMatchObject([
      { kind: 'columns', columns: { num_0: 'varchar(10)', day_0: 'varchar(10)' }, why: 'retyped', rows: '1' },
    ]);
    expect(await keptRows(env)).toEqual([{ table_name: 'item', value: { num_0: '007' } }]);
    expect(await env.query(`insert into x3.item (cod_0) values ('C') returning num_0, day_0, cnt_0`)).toEqual([
      { num_0: 0, day_0: null, cnt_0: '' },
    ]);
    const back = await tryToDeliver(env, item({ COD: 'A:10', NUM: 'AUUID', DAY: 'D', CNT: 'A:5' }));
    expect(blocking(back).map(([code, , facts]) => [code, (facts as { keys: string[] }).keys])).toEqual([
      ['values-do-not-fit', ['A: 7', 'B: 42']],
    ]);
  });

  test('R27: columns that go are put aside where they held something, in every folder; an administrator’s own column and index stay', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'VOID'] });
    const full = { COD: 'A:5', NAM: 'A:20', DAT: 'D', AMT: 'DCB:5.2', DOC: 'ACB' };
    await deliver(env, table('ITEM', 'ITM', full, { ITM0: 'COD', ITM1: 'NAM' }));
    await env.query(`alter table seed.item add column note text; create index by_hand on seed.item (dat_0)`);
    await env.query(`insert into seed.item (cod_0, nam_0, dat_0, amt_0, doc_0, note)
      values ('A', 'O''Neil', '2024-02-29', 1.5, 'text', 'mine'), ('B', '', null, 0, null, null), ('C', '', null, 0.25, null, null)`);
    await env.query(`insert into void.item (cod_0) values ('E')`);
    const outcome = await deliver(env, table('ITEM', 'ITM', { COD: 'A:5' }, { ITM0: 'COD' }));
    expect(tables(outcome, 1).changes.map(({ step, column, index }) => `${step} ${column ?? index}`)).toEqual([
      'drop-column nam_0',
      'drop-column dat_0',
      'drop-column amt_0',
      'drop-column doc_0',
      'drop-index by_hand',
      'drop-index item_itm1',
    ]);
    expect(await columns(env, 'seed.item')).toEqual(['cod_0 character varying(5)', 'note text']);
    expect(await kept(env)).toEqual([
      {
        folder: 'SEED',
        kind: 'columns',
        table_name: 'item',
        columns: { nam_0: 'varchar(20)', dat_0: 'date', amt_0: 'numeric(7,2)', doc_0: 'text' },
        why: 'dropped',
        rows: '2',
        relation: null,
      },
    ]);
    expect(await keptRows(env)).toEqual([
      { table_name: 'item', value: { nam_0: "O'Neil", dat_0: '2024-02-29', amt_0: 1.5, doc_0: 'text' } },
      { table_name: 'item', value: { amt_0: 0.25 } },
    ]);
    const again = await deliver(env, table('ITEM', 'ITM', { COD: 'A:5', NAM: 'A:20' }, { ITM0: 'COD' }));
    expect(again.findings.map((finding) => [finding.folder, finding.code, finding.facts])).toEqual([
      ['SEED', 'values-kept-aside', { table: 'ITEM', columns: ['nam_0'], command: 'rustine kept restore 1' }],
    ]);
    expect((await columns(env, 'seed.item')).at(-1)).toBe('nam_0 character varying(20)');
  });

  test('R26: an index without duplicates comes only where there are none, also when it is the one that rows are recognised by', async () => {
    const env = await openEnvironment(server);
    const item = (first: string, fields: Parameters<typeof table>[2] = { COD: 'A:5', SUB: 'A:5' }) =>
      table('ITEM', 'ITM', fields, { ITM0: first });
    await deliver(
      env,
      item('COD+SUB'),
      rows('ITM', 'all', [
        { COD: 'A', SUB: '1' },
        { COD: 'A', SUB: '2' },
        { COD: 'B', SUB: '01' },
        { COD: 'B', SUB: '1' },
      ]),
    );
    const outcome = await tryToDeliver(env, item('COD'));
    expect(blocking(outcome)).toEqual([
      ['index-duplicates', 'ATB:ITEM', { table: 'ITEM', index: 'item_itm0', count: 2, keys: ['A (2)', 'B (2)'] }],
    ]);
    // Two texts that become one number.
    const same = await tryToDeliver(env, item('COD+SUB', { COD: 'A:5', SUB: 'L' }));
    expect(blocking(same).map(([code, , facts]) => [code, (facts as { keys: string[] }).keys])).toEqual([
      ['index-duplicates', ['B 1 (2)']],
    ]);
    // A new column is equal in all rows.
    const fresh = await tryToDeliver(env, item('NEW', { COD: 'A:5', SUB: 'A:5', NEW: 'C' }));
    expect(blocking(fresh).map(([code, , facts]) => [code, (facts as { count: number }).count])).toEqual([
      ['index-duplicates', 1],
    ]);
    await env.query(`delete from x3.item where sub_0 <> '1'`);
    await deliver(env, item('COD'), row('ITM', 'all', { COD: 'A', SUB: '9' }));
    expect(await env.query('select cod_0, sub_0 from x3.item order by 1')).toEqual([
      { cod_0: 'A', sub_0: '9' },
      { cod_0: 'B', sub_0: '1' },
    ]);
  });

  test('R26: a data type that changes reaches every table that uses it, in each folder that has one; others stay untouched', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const type = (length: number) => any('ATY', 'COL', [{ tag: 'ATY', values: { CODTYP: 'COL', TYPTYP: 7, LNGTYP: length } }]);
    await deliver(
      env,
      type(5),
      table('ITEM', 'ITM', { COD: 'COL', COL: { type: 'COL', slots: 2 } }, { ITM0: 'COD' }),
      table('OTHER', 'OTH', { COD: 'A:5' }, { OTH0: 'COD' }),
      row('ITM', 'all', { COD: 'A', COL: ['abcde', ''] }),
    );
    const same = await deliver(env, type(5));
    expect(tables(same)).toEqual({ created: [], altered: [], removed: [], changes: [] });
    const wider = await deliver(env, type(9), row('ITM', 'all', { COD: 'longer', COL: ['123456789', ''] }));
    expect(tables(wider, 1).changes.map(({ step, column, rewrites }) => [step, column, rewrites])).toEqual([
      ['widen-column', 'cod_0', false],
      ['widen-column', 'col_0', false],
      ['widen-column', 'col_1', false],
    ]);
    expect(await env.query('select cod_0, col_0 from seed.item order by 1')).toEqual([
      { cod_0: 'A', col_0: 'abcde' },
      { cod_0: 'longer', col_0: '123456789' },
    ]);
    const narrower = await tryToDeliver(env, type(5));
    expect(narrower.state).toBe('refused');
    expect(blocking(narrower).map(([code, , facts]) => [code, (facts as { field: string }).field])).toEqual(
      [1, 2].flatMap(() => [
        ['values-do-not-fit', 'cod_0'],
        ['values-do-not-fit', 'col_0'],
      ]),
    );
  });

  test('R26: tables may swap their abbreviations; rows of the same patch go by the new ones; unique at the end', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const one = (abbreviation: string) => table('ONE', abbreviation, { COD: 'A:5' }, { ONE0: 'COD' });
    const two = (abbreviation: string) => table('TWO', abbreviation, { COD: 'A:5' }, { TWO0: 'COD' });
    await deliver(env, one('AAB'), two('BBB'));
    await deliver(env, one('BBB'), two('AAB'), row('AAB', 'all', { COD: 'two' }), row('BBB', 'all', { COD: 'one' }));
    expect(await env.query('select cod_0 from seed.one union all select cod_0 from seed.two')).toEqual([
      { cod_0: 'one' },
      { cod_0: 'two' },
    ]);
    await deliver(env, one('CCC'), row('CCC', 'all', { COD: 'new' }));
    const old = await tryToDeliver(env, row('BBB', 'all', { COD: 'lost' }));
    expect(blocking(old).map(([code]) => code)).toEqual(['table-unknown', 'table-unknown']);
    const clash = await tryToDeliver(env, table('THREE', 'AAB', { COD: 'A:5' }, {}));
    expect(blocking(clash)[0]).toEqual(['abbreviation-twice', 'ATB:THREE', { abbreviation: 'AAB', tables: ['TWO', 'THREE'] }]);
    const inPatch = await tryToDeliver(env, table('FOUR', 'DDD', { COD: 'A:5' }, {}), table('FIVE', 'DDD', { COD: 'A:5' }, {}));
    expect(blocking(inPatch)[0]).toEqual(['abbreviation-twice', 'ATB:FOUR', { abbreviation: 'DDD', tables: ['FOUR', 'FIVE'] }]);
  });

  test('a definition that cannot become a table blocks with table and field, and nothing changes', async () => {
    const env = await openEnvironment(server);
    await deliver(env, table('ITEM', 'ITM', { COD: 'A:5' }, { ITM0: 'COD' }));
    await env.query(
      'create table x3.mine (a integer); create index item_mine on x3.mine (a); create view x3.sight as select 1 as a',
    );
    const one = (fields: Parameters<typeof table>[2], index: Record<string, string> = {}, code = 'ONE') => [
      table(code, 'ON1', fields, index),
    ];
    const cases: readonly (readonly [readonly Element[], string, object])[] = [
      [one({ COD: 'NOTYPE' }), 'data-type-unknown', { table: 'ONE', field: 'COD', type: 'NOTYPE' }],
      [one({ COD: 'AUS:9' }), 'field-too-long', { table: 'ONE', field: 'COD', type: 'AUS', length: '9', most: '5' }],
      [one({ COD: 'A:10485761' }), 'field-length', { table: 'ONE', field: 'COD', type: 'A', length: '10485761', slots: 1 }],
      [one({ COD: 'A:5' }, { ON0: 'NON' }), 'index-field-missing', { table: 'ONE', index: 'ON0', field: 'NON' }],
      [one({ COD: 'A:5' }, { ON0: 'COD(1)' }), 'index-field-missing', { table: 'ONE', index: 'ON0', field: 'COD(1)' }],
      [one({ COD: 'A:5' }, {}, 'SELECT'), 'name-reserved', { kind: 'table', name: 'SELECT' }],
      [one({ COD: 'A:5' }, {}, 'PG_ONE'), 'name-reserved', { kind: 'table', name: 'PG_ONE' }],
      [one({ COD: 'A:5' }, {}, 'ROWID_SEQ'), 'name-reserved', { kind: 'table', name: 'ROWID_SEQ' }],
      [one({ COD: 'A:5' }, {}, 'MINE'), 'name-taken', { table: 'MINE', kind: 'table', name: 'mine' }],
      [one({ COD: 'A:5' }, {}, 'SIGHT'), 'name-taken', { table: 'SIGHT', kind: 'table', name: 'sight' }],
      [one({ COD: 'A:5' }, { ITM0: 'COD' }, 'ITEM_ITM0'), 'name-taken', { table: 'ITEM_ITM0', kind: 'table', name: 'item_itm0' }],
      [
        [table('ITEM', 'ITM', { COD: 'A:5' }, { ITM0: 'COD', MINE: 'COD' })],
        'name-taken',
        { table: 'ITEM', kind: 'index', name: 'item_mine' },
      ],
      [
        [table('A', 'AA1', { COD: 'A:5' }, { B_C: 'COD' }), table('A_B', 'AA2', { COD: 'A:5' }, { C: 'COD' })],
        'name-taken',
        { table: 'A_B', kind: 'index', name: 'a_b_c' },
      ],
      [one({ COD: 'A:5' }, {}, 'O NE'), 'name-invalid', { kind: 'table', name: 'O NE' }],
      [
        one({ COD: 'A:5' }, {}, "O'; drop table x3.item; --"),
        'name-invalid',
        { kind: 'table', name: "O'; drop table x3.item; --" },
      ],
      [one({ COD: 'A:5' }, {}, 'ÉTÉ'), 'name-invalid', { kind: 'table', name: 'ÉTÉ' }],
      [one({ COD: 'A:5' }, {}, 'T'.repeat(64)), 'name-invalid', { kind: 'table', name: 'T'.repeat(64) }],
      [one({ 'C"D': 'A:5' }), 'name-invalid', { kind: 'field', name: 'C"D' }],
      [one({ COD: 'A:5' }, { 'I 0': 'COD' }), 'name-invalid', { kind: 'index', name: 'I 0' }],
      [
        [table('APATCH', 'APT', { NUM: 'L', FIC: 'A:255' }, { APT0: 'NUM' })],
        'system-field',
        { table: 'APATCH', field: 'dat_0' },
      ],
    ];
    for (const [elements, code, facts] of cases) {
      const outcome = await tryToDeliver(env, ...elements);
      expect([outcome.state, blocking(outcome)[0]]).toEqual(['refused', [code, `ATB:${nameOf(elements.at(-1))}`, facts]]);
    }
    expect(await env.query(`select count(*)::integer as n from x3.apatch`)).toEqual([{ n: 1 }]);
    expect(await env.query(`select count(*)::integer as n from rustine.element where type = 'ATB'`)).toEqual([{ n: 3 }]);
  });

  test('R27: what tables put aside comes back with `kept restore`: a table into the one that is there again, columns by row', async () => {
    const env = await openEnvironment(server);
    const box = table('BOX', 'BOX', { COD: 'A:5', SIZ: 'C' }, { BOX0: 'COD' }, { activity: 'KIT' });
    const item = (fields: Parameters<typeof table>[2]) => table('ITEM', 'ITM', fields, { ITM0: 'COD' });
    const full = { COD: 'A:5', NAM: 'A:20', AMT: 'DCB:9.2', DOC: 'ABB' };
    await deliver(env, activityCode('KIT'), box, item(full), row('BOX', 'all', { COD: 'B1', SIZ: 2 }));
    await env.query(
      `insert into x3.item (cod_0, nam_0, amt_0, doc_0) values ('A', 'Ünïcode "x"', 123456789.01, '\\x00ff'), ('B', '', 0, null)`,
    );
    const before = await env.query('select * from x3.item order by rowid');
    await deliver(env, activityCode('KIT', { active: false }), box, item({ COD: 'A:5' }));
    const back = await deliver(env, activityCode('KIT'), box, item(full));
    const ids = back.findings.map((finding) => Number(String(finding.facts.command).split(' ').at(-1)));
    expect(ids).toHaveLength(2);
    const restored = await env.rustine.restoreKept(ids, {});
    expect(restored.state).toBe('done');
    expect(await env.query('select cod_0, siz_0 from x3.box')).toEqual([{ cod_0: 'B1', siz_0: 2 }]);
    const after = await env.query<Record<string, unknown>>('select * from x3.item order by rowid');
    expect(after.map(({ updtick_0: _, ...each }) => each)).toEqual(
      (before as Record<string, unknown>[]).map(({ updtick_0: _, ...each }) => each),
    );
    expect((await deliver(env, item(full))).findings).toEqual([]);
  });

  test('every word that the server reserves is one that no table may have', async () => {
    const env = await openEnvironment(server, { init: false });
    const words = await env.query<{ word: string }>(`select word from pg_get_keywords() where catcode in ('R', 'T')`);
    expect(words.length).toBeGreaterThan(90);
    expect(words.filter(({ word }) => !isReserved(word))).toEqual([]);
  });

  test('1,598 fields are a table and one more is not; columns that were dropped count', async () => {
    const env = await openEnvironment(server);
    const wide = (slots: number) => table('WIDE', 'WID', { COD: 'C', F: { type: 'C', slots } }, { WID0: 'COD' });
    await deliver(env, wide(1_597));
    expect(blocking(await tryToDeliver(env, wide(1_598)))).toEqual([
      ['too-many-columns', 'ATB:WIDE', { table: 'WIDE', count: 1_601, dropped: 0, most: 1_600 }],
    ]);
    await deliver(env, wide(1_590));
    expect(blocking(await tryToDeliver(env, wide(1_591)))).toEqual([
      ['too-many-columns', 'ATB:WIDE', { table: 'WIDE', count: 1_601, dropped: 7, most: 1_600 }],
    ]);
  });
});
