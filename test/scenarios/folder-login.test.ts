// `db url --folder`: the URL works whatever became of the login since the last one was made.
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRustine } from '../../src/app/rustine.ts';
import { rustine as program } from '../support/crash.ts';
import { openEnvironment, queryAt, type TestEnvironment } from '../support/environment.ts';
import { everyServer } from '../support/servers.ts';

const who = async (url: string): Promise<string | undefined> =>
  (await queryAt<{ who: string }>(url, 'select current_user as who'))[0]?.who;

const logins = (env: TestEnvironment): string => join(env.home, 'folder-logins');

describe.each(everyServer())('R3: the URL of a folder on $name', (server) => {
  test('stays the same, and its password is readable by its owner only', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const url = await env.rustine.databaseUrl('SEED');
    expect([await who(url), await env.rustine.databaseUrl('seed')]).toEqual([`${env.database}_seed`, url]);
    const [file = ''] = await readdir(logins(env));
    const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    expect([await mode(logins(env)), await mode(join(logins(env), file))]).toEqual(['700', '600']);
  });

  test('works after the folder was dropped and made again; a dropped folder leaves no password', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.rustine.databaseUrl('SEED');
    await env.rustine.dropFolder('SEED');
    expect(await readdir(logins(env))).toEqual([]);
    await env.folders(['SEED']);
    await env.rustine.databaseUrl('SEED');
    // Dropped and made from elsewhere: the password that is kept here is no longer right.
    const home = await mkdtemp(join(tmpdir(), 'rustine-env-'));
    onTestFinished(() => rm(home, { recursive: true, force: true }));
    const other = await openRustine({ home, database: env.url, language: 'en' });
    env.later(() => other.close());
    await other.dropFolder('SEED');
    await other.createFolders(['SEED'], {});
    expect(await who(await env.rustine.databaseUrl('SEED'))).toBe(`${env.database}_seed`);
    // Both homes get one that works, in turns.
    expect(await who(await other.databaseUrl('SEED'))).toBe(`${env.database}_seed`);
    expect(await who(await env.rustine.databaseUrl('SEED'))).toBe(`${env.database}_seed`);
  });

  test('works after the login has changed its own password, and after its file was damaged', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const url = await env.rustine.databaseUrl('SEED');
    await queryAt(url, `alter role current_user password 'another'`);
    const renewed = await env.rustine.databaseUrl('SEED');
    expect([renewed === url, await who(renewed)]).toEqual([false, `${env.database}_seed`]);
    const [file = ''] = await readdir(logins(env));
    for (const text of ['', '{"broken', '\0'.repeat(40)]) {
      await writeFile(join(logins(env), file), text);
      expect(await who(await env.rustine.databaseUrl('SEED'))).toBe(`${env.database}_seed`);
    }
    expect(await readdir(logins(env))).toEqual([file]);
  });

  test('asked for by several at the same time is one that works for all of them', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    const urls = await Promise.all(['SEED', 'SHOP', 'SEED', 'SEED'].map((code) => env.rustine.databaseUrl(code)));
    expect(await Promise.all(urls.map(who))).toEqual(['seed', 'shop', 'seed', 'seed'].map((code) => `${env.database}_${code}`));
  });

  test('names no other login, wherever the database URL says who one is', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const url = new URL(env.url);
    for (const name of ['username', 'password'] as const) {
      url.searchParams.set(name === 'username' ? 'user' : name, url[name]);
      url[name] = '';
    }
    const rustine = await openRustine({ home: env.home, database: url.href, language: 'en' });
    env.later(() => rustine.close());
    expect(await who(await rustine.databaseUrl('SEED'))).toBe(`${env.database}_seed`);
  });

  test('a login that may not come in is said, and its password stays', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const url = await env.rustine.databaseUrl('SEED');
    await env.query(`alter role ${env.database}_seed nologin`);
    await expect(env.rustine.databaseUrl('SEED')).rejects.toMatchObject({ code: 'database-unreachable' });
    await env.query(`alter role ${env.database}_seed login`);
    expect(await env.rustine.databaseUrl('SEED')).toBe(url);
  });

  test('a new password waits while a patch is being integrated; a place that cannot be read is said', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const client = new Client({ connectionString: env.url });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('begin');
    await client.query(`select from rustine.folder where code = 'SEED' for update`);
    let done = false;
    const url = env.rustine.databaseUrl('SEED').finally(() => (done = true));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(done).toBe(false);
    await client.query('commit');
    expect(await who(await url)).toBe(`${env.database}_seed`);
    await rm(logins(env), { recursive: true });
    await writeFile(logins(env), '');
    const { code, out } = await program(['db', 'url', '--folder', 'SEED', '--home', env.home, '--database', env.url, '--json']);
    expect([code, JSON.parse(out)]).toMatchObject([3, { error: { code: 'system', reason: 'ENOTDIR' } }]);
  });
});
