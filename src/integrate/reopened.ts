// The statement that opens integrations again which left rows out, once the folder has a table or column that they were for.
import { quoteLiteral } from '../database/sql.ts';
import type { TableChange } from '../tables/diff.ts';

/** @returns no statement where nothing was created; else one whose rows name the files */
export function reopened(changes: readonly TableChange[], folder: number): readonly string[] {
  const tables = changes.flatMap((change) => (change.change === 'create' ? [change.table.name] : []));
  const columns = changes.flatMap((change) =>
    change.change === 'alter'
      ? change.steps.flatMap((step) => (step.step === 'add-column' ? [`${change.table}.${step.column.name}`] : []))
      : [],
  );
  if (tables.length + columns.length === 0) return [];
  const list = (names: readonly string[]): string => `array[${names.map(quoteLiteral).join(', ')}]::text[]`;
  return [
    `update rustine.integration set reopened = true
      where folder = ${folder} and kind = 'patch' and reverted_by is null and left_out <> '{}' and exists (
        select from unnest(left_out) as l (what) where split_part(l.what, '.', 1) = any(${list(tables)}) or l.what = any(${list(columns)}))
      returning file`,
  ];
}
