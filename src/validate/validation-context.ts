// What a validation is told and what it tells: its steps, its sources, its outcome.
import type { Finding } from '../base/finding.ts';
import type { Folder } from '../environment/folder.ts';
import type { ElementCounts, LineCounts, PatchOutcome, TableOutcome } from '../journal/outcome.ts';
import type { ValidationStep } from '../journal/validation-steps.ts';
import type { FolderDifferences } from './differences.ts';

/** A folder whose dictionary another one follows. */
export interface DictionarySource {
  readonly folder: Folder;
  /** A history folder has what its live folder has, its own values included. */
  readonly exactly: boolean;
}

export interface ValidationContext {
  /** Of the run that validates; empty where there is none. */
  readonly run: string;
  readonly operator: string;
  /** Of a single wait. */
  readonly lockTimeoutMs: number;
  /** Limit for each SQL script. */
  readonly scriptTimeoutMs: number;
  /** Scripts to run that failed in the folder: they are left, and listed, for the operator's reason. */
  readonly leftToRun: { readonly scripts: readonly string[]; readonly reason: string };
  /** Whether what changed is listed one by one. */
  readonly differences: boolean;
  /** Told where a step begins. */
  step(step: ValidationStep): void;
  /** Called at named points; tests stop the program there. */
  readonly stopPoint: (name: string) => void;
}

/** What a step changed: elements, types, tables, scripts, texts, patches. */
export interface StepChanges {
  readonly step: ValidationStep;
  readonly changes: number;
}

export interface FolderValidation {
  readonly folder: string;
  /** `unchanged`: everything was in line already. */
  readonly state: 'validated' | 'unchanged' | 'failed';
  /** Whether it is still due, for reasons that this validation does not settle. */
  readonly due: boolean;
  /** Why it is still due, as in `FolderView`. */
  readonly reasons: readonly string[];
  /** Reasons of `due` that are settled by it. */
  readonly settled: readonly string[];
  /** Steps inside of the folder's transaction; none of a validation that failed. */
  readonly steps: readonly StepChanges[];
  /** Of the elements in which folder and source differ. */
  readonly elements: ElementCounts;
  readonly lines: LineCounts;
  readonly tables: TableOutcome;
  /** Scripts that were installed. */
  readonly scripts: readonly string[];
  /** Scripts of patches that were run at their end. */
  readonly ran: readonly string[];
  /** Rows that patches brought. */
  readonly rows: PatchOutcome['rows'];
  /** Texts that came for languages that the folder got. */
  readonly texts: number;
  /** Files of the patches that the folder has now and had not. */
  readonly patches: readonly string[];
  /** Where they were asked for. */
  readonly differences?: FolderDifferences;
  readonly ms: number;
  /** Why it failed: code and facts, as of an error. */
  readonly reason?: { readonly code: string; readonly facts: Finding['facts'] };
}

export interface Validated {
  readonly outcome: FolderValidation;
  readonly findings: readonly Finding[];
}
