// Changes of the tree of folders while scripts run: who changes rights on the schemas of a chain waits for the whole chain.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { exe, script } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

/** Does the work while a script runs in SHOP. */
async function whileScriptRuns(env: TestEnvironment, work: () => Promise<unknown>): Promise<void> {
  const path = await env.patch('SLEEP.dat', [script('SLEEP', '-- x\nselect pg_sleep(1.2);'), exe('SLEEP')]);
  const run = env.integrate(path, { folders: ['SHOP'] });
  const sleeps = `select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`;
  while ((await env.query(sleeps)).length === 0) await sleep(20);
  const [done, integrated] = await Promise.allSettled([work(), run]);
  expect([done.status === 'rejected' ? done.reason : 'done', integrated.status]).toEqual(['done', 'fulfilled']);
}

describe.each(everyServer())('the tree of folders on $name', (server) => {
  async function chain(): Promise<TestEnvironment> {
    const env = await openEnvironment(server, { folders: ['SHOP', 'RC'] });
    await env.folders(['LIVE'], { parent: 'SHOP' });
    return env;
  }

  test('R3: a folder is created below a chain while a script runs in the middle of it', async () => {
    const env = await chain();
    await whileScriptRuns(env, () => env.folders(['QQ'], { parent: 'LIVE' }));
    expect(await env.rustine.folder('QQ')).toMatchObject({ state: 'ready', parent: 'LIVE' });
  });

  test('R3: a folder moves below a chain, and away from it, while a script runs in the middle of it', async () => {
    const env = await chain();
    await whileScriptRuns(env, () => env.rustine.setFolder('RC', { parent: 'LIVE' }));
    await env.query('delete from rustine.integration');
    await whileScriptRuns(env, () => env.rustine.setFolder('RC', { parent: 'X3' }));
    expect(await env.rustine.folder('RC')).toMatchObject({ parent: 'X3' });
  });

  test('R3: a folder at the end of a chain is dropped while a script runs in the middle of it', async () => {
    const env = await chain();
    await whileScriptRuns(env, () => env.rustine.dropFolder('LIVE'));
    expect((await env.rustine.folders()).map(({ code }) => code)).toEqual(['X3', 'RC', 'SHOP']);
  });

  test('R3: folders that are created, moved and dropped at the same time do not wait for each other in a circle', async () => {
    const env = await chain();
    const results = await Promise.allSettled([
      env.folders(['AA'], { parent: 'LIVE' }),
      env.folders(['BB'], { historyOf: 'LIVE' }),
      env.rustine.setFolder('RC', { parent: 'SHOP' }),
      env.folders(['CC'], { parent: 'SHOP' }),
      env.rustine.setFolder('SHOP', { test: true }),
    ]);
    expect(results.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))).toEqual([]);
  });
});
