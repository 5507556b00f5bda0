// What a run tells while it goes and how it ends: events numbered, told and written, the folders' states, its findings.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import type { RunEvent, RunListener } from '../journal/journal.ts';
import type { FolderEnd, RunMode, RunOutcomeOf, RunState } from '../journal/outcome.ts';
import { type FolderStates, folderStates } from '../journal/run-folders.ts';
import { finishRun, type NotedEvent, noteEvents, serverEpoch } from '../journal/runs.ts';
import { giveBackRun } from '../journal/whole-runs.ts';
import { type Forced, passedOver } from '../plan/checks.ts';
import { patiently } from './patience.ts';
import type { StartedRun } from './started-run.ts';

export interface RunJournalRequest {
  readonly started: StartedRun;
  readonly mode: RunMode;
  readonly operator: string;
  readonly forced: Forced;
  readonly listener: RunListener;
  /** Events that a folder's transaction writes itself. */
  readonly writtenThere: (event: RunEvent) => boolean;
}

export interface RunJournal {
  readonly findings: Finding[];
  readonly states: FolderStates;
  /** Tells an event, and writes it with the next statement. */
  emit(event: RunEvent): void;
  /** The same of a folder on another server: written here too, so that the trace is whole. */
  emitFar(event: RunEvent): void;
  /** Findings of the run: those that are forced stay visible. */
  found(findings: readonly Finding[]): void;
  /** Number of an event that somebody else writes. */
  nextEvent(): number;
  /** Whether the worker that has the run is to stop. */
  stopped(): boolean;
  /** What was told is written. */
  written(): Promise<void>;
  /** @throws Failure `run-lost` where it was taken for dead, and settled */
  finish<Folder extends FolderEnd>(state: RunState, folders: readonly Folder[]): Promise<RunOutcomeOf<Folder>>;
}

const LAST_MS = [100, 300];

export async function openJournal(database: Database, request: RunJournalRequest): Promise<RunJournal> {
  const begun = performance.now();
  const { started, mode } = request;
  const { id, cancelling, taken } = started;
  const { process } = started.lease;
  const epoch = await serverEpoch(database);
  // Whoever takes a run up numbers its events anew.
  let { seq } = started;
  const findings: Finding[] = [];
  const noted: NotedEvent[] = started.events.map((event) => ({ seq: ++seq, event, at: begun }));
  const states = folderStates(database, id, process, noted, epoch);
  const stopped = (): boolean => taken?.stop.aborted === true;
  const emit = (event: RunEvent): void => {
    // A worker that stops gives the run back: nothing of it has ended.
    if (event.kind === 'folder-finished' && event.state === 'cancelled' && stopped()) return;
    if (!request.writtenThere(event)) noted.push({ seq: ++seq, event, at: performance.now() });
    request.listener(event);
  };
  const written = (): Promise<void> => noteEvents(database, id, noted.splice(0), epoch);
  return {
    findings,
    states,
    emit,
    emitFar: (event) => {
      if (event.kind === 'finding') findings.push(event.finding);
      noted.push({ seq: ++seq, event, at: performance.now() });
      states.tell();
      request.listener(event);
    },
    found: (given) => {
      const more = given.map((finding) => passedOver(finding, request.forced, request.operator));
      findings.push(...more);
      for (const finding of more) emit({ kind: 'finding', finding });
    },
    nextEvent: () => ++seq,
    stopped,
    written,
    finish: async (state, folders) => {
      const outcome = { run: id, mode, state, findings, folders };
      // Nobody cancelled it: it was taken for dead, and settled.
      if (cancelling.lost && state === 'cancelled') throw new Failure('run-lost', { run: id });
      if (state === 'cancelled' && taken?.as === 'run' && stopped()) {
        await states.written();
        await written();
        if (await giveBackRun(database, id, process)) return outcome;
      }
      emit({ kind: 'run-finished', run: id, state, ms: Math.round(performance.now() - begun) });
      // What the folders got stands: a connection that is lost now must not make a failed run of it.
      await patiently(LAST_MS, () => states.written());
      const last = noted.splice(0);
      await patiently(LAST_MS, () => noteEvents(database, id, last, epoch));
      await patiently(LAST_MS, () => finishRun(database, id, state, process));
      return outcome;
    },
  };
}
