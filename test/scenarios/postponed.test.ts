// Somebody in the way who is no lasting lock (R31): a real deadlock, a serialization failure; the folder comes again, and gets everything once.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RunEvent } from '../../src/journal/journal.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { exe, script, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const tables = (length: number) => [
  table('AITEM', 'AIT', { COD: `A:${length}` }, { AIT0: 'COD' }),
  table('BITEM', 'BIT', { COD: `A:${length}` }, { BIT0: 'COD' }),
];

/** Until the statement finds something. */
async function until(env: TestEnvironment, statement: string): Promise<void> {
  for (let look = 0; (await env.query(statement)).length === 0; look++) {
    if (look > 600) throw new Error(`in vain: ${statement}`);
    await sleep(10);
  }
}

const postponed = (heard: readonly RunEvent[]) => heard.filter((event) => event.kind === 'folder-postponed');

describe.each(oneServer())('$name', (server) => {
  test('R31: of a deadlock with somebody else the folder is the one that gives way, and comes again', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    await env.integrate(await env.patch('A.dat', tables(10)));
    const other = new Client({ connectionString: env.url, application_name: 'nightly' });
    await other.connect();
    onTestFinished(() => other.end());
    await other.query(`set deadlock_timeout = '60s'; begin; select count(*) from a1.bitem`);
    const heard: RunEvent[] = [];
    const both = script('BOTH', 'lock table aitem in access exclusive mode; lock table bitem in access exclusive mode;');
    const run = env.integrate(await env.patch('B.dat', [both, exe('BOTH')]), {
      lockTimeoutMs: 20_000,
      listener: (event) => void heard.push(event),
    });
    // It holds the first table and waits for the second.
    await until(env, `select 1 from pg_locks where not granted and relation = 'a1.bitem'::regclass`);
    await other.query('select count(*) from a1.aitem');
    await other.query('commit');
    const outcome = await run;
    await until(env, 'select 1 from pg_stat_database where datname = current_database() and deadlocks = 1');
    expect(postponed(heard)).toMatchObject([{ folder: 'A1', file: 'B.dat', attempt: 1 }]);
    expect(outcome.folders.map(({ folder, state }) => [folder, state])).toEqual([
      ['X3', 'integrated'],
      ['A1', 'integrated'],
    ]);
    expect(await env.query(`select count(*)::integer as n from rustine.integration where file = 'B.dat'`)).toEqual([{ n: 2 }]);
  });

  test('R31: what the server calls a serialization failure is tried again, what stays so fails after the time allowed', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    await env.integrate(await env.patch('A.dat', tables(10)));
    await env.query(
      'create schema tries; create sequence tries.counter; grant usage on schema tries to public; grant all on tries.counter to public',
    );
    const failing = (often: number) =>
      script(
        'COUNT',
        `do $$ begin if current_schema() = 'a1' and nextval('tries.counter') <= ${often} then raise exception 'again' using errcode = 'serialization_failure'; end if; end $$;`,
      );
    const heard: RunEvent[] = [];
    const listener = (event: RunEvent): void => void heard.push(event);
    const outcome = await env.integrate(await env.patch('B.dat', [failing(2), exe('COUNT')]), {
      lockTimeoutMs: 20_000,
      listener,
    });
    expect(postponed(heard)).toMatchObject([
      { folder: 'A1', file: 'B.dat', attempt: 1, blockers: [] },
      { folder: 'A1', file: 'B.dat', attempt: 2 },
    ]);
    expect(outcome.state).toBe('done');
    const paths = [await env.patch('C.dat', [failing(1_000), exe('COUNT')])];
    const failed = await env.rustine.integrate({ paths, mode: 'integrate', lockTimeoutMs: 300 });
    expect(failed.folders.map(({ state }) => state)).toEqual(['integrated', 'failed']);
    expect(failed.findings.find(({ severity }) => severity === 'block')).toMatchObject({
      folder: 'A1',
      facts: { sqlstate: '40001' },
    });
  });
});
