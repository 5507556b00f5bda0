// The catalog's part for taking a patch back: what was in the folder before it.
import { SCRIPT_WRITES } from './catalog-script-writes.ts';

/**
 * See decision 021. Rows that a patch updates or replaces are in `kept_row` as before; what people are not asked about (ADOSACT, APATCH, what
 * scripts wrote) is in `former_row`.
 */
export const TAKING_BACK = `
alter table rustine.integration add column not_revertible jsonb;
comment on column rustine.integration.not_revertible is 'why the patch cannot be taken back: a list of {code, facts}; null: nothing speaks against it by itself';

create table rustine.remembered (
  integration bigint primary key,
  folder integer not null references rustine.folder (id) on delete cascade,
  last_value bigint not null,
  is_called boolean not null,
  last_after bigint not null,
  kept bigint[] not null default '{}'
);
comment on table rustine.remembered is 'of each integration that remembers what it found: where the numbers of the folder''s rows stood before and after it, and which entries of kept are its own';

create table rustine.written_rows (
  id bigint generated always as identity primary key,
  integration bigint not null,
  folder integer not null references rustine.folder (id) on delete cascade,
  table_name text collate "C" not null,
  what text not null check (what in ('inserted', 'updated', 'deleted')),
  row_numbers bigint[] not null,
  digests bigint[] not null,
  columns text[] not null,
  time_zone text not null default current_setting('TimeZone')
);
create index written_rows_integration on rustine.written_rows (integration, table_name);
comment on table rustine.written_rows is 'which rows of the folder an integration wrote, a row for each statement; of several of the same row the last says how it left it';
comment on column rustine.written_rows.digests is 'of each row as it was left: hash of its columns as text; none where it was deleted';

create table rustine.former_row (
  integration bigint not null,
  folder integer not null references rustine.folder (id) on delete cascade,
  table_name text collate "C" not null,
  row_number bigint not null,
  value jsonb not null,
  primary key (integration, table_name, row_number)
);
comment on table rustine.former_row is 'rows of the folder as they were before an integration changed them, where they are not put aside in kept_row: ADOSACT, APATCH, what scripts wrote';

create table rustine.former_value (
  integration bigint not null,
  folder integer not null references rustine.folder (id) on delete cascade,
  table_name text collate "C" not null,
  row_number bigint not null,
  value jsonb not null
);
create index former_value_integration on rustine.former_value (integration, table_name);
comment on table rustine.former_value is 'values of columns that an integration dropped or gave another type, where they do not come back from kept_row or from what they became';

create table rustine.row_order (
  integration bigint not null,
  folder integer not null references rustine.folder (id) on delete cascade,
  table_name text collate "C" not null,
  row_numbers bigint[] not null,
  primary key (integration, table_name)
);
comment on table rustine.row_order is 'in which order the rows of a table stood before an integration moved some of them; small tables only';

create table rustine.table_before (
  integration bigint not null,
  folder integer not null references rustine.folder (id) on delete cascade,
  table_name text collate "C" not null,
  before jsonb,
  after jsonb,
  primary key (integration, table_name)
);
comment on table rustine.table_before is 'tables that an integration made, changed or removed, with their shape where it changed them: before is null where it made it, after where it removed it';

-- A table as it can be made again: columns in their order, indexes, constraints, what is said about them. Defaults name no columns: without the table
-- PostgreSQL 15 does not compare the names of all its columns with each other for each of them, which takes a minute with 1,600.
create function rustine.table_shape(relation regclass) returns jsonb language sql stable
set search_path = pg_catalog, pg_temp as $$
  select jsonb_build_object(
    'columns', (select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
        'collation', case when a.attcollation <> t.typcollation then (select format('%I.%I', n.nspname, l.collname) from pg_collation l join pg_namespace n on n.oid = l.collnamespace where l.oid = a.attcollation) end,
        'notNull', a.attnotnull, 'default', case when a.attgenerated = '' then pg_get_expr(d.adbin, 0) end,
        'generated', case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end, 'virtual', nullif(a.attgenerated = 'v', false), 'identity', nullif(a.attidentity::text, ''),
        'storage', case when a.attstorage <> t.typstorage then case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'x' then 'extended' else 'main' end end,
        'compression', case a.attcompression when 'p' then 'pglz' when 'l' then 'lz4' end,
        'statistics', nullif(a.attstattarget, -1), 'options', a.attoptions::text, 'rights', a.attacl::text,
        'comment', col_description(a.attrelid, a.attnum))) order by a.attnum)
      from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = relation and a.attnum > 0 and not a.attisdropped),
    'indexes', coalesce((select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'name', c.relname, 'definition', pg_get_indexdef(i.indexrelid), 'constraint', pg_get_constraintdef(k.oid),
        'clustered', nullif(i.indisclustered, false), 'identity', nullif(i.indisreplident, false),
        'comment', obj_description(i.indexrelid, 'pg_class'), 'constraintComment', obj_description(k.oid, 'pg_constraint'),
        'columns', (select jsonb_agg(a.attname order by a.attnum) from pg_attribute a where a.attrelid = relation and a.attnum > 0 and (a.attnum = any (i.indkey::smallint[]) or exists (
          select from pg_depend p where p.classid = 'pg_class'::regclass and p.objid = i.indexrelid and p.refclassid = 'pg_class'::regclass and p.refobjid = relation and p.refobjsubid = a.attnum))))) order by c.relname)
      from pg_index i join pg_class c on c.oid = i.indexrelid left join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = i.indrelid and k.contype in ('p', 'u', 'x')
      where i.indrelid = relation), '[]'),
    'constraints', coalesce((select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'name', k.conname, 'definition', pg_get_constraintdef(k.oid), 'comment', obj_description(k.oid, 'pg_constraint'),
        'columns', (select jsonb_agg(a.attname order by a.attnum) from pg_attribute a where a.attrelid = relation and a.attnum = any (k.conkey)))) order by k.conname)
      from pg_constraint k where k.conrelid = relation and k.contype in ('c', 'f')), '[]'))
$$;
revoke all on function rustine.table_shape from public;
${SCRIPT_WRITES}`;
