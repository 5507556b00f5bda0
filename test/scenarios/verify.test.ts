// R34, R41: `status --verify`: what hands changed outside of Rustine is named; what people change by right is not.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { readFolders } from '../../src/environment/catalog.ts';
import { withLease } from '../../src/journal/processes.ts';
import { verifyFolders } from '../../src/verify/verified-folders.ts';
import { typed } from '../support/command-line.ts';
import type { Later, TestEnvironment } from '../support/environment.ts';
import { cloneEnvironment, openEnvironment } from '../support/environment.ts';
import { activityCode, any, row, rows, script, table, texts } from '../support/patches.ts';
import type { TestServer } from '../support/servers.ts';
import { everyServer, oneServer } from '../support/servers.ts';
import { twoServers } from '../support/two-servers.ts';

const parameter = (title: string) =>
  any('ADP', 'LIMIT', [
    { tag: 'ADP', values: { ACS: 'ALL', PARAM: 'LIMIT', INTIT: texts({ ENG: title, FRA: `${title} (fr)` }) } },
  ]);
const tables = Array.from({ length: 21 }, (_, at) =>
  table(`T${at}`, `T${at}`, { COD: 'A:10', DES: 'A:30', NUM: 'L', DAT: 'D' }, { [`T${at}0`]: 'COD', [`T${at}1`]: 'DES' }),
);
const plain = (name: string) => any('ADP', name, [{ tag: 'ADP', values: { ACS: 'ALL', PARAM: name } }]);
const multiply = (name: string, by: number) =>
  script(name.toUpperCase(), `create or replace function ${name}(n integer) returns integer language sql as 'select ${by} * n'`);

/** Three folders, two of them with scripts of their own; SEED and TEST came after the first two patches. */
async function lived(server: TestServer | undefined, later: Later): Promise<TestEnvironment> {
  const env = await openEnvironment(server, {
    later,
    init: { languages: ['ENG', 'FRA'] },
  });
  await env.integrate([
    await env.patch('P_0001_140.dat', [parameter('old'), plain('OTHER'), ...tables]),
    await env.patch('P_0002_140.dat', [parameter('new'), multiply('twice', 2), multiply('thrice', 3), multiply('fourfold', 4)]),
  ]);
  await env.folders(['SEED', 'TEST'], { test: true });
  await env.integrate([
    await env.patch('KIT.dat', [activityCode('KIT', { size: 2 }), row('T0', 'a', { COD: 'A', DES: 'one' })]),
    await env.patch('LAST.dat', [plain('LAST')]),
  ]);
  return env;
}

/** Code and subject of each difference, by folder. */
async function differences(env: TestEnvironment, folders?: readonly string[]): Promise<readonly string[]> {
  const { differences: found } = await env.rustine.verify(folders === undefined ? {} : { folders });
  return found
    .filter(({ severity }) => severity === 'warn')
    .flatMap(({ code, subject, folders: those }) => those.map(({ folder }) => `${folder} ${code} ${subject}`))
    .sort();
}

async function obey(env: TestEnvironment, found: Awaited<ReturnType<TestEnvironment['rustine']['verify']>>['differences']) {
  for (const { folders } of found)
    for (const command of folders.map((each) => each.next ?? '')) {
      const text = /^psql .* -c (.*)$/s.exec(command)?.[1];
      if (text !== undefined) await env.query(text.startsWith("'") ? text.slice(1, -1).replaceAll(String.raw`'\''`, "'") : text);
    }
}

/** Each on a table of its own, then what is found, all in folder SEED. */
const BY_HAND: readonly (readonly [statement: string, ...found: string[]])[] = [
  ['alter table seed.t0 add column own integer', 'column-added t0.own'],
  ['alter table seed.t1 drop column num_0', 'column-missing t1.num_0'],
  ['alter table seed.t2 alter column num_0 type bigint', 'column-type-differs t2.num_0'],
  ['alter table seed.t3 alter column num_0 drop not null', 'column-null-differs t3.num_0'],
  ['alter table seed.t4 alter column num_0 set default 5', 'column-default-differs t4.num_0'],
  ['alter table seed.t18 alter column des_0 type varchar(30) collate "C"', 'column-collation-differs t18.des_0'],
  ['alter table seed.t5 alter column rowid drop default', 'column-default-differs t5.rowid'],
  ['alter sequence seed.rowid_seq rename to "Row numbers"', 'sequence-renamed rowid_seq'],
  ['drop index seed.t6_t61', 'index-missing t6.t6_t61'],
  ['drop index seed.t7_t71; create index t7_t71 on seed.t7 (num_0)', 'index-differs t7.t7_t71'],
  ['drop table seed.t8', 'table-missing t8'],
  ['alter table seed.t9 rename to other', 'table-renamed t9'],
  ['create table seed.own (n integer)', 'table-added own'],
  ['alter table seed.t10 add constraint positive check (num_0 >= 0)', 'constraint-added t10.positive'],
  [
    `create function public.noop() returns trigger language plpgsql as 'begin return new; end';
     create trigger watch before insert on seed.t11 for each row execute function public.noop()`,
    'trigger-added t11.watch',
  ],
  ['alter table seed.t12 set unlogged', 'table-unlogged t12'],
  ['alter table seed.t13 enable row level security', 'table-row-security t13'],
  ['create rule quiet as on delete to seed.t14 do instead nothing', 'rule-added t14.quiet'],
  ['drop view seed.adopar', 'view-missing adopar'],
  [
    `create or replace function seed.twice(n integer) returns integer language sql as 'select 3 * n'`,
    'function-differs TRT:TWICE',
  ],
  ['drop function seed.thrice(integer)', 'function-missing TRT:THRICE'],
  ['alter table seed.t15 rename column des_0 to other', 'column-renamed t15.des_0'],
  ['alter table seed.t16 owner to {role}', 'table-owner-differs t16'],
  ['alter table seed.t17 rename to more; alter table seed.more add column own integer', 'table-renamed t17'],
  [`create function seed.spy(text) returns text language sql as 'select $1'`, 'function-added spy(text)'],
  [
    `revoke execute on function seed.fourfold(integer) from public; grant execute on function seed.fourfold(integer) to {test}`,
    'function-rights-differ TRT:FOURFOLD',
  ],
  ['create sequence seed.counter', 'object-added counter'],
  [`create type seed.mood as enum ('good')`, 'object-added mood'],
  ['create domain seed.percent as integer check (value < 101)', 'object-added percent'],
  ['alter table seed.t19 add column ser serial', 'column-added t19.ser'],
  ['alter index seed.t20_t201 rename to other_index', 'index-renamed t20.t20_t201'],
  ['create rule none as on insert to seed.atable do instead nothing', 'rule-added atable.none'],
  [
    'create trigger instead instead of update on seed.atable for each row execute function public.noop()',
    'trigger-added atable.instead',
  ],
  [`update rustine.folder set level = '{"P_140": 99}' where code = 'SEED'`, 'standing-differs SEED'],
  ['grant select (cod_0) on x3.t1 to {role}', 'right-added x3.t1'],
  ['grant truncate on seed.t0 to {role}', 'right-added seed.t0'],
  ['grant select on x3.t0 to {role}', 'right-added x3.t0'],
  ['revoke insert on seed.t1 from {role}', 'right-missing seed.t1'],
  ['grant create on schema seed to {role}', 'right-added seed'],
  ['grant select on seed.t2 to public', 'right-added seed.t2'],
  [`alter role {role} createdb nologin valid until '2020-01-01'`, 'login-attributes {role}'],
  ['grant pg_monitor to {role}', 'login-member {role}'],
  ['grant select, insert on seed.t3 to {role} with grant option', 'right-grantable seed.t3'],
  ['grant create, temporary on database {database} to {role}', 'right-added {database}'],
  [
    `create function public.secret() returns text language sql security definer as 'select ''secret''::text';
     grant execute on function public.secret() to {role}`,
    'right-added public.secret()',
  ],
  ['alter default privileges in schema seed grant truncate on tables to {role}', 'default-right-added seed'],
  ['alter default privileges in schema seed revoke usage on sequences from {role}', 'default-right-missing seed'],
  ['alter default privileges grant select on tables to {role}', 'default-right-added {owner}'],
];

describe.each(everyServer())('verification on $name', (server) => {
  const mine: (() => Promise<void>)[] = [];
  let original = '';

  beforeAll(async () => {
    const env = await lived(server, (work) => void mine.unshift(work));
    await env.rustine.close();
    original = env.database;
  });

  afterAll(async () => {
    for (const work of mine) await work();
  });

  test('R34: after patches, creation and what people change by right, nothing differs', async () => {
    const env = await cloneEnvironment(server, original, onTestFinished);
    expect(await differences(env)).toEqual([]);
    await env.rustine.setElement({ element: 'ADP:LIMIT', folder: 'SEED', assignments: [{ field: 'ACS', value: 'OWN' }] });
    await env.query(
      `insert into seed.t0 (cod_0, des_0) values ('MINE', 'x'); update seed.adosact set dime_0 = 3; create index mine on seed.t0 (num_0)`,
    );
    expect(await differences(env)).toEqual([]);
    await env.integrate(
      await env.patch('P_0003_140.dat', [
        parameter('newer'),
        table('T0', 'T0', { COD: 'A:10', DES: 'A:60', NUM: 'DCB:9.3' }, { T00: 'COD' }),
      ]),
    );
    await env.integrate(
      await env.patch('ZX.dat', [
        any('ADP', 'ZOWN', [{ tag: 'ADP', values: { PARAM: 'ZOWN', CODACT: 'ZAL' } }]),
        rows('T0', 'all', [{ COD: 'B' }]),
      ]),
      { authorize: ['ZAL'] as never },
    );
    expect(await differences(env)).toEqual([]);
    await env.rustine.validate({ folders: ['SEED'] });
    for (const { id } of await env.rustine.kept({ folder: 'SEED' }))
      await env.rustine.restoreKept([id], {}).catch(() => undefined);
    expect(await differences(env)).toEqual([]);
    await env.folders(['LATER'], { parent: 'SEED' });
    expect(await differences(env)).toEqual([]);
    // Rows are numbered on above all numbers that were given, also to rows that are put aside.
    await env.query('drop sequence seed.rowid_seq cascade');
    expect(await differences(env)).toEqual(['SEED sequence-missing rowid_seq']);
    await obey(env, (await env.rustine.verify({})).differences);
    expect(await differences(env)).toEqual([]);
    await env.query(`insert into seed.t0 (cod_0) values ('AFTER'), ('NEXT')`);
    const [row] = await env.query(`select (select min(rowid) from seed.t0 where cod_0 in ('AFTER', 'NEXT')) > greatest(
      (select max(rowid) from seed.t0 where cod_0 not in ('AFTER', 'NEXT')), (select max(rowid) from seed.apatch),
      (select max(row_number) from rustine.kept_row join rustine.kept on kept.id = kept and folder = (select id from rustine.folder where code = 'SEED'))) as above`);
    expect(row).toEqual({ above: true });
  });

  test('R34, R41: tables, functions and rights changed by hand are named, each once, with the folder and what to do', async () => {
    const env = await cloneEnvironment(server, original, onTestFinished);
    const [names] = await env.query<Record<string, string>>(
      `select role_name as role, current_database() as database, current_user::regrole::text as owner,
        (select role_name from rustine.folder where code = 'TEST') as test from rustine.folder where code = 'SEED'`,
    );
    const login = { role: names?.role ?? '' };
    const named = (text: string) => text.replaceAll(/\{(\w+)\}/g, (_, name: string) => names?.[name] ?? '');
    env.later(() =>
      env
        .query(named(`alter role {role} nocreatedb login valid until 'infinity'; revoke pg_monitor from {role}`))
        .then(() => undefined),
    );
    await env.query(
      `insert into seed.t15 (cod_0, des_0) values ('A', 'kept'); insert into seed.t17 (cod_0, des_0) values ('A', 'kept')`,
    );
    for (const [statement] of BY_HAND) await env.query(named(statement));
    await env.query('update seed.t0 set own = 7; insert into seed.own values (8)');
    expect(await differences(env)).toEqual(
      BY_HAND.flatMap(([, ...expected]) => expected.map((each) => `SEED ${named(each)}`)).sort(),
    );
    const { differences: found } = await env.rustine.verify({ folders: ['SEED'] });
    const next = (code: string) => found.find((each) => each.code === code)?.next;
    expect(next('column-missing')).toBe('rustine validate SEED');
    expect(next('column-default-differs')).toBe(
      `psql "$(rustine db url)" -c 'alter table "seed".t4 alter column num_0 set default 0'`
        .replace('t4', '"t4"')
        .replace('num_0', '"num_0"'),
    );
    // What is told to do does it, whatever of it is done in which order, and no value is lost.
    await obey(env, found);
    await env.rustine.validate({ folders: ['SEED'] });
    expect(await differences(env)).toEqual(['SEED column-added t17.own']);
    await obey(env, (await env.rustine.verify({})).differences);
    expect(await differences(env)).toEqual([]);
    expect(
      await env.query(`select (select des_0 from seed.t15 where cod_0 = 'A') as renamed, (select des_0 from seed.t17 where cod_0 = 'A') as "renamedTable",
        (select own from found_by_verify_seed.t0_own limit 1) as column, (select n from found_by_verify_seed.own) as "table",
        has_table_privilege('${login.role}', 'found_by_verify_seed.own', 'select') as "loginReadsIt",
        (select array_agg(distinct a.grantee::text) from pg_proc p, aclexplode(proacl) a where p.oid = 'seed.fourfold(integer)'::regprocedure and a.grantee <> proowner) as runners`),
    ).toEqual([{ renamed: 'kept', renamedTable: 'kept', column: 7, table: 8, loginReadsIt: false, runners: ['0'] }]);
    // Rights outlive a function that is replaced: a script that leaves them alone does not make them its own, one that speaks of them does.
    await env.query('revoke execute on function seed.fourfold(integer) from public');
    await env.integrate(await env.patch('AGAIN.dat', [multiply('fourfold', 5)]));
    expect(await differences(env)).toEqual(['SEED function-rights-differ TRT:FOURFOLD']);
    const granted = `create or replace function fourfold(n integer) returns integer language sql as 'select 6 * n';
      revoke execute on function fourfold(integer) from public`;
    await env.integrate(await env.patch('OWN.dat', [script('FOURFOLD', granted)]));
    expect(await differences(env)).toEqual([]);
    await env.query('grant execute on function seed.fourfold(integer) to public');
    expect(await differences(env)).toEqual(['SEED function-rights-differ TRT:FOURFOLD']);
    await env.integrate(await env.patch('OWNER.dat', [script('FOURFOLD', `${granted};`)]));
    expect(await differences(env)).toEqual([]);
  });

  test('R34: the dictionary of a folder changed by hand is told with what was delivered, what is there and by which patch', async () => {
    const env = await cloneEnvironment(server, original, onTestFinished);
    // What came with the kernel, and no patch since, is compared with the kernel: two wrong folders may agree.
    await env.query(`delete from rustine.record where type = 'ATY' and name = 'AUS' and folder in (1, 2);
      delete from rustine.element where type = 'ATY' and name = 'AUS' and folder in (1, 2);
      delete from rustine.record where type = 'ATB' and name = 'APATCH' and key = 'COMMENT' and folder = 1;
      update rustine.element set title = 'x' where type = 'ATY' and name = 'D' and folder = 3`);
    const kernel = await env.rustine.verify({});
    expect(kernel.differences.map(({ code, subject, patch, next }) => [code, subject, patch, next])).toEqual([
      ['element-missing', 'ATY:AUS', undefined, 'rustine validate X3 SEED'],
      ['element-differs', 'ATB:APATCH', undefined, 'rustine validate X3'],
      ['element-differs', 'ATY:D', undefined, 'rustine validate TEST'],
    ]);
    await env.rustine.validate({ folders: ['X3', 'SEED', 'TEST'] });
    expect(await differences(env)).toEqual([]);
    expect((await env.rustine.validate({ folders: ['X3'] })).folders.map(({ state }) => state)).toEqual(['unchanged']);
    await env.query(`delete from rustine.record where folder = 2 and type = 'ATB' and name = 'T0' and key = 'NUM'`);
    await env.query(`update rustine.record set content = (select content from rustine.record where folder = 3 and name = 'OTHER' and tag = 'ADP')
      where folder = 3 and name = 'LIMIT' and tag = 'ADP'`);
    await env.query(
      `delete from rustine.element where folder = 1 and name = 'OTHER'; delete from rustine.record where folder = 1 and name = 'OTHER'`,
    );
    await env.query(`delete from rustine.script where folder = 1 and name = 'TWICE'`);
    const { differences: found } = await env.rustine.verify({});
    expect(found.map(({ code, subject, patch, folders }) => [code, subject, patch, folders.map(({ folder }) => folder)])).toEqual(
      [
        ['element-missing', 'ADP:OTHER', 'P_0001_140.dat', ['X3']],
        ['script-missing', 'TRT:TWICE', 'P_0002_140.dat', ['X3']],
        ['element-differs', 'ATB:T0', 'P_0001_140.dat', ['SEED']],
        ['element-differs', 'ADP:LIMIT', 'P_0002_140.dat', ['TEST']],
      ],
    );
    expect(found[3]?.facts.lines).toEqual([expect.stringContaining('PARAM: LIMIT → OTHER')]);
  });

  test('R34: stored content altered by hand is told for every folder that has it', async () => {
    const env = await cloneEnvironment(server, original, onTestFinished);
    await env.query(`update rustine.content set fields = jsonb_set(fields, '{PARAM}', '"HACKED"')
      where id in (select content from rustine.record where folder = 2 and name = 'LIMIT')`);
    await env.query(
      `update rustine.blob set bytes = bytes || '\\x00' where digest = (select digest from rustine.script where folder = 1 and name = 'TWICE')`,
    );
    // The code that guards a line, which stands beside its fields.
    await env.query(
      `update rustine.content set activity = 'ZOWN' where id in (select content from rustine.record where folder = 2 and name = 'OTHER')`,
    );
    await env.query(
      `update rustine.content set activity = '' where id in (select content from rustine.record where folder = 2 and name = 'KIT')`,
    );
    const { differences: found } = await env.rustine.verify({});
    expect(found.map(({ code, subject, folders }) => [code, subject, folders.length])).toEqual([
      ['content-altered', 'ACV:KIT', 3],
      ['content-altered', 'ADP:LIMIT', 3],
      ['content-altered', 'ADP:OTHER', 3],
      ['script-altered', 'TRT:TWICE', 3],
    ]);
  });

  test('R41: APATCH and the chain: rows missing, added, changed, cut off', async () => {
    const env = await cloneEnvironment(server, original, onTestFinished);
    const found = async () => (await differences(env)).map((each) => each.replace('SEED ', ''));
    const at = (file: string) => `folder = 2 and file = '${file}'`;
    for (const [statement, undo, ...expected] of [
      [
        `delete from seed.apatch where fic_0 = 'P_0002_140.dat'`,
        `insert into seed.apatch select * from jsonb_populate_record(null::seed.apatch, (select apatch from rustine.integration where ${at('P_0002_140.dat')}))`,
        'apatch-missing P_0002_140.dat',
      ],
      [
        `insert into seed.apatch (num_0, fic_0) values (77, 'GHOST.dat')`,
        `delete from seed.apatch where num_0 = 77`,
        'apatch-unknown GHOST.dat',
      ],
      [
        `update seed.apatch set typ_0 = 'X' where fic_0 = 'P_0002_140.dat'`,
        `update seed.apatch set typ_0 = 'P' where fic_0 = 'P_0002_140.dat'`,
        'apatch-changed P_0002_140.dat',
      ],
      [
        `update rustine.integration set version = '141' where ${at('P_0002_140.dat')}`,
        `update rustine.integration set version = '140' where ${at('P_0002_140.dat')}`,
        'history-changed P_0002_140.dat',
      ],
      [
        `update rustine.integration set reverted_by = 7 where ${at('KIT.dat')}`,
        `update rustine.integration set reverted_by = null where ${at('KIT.dat')}`,
        'history-taken-back KIT.dat',
      ],
      [
        `set session_replication_role = replica; insert into rustine.integration (folder, kind, file, digest, patch_type, operator) values (2, 'set', 'GHOST.dat', '', '', 'x')`,
        `delete from rustine.integration where file = 'GHOST.dat'`,
        'history-inserted GHOST.dat',
      ],
      [
        `create table aside as select * from rustine.integration where ${at('KIT.dat')}; delete from rustine.integration where ${at('KIT.dat')}`,
        `set session_replication_role = replica; insert into rustine.integration select * from aside`,
        'apatch-unknown KIT.dat',
        'history-removed LAST.dat',
      ],
      [
        `update rustine.folder set chain = null where id = 2`,
        `update rustine.folder set chain = (select hash from rustine.integration where ${at('LAST.dat')}) where id = 2`,
        'history-cut SEED',
      ],
    ] as const) {
      await env.query(statement);
      expect([statement, ...(await found())]).toEqual([statement, ...expected]);
      await env.query(undo);
    }
    expect(await found()).toEqual([]);
    await env.query(`delete from rustine.integration where ${at('LAST.dat')}; delete from seed.apatch where fic_0 = 'LAST.dat'`);
    expect(await found()).toEqual(['history-cut SEED']);
  });
});

describe.each(oneServer())('verification, whatever the version of the server', (server) => {
  test('R34, R38: after a patch was taken back, and on a further server below a mirror, nothing differs', async () => {
    const env = await twoServers(server, undefined);
    await env.integrate([await env.patch('P_0001_140.dat', [parameter('old'), ...tables.slice(0, 2)])]);
    await env.integrate([await env.patch('P_0002_140.dat', [parameter('new'), multiply('twice', 2)])]);
    expect(await differences(env)).toEqual([]);
    await env.rustine.revert({ file: 'P_0002_140.dat', folders: ['LOC'] });
    expect(await differences(env)).toEqual([]);
    await env.at(`alter table far.t0 alter column num_0 set default 5`);
    expect(await differences(env)).toEqual(['FAR column-default-differs t0.num_0']);
    // The command goes to the server where the folder is.
    const [told] = (await env.rustine.verify({ folders: ['FAR'] })).differences;
    expect(told?.next).toMatch(/^psql "\$\(rustine db url --server NORTH\)" -c 'alter table "far"/);
    const settings = { servers: { NORTH: env.north } };
    expect((await typed(env, ['db', 'url', '--server', 'north'], { settings })).out.trim()).toBe(env.north);
    await env.at(told?.next?.match(/-c '(.*)'$/)?.[1] ?? '');
    expect(await differences(env)).toEqual([]);
    const unknown = await typed(env, ['status', '--verify', 'FAR', 'NOPE'], { settings });
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining('X3, LOC, FAR')]);
  });

  test('R4, R34: a mirror that hands changed is told, and validated with a folder that looks up in it', async () => {
    const env = await twoServers(server, undefined, false);
    const path = await env.patch('P_0001_140.dat', [parameter('old'), multiply('twice', 2), ...tables.slice(0, 2)]);
    await env.integrate(path);
    // What came before the mirror was made is compared there, too: the files come with it.
    await env.folders(['LOC']);
    await env.folders(['FAR'], { server: 'NORTH' });
    expect(
      (await env.rustine.verify({})).folders.map(({ folder, mirror, notCompared }) => [folder, mirror, notCompared]),
    ).toEqual([
      ['X3', undefined, []],
      ['LOC', undefined, []],
      ['X3', 'NORTH', []],
      ['FAR', undefined, []],
    ]);
    // Those that were made without them get them with the next run.
    await env.at('delete from rustine.patch');
    expect((await env.rustine.verify({})).folders.map(({ notCompared }) => notCompared.length)).toEqual([0, 0, 1, 1]);
    await env.rustine.validate({ folders: ['FAR'] });
    expect((await env.rustine.verify({})).folders.map(({ notCompared }) => notCompared.length)).toEqual([0, 0, 0, 0]);
    await env.at(`drop function x3.twice(integer); drop table x3.t0;
      delete from rustine.record where type = 'ATY' and name = 'AUS' and folder = (select id from rustine.folder where code = 'X3');
      delete from rustine.element where type = 'ATY' and name = 'AUS' and folder = (select id from rustine.folder where code = 'X3');
      delete from rustine.element where type = 'ADP' and folder = (select id from rustine.folder where code = 'X3');
      delete from rustine.record where type = 'ADP' and folder = (select id from rustine.folder where code = 'X3')`);
    const { differences: found } = await env.rustine.verify({});
    expect(found.map(({ code, subject }) => `${code} ${subject}`).sort()).toEqual([
      'element-missing ADP:LIMIT',
      'element-missing ATY:AUS',
      'function-missing TRT:TWICE',
      'table-missing t0',
    ]);
    expect(found.every(({ folders }) => folders.length === 1 && folders[0]?.mirror === 'NORTH')).toBe(true);
    const again = 'rustine integrate P_0001_140.dat --folders X3,FAR --force already=REASON';
    expect([...new Set(found.map(({ next }) => next))].sort()).toEqual([null, again, 'rustine validate X3 FAR']);
    const settings = { servers: { NORTH: env.north } };
    expect((await typed(env, ['status', '--verify', 'X3'], { settings })).out).toContain('X3 (its mirror on NORTH)');
    expect((await typed(env, ['status', '--verify', 'LOC'], { settings })).code).toBe(0);
    const page = (await typed(env, ['status', '--verify', '--format', 'html'], { settings })).out;
    for (const said of ['Verification: APATCH', 'X3 (its mirror on NORTH)', 'rustine validate X3 FAR', 'Hash of the chain'])
      expect(page).toContain(said);
    expect(page).not.toContain('Folders in line');
    await env.integrate(path, { folders: ['X3', 'FAR'], force: [{ check: 'already', reason: 'a mirror was changed' }] });
    await env.rustine.validate({ folders: ['X3', 'FAR'] });
    expect(await differences(env)).toEqual([]);
  });

  test('R23, R34: texts in languages that came are told with what brings them, those in languages that went are no difference', async () => {
    const env = await openEnvironment(server, { init: { languages: ['FRA'] } });
    await env.folders(['SEED'], { languages: ['FRA', 'ENG'] });
    const path = await env.patch('P_0001_140.dat', [
      parameter('old'),
      any('AML', '7', [
        { tag: 'AML', values: { AUZMOD: 1, MENLOCAL: texts({ ENG: 'Colour', FRA: 'Couleur' }) } },
        ...['ENG', 'FRA'].map((language) => ({ tag: 'AST', values: { LANNUM: 1, LAN: language, LANMES: `red ${language}` } })),
      ]),
    ]);
    await env.integrate(path);
    expect(await differences(env)).toEqual([]);
    const told = async () =>
      (await env.rustine.verify({})).differences.map(
        ({ code, severity, subject, folders, next }) =>
          `${severity} ${code} ${subject} ${folders.map(({ folder }) => folder).join(',')}: ${next}`,
      );
    await env.rustine.setFolder('SEED', { languages: ['ENG'] });
    await env.rustine.setFolder('X3', { languages: ['ENG', 'FRA'] });
    await env.rustine.validate({});
    expect(await told()).toEqual(['ADP:LIMIT', 'AML:7'].map((element) => `info element-texts-to-come ${element} X3: null`));
    expect((await typed(env, ['status', '--verify'])).out).toContain('ADP:LIMIT has no texts in ENG yet');
    await env.integrate(path, { folders: ['X3'], force: [{ check: 'already', reason: 'texts' }] });
    expect(await told()).toEqual([]);
    // All of a folder's languages change at once; a text that people changed by hand is told all the same.
    await env.rustine.setFolder('SEED', { languages: ['FRA'] });
    await env.rustine.setFolder('X3', { languages: ['FRA'] });
    await env.rustine.validate({});
    expect(await differences(env)).toEqual([]);
    await env.query(
      `update rustine.content set fields = jsonb_set(fields, '{INTIT,text,FRA,0}', '"autre"') where fields ->> 'PARAM' = 'LIMIT'`,
    );
    expect(await differences(env)).toContain('X3 element-differs ADP:LIMIT');
  });

  test('R4, R34: a schema that was renamed or dropped is told as that; so is where the login looks names up', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'TEST'] });
    await env.integrate(await env.patch('T.dat', tables.slice(3, 4)));
    const [login] = await env.query<{ role: string }>(`select role_name as role from rustine.folder where code = 'SEED'`);
    // A table that was given to the login is told as that by a validation, too, with what takes it back.
    await env.query(`alter table seed.t3 owner to ${login?.role}`);
    const preview = () => env.rustine.validate({ folders: ['SEED'], preview: true });
    const given = (await preview()).findings;
    expect(given).toMatchObject([{ code: 'name-taken', severity: 'block', subject: 'ATB:T3', facts: { owner: login?.role } }]);
    await env.query(String(given[0]?.facts.statement));
    expect(await differences(env)).toEqual([]);
    expect((await preview()).folders).toMatchObject([{ state: 'unchanged' }]);
    await env.query(`alter role ${login?.role} in database ${env.database} set search_path = pg_catalog`);
    await env.query('alter schema seed rename to azz');
    await env.query(
      `alter schema test owner to ${login?.role.replace('_seed', '_test')}; grant usage on schema rustine to public`,
    );
    expect(await differences(env)).toEqual([
      `SEED login-search-path ${login?.role}`,
      'SEED schema-renamed seed',
      'TEST login-owns test',
      'TEST right-added rustine',
      'X3 right-added rustine',
    ]);
    expect((await typed(env, ['status', '--verify', 'SEED'])).out).toContain('seed is called azz now');
    // Nor is it validated, or locked for that.
    const refused = async () => {
      const { state, findings } = await env.rustine.validate({ folders: ['SEED'] });
      expect(await env.query(`select state from rustine.folder where code = 'SEED'`)).toEqual([{ state: 'ready' }]);
      return [state, ...findings.map(({ code, severity, facts }) => [code, severity, facts])];
    };
    const back = { folder: 'SEED', schema: 'seed', found: 'azz', statement: 'alter schema "azz" rename to "seed"' };
    expect(await refused()).toEqual(['refused', ['schema-renamed', 'block', back]]);
    await obey(env, (await env.rustine.verify({})).differences);
    expect(await differences(env)).toEqual([]);
    await env.query('drop schema seed cascade');
    expect(await differences(env)).toEqual(['SEED schema-missing seed']);
    const gone = ['schema-missing', 'block', { folder: 'SEED', schema: 'seed' }];
    expect(await refused()).toEqual(['refused', gone]);
    // Nor patched; what is known of the folder is shown.
    const paths = [await env.patch('LATE.dat', [activityCode('LATE')])];
    const { state, findings } = await env.rustine.integrate({ paths, mode: 'integrate' });
    expect([state, ...findings.map(({ code, severity, facts }) => [code, severity, facts])]).toEqual(['refused', gone]);
    const shown = await typed(env, ['folder', 'show', 'SEED']);
    expect([shown.code, shown.out]).toEqual([0, expect.stringMatching(/Schema seed of folder SEED is not in the database/)]);
  });

  test('R34: a patch that comes while folders are verified is no difference', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('P_0001_140.dat', [parameter('old'), ...tables.slice(0, 1)]));
    const next = await env.patch('P_0002_140.dat', [
      parameter('new'),
      table('T0', 'T0', { COD: 'A:10', DES: 'A:30', NUM: 'L', MORE: 'L' }, { T00: 'COD' }),
    ]);
    const database = await openPostgres(env.url, 4);
    onTestFinished(() => database.close());
    let came: Promise<unknown> | undefined;
    const meanwhile: Database = {
      ...database,
      // The first folder's snapshot begins when all that is shared was read.
      async transaction(work, ending, aborted) {
        if (ending === 'rollback') {
          came ??= env.integrate(next);
          await came;
        }
        return database.transaction(work, ending, aborted);
      },
    };
    const found = new Map<string, readonly string[]>();
    await withLease(database, 'somebody', async ({ process: lease }) =>
      verifyFolders(meanwhile, lease, await readFolders(database), 2, ({ folder, differences: those }) => {
        found.set(
          folder,
          those.map(({ code, subject }) => `${code} ${subject}`),
        );
      }),
    );
    expect(came).toBeDefined();
    expect(Object.fromEntries(found)).toEqual({ X3: [], SEED: [] });
  });

  test('R34: the command line: exit code, the folders asked for, both languages, JSON', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'TEST'] });
    await env.integrate(await env.patch('T.dat', tables.slice(3, 4)));
    expect(await typed(env, ['status', '--verify', 'TEST'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('1 folder verified'),
    });
    // Who gets the sheet sees that it was verified where nothing differs, too.
    const rowsFor = async () =>
      (await typed(env, ['status', '--verify', 'TEST', '--format', 'csv'])).out
        .split(/\r?\n/)
        .slice(1)
        .filter((line) => line !== '');
    const inLine =
      /^TEST,info,verified,,,"Verified: APATCH, .* as they should be, as far as they were compared\.",,[0-9a-f]{64},/;
    expect(await rowsFor()).toEqual([expect.stringMatching(inLine)]);
    for (const folder of ['seed', 'test']) await env.query(`alter table ${folder}.t3 alter column num_0 type bigint`);
    const { code, out } = await typed(env, ['status', '--verify']);
    expect(code).toBe(1);
    expect(out).toContain('SEED, TEST – Column num_0 of table t3 has type bigint; by the dictionary it is integer.');
    expect(out).toContain('→ `rustine validate SEED TEST`');
    expect(await rowsFor()).toEqual([
      expect.stringContaining('Verified: 1 difference found.'),
      expect.stringMatching(/^TEST,warn,column-type-differs,t3.num_0,/),
    ]);
    expect((await typed(env, ['status', '--verify', '--lang', 'fr'])).out).toContain(
      'La colonne num_0 de la table t3 est de type bigint',
    );
    const json = JSON.parse((await typed(env, ['status', '--verify', 'SEED', '--json'])).out);
    expect(json).toMatchObject({
      inLine: false,
      folders: [{ code: 'SEED', chain: expect.stringMatching(/^[0-9a-f]{64}$/), notCompared: [] }],
      differences: [
        { code: 'column-type-differs', subject: 't3.num_0', folders: [{ folder: 'SEED', next: 'rustine validate SEED' }] },
      ],
    });
    await env.query('update rustine.patch set kept = false');
    const sheet = (await typed(env, ['status', '--verify', '--format', 'csv'])).out.split('\n');
    expect(sheet.filter((line) => line.includes('file-not-kept')).map((line) => line.split(/[,;]/).slice(0, 5))).toEqual(
      ['X3', 'SEED', 'TEST'].map((folder) => [folder, 'info', 'file-not-kept', 'T.dat', 'T.dat']),
    );
    expect((await typed(env, ['status', '--verify', '--format', 'csv', '--lang', 'fr'])).out).toContain("n'a pas été comparé");
    expect((await typed(env, ['status', '--verify', 'NOWHERE'])).code).toBe(2);
    expect((await typed(env, ['status', 'SEED'])).code).toBe(2);
    expect((await typed(env, ['status', '--verify', '--run', '7b93'])).code).toBe(2);
  });
});
