// The catalog's part that watches what SQL scripts write to a folder, so that it can be taken back, or that somebody knows why not.

/**
 * See decision 021. Triggers on the tables that a script can mean write down what it does to rows; the server's own counts say whether that
 * was all of it; the server's catalog says whether it made, changed or dropped objects.
 */
export const SCRIPT_WRITES = `
create table rustine.script_watch (
  integration bigint not null,
  script text collate "C" not null,
  tables oid[] not null,
  writes jsonb not null,
  objects text not null,
  catalog bigint not null,
  further bigint not null,
  comments_gone bigint not null,
  commented oid[] not null,
  last_number bigint not null,
  since bigint not null,
  primary key (integration, script)
);
comment on table rustine.script_watch is 'the SQL script that runs in a transaction: what was there before it; empty otherwise';

create table rustine.not_captured (
  integration bigint not null,
  ordinal bigint generated always as identity,
  reason jsonb not null
);
create index not_captured_integration on rustine.not_captured (integration);
comment on table rustine.not_captured is 'what a script did that nobody wrote down, until the integration itself says so: {code, facts}';

-- Before rows of a small table move: how they stand. After: which rows, as they were and as they are.
create function rustine.keep_written() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  number constant bigint := tg_argv[0];
  of_folder constant integer := tg_argv[1];
  most constant bigint := tg_argv[2];
begin
  if tg_when = 'BEFORE' then
    if pg_relation_size(tg_relid) <= most then
      execute format('insert into rustine.row_order (integration, folder, table_name, row_numbers)
        select $1, $2, $3, array_agg(t.rowid order by t.ctid) from %I.%I t having count(*) > 0 on conflict (integration, table_name) do nothing', tg_table_schema, tg_table_name)
        using number, of_folder, tg_table_name;
    end if;
    return null;
  end if;
  if tg_op <> 'INSERT' then
    -- A row that the same patch brought was not there before.
    insert into rustine.former_row (integration, folder, table_name, row_number, value)
      select number, of_folder, tg_table_name, b.rowid, to_jsonb(b) from before_rows b
      where b.rowid not in (select unnest(w.row_numbers) from rustine.written_rows w where w.integration = number and w.table_name = tg_table_name and w.what = 'inserted')
      on conflict (integration, table_name, row_number) do nothing;
  end if;
  if tg_op = 'DELETE' then
    insert into rustine.written_rows (integration, folder, table_name, what, row_numbers, digests, columns)
      select number, of_folder, tg_table_name, 'deleted', array_agg(b.rowid), '{}', '{}' from before_rows b having count(*) > 0;
  else
    insert into rustine.written_rows (integration, folder, table_name, what, row_numbers, digests, columns)
      select number, of_folder, tg_table_name, lower(tg_op) || case tg_op when 'UPDATE' then 'd' else 'ed' end, array_agg(a.rowid), array_agg(hashtextextended((a.*)::text, 0)),
        (select array_agg(c.attname::text order by c.attnum) from pg_attribute c where c.attrelid = tg_relid and c.attnum > 0 and not c.attisdropped)
      from after_rows a having count(*) > 0;
  end if;
  return null;
end $$;

-- A table that the transaction has written anew is emptied in place: neither counts nor the server's catalog say so.
create function rustine.note_truncate() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
  insert into rustine.not_captured (integration, reason)
    values (tg_argv[0]::bigint, jsonb_build_object('code', tg_argv[1], 'facts', jsonb_build_object('script', tg_argv[2], 'tables', array[format('%s.%s', tg_table_schema, tg_table_name)])));
  return null;
end $$;
-- Tables that the patch has changed.
create function rustine.tables_changed(number bigint, of_schema regnamespace) returns setof regclass language sql stable
set search_path = pg_catalog, pg_temp as $$
  select c.oid::regclass from rustine.table_before b join pg_class c on c.relname = b.table_name and c.relnamespace = of_schema and c.relkind = 'r'
  where b.integration = number and b.before is not null order by 1
$$;

-- How often rows of each table were written, as the server counts: of the folder's tables, and of those that this transaction can have written.
create function rustine.writes_so_far(of_schema regnamespace) returns jsonb language sql volatile
set search_path = pg_catalog, pg_temp as $$
  select coalesce(jsonb_object_agg(w.relation, w.writes) filter (where w.writes > 0), '{}') from (
    select c.oid::bigint::text as relation, pg_stat_get_xact_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid) as writes
    from pg_class c where c.relkind = 'r' and c.relpersistence <> 't' and c.oid in (
        select d.objid from pg_depend d where d.refclassid = 'pg_namespace'::regclass and d.refobjid = of_schema and d.classid = 'pg_class'::regclass
        union select l.relation from pg_locks l where l.locktype = 'relation' and l.pid = pg_backend_pid()
          and l.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))
      and c.relnamespace <> all (array['rustine', 'rustine_kept', 'pg_catalog', 'pg_toast']::regnamespace[])) w
$$;

-- What stands in a schema besides functions.
create function rustine.objects_of(of_schema regnamespace) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  select concat_ws(' ', count(*), sum(d.objid::bigint)) from pg_depend d
  where d.refclassid = 'pg_namespace'::regclass and d.refobjid = of_schema and d.classid <> 'pg_proc'::regclass
$$;

-- How often the server's own catalog was written by this session. Unchanged, nothing was made, changed or dropped: where temporary tables write too, and where they do not.
create function rustine.catalog_writes() returns bigint language sql volatile
set search_path = pg_catalog, pg_temp as $$
  select sum(pg_stat_get_xact_tuples_inserted(c) + pg_stat_get_xact_tuples_updated(c) + pg_stat_get_xact_tuples_deleted(c))::bigint
  from unnest(array['pg_class', 'pg_attribute', 'pg_attrdef', 'pg_constraint', 'pg_trigger', 'pg_type', 'pg_rewrite', 'pg_policy', 'pg_sequence', 'pg_description']::regclass[]) c
$$;
create function rustine.further_catalog_writes() returns bigint language sql volatile
set search_path = pg_catalog, pg_temp as $$
  select (select sum(pg_stat_get_xact_tuples_inserted(c) + pg_stat_get_xact_tuples_updated(c) + pg_stat_get_xact_tuples_deleted(c))
      from unnest(array['pg_enum', 'pg_cast', 'pg_operator', 'pg_opclass', 'pg_opfamily', 'pg_amop', 'pg_amproc', 'pg_collation', 'pg_conversion', 'pg_statistic_ext',
        'pg_ts_config', 'pg_ts_config_map', 'pg_ts_dict', 'pg_default_acl', 'pg_largeobject_metadata']::regclass[]) c)::bigint
    + (select sum(pg_stat_get_xact_tuples_deleted(c)) from unnest(array['pg_trigger', 'pg_rewrite', 'pg_policy']::regclass[]) c)::bigint
$$;

-- Functions of a schema that have a comment: what goes with one that a script drops is remembered with it.
create function rustine.commented_functions(of_schema regnamespace) returns oid[] language sql stable
set search_path = pg_catalog, pg_temp as $$
  select array(select p.oid from pg_proc p where p.pronamespace = of_schema and exists (
    select from pg_description d where d.classoid = 'pg_proc'::regclass and d.objoid = p.oid and d.objsubid = 0))
$$;

-- Tables of the dictionary that a text, or a function that it can call, has as a word: dynamic statements name their tables somewhere too. Never those
-- of a script, whose rows have numbers of their own if any, nor such with types that are not the server's own: to read their rows can run functions of a script, here with the catalog's rights.
create function rustine.tables_meant(of_folder integer, of_schema regnamespace, lookup regnamespace[], source text) returns oid[] language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  texts text[] := array[source];
  seen oid[] := '{}';
  called oid[];
  words text[] := '{}';
begin
  while cardinality(texts) > 0 loop
    -- A dollar is part of a name, or the end of a quote.
    words := array(select unnest(words) union select w from unnest(texts) t, unnest(array['[^[:alnum:]_$]+', '[^[:alnum:]_]+']) p, regexp_split_to_table(lower(t), p) w);
    called := array(select p.oid from pg_proc p where p.pronamespace = any (lookup) and p.prokind <> 'a' and p.oid <> all (seen) and p.proname = any (words));
    seen := seen || called;
    texts := array(select pg_get_functiondef(f) from unnest(called) f);
  end loop;
  if not words && array['insert', 'update', 'delete', 'merge', 'copy'] then return '{}'; end if;
  return array(select c.oid from pg_class c where c.relnamespace = of_schema and c.relkind = 'r' and c.relname = any (words)
    and (c.relname in ('apatch', 'adosact') or exists (select from rustine.element e where e.folder = of_folder and e.type = 'ATB' and e.name = upper(c.relname)))
    and not exists (select from rustine.folder f where f.role_name = pg_get_userbyid(c.relowner))
    and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'rowid' and a.atttypid = 'bigint'::regtype and a.attnotnull and a.atthasdef)
    and not exists (select from pg_attribute a join pg_type t on t.oid = a.atttypid
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and t.typnamespace <> 'pg_catalog'::regnamespace));
end $$;

create function rustine.watch_script(number bigint, of_folder integer, of_schema text, lookup text[], script_name text, script bytea, most bigint, wrote text) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  place constant regnamespace := quote_ident(of_schema)::regnamespace;
  meant constant oid[] := rustine.tables_meant(of_folder, place, array(select quote_ident(l)::regnamespace from unnest(lookup) l), (select rustine.source(bytes) from rustine.blob where digest = script));
  each record;
  last bigint;
begin
  execute format('select last_value - case when is_called then 0 else 1 end from %I.rowid_seq', of_schema) into last;
  for each in select t::regclass as name, e.event, e.rows from unnest(meant) t,
      (values ('insert', 'new table as after_rows'), ('update', 'old table as before_rows new table as after_rows'), ('delete', 'old table as before_rows')) e (event, rows) order by t, e.event loop
    if each.event <> 'insert' then
      execute format('create trigger %I before %s on %s for each statement execute function rustine.keep_written(%L, %L, %L)', 'rustine_before_' || each.event, each.event, each.name, number, of_folder, most);
    end if;
    execute format('create trigger %I after %s on %s referencing %s for each statement execute function rustine.keep_written(%L, %L, %L)', 'rustine_after_' || each.event, each.event, each.name, each.rows, number, of_folder, most);
  end loop;
  for each in select t as name from rustine.tables_changed(number, place) t loop
    execute format('create trigger rustine_before_truncate before truncate on %s for each statement execute function rustine.note_truncate(%L, %L, %L)', each.name, number, wrote, script_name);
  end loop;
  insert into rustine.script_watch (integration, script, tables, writes, objects, catalog, further, comments_gone, commented, last_number, since)
    values (number, script_name, meant, rustine.writes_so_far(place), rustine.objects_of(place), rustine.catalog_writes(), rustine.further_catalog_writes(),
      pg_stat_get_xact_tuples_deleted('pg_description'::regclass), rustine.commented_functions(place), last, coalesce((select max(id) from rustine.written_rows where integration = number), 0));
end $$;

-- Codes: of rows that were written in other ways than the triggers saw, and of objects that were made, changed or dropped.
create function rustine.note_script(number bigint, of_schema text, script_name text, wrote text, made text) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  place constant regnamespace := quote_ident(of_schema)::regnamespace;
  watch rustine.script_watch;
  began xid;
  command bigint;
  each record;
  unknown text[];
begin
  select * into strict watch from rustine.script_watch w where w.integration = number and w.script = script_name;
  select w.xmin, w.cmin::text::bigint into began, command from rustine.script_watch w where w.integration = number and w.script = script_name;
  unknown := array(
    select format('%s.%s', n.nspname, c.relname)
    from jsonb_each_text(rustine.writes_so_far(place)) s join pg_class c on c.oid = s.key::oid join pg_namespace n on n.oid = c.relnamespace
    left join (
      -- A row that comes with a number of its own can have that of another row.
      select w.table_name, sum(cardinality(w.row_numbers)) as rows,
        coalesce(bool_or(w.what = 'inserted' and exists (select from unnest(w.row_numbers) n where n <= watch.last_number)), false) as numbered
      from rustine.written_rows w where w.integration = number and w.id > watch.since group by w.table_name) k
      on k.table_name = c.relname and c.relnamespace = place
    where s.value::bigint - coalesce((watch.writes ->> s.key)::bigint, 0) <> coalesce(k.rows, 0) or k.numbered order by 1);
  if cardinality(unknown) > 0 then
    insert into rustine.not_captured (integration, reason) values (number, jsonb_build_object('code', wrote, 'facts', jsonb_build_object('script', script_name, 'tables', unknown)));
  end if;
  unknown := '{}';
  if rustine.catalog_writes() <> watch.catalog then
    -- Rows of the server's catalog that this transaction wrote since; those of a block with a handler have another number.
    unknown := array(
      select distinct o.name from (
        select c.oid, c.reltype, c.relname::text as name from pg_depend d join pg_class c on c.oid = d.objid
          where d.refclassid = 'pg_namespace'::regclass and d.refobjid = place and d.classid = 'pg_class'::regclass
        union all select null, t.oid, t.typname from pg_type t where t.typnamespace = place and t.typtype in ('d', 'e', 'r')) o
      where exists (select from pg_class c where c.oid = o.oid and age(c.xmin) <= age(began) and c.cmin::text::bigint > command)
        or exists (select from pg_attribute a where a.attrelid = o.oid and age(a.xmin) <= age(began) and a.cmin::text::bigint > command)
        or exists (select from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = o.oid and age(c.xmin) <= age(began) and c.cmin::text::bigint > command)
        or exists (select from pg_constraint k where (k.conrelid = o.oid or k.contypid = o.reltype) and age(k.xmin) <= age(began) and k.cmin::text::bigint > command)
        or exists (select from pg_trigger g where g.tgrelid = o.oid and age(g.xmin) <= age(began) and g.cmin::text::bigint > command)
        or exists (select from pg_rewrite r where r.ev_class = o.oid and age(r.xmin) <= age(began) and r.cmin::text::bigint > command)
        or exists (select from pg_policy p where p.polrelid = o.oid and age(p.xmin) <= age(began) and p.cmin::text::bigint > command)
        or exists (select from pg_sequence s where s.seqrelid = o.oid and age(s.xmin) <= age(began) and s.cmin::text::bigint > command)
        or exists (select from pg_type t where t.oid = o.reltype and age(t.xmin) <= age(began) and t.cmin::text::bigint > command)
        or exists (select from pg_description d where (d.classoid, d.objoid) in (('pg_class'::regclass, o.oid), ('pg_type'::regclass, o.reltype))
          and age(d.xmin) <= age(began) and d.cmin::text::bigint > command)
      order by 1);
  end if;
  if cardinality(unknown) > 0 or rustine.objects_of(place) <> watch.objects or rustine.further_catalog_writes() <> watch.further
    or pg_stat_get_xact_tuples_deleted('pg_description'::regclass) - watch.comments_gone
      > (select count(*) from unnest(watch.commented) f where f <> all (rustine.commented_functions(place))) then
    insert into rustine.not_captured (integration, reason) values (number, jsonb_build_object('code', made, 'facts', jsonb_build_object('script', script_name, 'objects', unknown)));
  end if;
  for each in select t::regclass as name, e.event from unnest(watch.tables) t join pg_class c on c.oid = t, (values ('before_update'), ('before_delete'), ('after_insert'), ('after_update'), ('after_delete')) e (event) loop
    execute format('drop trigger if exists %I on %s', 'rustine_' || each.event, each.name);
  end loop;
  for each in select t as name from rustine.tables_changed(number, place) t loop
    execute format('drop trigger if exists rustine_before_truncate on %s', each.name);
  end loop;
  delete from rustine.script_watch w where w.integration = number and w.script = script_name;
end $$;
revoke all on function rustine.keep_written, rustine.note_truncate, rustine.tables_changed, rustine.writes_so_far, rustine.objects_of, rustine.catalog_writes, rustine.further_catalog_writes, rustine.commented_functions, rustine.tables_meant, rustine.watch_script, rustine.note_script from public;
`;
