// Runs of the queue that one worker carries out whole: taken up by it, and back in the queue where that worker stops or dies.
import { hostname } from 'node:os';
import nodeProcess from 'node:process';
import { Failure } from '../base/errors.ts';
import type { Database, Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Reader } from '../environment/catalog.ts';
import { type FolderUsers, folderUsers, insertRun, isFree, lockRuns, type NewRun, type NotBegun } from './runs.ts';

/** A run that a worker takes up: the run itself, or the part of it on a further server. */
export type TakenUpAs = 'run' | 'part';

export interface TakenUp extends FolderUsers {
  readonly state: 'running' | NotBegun;
  /** Workers that joined the run there so far, this one counted: numbers of its events and transactions begin by it. */
  readonly turn: number;
}

/** Where its part ended with an earlier worker, whatever came of it, it begins again. */
const ENDED = ['done', 'partial', 'refused', 'failed', 'interrupted', 'cancelled'] as const;

/**
 * Takes the folders for this worker, as `beginRun` does for a command.
 * @param otherwise what becomes of it where somebody has folders of it; one that waits stays as it is
 * @throws Failure `run-lost` where somebody else has taken it up, or ended it
 */
export async function takeUpRun(
  database: Database,
  process: string,
  run: NewRun,
  as: TakenUpAs,
  otherwise: (users: FolderUsers) => NotBegun,
): Promise<TakenUp> {
  return database.transaction(async (session) => {
    await lockRuns(session, process);
    // A part that an earlier worker has still is waited for, however long: that worker may only sleep, and its lease ends.
    const wanted = [...run.waves.flat(), ...(run.elsewhere ?? [])];
    const users = await folderUsers(session, wanted, as === 'run' ? run.id : '', true);
    const before = users.runs.some(({ run: other }) => other === run.id);
    const state = isFree(users) ? 'running' : before ? 'waiting' : otherwise(users);
    if (state === 'waiting') return { ...users, state, turn: 0 };
    const from: readonly string[] = as === 'run' ? ['queued'] : ENDED;
    const [known] = await session.query<{ state: string; workers: number }>(sql`
      select state, workers from rustine.run where id = ${run.id} for update`);
    if (known === undefined && as === 'part') {
      await insertRun(session, process, run, state);
      return { ...users, state, turn: await joined(session, run.id, as) };
    }
    if (known === undefined || !from.includes(known.state)) throw new Failure('run-lost', { run: run.id, folder: '' });
    await session.query(sql`delete from rustine.run_folder where run = ${run.id}`);
    await session.query(sql`
      with begun as (
        update rustine.run set state = ${state}, process = ${process}, host = ${hostname()}, pid = ${nodeProcess.pid}, started_at = clock_timestamp(), decision = null, decided_by = null, atomic = false,
          finished_at = case when ${state} <> 'running' then clock_timestamp() end
        where id = ${run.id})
      insert into rustine.run_folder (run, folder, wave, state, finished_at)
      select ${run.id}, f.folder, f.wave, case ${state} when 'running' then 'waiting' when 'cancelled' then 'cancelled' else 'skipped' end,
        case when ${state} <> 'running' then clock_timestamp() end
      from unnest(${run.waves.flat()}::text[], ${run.waves.flatMap((codes, wave) => codes.map(() => wave))}::integer[]) as f (folder, wave)`);
    return { ...users, state, turn: await joined(session, run.id, as) };
  });
}

/** Who takes the run up has joined it when it began to wait. */
async function joined(session: Session, run: string, as: TakenUpAs): Promise<number> {
  const [row] = await session.query<{ workers: number }>(sql`
    update rustine.run set workers = workers + ${as === 'part' ? 1 : 0} where id = ${run} returning workers`);
  return row?.workers ?? 0;
}

/**
 * The worker stops: another one goes on.
 * @returns false where somebody wants the run to be cancelled, or has settled it
 */
export async function giveBackRun(database: Database, run: string, process: string): Promise<boolean> {
  return database.transaction(async (session) => {
    await session.query(sql`select from rustine.run where id = ${run} for update`);
    return (await queueAgain(session, [run], process)).length === 1;
  });
}

/**
 * Of runs whose rows are locked, those that a worker's task leads to wait in the queue again; what their folders have, they have. What was decided of them stays
 * until the next worker takes them up: by then nothing is prepared any more. What is decided to stay and not yet committed on a further server is not begun again.
 * @param process whose they must be; absent: whoever's
 * @returns those that do
 */
export async function queueAgain(
  session: Session,
  runs: readonly string[],
  process: string | null = null,
): Promise<readonly string[]> {
  const rows = await session.query<{ id: string }>(sql`
    with again as (
      update rustine.run r set state = 'queued', process = null, finished_at = null
      where r.id = any(${runs}::text[]) and r.state = 'running' and r.whole and r.cancel_requested_at is null and (${process}::text is null or r.process = ${process})
        and exists (select from rustine.task t where t.run = r.id and t.state in ('queued', 'active'))
        and not exists (select from rustine.prepared p where p.run = r.id)
        and not (r.decision is not distinct from 'commit' and exists (select from rustine.participant p where p.run = r.id))
      returning id),
    folders as (
      update rustine.run_folder f set state = 'waiting', process = null, not_before = null, blocker = null, outcome = null, started_at = null, finished_at = null
      from again where f.run = again.id and f.state not in ('integrated', 'unchanged'))
    select id from again`);
  return rows.map(({ id }) => id);
}

/** Whether it is at work, with this lease. */
export async function isRunOf(reader: Reader, run: string, process: string): Promise<boolean> {
  const rows = await reader.query(sql`select from rustine.run where id = ${run} and process = ${process} and state = 'running'`);
  return rows.length === 1;
}
