// `integrate --batch`: checks the run as it would be begun now, and queues it with its patch files for the workers; follows it.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Refusal } from '../base/errors.ts';
import { blocks, type Finding } from '../base/finding.ts';
import { openQueue } from '../batch/queue.ts';
import { usersFindings } from '../batch/started-run.ts';
import { addTask } from '../batch/tasks.ts';
import { wavesOf } from '../batch/waves.ts';
import type { RunEvent, RunListener } from '../journal/journal.ts';
import type { FolderOutcome, FolderRunState, PatchOutcome, RunOutcome } from '../journal/outcome.ts';
import { readWorkers } from '../journal/processes.ts';
import { storeRunFile } from '../journal/run-files.ts';
import { folderUsers, insertRun, lockRuns, type NewRun, noteEvents, serverEpoch } from '../journal/runs.ts';
import { Seen } from '../journal/seen.ts';
import { addRunFolders, readFurtherEvents, readRunFolders, readSharedRun } from '../journal/shared-runs.ts';
import { listPatches } from '../patch/list.ts';
import { fileBytes } from '../patch/read.ts';
import type { Delivery } from '../plan/delivery.ts';
import { checkRequest, type ReadRequest, readRequest } from './checks.ts';
import { canaries } from './known-folders.ts';
import type { IntegrateOptions, Opened } from './rustine.ts';
import { goingOn, hasWork, mergedFindings } from './server-run.ts';
import { jobsOfWorkers, type StoredRequest } from './stored-run.ts';

export interface QueuedRun extends Omit<RunOutcome, 'state'> {
  readonly state: 'queued' | 'refused';
  readonly files: readonly string[];
  /** Folders that it is for. */
  readonly concerned: readonly string[];
  /** Workers that are there to carry it out. */
  readonly workers: number;
}

/** Somebody else took the folders while the files were stored. */
class FoldersTaken extends Error {
  readonly findings: readonly Finding[];

  constructor(findings: readonly Finding[]) {
    super('folders taken');
    this.findings = findings;
  }
}

const LOCK_TIMEOUT_MS = 15_000;

/** What of a run is on further servers. */
export interface QueuedElsewhere {
  readonly folders: readonly string[];
  /** Canaries of all servers. */
  readonly first: readonly string[];
  /** What its checks found there, and whether something is to be done there. */
  check(asked: ReadRequest): Promise<{ readonly findings: readonly Finding[]; readonly work: boolean }>;
}

/** What blocks now is told at once: nothing is queued then. @throws Refusal as `integrate` does */
export async function queueRun(opened: Opened, options: IntegrateOptions, far?: QueuedElsewhere): Promise<QueuedRun> {
  const { database, operator } = opened;
  const asked = await readRequest(opened, options);
  const { deliveries, folders, authorized, forced, from } = asked;
  const { mode } = options;
  const first = canaries(folders, options.first ?? []);
  const atomic = options.atomic ?? false;
  const scope = mode === 'rehearse' || atomic ? 'folder' : 'patch';
  // What is all or none, or on several servers, one worker carries out.
  const jobs = atomic || far !== undefined ? opened.jobs : await jobsOfWorkers(opened);
  const checked = await checkRequest(opened, asked, { jobs, scope, attended: false });
  const request: StoredRequest = {
    first: far?.first ?? first,
    takeUnchanged: options.takeUnchanged ?? false,
    onError: options.onError ?? 'continue',
    lockTimeoutMs: options.lockTimeoutMs ?? LOCK_TIMEOUT_MS,
    waitMs: options.waitMs ?? null,
    disconnect: options.disconnect ?? false,
    atomic,
    jobs: options.jobs ?? null,
  };
  const files = deliveries.map(({ file }) => file);
  const waves = wavesOf(folders, first).map((wave) => wave.folders.map(({ code }) => code));
  // All or none is one program's decision, and so is who goes first on several servers.
  const how = { elsewhere: far?.folders ?? [], whole: atomic || far !== undefined };
  const run: NewRun = {
    id: randomUUID(),
    mode,
    from,
    operator,
    files,
    authorized,
    forced,
    request: { ...request },
    waves,
    ...how,
  };
  const concerned = [...folders.map(({ code }) => code), ...how.elsewhere];
  const there = await far?.check(asked);
  const findings =
    there === undefined
      ? [...checked.findings]
      : [...goingOn(mergedFindings([checked.findings, there.findings]), there.work || hasWork(checked))];
  if (!blocks(findings)) {
    try {
      await store(opened, run, options.paths, deliveries);
      return { run: run.id, mode, state: 'queued', findings, folders: [], files, concerned, workers: await liveWorkers(opened) };
    } catch (error) {
      if (!(error instanceof FoldersTaken)) throw error;
      findings.push(...error.findings);
    }
  }
  await database.transaction((session) => insertRun(session, null, run, 'refused'));
  const events: RunEvent[] = [
    { kind: 'run-started', run: run.id, mode, files, folders: concerned },
    ...findings.map((finding): RunEvent => ({ kind: 'finding', finding })),
    { kind: 'run-finished', run: run.id, state: 'refused', ms: 0 },
  ];
  const at = performance.now();
  await noteEvents(
    database,
    run.id,
    events.map((event, index) => ({ seq: index + 1, event, at })),
    await serverEpoch(database),
  );
  return { run: run.id, mode, state: 'refused', findings, folders: [], files, concerned, workers: 0 };
}

/** All of it or nothing: a run that is queued has its files, its folders and its task. */
async function store(
  { database, operator }: Opened,
  run: NewRun,
  paths: readonly string[],
  deliveries: readonly Delivery[],
): Promise<void> {
  const { patches } = await listPatches(paths);
  const queue = await openQueue(database);
  try {
    await database.transaction(async (session) => {
      await insertRun(session, null, { ...run, waves: [] }, 'queued');
      for (const [position, delivery] of deliveries.entries()) {
        const path = patches.find(({ file }) => file === delivery.file)?.path;
        if (path === undefined) throw new Refusal('patch-unreadable', { file: delivery.file, reason: 'ENOENT' });
        // It may have gone, or lost its rights, since it was checked.
        await storeRunFile(session, run.id, position, delivery, fileBytes(path));
      }
      // Only now: others do not wait while files are stored. Tasks at work are no obstacle, the run waits for them in the queue.
      await lockRuns(session);
      const { runs } = await folderUsers(session, [...run.waves.flat(), ...(run.elsewhere ?? [])], run.id);
      if (runs.length > 0) throw new FoldersTaken(usersFindings({ runs, tasks: [], changes: [] }));
      await addRunFolders(session, run.id, run.waves);
      const title = run.files.join(', ').slice(0, 200);
      await addTask(session, queue, { kind: 'patch', folder: run.from, title, program: '', run: run.id, by: operator });
    });
  } finally {
    await queue.close();
  }
}

async function liveWorkers({ database }: Opened): Promise<number> {
  return (await readWorkers(database)).filter(({ patchJobs }) => patchJobs > 0).length;
}

const LOOK_MS = 300;

/**
 * Tells the events of the run as they come, from its beginning.
 * @param stop ends the following, not the run
 * @param idle told each time when the last worker has gone
 * @returns undefined where it was left before its end
 */
export async function followRun(
  opened: Opened,
  run: string,
  listener: RunListener,
  stop: AbortSignal,
  idle: () => void = () => undefined,
): Promise<RunOutcome | undefined> {
  const { database } = opened;
  const seen = new Seen();
  // Where there was none at the beginning, who queued the run has been told.
  let workers = 0;
  const findings: Finding[] = [];
  const far = new Map<string, PatchOutcome[]>();
  const ended = new Map<string, FolderRunState>();
  while (!stop.aborted) {
    const row = await readSharedRun(database, run);
    if (row === undefined) throw new Refusal('run-unknown', { run });
    const events = await readFurtherEvents(database, run, seen);
    for (const { seq, event } of events) {
      seen.add(seq);
      if (event.kind === 'finding') findings.push(event.finding);
      if (event.kind === 'folder-finished') ended.set(event.folder, event.state);
      if (event.kind === 'patch-finished' && row.elsewhere.includes(event.folder))
        far.set(event.folder, [...(far.get(event.folder) ?? []), event.outcome]);
      listener(event);
    }
    const { state, mode, elsewhere } = row;
    if (state !== 'queued' && state !== 'waiting' && state !== 'running') {
      const here = (await readRunFolders(database, run)).flatMap(({ outcome }) => outcome ?? []);
      const folders = [...here, ...elsewhere.map((folder) => heardOf(folder, far.get(folder) ?? [], ended.get(folder)))];
      return { run, mode, state: state === 'interrupted' ? 'failed' : state, findings, folders };
    }
    const now = await liveWorkers(opened);
    if (now === 0 && workers > 0) idle();
    workers = now;
    await pause(LOOK_MS, undefined, { signal: stop }).catch(() => undefined);
  }
  return undefined;
}

/** What the trace says of a folder on a further server: a worker that went on tells again what the one before it did. */
function heardOf(folder: string, told: readonly PatchOutcome[], state: FolderRunState = 'skipped'): FolderOutcome {
  const patches = [...new Map(told.map((outcome) => [outcome.file, outcome])).values()];
  return { folder, state, due: false, patches };
}
