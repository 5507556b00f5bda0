// The catalog's part that makes a chain of what was written to a folder: a row that was changed or removed afterwards is found.

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

-- What may change later (outcome, reopened, reverted_by) is not in it; what took a patch back is a row of its own.
create function rustine.integration_hash(i rustine.integration, folder text) returns bytea language sql stable
set search_path = pg_catalog, pg_temp as $$
  select sha256(convert_to(jsonb_build_array(folder, i.id, i.kind, i.file, encode(i.digest, 'hex'), i.patch_type, i.series, i.number, i.version,
    extract(epoch from i.at), i.operator, i.run, i.authorized, i.ignored, i.left_out, i.languages, i.forced, i.rows, i.apatch_num, i.apatch, i.reverts,
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
begin
  select code, schema_name, chain into f from rustine.folder where id = new.folder for no key update;
  if new.apatch is null and new.kind in ('patch', 'revert') then
    new.apatch := rustine.apatch_row(f.schema_name, new.file);
  end if;
  new.previous := f.chain;
  new.hash := rustine.integration_hash(new, f.code);
  update rustine.folder set chain = new.hash where id = new.folder;
  return new;
end $$;
revoke all on function rustine.chain_integration from public;
create trigger chain before insert on rustine.integration for each row execute function rustine.chain_integration();

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
    update rustine.folder set chain = last where id = f.id;
  end loop;
end $$;
`;
