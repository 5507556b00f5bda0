// Runs that workers carry out: queued with their files, folders taken by several workers, gone on with after one is killed.
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openRustine, type Rustine } from '../../src/app/rustine.ts';
import type { WorkerEvent } from '../../src/app/tasks.ts';
import { rustine as command, leftovers } from '../support/crash.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { exe, row, script, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const item = table('ITEM', 'ITM', { COD: 'A:10', NAM: 'A:20' }, { IDX0: 'COD' });
const never = new AbortController().signal;

async function drain(rustine: Rustine, jobs = 2): Promise<readonly WorkerEvent[]> {
  const events: WorkerEvent[] = [];
  await rustine.tasks.work({ jobs, once: true, stop: never, abort: never, listener: (event) => void events.push(event) });
  return events;
}

async function another({ url, home, later }: TestEnvironment): Promise<Rustine> {
  const rustine = await openRustine({ home, database: url, language: 'en' });
  later(() => rustine.close());
  return rustine;
}

const states = ({ query }: TestEnvironment) =>
  query<{ folder: string; state: string; attempts: number }>(
    'select folder, state, attempts from rustine.run_folder order by wave, folder',
  );

describe.each(oneServer())('queued runs on $name', (server) => {
  it('R12: a run is queued with its files, and waits for a worker; any machine can carry it out', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'ACME'] });
    const path = await env.patch('A.dat', [item, script('HELLO', '# hello'), row('ITM', 'x', { COD: 'A', NAM: 'n' })]);
    const queued = await env.rustine.queue({ paths: [path], mode: 'integrate' });
    expect(queued).toMatchObject({ state: 'queued', mode: 'integrate', findings: [], workers: 0 });
    expect(await states(env)).toMatchObject([{ state: 'waiting' }, { state: 'waiting' }, { state: 'waiting' }]);
    expect(await env.rustine.tasks.list({})).toMatchObject([{ kind: 'patch', run: queued.run, state: 'queued', title: 'A.dat' }]);
    // The file is in the catalog: that of this machine is not needed any more.
    await rm(path);
    await drain(await another(env));
    const outcome = await env.rustine.follow(queued.run, () => undefined, never);
    expect(outcome?.state).toBe('done');
    expect(outcome?.folders.map(({ folder, state }) => [folder, state])).toEqual([
      ['X3', 'integrated'],
      ['ACME', 'integrated'],
      ['SEED', 'integrated'],
    ]);
    expect(await env.query('select nam_0 from seed.item')).toEqual([{ nam_0: 'n' }]);
    expect(await env.query('select * from rustine.run_file_chunk')).toEqual([]);
    expect(await env.rustine.tasks.list({})).toMatchObject([{ kind: 'patch', state: 'done' }]);
    expect(await leftovers(env.url)).toEqual([]);
    const trace = (await env.rustine.log(queued.run)).map(({ kind }) => kind);
    expect(trace[0]).toBe('run-started');
    expect(trace.filter((kind) => kind === 'run-finished')).toEqual(['run-finished']);
    expect(trace.filter((kind) => kind === 'folder-finished').length).toBe(3);
  });

  it('several workers at once: each folder is done by one, the run ends once', async () => {
    const codes = Array.from({ length: 8 }, (_, at) => `F${at}`);
    const env = await openEnvironment(server, { folders: codes });
    const paths = [await env.patch('A.dat', [item]), await env.patch('B.dat', [row('ITM', 'x', { COD: 'A', NAM: 'n' })])];
    const { run } = await env.rustine.queue({ paths, mode: 'integrate' });
    const workers = [env.rustine, await another(env), await another(env)];
    const heard: string[] = [];
    const [outcome] = await Promise.all([
      env.rustine.follow(run, ({ kind }) => void heard.push(kind), never),
      ...workers.map((each) => drain(each)),
    ]);
    expect(outcome?.state).toBe('done');
    expect(await states(env)).toEqual(['X3', ...codes].map((folder) => ({ folder, state: 'integrated', attempts: 1 })));
    expect(await env.query(`select count(*)::integer as n from rustine.integration where file in ('A.dat', 'B.dat')`)).toEqual([
      { n: 18 },
    ]);
    expect(heard.filter((kind) => kind === 'run-finished').length).toBe(1);
    expect(heard.filter((kind) => kind === 'wave-started').length).toBe(2);
    expect(await leftovers(env.url)).toEqual([]);
  });

  it('R33: a wave is told when it begins, not when its first folder has ended', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const slow = await env.patch('A.dat', [script('SLOW', 'select pg_sleep(1);'), exe('SLOW')]);
    const { run } = await env.rustine.queue({ paths: [slow], mode: 'integrate' });
    const working = drain(await another(env));
    const now = async () => {
      const [found] = await env.query<{ waves: number; seed: string }>(
        `select (select count(*)::integer from rustine.event where run = $1 and event->>'kind' = 'wave-started') as waves,
          (select state from rustine.run_folder where run = $1 and folder = 'SEED') as seed`,
        [run],
      );
      return found;
    };
    let at = await now();
    for (; at?.waves !== 2; at = await now()) await sleep(20);
    expect(at.seed).toBe('running');
    await working;
  });

  it('R12: it waits in the queue for a task at work, and other tasks wait for it', async () => {
    const env = await openEnvironment(server, {
      folders: ['SEED'],
      settings: { tasks: { other: { command: process.execPath, words: ['-e', ''], timeoutMs: 10_000, environment: [] } } },
    });
    const path = await env.patch('A.dat', [item]);
    const busy = await env.rustine.tasks.add({ kind: 'other', folder: 'SEED' });
    await env.query(
      `insert into rustine.process (id, kind, host, pid, alive_until) values ('w', 'worker', 'elsewhere', 1, now() + interval '1 hour')`,
    );
    await env.query(`update rustine.task set state = 'active', process = 'w', host = 'elsewhere', started_at = now()`);
    const { run } = await env.rustine.queue({ paths: [path], mode: 'integrate' });
    const heard: string[] = [];
    const followed = env.rustine.follow(run, ({ kind }) => void heard.push(kind), never);
    const working = drain(env.rustine);
    while (!heard.includes('tasks-waiting')) await sleep(20);
    const later = await env.rustine.tasks.add({ kind: 'other', folder: 'SEED' });
    // Nothing new starts there while the run waits: else it could wait for ever.
    await sleep(1_500);
    expect((await env.rustine.tasks.list({ id: later.id }))[0]?.state).toBe('queued');
    await env.query(`update rustine.task set state = 'done', finished_at = now() where id = $1`, [busy.id]);
    expect((await followed)?.state).toBe('done');
    await working;
    const ends = await env.query<{ late: boolean }>(
      `select (select started_at from rustine.task where id = $1) >= (select finished_at from rustine.run where id = $2) as late`,
      [later.id, run],
    );
    expect(ends).toEqual([{ late: true }]);
  });

  it('R15: nobody looks on: a patch that is there already is not queued, and says why', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const path = await env.patch('P_0001_140.dat', [item]);
    await env.integrate(path);
    const refused = await env.rustine.queue({ paths: [path], mode: 'integrate' });
    expect(refused.state).toBe('refused');
    expect(refused.findings.filter(({ severity }) => severity === 'block').map(({ code }) => code)).toEqual([
      'already-integrated',
    ]);
    expect(await env.query('select * from rustine.run_file')).toEqual([]);
    expect(await env.rustine.tasks.list({})).toEqual([]);
  });

  it('of two runs with the same folders the second is not queued', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const first = await env.rustine.queue({ paths: [await env.patch('A.dat', [item])], mode: 'integrate' });
    const second = await env.rustine.queue({ paths: [await env.patch('B.dat', [item])], mode: 'integrate', folders: ['SEED'] });
    expect(second.findings).toMatchObject([
      { code: 'supervisor-missing' },
      {
        code: 'run-active',
        facts: {
          run: first.run,
          state: 'queued',
          folders: ['SEED'],
          since: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d$/),
        },
      },
    ]);
    expect(second.state).toBe('refused');
  });

  it('R32: a rehearsal in the queue leaves nothing', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const { run } = await env.rustine.queue({ paths: [await env.patch('A.dat', [item])], mode: 'rehearse' });
    await drain(env.rustine);
    const outcome = await env.rustine.follow(run, () => undefined, never);
    expect(outcome).toMatchObject({
      mode: 'rehearse',
      state: 'done',
      folders: [{ state: 'integrated' }, { state: 'integrated' }],
    });
    expect(await env.query(`select to_regclass('seed.item') is null as absent`)).toEqual([{ absent: true }]);
  });

  it('a worker that is stopped gives its folders back; the next one goes on', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2', 'A3'] });
    const paths = [await env.patch('A.dat', [item]), await env.patch('B.dat', [script('HELLO', '# hello')])];
    const { run } = await env.rustine.queue({ paths, mode: 'integrate' });
    const stop = new AbortController();
    await env.rustine.tasks.work({
      jobs: 1,
      stop: stop.signal,
      abort: never,
      listener: (event) => {
        // In the middle of the second folder.
        if (event.kind === 'run-event' && event.event.kind === 'patch-started' && event.event.folder === 'A1') stop.abort();
      },
    });
    expect((await states(env)).map(({ state }) => state)).toEqual(['integrated', 'waiting', 'waiting', 'waiting']);
    expect(await env.rustine.tasks.list({})).toMatchObject([{ kind: 'patch', state: 'queued', attempts: 0 }]);
    expect(
      await env.query(
        `select file from rustine.integration i join rustine.folder f on f.id = i.folder where f.code = 'A1' and file like '%.dat'`,
      ),
    ).toEqual([{ file: 'A.dat' }]);
    await drain(await another(env));
    const outcome = await env.rustine.follow(run, () => undefined, never);
    expect(outcome?.state).toBe('done');
    expect(outcome?.folders[1]).toMatchObject({
      folder: 'A1',
      state: 'integrated',
      patches: [{ state: 'integrated' }, { state: 'integrated' }],
    });
    expect(await leftovers(env.url)).toEqual([]);
  });

  it.each(['applied:3', 'folder-claimed:2'])(
    'two workers on one machine, one killed at %s: the other takes its folder',
    async (point) => {
      const codes = Array.from({ length: 6 }, (_, at) => `F${at}`);
      const env = await openEnvironment(server, { folders: codes });
      const paths = [await env.patch('A.dat', [item]), await env.patch('B.dat', [row('ITM', 'x', { COD: 'A', NAM: 'n' })])];
      const { run } = await env.rustine.queue({ paths, mode: 'integrate' });
      const options = ['--jobs', '1', '--home', env.home, '--database', env.url];
      const killed = command(['worker', '--once', ...options], { at: point });
      // It has begun the run: from here on both are at work.
      while ((await states(env)).every(({ attempts }) => attempts === 0)) await sleep(5);
      const other = drain(env.rustine, 2);
      expect((await killed).code).toBe(null);
      await other;
      const outcome = await env.rustine.follow(run, () => undefined, never);
      expect(outcome?.state).toBe('done');
      expect(outcome?.folders.map(({ state }) => state)).toEqual(Array.from({ length: 7 }, () => 'integrated'));
      expect(await env.query(`select count(*)::integer as n from rustine.integration where file in ('A.dat', 'B.dat')`)).toEqual([
        { n: 14 },
      ]);
      // The staging of the dead one is the next command's.
      await env.rustine.recover();
      expect(await leftovers(env.url)).toEqual([]);
    },
  );

  it.each([
    'run-to-begin',
    'run-begun',
    'run-logins-shut',
    'run-open',
    'folder-claimed:2',
    'applied:3',
    'recorded:3',
    'folder-to-settle:2',
  ])('a worker that is killed at %s: another one goes on, and nothing is done twice', async (point) => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2'] });
    const paths = [await env.patch('A.dat', [item]), await env.patch('B.dat', [row('ITM', 'x', { COD: 'A', NAM: 'n' })])];
    const { run } = await env.rustine.queue({ paths, mode: 'integrate' });
    const options = ['--home', env.home, '--database', env.url];
    const killed = await command(['worker', '--once', '--jobs', '1', ...options], { at: point });
    expect(killed.code).toBe(null);
    expect((await env.query<{ state: string }>('select state from rustine.run'))[0]?.state).toMatch(/queued|running/);
    const ended = await command(['worker', '--once', '--jobs', '2', ...options]);
    expect(ended.code, ended.err).toBe(0);
    const outcome = await env.rustine.follow(run, () => undefined, never);
    expect(outcome?.state).toBe('done');
    expect(outcome?.folders.map((folder) => [folder.state, ...folder.patches.map(({ state }) => state)])).toEqual(
      Array.from({ length: 3 }, () => ['integrated', 'integrated', 'integrated']),
    );
    expect(
      await env.query(`select f.code, i.file, count(*)::integer as n from rustine.integration i join rustine.folder f on f.id = i.folder
          where i.file in ('A.dat', 'B.dat') group by 1, 2 having count(*) > 1`),
    ).toEqual([]);
    expect(await env.query('select role_name from rustine.shut_login')).toEqual([]);
    expect(await leftovers(env.url)).toEqual([]);
  });
});
