// The tables that rows are delivered for: whose they are, in which state, and what becomes of rows whose table or column a folder does not have yet.
import { describe, expect, test } from 'vitest';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import { activityCode, any, content, exe, row, script, table } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

const attempt = (env: TestEnvironment, path: string, folders?: readonly string[]): Promise<RunOutcome> =>
  env.rustine.integrate({ paths: [path], mode: 'integrate', ...(folders === undefined ? {} : { folders }) });
const found = ({ findings }: RunOutcome) => findings.map(({ code, severity, subject }) => [code, severity, subject]);

describe.each(everyServer())('tables of rows on $name', (server) => {
  const TRAP = `create table evil (updtick_0 integer not null default 1, cod_0 varchar(10), n_0 integer, rowid bigint);
    create function spring() returns trigger language plpgsql as $$ begin execute format('alter role %I superuser', (select rolname from pg_roles where oid = (select relowner from pg_class where oid = tg_relid))); return new; end $$;
    create trigger spring before insert on evil for each row execute function spring();`;

  test.each(['EVI', 'TAB', 'AAA'] as const)(
    'R3: a script’s own table under the name of a defined one gets no rows: %s',
    async (type) => {
      const env = await openEnvironment(server);
      const evil = table('EVIL', 'EVI', { COD: 'A:10', N: 'L' }, { EVI0: 'COD' }, { activity: 'ESC' });
      await env.integrate(await env.patch('A.dat', [activityCode('ESC', { active: false }), evil]));
      await env.integrate(await env.patch('B.dat', [script('MAKE', TRAP), exe('MAKE')]));
      const rows = {
        EVI: row('EVI', 'x', { COD: 'A', N: 1 }),
        TAB: content('EVIL', [{ COD: 'A', N: 1 }]),
        AAA: any('AAA', 'MODEL', [{ tag: 'EVI', values: { COD: 'A', N: 1 } }]),
      }[type];
      const outcome = await attempt(env, await env.patch('C.dat', [activityCode('ESC'), rows]));
      expect([outcome.state, found(outcome)]).toEqual(['refused', [['name-taken', 'block', 'ATB:EVIL']]]);
      expect(await env.query('select from x3.evil')).toEqual([]);
      expect(
        await env.query(`select rolname from pg_roles where rolsuper and starts_with(rolname, $1)`, [`${env.database}_`]),
      ).toEqual([]);
    },
  );

  test('R3: what is found of the table decides in each folder, also where another one shares the plan', async () => {
    const env = await openEnvironment(server, { folders: ['ONE', 'TWO'] });
    await env.integrate(await env.patch('A.dat', [table('EVIL', 'EVI', { COD: 'A:10', N: 'L' }, { EVI0: 'COD' })]));
    const [role] = await env.query<{ role: string }>(`select role_name as role from rustine.folder where code = 'TWO'`);
    await env.query(`drop table two.evil`);
    await env.query(`set search_path = two; ${TRAP} alter table evil owner to "${role?.role}"`);
    const outcome = await attempt(env, await env.patch('B.dat', [row('EVI', 'x', { COD: 'A', N: 1 })]));
    expect(outcome.folders.map(({ folder, state }) => [folder, state])).toEqual([
      ['X3', 'integrated'],
      ['ONE', 'integrated'],
      ['TWO', 'failed'],
    ]);
    expect(await env.query('select from two.evil')).toEqual([]);
  });

  test('R26: a table or column that a code switches on is made before its rows come, in the same patch or a later one', async () => {
    const env = await openEnvironment(server, { folders: ['SHOP'] });
    const box = table('BOX', 'BOX', { COD: 'A:5' }, { BOX0: 'COD' }, { activity: 'KIT' });
    const bag = table('BAG', 'BAG', { COD: 'A:5', K: { type: 'C', slots: 1, activity: 'KIT' } }, { BAG0: 'COD' });
    await env.integrate(await env.patch('A.dat', [activityCode('KIT', { active: false }), box, bag]));
    await env.rustine.setFolder('SHOP', { activityCodes: ['KIT'] });
    const later = await attempt(env, await env.patch('B.dat', [row('BOX', 'x', { COD: 'S' })]), ['SHOP']);
    expect([later.state, later.folders[0]?.patches[0]?.tables.created]).toEqual(['done', ['box']]);
    await env.integrate(await env.patch('C.dat', [activityCode('KIT'), row('BAG', 'x', { COD: 'A', K: 7 })]));
    for (const folder of ['x3', 'shop']) expect(await env.query(`select k_0 from ${folder}.bag`)).toEqual([{ k_0: 7 }]);
    await env.integrate([
      await env.patch('D1.dat', [activityCode('KIT', { size: 3 })]),
      await env.patch('D2.dat', [content('BAG', [{ COD: 'B', K: [1, 2, 3] }])]),
    ]);
    expect(await env.query('select k_0, k_1, k_2 from shop.bag')).toEqual([{ k_0: 1, k_1: 2, k_2: 3 }]);
  });

  const OFFX = { activity: 'OFFX' };
  const first = [
    activityCode('OFFX', { active: false }),
    table('LEFT1', 'LE1', { COD: 'A:5' }, { LE10: 'COD' }, OFFX),
    table('LEFT2', 'LE2', { COD: 'A:5', N: { type: 'C', ...OFFX }, S: { type: 'C', slots: 1 } }, { LE20: 'COD' }),
    table('OTHER', 'OTH', { COD: 'A:5', NAM: 'A:9' }, { OTH0: 'COD' }),
    script('COUNT', `insert into other (cod_0) values ('run' || (select count(*) from other));`),
  ];
  const data = [
    row('LE1', 'x', { COD: 'A' }),
    row('LE2', 'x', { COD: 'B', N: 7 }),
    row('OTH', 'x', { COD: 'C', NAM: 'given' }),
    exe('COUNT'),
  ];

  test('R24, R25: rows and values that were left out come with the same file once the folder is validated, and nothing else does', async () => {
    const env = await openEnvironment(server, { folders: ['PLANT'] });
    await env.integrate(await env.patch('A.dat', first));
    const path = await env.patch('B.dat', data);
    const told = (await env.integrate(path)).findings.filter(({ folder }) => folder === 'PLANT');
    expect(told.map(({ code, subject, facts }) => [code, subject, facts])).toEqual([
      ['rows-left-out', 'ATB:LEFT1', { table: 'LEFT1', rows: 1 }],
      ['field-left-out', 'ATB:LEFT2', { table: 'LEFT2', field: 'N' }],
    ]);
    await env.query(`update plant.other set nam_0 = 'own'`);
    const others = await env.query('select * from plant.other order by rowid');
    const state = async () => (await env.integrate(path)).folders.find(({ folder }) => folder === 'PLANT')?.patches[0];
    await env.rustine.setFolder('PLANT', { activityCodes: ['OFFX'] });
    expect((await state())?.state).toBe('already');
    // Where the file is kept, validation brings the rows itself (validation-level.test.ts).
    await env.query('update rustine.patch set kept = false');
    const valid = await env.rustine.validate({ folders: ['PLANT'] });
    expect(valid.findings).toMatchObject([
      { code: 'rows-to-come', severity: 'warn', facts: { folder: 'PLANT', files: ['B.dat'] } },
    ]);
    expect(await state()).toMatchObject({ state: 'integrated', rows: { inserted: 1, updated: 1 }, scripts: { run: 0 } });
    expect(await env.query('select a.cod_0 as a, b.n_0 as n from plant.left1 a, plant.left2 b')).toEqual([{ a: 'A', n: 7 }]);
    expect(await env.query('select * from plant.other order by rowid')).toEqual(others);
    expect((await state())?.state).toBe('already');
    expect((await env.rustine.validate({ folders: ['PLANT'] })).findings).toEqual([]);
    expect(await env.query(`select fic_0 from plant.apatch order by num_0`)).toEqual([{ fic_0: 'A.dat' }, { fic_0: 'B.dat' }]);
  });

  test('R24: tables that another patch makes open the file again too; what still has no place stays open for later', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('A.dat', first));
    const path = await env.patch('B.dat', data.slice(0, 2));
    await env.integrate(path);
    const later = table('LEFT2', 'LE2', { COD: 'A:5', N: { type: 'C' } }, { LE20: 'COD' });
    await env.integrate(await env.patch('C.dat', [later]));
    expect((await env.integrate(path)).findings).toMatchObject([{ code: 'rows-left-out', facts: { table: 'LEFT1' } }]);
    expect(await env.query('select n_0 from x3.left2')).toEqual([{ n_0: 7 }]);
    expect((await env.integrate(path)).folders[0]?.patches[0]?.state).toBe('already');
    await env.integrate(await env.patch('D.dat', [activityCode('OFFX')]));
    await env.rustine.validate({});
    await env.integrate(path);
    expect(await env.query('select cod_0 from x3.left1')).toEqual([{ cod_0: 'A' }]);
  });

  test('R24: a new folder in which the code is active gets the rows that its parent had no table for', async () => {
    const env = await openEnvironment(server);
    const path = await env.patch('B.dat', [row('LE1', 'x', { COD: 'A' })]);
    await env.integrate([await env.patch('A.dat', first), path]);
    await env.folders(['SHOP'], { activityCodes: ['OFFX'] });
    await env.integrate(path);
    expect(await env.query('select cod_0 from shop.left1')).toEqual([{ cod_0: 'A' }]);
  });
});
