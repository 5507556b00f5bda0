// One folder's part of a run: its patches in order, each in its own transaction; in a rehearsal all in one that is rolled back.
import { Bug, type Facts, Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import type { Folder } from '../environment/folder.ts';
import { lockFailure } from '../environment/sessions.ts';
import type { Integration, RunContext, StagedDelivery } from '../integrate/integrator.ts';
import { blockingFindings, emptyOutcome, integrate, integrateInto } from '../integrate/integrator.ts';
import type { Runner } from '../integrate/runner.ts';
import { settingsOf } from '../integrate/settings.ts';
import type { RunEvent } from '../journal/journal.ts';
import type { FolderOutcome, FolderRunState, PatchOutcome } from '../journal/outcome.ts';
import type { Delivery } from '../plan/delivery.ts';
import type { Preflight } from '../plan/preflight.ts';
import { runOutside } from './script-run.ts';

/** What the folders of a run share. */
export interface Running {
  readonly deliveries: readonly Delivery[];
  readonly preflight: Preflight;
  readonly supervisor: string;
  readonly onError: 'continue' | 'stop';
  /** Programs that run scripts of other languages than SQL. */
  readonly runners: Readonly<Record<string, Runner>>;
  readonly database: Database;
  readonly context: RunContext;
  readonly staged: ReadonlyMap<string, StagedDelivery>;
  readonly findings: Finding[];
  /** Files that the supervisor folder was to get and did not (R31). */
  readonly missedBySupervisor: Set<string>;
  readonly emit: (event: RunEvent) => void;
  stopped: boolean;
}

/** Carries one delivery out in the folder at hand. */
type Attempt = (staged: StagedDelivery) => Promise<Integration>;

export async function runFolder(running: Running, folder: Folder): Promise<FolderOutcome> {
  const { database, context } = running;
  const settings = settingsOf(folder);
  const tasks = running.preflight.tasks.get(folder.code);
  const inOne = context.ending === 'rollback' && running.deliveries.some(({ file }) => tasks?.get(file) === 'integrate');
  if (!inOne) return runPatches(running, folder, (staged) => integrate(database, settings, staged, context));
  // A later patch of the rehearsal builds on what an earlier one did, so the rollback comes once, at the end (R32).
  let outcome: FolderOutcome | undefined;
  try {
    await database.transaction(async (session) => {
      outcome = await runPatches(running, folder, (staged) => integrateInto(session, database, settings, staged, context));
    }, 'rollback');
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    outcome ??= await runPatches(running, folder, () => Promise.reject(error));
  }
  if (outcome === undefined) throw new Bug('rehearsal without outcome', { folder: folder.code });
  return outcome;
}

async function runPatches(running: Running, folder: Folder, attempt: Attempt): Promise<FolderOutcome> {
  const patches: PatchOutcome[] = [];
  let due = folder.due.length > 0;
  let broken = false;
  for (const delivery of running.deliveries) {
    const outcome =
      broken || running.stopped ? skipped(delivery.file) : await runPatch(running, folder, delivery, attempt, () => (due = true));
    patches.push(outcome);
    // Later patches may need this one: the folder stops at its first failure.
    if (outcome.state === 'failed' || (outcome.state === 'skipped' && outcome.reason?.code === 'folder-left-behind'))
      broken = true;
    if (outcome.state === 'failed' && running.onError === 'stop') running.stopped = true;
    if (folder.parent === null && (outcome.state === 'failed' || outcome.state === 'skipped'))
      running.missedBySupervisor.add(delivery.file);
  }
  const state = folderState(patches);
  running.emit({ kind: 'folder-finished', folder: folder.code, state });
  return { folder: folder.code, state, due, patches };
}

const skipped = (file: string): PatchOutcome => emptyOutcome(file, 'skipped', 0);

function folderState(patches: readonly PatchOutcome[]): FolderRunState {
  if (patches.some((patch) => patch.state === 'failed')) return 'failed';
  if (patches.some((patch) => patch.state === 'integrated')) return 'integrated';
  return patches.every((patch) => patch.state === 'already') ? 'unchanged' : 'skipped';
}

async function runPatch(
  running: Running,
  folder: Folder,
  delivery: Delivery,
  attempt: Attempt,
  markDue: () => void,
): Promise<PatchOutcome> {
  const { file } = delivery;
  const task = running.preflight.tasks.get(folder.code)?.get(file);
  if (task === 'already') return report(running, folder, emptyOutcome(file, 'already', 0));
  if (task !== 'integrate') return report(running, folder, skipped(file));
  if (folder.parent !== null && running.missedBySupervisor.has(file)) {
    const facts = { patch: file, supervisor: running.supervisor };
    for (const finding of await blockersOf(running, folder, delivery))
      addFinding(running, { ...finding, folder: folder.code, patch: file });
    addFinding(running, { code: 'folder-left-behind', severity: 'warn', folder: folder.code, patch: file, facts });
    return report(running, folder, { ...skipped(file), reason: { code: 'folder-left-behind', facts } });
  }
  running.emit({ kind: 'patch-started', folder: folder.code, file });
  const result = await tried(running, folder, delivery, attempt);
  for (const finding of result.findings) addFinding(running, { ...finding, folder: folder.code, patch: file });
  if (result.due) markDue();
  const outcome = report(running, folder, result.outcome);
  const { findings, left } = await runOutside(running, folder, result.pending);
  for (const finding of findings) addFinding(running, { ...finding, patch: file });
  return { ...outcome, pending: left };
}

/** The supervisor folder's failure is reported already; what this folder would have failed for by itself is worth knowing too. */
async function blockersOf(running: Running, folder: Folder, delivery: Delivery): Promise<readonly Finding[]> {
  const staged = running.staged.get(delivery.file);
  if (staged === undefined || running.stopped) return [];
  return blockingFindings(running.database, settingsOf(folder), staged, running.context).catch(() => []);
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
async function tried(running: Running, folder: Folder, delivery: Delivery, attempt: Attempt): Promise<Integration> {
  const staged = running.staged.get(delivery.file);
  if (staged === undefined) throw new Bug('delivery was not staged', { file: delivery.file });
  try {
    return await attempt(staged);
  } catch (error) {
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
