// Ends a run that workers carry out: what is left of its folders, its last events, its state, its task and its files, in one transaction.
import type { Finding } from '../base/finding.ts';
import type { Database, Session } from '../database/database.ts';
import { sqlState } from '../database/postgres.ts';
import { sql } from '../database/sql.ts';
import { type FolderProgress, readProgress } from './folder-progress.ts';
import type { RunEvent } from './journal.ts';
import { emptyOutcome, type FolderOutcome, type FolderRunState, type RunState } from './outcome.ts';
import { removeRunFiles } from './run-files.ts';
import { eventJson } from './runs.ts';
import { runUnsettled, type SettledRuns } from './settling.ts';
import { NUMBERS_OF_A_WORKER } from './shared-runs.ts';

/** Whoever ends a run tries again: nobody waits behind the transaction of a program that sleeps or was cut off. */
const END_TIMEOUT_MS = 2_000;
const LOCK_NOT_AVAILABLE = '55P03';

interface RunEnd {
  readonly state: RunState;
  /** States that it may be in. */
  readonly from: readonly ('queued' | 'running')[];
  /** Why it ends before its time. */
  readonly events?: readonly RunEvent[];
  /** Lease of the worker that sees to its beginning; once others have the run it is not this one's to end. */
  readonly beginner?: string;
}

/**
 * Ends the run, once.
 * @returns false where somebody else has ended it, or a transaction of one of its folders is open
 */
export async function endSharedRun(
  database: Database,
  run: string,
  state: RunState,
  how: Partial<Omit<RunEnd, 'state'>> = {},
): Promise<boolean> {
  return soon(database, (session) => endRun(session, run, { from: ['running'], ...how, state }));
}

/**
 * Ends a run that somebody cancelled, where no living worker is at it; else that one does.
 * @returns whether it has ended
 */
export async function endCancelledRun(database: Database, run: string): Promise<boolean> {
  return soon(database, async (session) => {
    // Looked at first without the strong lock, which would wait for those who are at work, and they behind it.
    const [now] = await session.query<{ running: boolean }>(
      sql`select state = 'running' as running from rustine.run where id = ${run}`,
    );
    if (now?.running === true && (await isAttended(session, run))) return false;
    const [asked] = await session.query<{ by: string; queued: boolean; told: boolean }>(sql`
      select coalesce(cancel_requested_by, '') as by, state = 'queued' as queued,
        exists (select from rustine.event e where e.run = r.id and e.event ->> 'kind' = 'run-cancelled') as told from rustine.run r
      where id = ${run} and process is null and state in ('queued', 'running') and cancel_requested_at is not null for update`);
    if (asked === undefined || (!asked.queued && (await isAttended(session, run)))) return false;
    const events: RunEvent[] = asked.told ? [] : [{ kind: 'run-cancelled', run, by: asked.by, hard: false }];
    return endRun(session, run, { state: 'cancelled', from: ['queued', 'running'], events });
  });
}

/** Runs that somebody cancelled and that no worker was left to end; `left`: those of which a lost one's transaction is still open. */
export async function endCancelledRuns(database: Database): Promise<SettledRuns> {
  const asked = await database.query<{ id: string }>(sql`
    select id from rustine.run where state in ('queued', 'running') and process is null and cancel_requested_at is not null order by started_at`);
  const settled: string[] = [];
  const left: Finding[] = [];
  for (const { id } of asked) {
    if (await endCancelledRun(database, id)) settled.push(id);
    else if (!(await database.transaction((session) => isAttended(session, id)))) left.push(await runUnsettled(database, id));
  }
  return { settled, left };
}

/**
 * Ends a run that cannot go on, unless a living worker is at it.
 * @param but the worker that says so
 */
export async function giveUpRun(session: Session, run: string, why: Finding, but = ''): Promise<boolean> {
  // Looked at first without the strong lock, which would wait for those who are at work.
  if (await isAttended(session, run, but)) return false;
  await session.script(`set local lock_timeout = ${END_TIMEOUT_MS}`);
  // One that has a process is that one's to end, or of whoever settles it.
  const shared = await session.query(sql`select id from rustine.run where id = ${run} and process is null for update`);
  if (shared.length === 0 || (await isAttended(session, run, but))) return false;
  return endRun(session, run, { state: 'failed', from: ['queued', 'running'], events: [{ kind: 'finding', finding: why }] });
}

/** Whether a living worker is in one of its folders, or sees to its beginning. Who holds the run's row keeps others from it. */
async function isAttended(session: Session, run: string, but = ''): Promise<boolean> {
  const [row] = await session.query<{ attended: boolean }>(sql`
    select exists (select from rustine.process p where p.id <> ${but} and (
      exists (select from rustine.run_folder f where f.run = ${run} and f.state = 'running' and f.process = p.id)
      or exists (select from rustine.task t where t.run = ${run} and t.state = 'active' and t.process = p.id))) as attended`);
  return row?.attended === true;
}

/** @returns false also where the lock was not to be had */
async function soon(database: Database, work: (session: Session) => Promise<boolean>): Promise<boolean> {
  try {
    return await database.transaction(async (session) => {
      await session.script(`set local lock_timeout = ${END_TIMEOUT_MS}`);
      return work(session);
    });
  } catch (error) {
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
    return false;
  }
}

async function endRun(session: Session, run: string, { state, from, events = [], beginner }: RunEnd): Promise<boolean> {
  // The strong lock: what is still at work in a folder ends before.
  const [row] = await session.query<{ ms: number; files: readonly string[]; workers: number }>(sql`
    select (extract(epoch from clock_timestamp() - started_at) * 1000)::float8 as ms, files, workers from rustine.run
    where id = ${run} and state = any(${from}::text[]) and (${beginner ?? null}::text is null or ready_at is null
      and exists (select from rustine.task t where t.run = ${run} and t.state = 'active' and t.process = ${beginner ?? null})) for update`);
  if (row === undefined) return false;
  const left = await endFolders(session, run, state, row.files);
  const all: readonly RunEvent[] = [...events, ...left, { kind: 'run-finished', run, state, ms: Math.round(row.ms) }];
  // Numbers that no worker has: one may not have written its last events yet.
  const workers = row.workers + 1;
  await session.query(sql`
    with ended as (update rustine.run set state = ${state}, finished_at = clock_timestamp(), workers = ${workers} where id = ${run}),
    -- Its place in the queue goes when a worker comes to it.
    task as (update rustine.task set state = ${state === 'cancelled' ? state : 'done'}, finished_at = clock_timestamp() where run = ${run} and state = 'queued')
    insert into rustine.event (run, seq, event)
    select ${run}, ${workers * NUMBERS_OF_A_WORKER}::integer + e.at, e.event
    from unnest(${all.map(eventJson)}::jsonb[]) with ordinality as e (event, at)`);
  await removeRunFiles(session, run);
  return true;
}

interface LeftFolder {
  readonly folder: string;
  /** Its worker was lost. */
  readonly running: boolean;
  /** Of one that was begun: files that it had before. */
  readonly had: readonly string[];
}

/** A run that has ended has no folder that has not; what one got is in it, and told. */
async function endFolders(
  session: Session,
  run: string,
  state: RunState,
  files: readonly string[],
): Promise<readonly RunEvent[]> {
  const left = await session.query<LeftFolder>(sql`
    select f.folder, f.state = 'running' as running, array(
      select rf.file from rustine.run_file rf join rustine.integrated i on i.file = rf.file and encode(i.digest, 'hex') = rf.digest and i.run is distinct from ${run} and i.apatch_num is not null
        join rustine.folder g on g.id = i.folder where rf.run = ${run} and g.code = f.folder and f.attempts > 0) as had
    from rustine.run_folder f where f.run = ${run} and f.state in ('waiting', 'running', 'postponed') order by f.wave, f.folder`);
  if (left.length === 0) return [];
  const progress = await readProgress(
    session,
    run,
    left.map(({ folder }) => folder),
  );
  const outcomes = left.map((each) => leftOutcome(each, progress.get(each.folder), state, files));
  // Refused as a whole: nobody was to get anything, and no folder is told of.
  const told = state === 'refused' ? [] : outcomes;
  await session.query(sql`
    update rustine.run_folder f set state = o.state, outcome = case when ${state} = 'refused' then null else o.outcome end, process = null, finished_at = clock_timestamp()
    from unnest(${outcomes.map(({ folder }) => folder)}::text[], ${outcomes.map((each) => each.state)}::text[], ${outcomes.map((each) => JSON.stringify(each))}::jsonb[])
      as o (folder, state, outcome)
    where f.run = ${run} and f.folder = o.folder`);
  return told.map((each): RunEvent => ({ kind: 'folder-finished', folder: each.folder, state: each.state }));
}

function leftOutcome(
  { folder, running, had }: LeftFolder,
  progress: FolderProgress | undefined,
  state: RunState,
  files: readonly string[],
): FolderOutcome {
  const got = new Map((progress?.got ?? []).map((outcome) => [outcome.file, outcome]));
  const patches = files.map((file) => got.get(file) ?? emptyOutcome(file, had.includes(file) ? 'already' : 'skipped', 0));
  const whole = got.size > 0 && patches.every((patch) => patch.state !== 'skipped');
  return { folder, state: whole ? 'integrated' : leftState(state, running), due: progress?.due ?? false, patches };
}

/** A folder whose worker was lost has failed where the run has; one that nobody had begun is left out. */
function leftState(run: RunState, running: boolean): FolderRunState {
  if (run === 'cancelled') return 'cancelled';
  return running ? 'failed' : 'skipped';
}
