// A delivery: what is to be integrated, in parts that the planner takes one by one. It comes from a patch file or from a folder's dictionary.
import type { Finding } from '../base/finding.ts';
import type { DictionaryElement, ElementName } from '../dictionary/element.ts';
import type { Fields } from '../dictionary/fields.ts';
import type { ScriptLanguage } from '../dictionary/script-language.ts';

export type DeliveredPart =
  | { readonly part: 'dictionary'; readonly element: DictionaryElement; readonly terms?: Terms }
  | DeliveredScript
  /** A row of a table (R24). */
  | { readonly part: 'row'; readonly table: TableName; readonly fields: Fields }
  | { readonly part: 'exe'; readonly name: string; readonly title: string };

/** On which terms an element of another folder's dictionary comes: those of the patches that brought it there. */
export interface Terms {
  /** Header type, as in `Delivery`. */
  readonly patchType: string;
  /** Specific codes that may be written. */
  readonly authorized: readonly string[] | 'everything';
  /** As in `MergeContext`. */
  readonly exactly: boolean;
}

/** How a delivery names the table of its rows: by the abbreviation alone (DIV), or also by the dictionary's name (TAB, AAA). */
export interface TableName {
  readonly name: string;
  readonly by: 'abbreviation' | 'either';
}

/** A table that rows are delivered for by an element of type TAB or AAA; with TAB also when there are none. */
export interface ContentTarget {
  /** `TYPE:NAME`. */
  readonly element: string;
  readonly table: string;
  /** Label and line of the first record for it; none in an empty TAB. */
  readonly record?: { readonly label: string; readonly line: number };
  readonly rows: number;
  /** The rows are the table's whole content (TAB). */
  readonly replaces: boolean;
}

export interface DeliveredScript {
  readonly part: 'script';
  readonly kind: string;
  readonly name: string;
  readonly title: string;
  readonly bytes: Uint8Array;
  readonly terms?: Terms;
  /**
   * The body is in the catalog already (a copy of another folder's): its digest and language instead of `bytes`;
   * `onlyAtEnd`: its patch ran it as a script to run, so that it is not run where the copy is installed.
   */
  readonly stored?: { readonly digest: string; readonly language: ScriptLanguage; readonly onlyAtEnd: boolean };
}

export interface Delivery {
  /** Patch file name, without its directory. */
  readonly file: string;
  /** SHA-256 of the content. */
  readonly digest: string;
  /** Header type: `1` Standard … `5` Add-on (R6–R9). */
  readonly patchType: string;
  readonly languages: readonly string[];
  /** Elements may lack texts in some of its languages: about these it says nothing. */
  readonly partlyTranslated?: boolean;
  readonly activityCodes: readonly string[];
  readonly comment: string;
  readonly bytes: number;
  readonly elements: readonly (ElementName & { readonly title: string })[];
  /** Abbreviations of the tables that rows are delivered for by elements of that type, with their number. */
  readonly rows: ReadonlyMap<string, number>;
  /** Tables that TAB and AAA elements bring rows for. */
  readonly contents: readonly ContentTarget[];
  /** Abbreviations that delivered tables carry. */
  readonly abbreviations: ReadonlySet<string>;
  /** Relations that the delivered tables consist of, their indexes among them: as many locks a transaction may need. */
  readonly relations: number;
  /** Specific codes that the content carries. */
  readonly carriedCodes: ReadonlySet<string>;
  /** Names of the scripts whose text is SQL. */
  readonly sqlScripts: ReadonlySet<string>;
  readonly findings: readonly Finding[];
  /** The bytes of the file; may be called again. Absent: it comes from a folder's dictionary. */
  content?(): AsyncIterable<Uint8Array>;
  /** Reads the parts, in the order of the file; may be called again. */
  parts(findings: Finding[]): AsyncIterable<DeliveredPart>;
}

/** All names by which a delivery means tables that it has rows for. */
export function tableNames(delivery: Pick<Delivery, 'rows' | 'contents'>): readonly string[] {
  return [...new Set([...delivery.rows.keys(), ...delivery.contents.map((content) => content.table)])];
}

/** What comes from a folder's own dictionary and not from a file: a standard delivery of dictionary elements, nothing else. */
export const FROM_DICTIONARY = {
  digest: '0'.repeat(64),
  patchType: '1',
  activityCodes: [],
  comment: '',
  bytes: 0,
  rows: new Map(),
  contents: [],
  abbreviations: new Set<string>(),
  carriedCodes: new Set<string>(),
  relations: 0,
  sqlScripts: new Set<string>(),
  findings: [],
} as const;
