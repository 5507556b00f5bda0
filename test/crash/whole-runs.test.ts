// Queued runs that one worker carries out whole, all or none or over several servers: begun, cancelled, given back, gone on with after a kill.

import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Rustine } from '../../src/app/rustine.ts';
import type { WorkerEvent } from '../../src/app/tasks.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { readFolders } from '../../src/environment/catalog.ts';
import { letIn, shutLogins } from '../../src/environment/logins.ts';
import { decide, finishAll, gidOf, NUMBERS_OF_A_TURN, readEnvironmentId, waitingOf } from '../../src/journal/prepared.ts';
import { finishRun, type NewRun, type NotBegun } from '../../src/journal/runs.ts';
import { settleRuns } from '../../src/journal/settling.ts';
import { giveBackRun, takeUpRun } from '../../src/journal/whole-runs.ts';
import { rustine as command, leftovers } from '../support/crash.ts';
import { connected, openEnvironment, queryAt, type TestEnvironment } from '../support/environment.ts';
import { row, script, table } from '../support/patches.ts';
import { everyServer, oneServer, servers } from '../support/servers.ts';
import { reopened, twoServers } from '../support/two-servers.ts';

const item = table('ITEM', 'ITM', { COD: 'A:10', NAM: 'A:20' }, { IDX0: 'COD' });
const never = new AbortController().signal;

async function drain(rustine: Rustine): Promise<readonly WorkerEvent[]> {
  const events: WorkerEvent[] = [];
  await rustine.tasks.work({ jobs: 2, once: true, stop: never, abort: never, listener: (event) => void events.push(event) });
  return events;
}

const follow = (rustine: Rustine, run: string) => rustine.follow(run, () => undefined, never);

const statesOf = (outcome: { readonly folders: readonly { readonly folder: string; readonly state: string }[] } | undefined) =>
  Object.fromEntries((outcome?.folders ?? []).map(({ folder, state }) => [folder, state]));

/** Files that each folder has, as often as it got them. */
const got = ({ query }: Pick<TestEnvironment, 'query'>) =>
  query<{ folder: string; files: string }>(`
    select f.code as folder, string_agg(i.file, ' ' order by i.id) as files from rustine.integration i join rustine.folder f on f.id = i.folder
    where i.file in ('A.dat', 'B.dat') group by f.code order by f.code`);

async function twoFiles(env: TestEnvironment): Promise<readonly string[]> {
  const first = await env.patch('A.dat', [item, script('HELLO', '# hello')]);
  return [first, await env.patch('B.dat', [row('ITM', 'x', { COD: 'A', NAM: 'n' })])];
}

describe.each(everyServer())('all or none in the queue on $name', (server) => {
  it('R30: a worker carries it out as the command does', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'ACME'] });
    const queued = await env.rustine.queue({ paths: await twoFiles(env), mode: 'integrate', atomic: true });
    expect(queued).toMatchObject({ state: 'queued', concerned: ['X3', 'ACME', 'SEED'] });
    await drain(env.rustine);
    const outcome = await follow(env.rustine, queued.run);
    expect([outcome?.state, statesOf(outcome)]).toEqual(['done', { X3: 'integrated', ACME: 'integrated', SEED: 'integrated' }]);
    expect(await got(env)).toEqual(['ACME', 'SEED', 'X3'].map((folder) => ({ folder, files: 'A.dat B.dat' })));
    expect((await env.rustine.log(queued.run)).map(({ kind }) => kind)).toEqual(expect.arrayContaining(['run-decided']));
    expect(await env.query('select decision from rustine.run where id = $1', [queued.run])).toEqual([{ decision: 'commit' }]);
    expect(await env.query('select * from rustine.run_file')).toEqual([]);
    expect(await env.rustine.tasks.list({})).toMatchObject([{ kind: 'patch', state: 'done' }]);
    expect(await leftovers(env.url)).toEqual([]);
  });

  it.each(['decided'])('R30: its worker killed at %s: another one goes on', async (point) => {
    const env = await openEnvironment(server, { folders: ['SEED', 'ACME'] });
    const { run } = await env.rustine.queue({ paths: await twoFiles(env), mode: 'integrate', atomic: true });
    const options = ['--home', env.home, '--database', env.url];
    expect((await command(['worker', '--once', '--jobs', '1', ...options], { at: point })).code).toBe(null);
    await drain(env.rustine);
    const outcome = await follow(env.rustine, run);
    expect([outcome?.state, statesOf(outcome)]).toEqual(['done', { X3: 'integrated', ACME: 'integrated', SEED: 'integrated' }]);
    expect(await got(env)).toEqual(['ACME', 'SEED', 'X3'].map((folder) => ({ folder, files: 'A.dat B.dat' })));
    await env.rustine.recover();
    expect(await env.rustine.tasks.list({})).toMatchObject([{ kind: 'patch', state: 'done' }]);
    expect(await env.query('select file from rustine.run_file')).toEqual([]);
    expect(await leftovers(env.url)).toEqual([]);
  });
});

describe.each(oneServer())('who has a run on $name', (server) => {
  it('R30: a worker that wakes up when another one has its run ends, decides and lets in nothing', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const { run } = await env.rustine.queue({ paths: await twoFiles(env), mode: 'integrate', atomic: true });
    const database = await openPostgres(env.url, 2);
    env.later(() => database.close());
    const taken: NewRun = {
      ...{ id: run, mode: 'integrate', from: 'X3', operator: 'me', files: [], authorized: [], forced: {}, request: {} },
      waves: [['X3'], ['SEED']],
    };
    const inVain = (): NotBegun => 'waiting';
    for (const process of ['sleeper', 'other'])
      await env.query(
        `insert into rustine.process (id, kind, host, pid, alive_until) values ($1, 'command', 'elsewhere', 1, now() + interval '1 hour')`,
        [process],
      );
    expect(await takeUpRun(database, 'sleeper', taken, 'run', inVain)).toMatchObject({ state: 'running', runs: [], tasks: [] });
    await expect(takeUpRun(database, 'other', taken, 'run', inVain)).rejects.toMatchObject({ code: 'run-lost' });
    // Its lease ends, and whoever comes settles it.
    await env.query(`update rustine.process set alive_until = now() - interval '1 second' where id = 'sleeper'`);
    expect(await settleRuns(database)).toEqual([run]);
    expect(await env.query('select state, process from rustine.run')).toEqual([{ state: 'queued', process: null }]);
    await takeUpRun(database, 'other', taken, 'run', inVain);
    const folders = await readFolders(database);
    await database.transaction((session) => shutLogins(session, run, folders, 'other'));
    await finishRun(database, run, 'failed', 'sleeper');
    expect(await giveBackRun(database, run, 'sleeper')).toBe(false);
    expect(await decide(database, run, 'rollback', 'sleeper')).toBe(undefined);
    expect(await letIn(database, { run, process: 'sleeper' })).toEqual({ folders: [], left: [] });
    expect(await env.query('select state, process, decision from rustine.run')).toEqual([
      { state: 'running', process: 'other', decision: null },
    ]);
    expect(await letIn(database, { run, process: 'other' })).toMatchObject({ folders: ['SEED', 'X3'] });
    expect(await giveBackRun(database, run, 'other')).toBe(true);
  });

  it("what an earlier worker prepared late is not the next one's", async () => {
    const env = await openEnvironment(server);
    const database = await openPostgres(env.url, 2);
    env.later(() => database.close());
    const run = randomUUID();
    const environment = await readEnvironmentId(database);
    const names = [1, 2].map((turn) => gidOf(environment, run, turn * NUMBERS_OF_A_TURN + 1));
    for (const gid of names) await env.query(`begin; select txid_current(); prepare transaction '${gid}'`);
    expect(await finishAll(database, run, 'rollback', { turn: 1 })).toBe(1);
    expect(await waitingOf(database, run)).toEqual(names.slice(1));
    expect(await finishAll(database, run, 'rollback', { turn: 2 })).toBe(1);
  });
});

describe.each(oneServer())('from $name', (server) => {
  const further = servers().at(-1);

  it('R31: a run over two servers is queued, checked on both, and carried out', async () => {
    const env = await twoServers(server, further);
    const paths = await twoFiles(env);
    const queued = await env.rustine.queue({ paths, mode: 'integrate' });
    expect(queued).toMatchObject({ state: 'queued', findings: [], concerned: ['X3', 'LOC', 'FAR'] });
    // Of two runs with a folder elsewhere the second is told who has it.
    const second = await env.rustine.queue({ paths, mode: 'integrate', folders: ['FAR'] });
    expect(second.findings).toContainEqual(
      expect.objectContaining({ code: 'run-active', facts: expect.objectContaining({ run: queued.run, folders: ['FAR'] }) }),
    );
    await expect(env.rustine.integrate({ paths: [...paths], folders: ['FAR'], mode: 'integrate' })).resolves.toMatchObject({
      state: 'refused',
    });
    await drain(await reopened(env));
    const outcome = await follow(env.rustine, queued.run);
    expect([outcome?.state, statesOf(outcome)]).toEqual(['done', { X3: 'integrated', LOC: 'integrated', FAR: 'integrated' }]);
    expect(outcome?.folders.at(-1)?.patches.map(({ file, state }) => [file, state])).toEqual([
      ['A.dat', 'integrated'],
      ['B.dat', 'integrated'],
    ]);
    expect(await env.at(`select cod_0 from far.item`)).toEqual([{ cod_0: 'A' }]);
    expect([await leftovers(env.url), await leftovers(env.north)]).toEqual([[], []]);
  });

  it.each([['recorded:4', 'when some have a patch']])(
    'R30: the worker of a run over two servers is killed at %s, %s: another one goes on',
    async (point) => {
      const env = await twoServers(server, further);
      const { run } = await env.rustine.queue({ paths: await twoFiles(env), mode: 'integrate' });
      await writeFile(join(env.home, 'rustine.yaml'), `servers:\n  NORTH: ${env.north}\n`, { mode: 0o600 });
      const killed = await command(['worker', '--once', '--jobs', '1', '--home', env.home, '--database', env.url], { at: point });
      expect(killed.code, killed.err).toBe(null);
      const other = await reopened(env);
      await drain(other);
      const outcome = await follow(env.rustine, run);
      expect([outcome?.state, statesOf(outcome)]).toEqual(['done', { X3: 'integrated', LOC: 'integrated', FAR: 'integrated' }]);
      // What came before the kill is told as what this run brought, and nothing came twice.
      for (const { patches } of outcome?.folders ?? [])
        expect(patches.map(({ file, state }) => [file, state])).toEqual([
          ['A.dat', 'integrated'],
          ['B.dat', 'integrated'],
        ]);
      expect(await got(env)).toEqual(['LOC', 'X3'].map((folder) => ({ folder, files: 'A.dat B.dat' })));
      expect(await got({ query: (text) => env.at(text) })).toEqual(
        ['FAR', 'X3'].map((folder) => ({ folder, files: 'A.dat B.dat' })),
      );
      await other.recover();
      expect([await leftovers(env.url), await leftovers(env.north)]).toEqual([[], []]);
    },
  );

  it('R12: a part that an earlier worker may still be at is waited for, and nobody is kept out meanwhile', async () => {
    const env = await twoServers(server, further);
    const { run } = await env.rustine.queue({ paths: await twoFiles(env), mode: 'integrate' });
    const other = (state: string) =>
      queryAt(
        env.north,
        `insert into rustine.process (id, kind, host, pid, alive_until) values ('w', 'command', 'elsewhere', 1, now() + interval '${state}')
          on conflict (id) do update set alive_until = excluded.alive_until`,
      );
    await other('1 hour');
    await queryAt(
      env.north,
      `insert into rustine.run (id, mode, state, from_folder, operator, host, pid, process, files, authorized) values ('${run}', 'integrate', 'running', 'X3', 'me', 'elsewhere', 1, 'w', '{}', '{}')`,
    );
    const working = drain(env.rustine);
    await sleep(1_000);
    expect(await env.query('select state from rustine.run where id = $1', [run])).toEqual([{ state: 'queued' }]);
    await other('-1 second');
    await working;
    expect(await follow(env.rustine, run)).toMatchObject({ state: 'done' });
  });

  it('R30: what an earlier worker prepared on a server that did not answer is settled when it does, and not waited for', async () => {
    const env = await twoServers(server, further);
    const { run } = await env.rustine.queue({ paths: await twoFiles(env), mode: 'integrate', atomic: true });
    const waits = Promise.withResolvers<void>();
    const started = `'integrate', 'running', 'X3', 'me', 'elsewhere', 1`;
    const columns = 'mode, state, from_folder, operator, host, pid';
    await env.query(
      `insert into rustine.process (id, kind, host, pid, alive_until) values ('w', 'command', 'elsewhere', 1, now() + interval '1 hour')`,
    );
    await env.query(
      `insert into rustine.run (id, ${columns}, process, files, authorized, started_at) values ('r', ${started}, 'w', '{}', '{}', now() - interval '1 hour')`,
    );
    await env.query(`insert into rustine.run_folder (run, folder, wave, state) values ('r', 'LOC', 0, 'running')`);
    const working = env.rustine.tasks.work({
      ...{ jobs: 2, once: true, stop: never, abort: never },
      listener: (event) => event.kind === 'run-event' && event.event.kind === 'run-waiting' && waits.resolve(),
    });
    await waits.promise;
    // The earlier worker's part, which nobody could settle before: it prepared, and is gone.
    const [environment] = await env.at<{ id: string }>(`select id from rustine.environment`);
    const gid = gidOf(environment?.id ?? '', run, 1);
    await env.at(`begin; select txid_current(); prepare transaction '${gid}'`);
    await env.at(
      `insert into rustine.run (id, ${columns}, process, files, authorized, atomic, decided_by) values ('${run}', ${started}, 'old', '{}', '{}', true, 'older')`,
    );
    await env.at(`insert into rustine.run_folder (run, folder, wave, state) values ('${run}', 'FAR', 0, 'prepared')`);
    await env.at(`insert into rustine.prepared (gid, run, folders) values ('${gid}', '${run}', '{FAR}')`);
    await env.query(`update rustine.run set state = 'done' where id = 'r'`);
    await working;
    expect(await follow(env.rustine, run)).toMatchObject({ state: 'done' });
    expect(await env.at('select gid from pg_prepared_xacts')).toEqual([]);
  });

  it('R17: a server that is down when it is queued, and when it begins, fails its folders only; what is there is no obstacle for the rest', async () => {
    const env = await twoServers(server, further);
    const paths = await twoFiles(env);
    await env.proxy.close();
    const queued = await env.rustine.queue({ paths, mode: 'integrate' });
    expect(queued).toMatchObject({ state: 'queued', findings: [{ code: 'server-unreachable', severity: 'warn' }] });
    await drain(env.rustine);
    const outcome = await follow(env.rustine, queued.run);
    expect([outcome?.state, statesOf(outcome)]).toEqual(['partial', { X3: 'integrated', LOC: 'integrated', FAR: 'failed' }]);
    // Everything is in the folders of the one server (R15), nothing in those of the other.
    const again = await reopened(env);
    const rest = await again.queue({ paths, mode: 'integrate' });
    expect(rest).toMatchObject({ state: 'queued' });
    await drain(again);
    expect(statesOf(await follow(again, rest.run))).toEqual({ X3: 'unchanged', LOC: 'unchanged', FAR: 'integrated' });
    expect((await again.queue({ paths, mode: 'integrate' })).findings).toContainEqual(
      expect.objectContaining({ code: 'already-integrated', severity: 'block' }),
    );
  });

  it('what its request says is honoured: a rehearsal, canaries, a folder that is gone', async () => {
    const env = await twoServers(server, further);
    const paths = await twoFiles(env);
    const rehearsal = await env.rustine.queue({ paths, mode: 'rehearse', first: ['FAR'], jobs: 1 });
    await drain(env.rustine);
    expect(await follow(env.rustine, rehearsal.run)).toMatchObject({ mode: 'rehearse', state: 'done' });
    expect(await env.at(`select to_regclass('far.item') is null as absent`)).toEqual([{ absent: true }]);
    await expect(env.rustine.queue({ paths, mode: 'integrate', first: ['NONE'] })).rejects.toMatchObject({
      code: 'first-not-given',
    });
    const { run } = await env.rustine.queue({ paths, mode: 'integrate' });
    await env.rustine.dropFolder('FAR');
    await drain(env.rustine);
    const outcome = await follow(env.rustine, run);
    expect(outcome?.state).toBe('refused');
    expect(outcome?.findings).toMatchObject([{ code: 'folder-unknown', severity: 'block', facts: { folder: 'FAR' } }]);
    expect(await got(env)).toEqual([]);
  });

  it.each(['', 'prepared:2'])(
    'R30: all or none over two servers, its worker killed at "%s": another one goes on',
    async (point) => {
      const env = await twoServers(server, further);
      const { run } = await env.rustine.queue({ paths: await twoFiles(env), mode: 'integrate', atomic: true });
      if (point !== '') {
        await writeFile(join(env.home, 'rustine.yaml'), `servers:\n  NORTH: ${env.north}\n`, { mode: 0o600 });
        const killed = await command(['worker', '--once', '--jobs', '1', '--home', env.home, '--database', env.url], {
          at: point,
        });
        expect(killed.code, killed.err).toBe(null);
      }
      // It has NORTH open since before.
      await drain(env.rustine);
      const outcome = await follow(env.rustine, run);
      expect([outcome?.state, statesOf(outcome)]).toEqual(['done', { X3: 'integrated', LOC: 'integrated', FAR: 'integrated' }]);
      expect(await got(env)).toEqual(['LOC', 'X3'].map((folder) => ({ folder, files: 'A.dat B.dat' })));
      expect(await got({ query: (text) => env.at(text) })).toEqual(
        ['FAR', 'X3'].map((folder) => ({ folder, files: 'A.dat B.dat' })),
      );
      expect([await leftovers(env.url), await leftovers(env.north)]).toEqual([[], []]);
    },
  );

  it('a worker that stops gives the run back; the next one goes on', async () => {
    const env = await twoServers(server, further);
    const { run } = await env.rustine.queue({ paths: await twoFiles(env), mode: 'integrate' });
    const stop = new AbortController();
    await env.rustine.tasks.work({
      jobs: 1,
      stop: stop.signal,
      abort: never,
      listener: (event) => {
        if (event.kind === 'run-event' && event.event.kind === 'patch-finished' && event.event.folder === 'X3') stop.abort();
      },
    });
    expect(await env.query('select state, process from rustine.run where id = $1', [run])).toEqual([
      { state: 'queued', process: null },
    ]);
    expect(await env.rustine.tasks.list({})).toMatchObject([{ kind: 'patch', state: 'queued' }]);
    expect(await env.query('select role_name from rustine.shut_login')).toEqual([]);
    expect(await got(env)).toEqual([{ folder: 'X3', files: 'A.dat' }]);
    await drain(await reopened(env));
    const outcome = await follow(env.rustine, run);
    expect([outcome?.state, statesOf(outcome)]).toEqual(['done', { X3: 'integrated', LOC: 'integrated', FAR: 'integrated' }]);
    const kinds = (await env.rustine.log(run)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'run-cancelled' || kind === 'run-finished')).toEqual(['run-finished']);
  });

  it('cancelled while it is queued, and while it is at work', async () => {
    const env = await twoServers(server, further);
    const paths = await twoFiles(env);
    const first = await env.rustine.queue({ paths, mode: 'integrate' });
    await env.rustine.runs.cancel(first.run);
    await drain(env.rustine);
    expect(await follow(env.rustine, first.run)).toMatchObject({ state: 'cancelled' });
    const { run } = await env.rustine.queue({ paths, mode: 'integrate' });
    await connected(env.url, async (somebody) => {
      await somebody.query(`begin; select from rustine.folder where code = 'LOC' for update`);
      const working = drain(env.rustine);
      while ((await env.query(`select from rustine.run_folder where folder = 'X3' and state = 'integrated'`)).length === 0)
        await sleep(20);
      await env.rustine.runs.cancel(run);
      await working;
    });
    const outcome = await follow(env.rustine, run);
    expect(outcome?.state).toBe('cancelled');
    expect(statesOf(outcome)).toMatchObject({ X3: 'integrated', LOC: 'cancelled' });
    expect(await got(env)).toEqual([{ folder: 'X3', files: 'A.dat B.dat' }]);
    expect([await leftovers(env.url), await leftovers(env.north)]).toEqual([[], []]);
  });

  it('R12: tasks of folders elsewhere: listed, carried out where the folder lives, none while a run has it', async () => {
    const env = await twoServers(server, further);
    await env.rustine.setFolder('FAR', { activityCodes: ['KIT'] });
    const task = await env.rustine.tasks.add({ kind: 'validation', folder: 'far' });
    expect(task).toMatchObject({ folder: 'FAR', state: 'queued' });
    await expect(env.rustine.tasks.add({ kind: 'validation', folder: 'NONE' })).rejects.toMatchObject({
      code: 'folder-unknown',
      facts: { known: ['X3', 'LOC', 'FAR'] },
    });
    await drain(env.rustine);
    expect(await env.rustine.tasks.list({ folders: ['FAR'] })).toMatchObject([{ id: task.id, state: 'done' }]);
    // A task that is at work there keeps a run out.
    const busy = await env.rustine.tasks.add({ kind: 'validation', folder: 'FAR' });
    await env.query(
      `insert into rustine.process (id, kind, host, pid, alive_until) values ('w', 'worker', 'elsewhere', 1, now() + interval '1 hour')`,
    );
    await env.query(`update rustine.task set state = 'active', process = 'w', started_at = now() where id = $1`, [busy.id]);
    const paths = await twoFiles(env);
    const refused = await env.rustine.integrate({ paths: [...paths], mode: 'integrate' });
    expect(refused.findings.filter(({ severity }) => severity === 'block')).toMatchObject([
      { code: 'tasks-active', folder: 'FAR', facts: { task: busy.id } },
    ]);
    // And a run that has the folder keeps tasks out.
    await env.query(`update rustine.task set state = 'done' where id = $1`, [busy.id]);
    await env.query(
      `insert into rustine.run (id, mode, state, from_folder, operator, host, pid, process, files, authorized, elsewhere) values ('r', 'integrate', 'running', 'X3', 'me', 'elsewhere', 1, 'w', '{}', '{}', '{FAR}')`,
    );
    const later = await env.rustine.tasks.add({ kind: 'validation', folder: 'FAR' });
    await drain(env.rustine);
    expect(await env.rustine.tasks.show(later.id)).toMatchObject({ state: 'queued' });
    await env.query(`update rustine.run set state = 'done' where id = 'r'`);
    await drain(env.rustine);
    expect(await env.rustine.tasks.show(later.id)).toMatchObject({ state: 'done' });
  });
});
