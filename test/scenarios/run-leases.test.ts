// Runs belong to programs that may die: what they leave is settled by proof of this machine, or when their lease has ended.
import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { row, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const item = () => [table('ITEM', 'ITM', { COD: 'A:10' }, { ITM0: 'COD' }), row('ITM', 'x', { COD: 'A' })];

interface Program {
  readonly host?: string;
  /** Of this machine's present boot; else of another one. */
  readonly boot?: string;
  readonly pid?: number;
  readonly started?: string;
  /** Seconds that its lease still has. */
  readonly lease?: number;
}

/** What a program leaves that was killed in the middle of a run over all folders. */
async function leave(env: TestEnvironment, { host = hostname(), pid = 4_194_305, boot, started = '1', lease = 25 }: Program) {
  const here = boot ?? (await bootHere(env));
  await env.query(
    `insert into rustine.process (id, kind, host, boot, pid, pid_started, operator, alive_until)
     values ('dead', 'command', $1, $2, $3, $4, 'nightly', now() + $5 * interval '1 second')`,
    [host, here, pid, started, lease],
  );
  await env.query(
    `insert into rustine.run (id, mode, state, from_folder, operator, host, pid, files, process)
     values ('11111111-left', 'integrate', 'running', 'X3', 'nightly', $1, $2, '{N.dat}', 'dead')`,
    [host, pid],
  );
  await env.query(
    `insert into rustine.run_folder (run, folder, wave, state, process) values ('11111111-left', 'X3', 0, 'running', 'dead'), ('11111111-left', 'A1', 1, 'waiting', null)`,
  );
}

/** As programs of this machine write it. */
async function bootHere(env: TestEnvironment): Promise<string> {
  await env.query(
    `create table public.seen (boot text); create function public.see() returns trigger language plpgsql as 'begin insert into public.seen values (new.boot); return new; end';
     create trigger see before insert on rustine.process for each row execute function public.see()`,
  );
  await env.integrate(await env.patch('FIRST.dat', item()), { folders: ['X3'] });
  await env.query('drop trigger see on rustine.process');
  const [row] = await env.query<{ boot: string }>('select boot from public.seen limit 1');
  return row?.boot ?? '';
}

const leftRun = (env: TestEnvironment) =>
  env.query(`select r.state, array_agg(f.state order by f.folder desc) as folders, (select count(*)::integer from rustine.process where id = 'dead') as programs
    from rustine.run r join rustine.run_folder f on f.run = r.id where r.id = '11111111-left' group by r.id`);
const SETTLED = [{ state: 'interrupted', folders: ['interrupted', 'skipped'], programs: 0 }];

describe.each(oneServer())('$name', (server) => {
  test('R30: a run whose program is gone from this machine is interrupted at once, whatever the next command is', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    await leave(env, {});
    const [left] = await env.rustine.runs.open();
    expect(left).toMatchObject({
      run: '11111111-left',
      state: 'interrupted',
      operator: 'nightly',
      counts: { interrupted: 1, skipped: 1 },
    });
    expect(await leftRun(env)).toEqual(SETTLED);
    await env.integrate(await env.patch('A.dat', item()));
    expect(await env.rustine.runs.open()).toEqual([]);
  });

  test('a number that was given again to another program is no proof of life', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    await leave(env, { pid: process.ppid, started: '1' });
    await env.integrate(await env.patch('A.dat', item()));
    expect(await leftRun(env)).toEqual(SETTLED);
  });

  test.each([
    ['another machine', { host: 'elsewhere' }],
    ['another boot or container of a machine of this name', { boot: 'other' }],
  ])('R12: a run on %s has its folders until its lease has ended, and is named', async (_where, program) => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2'] });
    await leave(env, program);
    const paths = [await env.patch('A.dat', item())];
    const refused = await env.rustine.integrate({ paths, mode: 'integrate' });
    expect([refused.state, refused.findings.map(({ code, facts }) => [code, facts.run, facts.operator, facts.folders])]).toEqual([
      'refused',
      [['run-active', '11111111-left', 'nightly', ['A1', 'X3']]],
    ]);
    expect((await env.rustine.integrate({ paths, mode: 'integrate', folders: ['A2'] })).state).toBe('done');
    await env.query(`update rustine.process set alive_until = now() + interval '2 seconds' where id = 'dead'`);
    const waited = await env.integrate(paths, { waitMs: 30_000 });
    expect(waited.state).toBe('done');
    expect((await env.rustine.log(waited.run))[0]).toMatchObject({
      kind: 'run-waiting',
      run: '11111111-left',
      folders: ['A1', 'X3'],
    });
    expect(await leftRun(env)).toEqual(SETTLED);
  });

  test('R30: a program that slept longer than its lease finds its run settled, and does no more', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2'] });
    // Somebody settles it as soon as the supervisor folder is through.
    await env.query(`create function public.settle() returns trigger language plpgsql as
      'begin update rustine.run set state = ''interrupted'' where id = new.run; return null; end'`);
    await env.query('create trigger settle after insert on rustine.integration for each row execute function public.settle()');
    const path = await env.patch('A.dat', item());
    await expect(env.rustine.integrate({ paths: [path], mode: 'integrate' })).rejects.toMatchObject({
      code: 'run-lost',
      name: 'Failure',
    });
    expect(await env.query(`select to_regclass('x3.item') is null as x3, to_regclass('a1.item') is null as a1`)).toEqual([
      { x3: false, a1: true },
    ]);
    expect(await env.query('select state from rustine.run')).toEqual([{ state: 'failed' }]);
    await env.query('drop trigger settle on rustine.integration');
    const again = await env.integrate(path);
    expect(again.folders.map(({ state }) => state)).toEqual(['unchanged', 'integrated', 'integrated']);
  });

  test('the lease is renewed while a run is at work, and gone after it', async () => {
    const env = await openEnvironment(server);
    const seen: string[] = [];
    const first = env.query<{ until: string }>('select alive_until::text as until from rustine.process');
    expect(await first).toEqual([]);
    const path = await env.patch('S.dat', [...item()]);
    await env.query(
      `create function public.slow() returns trigger language plpgsql as 'begin perform pg_sleep(2.5); return null; end'`,
    );
    await env.query('create trigger slow after insert on rustine.integration for each row execute function public.slow()');
    const run = env.integrate(path);
    for (let look = 0; look < 20 && seen.length < 2; look++) {
      const [row] = await env.query<{ until: string }>('select alive_until::text as until from rustine.process');
      if (row !== undefined && !seen.includes(row.until)) seen.push(row.until);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(seen.length).toBe(2);
    await run;
    expect(await env.query('select 1 from rustine.process')).toEqual([]);
  });
});
