// The patch file's grammar as types: what a reader yields, in file order, and a writer takes. Pure.

/** Line 1. `unknown1` and `unknown2` were always `""` and `"1"`; kept verbatim. */
export interface PatchHeader {
  readonly unknown1: string;
  /** Languages in the order of the file: `['FRA', 'ENG']`. */
  readonly languages: readonly string[];
  readonly unknown2: string;
  /** Authorised specific activity codes (R19). */
  readonly activityCodes: readonly string[];
  /** Folder of origin. */
  readonly folder: string;
  /** Type as written: `1` Standard, `2` Supervisor, `3` Specific, `4` Vertical, `5` Add-on (R6–R9). */
  readonly type: string;
  /** The line itself without its end, for writing back the same bytes. */
  readonly raw: string;
}

/** Lines 2 and 7. */
export interface ElementHead {
  readonly type: string;
  readonly name: string;
  readonly title: string;
  /** Everything after `2,` verbatim: line 7 repeats it. */
  readonly raw: string;
}

/** One line inside a record. */
export type RecordLine =
  /** Kind 4. `value` is verbatim: with its outer quotes when text (`"ZALI"`), bare otherwise (`20160627`, `000000`, `-1.50`). */
  | { readonly kind: 'value'; readonly field: string; readonly index: number; readonly value: string }
  /** Kind 5: dictionary text in one language. `number` is verbatim digits. */
  | {
      readonly kind: 'text';
      readonly field: string;
      readonly index: number;
      readonly text: string;
      readonly language: string;
      readonly number: string;
      readonly comment: string;
    }
  /** Kind 9: translatable data text in one language. */
  | {
      readonly kind: 'translation';
      readonly field: string;
      readonly index: number;
      readonly text: string;
      readonly language: string;
      readonly id1: string;
      readonly id2: string;
    }
  /** Closes the language list of a field (`"","***"`). */
  | { readonly kind: 'close'; readonly of: 'text' | 'translation'; readonly field: string; readonly index: number }
  /** A kind that the grammar does not know: carried verbatim. */
  | { readonly kind: 'unknown'; readonly line: string };

/** Lines 3 … 6. `key` is verbatim (bare, quoted, compound or empty): a label, not an identity. */
export interface PatchRecord {
  readonly tag: string;
  readonly key: string;
  readonly lines: readonly RecordLine[];
}

/** Where a part begins: line from 1 (binary payloads count the LF bytes in them), byte offset from 0. */
export interface Place {
  readonly line: number;
  readonly offset: number;
}

/** How the file departs from the norm (LF, UTF-8, no BOM, last LF); the writer can reproduce it. */
export interface PatchForm {
  readonly bom: boolean;
  readonly lineEnd: 'lf' | 'crlf' | 'mixed';
  readonly encoding: 'utf8' | 'latin1' | 'mixed';
  readonly lastLineEnd: boolean;
}

/** One part of a patch file in order; large bodies come in pieces, so memory stays flat. */
export type PatchPart =
  | { readonly part: 'header'; readonly header: PatchHeader; readonly at: Place }
  | { readonly part: 'element'; readonly element: ElementHead; readonly at: Place }
  | { readonly part: 'record'; readonly record: PatchRecord; readonly at: Place }
  /** A piece of a TRT body: raw bytes, whole lines with their ends; the ten stars are not part of it. */
  | { readonly part: 'source'; readonly bytes: Uint8Array }
  /** The byte count of an ADX body; `payload` parts with that many bytes follow. */
  | { readonly part: 'binary'; readonly length: number; readonly at: Place }
  | { readonly part: 'payload'; readonly bytes: Uint8Array }
  /** A line of an unknown kind between records: carried verbatim. */
  | { readonly part: 'unknown'; readonly line: string; readonly at: Place }
  | { readonly part: 'element-end'; readonly at: Place }
  | { readonly part: 'end'; readonly form: PatchForm; readonly bytes: number; readonly digest: string };
