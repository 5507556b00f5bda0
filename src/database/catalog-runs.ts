// The catalog's step for runs over many folders: who is alive, what each folder of a run came to, which logins are shut, what is prepared.

/** @param logins relation with those that are let in when their run is over */
export const letIn = (logins: string): string => `
-- One round trip, and there for an administrator who has nothing but psql. Waits for nobody: a role that somebody is changing is left, and the others are let in.
create or replace function rustine.let_in(of_run text, of_folders text[], out folder text, out role_name text, out left_shut boolean, out reason text) returns setof record
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '5s' as $$
declare
  login rustine.shut_login;
begin
  -- PostgreSQL refuses the second of two who change the same role at once (see environment/roles).
  begin
    perform pg_advisory_xact_lock(7083121);
  exception when lock_not_available then
    return query select s.folder, s.role_name, true, 'locked'::text from ${logins} s
      where case when of_run is null then not exists (select from rustine.run r where r.id = s.run and r.state = 'running')
        else s.run = of_run and (of_folders is null or s.folder = any (of_folders)) end
      order by s.role_name;
    return;
  end;
  perform set_config('lock_timeout', '200ms', true);
  for login in
    select * from ${logins} s
    where case when of_run is null then not exists (select from rustine.run r where r.id = s.run and r.state = 'running')
      else s.run = of_run and (of_folders is null or s.folder = any (of_folders)) end
      -- What is prepared holds locks on the folders' tables, and is not in them yet.
      and not exists (select from rustine.prepared p where p.run = s.run)
    order by s.role_name
  loop
    folder := login.folder;
    role_name := login.role_name;
    begin
      if login.was_limit <> 0 and exists (select from pg_roles r where r.rolname = login.role_name and r.rolconnlimit = 0) then
        execute format('alter role %I connection limit %s', login.role_name, login.was_limit);
      end if;
      delete from rustine.shut_login s where s.role_name = login.role_name;
      reason := null;
    exception
      when insufficient_privilege then
        reason := 'rights';
      when lock_not_available or internal_error then
        reason := 'locked';
        -- Whoever has one may have hundreds: no more than a moment is waited for each of them.
        perform set_config('lock_timeout', '10ms', true);
    end;
    left_shut := reason is not null;
    return next;
  end loop;
end $$;
`;

/** See decision 011. */
export const RUNS = `
create table rustine.process (
  id text primary key,
  kind text not null check (kind in ('command', 'worker')),
  host text not null,
  boot text not null default '',
  pid integer not null,
  pid_started text not null default '',
  operator text not null default '',
  started_at timestamptz not null default now(),
  alive_until timestamptz not null
);
comment on table rustine.process is 'programs at work: dead when alive_until has passed, or when the machine says that the process is gone';
comment on column rustine.process.pid_started is 'start of the process as the machine tells it, so that a number given again is not mistaken for it';

-- No program of an earlier version is at work while the catalog is brought up to date; one that is sleeps, and says how it ended when it does.
update rustine.run set state = 'interrupted', finished_at = now() where state = 'running';
alter table rustine.run drop constraint run_state_check;
alter table rustine.run add constraint run_state_check
  check (state in ('queued', 'waiting', 'running', 'done', 'partial', 'refused', 'failed', 'interrupted', 'cancelled'));
alter table rustine.run add column process text;
alter table rustine.run add column request jsonb not null default '{}';
alter table rustine.run add column atomic boolean not null default false;
alter table rustine.run add column decision text check (decision in ('commit', 'rollback'));
alter table rustine.run add column decided_by text;
alter table rustine.run add column cancel_requested_at timestamptz;
alter table rustine.run add column cancel_requested_by text;
alter table rustine.run add column cancel_reason text;
create index run_open on rustine.run (started_at) where state in ('queued', 'waiting', 'running');
comment on column rustine.run.process is 'who runs it; null: workers';
comment on column rustine.run.request is 'what was asked for, as the command line has it';
comment on column rustine.run.decision is 'of a run that is all or none: what becomes of its prepared transactions; null: rolled back';

comment on column rustine.run.decided_by is 'on a further server: lease of the program on the environment''s own that decides; null: it is decided here';

create table rustine.run_folder (
  run text not null references rustine.run (id) on delete cascade,
  folder text collate "C" not null,
  wave integer not null,
  state text not null default 'waiting'
    check (state in ('waiting', 'running', 'postponed', 'prepared', 'integrated', 'unchanged', 'failed', 'skipped', 'cancelled', 'interrupted')),
  process text,
  attempts integer not null default 0,
  not_before timestamptz,
  blocker jsonb,
  outcome jsonb,
  started_at timestamptz,
  finished_at timestamptz,
  primary key (run, folder)
);
create index run_folder_folder on rustine.run_folder (folder);
comment on table rustine.run_folder is 'what each folder''s part of a run came to, and who works on it';

comment on column rustine.run_folder.blocker is 'of a folder that was postponed and has not ended: who held the lock that it met';

alter table rustine.work add column process text;
comment on column rustine.work.process is 'lease of who staged it; null: a program of an earlier version';

create function rustine.tell_run() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_notify('rustine_run', json_build_object('run', new.run, 'folder', new.folder, 'state', new.state)::text);
  return null;
end $$;
create trigger run_folder_told after insert or update of state on rustine.run_folder for each row execute function rustine.tell_run();

create view rustine.run_progress as
  select r.id as run, r.mode, r.state as run_state, r.operator, r.host, r.started_at as run_started_at, f.folder, f.wave, f.state, f.attempts, f.not_before,
    f.blocker, f.started_at, f.finished_at, f.outcome
  from rustine.run r join rustine.run_folder f on f.run = r.id;
comment on view rustine.run_progress is 'every folder of every run, with its state: readable, and told by NOTIFY rustine_run';

create table rustine.shut_login (
  role_name text collate "C" primary key,
  folder text collate "C" not null,
  run text not null,
  was_limit integer not null default -1,
  shut_at timestamptz not null default now()
);
comment on table rustine.shut_login is 'logins of folders that are refused while a run is at work (R12); written in the transaction that shuts them';

${letIn('rustine.shut_login')}comment on function rustine.let_in is 'lets logins in again as they were: of a run (of some of its folders), or of all runs that are over where no run is named; may be repeated. What stays shut: the user may not change it (rights), or somebody is changing it (locked)';

create table rustine.prepared (
  gid text primary key,
  run text not null,
  folders text[] not null,
  at timestamptz not null default now()
);
comment on table rustine.prepared is 'transactions that a run which is all or none is going to prepare: written before, so that none is ever forgotten';

revoke all on all tables in schema rustine from public;
revoke all on function rustine.tell_run, rustine.let_in from public;
`;
