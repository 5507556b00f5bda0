// What dead programs left and somebody holds: it is named with who that is, it keeps nobody else, and nobody waits for it for long.
import { Client, escapeIdentifier } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { folderUrl } from '../../src/app/folder-password.ts';
import { recover } from '../../src/batch/recovery.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { readFolders } from '../../src/environment/catalog.ts';
import { connected, databaseOwner, openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { table } from '../support/patches.ts';
import { oneServer, type TestServer } from '../support/servers.ts';

const item = (length: number) => [table('ITEM', 'ITM', { COD: `A:${length}` }, { ITM0: 'COD' })];
const role = (env: TestEnvironment, folder: string): string => `${env.database}_${folder.toLowerCase()}`;

/** A run of a program whose lease has ended, with its folder's login shut. */
async function leave(env: TestEnvironment, run: string, folder: string, { atomic = false } = {}): Promise<void> {
  await env.query(
    `insert into rustine.process (id, kind, host, pid, operator, alive_until) values ($1, 'command', 'elsewhere', 1, 'x', now() - interval '1 s')`,
    [`p-${run}`],
  );
  await env.query(
    `insert into rustine.run (id, mode, state, from_folder, operator, host, pid, files, process, atomic) values ($1, 'integrate', 'running', 'X3', 'x', 'elsewhere', 1, '{}', $2, $3)`,
    [run, `p-${run}`, atomic],
  );
  await env.query(`insert into rustine.run_folder (run, folder, wave, state) values ($1, $2, 1, 'running')`, [run, folder]);
  await env.query(`insert into rustine.shut_login (role_name, folder, run) values ($1, $2, $3)`, [
    role(env, folder),
    folder,
    run,
  ]);
  await env.query(`alter role ${escapeIdentifier(role(env, folder))} connection limit 0`);
}

const states = async (env: TestEnvironment) =>
  (await env.query<{ id: string; state: string }>('select id, state from rustine.run order by started_at, id')).map(
    ({ id, state }) => [id, state],
  );
const shut = async (env: TestEnvironment) =>
  (await env.query<{ folder: string }>('select folder from rustine.shut_login order by 1')).map(({ folder }) => folder);

async function session(url: string, application: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: application });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  return client;
}

/** Settles as a program of its own would. */
async function settle(env: TestEnvironment, patienceMs = 400) {
  const database = await openPostgres(env.url, 3);
  try {
    return await recover(database, patienceMs);
  } finally {
    await database.close();
  }
}

const RUNS = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'] as const;

/** Who connects is no superuser. */
const ordinary = (server: TestServer, folders: readonly string[]): Promise<TestEnvironment> =>
  openEnvironment(server, { folders, as: databaseOwner });

describe.each(oneServer())('$name', (server) => {
  test('R30: of two dead programs one has a transaction open: the other one is settled, and who holds the first is named', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2'] });
    await leave(env, RUNS[0], 'A1');
    await leave(env, RUNS[1], 'A2');
    const holder = await session(env.url, 'cut off');
    await holder.query('begin');
    const {
      rows: [me],
    } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
    await holder.query('select from rustine.run where id = $1 for key share', [RUNS[0]]);
    const started = performance.now();
    const first = await settle(env);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect([first.runs.settled, first.logins.settled]).toEqual([[RUNS[1]], ['A2']]);
    expect(first.runs.left).toMatchObject([
      {
        code: 'run-unsettled',
        facts: { run: RUNS[0], pid: me?.pid, application: 'cut off', command: `select pg_terminate_backend(${me?.pid})` },
      },
    ]);
    expect([await states(env), await shut(env)]).toEqual([
      [
        [RUNS[0], 'running'],
        [RUNS[1], 'interrupted'],
      ],
      ['A1'],
    ]);
    // Somebody else's work does not wait for it, either.
    const patch = await env.patch('A.dat', item(5));
    expect((await env.rustine.integrate({ paths: [patch], mode: 'integrate', folders: ['A2', 'X3'] })).state).toBe('done');
    await holder.query('rollback');
    const second = await settle(env);
    expect([second.runs.settled, second.runs.left, second.logins.settled]).toEqual([[RUNS[0]], [], ['A1']]);
  });

  test('R30: what another database user has prepared is left with its owner; everybody else goes on', async () => {
    const env = await ordinary(server, ['A1', 'A2']);
    await leave(env, RUNS[0], 'A1', { atomic: true });
    await leave(env, RUNS[1], 'A2');
    const gid = `rustine:33333333-3333-4333-8333-333333333333:${RUNS[0]}:1`;
    const superuser = new URL(server.url);
    superuser.pathname = `/${env.database}`;
    await env.query(`insert into rustine.prepared (gid, run, folders) values ($1, $2, '{A1}')`, [gid, RUNS[0]]);
    await connected(superuser.href, async (client) => {
      await client.query('begin');
      await client.query('select from rustine.run where id = $1 for key share', [RUNS[0]]);
      await client.query(`prepare transaction '${gid}'`);
    });
    const { prepared, runs, logins } = await settle(env);
    expect(prepared.left).toMatchObject([
      {
        code: 'prepared-unsettled',
        facts: { run: RUNS[0], decision: 'rollback', gid, user: superuser.username, command: `rollback prepared '${gid}'` },
      },
    ]);
    expect([runs.settled, runs.left, logins.settled]).toEqual([[RUNS[1]], [], ['A2']]);
    const patch = await env.patch('A.dat', item(5));
    expect((await env.rustine.integrate({ paths: [patch], mode: 'integrate', folders: ['A2', 'X3'] })).state).toBe('done');
    // As the user who prepared it.
    await settle({ ...env, url: superuser.href });
    expect([await states(env), await shut(env)]).toMatchObject([
      [
        [RUNS[0], 'interrupted'],
        [RUNS[1], 'interrupted'],
        [expect.anything(), 'done'],
      ],
      [],
    ]);
  });

  test('R12: an administrator has one login in a transaction: the others are let in, and his session is named', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2'] });
    await leave(env, RUNS[0], 'A1');
    await leave(env, RUNS[1], 'A2');
    const admin = await session(env.url, 'psql');
    await admin.query(`begin; alter role ${escapeIdentifier(role(env, 'A1'))} valid until 'infinity'`);
    const started = performance.now();
    const { logins } = await settle(env);
    expect(performance.now() - started).toBeLessThan(3_000);
    expect([logins.settled, await shut(env)]).toEqual([['A2'], ['A1']]);
    expect(logins.left).toMatchObject([
      { code: 'login-locked', folder: 'A1', facts: { role: role(env, 'A1'), application: 'psql' } },
    ]);
    await admin.query('rollback');
    expect((await settle(env)).logins).toEqual({ settled: ['A1'], left: [] });
  });

  test('R12: the logins of a run that went back to the queue are let in, and named where those who change logins are in the way', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    await leave(env, RUNS[0], 'A1');
    await env.query(`update rustine.run set state = 'queued', process = null`);
    await env.query(`alter function rustine.let_in set lock_timeout = '100ms'`);
    const letIn = () => env.query(`select folder, reason from rustine.let_in(null, null)`);
    const other = await session(env.url, 'psql');
    await other.query('begin; select pg_advisory_xact_lock(7083121)');
    expect(await letIn()).toEqual([{ folder: 'A1', reason: 'locked' }]);
    await other.query('rollback');
    expect([await letIn(), await shut(env)]).toEqual([[{ folder: 'A1', reason: null }], []]);
  });

  test('R12: a login that somebody is changing cannot be shut: the run says who, changes nothing, and can be stopped meanwhile', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    const admin = await session(env.url, 'psql');
    await admin.query(`begin; alter role ${escapeIdentifier(role(env, 'A1'))} valid until 'infinity'`);
    const paths = [await env.patch('A.dat', item(5))];
    const asked = new AbortController();
    setTimeout(() => asked.abort(), 300);
    const started = performance.now();
    expect((await env.rustine.integrate({ paths, mode: 'integrate', cancel: asked.signal })).state).toBe('cancelled');
    expect(performance.now() - started).toBeLessThan(4_000);
    const refused = await env.rustine.integrate({ paths, mode: 'integrate' });
    expect([refused.state, refused.findings.filter(({ code }) => code === 'login-locked')]).toMatchObject([
      'refused',
      [{ severity: 'block', facts: { application: 'psql' } }],
    ]);
    await admin.query('rollback');
    expect([(await env.integrate(paths)).state, await shut(env)]).toEqual(['done', []]);
  });

  test('R12: who is changing logins is named to whoever asks for a password or drops a folder', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    const admin = await session(env.url, 'psql');
    await admin.query(`begin; alter role ${escapeIdentifier(role(env, 'A1'))} valid until 'infinity'`);
    const database = await openPostgres(env.url, 3);
    onTestFinished(() => database.close());
    const folder = (await readFolders(database)).find(({ code }) => code === 'A1');
    if (folder === undefined) throw new Error('A1 is not there');
    const held = {
      code: 'login-held',
      facts: {
        folder: 'A1',
        role: role(env, 'A1'),
        application: 'psql',
        command: expect.stringContaining('pg_terminate_backend'),
      },
    };
    const opened = { database, settings: { home: env.home, language: 'en' } } as const;
    await expect(folderUrl(opened, folder, { lockTimeoutMs: 200 })).rejects.toMatchObject(held);
    await expect(env.rustine.dropFolder('A1', { lockTimeoutMs: 200 })).rejects.toMatchObject(held);
    await admin.query('rollback');
    await env.rustine.dropFolder('A1');
    expect((await env.rustine.folders()).map(({ code }) => code)).toEqual(['X3']);
  });
});
