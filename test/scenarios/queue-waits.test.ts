// A queued run that waits for somebody, whose worker stops meanwhile, or that stops itself: nobody cancels it unasked, and its trace has everything.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RunEvent } from '../../src/journal/journal.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const item = table('ITEM', 'ITM', { COD: 'A:10', NAM: 'A:20' }, { IDX0: 'COD' });
const never = new AbortController().signal;
const nothing = (): void => undefined;

/** A worker with one job that ends when nothing is left. */
async function work({ rustine }: TestEnvironment, heard: (event: RunEvent) => void = nothing, stop = never): Promise<void> {
  await rustine.tasks.work({
    jobs: 1,
    once: true,
    stop,
    abort: never,
    listener: (event) => event.kind === 'run-event' && heard(event.event),
  });
}

/** Somebody else in the database, in a transaction. */
async function somebody({ url }: TestEnvironment, statement: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', nothing);
  await client.connect();
  onTestFinished(() => client.end());
  await client.query('begin');
  await client.query(statement);
  return client;
}

const stateOf = async ({ query }: TestEnvironment, run: string): Promise<string | undefined> =>
  (await query<{ state: string }>('select state from rustine.run where id = $1', [run]))[0]?.state;

const CHANGING = `select pg_advisory_xact_lock_shared(7083122, id) from rustine.folder where code = 'AA'`;

describe.each(oneServer())('runs that wait in the queue on $name', (server) => {
  it('R30: a worker that stops while it looks whether its run may begin leaves it in the queue', async () => {
    const env = await openEnvironment(server, { folders: ['AA'] });
    const { run } = await env.rustine.queue({ paths: [await env.patch('A.dat', [item])], mode: 'integrate', atomic: true });
    // Another machine's run has the folder.
    await env.query(
      `insert into rustine.process (id, kind, host, pid, alive_until) values ('w', 'command', 'elsewhere', 1, now() + interval '1 hour')`,
    );
    await env.query(`insert into rustine.run (id, mode, state, from_folder, operator, host, pid, process, files, authorized, started_at)
      values ('r', 'integrate', 'running', 'X3', 'me', 'elsewhere', 1, 'w', '{}', '{}', now() - interval '1 hour')`);
    await env.query(`insert into rustine.run_folder (run, folder, wave, state) values ('r', 'AA', 0, 'running')`);
    const stop = new AbortController();
    const waits = Promise.withResolvers<void>();
    const working = work(env, ({ kind }) => kind === 'run-waiting' && waits.resolve(), stop.signal);
    await waits.promise;
    // Its look lasts as long as somebody else begins a run.
    const other = await somebody(env, 'select pg_advisory_xact_lock(7083115)');
    const looks = `select from pg_locks where locktype = 'advisory' and objid = 7083115 and not granted`;
    while ((await env.query(looks)).length === 0) await sleep(20);
    stop.abort();
    await other.query('commit');
    await working;
    expect(await stateOf(env, run)).toBe('queued');
    expect(await env.query(`select state from rustine.task where run = $1`, [run])).toEqual([{ state: 'queued' }]);
    await env.query(`update rustine.run set state = 'done' where id = 'r'`);
    await env.query(`update rustine.run_folder set state = 'integrated' where run = 'r'`);
    await work(env);
    expect(await stateOf(env, run)).toBe('done');
  });

  it('R31: of a run that stops at its first failure every folder is in the trace, and its end is the last event', async () => {
    const env = await openEnvironment(server, { folders: ['AA', 'BB', 'CC', 'DD'] });
    await env.query('create table aa.item (other integer)');
    const { run } = await env.rustine.queue({ paths: [await env.patch('A.dat', [item])], mode: 'integrate', onError: 'stop' });
    const told = (events: readonly RunEvent[]): readonly string[] =>
      events.flatMap((event) => {
        if (event.kind === 'run-finished') return ['end'];
        return event.kind === 'folder-finished' ? [`${event.folder} ${event.state}`] : [];
      });
    const [followed, worked]: [RunEvent[], RunEvent[]] = [[], []];
    const following = env.rustine.follow(run, (event) => void followed.push(event), never);
    await work(env, (event) => void worked.push(event));
    await following;
    const all = ['X3 integrated', 'AA failed', 'BB skipped', 'CC skipped', 'DD skipped', 'end'];
    expect(told(await env.rustine.log(run))).toEqual(all);
    expect(told(followed)).toEqual(all);
    expect(told(worked)).toEqual(all.slice(0, -1));
  });

  it('R12: another command that changes a folder is told, and waited for no longer than a lock and --wait', async () => {
    const env = await openEnvironment(server, { folders: ['AA'] });
    const paths = [await env.patch('A.dat', [item])];
    const { run } = await env.rustine.queue({ paths, mode: 'integrate', waitMs: 600, lockTimeoutMs: 300 });
    const changing = await somebody(env, CHANGING);
    await work(env);
    await changing.query('commit');
    const outcome = await env.rustine.follow(run, nothing, never);
    expect([outcome?.state, outcome?.findings.map(({ code, folder }) => [code, folder])]).toEqual([
      'refused',
      [['folder-in-use', 'AA']],
    ]);
    expect((await env.rustine.log(run)).map(({ kind }) => kind)).toEqual([
      'changes-waiting',
      'run-started',
      'file-read',
      'finding',
      'run-finished',
    ]);
  });

  it('R12: its checks are made after what another command changed', async () => {
    const env = await openEnvironment(server, { folders: ['AA'] });
    const { run } = await env.rustine.queue({ paths: [await env.patch('A.dat', [item])], mode: 'integrate' });
    const changing = await somebody(env, CHANGING);
    const waits = Promise.withResolvers<void>();
    const working = work(env, ({ kind }) => kind === 'changes-waiting' && waits.resolve());
    await waits.promise;
    await changing.query(`update rustine.folder set state = 'creating' where code = 'AA'`);
    await changing.query('commit');
    await working;
    const outcome = await env.rustine.follow(run, nothing, never);
    expect([outcome?.state, outcome?.findings.map(({ code }) => code)]).toEqual(['refused', ['folder-not-ready']]);
  });

  it('R12: a worker that slept while it waited for sessions neither ends nor opens what another one begins, and lets nobody in', async () => {
    const env = await openEnvironment(server, { folders: ['AA'] });
    const user = new Client({ connectionString: await env.rustine.databaseUrl('AA') });
    user.on('error', nothing);
    await user.connect();
    onTestFinished(() => user.end());
    const paths = [await env.patch('A.dat', [item])];
    const { run } = await env.rustine.queue({ paths, mode: 'integrate', waitMs: 600 });
    const stop = new AbortController();
    const waits = Promise.withResolvers<void>();
    const working = work(env, ({ kind }) => kind === 'sessions' && waits.resolve(), stop.signal);
    await waits.promise;
    await env.query(
      `insert into rustine.process (id, kind, host, pid, alive_until) values ('other', 'worker', 'elsewhere', 1, now() + interval '1 hour')`,
    );
    await env.query(`update rustine.task set process = 'other' where run = $1`, [run]);
    await sleep(1_000);
    const there = () => env.query('select state, ready_at from rustine.run where id = $1', [run]);
    const shut = () => env.query(`select folder from rustine.shut_login order by folder`);
    expect([await there(), await shut()]).toEqual([[{ state: 'running', ready_at: null }], [{ folder: 'AA' }, { folder: 'X3' }]]);
    // Nor where nobody is there any more.
    await user.end();
    await sleep(900);
    expect([await there(), await shut()]).toEqual([[{ state: 'running', ready_at: null }], [{ folder: 'AA' }, { folder: 'X3' }]]);
    stop.abort();
    await working;
    await env.query(`delete from rustine.process where id = 'other'`);
    await work(env);
    const outcome = await env.rustine.follow(run, nothing, never);
    expect([outcome?.state, outcome?.findings.filter(({ severity }) => severity === 'block')]).toEqual(['done', []]);
    expect(await shut()).toEqual([]);
  });
});
