// What sessions that sleep hold is not waited for, and what they said last is told without passwords.
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openPostgres } from '../../src/database/postgres.ts';
import { readUsers } from '../../src/environment/sessions.ts';
import { sweepStaging } from '../../src/plan/staging.ts';
import { openEnvironment } from '../support/environment.ts';
import { oneServer } from '../support/servers.ts';

describe.each(oneServer())('$name', (server) => {
  const connect = async (url: string): Promise<Client> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    onTestFinished(() => client.end());
    return client;
  };

  test('R30: staging that a sleeper still reads is left to a later sweep; nobody waits for it', async () => {
    const env = await openEnvironment(server);
    await env.query(`insert into rustine.work (host, pid, process) values ('gone', 1, 'gone'), ('gone', 2, 'gone too')`);
    const sleeper = await connect(env.url);
    await sleeper.query(`begin; select from rustine.work where pid = 1 for share`);
    const database = await openPostgres(env.url, 2);
    onTestFinished(() => database.close());
    expect(await sweepStaging(database)).toHaveLength(1);
    await sleeper.query('rollback');
    expect(await sweepStaging(database)).toHaveLength(1);
    expect(await sweepStaging(database)).toEqual([]);
  });

  test('who is in the way is named with the last statement, but not with a password in it', async () => {
    const env = await openEnvironment(server);
    const database = await openPostgres(env.url, 2);
    onTestFinished(() => database.close());
    const client = await connect(env.url);
    await client.query('begin');
    await client.query('lock table x3.apatch in access share mode');
    expect(await readUsers(database, 'x3')).toMatchObject([{ query: 'lock table x3.apatch in access share mode' }]);
    await client.query(`select 'alter role somebody password'`);
    expect(await readUsers(database, 'x3')).toMatchObject([{ table: 'apatch', query: '' }]);
  });
});
