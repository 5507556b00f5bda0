// The tables that rows are delivered for: whose they are, in which state, and what becomes of rows whose table or column a folder does not have yet.
import { describe, expect, test } from 'vitest';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import { activityCode, any, content, exe, row, script, table } from '../support/patches.ts';
import { servers } from '../support/servers.ts';

const attempt = (env: TestEnvironment, path: string, folders?: readonly string[]): Promise<RunOutcome> =>
  env.rustine.integrate({ paths: [path], mode: 'integrate', ...(folders === undefined ? {} : { folders }) });
const found = ({ findings }: RunOutcome) => findings.map(({ code, severity, subject }) => [code, severity, subject]);

describe.each(servers())('tables of rows on $name', (server) => {
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
    await env.query(`set role "${role?.role}"; set search_path = two; ${TRAP}`);
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
});
