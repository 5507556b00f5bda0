// Queued runs that one worker carries out whole, their workers killed at every point: another one goes on, and nothing comes twice or is left.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Rustine } from '../../src/app/rustine.ts';
import { leftovers, rustine } from '../support/crash.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { row, script, table } from '../support/patches.ts';
import { oneServer, servers } from '../support/servers.ts';
import { statesOf, twoServers } from '../support/two-servers.ts';

const item = table('ITEM', 'ITM', { COD: 'A:10', NAM: 'A:20' }, { IDX0: 'COD' });
const never = new AbortController().signal;

async function twoFiles(env: TestEnvironment): Promise<readonly string[]> {
  const first = await env.patch('A.dat', [item, script('HELLO', '# hello')]);
  return [first, await env.patch('B.dat', [row('ITM', 'x', { COD: 'A', NAM: 'n' })])];
}

/** Killed at each point in turn, as long as the run comes there; then it is carried out. */
async function survived(env: TestEnvironment, run: string, points: readonly string[]) {
  const options = ['--home', env.home, '--database', env.url];
  const killed: string[] = [];
  for (const at of points)
    if ((await rustine(['worker', '--once', '--jobs', '1', ...options], { at })).code === null) killed.push(at);
  await drain(env.rustine);
  await env.rustine.recover();
  const outcome = await env.rustine.follow(run, () => undefined, never);
  if (outcome === undefined) throw new Error('the run has no end');
  return { killed, outcome };
}

async function drain(program: Rustine): Promise<void> {
  await program.tasks.work({ jobs: 2, once: true, stop: never, abort: never, listener: () => undefined });
}

const GOT = `select f.code as folder, string_agg(i.file, ' ' order by i.id) as files from rustine.integration i join rustine.folder f on f.id = i.folder
  where i.file in ('A.dat', 'B.dat') group by f.code order by f.code`;
const both = (...folders: string[]) => folders.map((folder) => ({ folder, files: 'A.dat B.dat' }));

describe.each(oneServer())('on $name', (server) => {
  it.each([
    ['task-taken', 'run-logins-shut'],
    ['announced', 'prepared'],
    ['prepared:2', 'decided'],
    ['run-alone', 'finished'],
  ])('R30: all or none, killed at %s, then at %s', async (...points) => {
    const env = await openEnvironment(server, { folders: ['SEED', 'ACME'] });
    const { run } = await env.rustine.queue({ paths: await twoFiles(env), mode: 'integrate', atomic: true });
    const { killed, outcome } = await survived(env, run, points);
    expect(killed).toEqual(points);
    expect([outcome.state, statesOf(outcome)]).toEqual(['done', { X3: 'integrated', ACME: 'integrated', SEED: 'integrated' }]);
    expect(await env.query(GOT)).toEqual(both('ACME', 'SEED', 'X3'));
    expect(await leftovers(env.url)).toEqual([]);
  });

  it.each([
    [false, 'task-taken', 'run-logins-shut'],
    [false, 'run-alone', 'applied'],
    [false, 'applied:2', 'recorded:3'],
    [true, 'task-taken', 'announced'],
    [true, 'run-alone', 'prepared'],
    [true, 'prepared:2', 'decided'],
    [true, 'finished', 'finished'],
  ])('R30: two servers, all or none %s: killed at %s, then at %s', async (atomic, ...points) => {
    const env = await twoServers(server, servers().at(-1));
    await writeFile(join(env.home, 'rustine.yaml'), `servers:\n  NORTH: ${env.north}\n`, { mode: 0o600 });
    const { run } = await env.rustine.queue({ paths: await twoFiles(env), mode: 'integrate', atomic });
    const { killed, outcome } = await survived(env, run, points);
    // Once it is decided nothing is done again.
    expect(killed).toContain(points[0]);
    expect([outcome.state, statesOf(outcome)]).toEqual(['done', { X3: 'integrated', LOC: 'integrated', FAR: 'integrated' }]);
    expect(outcome.folders.flatMap(({ patches }) => patches.map(({ state }) => state))).toEqual(
      Array.from({ length: 6 }, () => 'integrated'),
    );
    expect([await env.query(GOT), await env.at(GOT)]).toEqual([both('LOC', 'X3'), both('FAR', 'X3')]);
    expect([await leftovers(env.url), await leftovers(env.north)]).toEqual([[], []]);
  });
});
