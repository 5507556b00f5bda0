// What a report is before it is text: a sheet for programs and spreadsheets, a page for people. Plain data.

/** `null`: nothing is known or there is none. A list stands in one cell. */
export type SheetCell = string | number | boolean | null | readonly string[];

/** One row per thing. */
export interface Sheet {
  /** English and stable, whatever the language. */
  readonly columns: readonly string[];
  readonly rows: Iterable<readonly SheetCell[]> | AsyncIterable<readonly (readonly SheetCell[])[]>;
}

/** How something is to be taken; the words say it too, since colours do not reach everybody. */
export type Tone = 'good' | 'warn' | 'bad' | 'plain';

export interface Figure {
  readonly label: string;
  readonly value: string;
  readonly tone: Tone;
}

/** Several lines of a cell are shown below each other. */
export type PageCell = string | { readonly lines: readonly string[] } | { readonly text: string; readonly tone: Tone };

/** A text that belongs to the row before it goes over all columns. */
export type PageRow = readonly PageCell[] | { readonly wide: string };

export interface PageColumn {
  readonly title: string;
  readonly right?: boolean;
  /** Names and numbers that are not broken between words. */
  readonly code?: boolean;
}

export interface PageTable {
  readonly kind: 'table';
  readonly caption: string;
  /** The first one names what its row is about. */
  readonly columns: readonly PageColumn[];
  readonly groups: readonly { readonly title?: string; readonly rows: readonly PageRow[] }[];
}

export type PageBlock =
  | PageTable
  | { readonly kind: 'text'; readonly text: string; readonly tone?: Tone }
  /** What stands between backticks is shown as a command. */
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'pairs'; readonly pairs: readonly (readonly [name: string, value: string])[] };

export interface PageSection {
  readonly title: string;
  readonly blocks: readonly PageBlock[];
}

export interface Page {
  readonly language: string;
  readonly title: string;
  /** What the page is about, when and by whom it was made. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** In a sentence, first of all. */
  readonly verdict: { readonly text: string; readonly tone: Tone };
  readonly figures: readonly Figure[];
  readonly sections: readonly PageSection[];
  /** Room for those who sign. */
  readonly signing: {
    readonly title: string;
    readonly caption: string;
    readonly columns: readonly string[];
    readonly roles: readonly string[];
  };
}
