// R33: the trace of a run, read back while it is at work and afterwards, whole or for one folder, by as much of its number as one knows.
import { readFile, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { JournalEntry } from '../../src/journal/journal.ts';
import { typed } from '../support/command-line.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { exe, script, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const PATCH = [table('ITEM', 'ITM', { COD: 'A:5' }, { KEY0: 'COD' })];

async function twoRuns(env: TestEnvironment): Promise<readonly [string, string]> {
  const first = await env.integrate(await env.patch('A.dat', PATCH));
  const second = await env.integrate(await env.patch('B.dat', PATCH), { mode: 'rehearse' });
  return [first.run, second.run];
}

async function kindsOf(pages: AsyncIterable<readonly JournalEntry[]>): Promise<readonly string[]> {
  const kinds: string[] = [];
  for await (const page of pages) for (const entry of page) kinds.push(`${entry.seq} ${entry.kind}`);
  return kinds;
}

/** A run that somebody else makes: its rows as they come. */
async function foreignRun(env: TestEnvironment, id: string) {
  await env.query(
    `insert into rustine.run (id, mode, state, from_folder, operator, host, pid, files) values ($1, 'integrate', 'running', 'X3', 'bob', 'elsewhere', 1, '{A.dat}')`,
    [id],
  );
  return {
    write: (seq: number, event: object) =>
      env.query(`insert into rustine.event (run, seq, event) values ($1, $2, $3)`, [id, seq, JSON.stringify(event)]),
    end: () => env.query(`update rustine.run set state = 'done', finished_at = now() where id = $1`, [id]),
  };
}

describe.each(oneServer())('the trace of a run on $name', (server) => {
  test('R33: the latest runs are listed, and each is found by its number, a beginning of it, or as the last one', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const [first, second] = await twoRuns(env);
    const runs = await env.rustine.latestRuns(10);
    expect(runs.map(({ run, mode, state, files, folders }) => [run, mode, state, files, folders])).toEqual([
      [second, 'rehearse', 'done', ['B.dat'], 2],
      [first, 'integrate', 'done', ['A.dat'], 2],
    ]);
    expect(await env.rustine.latestRuns(1)).toHaveLength(1);
    for (const [meant, run] of [
      [first, first],
      [first.slice(0, 8), first],
      ['last', second],
    ] as const)
      expect((await env.rustine.trace(meant, {})).run.run).toBe(run);
    await foreignRun(env, `${first}x`);
    expect((await env.rustine.trace(first, {})).run.run).toBe(first);
    await expect(env.rustine.trace(first.slice(0, 8), {})).rejects.toMatchObject({
      code: 'run-ambiguous',
      facts: { runs: [first, `${first}x`] },
    });
    for (const meant of ['', 'zzz', '%'])
      await expect(env.rustine.trace(meant, {})).rejects.toMatchObject({ code: 'run-unknown' });
  });

  test('R33: for one folder it has what is about that and about the whole run', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    const { run } = await env.integrate(await env.patch('A.dat', PATCH));
    const all = await env.rustine.log(run);
    const seed = await env.rustine.log(run, { folder: 'seed' });
    const folderOf = (entry: JournalEntry) =>
      'folder' in entry ? entry.folder : entry.kind === 'finding' ? entry.finding.folder : undefined;
    expect(seed).toEqual(all.filter((entry) => [undefined, 'SEED'].includes(folderOf(entry))));
    expect(seed.map(({ kind }) => kind)).toContain('patch-finished');
    expect(seed.length).toBeLessThan(all.length);
    await expect(env.rustine.trace(run, { folder: 'NONE' })).rejects.toMatchObject({ code: 'folder-not-in-run' });
  });

  test('R33: who follows a run sees each entry once, also what a folder commits late, until the run ends', async () => {
    const env = await openEnvironment(server);
    const run = await foreignRun(env, 'r1');
    const at = { kind: 'folder-finished', folder: 'X3', state: 'integrated' };
    await run.write(1, { kind: 'run-started', run: 'r1', mode: 'integrate', files: [], folders: ['X3'] });
    await run.write(4, at);
    const following = kindsOf((await env.rustine.trace('r1', { follow: true })).pages);
    await sleep(700);
    // A transaction that was long in committing, and one that was rolled back: 3 never comes.
    await run.write(2, at);
    await run.write(5, at);
    await sleep(700);
    await run.write(6, { kind: 'run-finished', run: 'r1', state: 'done', ms: 1 });
    await run.end();
    expect(await following).toEqual([
      '1 run-started',
      '4 folder-finished',
      '2 folder-finished',
      '5 folder-finished',
      '6 run-finished',
    ]);
    // Without following one has what is there, in order.
    expect(await kindsOf((await env.rustine.trace('r1', {})).pages)).toHaveLength(5);
  });

  test('R33: a run is followed while it is at work: what a folder came to is told before the next one ends', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    const slow = await env.patch('SLOW.dat', [script('ZSLOW', '-- SQL\nselect pg_sleep(0.8);\n'), exe('ZSLOW')]);
    let ended = false;
    let run = '';
    const work = env
      .integrate(slow, {
        jobs: 1,
        authorize: ['ZSLOW'],
        listener: (event) => (run = event.kind === 'run-started' ? event.run : run),
      })
      .finally(() => (ended = true));
    await expect.poll(() => run, { timeout: 10_000 }).not.toBe('');
    const seen: string[] = [];
    for await (const page of (await env.rustine.trace(run, { follow: true })).pages)
      for (const entry of page)
        if (entry.kind === 'folder-finished') seen.push(`${entry.folder} ${ended ? 'afterwards' : 'meanwhile'}`);
    await work;
    expect(seen.slice(0, 2).map((each) => each.split(' ')[1])).toEqual(['meanwhile', 'meanwhile']);
    expect(seen).toHaveLength(3);
  });

  test('R33: a run whose program died is not followed for ever', async () => {
    const env = await openEnvironment(server);
    const run = await foreignRun(env, 'r1');
    await run.write(1, { kind: 'run-started', run: 'r1', mode: 'integrate', files: [], folders: ['X3'] });
    await env.query(
      `insert into rustine.process (id, kind, host, pid, alive_until) values ('p1', 'command', 'elsewhere', 1, now() + interval '2 seconds')`,
    );
    await env.query(`update rustine.run set process = 'p1' where id = 'r1'`);
    expect(await kindsOf((await env.rustine.trace('r1', { follow: true })).pages)).toEqual(['1 run-started']);
    expect((await env.rustine.latestRuns(1))[0]?.state).toBe('interrupted');
  });

  test('R33: a long trace is read page by page, each entry once', async () => {
    const env = await openEnvironment(server);
    const run = await foreignRun(env, 'r1');
    await run.end();
    await env.query(
      `insert into rustine.event (run, seq, event) select 'r1', 2 * n, '{"kind": "file-read", "file": "A.dat", "elements": 1, "bytes": 1}' from generate_series(1, 1700) n`,
    );
    const { pages } = await env.rustine.trace('r1', {});
    const seqs: number[] = [];
    let count = 0;
    for await (const page of pages) {
      count++;
      seqs.push(...page.map(({ seq }) => seq));
    }
    expect(count).toBeGreaterThan(2);
    expect(seqs).toEqual(Array.from({ length: 1700 }, (_, n) => 2 * (n + 1)));
  });

  test('R34: patches that a folder lacks are named with the place from which they were taken, while they lie there', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const [a, b] = [await env.patch('P_0001_140.dat', PATCH), await env.patch('P_0002_140.dat', PATCH)];
    await env.integrate(relative(process.cwd(), a), { folders: ['X3'] });
    await env.integrate(dirname(b), { folders: ['X3'] });
    const lagPaths = async () => (await env.rustine.folder('SEED')).lagPaths;
    expect(await lagPaths()).toEqual({ 'P_0001_140.dat': a, 'P_0002_140.dat': b });
    expect((await env.rustine.folder('X3')).lagPaths).toBeUndefined();
    await rm(b);
    expect(await lagPaths()).toEqual({ 'P_0001_140.dat': a });
    await env.query(`update rustine.run set host = 'elsewhere'`);
    expect(await lagPaths()).toBeUndefined();
  });

  test('R33: the program exports it, with forced checks, tables and what scripts printed', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const first = await env.patch('P_0001_140.dat', PATCH);
    const third = await env.patch('P_0003_140.dat', [table('SHELF', 'SHF', { COD: 'A:5' }, { KEY0: 'COD' })]);
    await env.integrate(first);
    await env.integrate(third, { force: [{ check: 'sequence', reason: 'the second is on paper' }] });
    const program = (...argv: string[]) => typed(env, ['log', ...argv]);
    const shown = await program('last');
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toMatch(/^forced +sequence: the second is on paper$/m);
    const lines = await program(
      (await env.rustine.latestRuns(2))[1]?.run.slice(0, 8) ?? '',
      '--format',
      'jsonl',
      '--output',
      join(env.home, 't.jsonl'),
    );
    expect(lines.code).toBe(0);
    const documents = (await readFile(join(env.home, 't.jsonl'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string; outcome?: { tables: { created: string[] } } });
    expect(documents.map(({ kind }) => kind).slice(0, 2)).toEqual(['run', 'run-started']);
    expect(documents.flatMap(({ outcome }) => outcome?.tables.created ?? [])).toEqual(['item', 'item']);
  });
});
