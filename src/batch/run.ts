// A run over folders: supervisor folder first, then level by level, several folders at once; one transaction per folder and patch.
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import type { Folder } from '../environment/folder.ts';
import type { RunContext, StagedDelivery } from '../integrate/integrator.ts';
import type { Runner } from '../integrate/runner.ts';
import { readProgress } from '../journal/folder-progress.ts';
import type { RunEvent, RunListener } from '../journal/journal.ts';
import type { FolderOutcome, RunMode, RunOutcome, RunState } from '../journal/outcome.ts';
import { emptyOutcome } from '../journal/outcome.ts';
import type { Delivery } from '../plan/delivery.ts';
import { stageDelivery } from '../plan/facts.ts';
import { type Preflight, sortDeliveries } from '../plan/preflight.ts';
import { rememberDelivery, rememberPast, sweepRemembered } from '../plan/remembered.ts';
import { clearStaging, sweepStaging } from '../plan/staging.ts';
import { planTogether, type Transactions } from '../plan/transactions.ts';
import { runAllOrNone, transactionsOf } from './all-or-none.ts';
import type { Coordinator, Deciding, Participants } from './deciding.ts';
import { type Running, withWork } from './folder-run.ts';
import { tellWaiting } from './part-so-far.ts';
import { togetherOf } from './rehearsal-group.ts';
import { openJournal } from './run-journal.ts';
import { runOutside } from './script-run.ts';
import { enterSingleUser, lookForSessions, type SessionOptions, type SingleUser } from './single-user.ts';
import type { StartedRun } from './started-run.ts';
import { runWaves } from './wave-run.ts';

/** The part of a run that is on other servers. */
export interface Elsewhere {
  /** @returns what was found there once nobody else is in (R12): it may block the whole run */
  ready(): Promise<readonly Finding[]>;
  /** The folders here begin: their supervisor folder goes first there too. */
  begin(emit: (event: RunEvent) => void): void;
  /** Of a run that is all or none: they begin when they are told so, and end with the one decision. */
  readonly participants?: Participants;
  /** The folders here are through. @returns when those elsewhere are */
  end(here: readonly FolderOutcome[]): Promise<{ readonly folders: readonly FolderOutcome[]; readonly failed: boolean }>;
  /** The run ended here in an error: what has not begun elsewhere never does. @returns when what has begun has ended */
  abandon(): Promise<void>;
}

/** What a part of a run is let go with. */
export interface Held {
  /** What blocks it after all. */
  readonly findings: readonly Finding[];
  /** Files that the supervisor folder was to get on its own server and did not. */
  readonly missed: ReadonlySet<string>;
  /** Folders whose settings were changed meanwhile. */
  readonly folders?: readonly Folder[];
}

export interface RunRequest {
  /** Of a part on another server: ready to begin, it waits to be let go. */
  readonly hold?: (findings: readonly Finding[]) => Promise<Held>;
  readonly elsewhere?: Elsewhere;
  /** Where the first failure of several servers stops them all; absent: each by itself. */
  readonly stop?: { requested: boolean };
  /** The canaries here are through. @param failed those that did not get everything @returns those of all servers, when all are through */
  readonly canaries?: (failed: readonly string[]) => Promise<readonly string[]>;
  /** Of such a part of a run that is all or none: who decides. */
  readonly coordinator?: Coordinator;
  /** Its folders are taken. */
  readonly started: StartedRun;
  readonly mode: RunMode;
  readonly deliveries: readonly Delivery[];
  /** Folders given, level by level, the supervisor folder first. */
  readonly folders: readonly Folder[];
  readonly supervisor: string;
  readonly operator: string;
  readonly authorized: readonly string[];
  readonly takeUnchanged: boolean;
  readonly forced: Readonly<Record<string, string>>;
  readonly onError: 'continue' | 'stop';
  readonly jobs: number;
  /** All folders get everything, or none gets anything (R30). */
  readonly atomic: boolean;
  /** For one folder, all attempts together. */
  readonly lockTimeoutMs: number;
  readonly scriptTimeoutMs: number;
  /** Larger patch files are remembered by their elements alone. */
  readonly keepBytes: number;
  /** Programs that run scripts of other languages than SQL. */
  readonly runners: Readonly<Record<string, Runner>>;
  readonly preflight: Preflight;
  readonly listener: RunListener;
  readonly stopPoint: (name: string) => void;
  /** Sessions that are there when the run begins (R12). */
  readonly sessions: SessionOptions;
}

/** Runs everything that preflight let through. */
export async function run(database: Database, request: RunRequest): Promise<RunOutcome> {
  const { id, cancelling, turn } = request.started;
  const journal = await openJournal(database, {
    ...request,
    // What a folder integrated is written in its transaction (not in a rehearsal, which leaves nothing); the listener hears of all.
    writtenThere: (event) =>
      event.kind === 'patch-finished' && event.outcome.state === 'integrated' && request.mode === 'integrate',
  });
  const { emit, found, findings, states, finish } = journal;
  const byCode = new Map(request.folders.map((folder) => [folder.code, folder]));
  const files = request.deliveries.map((delivery) => delivery.file);
  // All of them, those of other servers too: their ends are told here as well.
  const given = [...request.folders.map(({ code }) => code), ...request.started.elsewhere];
  emit({ kind: 'run-started', run: id, mode: request.mode, files, folders: given });
  for (const { file, elements, bytes } of request.deliveries) emit({ kind: 'file-read', file, elements: elements.length, bytes });
  findings.push(...request.preflight.findings);
  for (const finding of findings) emit({ kind: 'finding', finding });
  const context: RunContext = {
    run: id,
    operator: request.operator,
    ending: request.mode === 'rehearse' ? 'rollback' : 'commit',
    authorized: request.authorized,
    takeUnchanged: request.takeUnchanged,
    forced: request.forced,
    comes: { files, folders: request.mode === 'rehearse' || request.atomic ? [...byCode.keys()] : [] },
    records: true,
    lockTimeoutMs: request.lockTimeoutMs,
    scriptTimeoutMs: request.scriptTimeoutMs,
    nextEvent: journal.nextEvent,
    stopPoint: request.stopPoint,
    aborted: cancelling.hard,
    process: request.started.lease.process,
  };
  const refused = (): Promise<RunOutcome> =>
    finish(
      cancelling.soft.aborted ? 'cancelled' : 'refused',
      request.folders.map((folder) => skippedFolder(folder, files)),
    );
  const concerned = concernedFolders(request);
  const forced = request.forced.sessions !== undefined;
  // Nobody is shut out for a run that is refused anyway; who is there is told with everything else.
  if (blocks(findings)) {
    found(await lookForSessions(database, concerned, forced));
    return refused();
  }
  await journal.written();
  const { stopPoint } = request;
  let single: SingleUser | undefined;
  const staged = new Map<string, StagedDelivery>();
  const stage = async (): Promise<void> => {
    await sweepStaging(database);
    await stageAll(database, request, staged);
  };
  try {
    const { soft } = cancelling;
    single = await enterSingleUser(database, {
      run: id,
      lease: request.started.lease.process,
      folders: concerned,
      forced,
      ...request.sessions,
      soft,
      emit,
      stopPoint,
    });
    found(single.findings);
    const { deliveries, preflight, supervisor, onError, runners } = request;
    const shared = {
      deliveries,
      preflight,
      supervisor,
      onError,
      runners,
      database,
      context,
      staged,
      findings,
      emit,
      states,
      cancelling,
      through: single.through,
      outside: runOutside,
      turn,
      got: turn > 1 ? await readProgress(database, id, [...byCode.keys()]) : new Map(),
    };
    const { stop = { requested: false }, canaries } = request;
    const plain = request.mode === 'rehearse' && !request.atomic;
    const own = [...byCode.values()];
    const shares = plain ? await planTogether(database, withWork(request, own)) : { groups: [], findings: [] };
    found(shares.findings);
    const running: Running = {
      together: togetherOf(shares.groups),
      ...shared,
      missedBySupervisor: new Set(),
      stop,
      ...(canaries === undefined ? {} : { canaries }),
    };
    cancelling.onRequest((by, hard) => {
      if (!journal.stopped()) emit({ kind: 'run-cancelled', run: id, by, hard });
    });
    let all: Transactions | undefined;
    if (request.atomic && !blocks(findings)) {
      // Whether there is room is known on every server before anything begins on one.
      await stage();
      all = await transactionsOf(running, request.folders, request.jobs);
      found(all.findings);
    }
    found((await request.elsewhere?.ready()) ?? []);
    const held = await request.hold?.(findings);
    found(held?.findings ?? []);
    if (blocks(findings)) {
      found(await single.leave());
      return await refused();
    }
    if (!request.atomic) await stage();
    for (const file of held?.missed ?? []) running.missedBySupervisor.add(file);
    for (const folder of held?.folders ?? []) byCode.set(folder.code, folder);
    // As they are now: they may have been read before another run was waited for.
    const asNow = ({ code }: Folder): readonly Folder[] => [byCode.get(code) ?? []].flat();
    const waves = request.started.waves.map((wave) => ({ ...wave, folders: wave.folders.flatMap(asNow) }));
    request.elsewhere?.begin(journal.emitFar);
    await tellGot(running);
    const outcomes =
      all === undefined
        ? await runWaves(running, waves, request.jobs)
        : await runAllOrNone(running, waves, groupsOf(all, asNow), request.jobs, decidingOf(request));
    const here = request.folders.map((folder) => outcomes.get(folder.code) ?? skippedFolder(folder, []));
    const far = await request.elsewhere?.end(here);
    found(await single.leave());
    const folders = [...here, ...(far?.folders ?? [])];
    const state = stateOf(folders);
    return await finish(far?.failed === true && state === 'done' ? 'partial' : state, folders);
  } catch (error) {
    // Nothing goes on elsewhere when the run has ended, and nothing begins there: the supervisor folder may not have got it (R31).
    await request.elsewhere?.abandon();
    throw error;
  } finally {
    await unstage(database, [...staged.values()]);
    // Where that fails, the next command lets them in.
    await single?.leave().catch(() => undefined);
  }
}

/** What folders have from a worker before is of this run: whoever listens hears it all. */
async function tellGot(running: Running): Promise<void> {
  for (const progress of running.got.values()) {
    for (const outcome of progress.got) running.emit({ kind: 'patch-finished', folder: progress.folder, outcome });
    await tellWaiting(running, progress);
  }
}

const groupsOf = ({ groups }: Transactions, asNow: (folder: Folder) => readonly Folder[]): readonly (readonly Folder[])[] =>
  groups.map((group) => group.flatMap(asNow));

function decidingOf({ elsewhere, coordinator }: RunRequest): Deciding {
  const participants = elsewhere?.participants;
  return { ...(participants === undefined ? {} : { participants }), ...(coordinator === undefined ? {} : { coordinator }) };
}

function skippedFolder(folder: Folder, files: readonly string[]): FolderOutcome {
  return {
    folder: folder.code,
    state: 'skipped',
    due: folder.due.length > 0,
    patches: files.map((file) => emptyOutcome(file, 'skipped', 0)),
  };
}

/** A folder that gets nothing may be worked in as ever. */
function concernedFolders({ folders, preflight }: RunRequest): readonly Folder[] {
  return folders.filter((folder) => [...(preflight.tasks.get(folder.code)?.values() ?? [])].includes('integrate'));
}

/** Only deliveries that some folder still needs are staged: nothing to do costs nothing. */
async function stageAll(database: Database, request: RunRequest, staged: Map<string, StagedDelivery>): Promise<void> {
  const { needed, past } = sortDeliveries(request.deliveries, request.folders, request.preflight.tasks);
  const lease = request.started.lease.process;
  if (request.mode === 'integrate' && needed.length > 0) await sweepRemembered(database);
  for (const delivery of needed) {
    if (request.mode === 'integrate') await rememberDelivery(database, delivery, request);
    const stagedAs = await database.transaction((session) => stageDelivery(session, lease, delivery));
    staged.set(delivery.file, { delivery, stagedAs, lease, plans: new Map() });
  }
  if (request.mode === 'integrate') await rememberPast(database, past, request);
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

export function stateOf(folders: readonly FolderOutcome[]): RunState {
  if (folders.some((folder) => folder.state === 'cancelled')) return 'cancelled';
  const failed = folders.some(
    (folder) => folder.state === 'failed' || folder.patches.some((patch) => patch.reason !== undefined),
  );
  if (!failed) return 'done';
  const changed = folders.some((folder) => folder.patches.some(({ state }) => state === 'integrated' || state === 'reverted'));
  if (changed) return 'partial';
  const onlyBlocked = folders.every((folder) =>
    folder.patches.every((patch) => patch.state !== 'failed' || patch.reason?.code === 'blocked'),
  );
  return onlyBlocked ? 'refused' : 'failed';
}
