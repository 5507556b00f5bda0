// R30: a life with programs that are killed in its middle is the same life: what their commands left is whole, and equal to a plain replay.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { cloneEnvironment, openEnvironment } from '../support/environment.ts';
import { begin } from '../support/life.ts';
import { expectLife } from '../support/life-invariants.ts';
import { lives } from '../support/life-steps.ts';
import { oneServer } from '../support/servers.ts';

/** More lives with more kills: RUSTINE_CRASH_RUNS=500; other ones: RUSTINE_CRASH_SEED=7. */
const RUNS = Math.ceil(Number(process.env.RUSTINE_CRASH_RUNS ?? '12') / 6);
const seed = Number(process.env.RUSTINE_CRASH_SEED ?? '1');
const SOURCES = join(import.meta.dirname, '../../src');

/** All named points of the program: most of them are on the way of some life. */
const POINTS = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => [...readFileSync(join(SOURCES, file), 'utf8').matchAll(/(?:stopPoint|reached)\('([\w-]+)'\)/g)])
  .map((match) => match[1] ?? '')
  .filter((point, at, all) => all.indexOf(point) === at)
  .toSorted();

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

  test(`in ${RUNS} lives with programs that are killed (seed ${seed}), all is in order after each step, and each folder equals its replay`, async () => {
    await fc.assert(
      fc.asyncProperty(lives(8, POINTS), (steps) => expectLife(steps, (later) => cloneEnvironment(server, beginning, later))),
      { numRuns: RUNS, seed, endOnFailure: true },
    );
  }, 3_600_000);
});
