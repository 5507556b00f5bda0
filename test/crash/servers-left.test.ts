// What a run over several servers leaves on a further one when its program dies, who settles it; and its trace while it goes.
import { setTimeout } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRustine } from '../../src/app/rustine.ts';
import { rustine as run } from '../support/crash.ts';
import { connected, queryAt } from '../support/environment.ts';
import { table } from '../support/patches.ts';
import { oneServer, servers } from '../support/servers.ts';
import { reopened, type Two, twoServers } from '../support/two-servers.ts';

const item = () => table('ITEM', 'ITM', { COD: 'A:10' }, { IDX0: 'COD' });

/** What is shut and at work on NORTH, and what is noted of it at home. */
const leftOf = async (env: Two) => {
  const [there] = await env.at<{ shut: number; runs: number }>(`select (select count(*)::integer from rustine.shut_login) as shut,
    (select count(*)::integer from rustine.run where state = 'running') as runs`);
  const [here] = await env.query<{ noted: number }>('select count(*)::integer as noted from rustine.left_elsewhere');
  return { ...there, ...here };
};
const NOTHING = { shut: 0, runs: 0, noted: 0 };

/** A run is killed in the supervisor folder: the logins of both servers are shut. */
async function killed(env: Two): Promise<void> {
  process.env.RUSTINE_SERVER_NORTH_URL = env.north;
  onTestFinished(() => {
    delete process.env.RUSTINE_SERVER_NORTH_URL;
  });
  const command = ['integrate', await env.patch('A.dat', [item()]), '--database', env.url, '--home', env.home];
  expect((await run(command, { at: 'applied' })).code).toBeNull();
  expect(await leftOf(env)).toMatchObject({ shut: 2, runs: 1, noted: 1 });
}

describe.each(oneServer())('two servers, from $name', (server) => {
  const further = servers().at(-1);

  test('R12: what a killed run left on a further server, the next command settles, whatever it is about', async () => {
    const env = await twoServers(server, further);
    await env.integrate(await env.patch('B.dat', [item()]));
    expect(await leftOf(env)).toEqual(NOTHING);
    await killed(env);
    const again = await reopened(env);
    expect(await leftOf(env)).toEqual(NOTHING);
    expect(await again.latestRuns(1)).toMatchObject([{ state: 'interrupted' }]);
  });

  test('R12: a worker settles it, too', async () => {
    const env = await twoServers(server, further);
    const worker = await reopened(env);
    await killed(env);
    const stop = new AbortController();
    const work = worker.tasks.work({ stop: stop.signal, abort: stop.signal, listener: () => undefined });
    while (JSON.stringify(await leftOf(env)) !== JSON.stringify(NOTHING)) await setTimeout(100);
    stop.abort();
    await work;
  });

  test('R17: a server that does not answer keeps nobody; `recover` names it, and settles it when it is back', async () => {
    const env = await twoServers(server, further);
    await killed(env);
    await env.proxy.close();
    const settings = { home: env.home, database: env.url, language: 'en', servers: { NORTH: env.proxy.url } } as const;
    const again = await openRustine(settings);
    onTestFinished(() => again.close());
    await again.latestRuns(1);
    expect(await leftOf(env)).toMatchObject({ noted: 1 });
    const { runs } = await again.recover();
    expect(runs.left).toMatchObject([{ code: 'part-unsettled', facts: { server: 'NORTH', folders: ['FAR'] } }]);
    expect(again.missed()).toMatchObject([{ code: 'server-unreachable', subject: 'NORTH' }]);
    const back = await reopened(env);
    expect(await back.recover()).toMatchObject({ logins: { settled: ['FAR', 'X3'], left: [] }, runs: { left: [] } });
    expect([await leftOf(env), back.missed()]).toEqual([NOTHING, []]);
  });

  test('R30: a run that was decided to stay is not called interrupted for a server on which it had nothing to do', async () => {
    const env = await twoServers(server, further);
    process.env.RUSTINE_SERVER_NORTH_URL = env.north;
    onTestFinished(() => {
      delete process.env.RUSTINE_SERVER_NORTH_URL;
    });
    const path = await env.patch('P_0001_140.dat', [item()]);
    await env.integrate(path, { folders: ['X3', 'FAR'] });
    await env.rustine.close();
    const where = ['--database', env.url, '--home', env.home];
    expect((await run(['integrate', path, '--atomic', ...where], { at: 'decided' })).code).toBeNull();
    const recovered = await run(['recover', '--json', ...where]);
    const { settled } = JSON.parse(recovered.out) as { settled: Record<string, string[]> };
    expect(settled).toMatchObject({ prepared: [expect.stringMatching(/ \(commit\)$/)], runs: [] });
    expect(JSON.parse((await run(['log', '--json', ...where])).out)).toMatchObject({ runs: [{ state: 'done' }, {}] });
  });

  test('R30, R34: while a server is down that has not carried out what was decided, `recover` and `status` say so; `recover` says what it did when it is back', async () => {
    const env = await twoServers(server, further);
    const told = (url: string, ...argv: readonly string[]) => {
      process.env.RUSTINE_SERVER_NORTH_URL = url;
      return run([...argv, '--database', env.url, '--home', env.home]);
    };
    onTestFinished(() => {
      delete process.env.RUSTINE_SERVER_NORTH_URL;
    });
    process.env.RUSTINE_SERVER_NORTH_URL = env.north;
    const command = [
      'integrate',
      await env.patch('P_0001_140.dat', [item()]),
      '--atomic',
      '--database',
      env.url,
      '--home',
      env.home,
    ];
    expect((await run(command, { at: 'decided' })).code).toBeNull();
    await env.proxy.close();
    const recovered = await told(env.proxy.url, 'recover', '--json');
    const { settled, left } = JSON.parse(recovered.out) as { settled: Record<string, string[]>; left: Record<string, object[]> };
    expect([recovered.code, settled.prepared]).toEqual([1, []]);
    expect(settled.logins).toEqual(['LOC', 'X3']);
    expect(left.prepared).toMatchObject([
      { code: 'decision-pending', severity: 'block', facts: { server: 'NORTH', decision: 'commit', folders: ['FAR'] } },
    ]);
    const said = await told(env.proxy.url, 'recover');
    expect([said.code, said.out]).toEqual([
      1,
      expect.stringMatching(/NORTH does not answer .* still to be committed.* FAR,.*`rustine recover`/s),
    ]);
    const status = await told(env.proxy.url, 'status');
    expect(status.out).not.toContain('All folders are in line');
    expect(status.out).toContain('Not known of FAR: NORTH does not answer');
    expect(status.out).toMatch(/^FAR +X3 +NORTH +unreachable +- +- +- /m);
    expect(status.err).toMatch(/still to be committed/);
    const document = JSON.parse((await told(env.proxy.url, 'status', '--json')).out) as { findings: { code: string }[] };
    expect(document.findings.map(({ code }) => code)).toEqual(['server-unreachable', 'decision-pending']);
    const back = await told(env.north, 'recover');
    expect([back.code, back.out]).toEqual([0, expect.stringContaining('Logins let in again: FAR, X3')]);
    expect((await told(env.north, 'status')).out).toContain('All folders are in line');
    expect(await leftOf(env)).toEqual(NOTHING);
  });

  test('R33: what happens on a further server is in the trace while it happens', async () => {
    const env = await twoServers(server, further);
    const paths = [await env.patch('A.dat', [item()])];
    await connected(env.north, async (client) => {
      await client.query('begin');
      await client.query(`select from rustine.folder where code = 'FAR' for update`);
      let id = '';
      const outcome = env.rustine.integrate({
        paths,
        mode: 'integrate',
        listener: (event) => {
          if (event.kind === 'run-started') id = event.run;
        },
      });
      const written = `select event ->> 'kind' as kind from rustine.event where run = $1 and event ->> 'folder' = 'FAR'`;
      for (let kinds: readonly string[] = []; !kinds.includes('patch-started'); )
        kinds = (await queryAt<{ kind: string }>(env.url, written, [id])).map(({ kind }) => kind);
      const [row] = await env.query<{ state: string }>('select state from rustine.run where id = $1', [id]);
      expect(row?.state).toBe('running');
      await client.query('rollback');
      expect((await outcome).state).toBe('done');
    });
  });

  test('R12: a login that stays shut there at the end of a run is noted here, and let in by the next who comes', async () => {
    const env = await twoServers(server, further);
    const [far] = await env.at<{ role: string }>(`select role_name as role from rustine.folder where code = 'FAR'`);
    const paths = [await env.patch('A.dat', [item()])];
    await connected(env.north, async (administrator) => {
      let changing: Promise<unknown> = Promise.resolve();
      const outcome = await env.rustine.integrate({
        paths,
        mode: 'integrate',
        listener: (event) => {
          if (event.kind === 'patch-started' && event.folder === 'FAR')
            changing = administrator.query(`begin; alter role "${far?.role}" valid until 'infinity'`);
        },
      });
      await changing;
      expect(outcome.findings).toContainEqual(expect.objectContaining({ code: 'login-locked', folder: 'FAR' }));
      expect(await leftOf(env)).toEqual({ shut: 1, runs: 0, noted: 1 });
      await administrator.query('commit');
    });
    const again = await reopened(env);
    await again.latestRuns(1);
    expect(await leftOf(env)).toEqual(NOTHING);
  });

  test('R17: a server is not dropped while something that a run left there is not settled', async () => {
    const env = await twoServers(server, further);
    const { run: id } = await env.integrate(await env.patch('A.dat', [item()]), { atomic: true });
    await env.rustine.dropFolder('FAR');
    await env.query(`insert into rustine.participant (run, server, decided_by) values ($1, 1, '')`, [id]);
    await env.query(`insert into rustine.left_elsewhere (run, server, process) values ($1, 1, '')`, [id]);
    const noted = async () =>
      (await env.query('select run from rustine.participant union all select run from rustine.left_elsewhere')).length;
    await env.proxy.close();
    const away = await reopened(env, { NORTH: env.proxy.url });
    await expect(away.dropServer('NORTH')).rejects.toMatchObject({
      code: 'server-unsettled',
      facts: { server: 'NORTH', runs: [id], reason: expect.stringContaining('ECONNREFUSED') },
    });
    await away.recover();
    expect(away.missed()).toMatchObject([{ code: 'server-unreachable', subject: 'NORTH', facts: { folders: [] } }]);
    expect(await noted()).toBe(2);
    const back = await reopened(env);
    await back.recover();
    expect(await noted()).toBe(0);
    // Where it answers, dropping it settles it.
    await env.query(`insert into rustine.participant (run, server, decided_by) values ($1, 1, '')`, [id]);
    expect(await back.dropServer('NORTH')).toMatchObject({ name: 'NORTH' });
    expect(await back.servers()).toEqual([]);
  });

  test('R33: what cannot be noted here is this database’s trouble, and not told as the further server’s', async () => {
    const env = await twoServers(server, further);
    await env.query('alter table rustine.left_elsewhere add constraint full_disk check (false)');
    const paths = [await env.patch('A.dat', [item()])];
    await expect(env.rustine.integrate({ paths, mode: 'integrate' })).rejects.toMatchObject({
      code: 'database-error',
      facts: { where: expect.stringContaining('full_disk') },
    });
    expect(await env.rustine.latestRuns(1)).toMatchObject([{ state: 'failed' }]);
    await env.query('alter table rustine.left_elsewhere drop constraint full_disk');
    expect(await leftOf(env)).toEqual(NOTHING);
    expect((await env.rustine.integrate({ paths, mode: 'integrate' })).state).toBe('done');
  });
});
