// Taking back goes back: any patches, integrated one after the other and taken back one by one, leave each state as it was noted before.
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import { difference } from '../support/folder-dump.ts';
import { randomPatch } from '../support/patch-sequences.ts';
import { type Standing, standing } from '../support/reverting.ts';
import { schemaDump } from '../support/schema-dump.ts';
import { oneServer } from '../support/servers.ts';
import { untilTheEnd } from '../support/until.ts';

const TYPES = ['1', '3', '4', '5'];
const LANGUAGES = ['ENG', 'FRA'];
const SCHEMAS = ['x3', 'own'];

interface State {
  readonly standing: Standing;
  readonly dumps: readonly (readonly string[])[];
}

describe.each(oneServer())('$name', (server) => {
  const later = untilTheEnd();
  let env: TestEnvironment;
  let number = 0;

  beforeAll(async () => {
    env = await openEnvironment(server, { init: { languages: LANGUAGES }, later });
    await env.folders(['OWN'], { languages: LANGUAGES, test: true });
  });

  const state = async (): Promise<State> => ({
    standing: await standing(env),
    dumps: await Promise.all(SCHEMAS.map((schema) => schemaDump(env.url, schema))),
  });

  test('R38: each state is as it was, back to the beginning', async () => {
    const patches = fc.array(randomPatch(TYPES), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(patches, async (sequence) => {
        const run = ++number;
        const states: State[] = [];
        const files: string[] = [];
        for (const [at, patch] of sequence.entries()) {
          states.push(await state());
          const file = `R${run}X${at}.dat`;
          const path = await env.patch(
            file,
            patch.elements.map((element) => element(run)),
            patch.options,
          );
          await env.integrate(path);
          files.push(file);
        }
        for (const file of files.reverse()) {
          const outcome = await env.rustine.revert({ file });
          expect([file, outcome.state, outcome.findings]).toEqual([file, 'done', []]);
          const [before, after] = [states.pop() as State, await state()];
          for (const [at, dump] of before.dumps.entries()) {
            expect(difference(dump, after.dumps[at] ?? [])).toEqual([]);
            expect(after.dumps[at]).toEqual(dump);
          }
          expect(difference(before.standing.catalog, after.standing.catalog)).toEqual([]);
          expect(after.standing).toEqual(before.standing);
        }
      }),
      { numRuns: 4, endOnFailure: true },
    );
  }, 120_000);
});
