// What the changes of tables cost, as people and programs are told: which statements rewrite or lock, and how many rows they touch. Pure.
import type { TableChange, TableStep } from './diff.ts';

/** One step on a table that was there before. */
export interface TableCost {
  readonly table: string;
  readonly step: TableStep['step'] | 'remove-table';
  readonly column?: string;
  readonly index?: string;
  /** Whether PostgreSQL writes all rows of the table anew. */
  readonly rewrites: boolean;
  /** `access-exclusive`: nobody reads or writes meanwhile · `share`: nobody writes. */
  readonly lock: 'access-exclusive' | 'share';
  /** Rows of the table: counted where a check counted them, else PostgreSQL's estimate; null where it has none yet. */
  readonly rows: number | null;
}

/** @param rows by table */
export function costsOf(changes: readonly TableChange[], rows: ReadonlyMap<string, number>): readonly TableCost[] {
  return changes.flatMap((change): readonly TableCost[] => {
    if (change.change === 'create') return [];
    const count = rows.get(change.table) ?? null;
    if (change.change === 'remove')
      return [{ table: change.table, step: 'remove-table', rewrites: false, lock: 'access-exclusive', rows: count }];
    return change.steps.map((step) => stepCost(change.table, step, count));
  });
}

function stepCost(table: string, step: TableStep, rows: number | null): TableCost {
  const lock = step.step === 'create-index' ? 'share' : 'access-exclusive';
  switch (step.step) {
    case 'create-index':
      return { table, step: step.step, index: step.index.name, rewrites: false, lock, rows };
    case 'drop-index':
      return { table, step: step.step, index: step.index, rewrites: false, lock, rows };
    case 'add-column':
      // Only the number of each row is another one for each row.
      return { table, step: step.step, column: step.column.name, rewrites: step.column.type.kind === 'bigint', lock, rows };
    case 'drop-column':
      return { table, step: step.step, column: step.column, rewrites: false, lock, rows };
    default:
      return { table, step: step.step, column: step.column, rewrites: step.rewrites, lock, rows };
  }
}
