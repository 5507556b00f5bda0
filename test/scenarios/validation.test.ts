// Validation: folders are brought in line with their own codes and modules, one transaction each; what is settled is no longer due.
import { describe, expect, test } from 'vitest';
import { typed } from '../support/command-line.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import { activityCode, any, row, table } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

const box = table('BOX', 'BOX', { COD: 'A:5', SIZ: 'C' }, { BOX0: 'COD' }, { activity: 'KIT' });
const item = table('ITEM', 'ITM', { COD: 'A:5', QTY: { type: 'C', slots: 2, activity: 'NBQ' } }, { ITM0: 'COD' });

const due = async (env: TestEnvironment, folder: string): Promise<readonly string[]> =>
  (await env.query<{ due: string[] }>('select due from rustine.folder where code = $1', [folder]))[0]?.due ?? [];
const there = async (env: TestEnvironment, name: string): Promise<boolean> =>
  (await env.query<{ there: boolean }>('select to_regclass($1) is not null as there', [name]))[0]?.there === true;

describe.each(everyServer())('validation on $name', (server) => {
  test('R2, R25: codes that a patch switches off or sizes make the folder due, and validation brings its other tables in line', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'CALM'] });
    const first = [activityCode('KIT'), activityCode('NBQ', { size: 2 }), box, item, row('BOX', 'all', { COD: 'B1', SIZ: 2 })];
    await env.integrate(await env.patch('ONE.dat', first));
    await env.integrate(await env.patch('TWO.dat', [activityCode('KIT', { active: false }), activityCode('NBQ', { size: 3 })]));
    expect([await there(env, 'seed.box'), await due(env, 'SEED')]).toEqual([true, ['activity-code:KIT', 'activity-code:NBQ']]);
    const outcome = await env.rustine.validate({ folders: ['SEED'] });
    expect(outcome).toMatchObject({
      state: 'done',
      folders: [
        {
          folder: 'SEED',
          state: 'validated',
          due: false,
          settled: ['activity-code:KIT', 'activity-code:NBQ'],
          tables: {
            created: [],
            altered: ['item'],
            removed: ['box'],
            changes: [
              { table: 'box', step: 'remove-table', rewrites: false },
              { table: 'item', step: 'add-column', column: 'qty_2', rewrites: false },
            ],
          },
        },
      ],
    });
    expect([await there(env, 'seed.box'), await due(env, 'SEED')]).toEqual([false, []]);
    // R3: what is put aside is nothing that somebody has done.
    expect((await env.rustine.verify({ folders: ['SEED'] })).differences).toEqual([]);
    expect(await env.query('select why, kept_by <> $1 as named, integration from rustine.kept', [''])).toEqual([
      { why: 'inactive', named: true, integration: null },
    ]);
    expect([await there(env, 'x3.box'), await due(env, 'X3')]).toEqual([true, ['activity-code:KIT', 'activity-code:NBQ']]);
    const rest = await env.rustine.validate({});
    expect(rest.folders.map(({ folder, state }) => [folder, state])).toEqual([
      ['X3', 'validated'],
      ['CALM', 'validated'],
    ]);
    expect(await env.rustine.validate({})).toEqual({ run: '', mode: 'validate', state: 'done', findings: [], folders: [] });
    expect((await env.rustine.validate({ folders: ['SEED', 'X3'] })).folders.map(({ state }) => state)).toEqual([
      'unchanged',
      'unchanged',
    ]);
  });

  test('R2: what the folder’s people set (codes, modules, languages) is validated', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(
      await env.patch('ONE.dat', [
        activityCode('KIT', { active: false }),
        box,
        table('FAR', 'FAR', { COD: 'A:5' }, { FAR0: 'COD' }, { header: { MODULE: 7 } }),
      ]),
    );
    await env.rustine.setFolder('SEED', { activityCodes: ['KIT'], modules: [1], languages: ['FRA'] });
    expect(await due(env, 'SEED')).toEqual(['activity-codes', 'languages', 'modules']);
    const { folders } = await env.rustine.validate({ folders: ['SEED'] });
    expect(folders).toMatchObject([
      {
        state: 'validated',
        due: false,
        settled: ['activity-codes', 'languages', 'modules'],
        tables: { created: ['box'], removed: ['far'] },
      },
    ]);
    expect(await due(env, 'SEED')).toEqual([]);
    await env.rustine.setFolder('SEED', { modules: null });
    const again = await env.rustine.validate({ folders: ['SEED'] });
    expect(again.folders[0]?.tables.created).toEqual(['far']);
    expect(again.findings.map((finding) => [finding.folder, finding.code, finding.facts.command])).toEqual([
      ['SEED', 'values-kept-aside', 'rustine kept restore 1'],
    ]);
  });

  test('R35: a validation that is blocked leaves the folder as it was, due, and says why; the others go on', async () => {
    const env = await openEnvironment(server, { folders: ['GOOD', 'BAD'] });
    await env.integrate(await env.patch('ONE.dat', [activityCode('NBQ', { size: 2 }), item]));
    await env.integrate(await env.patch('TWO.dat', [activityCode('NBQ', { size: 3 })]));
    // A type that somebody changed by hand comes back, as long as the values allow it.
    await env.query(
      'alter table bad.item alter column qty_0 type integer; insert into bad.item (cod_0, qty_0) values ($$A$$, 70000)',
    );
    await env.query(
      'alter table good.item alter column qty_0 type integer; insert into good.item (cod_0, qty_0) values ($$A$$, 7)',
    );
    const outcome = await env.rustine.validate({ folders: ['GOOD', 'BAD'] });
    expect([outcome.state, ...outcome.folders.map(({ folder, state }) => `${folder} ${state}`)]).toEqual([
      'partial',
      'BAD failed',
      'GOOD validated',
    ]);
    expect(outcome.findings).toMatchObject([
      {
        code: 'values-do-not-fit',
        severity: 'block',
        folder: 'BAD',
        subject: 'ATB:ITEM',
        facts: { field: 'qty_0', from: 'integer', to: 'smallint', count: 1, keys: ['A: 70000'] },
      },
    ]);
    expect([await due(env, 'BAD'), await due(env, 'GOOD')]).toEqual([['activity-code:NBQ'], []]);
    expect(
      await env.query(`select attname::text as c from pg_attribute where attrelid = 'bad.item'::regclass and attname = 'qty_2'`),
    ).toEqual([]);
    await env.query('update bad.item set qty_0 = 5');
    expect((await env.rustine.validate({})).folders.map(({ folder, state }) => `${folder} ${state}`)).toEqual([
      'X3 validated',
      'BAD validated',
    ]);
  });

  test('a table that comes back takes its name from the typed view of the dictionary, and gives it back', async () => {
    const env = await openEnvironment(server);
    const named = table('ATABZON', 'AAZ', { COD: 'A:5' }, { AAZ0: 'COD' }, { activity: 'KIT' });
    await env.integrate(await env.patch('ONE.dat', [activityCode('KIT', { active: false }), named]));
    const kind = async () =>
      (await env.query(`select relkind::text from pg_class where oid = to_regclass('x3.atabzon')`)).map(
        (each) => Object.values(each)[0],
      );
    expect(await kind()).toEqual(['v']);
    await env.rustine.setFolder('X3', { activityCodes: ['KIT'] });
    expect((await env.rustine.validate({ folders: ['X3'] })).folders[0]?.tables.created).toEqual(['atabzon']);
    expect(await kind()).toEqual(['r']);
    await env.rustine.setFolder('X3', { activityCodes: [] });
    expect((await env.rustine.validate({ folders: ['X3'] })).folders[0]?.tables.removed).toEqual(['atabzon']);
    expect(await kind()).toEqual(['v']);
  });

  test('a table that somebody holds is named with who holds it; an unknown folder is refused', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('ONE.dat', [activityCode('NBQ', { size: 2 }), item]));
    await env.integrate(await env.patch('TWO.dat', [activityCode('NBQ', { size: 4 })]));
    const { Client } = await import('pg');
    const client = new Client({ connectionString: env.url, application_name: 'somebody' });
    await client.connect();
    await client.query('begin; lock table x3.item in access share mode');
    const outcome = await env.rustine.validate({ folders: ['X3'], lockTimeoutMs: 300 });
    await client.end();
    expect([outcome.state, outcome.folders[0]?.reason?.code, outcome.folders[0]?.reason?.facts.table]).toEqual([
      'failed',
      'lock-timeout',
      'item',
    ]);
    await expect(env.rustine.validate({ folders: ['NONE'] })).rejects.toMatchObject({ code: 'folder-unknown' });
    const typed = any('ATY', 'COL', [{ tag: 'ATY', values: { CODTYP: 'COL', TYPTYP: 7, LNGTYP: 5 } }]);
    await env.integrate(await env.patch('THREE.dat', [typed]));
    expect((await env.rustine.validate({})).state).toBe('done');
  });

  test('R34: the commands that status gives, one after the other, bring all folders in line', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    const say = async (...argv: readonly string[]) => (await typed(env, argv)).out;
    await env.rustine.setFolder('SHOP', { modules: [1] });
    const path = await env.patch('A.dat', [activityCode('NBQ', { size: 2 }), item]);
    const after = await say('integrate', path, '--folders', 'X3');
    for (const command of ['`rustine validate SEED`', '`rustine validate SHOP`']) expect(after).toContain(command);
    const commands = [...(await say('status')).matchAll(/`rustine ([^`]+)`/g)].map((found) => found[1] ?? '');
    expect(commands).toEqual(['validate SEED', 'validate SHOP']);
    for (const command of commands) await say(...command.split(' '));
    expect(await say('status')).toContain('All folders are in line');
    // Rows have to come from the file where that is not kept.
    const rows = await env.patch('B.dat', [row('ITM', 'all', { COD: 'A1', QTY: 1 })]);
    await say('integrate', rows, '--folders', 'X3');
    await env.query(
      `update rustine.patch set kept = false where digest = (select digest from rustine.integrated where file = 'B.dat')`,
    );
    expect(await say('status')).toContain(`\`rustine integrate ${rows} --folders SEED,SHOP\``);
    await say('integrate', rows, '--folders', 'SEED,SHOP');
    expect(await say('status')).toContain('All folders are in line');
    await env.rustine.setFolder('SHOP', { languages: ['FRA'] });
    expect(await say('validate', 'SHOP')).toContain('languages');
    expect(await say('status')).toContain('All folders are in line');
  });
});
