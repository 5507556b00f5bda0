// How many prepared transactions and locks a run that is all or none needs at once, and what the server has room for. Pure.
import type { Finding } from '../base/finding.ts';
import type { TransactionCapacity } from '../environment/transaction-capacity.ts';

/** Relations of the catalog, and their indexes, that each transaction of a run locks until its end. */
const LOCKS_PER_TRANSACTION = 100;
/** APATCH, ADOSACT and their indexes, the schema, its sequence. */
const LOCKS_PER_FOLDER = 12;
/** Others go on meanwhile. */
const SPARE = 0.1;

export interface Room {
  /** Transactions at once, at the most. */
  readonly most: number;
  readonly findings: readonly Finding[];
}

/**
 * Fewer transactions than wanted cost time, not safety: only where there is none, or where the locks of all folders do not fit into the server's
 * table however they are grouped, the run is refused.
 * @param folders locks that each folder's own tables need
 */
export function roomFor(groups: number, folders: readonly number[], capacity: TransactionCapacity): Room {
  const { maxPrepared, preparedNow, maxConnections, locksPerTransaction, locksNow } = capacity;
  if (maxPrepared === 0) {
    const facts = { setting: 'max_prepared_transactions', value: Math.max(10, groups), now: 0 };
    return { most: 0, findings: [{ code: 'prepared-transactions-off', severity: 'block', facts }] };
  }
  const slots = maxPrepared - preparedNow;
  if (slots <= 0) {
    const facts = { setting: 'max_prepared_transactions', value: maxPrepared + groups, now: maxPrepared, used: preparedNow };
    return { most: 0, findings: [{ code: 'prepared-transactions-full', severity: 'block', facts }] };
  }
  const all = locksPerTransaction * (maxConnections + maxPrepared);
  const available = Math.floor((all - locksNow) * (1 - SPARE));
  const own = folders.reduce((sum, locks) => sum + locks + LOCKS_PER_FOLDER, 0);
  const byLocks = Math.floor((available - own) / LOCKS_PER_TRANSACTION);
  if (byLocks < 1) {
    const needed = own + LOCKS_PER_TRANSACTION;
    const value = Math.ceil((needed / (1 - SPARE) + locksNow) / (maxConnections + maxPrepared));
    const facts = {
      folders: folders.length,
      needed,
      available,
      setting: 'max_locks_per_transaction',
      value,
      now: locksPerTransaction,
    };
    return { most: 0, findings: [{ code: 'locks-all-or-none', severity: 'block', facts }] };
  }
  // Of two runs that look at the same moment each sees the same free ones.
  const others = Math.min(slots - 1, Math.ceil(maxPrepared * SPARE));
  return { most: Math.min(groups, slots - others, byLocks), findings: [] };
}
