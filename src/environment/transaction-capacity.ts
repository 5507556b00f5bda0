// What the database server is set to for prepared transactions and locks, and how much of it is in use.
import { sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';

export interface TransactionCapacity {
  readonly maxPrepared: number;
  /** Of all databases of the server. */
  readonly preparedNow: number;
  readonly maxConnections: number;
  readonly locksPerTransaction: number;
  readonly locksNow: number;
}

export async function readTransactionCapacity(reader: Reader): Promise<TransactionCapacity> {
  const [row] = await reader.query<TransactionCapacity>(sql`
    select current_setting('max_prepared_transactions')::integer as "maxPrepared", (select count(*)::integer from pg_prepared_xacts) as "preparedNow",
      current_setting('max_connections')::integer as "maxConnections", current_setting('max_locks_per_transaction')::integer as "locksPerTransaction",
      (select count(*)::integer from pg_locks where not fastpath) as "locksNow"`);
  return row ?? { maxPrepared: 0, preparedNow: 0, maxConnections: 0, locksPerTransaction: 0, locksNow: 0 };
}
