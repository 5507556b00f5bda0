// Who is connected to the folders (R12): sessions by the login of a folder, others in the same database, and ending the former.
import { Failure } from '../base/errors.ts';
import { APPLICATION } from '../database/application-name.ts';
import type { Database } from '../database/database.ts';
import { quoteIdentifier, sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';
import type { Folder } from './folder.ts';
import { lockLogins, readLogins, unlessSuperuser } from './roles.ts';

/** A session of the database server; what the connected user may not see of others is empty. */
export interface Connected {
  readonly pid: number;
  /** When the session began, to the microsecond: a process number may be given again. */
  readonly began: string;
  readonly user: string;
  readonly application: string;
  /** Empty for a local socket. */
  readonly address: string;
  readonly state: string;
  /** Start of its transaction, else of its last statement, else of the session: `2026-02-28 03:12`. */
  readonly since: string;
  /** The beginning of its last statement. */
  readonly query: string;
  /** The folder whose login it came with; null: another one's. */
  readonly folder: string | null;
  /** Folders asked for on whose tables it holds locks. */
  readonly locks: readonly string[];
}

/**
 * Sessions in this database, except our own: those that came with the login of one of these folders, and those that came with no folder's login.
 * A folder's application that calls itself as we do is not taken for us: we never come with a folder's login.
 */
export async function readConnected(reader: Reader, folders: readonly Folder[]): Promise<readonly Connected[]> {
  const codes = folders.map(({ code }) => code);
  return reader.query<Connected>(sql`
    with held as materialized (
      select l.pid, array_agg(distinct f.code order by f.code) as codes
      from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace join rustine.folder f on f.schema_name = n.nspname
      where l.granted and l.database = (select oid from pg_database where datname = current_database()) and f.code = any(${codes}::text[]) group by l.pid)
    select a.pid, coalesce(a.backend_start::text, '') as began, a.usename::text as user, coalesce(a.application_name, '') as application, coalesce(host(a.client_addr), '') as address,
      coalesce(a.state, '') as state, coalesce(to_char(coalesce(a.xact_start, a.query_start, a.backend_start) at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), '') as since,
      -- A statement that holds a password is nobody's business.
      case when a.query ~* 'password|<insufficient privilege>' then '' else left(btrim(regexp_replace(coalesce(a.query, ''), '\\s+', ' ', 'g')), 60) end as query,
      f.code as folder, coalesce(h.codes, '{}') as locks
    from pg_stat_activity a left join rustine.folder f on f.role_name = a.usename left join held h on h.pid = a.pid
    where a.datname = current_database() and a.usename is not null and a.pid <> pg_backend_pid() and coalesce(a.backend_type, 'client backend') = 'client backend'
      and (f.code is null or f.code = any(${codes}::text[]))
      and not (a.usename = session_user and a.application_name ~ ${`^${APPLICATION}( |$)`})
    order by a.backend_start, a.pid`);
}

export interface Ended {
  readonly ended: readonly Connected[];
  /** Those that the connected user may not end. */
  readonly denied: readonly Connected[];
}

/**
 * Asks the server to end these sessions of folders' logins; they are gone a moment later. Who may change a login may make himself its member, and so may end
 * its sessions: only for the moment, since the transaction is rolled back, which no session comes back by.
 * @throws Failure `run-lost` where the run was settled meanwhile: whoever works there now is none of its business
 */
export async function endSessions(
  database: Database,
  run: string,
  sessions: readonly Connected[],
  folders: readonly Folder[],
): Promise<Ended> {
  if (sessions.length === 0) return { ended: [], denied: [] };
  const users = new Set(sessions.map(({ user }) => user));
  const roles = folders.flatMap(({ role, schema }) => (role !== null && users.has(role) ? [{ role, schema }] : []));
  const told = await database.transaction(async (session) => {
    await lockLogins(session);
    const living = await session.query(sql`select from rustine.run where id = ${run} and state = 'running' for key share`);
    if (living.length === 0) throw new Failure('run-lost', { run });
    const changeable = (await readLogins(session, roles)).filter((login) => login.changeable);
    if (changeable.length > 0)
      await session.script(
        changeable.map(({ role }) => unlessSuperuser(`grant ${quoteIdentifier(role)} to current_user`)).join(';\n'),
      );
    return session.query<{ pid: number; allowed: boolean }>(sql`
      select a.pid, case when pg_has_role(current_user, a.usesysid, 'usage') or pg_has_role(current_user, 'pg_signal_backend', 'usage')
        then pg_terminate_backend(a.pid) is not null else false end as allowed
      from pg_stat_activity a join unnest(${sessions.map(({ pid }) => pid)}::integer[], ${sessions.map(({ began }) => began)}::text[],
        ${sessions.map(({ user }) => user)}::text[]) as s (pid, began, login)
        on s.pid = a.pid and s.login = a.usename and (s.began = '' or s.began = a.backend_start::text)`);
  }, 'rollback');
  // One that is not there any more went by itself.
  const denied = new Set(told.flatMap(({ pid, allowed }) => (allowed ? [] : [pid])));
  return { ended: sessions.filter(({ pid }) => !denied.has(pid)), denied: sessions.filter(({ pid }) => denied.has(pid)) };
}
