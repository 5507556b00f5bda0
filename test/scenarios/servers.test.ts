// An environment on two servers: folders live on either, runs span both, and a server that is down fails its own folders only.
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRustine } from '../../src/app/rustine.ts';
import type { RunEvent } from '../../src/journal/journal.ts';
import { abandoned, leftovers, rustine as run } from '../support/crash.ts';
import { openEnvironment, queryAt } from '../support/environment.ts';
import { row, script, table } from '../support/patches.ts';
import { createDatabase, oneServer, servers } from '../support/servers.ts';
import { reopened, statesOf, twoServers } from '../support/two-servers.ts';

const item = (fields: Record<string, string> = {}) => table('ITEM', 'ITM', { COD: 'A:10', ...fields }, { IDX0: 'COD' });

describe.each(oneServer())('two servers, from $name', (server) => {
  const further = servers().at(-1);

  test('R1: a folder lives on a further server, below a mirror of its ancestors', async () => {
    const env = await twoServers(server, further);
    await env.folders(['SUB'], { parent: 'FAR', test: true });
    const folders = await env.rustine.folders();
    expect(folders.map(({ code, parent, server: on, state }) => [code, parent, on, state])).toEqual([
      ['X3', null, null, 'ready'],
      ['FAR', 'X3', 'NORTH', 'ready'],
      ['LOC', 'X3', null, 'ready'],
      ['SUB', 'FAR', 'NORTH', 'ready'],
    ]);
    expect(await env.at(`select code, mirror from rustine.folder order by code`)).toEqual([
      { code: 'FAR', mirror: false },
      { code: 'SUB', mirror: false },
      { code: 'X3', mirror: true },
    ]);
    expect(await env.rustine.servers()).toMatchObject([
      { name: 'NORTH', state: 'reachable', folders: ['FAR', 'SUB'], mirrors: ['X3'] },
    ]);
  });

  test('R31: a run spans both servers', async () => {
    const env = await twoServers(server, further);
    const path = await env.patch('A.dat', [item(), script('ZHELLO', '-- hello'), row('ITM', 'x', { COD: 'A' })]);
    const rehearsed = await env.integrate(path, { mode: 'rehearse' });
    expect(statesOf(rehearsed)).toEqual({ X3: 'integrated', LOC: 'integrated', FAR: 'integrated' });
    expect(await env.at(`select to_regclass('far.item') is null as absent`)).toEqual([{ absent: true }]);
    const events: RunEvent[] = [];
    const outcome = await env.integrate(path, { listener: (event) => void events.push(event) });
    // Whoever watches counts all of them.
    expect(events.filter(({ kind }) => kind === 'run-started')).toMatchObject([{ folders: ['X3', 'LOC', 'FAR'] }]);
    expect(events.filter(({ kind }) => kind === 'folder-finished')).toHaveLength(3);
    const [latest] = await env.rustine.latestRuns(1);
    expect(latest?.folders).toBe(3);
    expect(statesOf(outcome)).toEqual({ X3: 'integrated', LOC: 'integrated', FAR: 'integrated' });
    expect(await env.at(`select cod_0 from far.item`)).toEqual([{ cod_0: 'A' }]);
    const { folders } = await env.rustine.runs.show(outcome.run);
    expect(folders.map(({ folder, state }) => [folder, state]).sort()).toEqual([
      ['FAR', 'integrated'],
      ['LOC', 'integrated'],
      ['X3', 'integrated'],
    ]);
    const trace = await env.rustine.log(outcome.run);
    expect(trace.flatMap((event) => (event.kind === 'patch-finished' ? [event.folder] : [])).sort()).toEqual([
      'FAR',
      'LOC',
      'X3',
    ]);
    expect((await env.rustine.check({ paths: [path] })).folders.map(({ folder }) => folder)).toEqual(['X3', 'LOC', 'FAR']);
    const again = await env.integrate(path);
    expect(statesOf(again)).toEqual({ X3: 'unchanged', LOC: 'unchanged', FAR: 'unchanged' });
    // Said once for all servers, as for all folders of one.
    const everywhere = { file: 'A.dat', folders: ['X3', 'LOC', 'FAR'], count: 3, everywhere: true };
    expect(again.findings).toEqual([
      { code: 'already-integrated', severity: 'warn', patch: 'A.dat', subject: 'A.dat', facts: everywhere },
    ]);
    expect((await env.rustine.check({ paths: [path] })).findings).toEqual(again.findings);
    await env.folders(['NEW'], { server: 'NORTH' });
    const [rest] = (await env.integrate(path)).findings.filter(({ code }) => code === 'already-integrated');
    expect(rest).toMatchObject({ severity: 'info', facts: { ...everywhere, everywhere: false } });
  });

  test('R17: a server that is down fails its folders only, and they are named; later they catch up', async () => {
    const env = await twoServers(server, further);
    const path = await env.patch('P_0001_140.dat', [item()]);
    await env.proxy.close();
    const outcome = await env.rustine.integrate({ paths: [path], mode: 'integrate' });
    expect([outcome.state, statesOf(outcome)]).toEqual(['partial', { X3: 'integrated', LOC: 'integrated', FAR: 'failed' }]);
    const [finding] = outcome.findings.filter(({ code }) => code === 'server-unreachable');
    expect(finding?.facts).toMatchObject({ server: 'NORTH', folders: ['FAR'] });
    expect(JSON.stringify(outcome)).not.toContain(new URL(env.proxy.url).password);
    const folders = await env.rustine.folders();
    expect(folders.map(({ code, state }) => [code, state])).toEqual([
      ['X3', 'ready'],
      ['FAR', 'unreachable'],
      ['LOC', 'ready'],
    ]);
    expect(env.rustine.missed().map(({ code }) => code)).toEqual(['server-unreachable']);
    // Back under another address, which only the surroundings know.
    const again = await reopened(env);
    expect((await again.folders()).filter(({ code }) => code === 'FAR')).toMatchObject([{ lag: ['P_0001_140.dat'], due: true }]);
    // What stands for X3 there lacks it too: nobody is called in line with that.
    const command = 'rustine integrate P_0001_140.dat --folders FAR';
    for (const folders of [['FAR'], undefined]) {
      const refused = await again.validate(folders === undefined ? {} : { folders });
      expect([refused.state, statesOf(refused)]).toEqual(['refused', { FAR: 'failed' }]);
      expect(refused.findings).toMatchObject([
        { code: 'mirror-lags', folder: 'FAR', facts: { parents: ['X3'], server: 'NORTH', files: ['P_0001_140.dat'], command } },
      ]);
    }
    const catchUp = 'rustine integrate P_0001_140.dat --folders X3';
    expect((await again.verify({})).differences).toMatchObject([
      { code: 'mirror-lacks', folders: [{ folder: 'X3', mirror: 'NORTH' }], next: catchUp },
    ]);
    // It gets it with the folders below it.
    const rehearsed = await again.integrate({ paths: [path], mode: 'rehearse', folders: ['FAR'] });
    expect([rehearsed.state, await env.at(`select to_regclass('x3.item') as made`)]).toEqual(['done', [{ made: null }]]);
    const caught = await again.integrate({ paths: [path], mode: 'integrate', folders: ['FAR'] });
    expect([caught.state, statesOf(caught)]).toEqual(['done', { FAR: 'integrated' }]);
    expect((await again.verify({})).differences).toEqual([]);
    const whole = await again.integrate({ paths: [path], mode: 'integrate' });
    expect(statesOf(whole)).toEqual({ X3: 'unchanged', LOC: 'unchanged', FAR: 'unchanged' });
    expect((await again.folders()).filter(({ code }) => code === 'FAR')).toMatchObject([{ lag: [], due: false }]);
    expect(await env.at(`select count(*)::integer as n from x3.apatch`)).toEqual([{ n: 1 }]);
  });

  test('R17: a server that dies in the middle fails what it has not got; what was through is told as it is', async () => {
    const env = await twoServers(server, further);
    await env.folders(['SUB'], { parent: 'FAR', server: 'NORTH' });
    const paths = [await env.patch('A.dat', [item()])];
    const outcome = await env.rustine.integrate({
      paths,
      mode: 'integrate',
      listener: (event) => {
        if (event.kind === 'folder-finished' && event.folder === 'FAR') void env.proxy.close();
      },
    });
    expect([outcome.state, statesOf(outcome)]).toEqual([
      'partial',
      { X3: 'integrated', LOC: 'integrated', FAR: 'integrated', SUB: 'failed' },
    ]);
    const again = await reopened(env);
    const repeated = await again.integrate({ paths, mode: 'integrate' });
    expect(statesOf(repeated)).toEqual({ X3: 'unchanged', LOC: 'unchanged', FAR: 'unchanged', SUB: 'integrated' });
    expect(await env.at(`select count(*)::integer as n from rustine.run where state = 'running'`)).toEqual([{ n: 0 }]);
  });

  test('R31: what the supervisor folder does not get, no folder on another server gets', async () => {
    const env = await twoServers(server, further);
    // A name that somebody else has taken in X3 alone.
    await env.query('create table x3.item (other integer)');
    const outcome = await env.rustine.integrate({ paths: [await env.patch('A.dat', [item()])], mode: 'integrate' });
    expect(statesOf(outcome)).toEqual({ X3: 'failed', LOC: 'skipped', FAR: 'skipped' });
    expect(
      await env.at(`select code from rustine.integration i join rustine.folder f on f.id = i.folder where file = 'A.dat'`),
    ).toEqual([]);
  });

  test('R31: where the mirror does not get a patch, its children there do not', async () => {
    const env = await twoServers(server, further);
    await env.at('create table x3.item (other integer)');
    const outcome = await env.rustine.integrate({ paths: [await env.patch('A.dat', [item()])], mode: 'integrate' });
    expect([outcome.state, statesOf(outcome)]).toEqual(['partial', { X3: 'integrated', LOC: 'integrated', FAR: 'skipped' }]);
    expect(outcome.findings.filter(({ code }) => code === 'mirror-failed')).toMatchObject([
      { folder: 'X3', patch: 'A.dat', facts: { server: 'NORTH' } },
    ]);
  });

  test('R16: what blocks on one server blocks everywhere, before anything changes', async () => {
    const env = await twoServers(server, further);
    await env.integrate(await env.patch('A.dat', [item()]), { folders: ['FAR'] });
    const changed = await env.patch('A.dat', [item({ NAM: 'A:20' })]);
    const outcome = await env.rustine.integrate({ paths: [changed], mode: 'integrate' });
    expect([outcome.state, statesOf(outcome)]).toEqual(['refused', { X3: 'skipped', LOC: 'skipped', FAR: 'skipped' }]);
    expect(outcome.findings.filter(({ severity }) => severity === 'block')).toMatchObject([
      { code: 'content-changed', folder: 'FAR' },
    ]);
    expect(await env.at(`select state from rustine.run order by started_at desc limit 1`)).toEqual([{ state: 'refused' }]);
  });

  test('R3, R4: SQL scripts of the supervisor folder are found on the further server, and a folder there has a login of its own', async () => {
    const env = await twoServers(server, further);
    const hello = `create function hello() returns text language sql as $$ select 'hello' $$;`;
    await env.integrate(await env.patch('A.dat', [item(), script('HELLO', hello)]));
    const url = await env.rustine.databaseUrl('FAR');
    expect(await queryAt(url, 'select hello()')).toEqual([{ hello: 'hello' }]);
    await expect(queryAt(url, 'select * from x3.item')).rejects.toThrow(/permission denied/);
    expect((await env.rustine.scripts.which('HELLO', { folder: 'FAR' })).copies.map(({ folder }) => folder)).toEqual(['X3']);
  });

  test('R2: settings, elements and what was put aside, wherever the folder lives', async () => {
    const env = await twoServers(server, further);
    await env.integrate(await env.patch('A.dat', [item({ NAM: 'A:20' }), row('ITM', 'x', { COD: 'A', NAM: 'one' })]));
    await env.integrate(await env.patch('B.dat', [item()]));
    const kept = await env.rustine.kept({});
    const far = kept.filter(({ folder }) => folder === 'FAR');
    expect(far).toHaveLength(1);
    expect(new Set(kept.map(({ id }) => id)).size).toBe(kept.length);
    const [entry] = far;
    const restored = await env.rustine.restoreKept([entry?.id ?? 0], {});
    expect(restored).toMatchObject({ state: 'done', restored: [{ folder: 'FAR', rows: 1 }] });
    await expect(
      env.rustine.restoreKept(
        kept.map(({ id }) => id),
        {},
      ),
    ).rejects.toMatchObject({ code: 'kept-on-several-servers' });
    const changed = await env.rustine.setFolder('FAR', { languages: ['ENG'] });
    expect(changed).toMatchObject({ folder: { code: 'FAR', server: 'NORTH', languages: ['ENG'], due: true } });
    expect((await env.rustine.validate({ folders: ['FAR', 'LOC'] })).folders.map(({ folder }) => folder)).toEqual(['LOC', 'FAR']);
    expect(await env.rustine.compareElement({ element: 'ATB:ITEM', folder: 'LOC', against: 'FAR' })).toMatchObject({
      here: true,
      there: true,
    });
  });

  test('R1: a code exists once, and what belongs together lives together', async () => {
    const env = await twoServers(server, further);
    await expect(env.rustine.createFolders(['FAR'], {})).rejects.toMatchObject({ code: 'folder-exists' });
    await expect(env.rustine.createFolders(['LOC'], { server: 'NORTH' })).rejects.toMatchObject({ code: 'folder-exists' });
    await expect(env.rustine.createFolders(['NEW'], { server: 'SOUTH' })).rejects.toMatchObject({ code: 'server-unknown' });
    await expect(env.rustine.createFolders(['HIS'], { historyOf: 'LOC', server: 'NORTH' })).rejects.toMatchObject({
      code: 'folder-history-elsewhere',
    });
    await expect(env.rustine.setFolder('LOC', { parent: 'FAR' })).rejects.toMatchObject({ code: 'folder-parent-elsewhere' });
    await expect(env.rustine.dropServer('NORTH')).rejects.toMatchObject({ code: 'server-in-use' });
    // Its parent is mirrored there only when it is needed.
    await env.folders(['DEEP'], { parent: 'LOC', server: 'NORTH' });
    await expect(env.rustine.dropFolder('LOC')).rejects.toMatchObject({ code: 'folder-has-children' });
    expect((await env.rustine.server('NORTH')).mirrors).toEqual(['X3', 'LOC']);
    for (const code of ['DEEP', 'FAR']) await env.rustine.dropFolder(code);
    expect((await env.rustine.folders()).map(({ code }) => code)).toEqual(['X3', 'LOC']);
    expect(await env.at(`select to_regnamespace('far') is null as gone`)).toEqual([{ gone: true }]);
    await env.rustine.dropServer('NORTH');
    expect(await env.rustine.servers()).toEqual([]);
    await expect(openRustine({ home: env.home, database: env.north, language: 'en' })).rejects.toMatchObject({
      code: 'database-is-server',
    });
  });

  test('R2: a new folder there starts with what the original has: level, changed values', async () => {
    const env = await twoServers(server, further, false);
    await env.integrate(await env.patch('P_0001_140.dat', [item(), script('HELLO', '# hello')]));
    await env.folders(['FAR'], { server: 'NORTH' });
    expect((await env.rustine.folders()).find(({ code }) => code === 'FAR')).toMatchObject({
      level: { P_140: 1 },
      lag: [],
      due: false,
    });
    expect(await env.at(`select fic_0 from far.apatch`)).toEqual([{ fic_0: 'P_0001_140.dat' }]);
    expect(await env.at(`select to_regclass('far.item') is not null as there`)).toEqual([{ there: true }]);
  });

  test('databases that are something else are not taken for a server', async () => {
    const env = await twoServers(server, further);
    const { url, drop } = await createDatabase(server);
    onTestFinished(drop);
    await queryAt(url, 'create schema other');
    await expect(env.rustine.addServer('SOUTH', url)).rejects.toMatchObject({ code: 'server-database-used' });
    await expect(env.rustine.addServer('SOUTH', env.url)).rejects.toMatchObject({ code: 'server-is-environment' });
    await expect(env.rustine.addServer('SOUTH', env.north)).rejects.toMatchObject({ code: 'server-known' });
    const other = await openEnvironment(server);
    await expect(env.rustine.addServer('SOUTH', other.url)).rejects.toMatchObject({ code: 'server-of-another' });
    await expect(env.rustine.addServer('NORTH', url)).rejects.toMatchObject({ code: 'server-exists' });
    expect((await env.rustine.servers()).map(({ name }) => name)).toEqual(['NORTH']);
    expect(
      await env.query(`select url from rustine.server where url like '%' || $1 || '%'`, [new URL(env.north).password]),
    ).toEqual([]);
  });

  test('R30: killed while both servers are at work, each folder is whole, and the same command goes on', async () => {
    const env = await twoServers(server, further);
    const paths = [await env.patch('A.dat', [item()]), await env.patch('B.dat', [item({ NAM: 'A:20' })])];
    await env.rustine.close();
    const command = ['integrate', ...paths, '--database', env.url, '--home', env.home, '--json'];
    process.env.RUSTINE_SERVER_NORTH_URL = env.north;
    onTestFinished(() => {
      delete process.env.RUSTINE_SERVER_NORTH_URL;
    });
    for (const at of ['applied:3', 'recorded:2']) {
      const killed = await run(command, { at });
      expect([at, killed.code]).toEqual([at, null]);
      await abandoned(env.url);
      for (const schema of ['x3', 'far']) {
        const [state] = await env.at<{ patches: number; tables: number }>(
          `select (select count(*)::integer from ${schema}.apatch) as patches, (select count(*)::integer from pg_attribute
            where attrelid = to_regclass('${schema}.item') and attname in ('cod_0', 'nam_0')) as tables`,
        );
        expect([at, schema, state?.tables]).toEqual([at, schema, state?.patches]);
      }
    }
    const ended = await run(command);
    expect([ended.code, ended.err]).toEqual([0, expect.any(String)]);
    expect(await env.at(`select count(*)::integer as n from far.apatch`)).toEqual([{ n: 2 }]);
    expect([await leftovers(env.url), await leftovers(env.north)]).toEqual([[], []]);
  });

  test('a command that is killed between the two servers leaves a folder that the next one settles', async () => {
    const env = await twoServers(server, further, false);
    process.env.RUSTINE_SERVER_NORTH_URL = env.north;
    onTestFinished(() => {
      delete process.env.RUSTINE_SERVER_NORTH_URL;
    });
    const where = ['--database', env.url, '--home', env.home];
    const create = ['folder', 'create', 'FAR', '--server', 'NORTH', ...where];
    const states = async () => (await env.rustine.folders()).map(({ code, state }) => [code, state]);
    expect((await run(create, { at: 'folder-reserved' })).code).toBeNull();
    expect(await states()).toContainEqual(['FAR', 'creating']);
    expect((await run(create, { at: 'folder-elsewhere' })).code).toBeNull();
    expect(await states()).toContainEqual(['FAR', 'ready']);
    expect((await run(['folder', 'drop', 'FAR', '--yes', ...where], { at: 'folder-gone' })).code).toBeNull();
    const again = await reopened(env);
    expect((await again.folders()).map(({ code }) => code)).not.toContain('FAR');
    await again.dropServer('NORTH');
  });
});
