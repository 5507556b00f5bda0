// What happened, as a closed union of events: progress, trace and history all read the same ones.
import type { Finding } from '../base/finding.ts';
import type { FolderRunState, PatchOutcome, RunMode, RunState } from './outcome.ts';

export type RunEvent =
  | {
      readonly kind: 'run-started';
      readonly run: string;
      readonly mode: RunMode;
      readonly files: readonly string[];
      readonly folders: readonly string[];
    }
  | { readonly kind: 'file-read'; readonly file: string; readonly elements: number; readonly bytes: number }
  | { readonly kind: 'finding'; readonly finding: Finding }
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
  | { readonly kind: 'folder-finished'; readonly folder: string; readonly state: FolderRunState }
  | { readonly kind: 'run-finished'; readonly run: string; readonly state: RunState; readonly ms: number };

/** An event with its time (ISO 8601) and number within the run. */
export type JournalEntry = RunEvent & { readonly seq: number; readonly at: string };

/** Listens to a run as it goes; must not throw. */
export type RunListener = (event: RunEvent) => void;
