// The catalog's part for validation: how functions were when the scripts of a folder made them.

/** See decision 023. */
export const VALIDATION = `
alter table rustine.script_function add column definition text;
comment on column rustine.script_function.definition is 'digest of the function as the script made it; null: made by an earlier version of the catalog';

create function rustine.function_definition(routine oid) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  select md5(concat_ws(chr(31), p.prosrc, pg_get_function_sqlbody(p.oid), pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
    array_to_string(p.proconfig, chr(30)), p.provolatile, p.proparallel, p.prosecdef, p.proisstrict, p.prokind, (select lanname from pg_language where oid = p.prolang)))
  from pg_proc p where p.oid = routine;
$$;
revoke all on function rustine.function_definition from public;
`;
