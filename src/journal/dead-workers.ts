// Workers that are dead lose their lease before anything of theirs is settled: one that only slept finds that out, and does no more.
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { endSessionsOf } from './lease-sessions.ts';
import { deadProcesses } from './processes.ts';

/**
 * What they were at is others' to take from here on. One cheap query where all are alive.
 * @returns their leases
 */
export async function endDeadWorkers(database: Database): Promise<readonly string[]> {
  const dead = await deadProcesses(database);
  if (dead.length === 0) return [];
  const gone = dead.flatMap((each) => (each.gone ? [each.id] : []));
  // A sleeper that has just renewed its lease keeps it.
  return database.transaction(async (session) => {
    const rows = await session.query<{ id: string }>(sql`
    delete from rustine.process where kind = 'worker' and id = any(${dead.map(({ id }) => id)}::text[])
      and (alive_until < clock_timestamp() or id = any(${gone}::text[])) returning id`);
    const ended = rows.map(({ id }) => id);
    // One that is only stopped keeps its folders as long as its transactions are open.
    await endSessionsOf(session, ended);
    return ended;
  });
}
