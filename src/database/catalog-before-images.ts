// The catalog's part that remembers rows of the catalog as they were before a patch changed them: what taking it back puts back.

/** Tables whose rows are a folder's, and of which a patch may change any. */
const REMEMBERED = [
  'element',
  'record',
  'offer',
  'script',
  'script_function',
  'pending_script',
  'translation',
  'remainder',
  'dictionary_view',
] as const;

/** Statement triggers: they see the rows of whoever writes, and cost nothing for rows that are new. */
const TRIGGERS = REMEMBERED.flatMap((table) =>
  ['update', 'delete'].map(
    (event) => `
create trigger before_${event} after ${event} on rustine.${table} referencing old table as before_rows
  for each statement execute function rustine.keep_before();`,
  ),
).join('');

/** See decision 022. */
export const BEFORE_IMAGES = `
alter table rustine.integration add column before jsonb;
comment on column rustine.integration.before is 'of a patch: {due, added, activityCodes, settings} of the folder as they were, and which reasons of being due it added; null: nothing was remembered, so it cannot be taken back';

create table rustine.before_image (
  integration bigint not null,
  ordinal bigint generated always as identity,
  relation text collate "C" not null,
  value jsonb not null
);
create index before_image_integration on rustine.before_image (integration);
comment on table rustine.before_image is 'rows of the catalog and functions of the folder as they were before an integration; of several of the same row the first counts';
comment on column rustine.before_image.relation is 'table of the catalog; reopened: number of an integration that it opened again; function: one as it was; function after: one as it left it';

-- Whose rows they are stands in the transaction's setting rustine.integration: who writes there need not know.
create function rustine.keep_before() returns trigger language plpgsql as $$
declare
  own constant text := current_setting('rustine.integration', true);
begin
  if own <> '' then
    insert into rustine.before_image (integration, relation, value)
    select own::bigint, tg_table_name, to_jsonb(b) from before_rows b;
  end if;
  return null;
end $$;

create function rustine.keep_reopened() returns trigger language plpgsql as $$
begin
  insert into rustine.before_image (integration, relation, value)
  select i::bigint, 'reopened', jsonb_build_object('id', new.id) from nullif(current_setting('rustine.integration', true), '') i where i is not null;
  return null;
end $$;

create function rustine.forget_before() returns trigger language plpgsql as $$
begin
  delete from rustine.before_image b using gone where b.integration = gone.id;
  return null;
end $$;

create function rustine.folder_settings(f rustine.folder) returns text language sql stable set search_path = pg_catalog, pg_temp as $$
  select md5(jsonb_build_array(f.parent, f.languages, f.legislations, f.modules, f.activity_codes, f.activity_sizes)::text);
$$;

-- What a function is, without its number; rights that were given anew count as those of every new function. An aggregate has no text of its own.
create function rustine.function_digest(function oid) returns text language sql stable set search_path = pg_catalog, pg_temp as $$
  select md5(concat_ws(' ', case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end, p.proowner::regrole,
    (select string_agg(a::text, ' ' order by a::text) from unnest(coalesce(p.proacl, acldefault('f', p.proowner))) a), obj_description(p.oid, 'pg_proc')))
  from pg_proc p where p.oid = function;
$$;
revoke all on function rustine.folder_settings, rustine.function_digest, rustine.keep_before, rustine.keep_reopened, rustine.forget_before from public;
${TRIGGERS}
create trigger keep_reopened after update on rustine.integration for each row when (new.reopened and not old.reopened)
  execute function rustine.keep_reopened();
create trigger forget_before after delete on rustine.integration referencing old table as gone
  for each statement execute function rustine.forget_before();

-- Rows of these two did not say which integration brought them.
alter table rustine.translation add column integration bigint;
alter table rustine.translation alter column integration set default nullif(current_setting('rustine.integration', true), '')::bigint;
alter table rustine.dictionary_view add column integration bigint;
alter table rustine.dictionary_view alter column integration set default nullif(current_setting('rustine.integration', true), '')::bigint;
comment on column rustine.translation.integration is 'the patch that brought the text first; null: no patch, or one of an earlier version';
comment on column rustine.dictionary_view.integration is 'the patch that brought the view; null: the folder''s creation, a person, or an earlier version';
`;
