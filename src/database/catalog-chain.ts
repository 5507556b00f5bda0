// The catalog's part that follows what is written to a folder: a chain in which a change by hand shows, and where the folder stands.

/**
 * See decision 020. A trigger does it, so every writer of rustine.integration is in the chain without knowing it. Of a patch, and of one that
 * was taken back, it reads the row of APATCH itself: who writes both writes APATCH first (or hands `apatch` over).
 */
export const CHAIN = `
alter table rustine.integration add column apatch jsonb;
alter table rustine.integration add column previous bytea;
alter table rustine.integration add column hash bytea;
alter table rustine.folder add column chain bytea;
alter table rustine.folder add column chained_at timestamptz not null default now();
comment on column rustine.integration.apatch is 'the folder''s row of APATCH for this file as this left it; null: it left none';
comment on column rustine.integration.previous is 'hash of what was written to the folder before it';
comment on column rustine.integration.hash is 'SHA-256 of the row, its row of APATCH and the hash before';
comment on column rustine.folder.chain is 'hash of what was written to it last';
comment on column rustine.folder.chained_at is 'since when: what is older was chained then, as it stood';

-- Where a folder stands, kept beside it: with a thousand patches in five hundred folders, nobody waits for it to be counted.
alter table rustine.folder add column level jsonb;
alter table rustine.folder add column patches integer;
alter table rustine.folder add column standard bigint;
comment on column rustine.folder.level is 'series_version → highest number integrated; null: to be counted (rustine.standing)';
comment on column rustine.folder.patches is 'files that it has';
comment on column rustine.folder.standard is 'of its standard patches with their content: folders with the same have the same';
-- What a folder has of a file is the last one.
drop index rustine.integration_folder_file;
create index integration_folder_file on rustine.integration (folder, file, id);
create function rustine.patch_mark(file text, digest bytea) returns bigint language sql immutable
  return hashtextextended(file || ' ' || encode(digest, 'hex'), 0);
create function rustine.standing(of_folder integer, out level jsonb, out patches integer, out standard bigint) language sql stable
set search_path = pg_catalog, pg_temp as $$
  with had as (
    select distinct on (file) file, digest, patch_type from rustine.integrated where folder = of_folder and apatch_num is not null order by file, id desc)
  select (select coalesce(jsonb_object_agg(s, n), '{}') from (
      select series || '_' || version as s, max(number) as n from rustine.integrated
      where folder = of_folder and apatch_num is not null and series is not null group by 1) per_series),
    count(*)::integer, coalesce(bit_xor(rustine.patch_mark(file, digest)) filter (where patch_type = '1'), 0) from had;
$$;
revoke all on function rustine.patch_mark, rustine.standing from public;

-- What may change later (outcome, reopened, reverted_by) is not in it; what took a patch back is a row of its own.
create function rustine.integration_hash(i rustine.integration, folder text) returns bytea language sql stable
set search_path = pg_catalog, pg_temp as $$
  select sha256(convert_to(jsonb_build_array(folder, i.id, i.kind, i.file, encode(i.digest, 'hex'), i.patch_type, i.series, i.number, i.version,
    extract(epoch from i.at), i.operator, i.run, i.authorized, i.ignored, i.left_out, i.languages, i.forced, i.rows, i.apatch_num, i.apatch, i.rows_only, i.reverts,
    encode(i.previous, 'hex'))::text, 'UTF8'));
$$;
revoke all on function rustine.integration_hash from public;

create function rustine.apatch_row(schema_name text, file text) returns jsonb language plpgsql stable
set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  found jsonb;
begin
  if to_regclass(format('%I.apatch', schema_name)) is not null then
    execute format('select to_jsonb(a) from %I.apatch a where a.fic_0 = left($1, 255)', schema_name) into found using file;
  end if;
  return found;
end $$;
revoke all on function rustine.apatch_row from public;

-- The folder's row is locked by who writes to the folder; who does not waits here.
create function rustine.chain_integration() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  f record;
  had record;
  number integer;
begin
  select code, schema_name, chain, level, patches, standard into f from rustine.folder where id = new.folder for no key update;
  if new.apatch is null and new.kind in ('patch', 'revert') then
    new.apatch := rustine.apatch_row(f.schema_name, new.file);
  end if;
  new.previous := f.chain;
  new.hash := rustine.integration_hash(new, f.code);
  if new.kind = 'patch' and new.apatch_num is not null and new.reverted_by is null and f.level is not null then
    select file, digest, patch_type into had from rustine.integrated
      where folder = new.folder and file = new.file and apatch_num is not null order by id desc limit 1;
    f.standard := f.standard # case when had.patch_type = '1' then rustine.patch_mark(had.file, had.digest) else 0 end
      # case when new.patch_type = '1' then rustine.patch_mark(new.file, new.digest) else 0 end;
    f.patches := f.patches + case when had.file is null then 1 else 0 end;
    number := (f.level ->> (new.series || '_' || new.version))::integer;
    if new.series is not null and new.number > coalesce(number, -1) then
      f.level := f.level || jsonb_build_object(new.series || '_' || new.version, new.number);
    end if;
  end if;
  update rustine.folder set chain = new.hash, level = f.level, patches = f.patches, standard = f.standard where id = new.folder;
  return new;
end $$;
revoke all on function rustine.chain_integration from public;
create trigger chain before insert on rustine.integration for each row execute function rustine.chain_integration();

create function rustine.follow_integration() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'DELETE' then
    update rustine.folder set level = null where id = old.folder and level is not null;
  else
    update rustine.folder f set (level, patches, standard) = (select s.level, s.patches, s.standard from rustine.standing(f.id) s) where id = new.folder;
  end if;
  return null;
end $$;
revoke all on function rustine.follow_integration from public;
create trigger follow after delete or update of kind, reverted_by, apatch_num, file, digest, patch_type, series, version, number on rustine.integration
  for each row execute function rustine.follow_integration();

-- A new folder has none.
alter table rustine.folder alter column level set default '{}', alter column patches set default 0, alter column standard set default 0;

-- What functions of scripts were when a script made them: deparsed text may differ between versions of the server.
alter table rustine.script_function add column mark text;
alter table rustine.script_function add column marked_on integer;
comment on column rustine.script_function.mark is 'digest of the function as the script left it; null: not known';
comment on column rustine.script_function.marked_on is 'major version of the server that made the digest';
create function rustine.function_mark(function oid) returns text language sql stable set search_path = pg_catalog, pg_temp as $$
  select md5(concat_ws(' ', case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end, p.proowner::regrole)) from pg_proc p where p.oid = function;
$$;
-- Who may run it besides its owner, quoted as GRANT takes it.
alter table rustine.script_function add column runners text[];
comment on column rustine.script_function.runners is 'who may run the function as the script left it, besides its owner: roles and public; null: not known';
alter table rustine.script_function add column found_runners text[];
comment on column rustine.script_function.found_runners is 'while scripts run in this transaction: who could run the function before them, where that was not as noted';
create function rustine.function_runners(function oid) returns text[] language sql stable set search_path = pg_catalog, pg_temp as $$
  select array(select case a.grantee when 0 then 'public' else a.grantee::regrole::text end
    from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee <> p.proowner order by 1)
  from pg_proc p where p.oid = function;
$$;
revoke all on function rustine.function_mark, rustine.function_runners from public;
update rustine.script_function s set mark = rustine.function_mark(to_regprocedure(format('%I.%s', f.schema_name, s.function))),
  marked_on = current_setting('server_version_num')::integer / 10000,
  runners = rustine.function_runners(to_regprocedure(format('%I.%s', f.schema_name, s.function)))
from rustine.folder f where f.id = s.folder;

-- What an earlier version integrated of patches whose dictionary had come with the folder.
update rustine.integration i set rows_only = true where kind = 'patch' and apatch_num is not null and exists (
  select from (select apatch_num, ignored from rustine.integration o
    where o.folder = i.folder and o.file = i.file and o.digest = i.digest and o.id < i.id order by o.id desc limit 1) o
  where o.apatch_num is null and not o.ignored && i.authorized);

-- What was written by an earlier version: of a file that came several times, APATCH has the row of the last one.
do $$
declare
  f record;
  i rustine.integration;
  last bytea;
begin
  for f in select id, code, schema_name from rustine.folder loop
    last := null;
    for i in select * from rustine.integration where folder = f.id order by id loop
      i.previous := last;
      if i.kind = 'patch' and i.apatch_num is not null then
        i.apatch := rustine.apatch_row(f.schema_name, i.file);
      end if;
      i.hash := rustine.integration_hash(i, f.code);
      update rustine.integration set previous = i.previous, apatch = i.apatch, hash = i.hash where id = i.id;
      last := i.hash;
    end loop;
    update rustine.folder set chain = last, (level, patches, standard) = (select s.level, s.patches, s.standard from rustine.standing(f.id) s) where id = f.id;
  end loop;
end $$;
`;
