// What a queued run tells of folders that were postponed, given back, lost or left out, and whom it waits for.
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openRustine, type Rustine } from '../../src/app/rustine.ts';
import { jobsOfWorkers } from '../../src/app/stored-run.ts';
import type { WorkerEvent } from '../../src/app/tasks.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import type { RunEvent } from '../../src/journal/journal.ts';
import type { FolderOutcome } from '../../src/journal/outcome.ts';
import { rustine as command, leftovers } from '../support/crash.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { exe, row, script, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const FIELDS = { COD: 'A:10', NAM: 'A:20' } as const;
const item = table('ITEM', 'ITM', FIELDS, { IDX0: 'COD' });
const wider = table('ITEM', 'ITM', { ...FIELDS, QTY: 'L' }, { IDX0: 'COD' });
const never = new AbortController().signal;
const nothing = (): void => undefined;

interface Working {
  readonly jobs?: number;
  readonly stop?: AbortSignal;
  readonly heard?: (event: RunEvent) => void;
}

/** A worker that ends when nothing is left. */
async function work(rustine: Rustine, { jobs = 1, stop = never, heard = nothing }: Working = {}): Promise<void> {
  const listener = (event: WorkerEvent): void => {
    if (event.kind === 'run-event') heard(event.event);
  };
  await rustine.tasks.work({ jobs, once: true, stop, abort: never, listener });
}

async function another({ url, home, later }: TestEnvironment, settings: object = {}): Promise<Rustine> {
  const rustine = await openRustine({ home, database: url, language: 'en', ...settings });
  later(() => rustine.close());
  return rustine;
}

/** Somebody else in the database, in a transaction. */
async function somebody(url: string, ...statements: readonly string[]): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', nothing);
  await client.connect();
  onTestFinished(() => client.end());
  for (const statement of statements) await client.query(statement);
  return client;
}

const ofFolder = (folders: readonly FolderOutcome[] | undefined, code: string): unknown => {
  const found = folders?.find(({ folder }) => folder === code);
  return [found?.state, ...(found?.patches.map(({ file, state }) => `${file} ${state}`) ?? [])];
};

/** A worker is stopped when SEED has got B.dat, and gives it back. */
async function stoppedInSeed(env: TestEnvironment, rustine: Rustine, run: string): Promise<void> {
  const stop = new AbortController();
  await work(rustine, {
    stop: stop.signal,
    heard: (event) => {
      if (event.kind === 'patch-finished' && event.folder === 'SEED' && event.outcome.file === 'B.dat') stop.abort();
    },
  });
  expect(await env.query(`select state, attempts from rustine.run_folder where folder = 'SEED' and run = $1`, [run])).toEqual([
    { state: 'waiting', attempts: 1 },
  ]);
}

const RUNNER = { '4gl': { command: process.execPath, words: ['-e', ''], timeoutMs: 20_000, environment: [] } };
const withScript = [script('AFTER', '# a script\nEnd\n'), exe('AFTER')];

describe.each(oneServer())('outcomes of queued runs on $name', (server) => {
  it('R17, R30: a folder that was postponed keeps what it got, scripts that ran included, also where an earlier patch was there before', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const paths = [await env.patch('A.dat', [item])];
    await env.integrate(paths);
    paths.push(await env.patch('B.dat', withScript), await env.patch('C.dat', [wider]));
    const { run } = await env.rustine.queue({ paths, mode: 'integrate' });
    const reader = await somebody(env.url, 'begin', 'lock table seed.item in access share mode');
    const waited: unknown[] = [];
    await work(await another(env, { runners: RUNNER }), {
      heard: (event) => {
        if (event.kind === 'folder-postponed') void reader.query('commit');
        if (event.kind === 'patch-finished' && event.folder === 'SEED')
          waited.push(`${event.outcome.file} ${event.outcome.state}`);
      },
    });
    const outcome = await env.rustine.follow(run, nothing, never);
    expect(outcome?.state).toBe('done');
    expect(ofFolder(outcome?.folders, 'SEED')).toEqual(['integrated', 'A.dat already', 'B.dat integrated', 'C.dat integrated']);
    expect(outcome?.folders.find(({ folder }) => folder === 'SEED')?.patches[1]).toMatchObject({
      scripts: { installed: 0 },
      pending: [],
      ranOutside: ['AFTER'],
    });
    // Each is told once.
    expect(waited).toEqual(['A.dat already', 'B.dat integrated', 'C.dat integrated']);
    expect(
      await env.query(`select waited_ms >= 3000 as waited from rustine.run_folder where folder = 'SEED' and run = $1`, [run]),
    ).toEqual([{ waited: true }]);
  });

  it('R15: a folder that is given back does not get again what was to be integrated again', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const paths = [await env.patch('A.dat', [script('A', '# a')], { type: '2' }), await env.patch('B.dat', [item])];
    await env.integrate(paths);
    paths.push(await env.patch('C.dat', [wider]));
    const force = [{ check: 'already', reason: 'once more' }];
    const { run } = await env.rustine.queue({ paths, mode: 'integrate', force });
    await stoppedInSeed(env, env.rustine, run);
    await work(await another(env));
    const outcome = await env.rustine.follow(run, nothing, never);
    expect(ofFolder(outcome?.folders, 'SEED')).toEqual(['integrated', 'A.dat skipped', 'B.dat integrated', 'C.dat integrated']);
    expect(
      await env.query(
        `select file, count(*)::integer as times from rustine.integration i join rustine.folder f on f.id = i.folder where f.code = 'SEED' and run = $1 group by 1 order by 1`,
        [run],
      ),
    ).toEqual(['B.dat', 'C.dat'].map((file) => ({ file, times: 1 })));
  });

  it('a folder that had begun and is left out when the run is cancelled says what it got', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'ZZZ'] });
    const paths = [await env.patch('A.dat', [item])];
    await env.integrate(paths);
    paths.push(await env.patch('B.dat', withScript), await env.patch('C.dat', [wider]));
    const { run } = await env.rustine.queue({ paths, mode: 'integrate', folders: ['SEED', 'ZZZ'] });
    await stoppedInSeed(env, env.rustine, run);
    await env.rustine.runs.cancel(run);
    await work(await another(env));
    const outcome = await env.rustine.follow(run, nothing, never);
    expect(outcome?.state).toBe('cancelled');
    expect(ofFolder(outcome?.folders, 'SEED')).toEqual(['cancelled', 'A.dat already', 'B.dat integrated', 'C.dat skipped']);
    expect(ofFolder(outcome?.folders, 'ZZZ')).toEqual(['cancelled', 'A.dat skipped', 'B.dat skipped', 'C.dat skipped']);
    expect(outcome?.folders[0]?.patches[1]?.pending).toEqual(['AFTER']);
    expect(await leftovers(env.url)).toEqual([]);
  });

  it('R28: a worker that is killed between a patch and its runner leaves a finding that names the script', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const paths = [await env.patch('A.dat', withScript), await env.patch('B.dat', [item])];
    const { run } = await env.rustine.queue({ paths, mode: 'integrate' });
    await writeFile(
      join(env.home, 'rustine.yaml'),
      `runners:\n  4gl:\n    command: ${process.execPath}\n    arguments: [-e, '']\n`,
    );
    const killed = await command(['worker', '--once', '--jobs', '1', '--home', env.home, '--database', env.url], {
      at: 'before-runner',
    });
    expect([killed.code, killed.err]).toEqual([null, expect.anything()]);
    await work(await another(env, { runners: RUNNER }));
    const outcome = await env.rustine.follow(run, nothing, never);
    expect(outcome?.findings).toMatchObject([
      {
        code: 'script-pending',
        severity: 'warn',
        folder: 'X3',
        patch: 'A.dat',
        subject: 'EXE:AFTER',
        facts: { language: '4gl' },
      },
    ]);
    expect(outcome?.folders.map(({ patches: [first] }) => [first?.pending, first?.ranOutside])).toEqual([
      [['AFTER'], undefined],
      [[], ['AFTER']],
    ]);
    expect((await env.rustine.scripts.pending()).map(({ folder }) => folder)).toEqual(['X3']);
  });

  it('R17: how long a folder waits for locks is counted over all workers', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('A.dat', [item]));
    const { run } = await env.rustine.queue({ paths: [await env.patch('C.dat', [wider])], mode: 'integrate' });
    await somebody(env.url, 'begin', 'lock table seed.item in access share mode');
    // Others have waited nearly all of the 15 seconds.
    await env.query(`update rustine.run_folder set waited_ms = 14900 where folder = 'SEED' and run = $1`, [run]);
    const begun = performance.now();
    await work(env.rustine);
    expect(performance.now() - begun).toBeLessThan(5_000);
    const outcome = await env.rustine.follow(run, nothing, never);
    expect(outcome).toMatchObject({ state: 'partial', folders: [{ state: 'integrated' }, { state: 'failed' }] });
    expect(outcome?.findings).toContainEqual(expect.objectContaining({ code: 'lock-timeout', folder: 'SEED' }));
  });

  it('R12: cancelled while it waits for sessions, nobody is waited for or disconnected; who follows sees whom it waits for', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const user = await somebody(await env.rustine.databaseUrl('SEED'));
    const paths = [await env.patch('A.dat', [item])];
    const { run } = await env.rustine.queue({ paths, mode: 'integrate', waitMs: 60_000, disconnect: true });
    const worker = work(await another(env));
    let cancelledAt = Number.NaN;
    const outcome = await env.rustine.follow(
      run,
      (event) => {
        if (event.kind !== 'sessions') return;
        cancelledAt = performance.now();
        void env.rustine.runs.cancel(run);
      },
      never,
    );
    await worker;
    expect(performance.now() - cancelledAt).toBeLessThan(5_000);
    expect(outcome?.state).toBe('cancelled');
    expect(outcome?.folders.map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
    expect((await user.query('select 1 as here')).rows).toEqual([{ here: 1 }]);
    expect(await leftovers(env.url)).toEqual([]);
  });

  it('R12: its checks are those of the moment when it begins, not of that when it began to wait', async () => {
    const settings = { tasks: { other: { command: process.execPath, words: ['-e', ''], timeoutMs: 10_000, environment: [] } } };
    const env = await openEnvironment(server, { folders: ['SEED'], settings });
    const busy = await env.rustine.tasks.add({ kind: 'other', folder: 'SEED' });
    await env.query(
      `insert into rustine.process (id, kind, host, pid, alive_until) values ('w', 'worker', 'elsewhere', 1, now() + interval '1 hour')`,
    );
    await env.query(`update rustine.task set state = 'active', process = 'w', host = 'elsewhere', started_at = now()`);
    const { run } = await env.rustine.queue({ paths: [await env.patch('A.dat', [item])], mode: 'integrate' });
    const heard: RunEvent['kind'][] = [];
    const worker = work(env.rustine, { heard: ({ kind }) => void heard.push(kind) });
    while (!heard.includes('tasks-waiting')) await sleep(20);
    await env.query(`update rustine.folder set state = 'creating' where code = 'SEED'`);
    await env.query(`update rustine.task set state = 'done', finished_at = now() where id = $1`, [busy.id]);
    await worker;
    const outcome = await env.rustine.follow(run, nothing, never);
    expect(outcome?.state).toBe('refused');
    expect(await leftovers(env.url)).toEqual(['process w 1']);
    expect(outcome?.findings).toMatchObject([{ code: 'folder-not-ready', severity: 'block', folder: 'SEED' }]);
  });

  it('R31: a folder that failed elsewhere stops those at work after their patch, where the run stops at errors', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2', 'A3'] });
    const paths = [await env.patch('A.dat', [item]), await env.patch('B.dat', [row('ITM', 'x', { COD: 'A', NAM: 'n' })])];
    const { run } = await env.rustine.queue({ paths, mode: 'integrate', onError: 'stop' });
    const holder = await somebody(env.url, 'begin', `select from rustine.folder where code = 'A1' for update`);
    // Another worker is at A2, and it fails there.
    await work(env.rustine, {
      heard: (event) => {
        if (event.kind !== 'patch-started' || event.folder !== 'A1') return;
        void env
          .query(`update rustine.run_folder set state = 'failed', outcome = $1, finished_at = now() where folder = 'A2'`, [
            JSON.stringify({
              folder: 'A2',
              state: 'failed',
              due: false,
              patches: [{ file: 'A.dat', state: 'failed', reason: { code: 'x', facts: {} } }],
            }),
          ])
          .then(() => sleep(1_500))
          .then(() => holder.query('commit'));
      },
    });
    const outcome = await env.rustine.follow(run, nothing, never);
    expect(outcome?.state).toBe('partial');
    expect(ofFolder(outcome?.folders, 'A1')).toEqual(['integrated', 'A.dat integrated', 'B.dat skipped']);
    expect(ofFolder(outcome?.folders, 'A3')).toEqual(['skipped', 'A.dat skipped', 'B.dat skipped']);
  });

  it('R16: a file that goes between its check and its storing is told, and nothing is queued', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const path = await env.patch('A.dat', [item]);
    const gone: Promise<void>[] = [];
    const refused = env.rustine.queue({
      paths: [path],
      mode: 'integrate',
      // Read after the files.
      get onError() {
        gone.push(rm(path, { force: true }));
        return 'continue' as const;
      },
    });
    await expect(refused).rejects.toMatchObject({ code: 'patch-unreadable', facts: { reason: 'ENOENT' } });
    expect(gone).not.toEqual([]);
    expect(await env.query('select id from rustine.run')).toEqual([]);
  });

  it('R17: room for locks is counted over all workers that take folders, not over the program that queues', async () => {
    const env = await openEnvironment(server);
    const database = await openPostgres(env.url, 1);
    env.later(() => database.close());
    const counted = (): Promise<number> => jobsOfWorkers({ database, jobs: 3 });
    expect(await counted()).toBe(3);
    const worker = `insert into rustine.process (id, kind, host, pid, alive_until, patch_jobs) values ($1, 'worker', 'elsewhere', 1, now() + $2 * interval '1 hour', $3)`;
    await env.query(worker, ['a', 1, 8]);
    await env.query(worker, ['b', 1, 4]);
    // One for other tasks only, and one that is gone.
    await env.query(worker, ['c', 1, 0]);
    await env.query(worker, ['d', -1, 16]);
    expect(await counted()).toBe(12);
    expect((await env.rustine.queue({ paths: [await env.patch('A.dat', [item])], mode: 'integrate' })).workers).toBe(2);
  });
});
