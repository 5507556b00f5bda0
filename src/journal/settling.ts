// Settles what dead programs left of runs: nobody but they could end them, and no run is "in progress" for ever.
import type { Finding } from '../base/finding.ts';
import type { Database, Session } from '../database/database.ts';
import { sqlState } from '../database/postgres.ts';
import { sql } from '../database/sql.ts';
import { readHolder } from '../environment/holders.ts';
import { endForgottenSessions, endSessionsOf } from './lease-sessions.ts';
import { type DeadProcess, deadProcesses } from './processes.ts';
import { settlePrepared } from './settle-prepared.ts';
import { queueAgain } from './whole-runs.ts';

/** A dead program's last statement may still run: the server ends it within a second or two. What takes longer, nobody waits for who did not ask for it. */
export const SETTLE_MS = 3_000;
/** A try for each dead program: what one of them holds keeps nothing of the others. */
const STEP_MS = 100;
/** A session that was told to end is gone as soon as the server can interrupt it. */
const ENDING_MS = 1_000;
const LOCK_NOT_AVAILABLE = '55P03';

export interface SettledRuns {
  readonly settled: readonly string[];
  /** `run-unsettled` for each of which a folder's transaction is still open: it is left as it is. */
  readonly left: readonly Finding[];
}

/**
 * Marks runs whose program is dead as interrupted; those of the queue wait for another worker. One query when there is nothing to settle; safe to repeat, by several at once.
 * @param waitMs how long transactions of the dead are waited for, all in all
 */
export async function settleRuns(database: Database, waitMs = SETTLE_MS): Promise<readonly string[]> {
  if ((await deadProcesses(database)).length === 0) return [];
  const until = performance.now() + waitMs;
  // They hold their run's key, so that it could not be settled.
  await settlePrepared(database, waitMs);
  return (await settleAll(database, until)).settled;
}

/** The same without what is prepared. Says what is left, and who holds it. */
export async function settleDead(database: Database, waitMs: number): Promise<SettledRuns> {
  const until = performance.now() + waitMs;
  await endForgottenSessions(database);
  const { settled, held } = await settleAll(database, until);
  return { settled, left: await unsettled(database, held) };
}

async function settleAll(
  database: Database,
  until: number,
): Promise<{ readonly settled: readonly string[]; readonly held: readonly DeadProcess[] }> {
  const settled: string[] = [];
  let dead = await deadProcesses(database);
  while (dead.length > 0) {
    const held: DeadProcess[] = [];
    for (const process of dead) {
      const runs = await settleProcess(database, process);
      if (runs === undefined) held.push(process);
      else settled.push(...runs);
    }
    dead = held;
    if (performance.now() >= until) break;
  }
  return { settled, held: dead };
}

/** @returns its runs; undefined where somebody holds one of them */
async function settleProcess(database: Database, { id, gone }: DeadProcess): Promise<readonly string[] | undefined> {
  try {
    return await database.transaction(async (session) => {
      await session.script(`set local lock_timeout = ${STEP_MS}`);
      // A sleeper that has just renewed its lease keeps it; one that comes later finds it gone.
      const lost = await session.query(sql`
        delete from rustine.process where id = ${id} and (alive_until < clock_timestamp() or ${gone}) returning id`);
      if (lost.length === 0) return [];
      // One that is only stopped, or whose machine sleeps, has its transactions open still.
      if ((await endSessionsOf(session, [id])) > 0) await session.script(`set local lock_timeout = ${ENDING_MS}`);
      return await interruptRuns(session, id);
    });
  } catch (error) {
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
    return undefined;
  }
}

async function interruptRuns(session: Session, process: string): Promise<readonly string[]> {
  // The strong lock waits for transactions of its folders: they hold the run's key (see `lockFolder`), and later ones find its state.
  const runs = await session.query<{ id: string }>(sql`
    select id from rustine.run where process = ${process} and state in ('running', 'waiting')
      and not exists (select from rustine.prepared where run = rustine.run.id) order by id for update`);
  const ended = runs.map(({ id }) => id);
  if (ended.length === 0) return [];
  const again = await queueAgain(session, ended);
  const interrupted = ended.filter((id) => !again.includes(id));
  await session.query(sql`
    with folders as (
      update rustine.run_folder set state = case state when 'running' then 'interrupted' else 'skipped' end, process = null, finished_at = now()
      where run = any(${interrupted}::text[]) and state in ('running', 'waiting', 'postponed'))
    update rustine.run set state = 'interrupted', finished_at = now() where id = any(${interrupted}::text[])`);
  return ended;
}

/**
 * Without those that came to their end where the environment is: a further server on which they had nothing to decide, or nothing to do, may have found its part
 * abandoned all the same.
 */
export async function withoutEnded(home: Database, runs: readonly string[]): Promise<readonly string[]> {
  if (runs.length === 0) return runs;
  const ended = await home.query<{ id: string }>(sql`
    select id from rustine.run where id = any(${runs}::text[]) and state in ('done', 'partial')`);
  return runs.filter((run) => !ended.some(({ id }) => id === run));
}

async function unsettled(database: Database, dead: readonly DeadProcess[]): Promise<readonly Finding[]> {
  if (dead.length === 0) return [];
  const runs = await database.query<{ id: string }>(sql`
    select id from rustine.run where process = any(${dead.map(({ id }) => id)}::text[]) and state in ('running', 'waiting')
      and not exists (select from rustine.prepared where run = rustine.run.id) order by id`);
  const findings: Finding[] = [];
  for (const { id } of runs) findings.push(await runUnsettled(database, id));
  return findings;
}

/** A run that cannot be settled, with who holds it. */
export async function runUnsettled(database: Database, run: string): Promise<Finding> {
  const holder = await readHolder(database, (session) =>
    session.query(sql`select from rustine.run where id = ${run} for update`),
  );
  return { code: 'run-unsettled', severity: 'warn', facts: { run, ...holder } };
}
