// The catalog of a further server: a member of the environment, made and recognised here.
import { Refusal } from '../base/errors.ts';
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';
import { createEnvironment } from './environment.ts';
import type { Server } from './servers.ts';

/** What a database says it is. */
export interface Membership {
  /** Number of the environment that it belongs to; of its own where it is one. */
  readonly environment: string;
  /** null: it is the environment itself. */
  readonly server: string | null;
}

/** Also of a catalog of an earlier version. @returns undefined where there is none */
export async function readMembership(reader: Reader): Promise<Membership | undefined> {
  const [there] = await reader.query<{ there: boolean }>(sql`select to_regclass('rustine.environment') is not null as there`);
  if (there?.there !== true) return undefined;
  const [row] = await reader.query<Membership>(sql`
    select coalesce(row ->> 'member_of', row ->> 'id') as environment, row ->> 'server_name' as server from (select to_jsonb(e) as row from rustine.environment e) each`);
  return row;
}

/** Numbers of what is put aside on a server begin here, so that one number names one entry of the environment. */
export const KEPT_PER_SERVER = 1_000_000_000;

/**
 * Makes the database a member, or finds that it is this one already.
 * @param others names of the other servers of the environment
 * @throws Refusal `server-database-used`, `server-of-another`, `server-is-environment`, `server-known`, `database-rights`
 */
export async function joinEnvironment(
  session: Session,
  environment: string,
  supervisor: string,
  { name, number }: Server,
  others: readonly string[],
): Promise<void> {
  const found = await readMembership(session);
  if (found !== undefined) {
    if (found.environment !== environment) throw new Refusal('server-of-another', { server: name });
    if (found.server === null) throw new Refusal('server-is-environment', { server: name });
    if (others.includes(found.server)) throw new Refusal('server-known', { server: name, as: found.server });
    await session.query(sql`update rustine.environment set server_name = ${name}`);
  } else {
    await checkEmpty(session, name);
    await createEnvironment(session, supervisor);
    await session.query(sql`update rustine.environment set member_of = ${environment}, server_name = ${name}`);
  }
  // Also of one that was another server of this environment before.
  await session.query(sql`
    select setval(pg_get_serial_sequence('rustine.kept', 'id'), greatest(${number * KEPT_PER_SERVER}::bigint, (select coalesce(max(id), 0) from rustine.kept)))`);
}

async function checkEmpty(session: Session, server: string): Promise<void> {
  const [right] = await session.query<{ user: string; database: string; create: boolean }>(
    sql`select current_user as user, current_database() as database, has_database_privilege(current_database(), 'create') as create`,
  );
  if (right?.create !== true)
    throw new Refusal('database-rights', { what: `CREATE, ${right?.database ?? ''} (${right?.user ?? ''})` });
  const found = await session.query<{ name: string }>(sql`
    select nspname as name from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'public')
    union all
    select format('public.%I', relname) from pg_class where relnamespace = to_regnamespace('public') and relkind in ('r', 'p', 'v', 'm', 'S') order by 1 limit 20`);
  if (found.length > 0) throw new Refusal('server-database-used', { server, found: found.map(({ name }) => name) });
}
