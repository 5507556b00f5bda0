// What an integration remembers of a folder's tables, with how they are now.
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { TEXTS_TABLE } from '../environment/kept.ts';
import type { FolderSettings } from '../plan/plan.ts';
import type { TableShape } from '../tables/shape.ts';

export interface RememberedTable {
  /** Physical name. */
  readonly name: string;
  /** `rows`: only its rows changed. */
  readonly change: 'created' | 'altered' | 'removed' | 'rows';
  /** Where the patch changed it. */
  readonly before: TableShape | null;
  readonly after: TableShape | null;
  /** As it is; null: there is none of the name. */
  readonly now: TableShape | null;
  readonly bytes: number;
  /** Triggers of people that fire, with the word that makes them fire like that. */
  readonly triggers: readonly { readonly name: string; readonly enable: string }[];
  /** Other tables' foreign keys point to it. */
  readonly referenced: boolean;
  /** Foreign keys that do something, or refuse at once, when a row that they point to is deleted, also where it is inserted again. */
  readonly heldRows: boolean;
  /** Columns of the rows that it wrote, as they were written down; null: it wrote none. */
  readonly columns: readonly string[] | null;
  /** Time zone in which they were. */
  readonly timeZone: string | null;
}

export interface Remembered {
  readonly last: string;
  readonly called: boolean;
  /** Where the numbers of rows stood after it. */
  readonly lastAfter: string;
  /** What it put aside. */
  readonly kept: readonly number[];
  readonly tables: readonly RememberedTable[];
}

/** @returns undefined for integrations of versions that remembered nothing */
export async function readRemembered(
  session: Session,
  folder: Pick<FolderSettings, 'id' | 'schema'>,
  integration: string,
): Promise<Remembered | undefined> {
  const [row] = await session.query<Omit<Remembered, 'tables'>>(sql`
    select last_value::text as last, is_called as called, last_after::text as "lastAfter",
      coalesce((select json_agg(k) from unnest(kept) k), '[]') as kept
    from rustine.remembered where integration = ${integration}::bigint and folder = ${folder.id}`);
  if (row === undefined) return undefined;
  const tables = await session.query<RememberedTable>(sql`
    with names as (
      select table_name as name from rustine.written_rows where integration = ${integration}::bigint
      union select table_name from rustine.former_row where integration = ${integration}::bigint
      union select table_name from rustine.kept where folder = ${folder.id} and integration = ${integration}::bigint and kind = 'rows' and table_name <> ${TEXTS_TABLE}
      union select table_name from rustine.table_before where integration = ${integration}::bigint)
    select n.name, case when b.integration is null then 'rows' when b.before is null then 'created' when b.after is null then 'removed' else 'altered' end as change,
      case when b.before <> '{}' and b.after is not null then b.before end as before, case when b.after <> '{}' then b.after end as after,
      case when c.oid is not null then rustine.table_shape(c.oid) end as now, coalesce(pg_relation_size(c.oid), 0)::float8 as bytes,
      coalesce((select json_agg(json_build_object('name', g.tgname, 'enable', case g.tgenabled when 'A' then 'enable always' when 'R' then 'enable replica' else 'enable' end) order by g.tgname)
        from pg_trigger g where g.tgrelid = c.oid and not g.tgisinternal and g.tgenabled <> 'D'), '[]') as triggers,
      exists (select from pg_constraint k where k.confrelid = c.oid and k.conrelid <> c.oid and k.contype = 'f') as referenced,
      exists (select from pg_constraint k where k.confrelid = c.oid and k.contype = 'f' and k.confdeltype <> 'a') as "heldRows",
      w.columns, w.time_zone as "timeZone"
    from names n
    left join rustine.table_before b on b.integration = ${integration}::bigint and b.table_name = n.name
    left join pg_class c on c.relnamespace = to_regnamespace(quote_ident(${folder.schema})) and c.relname = n.name and c.relkind = 'r'
    left join lateral (select columns, time_zone from rustine.written_rows w where w.integration = ${integration}::bigint and w.table_name = n.name and w.what <> 'deleted' order by w.id desc limit 1) w on true
    order by n.name`);
  return { ...row, tables };
}

/** SQL: each row that the integration wrote, as it left it: `row_number`, `what`, `digest`. */
export const lastWritten = (integration: string, tableLiteral: string): string => `
  select distinct on (n.row_number) n.row_number, w.what, n.digest
  from rustine.written_rows w, unnest(w.row_numbers, w.digests) as n (row_number, digest)
  where w.integration = ${integration} and w.table_name = ${tableLiteral} order by n.row_number, w.id desc`;

/** SQL: each row that the integration changed or removed, as it was: `row_number`, `value`. What is put aside was there first. */
export const formerRows = (folder: number, integration: string, tableLiteral: string): string => `
  select distinct on (f.row_number) f.row_number, f.value from (
    select 1 as source, r.row_number, r.value from rustine.kept k join rustine.kept_row r on r.kept = k.id
      where k.folder = ${folder} and k.integration = ${integration} and k.kind = 'rows' and k.table_name = ${tableLiteral}
    union all select 2, row_number, value from rustine.former_row where integration = ${integration} and table_name = ${tableLiteral}) f
  order by f.row_number, f.source`;

/** SQL: values of single columns as they were, by row: `row_number`, `value`. */
export const formerValues = (folder: number, integration: string, tableLiteral: string): string => `
  select row_number, jsonb_object_agg(e.key, e.value) as value from (
    select row_number, value from rustine.former_value where integration = ${integration} and table_name = ${tableLiteral}
    union all select r.row_number, r.value from rustine.kept k join rustine.kept_row r on r.kept = k.id
      where k.folder = ${folder} and k.integration = ${integration} and k.kind = 'columns' and k.table_name = ${tableLiteral}) v, jsonb_each(v.value) e
  group by row_number`;
