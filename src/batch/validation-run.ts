// A run that validates folders: controls, single user, then a transaction for each folder; the frame is that of every run.
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import type { Folder } from '../environment/folder.ts';
import type { RunEvent, RunListener } from '../journal/journal.ts';
import type { RunMode, RunState } from '../journal/outcome.ts';
import type { StepOutcome, ValidationStep } from '../journal/validation-steps.ts';
import { type Forced, passedOver } from '../plan/checks.ts';
import { sweepStaging } from '../plan/staging.ts';
import { validationSources } from '../validate/validation-sources.ts';
import { openJournal } from './run-journal.ts';
import { enterSingleUser, lookForSessions, type SessionOptions, type SingleUser } from './single-user.ts';
import type { StartedRun } from './started-run.ts';
import {
  blockedReason,
  nothingDone,
  type RunValidation,
  type ValidationOutcome,
  type ValidationPart,
  type ValidationTogether,
} from './validating.ts';
import { end, validateWaves } from './validation-waves.ts';

/** The parts of the run that are on other servers. */
export interface ValidationsElsewhere {
  /** Nothing keeps the folders here from beginning: they go on at the same time. */
  begin(tell: (event: RunEvent) => void): void;
  /** The folders here are through. */
  end(): Promise<{ readonly folders: readonly RunValidation[]; readonly failed: boolean }>;
  /** Where the run fails: what is at work there is ended, nothing else is begun. May be called after the end, too. */
  abandon(): Promise<void>;
}

export interface ValidationRequest extends ValidationTogether {
  /** Its folders are taken. */
  readonly started: StartedRun;
  readonly mode: RunMode;
  readonly folders: readonly Folder[];
  /** All folders of the environment: some of them are where the dictionary comes from. */
  readonly all: readonly Folder[];
  readonly operator: string;
  readonly forced: Forced;
  readonly onError: 'continue' | 'stop';
  readonly jobs: number;
  /** For one folder, all attempts together. */
  readonly lockTimeoutMs: number;
  readonly scriptTimeoutMs: number;
  /** Whether what changes is listed one by one. */
  readonly differences: boolean;
  /** Of the controls; those of one folder keep that one only. */
  readonly findings: readonly Finding[];
  /** How long they took. */
  readonly controlsMs: number;
  readonly listener: RunListener;
  readonly stopPoint: (name: string) => void;
  readonly sessions: SessionOptions;
  readonly elsewhere?: ValidationsElsewhere;
}

export async function runValidation(database: Database, request: ValidationRequest): Promise<ValidationOutcome> {
  const { started, mode, folders, forced, operator, stopPoint } = request;
  const { id, cancelling } = started;
  const writtenThere = new WeakSet<object>();
  const journal = await openJournal(database, { ...request, writtenThere: (event) => writtenThere.has(event) });
  const { emit, found, findings, finish } = journal;
  emit({ kind: 'run-started', run: id, mode, files: [], folders: [...folders.map(({ code }) => code), ...started.elsewhere] });
  found([...started.findings, ...request.findings]);
  const ofRun = findings.filter((finding) => isOfRun(finding, started.findings));
  const control = controlSteps(folders, findings, request.controlsMs);
  const refused = (): Promise<ValidationOutcome> => {
    const state = cancelling.soft.aborted ? 'cancelled' : 'refused';
    const left = state === 'cancelled' ? state : 'skipped';
    return finish(state, [...folders.map((folder) => nothingDone(folder, left)), ...leftOutElsewhere(started, left)]);
  };
  const concerned = folders.filter(({ code }) => control.get(code)?.state !== 'failed');
  if (blocks(ofRun)) {
    const there = await lookForSessions(database, concerned, forced.sessions !== undefined);
    found(there);
    return refused();
  }
  await journal.written();
  let single: SingleUser | undefined;
  const sources = validationSources(database, started.lease.process, request.all);
  try {
    const begun = performance.now();
    single = await enterSingleUser(database, {
      run: id,
      lease: started.lease.process,
      folders: concerned,
      forced: forced.sessions !== undefined,
      ...request.sessions,
      soft: cancelling.soft,
      emit,
      stopPoint,
    });
    found(single.findings);
    const alone: StepOutcome = stepOf('single-user', 'done', performance.now() - begun);
    if (blocks(single.findings.map((finding) => passedOver(finding, forced, operator)))) {
      found(await single.leave());
      return await refused();
    }
    cancelling.onRequest((by, hard) => {
      if (!journal.stopped()) emit({ kind: 'run-cancelled', run: id, by, hard });
    });
    await sweepStaging(database);
    const outcomes = new Map<string, RunValidation>();
    const validating = {
      ...request,
      database,
      run: id,
      process: started.lease.process,
      sources,
      journal,
      cancelling,
      stop: request.stop ?? { requested: false },
      writtenThere,
      through: single.through,
    };
    const parts = new Map<string, ValidationPart>();
    for (const folder of folders) {
      const { code } = folder;
      const controls = control.get(code) ?? stepOf('controls', 'done', 0);
      emit({ kind: 'step-finished', folder: code, outcome: controls });
      if (controls.state === 'failed') {
        const mine = findings.filter((finding) => finding.folder === code);
        end(validating, outcomes, { ...nothingDone(folder, 'failed', blockedReason(mine)), steps: [controls] });
        if (request.onError === 'stop') validating.stop.requested = true;
        continue;
      }
      emit({ kind: 'step-finished', folder: code, outcome: alone });
      parts.set(code, { folder, attempts: 0, waitedMs: 0, before: [controls, alone], leftToRun: new Map() });
    }
    const elsewhere = cancelling.soft.aborted ? undefined : request.elsewhere;
    elsewhere?.begin(journal.emitFar);
    await validateWaves(validating, started.waves, parts, request.jobs, outcomes);
    const here = folders.map((folder) => outcomes.get(folder.code) ?? nothingDone(folder, 'skipped'));
    const far = await elsewhere?.end();
    found(await single.leave());
    const leftOut = far === undefined ? leftOutElsewhere(started, 'cancelled') : [];
    for (const { folder, state } of leftOut) journal.emitFar({ kind: 'folder-finished', folder, state });
    const all = [...here, ...(far?.folders ?? leftOut)];
    const state = stateOf(all);
    return await finish(far?.failed === true && state === 'done' ? 'partial' : state, all);
  } finally {
    await request.elsewhere?.abandon();
    await sources.release();
    // Where that fails, the next command lets them in.
    await single?.leave().catch(() => undefined);
  }
}

/** The run did not get as far as the further servers. */
function leftOutElsewhere({ elsewhere }: StartedRun, state: 'cancelled' | 'skipped'): readonly RunValidation[] {
  return elsewhere.map((code) => nothingDone({ code, due: [] }, state));
}

/** Others have folders of it, or its server takes nothing: what is about one folder only keeps that one. */
function isOfRun(finding: Finding, before: readonly Finding[]): boolean {
  return finding.folder === undefined || before.includes(finding);
}

function controlSteps(folders: readonly Folder[], findings: readonly Finding[], ms: number): ReadonlyMap<string, StepOutcome> {
  const blocked = new Set(
    findings.flatMap(({ folder, severity }) => (severity === 'block' && folder !== undefined ? [folder] : [])),
  );
  return new Map(folders.map(({ code }) => [code, stepOf('controls', blocked.has(code) ? 'failed' : 'done', ms)]));
}

function stepOf(step: ValidationStep, state: StepOutcome['state'], ms: number): StepOutcome {
  return { step, state, counts: {}, ms: Math.round(ms) };
}

function stateOf(folders: readonly RunValidation[]): RunState {
  if (folders.some(({ state }) => state === 'cancelled')) return 'cancelled';
  const behind = folders.filter(({ state, reason }) => state === 'failed' || reason !== undefined);
  if (behind.length === 0) return 'done';
  if (folders.some(({ state }) => state === 'validated' || state === 'unchanged')) return 'partial';
  // A folder that is locked is changed.
  const untouched = folders.every(
    ({ locked, state, reason }) => locked !== true && (state !== 'failed' || reason?.code === 'blocked'),
  );
  return untouched ? 'refused' : 'failed';
}
