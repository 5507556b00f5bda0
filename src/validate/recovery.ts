// Recovery: what programs that died left behind is settled, in an order that is safe to repeat and that no living run notices.
import { Failure } from '../base/errors.ts';
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { letIn } from '../environment/logins.ts';
import { settlePrepared } from '../journal/settle-prepared.ts';
import { settleRuns } from '../journal/settling.ts';
import { sweepStaging } from '../plan/staging.ts';

export interface StepOutcome {
  /** What was settled: runs, folders whose logins are open again, numbers of what was staged. */
  readonly settled: readonly string[];
  /** What is to be settled and could not be. */
  readonly left: readonly string[];
}

/** Each does its own, in a transaction of its own: killed in between, the next one goes on. */
const STEPS = {
  // First of all: they hold locks on all that comes after.
  prepared: async (database) => {
    const { settled, left } = await settlePrepared(database);
    return { settled: settled.map(({ run, decision }) => `${run} (${decision})`), left };
  },
  runs: async (database) => ({ settled: await settleRuns(database), left: [] }),
  logins: async (database) => {
    const { folders, left } = await letIn(database, 'over');
    return { settled: folders, left };
  },
  staging: async (database) => ({ settled: await sweepStaging(database), left: [] }),
} satisfies Record<string, (database: Database) => Promise<StepOutcome>>;

export type RecoveryStep = keyof typeof STEPS;
export type Recovery = Readonly<Record<RecoveryStep, StepOutcome>>;

const RECOVERY_STEPS = Object.keys(STEPS) as readonly RecoveryStep[];

/**
 * Settles everything; runs of living programs and what is theirs stay as they are. A step that fails does not keep the later ones from what they can do:
 * nobody should stay shut out because something else cannot be settled.
 * @throws what the first step failed of, after the last one
 */
export async function recover(database: Database): Promise<Recovery> {
  const outcomes: Partial<Record<RecoveryStep, StepOutcome>> = {};
  const failures: Failure[] = [];
  for (const step of RECOVERY_STEPS) {
    try {
      outcomes[step] = await STEPS[step](database);
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
      select exists (select from rustine.shut_login) or exists (select from rustine.work) or exists (select from rustine.process) or exists (select from rustine.prepared)
        or exists (select from rustine.run where state in ('queued', 'running')) as something`);
    if (row?.something === true) await recover(database);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}
