// Goes through the folders of a validation: parents before children, live folders before their history; what fails locks its folder and keeps those that follow it.
import { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { lockFolder } from '../environment/folder-lock.ts';
import { lockFailure, readLockWait } from '../environment/sessions.ts';
import { isLeaseGone } from '../journal/processes.ts';
import { leaderOf } from '../plan/validation-checks.ts';
import { mayWait, pauseAfter, attemptMs as waitOf } from './folder-part.ts';
import { type Again, inTurn } from './in-turn.ts';
import { blockedReason, nothingDone, type RunValidation, type Validating, type ValidationPart } from './validating.ts';
import { type Attempted, type AttemptFailed, attemptValidation, tellSteps } from './validation-attempt.ts';
import { failedAtEnd, inValidation, locksFolder } from './validation-failure.ts';
import { previewTogether, type Turn, turnsOf } from './validation-preview.ts';
import type { Wave } from './waves.ts';

type Outcomes = Map<string, RunValidation>;

/** @param outcomes of folders that are through already; those of the others come to it */
export async function validateWaves(
  validating: Validating,
  waves: readonly Wave[],
  parts: ReadonlyMap<string, ValidationPart>,
  jobs: number,
  outcomes: Outcomes,
): Promise<void> {
  const first = waves.flatMap(({ folders, canary }) => (canary ? folders.map(({ code }) => code) : []));
  const { canaries = async (failed: readonly string[]) => failed } = validating;
  let verdict: Promise<readonly string[]> | undefined;
  const broken = (): Promise<readonly string[]> => (verdict ??= canaries(first.filter((code) => isBehind(outcomes.get(code)))));
  for (const [at, wave] of waves.entries()) {
    const mine = waitingLast(wave.folders.flatMap(({ code }) => (outcomes.has(code) ? [] : (parts.get(code) ?? []))));
    if (mine.length === 0) continue;
    const failed = wave.canary ? [] : await broken();
    if (failed.length > 0) {
      for (const { folder } of mine)
        end(validating, outcomes, nothingDone(folder, 'skipped', { code: 'canary-failed', facts: { folders: failed } }));
      continue;
    }
    const folders = mine.map(({ folder }) => folder.code);
    validating.journal.emit({ kind: 'wave-started', wave: at, folders, canary: wave.canary });
    // Who follows a folder that a preview would change is previewed after it, in its transaction.
    await inTurn(turnsOf(validating.mode === 'validate' ? new Map() : parts, mine, outcomes), {
      jobs,
      soft: validating.cancelling.soft,
      broken: () => {
        validating.stop.requested = true;
      },
      work: (turn) => take(validating, turn, outcomes),
    });
  }
  // Others may wait for it.
  void broken();
}

/** Mirrors wait for their originals: meanwhile the others go on. */
function waitingLast(parts: readonly ValidationPart[]): readonly ValidationPart[] {
  return [...parts].sort((one, other) => Number(one.folder.mirror === true) - Number(other.folder.mirror === true));
}

/** What follows a mirror whose original was not validated is told why; of the original that is told where it lives. */
async function withOriginal(
  validating: Validating,
  parts: readonly ValidationPart[],
  outcomes: Outcomes,
): Promise<readonly ValidationPart[]> {
  const { original, cancelling } = validating;
  const through: ValidationPart[] = [];
  for (const part of parts) {
    const { folder } = part;
    if (folder.mirror !== true || (await original?.(folder.code)) !== false) {
      through.push(part);
      continue;
    }
    const reason = { code: 'parent-not-validated', facts: { folder: folder.code, parent: folder.code } };
    const left = cancelling.soft.aborted ? nothingDone(folder, 'cancelled') : nothingDone(folder, 'skipped', reason);
    end(validating, outcomes, left);
  }
  return through;
}

const isBehind = (outcome: RunValidation | undefined): boolean =>
  outcome !== undefined && !['validated', 'unchanged'].includes(outcome.state);

async function take(validating: Validating, whole: Turn, outcomes: Outcomes): Promise<readonly Again<Turn>[]> {
  const turn = { ...whole, parts: await withOriginal(validating, whole.parts, outcomes) };
  if (turn.first.length > 0) {
    return previewTogether(validating, turn, {
      begins: (part) => begins(validating, part, outcomes),
      ended: (part, attempted) => settle(validating, part, attempted, outcomes),
      failed: (part, error) => failed(validating, part, error, outcomes),
      leftOut: (part, leader) => leaveOut(validating, part, leader, outcomes),
    });
  }
  const again: Again<Turn>[] = [];
  for (const part of turn.parts) {
    if (!begins(validating, part, outcomes)) continue;
    try {
      await settle(validating, part, await attemptValidation(validating, part), outcomes);
    } catch (error) {
      const pauseMs = await failed(validating, part, error as AttemptFailed, outcomes);
      if (pauseMs !== undefined) again.push({ item: { first: [], parts: [part] }, pauseMs });
    }
  }
  return again;
}

/** Else it is left out, and told so. */
function begins(validating: Validating, part: ValidationPart, outcomes: Outcomes): boolean {
  const { cancelling, stop, journal } = validating;
  const { folder } = part;
  if (cancelling.soft.aborted || stop.requested) {
    end(validating, outcomes, nothingDone(folder, cancelling.soft.aborted ? 'cancelled' : 'skipped'));
    return false;
  }
  const leader = leaderOf(folder) ?? '';
  // What it follows comes first, where it is in the run.
  if (isBehind(outcomes.get(leader))) {
    leaveOut(validating, part, leader, outcomes);
    return false;
  }
  part.attempts += 1;
  journal.states.set({ folder: folder.code, state: 'running', attempts: part.attempts });
  return true;
}

function leaveOut(validating: Validating, { folder }: ValidationPart, leader: string, outcomes: Outcomes): void {
  const facts = { folder: folder.code, parent: leader, command: `rustine validate ${leader} ${folder.code}` };
  tell(validating, [{ code: 'parent-not-validated', severity: 'warn', folder: folder.code, facts }]);
  end(validating, outcomes, nothingDone(folder, 'skipped', { code: 'parent-not-validated', facts }));
}

/** The folder's transaction has ended as it was to. */
async function settle(
  validating: Validating,
  part: ValidationPart,
  { outcome, findings }: Attempted,
  outcomes: Outcomes,
): Promise<void> {
  tell(validating, outcome.state === 'failed' ? findings : [...findings, ...leftToRun(validating, part)]);
  if (outcome.state !== 'failed') return end(validating, outcomes, outcome);
  const cause = findings.find(({ severity }) => severity === 'block');
  const { code = 'blocked', facts = {}, subject } = cause ?? {};
  await fail(validating, part, outcome, { code, facts: subject === undefined ? facts : { ...facts, subject } }, outcomes);
}

/** It was thrown out of: the folder is as it was. @returns after how many milliseconds it comes again; undefined: it does not */
async function failed(
  validating: Validating,
  part: ValidationPart,
  { cause, steps }: AttemptFailed,
  outcomes: Outcomes,
): Promise<number | undefined> {
  const { database, cancelling, run, process, lockTimeoutMs } = validating;
  const { folder } = part;
  if (cancelling.lost) throw new Failure('run-lost', { run, folder: folder.code });
  if (cancelling.hard.aborted) {
    end(validating, outcomes, nothingDone(folder, 'cancelled'));
    return undefined;
  }
  if (cause instanceof Failure && cause.code === 'run-lost') throw cause;
  if (cause instanceof Failure && cause.code === 'database-lost' && (await isLeaseGone(database, process)))
    throw new Failure('run-lost', { run, folder: folder.code });
  const wait = mayWait(part, lockTimeoutMs) ? await readLockWait(database, folder, cause) : undefined;
  if (wait !== undefined) {
    const pauseMs = pauseAfter(part.attempts, Math.random());
    const [blocker = null] = wait.blockers;
    part.waitedMs += waitOf(part, lockTimeoutMs) + pauseMs;
    validating.journal.states.set({ folder: folder.code, state: 'postponed', pauseMs, blocker });
    validating.journal.emit({
      kind: 'folder-postponed',
      folder: folder.code,
      file: '',
      attempt: part.attempts,
      pauseMs,
      ...wait,
    });
    return pauseMs;
  }
  const known = await lockFailure(database, folder, cause);
  if (!(known instanceof Failure) && !(known instanceof Refusal)) throw known;
  if (leaves(validating, part, known)) return 0;
  const { code } = known;
  const facts = inValidation(known, folder.code);
  const finding: Finding = { code, severity: 'block', folder: folder.code, facts };
  tell(validating, [finding]);
  tellSteps(validating, folder.code, steps);
  // What somebody has to mend is no failure of the world.
  const reason = known instanceof Refusal ? blockedReason([finding]) : { code, facts };
  const ms = steps.reduce((sum, step) => sum + step.ms, 0);
  const outcome = { ...nothingDone(folder, 'failed', reason), steps: [...part.before, ...steps], ms };
  await fail(validating, part, outcome, { code, facts }, outcomes);
  return undefined;
}

/** A script to run that fails is left where the operator says so: the folder comes again without it. */
function leaves({ forced }: Validating, { leftToRun }: ValidationPart, failure: Failure | Refusal): boolean {
  const script = failedAtEnd(failure);
  if (forced.scripts === undefined || script === undefined || leftToRun.has(script)) return false;
  leftToRun.set(script, failure.facts);
  return true;
}

function leftToRun({ forced, operator }: Validating, { folder, leftToRun: left }: ValidationPart): readonly Finding[] {
  return [...left].map(([script, { reason = '', sqlstate = '' }]) => {
    const command = `rustine script run ${script} --folder ${folder.code}`;
    const facts = {
      script,
      folder: folder.code,
      reason,
      sqlstate,
      command,
      check: 'scripts',
      forced: forced.scripts ?? '',
      by: operator,
    };
    return { code: 'script-left-to-run', severity: 'warn', folder: folder.code, subject: `EXE:${script}`, facts };
  });
}

/** What has to be mended in the folder locks it; a preview locks nothing. */
async function fail(
  validating: Validating,
  { folder }: ValidationPart,
  outcome: RunValidation,
  { code, facts = {} }: Pick<Finding, 'code' | 'facts'>,
  outcomes: Outcomes,
): Promise<void> {
  const { database, mode, run, process, operator, onError, stop, journal, stopPoint } = validating;
  if (onError === 'stop') stop.requested = true;
  stopPoint('validation-failed');
  if (mode !== 'validate' || !locksFolder({ code, facts })) return end(validating, outcomes, outcome);
  // Where the database is lost just now, the folder is as it was before: due, and not locked.
  const locked = await lockFolder(database, { folder: folder.id, process, run, by: operator, code, facts }).catch(
    (error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      return false;
    },
  );
  stopPoint('validation-locked');
  if (locked) journal.emit({ kind: 'folder-locked', folder: folder.code, reason: { code, facts } });
  end(validating, outcomes, locked ? { ...outcome, locked } : outcome);
}

function tell({ journal }: Validating, findings: readonly Finding[]): void {
  for (const finding of findings) {
    journal.findings.push(finding);
    journal.emit({ kind: 'finding', finding });
  }
}

/** Says and writes down what became of the folder. */
export function end(
  { journal, through }: Pick<Validating, 'journal' | 'through'>,
  outcomes: Outcomes,
  outcome: RunValidation,
): void {
  const { folder, state } = outcome;
  outcomes.set(folder, outcome);
  journal.emit({ kind: 'folder-finished', folder, state });
  // What changed one by one is for who asked for it: the row is read by everybody who looks on.
  const { differences: _, ...stored } = outcome;
  journal.states.set({ folder, state, outcome: stored, blocker: null });
  through(folder);
}
