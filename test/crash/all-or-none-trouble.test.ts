// `integrate --atomic` while the world is in the way: connections lost at the decision, no room on the server, users and scripts at its end.
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Runner } from '../../src/integrate/runner.ts';
import type { RunEvent } from '../../src/journal/journal.ts';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import { leftovers } from '../support/crash.ts';
import { connected, openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { exe, script, table } from '../support/patches.ts';
import { everyServer, oneServer, startWith } from '../support/servers.ts';

const item = () => table('ITEM', 'ITM', { COD: 'A:10' }, { ITM0: 'COD' });

const atomic = (
  { rustine }: TestEnvironment,
  path: string,
  options: Partial<Parameters<TestEnvironment['rustine']['integrate']>[0]> = {},
): Promise<RunOutcome> => rustine.integrate({ paths: [path], mode: 'integrate', atomic: true, ...options });

const states = ({ folders }: RunOutcome): readonly string[] => [...new Set(folders.map(({ state }) => state))];

describe.each(everyServer())('$name', (server) => {
  test('R30: every connection is lost once all is prepared: whoever is here carries it out, and nothing stays prepared', async () => {
    const environment = await openEnvironment(server, { folders: ['A', 'B'] });
    const path = await environment.patch('P_0001_140.dat', [item()]);
    let prepared = 0;
    let lost: Promise<unknown> | undefined;
    const listener = ({ kind }: RunEvent): void => {
      if (kind === 'folder-prepared' && ++prepared === 3)
        lost = environment.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()
          and pid <> pg_backend_pid() and backend_type = 'client backend'`);
    };
    const outcome = await atomic(environment, path, { listener });
    await lost;
    expect([outcome.state, states(outcome)]).toEqual(['done', ['integrated']]);
    const waiting = `select gid from pg_prepared_xacts where database = current_database() union all select gid from rustine.prepared`;
    expect(await environment.query(waiting)).toEqual([]);
    // What it could not clear away with the connections that it had, the next command does.
    await environment.rustine.recover();
    expect(await leftovers(environment.url)).toEqual([]);
  });
});

describe.each(oneServer())('$name', (server) => {
  test('R12, R28: users come in after the scripts of their folder; what these came to is written down; cancelled, the next ones stay listed', async () => {
    const runner: Runner = {
      command: '/bin/sh',
      words: ['-c', 'sleep 1.6', '{script}'],
      environment: [],
      timeoutMs: 10_000,
    };
    const environment = await openEnvironment(server, { folders: ['A'], jobs: 1, settings: { runners: { '4gl': runner } } });
    const path = await environment.patch('P_0001_140.dat', [item(), script('AFTER', '# 4GL\nEnd'), exe('AFTER')]);
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    let shut: Promise<readonly { readonly folder: string }[]> | undefined;
    const listener = ({ kind }: RunEvent): void => {
      // A second after a folder is through its users are in.
      if (kind === 'folder-finished')
        shut ??= new Promise((resolve) => setTimeout(resolve, 1_300)).then(() =>
          environment.query('select folder from rustine.shut_login order by folder'),
        );
      if (kind === 'script-run') stop.abort();
    };
    const outcome = await atomic(environment, path, { listener, cancel: stop.signal });
    expect(await shut).toEqual([{ folder: 'A' }, { folder: 'X3' }]);
    const told = (all: RunOutcome['folders']) =>
      all.map(({ folder, patches: [patch] }) => [folder, patch?.pending, patch?.ranOutside ?? []]);
    const expected = [
      ['X3', [], ['AFTER']],
      ['A', ['AFTER'], []],
    ];
    expect([outcome.state, told(outcome.folders)]).toEqual(['done', expected]);
    const rows = await environment.query<{ outcome: RunOutcome['folders'][number] }>(
      'select outcome from rustine.run_folder order by wave',
    );
    expect(told(rows.map((each) => each.outcome))).toEqual(expected);
    expect((await environment.rustine.scripts.pending()).map(({ folder }) => folder)).toEqual(['A']);
    expect(await leftovers(environment.url)).toEqual([]);
  });

  test('R17: somebody takes the room meanwhile: nothing is changed, and it is said what there is no room for', async () => {
    const few = await startWith(['max_prepared_transactions=4']);
    onTestFinished(few.stop);
    const environment = await openEnvironment(few, { folders: ['A'] });
    const path = await environment.patch('P_0001_140.dat', [item()]);
    await connected(environment.url, async (client) => {
      let taken: Promise<void> | undefined;
      const take = async (): Promise<void> => {
        for (let at = 0; at < 4; at++)
          await client.query(`begin; create table public.t${at} (); prepare transaction 'other ${at}'`);
      };
      const listener = ({ kind }: RunEvent): void => {
        if (kind === 'patch-started') taken ??= take();
      };
      const outcome = await atomic(environment, path, { listener });
      await taken;
      expect(outcome.state).toBe('failed');
      const [finding] = outcome.findings.filter(({ severity }) => severity === 'block');
      expect(finding).toMatchObject({ code: 'prepare-no-room', folder: 'X3', facts: { folders: ['X3'], used: 4, most: 4 } });
      for (let at = 0; at < 4; at++) await client.query(`rollback prepared 'other ${at}'`);
    });
    expect(await leftovers(environment.url)).toEqual([]);
    expect((await atomic(environment, path)).state).toBe('done');
  });
});
