// The inquiry (R41): who integrated, took back, validated, created or set what, in which folders, when and with what authorised or forced; which version of an element folders have.

/** `copied`: had from its parent at creation · `decision`: a decision about a kept value, carried out. */
export type HistoryKind = 'patch' | 'copied' | 'creation' | 'set' | 'decision' | 'validation' | 'revert';

export interface HistoryOptions {
  readonly folder?: string;
  /** Name of a patch file, or a path to one. */
  readonly patch?: string;
  /** `TYPE:NAME` */
  readonly element?: string;
  /** First and last day, `YYYY-MM-DD` (UTC). */
  readonly since?: string;
  readonly until?: string;
  readonly operator?: string;
  /** The most entries; absent: 30. */
  readonly limit?: number;
}

/** One folder of an entry. */
export interface HistoryFolder {
  readonly folder: string;
  /** Name of the further server that it lives on; null: the environment's own. */
  readonly server: string | null;
  /** ISO 8601, as all times here. */
  readonly at: string;
  /** Number of what was written, on that server. */
  readonly integration: number;
  /** Of a patch that the folder has no more. */
  readonly takenBack: { readonly by: string; readonly at: string; readonly run: string | null } | null;
}

/** The same thing in one run, in one folder or many. */
export interface HistoryEntry {
  readonly kind: HistoryKind;
  /** Number of the run; null: of none (a creation, a person's change). */
  readonly run: string | null;
  /** Patch file; of a revert the one that was taken back; empty where there is none. */
  readonly file: string;
  /** SHA-256 of the file, hexadecimal; null where there is none. */
  readonly digest: string | null;
  /** `TYPE:NAME` that was set or decided about; else null. */
  readonly element: string | null;
  /** Of the first and the last folder. */
  readonly at: string;
  readonly until: string;
  readonly operator: string;
  readonly authorized: readonly string[];
  /** Specific codes that were not authorised: what carries them was left out. */
  readonly ignored: readonly string[];
  /** Check → reason; who gave it is `operator`. */
  readonly forced: Readonly<Record<string, string>>;
  /** Of a decision. */
  readonly reason: string;
  /** The folders have it no more. */
  readonly takenBack: boolean;
  readonly folders: readonly HistoryFolder[];
}

/** What a person decided about values that folders keep against deliveries of the element (R37). */
export interface ElementDecision {
  readonly case: string;
  readonly choice: 'keep' | 'take' | 'value';
  /** `TAG KEY FIELD`; empty for the whole element. */
  readonly place: string;
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}

/**
 * `delivered`: as that patch brought it · `own`: the folder keeps something of its own against it, or changed it · `created`: from its creation, or
 * the kernel · `inherited`: a script that it takes from `from` · `rows`: data rows, which are not compared · `absent`: it has it not (no more, or left out)
 */
export type ElementHold = 'delivered' | 'own' | 'created' | 'inherited' | 'rows' | 'absent';

export interface ElementFolder {
  readonly folder: string;
  readonly server: string | null;
  readonly hold: ElementHold;
  /** Folder that a script is inherited from. */
  readonly from: string | null;
}

/** One version of an element: the last patch that delivered it, and who has that. */
export interface ElementVersion {
  /** Null: no patch that is known delivered it. */
  readonly file: string | null;
  readonly digest: string | null;
  /** First time that a folder got it. */
  readonly at: string | null;
  /** False: the file was integrated before deliveries were remembered, and what else brought the element since is not known. */
  readonly remembered: boolean;
  readonly folders: readonly ElementFolder[];
}

export interface ElementHistory {
  /** `TYPE:NAME` */
  readonly element: string;
  /** The latest first. */
  readonly versions: readonly ElementVersion[];
  readonly decisions: readonly ElementDecision[];
}

export interface History {
  /** The latest first. */
  readonly entries: readonly HistoryEntry[];
  /** How many there are without the limit. */
  readonly total: number;
  /** Where an element was asked for. */
  readonly element: ElementHistory | null;
  /** Patch files that were integrated before deliveries were remembered, of the folders asked for: their elements are not known. Only where an element was asked for. */
  readonly notRemembered: readonly string[];
}
