// Sessions of programs that were taken for dead: stopped or asleep, they would keep their locks for as long as nobody ends them.
import { APPLICATION, applicationOf } from '../database/application-name.ts';
import { sql } from '../database/sql.ts';
import type { Reader } from '../environment/catalog.ts';

/** As `randomUUID` makes them: a stranger's program may have a name that begins like ours. */
const OURS = `^${APPLICATION} [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`;

/**
 * Asks the server to end what works under these leases; the server rolls it back, and the locks are free a moment later. Nobody's whose lease lives; a session that the connected
 * user may not end stays, and is named by who waits for it. Inside a transaction that removes a lease, that counts already.
 * @returns how many are ending
 */
export async function endSessionsOf(reader: Reader, leases: readonly string[]): Promise<number> {
  if (leases.length === 0) return 0;
  const told = await reader.query<{ ending: boolean }>(sql`
    select case when (me.rolsuper or not r.rolsuper) and (pg_has_role(r.oid, 'usage') or pg_has_role('pg_signal_backend', 'usage'))
      then pg_terminate_backend(a.pid) else false end as ending
    from unnest(${leases}::text[], ${leases.map(applicationOf)}::text[]) as l (lease, application)
      join pg_stat_activity a on a.application_name = l.application join pg_roles r on r.oid = a.usesysid join pg_roles me on me.rolname = current_user
    where a.datname = current_database() and a.pid <> pg_backend_pid()
      and not exists (select from rustine.folder f where f.role_name = a.usename)
      and not exists (select from rustine.process p where p.id = l.lease and p.alive_until >= clock_timestamp())`);
  return told.filter(({ ending }) => ending).length;
}

/**
 * The same for leases that are gone by now: a sleeper may have begun its next transaction just when its lease went. Two statements: who shows a lease has written it down before, so
 * where the second one does not find it any more, it is gone.
 */
export async function endForgottenSessions(reader: Reader): Promise<void> {
  const shown = await reader.query<{ lease: string }>(sql`
    select distinct substr(application_name, ${APPLICATION.length + 2}) as lease from pg_stat_activity
    where datname = current_database() and application_name ~ ${OURS} and pid <> pg_backend_pid()`);
  if (shown.length === 0) return;
  const gone = await reader.query<{ lease: string }>(sql`
    select s.lease from unnest(${shown.map(({ lease }) => lease)}::text[]) as s (lease) where not exists (select from rustine.process where id = s.lease)`);
  await endSessionsOf(
    reader,
    gone.map(({ lease }) => lease),
  );
}
