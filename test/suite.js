// The suite but for the crash tests: `first` on one server (npm test), `again` on PostgreSQL 15 what may differ there (npm run test:15). Names of files narrow it.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { POSTGRES_15, withoutPostgres15 } from './support/skip.ts';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const [part = 'first', ...given] = process.argv.slice(2);

/** Files without such a story would count as failed there: they have none to run. */
const differing = () =>
  readdirSync(join(PROJECT, 'test'), { recursive: true, encoding: 'utf8' })
    .map((file) => join('test', file))
    .filter((file) => file.endsWith('.test.ts') && readFileSync(join(PROJECT, file), 'utf8').includes('each(everyServer())'));

if (part === 'again' && !existsSync(join(POSTGRES_15, 'postgres'))) {
  console.log(withoutPostgres15('binaries'));
  process.exit();
}
const files = part === 'again' && given.length === 0 ? differing() : given;
const { status } = spawnSync(
  process.execPath,
  [join(PROJECT, 'node_modules/vitest/vitest.mjs'), 'run', '--exclude', 'test/crash/**', ...files],
  { stdio: 'inherit', cwd: PROJECT, env: { ...process.env, RUSTINE_TEST_PART: part } },
);
process.exitCode = status ?? 1;
