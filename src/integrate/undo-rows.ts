// Puts the rows of a table back as they were before an integration (R38), in the shape that it left: what it brought goes, what it changed or removed comes.
import { qualified, quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import type { FolderSettings } from '../plan/plan.ts';
import { ROW_COLUMN } from '../tables/model.ts';
import { MOST_ORDERED_BYTES } from './remember-rows.ts';
import { formerRows, lastWritten, type RememberedTable } from './remembered.ts';

/** Columns whose values can be written. */
const writableColumns = ({ now }: RememberedTable): readonly string[] =>
  (now?.columns ?? []).filter(({ generated }) => generated === undefined).map(({ name }) => name);

/**
 * One statement, so that rows may exchange unique values, and what points to a row finds it again at its end. Where a foreign key does not wait for
 * that, rows are set back in place. Its row: rows that came back (`inserted`), were set back (`updated`), went (`deleted`).
 */
export function undoRows(folder: FolderSettings, integration: string, table: RememberedTable): string {
  const literal = quoteLiteral(table.name);
  const columns = writableColumns(table).map(quoteIdentifier);
  return `with w as materialized (${lastWritten(integration, literal)}), f as materialized (${formerRows(folder.id, integration, literal)}),
    ${(table.heldRows ? undoneInPlace : undoneAnew)(qualified(folder.schema, table.name), columns)}
    select (select count(*) from f where not exists (select from w where w.row_number = f.row_number and w.what <> 'deleted'))::integer as inserted,
      (select count(*) from w where w.what = 'updated')::integer as updated, (select count(*) from w where w.what = 'inserted')::integer as deleted, (select count(*) from back)::integer as back`;
}

const undoneAnew = (name: string, columns: readonly string[]): string => `
    gone as (delete from ${name} t where t.${ROW_COLUMN} in (select row_number from w union all select row_number from f) returning 1),
    back as (insert into ${name} (${columns.join(', ')}) overriding system value
      select ${columns.map((column) => `r.${column}`).join(', ')} from f, jsonb_populate_record(null::${name}, f.value) r where (select count(*) from gone) >= 0 returning 1)`;

function undoneInPlace(name: string, columns: readonly string[]): string {
  const set = columns.filter((column) => column !== quoteIdentifier(ROW_COLUMN)).map((column) => `${column} = r.${column}`);
  return `
    gone as (delete from ${name} t where t.${ROW_COLUMN} in (select row_number from w except select row_number from f) returning 1),
    there as (update ${name} t set ${set.join(', ')} from f, jsonb_populate_record(null::${name}, f.value) r
      where f.row_number = t.${ROW_COLUMN} and (select count(*) from gone) >= 0 returning t.${ROW_COLUMN}),
    back as (insert into ${name} (${columns.join(', ')}) overriding system value
      select ${columns.map((column) => `r.${column}`).join(', ')} from f, jsonb_populate_record(null::${name}, f.value) r where f.row_number not in (select ${ROW_COLUMN} from there) returning 1)`;
}

/** How the rows stand where the integration moved none of them: what puts values back moves them. */
export function noteOrder(folder: FolderSettings, integration: string, { name, bytes }: RememberedTable): readonly string[] {
  if (bytes > MOST_ORDERED_BYTES) return [];
  return [
    `insert into rustine.row_order (integration, folder, table_name, row_numbers)
      select ${integration}, ${folder.id}, ${quoteLiteral(name)}, coalesce(array_agg(t.${ROW_COLUMN} order by t.ctid), '{}') from ${qualified(folder.schema, name)} t
      on conflict (integration, table_name) do nothing`,
  ];
}

/** SQL: `n`, the place of each row of before, by `row_number`. */
export const placesOf = (integration: string, table: string): string => `
  select o.row_number, min(o.n) as n from rustine.row_order r, unnest(r.row_numbers) with ordinality as o (row_number, n)
  where r.integration = ${integration} and r.table_name = ${quoteLiteral(table)} group by o.row_number`;

/** SQL: how many rows stand elsewhere than they did. Those that came since stand behind. */
export const misplacedSql = (folder: FolderSettings, integration: string, table: string): string => `
  select count(*)::integer as misplaced from (
    select row_number() over (order by t.ctid) as is, row_number() over (order by o.n nulls last, t.ctid) as was
    from ${qualified(folder.schema, table)} t left join (${placesOf(integration, table)}) o on o.row_number = t.${ROW_COLUMN}) p
  where p.is <> p.was`;
