// A run over folders: supervisor folder first, then level by level, several folders at once; one transaction per folder and patch.
import { randomUUID } from 'node:crypto';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import type { Folder } from '../environment/folder.ts';
import type { RunContext, StagedDelivery } from '../integrate/integrator.ts';
import { emptyOutcome } from '../integrate/integrator.ts';
import type { Runner } from '../integrate/runner.ts';
import type { RunEvent, RunListener } from '../journal/journal.ts';
import type { FolderOutcome, RunMode, RunOutcome, RunState } from '../journal/outcome.ts';
import { beginRun, finishRun, type NotedEvent, noteEvents } from '../journal/runs.ts';
import type { Delivery } from '../plan/delivery.ts';
import { stageDelivery } from '../plan/facts.ts';
import type { Preflight } from '../plan/preflight.ts';
import { clearStaging, sweepStaging } from '../plan/staging.ts';
import type { Running } from './folder-run.ts';
import { runFolder } from './folder-run.ts';

export interface RunRequest {
  readonly mode: RunMode;
  readonly deliveries: readonly Delivery[];
  /** Folders given, level by level, the supervisor folder first. */
  readonly folders: readonly Folder[];
  readonly supervisor: string;
  readonly from: string;
  readonly operator: string;
  readonly authorized: readonly string[];
  readonly takeUnchanged: boolean;
  readonly forced: Readonly<Record<string, string>>;
  readonly onError: 'continue' | 'stop';
  readonly jobs: number;
  readonly lockTimeoutMs: number;
  readonly scriptTimeoutMs: number;
  /** Programs that run scripts of other languages than SQL. */
  readonly runners: Readonly<Record<string, Runner>>;
  readonly preflight: Preflight;
  readonly listener: RunListener;
  readonly stopPoint: (name: string) => void;
}

/** Runs everything that preflight let through. */
export async function run(database: Database, request: RunRequest): Promise<RunOutcome> {
  const started = performance.now();
  const id = randomUUID();
  let seq = 0;
  const noted: NotedEvent[] = [];
  // What a folder integrated is written in its transaction (not in a rehearsal, which leaves nothing); the listener hears of all.
  const emit = (event: RunEvent): void => {
    const written = event.kind === 'patch-finished' && event.outcome.state === 'integrated' && request.mode === 'integrate';
    if (!written) noted.push({ seq: ++seq, event, at: performance.now() });
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
    takeUnchanged: request.takeUnchanged,
    forced: request.forced,
    records: true,
    lockTimeoutMs: request.lockTimeoutMs,
    scriptTimeoutMs: request.scriptTimeoutMs,
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
    const { deliveries, preflight, supervisor, onError, runners } = request;
    const shared = { deliveries, preflight, supervisor, onError, runners, database, context, staged, findings, emit };
    const folders = await runLevels({ ...shared, missedBySupervisor: new Set(), stopped: false }, request);
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
    folder: folder.code,
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

async function runLevels(running: Running, request: RunRequest): Promise<readonly FolderOutcome[]> {
  const outcomes = new Map<string, FolderOutcome>();
  const levels = [...Map.groupBy(request.folders, (folder) => folder.depth)].sort(([a], [b]) => a - b);
  for (const [, folders] of levels) {
    const waiting = [...folders];
    const work = async (): Promise<void> => {
      for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift()) {
        outcomes.set(folder.code, await runFolder(running, folder));
      }
    };
    await allOrFirstError(running, Array.from({ length: Math.min(request.jobs, folders.length) }, work));
  }
  return request.folders.map((folder) => outcomes.get(folder.code) ?? skippedFolder(folder, []));
}

/** A bug of ours in one folder lets the others end what they are at: what they read is removed only then. */
async function allOrFirstError(running: Running, works: readonly Promise<void>[]): Promise<void> {
  for (const work of works) work.catch(() => (running.stopped = true));
  const failed = (await Promise.allSettled(works)).find((work) => work.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
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
