// Stopping a run: from anywhere, by Ctrl-C once or twice; every folder stays whole, and running again goes on.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/journal/journal.ts';
import { itemHolder, openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { row, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/rustine.js');

const item = (length = 10) => table('ITEM', 'ITM', { COD: `A:${length}` }, { ITM0: 'COD' });

/** Two patches that build on each other. */
const two = async (env: TestEnvironment) => [
  await env.patch('P_0001_140.dat', [item()]),
  await env.patch('P_0002_140.dat', [row('ITM', 'x', { COD: 'A' })]),
];

/** A folder with the table, and somebody who holds it. */
async function held(env: TestEnvironment, folder: string): Promise<Client> {
  await env.integrate(await env.patch('P_0001_140.dat', [item()]));
  return itemHolder(env, folder);
}

/** Until the statement finds something. */
async function until(env: TestEnvironment, statement: string): Promise<void> {
  for (let look = 0; (await env.query(statement)).length === 0; look++) {
    if (look > 400) throw new Error(`in vain: ${statement}`);
    await sleep(25);
  }
}

const AT_WORK = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;

describe.each(oneServer())('$name', (server) => {
  test('R30: stopped once, the patch at work is ended, what has not begun is left out, and running again goes on', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2'] });
    const paths = await two(env);
    const stop = new AbortController();
    const heard: RunEvent[] = [];
    const listener = (event: RunEvent): void => {
      heard.push(event);
      if (event.kind === 'patch-started') stop.abort();
    };
    const outcome = await env.rustine.integrate({ paths, mode: 'integrate', cancel: stop.signal, listener });
    expect(outcome.state).toBe('cancelled');
    expect(outcome.folders.map(({ folder, state, patches }) => [folder, state, patches.map((patch) => patch.state)])).toEqual([
      ['X3', 'cancelled', ['integrated', 'skipped']],
      ['A1', 'cancelled', ['skipped', 'skipped']],
      ['A2', 'cancelled', ['skipped', 'skipped']],
    ]);
    expect(heard.find(({ kind }) => kind === 'run-cancelled')).toMatchObject({ run: outcome.run, hard: false });
    expect(await env.query('select distinct state from rustine.run_folder')).toEqual([{ state: 'cancelled' }]);
    expect(await env.query(`select state, finished_at is not null as ended from rustine.run`)).toEqual([
      { state: 'cancelled', ended: true },
    ]);
    const again = await env.integrate(paths);
    expect(again.folders.map(({ patches }) => patches.map((patch) => patch.state))).toEqual([
      ['already', 'integrated'],
      ['integrated', 'integrated'],
      ['integrated', 'integrated'],
    ]);
  });

  test('R30: stopped at once, what is at work is rolled back although somebody holds its lock', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    await held(env, 'a1');
    const stop = new AbortController();
    const paths = [await env.patch('P_0002_140.dat', [item(20)])];
    const run = env.rustine.integrate({ paths, mode: 'integrate', abort: stop.signal, lockTimeoutMs: 60_000 });
    await until(env, AT_WORK);
    const asked = performance.now();
    stop.abort();
    const outcome = await run;
    expect(performance.now() - asked).toBeLessThan(3_000);
    expect([outcome.state, outcome.folders.map(({ state }) => state)]).toEqual(['cancelled', ['integrated', 'cancelled']]);
    expect(outcome.findings.filter(({ severity }) => severity === 'block')).toEqual([]);
    expect(await env.query(`select fic_0 from a1.apatch`)).toEqual([{ fic_0: 'P_0001_140.dat' }]);
  });

  test('R32: a rehearsal stopped at once leaves nothing either', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    await held(env, 'x3');
    const stop = new AbortController();
    const paths = [
      await env.patch('P_0002_140.dat', [row('ITM', 'x', { COD: 'B' })]),
      await env.patch('P_0003_140.dat', [item(20)]),
    ];
    const run = env.rustine.integrate({ paths, mode: 'rehearse', abort: stop.signal, lockTimeoutMs: 60_000 });
    await until(env, AT_WORK);
    stop.abort();
    const outcome = await run;
    expect([outcome.state, outcome.folders.map(({ state, patches }) => [state, patches.map((patch) => patch.state)])]).toEqual([
      'cancelled',
      [
        ['cancelled', ['skipped', 'skipped']],
        ['cancelled', ['skipped', 'skipped']],
      ],
    ]);
    expect(await env.query('select 1 from x3.item')).toEqual([]);
  });

  test('a run is stopped from anywhere: by its number, its beginning, or as the only one; within seconds', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2'] });
    const other = await held(env, 'a1');
    await expect(env.rustine.runs.cancel()).rejects.toMatchObject({ code: 'no-run-active' });
    const heard: RunEvent[] = [];
    const paths = [await env.patch('P_0002_140.dat', [item(20)])];
    const run = env.rustine.integrate({
      paths,
      mode: 'integrate',
      jobs: 1,
      lockTimeoutMs: 60_000,
      listener: (event) => void heard.push(event),
    });
    await until(env, AT_WORK);
    const [open] = await env.rustine.runs.open();
    expect(open).toMatchObject({
      state: 'running',
      mode: 'integrate',
      files: ['P_0002_140.dat'],
      counts: { integrated: 1, running: 1, waiting: 1 },
    });
    const asked = await env.rustine.runs.cancel(open?.run.slice(0, 6), 'wrong delivery');
    const why = { cancelRequestedBy: expect.stringMatching(/./), cancelReason: 'wrong delivery' };
    expect(asked).toMatchObject({ run: open?.run, state: 'running', ...why });
    expect((await env.rustine.trace(asked.run, { folder: 'A2' })).run).toMatchObject(why);
    await until(env, `select 1 from rustine.run where cancel_requested_at < now() - interval '2 seconds'`);
    expect(heard.find(({ kind }) => kind === 'run-cancelled')).toMatchObject({ by: asked.cancelRequestedBy, hard: false });
    await other.query('rollback');
    const outcome = await run;
    expect(heard.filter(({ kind }) => kind === 'folder-finished').length, 'every folder is told').toBe(3);
    expect(outcome.state).toBe('cancelled');
    // The one at work ended its patch, or was waiting for its next attempt.
    expect(outcome.folders.map(({ state }) => state)).toEqual([
      'integrated',
      expect.stringMatching(/^(integrated|cancelled)$/),
      'cancelled',
    ]);
    await expect(env.rustine.runs.cancel(open?.run)).rejects.toMatchObject({ code: 'run-ended', facts: { state: 'cancelled' } });
    await expect(env.rustine.runs.cancel('zzzz')).rejects.toMatchObject({ code: 'run-unknown' });
    await expect(env.rustine.runs.show('')).rejects.toMatchObject({ code: 'run-unknown' });
    const shown = await env.rustine.runs.show(open?.run ?? '');
    expect(shown.folders.map(({ folder, wave }) => [folder, wave])).toEqual([
      ['X3', 0],
      ['A1', 1],
      ['A2', 1],
    ]);
  });

  test('a run that is stopped while it is queued never begins, and leaves none of its files', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    const { run } = await env.rustine.queue({ paths: [await env.patch('P_0001_140.dat', [item()])], mode: 'integrate' });
    expect(await env.rustine.runs.cancel()).toMatchObject({ run, state: 'cancelled', counts: { cancelled: 2 } });
    const never = new AbortController().signal;
    await env.rustine.tasks.work({ jobs: 1, once: true, stop: never, abort: never, listener: () => undefined });
    expect(await env.query('select 1 from x3.apatch')).toEqual([]);
    expect(await env.query('select 1 from rustine.run_file')).toEqual([]);
    expect((await env.rustine.runs.show(run)).run.state).toBe('cancelled');
  });

  test('Ctrl-C twice on the command line: the folder at work is as it was, the exit code says whether others got something', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    await held(env, 'a1');
    const path = await env.patch('P_0002_140.dat', [item(20)]);
    const child = spawn(process.execPath, [
      PROGRAM,
      'integrate',
      path,
      '--database',
      env.url,
      '--home',
      env.home,
      '--json',
      '--lang',
      'en',
    ]);
    const [out, err]: [string[], string[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => void out.push(chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => void err.push(chunk.toString()));
    const closed = once(child, 'close');
    await until(env, `${AT_WORK} and query like '%item%'`);
    child.kill('SIGINT');
    await until(env, AT_WORK);
    await sleep(100);
    child.kill('SIGINT');
    const [code] = (await closed) as [number];
    const document = JSON.parse(out.join('')) as { state: string; folders: { state: string }[] };
    expect([code, document.state, document.folders.map(({ state }) => state)]).toEqual([
      1,
      'cancelled',
      ['integrated', 'cancelled'],
    ]);
    expect(err.join('')).toMatch(/Stopping after the patches at work.*\n.*Rolling back/);
    expect(await env.query('select 1 from rustine.process')).toEqual([]);
  });
});
