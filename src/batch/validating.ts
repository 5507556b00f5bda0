// What the folders of a validation run share, and what each of them comes to.
import type { Facts } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import type { Folder } from '../environment/folder.ts';
import type { FolderEnd, RunMode, RunOutcomeOf } from '../journal/outcome.ts';
import type { StepOutcome } from '../journal/validation-steps.ts';
import type { Forced } from '../plan/checks.ts';
import { failedValidation } from '../validate/validation.ts';
import type { FolderValidation } from '../validate/validation-context.ts';
import type { ValidationSources } from '../validate/validation-sources.ts';
import type { Cancelling } from './cancelling.ts';
import type { RunJournal } from './run-journal.ts';

/** As a run tells it: what the folder's transaction did, with its steps, or why nothing was done. */
export interface RunValidation extends Omit<FolderValidation, 'state' | 'steps'>, FolderEnd {
  readonly state: 'validated' | 'unchanged' | 'failed' | 'skipped' | 'cancelled';
  readonly steps: readonly StepOutcome[];
  /** The folder is locked for it. */
  readonly locked?: true;
}

export type ValidationOutcome = RunOutcomeOf<RunValidation>;

/** A folder of the run, and how long it has waited for somebody else's locks. */
export interface ValidationPart {
  readonly folder: Folder;
  attempts: number;
  waitedMs: number;
  /** Steps that came before its transaction. */
  readonly before: readonly StepOutcome[];
  /** Scripts to run that failed in it and are left, with what each of them failed of. */
  readonly leftToRun: Map<string, Facts>;
}

/** What the parts of a run on several servers share, as one of them sees it. */
export interface ValidationTogether {
  /** Where the first failure anywhere stops all of them. */
  readonly stop?: { requested: boolean };
  /** Is told the canaries here that were not validated. @returns those of all servers, once they are through everywhere */
  readonly canaries?: (failed: readonly string[]) => Promise<readonly string[]>;
  /** Of a mirror that is validated: whether its original was, once that is through. */
  readonly original?: (code: string) => Promise<boolean>;
}

export interface Validating extends ValidationTogether {
  readonly database: Database;
  readonly run: string;
  readonly mode: RunMode;
  readonly operator: string;
  readonly forced: Forced;
  /** Lease of who has the run. */
  readonly process: string;
  readonly sources: ValidationSources;
  readonly journal: RunJournal;
  readonly cancelling: Cancelling;
  readonly stop: { requested: boolean };
  readonly onError: 'continue' | 'stop';
  /** For one folder, all attempts together. */
  readonly lockTimeoutMs: number;
  readonly scriptTimeoutMs: number;
  readonly differences: boolean;
  readonly stopPoint: (name: string) => void;
  /** Events that the folders' transactions write themselves. */
  readonly writtenThere: WeakSet<object>;
  /** Its users may come in again. */
  readonly through: (folder: string) => void;
}

/** Of a folder in which nothing was done. */
export function nothingDone(
  folder: Pick<Folder, 'code' | 'due'>,
  state: RunValidation['state'],
  reason?: NonNullable<RunValidation['reason']>,
): RunValidation {
  const { reason: _, ...nothing } = failedValidation(folder, { code: '', facts: {} });
  return {
    ...nothing,
    state,
    steps: [],
    ...(reason === undefined ? {} : { reason }),
  };
}

export function blockedReason(findings: readonly Finding[]): NonNullable<RunValidation['reason']> {
  const codes = [...new Set(findings.filter(({ severity }) => severity === 'block').map(({ code }) => code))];
  return { code: 'blocked', facts: { codes } };
}
