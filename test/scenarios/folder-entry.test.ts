// Other verbs and runs keep out of each other's way (R12): none changes a folder in the middle of a run, and no run begins in the middle of one.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRustine } from '../../src/app/rustine.ts';
import type { Runner } from '../../src/integrate/runner.ts';
import type { RunEvent } from '../../src/journal/journal.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { exe, script, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const item = (length = 10) => table('ITEM', 'ITM', { COD: `A:${length}` }, { ITM0: 'COD' });

/** Somebody with an open transaction. */
async function holder(env: TestEnvironment, statement: string): Promise<Client> {
  const client = new Client({ connectionString: env.url, application_name: 'nightly' });
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  await client.query('begin');
  await client.query(statement);
  return client;
}

/** Until the statement finds something. */
async function until(env: TestEnvironment, statement: string): Promise<void> {
  for (let look = 0; (await env.query(statement)).length === 0; look++) {
    if (look > 400) throw new Error(`in vain: ${statement}`);
    await sleep(25);
  }
}

const POSTPONED = `select 1 from rustine.run_folder where folder = 'A1' and state in ('postponed', 'running') and attempts > 0`;

describe.each(oneServer())('$name', (server) => {
  test('R12: since when somebody is at work is told in UTC, whatever the database is set to', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    await env.integrate(await env.patch('A.dat', [item()]));
    await env.query(`alter database "${env.database}" set timezone = 'Pacific/Kiritimati'`);
    const far = await openRustine({ home: env.home, database: env.url, language: 'en' });
    onTestFinished(() => far.close());
    const other = await holder(env, 'lock table a1.item');
    const path = await env.patch('W.dat', [item(12)]);
    const run = far.integrate({ paths: [path], mode: 'integrate', lockTimeoutMs: 60_000 });
    await until(env, POSTPONED);
    const second = await far.check({ paths: [path] });
    const change = await far.setFolder('A1', { test: true }).catch((error: unknown) => error as { facts: { since: string } });
    await other.query('rollback');
    await run;
    const facts = (code: string) => second.findings.find((finding) => finding.code === code)?.facts.since;
    const times = [facts('run-active'), facts('folder-busy'), 'facts' in change ? change.facts.since : ''];
    for (const time of times.flat()) {
      expect(time).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d$/);
      expect(Math.abs(Date.parse(`${String(time)}Z`) - Date.now())).toBeLessThan(3 * 60_000);
    }
  });

  test('R12: in the middle of a run no other verb changes its folders, through or not; each is told whose run it is', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2', 'B1'] });
    await env.integrate(await env.patch('A.dat', [item()]));
    const other = await holder(env, 'select count(*) from a1.item');
    const path = await env.patch('W.dat', [item(12)]);
    const run = env.rustine.integrate({ paths: [path], folders: ['X3', 'A1', 'A2'], mode: 'integrate', lockTimeoutMs: 60_000 });
    await until(env, `${POSTPONED} and exists (select from rustine.run_folder where folder = 'A2' and state = 'integrated')`);
    const [row] = await env.query<{ id: string }>(`select id from rustine.run where state = 'running'`);
    const told = {
      code: 'run-active',
      facts: { run: row?.id, operator: expect.any(String), host: expect.any(String), pid: process.pid, files: ['W.dat'] },
    };
    const { rustine } = env;
    await expect(rustine.setFolder('A2', { test: true })).rejects.toMatchObject({
      ...told,
      facts: { ...told.facts, folders: ['A2'] },
    });
    await expect(rustine.setFolder('B1', { parent: 'A2' })).rejects.toMatchObject(told);
    await expect(rustine.createFolders(['NEW'], { parent: 'A1' })).rejects.toMatchObject(told);
    await expect(
      rustine.setElement({ element: 'ATB:ITEM', folder: 'A1', assignments: [{ field: 'CODACT', value: 'X' }] }),
    ).rejects.toMatchObject(told);
    const validated = await rustine.validate({ folders: ['A1', 'B1'] });
    expect([validated.state, validated.folders.map(({ folder, state }) => [folder, state])]).toEqual([
      'refused',
      [
        ['A1', 'skipped'],
        ['B1', 'skipped'],
      ],
    ]);
    expect(validated.findings.filter(({ severity }) => severity === 'block')).toMatchObject([
      { code: 'run-active', severity: 'block', facts: { folders: ['A1'] } },
    ]);
    // Who has nothing to do with the run is free.
    expect((await rustine.setFolder('B1', { test: true })).changed).toEqual(['test']);
    await other.query('rollback');
    expect((await run).state).toBe('done');
    expect((await rustine.setFolder('A2', { test: true })).changed).toEqual(['test']);
  });

  test('R12: a run does not begin while another verb is in a folder: it waits a little, longer with --wait, and says for whom', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    const other = await holder(env, `select from rustine.folder where code = 'A1' for update`);
    const change = env.rustine.setFolder('A1', { test: true });
    await until(env, `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`);
    const heard: RunEvent[] = [];
    const path = await env.patch('A.dat', [item()]);
    const refused = await env.rustine.integrate({
      paths: [path],
      mode: 'integrate',
      lockTimeoutMs: 300,
      listener: (event) => void heard.push(event),
    });
    expect([refused.state, refused.findings.find(({ code }) => code === 'folder-in-use')]).toMatchObject([
      'refused',
      { severity: 'block', folder: 'A1', facts: { applications: ['rustine'], pids: [expect.stringMatching(/^\d+$/)] } },
    ]);
    expect(heard[0]).toMatchObject({ kind: 'changes-waiting', changes: [{ folder: 'A1', application: 'rustine' }] });
    const free = await env.rustine.integrate({ paths: [path], folders: ['X3'], mode: 'integrate', lockTimeoutMs: 300 });
    expect(free.state).toBe('done');
    const waits = env.integrate([path], {
      lockTimeoutMs: 20_000,
      listener: (event) => {
        if (event.kind === 'changes-waiting') void other.query('rollback');
      },
    });
    expect((await waits).state).toBe('done');
    expect((await change).changed).toEqual(['test']);
    expect(await env.query(`select state from rustine.run order by started_at`)).toEqual([
      { state: 'refused' },
      { state: 'done' },
      { state: 'done' },
    ]);
    // As it was when the run began, not when it was asked for.
    expect((await env.rustine.folder('A1')).test).toBe(true);
  });

  test('R30: a run that waited when its program died is settled, and nobody waits for it', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    await env.query(
      `insert into rustine.process (id, kind, host, pid, alive_until) values ('gone', 'command', 'elsewhere', 1, now() - interval '1 minute')`,
    );
    await env.query(
      `insert into rustine.run (id, mode, state, from_folder, operator, host, pid, files, process) values ('waited', 'integrate', 'waiting', 'X3', 'bob', 'elsewhere', 1, '{}', 'gone')`,
    );
    await env.query(`insert into rustine.run_folder (run, folder, wave) values ('waited', 'A1', 0)`);
    await env.integrate(await env.patch('A.dat', [item()]));
    expect(
      await env.query(
        `select r.state, f.state as folder from rustine.run r join rustine.run_folder f on f.run = r.id where r.id = 'waited'`,
      ),
    ).toEqual([{ state: 'interrupted', folder: 'skipped' }]);
  });

  test('R12: scripts that a runner runs keep a run out as long as they are at work, and are kept out by it', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    const elements = [item(), script('AFTER', 'Funprog AFTER\nEnd\n'), exe('AFTER')];
    await env.integrate(await env.patch('A.dat', elements));
    const go = join(env.directory, 'go');
    const wait = `while (!require('node:fs').existsSync(${JSON.stringify(go)})) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)`;
    const runner: Runner = { command: process.execPath, words: ['-e', wait], environment: [], timeoutMs: 30_000 };
    const program = await openRustine({ home: env.home, database: env.url, language: 'en', runners: { '4gl': runner } });
    onTestFinished(() => program.close());
    const running = program.scripts.run({ folder: 'A1' });
    await until(env, 'select 1 from rustine.pending_script where claimed_until > now()');
    const path = await env.patch('W.dat', [item(12)]);
    const refused = await env.rustine.integrate({ paths: [path], mode: 'integrate', lockTimeoutMs: 300 });
    expect(refused.findings.filter(({ severity }) => severity === 'block')).toMatchObject([
      { code: 'folder-in-use', folder: 'A1' },
    ]);
    await writeFile(go, '');
    expect((await running).map(({ folder, state }) => [folder, state])).toEqual([['A1', 'done']]);
    const other = await holder(env, 'select count(*) from a1.item');
    const run = env.rustine.integrate({ paths: [path], mode: 'integrate', lockTimeoutMs: 60_000 });
    await until(env, POSTPONED);
    await expect(program.scripts.run({ name: 'AFTER' })).rejects.toMatchObject({ code: 'run-active' });
    await other.query('rollback');
    expect((await run).state).toBe('done');
    expect((await program.scripts.run({ name: 'AFTER' })).map(({ folder, state }) => [folder, state])).toEqual([['X3', 'done']]);
  });

  test('a run that waits is a row: shown, cancelled, and before those that came to wait after it', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2'] });
    await env.integrate(await env.patch('A.dat', [item()]));
    const other = await holder(env, 'select count(*) from a1.item');
    const path = await env.patch('W.dat', [item(12)]);
    const begin = (folders: readonly string[], waitMs: number, heard: string[] = []) =>
      env.rustine.integrate({
        paths: [path],
        folders,
        mode: 'integrate',
        waitMs,
        lockTimeoutMs: 60_000,
        listener: ({ kind }) => void heard.push(kind),
      });
    const first = begin(['X3', 'A1'], 0);
    await until(env, POSTPONED);
    const waiting = async () => (await env.rustine.runs.open()).filter(({ state }) => state === 'waiting');
    const second = begin(['A1', 'A2'], 60_000);
    await until(env, `select 1 from rustine.run where state = 'waiting'`);
    const [shown] = await waiting();
    expect(shown).toMatchObject({ state: 'waiting', files: ['W.dat'], counts: { waiting: 2 } });
    // A2 is free, but whoever waits for it came before.
    const refused = await begin(['A2'], 0);
    expect([refused.state, refused.findings.find(({ code }) => code === 'run-active')?.facts.run]).toEqual([
      'refused',
      shown?.run,
    ]);
    const third = begin(['A2'], 60_000);
    await until(env, `select 1 from rustine.run where state = 'waiting' having count(*) = 2`);
    const last = (await waiting())[1];
    await env.rustine.runs.cancel(last?.run);
    expect((await third).state).toBe('cancelled');
    expect(await env.query('select state from rustine.run_folder where run = $1', [last?.run])).toEqual([{ state: 'cancelled' }]);
    // One whose program slept past its lease was settled by others: it does not begin when it wakes.
    const fourth = begin(['A2'], 60_000).catch((error: unknown) => error);
    await until(env, `select 1 from rustine.run where state = 'waiting' having count(*) = 2`);
    const asleep = (await waiting())[1]?.run;
    await env.query('delete from rustine.process where id = (select process from rustine.run where id = $1)', [asleep]);
    await env.query(`update rustine.run set state = 'interrupted', finished_at = now() where id = $1`, [asleep]);
    expect(await fourth).toMatchObject({ code: 'run-lost', facts: { run: asleep } });
    expect(await env.query('select state from rustine.run where id = $1', [asleep])).toEqual([{ state: 'failed' }]);
    await other.query('rollback');
    expect((await Promise.all([first, second])).map(({ state }) => state)).toEqual(['done', 'done']);
    expect(await env.query(`select 1 from rustine.process`)).toEqual([]);
  });
});
