// Whatever happens in an environment: each folder is what its patches and its people made of it, and nothing else is left.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { cloneEnvironment, openEnvironment } from '../support/environment.ts';
import { begin } from '../support/life.ts';
import { lateFolders } from '../support/life-example.ts';
import { expectLife } from '../support/life-invariants.ts';
import { lives } from '../support/life-steps.ts';
import { oneServer } from '../support/servers.ts';

/** More: RUSTINE_LIVES=100; other ones: RUSTINE_LIFE_SEED=7. */
const RUNS = Number(process.env.RUSTINE_LIVES ?? '3');
const seed = process.env.RUSTINE_LIFE_SEED === undefined ? {} : { seed: Number(process.env.RUSTINE_LIFE_SEED) };

describe.each(oneServer())('$name', (server) => {
  const cleanUp: (() => Promise<void>)[] = [];
  let beginning = '';

  beforeAll(async () => {
    const env = await openEnvironment(server, { later: (work) => void cleanUp.unshift(work) });
    await begin(env);
    await env.rustine.close();
    beginning = env.database;
  });
  afterAll(async () => {
    for (const work of cleanUp) await work();
  });

  test(
    'a folder equals the replay of what it has integrated with what its people did, and all is in order after each step',
    async () => {
      await fc.assert(
        fc.asyncProperty(lives(8), (steps) => expectLife(steps, (later) => cloneEnvironment(server, beginning, later))),
        // Making a failure smaller takes many lives more: seed and path, which are told, repeat it.
        { numRuns: RUNS, endOnFailure: true, examples: [[lateFolders]], ...seed },
      );
    },
    120_000 + RUNS * 60_000,
  );
});
