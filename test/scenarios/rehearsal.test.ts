// Test mode (R32): what a rehearsal says is what the run then does, also where folders need what their ancestors get from the same patches.
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RunEvent } from '../../src/journal/journal.ts';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import { leftovers } from '../support/crash.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { difference, holdings } from '../support/folder-dump.ts';
import { type Element, exe, script, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const item = (length = 10) => table('ITEM', 'ITM', { COD: `A:${length}` }, { ITM0: 'COD' });
/** A function of the supervisor folder, and a script that calls it in every folder. */
const LIB = script('LIB', `create or replace function answer() returns integer language sql as 'select 42';`);
const fill = (name: string, what = 'answer()::text') => [script(name, `insert into item (cod_0) values (${what});`), exe(name)];

type Options = Partial<Parameters<TestEnvironment['rustine']['integrate']>[0]>;

/** Folders and patches with their states, and what was found, but for what is only said of a rehearsal. */
const told = ({ folders, findings }: RunOutcome) => ({
  folders: folders.map(({ folder, state, patches }) => [folder, state, patches.map((each) => [each.state, each.reason?.code])]),
  findings: findings
    .filter(({ code }) => code !== 'transaction-shared')
    .map(({ code, folder, patch }) => `${folder} ${patch} ${code}`)
    .sort(),
});

/** Rehearses, expects that nothing changed, runs, and expects the same. @returns the rehearsal's outcome */
async function rehearsedAndRun(env: TestEnvironment, paths: readonly string[], options: Options = {}): Promise<RunOutcome> {
  const before = await holdings(env.url);
  const rehearsed = await env.rustine.integrate({ paths, mode: 'rehearse', ...options });
  const after = await holdings(env.url);
  for (const [code, lines] of before.folders) {
    const kept = (given: readonly string[]): readonly string[] => given.filter((line) => !line.startsWith('event |'));
    expect([code, difference(kept(lines), kept(after.folders.get(code) ?? []))]).toEqual([code, []]);
  }
  expect(await leftovers(env.url)).toEqual([]);
  expect(told(await env.rustine.integrate({ paths, mode: 'integrate', ...options }))).toEqual(told(rehearsed));
  return rehearsed;
}

const states = ({ folders }: RunOutcome) => Object.fromEntries(folders.map(({ folder, state }) => [folder, state]));

async function tree(server: Parameters<typeof openEnvironment>[0], elements: readonly Element[] = [item()]) {
  const env = await openEnvironment(server, { folders: ['A', 'B'] });
  await env.folders(['A1', 'A2'], { parent: 'A' });
  await env.integrate(await env.patch('P_0001_140.dat', elements));
  return env;
}

describe.each(oneServer())('$name', (server) => {
  test('R32: folders see what the supervisor folder gets from the same patches, functions and scripts', async () => {
    const env = await tree(server);
    const paths = [
      await env.patch('P_0002_140.dat', [
        LIB,
        script('LATER', `insert into item (cod_0) values ('later') on conflict do nothing;`),
        ...fill('FILL'),
      ]),
      await env.patch('P_0003_140.dat', [...fill('MORE', `'+' || answer()`), exe('LATER')]),
    ];
    const outcome = await rehearsedAndRun(env, paths);
    expect(states(outcome)).toEqual({ X3: 'integrated', A: 'integrated', B: 'integrated', A1: 'integrated', A2: 'integrated' });
    expect(outcome.findings).toMatchObject([{ code: 'transaction-shared', facts: { folders: ['X3', 'A', 'B', 'A1', 'A2'] } }]);
    expect(await env.query(`select cod_0 from a2.item order by 1`)).toEqual([
      { cod_0: '+42' },
      { cod_0: '42' },
      { cod_0: 'later' },
    ]);
  });

  test('R31, R32: a patch that the supervisor folder does not get is kept from the others, and what it got before is there', async () => {
    const env = await tree(server);
    await env.query(`insert into x3.item (cod_0) values ('much too l')`);
    const paths = [
      await env.patch('P_0002_140.dat', [LIB, ...fill('FILL')]),
      await env.patch('P_0003_140.dat', [item(5), ...fill('MORE')]),
    ];
    const outcome = await rehearsedAndRun(env, paths);
    expect(told(outcome).folders.slice(0, 2)).toEqual([
      [
        'X3',
        'failed',
        [
          ['integrated', undefined],
          ['failed', 'blocked'],
        ],
      ],
      [
        'A',
        'integrated',
        [
          ['integrated', undefined],
          ['skipped', 'folder-left-behind'],
        ],
      ],
    ]);
  });

  test('R31, R32: a script that fails in one folder fails there only, and those below it go on as in the run', async () => {
    const env = await tree(server);
    await env.query(`insert into a.item (cod_0) values ('own'); insert into a2.item (cod_0) values ('own')`);
    const check = `do $$ begin if exists (select from item where cod_0 = 'own') then raise exception 'rows of its own'; end if; end $$;`;
    const paths = [
      await env.patch('P_0002_140.dat', [LIB, script('CHECK', check), exe('CHECK'), ...fill('FILL')]),
      await env.patch('P_0003_140.dat', fill('MORE', `'+' || answer()`)),
    ];
    const outcome = await rehearsedAndRun(env, paths);
    expect(states(outcome)).toEqual({ X3: 'integrated', A: 'failed', B: 'integrated', A1: 'integrated', A2: 'failed' });
    const canary = await rehearsedAndRun(
      env,
      [await env.patch('P_0004_140.dat', [exe('CHECK'), ...fill('LAST', `'-' || answer()`)])],
      {
        first: ['A'],
        force: [{ check: 'sequence', reason: 'trial' }],
      },
    );
    expect(states(canary)).toMatchObject({ X3: 'integrated', A: 'failed', B: 'skipped', A1: 'skipped' });
  });

  test('R31, R32: a folder that meets a lock comes again with those below it, others go on meanwhile', async () => {
    const env = await tree(server);
    const holder = new Client({ connectionString: env.url, application_name: 'nightly' });
    await holder.connect();
    onTestFinished(() => holder.end());
    await holder.query('begin; lock table a.item in share mode');
    const heard: RunEvent[] = [];
    const paths = [await env.patch('P_0002_140.dat', [LIB, ...fill('FILL')])];
    const outcome = await env.rustine.integrate({
      paths,
      mode: 'rehearse',
      lockTimeoutMs: 20_000,
      listener: (event) => {
        heard.push(event);
        if (event.kind === 'folder-finished' && event.folder === 'B') void holder.query('rollback');
      },
    });
    expect([outcome.state, outcome.findings.map(({ severity }) => severity)]).toEqual(['done', ['warn', 'info', 'info']]);
    expect(heard.filter(({ kind }) => kind === 'folder-postponed')[0]).toMatchObject({ folder: 'A', table: 'item' });
    const finished = heard.flatMap((event) => (event.kind === 'folder-finished' ? [event.folder] : []));
    expect(finished).toEqual(['X3', 'B', 'A', 'A1', 'A2']);
    expect(heard.filter((event) => event.kind === 'patch-finished').length).toBe(5);
    expect(await env.query('select count(*)::integer as n from x3.item')).toEqual([{ n: 0 }]);
  });

  test('R32: stopped at once, it leaves nothing, and what it did not come to is told', async () => {
    const env = await tree(server);
    const stop = new AbortController();
    const paths = [await env.patch('P_0002_140.dat', [LIB, ...fill('FILL')])];
    const outcome = await env.rustine.integrate({
      paths,
      mode: 'rehearse',
      abort: stop.signal,
      listener: (event) => {
        if (event.kind === 'patch-started' && event.folder === 'A') stop.abort();
      },
    });
    expect(states(outcome)).toEqual({ X3: 'integrated', A: 'cancelled', B: 'cancelled', A1: 'cancelled', A2: 'cancelled' });
    expect(await leftovers(env.url)).toEqual([]);
  });

  test('R32: in the queue, each folder is rehearsed after what its ancestors get', async () => {
    const env = await tree(server);
    const never = new AbortController().signal;
    const { run } = await env.rustine.queue({
      paths: [await env.patch('P_0002_140.dat', [LIB, ...fill('FILL')])],
      mode: 'rehearse',
    });
    await env.rustine.tasks.work({ jobs: 2, once: true, stop: never, abort: never, listener: () => undefined });
    const outcome = await env.rustine.follow(run, () => undefined, never);
    expect([outcome?.state, outcome?.folders.map(({ state }) => state)]).toEqual(['done', Array(5).fill('integrated')]);
    expect(await env.query('select count(*)::integer as n from x3.item')).toEqual([{ n: 0 }]);
  });

  test('R32: in the queue, however many jobs, folders of a run do not use up the time that they may wait for others', async () => {
    const env = await openEnvironment(server, { folders: ['A', 'B', 'C', 'D'] });
    await env.integrate(await env.patch('P_0001_140.dat', [item()]));
    const slow = script('FILL', `select pg_sleep(0.2); insert into item (cod_0) values (answer()::text);`);
    const paths = [await env.patch('P_0002_140.dat', [LIB, slow, exe('FILL')])];
    const { run } = await env.rustine.queue({ paths, mode: 'rehearse', lockTimeoutMs: 300 });
    const never = new AbortController().signal;
    await env.rustine.tasks.work({ jobs: 4, once: true, stop: never, abort: never, listener: () => undefined });
    const outcome = await env.rustine.follow(run, () => undefined, never);
    expect([outcome?.state, outcome?.folders.map(({ state }) => state)]).toEqual(['done', Array(5).fill('integrated')]);
    expect((await env.rustine.log(run)).filter(({ kind }) => kind === 'folder-postponed')).toEqual([]);
  });

  test.each(['command', 'queue'])(
    'R32: by the %s, where an ancestor cannot be done again those below it fail of its reason',
    async (how) => {
      const env = await tree(server);
      // It says how often, because nothing rolls it back.
      await env.query('create sequence x3.done; grant usage on sequence x3.done to public');
      const once = `do $$ begin if current_schema() = 'x3' and nextval('x3.done') > 1 then raise exception 'done before'; end if; end $$;`;
      const paths = [await env.patch('P_0002_140.dat', [LIB, script('ONCE', once), exe('ONCE'), ...fill('FILL')])];
      const never = new AbortController().signal;
      const queued = async (): Promise<RunOutcome | undefined> => {
        const { run } = await env.rustine.queue({ paths, mode: 'rehearse' });
        await env.rustine.tasks.work({ jobs: 2, once: true, stop: never, abort: never, listener: () => undefined });
        return env.rustine.follow(run, () => undefined, never);
      };
      const outcome = how === 'queue' ? await queued() : await env.rustine.integrate({ paths, mode: 'rehearse' });
      expect(outcome?.folders.map(({ folder, state }) => [folder, state])).toEqual([
        ['X3', 'integrated'],
        ...['A', 'B', 'A1', 'A2'].map((folder) => [folder, 'failed']),
      ]);
      const reasons = outcome?.folders.slice(1).flatMap(({ patches }) => patches.map(({ reason }) => reason));
      const known = { code: 'script-failed', facts: expect.objectContaining({ folder: 'X3', reason: 'done before' }) };
      expect(reasons).toEqual(Array(4).fill(known));
      const findings = outcome?.findings.filter(({ severity }) => severity === 'block');
      expect(findings?.map(({ code, folder }) => `${code} ${folder}`).sort()).toEqual(
        ['A', 'A1', 'A2', 'B'].map((folder) => `script-failed ${folder}`),
      );
      expect(await leftovers(env.url)).toEqual([]);
    },
  );
});
