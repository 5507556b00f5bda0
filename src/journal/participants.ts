// Runs that are all or none over several servers: the decision of the environment's own is brought to the others, and who has carried it out is noted.
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { type Decision, decide } from './prepared.ts';
import { settlePrepared } from './settle-prepared.ts';
import { SETTLE_MS } from './settling.ts';

/** What a further server knows of a run that is decided elsewhere. */
interface Undecided {
  readonly run: string;
  /** Lease of its part there. */
  readonly process: string | null;
  readonly decidedBy: string;
}

/**
 * What is decided at home about runs of which a further server does not know it. A run that ended without a decision, and one that home does not know, is
 * rolled back: whoever would have decided otherwise is gone. Of one that lives nothing is brought.
 */
export async function bringDecisions(home: Database, member: Database): Promise<void> {
  const open = await member.query<Undecided>(sql`
    select id as run, process, decided_by as "decidedBy" from rustine.run r where r.atomic and r.decided_by is not null and r.decision is null
      and (r.state = 'running' or exists (select from rustine.prepared p where p.run = r.id)) order by id`);
  if (open.length === 0) return;
  // A program that is dead there decides nothing any more.
  await settlePrepared(home, SETTLE_MS);
  for (const { run, process, decidedBy } of open) {
    const decision = await decisionAt(home, run, decidedBy);
    if (decision !== undefined) await decide(member, run, decision, process);
  }
}

/** @param by whose the run was then: another worker takes it up only where it was rolled back */
async function decisionAt(home: Database, run: string, by: string): Promise<Decision | undefined> {
  const [row] = await home.query<{ decision: Decision | null; living: boolean }>(sql`
    select decision, state in ('queued', 'waiting', 'running') as living from rustine.run where id = ${run} and process = ${by}`);
  if (row === undefined) return 'rollback';
  if (row.decision !== null) return row.decision;
  if (row.living) return undefined;
  // Where somebody takes it up in this moment, it is over as well.
  return (await decide(home, run, 'rollback', by)) ?? 'rollback';
}

/**
 * Nothing of the run is prepared on the server any more. Where that was the last one, everything that was decided is done.
 * @param by whose the run was
 */
export async function forgetParticipant(home: Database, run: string, server: number, by: string): Promise<void> {
  await home.transaction(async (session) => {
    await session.query(sql`select from rustine.run where id = ${run} for no key update`);
    await session.query(sql`delete from rustine.participant where run = ${run} and server = ${server} and decided_by = ${by}`);
    await session.query(sql`
      update rustine.run set state = 'done' where id = ${run} and state = 'partial' and decision = 'commit'
        and not exists (select from rustine.participant where run = ${run}) and not exists (select from rustine.prepared where run = ${run})`);
  });
}

/** Notes which runs the server has settled meanwhile. */
export async function forgetSettled(home: Database, member: Database, server: number): Promise<void> {
  const noted = await home.query<{ run: string; by: string }>(
    sql`select run, decided_by as by from rustine.participant where server = ${server} order by run`,
  );
  if (noted.length === 0) return;
  const unsettled = await member.query<{ run: string }>(sql`
    select u.run from unnest(${noted.map(({ run }) => run)}::text[]) as u (run)
    where exists (select from rustine.prepared p where p.run = u.run) or exists (select from rustine.run r where r.id = u.run and r.state in ('waiting', 'running'))`);
  const left = new Set(unsettled.map(({ run }) => run));
  for (const { run, by } of noted) if (!left.has(run)) await forgetParticipant(home, run, server, by);
}

/** What is decided and not carried out everywhere. */
export interface Pending {
  readonly server: string;
  readonly decision: Decision;
}

export async function readPending(home: Database, run: string): Promise<readonly Pending[]> {
  return home.query<Pending>(sql`
    select s.name as server, coalesce(r.decision, 'rollback') as decision
    from rustine.participant p join rustine.server s on s.number = p.server join rustine.run r on r.id = p.run
    where p.run = ${run} order by s.number`);
}
