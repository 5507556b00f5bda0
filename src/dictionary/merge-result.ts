// What comes of merging one element: what is written, what goes, what is offered, and why. Pure.
import type { Offer, OwnOffer, OwnRecord, RecordWrite, SetUpCase } from './merge-record.ts';

/** An element as the folder has it, with what was offered to it and not taken. */
export interface OwnElement {
  readonly records: readonly OwnRecord[];
  readonly offers: readonly OwnOffer[];
}

export type Verdict = 'created' | 'updated' | 'identical' | 'kept' | 'ignored';
export type LineVerdict = (typeof LINE_VERDICT_NAMES)[number];

/** A record whose content stays; its position in the element changes. */
export interface RecordMove {
  readonly tag: string;
  readonly key: string;
  readonly position: number;
  /** Of the content that it has and keeps. */
  readonly digest: string;
  readonly activity: string;
}

export interface RecordPlace {
  readonly tag: string;
  readonly key: string;
}

/** A line or block with the code that guards it. */
export interface GuardedPlace extends RecordPlace {
  readonly code: string;
}

export interface MergeResult {
  readonly verdict: Verdict;
  readonly writes: readonly RecordWrite[];
  readonly moves: readonly RecordMove[];
  readonly removes: readonly RecordPlace[];
  readonly offers: readonly Offer[];
  /** Offers that stand no longer: the record is now what was delivered, or gone. */
  readonly withdraws: readonly RecordPlace[];
  /** Codes that were not authorised, with the lines they cost (tag and key); the header's line stands for the whole element. */
  readonly ignored: readonly GuardedPlace[];
  /** Lines the folder keeps although the patch says otherwise (protected). */
  readonly kept: readonly GuardedPlace[];
  /** Set-up fields that differ from the delivered ones, and what became of each. */
  readonly setUp: readonly SetUpCase[];
  /** Records whose list of changed set-up fields changes. */
  readonly changed: readonly (RecordPlace & { readonly fields: readonly string[] })[];
  /** Fields that the folder's people changed, that are set-up no longer, and that the delivery overwrites. */
  readonly overwritten: readonly (RecordPlace & { readonly fields: readonly string[] })[];
  /** Lines by what became of them. */
  readonly lines: Readonly<Record<LineVerdict, number>>;
  /** The delivered element has lines but no header; the folder's header stays. */
  readonly headless: boolean;
}

export const LINE_VERDICT_NAMES = ['created', 'updated', 'identical', 'kept', 'ignored', 'removed'] as const;

export const NO_LINES: Readonly<Record<LineVerdict, number>> = {
  created: 0,
  updated: 0,
  identical: 0,
  kept: 0,
  ignored: 0,
  removed: 0,
};

export const NOTHING = {
  writes: [],
  moves: [],
  removes: [],
  offers: [],
  withdraws: [],
  ignored: [],
  kept: [],
  setUp: [],
  changed: [],
  overwritten: [],
  lines: NO_LINES,
  headless: false,
} as const;

export const placeOf = (record: RecordPlace): string => `${record.tag}\0${record.key}`;
