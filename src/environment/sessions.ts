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

/** Modes in which others are no hindrance, by what is waited for: a reader stands only in the way of who changes a table's shape. */
const HARMLESS: Readonly<Record<string, readonly string[]>> = {
  'share row exclusive': ['AccessShareLock', 'RowShareLock'],
  rows: ['AccessShareLock'],
};

/**
 * Other sessions that are in the way; the oldest first.
 * @param table that is waited for, with the mode, where the error says so. Else rows are what most statements wait for: whoever has the folder's own row, or holds
 * one of its tables against changes of rows; where nobody does, whoever holds one at all
 */
async function readBlockers(reader: Reader, schema: string, table?: string, mode = ''): Promise<readonly Blocker[]> {
  if (table !== undefined) return holders(reader, schema, { table, harmless: HARMLESS[mode] ?? [] });
  const transactions = await rowHolders(reader, schema).catch(() => []);
  const there = await holders(reader, schema, { harmless: HARMLESS.rows, transactions });
  return there.length > 0 ? there : readUsers(reader, schema);
}

/** Other sessions that hold locks on any of a folder's tables; the oldest first. */
export async function readUsers(reader: Reader, schema: string): Promise<readonly Blocker[]> {
  return holders(reader, schema, {});
}

interface Held {
  /** Absent: any. */
  readonly table?: string;
  /** Modes that do not count. */
  readonly harmless?: readonly string[] | undefined;
  /** Those that have rows in the catalog. */
  readonly transactions?: readonly string[];
}

/** An index is locked together with its table: that is what people know. */
function holders(reader: Reader, schema: string, { table, harmless, transactions }: Held): Promise<readonly Blocker[]> {
  return reader.query<Blocker>(sql`
    select distinct on (a.xact_start, a.pid)
      coalesce(c.relname, 'folder') as table, a.pid, a.usename as role, a.application_name as application, to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as since,
      -- A statement that holds a password is nobody's business.
      case when a.query ~* 'password|^<' then '' else left(a.query, 200) end as query
    from pg_locks l join pg_stat_activity a on a.pid = l.pid left join (pg_class c join pg_namespace n on n.oid = c.relnamespace) on c.oid = l.relation
    where l.granted and l.pid <> pg_backend_pid()
      and (l.transactionid::text = any(${transactions ?? []}::text[])
        or (l.database = (select oid from pg_database where datname = current_database()) and l.mode <> all(${harmless ?? []}::text[])
          and n.nspname = ${schema} and c.relkind in ('r', 'p') and (${table ?? null}::text is null or c.relname = ${table ?? null})))
    order by a.xact_start, a.pid, c.relname nulls first`);
}

/**
 * Who has the folder's row, or keeps the one of what it follows from being held as it is: a lock on a row is known by the transaction that is noted there.
 * @returns transactions
 */
async function rowHolders(reader: Reader, schema: string): Promise<readonly string[]> {
  const held = await reader.query<{ xmax: string }>(sql`
    with own as (select id from rustine.folder where schema_name = ${schema} for no key update skip locked),
    above as (
      select id from rustine.folder where id in (select unnest(array[parent, history_of]) from rustine.folder where schema_name = ${schema}) for share skip locked)
    select distinct f.xmax::text as xmax from rustine.folder f join rustine.folder o on o.schema_name = ${schema} and f.id in (o.id, o.parent, o.history_of)
    where f.id not in (select id from own union all select id from above)`);
  const found: string[] = [];
  for (const { xmax } of held) {
    // Where several have it, each as it may, the number is theirs together; who only refers to the row is in nobody's way.
    const members = await reader
      .query<{ xid: string }>(
        sql`select xid::text as xid from pg_get_multixact_members(${xmax}::text::xid) where mode <> 'keysh'`,
      )
      .catch(() => []);
    found.push(xmax, ...members.map(({ xid }) => xid));
  }
  return found;
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
  const blockers = await readBlockers(reader, schema, said.table, said.detail).catch(() => []);
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
