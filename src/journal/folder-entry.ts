// Who changes folders outside of runs enters them first: not while a run has them, and no run begins meanwhile.
import { Bug, Refusal } from '../base/errors.ts';
import type { Database, Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';

/** Another command that is changing a folder. */
export interface ActiveChange {
  readonly folder: string;
  readonly pid: number;
  readonly role: string;
  readonly application: string;
  /** `2024-02-29 03:12` */
  readonly since: string;
}

// First key of the transaction-scoped locks of folders by their number: shared by those who change a folder, alone for a run that begins.
export const ENTRY_LOCK = 7_083_122;

interface RunThere {
  readonly run: string;
  readonly state: string;
  readonly mode: string;
  readonly operator: string;
  readonly host: string;
  readonly pid: number;
  readonly since: string;
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/**
 * Until the end of the transaction no run begins with these folders. A run that is queued only has not begun: its checks are made when it does.
 * @param below codes of folders whose descendants are entered too
 * @param leaving whether they are going to be gone: runs that have not begun count on them, too
 * @throws Refusal `run-active` in the middle of a run
 */
export async function enterFolders(
  session: Session,
  codes: readonly string[],
  below: readonly string[] = [],
  leaving = false,
): Promise<void> {
  const entered = await session.query<{ code: string }>(sql`
    with recursive down (id) as (
      select id from rustine.folder where code = any(${below}::text[])
      union select f.id from rustine.folder f join down on f.parent = down.id),
    given as materialized (
      select id, code from rustine.folder where code = any(${codes}::text[]) or id in (select id from down))
    select code, pg_advisory_xact_lock_shared(${ENTRY_LOCK}, id) from given`);
  // A statement of its own: it has to see a run that began while the lock was waited for.
  const [there] = await session.query<RunThere>(sql`
    select r.id as run, r.state, r.mode, r.operator, r.host, r.pid, to_char(r.started_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as since, r.files,
      array_agg(f.folder order by f.folder) as folders
    from rustine.run r join rustine.run_folder f on f.run = r.id
    where (r.state = 'running' or ${leaving} and r.state in ('queued', 'waiting')) and f.folder = any(${entered.map(({ code }) => code)}::text[])
    group by r.id order by r.started_at limit 1`);
  if (there !== undefined) throw new Refusal('run-active', { ...there });
}

/** For work in several transactions, or outside of the database. @throws Refusal `run-active` */
export async function insideFolders<Result>(
  database: Database,
  codes: readonly string[],
  work: () => Promise<Result>,
): Promise<Result> {
  if (codes.length === 0) return work();
  const done: Result[] = [];
  try {
    await database.transaction(async (session) => {
      // It only waits while the work goes on, which may be long.
      await session.script('set local idle_in_transaction_session_timeout = 0');
      await enterFolders(session, codes);
      done.push(await work());
    });
  } catch (error) {
    // What was done stays done where only this connection was lost.
    if (done.length === 0) throw error;
  }
  for (const result of done) return result;
  throw new Bug('a transaction ended before its work', { folders: [...codes] });
}
