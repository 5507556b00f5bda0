// `integrate --atomic`: all folders get the patches, or none does.
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Runner } from '../../src/integrate/runner.ts';
import type { RunEvent } from '../../src/journal/journal.ts';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import { leftovers } from '../support/crash.ts';
import { connected, openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { difference, type Environment as Holdings, holdings } from '../support/folder-dump.ts';
import { any, exe, row, rows, script, table } from '../support/patches.ts';
import { everyServer, oneServer } from '../support/servers.ts';

const FIELDS = { COD: 'A:10', DES: 'A:30' } as const;
const item = (fields: Parameters<typeof table>[2] = FIELDS) => table('ITEM', 'ITM', fields, { ITM0: 'COD' });

const FOLDERS = ['A', 'B', 'X3'] as const;

async function environmentOf(server: Parameters<typeof openEnvironment>[0]): Promise<TestEnvironment> {
  return openEnvironment(server, { folders: ['A', 'B'] });
}

async function atomic(
  { rustine }: TestEnvironment,
  paths: string | readonly string[],
  options: Partial<Parameters<TestEnvironment['rustine']['integrate']>[0]> = {},
): Promise<RunOutcome> {
  return rustine.integrate({ paths: typeof paths === 'string' ? [paths] : paths, mode: 'integrate', atomic: true, ...options });
}

const states = (outcome: RunOutcome): Readonly<Record<string, string>> =>
  Object.fromEntries(outcome.folders.map(({ folder, state }) => [folder, state]));

const codes = (outcome: RunOutcome): readonly string[] => [...new Set(outcome.findings.map(({ code }) => code))].sort();

/** Everything that folders hold is as it was. */
async function expectUnchanged(environment: TestEnvironment, work: () => Promise<void>): Promise<void> {
  const before = await holdings(environment.url);
  await work();
  const after = await holdings(environment.url);
  for (const code of FOLDERS) {
    expect([code, difference(held(before, code), held(after, code))]).toEqual([code, []]);
    expect(after.apatch.get(code)).toEqual(before.apatch.get(code));
  }
  expect(await leftovers(environment.url)).toEqual([]);
}

/** But for the trace of a rehearsal, which stays. */
const held = ({ folders }: Holdings, code: string): readonly string[] =>
  (folders.get(code) ?? []).filter((line) => !line.startsWith('event |'));

const runRow = async ({ query }: TestEnvironment, { run }: RunOutcome) =>
  (
    await query<{ state: string; decision: string | null; folders: Record<string, string> }>(
      `select state, decision, (select json_object_agg(folder, f.state) from rustine.run_folder f where f.run = r.id) as folders from rustine.run r where id = $1`,
      [run],
    )
  )[0];

describe.each(everyServer())('$name', (server) => {
  test('R30: nobody is told that a folder is through until all are prepared and it is decided; then all have it', async () => {
    const environment = await environmentOf(server);
    const { patch, query } = environment;
    const files = [
      await patch('P_0001_140.dat', [item()]),
      await patch('P_0002_140.dat', [rows('ITM', 'ALL', [{ COD: 'C1', DES: 'one' }])]),
    ];
    const events: string[] = [];
    const listener = (event: RunEvent): void => {
      if (['folder-prepared', 'run-decided', 'patch-finished', 'folder-finished'].includes(event.kind)) events.push(event.kind);
    };
    const outcome = await atomic(environment, files, { listener });
    expect([outcome.state, states(outcome)]).toEqual(['done', { X3: 'integrated', A: 'integrated', B: 'integrated' }]);
    expect(events).toEqual([
      ...['folder-prepared', 'folder-prepared', 'folder-prepared', 'run-decided'],
      ...Array.from({ length: 3 }, () => ['patch-finished', 'patch-finished', 'folder-finished']).flat(),
    ]);
    for (const schema of ['a', 'b', 'x3'])
      expect(
        await query(`select cod_0, des_0, (select count(*)::integer from ${schema}.apatch) as patches from ${schema}.item`),
      ).toEqual([{ cod_0: 'C1', des_0: 'one', patches: 2 }]);
    expect(await runRow(environment, outcome)).toEqual({
      state: 'done',
      decision: 'commit',
      folders: { X3: 'integrated', A: 'integrated', B: 'integrated' },
    });
    expect(await leftovers(environment.url)).toEqual([]);
    expect(await query('select gid from rustine.prepared')).toEqual([]);
    const trace = await environment.rustine.log(outcome.run);
    expect(trace.filter(({ kind }) => kind === 'patch-finished')).toHaveLength(6);
    const again = await atomic(environment, files);
    expect([again.state, states(again)]).toEqual(['done', { X3: 'unchanged', A: 'unchanged', B: 'unchanged' }]);
  });

  test.each(['stop', 'continue'] as const)(
    'R30: a connection is lost in one folder, on error %s: none gets anything',
    async (onError) => {
      const environment = await environmentOf(server);
      const { patch, query } = environment;
      await query(`create function public.lose() returns event_trigger language plpgsql as $$ begin
      if exists (select from pg_event_trigger_ddl_commands() where schema_name = 'b') then perform pg_terminate_backend(pg_backend_pid()); end if; end $$`);
      await query('create event trigger lose on ddl_command_end execute function public.lose()');
      const path = await patch('P_0001_140.dat', [item()]);
      await expectUnchanged(environment, async () => {
        const outcome = await atomic(environment, path, { onError });
        expect([outcome.state, states(outcome)]).toEqual(['failed', { X3: 'skipped', A: 'skipped', B: 'failed' }]);
      });
    },
  );

  test('R30: one folder fails, none gets anything; what failed is said, and that the others would have worked', async () => {
    const environment = await environmentOf(server);
    const { patch, query } = environment;
    await environment.integrate(await patch('P_0001_140.dat', [item(), rows('ITM', 'ALL', [{ COD: 'C1', DES: 'short' }])]));
    await query(`update b.item set des_0 = 'much longer than that'`);
    const path = await patch('P_0002_140.dat', [item({ COD: 'A:10', DES: 'A:10' })]);
    await expectUnchanged(environment, async () => {
      const events: RunEvent[] = [];
      const outcome = await atomic(environment, path, { listener: (event) => void events.push(event) });
      expect([outcome.state, states(outcome)]).toEqual(['refused', { X3: 'skipped', A: 'skipped', B: 'failed' }]);
      expect(codes(outcome)).toContain('values-do-not-fit');
      const reasons = outcome.folders.map(({ folder, patches }) => [folder, patches[0]?.reason?.code]);
      expect(Object.fromEntries(reasons)).toEqual({ X3: 'all-or-none', A: 'all-or-none', B: 'blocked' });
      expect(outcome.folders.find(({ folder }) => folder === 'A')?.patches[0]?.reason?.facts).toEqual({ failed: ['B'] });
      expect(await runRow(environment, outcome)).toMatchObject({
        state: 'refused',
        decision: 'rollback',
        folders: { A: 'skipped' },
      });
      // Nobody is told of anything that did not happen.
      const claims = [...events, ...(await environment.rustine.log(outcome.run))];
      expect(claims.some((each) => each.kind === 'patch-finished' && each.outcome.state === 'integrated')).toBe(false);
    });
  });

  test('R4: scripts that run in a folder find what its ancestors get in the same run: they share a transaction', async () => {
    const environment = await openEnvironment(server, { folders: ['DEV', 'SHOP'] });
    await environment.folders(['LIVE'], { parent: 'DEV' });
    const paths = [
      await environment.patch('P_0001_140.dat', [
        item(),
        script('LIB', `create function answer() returns integer language sql as 'select 42';`),
      ]),
      await environment.patch('P_0002_140.dat', [
        script('FILL', `insert into item (cod_0, des_0) values ('N', answer()::text);`),
        exe('FILL'),
      ]),
    ];
    const outcome = await atomic(environment, paths);
    expect([outcome.state, codes(outcome)]).toEqual(['done', ['transaction-shared']]);
    for (const schema of ['x3', 'dev', 'live', 'shop'])
      expect(await environment.query(`select des_0 from ${schema}.item`)).toEqual([{ des_0: '42' }]);
    expect(await leftovers(environment.url)).toEqual([]);
  });

  test('R30: a script that uses temporary tables cannot be prepared: refused with its name, nothing changed', async () => {
    const environment = await environmentOf(server);
    const path = await environment.patch('P_0001_140.dat', [
      item(),
      script('GOOD', 'select 1;'),
      script('SCRATCH', 'create temporary table scratch (a integer); insert into scratch values (1); drop table scratch;'),
      exe('GOOD'),
      exe('SCRATCH'),
    ]);
    await expectUnchanged(environment, async () => {
      const outcome = await atomic(environment, path);
      expect([outcome.state, codes(outcome)]).toEqual(['failed', expect.arrayContaining(['script-not-preparable'])]);
      expect(outcome.findings.find(({ code }) => code === 'script-not-preparable')?.facts.scripts).toEqual(['SCRATCH']);
    });
    await environment.integrate(path);
  });

  test('R32: rehearsed, everything is done and rolled back, with the same findings', async () => {
    const environment = await environmentOf(server);
    const path = await environment.patch('P_0001_140.dat', [
      item(),
      script('LIB', `create function answer() returns integer language sql as 'select 42';`),
      script('FILL', `insert into item (cod_0, des_0) values ('N', answer()::text);`),
      exe('FILL'),
    ]);
    await expectUnchanged(environment, async () => {
      const outcome = await atomic(environment, path, { mode: 'rehearse' });
      expect([outcome.state, codes(outcome)]).toEqual(['done', ['transaction-shared']]);
      expect(states(outcome)).toEqual({ X3: 'integrated', A: 'integrated', B: 'integrated' });
    });
  });
});

describe.each(oneServer())('$name', (server) => {
  test('R31: where the supervisor folder fails, the others are told that they are left behind', async () => {
    const environment = await environmentOf(server);
    await environment.integrate(await environment.patch('P_0001_140.dat', [item(), row('ITM', 'ONE', { COD: 'C1', DES: 'x' })]));
    await environment.query(`update x3.item set des_0 = 'much longer than that'`);
    const path = await environment.patch('P_0002_140.dat', [item({ COD: 'A:10', DES: 'A:10' })]);
    await expectUnchanged(environment, async () => {
      const outcome = await atomic(environment, path);
      expect([outcome.state, states(outcome)]).toEqual(['refused', { X3: 'failed', A: 'skipped', B: 'skipped' }]);
      expect(codes(outcome)).toContain('folder-left-behind');
    });
  });

  test('R30: in a shared transaction, one folder that fails does not keep the next one from showing what it fails of', async () => {
    const environment = await environmentOf(server);
    await environment.integrate(await environment.patch('P_0001_140.dat', [item()]));
    await environment.query(`insert into a.item (cod_0) values ('A'); insert into b.item (cod_0) values ('B')`);
    const path = await environment.patch('P_0002_140.dat', [
      script(
        'CHECK',
        `do $$ begin if exists (select from item) then raise exception 'rows of %', (select cod_0 from item); end if; end $$;`,
      ),
      exe('CHECK'),
    ]);
    await expectUnchanged(environment, async () => {
      const outcome = await atomic(environment, path);
      expect(states(outcome)).toEqual({ X3: 'skipped', A: 'failed', B: 'failed' });
      const said = outcome.findings
        .filter(({ code }) => code === 'script-failed')
        .map(({ folder, facts }) => [folder, facts.reason]);
      expect(said).toEqual([
        ['A', 'rows of A'],
        ['B', 'rows of B'],
      ]);
    });
  });

  test('R28: what runs outside of the database runs when all is committed, and not at all where nothing is', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'rustine-runner-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const log = join(directory, 'log');
    const runner: Runner = {
      command: '/bin/sh',
      words: ['-c', `echo "$0 $1" >> ${log}`, '{script}', '{folder}'],
      environment: [],
      timeoutMs: 10_000,
    };
    const environment = await openEnvironment(server, { folders: ['A', 'B'], settings: { runners: { '4gl': runner } } });
    const path = await environment.patch('P_0001_140.dat', [item(), script('AFTER', '# 4GL\nEnd'), exe('AFTER')]);
    const wrong = await environment.patch('P_0002_140.dat', [rows('NONE', 'ALL', [{ COD: 'C1' }])]);
    expect([(await atomic(environment, [path, wrong])).state, existsSync(log)]).toEqual(['refused', false]);
    const kinds: string[] = [];
    const outcome = await atomic(environment, path, { listener: ({ kind }) => void kinds.push(kind) });
    expect(outcome.state).toBe('done');
    expect(kinds.filter((kind) => kind === 'script-run')).toHaveLength(3);
    expect(kinds.indexOf('script-run')).toBeGreaterThan(kinds.lastIndexOf('folder-finished'));
    expect(outcome.folders.flatMap(({ patches }) => patches.flatMap(({ pending }) => pending))).toEqual([]);
    expect(readFileSync(log, 'utf8').trim().split('\n').sort()).toEqual(['AFTER A', 'AFTER B', 'AFTER X3']);
  });

  test('somebody holds a table: the folder comes again, and all get it; for too long: none does, and who holds it is named', async () => {
    const environment = await environmentOf(server);
    await environment.integrate(await environment.patch('P_0001_140.dat', [item()]));
    const hold = (ms: number): Promise<void> =>
      connected(environment.url, async (client) => {
        await client.query('begin; lock table a.item in access exclusive mode');
        await new Promise((resolve) => setTimeout(resolve, ms));
        await client.query('rollback');
      });
    const kinds: string[] = [];
    const path = await environment.patch('P_0002_140.dat', [item({ ...FIELDS, NEW: 'A:5' })]);
    const held = hold(4_500);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const [outcome] = await Promise.all([atomic(environment, path, { listener: ({ kind }) => void kinds.push(kind) }), held]);
    expect([outcome.state, kinds.includes('folder-postponed')]).toEqual(['done', true]);
    const next = await environment.patch('P_0003_140.dat', [item({ ...FIELDS, NEW: 'A:6' })]);
    const longer = hold(3_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const failed = await atomic(environment, next, { lockTimeoutMs: 1_000 });
    expect([failed.state, states(failed)]).toEqual(['failed', { X3: 'skipped', A: 'failed', B: 'skipped' }]);
    expect(failed.findings.find(({ code }) => code === 'lock-timeout')?.facts.table).toBe('item');
    await longer;
    await environment.integrate(next);
  });

  test('cancelled before the decision: every folder is as it was', async () => {
    const environment = await environmentOf(server);
    const path = await environment.patch('P_0001_140.dat', [item()]);
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    await expectUnchanged(environment, async () => {
      const listener = ({ kind }: RunEvent): void => void (kind === 'folder-prepared' && stop.abort());
      const outcome = await atomic(environment, path, { listener, cancel: stop.signal });
      expect(outcome.state).toBe('cancelled');
      expect(Object.values(states(outcome))).toEqual(['cancelled', 'cancelled', 'cancelled']);
      expect(await runRow(environment, outcome)).toMatchObject({ state: 'cancelled', decision: 'rollback' });
    });
  });

  test('an element that a later file needs is found in the transaction, and a blocked later file takes the earlier one back', async () => {
    const environment = await environmentOf(server);
    const files = [
      await environment.patch('P_0001_140.dat', [
        item(),
        any('ADP', 'LIMIT', [{ tag: 'ADP', values: { PARAM: 'LIMIT', ACS: 'A' } }]),
      ]),
      await environment.patch('P_0002_140.dat', [rows('NONE', 'ALL', [{ COD: 'C1' }])]),
    ];
    await expectUnchanged(environment, async () => {
      const outcome = await atomic(environment, files);
      expect([outcome.state, codes(outcome)]).toEqual(['refused', expect.arrayContaining(['table-unknown'])]);
    });
  });
});
