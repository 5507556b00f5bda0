// What happened, as a closed union of events: progress, trace and history all read the same ones.
import type { Facts } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Connected } from '../environment/connected.ts';
import type { Blocker } from '../environment/sessions.ts';
import type { ActiveChange } from './folder-entry.ts';
import type { FolderRunState, PatchOutcome, RunMode, RunState } from './outcome.ts';
import type { TaskKind } from './tasks.ts';
import type { StepOutcome, ValidationStep } from './validation-steps.ts';

export type RunEvent =
  | {
      readonly kind: 'run-started';
      readonly run: string;
      readonly mode: RunMode;
      readonly files: readonly string[];
      readonly folders: readonly string[];
    }
  /** Another run has folders of this one, and this one waits until it is over. */
  | {
      readonly kind: 'run-waiting';
      readonly run: string;
      readonly operator: string;
      readonly host: string;
      readonly since: string;
      readonly folders: readonly string[];
    }
  /** Tasks of the batch server are at work in folders of this run, and it waits until they have ended (R12). */
  | {
      readonly kind: 'tasks-waiting';
      readonly tasks: readonly {
        readonly task: number;
        readonly kind: TaskKind;
        readonly folder: string;
        readonly host: string;
      }[];
    }
  /** Other commands are changing folders of this run, and it waits until they have ended. */
  | { readonly kind: 'changes-waiting'; readonly changes: readonly ActiveChange[] }
  /** Waves come one after the other (R31); `canary`: the others wait until these have got everything. */
  | { readonly kind: 'wave-started'; readonly wave: number; readonly folders: readonly string[]; readonly canary: boolean }
  /** Somebody else is in the way: the folder is as it was, and comes again after the pause. */
  | {
      readonly kind: 'folder-postponed';
      readonly folder: string;
      readonly file: string;
      readonly attempt: number;
      readonly pauseMs: number;
      readonly table: string;
      readonly blockers: readonly Blocker[];
    }
  /** `hard`: what is at work is rolled back; else it ends its patch. */
  | { readonly kind: 'run-cancelled'; readonly run: string; readonly by: string; readonly hard: boolean }
  | { readonly kind: 'file-read'; readonly file: string; readonly elements: number; readonly bytes: number }
  | { readonly kind: 'finding'; readonly finding: Finding }
  /** Sessions of folders' logins that were there when the run began (R12): waited for, all gone, or ended by us. */
  | { readonly kind: 'sessions'; readonly state: 'waiting' | 'gone' | 'ended'; readonly sessions: readonly Connected[] }
  | { readonly kind: 'patch-started'; readonly folder: string; readonly file: string }
  | { readonly kind: 'patch-finished'; readonly folder: string; readonly outcome: PatchOutcome }
  /** A script was run outside of the database (R28); `output` is the end of what it printed. */
  | {
      readonly kind: 'script-run';
      readonly folder: string;
      readonly script: string;
      readonly language: string;
      readonly state: 'done' | 'failed';
      readonly exit: number | null;
      readonly output: string;
      readonly ms: number;
    }
  /** Of a run that is all or none: it could be committed, and waits for the others. Nothing is in the folder yet. */
  | { readonly kind: 'folder-prepared'; readonly folder: string }
  /** Of a run that is all or none: what becomes of all its folders, from now on whatever happens. */
  | { readonly kind: 'run-decided'; readonly run: string; readonly decision: 'commit' | 'rollback' }
  /** A step of a folder's validation (R35): told while it goes, not written. */
  | { readonly kind: 'step-started'; readonly folder: string; readonly step: ValidationStep }
  /** Steps of a folder's transaction are written in it; after a failure they are told all the same. */
  | { readonly kind: 'step-finished'; readonly folder: string; readonly outcome: StepOutcome }
  /** A validation failed: nobody comes into the folder until one has come to its end, or somebody unlocks it. */
  | {
      readonly kind: 'folder-locked';
      readonly folder: string;
      readonly reason: { readonly code: string; readonly facts: Facts };
    }
  | { readonly kind: 'folder-unlocked'; readonly folder: string }
  | { readonly kind: 'folder-finished'; readonly folder: string; readonly state: FolderRunState }
  | { readonly kind: 'run-finished'; readonly run: string; readonly state: RunState; readonly ms: number };

/** An event with its time (ISO 8601) and number within the run. */
export type JournalEntry = RunEvent & { readonly seq: number; readonly at: string };

/** Listens to a run as it goes; must not throw. */
export type RunListener = (event: RunEvent) => void;
