// R35: whatever kills a validation, every folder is before or after it, only what is wrong in a folder locks it, nothing is held, and the next `validate --due` continues.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { abandoned, leftovers, random, rustine, type Stop } from '../support/crash.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { row, script, table } from '../support/patches.ts';
import { everyServer, oneServer, servers } from '../support/servers.ts';
import { reopened, statesOf, twoServers } from '../support/two-servers.ts';

/** How many runs are killed at a random moment; more: RUSTINE_CRASH_RUNS=500, other moments: RUSTINE_CRASH_SEED=7. */
const RUNS = Math.ceil(Number(process.env.RUSTINE_CRASH_RUNS ?? '12') / 2);
const SEED = Number(process.env.RUSTINE_CRASH_SEED ?? '1');

/** A delivery that adds a field to the table, a row, another text of a script. */
function delivery(number: number) {
  const fields = Object.fromEntries(Array.from({ length: number }, (_, at) => [`N${at + 1}`, 'C'] as const));
  return [
    table('ITEM', 'ITM', { COD: 'A:5', QTY: 'C', ...fields }, { ITM0: 'COD' }),
    row('ITM', `R${number}`, { COD: `R${number}` }),
    script('LIB', `# ${number}\nEnd`),
  ];
}

describe.each(everyServer())('R35: a validation that is killed on $name', (server) => {
  const cleanUp: (() => Promise<void>)[] = [];
  let env: TestEnvironment;
  let number = 1;

  beforeAll(async () => {
    env = await openEnvironment(server, { folders: ['BAD', 'GOOD', 'SHOP'], later: (work) => void cleanUp.unshift(work) });
    await env.integrate(await env.patch('P_1.dat', delivery(1)));
    await env.rustine.close();
  });

  afterAll(async () => {
    for (const work of cleanUp) await work().catch(() => undefined);
  });

  const program = (argv: readonly string[], stop: Stop = {}) =>
    rustine([...argv, '--database', env.url, '--home', env.home, '--json'], stop);

  /** The supervisor folder gets the next delivery, the others lag; in one of them is what does not fit. */
  async function lag(): Promise<void> {
    number += 1;
    const path = await env.patch(`P_${number}.dat`, delivery(number));
    expect((await program(['integrate', path, '--folders', 'X3'])).code).toBe(0);
    await env.query(
      `alter table bad.item alter column qty_0 type integer; insert into bad.item (cod_0, qty_0) values ('B', 70000) on conflict (cod_0) do update set qty_0 = 70000`,
    );
  }

  /** Each folder has all of what its transaction brings, or nothing. */
  async function folders(): Promise<Readonly<Record<string, string>>> {
    const rows = await env.query<{ code: string; states: boolean[]; locked: boolean }>(`
      select f.code, f.state = 'locked' as locked, array[
        exists (select from pg_attribute where attrelid = to_regclass(f.schema_name || '.item') and attname = 'n${number}_0' and not attisdropped),
        exists (select from rustine.integrated i where i.folder = f.id and i.file = 'P_${number}.dat' and i.apatch_num is not null),
        exists (select from rustine.record r where r.folder = f.id and r.type = 'ATB' and r.name = 'ITEM' and r.key like '%N${number}%')] as states
      from rustine.folder f where f.parent is not null order by 1`);
    return Object.fromEntries(
      rows.map(({ code, states, locked }) => {
        if (new Set(states).size > 1) throw new Error(`${code} is between before and after: ${states}`);
        return [code, `${states[0] === true ? 'after' : 'before'}${locked ? ', locked' : ''}`];
      }),
    );
  }

  /** Logins that the server refuses. */
  const shut = async () =>
    (
      await env.query<{ code: string }>(
        'select f.code from rustine.folder f join pg_roles r on r.rolname = f.role_name where r.rolconnlimit = 0 order by 1',
      )
    ).map(({ code }) => code);

  /** The next validation continues; only what is wrong in a folder keeps it, and that one's login is all that is held. */
  async function expectContinued(): Promise<void> {
    await abandoned(env.url);
    await folders();
    await program(['validate', '--due']);
    expect(await folders()).toEqual({ BAD: 'before, locked', GOOD: 'after', SHOP: 'after' });
    expect(await shut()).toEqual(['BAD']);
    expect((await leftovers(env.url)).filter((line) => !line.startsWith('shut login'))).toEqual([]);
    // Recovery settles what dead programs left; a locked folder is nobody's leftover.
    expect((await program(['recover'])).code).toBe(0);
    expect(await shut()).toEqual(['BAD']);
    await env.query('update bad.item set qty_0 = 5');
    const last = await program(['validate', '--due']);
    expect([last.code, await folders()]).toEqual([0, { BAD: 'after', GOOD: 'after', SHOP: 'after' }]);
    expect([await shut(), await leftovers(env.url)]).toEqual([[], []]);
    expect(JSON.parse((await program(['validate', '--due'])).out).folders).toEqual([]);
  }

  test.each([
    'run-logins-shut',
    'validation-begun:2',
    'validation-tables',
    'validation-level',
    'validation-recorded:2',
    'validation-failed',
    'validation-locked',
  ])('at "%s": each folder is before or after, and the next one continues', async (at) => {
    await lag();
    expect((await program(['validate', '--due', '--jobs', '1'], { at })).code).toBeNull();
    await expectContinued();
  });

  test('a preview that is killed leaves everything as it was, and locks nothing', async () => {
    await lag();
    expect((await program(['validate', '--due', '--preview'], { at: 'validation-recorded' })).code).toBeNull();
    await abandoned(env.url);
    expect(await folders()).toEqual({ BAD: 'before', GOOD: 'before', SHOP: 'before' });
    expect((await program(['recover'])).code).toBe(0);
    expect([await shut(), await leftovers(env.url)]).toEqual([[], []]);
    await expectContinued();
  });

  test('at random moments: each folder is before or after, nobody is kept out of one that is not locked, and it continues', async () => {
    const next = random(SEED);
    for (let killed = 0; killed < RUNS; killed++) {
      await lag();
      await program(['validate', '--due'], { after: 300 + next() * 1_500 });
      await abandoned(env.url);
      const locked = Object.entries(await folders()).flatMap(([code, state]) => (state.endsWith('locked') ? [code] : []));
      expect((await program(['status'])).code).toBe(0);
      // The next command lets everybody in but into what is locked.
      expect((await shut()).filter((code) => !locked.includes(code))).toEqual([]);
    }
    await expectContinued();
  });
});

describe.each(oneServer())('R35: a validation over two servers that is killed, from $name', (server) => {
  test('an original is through and its mirror is not: the next one brings the mirror in line, and what follows it', async () => {
    const env = await twoServers(server, servers().at(-1));
    await env.folders(['AWAY'], { parent: 'LOC', server: 'NORTH' });
    await env.integrate(await env.patch('P_1.dat', delivery(1)), { folders: ['X3'] });
    await env.rustine.close();
    process.env.RUSTINE_SERVER_NORTH_URL = env.north;
    onTestFinished(() => {
      delete process.env.RUSTINE_SERVER_NORTH_URL;
    });
    const command = ['validate', 'LOC', 'AWAY', '--database', env.url, '--home', env.home];
    expect((await rustine(command, { at: 'validation-begun@NORTH' })).code).toBeNull();
    await Promise.all([abandoned(env.url), abandoned(env.north)]);
    const again = await reopened(env);
    await again.recover();
    expect((await again.folders()).map(({ code, lag }) => [code, lag])).toEqual([
      ['X3', []],
      ['FAR', ['P_1.dat']],
      ['LOC', []],
      ['AWAY', ['P_1.dat']],
    ]);
    expect((await again.verify({})).differences).toMatchObject([
      { code: 'mirror-lacks', subject: 'P_1.dat', folders: [{ folder: 'LOC', mirror: 'NORTH' }] },
    ]);
    const all = { FAR: 'validated', AWAY: 'validated' };
    expect(statesOf(await again.validate({ preview: true }))).toEqual(all);
    const outcome = await again.validate({});
    expect([outcome.state, statesOf(outcome), outcome.findings]).toEqual(['done', all, []]);
    expect((await again.verify({})).differences).toEqual([]);
    expect([await leftovers(env.url), await leftovers(env.north)]).toEqual([[], []]);
  });
});
