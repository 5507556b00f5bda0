// The catalog's part for the patch files themselves: what was delivered, kept once for all folders.

/** See decision 019. */
export const DELIVERIES = `
create table rustine.patch (
  digest bytea primary key,
  file text collate "C" not null,
  patch_type text not null,
  series text,
  number integer,
  version text,
  languages text[] not null,
  activity_codes text[] not null,
  comment text not null,
  bytes bigint not null,
  rows bigint not null,
  kept boolean not null default false,
  since timestamptz not null default now()
);
-- Who has integrated a file, and whether anybody has, is asked by its content.
create index integration_digest on rustine.integration (digest);
comment on table rustine.patch is 'patch files that were integrated, by the digest of their content';
comment on column rustine.patch.kept is 'whether the file itself is in patch_chunk';
comment on column rustine.patch.since is 'when a run wanted it last before it was integrated anywhere: what nobody integrates goes after some days';

create table rustine.patch_chunk (
  digest bytea not null references rustine.patch (digest) on delete cascade,
  number integer not null,
  bytes bytea not null,
  primary key (digest, number)
);
alter table rustine.patch_chunk alter column bytes set storage external;
comment on column rustine.patch_chunk.bytes is 'a piece of the gzipped file';

create table rustine.patch_element (
  digest bytea not null references rustine.patch (digest) on delete cascade,
  ordinal integer not null,
  type text collate "C" not null,
  name text collate "C" not null,
  title text not null,
  primary key (digest, ordinal)
);
create index patch_element_name on rustine.patch_element (type, name);
comment on table rustine.patch_element is 'elements of patch files, in the order of the file';
`;
