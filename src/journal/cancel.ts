// Asks a run to stop: who works on it sees that at its next renewal and leaves every folder whole.
import { Refusal } from '../base/errors.ts';
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { endCancelledRun } from './run-end.ts';
import { type RunView, readOpenRuns, readRun } from './run-views.ts';

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
  const asked = await database.query<{ shared: boolean }>(sql`
    update rustine.run set cancel_requested_at = coalesce(cancel_requested_at, now()), cancel_requested_by = coalesce(cancel_requested_by, ${operator}), cancel_reason = coalesce(cancel_reason, ${reason?.toWellFormed() ?? null})
    where id = ${run} and state in ('queued', 'waiting', 'running') returning process is null as shared`);
  const [found] = asked;
  if (found === undefined) throw new Refusal('run-ended', { run, state: (await readRun(database, run)).state });
  // What nobody works on has ended at once: it is queued, or its workers are gone.
  if (found.shared) await endCancelledRun(database, run);
  return readRun(database, run);
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
