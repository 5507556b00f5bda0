// Several servers and trouble on one of them: before anything begins it blocks, later it fails that server's folders only; two operators at once.
import { describe, expect, onTestFinished, test } from 'vitest';
import { connected, openEnvironment, queryAt } from '../support/environment.ts';
import { table } from '../support/patches.ts';
import { createDatabase, oneServer, servers } from '../support/servers.ts';
import { reopened, statesOf, type Two, twoServers } from '../support/two-servers.ts';

const item = () => table('ITEM', 'ITM', { COD: 'A:10' }, { IDX0: 'COD' });

/** Number of the lock under which runs take their folders. */
const RUNS_LOCK = 7_083_115;

/** Whenever a row is written to the table of the catalog, this happens first. */
const whenWritten = (table: string, work: string): string => `
  create function rustine.trouble() returns trigger language plpgsql as $$ begin ${work}; return new; end $$;
  create trigger trouble before insert on rustine.${table} for each row execute function rustine.trouble()`;

const files = (schema: string) => `select fic_0 from ${schema}.apatch`;
const running = `select count(*)::integer as n from rustine.run where state = 'running'`;

/** Adds SOUTH with the folder SUD. @returns its database's URL */
async function addSouth(env: Two, further: Parameters<typeof createDatabase>[0]): Promise<string> {
  const { url, drop } = await createDatabase(further);
  onTestFinished(drop);
  await env.rustine.addServer('SOUTH', url);
  await env.folders(['SUD'], { server: 'SOUTH' });
  return url;
}

/** Nobody takes folders on the server while the work goes on. */
async function held<Result>(url: string, work: (waiting: (wanted: number) => Promise<void>) => Promise<Result>): Promise<Result> {
  return connected(url, async (client) => {
    await client.query(`select pg_advisory_lock(${RUNS_LOCK})`);
    return work(async (wanted) => {
      for (let n = -1; n !== wanted; ) {
        const { rows } = await client.query<{ n: number }>(
          `select count(*)::integer as n from pg_locks where locktype = 'advisory' and objid = ${RUNS_LOCK} and not granted
            and database = (select oid from pg_database where datname = current_database())`,
        );
        n = rows[0]?.n ?? 0;
      }
    }).finally(() => client.query(`select pg_advisory_unlock(${RUNS_LOCK})`));
  });
}

describe.each(oneServer())('two servers, from $name', (server) => {
  const further = servers().at(-1);

  test.each([
    ['it cannot stage', `raise exception 'disk full'`, undefined],
    ['somebody has settled the run', `update rustine.run set state = 'interrupted'`, 'run-lost'],
  ])('R31: where %s on its own server, no folder elsewhere gets anything', async (_, work, code) => {
    const env = await twoServers(server, further);
    await env.query(whenWritten('work', work));
    const run = env.rustine.integrate({ paths: [await env.patch('A.dat', [item()])], mode: 'integrate' });
    await expect(run).rejects.toMatchObject(code === undefined ? {} : { code });
    expect([await env.query(files('x3')), await env.at(files('x3')), await env.at(files('far'))]).toEqual([[], [], []]);
    expect(await env.at(running)).toEqual([{ n: 0 }]);
  });

  test('R17: what a server cannot begin blocks the whole run', async () => {
    const env = await twoServers(server, further);
    await env.at(whenWritten('shut_login', `raise exception 'not now'`));
    const outcome = await env.rustine.integrate({ paths: [await env.patch('A.dat', [item()])], mode: 'integrate' });
    expect([outcome.state, statesOf(outcome)]).toEqual(['refused', { X3: 'skipped', LOC: 'skipped', FAR: 'skipped' }]);
    expect(outcome.findings.filter(({ severity }) => severity === 'block')).toMatchObject([
      { code: 'server-failed', subject: 'NORTH', facts: { folders: ['FAR'] } },
    ]);
    expect(await env.query(files('x3'))).toEqual([]);
  });

  test.each([
    ['whose run somebody has settled', `update rustine.run set state = 'interrupted'`],
    ['that ends the session', 'perform pg_terminate_backend(pg_backend_pid())'],
    ['that takes no rows', `raise exception 'disk full'`],
  ])('R17: a server %s fails its folders only', async (_, work) => {
    const env = await twoServers(server, further);
    await env.at(whenWritten('work', work));
    const outcome = await env.rustine.integrate({ paths: [await env.patch('A.dat', [item()])], mode: 'integrate' });
    expect([outcome.state, statesOf(outcome)]).toEqual(['partial', { X3: 'integrated', LOC: 'integrated', FAR: 'failed' }]);
    expect(outcome.findings.filter(({ severity }) => severity === 'block')).toMatchObject([
      { subject: 'NORTH', facts: { folders: ['FAR'] } },
    ]);
    expect(await env.query(`select state from rustine.run where id = '${outcome.run}'`)).toEqual([{ state: 'partial' }]);
    expect((await env.rustine.log(outcome.run)).some(({ kind }) => kind === 'run-finished')).toBe(true);
  });

  test('R17: a database that is another one blocks, and the other servers are left at once', async () => {
    const env = await twoServers(server, further);
    await addSouth(env, further);
    const other = await openEnvironment(server);
    const again = await reopened(env, { SOUTH: other.url });
    const outcome = await again.integrate({ paths: [await env.patch('A.dat', [item()])], mode: 'integrate' });
    expect([outcome.state, new Set(Object.values(statesOf(outcome)))]).toEqual(['refused', new Set(['skipped'])]);
    expect(outcome.findings.filter(({ severity }) => severity === 'block')).toMatchObject([
      { code: 'server-not-member', facts: { server: 'SOUTH', folders: ['SUD'] } },
    ]);
    expect([await env.at(running), await env.query(running)]).toEqual([[{ n: 0 }], [{ n: 0 }]]);
  });

  test('of two who start the same run, the one that comes second at home does not keep the other one from NORTH', async () => {
    const env = await twoServers(server, further);
    const other = await reopened(env);
    const paths = [await env.patch('A.dat', [item()])];
    const first = await held(env.north, async (waiting) => {
      const run = env.rustine.integrate({ paths, mode: 'integrate' });
      await waiting(1);
      const second = await other.integrate({ paths, mode: 'integrate' });
      expect([second.state, statesOf(second)]).toEqual(['refused', { X3: 'skipped', LOC: 'skipped', FAR: 'skipped' }]);
      return { run };
    });
    expect((await first.run).state).toBe('done');
  });

  test('of two who start the same run on further servers only, exactly one runs', async () => {
    const env = await twoServers(server, further);
    const south = await addSouth(env, further);
    const other = await reopened(env, { SOUTH: south });
    const paths = [await env.patch('A.dat', [item()])];
    await env.rustine.integrate({ paths, mode: 'integrate', folders: ['X3'] });
    const runs = await held(env.north, async (waiting) => {
      const both = [env.rustine, other].map((each) => each.integrate({ paths, mode: 'integrate', folders: ['FAR', 'SUD'] }));
      await waiting(1);
      return { both };
    });
    const outcomes = await Promise.all(runs.both);
    expect(outcomes.map(({ state }) => state).sort()).toEqual(['done', 'refused']);
    expect([await env.at(files('far')), await queryAt(south, files('sud'))]).toEqual([
      [{ fic_0: 'A.dat' }],
      [{ fic_0: 'A.dat' }],
    ]);
  });

  test('R31: canaries on any server come first; where one fails, no other folder of any server begins', async () => {
    const env = await twoServers(server, further);
    await env.folders(['FAR2'], { server: 'NORTH' });
    // A name that somebody else has taken in FAR alone.
    await env.at('create table far.item (other integer)');
    const paths = [await env.patch('A.dat', [item()])];
    const failed = await env.rustine.integrate({ paths, mode: 'integrate', first: ['FAR'] });
    expect(statesOf(failed)).toEqual({ X3: 'integrated', LOC: 'skipped', FAR: 'failed', FAR2: 'skipped' });
    expect(failed.folders.flatMap(({ patches }) => patches.flatMap(({ reason }) => reason?.facts.folders ?? []))).toEqual([
      'FAR',
      'FAR',
    ]);
    await env.at('drop table far.item');
    const order: string[] = [];
    const whole = await env.rustine.integrate({
      paths,
      mode: 'integrate',
      first: ['far'],
      listener: (event) => {
        if (event.kind === 'patch-started' || event.kind === 'folder-finished') order.push(`${event.kind} ${event.folder}`);
      },
    });
    expect(statesOf(whole)).toEqual({ X3: 'unchanged', LOC: 'integrated', FAR: 'integrated', FAR2: 'integrated' });
    const through = order.indexOf('folder-finished FAR');
    for (const later of ['LOC', 'FAR2']) expect(order.indexOf(`patch-started ${later}`)).toBeGreaterThan(through);
  });

  test('R31: a canary here that fails keeps the patch from the folders of other servers, and so does one whose server is down', async () => {
    const env = await twoServers(server, further);
    await env.query('create table loc.item (other integer)');
    const paths = [await env.patch('A.dat', [item()])];
    const failed = await env.rustine.integrate({ paths, mode: 'integrate', first: ['LOC'] });
    expect(statesOf(failed)).toEqual({ X3: 'integrated', LOC: 'failed', FAR: 'skipped' });
    await env.query('drop table loc.item');
    await expect(
      env.rustine.integrate({ paths, mode: 'integrate', folders: ['LOC', 'FAR'], first: ['X3'] }),
    ).rejects.toMatchObject({ code: 'first-not-given', facts: { folders: ['X3'] } });
    await env.proxy.close();
    const down = await env.rustine.integrate({ paths, mode: 'integrate', first: ['FAR'] });
    expect(statesOf(down)).toEqual({ X3: 'unchanged', LOC: 'skipped', FAR: 'failed' });
  });

  test('R31: a run that stops at its first failure stops on all servers', async () => {
    const env = await twoServers(server, further);
    const paths = [await env.patch('A.dat', [item()])];
    await env.proxy.close();
    const down = await env.rustine.integrate({ paths, mode: 'integrate', onError: 'stop' });
    expect([down.state, statesOf(down)]).toEqual(['failed', { X3: 'skipped', LOC: 'skipped', FAR: 'failed' }]);
  });

  test('R32: settings that a server missed reach its mirrors with the next run that goes on, not with one that is rehearsed or refused', async () => {
    const env = await twoServers(server, further);
    await env.folders(['DEEP'], { parent: 'LOC', server: 'NORTH' });
    await env.folders(['MID']);
    const mirrors = `select m.code, p.code as parent, m.languages[1] as language from rustine.folder m left join rustine.folder p on p.id = m.parent
      where m.mirror order by m.code`;
    const before = await env.at(mirrors);
    await env.proxy.close();
    const changed = await env.rustine.setFolder('LOC', { parent: 'MID', languages: ['FRA'] });
    expect(changed.findings.map(({ code }) => code)).toEqual(['mirror-not-changed']);
    const again = await reopened(env);
    const paths = [await env.patch('A.dat', [item()])];
    expect((await again.integrate({ paths, mode: 'rehearse' })).state).toBe('done');
    const damaged = [...paths, await env.patch('B.dat', [], { type: 'X' as never })];
    expect((await again.integrate({ paths: damaged, mode: 'integrate' })).state).toBe('refused');
    expect(await env.at(mirrors)).toEqual(before);
    const outcome = await again.integrate({ paths, mode: 'integrate' });
    expect([outcome.state, outcome.findings.filter(({ code }) => code === 'mirror-not-changed')]).toEqual(['done', []]);
    expect(await env.at(mirrors)).toEqual([
      { code: 'LOC', parent: 'MID', language: 'FRA' },
      { code: 'MID', parent: 'X3', language: 'ENG' },
      { code: 'X3', parent: null, language: 'ENG' },
    ]);
    expect(await env.at(files('mid'))).toEqual([{ fic_0: 'A.dat' }]);
  });
});
