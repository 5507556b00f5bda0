// The answer of a commit does not come, or a program wakes up after it was taken for dead: what is told and done then is what is true.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRustine, type Rustine } from '../../src/app/rustine.ts';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { exe, script, table } from '../support/patches.ts';
import { openProxy, type ServerProxy } from '../support/proxy.ts';
import { oneServer } from '../support/servers.ts';

const item = () => [table('ITEM', 'ITM', { COD: 'A:5' }, { ITM0: 'COD' })];

/** Another program on the same environment; the first commit after a statement that has these words is carried out, and its answer goes lost. */
async function losing(env: TestEnvironment, words: string, lose?: () => void): Promise<Rustine> {
  let lost = false;
  const proxy: ServerProxy = await openProxy(env.url, () => {
    let meant = false;
    let ending = false;
    return {
      fromClient: (bytes) => {
        const text = bytes.toString('latin1');
        if (text.includes(words)) meant = true;
        else if (meant && !lost && text.includes('commit')) ending = true;
      },
      fromServer: (bytes) => {
        if (ending && !lost) {
          lost = true;
          if (lose === undefined) proxy.cut();
          else lose();
        }
        return bytes;
      },
    };
  });
  onTestFinished(async () => {
    await proxy.close();
    expect(lost).toBe(true);
  });
  const rustine = await openRustine({ home: env.home, database: proxy.url, language: 'en', jobs: 1 });
  onTestFinished(() => rustine.close().catch(() => undefined));
  return rustine;
}

const states = ({ state, folders }: RunOutcome) => [state, folders.map((folder) => [folder.folder, folder.state])];
const limits = async (env: TestEnvironment) =>
  (
    await env.query<{ limit: number }>(
      `select rolconnlimit as limit from pg_roles where starts_with(rolname, current_database() || '_')`,
    )
  ).map(({ limit }) => limit);

describe.each(oneServer())('$name', (server) => {
  test('R30: the connection is lost at the commit of a folder: the patch is there, and told so', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    const rustine = await losing(env, 'insert into rustine.integration');
    const outcome = await rustine.integrate({ paths: [await env.patch('A.dat', item())], mode: 'integrate' });
    expect(states(outcome)).toEqual([
      'done',
      [
        ['X3', 'integrated'],
        ['A1', 'integrated'],
      ],
    ]);
    expect(outcome.folders[0]?.patches[0]?.tables.created).toEqual(['item']);
  });

  test('R30: stopped at once at that moment, the folder that got the patch is told as one', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    const abort = new AbortController();
    const rustine = await losing(env, 'insert into rustine.integration', () => abort.abort());
    const outcome = await rustine.integrate({
      paths: [await env.patch('A.dat', item())],
      mode: 'integrate',
      abort: abort.signal,
    });
    expect(states(outcome)).toEqual([
      'cancelled',
      [
        ['X3', 'integrated'],
        ['A1', 'cancelled'],
      ],
    ]);
    expect(await env.query(`select folder, state from rustine.run_folder order by folder desc`)).toEqual([
      { folder: 'X3', state: 'integrated' },
      { folder: 'A1', state: 'cancelled' },
    ]);
  });

  test('R12: logins that were shut by a commit whose answer went lost are open when the run has failed', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    const rustine = await losing(env, 'connection limit 0');
    await expect(rustine.integrate({ paths: [await env.patch('A.dat', item())], mode: 'integrate' })).rejects.toMatchObject({
      code: 'database-lost',
    });
    expect([await limits(env), await env.query('select * from rustine.shut_login')]).toEqual([[-1, -1], []]);
  });

  test('R12: a program that was settled while it waited for sessions ends none', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    const client = new Client({ connectionString: await env.rustine.databaseUrl('A1') });
    await client.connect();
    onTestFinished(() => client.end());
    const run = env.rustine.integrate({
      paths: [await env.patch('A.dat', item())],
      mode: 'integrate',
      waitMs: 700,
      disconnect: true,
      listener: ({ kind }) => void (kind === 'sessions' && env.query(`update rustine.run set state = 'interrupted'`)),
    });
    await expect(run).rejects.toMatchObject({ code: 'run-lost' });
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('R30: a program that lost its lease rolls back what it waits with, within seconds', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    await env.integrate(await env.patch('A.dat', item()));
    const holder = new Client({ connectionString: env.url });
    await holder.connect();
    onTestFinished(() => holder.end());
    await holder.query('begin; lock table x3.item');
    const started = performance.now();
    const run = env.rustine.integrate({
      paths: [await env.patch('B.dat', [table('ITEM', 'ITM', { COD: 'A:9' }, { ITM0: 'COD' })])],
      mode: 'integrate',
      listener: ({ kind }) =>
        void (
          kind === 'patch-started' &&
          env.query(
            `with gone as (delete from rustine.process) update rustine.run set state = 'interrupted' where state = 'running'`,
          )
        ),
    });
    await expect(run).rejects.toMatchObject({ code: 'run-lost' });
    expect(performance.now() - started).toBeLessThan(6_000);
  });

  test('R28: a program that was taken for dead starts no runner: the script stays listed', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    const marker = join(env.home, 'ran');
    const runner = { command: 'touch', words: [marker], timeoutMs: 5_000, environment: [] };
    const rustine = await openRustine({ home: env.home, database: env.url, language: 'en', jobs: 1, runners: { '4gl': runner } });
    onTestFinished(() => rustine.close());
    await env.query(`create function public.settle() returns trigger language plpgsql as
      'begin update rustine.run set state = ''interrupted'' where id = new.run; return null; end'`);
    await env.query('create trigger settle after insert on rustine.integration for each row execute function public.settle()');
    const paths = [await env.patch('A.dat', [script('JOB', 'Infbox "x"'), exe('JOB')])];
    await expect(rustine.integrate({ paths, mode: 'integrate' })).rejects.toMatchObject({ code: 'run-lost' });
    await expect(access(marker)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await env.query('select script from rustine.pending_script')).toEqual([{ script: 'JOB' }]);
  });
});
