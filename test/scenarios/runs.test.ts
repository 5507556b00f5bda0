// Runs over several folders: sharing plans, working side by side, rehearsing patches that build on each other.
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { openEnvironment } from '../support/environment.ts';
import { any, row, rows, script, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const item = (code = 'ITEM', abbreviation = 'ITM') => table(code, abbreviation, { COD: 'A:10', NAM: 'A:20' }, { IDX0: 'COD' });

describe.each(oneServer())('runs on $name', (server) => {
  test('more folders at the same time than there are connections by default: none waits for ever', async () => {
    const env = await openEnvironment(server, { folders: Array.from({ length: 12 }, (_, at) => `F${at}`) });
    const path = await env.patch('A.dat', [item(), script('HELLO', '# hello'), row('ITM', 'x', { COD: 'A' })]);
    const outcome = await env.integrate(path, { jobs: 12 });
    expect(outcome.folders.map((folder) => folder.state)).toEqual(Array.from({ length: 13 }, () => 'integrated'));
  });

  test('R32: a rehearsal carries out patches that build on each other, in every folder, and leaves nothing', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2'] });
    const paths = [await env.patch('A.dat', [item()]), await env.patch('B.dat', [row('ITM', 'x', { COD: 'A' })])];
    const outcome = await env.integrate(paths, { mode: 'rehearse' });
    expect(outcome.folders.map((folder) => folder.patches.map((patch) => [patch.state, patch.rows.inserted]))).toEqual(
      Array.from({ length: 3 }, () => [
        ['integrated', 0],
        ['integrated', 1],
      ]),
    );
    expect(
      await env.query(`select to_regclass('a1.item') is null as absent, (select count(*)::integer from a1.apatch) as patches`),
    ).toEqual([{ absent: true, patches: 0 }]);
    expect(
      await env.query(`select count(*)::integer as n from rustine.integration where file <> 'kernel.dat' and run <> ''`),
    ).toEqual([{ n: 0 }]);
  });

  test('a folder with a table of its own under a delivered abbreviation does not share the plan of the others', async () => {
    const env = await openEnvironment(server, { folders: ['F1', 'F2'] });
    await env.integrate(await env.patch('OWN.dat', [item('OWNTAB', 'ABX')]), { folders: ['F1'] });
    const outcome = await env.rustine.integrate({
      paths: [await env.patch('TWO.dat', [item('TWOTAB', 'ABX')])],
      mode: 'integrate',
    });
    expect(outcome.folders.map((folder) => [folder.folder, folder.state])).toEqual([
      ['X3', 'integrated'],
      ['F1', 'failed'],
      ['F2', 'integrated'],
    ]);
    expect(
      outcome.findings.filter((finding) => finding.severity === 'block').map((finding) => [finding.code, finding.folder]),
    ).toEqual([['abbreviation-twice', 'F1']]);
  });

  test('a finding about a long value with wide characters ends no run', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('T.dat', [item()]));
    const outcome = await env.rustine.integrate({
      paths: [await env.patch('E.dat', [rows('ITM', 'x', [{ COD: `${'a'.repeat(59)}😀😀` }])])],
      mode: 'integrate',
    });
    expect([outcome.state, outcome.findings.map((finding) => finding.code)]).toEqual(['refused', ['data-value']]);
    expect((await env.rustine.log(outcome.run)).at(-1)?.kind).toBe('run-finished');
  });

  test('a lock that somebody holds is waited for, then named: who, since when, on what', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('T.dat', [item()]));
    const holder = new Client({ connectionString: env.url, application_name: 'nightly' });
    await holder.connect();
    try {
      await holder.query('begin');
      await holder.query('select 1 from x3.item');
      const wider = table('ITEM', 'ITM', { COD: 'A:12', NAM: 'A:20' }, { IDX0: 'COD' });
      const outcome = await env.rustine.integrate({
        paths: [await env.patch('W.dat', [wider])],
        mode: 'integrate',
        lockTimeoutMs: 300,
      });
      expect(outcome.state).toBe('failed');
      expect(outcome.folders[0]?.patches[0]?.reason).toMatchObject({
        code: 'lock-timeout',
        facts: {
          folder: 'X3',
          pids: [expect.stringMatching(/^\d+$/)],
          users: [expect.any(String)],
          applications: ['nightly'],
          since: [expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d$/)],
          table: expect.stringMatching(/^item/),
        },
      });
    } finally {
      await holder.end();
    }
  });

  test('R12: of two runs that begin at the same moment one has the folders; the other is told whose run it is, or waits for it', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2', 'A3'] });
    const path = await env.patch('A.dat', [
      item(),
      row('ITM', 'x', { COD: 'A' }),
      any('ADC', 'S', [{ tag: 'ADC', values: { CODTRT: 'S' } }]),
    ]);
    const begin = (waitMs: number) => env.rustine.integrate({ paths: [path], mode: 'integrate', waitMs });
    const two = await Promise.all([begin(0), begin(0)]);
    const [one, other] = two.toSorted((a, b) => a.state.localeCompare(b.state));
    expect([one?.state, other?.state]).toEqual(['done', 'refused']);
    const [finding] = other?.findings.filter(({ code }) => code === 'run-active') ?? [];
    expect(finding?.facts).toMatchObject({
      run: one?.run,
      mode: 'integrate',
      files: ['A.dat'],
      folders: ['A1', 'A2', 'A3', 'X3'],
    });
    expect(finding?.facts).toMatchObject({ operator: expect.stringMatching(/./), since: expect.stringMatching(/^\d{4}-/) });
    expect(other?.folders.map(({ state }) => state)).toEqual(['skipped', 'skipped', 'skipped', 'skipped']);
    const third = await Promise.all([begin(20_000), begin(20_000)]);
    expect(third.map(({ state }) => state)).toEqual(['done', 'done']);
    expect(await env.query(`select count(*)::integer as n from rustine.integration where file = 'A.dat'`)).toEqual([{ n: 4 }]);
    expect(await env.query('select count(*)::integer as n from a3.item')).toEqual([{ n: 1 }]);
  });
});
