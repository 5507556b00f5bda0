// The directory of folders on further servers: what a killed command leaves there, and two commands about the same folder at once.
import { describe, expect, onTestFinished, test } from 'vitest';
import { rustine as run } from '../support/crash.ts';
import { connected } from '../support/environment.ts';
import { table } from '../support/patches.ts';
import { createDatabase, oneServer, servers } from '../support/servers.ts';
import { reopened, statesOf, type Two, twoServers } from '../support/two-servers.ts';

const item = () => table('ITEM', 'ITM', { COD: 'A:10' }, { IDX0: 'COD' });

const codesOf = async ({ rustine }: Pick<Two, 'rustine'>) => (await rustine.folders()).map(({ code }) => code);
const refused = (code: string, folder: string) => ({ code, facts: { folder } });

/** A creation or a change below the supervisor folder on NORTH waits as long as the work goes on. @param work is told when one waits */
async function heldThere<Result>(env: Two, work: (waits: () => Promise<void>) => Promise<Result>): Promise<Result> {
  return connected(env.north, async (client) => {
    await client.query('begin');
    await client.query(`select from rustine.folder where code = 'X3' for update`);
    const waits = async (): Promise<void> => {
      for (let n = 0; n === 0; ) {
        const { rows } = await client.query<{ n: number }>(
          `select count(*)::integer as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        n = rows[0]?.n ?? 0;
      }
    };
    return work(waits).finally(() => client.query('rollback'));
  });
}

describe.each(oneServer())('two servers, from $name', (server) => {
  const further = servers().at(-1);

  test('R17: a folder that is half created elsewhere is named, and keeps no other folder from a patch', async () => {
    const env = await twoServers(server, further);
    process.env.RUSTINE_SERVER_NORTH_URL = env.north;
    onTestFinished(() => {
      delete process.env.RUSTINE_SERVER_NORTH_URL;
    });
    const create = ['folder', 'create', 'FAR2', '--server', 'NORTH', '--database', env.url, '--home', env.home];
    expect((await run(create, { at: 'folder-reserved' })).code).toBeNull();
    const paths = [await env.patch('A.dat', [item()])];
    const checked = await env.rustine.check({ paths });
    const outcome = await env.integrate(paths);
    for (const { findings } of [checked, outcome])
      expect(findings.filter(({ code }) => code === 'folder-not-ready')).toMatchObject([
        { severity: 'warn', folder: 'FAR2', facts: { server: 'NORTH', state: 'creating' } },
      ]);
    expect(statesOf(outcome)).toEqual({ X3: 'integrated', LOC: 'integrated', FAR: 'integrated' });
    const named = await env.rustine.integrate({ paths, mode: 'integrate', folders: ['FAR2', 'LOC'] });
    expect([named.state, named.findings.filter(({ severity }) => severity === 'block').map(({ code }) => code)]).toEqual([
      'refused',
      ['folder-not-ready'],
    ]);
    expect((await run(create)).code).toBe(0);
    expect(statesOf(await env.integrate(paths))).toMatchObject({ FAR2: expect.any(String) });
  });

  test('R1: a folder that somebody is creating elsewhere is nobody else’s', async () => {
    const env = await twoServers(server, further);
    const other = await reopened(env);
    const created = await heldThere(env, async (waits) => {
      const creating = env.rustine.createFolders(['FAR2'], { server: 'NORTH' });
      await waits();
      await expect(other.dropFolder('FAR2')).rejects.toMatchObject(refused('folder-not-ready', 'FAR2'));
      await expect(other.createFolders(['FAR2'], { server: 'NORTH' })).rejects.toMatchObject(refused('folder-not-ready', 'FAR2'));
      await expect(other.createFolders(['FAR2'], {})).rejects.toMatchObject(refused('folder-exists', 'FAR2'));
      return { creating };
    });
    expect((await created.creating).folders.map(({ code }) => code)).toEqual(['FAR2']);
    expect(await codesOf(env)).toContain('FAR2');
    // One that is refused there leaves nothing behind.
    await expect(env.rustine.createFolders(['FAR3'], { server: 'NORTH', historyOf: 'LOC' })).rejects.toThrow();
    await expect(env.rustine.createFolders(['FAR2'], { server: 'NORTH' })).rejects.toMatchObject(
      refused('folder-exists', 'FAR2'),
    );
    expect(await codesOf(env)).toEqual(['X3', 'FAR', 'FAR2', 'LOC']);
  });

  test('R1: what a server has and the directory has not, or has otherwise, the next command finds', async () => {
    const env = await twoServers(server, further);
    await env.query(`delete from rustine.folder_elsewhere where code = 'FAR'`);
    const again = await reopened(env);
    await again.server('NORTH');
    expect(await codesOf({ rustine: again })).toEqual(['X3', 'FAR', 'LOC']);
    await env.query(`update rustine.folder_elsewhere set parent = 'LOC'`);
    const third = await reopened(env);
    await third.server('NORTH');
    expect((await third.folders()).find(({ code }) => code === 'FAR')).toMatchObject({ parent: 'X3', state: 'ready' });
  });

  test('R1: a parent stays while a child is made elsewhere, and none is made below one that goes', async () => {
    const env = await twoServers(server, further);
    await env.folders(['DEEP'], { parent: 'LOC', server: 'NORTH' });
    const other = await reopened(env);
    await other.dropFolder('DEEP');
    const created = await heldThere(env, async (waits) => {
      const creating = env.rustine.createFolders(['DEEP2'], { parent: 'LOC', server: 'NORTH' });
      await waits();
      await expect(other.dropFolder('LOC')).rejects.toMatchObject({
        code: 'folder-has-children',
        facts: { children: ['DEEP2'] },
      });
      return { creating };
    });
    await created.creating;
    await env.query(`update rustine.folder set state = 'dropping' where code = 'LOC'`);
    for (const made of [
      () => env.rustine.createFolders(['DEEP3'], { parent: 'LOC', server: 'NORTH' }),
      () => env.rustine.setFolder('FAR', { parent: 'LOC' }),
    ])
      await expect(made()).rejects.toMatchObject(refused('folder-not-ready', 'LOC'));
    expect(await codesOf(env)).not.toContain('DEEP3');
  });

  test('two commands that need the same mirror, or add the same database, at the same time', async () => {
    const env = await twoServers(server, further, false);
    await env.folders(['LOC']);
    const other = await reopened(env);
    const both = await Promise.all([
      env.rustine.createFolders(['A1'], { parent: 'LOC', server: 'NORTH' }),
      other.createFolders(['A2'], { parent: 'LOC', server: 'NORTH' }),
    ]);
    expect(both.flatMap(({ folders }) => folders.map(({ code }) => code))).toEqual(['A1', 'A2']);
    expect((await env.rustine.server('NORTH')).mirrors).toEqual(['X3', 'LOC']);
    const { url, drop } = await createDatabase(further);
    onTestFinished(drop);
    const added = await Promise.allSettled([env.rustine.addServer('ONE', url), other.addServer('TWO', url)]);
    expect(added.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(added.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))).toMatchObject([{ code: 'server-known' }]);
  });

  test('R17: the checks alone look at servers that only mirror folders of the run, as a run does', async () => {
    const env = await twoServers(server, further);
    const path = await env.patch('A.dat', [item()]);
    await env.integrate(path);
    await env.at(
      `update rustine.integration set digest = sha256('other') where folder = (select id from rustine.folder where code = 'X3')`,
    );
    const checked = await env.rustine.check({ paths: [path], folders: ['X3'] });
    expect([checked.state, checked.folders.map(({ folder }) => folder)]).toEqual(['blocked', ['X3']]);
    expect((await env.rustine.integrate({ paths: [path], mode: 'integrate', folders: ['X3'] })).state).toBe('refused');
  });
});
