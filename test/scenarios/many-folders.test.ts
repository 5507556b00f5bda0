// A run over many folders: waves and canaries, folders that wait for locks while others go on, states that anybody can watch.
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RunEvent } from '../../src/journal/journal.ts';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import { itemHolder, openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { row, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const item = (length = 10) => table('ITEM', 'ITM', { COD: `A:${length}`, NAM: 'A:20' }, { ITM0: 'COD' });
const states = ({ folders }: RunOutcome) => Object.fromEntries(folders.map(({ folder, state }) => [folder, state]));

/** A folder that cannot take what `narrow` brings. */
async function full(env: TestEnvironment, folder: string): Promise<void> {
  await env.query(`insert into ${folder}.item (cod_0) values ('TOOLONG')`);
}
const narrow = () => [item(3)];

describe.each(oneServer())('$name', (server) => {
  test('R31: canaries come first with their parents, and the others when these got everything', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'DEV'] });
    await env.folders(['LIVE', 'B1'], { parent: 'DEV' });
    const heard: RunEvent[] = [];
    const path = await env.patch('A.dat', [item(), row('ITM', 'x', { COD: 'A' })]);
    await env.integrate(path, { first: ['live'], listener: (event) => void heard.push(event) });
    expect(heard.flatMap((event) => (event.kind === 'wave-started' ? [[event.folders, event.canary]] : []))).toEqual([
      [['X3'], true],
      [['DEV'], true],
      [['LIVE'], true],
      [['A1'], false],
      [['B1'], false],
    ]);
    await full(env, 'live');
    const outcome = await env.rustine.integrate({
      paths: [await env.patch('N.dat', narrow())],
      mode: 'integrate',
      first: ['LIVE'],
    });
    expect(outcome.state).toBe('partial');
    expect(states(outcome)).toEqual({ X3: 'integrated', DEV: 'integrated', LIVE: 'failed', A1: 'skipped', B1: 'skipped' });
    expect(outcome.folders.find(({ folder }) => folder === 'A1')?.patches[0]?.reason).toEqual({
      code: 'canary-failed',
      facts: { folders: ['LIVE'] },
    });
    expect(
      await env.query(`select folder, wave, state from rustine.run_progress where run = $1 order by wave, folder`, [outcome.run]),
    ).toEqual([
      { folder: 'X3', wave: 0, state: 'integrated' },
      { folder: 'DEV', wave: 1, state: 'integrated' },
      { folder: 'LIVE', wave: 2, state: 'failed' },
      { folder: 'A1', wave: 3, state: 'skipped' },
      { folder: 'B1', wave: 4, state: 'skipped' },
    ]);
  });

  test('R31: who comes first is one of the folders given; nothing is begun otherwise', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2'] });
    const paths = [await env.patch('A.dat', [item()])];
    const begin = (first: readonly string[]) => env.rustine.integrate({ paths, mode: 'integrate', folders: ['X3', 'A1'], first });
    await expect(begin(['A2'])).rejects.toMatchObject({
      code: 'first-not-given',
      facts: { folders: ['A2'], known: ['X3', 'A1'] },
    });
    await expect(begin(['not a code'])).rejects.toMatchObject({ code: 'folder-code' });
    expect(await env.query('select 1 from rustine.run')).toEqual([]);
  });

  test('R31: a folder that meets a lock comes later, others go on meanwhile; who holds it is named in the events and in its row', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2', 'A3'] });
    await env.integrate(await env.patch('A.dat', [item()]));
    const other = await itemHolder(env, 'a1');
    const heard: RunEvent[] = [];
    let seen: Promise<unknown[]> | undefined;
    const listener = (event: RunEvent): void => {
      heard.push(event);
      if (event.kind !== 'folder-finished' || event.folder !== 'A3') return;
      seen = env
        .query(
          `select state in ('postponed', 'running') as waits, blocker from rustine.run_progress where folder = 'A1' and run_state = 'running'`,
        )
        .finally(() => void other.query('rollback'));
    };
    const paths = [await env.patch('W.dat', [item(12)])];
    const outcome = await env.integrate(paths, { jobs: 1, listener, lockTimeoutMs: 20_000 });
    expect(states(outcome)).toEqual({ X3: 'integrated', A1: 'integrated', A2: 'integrated', A3: 'integrated' });
    const order = heard.flatMap((event) => (event.kind === 'folder-finished' ? [event.folder] : []));
    expect(order).toEqual(['X3', 'A2', 'A3', 'A1']);
    const blocker = {
      application: 'nightly',
      role: expect.any(String),
      pid: expect.any(Number),
      query: 'select count(*) from a1.item',
      table: 'item',
    };
    expect(heard.find(({ kind }) => kind === 'folder-postponed')).toMatchObject({
      folder: 'A1',
      file: 'W.dat',
      attempt: 1,
      table: 'item',
      blockers: [blocker],
    });
    expect(await seen).toEqual([{ waits: true, blocker: expect.objectContaining(blocker) }]);
    expect(
      await env.query(`select attempts > 1 as again, blocker from rustine.run_folder where run = $1 and folder = 'A1'`, [
        outcome.run,
      ]),
    ).toEqual([{ again: true, blocker: null }]);
  });

  test('R17: a lock that stays fails the folder after the time allowed, with who holds it and what they do', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    await env.integrate(await env.patch('A.dat', [item()]));
    await itemHolder(env, 'a1');
    const outcome = await env.rustine.integrate({
      paths: [await env.patch('W.dat', [item(12)])],
      mode: 'integrate',
      lockTimeoutMs: 4_500,
    });
    expect(states(outcome)).toEqual({ X3: 'integrated', A1: 'failed' });
    expect(outcome.findings.find(({ code }) => code === 'lock-timeout')).toMatchObject({
      folder: 'A1',
      facts: {
        table: 'item',
        query: 'select count(*) from a1.item',
        pids: [expect.stringMatching(/^\d+$/)],
        users: [expect.any(String)],
        applications: ['nightly'],
        since: [expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d$/)],
      },
    });
    expect(
      await env.query(`select attempts > 1 as again, state from rustine.run_folder where run = $1 and folder = 'A1'`, [
        outcome.run,
      ]),
    ).toEqual([{ again: true, state: 'failed' }]);
  });

  test('R32: a rehearsal that met a lock begins anew, and tells what it finds once', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('A.dat', [item()]));
    const other = await itemHolder(env, 'x3');
    const heard: RunEvent[] = [];
    const listener = (event: RunEvent): void => {
      heard.push(event);
      if (event.kind === 'folder-postponed') void other.query('rollback');
    };
    const paths = [await env.patch('B.dat', [row('ITM', 'x', { COD: 'A' })]), await env.patch('C.dat', [item(12)])];
    const outcome = await env.integrate(paths, { mode: 'rehearse', listener, lockTimeoutMs: 20_000 });
    expect(outcome.folders[0]?.patches.map(({ state, rows }) => [state, rows.inserted])).toEqual([
      ['integrated', 1],
      ['integrated', 0],
    ]);
    expect(heard.filter(({ kind }) => kind === 'folder-postponed').length).toBe(1);
    expect(heard.flatMap((event) => (event.kind === 'patch-finished' ? [event.outcome.file] : []))).toEqual(['B.dat', 'C.dat']);
  });

  test('each change of a folder’s state is told by NOTIFY, and the view has all of it', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    const listening = new Client({ connectionString: env.url });
    await listening.connect();
    onTestFinished(() => listening.end());
    const told: { run: string; folder: string; state: string }[] = [];
    listening.on('notification', ({ payload = '' }) => void told.push(JSON.parse(payload)));
    await listening.query('listen rustine_run');
    const { run } = await env.integrate(await env.patch('A.dat', [item()]));
    await listening.query('select 1');
    const of = (folder: string) => told.filter((each) => each.folder === folder).map(({ state }) => state);
    expect([of('X3'), of('A1')]).toEqual([
      ['waiting', 'running', 'integrated'],
      ['waiting', 'running', 'integrated'],
    ]);
    expect(new Set(told.map((each) => each.run))).toEqual(new Set([run]));
    const rows = await env.query(
      `select folder, state, attempts, run_state, process_of.process, outcome ->> 'state' as outcome, finished_at >= started_at as timed
       from rustine.run_progress, lateral (select process from rustine.run_folder f where f.run = run_progress.run and f.folder = run_progress.folder) process_of
       where run = $1 order by wave`,
      [run],
    );
    expect(rows).toEqual(
      ['X3', 'A1'].map((folder) => ({
        folder,
        state: 'integrated',
        attempts: 1,
        run_state: 'done',
        process: null,
        outcome: 'integrated',
        timed: true,
      })),
    );
    const again = await env.integrate(await env.patch('A.dat', [item()]));
    expect(
      await env.query('select folder, state, attempts from rustine.run_progress where run = $1 order by wave', [again.run]),
    ).toEqual(['X3', 'A1'].map((folder) => ({ folder, state: 'unchanged', attempts: 0 })));
  });

  test('a run that is refused has no folders, one that stops at a failure leaves the others out', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2'] });
    await env.integrate(await env.patch('A.dat', [item()]));
    await full(env, 'a1');
    const paths = [await env.patch('N.dat', narrow())];
    const stopped = await env.rustine.integrate({ paths, mode: 'integrate', onError: 'stop', jobs: 1 });
    expect(states(stopped)).toEqual({ X3: 'integrated', A1: 'failed', A2: 'skipped' });
    await env.patch('N.dat', [item(2)]);
    const refused = await env.rustine.integrate({ paths, mode: 'integrate' });
    expect([
      refused.state,
      await env.query('select distinct state from rustine.run_folder where run = $1', [refused.run]),
    ]).toEqual(['refused', [{ state: 'skipped' }]]);
  });
});
