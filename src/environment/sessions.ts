// Sessions of the database server: who holds what a run waits for.
import { Failure } from '../base/errors.ts';
import { serverError } from '../database/postgres.ts';
import { sql } from '../database/sql.ts';
import { blockerFacts } from './blocker-facts.ts';
import type { Reader } from './catalog.ts';
import { readTransactionCapacity } from './transaction-capacity.ts';

export interface Blocker {
  readonly table: string;
  readonly pid: number;
  readonly role: string;
  readonly application: string;
  /** The statement that it runs or ran last, its beginning; empty where the database user may not see it. */
  readonly query: string;
  /** `2024-02-29 03:12` */
  readonly since: string;
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
      c.relname as table, a.pid, a.usename as role, a.application_name as application, to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as since,
      -- A statement that holds a password is nobody's business.
      case when a.query ~* 'password|^<' then '' else left(a.query, 200) end as query
    from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace join pg_stat_activity a on a.pid = l.pid
    where l.granted and l.pid <> pg_backend_pid() and l.database = (select oid from pg_database where datname = current_database())
      and ((n.nspname = ${schema} and c.relkind in ('r', 'p') and (${table}::text is null or c.relname = ${table}))
        or (${row} and n.nspname = 'rustine' and c.relname = 'folder' and l.mode = 'RowShareLock'))
    order by a.xact_start, a.pid, n.nspname = 'rustine', c.relname`);
}

const LOCK_NOT_AVAILABLE = '55P03';
/** Somebody else was in the way, and may not be a little later: lock not available, deadlock, serialisation failure. */
const IN_THE_WAY: readonly string[] = [LOCK_NOT_AVAILABLE, '40P01', '40001'];

/** What a folder waited for in vain. */
export interface LockWait {
  /** Empty where it is not known any more. */
  readonly table: string;
  readonly blockers: readonly Blocker[];
}

/** The table of locks is full; then, and not where memory has run out, the server has a hint. */
const NO_ROOM = '53200';

interface Place {
  readonly code: string;
  readonly schema: string;
}

/** Who is in the way, where an error says that somebody is; else undefined. */
export async function readLockWait(reader: Reader, { schema }: Place, error: unknown): Promise<LockWait | undefined> {
  const said = serverError(error);
  if (said === undefined || !IN_THE_WAY.includes(said.sqlstate)) return undefined;
  const blockers = await readBlockers(reader, schema, said.table).catch(() => []);
  return { table: said.table ?? blockers[0]?.table ?? '', blockers };
}

/** What to tell of an error: that of a lock says who holds it, where that can be found out, or which setting has room for more; any other stays as it is. */
export async function lockFailure(reader: Reader, folder: Place, error: unknown): Promise<unknown> {
  const said = serverError(error);
  if (said?.sqlstate === NO_ROOM && said.hint !== '') return locksFailure(reader, folder, said.message, error);
  if (said?.sqlstate !== LOCK_NOT_AVAILABLE) return error;
  const wait = await readLockWait(reader, folder, error);
  const { table = '', blockers = [] } = wait ?? {};
  const facts = { folder: folder.code, table, ...blockerFacts(blockers), query: blockers[0]?.query ?? '' };
  return new Failure('lock-timeout', facts, error);
}

async function locksFailure(reader: Reader, { code }: Place, reason: string, error: unknown): Promise<unknown> {
  const now = await readTransactionCapacity(reader).catch(() => undefined);
  if (now === undefined) return error;
  const { maxPrepared, maxConnections, locksPerTransaction, locksNow } = now;
  const locks = locksPerTransaction * (maxConnections + maxPrepared);
  const setting = `max_locks_per_transaction = ${locksPerTransaction}`;
  return new Failure('locks-used-up', { folder: code, reason, locks, locksNow, setting }, error);
}
