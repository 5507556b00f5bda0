// Item 8: the dictionary as typed views in each folder, for people who query with their folder's login.
import { describe, expect, test } from 'vitest';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment, queryAt } from '../support/environment.ts';
import { noRealPatches, realPatches } from '../support/patch-files.ts';
import { activityCode, any, bare, row, table, texts, type Values } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

const columns = (env: TestEnvironment, view: string) =>
  env
    .query<{ column: string }>(
      `select attname || ' ' || format_type(atttypid, atttypmod) as column from pg_attribute where attrelid = to_regclass($1) and attnum > 0 order by attnum`,
      [view],
    )
    .then((rows) => rows.map((row) => row.column));
const kindOf = async (env: TestEnvironment, relation: string) =>
  (await env.query<{ kind: string }>('select relkind as kind from pg_class where oid = to_regclass($1)', [relation]))[0]?.kind;
const global = (name: string, values: Values) => any('AGB', name, [{ tag: 'AGB', values: { CODVAR: name, ...values } }]);

describe.each(everyServer())('views on $name', (server) => {
  test('item 8: numbers, dates, times, texts and arrays have their types; key fields come first, then the others by name', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(
      await env.patch('V1.dat', [
        global('A', {
          AMOUNT: bare('10.50'),
          DATDEB: bare('20160627'),
          UPD: bare('000000'),
          STAMP: '2016-06-27T20:44:31Z',
          INTIT: texts({ FRA: 'Un', ENG: 'One' }),
          NUMBERS: [1, 2],
          CODE: bare('007'),
        }),
        global('B', {
          AMOUNT: 3,
          DATDEB: bare('000000'),
          UPD: bare('20240229'),
          STAMP: '0000-00-00T00:00:00Z',
          NUMBERS: [3],
          CODE: 8,
        }),
      ]),
    );
    expect(await columns(env, 'seed.aglobvar')).toEqual([
      'codvar_0 text',
      'amount_0 numeric',
      'code_0 text',
      'datdeb_0 date',
      'intit_0 text',
      'intit_0_texts jsonb',
      'numbers_0 numeric',
      'numbers_1 numeric',
      'stamp_0 timestamp with time zone',
      'upd_0 date',
    ]);
    const rows = await env.query(
      `select codvar_0, amount_0, code_0, datdeb_0::text, intit_0, intit_0_texts, numbers_0, numbers_1, stamp_0 at time zone 'UTC' = '2016-06-27 20:44:31' as stamp, upd_0::text from seed.aglobvar order by 1`,
    );
    expect(rows).toEqual([
      {
        codvar_0: 'A',
        amount_0: '10.50',
        code_0: '007',
        datdeb_0: '2016-06-27',
        intit_0: 'One',
        intit_0_texts: { ENG: 'One', FRA: 'Un' },
        numbers_0: '1',
        numbers_1: '2',
        stamp: true,
        upd_0: null,
      },
      {
        codvar_0: 'B',
        amount_0: '3',
        code_0: '8',
        datdeb_0: null,
        intit_0: null,
        intit_0_texts: null,
        numbers_0: '3',
        numbers_1: null,
        stamp: null,
        upd_0: '2024-02-29',
      },
    ]);
  });

  test('R20: creation date and user are set at creation, modification date and user at update, in each folder', async () => {
    const env = await openEnvironment(server);
    const stamps = {
      CREDAT: bare('20010203'),
      CREUSR: 'VENDOR',
      UPDDAT: bare('000000'),
      UPDUSR: '',
      CREDATTIM: '2001-02-03T04:05:06Z',
    };
    await env.integrate(
      await env.patch('S1.dat', [global('A', { ...stamps, TEXT: 'one' }), global('B', { ...stamps, TEXT: 'one' })]),
    );
    await env.folders(['SEED']);
    await env.integrate(
      await env.patch('S2.dat', [
        global('A', { ...stamps, UPDUSR: 'VENDOR', TEXT: 'two' }),
        global('B', { ...stamps, TEXT: 'one' }),
      ]),
      {
        folders: ['SEED'],
      },
    );
    const rows = (schema: string) =>
      env.query(`select codvar_0 as name, credat_0 = current_date and credattim_0 > now() - interval '1 hour' as created, creusr_0 = i.operator as by,
        upddat_0 = current_date as updated, updusr_0 = i.operator as by_whom from ${schema}.aglobvar, (select operator from rustine.integration limit 1) i order by 1`);
    const created = { created: true, by: true, updated: null, by_whom: false };
    expect(await rows('x3')).toEqual([
      { name: 'A', ...created },
      { name: 'B', ...created },
    ]);
    expect(await rows('seed')).toEqual([
      { name: 'A', created: true, by: true, updated: true, by_whom: true },
      { name: 'B', ...created },
    ]);
  });

  test('a later field goes to the end; a value of another kind makes its column text; nothing new leaves the view untouched', async () => {
    const env = await openEnvironment(server);
    const shape = () => env.query(`select oid, xmin, relname from pg_class where oid = to_regclass('x3.aglobvar')`);
    await env.integrate(await env.patch('V1.dat', [global('A', { VAL: 1, ZONE: 'x' })]));
    const before = await shape();
    await env.integrate(await env.patch('V2.dat', [global('B', { VAL: 2, ZONE: 'y' })]));
    expect(await shape()).toEqual(before);
    await env.integrate(await env.patch('V3.dat', [global('C', { ALPHA: 3, VAL: 2, ZONE: ['y', 'z'] })]));
    expect(await columns(env, 'x3.aglobvar')).toEqual([
      'codvar_0 text',
      'val_0 numeric',
      'zone_0 text',
      'alpha_0 numeric',
      'zone_1 text',
    ]);
    await env.integrate(await env.patch('V4.dat', [global('D', { VAL: 'many' })]));
    expect(await columns(env, 'x3.aglobvar')).toEqual([
      'codvar_0 text',
      'alpha_0 numeric',
      'val_0 text',
      'zone_0 text',
      'zone_1 text',
    ]);
    expect(await env.query('select codvar_0, val_0 from x3.aglobvar order by 1')).toEqual([
      { codvar_0: 'A', val_0: '1' },
      { codvar_0: 'B', val_0: '2' },
      { codvar_0: 'C', val_0: '2' },
      { codvar_0: 'D', val_0: 'many' },
    ]);
  });

  test('what a patch puts into names and values never fails a query', async () => {
    const env = await openEnvironment(server);
    const strange = {
      'C D': 1,
      constructor: 2,
      [`N${'O'.repeat(80)}`]: 3,
      DATX: bare('20240231'),
      NEG: bare('-0.00'),
    };
    await env.integrate(await env.patch('V1.dat', [global('IT"S', strange), global(`O'B\\`, { DATX: bare('20240230') })]));
    expect((await columns(env, 'x3.aglobvar')).toSorted()).toEqual([
      'codvar_0 text',
      'constructor_0 numeric',
      'datx_0 numeric',
      'neg_0 text',
    ]);
    const values = () => env.query('select codvar_0, datx_0, neg_0, constructor_0 from x3.aglobvar order by datx_0');
    expect(await values()).toEqual([
      { codvar_0: `O'B\\`, datx_0: '20240230', neg_0: null, constructor_0: null },
      { codvar_0: 'IT"S', datx_0: '20240231', neg_0: '-0.00', constructor_0: '2' },
    ]);
    // Written behind the program's back: the guard of the view shows what does not fit as null.
    await env.query(
      `update rustine.content set fields = fields || '{"DATX": "text", "CODVAR": [["deep"]]}' where fields ? 'NEG'`,
    );
    expect((await values())[1]).toEqual({ codvar_0: '["deep"]', datx_0: null, neg_0: '-0.00', constructor_0: '2' });
  });

  test('a line that lacks its header’s key takes it from the element’s name', async () => {
    const env = await openEnvironment(server);
    await env.integrate(
      await env.patch('V1.dat', [
        any('ACT', 'ACTA', [
          { tag: 'ACT', values: { ACTION: 'ACTA' } },
          { tag: 'ATR', values: { CODPAR: 'P1' } },
        ]),
        any('AML', '5', [
          { tag: 'AML', values: { MENLOC: 5 } },
          { tag: 'AST', values: { LAN: 'ENG', LANNUM: 1 } },
        ]),
        any('ASU', 'PRG~SUB', [
          { tag: 'ASU', values: { PRG: 'PRG', SUBPRG: 'SUB' } },
          { tag: 'ASP', values: { LIGNE: 0 } },
        ]),
      ]),
    );
    expect(await env.query('select action_0, codpar_0 from x3.actpar join x3.action using (action_0)')).toEqual([
      { action_0: 'ACTA', codpar_0: 'P1' },
    ]);
    expect(await env.query('select menloc_0, lan_0 from x3.aplstd join x3.amenloc using (menloc_0)')).toEqual([
      { menloc_0: '5', lan_0: 'ENG' },
    ]);
    expect(await env.query('select prg_0, subprg_0, ligne_0 from x3.asubprogd')).toEqual([
      { prg_0: 'PRG', subprg_0: 'SUB', ligne_0: '0' },
    ]);
  });

  test('an application table of the same name wins, before or after the view; a rehearsal leaves nothing', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const application = table('AGLOBVAR', 'AGBT', { COD: 'A:10' }, { AGBT0: 'COD' });
    const variable = await env.patch('V1.dat', [global('A', { VAL: 1 })]);
    const state = () =>
      env.query(
        `select f.code, v.name, v.columns, v.hidden from rustine.dictionary_view v join rustine.folder f on f.id = v.folder order by 1, 2`,
      );
    const untouched = await state();
    await env.integrate(variable, { mode: 'rehearse' });
    expect([await kindOf(env, 'x3.aglobvar'), await state()]).toEqual([undefined, untouched]);
    await env.integrate(variable, { folders: ['X3'] });
    expect([await kindOf(env, 'x3.aglobvar'), await kindOf(env, 'seed.aglobvar')]).toEqual(['v', undefined]);
    const outcome = await env.integrate(await env.patch('V2.dat', [application]));
    const hidden = outcome.findings.filter(({ code }) => code === 'view-hidden');
    expect(hidden.map(({ folder, subject }) => [folder, subject])).toEqual([['X3', 'ATB:AGLOBVAR']]);
    const later = await env.integrate(await env.patch('V3.dat', [global('B', { VAL: 'x', NEW: 1 })]));
    expect(later.findings.map(({ code, folder }) => [code, folder])).toEqual([['view-hidden', 'SEED']]);
    for (const schema of ['x3', 'seed']) expect(await kindOf(env, `${schema}.aglobvar`)).toBe('r');
    const [own] = await env.query(
      `select columns, hidden from rustine.dictionary_view where name = 'aglobvar' and folder = (select id from rustine.folder where code = 'X3')`,
    );
    expect(own).toEqual({ columns: ['CODVAR:0:64', 'NEW:0:1', 'VAL:0:65'], hidden: true });
    // The table goes, by whatever way: the next patch that touches the dictionary brings the view back, with all its fields.
    await env.query('drop table x3.aglobvar');
    await env.integrate(await env.patch('V4.dat', [global('C', { VAL: 2 })]), { folders: ['X3'] });
    expect(await env.query('select codvar_0, val_0, new_0 from x3.aglobvar order by 1')).toEqual([
      { codvar_0: 'A', val_0: '1', new_0: null },
      { codvar_0: 'B', val_0: 'x', new_0: '1' },
      { codvar_0: 'C', val_0: '2', new_0: null },
    ]);
  });

  test('R27: a table that goes away makes room for the view again; put back, it takes its name', async () => {
    const env = await openEnvironment(server);
    const application = table('AGLOBVAR', 'AGBT', { COD: 'A:10' }, { AGBT0: 'COD' }, { activity: 'OPT' });
    const variable = global('A', { VAL: 1 });
    await env.integrate(
      await env.patch('V1.dat', [activityCode('OPT'), application, row('AGBT', 'x', { COD: 'ROW' }), variable]),
    );
    expect(await env.query('select cod_0 from x3.aglobvar')).toEqual([{ cod_0: 'ROW' }]);
    await env.integrate(await env.patch('V2.dat', [activityCode('OPT', { active: false }), application, variable]));
    expect(await env.query('select codvar_0, val_0 from x3.aglobvar')).toEqual([{ codvar_0: 'A', val_0: '1' }]);
    const [kept] = await env.query<{ id: string }>('select id from rustine.kept');
    expect(await env.rustine.restoreKept([Number(kept?.id)], {})).toMatchObject({ state: 'done' });
    expect(await env.query('select cod_0 from x3.aglobvar')).toEqual([{ cod_0: 'ROW' }]);
    expect(await env.query(`select hidden from rustine.dictionary_view where name = 'aglobvar'`)).toEqual([{ hidden: true }]);
  });

  test('R3: a folder’s login reads its own views, nothing of the store behind them, and can peep at no other folder', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    await env.integrate(await env.patch('V1.dat', [global('A', { VAL: 'of all' })]));
    await env.integrate(await env.patch('V2.dat', [global('A', { VAL: 'secret' })]), { folders: ['SHOP'] });
    const url = await env.rustine.databaseUrl('SEED');
    expect(await queryAt(url, 'select codvar_0, val_0 from aglobvar')).toEqual([{ codvar_0: 'A', val_0: 'of all' }]);
    for (const statement of [
      'select from rustine.record',
      'select from shop.aglobvar',
      `insert into aglobvar (codvar_0) values ('B')`,
    ])
      await expect(queryAt(url, statement)).rejects.toMatchObject({ code: expect.stringMatching(/42501|55000/) });
    const peep = `create function pg_temp.peep(text) returns boolean language plpgsql cost 0.0000001 as $$ begin raise notice '%', $1; return true; end $$;`;
    const { Client } = await import('pg');
    const client = new Client({ connectionString: url });
    const notices: unknown[] = [];
    client.on('notice', (notice) => void notices.push(notice.message));
    await client.connect();
    await client.query(peep);
    await client.query('select from aglobvar where pg_temp.peep(val_0)');
    await client.end();
    expect(notices).toEqual(['of all']);
    await env.rustine.dropFolder('SEED');
    expect(
      await env.query(`select from rustine.dictionary_view v join rustine.folder f on f.id = v.folder where f.code = 'SEED'`),
    ).toEqual([]);
  });

  test('a new folder has the views of its parent’s dictionary; its first language that there is gives the text', async () => {
    const env = await openEnvironment(server, { init: { languages: ['ENG', 'FRA'] } });
    await env.integrate(await env.patch('V1.dat', [global('A', { INTIT: texts({ ENG: 'One', FRA: 'Un' }) })]));
    await env.folders(['FR'], { languages: ['FRA'] });
    expect(
      await env.query(
        'select x.intit_0 as x, f.intit_0 as f, f.intit_0_texts as t from x3.aglobvar x join fr.aglobvar f using (codvar_0)',
      ),
    ).toEqual([{ x: 'One', f: 'Un', t: { FRA: 'Un' } }]);
  });

  test('folders whose records came before there were views get all their fields with the next patch', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('V1.dat', [global('A', { VAL: 1, OLD: 'x' })]));
    for (const schema of ['x3', 'seed']) await env.query(`drop view ${schema}.aglobvar`);
    await env.query('delete from rustine.dictionary_view');
    await env.integrate(await env.patch('V2.dat', [global('B', { VAL: 2 })]));
    expect(await env.query('select codvar_0, old_0, val_0 from seed.aglobvar order by 1')).toEqual([
      { codvar_0: 'A', old_0: 'x', val_0: '1' },
      { codvar_0: 'B', old_0: null, val_0: '2' },
    ]);
  });

  test('a view that others were built upon is not dropped with them: the patch says what is in the way', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('V1.dat', [global('A', { VAL: 1 })]));
    await env.query('create view public.mine as select val_0 from x3.aglobvar');
    const outcome = await env.rustine.integrate({
      paths: [await env.patch('V2.dat', [global('B', { VAL: 'x' })])],
      mode: 'integrate',
    });
    expect(outcome.folders[0]?.patches[0]?.reason).toMatchObject({ code: 'database-error', facts: { sqlstate: '2BP01' } });
  });

  test.skipIf(noRealPatches !== undefined)('the dictionary of a real patch, as the folder’s login sees it', async () => {
    const env = await openEnvironment(server);
    const path = realPatches().find(({ file }) => file === 'ZCLIENT.dat')?.path ?? '';
    await env.integrate(path, { authorize: ['ZALI'] });
    const rows = await queryAt(
      await env.rustine.databaseUrl('X3'),
      `select codzone_0, codtyp_0, long_0, dime_0, credattim_0 > '2016-01-01' as dated from x3.atabzon where codfic_0 = 'ZCLIENTH' order by numlig_0`,
    );
    expect(rows).toEqual(
      [
        ['CLIENTNAME', 'A', '20'],
        ['CLIENTLEVEL', 'L', '8'],
        ['CREDATTIM', 'ADATIM', '0'],
        ['UPDDATTIM', 'ADATIM', '0'],
        ['AUUID', 'AUUID', '0'],
        ['CREUSR', 'AUS', '0'],
        ['UPDUSR', 'AUS', '0'],
      ].map(([codzone_0, codtyp_0, long_0]) => ({ codzone_0, codtyp_0, long_0, dime_0: '1', dated: true })),
    );
    expect(
      await env.query(
        `select codfic_0, credat_0 = current_date as created, upddat_0, intitfic_0 from x3.atable where codfic_0 = 'ZCLIENTH'`,
      ),
    ).toEqual([{ codfic_0: 'ZCLIENTH', created: true, upddat_0: null, intitfic_0: 'Client Header' }]);
  });
});
