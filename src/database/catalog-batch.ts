// The catalog's part for the batch server: tasks per folder, and the patch files of runs that workers carry out.

/** See decision 015. pg-boss has a schema of its own, made when the batch server is used first. */
export const BATCH = `
create table rustine.task (
  id bigint generated always as identity primary key,
  job uuid not null unique default gen_random_uuid(),
  kind text not null check (kind in ('patch', 'validation', 'accounting', 'other')),
  folder text collate "C" not null,
  title text not null default '',
  program text not null default '',
  run text references rustine.run (id) on delete cascade,
  state text not null default 'queued' check (state in ('queued', 'active', 'done', 'failed', 'cancelled')),
  process text,
  host text,
  attempts integer not null default 0,
  created_at timestamptz not null default now(),
  created_by text not null default '',
  started_at timestamptz,
  finished_at timestamptz,
  cancel_requested_at timestamptz,
  exit integer,
  reason text not null default '',
  output text not null default ''
);
create index task_open on rustine.task (folder) where state in ('queued', 'active');
comment on table rustine.task is 'what the batch server has to do, does and did, per folder';
comment on column rustine.task.job is 'the same in the queue of pg-boss, as long as the task is queued or active';
comment on column rustine.task.program is 'key below tasks in rustine.yaml; empty for patches and validations';
comment on column rustine.task.process is 'worker that has it, or had it last';
comment on column rustine.task.host is 'machine of that worker, which is known longer than the worker';
comment on column rustine.task.reason is 'why it failed: exit, signal, timeout, not-started, no-program, worker-lost, or the code of an error';

alter table rustine.process add column patch_jobs integer not null default 1;
comment on column rustine.process.patch_jobs is 'of a worker: folders of queued runs that it takes at the same time; 0 where it takes none';
alter table rustine.run add column workers integer not null default 0;
alter table rustine.run add column whole boolean not null default false;
alter table rustine.run add column elsewhere text[] collate "C" not null default '{}';
comment on column rustine.run.whole is 'of a run in the queue: one worker carries it out whole, and another one goes on where that dies; false: workers share its folders';
comment on column rustine.run.elsewhere is 'its folders on further servers: no other run and no task begins there';
alter table rustine.run add column ready_at timestamptz;
alter table rustine.run_folder add column lost integer not null default 0;
alter table rustine.run_folder add column waited_ms integer not null default 0;
comment on column rustine.run.ready_at is 'of a run that workers carry out: checked, and its folders are free of others; from then on any worker may take them';
comment on column rustine.run_folder.lost is 'how many workers were lost while they were at work on it';
comment on column rustine.run_folder.waited_ms is 'how long it has waited for locks, whichever worker had it';
comment on column rustine.run.workers is 'how many joined the run so far; each numbers its events from its own million';

create table rustine.run_file (
  run text not null references rustine.run (id) on delete cascade,
  file text collate "C" not null,
  position integer not null,
  digest text not null,
  bytes bigint not null,
  primary key (run, file)
);
create table rustine.run_file_chunk (
  run text not null,
  file text collate "C" not null,
  number integer not null,
  bytes bytea not null,
  primary key (run, file, number),
  foreign key (run, file) references rustine.run_file (run, file) on delete cascade
);
alter table rustine.run_file_chunk alter column bytes set storage external;
comment on table rustine.run_file is 'patch files of runs that workers carry out, on whatever machine; removed when the run has ended';

revoke all on rustine.task, rustine.run_file, rustine.run_file_chunk from public;
`;
