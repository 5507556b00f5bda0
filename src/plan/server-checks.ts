// Checks of the database servers: reachable, taking changes, with room for locks and on the disk. Pure.
import type { Finding } from '../base/finding.ts';
import type { ServerFacts } from './check-facts.ts';
import { found } from './checks.ts';
import type { Delivery } from './delivery.ts';

/** A delivery, and how many folders it is still to go into. */
export interface Share {
  readonly delivery: Pick<Delivery, 'bytes' | 'relations'>;
  readonly folders: number;
}

/** What one transaction of the run holds: a patch in a folder, or all patches in a folder (rehearsal, all or none). */
export type TransactionScope = 'patch' | 'folder';

export interface ServerWork {
  readonly shares: readonly Share[];
  readonly scope: TransactionScope;
  /** Folders worked on at the same time. */
  readonly jobs: number;
}

/** Once in the tables and the dictionary, once in the log of changes that every write goes through first. */
const WRITTEN_TWICE = 2;
/** Below that nobody needs to be told that the free space is unknown. */
export const LARGE_BYTES = 1024 ** 3;
/** A database wants so much left besides. */
const SPARE_BYTES = 256 * 1024 ** 2;

/** Staged and stored once for all folders, then written in each. An upper bound for dictionary elements, whose fields folders share. */
export function writtenBytes(
  shares: readonly { readonly delivery: Pick<Delivery, 'bytes'>; readonly folders: number }[],
): number {
  return shares.reduce(
    (sum, { delivery, folders }) => (folders === 0 ? sum : sum + WRITTEN_TWICE * delivery.bytes * (1 + folders)),
    0,
  );
}

/** Locks held at the same moment, at the most: a table that is as delivered already needs none. */
function locksWanted({ shares, scope, jobs }: Pick<ServerWork, 'shares' | 'scope' | 'jobs'>): number {
  const busy = Math.max(0, ...shares.map(({ folders }) => folders));
  const each = shares.map(({ delivery, folders }) => (folders === 0 ? 0 : delivery.relations));
  const held = scope === 'patch' ? Math.max(0, ...each) : each.reduce((sum, locks) => sum + locks, 0);
  return Math.min(jobs, busy) * held;
}

export function serverFindings(state: ServerFacts, work: ServerWork): readonly Finding[] {
  const { name: server, free } = state;
  const place = { subject: server };
  const findings: Finding[] = [];
  if (state.readOnly !== null) findings.push(found('server-read-only', place, { server, reason: `read-only-${state.readOnly}` }));
  const needed = locksWanted(work);
  if (needed > state.locks) {
    const facts = { server, needed, available: state.locks, setting: `max_locks_per_transaction = ${state.locksPerTransaction}` };
    findings.push(found('locks-low', place, { ...facts, jobs: work.jobs }));
  }
  const expected = writtenBytes(work.shares);
  if (expected === 0) return findings;
  if (free !== null && free < expected + SPARE_BYTES)
    findings.push(found('disk-low', place, { server, free: megabytes(free), expected: megabytes(expected) }));
  if (free === null && expected >= LARGE_BYTES) {
    const size = state.bytes === null ? null : megabytes(state.bytes);
    findings.push(found('disk-unknown', place, { server, expected: megabytes(expected), size, tablespace: state.tablespace }));
  }
  return findings;
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 1024 ** 2);
