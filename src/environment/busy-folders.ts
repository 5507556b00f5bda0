// Folders in which somebody else changes tables at this moment: a validation, an import, a maintenance job.
import { sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';

export interface BusyFolder {
  readonly schema: string;
  readonly pid: number;
  readonly role: string;
  readonly application: string;
  /** `2024-02-29 03:12` */
  readonly since: string;
  /** One of the tables that are locked. */
  readonly table: string;
}

/**
 * Whoever keeps others from reading or writing a table of these folders, the longest first; one for each folder. Autovacuum gives way by
 * itself, and who only reads or writes rows is no obstacle as such.
 */
export async function readBusyFolders(reader: Reader, schemas: readonly string[]): Promise<readonly BusyFolder[]> {
  return reader.query<BusyFolder>(sql`
    select distinct on (n.nspname) n.nspname::text as schema, c.relname::text as table,
      a.pid, a.usename::text as role, a.application_name as application, to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as since
    from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace join pg_stat_activity a on a.pid = l.pid
    where l.granted and l.pid <> pg_backend_pid() and l.database = (select oid from pg_database where datname = current_database())
      and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
      and c.relkind in ('r', 'p') and a.backend_type <> 'autovacuum worker' and n.nspname = any(${schemas}::text[])
    order by n.nspname, a.xact_start, a.pid, c.relname`);
}
