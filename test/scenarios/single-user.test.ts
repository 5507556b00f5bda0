// R12: nobody else in the folders while a run is at work: sessions found, named, waited for or ended; new logins refused, and let in again.
import { setTimeout } from 'node:timers/promises';
import { Client, escapeIdentifier } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRustine } from '../../src/app/rustine.ts';
import type { RunEvent } from '../../src/journal/journal.ts';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import { cloneDatabase, openEnvironment, queryAt, type TestEnvironment } from '../support/environment.ts';
import { table } from '../support/patches.ts';
import { everyServer, type TestServer } from '../support/servers.ts';

const item = (length: number) => [table('ITEM', 'ITM', { COD: `A:${length}` }, { ITM0: 'COD' })];

/** Somebody who works in a folder until the test ends, or is ended. */
async function user(
  env: TestEnvironment,
  folder: string,
  application = 'screens',
): Promise<{ readonly client: Client; readonly pid: number; readonly ended: Promise<unknown> }> {
  const client = new Client({ connectionString: await env.rustine.databaseUrl(folder), application_name: application });
  const ended = new Promise((done) => client.on('error', done));
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return { client, pid: rows[0]?.pid ?? 0, ended };
}

/** SQLSTATE that a login gets; undefined: it comes in. */
async function refusal(url: string): Promise<string | undefined> {
  try {
    await queryAt(url, 'select 1');
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

const TOO_MANY = '53300';
/** What is said of sessions and logins; other checks have stories of their own. */
const about = ({ findings }: RunOutcome) => findings.filter(({ code }) => /session|login|disconnect/.test(code));
const codes = (outcome: RunOutcome) => about(outcome).map(({ code, severity, folder }) => [code, severity, folder]);
const limits = (env: TestEnvironment) =>
  env.query<{ role: string; limit: number }>(
    `select substr(rolname, length(current_database()) + 2) as role, rolconnlimit as limit from pg_roles
     where starts_with(rolname, current_database() || '_') and rolname not like '%owner' order by 1`,
  );
const shut = (env: TestEnvironment) => env.query('select * from rustine.shut_login');

/** A user of the server who owns the database and may create roles, and nothing else. */
async function ordinary(server: TestServer, folders: readonly string[], rights = 'createrole'): Promise<TestEnvironment> {
  return openEnvironment(server, {
    folders,
    as: async (superuser, database) => {
      const owner = `${database}_owner`;
      await queryAt(superuser, `create role ${escapeIdentifier(owner)} login password 'secret' ${rights}`);
      await queryAt(superuser, `alter database ${escapeIdentifier(database)} owner to ${escapeIdentifier(owner)}`);
      const url = new URL(superuser);
      url.username = owner;
      url.password = 'secret';
      return url.href;
    },
  });
}

describe.each(everyServer())('R12: single user on $name', (server) => {
  test('who is connected to a folder blocks the run, by name; nothing changes, and the logins are open again', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    const { client, pid } = await user(env, 'SEED');
    await client.query('begin');
    await client.query('select   1 as one');
    const other = await user(env, 'SEED', 'rustine');
    const outcome = await env.rustine.integrate({ paths: [await env.patch('A.dat', item(5))], mode: 'integrate' });
    expect([outcome.state, codes(outcome)]).toEqual(['refused', [['sessions-active', 'block', 'SEED']]]);
    expect(about(outcome)[0]?.facts).toMatchObject({
      count: 2,
      pids: [String(pid), String(other.pid)],
      // An application that takes our name is not taken for us.
      applications: ['screens', 'rustine'],
      states: ['idle in transaction', 'idle'],
      queries: ['select 1 as one', 'select pg_backend_pid() as pid'],
    });
    expect(await env.query("select to_regclass('x3.item') as x3, to_regclass('seed.item') as seed")).toEqual([
      { x3: null, seed: null },
    ]);
    expect([await shut(env), (await limits(env)).map(({ limit }) => limit)]).toEqual([[], [-1, -1, -1]]);
    // In the folders that are given only; and they may go on where nothing is to be done.
    await env.integrate(await env.patch('A.dat', item(5)), { folders: ['X3', 'SHOP'] });
    await client.end();
    await other.client.end();
    await env.integrate(`${env.directory}/A.dat`);
    await user(env, 'SEED');
    expect((await env.integrate(`${env.directory}/A.dat`)).folders.map(({ state }) => state)).toEqual(Array(3).fill('unchanged'));
  });

  test('forced with a reason it goes on beside them, and says so; new logins are refused all the same', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await user(env, 'SEED');
    const outcome = await env.integrate(await env.patch('A.dat', item(5)), {
      force: [{ check: 'sessions', reason: 'read-only screens' }],
    });
    expect(codes(outcome)).toEqual([['sessions-active', 'warn', 'SEED']]);
    expect(await env.query('select forced from rustine.run')).toEqual([{ forced: { sessions: 'read-only screens' } }]);
  });

  test('--wait: they are waited for by name, nobody new comes in meanwhile but in other folders; then it goes on', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    const [seed, shop] = [await env.rustine.databaseUrl('SEED'), await env.rustine.databaseUrl('SHOP')];
    const first = await user(env, 'SEED');
    const second = await user(env, 'SEED');
    const events: RunEvent[] = [];
    const run = env.integrate(await env.patch('A.dat', item(5)), {
      folders: ['X3', 'SEED'],
      waitMs: 20_000,
      listener: (event) => events.push(event),
    });
    const told = () =>
      events.flatMap((event) => (event.kind === 'sessions' ? [[event.state, ...event.sessions.map(({ pid }) => pid)]] : []));
    await expect.poll(told).toEqual([['waiting', first.pid, second.pid]]);
    expect([await refusal(seed), await refusal(shop)]).toEqual([TOO_MANY, undefined]);
    await expect(env.rustine.databaseUrl('SEED')).rejects.toMatchObject({ code: 'login-shut', facts: { folder: 'SEED' } });
    await first.client.end();
    await expect.poll(told, { timeout: 5_000 }).toHaveLength(2);
    await second.client.end();
    const outcome = await run;
    expect(told()).toEqual([['waiting', first.pid, second.pid], ['waiting', second.pid], ['gone']]);
    expect([codes(outcome), await refusal(seed), await shut(env)]).toEqual([[], undefined, []]);
    expect((await env.rustine.log(outcome.run)).filter(({ kind }) => kind === 'sessions')).toHaveLength(3);
  });

  test('--wait: when the time is over, those who are left are named, nothing was changed and they were not ended', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const { client, pid } = await user(env, 'SEED');
    const outcome = await env.rustine.integrate({
      paths: [await env.patch('A.dat', item(5))],
      mode: 'integrate',
      waitMs: 300,
    });
    expect([outcome.state, codes(outcome), about(outcome)[0]?.facts.pids]).toEqual([
      'refused',
      [['sessions-active', 'block', 'SEED']],
      [String(pid)],
    ]);
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(await refusal(await env.rustine.databaseUrl('SEED'))).toBeUndefined();
  });

  test('cancelled while it waits, it stops at once: nobody was ended, and everybody may come in', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const { client } = await user(env, 'SEED');
    const asked = new AbortController();
    const outcome = await env.rustine.integrate({
      paths: [await env.patch('A.dat', item(5))],
      mode: 'integrate',
      waitMs: 60_000,
      disconnect: true,
      cancel: asked.signal,
      listener: ({ kind }) => kind === 'sessions' && asked.abort(),
    });
    expect([outcome.state, codes(outcome), outcome.folders.map(({ state }) => state)]).toEqual([
      'cancelled',
      [],
      ['cancelled', 'cancelled'],
    ]);
    expect([(await client.query('select 1 as one')).rows, await shut(env)]).toEqual([[{ one: 1 }], []]);
    expect(await refusal(await env.rustine.databaseUrl('SEED'))).toBeUndefined();
  });

  test.each(['superuser', 'ordinary'] as const)(
    '--disconnect, as %s: sessions of the folders given are ended and named, others not',
    async (kind) => {
      const env =
        kind === 'superuser'
          ? await openEnvironment(server, { folders: ['SEED', 'SHOP'] })
          : await ordinary(server, ['SEED', 'SHOP']);
      const seed = await user(env, 'SEED');
      const shop = await user(env, 'SHOP');
      const outcome = await env.integrate(await env.patch('A.dat', item(5)), {
        folders: ['X3', 'SEED'],
        disconnect: true,
      });
      expect(codes(outcome)).toEqual([['sessions-ended', 'info', 'SEED']]);
      expect(about(outcome)[0]?.facts).toMatchObject({ pids: [String(seed.pid)], applications: ['screens'] });
      expect(await seed.ended).toMatchObject({ code: '57P01' });
      expect((await shop.client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      const members = await env.query(
        `select 1 from pg_auth_members m join pg_roles r on r.oid = m.roleid where r.rolname = current_database() || '_seed' and (${
          server.name === 'PostgreSQL 15' ? 'true' : 'm.set_option or m.inherit_option'
        })`,
      );
      expect(members).toEqual([]);
    },
  );

  test('logins come back as they were: one that an administrator had shut or limited stays so; what he changes meanwhile stays', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP', 'DEV', 'LIVE'] });
    const role = (folder: string) => escapeIdentifier(`${env.database}_${folder}`);
    await env.query(`alter role ${role('seed')} connection limit 0`);
    await env.query(`alter role ${role('shop')} connection limit 3`);
    await env.query(`alter role ${role('dev')} nologin`);
    const during: unknown[] = [];
    const work: Promise<unknown>[] = [];
    await env.integrate(await env.patch('A.dat', item(5)), {
      listener: (event) => {
        if (event.kind === 'file-read') during.push('read');
        if (event.kind === 'patch-started' && event.folder === 'X3')
          work.push(
            limits(env).then((found) => {
              during.push(found.map(({ limit }) => limit));
              return env.query(`alter role ${role('live')} connection limit 7`);
            }),
          );
      },
    });
    await Promise.all(work);
    expect(during).toEqual(['read', [0, 0, 0, 0, 0]]);
    expect(await limits(env)).toEqual([
      { role: 'dev', limit: -1 },
      { role: 'live', limit: 7 },
      { role: 'seed', limit: 0 },
      { role: 'shop', limit: 3 },
      { role: 'x3', limit: -1 },
    ]);
    expect(await env.query(`select rolcanlogin as can from pg_roles where rolname = current_database() || '_dev'`)).toEqual([
      { can: false },
    ]);
  });

  test('a rehearsal locks as a run does, so it asks the same; a run that is refused for something else shuts nobody out', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const { client } = await user(env, 'SEED');
    const path = await env.patch('P_0002_140.dat', item(5));
    const options = { paths: [path], mode: 'rehearse' as const };
    const events: string[] = [];
    const refused = await env.rustine.integrate({
      ...options,
      waitMs: 20_000,
      disconnect: true,
      listener: ({ kind }) => events.push(kind),
    });
    expect([refused.findings[0]?.code, codes(refused)]).toEqual(['sequence-gap', [['sessions-active', 'block', 'SEED']]]);
    expect([events.includes('sessions'), (await client.query('select 1 as one')).rows]).toEqual([false, [{ one: 1 }]]);
    const force = [{ check: 'sequence', reason: 'first one here' }];
    expect(codes(await env.rustine.integrate({ ...options, force }))).toEqual([['sessions-active', 'block', 'SEED']]);
    await client.end();
    expect(codes(await env.rustine.integrate({ ...options, force, waitMs: 5_000 }))).toEqual([]);
    expect(await shut(env)).toEqual([]);
  });

  test('others in the database are named for information, with the folders whose tables they lock', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('A.dat', item(5)));
    const client = new Client({ connectionString: env.url, application_name: 'backup' });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('begin');
    await client.query('select from seed.item');
    const outcome = await env.integrate(await env.patch('B.dat', [table('OTHER', 'OTH', { COD: 'A:5' }, { OTH0: 'COD' })]));
    expect(codes(outcome)).toEqual([['sessions-others', 'info', undefined]]);
    expect(about(outcome)[0]?.facts).toMatchObject({ count: 1, applications: ['backup'], locked: ['SEED'] });
  });

  test('what the database user may not do is said: sessions that it cannot end, logins that it cannot shut, no logins at all', async () => {
    const env = await ordinary(server, ['SEED']);
    const owner = escapeIdentifier(`${env.database}_owner`);
    const { client, pid } = await user(env, 'SEED');
    await env.query(`alter role ${owner} nocreaterole`);
    const outcome = await env.rustine.integrate({
      paths: [await env.patch('A.dat', item(5))],
      mode: 'integrate',
      disconnect: true,
    });
    expect(codes(outcome)).toEqual([
      ['login-open', 'warn', 'SEED'],
      ['login-open', 'warn', 'X3'],
      ['disconnect-denied', 'block', 'SEED'],
    ]);
    // Of others it may not see what they do, but that they are there.
    expect(about(outcome)[2]?.facts).toMatchObject({
      pids: [String(pid)],
      applications: ['screens'],
      states: [''],
      queries: [''],
    });
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await env.query(`grant pg_signal_backend to ${owner}`);
    expect((await env.integrate(`${env.directory}/A.dat`, { disconnect: true })).state).toBe('done');

    const shared = await ordinary(server, ['SEED'], '');
    expect((await shared.integrate(await shared.patch('A.dat', item(5)))).findings).toEqual([
      { code: 'logins-shared', severity: 'info', facts: { folders: ['X3', 'SEED'] } },
    ]);
  });

  test('in a copy of the database nobody is shut out of the original', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const path = await env.patch('A.dat', item(5));
    await env.rustine.close();
    const copy = await cloneDatabase(server, env.database, onTestFinished);
    const rustine = await openRustine({ home: env.home, database: copy.url, language: 'en' });
    onTestFinished(() => rustine.close());
    const during: unknown[] = [];
    const outcome = await rustine.integrate({
      paths: [path],
      mode: 'integrate',
      listener: ({ kind }) => void (kind === 'patch-started' && during.push(limits(env))),
    });
    expect([outcome.state, codes(outcome)]).toEqual([
      'done',
      [
        ['login-open', 'warn', 'SEED'],
        ['login-open', 'warn', 'X3'],
      ],
    ]);
    expect(((await during[0]) as { limit: number }[]).map(({ limit }) => limit)).toEqual([-1, -1]);
  });

  test('of a run that is all or none nobody is let in before the last folder is prepared', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    const seen: Promise<readonly number[]>[] = [];
    const outcome = await env.integrate(await env.patch('A.dat', item(5)), {
      atomic: true,
      jobs: 1,
      listener: ({ kind }) =>
        void (kind === 'patch-started' && seen.push(limits(env).then((all) => all.map(({ limit }) => limit)))),
    });
    expect([(await Promise.all(seen)).slice(0, 3), codes(outcome)]).toEqual([Array(3).fill([0, 0, 0]), []]);
    expect([(await limits(env)).map(({ limit }) => limit), await shut(env)]).toEqual([[-1, -1, -1], []]);
  });

  test('a step of the recovery that fails does not keep the logins shut', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.query(`insert into rustine.run (id, mode, state, from_folder, operator, host, pid, files)
      values ('dead', 'integrate', 'interrupted', 'X3', 'x', 'x', 1, '{}')`);
    const role = `${env.database}_seed`;
    await env.query(`alter role ${escapeIdentifier(role)} connection limit 0`);
    await env.query(`insert into rustine.shut_login (role_name, folder, run, was_limit) values ($1, 'SEED', 'dead', 4)`, [role]);
    await env.query('alter table rustine.process rename to process_away');
    await expect(env.rustine.recover()).rejects.toMatchObject({ code: 'database-error', facts: { sqlstate: '42P01' } });
    expect([await limits(env), await shut(env)]).toEqual([
      [
        { role: 'seed', limit: 4 },
        { role: 'x3', limit: -1 },
      ],
      [],
    ]);
  });

  test('an administrator who changes a login at the moment when it is let in wins, and the run does not fail of it', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const admin = new Client({ connectionString: env.url });
    await admin.connect();
    onTestFinished(() => admin.end());
    let changed: Promise<unknown> = Promise.resolve();
    const outcome = await env.integrate(await env.patch('A.dat', item(5)), {
      listener: (event) => {
        if (event.kind !== 'patch-started' || event.folder !== 'SEED') return;
        const role = escapeIdentifier(`${env.database}_seed`);
        changed = admin
          .query(`begin; alter role ${role} connection limit 7`)
          .then(() => setTimeout(1_500))
          .then(() => admin.query('commit'));
      },
    });
    await changed;
    expect(codes(outcome).filter(([code]) => code !== 'sessions-others')).toEqual([]);
    expect([await limits(env), await shut(env)]).toEqual([
      [
        { role: 'seed', limit: 7 },
        { role: 'x3', limit: -1 },
      ],
      [],
    ]);
  });

  test('a folder that is through is let in again while others are still at work', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    await env.integrate(await env.patch('A.dat', item(5)));
    const [x3, seed] = [await env.rustine.databaseUrl('X3'), await env.rustine.databaseUrl('SEED')];
    // Whoever tried to come in before it is shut would be a session that blocks.
    const limit = async (folder: string) => (await limits(env)).find(({ role }) => role === folder)?.limit;
    const holder = new Client({ connectionString: env.url });
    await holder.connect();
    onTestFinished(() => holder.end());
    await holder.query('begin; lock table seed.item');
    const run = env.integrate(await env.patch('B.dat', item(9)));
    await expect.poll(() => limit('x3'), { timeout: 10_000 }).toBe(0);
    await expect.poll(() => limit('x3'), { timeout: 10_000 }).toBe(-1);
    expect([await refusal(x3), await refusal(seed)]).toEqual([undefined, TOO_MANY]);
    await holder.query('rollback');
    await run;
    await setTimeout(0);
    expect(await refusal(seed)).toBeUndefined();
  });
});
