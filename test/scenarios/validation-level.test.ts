// Validation brings a folder to the level of the one that it follows: rows and scripts to run from the kept files, APATCH, what stays open and why.
import { describe, expect, test } from 'vitest';
import type { Sql } from '../../src/database/sql.ts';
import { readFolders } from '../../src/environment/catalog.ts';
import { gatherValidationFacts } from '../../src/plan/validation-facts.ts';
import { typed } from '../support/command-line.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { itemHolder, openEnvironment } from '../support/environment.ts';
import type { Element } from '../support/patches.ts';
import { activityCode, exe, row, script, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const item = table('ITEM', 'ITM', { COD: 'A:5', QTY: 'C' }, { ITM0: 'COD' });
const rowOf = (code: string, quantity: number): Element => row('ITM', code, { COD: code, QTY: quantity });

describe.each(oneServer())('$name', (server) => {
  const rows = async (env: TestEnvironment, folder: string) =>
    (await env.query<{ line: string }>(`select cod_0 || ' ' || qty_0 as line from ${folder}.item order by 1`)).map(
      ({ line }) => line,
    );
  const lag = async (env: TestEnvironment, folder: string) =>
    (await env.rustine.folders()).find(({ code }) => code === folder)?.lag;
  const valid = async (env: TestEnvironment, folder: string) => {
    const { state, folders, findings } = await env.rustine.validate({ folders: [folder] });
    expect(state, JSON.stringify(findings)).toBe('done');
    return { ...folders[0], findings };
  };

  test('R24, R28, R35: rows come in the order of the patches, and scripts to run run once', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const count = script('COUNT', `insert into item (cod_0, qty_0) select 'n', count(*) from item on conflict do nothing;`);
    await env.integrate(await env.patch('P_0001_140.dat', [item, rowOf('a', 1)]), { folders: ['X3'] });
    await env.integrate(await env.patch('P_0002_140.dat', [rowOf('a', 2), rowOf('b', 2), count, exe('COUNT')]), {
      folders: ['X3'],
    });
    await env.integrate(await env.patch('P_0003_140.dat', [activityCode('NEW')]), { folders: ['X3'] });
    expect(await lag(env, 'SEED')).toEqual(['P_0001_140.dat', 'P_0002_140.dat', 'P_0003_140.dat']);
    // A preview says which scripts would be run, and how many rows would come.
    const { out } = await typed(env, ['validate', 'SEED', '--preview', '--verbose']);
    expect(out).toMatch(/SEED +validated .* 1 run +2 inserted, 1 updated/);
    expect(out).toMatch(/scripts: COUNT {2}run\n {2}rows: 2 inserted, 1 updated\n/);
    const done = await valid(env, 'SEED');
    expect(done).toMatchObject({
      ran: ['COUNT'],
      rows: { inserted: 2, updated: 1, deleted: 0 },
      state: 'validated',
      due: false,
      patches: ['P_0001_140.dat', 'P_0002_140.dat', 'P_0003_140.dat'],
      tables: { created: ['item'] },
      findings: [],
    });
    expect(await rows(env, 'SEED')).toEqual(await rows(env, 'X3'));
    expect(await rows(env, 'SEED')).toEqual(['a 2', 'b 2', 'n 2']);
    expect(await lag(env, 'SEED')).toEqual([]);
    expect(await valid(env, 'SEED')).toMatchObject({ state: 'unchanged', patches: [] });
    // An older file that comes again takes elements back: it says so, and the folder is due where its parent keeps the later ones.
    const wider = table('ITEM', 'ITM', { COD: 'A:5', QTY: 'C', MORE: 'C' }, { ITM0: 'COD' });
    await env.integrate(await env.patch('P_0004_140.dat', [wider]));
    const force = [{ check: 'already', reason: 'lost' }];
    const older = await env.integrate([`${env.directory}/P_0001_140.dat`], { folders: ['SEED'], force });
    const later = ['P_0002_140.dat', 'P_0004_140.dat'];
    const goesBack = { file: 'P_0001_140.dat', folders: ['SEED'], later, count: 2, elements: ['ATB:ITEM', 'ITM:a'] };
    expect(older.findings.filter(({ code }) => code === 'older-again')).toMatchObject([{ severity: 'warn', facts: goesBack }]);
    expect(older.folders).toMatchObject([{ folder: 'SEED', due: true }]);
    expect((await env.rustine.folder('SEED')).reasons).toEqual(['older-patch:P_0001_140.dat']);
    const back = await valid(env, 'SEED');
    expect(back).toMatchObject({ settled: ['older-patch:P_0001_140.dat'], tables: { altered: ['item'] }, reasons: [] });
    await env.folders(['BELOW'], { parent: 'SEED' });
    await valid(env, 'BELOW');
    // With the later ones nothing goes back, nor where all go back: also in a rehearsal, in which nobody sees the others.
    const both = [1, 4].map((number) => `${env.directory}/P_000${number}_140.dat`);
    const due = async (paths: readonly string[], mode: 'integrate' | 'rehearse', folders?: readonly string[]) => {
      const how = { paths, mode, force, ...(folders === undefined ? {} : { folders }) };
      return (await env.rustine.integrate(how)).folders.map((each) => `${each.folder} ${each.due}`);
    };
    expect(await due(both, 'integrate', ['SEED', 'BELOW'])).toEqual(['SEED false', 'BELOW false']);
    expect(await due(both.slice(0, 1), 'rehearse')).toEqual(['X3 false', 'SEED false', 'BELOW false']);
    // Below one that went back with it a folder is due, too.
    expect(await due(both.slice(0, 1), 'integrate', ['SEED', 'BELOW'])).toEqual(['SEED true', 'BELOW true']);
    const dueFolders = (await env.rustine.validate({})).folders;
    expect(dueFolders.map(({ folder, due: still }) => `${folder} ${still}`)).toEqual(['SEED false', 'BELOW false']);
    expect((await env.integrate([`${env.directory}/P_0001_140.dat`], { force })).folders).toMatchObject([
      { folder: 'X3', due: false },
      { folder: 'SEED', due: false },
      { folder: 'BELOW', due: false },
    ]);
    const again = await env.integrate([`${env.directory}/P_0001_140.dat`]);
    expect(again.folders.map(({ state }) => state)).toEqual(['unchanged', 'unchanged', 'unchanged']);
  });

  test('R35: a new folder gets what its parent’s patches have besides the dictionary', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('P_0001_140.dat', [item, rowOf('a', 1)]));
    await env.folders(['SEED']);
    expect([await rows(env, 'SEED'), await lag(env, 'SEED')]).toEqual([[], ['P_0001_140.dat']]);
    // Rows that come late bring no element: what the folder has later than its parent stays.
    const wider = table('ITEM', 'ITM', { COD: 'A:5', QTY: 'C', OWN: 'C' }, { ITM0: 'COD' });
    await env.integrate(await env.patch('OWN.dat', [wider]), { folders: ['SEED'] });
    const ahead = { code: 'elements-ahead', facts: { elements: ['ATB:ITEM'] } };
    const first = await valid(env, 'SEED');
    expect(first).toMatchObject({ state: 'validated', patches: ['P_0001_140.dat'], findings: [ahead] });
    expect(await valid(env, 'SEED')).toMatchObject({ state: 'unchanged', findings: [ahead] });
    expect([await rows(env, 'SEED'), await lag(env, 'SEED')]).toEqual([['a 1'], []]);
  });

  test('R35: rows of files that are not kept, and of those after them, stay to come, with the command; it brings just these', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('P_0001_140.dat', [item, rowOf('a', 1)]), { folders: ['X3'] });
    await env.integrate(await env.patch('P_0002_140.dat', [rowOf('a', 2)]), { folders: ['X3'] });
    await env.integrate(await env.patch('P_0003_140.dat', [activityCode('NEW')]), { folders: ['X3'] });
    await env.query(`update rustine.patch set kept = false where file = 'P_0001_140.dat'`);
    const done = await valid(env, 'SEED');
    const files = ['P_0001_140.dat', 'P_0002_140.dat'];
    expect(done).toMatchObject({
      state: 'validated',
      patches: ['P_0003_140.dat'],
      findings: [{ code: 'rows-to-come', facts: { files, command: `rustine integrate ${files.join(' ')} --folders SEED` } }],
    });
    expect([await rows(env, 'SEED'), await lag(env, 'SEED')]).toEqual([[], files]);
    expect(await valid(env, 'SEED')).toMatchObject({ state: 'unchanged', findings: [{ code: 'rows-to-come' }] });
    await env.integrate(
      files.map((file) => `${env.directory}/${file}`),
      { folders: ['SEED'], force: [{ check: 'sequence', reason: 'the dictionary has come' }] },
    );
    expect([await rows(env, 'SEED'), await lag(env, 'SEED')]).toEqual([['a 2'], []]);
    expect(await valid(env, 'SEED')).toMatchObject({ state: 'unchanged', findings: [] });
    // A kept one waits behind one of another kind that is not: that one is named before it, here as there.
    const own = await env.patch('ZOWN.dat', [rowOf('z', 1)], { type: '3' });
    await env.integrate(own, { folders: ['X3'] });
    const behind = await env.patch('P_0004_140.dat', [rowOf('a', 4)]);
    await env.integrate(behind, { folders: ['X3'] });
    await env.query(`update rustine.patch set kept = false where file = 'ZOWN.dat'`);
    const advised = async () => (await typed(env, ['status'])).out.match(/`(rustine .*)`/)?.[1];
    expect(await advised()).toBe('rustine validate SEED');
    // The room that it wants on the disk is that for both.
    const bytes = await env.query<{ bytes: number }>(
      `select bytes::float8 from rustine.patch where file in ('ZOWN.dat', 'P_0004_140.dat') order by 1`,
    );
    const reader = { query: <Row extends object>({ text, values }: Sql) => env.query<Row>(text, values) };
    const all = await readFolders(reader);
    const seed = all.filter(({ code }) => code === 'SEED');
    const { shares } = await gatherValidationFacts(reader, seed, all, { name: 'own', free: 1 });
    expect(shares.map(({ delivery, folders }) => [delivery.bytes, folders]).sort()).toEqual(
      bytes.map((each) => [each.bytes, 1]).sort(),
    );
    const { findings } = await valid(env, 'SEED');
    expect(findings).toMatchObject([{ facts: { command: 'rustine integrate ZOWN.dat P_0004_140.dat --folders SEED' } }]);
    expect(await advised()).toBe(`rustine integrate ${own} ${behind} --folders SEED`);
    await env.integrate([own, behind], { folders: ['SEED'] });
    expect([await rows(env, 'SEED'), await lag(env, 'SEED')]).toEqual([['a 4', 'z 1'], []]);
  });

  test('R35: rows of a patch older than what the folder has do not overwrite newer ones', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('P_0001_140.dat', [item, rowOf('a', 1)]));
    await env.integrate(await env.patch('P_0002_140.dat', [activityCode('OLD'), rowOf('a', 2), rowOf('b', 2)]), {
      folders: ['X3'],
    });
    await env.integrate(await env.patch('P_0003_140.dat', [rowOf('a', 3)]), {
      force: [{ check: 'sequence', reason: 'a hole' }],
    });
    const done = await valid(env, 'SEED');
    expect(done).toMatchObject({
      state: 'validated',
      elements: { created: 1 },
      patches: [],
      findings: [{ code: 'rows-older', severity: 'warn', facts: { file: 'P_0002_140.dat', newer: 'P_0003_140.dat' } }],
    });
    expect([await rows(env, 'SEED'), await lag(env, 'SEED')]).toEqual([['a 3'], ['P_0002_140.dat']]);
    expect(await valid(env, 'SEED')).toMatchObject({ state: 'unchanged', findings: [{ code: 'rows-older' }] });
    // No validation settles that: who looks is told what does.
    const toIntegrate = async () =>
      (await env.rustine.folders()).flatMap(({ code, lag, lagToIntegrate }) =>
        lag.length === 0 ? [] : [[code, lagToIntegrate]],
      );
    expect(await toIntegrate()).toEqual([['SEED', ['P_0002_140.dat']]]);
    await env.integrate([`${env.directory}/P_0002_140.dat`], { folders: ['SEED'] });
    expect([await rows(env, 'SEED'), await toIntegrate()]).toEqual([['a 2', 'b 2'], []]);
  });

  test('R19: what was left out of a patch for want of an authorisation is left out by a validation too, and comes once it is authorised', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const vip = table('ITEM', 'ITM', { COD: 'A:5', QTY: 'C', GIFT: { type: 'A:5', activity: 'ZVIP' } }, { ITM0: 'COD' });
    const path = await env.patch('P_0001_140.dat', [item]);
    await env.integrate(path);
    const more = await env.patch('P_0002_140.dat', [vip, rowOf('a', 1)]);
    await env.integrate(more, { folders: ['X3'] });
    expect((await valid(env, 'SEED')).patches).toEqual(['P_0002_140.dat']);
    const ignored = () =>
      env.query(
        `select f.code, i.ignored from rustine.integration i join rustine.folder f on f.id = i.folder where i.file = 'P_0002_140.dat' and i.kind = 'patch' order by i.id`,
      );
    expect(await ignored()).toEqual([
      { code: 'X3', ignored: ['ZVIP'] },
      { code: 'SEED', ignored: ['ZVIP'] },
    ]);
    const { folders } = await env.integrate(more, { authorize: ['ZVIP'] });
    expect(folders.map(({ folder, state }) => [folder, state])).toEqual([
      ['X3', 'integrated'],
      ['SEED', 'integrated'],
    ]);
  });

  test('R28, R36: a script to run runs once in each folder that follows one that was validated, and not at all in a history folder', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('P_0001_140.dat', [item]));
    await env.folders(['TESTS'], { test: true });
    await env.folders(['KID'], { test: true, parent: 'TESTS' });
    await env.folders(['HIST'], { historyOf: 'TESTS' });
    const once = script('ONCE', `insert into item (cod_0, qty_0) values ('once', 1);`);
    await env.integrate(await env.patch('P_0002_140.dat', [once, exe('ONCE')]), { folders: ['X3'] });
    await env.rustine.validate({ folders: ['TESTS'] });
    await env.folders(['LATER'], { test: true, parent: 'TESTS' });
    await env.folders(['HIST2'], { historyOf: 'TESTS' });
    const done = await env.rustine.validate({});
    expect([done.state, done.findings]).toEqual(['done', []]);
    const all = ['tests', 'kid', 'later', 'hist', 'hist2'];
    const there = await Promise.all(all.map(async (folder) => [folder, await rows(env, folder)]));
    expect(Object.fromEntries(there)).toEqual({ tests: ['once 1'], kid: ['once 1'], later: ['once 1'], hist: [], hist2: [] });
    // What a validation brings cannot be taken back: nothing is remembered for that.
    expect(
      await env.query(
        `select i.file from rustine.remembered m join rustine.integration i on i.id = m.integration join rustine.run r on r.id = i.run where r.mode = 'validate'`,
      ),
    ).toEqual([]);
  });

  test('R24, R25: rows that were left out come from the kept file once validation makes their table', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const off = table('ITEM', 'ITM', { COD: 'A:5', QTY: 'C' }, { ITM0: 'COD' }, { activity: 'KIT' });
    await env.integrate(await env.patch('A.dat', [activityCode('KIT', { active: false }), off, rowOf('a', 1)]));
    await env.rustine.setFolder('SEED', { activityCodes: ['KIT'] });
    expect(await valid(env, 'SEED')).toMatchObject({
      state: 'validated',
      tables: { created: ['item'] },
      patches: ['A.dat'],
      findings: [],
    });
    expect(await rows(env, 'SEED')).toEqual(['a 1']);
    expect(await valid(env, 'SEED')).toMatchObject({ state: 'unchanged' });
  });

  test('R16, R28, R35: a file that is kept damaged, a script that fails: nothing is changed; with a reason the script is left to be run, and nothing else', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    await env.integrate(await env.patch('A.dat', [item, rowOf('a', 1)]));
    const fails = script(
      'FAILS',
      `do $$ begin if (select count(*) from item) > 1 then raise exception 'too many'; end if; end $$;`,
    );
    const works = script('WORKS', `insert into item (cod_0, qty_0) values ('works', 1);`);
    await env.integrate(await env.patch('B.dat', [activityCode('NEW'), fails, works, exe('FAILS'), exe('WORKS')]), {
      folders: ['X3'],
    });
    for (const folder of ['seed', 'shop']) await env.query(`insert into ${folder}.item (cod_0, qty_0) values ('own', 9)`);
    const state = () =>
      env.query(`select (select count(*) from rustine.record r where r.folder = f.id)::integer as records, (select count(*) from rustine.integration i where i.folder = f.id)::integer as written,
        (select count(*) from seed.apatch)::integer as apatch from rustine.folder f where code = 'SEED'`);
    const before = await state();
    const failed = await env.rustine.validate({ folders: ['SEED'] });
    expect(failed.folders[0]).toMatchObject({
      state: 'failed',
      reason: { code: 'script-failed', facts: { command: 'rustine validate SEED --force scripts=REASON' } },
    });
    const force = [{ check: 'scripts', reason: 'mended in May' }];
    // A preview says so; then it is done.
    for (const preview of [true, false]) {
      const left = await env.rustine.validate({ folders: ['SHOP'], force, preview });
      expect([left.state, left.folders[0]?.state, left.findings]).toMatchObject([
        'done',
        'validated',
        [{ code: 'script-left-to-run', severity: 'warn', folder: 'SHOP', facts: { script: 'FAILS', forced: 'mended in May' } }],
      ]);
    }
    expect(await rows(env, 'SHOP')).toEqual(['a 1', 'own 9', 'works 1']);
    const pending = async () => (await env.rustine.scripts.pending()).map(({ folder, script }) => `${folder} ${script}`);
    const [entry] = (await env.rustine.history({ folder: 'SHOP', patch: 'B.dat' })).entries;
    expect([await pending(), entry?.forced, (await env.rustine.folder('SHOP')).lag]).toEqual([
      ['SHOP FAILS'],
      { scripts: 'mended in May' },
      [],
    ]);
    // It runs with the text that the folder finds by now.
    const mended = script('FAILS', `update item set qty_0 = 2 where cod_0 = 'works';`);
    await env.integrate(await env.patch('C.dat', [mended]), { folders: ['X3'] });
    expect(await env.rustine.scripts.run({ folder: 'SHOP' })).toMatchObject([{ script: 'FAILS', state: 'done' }]);
    expect([await rows(env, 'SHOP'), await pending()]).toEqual([['a 1', 'own 9', 'works 2'], []]);
    await env.query(`delete from seed.item where cod_0 = 'own'`);
    await env.query(
      `update rustine.patch_chunk set bytes = '\\x00' where digest = (select digest from rustine.patch where file = 'B.dat')`,
    );
    const damaged = await env.rustine.validate({ folders: ['SEED'] });
    expect(damaged.folders[0]).toMatchObject({ state: 'failed', reason: { code: 'kept-file-damaged' } });
    expect(await state()).toEqual(before);
  });

  test('R12, R35: somebody who holds a table of the folder is named; then it goes on', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('A.dat', [item]));
    const wider = table('ITEM', 'ITM', { COD: 'A:9', QTY: 'C' }, { ITM0: 'COD' });
    await env.integrate(await env.patch('B.dat', [wider]), { folders: ['X3'] });
    const holder = await itemHolder(env, 'seed');
    const waited = await env.rustine.validate({ folders: ['SEED'], lockTimeoutMs: 300 });
    expect(waited.folders[0]).toMatchObject({ state: 'failed', reason: { facts: { table: 'item' } } });
    await holder.query('rollback');
    expect(await valid(env, 'SEED')).toMatchObject({ state: 'validated', tables: { altered: ['item'] }, patches: ['B.dat'] });
  });
});
