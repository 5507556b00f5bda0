// Whether kept values come back as they were in a table as it is now: PostgreSQL rounds, cuts and converts without a word (R27).
import type { Finding } from '../base/finding.ts';
import { qualified, quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import { adapted } from '../tables/kept-value.ts';
import type { InspectedColumn, InspectedTable } from '../tables/model.ts';
import type { Restoring } from './restoring.ts';
import { noted } from './restoring.ts';

const MOST_SAMPLES = 5;

/** Columns that a kept value can be written to: the server itself computes or numbers the others. */
export function writable(table: InspectedTable, names: readonly string[]): readonly InspectedColumn[] {
  const wanted = new Set(names);
  return table.columns.filter((column) => wanted.has(column.name) && column.generated !== true && column.numbered !== true);
}

/**
 * A CTE `kept` of `row_number`, `value` (JSONB, ready for these columns) and `r` (the row as the table's own type: what that cannot read is an
 * error of the database, with the value).
 * @param source SQL: a query of `row_number` and `value`
 */
export function keptRows({ entry }: Restoring, source: string, columns: readonly InspectedColumn[]): string {
  const values = columns.map(({ name, type }) => {
    const literal = quoteLiteral(name);
    return `(${literal}, ${adapted(type, `s.value -> ${literal}`)})`;
  });
  const ready =
    values.length === 0
      ? 's.value'
      : `s.value || coalesce((select jsonb_object_agg(e.name, e.value) from (values ${values.join(', ')}) e (name, value) where e.value is not null), '{}')`;
  return `kept as materialized (
      select k.row_number, k.value, r from (select s.row_number, ${ready} as value from (${source}) s offset 0) k,
        jsonb_populate_record(null::${qualified(entry.schema, entry.table)}, k.value) r)`;
}

/** By number or by what is written, no matter with how many zeros: another value would stand there. */
function differs(name: string): string {
  const [key, now] = [quoteLiteral(name), `to_jsonb((k.r).${quoteIdentifier(name)})`];
  return `(k.value ? ${key} and k.value -> ${key} is distinct from ${now} and k.value ->> ${key} is distinct from (${now} #>> '{}'))`;
}

/** @param cte the CTE `kept`; values of other columns than these do not count */
export async function unfitValues(
  restoring: Restoring,
  table: InspectedTable,
  cte: string,
  columns: readonly InspectedColumn[],
): Promise<readonly Finding[]> {
  if (columns.length === 0) return [];
  const conditions = columns.map(({ name }) => differs(name));
  const key = keyColumns(table).map((name) => `coalesce(k.value ->> ${quoteLiteral(name)}, t.${quoteIdentifier(name)}::text)`);
  const shown = `concat_ws('~', ${key.length === 0 ? "'rowid', k.row_number" : key.join(', ')})`;
  const [result] = await restoring.session.script(`with ${cte}
    select count(*)::integer as count, (array_agg(${shown} order by k.row_number))[1:${MOST_SAMPLES}] as keys,
      array_remove(array[${conditions.map((condition, at) => `case when bool_or(${condition}) then ${quoteLiteral(columns[at]?.name ?? '')} end`).join(', ')}], null) as columns
    from kept k left join ${qualified(restoring.entry.schema, restoring.entry.table)} t on t.rowid = k.row_number where ${conditions.join(' or ')}`);
  const row = result?.rows[0];
  if (row === undefined || Number(row.count) === 0) return [];
  const facts = { columns: row.columns as readonly string[], count: Number(row.count), keys: row.keys as readonly string[] };
  return [noted(restoring.entry, 'kept-values-unfit', 'block', facts)];
}

/** What names a row to people. */
export function keyColumns(table: InspectedTable): readonly string[] {
  const index = table.indexes.filter((each) => each.partial !== true).toSorted((a, b) => Number(b.unique) - Number(a.unique))[0];
  return index?.keys.map(({ column }) => column) ?? [];
}
