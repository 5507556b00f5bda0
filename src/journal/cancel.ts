// Asks a run to stop: who works on it sees that at its next renewal and leaves every folder whole.
import { Refusal } from '../base/errors.ts';
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { RunEvent } from './journal.ts';
import { endCancelledRun } from './run-end.ts';
import { type RunView, readOpenRuns, readRun } from './run-views.ts';
import { noteEvents, serverEpoch } from './runs.ts';
import { joinRun } from './shared-runs.ts';

/**
 * @param start of the run's id; absent: the only one that has not ended
 * @throws Refusal `run-unknown`, `run-ambiguous`, `run-ended`, `no-run-active`
 */
export async function requestCancel(
  database: Database,
  operator: string,
  start: string | undefined,
  reason?: string,
): Promise<RunView> {
  const { run } = start === undefined ? await onlyRun(database) : await readRun(database, start);
  const asked = await database.query<{ shared: boolean; first: boolean }>(sql`
    with before as (select id, cancel_requested_at is null as first from rustine.run where id = ${run} for no key update)
    update rustine.run r set cancel_requested_at = coalesce(r.cancel_requested_at, now()), cancel_requested_by = coalesce(cancel_requested_by, ${operator}), cancel_reason = coalesce(cancel_reason, ${reason?.toWellFormed() ?? null})
    from before where r.id = before.id and r.state in ('queued', 'waiting', 'running') returning r.process is null as shared, before.first`);
  const [found] = asked;
  if (found === undefined) throw new Refusal('run-ended', { run, state: (await readRun(database, run)).state });
  // What nobody works on has ended at once: it is queued, or its workers are gone.
  const ended = found.shared && (await endCancelledRun(database, run));
  // Its workers stop, but of several none is the one to say so.
  if (found.shared && !ended && found.first) await noteCancelled(database, run, operator);
  return readRun(database, run);
}

async function noteCancelled(database: Database, run: string, by: string): Promise<void> {
  const seq = (await joinRun(database, run)) + 1;
  const event: RunEvent = { kind: 'run-cancelled', run, by, hard: false };
  await noteEvents(database, run, [{ seq, event, at: performance.now() }], await serverEpoch(database));
}

async function onlyRun(database: Database): Promise<RunView> {
  const open = (await readOpenRuns(database)).filter(
    ({ state }) => state === 'queued' || state === 'waiting' || state === 'running',
  );
  const [first] = open;
  if (first === undefined) throw new Refusal('no-run-active', {});
  if (open.length > 1) throw new Refusal('run-ambiguous', { run: '', runs: open.map(({ run }) => run) });
  return first;
}
