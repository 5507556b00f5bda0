// The batch server: tasks per folder, taken by workers, held while a run or a validation has the folder.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Settings } from '../../src/app/config.ts';
import type { WorkerEvent } from '../../src/app/tasks.ts';
import type { Runner } from '../../src/integrate/runner.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { table } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

const program = (...words: readonly string[]): Runner => ({
  command: process.execPath,
  words: ['-e', ...words],
  timeoutMs: 20_000,
  environment: [],
});
/** Says what it was told, and takes a moment. */
const SAYS = program(
  'console.log([...process.argv.slice(1), process.env.RUSTINE_FOLDER].join(" "))',
  '{kind}',
  '{folder}',
  '{title}',
);

const settings = (tasks: Readonly<Record<string, Runner>>): Partial<Settings> => ({ tasks });

async function drain(
  environment: TestEnvironment,
  options: { readonly kinds?: readonly ('accounting' | 'other' | 'validation')[]; readonly jobs?: number } = {},
) {
  const events: WorkerEvent[] = [];
  const never = new AbortController().signal;
  await environment.rustine.tasks.work({
    ...options,
    once: true,
    stop: never,
    abort: never,
    listener: (event) => events.push(event),
  });
  return events;
}

const reached = async (what: () => Promise<boolean>): Promise<void> => {
  while (!(await what())) await sleep(20);
};

describe.each(everyServer())('$name', (server) => {
  it('R12: a task is queued, carried out by a worker, and its output is kept', async () => {
    const environment = await openEnvironment(server, { folders: ['SEED'], settings: settings({ accounting: SAYS }) });
    const { tasks } = environment.rustine;
    const added = await tasks.add({ kind: 'accounting', folder: 'seed', title: 'close; $(month) {folder}' });
    expect(added).toMatchObject({ kind: 'accounting', folder: 'SEED', state: 'queued', attempts: 0, worker: null });
    const events = await drain(environment);
    expect(events.map(({ kind }) => kind)).toEqual(['worker-started', 'task-started', 'task-finished']);
    const [done] = await tasks.list({});
    expect(done).toMatchObject({
      id: added.id,
      state: 'done',
      exit: 0,
      attempts: 1,
      output: 'accounting SEED close; $(month) {folder} SEED\n',
    });
    expect(done?.worker).not.toBeNull();
    // The queue keeps nothing of what is over, and no worker is left registered.
    expect(await environment.query('select id from rustine_batch.job')).toEqual([]);
    expect(await environment.query('select id from rustine.process')).toEqual([]);
  });

  it('a worker takes 32 pieces of work at the most, whatever it is told: each has connections of its own', async () => {
    const environment = await openEnvironment(server, { folders: ['SEED'] });
    expect(await drain(environment, { jobs: 1_000 })).toMatchObject([{ kind: 'worker-started', jobs: 32 }]);
  });

  it('R12: a task that fails says how, with what it printed', async () => {
    const environment = await openEnvironment(server, {
      folders: ['SEED'],
      settings: settings({
        bad: program('console.log("half way"); process.exit(3)'),
        slow: { ...program('setInterval(() => {}, 1000)'), timeoutMs: 200 },
        absent: { ...SAYS, command: '/no/such/program' },
        killed: program('process.kill(process.pid, "SIGKILL")'),
      }),
    });
    const { tasks } = environment.rustine;
    for (const name of ['bad', 'slow', 'absent', 'killed']) await tasks.add({ kind: 'other', folder: 'SEED', program: name });
    await drain(environment, { jobs: 4 });
    const ended = (await tasks.list({})).map(({ program: name, state, reason, exit, output }) => ({
      name,
      state,
      reason,
      exit,
      output,
    }));
    expect(ended.reverse()).toEqual([
      { name: 'bad', state: 'failed', reason: 'exit', exit: 3, output: 'half way\n' },
      { name: 'slow', state: 'failed', reason: 'timeout', exit: null, output: '' },
      { name: 'absent', state: 'failed', reason: 'not-started', exit: null, output: '/no/such/program: ENOENT' },
      { name: 'killed', state: 'failed', reason: 'signal', exit: null, output: 'SIGKILL' },
    ]);
  });

  it('R12: a program that is not configured, and a folder that there is not, are refused', async () => {
    const environment = await openEnvironment(server, { folders: ['SEED'], settings: settings({ accounting: SAYS }) });
    const { tasks } = environment.rustine;
    await expect(tasks.add({ kind: 'other', folder: 'SEED' })).rejects.toMatchObject({
      code: 'task-program',
      facts: { program: 'other', known: ['accounting'] },
    });
    await expect(tasks.add({ kind: 'accounting', folder: 'NONE' })).rejects.toMatchObject({ code: 'folder-unknown' });
    await expect(tasks.cancel(99)).rejects.toMatchObject({ code: 'task-unknown' });
    expect(await tasks.list({})).toEqual([]);
  });

  it('R35: a validation is a task; while it is at work nothing else starts in its folder', async () => {
    const environment = await openEnvironment(server, { folders: ['SEED', 'ACME'], settings: settings({ accounting: SAYS }) });
    const { tasks } = environment.rustine;
    await environment.query(`update rustine.folder set due = '{modules}' where code = 'SEED'`);
    const validation = await tasks.add({ kind: 'validation', folder: 'SEED' });
    // As if another worker were at it.
    await environment.query(
      `insert into rustine.process (id, kind, host, pid, alive_until) values ('other', 'worker', 'elsewhere', 1, now() + interval '1 hour')`,
    );
    await environment.query(`update rustine.task set state = 'active', process = 'other' where id = $1`, [validation.id]);
    const held = await tasks.add({ kind: 'accounting', folder: 'SEED' });
    const free = await tasks.add({ kind: 'accounting', folder: 'ACME' });
    await drain(environment, { kinds: ['accounting'] });
    const states = async () => Object.fromEntries((await tasks.list({})).map(({ id, state }) => [id, state]));
    expect(await states()).toEqual({ [validation.id]: 'active', [held.id]: 'queued', [free.id]: 'done' });
    // That worker is gone: the validation is begun again, here.
    await environment.query(`delete from rustine.process where id = 'other'`);
    await drain(environment);
    expect(await states()).toEqual({ [validation.id]: 'done', [held.id]: 'done', [free.id]: 'done' });
    expect(await environment.query(`select due from rustine.folder where code = 'SEED'`)).toEqual([{ due: [] }]);
  });

  it('R12: while a run is at work, tasks of its folders stay queued; those of others start', async () => {
    const environment = await openEnvironment(server, { folders: ['SEED', 'ACME'], settings: settings({ other: SAYS }) });
    const { tasks } = environment.rustine;
    await environment.query(
      `insert into rustine.run (id, mode, state, from_folder, operator, host, pid, files) values ('r', 'integrate', 'running', 'X3', 'me', 'here', 1, '{}')`,
    );
    await environment.query(`insert into rustine.run_folder (run, folder, wave) values ('r', 'SEED', 0)`);
    const held = await tasks.add({ kind: 'other', folder: 'SEED' });
    const free = await tasks.add({ kind: 'other', folder: 'ACME' });
    await drain(environment);
    expect((await tasks.list({})).map(({ id, state }) => [id, state])).toEqual([
      [free.id, 'done'],
      [held.id, 'queued'],
    ]);
    await environment.query(`update rustine.run set state = 'done'`);
    await drain(environment);
    expect(await tasks.list({ states: ['queued', 'active'] })).toEqual([]);
  });

  it('R12: a run is refused while a task is at work in one of its folders, and waits for it where it is told to', async () => {
    const environment = await openEnvironment(server, { folders: ['SEED', 'ACME'], settings: settings({ other: SAYS }) });
    const { tasks } = environment.rustine;
    const path = await environment.patch('A.dat', [table('ITEM', 'ITM', { COD: 'A:10' }, { IDX0: 'COD' })]);
    const task = await tasks.add({ kind: 'other', folder: 'SEED', title: 'stock' });
    await environment.query(
      `insert into rustine.process (id, kind, host, pid, alive_until) values ('w', 'worker', 'elsewhere', 1, now() + interval '1 hour')`,
    );
    await environment.query(`update rustine.task set state = 'active', process = 'w', host = 'elsewhere', started_at = now()`);
    const refused = await environment.rustine.integrate({ paths: [path], mode: 'integrate' });
    expect(refused.state).toBe('refused');
    expect(refused.findings.filter(({ severity }) => severity === 'block')).toMatchObject([
      { code: 'tasks-active', folder: 'SEED', facts: { task: task.id, kind: 'other', title: 'stock', worker: 'elsewhere' } },
    ]);
    // Other folders are free.
    await environment.integrate(path, { folders: ['ACME'], force: [] });
    const heard: string[] = [];
    const waiting = environment.rustine.integrate({
      paths: [path],
      mode: 'integrate',
      waitMs: 60_000,
      listener: ({ kind }) => heard.push(kind),
    });
    await reached(async () => heard.includes('tasks-waiting'));
    await environment.query(`update rustine.task set state = 'done', finished_at = now()`);
    expect((await waiting).state).toBe('done');
  });

  it('R12: a queued task is cancelled at once, one at work is stopped by its worker', async () => {
    const environment = await openEnvironment(server, {
      folders: ['SEED'],
      settings: settings({ long: program('console.log("begun"); setInterval(() => {}, 1000)') }),
    });
    const { tasks } = environment.rustine;
    const first = await tasks.add({ kind: 'other', folder: 'SEED', program: 'long' });
    const second = await tasks.add({ kind: 'other', folder: 'SEED', program: 'long' });
    expect(await tasks.cancel(second.id)).toMatchObject({ state: 'cancelled' });
    const working = drain(environment);
    await reached(async () => (await tasks.list({ id: first.id }))[0]?.state === 'active');
    expect(await tasks.cancel(first.id)).toMatchObject({ state: 'active', cancelRequested: true });
    await working;
    expect(await tasks.list({ id: first.id })).toMatchObject([{ state: 'cancelled' }]);
    await expect(tasks.cancel(first.id)).rejects.toMatchObject({ code: 'task-ended', facts: { state: 'cancelled' } });
  });

  it('R12: of many workers each task is taken by one', async () => {
    const environment = await openEnvironment(server, { folders: ['SEED'], settings: settings({ other: SAYS }) });
    const { tasks } = environment.rustine;
    for (let at = 0; at < 12; at++) await tasks.add({ kind: 'other', folder: 'SEED', title: `n${at}` });
    const events = (
      await Promise.all([drain(environment, { jobs: 3 }), drain(environment, { jobs: 3 }), drain(environment, { jobs: 3 })])
    ).flat();
    const started = events.flatMap((event) => (event.kind === 'task-started' ? [event.task.id] : []));
    expect(started.length).toBe(12);
    expect(new Set(started).size).toBe(12);
    const ended = await tasks.list({});
    expect(ended.map(({ state, attempts }) => `${state} ${attempts}`)).toEqual(Array.from({ length: 12 }, () => 'done 1'));
  });

  it('a program whose worker is gone is not run twice: nobody knows how far it got', async () => {
    const environment = await openEnvironment(server, { folders: ['SEED'], settings: settings({ accounting: SAYS }) });
    const { tasks } = environment.rustine;
    const task = await tasks.add({ kind: 'accounting', folder: 'SEED' });
    await environment.query(`update rustine.task set state = 'active', process = 'gone', attempts = 1 where id = $1`, [task.id]);
    await drain(environment);
    expect(await tasks.list({})).toMatchObject([{ state: 'failed', reason: 'worker-lost', attempts: 1 }]);
    expect(await environment.query('select id from rustine_batch.job')).toEqual([]);
  });
});
