// `integrate --atomic` over several servers: all folders of all of them get the patches, or none does.
import { describe, expect, onTestFinished, test } from 'vitest';
import type { IntegrateOptions } from '../../src/app/rustine.ts';
import type { RunEvent } from '../../src/journal/journal.ts';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import { leftovers, rustine as program } from '../support/crash.ts';
import { row, script, table } from '../support/patches.ts';
import { oneServer, servers, startWith } from '../support/servers.ts';
import { reopened, statesOf, type Two, twoServers } from '../support/two-servers.ts';

const item = (fields: Record<string, string> = {}) => table('ITEM', 'ITM', { COD: 'A:10', ...fields }, { IDX0: 'COD' });

const atomic = ({ rustine }: Two, path: string, options: Partial<IntegrateOptions> = {}): Promise<RunOutcome> =>
  rustine.integrate({ paths: [path], mode: 'integrate', atomic: true, ...options });

/** How many patches X3, LOC and FAR have, and what stands for X3 where FAR lives. */
async function counts(env: Two): Promise<readonly number[]> {
  const count = (schema: string): string => `(select count(*)::integer from ${schema}.apatch)`;
  const [here] = await env.query<{ x3: number; loc: number }>(`select ${count('x3')} as x3, ${count('loc')} as loc`);
  const [there] = await env.at<{ x3: number; far: number }>(`select ${count('x3')} as x3, ${count('far')} as far`);
  return [here?.x3 ?? -1, here?.loc ?? -1, there?.far ?? -1, there?.x3 ?? -1];
}

const NONE = [0, 0, 0, 0];
const ALL = [1, 1, 1, 1];

async function expectNothingLeft(env: Two): Promise<void> {
  expect([await leftovers(env.url), await leftovers(env.north)]).toEqual([[], []]);
  expect(await env.query('select gid from rustine.prepared union all select run from rustine.participant')).toEqual([]);
  expect(await env.at('select gid from rustine.prepared')).toEqual([]);
}

const runs = (env: Two, where: 'query' | 'at') =>
  env[where]<{ state: string; decision: string | null }>(
    'select state, decision from rustine.run where atomic order by started_at',
  );

describe.each(oneServer())('two servers, from $name', (server) => {
  const further = servers().at(-1);

  test('R30: all is prepared on both before it is decided, and then all folders have it', async () => {
    const env = await twoServers(server, further);
    const hello = `create function hello() returns text language sql as $$ select 'hello' $$;`;
    const path = await env.patch('A.dat', [item(), script('HELLO', hello), row('ITM', 'x', { COD: 'A' })]);
    const rehearsed = await atomic(env, path, { mode: 'rehearse' });
    expect([rehearsed.state, statesOf(rehearsed)]).toEqual(['done', { X3: 'integrated', LOC: 'integrated', FAR: 'integrated' }]);
    expect(await counts(env)).toEqual(NONE);
    const kinds: string[] = [];
    const outcome = await atomic(env, path, {
      listener: (event) => {
        if (['folder-prepared', 'run-decided', 'folder-finished'].includes(event.kind)) kinds.push(event.kind);
      },
    });
    expect([outcome.state, statesOf(outcome)]).toEqual(['done', { X3: 'integrated', LOC: 'integrated', FAR: 'integrated' }]);
    expect(kinds).toEqual([
      ...Array.from({ length: 3 }, () => 'folder-prepared'),
      'run-decided',
      ...Array.from({ length: 3 }, () => 'folder-finished'),
    ]);
    expect([await counts(env), await env.at('select cod_0 from far.item')]).toEqual([ALL, [{ cod_0: 'A' }]]);
    expect([await runs(env, 'query'), await runs(env, 'at')]).toEqual([
      [{ state: 'done', decision: 'commit' }],
      [{ state: 'done', decision: 'commit' }],
    ]);
    const trace = await env.rustine.log(outcome.run);
    expect(trace.flatMap((event) => (event.kind === 'patch-finished' ? [event.folder] : [])).sort()).toEqual([
      'FAR',
      'LOC',
      'X3',
    ]);
    await expectNothingLeft(env);
    expect(statesOf(await atomic(env, path))).toEqual({ X3: 'unchanged', LOC: 'unchanged', FAR: 'unchanged' });
  });

  test.each(['query', 'at'] as const)('R30: a folder on one of them fails (%s): none gets anything', async (where) => {
    const env = await twoServers(server, further);
    const [folder, schema] = where === 'query' ? ['LOC', 'loc'] : ['FAR', 'far'];
    await env[where](`create table ${schema}.item (other integer)`);
    const path = await env.patch('A.dat', [item()]);
    for (const mode of ['rehearse', 'integrate'] as const) {
      const outcome = await atomic(env, path, { mode });
      expect([outcome.state, statesOf(outcome)]).toEqual([
        expect.stringMatching(/^(refused|failed)$/),
        { X3: 'skipped', LOC: 'skipped', FAR: 'skipped', [folder]: 'failed' },
      ]);
      const reason = outcome.folders.find(({ folder: code }) => code === 'X3')?.patches[0]?.reason;
      expect(reason).toMatchObject({ code: 'all-or-none', facts: { failed: [folder] } });
      expect(await counts(env)).toEqual(NONE);
      await expectNothingLeft(env);
    }
    await env[where](`drop table ${schema}.item`);
    expect((await atomic(env, path)).state).toBe('done');
    expect(await counts(env)).toEqual(ALL);
  });

  test('R31: the supervisor folder fails: those elsewhere are left behind, and nothing is changed', async () => {
    const env = await twoServers(server, further);
    await env.query('create table x3.item (other integer)');
    const outcome = await atomic(env, await env.patch('A.dat', [item()]));
    expect(statesOf(outcome)).toEqual({ X3: 'failed', LOC: 'skipped', FAR: 'skipped' });
    expect(
      outcome.findings
        .filter(({ code }) => code === 'folder-left-behind')
        .map(({ folder }) => folder)
        .sort(),
    ).toEqual(['FAR', 'LOC']);
    expect(await counts(env)).toEqual(NONE);
    await expectNothingLeft(env);
  });

  test('R31: what stands for the supervisor folder elsewhere fails: none gets anything, and it is said where', async () => {
    const env = await twoServers(server, further);
    await env.at('create table x3.item (other integer)');
    const outcome = await atomic(env, await env.patch('A.dat', [item()]));
    expect([outcome.state, statesOf(outcome)]).not.toContain('done');
    expect(statesOf(outcome)).toEqual({ X3: 'skipped', LOC: 'skipped', FAR: 'skipped' });
    expect(outcome.findings.map(({ code }) => code)).toContain('mirror-failed');
    expect(outcome.folders[0]?.patches[0]?.reason?.facts.failed).toContain('X3 (NORTH)');
    expect(await counts(env)).toEqual(NONE);
    await expectNothingLeft(env);
  });

  test('R30: a server that does not answer: refused before anything changes', async () => {
    const env = await twoServers(server, further);
    await env.proxy.close();
    const outcome = await atomic(env, await env.patch('A.dat', [item()]));
    expect([outcome.state, statesOf(outcome)]).toEqual(['refused', { X3: 'skipped', LOC: 'skipped', FAR: 'skipped' }]);
    expect(outcome.findings.filter(({ severity }) => severity === 'block')).toMatchObject([
      { code: 'server-unreachable', facts: { server: 'NORTH', folders: ['FAR'] } },
    ]);
    expect(await counts(env)).toEqual(NONE);
  });

  test('R30: a server is lost before all is prepared: rolled back everywhere', async () => {
    const env = await twoServers(server, further);
    const listener = (event: RunEvent): void => {
      if (event.kind === 'folder-prepared' && event.folder === 'X3') void env.proxy.close();
    };
    const outcome = await atomic(env, await env.patch('A.dat', [item()]), { listener });
    expect(outcome.state).not.toBe('done');
    expect(statesOf(outcome)).toMatchObject({ X3: 'skipped', LOC: 'skipped', FAR: 'failed' });
    const again = await reopened(env);
    await again.recover();
    expect(await counts(env)).toEqual(NONE);
    await expectNothingLeft(env);
  });

  test('R30: a server is lost between the decision and its commit: told as pending, shut, and carried out when it is back', async () => {
    const env = await twoServers(server, further);
    const listener = ({ kind }: RunEvent): void => {
      if (kind === 'run-decided') void env.proxy.close();
    };
    const path = await env.patch('A.dat', [item()]);
    const outcome = await atomic(env, path, { listener });
    expect([outcome.state, statesOf(outcome)]).toEqual(['partial', { X3: 'integrated', LOC: 'integrated', FAR: 'failed' }]);
    expect(outcome.findings.filter(({ code }) => code === 'decision-pending')).toMatchObject([
      { severity: 'block', facts: { server: 'NORTH', decision: 'commit', folders: ['FAR'] } },
    ]);
    expect(await runs(env, 'query')).toEqual([{ state: 'partial', decision: 'commit' }]);
    expect([(await counts(env))[2], await env.at('select count(*)::integer as n from rustine.shut_login')]).toEqual([
      0,
      [{ n: 2 }],
    ]);
    // Not even by hand: what is prepared is not in the folder yet.
    expect(await env.at('select * from rustine.let_in(null, null)')).toEqual([]);
    const again = await reopened(env);
    // Whoever opens the environment goes there first.
    expect([await counts(env), await runs(env, 'query'), await runs(env, 'at')]).toEqual([
      ALL,
      [{ state: 'done', decision: 'commit' }],
      [{ state: 'done', decision: 'commit' }],
    ]);
    await expectNothingLeft(env);
    const told = Object.entries(await again.recover()).map(([step, { settled, left }]) => [step, settled.length, left]);
    expect(told.filter(([, settled]) => settled !== 0)).toEqual([
      ['prepared', 1, []],
      ['logins', 2, []],
      ['staging', 2, []],
    ]);
    for (const { settled, left } of Object.values(await again.recover())) expect([settled, left]).toEqual([[], []]);
    const repeated = await again.integrate({ paths: [path], mode: 'integrate', atomic: true });
    expect(statesOf(repeated)).toEqual({ X3: 'unchanged', LOC: 'unchanged', FAR: 'unchanged' });
  });

  test('R30: folders on further servers alone are decided about here too', async () => {
    const env = await twoServers(server, further);
    const path = await env.patch('A.dat', [item()]);
    const outcome = await atomic(env, path, { folders: ['FAR'] });
    expect([outcome.state, statesOf(outcome), await counts(env)]).toEqual(['done', { FAR: 'integrated' }, [0, 0, 1, 0]]);
    await expectNothingLeft(env);
  });

  test.each(['voted@NORTH', 'decided'])(
    'R30: queued, its worker killed at %s: all or none, and another one goes on',
    async (at) => {
      const env = await twoServers(server, further);
      const { run } = await env.rustine.queue({ paths: [await env.patch('A.dat', [item()])], mode: 'integrate', atomic: true });
      await env.rustine.close();
      process.env.RUSTINE_SERVER_NORTH_URL = env.north;
      onTestFinished(() => {
        delete process.env.RUSTINE_SERVER_NORTH_URL;
      });
      const worker = ['worker', '--once', '--jobs', '2', '--home', env.home, '--database', env.url];
      expect((await program(worker, { at })).code).toBe(null);
      const again = await reopened(env);
      const never = new AbortController().signal;
      await again.tasks.work({ jobs: 2, once: true, stop: never, abort: never, listener: () => undefined });
      await again.recover();
      expect([await counts(env), (await runs(env, 'query')).map(({ decision }) => decision)]).toEqual([ALL, ['commit']]);
      expect(await env.query(`select state from rustine.run where id = '${run}'`)).toEqual([{ state: 'done' }]);
      await expectNothingLeft(env);
    },
  );

  test('R30: a server that prepares no transactions refuses the run, by its name and setting, before anything changes', async () => {
    const without = await startWith(['max_prepared_transactions=0']);
    onTestFinished(without.stop);
    const blocked = async (env: Two, facts: Record<string, unknown>, mode: 'integrate' | 'rehearse'): Promise<void> => {
      const outcome = await atomic(env, await env.patch('A.dat', [item()]), { mode });
      expect([outcome.state, statesOf(outcome)]).toEqual(['refused', { X3: 'skipped', LOC: 'skipped', FAR: 'skipped' }]);
      expect(outcome.findings.filter(({ severity }) => severity === 'block')).toEqual([
        expect.objectContaining({
          code: 'prepared-transactions-off',
          facts: { setting: 'max_prepared_transactions', value: 10, now: 0, ...facts },
        }),
      ]);
      expect(await counts(env)).toEqual(NONE);
      await expectNothingLeft(env);
    };
    const far = await twoServers(server, without);
    for (const mode of ['rehearse', 'integrate'] as const) await blocked(far, { server: 'NORTH' }, mode);
    const here = await twoServers(without, server);
    await blocked(here, {}, 'integrate');
    // Folders that live where it is possible.
    const outcome = await atomic(here, await here.patch('A.dat', [item()]), { folders: ['FAR'] });
    expect([outcome.state, await counts(here)]).toEqual(['done', [0, 0, 1, 0]]);
  });
});
