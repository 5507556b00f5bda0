// Starts the database servers of a test run, both at once, and stops them afterwards.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbedded, startPostgres15, type TestServer } from './servers.ts';
import { POSTGRES_15, withoutPostgres15 } from './skip.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    servers: readonly TestServer[];
  }
}

/** `18` leaves PostgreSQL 15 out; absent: all there are. */
const wanted = process.env.RUSTINE_TEST_SERVERS?.split(',').map((name) => name.trim());

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const starts = [startEmbedded()];
  if (wanted !== undefined && !wanted.includes('15')) console.log(withoutPostgres15('RUSTINE_TEST_SERVERS'));
  else if (!existsSync(join(POSTGRES_15, 'postgres'))) console.log(withoutPostgres15('binaries'));
  else starts.push(startPostgres15(POSTGRES_15));
  const outcomes = await Promise.allSettled(starts);
  const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.stop()));
  };
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  project.provide(
    'servers',
    started.map(({ name, url }) => ({ name, url })),
  );
  return stop;
}
