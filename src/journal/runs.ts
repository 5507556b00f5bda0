// Runs and their events in the catalog: begun, noted, finished.
import { hostname } from 'node:os';
import nodeProcess from 'node:process';
import { Failure } from '../base/errors.ts';
import { applicationOf } from '../database/application-name.ts';
import type { Database, Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { type ActiveChange, ENTRY_LOCK } from './folder-entry.ts';
import type { RunEvent } from './journal.ts';
import type { RunMode, RunState } from './outcome.ts';
import type { Task } from './tasks.ts';

export interface NewRun {
  readonly id: string;
  readonly mode: RunMode;
  /** Folder one works from: the trace is kept there (R33). */
  readonly from: string;
  readonly operator: string;
  readonly files: readonly string[];
  readonly authorized: readonly string[];
  readonly forced: Readonly<Record<string, string>>;
  /** What was asked for, as the command line has it. */
  readonly request: Readonly<Record<string, unknown>>;
  /** Its folders in the order in which they come, by wave from 0. */
  readonly waves: readonly (readonly string[])[];
  /** Its folders on further servers. */
  readonly elsewhere?: readonly string[];
  /** Of a run for the queue: one worker carries it out whole. */
  readonly whole?: boolean;
  /** The task that it is; absent: none. */
  readonly task?: number;
}

/** A run that has folders which another one wants. */
export interface ActiveRun {
  readonly run: string;
  /** Only one that is running is at work there; the others come first. */
  readonly state: 'queued' | 'waiting' | 'running';
  readonly mode: RunMode;
  readonly operator: string;
  readonly host: string;
  /** In UTC: `2024-02-29 03:12` */
  readonly since: string;
  readonly files: readonly string[];
  /** Those in common. */
  readonly folders: readonly string[];
}

/** A task of the batch server that is at work. */
export interface ActiveTask extends Pick<Task, 'id' | 'kind' | 'folder' | 'title'> {
  readonly since: string;
  /** Machine of its worker. */
  readonly host: string;
}

/** Who has folders of a run that is to begin: nobody may. */
export interface FolderUsers {
  readonly runs: readonly ActiveRun[];
  /** Tasks of the batch server that are at work there (R12). */
  readonly tasks: readonly ActiveTask[];
  /** Other commands that are changing these folders; only who begins a run finds them. */
  readonly changes: readonly ActiveChange[];
}

// One number for the transaction-scoped lock under which runs take their folders, and workers their tasks.
const RUNS_LOCK = 7_083_115;

/**
 * Until the end of the transaction no run begins and no task is taken: each looks at what the others have.
 * @param lease under which that is done: one that is taken for dead meanwhile does not keep everybody
 */
export async function lockRuns(session: Session, lease?: string): Promise<void> {
  const application = lease === undefined ? null : applicationOf(lease);
  await session.query(
    sql`select set_config('application_name', coalesce(${application}::text, current_setting('application_name')), true), pg_advisory_xact_lock(${RUNS_LOCK})`,
  );
}

/** What becomes of a run that does not get its folders: it is a row all the same, that others see, cancel, and come after. */
export type NotBegun = 'waiting' | 'refused' | 'cancelled';

/**
 * Takes the run's folders, in one transaction: of two that begin at the same moment one has them, and the other is told. Runs that wait come in
 * the order in which they began to wait.
 * @param otherwise what becomes of it where somebody has folders of it
 * @param waits whether it waited already: it stands there
 * @returns who has folders of this one; nobody: it has begun
 * @throws Failure `run-lost` where it was settled while its program slept
 */
export async function beginRun(
  database: Database,
  process: string,
  run: NewRun,
  otherwise: (users: FolderUsers) => NotBegun,
  waits = false,
): Promise<FolderUsers & { readonly state: 'running' | NotBegun }> {
  return database.transaction(async (session) => {
    await lockRuns(session, process);
    const folders = [...run.waves.flat(), ...(run.elsewhere ?? [])];
    const users = await folderUsers(session, folders, run.id, true, run.task);
    const state = isFree(users) ? 'running' : otherwise(users);
    if (!waits || state !== 'waiting') await insertRun(session, process, run, state);
    return { ...users, state };
  });
}

/** Whether nobody else is at work there. */
export function isFree({ runs, tasks, changes }: FolderUsers): boolean {
  return runs.length === 0 && tasks.length === 0 && changes.length === 0;
}

/**
 * One statement: every run asks.
 * @param but the run that asks: those that came to wait after it are none of its concern
 * @param task that the run is itself
 * @param begins whether it takes the folders in this transaction: whoever comes to change one later waits for its end, and finds the run
 */
export async function folderUsers(
  session: Pick<Session, 'query'>,
  folders: readonly string[],
  but = '',
  begins = false,
  task = -1,
): Promise<FolderUsers> {
  const [users] = await session.query<FolderUsers>(sql`
    with given as materialized (select id, code from rustine.folder where ${begins} and code = any(${folders}::text[])),
    entered as materialized (select id, code from given where not pg_try_advisory_xact_lock(${ENTRY_LOCK}, id))
    select coalesce((select json_agg(a order by a.since, a.run) from (
        select r.id as run, r.state, r.mode, r.operator, r.host, to_char(r.started_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as since, r.files, array_agg(f.folder order by f.folder) as folders
        from rustine.run r cross join lateral (select folder from rustine.run_folder where run = r.id union select unnest(r.elsewhere)) f
        where r.state in ('queued', 'waiting', 'running') and f.folder = any(${folders}::text[]) and r.id <> ${but}
          and not (r.state <> 'running' and exists (select from rustine.run own where own.id = ${but} and (own.started_at, own.id) < (r.started_at, r.id)))
        group by r.id) a), '[]') as runs,
      coalesce((select json_agg(json_build_object('id', t.id, 'kind', t.kind, 'folder', t.folder, 'title', t.title, 'since', to_char(t.started_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), 'host', coalesce(t.host, ''))
        order by t.id) from rustine.task t where t.state = 'active' and t.kind <> 'patch' and t.id <> ${task} and t.folder = any(${folders}::text[])), '[]') as tasks,
      coalesce((select json_agg(c order by c.folder) from (
        select distinct on (e.code) e.code as folder, coalesce(a.pid, 0) as pid, coalesce(a.usename::text, '') as role,
          coalesce(a.application_name, '') as application, coalesce(to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), '') as since
        from entered e
        left join pg_locks l on l.locktype = 'advisory' and l.granted and l.classid::bigint = ${ENTRY_LOCK} and l.objid::bigint = e.id and l.objsubid = 2
          and l.database = (select oid from pg_database where datname = current_database())
        left join pg_stat_activity a on a.pid = l.pid
        order by e.code, a.xact_start) c), '[]') as changes`);
  const { runs = [], tasks = [], changes = [] } = users ?? {};
  // A worker's validation is told as the task that it is.
  const validated = new Set(tasks.flatMap(({ kind, folder }) => (kind === 'validation' ? [folder] : [])));
  return { runs, tasks, changes: changes.filter(({ folder }) => !validated.has(folder)) };
}

/** One that waited already goes on to its new state. @param process null: workers carry it out */
export async function insertRun(
  session: Session,
  process: string | null,
  run: NewRun,
  state: 'queued' | 'running' | NotBegun,
): Promise<void> {
  const folders = run.waves.flat();
  const waves = run.waves.flatMap((codes, wave) => codes.map(() => wave));
  const written = await session.query(sql`
    with begun as (
      insert into rustine.run (id, mode, state, from_folder, operator, host, pid, process, files, authorized, forced, request, elsewhere, whole, finished_at)
      values (${run.id}, ${run.mode}, ${state}, ${run.from}, ${run.operator}, ${hostname()}, ${nodeProcess.pid}, ${process}, ${run.files}, ${run.authorized},
        ${JSON.stringify(run.forced)}::jsonb, ${JSON.stringify(run.request)}::jsonb, ${run.elsewhere ?? []}, ${run.whole ?? false}, case when ${state} in ('refused', 'cancelled') then now() end)
      on conflict (id) do update set state = excluded.state, finished_at = excluded.finished_at,
        started_at = case excluded.state when 'running' then clock_timestamp() else run.started_at end
        where run.state = 'waiting' and run.process = excluded.process
      returning id, state),
    folders as (
      insert into rustine.run_folder (run, folder, wave)
      select begun.id, f.folder, f.wave from begun, unnest(${folders}::text[], ${waves}::integer[]) as f (folder, wave) where begun.state not in ('refused', 'cancelled')
      on conflict (run, folder) do nothing)
    select id from begun`);
  if (written.length === 0) throw new Failure('run-lost', { run: run.id, folder: '' });
  if (state === 'refused' || state === 'cancelled')
    await session.query(
      sql`update rustine.run_folder set state = case ${state} when 'cancelled' then ${state} else 'skipped' end, finished_at = now() where run = ${run.id}`,
    );
}

export interface NotedEvent {
  readonly seq: number;
  readonly event: RunEvent;
  /** When it happened, in milliseconds of this process. */
  readonly at: number;
}

/**
 * The server's time when this process' clock stood at zero, in milliseconds. Events are stamped with the server's time, as those of the folders'
 * transactions are; it is asked once, because a statement may wait for a connection, and would stamp what happened before with a later time.
 */
export async function serverEpoch(database: Database): Promise<number> {
  const before = performance.now();
  const [row] = await database.query<{ ms: number }>(sql`select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`);
  return (row?.ms ?? 0) - (before + performance.now()) / 2;
}

/** Events that belong to no folder's transaction, several in one statement. */
export async function noteEvents(database: Database, run: string, events: readonly NotedEvent[], epoch: number): Promise<void> {
  if (events.length === 0) return;
  await database.query(sql`
    insert into rustine.event (run, seq, event, at)
    select ${run}, seq, event, to_timestamp(ms / 1000)
    from unnest(${events.map((e) => e.seq)}::integer[], ${events.map((e) => eventJson(e.event))}::jsonb[], ${events.map((e) => epoch + e.at)}::float8[]) as e (seq, event, ms)
    on conflict (run, seq) do nothing`);
}

/** A text cut in the middle of a character would be no JSON for the database. */
export function eventJson(event: RunEvent): string {
  return JSON.stringify(event, (_key, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value));
}

/**
 * A run that was taken for dead and came to its end after all has ended so; what it did not get to stays as it was settled. One
 * that could not end what it prepared has not ended: the next command settles it. Where all or none was decided to stay, nothing that went wrong later makes it fail.
 * @param process lease that it was begun with: what another one has taken up is not this one's to end
 */
export async function finishRun(database: Database, run: string, state: RunState, process: string): Promise<void> {
  await database.query(sql`
    with left_out as (
      update rustine.run_folder set state = case when state = 'prepared' and (select decision from rustine.run where id = ${run}) = 'commit' then 'integrated'
          when state = 'running' then 'failed' when ${state} = 'cancelled' then 'cancelled' else 'skipped' end,
        process = null, finished_at = now()
      where run = ${run} and state in ('waiting', 'running', 'postponed', 'prepared') and not exists (select from rustine.prepared where run = ${run})
        and exists (select from rustine.run where id = ${run} and process = ${process}))
    update rustine.run set state = case when ${state} <> 'failed' or decision is distinct from 'commit' then ${state}
        when exists (select from rustine.participant where run = ${run}) then 'partial' else 'done' end, finished_at = now()
    where id = ${run} and process = ${process} and state in ('running', 'waiting', 'interrupted') and not exists (select from rustine.prepared where run = ${run})`);
}

/** Adds to the trace of a run that has ended; a living one numbers its events itself. */
export async function appendEvent(database: Database, run: string, event: RunEvent): Promise<void> {
  await database.transaction(async (session) => {
    // A statement of its own: the next one has to see what whoever held the row added.
    const ended = await session.query(sql`select id from rustine.run where id = ${run} and state <> 'running' for update`);
    if (ended.length === 0) return;
    await session.query(sql`
      insert into rustine.event (run, seq, event)
      select ${run}, coalesce(max(seq), 0) + 1, ${eventJson(event)}::jsonb from rustine.event where run = ${run}`);
  });
}
