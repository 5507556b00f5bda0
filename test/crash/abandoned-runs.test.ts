// Runs and tasks that no worker is left for: said, cancelled, settled by whatever command comes next, and never in the way for ever.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { rustine as command, leftovers } from '../support/crash.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { row, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const item = table('ITEM', 'ITM', { COD: 'A:10', NAM: 'A:20' }, { IDX0: 'COD' });
const never = new AbortController().signal;
const DOES = { command: process.execPath, words: ['-e', ''], timeoutMs: 20_000, environment: [] };

async function queued(env: TestEnvironment): Promise<string> {
  const paths = [await env.patch('A.dat', [item]), await env.patch('B.dat', [row('ITM', 'x', { COD: 'A', NAM: 'n' })])];
  return (await env.rustine.queue({ paths, mode: 'integrate' })).run;
}

/** The only worker is killed there. */
async function killWorker(env: TestEnvironment, at: string): Promise<void> {
  const killed = await command(['worker', '--once', '--jobs', '1', '--home', env.home, '--database', env.url], { at });
  expect([killed.code, killed.err]).toEqual([null, expect.any(String)]);
}

const drain = ({ rustine }: TestEnvironment, jobs = 2) =>
  rustine.tasks.work({ jobs, once: true, stop: never, abort: never, listener: () => undefined });

const shut = ({ query }: TestEnvironment) => query('select folder from rustine.shut_login order by 1');
const files = ({ query }: TestEnvironment) => query('select file from rustine.run_file');

async function trace({ rustine }: TestEnvironment, run: string): Promise<readonly string[]> {
  return (await rustine.log(run)).map(({ kind }) => kind);
}

describe.each(oneServer())('$name', (server) => {
  it('R12: a run whose only worker was killed is cancelled at once: its users come in again, what folders got is told', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const run = await queued(env);
    await killWorker(env, 'applied:4');
    expect((await shut(env)).length).toBeGreaterThan(0);
    expect(await env.rustine.runs.cancel()).toMatchObject({ run, state: 'cancelled', counts: { integrated: 1, cancelled: 1 } });
    expect(await shut(env)).toEqual([]);
    expect(await files(env)).toEqual([]);
    expect((await trace(env, run)).slice(-3)).toEqual(['run-cancelled', 'folder-finished', 'run-finished']);
    expect(await env.rustine.tasks.list({})).toMatchObject([{ kind: 'patch', state: 'cancelled' }]);
    const outcome = await env.rustine.follow(run, () => undefined, never);
    expect(outcome).toMatchObject({
      state: 'cancelled',
      folders: [
        { folder: 'X3', state: 'integrated', patches: [{ state: 'integrated' }, { state: 'integrated' }] },
        {
          folder: 'SEED',
          state: 'cancelled',
          patches: [{ state: 'integrated', tables: { created: ['item'] } }, { state: 'skipped' }],
        },
      ],
    });
    await env.rustine.recover();
    expect(await leftovers(env.url)).toEqual([]);
  });

  it('who follows a run is told when its last worker goes, and not that it had none before', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const run = await queued(env);
    const left = new AbortController();
    const told: string[] = [];
    const following = env.rustine.follow(
      run,
      () => undefined,
      left.signal,
      () => told.push('idle'),
    );
    await sleep(700);
    expect(told).toEqual([]);
    await env.query(
      `insert into rustine.process (id, kind, host, pid, alive_until, patch_jobs) values ('w', 'worker', 'elsewhere', 1, now() + interval '1 hour', 2)`,
    );
    await sleep(900);
    expect(told).toEqual([]);
    await env.query(`delete from rustine.process where id = 'w'`);
    for (let look = 0; told.length === 0 && look < 200; look++) await sleep(20);
    left.abort();
    expect([await following, told]).toEqual([undefined, ['idle']]);
  });

  it('a run waits for a worker when its own was killed, and status says so; cancelled while that one seemed alive, the next command ends it', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const run = await queued(env);
    await killWorker(env, 'folder-claimed:1');
    expect(await env.rustine.tasks.waiting()).toEqual({ runs: 1, tasks: 0, workers: 0, shut: 2 });
    expect(await env.rustine.runs.open()).toMatchObject([{ run, state: 'running' }]);
    // Another one takes it, on another machine: when it dies, nobody knows at first.
    await env.query(
      `insert into rustine.process (id, kind, host, pid, alive_until) values ('w', 'worker', 'elsewhere', 1, now() + interval '1 hour')`,
    );
    await env.query(`update rustine.run_folder set process = 'w' where state = 'running'`);
    expect(await env.rustine.runs.cancel(run)).toMatchObject({ state: 'running' });
    expect((await shut(env)).length).toBeGreaterThan(0);
    await env.query(`update rustine.process set alive_until = now() where id = 'w'`);
    const { cancelled, logins } = await env.rustine.recover();
    expect([cancelled.settled, logins.settled]).toEqual([[run], ['SEED', 'X3']]);
    expect(await leftovers(env.url)).toEqual([]);
    // Its place in the queue is in nobody's way.
    const again = await queued(env);
    await drain(env);
    expect(await env.rustine.follow(again, () => undefined, never)).toMatchObject({ state: 'done' });
    expect(await env.query('select id from rustine_batch.job')).toEqual([]);
  });

  it('R12: a run whose beginning kills its workers ends with its task, and its users come in again', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const run = await queued(env);
    await env.query('update rustine.task set attempts = 4');
    await killWorker(env, 'run-logins-shut');
    const { tasks, logins } = await env.rustine.recover();
    expect([tasks.settled.length, logins.settled]).toEqual([1, ['SEED', 'X3']]);
    expect(await env.rustine.follow(run, () => undefined, never)).toMatchObject({
      state: 'failed',
      findings: [{ code: 'run-given-up', severity: 'block', facts: { workers: 5 } }],
    });
    expect(await env.rustine.tasks.list({})).toMatchObject([{ state: 'failed', reason: 'worker-lost' }]);
    expect(await files(env)).toEqual([]);
    expect(await leftovers(env.url)).toEqual([]);
  });

  it('a run whose beginning fails again and again has failed, and says why; its worker goes on', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'], settings: { tasks: { other: DOES } } });
    const run = await queued(env);
    const task = await env.rustine.tasks.add({ kind: 'other', folder: 'SEED' });
    await env.query(`create function public.full() returns trigger language plpgsql as 'begin raise disk_full; end'`);
    await env.query('create trigger full_disk before insert on rustine.delivery_element execute function public.full()');
    await drain(env, 1);
    expect(await env.rustine.follow(run, () => undefined, never)).toMatchObject({
      state: 'failed',
      findings: [{ code: 'database-error', severity: 'block', facts: { sqlstate: '53100' } }],
    });
    expect(await shut(env)).toEqual([]);
    expect(await env.rustine.tasks.show(task.id)).toMatchObject({ state: 'done' });
  });

  it('a queued run that is cancelled leaves nothing: no files, nothing that waits, an end in its trace', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const run = await queued(env);
    expect(await env.rustine.runs.cancel()).toMatchObject({ run, state: 'cancelled', counts: { cancelled: 2 } });
    expect(await files(env)).toEqual([]);
    expect(await env.rustine.tasks.waiting()).toEqual({ runs: 0, tasks: 0, workers: 0, shut: 0 });
    expect(await trace(env, run)).toEqual(['run-cancelled', 'folder-finished', 'folder-finished', 'run-finished']);
    expect(await leftovers(env.url)).toEqual([]);
  });

  it('R12: a task whose worker was killed keeps no run out, with no worker there', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'], settings: { tasks: { other: DOES } } });
    const task = await env.rustine.tasks.add({ kind: 'other', folder: 'SEED' });
    await env.query(`update rustine.task set state = 'active', process = 'gone', attempts = 1`);
    await env.integrate(await env.patch('A.dat', [item]));
    expect(await env.rustine.tasks.show(task.id)).toMatchObject({ state: 'failed', reason: 'worker-lost' });
    expect(await env.query(`select id from rustine_batch.job where state <> 'completed'`)).toEqual([]);
  });

  it('R12: a worker that is busy waiting settles what it waits for', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'], settings: { tasks: { other: DOES } } });
    await env.rustine.tasks.add({ kind: 'other', folder: 'SEED' });
    await env.query(
      `insert into rustine.process (id, kind, host, pid, alive_until) values ('w', 'worker', 'elsewhere', 1, now() + interval '1 hour')`,
    );
    await env.query(`update rustine.task set state = 'active', process = 'w', host = 'elsewhere', started_at = now()`);
    const run = await queued(env);
    const heard: string[] = [];
    const followed = env.rustine.follow(run, ({ kind }) => void heard.push(kind), never);
    const working = drain(env, 1);
    while (!heard.includes('tasks-waiting')) await sleep(20);
    await env.query(`update rustine.process set alive_until = now() where id = 'w'`);
    expect(await followed).toMatchObject({ state: 'done' });
    await working;
  });
});
