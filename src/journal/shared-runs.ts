// A run that workers carry out, as rows: begun by one of them, its folders claimed by any, ended by whoever finds nothing left.
import { applicationOf } from '../database/application-name.ts';
import type { Database, Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { RunEvent } from './journal.ts';
import type { FolderOutcome, RunMode, RunState } from './outcome.ts';
import type { FolderChange } from './run-folders.ts';
import { eventJson, type FolderUsers, folderUsers, isFree, lockRuns } from './runs.ts';
import type { Seen } from './seen.ts';

export interface SharedRunRow {
  readonly id: string;
  readonly mode: RunMode;
  readonly state: RunState | 'queued' | 'waiting' | 'running' | 'interrupted';
  readonly from: string;
  readonly operator: string;
  readonly authorized: readonly string[];
  readonly forced: Readonly<Record<string, string>>;
  /** What was asked for. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly folders: readonly string[];
  readonly files: readonly string[];
  readonly cancelBy: string | null;
  /** Any worker may take its folders. */
  readonly ready: boolean;
  /** One worker carries it out whole. */
  readonly whole: boolean;
  /** Its folders on further servers. */
  readonly elsewhere: readonly string[];
}

/** Each who joins a run numbers its events from here on, and the next one from twice that: in the trace they are in order by their time. */
export const NUMBERS_OF_A_WORKER = 1_000_000;
const OPEN = ['waiting', 'running', 'postponed', 'prepared'] as const;

type Reader = Pick<Session, 'query'>;

export async function readSharedRun(reader: Reader, run: string): Promise<SharedRunRow | undefined> {
  const [row] = await reader.query<SharedRunRow>(sql`
    select id, mode, state, ready_at is not null as ready, whole, elsewhere, from_folder as "from", operator, authorized, forced, request, files, case when cancel_requested_at is not null then coalesce(cancel_requested_by, '') end as "cancelBy",
      array(select folder from rustine.run_folder where run = r.id order by wave, folder) as folders
    from rustine.run r where id = ${run}`);
  return row;
}

/** Runs at work whose folders any worker may take, the oldest first. */
export async function openSharedRuns(reader: Reader): Promise<readonly string[]> {
  const rows = await reader.query<{ id: string }>(sql`
    select id from rustine.run where state = 'running' and process is null and ready_at is not null order by started_at`);
  return rows.map(({ id }) => id);
}

/** @returns where this worker's numbers of events begin */
export async function joinRun(database: Database, run: string): Promise<number> {
  const [row] = await database.query<{ workers: number }>(sql`
    update rustine.run set workers = workers + 1 where id = ${run} returning workers`);
  return (row?.workers ?? 0) * NUMBERS_OF_A_WORKER;
}

/** The folders of a run that was written down without any. */
export async function addRunFolders(session: Session, run: string, waves: readonly (readonly string[])[]): Promise<void> {
  await session.query(sql`
    insert into rustine.run_folder (run, folder, wave)
    select ${run}, f.folder, f.wave from unnest(${waves.flat()}::text[], ${waves.flatMap((codes, wave) => codes.map(() => wave))}::integer[]) as f (folder, wave)`);
}

/** Codes of the folders, wave by wave, as the run was queued. */
export async function readWaves(reader: Reader, run: string): Promise<readonly (readonly string[])[]> {
  const rows = await reader.query<{ folders: readonly string[] }>(sql`
    select array_agg(folder order by folder) as folders from rustine.run_folder where run = ${run} group by wave order by wave`);
  return rows.map(({ folders }) => folders);
}

/** Who else is at work in the folders of a queued run, or changes them: as it is looked at when it begins. */
export async function usersOfRun(database: Database, { id, folders }: SharedRunRow, lease: string): Promise<FolderUsers> {
  return database.transaction(async (session) => {
    await lockRuns(session, lease);
    return folderUsers(session, folders, id, true);
  });
}

/**
 * From queued to running, with the events that begin its trace, unless somebody has its folders.
 * @returns who has; nobody: it runs now
 */
export async function beginSharedRun(
  database: Database,
  { id, folders }: SharedRunRow,
  events: readonly { readonly seq: number; readonly event: RunEvent }[],
  lease: string,
): Promise<FolderUsers> {
  return database.transaction(async (session) => {
    await lockRuns(session, lease);
    const users = await folderUsers(session, folders, id, true);
    if (!isFree(users)) return users;
    await session.query(sql`
      with begun as (update rustine.run set state = 'running', started_at = clock_timestamp() where id = ${id} and state = 'queued' returning id)
      insert into rustine.event (run, seq, event) select begun.id, e.seq, e.event
      from begun, unnest(${events.map(({ seq }) => seq)}::integer[], ${events.map(({ event }) => eventJson(event))}::jsonb[]) as e (seq, event)`);
    return users;
  });
}

/** From here on any worker may take its folders. @param lease of the worker that sees to its beginning, no other one's */
export async function openToWorkers(reader: Reader, run: string, lease: string): Promise<void> {
  await reader.query(sql`
    update rustine.run r set ready_at = clock_timestamp() where id = ${run} and state = 'running' and ready_at is null
      and exists (select from rustine.task t where t.run = r.id and t.state = 'active' and t.process = ${lease})`);
}

export interface FolderClaim {
  readonly folder: string;
  readonly wave: number;
  /** This one counted. */
  readonly attempts: number;
  /** Workers that were lost at it. */
  readonly lost: number;
  /** Its worker was lost just now. */
  readonly takenOver: boolean;
  /** Milliseconds that it has waited for locks so far, whichever worker had it. */
  readonly waitedMs: number;
  /** The first of its wave. */
  readonly opens: boolean;
}

export type Claimed =
  | { readonly kind: 'folder'; readonly claim: FolderClaim }
  /** Others are at work, or a folder waits until its time comes. */
  | { readonly kind: 'wait' }
  /** Nothing is left: it has to be ended. */
  | { readonly kind: 'all-done' }
  | { readonly kind: 'ended' };

/**
 * The next folder of the lowest wave that is not through, also of a worker whose lease is gone; claims of one run come one after the other.
 * A folder in which that worker's last transaction is still open waits: nobody else could do anything there.
 * @param together codes of folders of which one at a time is worked on: the transaction of each has what they share to itself
 */
export async function claimFolder(
  database: Database,
  run: string,
  lease: string,
  together: readonly (readonly string[])[] = [],
): Promise<Claimed> {
  return database.transaction(async (session) => {
    // Not the strong lock: transactions of folders hold the key. Whoever is taken for dead in here does not keep the others from theirs.
    const [row] = await session.query<{ running: boolean; left: string; alive: boolean }>(sql`
      with locked as (select id, state, ready_at from rustine.run where id = ${run} for no key update)
      select locked.state = 'running' and locked.ready_at is not null as running, (select count(*) from rustine.run_folder where run = ${run} and state = any(${OPEN})) as left,
        exists (select from rustine.process where id = ${lease}) as alive, set_config('application_name', ${applicationOf(lease)}, true) from locked`);
    if (row === undefined || !row.running) return { kind: 'ended' };
    if (Number(row.left) === 0) return { kind: 'all-done' };
    // Who was taken for dead claims nothing: others could not tell it from what was taken from it.
    if (!row.alive) return { kind: 'wait' };
    const [claim] = await session.query<FolderClaim>(sql`
      with together as (select * from unnest(${together.flat()}::text[], ${together.flatMap((codes, at) => codes.map(() => at))}::integer[]) as t (folder, at)),
      wave as (select min(wave) as wave from rustine.run_folder where run = ${run} and state = any(${OPEN})),
      next as (
        select f.folder, f.state from rustine.run_folder f
        where f.run = ${run} and f.wave = (select wave from wave) and (
          (f.state = 'waiting' or f.state = 'postponed' and (f.not_before is null or f.not_before <= clock_timestamp()))
            and not exists (select from together own join together other on other.at = own.at join rustine.run_folder o on o.run = f.run and o.folder = other.folder
              where own.folder = f.folder and o.state = 'running')
          or f.state = 'running' and not exists (select from rustine.process p where p.id = f.process))
        order by f.attempts, f.folder limit 1 for no key update of f skip locked)
      update rustine.run_folder f set state = 'running', process = ${lease}, attempts = f.attempts + 1, not_before = null, lost = f.lost + (next.state = 'running')::integer,
        started_at = coalesce(f.started_at, clock_timestamp())
      from next where f.run = ${run} and f.folder = next.folder
      returning f.folder, f.wave, f.attempts, f.lost, next.state = 'running' as "takenOver", f.waited_ms as "waitedMs",
        not exists (select from rustine.run_folder o where o.run = f.run and o.wave = f.wave and o.attempts > 0) as opens`);
    return claim === undefined ? { kind: 'wait' } : { kind: 'folder', claim };
  });
}

/** What the folder came to, or that it comes again. @returns false where it is another worker's by now */
export async function settleFolder(database: Database, run: string, lease: string, change: FolderChange): Promise<boolean> {
  const { folder, state, pauseMs = null, waitedMs = null, blocker = null, outcome } = change;
  const json = (value: unknown): string | null => (value === undefined || value === null ? null : JSON.stringify(value));
  const rows = await database.query(sql`
    update rustine.run_folder set state = ${state}, process = null, not_before = clock_timestamp() + ${pauseMs}::float8 * interval '1 millisecond',
      waited_ms = coalesce(${waitedMs}::integer, waited_ms), blocker = ${json(blocker)}::jsonb, outcome = coalesce(${json(outcome)}::jsonb, outcome),
      finished_at = case when ${state} in ('waiting', 'postponed') then null else clock_timestamp() end
    where run = ${run} and folder = ${folder} and state = 'running' and process = ${lease} returning folder`);
  return rows.length === 1;
}

export interface LeftFolder {
  readonly folder: string;
  /** It may have got patches before it was postponed or given back. */
  readonly begun: boolean;
}

/**
 * Folders that nobody is at.
 * @returns undefined where the run goes on: it was not cancelled, and no folder has failed where that stops it
 */
export async function foldersToLeaveOut(
  reader: Reader,
  run: string,
  { cancelled, onFailure }: { readonly cancelled: boolean; readonly onFailure: boolean },
): Promise<readonly LeftFolder[] | undefined> {
  const stops = cancelled || (onFailure && (await anyFailed(reader, run)));
  if (!stops) return undefined;
  return reader.query<LeftFolder>(sql`
    select folder, attempts > 0 as begun from rustine.run_folder where run = ${run} and state in ('waiting', 'postponed') order by wave, folder`);
}

export async function anyFailed(reader: Reader, run: string): Promise<boolean> {
  const [row] = await reader.query<{ failed: boolean }>(sql`
    select exists (select from rustine.run_folder where run = ${run} and state = 'failed') as failed`);
  return row?.failed === true;
}

export interface LeaveOut {
  readonly outcome: FolderOutcome;
  /** Number of the event that tells it. */
  readonly seq: number;
}

/**
 * Folders that nobody has begun, or goes on with, are left out: the run was cancelled, or stops at its first failure. They are told in the same statement: once
 * nothing is left, anybody ends the run.
 * @returns those that nobody else left out
 */
export async function leaveOut(database: Database, run: string, folders: readonly LeaveOut[]): Promise<readonly string[]> {
  const outcomes = folders.map(({ outcome }) => outcome);
  const events = outcomes.map(({ folder, state }): RunEvent => ({ kind: 'folder-finished', folder, state }));
  const rows = await database.query<{ folder: string }>(sql`
    with given as (
      select * from unnest(${outcomes.map(({ folder }) => folder)}::text[], ${outcomes.map(({ state }) => state)}::text[], ${outcomes.map((each) => JSON.stringify(each))}::jsonb[],
        ${folders.map(({ seq }) => seq)}::integer[], ${events.map(eventJson)}::jsonb[]) as o (folder, state, outcome, seq, event)),
    out as (
      update rustine.run_folder f set state = o.state, outcome = o.outcome, finished_at = clock_timestamp()
      from given o where f.run = ${run} and f.folder = o.folder and f.state in ('waiting', 'postponed') returning f.folder),
    told as (insert into rustine.event (run, seq, event) select ${run}, seq, event from given where folder in (select folder from out))
    select folder from out`);
  return rows.map(({ folder }) => folder);
}

export interface FolderRow {
  readonly folder: string;
  readonly wave: number;
  readonly state: string;
  readonly outcome: FolderOutcome | null;
}

export async function readRunFolders(reader: Reader, run: string): Promise<readonly FolderRow[]> {
  return reader.query<FolderRow>(sql`
    select folder, wave, state, outcome from rustine.run_folder where run = ${run} order by wave, folder`);
}

/** What these folders came to; those that have not ended are not among them. */
export async function readOutcomes(
  reader: Reader,
  run: string,
  folders: readonly string[],
): Promise<ReadonlyMap<string, FolderOutcome>> {
  const rows = await reader.query<{ folder: string; outcome: FolderOutcome }>(sql`
    select folder, outcome from rustine.run_folder where run = ${run} and folder = any(${folders}::text[]) and outcome is not null`);
  return new Map(rows.map(({ folder, outcome }) => [folder, outcome]));
}

/** Events that were not seen yet: each worker numbers its own, and those of a long transaction come late. */
export async function readFurtherEvents(
  reader: Reader,
  run: string,
  seen: Seen,
): Promise<readonly { readonly seq: number; readonly event: RunEvent }[]> {
  return reader.query(sql`
    select e.seq, e.event from rustine.event e
    where e.run = ${run} and not e.seq <@ ${seen.ranges()}::int4multirange order by e.at, e.seq`);
}
