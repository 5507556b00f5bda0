// Folders beside patches: what a new one has and lacks, who is in the way of making or dropping one.
import { Client, escapeIdentifier } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRustine } from '../../src/app/rustine.ts';
import { Refusal } from '../../src/base/errors.ts';
import { openEnvironment, queryAt, type TestEnvironment } from '../support/environment.ts';
import { any, row, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const parameter = (title: string) => any('ADP', 'LIMIT', [{ tag: 'ADP', values: { PARAM: 'LIMIT', INTIT: title } }]);
const item = table('ITEM', 'ITM', { COD: 'A:10' }, { ITM0: 'COD' });

async function refused(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'nothing refused',
    (error: unknown) => (error instanceof Refusal ? [error.code, error.facts] : error),
  );
}

const title = async (env: TestEnvironment, folder: string) =>
  (
    await env.query<{ title: string }>(
      `select fields ->> 'INTIT' as title from rustine.dictionary where name = 'LIMIT' and folder = $1`,
      [folder],
    )
  ).map((each) => each.title);

/** A session of somebody else's in a transaction, until `release`. */
async function holder(env: TestEnvironment, statement: string) {
  const client = new Client({ connectionString: env.url });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query('begin');
  await client.query(statement);
  return { client, release: () => client.query('commit') };
}

/** Waits until so many sessions wait for a lock. */
async function waiting(env: TestEnvironment, count: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const rows = await env.query(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (rows.length >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('nobody waits');
}

describe.each(oneServer())('folders on $name', (server) => {
  test('R34: patches with rows stay open in a new folder; integrating them brings the rows and no old dictionary', async () => {
    const env = await openEnvironment(server);
    const wider = table('ITEM', 'ITM', { COD: 'A:15', NAM: 'A:20' }, { ITM0: 'COD' });
    const paths = [
      await env.patch('Q_0001_140.dat', [parameter('old'), item, row('ITM', 'x', { COD: 'A' })]),
      await env.patch('Q_0002_140.dat', [
        parameter('new'),
        wider,
        any('ADP', 'ZOWN', [{ tag: 'ADP', values: { PARAM: 'ZOWN', CODACT: 'ZAL' } }]),
      ]),
    ];
    await env.integrate(await env.patch('P_0001_140.dat', [parameter('oldest')]));
    await env.integrate(paths);
    await env.folders(['NEW']);
    expect(await env.rustine.folder('NEW')).toMatchObject({ level: { P_140: 1, Q_140: 2 }, lag: ['Q_0001_140.dat'], due: true });
    const outcome = await env.integrate(paths);
    expect(outcome.folders[1]?.patches.map((patch) => [patch.state, patch.rows.inserted, patch.tables.altered])).toEqual([
      ['integrated', 1, []],
      ['already', 0, []],
    ]);
    expect(await title(env, 'NEW')).toEqual(['new']);
    expect(await env.query('select cod_0, nam_0 from new.item')).toEqual([{ cod_0: 'A', nam_0: '' }]);
    expect(await env.rustine.folder('NEW')).toMatchObject({ level: { P_140: 1, Q_140: 2 }, lag: [], due: false });
    expect(await env.query('select fic_0 from new.apatch order by num_0')).toHaveLength(3);
    const authorized = await env.integrate(paths, { authorize: ['ZAL'] });
    expect(authorized.folders.map((folder) => folder.patches.map((patch) => patch.elements.created))).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  test('R34: only standard patches count as lag, and other content than the supervisor folder has does', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('SPECIFIC.dat', [any('ADP', 'OTHER', [])], { type: '3' }), { folders: ['X3'] });
    await env.integrate(await env.patch('SUPERVISOR.dat', [any('ADP', 'OTHER', [])], { type: '2' }));
    await env.integrate(await env.patch('A.dat', [parameter('one')]));
    expect((await env.rustine.folder('SEED')).lag).toEqual([]);
    const force = [{ check: 'content', reason: 'delivered anew' }];
    const again = await env.patch('A.dat', [parameter('two')]);
    await env.integrate(again, { folders: ['X3'], force });
    expect(await env.rustine.folder('SEED')).toMatchObject({ lag: ['A.dat'], due: true, patches: 1 });
    await env.integrate(again, { force });
    expect((await env.rustine.folder('SEED')).lag).toEqual([]);
  });

  test('R7, R15: a supervisor patch in a series does not block later numbers in other folders', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('P_0001_140.dat', [parameter('one')]));
    await env.integrate(await env.patch('P_0002_140.dat', [any('ADP', 'OTHER', [])], { type: '2' }));
    const outcome = await env.integrate(await env.patch('P_0003_140.dat', [parameter('three')]), { folders: ['SEED'] });
    expect(outcome.folders.map(({ state }) => state)).toEqual(['integrated']);
  });

  test('no folder is made while its parent is being patched, and no run begins while one is: dictionary and level are of one state', async () => {
    const env = await openEnvironment(server, { folders: ['DEV'] });
    const held = await holder(env, `select from rustine.folder where code = 'DEV' for update`);
    const early = env.folders(['EARLY'], { parent: 'DEV' });
    await waiting(env, 1);
    const heard: string[] = [];
    const listener = ({ kind }: { readonly kind: string }) => void heard.push(kind);
    const run = env.integrate(await env.patch('A.dat', [parameter('new'), item]), { listener });
    await expect.poll(() => heard).toEqual(['changes-waiting']);
    await held.release();
    await Promise.all([run, early]);
    expect(await env.rustine.folder('EARLY')).toMatchObject({ lag: ['A.dat'], patches: 0 });
    const again = await holder(env, `select from rustine.folder where code = 'DEV' for update`);
    const second = env.integrate(await env.patch('B.dat', [parameter('newer')]), { folders: ['X3', 'DEV'] });
    await waiting(env, 1);
    expect(await refused(env.folders(['NEW'], { parent: 'DEV' }))).toMatchObject(['run-active', { folders: ['DEV'] }]);
    await again.release();
    await second;
    await env.folders(['NEW', 'NEXT'], { parent: 'DEV' });
    for (const code of ['NEW', 'NEXT']) {
      expect(await title(env, code)).toEqual(['newer']);
      expect(await env.rustine.folder(code)).toMatchObject({ lag: [], patches: 2, tables: 3 });
    }
    expect(await env.query('select from rustine.work union all select from rustine.delivery_element')).toEqual([]);
  });

  test('a login that the environment did not make is not taken over, nor dropped', async () => {
    const env = await openEnvironment(server);
    const role = `${env.database}_seed`;
    await env.query(`create role ${escapeIdentifier(role)} login`);
    expect(await refused(env.rustine.createFolders(['SEED'], {}))).toEqual(['role-exists', { folder: 'SEED', role }]);
    expect((await env.rustine.folders()).map(({ code }) => code)).toEqual(['X3']);
    await env.query(`drop role ${escapeIdentifier(role)}`);
    await env.folders(['SEED']);
    // Somebody else's by the same name.
    await env.query(`comment on role ${escapeIdentifier(role)} is 'mine'`);
    await env.rustine.dropFolder('SEED');
    expect(await queryAt(env.url, 'select from pg_roles where rolname = $1', [role])).toHaveLength(1);
  });

  test('what is in the way of one folder is found before another is made', async () => {
    const env = await openEnvironment(server);
    await env.query(`create schema b; create role ${escapeIdentifier(`${env.database}_c`)}`);
    expect(await refused(env.rustine.createFolders(['A', 'B'], {}))).toEqual([
      'folder-schema-exists',
      { folder: 'B', schema: 'b' },
    ]);
    expect(await refused(env.rustine.createFolders(['A', 'C'], {}))).toMatchObject(['role-exists', { folder: 'C' }]);
    expect((await env.rustine.folders()).map(({ code }) => code)).toEqual(['X3']);
  });

  test('where a later folder fails at work, those made before are named', async () => {
    const env = await openEnvironment(server);
    await env.query(`
      create function rustine.stop() returns trigger language plpgsql as $$ begin raise exception 'no room'; end $$;
      create trigger stop before insert on rustine.folder for each row when (new.code = 'B') execute function rustine.stop()`);
    await expect(env.rustine.createFolders(['A', 'B'], {})).rejects.toMatchObject({
      code: 'folder-create-partial',
      facts: { created: ['A'], folder: 'B', cause: 'database-error' },
    });
    expect((await env.rustine.folders()).map(({ code }) => code)).toEqual(['X3', 'A']);
  });

  test('no folder is made below one that is being dropped, none is dropped that just got a child', async () => {
    const env = await openEnvironment(server, { folders: ['DEV', 'OLD'] });
    const held = await holder(
      env,
      `select from rustine.folder where code in ('DEV', 'OLD') for update; update rustine.folder set state = 'dropping' where code in ('DEV', 'OLD')`,
    );
    const below = refused(env.rustine.createFolders(['NEW'], { parent: 'DEV' }));
    const history = refused(env.rustine.createFolders(['HIST'], { historyOf: 'OLD' }));
    await waiting(env, 2);
    await held.release();
    expect([await below, await history]).toEqual([
      ['folder-not-ready', { folder: 'DEV', state: 'dropping' }],
      ['folder-not-ready', { folder: 'OLD', state: 'dropping' }],
    ]);
    await env.query(`update rustine.folder set state = 'ready'`);

    // The drop has read the folders before the child is there.
    const child = await holder(env, `select from rustine.folder where code = 'DEV' for update`);
    const drop = refused(env.rustine.dropFolder('DEV'));
    await waiting(env, 1);
    await child.client.query(
      `insert into rustine.folder (code, parent, state, schema_name, languages, created_by)
       select 'CHILD', id, 'ready', 'child', '{ENG}', 'test' from rustine.folder where code = 'DEV'`,
    );
    await child.release();
    expect(await drop).toEqual(['folder-has-children', { folder: 'DEV', children: ['CHILD'], histories: [] }]);
    expect((await env.rustine.folder('DEV')).state).toBe('ready');
  });

  test('R36: nothing hangs from a history folder, and it belongs to a folder that is patched itself', async () => {
    const env = await openEnvironment(server, { folders: ['LIVE'] });
    await env.folders(['OLD'], { historyOf: 'LIVE' });
    const create = (options: Parameters<typeof env.rustine.createFolders>[1]) =>
      refused(env.rustine.createFolders(['NEW', 'TOO'], options));
    expect([
      await create({ parent: 'OLD' }),
      await create({ parent: 'LIVE', historyOf: 'OLD' }),
      await create({ historyOf: 'X3' }),
    ]).toEqual([
      ['folder-parent-history', { folder: 'NEW', parent: 'OLD', history: 'OLD', of: 'LIVE' }],
      ['folder-history-history', { folder: 'NEW', of: 'OLD', live: 'LIVE' }],
      ['folder-history-supervisor', { folder: 'NEW', of: 'X3' }],
    ]);
    expect((await env.rustine.folders()).map(({ code }) => code)).toEqual(['X3', 'LIVE', 'OLD']);
  });

  test('a folder that is named twice is refused as that', async () => {
    const env = await openEnvironment(server);
    expect(await refused(env.rustine.createFolders(['AB1', 'ab1'], {}))).toEqual(['folder-named-twice', { folder: 'AB1' }]);
    expect((await env.rustine.folders()).map(({ code }) => code)).toEqual(['X3']);
  });

  test('R33: the folder that one works from is one that there is, whatever the command', async () => {
    const env = await openEnvironment(server, { init: false });
    const from = (folder: string) => openRustine({ home: env.home, database: env.url, language: 'en', from: folder });
    // Before there are any folders, nothing can be said against it.
    const early = await from('X3');
    await early.init({});
    await early.close();
    expect(await refused(from('NOPE'))).toEqual(['folder-unknown', { folder: 'NOPE', known: ['X3'] }]);
    const ended = await from('X3');
    expect((await ended.folders()).map(({ code }) => code)).toEqual(['X3']);
    await ended.close();
  });
});
