// What our sessions are set to holds after whatever ran in them: scripts of a patch are run and cleaned up after.
import { describe, expect, it, onTestFinished } from 'vitest';
import { openPostgres } from '../../src/database/postgres.ts';
import { sql } from '../../src/database/sql.ts';
import { connected, openEnvironment } from '../support/environment.ts';
import { exe, script, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const item = table('ITEM', 'ITM', { COD: 'A:10' }, { IDX0: 'COD' });

const NAMES = [
  'search_path',
  'idle_in_transaction_session_timeout',
  'tcp_user_timeout',
  'tcp_keepalives_idle',
  'tcp_keepalives_interval',
  'tcp_keepalives_count',
];

describe.each(oneServer())('session settings on $name', (server) => {
  it('R12: what ends the session of a client that is gone holds after a transaction in which all settings were reset', async () => {
    const env = await openEnvironment(server);
    const database = await openPostgres(env.url, 1);
    onTestFinished(() => database.close());
    const shown = () =>
      database.query<{ name: string; setting: string }>(sql`
      select name, setting from pg_settings where name = any(${NAMES}::text[]) order by name`);
    const before = await shown();
    expect(before).toContainEqual({ name: 'idle_in_transaction_session_timeout', setting: '600000' });
    await database.transaction((session) => session.script('reset all'));
    expect(await shown()).toEqual(before);
    await database.transaction((session) => session.script('reset all'), 'rollback');
    expect(await shown()).toEqual(before);
  });

  it('R28: a second script of a patch waits for locks no longer than the first, and is told with the blocker', async () => {
    const env = await openEnvironment(server, { folders: ['A'] });
    await env.integrate(await env.patch('P_0001_140.dat', [item]));
    const path = await env.patch('P_0002_140.dat', [
      script('NIL', 'select 1;'),
      script('FILL', `insert into item (cod_0) values ('1');`),
      exe('NIL'),
      exe('FILL'),
    ]);
    await connected(env.url, async (other) => {
      await other.query('begin; lock table a.item in share mode');
      const late = setTimeout(() => void other.query('rollback'), 8_000);
      const outcome = await env.rustine.integrate({ paths: [path], mode: 'integrate', lockTimeoutMs: 500 });
      clearTimeout(late);
      await other.query('rollback');
      expect(outcome.folders.map(({ folder, state }) => [folder, state])).toEqual([
        ['X3', 'integrated'],
        ['A', 'failed'],
      ]);
      expect(outcome.findings).toContainEqual(expect.objectContaining({ code: 'lock-timeout', folder: 'A' }));
    });
  });

  it('R28: after a script the settings of the transaction are those that it began with', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('P_0001_140.dat', [table('SEEN', 'SEE', { NAM: 'A:60', SET: 'A:60' }, { IDX0: 'NAM' })]));
    const note = `insert into seen (nam_0, set_0) select name, setting from pg_settings where name in ('lock_timeout', 'idle_in_transaction_session_timeout',
      'client_min_messages', 'IntervalStyle', 'bytea_output') on conflict (nam_0) do update set set_0 = excluded.set_0;`;
    const noted = () =>
      env.query<{ name: string; setting: string }>('select nam_0 as name, set_0 as setting from x3.seen order by nam_0');
    await env.integrate(await env.patch('P_0002_140.dat', [script('NOTE', note), exe('NOTE')]));
    const first = await noted();
    expect(first).toContainEqual({ name: 'idle_in_transaction_session_timeout', setting: '600000' });
    expect(first).not.toContainEqual({ name: 'lock_timeout', setting: '0' });
    await env.query('delete from x3.seen');
    const upset = `set lock_timeout = '1h'; set intervalstyle = 'sql_standard'; set bytea_output = 'escape';`;
    await env.integrate(await env.patch('P_0003_140.dat', [script('UPSET', upset), exe('UPSET'), exe('NOTE')]));
    expect(await noted()).toEqual(first);
  });
});
