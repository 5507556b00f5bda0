// R10–R17: the checks before a run, all at once, by `check` alone and by `integrate`, in a real environment.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import type { CheckOptions, CheckOutcome } from '../../src/app/checks.ts';
import { openRustine } from '../../src/app/rustine.ts';
import { openEnvironment, queryAt, type TestEnvironment } from '../support/environment.ts';
import { any, script, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const item = (fields: Readonly<Record<string, string>> = { COD: 'A:10' }) => table('ITEM', 'ITM', fields, { ITM0: 'COD' });
const element = (name: string) => any('ADC', name, [{ tag: 'ADC', values: { CODTRT: name } }]);
const numbered = (env: TestEnvironment, n: number) => env.patch(`P_000${n}_140.dat`, [element(`S${n}`)]);

const check = (env: TestEnvironment, paths: string | readonly string[], options: Partial<CheckOptions> = {}) =>
  env.rustine.check({ paths: typeof paths === 'string' ? [paths] : paths, ...options });
const codes = ({ findings }: Pick<CheckOutcome, 'findings'>) =>
  findings.map(({ code, severity, folder }) => [code, severity, folder]);

/** Everything that a run could leave behind. */
const traces = (env: TestEnvironment) =>
  env.query(`select (select count(*)::integer from rustine.run) as runs, (select count(*)::integer from rustine.event) as events,
    (select count(*)::integer from rustine.integration) as integrations, (select count(*)::integer from rustine.work) as staged`);

describe.each(oneServer())('checks on $name', (server) => {
  test('R10–R17: problems of files, folders and sequence are shown together, and nothing is locked, changed or noted', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'PLANT'] });
    await env.integrate([await numbered(env, 1), await numbered(env, 2)], { folders: ['X3', 'PLANT'] });
    await env.query(`update rustine.folder set state = 'dropping' where code = 'PLANT'`);
    const delivery = join(env.directory, 'delivery');
    await mkdir(join(delivery, 'doc'), { recursive: true });
    await writeFile(join(delivery, 'doc', 'read-me.txt'), 'what is in it');
    await writeFile(join(delivery, 'readme.txt'), 'not a patch');
    await writeFile(join(delivery, 'BAD.dat'), '1,"","ENG","1","","X3","1",\n2,"ADC","A","t"\n');
    await env.patch('delivery/P_0003_140.dat', [element('S3')]);
    const before = await traces(env);
    const paths = [delivery, join(env.directory, 'missing.dat')];
    const outcome = await check(env, paths, { folders: ['SEED', 'PLANT'] });
    expect([outcome.state, codes(outcome)]).toEqual([
      'blocked',
      [
        ['patch-unreadable', 'block', undefined],
        ['notes', 'info', undefined],
        ['directory-foreign', 'block', undefined],
        ['patch-format', 'block', undefined],
        ['supervisor-missing', 'warn', 'X3'],
        ['folder-not-ready', 'block', 'PLANT'],
        ['sequence-gap', 'block', 'SEED'],
      ],
    ]);
    expect(outcome.findings.find(({ code }) => code === 'sequence-gap')?.facts).toMatchObject({
      lacks: ['P_0001_140.dat', 'P_0002_140.dat'],
    });
    expect(await traces(env)).toEqual(before);
    const run = await env.rustine.integrate({ paths, folders: ['SEED', 'PLANT'], mode: 'integrate' });
    expect([run.state, codes(run)]).toEqual(['refused', codes(outcome)]);
    expect(await env.query(`select state from rustine.run where id = '${run.run}'`)).toEqual([{ state: 'refused' }]);
  });

  test('what nothing stands against is clear, with what a run would do', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.rustine.createFolders(['OLD'], { historyOf: 'SEED' });
    const one = await numbered(env, 1);
    await env.integrate(one, { folders: ['X3'] });
    const outcome = await check(env, [one, await numbered(env, 2)]);
    expect(outcome).toMatchObject({
      state: 'clear',
      findings: [
        { code: 'history-folder', folder: 'OLD' },
        { code: 'already-integrated', severity: 'info', patch: 'P_0001_140.dat', facts: { folders: ['X3'], count: 1 } },
      ],
      folders: [
        { folder: 'X3', patches: [{ task: 'already' }, { task: 'integrate' }] },
        { folder: 'OLD', patches: [{ task: 'not-concerned' }, { task: 'not-concerned' }] },
        { folder: 'SEED', patches: [{ file: 'P_0001_140.dat', task: 'integrate' }, { task: 'integrate' }] },
      ],
    });
  });

  test('R10: the same name twice blocks, and what else is wrong is told once', async () => {
    const env = await openEnvironment(server);
    const paths = [await env.patch('a/P_0003_140.dat', [element('A')]), await env.patch('b/P_0003_140.dat', [element('B')])];
    expect(codes(await check(env, paths))).toEqual([
      ['patch-twice', 'block', undefined],
      ['sequence-gap', 'block', 'X3'],
    ]);
  });

  test('R15: a patch that is there already is told, once for all folders, and done again where that is forced, with a reason that is kept', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const path = await env.patch('A.dat', [
      item(),
      element('A'),
      script('FIX', `insert into item (cod_0) values ('ran');`),
      any('EXE', 'FIX', []),
    ]);
    await env.integrate(path);
    const again = await env.integrate(path);
    expect(codes(again)).toEqual([['already-integrated', 'warn', undefined]]);
    expect(again.folders.map(({ state }) => state)).toEqual(['unchanged', 'unchanged']);
    // Somebody took an element away behind our back.
    await env.query(`delete from rustine.record where type = 'ADC'`);
    await env.query(`delete from rustine.element where type = 'ADC'`);
    const forced = await env.integrate(path, { force: [{ check: 'already', reason: 'ADC was lost' }] });
    expect(forced.folders.map(({ patches }) => [patches[0]?.state, patches[0]?.elements.created])).toEqual([
      ['integrated', 1],
      ['integrated', 1],
    ]);
    expect(forced.findings).toMatchObject([{ code: 'already-integrated', severity: 'warn', facts: { forced: 'ADC was lost' } }]);
    expect(await env.query('select cod_0 from seed.item')).toEqual([{ cod_0: 'ran' }]);
    expect(await env.query(`select distinct forced from rustine.integration where run = '${forced.run}'`)).toEqual([
      { forced: { already: 'ADC was lost' } },
    ]);
    // APATCH keeps one row for the file (R29).
    expect(await env.query('select fic_0, updtick_0 from seed.apatch')).toEqual([{ fic_0: 'A.dat', updtick_0: 2 }]);
  });

  test('R15, R33: what is forced stands in the run’s record and in its trace, with author and reason', async () => {
    const env = await openEnvironment(server);
    const outcome = await env.integrate(await numbered(env, 3), {
      force: [{ check: 'sequence-gap', reason: 'one and two were withdrawn' }],
    });
    const { operator } = (
      await env.query<{ operator: string }>(`select operator from rustine.run where id = '${outcome.run}'`)
    )[0]!;
    expect(await env.query(`select forced from rustine.run where id = '${outcome.run}'`)).toEqual([
      { forced: { sequence: 'one and two were withdrawn' } },
    ]);
    const trace = await env.rustine.log(outcome.run);
    expect(trace.flatMap((entry) => (entry.kind === 'finding' ? [entry.finding] : []))).toMatchObject([
      {
        code: 'sequence-gap',
        severity: 'warn',
        facts: { check: 'sequence', forced: 'one and two were withdrawn', by: operator },
      },
    ]);
    await expect(check(env, env.directory, { force: [{ check: 'everything', reason: 'x' }] })).rejects.toMatchObject({
      code: 'force-unknown',
      facts: { known: ['already', 'content', 'scripts', 'sequence', 'sessions'] },
    });
  });

  test('R14: folders that are left out are named, as long as they lack the patches', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2'] });
    const path = await numbered(env, 1);
    const leftOut = async () =>
      (await check(env, path, { folders: ['X3'] })).findings.map(({ code, facts }) => [code, facts.folders]);
    expect(await leftOut()).toEqual([['folders-left-out', ['A1', 'A2']]]);
    await env.integrate(path, { folders: ['X3', 'A1'] });
    expect((await leftOut())[0]).toEqual(['folders-left-out', ['A2']]);
    await env.integrate(path);
    expect((await leftOut()).map(([code]) => code)).toEqual(['already-integrated']);
  });

  test('R17: a table that somebody is changing is told with who, since when; readers and writers are no matter', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('A.dat', [item()]));
    const path = await env.patch('B.dat', [item({ COD: 'A:12' })]);
    const holder = new Client({ connectionString: env.url, application_name: 'nightly' });
    await holder.connect();
    try {
      await holder.query(`begin; insert into seed.item (cod_0) values ('x')`);
      const busy = async (folders: readonly string[]) =>
        (await check(env, path, { folders })).findings.filter(({ code }) => code === 'folder-busy');
      expect(await busy(['X3', 'SEED'])).toEqual([]);
      await holder.query('lock table seed.item in share mode');
      expect(await busy(['X3', 'SEED'])).toMatchObject([
        {
          severity: 'warn',
          folder: 'SEED',
          facts: { table: 'item', applications: ['nightly'], since: [expect.stringMatching(/^\d{4}-/)] },
        },
      ]);
      expect(await busy(['X3'])).toEqual([]);
    } finally {
      await holder.end();
    }
  });

  test('R12: sessions of a folder that would get something are told; forced, with author and reason', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const path = await numbered(env, 1);
    const user = new Client({ connectionString: await env.rustine.databaseUrl('SEED') });
    await user.connect();
    try {
      const blocked = await check(env, path);
      expect([blocked.state, codes(blocked)]).toEqual(['blocked', [['sessions-active', 'block', 'SEED']]]);
      expect((await check(env, path, { folders: ['X3'] })).state).toBe('clear');
      const force = [{ check: 'sessions', reason: 'only a reader' }];
      const passed = { code: 'sessions-active', severity: 'warn', facts: { check: 'sessions', forced: 'only a reader' } };
      const forced = await check(env, path, { force });
      expect([forced.state, forced.findings]).toMatchObject(['clear', [passed]]);
      expect((await env.integrate(path, { force })).findings).toMatchObject([passed]);
    } finally {
      await user.end();
    }
  });

  test('R17: locks are counted before any folder is touched', async () => {
    const env = await openEnvironment(server);
    const [room] = await env.query<{ locks: number }>(
      `select current_setting('max_locks_per_transaction')::integer * (current_setting('max_connections')::integer + current_setting('max_prepared_transactions')::integer) as locks`,
    );
    const tables = Array.from({ length: Math.ceil(room!.locks / 3) + 1 }, (_, at) =>
      table(`T${at}`, `A${at}`, { COD: 'A:1' }, { IDX0: 'COD' }),
    );
    const path = await env.patch('MANY.dat', tables);
    const [low, ...others] = (await check(env, path)).findings;
    expect(others).toEqual([]);
    expect(low).toMatchObject({
      code: 'locks-low',
      severity: 'warn',
      facts: {
        needed: 3 * tables.length,
        available: room!.locks,
        setting: expect.stringContaining('max_locks_per_transaction = '),
      },
    });
    const fewer = await env.patch('FEWER.dat', tables.slice(0, 100));
    expect(codes(await check(env, fewer))).toEqual([]);
  });

  test('R17: a server that takes no changes is told by the check, and refuses the run before it begins', async () => {
    const env = await openEnvironment(server);
    const path = await numbered(env, 1);
    // What a dead program left there stays, and keeps nobody from looking.
    await env.query(
      `insert into rustine.process (id, kind, host, pid, alive_until) values ('p1', 'command', 'elsewhere', 1, now() - interval '1 hour')`,
    );
    await env.query(`alter database ${env.database} set default_transaction_read_only = on`);
    const other = await openRustine({ home: env.home, database: env.url, language: 'en' });
    try {
      const outcome = await other.check({ paths: [path] });
      expect([outcome.state, outcome.findings]).toMatchObject([
        'blocked',
        [{ code: 'server-read-only', severity: 'block', facts: { server: 'main', reason: 'read-only-setting' } }],
      ]);
      await expect(other.integrate({ paths: [path], mode: 'integrate' })).rejects.toMatchObject({ code: 'server-read-only' });
    } finally {
      await other.close();
      await queryAt(env.url.replace(/[^/]*$/, 'postgres'), `alter database ${env.database} reset default_transaction_read_only`);
    }
    expect(await traces(env)).toMatchObject([{ runs: 0 }]);
  });

  test('R17: a run that has the folders is told with who, since when; one whose program is dead is no obstacle', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'PLANT'] });
    const path = await numbered(env, 1);
    const alive = `insert into rustine.process (id, kind, host, pid, alive_until) values ('p1', 'command', 'elsewhere', 1, now() + interval '1 hour')`;
    await env.query(alive);
    await env.query(`insert into rustine.run (id, mode, state, from_folder, operator, host, pid, process, files)
      values ('r1', 'integrate', 'running', 'X3', 'bob', 'elsewhere', 1, 'p1', '{OTHER.dat}')`);
    await env.query(`insert into rustine.run_folder (run, folder, wave) values ('r1', 'SEED', 0)`);
    const outcome = await check(env, path);
    expect([outcome.state, outcome.findings]).toMatchObject([
      'blocked',
      [{ code: 'run-active', severity: 'block', facts: { run: 'r1', operator: 'bob', folders: ['SEED'], files: ['OTHER.dat'] } }],
    ]);
    expect((await check(env, path, { folders: ['X3', 'PLANT'] })).state).toBe('clear');
    await env.query(`update rustine.process set alive_until = now() - interval '1 hour'`);
    expect((await check(env, path)).findings).toEqual([]);
    // As every command does, it settled what was left there.
    expect(await env.query(`select state from rustine.run where id = 'r1'`)).toEqual([{ state: 'interrupted' }]);
  });

  test('R16: a patch with the name of another one blocks, with both digests; what is truncated names the place', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('A.dat', [element('ONE')]));
    const changed = await env.patch('A.dat', [element('TWO')]);
    const whole = await readFile(await env.patch('B.dat', [element('THREE')]));
    const cut = join(env.directory, 'B.dat');
    await writeFile(cut, whole.subarray(0, whole.length - 8));
    const outcome = await check(env, [changed, cut]);
    expect(codes(outcome)).toEqual([
      ['patch-format', 'block', undefined],
      ['content-changed', 'block', 'X3'],
    ]);
    expect(outcome.findings[0]).toMatchObject({
      patch: 'B.dat',
      facts: { expected: expect.any(String), line: expect.any(Number) },
    });
    const forced = await check(env, changed, { force: [{ check: 'content', reason: 'a new delivery' }] });
    expect([forced.state, codes(forced)]).toEqual(['clear', [['content-changed', 'warn', 'X3']]]);
  });
});
