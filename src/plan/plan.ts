// A plan as data: what one patch does to every folder in one starting state. The bulk of it is staged in the catalog under its number. Pure.
import type { Finding } from '../base/finding.ts';
import type { ElementCounts, LineCounts } from '../journal/outcome.ts';
import type { TableChange } from '../tables/diff.ts';
import type { ViewChange } from './view-plan.ts';

/** Rows for one table that have the same columns: written by one statement. */
export interface RowBatch {
  /** Number of the batch within the plan. */
  readonly batch: number;
  /** Physical name of the table. */
  readonly table: string;
  readonly columns: readonly string[];
  /** Columns of the first index (R24), with whether they can be NULL. */
  readonly key: readonly { readonly column: string; readonly nullable: boolean }[];
  /** Columns that are compared to see whether a row changes. */
  readonly compared: readonly string[];
}

/** A table whose whole content was delivered (TAB): rows that the plan's batches do not bring go away. */
export interface ReplacedTable {
  /** Physical name. */
  readonly table: string;
  readonly key: RowBatch['key'];
  /** The first index lets a key occur more than once. */
  readonly duplicates: boolean;
}

/** A table of rows that has other indexes without duplicates besides the first: its rows may exchange their values. */
export interface FurtherUnique {
  /** Physical name. */
  readonly table: string;
  /** Dictionary name. */
  readonly code: string;
  readonly key: RowBatch['key'];
  /** Columns of the definition but the row's number, with the SQL of their empty value; null: empty is NULL. */
  readonly columns: readonly { readonly column: string; readonly empty: string | null }[];
  /** Columns that somebody else added. */
  readonly others: readonly string[];
  /** Columns whose change does not make a row an updated one. */
  readonly noise: readonly string[];
  /** The definition's own such indexes. */
  readonly indexes: readonly { readonly name: string; readonly columns: readonly string[] }[];
}

/** A SQL script that runs inside the folder's transaction (R28). */
export interface SqlRun {
  readonly name: string;
  /** Digest of its text. */
  readonly digest: string;
  /** Where it is installed, or as a script to run at the end (EXE). */
  readonly when: 'installed' | 'end';
  /** The folder gets this text as its own copy: the functions that it makes belong to the copy. */
  readonly own: boolean;
}

/** A script to run at the end that the database cannot run, or that is left; `language` is empty where nobody has its text. */
export interface OutsideRun {
  readonly name: string;
  readonly language: string;
}

export interface Plan {
  readonly id: string;
  /** Number of what is staged: none says that dictionary, rows and scripts stay as they are. */
  readonly items: number;
  /** Digest of the starting state that it was made for. */
  readonly basis: string;
  readonly findings: readonly Finding[];
  readonly counts: ElementCounts;
  readonly lines: LineCounts;
  readonly tables: readonly TableChange[];
  /** Data types whose columns are other ones now. */
  readonly changedTypes: readonly string[];
  readonly views: readonly ViewChange[];
  readonly batches: readonly RowBatch[];
  readonly replaced: readonly ReplacedTable[];
  readonly furtherUnique: readonly FurtherUnique[];
  readonly scripts: number;
  /** SQL scripts in the order in which they run. */
  readonly runs: readonly SqlRun[];
  readonly pending: readonly OutsideRun[];
  /** Scripts that are replaced made functions before: those that the new ones do not make again go. */
  readonly formerFunctions: boolean;
  /** Specific codes that were not authorised. */
  readonly ignoredCodes: readonly string[];
  /** Why the folder must be validated afterwards (R25), in words of `due`. */
  readonly due: readonly string[];
  /** Tables and columns (`table.column`) that rows came for and that the folder does not generate. */
  readonly leftOut: readonly string[];
  /** Rows, and tables whose content is replaced: more than none says that a new folder has yet to get them. */
  readonly rows: number;
  /** Relations that one transaction locks, for the lock capacity check. */
  readonly locks: number;
}

/** What a plan depends on besides the delivery: folders that agree in all of it share the plan. */
export interface FolderSettings {
  readonly id: number;
  readonly code: string;
  readonly schema: string;
  readonly supervisor: boolean;
  readonly test: boolean;
  readonly specific: boolean;
  readonly languages: readonly string[];
  readonly activityCodes: readonly string[];
  /** Number of slots that the folder itself sets for a code, whatever size it is delivered in. */
  readonly activitySizes: Readonly<Record<string, number>>;
  /** Modules in use; null: all of them. */
  readonly modules: readonly number[] | null;
  /** From the parent up: where scripts are looked up that the folder does not have (R4). */
  readonly ancestors: readonly { readonly id: number; readonly code: string; readonly schema: string }[];
  /** Login role, with whose rights SQL scripts run; null where there are no roles (R3). */
  readonly role: string | null;
  /** Stands for a folder that lives on another server: what runs once for a folder does not run here. */
  readonly mirror?: boolean;
}
