// The parts of a statement that remember which rows it wrote and in which order they stood, so that they can be put back (R38).
import { qualified, quoteLiteral } from '../database/sql.ts';

/** Whose rows they are. */
export interface Remembering {
  /** Number of the folder. */
  readonly folder: number;
  /** SQL: number of the integration. */
  readonly integration: string;
  readonly schema: string;
  /** Physical name. */
  readonly table: string;
}

/** Tables up to this size get their order back: the order of larger ones is not worth writing them anew. */
export const MOST_ORDERED_BYTES = 8 * 1024 * 1024;

/** What a row is, in one number. @param row alias of the table */
const digestOf = (row: string): string => `hashtextextended((${row}.*)::text, 0)`;

/** `returning` of a statement that writes rows: `row_number` and `digest`. @param row alias of the table */
export const returningWritten = (row: string, remembers: boolean): string =>
  remembers ? `returning ${row}.rowid as row_number, ${digestOf(row)} as digest` : 'returning 1';

/** Of a statement with the CTEs `i` (rows that it inserted) and `u` (that it updated). */
export const WRITTEN = `select 'inserted' as what, i.* from i union all select 'updated', u.* from u`;

/**
 * A CTE `written`, for rows that were written.
 * @param rows SQL: a query of `what` (inserted or updated), `row_number` and `digest`
 */
export function rememberWritten({ folder, integration, schema, table }: Remembering, rows: string): string {
  return `written as (insert into rustine.written_rows (integration, folder, table_name, what, row_numbers, digests, columns)
      select ${integration}, ${folder}, ${quoteLiteral(table)}, w.what, array_agg(w.row_number), array_agg(w.digest), ${columnsOf(schema, table)}
      from (${rows}) w group by w.what)`;
}

/** The table's columns as its rows are written as text. */
function columnsOf(schema: string, table: string): string {
  return `(select array_agg(a.attname::text order by a.attnum) from pg_attribute a
        where a.attrelid = ${quoteLiteral(qualified(schema, table))}::regclass and a.attnum > 0 and not a.attisdropped)`;
}

/** A CTE `ordered`; where no row of the CTE `old` changes, none changes its place. The first statement of an integration says how they stood. */
export function rememberOrder({ folder, integration, schema, table }: Remembering): string {
  const name = qualified(schema, table);
  return `ordered as (insert into rustine.row_order (integration, folder, table_name, row_numbers)
      select ${integration}, ${folder}, ${quoteLiteral(table)}, array_agg(o.rowid order by o.ctid) from ${name} o
      where exists (select from old) and pg_relation_size(${quoteLiteral(name)}::regclass) <= ${MOST_ORDERED_BYTES} having count(*) > 0
      on conflict (integration, table_name) do nothing)`;
}

/** A CTE `former`: the rows of the CTE `old` as they were, where they are not put aside. */
export function rememberFormer({ folder, integration, table }: Remembering): string {
  return `former as (insert into rustine.former_row (integration, folder, table_name, row_number, value)
      select ${integration}, ${folder}, ${quoteLiteral(table)}, old.row_number, old.value from old on conflict (integration, table_name, row_number) do nothing)`;
}
