// Recovery: what programs that died left behind is settled, in an order that is safe to repeat and that no living run notices.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { letIn } from '../environment/logins.ts';
import { endCancelledRuns } from '../journal/run-end.ts';
import { settlePrepared } from '../journal/settle-prepared.ts';
import { SETTLE_MS, settleDead } from '../journal/settling.ts';
import { sweepStaging } from '../plan/staging.ts';
import { openQueue, type Queue } from './queue.ts';
import { settleTasks } from './tasks.ts';

export interface StepOutcome {
  /** What was settled: runs, numbers of tasks, folders whose logins are open again, numbers of what was staged. */
  readonly settled: readonly string[];
  /** What is to be settled and could not be. */
  readonly left: readonly Finding[];
}

/** Whoever asks for it waits longer than whoever has something else to do. */
const PATIENCE_MS = 15_000;

/** Each does its own, in a transaction of its own: killed in between, the next one goes on. */
const STEPS = {
  // First of all: they hold locks on all that comes after.
  prepared: async (database, patienceMs) => {
    const { settled, left } = await settlePrepared(database, patienceMs);
    return { settled: settled.map(({ run, decision }) => `${run} (${decision})`), left };
  },
  runs: settleDead,
  // Those of workers; a run whose workers are lost again and again ends with its task.
  tasks: async (database) => ({ settled: await tasksOfLostWorkers(database), left: [] }),
  cancelled: endCancelledRuns,
  logins: async (database) => {
    const { folders, left } = await letIn(database, 'over');
    return { settled: folders, left };
  },
  staging: async (database) => ({ settled: await sweepStaging(database), left: [] }),
} satisfies Record<string, (database: Database, patienceMs: number) => Promise<StepOutcome>>;

async function tasksOfLostWorkers(database: Database): Promise<readonly string[]> {
  let queue: Queue | undefined;
  try {
    const settled = await settleTasks(database, async () => {
      queue = await openQueue(database);
      return queue;
    });
    return settled.map(String);
  } finally {
    await queue?.close();
  }
}

export type RecoveryStep = keyof typeof STEPS;
export type Recovery = Readonly<Record<RecoveryStep, StepOutcome>>;

const RECOVERY_STEPS = Object.keys(STEPS) as readonly RecoveryStep[];

/**
 * Settles everything; runs of living programs and what is theirs stay as they are. A step that fails does not keep the later ones from what they can do:
 * nobody should stay shut out because something else cannot be settled.
 * @throws what the first step failed of, after the last one
 */
export async function recover(database: Database, patienceMs = PATIENCE_MS): Promise<Recovery> {
  const outcomes: Partial<Record<RecoveryStep, StepOutcome>> = {};
  const failures: Failure[] = [];
  const until = performance.now() + patienceMs;
  for (const step of RECOVERY_STEPS) {
    try {
      outcomes[step] = await STEPS[step](database, Math.max(0, until - performance.now()));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.push(error);
    }
  }
  const [first] = failures;
  if (first !== undefined) throw first;
  return outcomes as Recovery;
}

/**
 * What every command does first: one small statement says whether there is anything that could be settled. A failure is none of the command's: it is told
 * by whoever asks for the recovery.
 */
export async function recoverIfNeeded(database: Database): Promise<void> {
  try {
    const [row] = await database.query<{ something: boolean }>(sql`
      select exists (select from rustine.shut_by_run) or exists (select from rustine.work) or exists (select from rustine.process) or exists (select from rustine.prepared)
        or exists (select from rustine.task where state = 'active') or exists (select from rustine.run where state in ('queued', 'running')) as something`);
    if (row?.something === true) await recover(database, SETTLE_MS);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}
