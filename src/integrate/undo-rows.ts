// Puts the rows of a table back as they were before an integration (R38), in the shape that it left: what it brought goes, what it changed or removed comes.
import { qualified, quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import type { FolderSettings } from '../plan/plan.ts';
import { parseType } from '../tables/inspect.ts';
import { ROW_COLUMN } from '../tables/model.ts';
import { usualValue } from '../tables/shape.ts';
import { MOST_ORDERED_BYTES } from './remember-rows.ts';
import { formerRows, lastWritten, type RememberedTable } from './remembered.ts';

/** A column whose values can be written. */
interface Written {
  /** Quoted. */
  readonly name: string;
  /** SQL: what it gets, from `f.value`, its record `r`, and the row `t` that stands there (without one: nulls). */
  readonly value: string;
  /** SQL: the same where no row stands there. */
  readonly anew: string;
  /** Nobody can change it in a row that is there (`generated always as identity`). */
  readonly fixed: boolean;
}

/**
 * Of a type that no dictionary has (people's own columns), a value that is the same as JSON stays what it is: its text there is not all that it is
 * (the spaces of `json`, the bounds of an array). A column that somebody added since is in no row of before: what stands in it stays.
 */
const columnsOf = (table: string, { now, columns }: RememberedTable): readonly Written[] =>
  (now?.columns ?? [])
    .filter(({ generated }) => generated === undefined)
    .map((shape) => {
      const { name, type, identity } = shape;
      const column = quoteIdentifier(name);
      const literal = quoteLiteral(name);
      const there = columns?.includes(name) === true;
      const usual =
        identity === undefined
          ? usualValue(shape)
          : `nextval(pg_get_serial_sequence(${quoteLiteral(table)}, ${literal})::regclass)`;
      const anew = there ? `r.${column}` : `case when f.value ? ${literal} then r.${column} else ${usual} end`;
      const same = parseType(type).kind === 'other' ? [`f.value -> ${literal} = to_jsonb(t.${column})`] : [];
      const stays = [...same, ...(there ? [] : [`not f.value ? ${literal}`])];
      const value =
        stays.length === 0
          ? anew
          : `case when t.${ROW_COLUMN} is null then ${anew} when ${stays.join(' or ')} then t.${column} else r.${column} end`;
      return { name: column, value, anew, fixed: identity === 'a' };
    });

const names = (columns: readonly Written[]): string => columns.map(({ name }) => name).join(', ');
const values = (columns: readonly Written[]): string => columns.map(({ value }) => value).join(', ');

/**
 * One statement, so that rows may exchange unique values, and what points to a row finds it again at its end. Where a foreign key does not wait for
 * that, rows are set back in place. Its row: rows that came back (`inserted`), were set back (`updated`), went (`deleted`).
 */
export function undoRows(folder: FolderSettings, integration: string, table: RememberedTable): string {
  const literal = quoteLiteral(table.name);
  const name = qualified(folder.schema, table.name);
  const columns = columnsOf(name, table);
  return `with w as materialized (${lastWritten(integration, literal)}), f as materialized (${formerRows(folder.id, integration, literal)}),
    ${(table.heldRows ? undoneInPlace : undoneAnew)(name, columns)}
    select (select count(*) from f where not exists (select from w where w.row_number = f.row_number and w.what <> 'deleted'))::integer as inserted,
      (select count(*) from w where w.what = 'updated')::integer as updated, (select count(*) from w where w.what = 'inserted')::integer as deleted, (select count(*) from back)::integer as back`;
}

const undoneAnew = (name: string, columns: readonly Written[]): string => `
    gone as (delete from ${name} t where t.${ROW_COLUMN} in (select row_number from w union all select row_number from f) returning t.*),
    back as (insert into ${name} (${names(columns)}) overriding system value
      select ${values(columns)} from f cross join jsonb_populate_record(null::${name}, f.value) r left join gone t on t.${ROW_COLUMN} = f.row_number
      where (select count(*) from gone) >= 0 returning 1)`;

function undoneInPlace(name: string, columns: readonly Written[]): string {
  const set = columns
    .filter((column) => !column.fixed && column.name !== quoteIdentifier(ROW_COLUMN))
    .map((column) => `${column.name} = ${column.value}`);
  return `
    gone as (delete from ${name} t where t.${ROW_COLUMN} in (select row_number from w except select row_number from f) returning 1),
    there as (update ${name} t set ${set.join(', ')} from f, jsonb_populate_record(null::${name}, f.value) r
      where f.row_number = t.${ROW_COLUMN} and (select count(*) from gone) >= 0 returning t.${ROW_COLUMN}),
    back as (insert into ${name} (${names(columns)}) overriding system value
      select ${columns.map(({ anew }) => anew).join(', ')} from f, jsonb_populate_record(null::${name}, f.value) r where f.row_number not in (select ${ROW_COLUMN} from there) returning 1)`;
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
