// Views and functions that use columns which a change retypes or drops: PostgreSQL refuses such a change while they are there. Pure.
import type { Finding } from '../base/finding.ts';
import type { TableChange } from './diff.ts';

/** Something in the database that uses a column of a table. */
export interface ColumnUser {
  readonly table: string;
  readonly column: string;
  /** As the server describes it: `view x3.stock`. */
  readonly user: string;
  /** Role that it belongs to. */
  readonly owner: string;
}

export function columnsInUse(changes: readonly TableChange[], users: readonly ColumnUser[]): readonly Finding[] {
  return changes.flatMap((change) => {
    if (change.change !== 'alter') return [];
    return change.steps.flatMap((step): readonly Finding[] => {
      if (!('column' in step) || step.step === 'add-column') return [];
      const using = users.filter(({ table, column }) => table === change.table && column === step.column);
      if (using.length === 0) return [];
      const table = change.table.toUpperCase();
      const named = using.map(({ user, owner }) => `${user} (${owner})`).sort();
      return [
        { code: 'column-in-use', severity: 'block', subject: `ATB:${table}`, facts: { table, field: step.column, users: named } },
      ];
    });
  });
}
