// Settles what dead programs left of runs: nobody but they could end them, and no run is "in progress" for ever.
import type { Database } from '../database/database.ts';
import { sqlState } from '../database/postgres.ts';
import { sql } from '../database/sql.ts';
import { deadProcesses } from './processes.ts';
import { settlePrepared } from './settle-prepared.ts';

/** A dead program's last statement may still run: the server ends it within a second or two. */
const SETTLE_TIMEOUT_MS = 15_000;
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Marks runs whose program is dead as interrupted. One query when there is nothing to settle; safe to repeat, by several at once.
 * @returns the runs; none of those of which a folder's transaction is still open, which are left as they are
 */
export async function settleRuns(database: Database): Promise<readonly string[]> {
  const dead = await deadProcesses(database);
  if (dead.length === 0) return [];
  // They hold their run's key, so that it could not be settled.
  await settlePrepared(database);
  const ids = dead.map(({ id }) => id);
  const gone = dead.flatMap((each) => (each.gone ? [each.id] : []));
  try {
    return await database.transaction(async (session) => {
      await session.query(sql`select set_config('lock_timeout', ${`${SETTLE_TIMEOUT_MS}ms`}, true)`);
      // A sleeper that has just renewed its lease keeps it; one that comes later finds it gone.
      const settled = await session.query<{ id: string }>(sql`
        delete from rustine.process where id = any(${ids}::text[]) and (alive_until < clock_timestamp() or id = any(${gone}::text[])) returning id`);
      // The strong lock waits for transactions of its folders: they hold the run's key (see `lockFolder`), and later ones find its state.
      const runs = await session.query<{ id: string }>(sql`
        select id from rustine.run where process = any(${settled.map(({ id }) => id)}::text[]) and state in ('running', 'waiting') order by id for update`);
      const interrupted = runs.map(({ id }) => id);
      if (interrupted.length === 0) return [];
      await session.query(sql`
        with folders as (
          update rustine.run_folder set state = case state when 'running' then 'interrupted' else 'skipped' end, process = null, finished_at = now()
          where run = any(${interrupted}::text[]) and state in ('running', 'waiting', 'postponed'))
        update rustine.run set state = 'interrupted', finished_at = now() where id = any(${interrupted}::text[])`);
      return interrupted;
    });
  } catch (error) {
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
    return [];
  }
}
