// Settles what dead programs left prepared: by the decision of their run; where none was made, it is rolled back.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Database, Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { endSessionsOf } from './lease-sessions.ts';
import { type Decision, decide, finishAll } from './prepared.ts';
import { deadProcesses } from './processes.ts';
import { queueAgain } from './whole-runs.ts';

export interface SettledTransactions {
  readonly run: string;
  readonly decision: Decision;
  /** That were still prepared. */
  readonly transactions: number;
}

/**
 * `left`: `prepared-unsettled` for each run of which a transaction is still being worked at, or that another user prepared: the others do not wait for it;
 * `decision-unknown` where it is not known here what is decided.
 * Never touches a run whose program lives. Safe to repeat, by several at once, also while a program that was believed to be dead wakes up: of
 * two decisions the first stands, and both follow it.
 */
export async function settlePrepared(
  database: Database,
  patienceMs: number,
): Promise<{ readonly settled: readonly SettledTransactions[]; readonly left: readonly Finding[] }> {
  const open = await database.query<{
    run: string;
    process: string | null;
    turn: number | null;
    known: boolean;
    undecided: boolean;
  }>(sql`
    select r.id as run, r.process, r.workers as turn, p.id is not null as known, r.decided_by is not null and r.decision is null as undecided
    from rustine.run r left join rustine.process p on p.id = r.process
    where r.atomic and r.state = 'running'
    union select p.run, r.process, r.workers, s.id is not null, r.decided_by is not null and r.decision is null
    from rustine.prepared p left join rustine.run r on r.id = p.run left join rustine.process s on s.id = r.process
    order by run`);
  if (open.length === 0) return { settled: [], left: [] };
  const dead = new Set((await deadProcesses(database)).map(({ id }) => id));
  const settled: SettledTransactions[] = [];
  const left: Finding[] = [];
  const until = performance.now() + patienceMs;
  for (const { run, process, turn, undecided } of open.filter(
    (each) => !each.known || each.process === null || dead.has(each.process),
  )) {
    // Nothing is decided on a further server: what stands is brought here (see `bringDecisions`).
    if (undecided) {
      left.push({ code: 'decision-unknown', severity: 'warn', facts: { run } });
      continue;
    }
    const decided = await decide(database, run, 'rollback', process);
    // Settled by somebody else, and at work again.
    if (decided === undefined && turn !== null) continue;
    // Its folders' transactions find that; those of a program that is only stopped are not waited for.
    if (process !== null) await endSessionsOf(database, [process]);
    // A run that nobody knows of cannot have been decided to stay.
    const decision = decided ?? 'rollback';
    try {
      const upTo = turn === null ? {} : { turn };
      const transactions = await finishAll(database, run, decision, {
        ...upTo,
        patienceMs: Math.max(0, until - performance.now()),
        settled: (session) => writeEnd(session, run, process, decision),
      });
      settled.push({ run, decision, transactions });
    } catch (error) {
      // Somebody has to end a session first: the other runs do not wait for that.
      if (!(error instanceof Failure) || error.code !== 'prepared-unsettled') throw error;
      left.push({ code: error.code, severity: 'warn', facts: error.facts });
    }
  }
  return { settled, left };
}

/** The run's row is locked: none of its folders is at work, and none can begin once it is no longer running. */
async function writeEnd(session: Session, run: string, process: string | null, decision: Decision): Promise<void> {
  const ours = await session.query(sql`select from rustine.run where id = ${run} and process is not distinct from ${process}`);
  if (ours.length === 0) return;
  if (decision === 'commit') {
    await session.query(sql`
      with folders as (update rustine.run_folder set state = 'integrated', process = null, finished_at = now() where run = ${run} and state = 'prepared')
      update rustine.run set state = case when exists (select from rustine.participant where run = ${run}) then 'partial' else 'done' end, finished_at = now()
      where id = ${run} and state in ('running', 'failed', 'interrupted')`);
    return;
  }
  if ((await queueAgain(session, [run])).length > 0) return;
  await session.query(sql`
    with folders as (
      update rustine.run_folder set state = case when state in ('running', 'prepared') then 'interrupted' else 'skipped' end,
        outcome = null, process = null, finished_at = now()
      where run = ${run} and state in ('waiting', 'running', 'postponed', 'prepared'))
    update rustine.run set state = 'interrupted', finished_at = now() where id = ${run} and state = 'running'`);
}
