// What a database server says of itself: whether it takes changes, how many locks it holds, how large the database is.
import { Bug } from '../base/errors.ts';
import { sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';

export interface ServerState {
  /** `standby`: it follows another server. `setting`: new transactions are read-only (default_transaction_read_only). */
  readonly readOnly: 'standby' | 'setting' | null;
  /** Locks that all transactions together may hold, and the setting that says so, as it stands. */
  readonly locks: number;
  readonly locksPerTransaction: number;
  readonly tablespace: string;
  /** Size of the database; null where it was not asked for: the server looks at every file for it. */
  readonly bytes: number | null;
}

/** @param measured also the size of the database */
export async function askServer(reader: Reader, measured: boolean): Promise<ServerState> {
  const [state] = await reader.query<ServerState>(sql`
    select case when pg_is_in_recovery() then 'standby' when current_setting('transaction_read_only') = 'on' then 'setting' end as "readOnly",
      current_setting('max_locks_per_transaction')::integer * (current_setting('max_connections')::integer + current_setting('max_prepared_transactions')::integer) as locks,
      current_setting('max_locks_per_transaction')::integer as "locksPerTransaction",
      (select s.spcname from pg_database d join pg_tablespace s on s.oid = d.dattablespace where d.datname = current_database()) as tablespace,
      case when ${measured} then pg_database_size(current_database())::float8 end as bytes`);
  if (state === undefined) throw new Bug('a server without settings');
  return state;
}
