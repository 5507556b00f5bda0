// The state of planning: what comes in, what is gathered on the way, the items that go out. Pure.
import type { Finding } from '../base/finding.ts';
import type { DictionaryRecord } from '../dictionary/element.ts';
import type { LineVerdict, Verdict } from '../dictionary/merge-result.ts';
import { NO_LINES } from '../dictionary/merge-result.ts';
import type { FieldsSeen } from '../dictionary/seen-fields.ts';
import { NO_ELEMENTS } from '../journal/outcome.ts';
import type { DataType } from '../tables/data-types.ts';
import { dataTypeOf } from '../tables/data-types.ts';
import type { CodeState } from '../tables/generation.ts';
import type { Delivery } from './delivery.ts';
import type { FolderFacts } from './facts.ts';
import type { FolderSettings, FurtherUnique, OutsideRun, Plan, ReplacedTable, RowBatch, SqlRun } from './plan.ts';
import type { ScriptBody } from './script-facts.ts';

/** One staged row of a plan, as the catalog's plan_item holds it. */
export interface PlanItem {
  readonly item:
    | 'element'
    | 'record'
    /** A record whose content stays: its position. */
    | 'move'
    | 'remove'
    /** What was delivered where the folder keeps something else; `withdraw` takes such an offer back. */
    | 'offer'
    | 'withdraw'
    /** Content that only an offer refers to. */
    | 'content'
    /** Which set-up fields of a record the folder's people changed. */
    | 'changed'
    | 'script'
    /** The text of a script to run that the folder gets no copy of. */
    | 'body'
    | 'exe'
    | 'activity'
    | 'row'
    | 'translation'
    | 'remainder';
  readonly ordinal: number;
  readonly type?: string;
  readonly name?: string;
  readonly tag?: string;
  readonly key?: string;
  readonly position?: number;
  readonly digest?: string;
  readonly meaning?: string;
  /** Of an offer: digest of what was delivered the time before. */
  readonly before?: string;
  readonly scope?: string;
  readonly activity?: string;
  readonly title?: string;
  /** JSON text. */
  readonly fields?: string;
  readonly bytes?: Uint8Array;
}

export type Authorized = readonly string[] | 'everything' | 'offered';

export interface PlanningInput {
  readonly delivery: Delivery;
  readonly folder: FolderSettings;
  readonly facts: FolderFacts;
  /**
   * Codes the operator authorised for the run, besides those of the header; `everything` for a copy of a folder; `offered`: what was let in once
   * and not taken is delivered again (R37).
   */
  readonly authorized: Authorized;
  /** The folder has dictionary and scripts of this delivery from its creation: only rows and scripts to run are planned. */
  readonly rowsOnly: boolean;
  /** Physical tables; rows were left out of them before: only rows of these are planned, nothing is run again. null: no such restriction. */
  readonly onlyTables: ReadonlySet<string> | null;
  /** Scripts to run of this very file that the folder has run or listed already: it comes again for codes that were not authorised then. */
  readonly ranBefore: readonly string[];
  /** Scripts to run that failed in this folder: they are listed, for a person to run them later. */
  readonly leftToRun: readonly string[];
  /** Set-up values that nobody in the folder changed follow the delivery. */
  readonly takeUnchanged: boolean;
}

/** What a plan is before it is staged: the small part, after its items were drained. */
export type PlanDraft = Omit<Plan, 'id' | 'basis' | 'items'>;

export interface Draft {
  readonly findings: Finding[];
  readonly counts: Record<Verdict, number>;
  readonly lines: Record<LineVerdict, number>;
  readonly definitions: Map<string, readonly DictionaryRecord[]>;
  readonly dataTypes: Map<string, DataType>;
  /** Data types that the delivery changes: every table that uses one follows. */
  readonly changedTypes: Set<string>;
  /** State and size of the activity codes, after the delivery. */
  readonly codes: Map<string, CodeState>;
  readonly ignoredCodes: Set<string>;
  readonly due: Set<string>;
  readonly runs: SqlRun[];
  readonly pending: OutsideRun[];
  /** Scripts to run at the end, in the order of the file. */
  readonly exes: DeliveredExe[];
  /** Authorised scripts of the delivery that are to be run at the end, by name. */
  readonly bodies: Map<string, ScriptBody>;
  /** `kind\0name` of the scripts that the plan installs. */
  readonly installed: Map<string, ScriptBody>;
  readonly batches: Map<string, RowBatch>;
  /** By physical name. */
  readonly replaced: Map<string, ReplacedTable>;
  readonly leftOut: Set<string>;
  /** By physical name. */
  readonly furtherUnique: Map<string, FurtherUnique>;
  /** Fields of the records that are written, for the typed views. */
  readonly fieldsSeen: FieldsSeen;
  /** Physical tables that the delivery changes, for the lock count. */
  ordinal: number;
  scripts: number;
  formerFunctions: boolean;
  rows: number;
}

export interface DeliveredExe {
  readonly ordinal: number;
  readonly name: string;
  readonly title: string;
}

export function newDraft(facts: Pick<FolderFacts, 'dataTypes' | 'codes'>): Draft {
  const dataTypes = new Map<string, DataType>();
  for (const [code, header] of facts.dataTypes) {
    if (header.fields !== undefined) dataTypes.set(code, dataTypeOf(code, { ...header, fields: header.fields }));
  }
  return {
    findings: [],
    counts: { ...NO_ELEMENTS },
    lines: { ...NO_LINES },
    definitions: new Map(),
    dataTypes,
    changedTypes: new Set(),
    codes: new Map(facts.codes),
    ignoredCodes: new Set(),
    due: new Set(),
    runs: [],
    pending: [],
    exes: [],
    bodies: new Map(),
    installed: new Map(),
    batches: new Map(),
    replaced: new Map(),
    leftOut: new Set(),
    furtherUnique: new Map(),
    fieldsSeen: new Map(),
    ordinal: 0,
    scripts: 0,
    formerFunctions: false,
    rows: 0,
  };
}
