// A run over folders: supervisor folder first, then level by level, several folders at once; one transaction per folder and patch.
import { randomUUID } from 'node:crypto';
import { Bug, Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import { sqlState } from '../database/postgres.ts';
import type { Folder } from '../environment/folder.ts';
import type { Integration, RunContext, StagedDelivery } from '../integrate/integrator.ts';
import { blockingFindings, emptyOutcome, integrate } from '../integrate/integrator.ts';
import { settingsOf } from '../integrate/settings.ts';
import type { RunEvent, RunListener } from '../journal/journal.ts';
import type { FolderOutcome, FolderRunState, PatchOutcome, RunMode, RunOutcome, RunState } from '../journal/outcome.ts';
import { beginRun, finishRun, noteEvents } from '../journal/runs.ts';
import type { Delivery } from '../plan/delivery.ts';
import { stageDelivery } from '../plan/facts.ts';
import type { Preflight } from '../plan/preflight.ts';
import { clearStaging, sweepStaging } from '../plan/staging.ts';

export interface RunRequest {
  readonly mode: RunMode;
  readonly deliveries: readonly Delivery[];
  /** Folders given, level by level, the supervisor folder first. */
  readonly folders: readonly Folder[];
  readonly supervisor: string;
  readonly from: string;
  readonly operator: string;
  readonly authorized: readonly string[];
  readonly forced: Readonly<Record<string, string>>;
  readonly onError: 'continue' | 'stop';
  readonly jobs: number;
  readonly lockTimeoutMs: number;
  readonly preflight: Preflight;
  readonly listener: RunListener;
  readonly stopPoint: (name: string) => void;
}

interface Running {
  readonly request: RunRequest;
  readonly database: Database;
  readonly context: RunContext;
  readonly staged: ReadonlyMap<string, StagedDelivery>;
  readonly findings: Finding[];
  /** Files that the supervisor folder was to get and did not (R31). */
  readonly missedBySupervisor: Set<string>;
  readonly emit: (event: RunEvent) => void;
  stopped: boolean;
}

/** Runs everything that preflight let through. */
export async function run(database: Database, request: RunRequest): Promise<RunOutcome> {
  const started = performance.now();
  const id = randomUUID();
  let seq = 0;
  const noted: { seq: number; event: RunEvent }[] = [];
  // What a folder integrated is written in its transaction (not in a rehearsal, which leaves nothing); the listener hears of all.
  const emit = (event: RunEvent): void => {
    const written = event.kind === 'patch-finished' && event.outcome.state === 'integrated' && request.mode === 'integrate';
    if (!written) noted.push({ seq: ++seq, event });
    request.listener(event);
  };
  const files = request.deliveries.map((delivery) => delivery.file);
  const findings: Finding[] = [...request.preflight.findings];
  await beginRun(database, {
    id,
    mode: request.mode,
    from: request.from,
    operator: request.operator,
    files,
    authorized: request.authorized,
    forced: request.forced,
  });
  emit({ kind: 'run-started', run: id, mode: request.mode, files, folders: request.folders.map((folder) => folder.code) });
  for (const { file, elements, bytes } of request.deliveries) emit({ kind: 'file-read', file, elements: elements.length, bytes });
  for (const finding of findings) emit({ kind: 'finding', finding });
  const context: RunContext = {
    run: id,
    operator: request.operator,
    ending: request.mode === 'rehearse' ? 'rollback' : 'commit',
    authorized: request.authorized,
    forced: request.forced,
    records: true,
    lockTimeoutMs: request.lockTimeoutMs,
    nextEvent: () => ++seq,
    stopPoint: request.stopPoint,
  };
  const finish = async (state: RunState, folders: readonly FolderOutcome[]): Promise<RunOutcome> => {
    emit({ kind: 'run-finished', run: id, state, ms: Math.round(performance.now() - started) });
    await noteEvents(database, id, noted.splice(0));
    await finishRun(database, id, state);
    return { run: id, mode: request.mode, state, findings, folders };
  };
  if (blocks(findings))
    return finish(
      'refused',
      request.folders.map((folder) => skippedFolder(folder, files)),
    );
  await noteEvents(database, id, noted.splice(0));
  await sweepStaging(database);
  const staged = await stageAll(database, request);
  try {
    const running: Running = {
      request,
      database,
      context,
      staged,
      findings,
      missedBySupervisor: new Set(),
      emit,
      stopped: false,
    };
    const folders = await runLevels(running);
    return await finish(stateOf(folders), folders);
  } catch (error) {
    // Nobody else would say that it ended; where the database is lost, the next run does.
    await finishRun(database, id, 'failed').catch(() => undefined);
    throw error;
  } finally {
    await unstage(database, [...staged.values()]);
  }
}

function skippedFolder(folder: Folder, files: readonly string[]): FolderOutcome {
  return {
    code: folder.code,
    state: 'skipped',
    due: folder.due.length > 0,
    patches: files.map((file) => emptyOutcome(file, 'skipped', 0)),
  };
}

/** Only deliveries that some folder still needs are staged: nothing to do costs nothing. */
async function stageAll(database: Database, request: RunRequest): Promise<ReadonlyMap<string, StagedDelivery>> {
  const needed = request.deliveries.filter(({ file }) =>
    request.folders.some((folder) => request.preflight.tasks.get(folder.code)?.get(file) === 'integrate'),
  );
  const staged = new Map<string, StagedDelivery>();
  for (const delivery of needed) {
    const stagedAs = await database.transaction((session) => stageDelivery(session, delivery));
    staged.set(delivery.file, { delivery, stagedAs, plans: new Map() });
  }
  return staged;
}

/** Removes what the run staged, also of plans that failed to be made. */
export async function unstage(database: Database, staged: readonly StagedDelivery[]): Promise<void> {
  if (staged.length === 0) return;
  const settled = await Promise.allSettled(staged.flatMap((each) => [...each.plans.values()]));
  const plans = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value.id] : []));
  // A lost connection must not hide the reason why the run ended; what stays staged is removed by a later run.
  await database
    .transaction((session) => clearStaging(session, [...plans, ...staged.map((each) => each.stagedAs)]))
    .catch(() => undefined);
}

async function runLevels(running: Running): Promise<readonly FolderOutcome[]> {
  const outcomes = new Map<string, FolderOutcome>();
  const levels = [...Map.groupBy(running.request.folders, (folder) => folder.depth)].sort(([a], [b]) => a - b);
  for (const [, folders] of levels) {
    const waiting = [...folders];
    const work = async (): Promise<void> => {
      for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift()) {
        outcomes.set(folder.code, await runFolder(running, folder));
      }
    };
    await Promise.all(Array.from({ length: Math.min(running.request.jobs, folders.length) }, work));
  }
  return running.request.folders.map((folder) => outcomes.get(folder.code) ?? skippedFolder(folder, []));
}

async function runFolder(running: Running, folder: Folder): Promise<FolderOutcome> {
  const patches: PatchOutcome[] = [];
  let due = folder.due.length > 0;
  let broken = false;
  for (const delivery of running.request.deliveries) {
    const outcome =
      broken || running.stopped ? skipped(delivery.file) : await runPatch(running, folder, delivery, () => (due = true));
    patches.push(outcome);
    // Later patches may need this one: the folder stops at its first failure.
    if (outcome.state === 'failed' || (outcome.state === 'skipped' && outcome.reason?.code === 'folder-left-behind'))
      broken = true;
    if (outcome.state === 'failed' && running.request.onError === 'stop') running.stopped = true;
    if (folder.parent === null && (outcome.state === 'failed' || outcome.state === 'skipped'))
      running.missedBySupervisor.add(delivery.file);
  }
  const state = folderState(patches);
  running.emit({ kind: 'folder-finished', folder: folder.code, state });
  return { code: folder.code, state, due, patches };
}

const skipped = (file: string): PatchOutcome => emptyOutcome(file, 'skipped', 0);

function folderState(patches: readonly PatchOutcome[]): FolderRunState {
  if (patches.some((patch) => patch.state === 'failed')) return 'failed';
  if (patches.some((patch) => patch.state === 'integrated')) return 'integrated';
  return patches.every((patch) => patch.state === 'already') ? 'unchanged' : 'skipped';
}

function stateOf(folders: readonly FolderOutcome[]): RunState {
  const failed = folders.some(
    (folder) => folder.state === 'failed' || folder.patches.some((patch) => patch.reason !== undefined),
  );
  if (!failed) return 'done';
  const changed = folders.some((folder) => folder.patches.some((patch) => patch.state === 'integrated'));
  if (changed) return 'partial';
  const onlyBlocked = folders.every((folder) =>
    folder.patches.every((patch) => patch.state !== 'failed' || patch.reason?.code === 'blocked'),
  );
  return onlyBlocked ? 'refused' : 'failed';
}

async function runPatch(running: Running, folder: Folder, delivery: Delivery, markDue: () => void): Promise<PatchOutcome> {
  const { file } = delivery;
  const task = running.request.preflight.tasks.get(folder.code)?.get(file);
  if (task === 'already') return report(running, folder, emptyOutcome(file, 'already', 0));
  if (task !== 'integrate') return report(running, folder, skipped(file));
  if (folder.parent !== null && running.missedBySupervisor.has(file)) {
    const facts = { patch: file, supervisor: running.request.supervisor };
    for (const finding of await blockersOf(running, folder, delivery))
      addFinding(running, { ...finding, folder: folder.code, patch: file });
    addFinding(running, { code: 'folder-left-behind', severity: 'warn', folder: folder.code, patch: file, facts });
    return report(running, folder, { ...skipped(file), reason: { code: 'folder-left-behind', facts } });
  }
  running.emit({ kind: 'patch-started', folder: folder.code, file });
  const result = await attempt(running, folder, delivery);
  for (const finding of result.findings) addFinding(running, { ...finding, folder: folder.code, patch: file });
  if (result.due) markDue();
  return report(running, folder, result.outcome);
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
async function attempt(running: Running, folder: Folder, delivery: Delivery): Promise<Integration> {
  const staged = running.staged.get(delivery.file);
  if (staged === undefined) throw new Bug('delivery was not staged', { file: delivery.file });
  try {
    return await integrate(running.database, settingsOf(folder), staged, running.context);
  } catch (error) {
    if (!(error instanceof Failure) && !(error instanceof Refusal)) throw error;
    const reason = reasonOf(error, folder);
    return {
      outcome: { ...emptyOutcome(delivery.file, 'failed', 0), reason },
      findings: [{ code: reason.code, severity: 'block', facts: reason.facts }],
      due: false,
    };
  }
}

const LOCK_NOT_AVAILABLE = '55P03';

function reasonOf(error: Failure | Refusal, folder: Folder): { readonly code: string; readonly facts: Finding['facts'] } {
  if (sqlState(error) === LOCK_NOT_AVAILABLE)
    return { code: 'lock-timeout', facts: { folder: folder.code, blocker: '', table: String(error.facts.where ?? '') } };
  return { code: error.code, facts: error.facts };
}
