// Sessions of the database server: who holds what a run waits for.
import { Failure } from '../base/errors.ts';
import { serverError } from '../database/postgres.ts';
import { sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';

export interface Blocker {
  /** `psql as alice, pid 4711, since 2024-02-29 03:12`. */
  readonly who: string;
  readonly table: string;
}

/** Other sessions that hold locks on a folder's tables; the oldest first. @param table that one only; absent: all of them, and the folder's row */
async function readBlockers(reader: Reader, schema: string, table?: string): Promise<readonly Blocker[]> {
  return holders(reader, schema, table ?? null, table === undefined);
}

/** Other sessions that hold locks on any of a folder's tables; the oldest first. */
export async function readUsers(reader: Reader, schema: string): Promise<readonly Blocker[]> {
  return holders(reader, schema, null, false);
}

/** An index is locked together with its table: that is what people know. */
function holders(reader: Reader, schema: string, table: string | null, row: boolean): Promise<readonly Blocker[]> {
  return reader.query<Blocker>(sql`
    select distinct on (a.xact_start, a.pid)
      concat_ws(', ', concat_ws(' as ', nullif(a.application_name, ''), a.usename), 'pid ' || a.pid, 'since ' || to_char(a.xact_start, 'YYYY-MM-DD HH24:MI')) as who,
      c.relname as table
    from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace join pg_stat_activity a on a.pid = l.pid
    where l.granted and l.pid <> pg_backend_pid() and l.database = (select oid from pg_database where datname = current_database())
      and ((n.nspname = ${schema} and c.relkind in ('r', 'p') and (${table}::text is null or c.relname = ${table}))
        or (${row} and n.nspname = 'rustine' and c.relname = 'folder' and l.mode = 'RowShareLock'))
    order by a.xact_start, a.pid, n.nspname = 'rustine', c.relname`);
}

const LOCK_NOT_AVAILABLE = '55P03';

/** What to tell of an error: that of a lock says who holds it, where that can be found out; any other stays as it is. */
export async function lockFailure(
  reader: Reader,
  folder: { readonly code: string; readonly schema: string },
  error: unknown,
): Promise<unknown> {
  const said = serverError(error);
  if (said?.sqlstate !== LOCK_NOT_AVAILABLE) return error;
  const blockers = await readBlockers(reader, folder.schema, said.table).catch(() => []);
  const facts = {
    folder: folder.code,
    blocker: blockers.map(({ who }) => who).join('; '),
    table: said.table ?? blockers[0]?.table ?? '',
  };
  return new Failure('lock-timeout', facts, error);
}
