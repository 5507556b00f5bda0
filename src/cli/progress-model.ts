// What is known of a run while it goes, made from its events alone. Pure: the time comes with each event.

import { canonical } from '../base/canonical.ts';
import type { Facts } from '../base/errors.ts';
import { assertNever } from '../base/errors.ts';
import type { RunEvent } from '../journal/journal.ts';
import type { FolderRunState, RunMode } from '../journal/outcome.ts';
import type { ValidationStep } from '../journal/validation-steps.ts';

/** A code with its facts, as findings and errors have them: the words come when it is shown. */
export interface Cause {
  readonly code: string;
  readonly facts: Facts;
}

export interface FolderAtWork {
  readonly folder: string;
  readonly file: string;
  /** Which of the run's files this is, from 1. */
  readonly number: number;
  readonly doing: 'patch' | 'scripts';
  /** Of a validation: where it is. */
  readonly step?: ValidationStep;
  /** When the folder, and when this patch of it, was begun. */
  readonly since: number;
  readonly patchSince: number;
}

/** A folder that somebody else is in the way of. */
export interface PostponedFolder {
  readonly event: Extract<RunEvent, { readonly kind: 'folder-postponed' }>;
  /** When it comes again, and when its work was begun. */
  readonly until: number;
  readonly since: number;
}

export type WaitingStep = Extract<
  RunEvent,
  { readonly kind: 'run-waiting' | 'tasks-waiting' | 'changes-waiting' | 'sessions' | 'run-decided' | 'run-cancelled' }
>;

export interface EndedFolder {
  readonly folder: string;
  readonly state: FolderRunState;
  readonly patches: number;
  readonly ms: number;
}

/** Folders that failed for the same cause. */
export interface FailedFolders {
  readonly cause: Cause;
  readonly file: string;
  readonly folders: readonly string[];
}

export interface RunProgress {
  readonly mode: RunMode;
  readonly files: readonly string[];
  readonly folders: number;
  readonly startedAt: number;
  /** The file that was read last; undefined once folders are at work. */
  readonly read: { readonly file: string; readonly elements: number } | undefined;
  /** What keeps the run from its folders, or that it is being stopped: the last such event. */
  readonly step: WaitingStep | undefined;
  readonly wave: Extract<RunEvent, { readonly kind: 'wave-started' }> | undefined;
  readonly working: ReadonlyMap<string, FolderAtWork>;
  readonly postponed: ReadonlyMap<string, PostponedFolder>;
  /** Of a run that is all or none: those that wait for the others. */
  readonly prepared: ReadonlySet<string>;
  readonly counts: Readonly<Partial<Record<FolderRunState, number>>>;
  /** Patches that were integrated. */
  readonly patches: number;
  /** The latest first, a few. */
  readonly ended: readonly EndedFolder[];
  readonly failed: ReadonlyMap<string, FailedFolders>;
  /** What blocks a folder that is at work: its patch will fail for it. */
  readonly blocked: ReadonlyMap<string, Cause>;
  /** When folders that took work ended, the latest last: what the rate is made from. */
  readonly ends: readonly number[];
  /** Patches by folder that is at work, for the line when it ends. */
  readonly done: ReadonlyMap<string, number>;
  /** What these took by their own account: who follows a run in the queue hears of a folder when it is through. */
  readonly spent: ReadonlyMap<string, number>;
}

const MOST_ENDED = 50;
/** So many ends tell the present rate: few enough to follow a change, enough to be steady. */
const RATE_ENDS = 40;
/** From so few ends on nothing can be said about the rest. */
const LEAST_ENDS = 3;

export function noProgress(now: number): RunProgress {
  return {
    mode: 'integrate',
    files: [],
    folders: 0,
    startedAt: now,
    read: undefined,
    step: undefined,
    wave: undefined,
    working: new Map(),
    postponed: new Map(),
    prepared: new Set(),
    counts: {},
    patches: 0,
    ended: [],
    failed: new Map(),
    blocked: new Map(),
    ends: [],
    done: new Map(),
    spent: new Map(),
  };
}

/** The state after an event that happened at `now`, in milliseconds of any clock that only goes forward. */
export function advance(state: RunProgress, event: RunEvent, now: number): RunProgress {
  switch (event.kind) {
    case 'run-started':
      return { ...state, mode: event.mode, files: event.files, folders: event.folders.length, step: undefined };
    case 'run-waiting':
    case 'tasks-waiting':
    case 'changes-waiting':
    case 'sessions':
    case 'run-decided':
    case 'run-cancelled':
      return { ...state, step: event };
    case 'folder-prepared':
      return folderPrepared(state, event.folder, now);
    case 'wave-started':
      return { ...state, wave: event };
    case 'folder-postponed':
      return folderPostponed(state, event, now);
    case 'file-read':
      return { ...state, read: { file: event.file, elements: event.elements } };
    case 'finding': {
      const { folder, severity, code, facts } = event.finding;
      if (folder === undefined || severity !== 'block' || state.blocked.has(folder)) return state;
      return { ...state, blocked: new Map(state.blocked).set(folder, { code, facts }) };
    }
    case 'patch-started':
      return patchStarted(state, event.folder, event.file, now);
    case 'patch-finished':
      return patchFinished(state, event);
    case 'folder-finished':
      return folderFinished(state, event.folder, event.state, now);
    case 'step-started':
      return stepStarted(state, event.folder, event.step, now);
    case 'step-finished':
    case 'folder-locked':
    case 'folder-unlocked':
    case 'script-run':
    case 'run-finished':
      return state;
    default:
      return assertNever(event);
  }
}

function patchStarted(state: RunProgress, folder: string, file: string, now: number): RunProgress {
  const before = state.working.get(folder) ?? state.postponed.get(folder);
  const at: FolderAtWork = {
    folder,
    file,
    number: state.files.indexOf(file) + 1,
    doing: 'patch',
    since: before?.since ?? now,
    patchSince: now,
  };
  return {
    ...state,
    read: undefined,
    // What was waited for is over; that the run is being stopped is not.
    step: state.step?.kind === 'run-cancelled' ? state.step : undefined,
    working: new Map(state.working).set(folder, at),
    postponed: without(state.postponed, folder),
    blocked: without(state.blocked, folder),
  };
}

/** The steps that come before the folder's transaction are those of all folders: nobody is at work in it yet. */
function stepStarted(state: RunProgress, folder: string, step: ValidationStep, now: number): RunProgress {
  const at = state.working.get(folder);
  const begun = at === undefined ? patchStarted(state, folder, '', now) : state;
  const working = begun.working.get(folder);
  return working === undefined ? begun : { ...begun, working: new Map(begun.working).set(folder, { ...working, step }) };
}

/** The work in it is done: it counts for the pace, though nothing is in the folder yet. */
function folderPrepared(state: RunProgress, folder: string, now: number): RunProgress {
  return {
    ...state,
    working: without(state.working, folder),
    prepared: new Set(state.prepared).add(folder),
    ends: [...state.ends, now].slice(-RATE_ENDS),
  };
}

function folderPostponed(state: RunProgress, event: PostponedFolder['event'], now: number): RunProgress {
  const since = state.working.get(event.folder)?.since ?? now;
  return {
    ...state,
    working: without(state.working, event.folder),
    postponed: new Map(state.postponed).set(event.folder, { event, until: now + event.pauseMs, since }),
  };
}

function patchFinished(
  state: RunProgress,
  { folder, outcome }: Extract<RunEvent, { readonly kind: 'patch-finished' }>,
): RunProgress {
  const at = state.working.get(folder);
  const working =
    // Those that the database does not run come after the patch is in.
    at !== undefined && outcome.pending.length > 0
      ? new Map(state.working).set(folder, { ...at, doing: 'scripts' })
      : state.working;
  const count = outcome.state === 'integrated' || outcome.state === 'reverted' ? 1 : 0;
  return {
    ...state,
    working,
    patches: state.patches + count,
    done: new Map(state.done).set(folder, (state.done.get(folder) ?? 0) + count),
    spent: new Map(state.spent).set(folder, (state.spent.get(folder) ?? 0) + outcome.ms),
    failed: outcome.state === 'failed' ? withFailure(state, folder, outcome.file, outcome.reason) : state.failed,
  };
}

function withFailure(state: RunProgress, folder: string, file: string, reason: Cause | undefined): RunProgress['failed'] {
  // `blocked` only says that findings do: the first of them tells why.
  const known = reason === undefined || reason.code === 'blocked' ? state.blocked.get(folder) : undefined;
  const cause = known ?? reason ?? { code: 'blocked', facts: {} };
  const key = canonical([file, cause.code, { ...cause.facts, folder: null }]);
  const folders = [...(state.failed.get(key)?.folders ?? []), folder];
  return new Map(state.failed).set(key, { cause, file, folders });
}

function folderFinished(state: RunProgress, folder: string, ended: FolderRunState, now: number): RunProgress {
  const at = state.working.get(folder) ?? state.postponed.get(folder);
  const line: EndedFolder = {
    folder,
    state: ended,
    patches: state.done.get(folder) ?? 0,
    ms: at === undefined ? 0 : Math.max(now - at.since, state.spent.get(folder) ?? 0),
  };
  return {
    ...state,
    working: without(state.working, folder),
    postponed: without(state.postponed, folder),
    prepared: new Set([...state.prepared].filter((each) => each !== folder)),
    blocked: without(state.blocked, folder),
    done: without(state.done, folder),
    spent: without(state.spent, folder),
    counts: { ...state.counts, [ended]: (state.counts[ended] ?? 0) + 1 },
    failed: ended === 'failed' && isValidation(state.mode) ? withFailure(state, folder, '', undefined) : state.failed,
    // Folders with nothing to do would push away those that had.
    ended: at === undefined ? state.ended : [line, ...state.ended].slice(0, MOST_ENDED),
    ends: at === undefined ? state.ends : [...state.ends, now].slice(-RATE_ENDS),
  };
}

function without<Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> {
  if (!map.has(key)) return map;
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}

const isValidation = (mode: RunMode): boolean => mode === 'validate' || mode === 'validate-rehearse';

export function endedFolders({ counts }: RunProgress): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

export function waitingFolders(state: RunProgress): number {
  return Math.max(0, state.folders - endedFolders(state) - state.working.size - state.postponed.size - state.prepared.size);
}

export interface Pace {
  /** Of late. */
  readonly foldersPerMinute: number;
  /** Over the whole run. */
  readonly patchesPerSecond: number;
  /** Milliseconds; undefined while too little is known. */
  readonly left: number | undefined;
}

export function paceOf(state: RunProgress, now: number): Pace | undefined {
  const { ends, startedAt } = state;
  const [first] = ends;
  if (first === undefined || ends.length < LEAST_ENDS) return undefined;
  // The time since the last end counts too: a run that hangs slows down visibly.
  const perMs = (ends.length - 1) / Math.max(1, now - first);
  const elapsed = Math.max(1, now - startedAt);
  return {
    foldersPerMinute: perMs * 60_000,
    patchesPerSecond: (state.patches / elapsed) * 1000,
    left: (state.folders - endedFolders(state) - state.prepared.size) / perMs,
  };
}
