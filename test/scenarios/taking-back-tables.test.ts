// Taking a patch back (R38), as far as tables and rows go: the folder's schema is afterwards byte by byte what it was before.
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Finding } from '../../src/base/finding.ts';
import type { Ending } from '../../src/database/database.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { readFolders } from '../../src/environment/catalog.ts';
import { checkRows } from '../../src/integrate/check-rows.ts';
import type { RevertedTables } from '../../src/integrate/revert-tables.ts';
import { restoreTables } from '../../src/integrate/revert-tables.ts';
import { settingsOf } from '../../src/integrate/settings.ts';
import type { EnvironmentOptions, TestEnvironment } from '../support/environment.ts';
import { databaseOwner, openEnvironment } from '../support/environment.ts';
import { difference } from '../support/folder-dump.ts';
import { noRealPatches, realPatches } from '../support/patch-files.ts';
import type { Element, Values } from '../support/patches.ts';
import { activityCode, any, content, exe, row, rows, script, table } from '../support/patches.ts';
import { noFields, saltrsPatch } from '../support/saltrs.ts';
import { schemaDump } from '../support/schema-dump.ts';
import type { TestServer } from '../support/servers.ts';
import { everyServer, oneServer } from '../support/servers.ts';

type Fields = Parameters<typeof table>[2];
const FIELDS: Fields = { COD: 'A:10', NAM: 'A:20', QTY: 'C', DAT: 'D' };
const item = (fields: Fields = FIELDS, indexes: Readonly<Record<string, string>> = { ITM0: 'COD', ITM1: 'NAM' }): Element =>
  table('ITEM', 'ITM', fields, indexes);
const THREE = [
  { COD: 'A', NAM: 'a', QTY: 1 },
  { COD: 'B', NAM: 'b', QTY: 2 },
  { COD: 'C', NAM: '', QTY: 0 },
];

let files = 0;
async function integrate(env: TestEnvironment, ...elements: readonly Element[]): Promise<void> {
  await env.integrate(await env.patch(`T${++files}.dat`, elements));
}

interface TakenBack {
  readonly findings: readonly Finding[];
  readonly restored?: RevertedTables;
}

/** The part of taking back the last patch that tables and rows are. */
async function takeBack(
  env: TestEnvironment,
  code = 'X3',
  ending: Ending = 'commit',
  between: () => Promise<unknown> = async () => undefined,
): Promise<TakenBack> {
  const database = await openPostgres(env.url, 1);
  onTestFinished(() => database.close());
  const folder = (await readFolders(database)).find((each) => each.code === code);
  if (folder === undefined) throw new Error(`no folder ${code}`);
  const [last] = await env.query<{ id: string }>(
    `select max(i.id)::text as id from rustine.integration i join rustine.remembered r on r.integration = i.id where i.folder = $1`,
    [folder.id],
  );
  return database.transaction(async (session) => {
    const findings = await checkRows(session, settingsOf(folder), last?.id ?? '0');
    if (findings.length > 0) return { findings };
    await between();
    return { findings, restored: await restoreTables(session, settingsOf(folder), last?.id ?? '0') };
  }, ending);
}

const codes = ({ findings }: TakenBack) =>
  findings.map(({ code, subject, facts }): [string, string | undefined, Finding['facts']] => [code, subject, facts]);

/** An environment with the table `item` of three rows, one of them touched since, so that they stand in another order than their numbers. */
async function open(server: TestServer, options: EnvironmentOptions = {}): Promise<TestEnvironment> {
  const env = await openEnvironment(server, options);
  await integrate(env, item(), rows('ITM', 'all', THREE));
  await env.query(`update x3.item set qty_0 = qty_0 where cod_0 = 'A'`);
  return env;
}

/** A patch comes and goes: nothing is left of it. */
async function expectTheSame(env: TestEnvironment, ...elements: readonly Element[]): Promise<TakenBack> {
  const before = await schemaDump(env.url, 'x3');
  await integrate(env, ...elements);
  const between = await schemaDump(env.url, 'x3');
  expect(difference(before, between)).not.toEqual([]);
  const rehearsed = await takeBack(env, 'X3', 'rollback');
  expect(rehearsed.findings).toEqual([]);
  expect(await schemaDump(env.url, 'x3')).toEqual(between);
  const taken = await takeBack(env);
  expect(taken).toEqual(rehearsed);
  const after = await schemaDump(env.url, 'x3');
  expect(difference(before, after)).toEqual([]);
  expect(after).toEqual(before);
  return taken;
}

describe.each(everyServer())('tables and rows taken back on $name', (server) => {
  test('R38: columns that it added, widened, gave another type or dropped, wherever they stood', async () => {
    const env = await open(server);
    await env.query(`comment on column x3.item.nam_0 is 'the name'; alter table x3.item alter column nam_0 set statistics 7`);
    await env.query(`create role reader_${env.database}; grant select (nam_0) on x3.item to reader_${env.database}`);
    env.later(async () => void (await env.query(`drop owned by reader_${env.database}; drop role reader_${env.database}`)));
    await env.query(`create index own on x3.item (qty_0, nam_0)`);
    const { NAM: _, ...without } = FIELDS;
    await expectTheSame(env, item(without, { ITM0: 'COD' }));
    await expectTheSame(env, item({ ...FIELDS, NEW: 'A:5', NUM: 'C' }, { ITM0: 'COD', ITM1: 'NAM+NEW' }));
    await expectTheSame(env, item({ ...FIELDS, NAM: 'A:40' }));
    await env.query(`update x3.item set nam_0 = '007' where cod_0 = 'A'; update x3.item set nam_0 = '0' where cod_0 = 'B'`);
    await expectTheSame(env, item({ ...FIELDS, NAM: 'C', QTY: 'A:12', DAT: 'A:12' }));
    await expectTheSame(
      env,
      item({ ...without, NEW: 'A:5', COD: 'A:20' }, { ITM0: 'COD+NEW' }),
      row('ITM', 'b', { COD: 'B', NEW: 'n' }),
    );
  });

  test('R38: one patch after the other, back to the beginning', async () => {
    const env = await open(server);
    const { NAM: _, ...without } = FIELDS;
    const steps: readonly (readonly Element[])[] = [
      [rows('ITM', 'all', [{ COD: 'B', NAM: 'two' }, { COD: 'D' }])],
      [item({ ...without, QTY: 'A:12' }, { ITM0: 'COD' }), row('ITM', 'a', { COD: 'A', QTY: '9' })],
      [item({ ...FIELDS, QTY: 'A:12' }), content('ITEM', [{ COD: 'D', NAM: 'x' }, { COD: 'F' }])],
    ];
    const noted: (readonly string[])[] = [];
    for (const elements of steps) {
      noted.push(await schemaDump(env.url, 'x3'));
      await integrate(env, ...elements);
    }
    for (const before of noted.toReversed()) {
      expect(codes(await takeBack(env))).toEqual([]);
      expect(difference(before, await schemaDump(env.url, 'x3'))).toEqual([]);
      expect(await schemaDump(env.url, 'x3')).toEqual(before);
    }
  });

  test('R38: rows that SQL scripts inserted, changed and deleted, also those of the patch itself, through functions and by names that are put together', async () => {
    const env = await open(server, { as: databaseOwner });
    await integrate(
      env,
      script('BUMP', `-- language: sql\ncreate function bump() returns void language sql as 'update item set qty_0 = qty_0 + 3'`),
    );
    const sources = [
      `update item set nam_0 = 'x' where cod_0 in ('A', 'N'); delete from item where cod_0 = 'B'; insert into item (cod_0, nam_0) values ('S', 's')`,
      `do $$ begin execute format('update %I set qty_0 = qty_0 + 1', 'item'); insert into item (cod_0) values ('T'); exception when others then null; end $$`,
      `insert into item (cod_0, nam_0) values ('A', 'a'), ('U', 'u') on conflict (cod_0) do update set nam_0 = 'met'; delete from item where cod_0 = 'T'`,
      `merge into item t using (values ('A'), ('V')) s (cod) on t.cod_0 = s.cod when matched then delete when not matched then insert (cod_0) values (s.cod)`,
      `select bump()`,
      `update item set cod_0 = case cod_0 when 'A' then 'B' when 'B' then 'A' else cod_0 end where false; select count(*) from item`,
    ];
    const elements = sources.flatMap((source, at) => [script(`S${at}`, `-- language: sql\n${source}`), exe(`S${at}`)]);
    await expectTheSame(
      env,
      rows('ITM', 'all', [
        { COD: 'N', NAM: 'n' },
        { COD: 'C', NAM: 'c2' },
      ]),
      ...elements,
    );
    expect(await env.query(`select not_revertible from rustine.integration where not_revertible is not null`)).toEqual([]);
    expect(await env.query(`select tgname from pg_trigger where tgname like 'rustine%'`)).toEqual([]);
  });
});

// What does not depend on the version of PostgreSQL.
describe.each(oneServer())('tables and rows taken back', (server) => {
  test('R38: rows that a patch brought, changed or replaced', async () => {
    const env = await open(server);
    const taken = await expectTheSame(
      env,
      rows('ITM', 'all', [
        { COD: 'D', NAM: 'd' },
        { COD: 'B', NAM: 'other' },
        { COD: 'A', QTY: 7 },
      ]),
    );
    expect(taken.restored?.rows).toEqual({ inserted: 0, updated: 2, deleted: 1 });
    await expectTheSame(env, content('ITEM', [{ COD: 'C', NAM: 'new' }, { COD: 'E' }]));
    expect(await env.query(`select count(*)::integer as n from rustine.kept`)).toEqual([{ n: 0 }]);
  });

  test('R38: tables that it made, with their rows, and activity codes', async () => {
    const env = await open(server);
    await integrate(env, activityCode('KIT', { size: 2 }), activityCode('BOX'));
    await expectTheSame(
      env,
      activityCode('KIT', { size: 3, active: false }),
      activityCode('NEW'),
      table('OTHER', 'OTH', { KEY: 'A:5', T: 'A:5' }, { OTH0: 'KEY' }),
      row('OTH', 'x', { KEY: 'k', T: '1' }),
    );
  });

  test('R38: what a script wrote that nobody could write down, or made, is said with its name', async () => {
    const env = await open(server);
    const run = async (source: string): Promise<unknown> => {
      await integrate(env, script('DOES', `-- language: sql\n${source}`), exe('DOES'));
      const [last] = await env.query<{ reasons: unknown }>(
        `select not_revertible as reasons from rustine.integration order by id desc limit 1`,
      );
      return last?.reasons ?? null;
    };
    expect(await run(`create temp table t as select * from item; drop table t`)).toBeNull();
    expect(await run(`create or replace function f() returns integer language sql return 1`)).toBeNull();
    expect(await run(`create table own (a integer); create index own_a on own (a)`)).toEqual([
      { code: 'revert-script-made', facts: { script: 'DOES', objects: ['own'] } },
    ]);
    expect(await run(`insert into own values (1)`)).toEqual([
      { code: 'revert-script-wrote', facts: { script: 'DOES', tables: ['x3.own'] } },
    ]);
    // A copy has the column of our row numbers; but neither are they its own there, nor has each row one.
    await run(
      `create table copied as select * from item; insert into copied select * from item; insert into copied (cod_0) values ('N')`,
    );
    for (const source of [`update copied set qty_0 = 5`, `insert into copied (cod_0) values ('O')`])
      expect(await run(source)).toEqual([{ code: 'revert-script-wrote', facts: { script: 'DOES', tables: ['x3.copied'] } }]);
    expect(await run(`alter table own add column b integer`)).toEqual([
      { code: 'revert-script-made', facts: { script: 'DOES', objects: ['own'] } },
    ]);
    expect(await run(`drop table own`)).toEqual([{ code: 'revert-script-made', facts: { script: 'DOES', objects: [] } }]);
    // What temporary tables and functions with their comments write to the server's catalog is no reason.
    expect(
      await run(`create temp table t (a serial primary key, check (a > 0)); alter table t add b text default 'x';
        create function g() returns void language sql as ''; comment on function g() is 'second'; drop table t`),
    ).toBeNull();
    const lib = `-- language: sql\ncreate function h() returns text language sql return 'a'; comment on function h() is 'first'`;
    await integrate(env, script('LIB', lib), exe('LIB'));
    expect(await run(`drop function h(); create function h() returns integer language sql return 1`)).toBeNull();
    const made: readonly (readonly [source: string, ...objects: string[]])[] = [
      [`create collation mine from "C"`],
      [`create operator === (leftarg = text, rightarg = text, procedure = pg_catalog.texteq)`],
      [`create type mood as enum ('a')`, 'mood'],
      [`alter type mood add value 'b'`],
      [`create domain small as integer`, 'small'],
      [`alter domain small add constraint positive check (value > 0)`, 'small'],
      [`comment on domain small is 'small'`, 'small'],
      [`comment on domain small is null`],
      [`create text search dictionary words (template = simple)`],
      [`alter default privileges grant select on tables to public`],
      [`create sequence counts`, 'counts'],
      [`alter sequence counts increment by 2`, 'counts'],
      [`create view seen as select 1 as a`, 'seen'],
      [`create or replace view seen as select 2 as a`, 'seen'],
      [`select lo_create(0)`],
    ];
    for (const [source, ...objects] of made)
      expect([source, await run(source)]).toEqual([source, [{ code: 'revert-script-made', facts: { script: 'DOES', objects } }]]);
    expect(await run(`do $$ begin execute 'update it' || 'em set qty_0 = 5'; end $$`)).toMatchObject([
      { code: 'revert-script-wrote' },
    ]);
  });

  test.each([
    ['a role of its own', {}],
    ['no role', { as: databaseOwner }],
  ])(
    "R38: rows of tables that a script made, and rows with another one's number, are not taken for the patch's (%s)",
    async (_, options) => {
      const env = await open(server, options);
      const last = async (source: string) => {
        await integrate(env, script('DOES', `-- language: sql\n${source}`), exe('DOES'));
        return await env.query(
          `select not_revertible -> 0 ->> 'code' as code, not_revertible -> 0 #> '{facts,tables}' as tables from rustine.integration order by id desc limit 1`,
        );
      };
      const wrote = (table: string) => [{ code: 'revert-script-wrote', tables: [`x3.${table}`] }];
      await last(
        `create table log as select * from item; insert into log select * from item; insert into log (cod_0) values ('Z'); create table text (rowid text); insert into text values ('a')`,
      );
      expect(await last(`update log set qty_0 = 5`)).toEqual(wrote('log'));
      expect(await last(`update text set rowid = 'b'`)).toEqual(wrote('text'));
      expect(await last(`insert into item (cod_0, rowid) select cod_0 || 'x', rowid from item`)).toEqual(wrote('item'));
      expect(await last(`insert into item (cod_0) values ('new')`)).toEqual([{ code: null, tables: null }]);
      expect(codes(await takeBack(env))).toEqual([]);
      expect(await env.query(`select count(*)::integer as n from x3.log where qty_0 = 5`)).toEqual([{ n: 7 }]);
    },
  );

  test('R38: what people did since is not lost: each thing is named, all of them at once', async () => {
    const env = await open(server);
    const { NAM: _, ...without } = FIELDS;
    await integrate(
      env,
      item({ ...without, COD: 'A:20', DAT: 'A:12', NEW: 'A:5' }, { ITM0: 'COD' }),
      table('OTHER', 'OTH', { KEY: 'A:5', T: 'A:5' }, { OTH0: 'KEY' }),
      row('OTH', 'x', { KEY: 'k', T: '1' }),
      rows('ITM', 'all', [
        { COD: 'A', QTY: 5 },
        { COD: 'C', QTY: 4 },
        { COD: 'N', QTY: 6 },
      ]),
    );
    const state = await schemaDump(env.url, 'x3');
    await env.query(`update x3.item set qty_0 = 8 where cod_0 = 'A'; create table public.saved as select * from x3.item where cod_0 = 'C'; delete from x3.item where cod_0 in ('C', 'N'); update x3.item set new_0 = 'v' where cod_0 = 'B';
      insert into x3.item (cod_0, dat_0) values ('a code past ten', ''), ('L', 'no day'); insert into x3.other (key_0) values ('mine')`);
    expect(codes(await takeBack(env))).toEqual([
      ['revert-rows-changed', 'ATB:ITEM', { table: 'ITEM', count: 1, keys: ['A'] }],
      ['revert-rows-deleted', 'ATB:ITEM', { table: 'ITEM', count: 1, keys: ['C'] }],
      ['revert-values-since', 'ATB:ITEM', { table: 'ITEM', column: 'new_0', count: 1, keys: ['B'] }],
      [
        'revert-values-unfit',
        'ATB:ITEM',
        {
          table: 'ITEM',
          column: 'cod_0',
          from: 'character varying(20)',
          to: 'character varying(10)',
          count: 1,
          keys: ['a code past ten'],
        },
      ],
      [
        'revert-values-unfit',
        'ATB:ITEM',
        { table: 'ITEM', column: 'dat_0', from: 'character varying(12)', to: 'date', count: 1, keys: ['L'] },
      ],
      ['revert-rows-since', 'ATB:OTHER', { table: 'OTHER', count: 1, keys: ['mine'] }],
    ]);
    await env.query(`delete from x3.other where key_0 = 'mine'; delete from x3.item where length(cod_0) > 10 or cod_0 = 'L'; update x3.item set new_0 = '', qty_0 = least(qty_0, 5);
      insert into x3.item select * from public.saved`);
    expect(
      difference(
        state.filter((line) => !line.startsWith('row')),
        (await schemaDump(env.url, 'x3')).filter((line) => !line.startsWith('row')),
      ),
    ).toEqual([]);
    expect(codes(await takeBack(env))).toEqual([]);
    expect(await env.query(`select cod_0, nam_0, qty_0 from x3.item order by 1`)).toEqual([
      { cod_0: 'A', nam_0: 'a', qty_0: 1 },
      { cod_0: 'B', nam_0: 'b', qty_0: 2 },
      { cod_0: 'C', nam_0: '', qty_0: 0 },
    ]);
  });

  test("R38: tables changed by hand, somebody's views and foreign keys, and what was put back or removed for good", async () => {
    const env = await open(server);
    const { NAM: _, ...without } = FIELDS;
    await integrate(
      env,
      item({ ...without, NEW: 'A:5' }, { ITM0: 'COD' }),
      table('OTHER', 'OTH', { KEY: 'A:5', T: 'A:5' }, { OTH0: 'KEY' }),
      content('ITEM', [{ COD: 'A', QTY: 5 }]),
    );
    await env.query(
      `create schema bi; create view bi.totals as select new_0, count(*) from x3.item group by 1; create view bi.others as select count(*) from x3.other`,
    );
    expect(codes(await takeBack(env))).toEqual([
      ['revert-table-in-use', 'ATB:ITEM', { table: 'ITEM', objects: [expect.stringMatching(/^VIEW bi\.totals \(/)] }],
      ['revert-table-in-use', 'ATB:OTHER', { table: 'OTHER', objects: [expect.stringMatching(/^VIEW bi\.others \(/)] }],
    ]);
    await env.query(
      `drop schema bi cascade; create table public.points (cod varchar(10) references x3.item (cod_0)); create table public.heir () inherits (x3.item)`,
    );
    const objects = [expect.stringContaining('points_cod_fkey'), 'TABLE public.heir'];
    expect(codes(await takeBack(env))).toEqual([['revert-table-in-use', 'ATB:ITEM', { table: 'ITEM', objects }]]);
    await env.query(
      `drop table public.points, public.heir; alter table x3.item add column mine integer; alter table x3.item alter column qty_0 type bigint; drop index x3.item_itm0`,
    );
    expect(codes(await takeBack(env))).toEqual([
      ['revert-table-changed', 'ATB:ITEM', { table: 'ITEM', objects: ['qty_0', 'mine', 'item_itm0'] }],
    ]);
    await env.query(
      `drop table x3.other; update rustine.kept set restored_at = now() where kind = 'rows'; delete from rustine.kept where kind = 'columns'`,
    );
    expect(codes(await takeBack(env)).map(([code, , facts]) => [code, facts.count ?? facts.table])).toEqual([
      ['revert-kept-gone', 1],
      ['revert-kept-restored', 2],
      ['revert-table-changed', 'ITEM'],
      ['revert-table-gone', 'OTHER'],
    ]);
  });

  test.each(['cascade', 'set null', 'restrict'])(
    'R38: what people made that points to a row stays when the row is set back, and is in the way where the row goes (on delete %s)',
    async (action) => {
      const env = await open(server);
      await env.query(`create schema notes; create table notes.of_item (code text default 'C' references x3.item (cod_0) on delete ${action}, note text);
        insert into notes.of_item values ('A', 'precious'), ('B', 'too');
        alter table x3.item add column above text references x3.item (cod_0) on delete ${action}; update x3.item set above = 'A' where cod_0 = 'C'`);
      const state = () =>
        env.query(`select code, note, (select above from x3.item where cod_0 = 'C') from notes.of_item order by note`);
      const before = await state();
      // Of a table that others point to the rows keep their new order.
      const dump = async () =>
        (await schemaDump(env.url, 'x3')).map((line) => line.replace(/^row \| item \| \d+/, 'row | item')).toSorted();
      const items = await dump();
      await integrate(env, rows('ITM', 'all', [{ COD: 'A', QTY: 77 }, { COD: 'N' }]));
      expect(codes(await takeBack(env))).toEqual([]);
      expect(await state()).toEqual(before);
      expect(await dump()).toEqual(items);
      await integrate(env, rows('ITM', 'all', [{ COD: 'A', QTY: 77 }, { COD: 'N' }]));
      await env.query(`insert into notes.of_item values ('N', 'later')`);
      const later = await state();
      expect(codes(await takeBack(env))).toEqual([
        ['revert-table-in-use', 'ATB:ITEM', { table: 'ITEM', objects: ['TABLE CONSTRAINT of_item_code_fkey on notes.of_item'] }],
      ]);
      expect(await state()).toEqual(later);
    },
  );

  test('R38: a key that a script changed goes back where nothing that points to it would be emptied', async () => {
    const env = await open(server);
    await env.query(
      `create schema notes; create table notes.of_item (code text references x3.item (cod_0) on delete cascade on update set null)`,
    );
    await integrate(env, script('KEY', `-- language: sql\nupdate item set cod_0 = 'K' where cod_0 = 'A'`), exe('KEY'));
    await env.query(`insert into notes.of_item values ('K'), ('B')`);
    expect(codes(await takeBack(env))).toMatchObject([['revert-table-in-use', 'ATB:ITEM', {}]]);
    await env.query(`delete from notes.of_item where code = 'K'`);
    expect(codes(await takeBack(env))).toEqual([]);
    expect(
      await env.query(`select i.cod_0, n.code from x3.item i left join notes.of_item n on n.code = i.cod_0 order by 1`),
    ).toEqual([
      { cod_0: 'A', code: null },
      { cod_0: 'B', code: 'B' },
      { cod_0: 'C', code: null },
    ]);
  });

  test('R38: a table that goes comes back with its rows, indexes, rights and triggers, which do not fire', async () => {
    const env = await open(server);
    await integrate(
      env,
      activityCode('KIT'),
      table('BOX', 'BOX', { COD: 'A:10', NAM: 'A:20' }, { BOX0: 'COD' }, { activity: 'KIT' }),
    );
    await integrate(env, row('BOX', 'a', { COD: 'A', NAM: 'a' }), row('BOX', 'b', { COD: 'B' }));
    await env.query(`create function public.no() returns trigger language plpgsql as 'begin raise exception ''fired''; end';
      create trigger never before insert on x3.box for each row execute function public.no(); create trigger changes before insert or update or delete on x3.item for each row execute function public.no();
      alter table x3.item disable trigger changes; comment on table x3.box is 'boxes'; grant select on x3.box to public`);
    await expectTheSame(
      env,
      activityCode('KIT', { active: false }),
      table('BOX', 'BOX', { COD: 'A:10', NAM: 'A:20' }, { BOX0: 'COD' }, { activity: 'KIT' }),
    );
    const { NAM: _, ...without } = FIELDS;
    const before = await schemaDump(env.url, 'x3');
    await integrate(env, item({ ...without }, { ITM0: 'COD' }), row('ITM', 'a', { COD: 'A', QTY: 3 }));
    await env.query(`alter table x3.item enable trigger changes`);
    expect(codes(await takeBack(env))).toEqual([]);
    await env.query(`alter table x3.item disable trigger changes`);
    expect(difference(before, await schemaDump(env.url, 'x3'))).toEqual([]);
  });

  test("R38: people's own columns keep what their types hold, and their sequences; statistics on columns that would come anew are in the way", async () => {
    const env = await open(server);
    await env.query(
      `alter table x3.item add own_js json default '{"b": 1,   "a":2, "a":3}', add own_arr integer[] default '[0:1]={5,6}'`,
    );
    await expectTheSame(env, rows('ITM', 'all', [{ COD: 'A', QTY: 9 }]));
    await env.query(`alter table x3.item add own_ser serial, add own_id integer generated by default as identity (start 100 increment 5);
      create statistics x3.own_st on own_ser, qty_0 from x3.item`);
    const before = await schemaDump(env.url, 'x3');
    const { NAM: _, ...without } = FIELDS;
    await integrate(env, item(without, { ITM0: 'COD' }));
    const objects = ['STATISTICS OBJECT x3.own_st'];
    expect(codes(await takeBack(env))).toEqual([['revert-table-in-use', 'ATB:ITEM', { table: 'ITEM', objects }]]);
    await env.query(`drop statistics x3.own_st`);
    expect(codes(await takeBack(env))).toEqual([]);
    expect(difference(before, await schemaDump(env.url, 'x3'))).toEqual([]);
    await env.query(`insert into x3.item (cod_0) values ('next')`);
    expect(await env.query(`select own_ser, own_id from x3.item order by rowid`)).toEqual([
      { own_ser: 3, own_id: 110 },
      { own_ser: 1, own_id: 100 },
      { own_ser: 2, own_id: 105 },
      { own_ser: 4, own_id: 115 },
    ]);
    // Columns that came since are in no row of before: what stands in them stays, and is in the way where its row goes.
    await integrate(
      env,
      rows('ITM', 'all', [{ COD: 'A', QTY: 12 }, { COD: 'N' }]),
      script('GO', `-- language: sql\ndelete from item where cod_0 = 'C'`),
      exe('GO'),
    );
    await env.query(
      `alter table x3.item add since text, add usual text default 'as usual', add price numeric(9, 2) default 0, add label varchar(9) default 5, add no integer generated always as identity;
        update x3.item set since = 'of ' || cod_0, usual = 'own'`,
    );
    expect(codes(await takeBack(env))).toEqual([['revert-rows-changed', 'ATB:ITEM', { table: 'ITEM', count: 1, keys: ['N'] }]]);
    await env.query(`update x3.item set since = null, usual = default where cod_0 = 'N'`);
    expect(codes(await takeBack(env))).toEqual([]);
    expect(await env.query(`select cod_0, qty_0, since, usual, price::text, label from x3.item order by 1`)).toEqual(
      [1, 2, 0, 0].map((qty_0, at) => {
        const cod_0 = ['A', 'B', 'C', 'next'][at];
        const own = cod_0 === 'C' ? { since: null, usual: 'as usual' } : { since: `of ${cod_0}`, usual: 'own' };
        return { cod_0, qty_0, ...own, price: '0.00', label: '5' };
      }),
    );
    // Where foreign keys point to rows, these are set back in place.
    await env.query(
      `alter table x3.item add unique (cod_0); create table x3.own_ref (cod text references x3.item (cod_0) on delete cascade); insert into x3.own_ref values ('A')`,
    );
    const numbered = () => env.query(`select cod_0, qty_0, no from x3.item order by 1`);
    const there = await numbered();
    await integrate(env, rows('ITM', 'all', [{ COD: 'A', QTY: 13 }]));
    expect(codes(await takeBack(env))).toEqual([]);
    expect(await numbered()).toEqual(there);
    await env.query(`drop table x3.own_ref; alter table x3.item drop no`);
    // Foreign keys that are looked at when the transaction ends.
    await env.query(`create schema own; create table own.codes (code text primary key); insert into own.codes select cod_0 from x3.item union values ('Z');
      alter table x3.item drop own_ser, drop own_id, add foreign key (cod_0) references own.codes deferrable initially deferred`);
    for (const fields of [without, { ...FIELDS, NEW: 'A:5' }])
      await expectTheSame(
        env,
        item(fields, { ITM0: 'COD' }),
        rows('ITM', 'all', [{ COD: 'A', QTY: 3 }, { COD: 'Z' }]),
        script('DOES', `-- language: sql\ndelete from item where cod_0 = 'C'; update item set cod_0 = 'C' where cod_0 = 'B'`),
        exe('DOES'),
      );
  });

  test('R38: a comment that a script gave to a function that was there goes back', async () => {
    const env = await open(server);
    await integrate(
      env,
      script(
        'LIB',
        `-- language: sql\ncreate function f() returns integer language sql return 1; comment on function f() is 'first'`,
      ),
    );
    const comment = () => env.query(`select obj_description('x3.f()'::regprocedure) as is`);
    const patch = await env.patch('COMMENT.dat', [
      script('DOES', `-- language: sql\ncomment on function f() is 'second'`),
      exe('DOES'),
    ]);
    await env.integrate(patch);
    expect(await comment()).toEqual([{ is: 'second' }]);
    const reverted = await env.rustine.revert({ file: 'COMMENT.dat' });
    expect([reverted.findings, reverted.state]).toEqual([[], 'done']);
    expect(await comment()).toEqual([{ is: 'first' }]);
  });

  test('R38: numbers of rows that somebody took since are never given twice', async () => {
    const env = await open(server);
    await integrate(env, rows('ITM', 'all', [{ COD: 'N' }]));
    await env.query(`insert into x3.item (cod_0) values ('mine')`);
    const [{ last } = { last: '' }] = await env.query<{ last: string }>(`select last_value as last from x3.rowid_seq`);
    expect(codes(await takeBack(env))).toEqual([]);
    expect(await env.query(`select last_value as last from x3.rowid_seq`)).toEqual([{ last }]);
    expect(await env.query(`select cod_0 from x3.item order by 1`)).toEqual([
      { cod_0: 'A' },
      { cod_0: 'B' },
      { cod_0: 'C' },
      { cod_0: 'mine' },
    ]);
  });

  test('R38: a patch that was prepared with others (all or none) is taken back like any other', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await integrate(env, item(), rows('ITM', 'all', THREE));
    const before = await schemaDump(env.url, 'seed');
    const { NAM: _, ...without } = FIELDS;
    const patch = await env.patch('ATOMIC.dat', [
      item(without, { ITM0: 'COD' }),
      rows('ITM', 'all', [{ COD: 'A', QTY: 9 }, { COD: 'N' }]),
    ]);
    await env.integrate(patch, { atomic: true });
    expect(codes(await takeBack(env, 'SEED'))).toEqual([]);
    expect(difference(before, await schemaDump(env.url, 'seed'))).toEqual([]);
  });

  test.skipIf(noRealPatches !== undefined || noFields !== undefined)(
    'R38: the real patches, back one after the other',
    async () => {
      const env = await openEnvironment(server, { folders: ['SEED'] });
      const real = (start: string): string => realPatches().find(({ file }) => file.startsWith(start))?.path ?? '';
      const base = join(env.home, 'BASE.dat');
      await writeFile(base, await saltrsPatch(real('V11')));
      const noted: { readonly file: string; readonly before: readonly (readonly string[])[] }[] = [];
      const dumps = async () => [await schemaDump(env.url, 'x3'), await schemaDump(env.url, 'seed')];
      for (const path of [real('ZCLIENT'), base, real('V11')]) {
        noted.push({ file: basename(path), before: await dumps() });
        await env.integrate(path, { authorize: ['ZALI', 'YSWPH'] });
      }
      for (const { file, before } of noted.toReversed()) {
        const reverted = await env.rustine.revert({ file });
        expect([file, reverted.findings, reverted.state]).toEqual([file, [], 'done']);
        expect(await dumps()).toEqual(before);
      }
    },
  );

  test('R38: rows that exchanged unique values exchange them back; somebody who has a key by now is in the way', async () => {
    const env = await openEnvironment(server);
    const two = any('ATB', 'UNI', [
      { tag: 'ATB', values: { ABRFIC: 'UNI', CODACT: '', CODFIC: 'UNI', MODULE: 1 } },
      ...['COD', 'ALT'].map((field, at) => ({
        tag: 'ATZ',
        values: { CODACT: '', CODFIC: 'UNI', CODTYP: 'A', CODZONE: field, DIME: 1, LONG: 5, NUMLIG: at + 1 },
      })),
      ...['COD', 'ALT'].map((field, at) => ({
        tag: 'ATI',
        values: { CODACT: '', CODFIC: 'UNI', CODIND: `UNI${at}`, DESCRIPT: field, HOMONYM: 1, NUMLIG: at + 1 },
      })),
    ]);
    const all = (alternatives: string): readonly Values[] => [...alternatives].map((ALT, at) => ({ COD: String(at), ALT }));
    await integrate(env, two, rows('UNI', 'all', all('abc')));
    await expectTheSame(env, rows('UNI', 'all', all('cabd')));
    await integrate(env, rows('UNI', 'all', all('xbc')));
    await env.query(`insert into x3.uni (cod_0, alt_0) values ('mine', 'a')`);
    const state = await schemaDump(env.url, 'x3');
    await expect(takeBack(env)).rejects.toMatchObject({ code: 'revert-refused', facts: { table: 'UNI' } });
    expect(await schemaDump(env.url, 'x3')).toEqual(state);
    await env.query(`delete from x3.uni where cod_0 = 'mine'`);
    const change = () => env.query(`update x3.uni set alt_0 = 'y' where cod_0 = '0'`);
    await expect(takeBack(env, 'X3', 'commit', change)).rejects.toMatchObject({
      code: 'revert-meanwhile',
      facts: { tables: ['UNI'] },
    });
  });

  test('R38: of a large table rows and values come back, not their order', async () => {
    const env = await open(server);
    await env.query(
      `alter table x3.item add column filler text; insert into x3.item (cod_0, nam_0, qty_0, filler) select 'N' || n, 'row number ' || n, n % 100, repeat('x', 1000) from generate_series(1, 9000) n`,
    );
    const summed = () => env.query(`select count(*), md5(string_agg(t::text, ',' order by rowid)) from x3.item t`);
    const before = await summed();
    const { NAM: _, ...without } = FIELDS;
    await integrate(env, item(without, { ITM0: 'COD' }), rows('ITM', 'all', [{ COD: 'N5', QTY: 1 }, { COD: 'NEW' }]));
    expect(
      await env.query(
        `select 1 from rustine.row_order where table_name = 'item' and integration = (select max(id) from rustine.integration)`,
      ),
    ).toEqual([]);
    expect(codes(await takeBack(env))).toEqual([]);
    expect(await summed()).toEqual(before);
  });
});
