// What putting back one kept entry needs and gives, and the findings about it.
import type { Finding } from '../base/finding.ts';
import type { Session } from '../database/database.ts';
import { qualified } from '../database/sql.ts';
import type { StoredEntry } from '../environment/kept.ts';
import { inspectTables } from '../tables/inspect.ts';
import type { InspectedTable } from '../tables/model.ts';

/** What it takes to put one entry back. */
export interface Restoring {
  readonly session: Session;
  readonly entry: StoredEntry;
  readonly operator: string;
  /** What stands there now may go: it is put aside. */
  readonly overwrite: boolean;
}

export interface RestoredParts {
  /** Rows that were changed or came back. */
  readonly rows: number;
  /** Columns that were added again. */
  readonly columns: readonly string[];
  /** Every kept value came back; what stays aside can be put back later. */
  readonly whole: boolean;
  readonly findings: readonly Finding[];
}

/** The folder's table as it is now, and nobody writes to it until the end. */
export async function lockedTable({ session, entry }: Restoring): Promise<InspectedTable | undefined> {
  const inspect = async () => (await inspectTables(session, entry.schema, [entry.table])).get(entry.table);
  if ((await inspect()) === undefined) return undefined;
  await session.query({ text: `lock table ${qualified(entry.schema, entry.table)} in share row exclusive mode`, values: [] });
  return inspect();
}

/** An entry that cannot be put back, and why. */
export function blocked(entry: StoredEntry, code: string, facts: Finding['facts']): RestoredParts {
  return { rows: 0, columns: [], whole: false, findings: [noted(entry, code, 'block', facts)] };
}

export function noted(entry: StoredEntry, code: string, severity: Finding['severity'], facts: Finding['facts']): Finding {
  return {
    code,
    severity,
    folder: entry.folder,
    subject: `ATB:${entry.table.toUpperCase()}`,
    facts: { kept: entry.id, table: entry.table, ...facts },
  };
}
