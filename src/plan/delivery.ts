// A delivery: what is to be integrated, in parts that the planner takes one by one. It comes from a patch file or from a folder's dictionary.
import type { Finding } from '../base/finding.ts';
import type { DictionaryElement, ElementName } from '../dictionary/element.ts';
import type { Fields } from '../dictionary/fields.ts';

export type DeliveredPart =
  | { readonly part: 'dictionary'; readonly element: DictionaryElement }
  | { readonly part: 'script'; readonly kind: string; readonly name: string; readonly title: string; readonly bytes: Uint8Array }
  /** A row of the table whose abbreviation is `abbreviation` (R24). */
  | { readonly part: 'row'; readonly abbreviation: string; readonly selection: string; readonly fields: Fields }
  | { readonly part: 'exe'; readonly name: string; readonly title: string };

export interface Delivery {
  /** Patch file name, without its directory. */
  readonly file: string;
  /** SHA-256 of the content. */
  readonly digest: string;
  /** Header type: `1` Standard … `5` Add-on (R6–R9). */
  readonly patchType: string;
  readonly languages: readonly string[];
  readonly activityCodes: readonly string[];
  readonly comment: string;
  readonly bytes: number;
  readonly elements: readonly (ElementName & { readonly title: string })[];
  /** Abbreviations of the tables that rows are delivered for, with their number. */
  readonly rows: ReadonlyMap<string, number>;
  /** Abbreviations that delivered tables carry. */
  readonly abbreviations: ReadonlySet<string>;
  /** Specific codes that the content carries. */
  readonly carriedCodes: ReadonlySet<string>;
  readonly findings: readonly Finding[];
  /** Reads the parts, in the order of the file; may be called again. */
  parts(findings: Finding[]): AsyncIterable<DeliveredPart>;
}
