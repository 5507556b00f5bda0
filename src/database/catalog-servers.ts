// The catalog's part for environments on several servers: which ones there are, and which folders live there.

/** See decision 016. */
export const SERVERS = `
alter table rustine.environment add column member_of uuid;
alter table rustine.environment add column server_name text;
comment on column rustine.environment.member_of is 'this catalog is a further server of that environment; null: it is the environment itself';

alter table rustine.folder add column mirror boolean not null default false;
comment on column rustine.folder.mirror is 'stands for the folder of this code that lives in the environment''s own database: what children on this server inherit';

create table rustine.server (
  number integer generated always as identity primary key,
  name text collate "C" not null unique,
  url text not null,
  added_at timestamptz not null default now(),
  added_by text not null
);
comment on table rustine.server is 'further servers of the environment';
comment on column rustine.server.url is 'without its password';

create table rustine.folder_elsewhere (
  code text collate "C" primary key,
  server integer not null references rustine.server (number),
  parent text collate "C" not null,
  state text not null check (state in ('creating', 'ready', 'dropping')),
  process text,
  created_at timestamptz not null default now()
);
comment on table rustine.folder_elsewhere is 'folders that live on further servers: a code exists once, and a server that is down still has its folders named';
comment on column rustine.folder_elsewhere.process is 'lease of who creates or drops it';

create table rustine.participant (
  run text not null references rustine.run (id),
  server integer not null references rustine.server (number),
  decided_by text not null,
  primary key (run, server)
);
comment on column rustine.participant.decided_by is 'lease of the program that decides: of a worker that took the run up later it is another one';
comment on table rustine.participant is 'further servers on which a run that is all or none may have something prepared: written before, gone once nothing is';

create table rustine.left_elsewhere (
  run text not null,
  server integer not null references rustine.server (number) on delete cascade,
  process text not null,
  tried_at timestamptz,
  primary key (run, server)
);
comment on table rustine.left_elsewhere is 'runs that have a part on a further server: should their program die, somebody has to settle there what it left';
comment on column rustine.left_elsewhere.process is 'lease of the run''s program';
comment on column rustine.left_elsewhere.tried_at is 'when somebody last went there for it';

revoke all on all tables in schema rustine from public;
`;
