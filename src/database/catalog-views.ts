// The part of the catalog behind the typed views of dictionaries: which columns they have, and the functions that read a field's slot.

/**
 * One row per view, not per column: every patch reads the rows of its types in every folder, and forty narrow rows cost nothing.
 * The functions stand between the views and the JSON so that a view's definition stays small (a view of forty columns with the
 * expressions written out takes ten times the room in pg_rewrite, times the views, times the folders), and so that a value that does
 * not fit its column shows as null instead of failing the query. They are single expressions: the server inlines them. Standard
 * bodies are bound when they are made, whatever search path the caller has.
 */
export const DICTIONARY_VIEWS_SCHEMA = `
create table rustine.dictionary_view (
  folder integer not null references rustine.folder (id) on delete cascade,
  name text collate "C" not null,
  columns text[] not null,
  hidden boolean not null default false,
  primary key (folder, name)
);
comment on table rustine.dictionary_view is 'typed views of a folder''s dictionary';
comment on column rustine.dictionary_view.columns is 'FIELD:slot:signs in the order of the view; signs: what was seen in the slot, as bits';
comment on column rustine.dictionary_view.hidden is 'an application table has the name: the columns are kept up to date, the view is not there';

create function rustine.field_slot(fields jsonb, field text, slot integer) returns jsonb language sql immutable parallel safe
return case jsonb_typeof(fields -> field) when 'array' then fields -> field -> slot else case when slot = 0 then fields -> field end end;

create function rustine.other_text(texts jsonb, languages text[]) returns text language sql immutable parallel safe
return coalesce(
  (select texts -> l.language ->> 0 from unnest(languages) with ordinality as l (language, place) where texts ? l.language order by l.place limit 1),
  (select t.entry ->> 0 from jsonb_each(texts) as t (language, entry) order by t.language limit 1));

create function rustine.text_in(texts jsonb, languages text[]) returns text language sql immutable parallel safe
return coalesce(texts -> languages[1] ->> 0, rustine.other_text(texts, languages));

create function rustine.value_text(value jsonb, languages text[]) returns text language sql immutable parallel safe
return case jsonb_typeof(value)
  when 'object' then coalesce(value ->> 'bare', rustine.text_in(coalesce(value -> 'text', value -> 'translation'), languages))
  else value #>> '{}' end;

create function rustine.value_texts(value jsonb) returns jsonb language sql immutable parallel safe
return case jsonb_typeof(value) when 'object' then
  (select jsonb_object_agg(t.language, t.entry -> 0) from jsonb_each(coalesce(value -> 'text', value -> 'translation')) as t (language, entry)) end;

create function rustine.value_number(value jsonb) returns numeric language sql immutable parallel safe
return case jsonb_typeof(value) when 'number' then value::numeric end;

create function rustine.text_number(value text) returns numeric language sql immutable parallel safe
return case when value ~ '^-?[0-9]{1,100}([.][0-9]{1,100})?$' then value::numeric end;

create function rustine.text_date(value text) returns date language sql immutable parallel safe
return case when value ~ '^[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$' and value !~ '^0000' then
  case when to_char(make_date(substr(value, 1, 4)::integer, substr(value, 5, 2)::integer, 1) + (substr(value, 7, 2)::integer - 1), 'MM') = substr(value, 5, 2)
  then make_date(substr(value, 1, 4)::integer, substr(value, 5, 2)::integer, 1) + (substr(value, 7, 2)::integer - 1) end end;

create function rustine.value_date(value jsonb) returns date language sql immutable parallel safe
return rustine.text_date(case jsonb_typeof(value) when 'number' then value #>> '{}' end);

create function rustine.value_time(value jsonb) returns timestamptz language sql immutable parallel safe
return case when jsonb_typeof(value) = 'string' and value #>> '{}' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$' then
  (rustine.text_date(translate(left(value #>> '{}', 10), '-', ''))
    + make_time(substr(value #>> '{}', 12, 2)::integer, substr(value #>> '{}', 15, 2)::integer, substr(value #>> '{}', 18, 2)::integer)) at time zone 'UTC' end;
`;
