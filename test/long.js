// The crash tests and the random lives for longer than the usual suite: `npm run test:long -- 500`, with the number of kills; RUSTINE_CRASH_SEED repeats a run.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';

const runs = process.argv[2] ?? '500';
const seed = process.env.RUSTINE_CRASH_SEED ?? String(randomInt(1, 2 ** 31));
const chaos = String(Math.ceil(Number(runs) / 5));
const lives = String(Math.ceil(Number(runs) / 5));

console.log(`${runs} kills, RUSTINE_CRASH_SEED=${seed}`);
const { status } = spawnSync(
  process.execPath,
  [
    fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url)),
    'run',
    'test/crash',
    'test/properties/life.test.ts',
  ],
  {
    stdio: 'inherit',
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: {
      ...process.env,
      RUSTINE_CRASH_RUNS: runs,
      RUSTINE_CRASH_SEED: seed,
      RUSTINE_CHAOS: chaos,
      RUSTINE_LIVES: lives,
      RUSTINE_LIFE_SEED: seed,
    },
  },
);
process.exitCode = status ?? 1;
