// The catalog's part for locked folders: their logins stay shut when the run that shut them is over.

/** See decision 024. */
export const LOCKED = `
create view rustine.shut_by_run as
  select s.* from rustine.shut_login s where not exists (select from rustine.folder f where f.code = s.folder and f.state = 'locked');
comment on view rustine.shut_by_run is 'logins that are let in again when their run is over; those of locked folders stay shut';

create or replace function rustine.let_in(of_run text, of_folders text[], out folder text, out role_name text, out left_shut boolean, out reason text) returns setof record
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '5s' as $$
declare
  login rustine.shut_login;
begin
  -- PostgreSQL refuses the second of two who change the same role at once (see environment/roles).
  begin
    perform pg_advisory_xact_lock(7083121);
  exception when lock_not_available then
    return query select s.folder, s.role_name, true, 'locked'::text from rustine.shut_by_run s
      where case when of_run is null then not exists (select from rustine.run r where r.id = s.run and r.state = 'running')
        else s.run = of_run and (of_folders is null or s.folder = any (of_folders)) end
      order by s.role_name;
    return;
  end;
  perform set_config('lock_timeout', '200ms', true);
  for login in
    select * from rustine.shut_by_run s
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
