// Who holds a row that somebody waits for: a session, or a transaction that is prepared and belongs to nobody.
import { setTimeout as pause } from 'node:timers/promises';
import { type Facts, Failure } from '../base/errors.ts';
import type { Database, Session } from '../database/database.ts';
import { sqlState } from '../database/postgres.ts';
import { quoteLiteral, type Sql, sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';

interface Holder {
  /** null: its transaction is prepared. */
  readonly pid: number | null;
  /** Database user; of what is prepared, the one who alone may end it, besides superusers. */
  readonly user: string;
  readonly application: string;
  /** `2026-02-28 03:12` */
  readonly since: string;
  /** Name of what is prepared; empty for a session. */
  readonly gid: string;
}

const NOBODY: Holder = { pid: null, user: '', application: '', since: '', gid: '' };

/** What is told of who is in the way, with the statement that ends it. */
export function holderFacts({ pid, user, application, since, gid }: Holder): Facts {
  const command =
    pid !== null ? `select pg_terminate_backend(${pid})` : gid === '' ? '' : `rollback prepared ${quoteLiteral(gid)}`;
  return { pid, user, application, since, gid, command };
}

const LOOKS = 4;
const PAUSE_MS = 80;

/**
 * A lock on a row is seen only while somebody waits for it: so somebody does, for a moment.
 * @param wait takes the row, or waits for whoever has it
 */
export async function readHolder(database: Database, wait: (session: Session) => Promise<unknown>): Promise<Facts> {
  const found = await database
    .transaction(async (session) => {
      await session.script(`set local lock_timeout = ${LOOKS * PAUSE_MS + 100}`);
      const [me] = await session.query<{ pid: number }>(sql`select pg_backend_pid() as pid`);
      const over = wait(session).then(
        () => undefined,
        () => undefined,
      );
      let holder: Holder | undefined;
      for (let look = 0; look < LOOKS && holder === undefined; look++) {
        await Promise.race([over, pause(PAUSE_MS)]);
        [holder] = await database.query<Holder>(inTheWayOf(me?.pid ?? 0));
      }
      await over;
      return holder;
    }, 'rollback')
    .catch(() => undefined);
  return holderFacts(found ?? NOBODY);
}

const inTheWayOf = (pid: number): Sql => sql`
  select h.pid, coalesce(a.usename::text, x.owner::text, '') as user, coalesce(a.application_name, '') as application,
    coalesce(to_char(coalesce(a.xact_start, x.prepared) at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), '') as since, coalesce(x.gid, '') as gid
  from pg_locks w join pg_locks h on h.granted and h.locktype = w.locktype and h.transactionid is not distinct from w.transactionid
    and h.relation is not distinct from w.relation and h.page is not distinct from w.page and h.tuple is not distinct from w.tuple
    and h.objid is not distinct from w.objid and h.pid is distinct from w.pid
  left join pg_stat_activity a on a.pid = h.pid left join pg_prepared_xacts x on x.transaction = h.transactionid
  where w.pid = ${pid} and not w.granted order by h.pid limit 1`;

/** Who is changing logins at this moment: the lock on their table stays until the end of the transaction. */
export async function readLoginHolder(reader: Reader): Promise<Facts> {
  const [found] = await reader.query<Holder>(sql`
    select h.pid, coalesce(a.usename::text, x.owner::text, '') as user, coalesce(a.application_name, '') as application,
      coalesce(to_char(coalesce(a.xact_start, x.prepared) at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), '') as since, coalesce(x.gid, '') as gid
    from pg_locks h left join pg_stat_activity a on a.pid = h.pid left join pg_prepared_xacts x on h.virtualtransaction = '-1/' || x.transaction
    where h.granted and h.locktype = 'relation' and h.relation = 'pg_authid'::regclass and h.mode = 'RowExclusiveLock' and h.pid is distinct from pg_backend_pid()
    order by a.xact_start limit 1`);
  return holderFacts(found ?? NOBODY);
}

/** Somebody else is changing one of the logins: lock not available; "tuple concurrently updated". */
export const BEING_CHANGED: readonly (string | undefined)[] = ['55P03', 'XX000'];

/** What to tell of an error while a folder's login was to be changed: who is changing logins, where somebody is; any other stays as it is. */
export async function loginFailure(
  reader: Reader,
  login: { readonly folder: string; readonly role: string },
  error: unknown,
): Promise<unknown> {
  if (!BEING_CHANGED.includes(sqlState(error))) return error;
  const holder = await readLoginHolder(reader).catch(() => holderFacts(NOBODY));
  return holder.command === '' ? error : new Failure('login-held', { ...login, ...holder }, error);
}
