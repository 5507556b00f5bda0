// Opens the environment as every verb does: brought up to date, and with what dead programs left settled first.

import { recoverIfNeeded } from '../batch/recovery.ts';
import type { Database } from '../database/database.ts';
import type { Environment } from '../environment/catalog.ts';
import { openEnvironment } from '../environment/environment.ts';

/** @throws Refusal `not-initialized`, `catalog-newer` */
export async function openSettled(database: Database): Promise<Environment> {
  const environment = await openEnvironment(database);
  await recoverIfNeeded(database);
  return environment;
}
