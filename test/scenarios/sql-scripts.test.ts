// SQL scripts in real folders: installed as functions, run at the end, with the folder's rights and none besides.
import type { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import { connected, databaseOwner, openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { activityCode, exe, row, script, table } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

const item = table('ITEM', 'ITM', { COD: 'A:10', QTY: 'L' }, { ITM0: 'COD' });
const rowsIn = (env: TestEnvironment, schema: string): Promise<{ cod: string; qty: number }[]> =>
  env.query(`select cod_0 as cod, qty_0 as qty from ${schema}.item order by 1`);
const functions = async (env: TestEnvironment, schema: string): Promise<string[]> =>
  (
    await env.query<{ name: string }>(`select proname as name from pg_proc where pronamespace = to_regnamespace($1) order by 1`, [
      schema,
    ])
  ).map(({ name }) => name);

/** Whatever came of it. */
const attempt = (env: TestEnvironment, path: string, mode: 'integrate' | 'rehearse' = 'integrate'): Promise<RunOutcome> =>
  env.rustine.integrate({ paths: [path], mode });

/** A session of the folder's own login. */
async function asFolder<Result>(
  env: TestEnvironment,
  folder: string,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  return connected(await env.rustine.databaseUrl(folder), work);
}

/** The user that Rustine connects as: a superuser, or the database's owner who may create roles. */
type User = 'superuser' | 'owner';

async function open(
  server: Parameters<typeof openEnvironment>[0],
  user: User,
  folders: readonly string[],
): Promise<TestEnvironment> {
  if (user === 'superuser') return openEnvironment(server, { folders });
  return openEnvironment(server, { folders, as: databaseOwner });
}

describe.each(everyServer())('SQL scripts on $name', (server) => {
  test('R4: a function that X3 has is found from a child of a child, and works on the tables of whoever calls it', async () => {
    const env = await openEnvironment(server, { folders: ['DEV'] });
    await env.folders(['LIVE'], { parent: 'DEV' });
    const outcome = await env.integrate(
      await env.patch('A.dat', [
        item,
        row('ITM', 'ALL', { COD: 'A', QTY: 2 }),
        script('STOCK', `create function stock() returns bigint language sql stable as 'select sum(qty_0) from item';`),
      ]),
    );
    expect(outcome.folders.map(({ patches }) => patches[0]?.scripts)).toEqual([
      { installed: 1, run: 0 },
      { installed: 0, run: 0 },
      { installed: 0, run: 0 },
    ]);
    expect([await functions(env, 'x3'), await functions(env, 'live')]).toEqual([['stock'], []]);
    await env.query(`insert into live.item (cod_0, qty_0) values ('B', 40)`);
    const stock = (folder: string) => asFolder(env, folder, async (client) => (await client.query('select stock()')).rows[0]);
    expect([await stock('X3'), await stock('DEV'), await stock('LIVE')]).toEqual([
      { stock: '2' },
      { stock: '2' },
      { stock: '42' },
    ]);
  });

  test('R4, R5: a copy of its own is used before the inherited one, and is listed as hiding it', async () => {
    const env = await openEnvironment(server, { folders: ['SHOP'] });
    await env.folders(['TRY'], { test: true });
    const version = (number: number) =>
      script('VERSION', `create or replace function version_() returns integer language sql as 'select ${number}';`);
    await env.integrate(await env.patch('A.dat', [version(1)]));
    await env.integrate(await env.patch('B.dat', [version(2)]), { folders: ['X3'] });
    const found = (folder: string) =>
      asFolder(env, folder, async (client) => (await client.query('select version_() as v')).rows[0]);
    expect([await found('X3'), await found('SHOP'), await found('TRY')]).toEqual([{ v: 2 }, { v: 2 }, { v: 1 }]);
    const { copies } = await env.rustine.scripts.which('VERSION', { folder: 'TRY' });
    expect(copies.map(({ folder, patch, used, hiddenBy, language }) => [folder, patch, used, hiddenBy, language])).toEqual([
      ['TRY', 'A.dat', true, null, 'sql'],
      ['X3', 'B.dat', false, 'TRY', 'sql'],
    ]);
    expect((await env.rustine.scripts.which('VERSION', { folder: 'SHOP' })).copies.map(({ folder }) => folder)).toEqual(['X3']);
    expect(await env.rustine.scripts.shadowed()).toMatchObject([
      {
        folder: 'TRY',
        name: 'VERSION',
        hides: 'X3',
        same: false,
        newer: 'hidden',
        own: { patch: 'A.dat' },
        hidden: { patch: 'B.dat' },
      },
    ]);
    expect(await env.rustine.scripts.shadowed('SHOP')).toEqual([]);
  });

  test('R22: a new test folder gets copies of what it inherits, SQL ones with their functions; other folders inherit', async () => {
    const env = await openEnvironment(server, { folders: ['DEV'] });
    await env.integrate(
      await env.patch(
        'A.dat',
        [
          item,
          script('STOCK', `create function stock() returns bigint language sql stable as 'select sum(qty_0) from item';`),
          script('ZOWN', '# specific\nEnd'),
          script('STD', '# standard\nEnd'),
          script('ONCE', `insert into item (cod_0, qty_0) values ('X', 1);`),
          exe('ONCE'),
        ],
        { activityCodes: ['ZALI'] },
      ),
    );
    await env.folders(['TRY'], { parent: 'DEV', test: true });
    await env.folders(['SPEC'], { parent: 'DEV', specific: true });
    await env.folders(['PLAIN'], { parent: 'DEV' });
    const own = async (folder: string): Promise<string[]> =>
      (
        await env.query<{ name: string }>(
          `select s.name from rustine.script s join rustine.folder f on f.id = s.folder where f.code = $1 order by 1`,
          [folder],
        )
      ).map(({ name }) => name);
    expect([await own('TRY'), await own('SPEC'), await own('PLAIN')]).toEqual([['ONCE', 'STD', 'STOCK', 'ZOWN'], ['ZOWN'], []]);
    expect([await functions(env, 'try'), await functions(env, 'plain')]).toEqual([['stock'], []]);
    // What is to be run at the end comes with the patch, once.
    expect(await rowsIn(env, 'try')).toEqual([]);
    const again = await env.integrate(`${env.directory}/A.dat`);
    expect(again.folders.map(({ folder, patches }) => [folder, patches[0]?.state, patches[0]?.scripts.run])).toEqual([
      ['X3', 'already', 0],
      ['DEV', 'already', 0],
      ['PLAIN', 'integrated', 1],
      ['SPEC', 'integrated', 1],
      ['TRY', 'integrated', 1],
    ]);
    expect(await rowsIn(env, 'try')).toEqual([{ cod: 'X', qty: 1 }]);
  });

  test('R28: a SQL script to run at the end runs once in each folder, after rows and tables, and is counted', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    const path = await env.patch('A.dat', [
      item,
      row('ITM', 'ALL', { COD: 'A', QTY: 2 }),
      script('FIX', `-- doubles\nupdate item set qty_0 = 2 * qty_0;\ninsert into item (cod_0, qty_0) values ('B', 1);`),
      exe('FIX'),
    ]);
    const outcome = await env.integrate(path);
    expect(outcome.findings).toEqual([]);
    expect(outcome.folders.map(({ patches }) => [patches[0]?.scripts, patches[0]?.ran, patches[0]?.pending])).toEqual([
      [{ installed: 1, run: 1 }, ['FIX'], []],
      [{ installed: 0, run: 1 }, ['FIX'], []],
      [{ installed: 0, run: 1 }, ['FIX'], []],
    ]);
    for (const schema of ['x3', 'seed', 'shop'])
      expect(await rowsIn(env, schema)).toEqual([
        { cod: 'A', qty: 4 },
        { cod: 'B', qty: 1 },
      ]);
    await env.integrate(path);
    expect(await rowsIn(env, 'x3')).toHaveLength(2);
  });

  test('R28: integrated again for more codes, a patch runs what was ignored the first time and nothing else; new folders run all of it', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('A.dat', [item]));
    const say = (name: string, text: string) => script(name, `-- x\ninsert into item (cod_0) values ('${text}');`);
    const scripts = [say('FIX', 'fix'), say('ZFIX', 'zfix'), say('YFIX', 'yfix')];
    const path = await env.patch('B.dat', [...scripts, exe('FIX'), exe('OUTSIDE'), exe('ZFIX'), exe('YFIX')]);
    const ran = async (authorize: readonly string[]): Promise<unknown> =>
      (await env.integrate(path, { authorize })).folders.map(({ patches }) => [patches[0]?.ran, patches[0]?.pending]);
    expect(await ran([])).toEqual([
      [['FIX'], ['OUTSIDE']],
      [['FIX'], ['OUTSIDE']],
    ]);
    await env.query(`delete from rustine.pending_script`);
    const onlyZ = [['ZFIX'], []];
    expect(await ran(['ZALI'])).toEqual([onlyZ, onlyZ]);
    const none = [[], []];
    expect(await ran(['ZALI'])).toEqual([none, none]);
    expect(await ran(['ZALI', 'YALI'])).toEqual([
      [['YFIX'], []],
      [['YFIX'], []],
    ]);
    expect((await rowsIn(env, 'seed')).map(({ cod }) => cod)).toEqual(['fix', 'yfix', 'zfix']);
    expect(await env.rustine.scripts.pending()).toEqual([]);
    await env.folders(['NEW']);
    expect((await env.rustine.folder('NEW')).lag).toEqual(['B.dat']);
    const [created] = (await env.integrate(path, { authorize: ['ZALI', 'YALI'], folders: ['NEW'] })).folders;
    expect(created?.patches[0]?.ran).toEqual(['FIX', 'ZFIX', 'YFIX']);
    // Other content under the same name is another delivery.
    await env.patch('B.dat', [...scripts, exe('FIX')]);
    const force = [{ check: 'content', reason: 'new' }];
    const again = await env.rustine.integrate({ paths: [path], mode: 'integrate', folders: ['SEED'], force });
    expect(again.findings.filter(({ code }) => code === 'script-failed')).toHaveLength(1);
  });

  test("R28: the body is the own copy, else the one of the patch, else an ancestor's", async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const says = (text: string) => `insert into item (cod_0) values ('${text}');`;
    await env.integrate(await env.patch('A.dat', [item, script('SAY', `-- x\n`)]));
    await env.query(
      `with b as (insert into rustine.blob values (sha256($1), $1) returning digest)
      insert into rustine.script select id, 'TRT', 'SAY', '', digest, 0, 0 from rustine.folder, b where code = 'SEED'`.replaceAll(
        '$1',
        `'${says('own').replaceAll("'", "''")}'::bytea`,
      ),
    );
    await env.integrate(await env.patch('B.dat', [script('SAY', says('patch')), exe('SAY')]));
    expect([await rowsIn(env, 'x3'), await rowsIn(env, 'seed')]).toMatchObject([[{ cod: 'patch' }], [{ cod: 'own' }]]);
    await env.query(`delete from rustine.script where folder <> 1; delete from seed.item; delete from x3.item`);
    await env.integrate(await env.patch('C.dat', [exe('SAY')]));
    expect([await rowsIn(env, 'x3'), await rowsIn(env, 'seed')]).toMatchObject([[{ cod: 'patch' }], [{ cod: 'patch' }]]);
  });

  test('R28: in a rehearsal SQL scripts run and nothing stays', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('A.dat', [item]));
    const path = await env.patch('B.dat', [
      script('MAKE', `create function made() returns void language sql as '';`),
      script('FIX', `insert into item (cod_0) values ('B');`),
      exe('FIX'),
    ]);
    const outcome = await attempt(env, path, 'rehearse');
    expect([outcome.state, outcome.folders.map(({ patches }) => patches[0]?.scripts)]).toEqual([
      'done',
      [
        { installed: 2, run: 1 },
        { installed: 0, run: 1 },
      ],
    ]);
    expect([await rowsIn(env, 'x3'), await functions(env, 'x3')]).toEqual([[], []]);
  });

  test('R28: functions that the next version no longer makes go; a block with a handler does not hide one', async () => {
    const env = await openEnvironment(server);
    const make = (...names: string[]): string =>
      names.map((name) => `create or replace function ${name}(a integer, b item) returns void language sql as '';`).join('\n');
    const hidden = (name: string): string => `do $$ begin ${make(name)} exception when division_by_zero then null; end $$;`;
    await env.integrate(
      await env.patch('A.dat', [
        item,
        script('LIB', `${make('one', 'two')}\n${hidden('three')}`),
        script('OTHER', make('other')),
      ]),
    );
    expect(await functions(env, 'x3')).toEqual(['one', 'other', 'three', 'two']);
    expect(await env.query(`select name, function from rustine.script_function order by 2`)).toEqual([
      { name: 'LIB', function: 'one(integer, x3.item)' },
      { name: 'OTHER', function: 'other(integer, x3.item)' },
      { name: 'LIB', function: 'three(integer, x3.item)' },
      { name: 'LIB', function: 'two(integer, x3.item)' },
    ]);
    await env.integrate(await env.patch('B.dat', [script('LIB', make('two'))]));
    expect(await functions(env, 'x3')).toEqual(['other', 'two']);
    // In another language it makes none.
    await env.integrate(await env.patch('C.dat', [script('LIB', '# not SQL any more')]));
    expect([await functions(env, 'x3'), await env.query('select name from rustine.script_function')]).toEqual([
      ['other'],
      [{ name: 'OTHER' }],
    ]);
  });

  test('R28: functions that a new version does not make are told: dropped, or kept where it names them or something uses them', async () => {
    const env = await openEnvironment(server);
    const make = (signature: string): string =>
      `create or replace function ${signature} returns integer language sql as 'select 1';`;
    const bodied = (name: string, calls: string): string =>
      `create function ${name}() returns integer language sql begin atomic select ${calls}(); end;`;
    await env.integrate(
      await env.patch('A.dat', [
        script(
          'LIB',
          `-- x\n${['gone()', 'guarded()', 'inner_()', 'seen()', 'moved(integer)'].map(make).join('\n')}\n${bodied('outer_', 'inner_')}`,
        ),
      ]),
    );
    await env.query('create view x3.uses_seen as select x3.seen()');
    const next = `-- x\ndo $$ begin if to_regproc('guarded') is null then ${make('guarded()').replaceAll('$', '')} end if; end $$;\n${make('moved(bigint)')}`;
    const { findings } = await env.integrate(await env.patch('B.dat', [script('LIB', next)]));
    expect(findings.map(({ code, severity, subject, facts }) => [code, severity, subject, facts.function, facts.users])).toEqual([
      ['function-dropped', 'info', 'TRT:LIB', 'gone()', undefined],
      ['function-kept', 'warn', 'TRT:LIB', 'guarded()', []],
      ['function-dropped', 'info', 'TRT:LIB', 'inner_()', undefined],
      ['function-dropped', 'info', 'TRT:LIB', 'moved(integer)', undefined],
      ['function-dropped', 'info', 'TRT:LIB', 'outer_()', undefined],
      ['function-kept', 'warn', 'TRT:LIB', 'seen()', ['view x3.uses_seen']],
    ]);
    expect(await functions(env, 'x3')).toEqual(['guarded', 'moved', 'seen']);
    await env.query('drop view x3.uses_seen');
    const last = await env.integrate(await env.patch('C.dat', [script('LIB', Buffer.from('# no SQL any more').toString())]));
    expect(last.findings.map(({ code, facts }) => [code, facts.function])).toEqual([
      ['function-dropped', 'guarded()'],
      ['function-dropped', 'moved(bigint)'],
      ['function-dropped', 'seen()'],
    ]);
  });

  test('R28: an error names script, SQLSTATE and place; nothing of the patch stays in that folder', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('A.dat', [item]));
    const failing = async (file: string, ...elements: Parameters<typeof env.patch>[1]) => {
      const outcome = await attempt(env, await env.patch(file, [activityCode('NEW'), ...elements]));
      expect(outcome.state).toBe('failed');
      expect(await env.query(`select * from rustine.element where type = 'ACV'`)).toEqual([]);
      return outcome.findings.filter(({ folder }) => folder === 'X3');
    };
    const good = script('GOOD', `create function good() returns void language sql as '';`);
    expect(await failing('B.dat', good, script('BAD', `-- first\nselect 1;\ninsert into nowhere values (1);`))).toMatchObject([
      {
        code: 'script-failed',
        severity: 'block',
        subject: 'TRT:BAD',
        facts: { element: 'TRT:BAD', script: 'BAD', sqlstate: '42P01', line: 3, column: 13 },
      },
    ]);
    expect(await failing('C.dat', script('BAD', `-- x\nselect\n  1 +;`))).toMatchObject([
      { facts: { sqlstate: '42601', line: 3, column: 6 } },
    ]);
    const [zero] = await failing('D.dat', good, script('BAD', `do $$ begin perform 1 / 0; end $$;`), exe('BAD'));
    expect(zero).toMatchObject({ subject: 'EXE:BAD', facts: { sqlstate: '22012' } });
    expect(zero?.facts.line).toBeUndefined();
    expect(await failing('E.dat', script('BAD', `-- é\nraise;`))).toMatchObject([
      { facts: { sqlstate: '42601', line: 2, column: 1 } },
    ]);
    expect(await functions(env, 'x3')).toEqual([]);
  });

  test('R28: a script that takes too long is ended', async () => {
    const env = await openEnvironment(server, { settings: { scriptTimeoutMs: 300 } });
    const outcome = await attempt(
      env,
      await env.patch('A.dat', [script('SLOW', 'set statement_timeout = 0; select pg_sleep(30);')]),
    );
    expect(outcome.findings).toMatchObject([{ code: 'script-failed', facts: { sqlstate: '57014', script: 'SLOW' } }]);
    // Each script has the limit for itself, whatever the one before it set.
    const sleepy = (name: string) => script(name, `set statement_timeout = 1; set lock_timeout = 1; select pg_sleep(0.2);`);
    await env.integrate(await env.patch('B.dat', [sleepy('A'), sleepy('B'), sleepy('C')]));
  });

  test('R28: a script that catches its cancellation is ended all the same, and has failed, also where it ends by itself', async () => {
    const env = await openEnvironment(server, { folders: ['SHOP'], settings: { scriptTimeoutMs: 300 } });
    const stubborn = (seconds: number): string => `-- x
      do $$ declare stop timestamptz := clock_timestamp() + interval '${seconds} s'; begin while clock_timestamp() < stop loop
        begin raise info 'rustine-script 1 end ${'0'.repeat(8)}-0000-0000-0000-000000000000'; perform pg_sleep(0.05); exception when query_canceled then null; end;
      end loop; end $$;`;
    const began = performance.now();
    const path = await env.patch('A.dat', [script('ENDLESS', stubborn(30)), exe('ENDLESS')]);
    const outcome = await env.rustine.integrate({ paths: [path], mode: 'integrate', folders: ['SHOP'] });
    expect(performance.now() - began).toBeLessThan(10_000);
    const overran = { code: 'script-overran', severity: 'block', folder: 'SHOP', subject: 'EXE:ENDLESS' };
    expect(outcome.findings.filter(({ severity }) => severity === 'block')).toMatchObject([
      { ...overran, facts: { element: 'EXE:ENDLESS', script: 'ENDLESS', folder: 'SHOP', seconds: 0.3 } },
    ]);
    const late = await attempt(env, await env.patch('B.dat', [script('GOOD', '-- x\nselect 1;'), script('LATE', stubborn(0.6))]));
    expect(late.findings).toMatchObject([{ code: 'script-failed', facts: { sqlstate: '57014', script: 'LATE' } }, {}]);
    expect(await env.query('select fic_0 from x3.apatch')).toEqual([]);
    // Nothing is left of it: the next patch finds the folder as it was.
    await env.integrate(await env.patch('C.dat', [script('FINE', '-- x\nselect pg_sleep(0.2);')]));
  });

  test('R28: a script in Latin-1 is read as such; one that is only a comment does nothing', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('A.dat', [item, script('EMPTY', '-- nothing\n')]));
    const latin = Buffer.from(`insert into item (cod_0) values ('\xe9t\xe9');\n`, 'latin1');
    const element = script('LATIN', 'x').map((part) => (part.part === 'source' ? { ...part, bytes: latin } : part));
    await env.integrate(await env.patch('B.dat', [element, exe('LATIN')]));
    expect(await rowsIn(env, 'x3')).toMatchObject([{ cod: 'été' }]);
  });

  describe.each(['superuser', 'owner'] as const)('with the rights of the folder, connected as %s', (user) => {
    const ATTACKS = (
      [
        ['set role', 'set role postgres;', '42501'],
        ['set role none', 'set role none;', '42501'],
        ['reset role', 'reset role;', '42501'],
        ['set session authorization', 'set session authorization default;', '42501'],
        ['reset session authorization', 'reset session authorization;', '42501'],
        ['set_config of the role', `select set_config('role', 'none', false);`, '42501'],
        ['commit', 'commit;', '0A000'],
        ['rollback', 'rollback;', '0A000'],
        ['commit in a block', 'do $$ begin commit; end $$;', '2D000'],
        ['another folder', 'select * from other.item;', '42501'],
        ["its parent's tables", 'select * from x3.item;', '42501'],
        ['the catalog', 'select * from rustine.folder;', '42501'],
        ['what the catalog runs', `select rustine.source('x');`, '42501'],
        ['an object in rustine', 'create table rustine.mine (a integer);', '42501'],
        ['an object in pg_catalog', 'create function pg_catalog.mine() returns void language sql as $$ $$;', '42501'],
        ['an object in pg_catalog by search_path', 'set search_path = pg_catalog; create table mine (a integer);', '42501'],
        ['an object in its parent', 'create function x3.mine() returns void language sql as $$ $$;', '42501'],
        ['its APATCH', `update apatch set num_0 = 9;`, '42501'],
        ['its APATCH, from a function', `do $$ begin delete from apatch; end $$;`, '42501'],
        ['the structure of its tables', 'alter table item add mine integer;', '42501'],
        [
          'a trigger on its tables',
          'create trigger t before insert on item execute function suppress_redundant_updates_trigger();',
          '42501',
        ],
        ['files of the server', `copy item to program 'true';`, '42501'],
        [
          'its own password',
          `do $$ begin execute format('alter role %I password ''mine''', current_user); end $$;`,
          user === 'superuser' ? '0A000' : '',
        ],
        ['its settings', `do $$ begin execute format('alter role %I set work_mem = ''64kB''', current_user); end $$;`, '0A000'],
        [
          'where it looks up names',
          `do $$ begin execute format('alter role %I in database %I set search_path = public', current_user, current_database()); end $$;`,
          '0A000',
        ],
        [
          'its settings in this database',
          `do $$ begin execute format('alter role %I in database %I reset all', current_user, current_database()); end $$;`,
          '0A000',
        ],
        ['all that its role owns', 'drop owned by current_user;', '0A000'],
        ['that the transaction writes', 'set transaction read only;', '25006'],
        ['a constraint that waits for the end', 'create table mine (a integer unique deferrable initially deferred);', '0A000'],
      ] satisfies (readonly [what: string, text: string, sqlstate: string])[]
    )
      // Passwords can be compared by superusers only.
      .filter(([, , sqlstate]) => sqlstate !== '');

    test('what is not its own is out of reach, and each attempt is refused by name', async () => {
      const env = await open(server, user, ['OTHER', 'SEED']);
      await env.integrate(await env.patch('A.dat', [item]));
      const refusals: unknown[] = [];
      for (const [at, [what, text]] of ATTACKS.entries()) {
        const path = await env.patch(`B${at}.dat`, [script('EVIL', `-- x\n${text}`), exe('EVIL')]);
        const { findings } = await env.rustine.integrate({ paths: [path], mode: 'integrate', folders: ['SEED'] });
        const blocking = findings.filter(({ severity }) => severity === 'block');
        refusals.push([what, ...blocking.map(({ code, subject, facts }) => [code, subject, facts.sqlstate])]);
      }
      expect(refusals).toEqual(ATTACKS.map(([what, , sqlstate]) => [what, ['script-failed', 'EXE:EVIL', sqlstate]]));
      expect(await env.query('select fic_0 from seed.apatch')).toEqual([{ fic_0: 'A.dat' }]);
      expect(await env.query(`select 1 from pg_class where relname = 'mine'`)).toEqual([]);
    });

    test('nothing of the rights stays: no function to run texts, no right to create, no membership', async () => {
      const env = await open(server, user, ['SEED']);
      await env.integrate(await env.patch('A.dat', [script('LIB', '-- x\nselect 1;'), exe('LIB')]));
      const [left] = await env.query<object>(`
        select has_schema_privilege(role_name, schema_name, 'create') as creates, (select count(*)::integer from pg_proc where proname like 'rustine_run%') as runners,
          (select count(*)::integer from pg_auth_members m where m.roleid = to_regrole(quote_ident(role_name)) and m.grantor = m.member) as members
        from rustine.folder where code = 'SEED'`);
      expect(left).toEqual({ creates: false, runners: 0, members: 0 });
    });

    test('a cast of a type that a script made runs with no other rights when its table is written', async () => {
      const env = await open(server, user, ['SEED']);
      const source = (name: string, text: string) => [script(name, `-- language: sql\n${text}`), exe(name)];
      const made = source(
        'MADE',
        `create type mood as enum ('a', 'b');
        create table evil (rowid bigint primary key, m mood);
        create table seen (who text);
        create function told(mood) returns json language plpgsql as $$ begin insert into seed.seen values (current_user); return '1'; end $$;
        create cast (mood as json) with function told(mood);
        insert into evil values (1, 'a'), (2, 'a');`,
      );
      await env.integrate(await env.patch('A.dat', made), { folders: ['SEED'] });
      const wrote = source('WROTE', `update evil set m = 'b' where rowid = 1; delete from evil where rowid = 2;`);
      await env.integrate(await env.patch('B.dat', wrote), { folders: ['SEED'] });
      expect(await env.query('select who from seed.seen')).toEqual([]);
      expect(await env.query('select rowid::integer, m from seed.evil')).toEqual([{ rowid: 1, m: 'b' }]);
      // Nobody wrote down what it was before: that cannot be taken back, and is said.
      const back = await env.rustine.revert({ file: 'B.dat', folders: ['SEED'] });
      expect([back.state, back.findings.map(({ code }) => code)]).toEqual(['refused', ['revert-script-wrote']]);
    });

    test('what a script leaves in the session acts on nothing later', async () => {
      const env = await open(server, user, ['SEED']);
      await env.integrate(await env.patch('A.dat', [item]));
      // Types in the temporary schema come first where nothing else is said: `text` would be theirs, with a check that runs a function of theirs.
      const evil = `
        create function seen(what text) returns boolean language plpgsql as $f$ begin
          if not pg_has_role(current_user, (select rolname from pg_roles where rolname like '%_x3'), 'usage') or current_user not like '%_x3' then
            raise exception 'ran as %', current_user; end if; return true; end $f$;
        create domain pg_temp.text as pg_catalog.text check (x3.seen(value));
        create domain pg_temp.jsonb as pg_catalog.jsonb check (x3.seen('j'));
        create temp table plan_item (a integer);
        declare c cursor with hold for select seen(current_user::pg_catalog.text);
        set search_path = pg_temp, x3; set client_min_messages = error; set datestyle = 'SQL, DMY';
        prepare p as select 1; select pg_advisory_lock(42);`;
      const outcome = await env.integrate(
        await env.patch('B.dat', [
          script('EVIL', `-- x\n${evil}`),
          script('NEXT', `create function next_() returns void language sql as '';`),
          row('ITM', 'ALL', { COD: 'A' }),
        ]),
      );
      expect(outcome.folders[0]?.patches[0]?.scripts.installed).toBe(2);
      await env.integrate(await env.patch('C.dat', [row('ITM', 'ALL', { COD: 'B' })]));
      expect(
        await env.query(
          `select 1 from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
        ),
      ).toEqual([]);
      expect(await functions(env, 'x3')).toEqual(['next_', 'seen']);
    });

    test('a table that a script made is not taken for one of the definition: its triggers would run with other rights', async () => {
      const env = await open(server, user, []);
      const trap = `create table trap (cod_0 varchar(10), updtick_0 integer, rowid bigint);
        create function spring() returns trigger language plpgsql as $$ begin raise exception 'ran as %', current_user; end $$;
        create trigger spring before insert on trap for each row execute function spring();`;
      await env.integrate(await env.patch('A.dat', [script('TRAP', trap)]));
      const definition = table('TRAP', 'TRP', { COD: 'A:10' }, { TRP0: 'COD' });
      const outcome = await attempt(env, await env.patch('B.dat', [definition, row('TRP', 'ALL', { COD: 'A' })]));
      expect(outcome.findings).toMatchObject([{ code: 'name-taken', severity: 'block', subject: 'ATB:TRAP' }]);
    });

    test('a script cannot take the place of what runs the next one, nor stand in its way later', async () => {
      const env = await open(server, user, []);
      // The text of the whole message is there to read; names in it would be known.
      const takeOver = `do $$ declare name text; begin
        foreach name in array array['rustine_run_1', 'rustine_run_2'] || (select array_agg(m[1]) from regexp_matches(current_query(), 'rustine_run_[0-9a-z_]+', 'g') m) loop
          execute format('create or replace function %I(text) returns void language plpgsql as ''begin perform set_config(''''x.y'''', current_user, false); end''', name); end loop; end $$;`;
      await env.integrate(
        await env.patch('A.dat', [
          script('ONE', takeOver),
          script('TWO', '-- x\ncreate function two() returns void language sql as $$ $$;'),
        ]),
      );
      await env.integrate(
        await env.patch('B.dat', [script('THREE', '-- x\ncreate function three() returns void language sql as $$ $$;')]),
      );
      expect(await functions(env, 'x3')).toEqual(expect.arrayContaining(['rustine_run_1', 'rustine_run_2', 'three', 'two']));
    });
  });
});
