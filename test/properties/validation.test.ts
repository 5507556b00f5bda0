// What validation comes to, whatever patches came: a folder that lagged holds what one holds that did not, and there is nothing to do twice.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import type { Holding } from '../support/folder-dump.ts';
import { difference, holdings } from '../support/folder-dump.ts';
import type { RandomPatch } from '../support/patch-sequences.ts';
import { randomPatch } from '../support/patch-sequences.ts';
import { oneServer } from '../support/servers.ts';

/** Standard, Specific, Vertical, Add-on: those that go to every folder. */
const TYPES = ['1', '3', '4', '5'];
const LANGUAGES = ['ENG', 'FRA'];

/**
 * All of a folder but its own name, and how what it has came to it. Rows of a late folder come into the tables as they are now: what a column
 * lost that went away meanwhile is put aside in the other one, and was never written in the late one.
 */
function lasting(holding: Holding | undefined, folder: string, shrunk: readonly string[]): Holding {
  return (
    (holding ?? [])
      .filter((line) => !/^(folder|integration|event|remainder|kept|kept row) /.test(line))
      .filter((line) => !shrunk.includes(/^row \| (\w+)/.exec(line)?.[1] ?? ''))
      .map((line) => line.replaceAll(`${folder.toLowerCase()}.`, '').replaceAll(`"dossier_0": "${folder}"`, ''))
      .map((line) => line.replace(/"updtick_0": \d+/, '"updtick_0": 0'))
      // A column that came and went stands elsewhere than one that came once.
      .map((line) => line.replace(/^(column \| \w+) \| \d+/, '$1'))
  );
}

describe.each(oneServer())('$name', (server) => {
  const cleanUp: (() => Promise<void>)[] = [];
  let env: TestEnvironment;
  let number = 0;

  beforeAll(async () => {
    env = await openEnvironment(server, { init: { languages: LANGUAGES }, later: (work) => void cleanUp.unshift(work) });
    await env.folders(['LEVEL', 'LATE'], { languages: LANGUAGES });
  });
  afterAll(async () => {
    for (const work of cleanUp) await work();
  });

  const write = (patch: RandomPatch, run: number, file: string): Promise<string> =>
    env.patch(
      file,
      patch.elements.map((element) => element(run)),
      patch.options,
    );

  const told = new Set<string>();
  function newDifferences(one: Holding = [], other: Holding = []): readonly string[] {
    const lines = difference(one, other).filter((line) => !told.has(line));
    for (const line of lines) told.add(line);
    return lines;
  }

  test('R35: a folder that lagged and was validated holds what one holds that got each patch', async () => {
    const sequences = fc.tuple(fc.array(randomPatch(TYPES), { minLength: 1, maxLength: 4 }), fc.nat({ max: 3 }));
    await fc.assert(
      fc.asyncProperty(sequences, async ([sequence, had]) => {
        const run = ++number;
        for (const [at, patch] of sequence.entries()) {
          const folders = at < had ? ['X3', 'LEVEL', 'LATE'] : ['X3', 'LEVEL'];
          await env.integrate(await write(patch, run, `V${run}X${at}.dat`), { folders });
        }
        const done = await env.rustine.validate({ folders: ['LATE'] });
        expect(done.findings.filter(({ severity }) => severity === 'block')).toEqual([]);
        expect(done.folders[0]?.patches).toEqual(sequence.flatMap((_, at) => (at < had ? [] : [`V${run}X${at}.dat`])));
        const all = await holdings(env.url);
        const shrunk = (all.folders.get('LEVEL') ?? []).flatMap((line) => /^kept \| columns \| (\w+)/.exec(line)?.[1] ?? []);
        const [level, late] = ['LEVEL', 'LATE'].map((code) => lasting(all.folders.get(code), code, shrunk));
        expect(newDifferences(level, late)).toEqual([]);
        const again = await env.rustine.validate({ folders: ['LATE'] });
        expect(again.folders[0]?.state).toBe('unchanged');
      }),
      { numRuns: Number(process.env.RUNS ?? 8), endOnFailure: true },
    );
  }, 120_000);
});
