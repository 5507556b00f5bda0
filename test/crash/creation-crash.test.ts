// `init`, `folder create` and `folder drop` killed at random moments: the same command, repeated, does the rest.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { abandoned, leftovers, random, rustine } from '../support/crash.ts';
import { cloneDatabase, openEnvironment } from '../support/environment.ts';
import { type Environment, holdings } from '../support/folder-dump.ts';
import { script, table } from '../support/patches.ts';
import { createDatabase, everyServer } from '../support/servers.ts';

/** How often each command is killed. */
const RUNS = Math.ceil(Number(process.env.RUSTINE_CRASH_RUNS ?? '25') / 4);
const SEED = Number(process.env.RUSTINE_CRASH_SEED ?? '1');

describe.each(everyServer())('$name', (server) => {
  const cleanUp: (() => Promise<void>)[] = [];
  const later = (work: () => Promise<void>): void => void cleanUp.unshift(work);
  let home = '';
  let original = '';

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'rustine-creation-'));
    later(() => rm(home, { recursive: true, force: true }));
    const environment = await withTables(later);
    original = environment.database;
  });
  afterAll(async () => {
    for (const work of cleanUp) await work().catch(() => undefined);
  });

  /** Dropping takes the folder's role, so each drop needs an environment that shares its roles with no other. */
  async function withTables(
    at: (work: () => Promise<void>) => void,
  ): Promise<{ readonly database: string; readonly url: string }> {
    const environment = await openEnvironment(server, { folders: ['OLD'], later: at });
    const tables = Array.from({ length: 60 }, (_, number) =>
      table(`T${number}`, `A${number}`, { COD: 'A:10' }, { [`A${number}0`]: 'COD' }),
    );
    await environment.integrate(await environment.patch('P_0001_140.dat', [...tables, script('LIB', 'End')]));
    await environment.rustine.close();
    return environment;
  }

  const command = (url: string, argv: readonly string[], stop = {}) =>
    rustine([...argv, '--database', url, '--home', home, '--json'], stop);
  const lines = (environment: Environment): unknown => [...environment.folders].map(([code, holding]) => [code, holding]);
  const roleless = (environment: Environment): unknown =>
    JSON.parse(JSON.stringify(lines(environment)).replaceAll(/t[0-9a-f]{12}_/g, ''));

  /** Kills the command at random moments and repeats it. @param settled what the repeated command may end with, and the end it leads to */
  async function killedAndRepeated(argv: readonly string[], fresh: () => Promise<string>, done: string): Promise<void> {
    const next = random(SEED);
    const wanted = await fresh();
    const whole = await command(wanted, argv);
    expect([whole.code, whole.err]).toEqual([0, '']);
    const expected = roleless(await holdings(wanted));
    let before = 0;
    for (let run = 0; run < RUNS; run++) {
      const url = await fresh();
      const killed = await command(url, argv, { after: Math.round((0.3 + 0.7 * next()) * whole.ms) });
      await abandoned(url);
      const again = await command(url, argv);
      // Killed after its work was done, the command finds that it was done.
      if (again.code !== 0) expect([again.code, JSON.parse(again.out)]).toMatchObject([2, { error: { code: done } }]);
      else before += killed.code === null ? 1 : 0;
      expect(roleless(await holdings(url))).toEqual(expected);
      // What the killed one staged is swept by the next one that stages.
      expect((await command(url, ['folder', 'create', 'LAST'])).code).toBe(0);
      expect(await leftovers(url)).toEqual([]);
    }
    expect(before).toBeGreaterThan(0);
  }

  const copy = async (): Promise<string> => (await cloneDatabase(server, original, onTestFinished)).url;

  test(`R30: init, killed ${RUNS} times (seed ${SEED})`, async () => {
    await killedAndRepeated(
      ['init'],
      async () => {
        const { url, drop } = await createDatabase(server);
        onTestFinished(drop);
        return url;
      },
      'already-initialized',
    );
  }, 240_000);

  test(`R30: folder create, killed ${RUNS} times (seed ${SEED})`, async () => {
    await killedAndRepeated(['folder', 'create', 'NEW', '--parent', 'OLD'], copy, 'folder-exists');
  }, 240_000);

  test(`R30: folder drop, killed ${RUNS} times (seed ${SEED})`, async () => {
    await killedAndRepeated(
      ['folder', 'drop', 'OLD', '--yes'],
      async () => (await withTables(onTestFinished)).url,
      'folder-unknown',
    );
  }, 240_000);
});
