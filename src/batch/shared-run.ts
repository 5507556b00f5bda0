// A worker's part in a run that several carry out: it joins it, stages the deliveries, claims folders, and ends the run when nothing is left.
import type { Database } from '../database/database.ts';
import type { Folder } from '../environment/folder.ts';
import { letIn } from '../environment/logins.ts';
import type { RunContext, StagedDelivery } from '../integrate/integrator.ts';
import { endDeadWorkers } from '../journal/dead-workers.ts';
import { readProgress } from '../journal/folder-progress.ts';
import type { RunEvent } from '../journal/journal.ts';
import type { FolderOutcome } from '../journal/outcome.ts';
import { endSharedRun } from '../journal/run-end.ts';
import { type NotedEvent, noteEvents, serverEpoch } from '../journal/runs.ts';
import {
  anyFailed,
  claimFolder,
  foldersToLeaveOut,
  joinRun,
  leaveOut,
  readRunFolders,
  readSharedRun,
  readWaves,
} from '../journal/shared-runs.ts';
import { stageDelivery } from '../plan/facts.ts';
import { sortDeliveries } from '../plan/preflight.ts';
import { rememberDelivery, rememberPast, sweepRemembered } from '../plan/remembered.ts';
import { planTogether } from '../plan/transactions.ts';
import { cancelling } from './cancelling.ts';
import { outcomeOf } from './folder-part.ts';
import { filesOf, type Running, withWork } from './folder-run.ts';
import { lettingThrough } from './letting-through.ts';
import { partSoFar } from './part-so-far.ts';
import { togetherOf } from './rehearsal-group.ts';
import { stateOf, unstage } from './run.ts';
import { runOutside } from './script-run.ts';
import { leftOut, settleLater, workOn } from './shared-folder.ts';
import type { SharedRunRequest, Sharing } from './sharing.ts';
import { canariesOf } from './waves.ts';

const WATCH_MS = 1_000;

/** `wait`: nothing can be taken now · `over`: the run has ended. */
export type Step = (() => Promise<void>) | 'wait' | 'over';

export interface SharedRun {
  /** Fires when the run is to stop, or this worker. */
  readonly soft: AbortSignal;
  /** Writes down what happened to the run as a whole. */
  note(events: readonly RunEvent[]): Promise<void>;
  /** Numbers events that somebody else writes down. */
  numbered(events: readonly RunEvent[]): readonly { readonly seq: number; readonly event: RunEvent }[];
  step(): Promise<Step>;
  /** What was staged is removed. */
  leave(): Promise<void>;
}

/** Joins the run; what its folders still need is staged when there is something to do. */
export async function joinSharedRun(database: Database, request: SharedRunRequest): Promise<SharedRun> {
  const { row, deliveries, folders, tasks, lease } = request;
  let seq = await joinRun(database, row.id);
  const epoch = await serverEpoch(database);
  const waves = await readWaves(database, row.id);
  const canaries = canariesOf(folders, request.first);
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
    comes: {
      files: deliveries.map(({ file }) => file),
      folders: row.mode === 'rehearse' ? folders.map(({ code }) => code) : [],
    },
    records: true,
    lockTimeoutMs: request.lockTimeoutMs,
    scriptTimeoutMs: request.scriptTimeoutMs,
    nextEvent: () => ++seq,
    stopPoint: request.reached,
    aborted: asked.hard,
    claimedBy: lease,
  };
  const staged = new Map<string, StagedDelivery>();
  const together = new Map<string, readonly Folder[]>();
  const stageAll = async (): Promise<void> => {
    if (row.mode === 'integrate') await sweepRemembered(database);
    const { needed, past } = sortDeliveries(deliveries, folders, tasks);
    const remembering = { ...request, stopPoint: request.reached };
    for (const delivery of needed) {
      // Begun before, and the database was away in the middle of it.
      if (staged.has(delivery.file)) continue;
      if (row.mode === 'integrate') await rememberDelivery(database, delivery, remembering);
      const stagedAs = await database.transaction((session) => stageDelivery(session, lease, delivery));
      staged.set(delivery.file, { delivery, stagedAs, lease, plans: new Map() });
    }
    if (row.mode === 'integrate') await rememberPast(database, past, remembering);
    if (row.mode !== 'rehearse') return;
    const { groups } = await planTogether(database, withWork(running, folders));
    for (const [code, group] of togetherOf(groups)) together.set(code, group);
  };
  let staging: Promise<void> | undefined;
  const passing = lettingThrough(database, { run: row.id });
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
    turn: 0,
    got: new Map(),
    outside: runOutside,
    missedBySupervisor: new Set(),
    // Here a folder's row is written when it is settled, by whoever has claimed it.
    states: { set: () => undefined, tell: () => undefined, written: async () => undefined },
    cancelling: asked,
    emit,
    through: passing.through,
    stop: { requested: false },
    together,
  };
  const watch = setInterval(() => {
    void readSharedRun(database, row.id)
      .then((now) => {
        cancelledBy ??= now?.cancelBy ?? null;
        if (cancelledBy !== null) asked.request(cancelledBy, false);
        // A folder that failed elsewhere stops those at work here after their patch, too.
        return request.onError === 'stop' && anyFailed(database, row.id);
      })
      .then((failed) => {
        if (failed) running.stop.requested = true;
      })
      .catch(() => undefined);
  }, WATCH_MS);
  const sharing: Sharing = {
    ...request,
    database,
    running,
    asked,
    waves: waves.map((codes) => ({ folders: codes, canary: codes.some((code) => canaries.has(code)) })),
    byCode: new Map(folders.map((folder) => [folder.code, folder])),
    before: new Map(),
    unsettled: new Map(),
    cancelled: () => cancelledBy !== null,
    flush: async () => {
      const events = noted.splice(0);
      await noteEvents(database, row.id, events, epoch).catch((error: unknown) => {
        noted.unshift(...events);
        throw error;
      });
    },
  };
  if (cancelledBy !== null) asked.request(cancelledBy, false);
  return {
    soft: asked.soft,
    note: async (events) => {
      for (const event of events) emit(event);
      await sharing.flush();
    },
    numbered: (events) => events.map((event) => ({ seq: ++seq, event })),
    step: () =>
      step(sharing, () => {
        // What failed is tried anew.
        staging ??= stageAll().catch((error: unknown) => {
          staging = undefined;
          throw error;
        });
        return staging;
      }),
    leave: async () => {
      clearInterval(watch);
      asked.end();
      await sharing.flush().catch(() => undefined);
      await passing.now();
      await unstage(database, [...staged.values()]);
    },
  };
}

async function step(sharing: Sharing, stage: () => Promise<void>): Promise<Step> {
  const { database, row, lease, stop, running } = sharing;
  if (stop.aborted) return 'wait';
  await settleLater(sharing);
  await leaveOutOthers(sharing);
  // A run that was cancelled needs nothing more: it has to end also where nothing can be staged.
  if (!sharing.cancelled()) await stage();
  // They would wait for each other, as for somebody else.
  const groups = [...new Set(running.together.values())].map((group) => group.map(({ code }) => code));
  const claim = (): ReturnType<typeof claimFolder> => claimFolder(database, row.id, lease, groups);
  let claimed = await claim();
  if (claimed.kind === 'wait' && (await endDeadWorkers(database)).length > 0) claimed = await claim();
  switch (claimed.kind) {
    case 'folder': {
      const folder = claimed.claim;
      return () => workOn(sharing, folder);
    }
    case 'wait':
      return 'wait';
    case 'ended':
      return 'over';
    case 'all-done': {
      const outcomes = (await readRunFolders(database, row.id)).map(({ folder, outcome }) => outcome ?? leftOut(sharing, folder));
      // Somebody else ends it, or still has a transaction open there.
      if (!(await endSharedRun(database, row.id, stateOf(outcomes)))) return 'wait';
      // Where that fails, the next command lets them in.
      await letIn(database, 'over').catch(() => undefined);
      return 'over';
    }
  }
}

/** Folders that nobody is at, when the run is cancelled or stops at its first failure; what one got before stays told. */
async function leaveOutOthers(sharing: Sharing): Promise<void> {
  const { database, row, onError, byCode, running } = sharing;
  const cancelled = sharing.cancelled();
  const left = await foldersToLeaveOut(database, row.id, { cancelled, onFailure: onError === 'stop' });
  if (left === undefined) return;
  running.stop.requested = true;
  const begun = left.filter((each) => each.begun).map(({ folder }) => folder);
  const progress = await readProgress(database, row.id, begun);
  const outcomes = left.map(({ folder: code }): FolderOutcome => {
    const folder = byCode.get(code);
    if (folder === undefined) return leftOut(sharing, code);
    return outcomeOf({ ...partSoFar(running, folder, progress.get(code)), cancelled }, filesOf(running));
  });
  if (outcomes.length === 0) return;
  const { nextEvent } = running.context;
  const mine = new Set(
    await leaveOut(
      database,
      row.id,
      outcomes.map((outcome) => ({ outcome, seq: nextEvent() })),
    ),
  );
  for (const { folder, state } of outcomes) if (mine.has(folder)) sharing.listener({ kind: 'folder-finished', folder, state });
}
