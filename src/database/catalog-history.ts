// The catalog's part for history folders: which state of its live folder each was brought in line with last, and why it is due again.

/**
 * See decision 025. Settings need no note: a history folder has those of its live folder and nobody sets them, so a difference is seen by
 * comparing the two.
 */
export const HISTORY = `
alter table rustine.folder add column live_chain bytea;
alter table rustine.folder add column live_integration bigint;
comment on column rustine.folder.live_chain is 'of a history folder: chain of its live folder when it was last brought in line with it';
comment on column rustine.folder.live_integration is 'of a history folder: what had been written to its live folder last, then; null: it was never brought in line with it';
-- The latest of what was written to a folder, whatever it has.
create index integration_folder on rustine.integration (folder, id);

create function rustine.due_after_live(f rustine.folder, live rustine.folder) returns text[] language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select coalesce(array_agg('live-folder:' || live.code || what order by n), '{}')
  from (values (1, '', f.live_integration is null or live.chain is distinct from f.live_chain),
    (2, ':setting:parent', f.parent is distinct from live.parent),
    (3, ':setting:languages', f.languages <> live.languages),
    (4, ':setting:legislations', f.legislations <> live.legislations),
    (5, ':setting:modules', f.modules is distinct from live.modules),
    (6, ':setting:activity-codes', f.activity_codes <> live.activity_codes or f.activity_sizes <> live.activity_sizes)) as each (n, what, differs)
  where differs and live.id is not null;
$$;
revoke all on function rustine.due_after_live from public;
comment on function rustine.due_after_live is 'why a history folder is due after its live folder: something was written to that one, or it has other settings';
`;
