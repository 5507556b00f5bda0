// Sessions of the database server: who holds what a run waits for.
import { sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';

export interface Blocker {
  /** `psql as alice, pid 4711, since 2024-02-29 03:12`. */
  readonly who: string;
  readonly table: string;
}

/** Sessions other than Rustine's own that hold locks on a folder's tables or its row in the catalog; the oldest first. */
export async function readBlockers(reader: Reader, schema: string): Promise<readonly Blocker[]> {
  return reader.query<Blocker>(sql`
    select distinct on (a.xact_start, a.pid)
      concat_ws(', ', concat_ws(' as ', nullif(a.application_name, ''), a.usename), 'pid ' || a.pid, 'since ' || to_char(a.xact_start, 'YYYY-MM-DD HH24:MI')) as who,
      c.relname as table
    from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace join pg_stat_activity a on a.pid = l.pid
    where l.granted and l.pid <> pg_backend_pid() and (n.nspname = ${schema} or (n.nspname = 'rustine' and c.relname = 'folder' and l.mode = 'RowShareLock'))
    order by a.xact_start, a.pid, n.nspname = 'rustine'`);
}
