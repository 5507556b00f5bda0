// The wiring: opens what the settings say, exposes the verbs, closes in reverse.
import { Bug } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { RunMode, RunOutcome } from '../journal/outcome.ts';
import type { JournalEntry, RunListener } from '../journal/journal.ts';
import type { Settings } from './config.ts';

export interface FolderView {
  readonly code: string;
  readonly parent: string | null;
  readonly state: string;
  /** Highest number per series and version: `{ "P_140": 12 }`. */
  readonly level: Readonly<Record<string, number>>;
  /** Standard patch files that the supervisor folder has and this one has not. */
  readonly lag: readonly string[];
  readonly due: boolean;
  readonly languages: readonly string[];
  readonly activityCodes: readonly string[];
  readonly test: boolean;
  readonly specific: boolean;
  readonly historyOf: string | null;
  readonly schema: string;
  /** Login role; null where the database user may not create roles. */
  readonly role: string | null;
  readonly tables: number;
  readonly patches: number;
}

export interface InitOptions {
  readonly supervisor?: string;
  readonly languages?: readonly string[];
}

export interface FolderOptions {
  readonly parent?: string;
  readonly test?: boolean;
  readonly specific?: boolean;
  readonly historyOf?: string;
  readonly languages?: readonly string[];
  readonly activityCodes?: readonly string[];
}

export interface IntegrateOptions {
  readonly paths: readonly string[];
  /** Absent: all folders. */
  readonly folders?: readonly string[];
  readonly mode: RunMode;
  readonly authorize?: readonly string[];
  readonly onError?: 'continue' | 'stop';
  readonly force?: readonly { readonly check: string; readonly reason: string }[];
  readonly jobs?: number;
  readonly listener?: RunListener;
}

export interface Rustine {
  init(options: InitOptions): Promise<{ readonly supervisor: FolderView; readonly findings: readonly Finding[] }>;
  createFolders(codes: readonly string[], options: FolderOptions): Promise<{ readonly folders: readonly FolderView[]; readonly findings: readonly Finding[] }>;
  folders(): Promise<readonly FolderView[]>;
  folder(code: string): Promise<FolderView>;
  dropFolder(code: string): Promise<void>;
  integrate(options: IntegrateOptions): Promise<RunOutcome>;
  log(run: string): Promise<readonly JournalEntry[]>;
  /** URL of the database; of a folder's own login when one is named. Keeps the embedded server running until `stopDatabase`. */
  databaseUrl(folder?: string): Promise<string>;
  close(): Promise<void>;
}

/** @throws Failure when the database cannot be reached */
export async function openRustine(_settings: Settings): Promise<Rustine> {
  throw new Bug('not wired yet');
}
