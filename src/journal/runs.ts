// Runs and their events in the catalog: begun, noted, finished; the trace of any run can be read back.
import { hostname } from 'node:os';
import { Refusal } from '../base/errors.ts';
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { JournalEntry, RunEvent } from './journal.ts';
import type { RunMode, RunState } from './outcome.ts';

export interface NewRun {
  readonly id: string;
  readonly mode: RunMode;
  /** Folder one works from: the trace is kept there (R33). */
  readonly from: string;
  readonly operator: string;
  readonly files: readonly string[];
  readonly authorized: readonly string[];
  readonly forced: Readonly<Record<string, string>>;
}

/** Runs of this process that have not ended: a living process may have lost others, or have the number of one that is gone. */
const active = new Set<string>();

/** Registers the run; runs of this machine whose process is gone are marked as interrupted. */
export async function beginRun(database: Database, run: NewRun): Promise<void> {
  await settleDeadRuns(database);
  active.add(run.id);
  await database.query(sql`
    insert into rustine.run (id, mode, state, from_folder, operator, host, pid, files, authorized, forced)
    values (${run.id}, ${run.mode}, 'running', ${run.from}, ${run.operator}, ${hostname()}, ${process.pid}, ${run.files}, ${run.authorized}, ${JSON.stringify(run.forced)}::jsonb)`);
}

/** A run is never "in progress" for ever: nobody but its own process could finish it. */
async function settleDeadRuns(database: Database): Promise<void> {
  const running = await database.query<{ id: string; pid: number }>(sql`
    select id, pid from rustine.run where state = 'running' and host = ${hostname()}`);
  const dead = running.filter((run) => (run.pid === process.pid ? !active.has(run.id) : !isAlive(run.pid))).map((run) => run.id);
  if (dead.length > 0)
    await database.query(sql`update rustine.run set state = 'interrupted', finished_at = now() where id = any(${dead}::text[])`);
}

/** Whether a process of this machine still runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export interface NotedEvent {
  readonly seq: number;
  readonly event: RunEvent;
  /** When it happened, in milliseconds of this process. */
  readonly at: number;
}

/**
 * Events that belong to no folder's transaction, several in one statement. They are stamped with the time of the server, as those of the
 * transactions are, so that the two clocks do not mix; by their age, since they are written later than they happened.
 */
export async function noteEvents(database: Database, run: string, events: readonly NotedEvent[]): Promise<void> {
  if (events.length === 0) return;
  const now = performance.now();
  await database.query(sql`
    insert into rustine.event (run, seq, event, at)
    select ${run}, seq, event, clock_timestamp() - age * interval '1 millisecond'
    from unnest(${events.map((e) => e.seq)}::integer[], ${events.map((e) => eventJson(e.event))}::jsonb[], ${events.map((e) => now - e.at)}::float8[]) as e (seq, event, age)`);
}

/** A text cut in the middle of a character would be no JSON for the database. */
export function eventJson(event: RunEvent): string {
  return JSON.stringify(event, (_key, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value));
}

export async function finishRun(database: Database, run: string, state: RunState): Promise<void> {
  active.delete(run);
  await database.query(sql`update rustine.run set state = ${state}, finished_at = now() where id = ${run}`);
}

/** @throws Refusal `run-unknown` */
export async function readTrace(database: Database, run: string): Promise<readonly JournalEntry[]> {
  const [known] = await database.query<{ id: string }>(sql`select id from rustine.run where id = ${run}`);
  if (known === undefined) throw new Refusal('run-unknown', { run });
  const rows = await database.query<{ seq: number; at: string; event: RunEvent }>(sql`
    select seq, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, event from rustine.event where run = ${run} order by seq`);
  return rows.map(({ seq, at, event }) => ({ ...event, seq, at }));
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
