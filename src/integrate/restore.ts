// Puts back what was put aside (R27), entry by entry in one transaction: what cannot be put back is a finding, and then nothing is.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Session } from '../database/database.ts';
import { sqlState } from '../database/postgres.ts';
import { sql } from '../database/sql.ts';
import type { StoredEntry } from '../environment/kept.ts';
import { TEXTS_TABLE } from '../environment/kept.ts';
import { restoreColumns } from './restore-columns.ts';
import { restoreRows, restoreTexts } from './restore-rows.ts';
import { restoreTable } from './restore-table.ts';
import type { RestoredParts, Restoring } from './restoring.ts';
import { blocked, lockedTable } from './restoring.ts';

export interface Restored {
  readonly entries: readonly {
    readonly id: number;
    readonly rows: number;
    readonly columns: readonly string[];
    readonly whole: boolean;
  }[];
  readonly findings: readonly Finding[];
}

/**
 * The latest entry first, as one goes back in time. Where a finding blocks, everything is as it was.
 * @param entries whose folders' rows are locked
 */
export async function restoreEntries(
  session: Session,
  entries: readonly StoredEntry[],
  operator: string,
  overwrite: boolean,
): Promise<Restored> {
  const findings: Finding[] = [];
  const whole: number[] = [];
  const restored: { id: number; rows: number; columns: readonly string[]; whole: boolean }[] = [];
  await session.script('savepoint before_restoring');
  for (const entry of entries.toSorted((a, b) => b.id - a.id)) {
    const parts = await tried({ session, entry, operator, overwrite });
    findings.push(...parts.findings);
    restored.push({ id: entry.id, rows: parts.rows, columns: parts.columns, whole: parts.whole });
    if (parts.whole) whole.push(entry.id);
  }
  if (blocks(findings)) {
    await session.script('rollback to savepoint before_restoring');
    return { entries: [], findings };
  }
  // What still has values aside stays open: they can be put back when there is a place for them again.
  await session.query(
    sql`update rustine.kept set restored_at = now(), restored_by = ${operator} where id = any(${whole}::bigint[])`,
  );
  await makeDue(session, entries);
  return { entries: restored, findings };
}

/** State and size of the activity codes shape the folder's other tables (R25). */
async function makeDue(session: Session, entries: readonly StoredEntry[]): Promise<void> {
  const folders = entries.filter(({ table }) => table === 'adosact').map(({ folderId }) => folderId);
  if (folders.length === 0) return;
  await session.query(sql`
    update rustine.folder set due = array(select distinct unnest(due || array['activity-codes']) order by 1) where id = any(${folders}::integer[])`);
}

/**
 * What the table as it is now does not take: data exceptions, constraints (an administrator's own as well), columns that the server computes, an index
 * entry or row that is too long, too many columns.
 */
const UNFIT = /^(?:22...|23...|428C9|54000|54011)$/;

/** Values that do not fit and keys that are taken by other restored rows show themselves only on writing. */
async function tried(restoring: Restoring): Promise<RestoredParts> {
  const { session, entry } = restoring;
  await session.script('savepoint one_entry');
  try {
    return await restoreEntry(restoring);
  } catch (error) {
    if (!(error instanceof Failure) || !UNFIT.test(sqlState(error) ?? '')) throw error;
    await session.script('rollback to savepoint one_entry');
    const reason = [error.facts.reason, error.facts.detail].filter((each) => each !== undefined && each !== '').join(' – ');
    return blocked(entry, 'kept-unfit', { reason });
  }
}

async function restoreEntry(restoring: Restoring): Promise<RestoredParts> {
  const { entry } = restoring;
  if (entry.restored !== null) return blocked(entry, 'kept-restored', { on: entry.restored.at, by: entry.restored.by });
  if (entry.kind === 'table') return restoreTable(restoring);
  if (entry.table === TEXTS_TABLE) return restoreTexts(restoring);
  const table = await lockedTable(restoring);
  if (table === undefined) return blocked(entry, 'kept-table-gone', {});
  return entry.kind === 'columns' ? restoreColumns(restoring, table) : restoreRows(restoring, table);
}
