// Who has what of a run that workers share: folders and tasks are somebody's until his lease is gone, and then they are not any more.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openRustine, type Rustine } from '../../src/app/rustine.ts';
import type { WorkerEvent } from '../../src/app/tasks.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { endDeadWorkers } from '../../src/journal/dead-workers.ts';
import { endSharedRun } from '../../src/journal/run-end.ts';
import { claimFolder, settleFolder } from '../../src/journal/shared-runs.ts';
import { leftovers } from '../support/crash.ts';
import { connected, openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { row, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const item = table('ITEM', 'ITM', { COD: 'A:10', NAM: 'A:20' }, { IDX0: 'COD' });
const line = row('ITM', 'x', { COD: 'A', NAM: 'n' });
const never = new AbortController().signal;

async function another({ url, home, later }: TestEnvironment): Promise<Rustine> {
  const rustine = await openRustine({ home, database: url, language: 'en' });
  later(() => rustine.close());
  return rustine;
}

function drain(rustine: Rustine, jobs = 2, listener: (event: WorkerEvent) => void = () => undefined): Promise<void> {
  return rustine.tasks.work({ jobs, once: true, stop: never, abort: never, listener });
}

const until = async (what: () => Promise<boolean>): Promise<void> => {
  while (!(await what())) await sleep(20);
};

/** A worker elsewhere. @param lease seconds that its lease still has */
const register = ({ query }: TestEnvironment, id: string, lease = 3_600) =>
  query(
    `insert into rustine.process (id, kind, host, pid, alive_until) values ($1, 'worker', 'elsewhere', 1, now() + $2 * interval '1 second')`,
    [id, lease],
  );

/** A run that is open to workers, with one folder in its first wave. */
async function openRun(env: TestEnvironment, process: string): Promise<void> {
  await env.query(
    `insert into rustine.run (id, mode, state, from_folder, operator, host, pid, files, ready_at) values ('r', 'integrate', 'running', 'X3', 'me', 'here', 1, '{A.dat}', now())`,
  );
  await env.query(
    `insert into rustine.run_folder (run, folder, wave, state, process, attempts) values ('r', 'X3', 0, 'running', $1, 1)`,
    [process],
  );
}

async function opened(env: TestEnvironment) {
  const database = await openPostgres(env.url, 3);
  env.later(() => database.close());
  return database;
}

describe.each(oneServer())('$name', (server) => {
  it('R30: a worker that slept does no more in a folder that another one has by now, and lets nobody in there', async () => {
    const env = await openEnvironment(server, { folders: ['ACME', 'SEED'] });
    const paths = [await env.patch('A.dat', [item]), await env.patch('B.dat', [line])];
    await register(env, 'other');
    // As if the other one had taken the folder over while this one slept, between its two patches.
    await env.query(`create function public.taken() returns trigger language plpgsql as 'begin
      update rustine.run_folder set process = ''other'' where run = new.run and folder = ''SEED'' and (select code from rustine.folder where id = new.folder) = ''SEED''; return null; end'`);
    await env.query('create trigger taken after insert on rustine.integration for each row execute function public.taken()');
    const { run } = await env.rustine.queue({ paths, mode: 'integrate' });
    const worker = await another(env);
    const working = drain(worker);
    await until(
      async () => (await env.query(`select from rustine.run_folder where folder = 'ACME' and state = 'integrated'`)).length > 0,
    );
    await until(async () => (await env.query(`select from rustine.shut_login where folder = 'ACME'`)).length === 0);
    await sleep(300);
    expect(await env.query(`select state, process from rustine.run_folder where folder = 'SEED'`)).toEqual([
      { state: 'running', process: 'other' },
    ]);
    expect(await env.query('select folder from rustine.shut_login')).toEqual([{ folder: 'SEED' }]);
    const had = () =>
      env.query(
        `select i.file, count(*)::integer as n from rustine.integration i join rustine.folder f on f.id = i.folder where f.code = 'SEED' and i.file like '%.dat' group by 1 order by 1`,
      );
    expect(await had()).toEqual([{ file: 'A.dat', n: 1 }]);
    // That one is lost, too: the folder goes on where it is.
    await env.query('drop trigger taken on rustine.integration');
    await env.query(`delete from rustine.process where id = 'other'`);
    await working;
    expect(await env.rustine.follow(run, () => undefined, never)).toMatchObject({ state: 'done' });
    expect(await had()).toEqual([
      { file: 'A.dat', n: 1 },
      { file: 'B.dat', n: 1 },
    ]);
    expect(await leftovers(env.url)).toEqual([]);
  });

  it('a folder is taken over only when the lease of its worker is gone, and never by who has it or has no lease', async () => {
    const env = await openEnvironment(server);
    const database = await opened(env);
    await register(env, 'sleeper', -1);
    await register(env, 'me');
    await openRun(env, 'sleeper');
    // It may still renew its lease.
    expect(await claimFolder(database, 'r', 'me')).toEqual({ kind: 'wait' });
    expect(await endDeadWorkers(database)).toEqual(['sleeper']);
    expect(await claimFolder(database, 'r', 'sleeper')).toEqual({ kind: 'wait' });
    expect(await claimFolder(database, 'r', 'me')).toMatchObject({
      kind: 'folder',
      claim: { folder: 'X3', attempts: 2, lost: 1 },
    });
    expect(await claimFolder(database, 'r', 'me')).toEqual({ kind: 'wait' });
    expect(await settleFolder(database, 'r', 'sleeper', { folder: 'X3', state: 'integrated' })).toBe(false);
    expect(await settleFolder(database, 'r', 'me', { folder: 'X3', state: 'integrated' })).toBe(true);
    expect(await claimFolder(database, 'r', 'me')).toEqual({ kind: 'all-done' });
  });

  it('while the transaction of a lost worker is open, its folder is not taken and the run not ended; nobody waits for it', async () => {
    const env = await openEnvironment(server);
    const database = await opened(env);
    await register(env, 'me');
    await openRun(env, 'gone');
    await connected(env.url, async (client) => {
      await client.query('begin');
      await client.query(`select from rustine.run where id = 'r' for key share`);
      await client.query(`select from rustine.run_folder where run = 'r' for share`);
      expect(await claimFolder(database, 'r', 'me')).toEqual({ kind: 'wait' });
      const started = performance.now();
      expect(await endSharedRun(database, 'r', 'done')).toBe(false);
      expect(performance.now() - started).toBeLessThan(10_000);
      await client.query('rollback');
    });
    expect(await claimFolder(database, 'r', 'me')).toMatchObject({ kind: 'folder' });
    expect(await endSharedRun(database, 'r', 'done')).toBe(true);
    expect(await endSharedRun(database, 'r', 'done')).toBe(false);
  });

  it('R12: the lease of a worker that sleeps goes before its task is settled: its program ends', async () => {
    const long = { command: process.execPath, words: ['-e', 'setInterval(() => {}, 1000)'], timeoutMs: 60_000, environment: [] };
    const env = await openEnvironment(server, { folders: ['SEED'], settings: { tasks: { other: long } } });
    const task = await env.rustine.tasks.add({ kind: 'other', folder: 'SEED' });
    const sleeper = drain(env.rustine).catch((error: unknown) => error);
    await until(async () => (await env.rustine.tasks.show(task.id)).state === 'active');
    const { worker } = await env.rustine.tasks.show(task.id);
    // Its clock stands still: however often it renews its lease, that has ended.
    await env.query(
      `create function public.sleeps() returns trigger language plpgsql as 'begin new.alive_until := now() - interval ''1 second''; return new; end'`,
    );
    await env.query(
      `create trigger sleeps before update on rustine.process for each row when (old.id = '${worker}') execute function public.sleeps()`,
    );
    await env.query(`update rustine.process set alive_until = now() where id = $1`, [worker]);
    await drain(await another(env));
    expect(await env.rustine.tasks.show(task.id)).toMatchObject({ state: 'failed', reason: 'worker-lost' });
    expect(await sleeper).toMatchObject({ code: 'worker-lost' });
    expect(await env.query('select id from rustine.process')).toEqual([]);
  });

  it('a folder is not dropped while a run counts on it; gone all the same when its turn comes it has failed, and the others go on', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const { run } = await env.rustine.queue({ paths: [await env.patch('A.dat', [item])], mode: 'integrate' });
    await expect(env.rustine.dropFolder('SEED')).rejects.toMatchObject({
      code: 'run-active',
      facts: { run, state: 'queued', folders: ['SEED'] },
    });
    await env.query(`insert into rustine.run_folder (run, folder, wave) values ($1, 'ACME', 1)`, [run]);
    await drain(env.rustine);
    const outcome = await env.rustine.follow(run, () => undefined, never);
    expect(outcome).toMatchObject({
      state: 'partial',
      findings: [{ code: 'folder-gone', severity: 'block', folder: 'ACME' }],
      folders: [
        { folder: 'X3', state: 'integrated' },
        { folder: 'ACME', state: 'failed', patches: [{ state: 'skipped', reason: { code: 'folder-gone' } }] },
        { folder: 'SEED', state: 'integrated' },
      ],
    });
    expect(await leftovers(env.url)).toEqual([]);
  });

  it('R30: a delivery that could not be staged is staged anew; meanwhile tasks are taken', async () => {
    const does = { command: process.execPath, words: ['-e', ''], timeoutMs: 20_000, environment: [] };
    const env = await openEnvironment(server, { folders: ['SEED', 'ACME'], settings: { tasks: { other: does } } });
    const paths = [await env.patch('A.dat', [item]), await env.patch('B.dat', [line])];
    const { run } = await env.rustine.queue({ paths, mode: 'integrate', folders: ['X3', 'SEED'] });
    const task = await env.rustine.tasks.add({ kind: 'other', folder: 'ACME' });
    await env.query('create sequence public.tries');
    await env.query(
      `create function public.fails() returns trigger language plpgsql as 'begin if nextval(''public.tries'') in (2, 3) then raise disk_full; end if; return null; end'`,
    );
    await env.query(
      'create trigger fails before insert on rustine.delivery_element for each statement execute function public.fails()',
    );
    const troubles: string[] = [];
    await drain(env.rustine, 2, (event) => {
      if (event.kind === 'worker-trouble') troubles.push(String(event.failure.facts.sqlstate));
    });
    expect(await env.rustine.follow(run, () => undefined, never)).toMatchObject({ state: 'done' });
    expect(await env.rustine.tasks.show(task.id)).toMatchObject({ state: 'done' });
    expect(new Set(troubles)).toEqual(new Set(['53100']));
    expect(await leftovers(env.url)).toEqual([]);
  });

  it('R30: what a folder or a task came to is in hand: a database that takes it only at the second try changes nothing of it', async () => {
    const does = { command: process.execPath, words: ['-e', ''], timeoutMs: 20_000, environment: [] };
    const env = await openEnvironment(server, { folders: ['SEED'], settings: { tasks: { other: does } } });
    await env.query('create sequence public.settled');
    await env.query('create sequence public.ended');
    await env.query(
      `create function public.fails() returns trigger language plpgsql as 'begin if nextval(tg_argv[0]::regclass) = 1 then raise disk_full; end if; return new; end'`,
    );
    await env.query(
      `create trigger fails before update on rustine.run_folder for each row when (new.state = 'integrated') execute function public.fails('public.settled')`,
    );
    await env.query(
      `create trigger fails before update on rustine.task for each row when (new.state = 'done' and new.kind = 'other') execute function public.fails('public.ended')`,
    );
    const { run } = await env.rustine.queue({ paths: [await env.patch('A.dat', [item])], mode: 'integrate' });
    const task = await env.rustine.tasks.add({ kind: 'other', folder: 'SEED' });
    await drain(env.rustine);
    expect(await env.rustine.tasks.show(task.id)).toMatchObject({ state: 'done', exit: 0, attempts: 1 });
    expect(await env.rustine.follow(run, () => undefined, never)).toMatchObject({
      state: 'done',
      folders: [{ patches: [{ state: 'integrated', tables: { created: ['item'] } }] }, { state: 'integrated' }],
    });
    expect(await env.query('select folder, attempts, lost from rustine.run_folder order by wave')).toEqual([
      { folder: 'X3', attempts: 1, lost: 0 },
      { folder: 'SEED', attempts: 1, lost: 0 },
    ]);
    expect(await leftovers(env.url)).toEqual([]);
  });

  it('a worker that others outran leaves the run when it has ended: nothing of it stays staged', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2', 'A3', 'A4'] });
    const stop = new AbortController();
    const workers = [env.rustine, await another(env)].map((each) =>
      each.tasks.work({ jobs: 2, stop: stop.signal, abort: never, listener: () => undefined }),
    );
    for (const file of ['A.dat', 'B.dat']) {
      const { run } = await env.rustine.queue({ paths: [await env.patch(file, [item])], mode: 'integrate' });
      await env.rustine.follow(run, () => undefined, never);
    }
    // Both are still there, for whatever comes.
    const staged = () => env.query('select from rustine.work');
    for (let look = 0; look < 100 && (await staged()).length > 0; look++) await sleep(50);
    expect(await staged()).toEqual([]);
    expect((await env.query('select from rustine.process')).length).toBe(2);
    stop.abort();
    await Promise.all(workers);
  });
});
