// One folder's part of a run: its patches in order, each in its own transaction; in a rehearsal all in one that is rolled back.
import { Bug, type Facts, Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Database, Session } from '../database/database.ts';
import type { Folder } from '../environment/folder.ts';
import { lockFailure, readLockWait } from '../environment/sessions.ts';
import type { Integration, RunContext, StagedDelivery } from '../integrate/integrator.ts';
import { blockingFindings, blockingFindingsInside, integrate, integrateInto } from '../integrate/integrator.ts';
import { readLostAnswer } from '../integrate/lost-answer.ts';
import type { Runner } from '../integrate/runner.ts';
import { settingsOf } from '../integrate/settings.ts';
import type { FolderProgress } from '../journal/folder-progress.ts';
import type { RunEvent } from '../journal/journal.ts';
import type { FolderOutcome, PatchOutcome } from '../journal/outcome.ts';
import { emptyOutcome } from '../journal/outcome.ts';
import { isLeaseGone } from '../journal/processes.ts';
import type { FolderStates } from '../journal/run-folders.ts';
import type { Delivery } from '../plan/delivery.ts';
import type { OutsideRun } from '../plan/plan.ts';
import type { Preflight } from '../plan/preflight.ts';
import type { Cancelling } from './cancelling.ts';
import { Aborted, type FolderPart, mayWait, outcomeOf, Postponed, partOf, attemptMs as waitOf } from './folder-part.ts';
import type { OutsideOutcome } from './script-run.ts';

/** What the folders of a run share. */
export interface Running {
  readonly deliveries: readonly Delivery[];
  readonly preflight: Preflight;
  readonly supervisor: string;
  readonly onError: 'continue' | 'stop';
  /** Programs that run scripts of other languages than SQL. */
  readonly runners: Readonly<Record<string, Runner>>;
  readonly database: Database;
  /** Its limit for locks is that of all attempts together. */
  readonly context: RunContext;
  readonly staged: ReadonlyMap<string, StagedDelivery>;
  readonly findings: Finding[];
  /** How often a worker has taken the run up; 0: it is a command's. */
  readonly turn: number;
  /** What folders got of this run from a worker before. */
  readonly got: ReadonlyMap<string, FolderProgress>;
  /** Files that the supervisor folder was to get and did not (R31). */
  readonly missedBySupervisor: Set<string>;
  readonly states: FolderStates;
  /** What becomes of scripts that run outside of the database, once a patch is in a folder. */
  readonly outside: (running: Running, folder: Folder, pending: readonly OutsideRun[], file: string) => Promise<OutsideOutcome>;
  readonly cancelling: Cancelling;
  readonly emit: (event: RunEvent) => void;
  /** Its users may come in again. */
  readonly through: (folder: string) => void;
  /** After a failure, where that stops the others. */
  readonly stop: { requested: boolean };
  /** In a rehearsal: folders with those whose gains they need, or that need theirs, ancestors first. */
  readonly together: ReadonlyMap<string, readonly Folder[]>;
  /** Where canaries live on other servers too: those of all that did not get everything, once all are through. */
  readonly canaries?: (failed: readonly string[]) => Promise<readonly string[]>;
}

/** Carries one delivery out in the folder at hand. */
type Attempt = (staged: StagedDelivery) => Promise<Integration>;

export const filesOf = ({ deliveries }: Running): readonly string[] => deliveries.map(({ file }) => file);

export function hasWork({ deliveries, preflight }: Running, { code }: Folder): boolean {
  const tasks = preflight.tasks.get(code);
  return deliveries.some(({ file }) => tasks?.get(file) === 'integrate');
}

/** Folders that have something to get, with what that is. */
export function withWork(
  { deliveries, preflight }: Pick<Running, 'deliveries' | 'preflight'>,
  folders: readonly Folder[],
): readonly { readonly folder: Folder; readonly deliveries: readonly Delivery[] }[] {
  return folders
    .map((folder) => ({
      folder,
      deliveries: deliveries.filter(({ file }) => preflight.tasks.get(folder.code)?.get(file) === 'integrate'),
    }))
    .filter((each) => each.deliveries.length > 0);
}

/** How long a statement of the part's next attempt may wait. */
export const attemptMs = ({ context }: Running, part: FolderPart): number => waitOf(part, context.lockTimeoutMs);

/**
 * Goes on where the part stopped.
 * @throws Postponed when somebody else is in the way: the folder is as it was before the patch, in a rehearsal before all of them
 */
export async function runFolder(running: Running, part: FolderPart): Promise<FolderOutcome> {
  const context = { ...running.context, lockTimeoutMs: attemptMs(running, part) };
  const { database, cancelling } = running;
  const { folder } = part;
  try {
    if (context.ending === 'rollback' && hasWork(running, folder)) await rehearse(running, part, context);
    else await runPatches(running, part, (staged) => integrateHeard(database, folder, staged, context));
  } catch (error) {
    if (!(error instanceof Aborted) || !cancelling.hard.aborted) throw error;
    part.cancelled = true;
  }
  noteMissed(running, part);
  return endFolder(running, part);
}

/** Says what became of the folder. */
export function endFolder(running: Running, part: FolderPart): FolderOutcome {
  const outcome = outcomeOf(part, filesOf(running));
  running.emit({ kind: 'folder-finished', folder: outcome.folder, state: outcome.state });
  return outcome;
}

/** What came of it although nobody heard so, is what came of it. */
async function integrateHeard(
  database: Database,
  folder: Folder,
  staged: StagedDelivery,
  context: RunContext,
): Promise<Integration> {
  try {
    return await integrate(database, settingsOf(folder), staged, context);
  } catch (error) {
    const known = await readLostAnswer(database, folder, staged.delivery.file, context, error);
    if (known === undefined) throw error;
    return known;
  }
}

/** What the supervisor folder was to get and did not, nobody else gets (R31). */
export function noteMissed(running: Running, part: FolderPart): void {
  if (part.folder.parent !== null) return;
  for (const { file, state } of outcomeOf(part, filesOf(running)).patches)
    if (state === 'failed' || state === 'skipped') running.missedBySupervisor.add(file);
}

/** A later patch of the rehearsal builds on what an earlier one did, so the rollback comes once, at the end (R32). */
async function rehearse(running: Running, part: FolderPart, context: RunContext): Promise<void> {
  const { database, cancelling } = running;
  const settings = settingsOf(part.folder);
  // What is found is told when the attempt has ended: one that is begun anew finds it again.
  const held: RunEvent[] = [];
  const findings: Finding[] = [];
  const emit = (event: RunEvent): void => (event.kind === 'patch-started' ? running.emit(event) : void held.push(event));
  const holding: Running = { ...running, findings, emit };
  const again = (): void => {
    Object.assign(part, partOf(part.folder), { attempts: part.attempts, waitedMs: part.waitedMs });
    held.length = 0;
    findings.length = 0;
  };
  try {
    await database.transaction(
      (session) => runPatches(holding, part, (staged) => integrateInto(session, database, settings, staged, context), session),
      'rollback',
      context.aborted,
    );
  } catch (error) {
    const whole = part.patches.length === running.deliveries.length;
    if (!whole || !(error instanceof Failure)) again();
    if (cancelling.hard.aborted) throw new Aborted();
    if (!(error instanceof Failure) || error.code === 'run-lost') throw error;
    await runPatches(holding, part, () => Promise.reject(error));
  }
  running.findings.push(...findings);
  for (const event of held) running.emit(event);
}

/** @param inside the transaction that all of it is done in, if it is one */
export async function runPatches(running: Running, part: FolderPart, attempt: Attempt, inside?: Session): Promise<void> {
  const { folder } = part;
  const tasks = running.preflight.tasks.get(folder.code);
  for (const delivery of running.deliveries.slice(part.patches.length)) {
    const { file } = delivery;
    if (!part.broken && running.cancelling.soft.aborted && tasks?.get(file) === 'integrate') part.cancelled = true;
    const left = part.broken || part.cancelled || running.stop.requested;
    const outcome = left ? skipped(file) : await runPatch(running, part, delivery, attempt, inside);
    part.patches.push(outcome);
    // Later patches may need this one: the folder stops at its first failure.
    if (outcome.state === 'failed' || (outcome.state === 'skipped' && outcome.reason?.code === 'folder-left-behind'))
      part.broken = true;
    if (outcome.state === 'failed' && running.onError === 'stop') running.stop.requested = true;
  }
}

/** Writes down what the folder came to. */
export function finishFolder(running: Running, { folder }: FolderPart, outcome: FolderOutcome): FolderOutcome {
  running.states.set({ folder: folder.code, state: outcome.state, outcome, blocker: null });
  return outcome;
}

/** Leaves the folder out, for a reason; what it got before stays. */
export function skipFolder(
  running: Running,
  part: FolderPart,
  reason: NonNullable<PatchOutcome['reason']>,
  state: 'skipped' | 'failed' = 'skipped',
): FolderOutcome {
  const tasks = running.preflight.tasks.get(part.folder.code);
  part.patches = running.deliveries.map(({ file }, at) => {
    const had = part.patches[at];
    if (had !== undefined) return had;
    const outcome = tasks?.get(file) === 'integrate' ? { ...skipped(file), reason } : skipped(file);
    return report(running, part.folder, outcome);
  });
  const outcome = { ...outcomeOf(part, []), state };
  running.emit({ kind: 'folder-finished', folder: outcome.folder, state: outcome.state });
  return finishFolder(running, part, outcome);
}

const skipped = (file: string): PatchOutcome => emptyOutcome(file, 'skipped', 0);

async function runPatch(
  running: Running,
  part: FolderPart,
  delivery: Delivery,
  attempt: Attempt,
  inside: Session | undefined,
): Promise<PatchOutcome> {
  const { folder } = part;
  const { file } = delivery;
  const task = running.preflight.tasks.get(folder.code)?.get(file);
  if (task === 'already') return report(running, folder, emptyOutcome(file, 'already', 0));
  if (task !== 'integrate') return report(running, folder, skipped(file));
  // A mirror of the supervisor folder gets what that one got.
  if ((folder.parent !== null || folder.mirror === true) && running.missedBySupervisor.has(file)) {
    const facts = { patch: file, supervisor: running.supervisor };
    for (const finding of await blockersOf(running, folder, delivery, inside))
      addFinding(running, { ...finding, folder: folder.code, patch: file });
    addFinding(running, { code: 'folder-left-behind', severity: 'warn', folder: folder.code, patch: file, facts });
    return report(running, folder, { ...skipped(file), reason: { code: 'folder-left-behind', facts } });
  }
  running.emit({ kind: 'patch-started', folder: folder.code, file });
  const result = await tried(running, part, delivery, attempt);
  for (const finding of result.findings) addFinding(running, { ...finding, folder: folder.code, patch: file });
  if (result.due) part.due = true;
  const outcome = report(running, folder, result.outcome);
  const pending = folder.mirror === true ? [] : result.pending;
  const { findings, left, done } = await running.outside(running, folder, pending, file);
  for (const finding of findings) addFinding(running, { ...finding, patch: file });
  return { ...outcome, pending: left, ...(done.length === 0 ? {} : { ranOutside: done }) };
}

/** The supervisor folder's failure is reported already; what this folder would have failed for by itself is worth knowing too. */
async function blockersOf(
  running: Running,
  folder: Folder,
  delivery: Delivery,
  inside: Session | undefined,
): Promise<readonly Finding[]> {
  const staged = running.staged.get(delivery.file);
  if (staged === undefined || running.stop.requested) return [];
  const { database, context } = running;
  const settings = settingsOf(folder);
  const found =
    inside === undefined
      ? blockingFindings(database, settings, staged, context)
      : blockingFindingsInside(inside, database, settings, staged, context);
  return found.catch(() => []);
}

function addFinding(running: Running, finding: Finding): void {
  running.findings.push(finding);
  running.emit({ kind: 'finding', finding });
}

function report(running: Running, folder: Folder, outcome: PatchOutcome): PatchOutcome {
  running.emit({ kind: 'patch-finished', folder: folder.code, outcome });
  return outcome;
}

/** A failure of one folder is that folder's outcome; a bug of ours stops the program. */
async function tried(running: Running, part: FolderPart, delivery: Delivery, attempt: Attempt): Promise<Integration> {
  const { folder } = part;
  const staged = running.staged.get(delivery.file);
  if (staged === undefined) throw new Bug('delivery was not staged', { file: delivery.file });
  try {
    return await attempt(staged);
  } catch (error) {
    if (running.cancelling.lost) throw new Failure('run-lost', { run: running.context.run, folder: folder.code });
    if (running.cancelling.hard.aborted) throw new Aborted();
    // Somebody else has settled this run: nothing of it may be done any more, in no folder.
    if (error instanceof Failure && error.code === 'run-lost') throw error;
    // So it is with a session that was ended because its program was taken for dead.
    if (error instanceof Failure && error.code === 'database-lost' && (await isLeaseGone(running.database, staged.lease)))
      throw new Failure('run-lost', { run: running.context.run, folder: folder.code });
    const wait = mayWait(part, running.context.lockTimeoutMs) ? await readLockWait(running.database, folder, error) : undefined;
    if (wait !== undefined) throw new Postponed(delivery.file, wait);
    const known = await lockFailure(running.database, folder, error);
    if (!(known instanceof Failure) && !(known instanceof Refusal)) throw known;
    const { code, facts } = known;
    // What somebody has to mend is no failure of the world.
    const reason = known instanceof Refusal ? { code: 'blocked', facts: { codes: [code] } } : { code, facts };
    return {
      outcome: { ...emptyOutcome(delivery.file, 'failed', 0), reason },
      findings: [{ code, severity: 'block', ...subjectIn(facts), facts }],
      due: false,
      pending: [],
    };
  }
}

/** An error that names an element is about it. */
const subjectIn = ({ element }: Facts): Pick<Finding, 'subject'> => (typeof element === 'string' ? { subject: element } : {});
