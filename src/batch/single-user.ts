// Nobody else in the folders while a run is at work (R12): logins shut, sessions waited for or ended, logins let in again folder by folder.
import { setTimeout } from 'node:timers/promises';
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import { sqlState } from '../database/postgres.ts';
import { type Connected, endSessions, readConnected } from '../environment/connected.ts';
import type { Folder } from '../environment/folder.ts';
import { BEING_CHANGED, readLoginHolder } from '../environment/holders.ts';
import { type LetIn, letIn, type OpenLogin, type Shut, shutLogins } from '../environment/logins.ts';
import type { RunEvent } from '../journal/journal.ts';
import { disconnectFindings, loginFindings, sessionFindings } from '../plan/session-findings.ts';
import { lettingThrough } from './letting-through.ts';

/** What the operator says about sessions that are there. */
export interface SessionOptions {
  /** How long they are waited for, in milliseconds; absent: not at all. */
  readonly waitMs?: number;
  /** Those that are still there then are ended. */
  readonly disconnect?: boolean;
}

export interface SingleUserRequest extends SessionOptions {
  readonly run: string;
  /** Lease of the program that has the run, or of the worker that sees to its beginning. */
  readonly lease: string;
  /** Folders in which something is going to be done. */
  readonly folders: readonly Folder[];
  /** Whether sessions are passed over (`--force sessions=…`). */
  readonly forced: boolean;
  readonly emit: (event: RunEvent) => void;
  /** The run was cancelled: nobody is waited for any longer, nor ended. */
  readonly soft: AbortSignal;
  readonly stopPoint: (name: string) => void;
}

export interface SingleUser {
  readonly findings: readonly Finding[];
  /** The folder is through: its users may come in again. Does not wait for that, and does not fail. */
  through(folder: string): void;
  /** The run is over: everybody may come in again. */
  leave(): Promise<readonly Finding[]>;
}

const LOOK_FIRST_MS = 50;
const LOOK_AGAIN_MS = 1_000;
/** A session that was told to end is gone as soon as the server can interrupt it. */
const END_WITHIN_MS = 10_000;

/** Who is there now: nothing is changed. */
export async function lookForSessions(
  database: Database,
  folders: readonly Folder[],
  forced: boolean,
): Promise<readonly Finding[]> {
  if (folders.length === 0) return [];
  return [...loginFindings(folders, []), ...sessionFindings(await readConnected(database, folders), forced)];
}

/** Logins are shut before anybody is looked for: else somebody could come in behind our back. */
export async function enterSingleUser(database: Database, request: SingleUserRequest): Promise<SingleUser> {
  const { run, folders, stopPoint } = request;
  if (folders.length === 0) return { findings: [], through: () => undefined, leave: async () => [] };
  const ways = waysOut(database, { run, process: request.lease });
  try {
    const shut = await shutAll(database, request);
    if ('findings' in shut) return { ...shut, ...ways };
    stopPoint('run-logins-shut');
    // A run that was waited for may have died: its other folders are nobody's any more.
    await letIn(database, 'over').catch(() => undefined);
    const findings = [...loginFindings(folders, shut.open), ...(await withoutSessions(database, request))];
    stopPoint('run-alone');
    return { findings, ...ways };
  } catch (error) {
    // Also after a commit whose answer was lost. Where the database is lost, the next command lets them in.
    await ways.leave().catch(() => undefined);
    throw error;
  }
}

/** How long such a one is waited for, unless the operator says more; in between everybody else may change logins. */
const CHANGE_MS = 5_000;
const CHANGE_PAUSE_MS = 250;

/** All or none: with one of them open somebody could come in behind our back. */
async function shutAll(
  database: Database,
  { run, lease, folders, soft, waitMs = 0 }: SingleUserRequest,
): Promise<{ readonly open: readonly OpenLogin[] } | { readonly findings: readonly Finding[] }> {
  for (const until = performance.now() + Math.max(waitMs, CHANGE_MS); ; ) {
    try {
      return { open: await database.transaction((session) => shutLogins(session, run, folders, lease)) };
    } catch (error) {
      if (!BEING_CHANGED.includes(sqlState(error))) throw error;
      // It goes on, and every folder is told as cancelled.
      if (soft.aborted) return { findings: [] };
      if (performance.now() >= until)
        return { findings: [{ code: 'login-locked', severity: 'block', facts: await readLoginHolder(database) }] };
      await setTimeout(CHANGE_PAUSE_MS, undefined, { signal: soft }).catch(() => undefined);
    }
  }
}

/** Waits for sessions and ends them as far as the operator says. */
async function withoutSessions(database: Database, request: SingleUserRequest): Promise<readonly Finding[]> {
  const { run, folders, forced, waitMs = 0, disconnect = false } = request;
  const first = await readConnected(database, folders);
  if (forced || !first.some(isUser)) return sessionFindings(first, forced);
  const waited = waitMs > 0 ? await waitUntilGone(database, request, first, waitMs, 'waiting') : first;
  const left = waited.filter(isUser);
  // It goes on, and every folder is told as cancelled.
  if (request.soft.aborted) return [];
  if (!disconnect || left.length === 0) return sessionFindings(waited, false);
  const { ended, denied } = await endSessions(database, run, left, folders);
  if (ended.length > 0) request.emit({ kind: 'sessions', state: 'ended', sessions: ended });
  const findings = disconnectFindings(ended, denied);
  if (blocks(findings)) return findings;
  return [...findings, ...sessionFindings(await waitUntilGone(database, request, left, END_WITHIN_MS, 'ending'), false)];
}

const isUser = ({ folder }: Connected): boolean => folder !== null;

/** @returns who is there at the end, others too */
async function waitUntilGone(
  database: Database,
  { folders, emit, soft }: SingleUserRequest,
  first: readonly Connected[],
  forMs: number,
  why: 'waiting' | 'ending',
): Promise<readonly Connected[]> {
  const until = performance.now() + forMs;
  let all = first;
  let told = '';
  for (let pause = LOOK_FIRST_MS; ; pause = Math.min(2 * pause, LOOK_AGAIN_MS)) {
    const there = all.filter(isUser);
    const now = there.map(({ pid }) => pid).join(' ');
    if (why === 'waiting' && now !== told)
      emit({ kind: 'sessions', state: there.length === 0 ? 'gone' : 'waiting', sessions: there });
    told = now;
    const left = until - performance.now();
    if (there.length === 0 || left <= 0 || soft.aborted) return all;
    await setTimeout(Math.min(pause, left), undefined, { signal: soft }).catch(() => undefined);
    all = await readConnected(database, folders);
  }
}

/** How long a login is waited for that somebody is changing just now. */
const AGAIN = 5;

async function lettingIn(again: () => Promise<LetIn>): Promise<LetIn> {
  for (let tries = 1; ; tries++) {
    const outcome = await again().catch((error: unknown) => {
      if (tries === AGAIN) throw error;
      return undefined;
    });
    const locked = outcome === undefined || outcome.left.some(({ code }) => code === 'login-locked');
    if (outcome !== undefined && (!locked || tries === AGAIN)) return outcome;
    await setTimeout(LOOK_AGAIN_MS);
  }
}

function waysOut(database: Database, ours: Exclude<Shut, 'over'>): Pick<SingleUser, 'through' | 'leave'> {
  const passing = lettingThrough(database, ours);
  let leaving: Promise<readonly Finding[]> | undefined;
  const letAllIn = async (): Promise<readonly Finding[]> => {
    await passing.end();
    try {
      return (await lettingIn(() => letIn(database, ours))).left;
    } catch (error) {
      // What the run did stands; whoever comes next lets them in.
      if (!(error instanceof Failure)) throw error;
      return [{ code: 'logins-left-shut', severity: 'warn', facts: { reason: String(error.facts.reason ?? error.code) } }];
    }
  };
  return {
    through: passing.through,
    leave: () => (leaving ??= letAllIn()),
  };
}
