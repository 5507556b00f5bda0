// The part of a statement that puts rows aside as they were (R27), in the same statement that changes them.
import { quoteLiteral } from '../database/sql.ts';

export interface KeptRows {
  /** Number of the folder. */
  readonly folder: number;
  /** SQL: number of the integration that changes the rows, or `null`. */
  readonly integration: string;
  /** Physical name. */
  readonly table: string;
  readonly why: 'updated' | 'replaced' | 'overwritten';
  /** Who, where no integration says it. */
  readonly operator?: string;
}

/**
 * CTEs that follow one named `old` with columns `row_number` and `value`; their own are `kept_now` (the new entry's `id`, a row only where
 * something is kept) and `kept_rows`.
 */
export function keepRows({ folder, integration, table, why, operator = '' }: KeptRows): string {
  const q = quoteLiteral;
  return `kept_now as (insert into rustine.kept (folder, integration, kind, table_name, rows, why, kept_by)
      select ${folder}, ${integration}, 'rows', ${q(table)}, count(*), ${q(why)}, ${q(operator)} from old having count(*) > 0 returning id),
    kept_rows as (insert into rustine.kept_row (kept, row_number, value) select k.id, old.row_number, old.value from kept_now k, old)`;
}
