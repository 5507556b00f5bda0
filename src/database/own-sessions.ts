// How the server sees connections of ours from which nothing comes.
import pg from 'pg';
import { APPLICATION } from './application-name.ts';
import type { Seen } from './silence.ts';

/** Connections of ours as the server sees them, over a connection of its own: those of the pool may be silent, or all in use. */
export async function readOwnSessions(url: string, processes: readonly number[], ms: number): Promise<ReadonlyMap<number, Seen>> {
  const client = new pg.Client({
    connectionString: url,
    application_name: APPLICATION,
    connectionTimeoutMillis: ms,
    query_timeout: ms,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Seen & { readonly pid: number }>(
      `select pid, coalesce(state, '') as state, coalesce(extract(epoch from clock_timestamp() - state_change) * 1000, 0)::float8 as "forMs",
         coalesce(wait_event = 'ClientRead', false) as reads
       from pg_catalog.pg_stat_activity where pid = any($1::integer[])`,
      [processes],
    );
    return new Map(rows.map(({ pid, ...seen }) => [pid, seen]));
  } catch (error) {
    // A server that answers is there, also where it has no room for one more: nothing is known of the others then.
    if (error instanceof pg.DatabaseError) return new Map(processes.map((pid) => [pid, { state: '', forMs: 0, reads: false }]));
    throw error;
  } finally {
    // Not waited for: it may be silent, too.
    void client.end().catch(() => undefined);
  }
}
