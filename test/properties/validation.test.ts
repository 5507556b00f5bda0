// What validation comes to, whatever patches came: a folder that lagged holds what one holds that did not, and there is nothing to do twice.
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { Refusal } from '../../src/base/errors.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import type { Holding } from '../support/folder-dump.ts';
import { difference, holdings } from '../support/folder-dump.ts';
import type { RandomPatch } from '../support/patch-sequences.ts';
import { randomPatch } from '../support/patch-sequences.ts';
import { oneServer } from '../support/servers.ts';
import { untilTheEnd } from '../support/until.ts';

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
  const later = untilTheEnd();
  let env: TestEnvironment;
  let number = 0;

  beforeAll(async () => {
    env = await openEnvironment(server, { init: { languages: LANGUAGES }, later });
    await env.folders(['LEVEL', 'LATE'], { languages: LANGUAGES });
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

  /** What is specific in it is specific by a code of the folders' own, which nobody authorises later. */
  const specific = ({ elements, options }: RandomPatch): RandomPatch => ({
    options: { ...options, type: '1', activityCodes: ['XOWN'] },
    elements: elements.map(
      (element) => (run) =>
        element(run).map((part) =>
          part.part === 'record' ? (JSON.parse(JSON.stringify(part).replaceAll(/YOWN|ZALI/g, 'XOWN')) as typeof part) : part,
        ),
    ),
  });

  /** What people of both folders change, where they have it. */
  async function customise(run: number): Promise<void> {
    for (const folder of ['LEVEL', 'LATE']) {
      for (const letter of ['A', 'B'])
        await env.rustine
          .setElement({ folder, element: `ACT:${run}${letter}`, assignments: [{ field: 'SPETRT', value: 'OWN' }] })
          .catch((error: unknown) => {
            if (!(error instanceof Refusal)) throw error;
          });
    }
  }

  test('R35: a folder that lagged and was validated holds what one holds that got each patch', async () => {
    const sequences = fc.record({
      sequence: fc.array(randomPatch(TYPES), { minLength: 1, maxLength: 4 }),
      had: fc.nat({ max: 2 }),
      own: fc.option(randomPatch(TYPES)),
      customised: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(sequences, async ({ sequence, had, own, customised }) => {
        const run = ++number;
        for (const [at, patch] of sequence.entries()) {
          if (at === had && own !== null)
            await env.integrate(await write(specific(own), run, `V${run}OWN.dat`), { folders: ['LEVEL', 'LATE'] });
          if (at === had && customised) await customise(run);
          const folders = at < had ? ['X3', 'LEVEL', 'LATE'] : ['X3', 'LEVEL'];
          // What the supervisor folder ignores cannot come from it: where a folder has something of its own in that place, it goes.
          const authorize = own === null ? [] : ['YOWN', 'ZALI'];
          await env.integrate(await write(patch, run, `V${run}X${at}.dat`), { folders, authorize });
        }
        const done = await env.rustine.validate({ folders: ['LATE'] });
        expect(done.findings.filter(({ severity }) => severity === 'block')).toEqual([]);
        expect(done.folders[0]?.patches).toEqual(sequence.flatMap((_, at) => (at < had ? [] : [`V${run}X${at}.dat`])));
        const all = await holdings(env.url);
        const shrunk = (all.folders.get('LEVEL') ?? []).flatMap((line) => /^kept \| columns \| (\w+)/.exec(line)?.[1] ?? []);
        const [level, late] = ['LEVEL', 'LATE'].map((code) => lasting(all.folders.get(code), code, shrunk));
        // Beside something of its own, a block that comes new to a screen begins with what was delivered last, and what was offered has another history.
        const lines = newDifferences(level, late).filter(
          (line) => own === null || !/^[-+] ((offer|dictionary) |record \| AMK \| \w+ \| AMK )/.test(line),
        );
        expect(lines).toEqual([]);
        const again = await env.rustine.validate({ folders: ['LATE'] });
        const later = lasting((await holdings(env.url)).folders.get('LATE'), 'LATE', shrunk);
        expect([again.folders[0]?.state, ...difference(lasting(all.folders.get('LATE'), 'LATE', shrunk), later)]).toEqual([
          'unchanged',
        ]);
      }),
      { numRuns: Number(process.env.RUNS ?? 6), endOnFailure: true },
    );
  }, 120_000);
});
