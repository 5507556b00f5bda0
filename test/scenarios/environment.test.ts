// An environment from its beginning: folders made, shown and dropped, with what each of them inherits and what its login may do.
import { type Client, escapeIdentifier } from 'pg';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../src/base/errors.ts';
import { connected, openEnvironment, queryAt, type TestEnvironment } from '../support/environment.ts';
import { any, compiled, exe, row, script, table, texts } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

/** Code and facts of the refusal that it ends in. */
async function refused(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing refused',
    (error: unknown) => (error instanceof Refusal ? error.code : `not a refusal: ${String(error)}`),
  );
}

describe.each(everyServer())('$name', (server) => {
  const view = async (environment: TestEnvironment, code: string) => environment.rustine.folder(code);

  test('R1: init makes one supervisor folder, with the base data types and the tables that every folder has', async () => {
    const environment = await openEnvironment(server, { init: { supervisor: 'PAYE', languages: ['FRA'] } });
    const all = await environment.rustine.folders();
    expect(all).toMatchObject([
      {
        code: 'PAYE',
        parent: null,
        state: 'ready',
        due: false,
        lag: [],
        level: {},
        languages: ['FRA'],
        schema: 'paye',
        tables: 2,
      },
    ]);
    const tables = await environment.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'paye'::regnamespace and relkind = 'r' order by 1`,
    );
    expect(tables.map(({ name }) => name)).toEqual(['adosact', 'apatch']);
    expect(await refused(environment.rustine.init({}))).toBe('already-initialized');
  });

  test('nothing works before init, and says so', async () => {
    const { rustine } = await openEnvironment(server, { init: false });
    expect(await refused(rustine.folders())).toBe('not-initialized');
    expect(await refused(rustine.createFolders(['SEED'], {}))).toBe('not-initialized');
    expect(await refused(rustine.dropFolder('SEED'))).toBe('not-initialized');
    expect(await refused(rustine.integrate({ paths: [], mode: 'integrate' }))).toBe('not-initialized');
  });

  test('R1: folders have parents, in chains, and are listed level by level', async () => {
    const environment = await openEnvironment(server, { folders: ['DEV', 'SEED'] });
    await environment.folders(['TEST'], { parent: 'DEV', test: true });
    await environment.folders(['LIVE'], { parent: 'TEST', specific: true, activityCodes: ['SIZ'] });
    const all = await environment.rustine.folders();
    expect(all.map(({ code, parent }) => [code, parent])).toEqual([
      ['X3', null],
      ['DEV', 'X3'],
      ['SEED', 'X3'],
      ['TEST', 'DEV'],
      ['LIVE', 'TEST'],
    ]);
    expect(await view(environment, 'live')).toMatchObject({
      code: 'LIVE',
      specific: true,
      test: false,
      activityCodes: ['SIZ'],
      historyOf: null,
    });
    expect(await refused(environment.rustine.folder('GONE'))).toBe('folder-unknown');
  });

  test.each([
    '',
    ' ',
    '1X',
    'TOOLONGNAME',
    'A-B',
    'A_B',
    'É',
    '"X"',
    "X'; drop schema rustine cascade; --",
    '../etc',
    'C:\\X',
    'X\0',
    'pg_catalog',
  ])('R2: %j is no code of a folder', async (name) => {
    const environment = await openEnvironment(server);
    expect(await refused(environment.rustine.createFolders(['GOOD', name], {}))).toBe('folder-code');
    expect(await refused(environment.rustine.createFolders(['GOOD'], { parent: name }))).toBe('folder-code');
    expect((await environment.rustine.folders()).map(({ code }) => code)).toEqual(['X3']);
  });

  test('R2: lower case is read as upper case; what exists is refused before anything is made', async () => {
    const environment = await openEnvironment(server);
    await environment.folders(['seed']);
    expect((await environment.rustine.folders()).map(({ code }) => code)).toEqual(['X3', 'SEED']);
    expect(await refused(environment.rustine.createFolders(['NEW', 'Seed'], {}))).toBe('folder-exists');
    expect(await refused(environment.rustine.createFolders(['NEW', 'NEW'], {}))).toBe('folder-named-twice');
    expect(await refused(environment.rustine.createFolders(['NEW'], { parent: 'GONE' }))).toBe('folder-parent-unknown');
    expect(await refused(environment.rustine.createFolders(['NEW'], { historyOf: 'GONE' }))).toBe('folder-unknown');
    expect(await refused(environment.rustine.createFolders(['NEW'], { languages: ['FR'] }))).toBe('language-code');
    expect(await refused(environment.rustine.createFolders(['NEW'], { activityCodes: ['1'] }))).toBe('activity-code');
    // Schemas that are somebody else's.
    for (const code of ['RUSTINE', 'PUBLIC'])
      expect(await refused(environment.rustine.createFolders([code], {}))).toBe('folder-schema-exists');
    expect((await environment.rustine.folders()).map(({ code }) => code)).toEqual(['X3', 'SEED']);
  });

  test('R2: words of SQL are folder codes and field names like others', async () => {
    const environment = await openEnvironment(server, { folders: ['TABLE', 'SELECT', 'USER', 'ALL'] });
    const path = await environment.patch('P_0001_140.dat', [
      table('ORDERS', 'ORD', { GROUP: 'A:5', DESC: 'A:5' }, { ORD0: 'GROUP' }),
      row('ORD', 'x', { GROUP: 'a', DESC: 'b' }),
    ]);
    const outcome = await environment.integrate(path);
    expect(outcome.folders.map(({ state }) => state)).toEqual(Array.from({ length: 5 }, () => 'integrated'));
    await environment.rustine.dropFolder('SELECT');
    expect((await environment.rustine.folders()).map(({ code }) => code)).not.toContain('SELECT');
  });

  test('R23: a folder keeps its languages of each text, or the first one of the patch', async () => {
    const environment = await openEnvironment(server, { init: { languages: ['ENG', 'FRA', 'GER'] } });
    await environment.folders(['FR'], { languages: ['FRA'] });
    await environment.folders(['ES'], { languages: ['SPA'] });
    const title = texts({ ENG: 'Limit', FRA: 'Limite', GER: 'Grenze' });
    await environment.integrate(
      await environment.patch(
        'P_0001_140.dat',
        [any('ADP', 'LIMIT', [{ tag: 'ADP', values: { PARAM: 'LIMIT', INTIT: title } }])],
        { languages: ['GER', 'FRA', 'ENG'] },
      ),
    );
    const found = await environment.query<{ folder: string; languages: string[] }>(
      `select folder, array(select jsonb_object_keys(fields -> 'INTIT' -> 'text') order by 1) as languages from rustine.dictionary where name = 'LIMIT' order by folder`,
    );
    expect(found).toEqual([
      { folder: 'ES', languages: ['GER'] },
      { folder: 'FR', languages: ['FRA'] },
      { folder: 'X3', languages: ['ENG', 'FRA', 'GER'] },
    ]);
  });

  test('R22: scripts go to the supervisor and test folders; specific ones also to specific folders and to where they are already', async () => {
    const environment = await openEnvironment(server, { folders: ['PLAIN', 'LATER'] });
    await environment.folders(['TEST'], { test: true });
    await environment.folders(['SPEC'], { specific: true });
    const holders = async (name: string): Promise<readonly string[]> =>
      (
        await environment.query<{ code: string }>(
          'select f.code from rustine.script s join rustine.folder f on f.id = s.folder where s.name = $1 order by 1',
          [name],
        )
      ).map(({ code }) => code);
    const options = { activityCodes: ['ZALI'] };
    const scripts = [
      script('STDLIB', 'End'),
      script('SPELIB', 'End'),
      script('CNSABCSPE', 'End'),
      compiled('ZLIB', Buffer.from('1')),
    ];
    await environment.integrate(await environment.patch('A1.dat', scripts, options));
    expect(await holders('STDLIB')).toEqual(['TEST', 'X3']);
    for (const name of ['SPELIB', 'CNSABCSPE', 'ZLIB']) expect(await holders(name)).toEqual(['SPEC', 'TEST', 'X3']);

    await environment.query(
      `insert into rustine.script select (select id from rustine.folder where code = 'LATER'), kind, name, title, digest, 0, 0 from rustine.script where name in ('SPELIB', 'STDLIB') and folder = 1`,
    );
    const outcome = await environment.integrate(
      await environment.patch('A2.dat', [script('STDLIB', 'Newer'), script('SPELIB', 'Newer')], options),
    );
    expect(Object.fromEntries(outcome.folders.map(({ folder: code, patches }) => [code, patches[0]?.scripts.installed]))).toEqual(
      {
        X3: 2,
        TEST: 2,
        SPEC: 1,
        LATER: 1,
        PLAIN: 0,
      },
    );
  });

  describe('R3: the login of a folder', () => {
    async function logins() {
      const environment = await openEnvironment(server, { folders: ['DEV', 'SEED'] });
      await environment.folders(['LIVE'], { parent: 'DEV' });
      await environment.integrate(
        await environment.patch('P_0001_140.dat', [
          table('ITEM', 'ITM', { COD: 'A:10' }, { ITM0: 'COD' }),
          row('ITM', 'ALL', { COD: 'A' }),
        ]),
      );
      const url = await environment.rustine.databaseUrl('LIVE');
      /** undefined: it worked; else the SQLSTATE. */
      const attempt = (text: string): Promise<string | undefined> =>
        connected(url, (client: Client) =>
          client.query(text).then(
            () => undefined,
            (error: { code?: string }) => error.code ?? String(error),
          ),
        );
      return { environment, url, attempt };
    }
    const DENIED = '42501';

    test('reads and writes the tables of its own folder', async () => {
      const { attempt, url } = await logins();
      expect(await attempt(`insert into item (cod_0) values ('B')`)).toBeUndefined();
      expect(await attempt(`update item set cod_0 = 'C' where cod_0 = 'B'`)).toBeUndefined();
      expect(await attempt(`delete from live.item where cod_0 = 'C'`)).toBeUndefined();
      expect(await queryAt(url, 'select cod_0, current_schema() as schema from item')).toEqual([{ cod_0: 'A', schema: 'live' }]);
      expect(await queryAt(url, `select current_setting('search_path') as path`)).toEqual([{ path: 'live, dev, x3' }]);
    });

    test('does not read its parent, its siblings or the catalog, and makes nothing', async () => {
      const { attempt } = await logins();
      for (const where of [
        'dev.item',
        'x3.item',
        'seed.item',
        'dev.apatch',
        'seed.adosact',
        'rustine.dictionary',
        'rustine.folder',
        'rustine.content',
        'rustine.run',
      ]) {
        expect([where, await attempt(`select * from ${where}`)]).toEqual([where, DENIED]);
      }
      expect(await attempt('create table live.own (a int)')).toBe(DENIED);
      expect(await attempt('create table dev.own (a int)')).toBe(DENIED);
      expect(await attempt('create table public.own (a int)')).toBe(DENIED);
      expect(await attempt('alter table item add column a int')).toBe(DENIED);
      expect(await attempt('drop table item')).toBe(DENIED);
      expect(await attempt('create role another')).toBe(DENIED);
    });

    test('R29: reads its record of patches, and does not change it', async () => {
      const { attempt } = await logins();
      expect(await attempt('select * from apatch')).toBeUndefined();
      for (const text of [
        `insert into apatch (num_0) values (9)`,
        `update apatch set num_0 = 2`,
        'delete from apatch',
        'truncate apatch',
      ]) {
        expect([text, await attempt(text)]).toEqual([text, DENIED]);
      }
    });

    test('R4: finds a function in its own folder, then its parent, then the supervisor folder', async () => {
      const { environment, url } = await logins();
      const define = (schema: string) =>
        environment.query(`create function ${schema}.who() returns text language sql as $$ select '${schema}' $$`);
      const who = async () => (await queryAt<{ who: string }>(url, 'select who()'))[0]?.who;
      await define('x3');
      expect(await who()).toBe('x3');
      await define('dev');
      expect(await who()).toBe('dev');
      await define('live');
      expect(await who()).toBe('live');
    });
  });

  test('R35: a folder made below a parent with patches has its dictionary, tables and level; data patches stay open', async () => {
    const environment = await openEnvironment(server, { folders: ['DEV'] });
    const item = table('ITEM', 'ITM', { COD: 'A:10', DES: 'A:30' }, { ITM0: 'COD' });
    await environment.integrate([
      await environment.patch('P_0001_140.dat', [item, script('LIB', 'End')]),
      await environment.patch('P_0002_140.dat', [row('ITM', 'ALL', { COD: 'A', DES: 'a' })]),
      await environment.patch('ZEXE.dat', [exe('AFTER')]),
    ]);
    await environment.integrate(
      await environment.patch('ZDEV.dat', [any('ADP', 'OWN', [{ tag: 'ADP', values: { PARAM: 'OWN' } }])]),
      { folders: ['DEV'] },
    );
    await environment.folders(['LIVE'], { parent: 'DEV' });
    expect(await view(environment, 'LIVE')).toMatchObject({
      level: { P_140: 1 },
      lag: ['P_0002_140.dat', 'ZEXE.dat'],
      tables: 3,
      patches: 2,
      due: true,
    });
    const lines = (code: string) =>
      environment.query(
        `select type, name, title, tag, key, position, activity, fields from rustine.dictionary where folder = '${code}' order by 1, 2, 4, 5`,
      );
    expect(await lines('LIVE')).toEqual(await lines('DEV'));
    expect(await environment.query('select * from live.item')).toEqual([]);
    expect(
      (await environment.query<{ file: string }>('select fic_0 as file from live.apatch order by 1')).map(({ file }) => file),
    ).toEqual(['P_0001_140.dat', 'ZDEV.dat']);

    const outcome = await environment.integrate(`${environment.directory}/P_0002_140.dat`);
    expect(outcome.folders.map(({ folder: code, patches }) => [code, patches[0]?.state, patches[0]?.rows.inserted])).toEqual([
      ['X3', 'already', 0],
      ['DEV', 'already', 0],
      ['LIVE', 'integrated', 1],
    ]);
    expect(await view(environment, 'LIVE')).toMatchObject({ level: { P_140: 2 }, lag: ['ZEXE.dat'] });
  });

  describe('R3: where the database user may not create roles', () => {
    /** A user of the server who owns the database and is nothing else. */
    async function plainUser(rights: string) {
      let user = '';
      const environment = await openEnvironment(server, {
        init: false,
        as: async (superuser, database) => {
          user = `${database}_owner`;
          await queryAt(superuser, `create role ${escapeIdentifier(user)} login password 'secret' ${rights}`);
          await queryAt(superuser, `alter database ${escapeIdentifier(database)} owner to ${escapeIdentifier(user)}`);
          const url = new URL(superuser);
          url.username = user;
          url.password = 'secret';
          return url.href;
        },
      });
      return { environment, user };
    }

    async function everything(environment: TestEnvironment): Promise<void> {
      const path = await environment.patch('P_0001_140.dat', [
        table('ITEM', 'ITM', { COD: 'A:10' }, { ITM0: 'COD' }),
        row('ITM', 'ALL', { COD: 'A' }),
        script('LIB', 'End'),
      ]);
      const written = await environment.patch('P_0002_140.dat', [
        script(
          'MORE',
          `-- rustine: sql\ncreate function items() returns bigint language sql as 'select count(*) from item'; insert into item (cod_0) values ('B');`,
        ),
        exe('MORE'),
      ]);
      for (const each of [path, written]) {
        const outcome = await environment.integrate(each);
        expect(outcome.folders.map(({ state }) => state)).toEqual(['integrated', 'integrated', 'integrated']);
      }
      expect(await environment.query('select cod_0 from seed.item order by 1')).toEqual([{ cod_0: 'A' }, { cod_0: 'B' }]);
      expect((await environment.rustine.verify({})).differences).toEqual([]);
      expect(await environment.rustine.revert({ file: 'P_0002_140.dat' })).toMatchObject({ state: 'done' });
      expect(await environment.query('select cod_0 from seed.item')).toEqual([{ cod_0: 'A' }]);
      await environment.rustine.dropFolder('SEED');
      expect((await environment.rustine.folders()).map(({ code }) => code)).toEqual(['X3', 'DEV']);
    }

    test('it is said once, and everything else works', async () => {
      const { environment, user } = await plainUser('');
      const { findings } = await environment.rustine.init({});
      expect(findings).toEqual([{ code: 'roles-unavailable', severity: 'warn', facts: { user } }]);
      const created = await environment.rustine.createFolders(['DEV', 'SEED'], {});
      expect([created.findings, created.folders.map(({ role }) => role)]).toEqual([[], [null, null]]);
      expect(await refused(environment.rustine.databaseUrl('DEV'))).toBe('folder-without-role');
      await everything(environment);
      // A script may do here what the database user may: a table that the patch has just written anew is emptied without a trace.
      const wider = table('ITEM', 'ITM', { COD: 'C' }, { ITM0: 'COD' });
      await environment.query(`update x3.item set cod_0 = '7'; update dev.item set cod_0 = '7'`);
      await environment.integrate(
        await environment.patch('WIPE.dat', [wider, script('WIPE', '-- rustine: sql\ntruncate item'), exe('WIPE')]),
      );
      expect(await environment.query('select from x3.item')).toEqual([]);
      expect(await environment.query(`select tgname from pg_trigger where tgname like 'rustine%'`)).toEqual([]);
      const wiped = await environment.rustine.revert({ file: 'WIPE.dat' });
      expect([wiped.state, wiped.findings.filter(({ severity }) => severity === 'block')]).toMatchObject([
        'refused',
        ['X3', 'DEV'].map((folder) => ({
          code: 'revert-script-wrote',
          folder,
          facts: { script: 'WIPE', tables: [`${folder.toLowerCase()}.item`] },
        })),
      ]);
      // Rows that a policy keeps from the database user too: nothing is done without them.
      await environment.query(`insert into x3.item (cod_0) values (1), (2); create policy odd on x3.item using (cod_0 = 1) with check (true);
        alter table x3.item enable row level security; alter table x3.item force row level security`);
      const text = await environment.patch('HIDDEN.dat', [table('ITEM', 'ITM', { COD: 'A:5' }, { ITM0: 'COD' })]);
      const hidden = await environment.rustine.integrate({ paths: [text], folders: ['X3'], mode: 'integrate' });
      expect(hidden.findings).toContainEqual(
        expect.objectContaining({ code: 'database-error', facts: expect.objectContaining({ sqlstate: '42501' }) }),
      );
      await environment.query(`alter table x3.item no force row level security`);
      expect(await environment.query('select cod_0 from x3.item order by 1')).toEqual([{ cod_0: 1 }, { cod_0: 2 }]);
    });

    test('a user who may create roles and is no superuser can do everything, dropping folders included', async () => {
      const { environment } = await plainUser('createrole');
      const { findings } = await environment.rustine.init({});
      expect(findings).toEqual([]);
      await environment.folders(['DEV', 'SEED']);
      await everything(environment);
    });
  });

  describe('dropping', () => {
    test('takes schema, role and records with it, and the code is free again', async () => {
      const environment = await openEnvironment(server, { folders: ['SEED'] });
      await environment.integrate(
        await environment.patch('P_0001_140.dat', [
          table('ITEM', 'ITM', { COD: 'A:10' }, { ITM0: 'COD' }),
          row('ITM', 'ALL', { COD: 'A' }),
        ]),
      );
      const { role } = await view(environment, 'SEED');
      await environment.rustine.dropFolder('SEED');
      expect(await refused(environment.rustine.folder('SEED'))).toBe('folder-unknown');
      expect(
        await environment.query(
          `select nspname from pg_namespace where nspname = 'seed' union select rolname from pg_roles where rolname = $1`,
          [role],
        ),
      ).toEqual([]);
      expect(
        await environment.query(`select distinct folder from rustine.record union select folder from rustine.integration`),
      ).toEqual([{ folder: 1 }]);
      await environment.folders(['SEED']);
      expect(await view(environment, 'SEED')).toMatchObject({ state: 'ready', tables: 3 });
    });

    test('is refused for the supervisor folder, for a parent, and for a folder that has a history folder', async () => {
      const environment = await openEnvironment(server, { folders: ['DEV', 'OLD'] });
      await environment.folders(['LIVE'], { parent: 'DEV' });
      await environment.folders(['ARCHIVE'], { historyOf: 'OLD' });
      expect(await refused(environment.rustine.dropFolder('X3'))).toBe('folder-is-supervisor');
      expect(await refused(environment.rustine.dropFolder('DEV'))).toBe('folder-has-children');
      expect(await refused(environment.rustine.dropFolder('OLD'))).toBe('folder-has-children');
      expect(await refused(environment.rustine.dropFolder('GONE'))).toBe('folder-unknown');
      await environment.rustine.dropFolder('LIVE');
      await environment.rustine.dropFolder('DEV');
      expect((await environment.rustine.folders()).map(({ code }) => code)).toEqual(['X3', 'ARCHIVE', 'OLD']);
    });

    test('works for 300 tables', async () => {
      const environment = await openEnvironment(server, { folders: ['SEED'] });
      const tables = Array.from({ length: 300 }, (_, at) => table(`T${at}`, `A${at}`, { COD: 'A:10' }, { [`A${at}0`]: 'COD' }));
      await environment.integrate(await environment.patch('P_0001_140.dat', tables));
      expect(await view(environment, 'SEED')).toMatchObject({ tables: 302 });
      await environment.rustine.dropFolder('SEED');
      expect((await environment.rustine.folders()).map(({ code }) => code)).toEqual(['X3']);
    });

    test('goes on where it was stopped', async () => {
      const environment = await openEnvironment(server, { folders: ['SEED'] });
      await environment.query(`update rustine.folder set state = 'dropping' where code = 'SEED'; drop table seed.apatch`);
      const outcome = await environment.rustine.integrate({
        paths: [await environment.patch('P_0001_140.dat', [script('LIB', 'End')])],
        mode: 'integrate',
      });
      expect([outcome.state, outcome.findings.map(({ code }) => code)]).toEqual(['refused', ['folder-not-ready']]);
      await environment.rustine.dropFolder('SEED');
      expect((await environment.rustine.folders()).map(({ code }) => code)).toEqual(['X3']);
    });
  });

  test('folders of one environment can be made and dropped at the same time', async () => {
    const environment = await openEnvironment(server);
    await Promise.all([environment.folders(['ONE']), environment.folders(['TWO'])]);
    expect((await environment.rustine.folders()).map(({ code, state }) => [code, state])).toEqual([
      ['X3', 'ready'],
      ['ONE', 'ready'],
      ['TWO', 'ready'],
    ]);
    await Promise.all([
      environment.rustine.dropFolder('ONE'),
      environment.folders(['THREE']),
      environment.rustine.dropFolder('TWO'),
    ]);
    expect((await environment.rustine.folders()).map(({ code }) => code)).toEqual(['X3', 'THREE']);
  });
});
