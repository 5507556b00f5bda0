// The environment as a whole: its catalog in the database, made once.
import { Refusal } from '../base/errors.ts';
import { CATALOG_STEPS, CATALOG_VERSION } from '../database/catalog-schema.ts';
import type { Database, Session } from '../database/database.ts';
import { sqlState } from '../database/postgres.ts';
import { sql } from '../database/sql.ts';
import type { Environment, Reader } from './catalog.ts';
import { readCatalog, readEnvironment } from './catalog.ts';
import { mayCreateRoles } from './roles.ts';

// What a database without a catalog answers.
const UNDEFINED_TABLE = '42P01';
// One number for the transaction-scoped lock that serialises `init`.
const INIT_LOCK = 7_083_114;

/**
 * Creates the catalog. Where the user may not create roles, folders share the connecting user (R3).
 * @throws Refusal `already-initialized`
 */
export async function createEnvironment(
  session: Session,
  supervisor: string,
): Promise<{ readonly roles: boolean; readonly user: string }> {
  await session.query(sql`select pg_advisory_xact_lock(${INIT_LOCK})`);
  const there = await readEnvironment(session);
  if (there !== undefined) throw new Refusal('already-initialized', { supervisor: there.supervisor });
  const { allowed, user } = await mayCreateRoles(session);
  await session.script(CATALOG_STEPS.join('\n'));
  await session.query(
    sql`insert into rustine.environment (version, supervisor, roles) values (${CATALOG_VERSION}, ${supervisor}, ${allowed})`,
  );
  return { roles: allowed, user };
}

/**
 * Opens the environment; a catalog of an earlier version is brought up to date, whoever comes first.
 * @throws Refusal `not-initialized`, `catalog-newer`
 */
export async function openEnvironment(database: Database): Promise<Environment> {
  // One round trip where all is well, as mostly: every command asks.
  const environment = await readCatalog(database).catch((error: unknown) => {
    if (sqlState(error) !== UNDEFINED_TABLE) throw error;
    return undefined;
  });
  if (environment?.version === CATALOG_VERSION) return environment;
  await knownEnvironment(database);
  return database.transaction(async (session) => {
    await session.query(sql`select pg_advisory_xact_lock(${INIT_LOCK})`);
    const { version } = await knownEnvironment(session);
    await session.script(
      [...CATALOG_STEPS.slice(version), `update rustine.environment set version = ${CATALOG_VERSION}`].join('\n'),
    );
    return knownEnvironment(session);
  });
}

async function knownEnvironment(reader: Reader): Promise<Environment> {
  const environment = await readEnvironment(reader);
  if (environment === undefined) throw new Refusal('not-initialized', {});
  if (environment.version > CATALOG_VERSION)
    throw new Refusal('catalog-newer', { found: environment.version, known: CATALOG_VERSION });
  return environment;
}
