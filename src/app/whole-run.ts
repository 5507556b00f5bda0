// A queued run that one worker carries out whole, all or none or over several servers: through the same code as the command, from its row and its stored files.
import { Failure, Refusal } from '../base/errors.ts';
import { noteFailure } from '../batch/started-run.ts';
import type { RunEvent } from '../journal/journal.ts';
import { endSharedRun } from '../journal/run-end.ts';
import { settleRuns } from '../journal/settling.ts';
import { readSharedRun, type SharedRunRow } from '../journal/shared-runs.ts';
import type { Across } from './across-servers.ts';
import { type TakenRun, WHOLE } from './opened-server.ts';
import { recoverMember } from './recovery-elsewhere.ts';
import type { IntegrateOptions } from './rustine.ts';
import { integrateAcross } from './server-run.ts';
import { type Shares, sharesOf } from './shares.ts';
import { openStoredFiles, type StoredRequest } from './stored-run.ts';

export interface WholeRunOptions {
  /** The worker is to stop: patches at work end, and the run goes back to the queue. */
  readonly stop: AbortSignal;
  /** At once: what is at work is rolled back. */
  readonly abort: AbortSignal;
  readonly told: (run: string, event: RunEvent) => void;
}

/** @returns false where another worker has it still: it is looked at again */
export async function carryOutWhole(across: Across, row: SharedRunRow, how: WholeRunOptions): Promise<boolean> {
  const { database } = across.home.opened;
  // That of a worker that died waits in the queue again.
  if (row.state === 'running') return (await settleRuns(database)).includes(row.id);
  try {
    const shares = await sharesOf(across, [...row.folders, ...row.elsewhere]);
    if (!(await partsSettled(across, shares, row.id))) return false;
    await carriedOut(across, shares, row, how);
    return true;
  } catch (error) {
    if (!(error instanceof Failure) && !(error instanceof Refusal)) throw error;
    const now = await readSharedRun(database, row.id);
    // It ended, and its trace says why; or it waits for another worker, or for this one.
    if (now?.state !== 'queued' || how.stop.aborted || error.code === 'run-lost') return false;
    if (AWAY.includes(error.code)) throw error;
    await noteFailure(database, row.id, error);
    return endSharedRun(database, row.id, error instanceof Refusal ? 'refused' : 'failed', { from: ['queued'] });
  }
}

/** It is told as the worker's trouble, and tried again. */
const AWAY: readonly string[] = ['database-lost', 'database-unreachable'];

/** Whether nothing of an earlier worker is at work on a further server; nobody's folders are held while that is waited for. One that does not answer is the run's to tell. */
async function partsSettled(across: Across, shares: Shares | undefined, run: string): Promise<boolean> {
  for (const { server } of shares?.elsewhere ?? []) {
    try {
      const member = await across.open(server);
      await recoverMember(across.home.opened.database, server, member);
      const row = await readSharedRun(member.opened.database, run);
      if (row?.state === 'running' || row?.state === 'waiting') return false;
    } catch (error) {
      if (!(error instanceof Failure) && !(error instanceof Refusal)) throw error;
    }
  }
  return true;
}

async function carriedOut(
  across: Across,
  shares: Shares | undefined,
  row: SharedRunRow,
  { stop, abort, told }: WholeRunOptions,
): Promise<void> {
  const { home } = across;
  const deliveries = await openStoredFiles(home.opened.database, row.id);
  const files = { deliveries, unread: [], findings: [] };
  const takenUp: TakenRun = { as: 'run', stop, operator: row.operator, from: row.from, files };
  const options = { ...optionsOf(row), listener: (event: RunEvent) => told(row.id, event), cancel: stop, abort };
  if (shares === undefined)
    await home.integrate({ ...options, folders: [...row.folders, ...row.elsewhere] }, { ...WHOLE, id: row.id, takenUp });
  else await integrateAcross(home, across.open, shares, options, { id: row.id, takenUp });
}

/** What the command was told. */
function optionsOf({ mode, authorized, forced, request }: SharedRunRow): IntegrateOptions {
  const { first, takeUnchanged, onError, lockTimeoutMs, waitMs, disconnect, atomic, jobs } = request as unknown as StoredRequest;
  return {
    paths: [],
    mode,
    authorize: authorized,
    force: Object.entries(forced).map(([check, reason]) => ({ check, reason })),
    first,
    takeUnchanged,
    onError,
    lockTimeoutMs,
    ...(waitMs === null ? {} : { waitMs }),
    disconnect,
    atomic,
    ...(jobs === null ? {} : { jobs }),
  };
}
