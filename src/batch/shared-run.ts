// A worker's part in a run that several carry out: it claims folders, brings the patches in, says what they came to, and ends the run when nothing is left.
import { Bug, Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import type { Folder } from '../environment/folder.ts';
import { letIn } from '../environment/logins.ts';
import { emptyOutcome, type RunContext, type StagedDelivery } from '../integrate/integrator.ts';
import type { Runner } from '../integrate/runner.ts';
import type { RunEvent, RunListener } from '../journal/journal.ts';
import type { FolderOutcome } from '../journal/outcome.ts';
import { deadProcesses } from '../journal/processes.ts';
import { type NotedEvent, noteEvents, serverEpoch } from '../journal/runs.ts';
import {
  claimFolder,
  endSharedRun,
  type FolderClaim,
  joinRun,
  leaveOut,
  readRunFolders,
  readSharedRun,
  type SharedRunRow,
  settleFolder,
} from '../journal/shared-runs.ts';
import type { Delivery } from '../plan/delivery.ts';
import { stageDelivery } from '../plan/facts.ts';
import type { Preflight } from '../plan/preflight.ts';
import { type Cancelling, cancelling } from './cancelling.ts';
import { type FolderPart, outcomeOf, Postponed, partOf, pauseAfter } from './folder-part.ts';
import { attemptMs, filesOf, type Running, runFolder, skipFolder } from './folder-run.ts';
import { stateOf, unstage } from './run.ts';
import { runOutside } from './script-run.ts';
import { failedCanaries } from './wave-run.ts';
import { type Wave, wavesOf } from './waves.ts';

export interface SharedRunRequest {
  readonly row: SharedRunRow;
  /** Lease of the worker. */
  readonly lease: string;
  readonly deliveries: readonly Delivery[];
  readonly tasks: Preflight['tasks'];
  readonly folders: readonly Folder[];
  readonly supervisor: string;
  readonly first: readonly string[];
  readonly takeUnchanged: boolean;
  readonly onError: 'continue' | 'stop';
  readonly lockTimeoutMs: number;
  readonly scriptTimeoutMs: number;
  readonly runners: Readonly<Record<string, Runner>>;
  readonly listener: RunListener;
  /** Called at named points; tests stop the program there. */
  readonly reached: (name: string) => void;
  /** The worker is to stop: folders at work end their patch, and go back. */
  readonly stop: AbortSignal;
  /** The worker was taken for dead: what it is at is rolled back. */
  readonly lost: AbortSignal;
}

/** A folder whose workers die is not tried for ever. */
const MOST_LOST = 3;
const WATCH_MS = 1_000;

/** `wait`: nothing can be taken now · `over`: the run has ended. */
export type Step = (() => Promise<void>) | 'wait' | 'over';

export interface SharedRun {
  /** Writes down what happened to the run as a whole. */
  note(events: readonly RunEvent[]): Promise<void>;
  /** Numbers events that somebody else writes down. */
  numbered(events: readonly RunEvent[]): readonly { readonly seq: number; readonly event: RunEvent }[];
  step(): Promise<Step>;
  /** What was staged is removed. */
  leave(): Promise<void>;
}

interface Sharing extends SharedRunRequest {
  readonly database: Database;
  readonly running: Running;
  readonly asked: Cancelling;
  readonly waves: readonly Wave[];
  readonly byCode: ReadonlyMap<string, Folder>;
  /** Milliseconds that folders have waited for locks here. */
  readonly waited: Map<string, number>;
  /** Somebody wants the run, not only this worker, to stop. */
  readonly cancelled: () => boolean;
  readonly flush: () => Promise<void>;
}

/** Joins the run; what its folders still need is staged when there is something to do. */
export async function joinSharedRun(database: Database, request: SharedRunRequest): Promise<SharedRun> {
  const { row, deliveries, folders, tasks, lease } = request;
  let seq = await joinRun(database, row.id);
  const epoch = await serverEpoch(database);
  const noted: NotedEvent[] = [];
  const asked = cancelling(row.operator, { cancel: request.stop, abort: request.lost });
  let cancelledBy: string | null = row.cancelBy;
  const emit = (event: RunEvent): void => {
    // A worker that stops gives its folder back: nothing of it has ended.
    if (event.kind === 'folder-finished' && event.state === 'cancelled' && cancelledBy === null) return;
    const written = event.kind === 'patch-finished' && event.outcome.state === 'integrated' && row.mode === 'integrate';
    if (!written) noted.push({ seq: ++seq, event, at: performance.now() });
    request.listener(event);
  };
  const context: RunContext = {
    run: row.id,
    operator: row.operator,
    ending: row.mode === 'rehearse' ? 'rollback' : 'commit',
    authorized: row.authorized,
    takeUnchanged: request.takeUnchanged,
    forced: row.forced,
    records: true,
    lockTimeoutMs: request.lockTimeoutMs,
    scriptTimeoutMs: request.scriptTimeoutMs,
    nextEvent: () => ++seq,
    stopPoint: request.reached,
    aborted: asked.hard,
  };
  const staged = new Map<string, StagedDelivery>();
  const stageAll = async (): Promise<void> => {
    for (const delivery of deliveries) {
      if (!folders.some(({ code }) => tasks.get(code)?.get(delivery.file) === 'integrate')) continue;
      const stagedAs = await database.transaction((session) => stageDelivery(session, lease, delivery));
      staged.set(delivery.file, { delivery, stagedAs, lease, plans: new Map() });
    }
  };
  let staging: Promise<void> | undefined;
  const running: Running = {
    deliveries,
    preflight: { tasks, findings: [] },
    supervisor: request.supervisor,
    onError: request.onError,
    runners: request.runners,
    database,
    context,
    staged,
    findings: [],
    outside: runOutside,
    missedBySupervisor: new Set(),
    // Here a folder's row is written when it is settled, by whoever has claimed it.
    states: { set: () => undefined, written: async () => undefined },
    cancelling: asked,
    emit,
    // What fails here is made good when the run ends.
    through: (folder) => void letIn(database, { run: row.id, folders: [folder] }).catch(() => undefined),
    stop: { requested: false },
  };
  const watch = setInterval(() => {
    void readSharedRun(database, row.id)
      .then((now) => {
        cancelledBy ??= now?.cancelBy ?? null;
        if (cancelledBy !== null) asked.request(cancelledBy, false);
      })
      .catch(() => undefined);
  }, WATCH_MS);
  const sharing: Sharing = {
    ...request,
    database,
    running,
    asked,
    waves: wavesOf(folders, request.first),
    byCode: new Map(folders.map((folder) => [folder.code, folder])),
    waited: new Map(),
    cancelled: () => cancelledBy !== null,
    flush: () => noteEvents(database, row.id, noted.splice(0), epoch),
  };
  if (cancelledBy !== null) asked.request(cancelledBy, false);
  return {
    note: async (events) => {
      for (const event of events) emit(event);
      await sharing.flush();
    },
    numbered: (events) => events.map((event) => ({ seq: ++seq, event })),
    step: async () => {
      staging ??= stageAll();
      await staging;
      return step(sharing);
    },
    leave: async () => {
      clearInterval(watch);
      asked.end();
      await sharing.flush().catch(() => undefined);
      await unstage(database, [...staged.values()]);
    },
  };
}

async function step(sharing: Sharing): Promise<Step> {
  const { database, row, lease, stop } = sharing;
  if (stop.aborted) return 'wait';
  await leaveOutOthers(sharing);
  const dead = (await deadProcesses(database)).map(({ id }) => id);
  const claimed = await claimFolder(database, row.id, lease, dead);
  switch (claimed.kind) {
    case 'folder':
      return () => workOn(sharing, claimed.claim);
    case 'wait':
      return 'wait';
    case 'ended':
      return 'over';
    case 'all-done': {
      const outcomes = (await readRunFolders(database, row.id)).map(({ folder, outcome }) => outcome ?? leftOut(sharing, folder));
      await endSharedRun(database, row.id, stateOf(outcomes));
      // Where that fails, the next command lets them in.
      await letIn(database, 'over').catch(() => undefined);
      return 'over';
    }
  }
}

function leftOut({ deliveries, byCode }: Sharing, code: string): FolderOutcome {
  const patches = deliveries.map(({ file }) => emptyOutcome(file, 'skipped', 0));
  return { folder: code, state: 'skipped', due: (byCode.get(code)?.due.length ?? 0) > 0, patches };
}

/** Folders that nobody has begun, when the run is cancelled or stops at its first failure. */
async function leaveOutOthers(sharing: Sharing): Promise<void> {
  const { database, row, onError, byCode, running } = sharing;
  const cancelled = sharing.cancelled();
  if (!cancelled && onError !== 'stop') return;
  const rows = await readRunFolders(database, row.id);
  if (!cancelled && !rows.some(({ state }) => state === 'failed')) return;
  running.stop.requested = true;
  const waiting = rows.filter(({ state }) => state === 'waiting' || state === 'postponed');
  const outcomes = waiting.flatMap(({ folder }): FolderOutcome[] => {
    const found = byCode.get(folder);
    return found === undefined ? [leftOut(sharing, folder)] : [outcomeOf({ ...partOf(found), cancelled }, filesOf(running))];
  });
  if (outcomes.length > 0) await leaveOut(database, row.id, outcomes);
}

async function workOn(sharing: Sharing, claim: FolderClaim): Promise<void> {
  const { database, row, lease, byCode, running, waves, waited } = sharing;
  const folder = byCode.get(claim.folder);
  if (folder === undefined) throw new Bug('claimed a folder that the run has not', { folder: claim.folder });
  sharing.reached('folder-claimed');
  const wave = waves[claim.wave];
  if (claim.opens && wave !== undefined)
    running.emit({ kind: 'wave-started', wave: claim.wave, folders: wave.folders.map(({ code }) => code), canary: wave.canary });
  const part: FolderPart = {
    ...partOf(folder),
    attempts: claim.attempts,
    waitedMs: waited.get(folder.code) ?? 0,
    patches: [...gotOf(running, claim)],
  };
  try {
    const outcome = await carriedOut(sharing, claim, part);
    await sharing.flush();
    const back = outcome.state === 'cancelled' && !sharing.cancelled();
    const change = back
      ? { folder: folder.code, state: 'waiting' as const }
      : { folder: folder.code, state: outcome.state, outcome };
    sharing.reached('folder-to-settle');
    await settleFolder(database, row.id, lease, change);
    if (!back) running.through(folder.code);
  } catch (error) {
    if (error instanceof Postponed) return postpone(sharing, part, error);
    // Somebody else has the folder by now, or has ended the run.
    if (error instanceof Failure && error.code === 'run-lost') return;
    throw error;
  }
}

/** What an earlier worker brought in before it was lost is not done again. */
function gotOf(running: Running, { got }: FolderClaim): readonly FolderOutcome['patches'][number][] {
  const had = new Map(got.map((outcome) => [outcome.file, outcome]));
  const patches: FolderOutcome['patches'][number][] = [];
  for (const { file } of running.deliveries) {
    const outcome = had.get(file);
    if (outcome === undefined) break;
    patches.push(outcome);
  }
  return patches;
}

async function carriedOut(sharing: Sharing, claim: FolderClaim, part: FolderPart): Promise<FolderOutcome> {
  const { database, row, running, waves } = sharing;
  if (claim.lost >= MOST_LOST) {
    const facts = { folder: claim.folder, workers: claim.lost };
    const finding: Finding = { code: 'workers-lost', severity: 'block', folder: claim.folder, facts };
    running.emit({ kind: 'finding', finding });
    const outcome = skipFolder(running, part, { code: 'workers-lost', facts });
    return { ...outcome, state: 'failed' };
  }
  const rows = await readRunFolders(database, row.id);
  const outcomes = new Map(rows.flatMap(({ folder, outcome }) => (outcome === null ? [] : [[folder, outcome] as const])));
  const failed = waves[claim.wave]?.canary === true ? [] : failedCanaries(waves, outcomes);
  if (failed.length > 0) return skipFolder(running, part, { code: 'canary-failed', facts: { folders: failed } });
  for (const { file, state } of outcomes.get(running.supervisor)?.patches ?? [])
    if (state === 'failed' || state === 'skipped') running.missedBySupervisor.add(file);
  return runFolder(running, part);
}

async function postpone(sharing: Sharing, part: FolderPart, { file, wait }: Postponed): Promise<void> {
  const { database, row, lease, running, waited } = sharing;
  const folder = part.folder.code;
  const pauseMs = pauseAfter(part.attempts, Math.random());
  waited.set(folder, part.waitedMs + attemptMs(running, part) + pauseMs);
  const [blocker = null] = wait.blockers;
  running.emit({ kind: 'folder-postponed', folder, file, attempt: part.attempts, pauseMs, ...wait });
  await sharing.flush();
  await settleFolder(database, row.id, lease, { folder, state: 'postponed', pauseMs, blocker });
}
