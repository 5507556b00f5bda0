// R2: the settings of a folder change after it was made; what follows from them, and what is refused.
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Refusal } from '../../src/base/errors.ts';
import { typed } from '../support/command-line.ts';
import { openEnvironment, queryAt, type TestEnvironment } from '../support/environment.ts';
import { activityCode, any, row, table, texts } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

const refused = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing refused',
    (error: unknown) => (error instanceof Refusal ? { code: error.code, facts: error.facts } : error),
  );

/** State of the activity codes in the folder's own table. */
const states = async (env: TestEnvironment, schema: string) =>
  Object.fromEntries(
    (await env.query<{ code: string; state: number }>(`select codact_0 as code, flact_0 as state from ${schema}.adosact`)).map(
      ({ code, state }) => [code, state],
    ),
  );

describe.each(everyServer())('folder settings on $name', (server) => {
  test('R2: changing settings makes the folder due, except the flags test and specific', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const set = (change: Parameters<typeof env.rustine.setFolder>[1]) => env.rustine.setFolder('SEED', change);
    expect(await set({ test: true, specific: true })).toMatchObject({
      changed: ['test', 'specific'],
      folder: { test: true, specific: true, due: false, reasons: [] },
    });
    expect(await set({ test: false })).toMatchObject({ changed: ['test'], folder: { test: false, specific: true, due: false } });
    expect(await set({ languages: ['fra', 'ENG'], legislations: ['fra'], modules: [2, 1] })).toMatchObject({
      changed: ['languages', 'legislations', 'modules'],
      folder: {
        languages: ['FRA', 'ENG'],
        legislations: ['FRA'],
        modules: [2, 1],
        due: true,
        reasons: ['languages', 'legislations', 'modules'],
      },
    });
    expect(await set({ languages: ['FRA', 'ENG'], legislations: ['FRA'], modules: [1, 2], specific: true })).toMatchObject({
      changed: [],
    });
    expect(await set({ modules: null, legislations: [] })).toMatchObject({ folder: { modules: null, legislations: [] } });
    expect(await env.rustine.folder('X3')).toMatchObject({ due: false, reasons: [] });
  });

  test('the folder’s texts in views follow its languages', async () => {
    const env = await openEnvironment(server, { init: { languages: ['ENG', 'FRA'] } });
    await env.integrate(
      await env.patch('V1.dat', [
        any('AGB', 'A', [{ tag: 'AGB', values: { CODVAR: 'A', INTIT: texts({ ENG: 'One', FRA: 'Un' }) } }]),
      ]),
    );
    const text = () => env.query('select intit_0 from x3.aglobvar');
    expect(await text()).toEqual([{ intit_0: 'One' }]);
    await env.rustine.setFolder('X3', { languages: ['FRA', 'ENG'] });
    expect(await text()).toEqual([{ intit_0: 'Un' }]);
  });

  test('settings at creation: legislations and modules', async () => {
    const env = await openEnvironment(server);
    await env.folders(['SEED'], { legislations: ['fra', 'FRA'], modules: [3] });
    expect(await env.rustine.folder('SEED')).toMatchObject({ legislations: ['FRA'], modules: [3], due: false });
    expect(await refused(env.rustine.createFolders(['SHOP'], { legislations: ['F R'] }))).toMatchObject({
      code: 'legislation-code',
    });
    expect(await refused(env.rustine.setFolder('SEED', { languages: ['F'] }))).toMatchObject({ code: 'language-code' });
  });

  test('R25: activity codes that come are active, those that go have the state they were last delivered in', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(
      await env.patch('P1.dat', [
        activityCode('ON'),
        activityCode('OFF', { active: false }),
        activityCode('ALSO', { active: false }),
      ]),
    );
    const set = (activityCodes: readonly string[]) => env.rustine.setFolder('SEED', { activityCodes });
    expect(await set(['OFF', 'ON', 'NEVER'])).toMatchObject({
      changed: ['activity-codes'],
      folder: { reasons: ['activity-codes'], activityCodes: ['OFF', 'ON', 'NEVER'] },
      findings: [{ code: 'activity-code-unknown', severity: 'warn', subject: 'ACV:NEVER' }],
    });
    expect(await states(env, 'seed')).toEqual({ ON: 2, OFF: 2, ALSO: 1 });
    expect(await states(env, 'x3')).toEqual({ ON: 2, OFF: 1, ALSO: 1 });
    await set(['ALSO']);
    expect(await states(env, 'seed')).toEqual({ ON: 2, OFF: 1, ALSO: 2 });
    // Delivered inactive while the folder's people have it on: it stays on.
    await env.integrate(await env.patch('P2.dat', [activityCode('ALSO', { active: false, size: 5 })]));
    expect(await states(env, 'seed')).toEqual({ ON: 2, OFF: 1, ALSO: 2 });
    await set([]);
    expect(await states(env, 'seed')).toEqual({ ON: 2, OFF: 1, ALSO: 1 });
    expect((await set([])).changed).toEqual([]);
  });

  test('R2: a sizing code gives the number of slots per folder, at creation and later, whatever size a patch delivers', async () => {
    const env = await openEnvironment(server, { folders: ['SHOP'] });
    const bag = table('BAG', 'BAG', { COD: 'A:5', K: { type: 'C', slots: 1, activity: 'KIT' } }, { BAG0: 'COD' });
    await env.integrate(await env.patch('A.dat', [activityCode('KIT', { size: 2 }), bag]));
    await env.folders(['NEW'], { activityCodes: ['kit:4'] });
    const slots = async (folder: string) => [
      (
        await env.query<{ n: number }>(
          `select count(*)::integer as n from pg_attribute where attrelid = $1::regclass and attname like 'k\\__'`,
          [`${folder}.bag`],
        )
      )[0]?.n,
      (await env.query<{ n: number }>(`select dime_0 as n from ${folder}.adosact where codact_0 = 'KIT'`))[0]?.n,
    ];
    expect(await slots('new')).toEqual([4, 4]);
    const set = (activityCodes: readonly string[]) => env.rustine.setFolder('SHOP', { activityCodes });
    expect(await set(['KIT:5'])).toMatchObject({
      changed: ['activity-codes'],
      folder: { activityCodes: ['KIT'], activitySizes: { KIT: 5 }, reasons: ['activity-codes'] },
    });
    expect((await set(['KIT:5'])).changed).toEqual([]);
    expect(await slots('shop')).toEqual([2, 5]);
    await env.rustine.validate({ folders: ['SHOP'] });
    expect(await slots('shop')).toEqual([5, 5]);
    await env.integrate(await env.patch('B.dat', [activityCode('KIT', { size: 3 }), bag]));
    expect([await slots('shop'), await slots('new'), await slots('x3')]).toEqual([
      [5, 5],
      [4, 4],
      [3, 3],
    ]);
    expect((await env.rustine.folder('SHOP')).reasons).toEqual([]);
    await set(['KIT']);
    await env.rustine.validate({ folders: ['SHOP'] });
    expect(await slots('shop')).toEqual([3, 3]);
    for (const wrong of ['KIT:0', 'KIT:', 'KIT:1601', 'KIT:2:3', 'KIT:x'])
      expect(await refused(set([wrong]))).toEqual({ code: 'activity-code-size', facts: { value: wrong, most: 1600 } });
  });

  test('R25: rows that a patch brings for ADOSACT, or that are put back, make the folder due; validation follows', async () => {
    const env = await openEnvironment(server);
    const bag = table('BAG', 'BAG', { COD: 'A:5', K: { type: 'C', slots: 1, activity: 'KIT' } }, { BAG0: 'COD' });
    await env.integrate(await env.patch('A.dat', [activityCode('KIT', { size: 2 }), bag]));
    const reasons = async () => (await env.rustine.folder('X3')).reasons;
    await env.integrate(await env.patch('B.dat', [row('ADOA', 'x', { DOSSIER: 'X3', CODACT: 'KIT', DIME: 7 })]));
    expect(await reasons()).toEqual(['activity-code:KIT']);
    expect((await env.rustine.validate({})).folders[0]?.tables.altered).toEqual(['bag']);
    const [kept] = await env.query<{ id: number }>(`select id::integer from rustine.kept where table_name = 'adosact'`);
    await env.rustine.restoreKept([kept?.id ?? 0], { overwrite: true });
    expect(await reasons()).toEqual(['activity-codes']);
    await env.rustine.validate({});
    expect(
      await env.query(
        `select count(*)::integer as n from pg_attribute where attrelid = 'x3.bag'::regclass and attname like 'k\\__'`,
      ),
    ).toEqual([{ n: 2 }]);
  });

  test('R3, R4: another parent: lookup and rights of the folder and of all below it follow', async () => {
    const env = await openEnvironment(server, { folders: ['DEV', 'QA'] });
    await env.folders(['LIVE'], { parent: 'DEV' });
    await env.folders(['SHOP'], { parent: 'LIVE' });
    const seen = async (folder: string) => {
      const [path] = await queryAt<{ search_path: string }>(await env.rustine.databaseUrl(folder), 'show search_path');
      const usage = await env.query<{ schema: string }>(
        `select nspname as schema from pg_namespace where nspname in ('x3', 'dev', 'qa', 'live', 'shop') and has_schema_privilege($1, oid, 'usage') order by 1`,
        [(await env.rustine.folder(folder)).role],
      );
      return [path?.search_path, usage.map(({ schema }) => schema).join(' ')];
    };
    expect(await seen('SHOP')).toEqual(['shop, live, dev, x3', 'dev live shop x3']);
    const { folder } = await env.rustine.setFolder('LIVE', { parent: 'qa' });
    expect(folder).toMatchObject({ parent: 'QA', reasons: ['parent'], due: true });
    expect(await seen('LIVE')).toEqual(['live, qa, x3', 'live qa x3']);
    expect(await seen('SHOP')).toEqual(['shop, live, qa, x3', 'live qa shop x3']);
    expect(await seen('DEV')).toEqual(['dev, x3', 'dev x3']);
    await env.rustine.setFolder('LIVE', { parent: 'X3' });
    expect(await seen('SHOP')).toEqual(['shop, live, x3', 'live shop x3']);
    for (const code of ['SHOP', 'LIVE', 'DEV', 'QA']) await env.rustine.dropFolder(code);
    expect(await env.query(`select rolname from pg_roles where starts_with(rolname, $1)`, [`${env.database}_`])).toHaveLength(1);
  });

  test('a parent that cannot be is refused, and nothing is changed', async () => {
    const env = await openEnvironment(server, { folders: ['DEV', 'OTHER'] });
    await env.folders(['LIVE'], { parent: 'DEV' });
    await env.folders(['OLD'], { historyOf: 'LIVE', parent: 'DEV' });
    const before = await env.query('select * from rustine.folder order by id');
    const set = (code: string, parent: string) =>
      refused(env.rustine.setFolder(code, { parent, test: true, languages: ['GER'] }));
    expect(await set('DEV', 'LIVE')).toEqual({
      code: 'folder-parent-cycle',
      facts: { folder: 'DEV', parent: 'LIVE', cycle: ['DEV', 'LIVE', 'DEV'] },
    });
    expect(await set('DEV', 'DEV')).toMatchObject({ code: 'folder-parent-cycle', facts: { cycle: ['DEV', 'DEV'] } });
    expect(await set('X3', 'DEV')).toMatchObject({ code: 'folder-is-supervisor' });
    expect(await set('OTHER', 'OLD')).toMatchObject({ code: 'folder-parent-history', facts: { history: 'OLD', of: 'LIVE' } });
    expect(await set('DEV', 'NONE')).toMatchObject({ code: 'folder-unknown', facts: { folder: 'NONE' } });
    expect(await set('NONE', 'DEV')).toMatchObject({ code: 'folder-unknown', facts: { folder: 'NONE' } });
    await env.query(`update rustine.folder set state = 'dropping' where code = 'LIVE'`);
    expect(await set('LIVE', 'X3')).toMatchObject({ code: 'folder-not-ready', facts: { folder: 'LIVE' } });
    expect(await set('DEV', 'OTHER')).toMatchObject({ code: 'folder-not-ready', facts: { folder: 'LIVE' } });
    await env.query(`update rustine.folder set state = 'ready' where code = 'LIVE'`);
    expect(await env.query('select * from rustine.folder order by id')).toEqual(before);
  });

  test('R2: modules are named on the command line, and all of them with a word, at creation and after it', async () => {
    const env = await openEnvironment(server);
    const say = async (...argv: readonly string[]) => {
      const { code, out, err } = await typed(env, ['folder', ...argv, '--json']);
      return [code, out === '' ? err : JSON.parse(out)];
    };
    expect(await say('create', 'SEED', '--modules', 'all')).toMatchObject([0, { folders: [{ code: 'SEED', modules: null }] }]);
    expect(await say('set', 'SEED', '--modules', '2,1')).toMatchObject([0, { modules: [1, 2], changed: ['modules'] }]);
    expect(await say('set', 'SEED', '--modules', 'ALL')).toMatchObject([0, { modules: null, changed: ['modules'] }]);
    expect(await say('set', 'SEED', '--modules', '')).toMatchObject([2, { error: { code: 'usage', problem: 'empty-list' } }]);
    expect(await say('set', 'SEED', '--modules', 'none')).toMatchObject([2, { error: { code: 'usage', problem: 'modules' } }]);
  });

  test('while a patch is being integrated the change waits; two moves towards each other make no circle', async () => {
    const env = await openEnvironment(server, { folders: ['ONE', 'TWO'] });
    const client = new Client({ connectionString: env.url });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('begin');
    await client.query(`select from rustine.folder where code = 'ONE' for update`);
    let done = false;
    const change = env.rustine.setFolder('ONE', { test: true }).then(() => (done = true));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(done).toBe(false);
    await client.query('commit');
    await change;
    const moves = await Promise.allSettled([
      env.rustine.setFolder('ONE', { parent: 'TWO' }),
      env.rustine.setFolder('TWO', { parent: 'ONE' }),
    ]);
    expect(moves.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await env.rustine.folders()).toHaveLength(3);
  });

  test('R23, R4: a patch is written with the settings of the moment when nobody else can change them any more', async () => {
    const env = await openEnvironment(server, { init: { languages: ['ENG', 'FRA'] }, folders: ['DEV'] });
    await env.folders(['SEED'], { languages: ['ENG'] });
    const path = await env.patch(
      'L1.dat',
      [any('ADC', 'SCR', [{ tag: 'ADC', values: { CODTRT: 'SCR', INTIT: texts({ ENG: 'hello', FRA: 'bonjour' }) } }])],
      { languages: ['ENG', 'FRA'] },
    );
    const client = new Client({ connectionString: env.url });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('begin');
    await client.query(`update rustine.folder set languages = '{FRA}', test = true where code = 'SEED'`);
    // The run has read its folders by then, and waits for the row.
    let changed: Promise<unknown> | undefined;
    await env.integrate(path, {
      listener: (event) => {
        if (event.kind === 'patch-started' && event.folder === 'SEED')
          changed ??= new Promise((resolve) => setTimeout(resolve, 200)).then(() => client.query('commit'));
      },
    });
    await changed;
    expect(
      await env.query(`select fields #> '{INTIT,text}' as texts from rustine.dictionary where type = 'ADC' and folder = 'SEED'`),
    ).toEqual([{ texts: { FRA: ['bonjour', '0', ''] } }]);
  });
});
