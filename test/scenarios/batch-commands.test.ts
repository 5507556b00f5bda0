// The command line of the batch server: queueing and following, leaving, tasks, workers, in both languages.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { openRustine, type Rustine } from '../../src/app/rustine.ts';
import { typed } from '../support/command-line.ts';
import { leftovers } from '../support/crash.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { row, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const item = table('ITEM', 'ITM', { COD: 'A:10', NAM: 'A:20' }, { IDX0: 'COD' });
const narrow = table('ITEM', 'ITM', { COD: 'A:10', NAM: 'A:1' }, { IDX0: 'COD' });
const never = new AbortController().signal;

async function work({ url, home, later }: TestEnvironment): Promise<void> {
  const worker: Rustine = await openRustine({ home, database: url, language: 'en' });
  later(() => worker.close());
  await worker.tasks.work({ jobs: 2, once: true, stop: never, abort: never, listener: () => undefined });
}

const RUN = /[0-9a-f]{8}-[0-9a-f-]{27}/;

describe.each(oneServer())('commands of the batch server on $name', (server) => {
  it('R12: `integrate --batch --follow` shows the run until its end, and leaves with its exit code', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'ACME'] });
    const path = await env.patch('A.dat', [item]);
    let worker: Promise<void> | undefined;
    const done = await typed(env, ['integrate', path, '--batch', '--follow'], {
      heard: (text) => {
        if (text.includes('is queued')) worker ??= work(env);
      },
    });
    await worker;
    expect(done.code).toBe(0);
    expect(done.err).toMatch(/Run \S+ is queued: 1 patch, 3 folders\./);
    expect(done.err).toContain('It waits: there is no worker.');
    expect(done.err).toMatch(/ACME/);
    expect(done.out).toMatch(/^ACME, SEED|^X3/m);
    expect(done.out).toContain('Done.');
    // ITEM gets a value in ACME that would not survive the next patch.
    await env.query(`insert into acme.item (cod_0, nam_0) values ('A', 'long')`);
    const next = await env.patch('B.dat', [narrow]);
    const following = typed(env, ['integrate', next, '--batch', '--follow', '--json']);
    while ((await env.query(`select from rustine.run where state = 'queued'`)).length === 0) await sleep(20);
    await work(env);
    const partial = await following;
    expect(partial.code).toBe(1);
    expect(JSON.parse(partial.out)).toMatchObject({
      state: 'partial',
      findings: [{ code: 'values-do-not-fit', folder: 'ACME', message: expect.stringContaining('ITEM') }],
      folders: [
        { folder: 'X3', state: 'integrated' },
        { folder: 'ACME', state: 'failed', patches: [{ file: 'B.dat', reason: { code: 'blocked' } }] },
        { folder: 'SEED', state: 'integrated' },
      ],
    });
    expect((await typed(env, ['task', 'list'])).out).toMatch(/done, its run: done for some folders only/);
    // The same again, as it was: everywhere but in ACME it is there. The first patch alone is there everywhere.
    const again = JSON.parse((await typed(env, ['integrate', path, next, '--batch', '--json'])).out);
    expect(again).toMatchObject({
      state: 'queued',
      findings: [
        { severity: 'warn', patch: 'A.dat' },
        { severity: 'info', patch: 'B.dat' },
      ],
    });
    await typed(env, ['cancel', again.run]);
    const [refused, blocked] = [
      await typed(env, ['integrate', path, '--batch', '--follow', '--lang', 'fr']),
      await typed(env, ['integrate', path, '--batch', '--json']),
    ];
    expect([refused.code, refused.out]).toEqual([2, expect.stringContaining('A.dat est déjà intégré dans tous les dossiers')]);
    expect(JSON.parse(blocked.out)).toMatchObject({
      state: 'refused',
      findings: [{ code: 'already-integrated', severity: 'block' }],
    });
    expect(await leftovers(env.url)).toEqual([]);
  });

  it('Ctrl-C leaves the run that is followed: it goes on', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const path = await env.patch('A.dat', [item]);
    const left = await typed(env, ['integrate', path, '--batch', '--follow'], {
      heard: (text, interrupt) => {
        if (text.includes('is queued')) setTimeout(interrupt, 200);
      },
    });
    const [run] = RUN.exec(left.out) ?? [''];
    expect([left.code, left.out]).toEqual([0, `Run ${run} goes on. \`rustine log ${run} --follow\` shows how.\n`]);
    expect(await env.query('select state from rustine.run where id = $1', [run])).toEqual([{ state: 'queued' }]);
    await work(env);
    expect(await env.query('select state from rustine.run where id = $1', [run])).toEqual([{ state: 'done' }]);
  });

  it('a queued run that is cancelled has ended: its trace says so, and nothing of it is left', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const path = await env.patch('A.dat', [item]);
    const alone = await typed(env, ['integrate', path, '--batch', '--folders', 'SEED']);
    expect(alone.out).toMatch(/X3 is not among the folders[\s\S]*Run \S+ is queued/);
    await typed(env, ['cancel', RUN.exec(alone.out)?.[0] ?? '']);
    await env.query('delete from rustine.task');
    await env.query('delete from rustine.run');
    const queued = JSON.parse((await typed(env, ['integrate', path, '--batch', '--json'])).out);
    expect(queued).toMatchObject({ state: 'queued', workers: 0, folders: [{ state: 'waiting' }, { state: 'waiting' }] });
    const cancelled = await typed(env, ['cancel', queued.run]);
    expect([cancelled.code, cancelled.out]).toEqual([0, `Run ${queued.run} is cancelled: nobody was at work in it.\n`]);
    expect((await env.rustine.log(queued.run)).map(({ kind }) => kind)).toEqual([
      'run-cancelled',
      'folder-finished',
      'folder-finished',
      'run-finished',
    ]);
    expect(await env.rustine.follow(queued.run, () => undefined, never)).toMatchObject({ state: 'cancelled' });
    expect(await env.query('select file from rustine.run_file')).toEqual([]);
    expect(await env.rustine.tasks.list({ states: ['queued'] })).toEqual([]);
    expect(await env.rustine.tasks.list({})).toMatchObject([{ kind: 'patch', state: 'cancelled' }]);
    // Nothing is in the way of the same run, and no worker trips over what was.
    await typed(env, ['integrate', path, '--batch']);
    await work(env);
    expect(
      (await env.query<{ state: string }>('select state from rustine.run order by started_at')).map(({ state }) => state),
    ).toEqual(['cancelled', 'done']);
  });

  it('a run that workers share is cancelled from anywhere: its trace says who asked, once', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2', 'A3', 'A4'] });
    const paths = [await env.patch('A.dat', [item]), await env.patch('B.dat', [row('ITM', 'x', { COD: 'A', NAM: 'n' })])];
    const { run } = await env.rustine.queue({ paths, mode: 'integrate' });
    let asked: Promise<unknown> | undefined;
    const following = env.rustine.follow(
      run,
      (event) => {
        if (event.kind === 'folder-finished' && event.folder === 'X3') asked ??= typed(env, ['cancel', run]);
      },
      never,
    );
    // Nobody gets further than that before.
    const holder = new Client({ connectionString: env.url });
    await holder.connect();
    await holder.query('begin');
    await holder.query(`select from rustine.folder where code in ('A1', 'A2') for update`);
    const workers = Promise.all([work(env), work(env)]);
    while (asked === undefined) await sleep(20);
    await asked;
    await sleep(1_200);
    await holder.query('commit');
    await holder.end();
    await workers;
    expect(await following).toMatchObject({ state: 'cancelled' });
    const trace = await env.rustine.log(run);
    expect(trace.filter(({ kind }) => kind === 'run-cancelled')).toMatchObject([{ run, hard: false }]);
    expect(trace.filter(({ kind }) => kind === 'run-finished')).toMatchObject([{ state: 'cancelled' }]);
    expect(await leftovers(env.url)).toEqual([]);
  });

  it.each([
    {
      language: 'en',
      added: /^Task (\d+) \(accounting, folder SEED\) is queued: a worker carries it out\.\n$/,
      listed: [/task +kind +folder +state/, /accounting +SEED +queued/, /closing of May/],
      cancelled: /^Task \d+ is cancelled\.\n$/,
      worked: /^Tasks: 1 done, 0 failed, 0 cancelled\.\n$/,
      said: [/Worker \S+ at work: /, /task \d+ \(accounting, SEED\): begun/, /task \d+ \(accounting, SEED\): done/],
      none: 'There are no tasks.\n',
      ended: ['done', 'cancelled'],
    },
    {
      language: 'fr',
      added: /^La tâche (\d+) \(comptabilité, dossier SEED\) est en attente : un worker l'exécutera\.\n$/,
      listed: [/tâche +genre +dossier +état/, /comptabilité +SEED +en attente/, /closing of May/],
      cancelled: /^La tâche \d+ est annulée\.\n$/,
      worked: /^Tâches faites : 1, échouées : 0, annulées : 0\.\n$/,
      said: [
        /Worker \S+ au travail : /,
        /tâche \d+ \(comptabilité, SEED\) : commencée/,
        /tâche \d+ \(comptabilité, SEED\) : faite/,
      ],
      none: "Il n'y a pas de tâches.\n",
      ended: ['faite', 'annulée'],
    },
  ])('R12: `task` and `worker` in $language', async ({ language, added, listed, cancelled, worked, said, none, ended }) => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await writeFile(
      join(env.home, 'rustine.yaml'),
      `tasks:\n  accounting:\n    command: ${process.execPath}\n    arguments: [-e, 'console.log(42)']\n`,
    );
    const type = (...words: string[]) => typed(env, [...words, '--lang', language]);
    expect((await type('task', 'list')).out).toBe(none);
    const first = await type('task', 'add', 'accounting', 'SEED', '--title', 'closing of May');
    const second = await type('task', 'add', 'accounting', 'SEED');
    expect(first.out).toMatch(added);
    const list = await type('task');
    for (const line of listed) expect(list.out).toMatch(line);
    const [, number = ''] = added.exec(second.out) ?? [];
    const cancel = await type('task', 'cancel', number);
    expect(cancel.out).toMatch(cancelled);
    expect([first.code, second.code, list.code, cancel.code]).toEqual([0, 0, 0, 0]);
    const worker = await type('worker', '--once', '--kinds', 'accounting', '--jobs', '1');
    expect([worker.code, worker.out]).toEqual([0, expect.stringMatching(worked)]);
    for (const line of said) expect(worker.err).toMatch(line);
    const after = (await type('task', 'list', '--folder', 'seed')).out;
    for (const state of ended) expect(after).toContain(state);
    const again = await type('task', 'cancel', number);
    expect([again.code, again.out]).toEqual([2, '']);
    expect(JSON.parse((await type('task', 'list', '--json')).out)).toMatchObject({
      tasks: [
        { id: Number(number), state: 'cancelled', kind: 'accounting', folder: 'SEED' },
        { state: 'done', exit: 0, output: '42\n' },
      ],
    });
    expect(JSON.parse((await type('worker', '--once', '--json')).out)).toEqual({ tasks: { done: 0, failed: 0, cancelled: 0 } });
  });

  it('R30: a folder whose workers die fails (workers-lost) and keeps what it got; the others go on', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2'] });
    const paths = [await env.patch('A.dat', [item]), await env.patch('B.dat', [row('ITM', 'x', { COD: 'A', NAM: 'n' })])];
    const { run } = await env.rustine.queue({ paths, mode: 'integrate' });
    // Two workers were lost there, the second one after the first patch.
    const stop = new AbortController();
    await env.rustine.tasks.work({
      jobs: 1,
      once: true,
      stop: stop.signal,
      abort: never,
      listener: (event) => {
        if (event.kind !== 'run-event' || event.event.kind !== 'patch-finished') return;
        if (event.event.folder === 'A1') stop.abort();
      },
    });
    await env.query(
      `update rustine.run_folder set state = 'running', process = 'gone', lost = 2, attempts = 3 where folder = 'A1' and run = $1`,
      [run],
    );
    await work(env);
    const outcome = await env.rustine.follow(run, () => undefined, never);
    expect(outcome).toMatchObject({
      state: 'partial',
      findings: [{ code: 'workers-lost', severity: 'block', folder: 'A1', facts: { workers: 3 } }],
      folders: [
        { folder: 'X3', state: 'integrated' },
        {
          folder: 'A1',
          state: 'failed',
          patches: [
            { file: 'A.dat', state: 'integrated' },
            { file: 'B.dat', state: 'skipped', reason: { code: 'workers-lost' } },
          ],
        },
        { folder: 'A2', state: 'integrated' },
      ],
    });
    const shown = await typed(env, ['status', '--run', run]);
    expect([shown.code, shown.out]).toEqual([0, expect.stringMatching(/A1 .*failed/)]);
    const log = await typed(env, ['log', run, '--lang', 'fr']);
    expect(log.out).toContain('A1');
    expect(await leftovers(env.url)).toEqual([]);
  });
});
