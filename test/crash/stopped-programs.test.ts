// Programs that are stopped in the middle of a folder (their machine sleeps): once their lease is over, what they hold is taken from them, and nothing is done twice.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { lockLogins } from '../../src/environment/roles.ts';
import { endDeadWorkers } from '../../src/journal/dead-workers.ts';
import { endForgottenSessions } from '../../src/journal/lease-sessions.ts';
import { lockRuns } from '../../src/journal/runs.ts';
import { claimFolder } from '../../src/journal/shared-runs.ts';
import { leftovers } from '../support/crash.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/rustine.js');
const HELD = 77;
const never = new AbortController().signal;
const item = table('ITEM', 'ITM', { COD: 'A:10' }, { IDX0: 'COD' });

const until = async (what: () => Promise<boolean>): Promise<void> => {
  while (!(await what())) await sleep(20);
};

interface Program {
  readonly child: ChildProcess;
  /** Goes on, and says how it ended. */
  goOn(): Promise<{ readonly code: number | null; readonly err: string }>;
}

/** Starts the program, and stops it where folder SEED has got the patch, in its transaction. */
async function stopped(env: TestEnvironment, words: readonly string[]): Promise<Program> {
  const holder = new Client({ connectionString: env.url });
  await holder.connect();
  onTestFinished(() => holder.end());
  await holder.query('select pg_advisory_lock($1)', [HELD]);
  await env.query(`create function public.hold() returns trigger language plpgsql as 'begin
    if (select code from rustine.folder where id = new.folder) = ''SEED'' then perform pg_advisory_xact_lock_shared(${HELD}); end if; return null; end'`);
  await env.query('create trigger hold after insert on rustine.integration for each row execute function public.hold()');
  const child = spawn(process.execPath, [PROGRAM, ...words, '--database', env.url, '--home', `${env.home}-none`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const closed = once(child, 'close');
  onTestFinished(() => void child.kill('SIGKILL'));
  const said: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  await until(
    async () =>
      (await env.query(`select from pg_locks where locktype = 'advisory' and objid = ${HELD} and not granted`)).length > 0,
  );
  child.kill('SIGSTOP');
  await holder.query('select pg_advisory_unlock($1)', [HELD]);
  await until(async () => (await open(env)).length > 0);
  return {
    child,
    goOn: async () => {
      child.kill('SIGCONT');
      const [code] = (await closed) as [number | null];
      return { code, err: Buffer.concat(said).toString() };
    },
  };
}

/** Sessions that keep the folder though nothing is done in it. */
const open = (env: TestEnvironment) =>
  env.query(
    `select pid from pg_stat_activity where datname = current_database() and state = 'idle in transaction' and query ~ 'apatch'`,
  );

const expire = (env: TestEnvironment) => env.query(`update rustine.process set alive_until = now() - interval '1 second'`);

const had = (env: TestEnvironment) =>
  env.query(
    `select f.code, count(*)::integer as n from rustine.integration i join rustine.folder f on f.id = i.folder where i.file = 'A.dat' group by 1 order by 1`,
  );
const ONCE = [
  { code: 'SEED', n: 1 },
  { code: 'X3', n: 1 },
];

describe.each(oneServer())('$name', (server) => {
  test('R30: a worker that is stopped in a folder does not keep it: the next one has it at once', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const { run } = await env.rustine.queue({ paths: [await env.patch('A.dat', [item])], mode: 'integrate' });
    const worker = await stopped(env, ['worker', '--kinds', 'patch']);
    await expire(env);
    const began = performance.now();
    await env.rustine.tasks.work({ once: true, stop: never, abort: never, listener: () => undefined });
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await env.rustine.follow(run, () => undefined, never)).toMatchObject({ state: 'done' });
    expect(await open(env)).toEqual([]);
    const { code, err } = await worker.goOn();
    expect([code, err]).toEqual([2, expect.stringContaining('did not renew its lease in time')]);
    expect(await had(env)).toEqual(ONCE);
    expect(await leftovers(env.url)).toEqual([]);
  });

  test.each([[[]], [['--atomic']]])(
    'R30: a command that is stopped in a folder (%j) is settled at once, and running again ends what it left',
    async (words) => {
      const env = await openEnvironment(server, { folders: ['SEED'] });
      const patch = await env.patch('A.dat', [item]);
      const command = await stopped(env, ['integrate', patch, ...words]);
      // A living program is left alone, however long it does nothing.
      const before = await env.rustine.recover();
      expect([before.runs.settled, (await open(env)).length]).toEqual([[], 1]);
      await expire(env);
      const began = performance.now();
      const recovery = await env.rustine.recover();
      expect(performance.now() - began).toBeLessThan(5_000);
      expect([recovery.prepared.left, recovery.runs.left]).toEqual([[], []]);
      expect(await env.query('select state from rustine.run')).toEqual([{ state: 'interrupted' }]);
      expect(await open(env)).toEqual([]);
      expect((await env.rustine.integrate({ paths: [patch], mode: 'integrate' })).state).toBe('done');
      const { code, err } = await command.goOn();
      expect([code, err]).toEqual([3, expect.stringMatching(/lease|settled/)]);
      expect(await had(env)).toEqual(ONCE);
      expect(await leftovers(env.url)).toEqual([]);
    },
  );

  test('R12: who is stopped while it takes folders, a folder, or shuts logins keeps nobody from them', async () => {
    const env = await openEnvironment(server);
    const database = await openPostgres(env.url, 4);
    onTestFinished(() => database.close());
    const lease = '33333333-3333-4333-8333-333333333333';
    await env.query(
      `insert into rustine.process (id, kind, host, pid, alive_until) values ('${lease}', 'worker', 'elsewhere', 1, now() + interval '1 hour')`,
    );
    await env.query(
      `insert into rustine.run (id, mode, state, from_folder, operator, host, pid, files, ready_at) values ('r', 'integrate', 'running', 'X3', 'me', 'here', 1, '{A.dat}', now())`,
    );
    await env.query(`insert into rustine.run_folder (run, folder, wave) values ('r', 'X3', 0)`);
    const slept = Promise.withResolvers<void>();
    onTestFinished(() => slept.resolve());
    const asleep: Database = {
      ...database,
      transaction: (work) =>
        database.transaction(async (session) => {
          await work(session);
          await slept.promise;
          throw new Error('slept');
        }),
    };
    const asleepAt = [
      asleep.transaction((session) => lockRuns(session, lease)),
      asleep.transaction((session) => lockLogins(session, '1s', lease)),
      claimFolder(asleep, 'r', lease),
    ];
    for (const each of asleepAt) each.catch(() => undefined);
    const shown = async () =>
      (await env.query(`select from pg_stat_activity where application_name = 'rustine ${lease}' and state like 'idle in %'`))
        .length;
    await until(async () => (await shown()) === 3);
    expect(await endDeadWorkers(database)).toEqual([]);
    expect(await shown()).toBe(3);
    await expire(env);
    expect(await endDeadWorkers(database)).toEqual([lease]);
    await until(async () => (await shown()) === 0);
    expect(await env.query('select state from rustine.run_folder')).toEqual([{ state: 'waiting' }]);
    slept.resolve();
    await Promise.allSettled(asleepAt);
  });

  test('R30: a session that shows a lease which is gone is ended, and no other', async () => {
    const env = await openEnvironment(server);
    const database = await openPostgres(env.url, 2);
    onTestFinished(() => database.close());
    await env.query(
      `insert into rustine.process (id, kind, host, pid, alive_until) values ('22222222-2222-4222-8222-222222222222', 'command', 'elsewhere', 1, now() + interval '1 hour')`,
    );
    const names = [
      'rustine 11111111-1111-4111-8111-111111111111',
      'rustine 22222222-2222-4222-8222-222222222222',
      'rustine nightly',
      'rustine',
    ];
    const ended = new Set<string>();
    const clients = [];
    for (const name of names) {
      const client = new Client({ connectionString: env.url, application_name: name });
      client.on('error', () => void ended.add(name));
      await client.connect();
      onTestFinished(() => client.end().catch(() => undefined));
      clients.push(client);
    }
    await endForgottenSessions(database);
    await until(async () => ended.size > 0);
    for (const client of clients.slice(1)) expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect([...ended]).toEqual(names.slice(0, 1));
  });
});
