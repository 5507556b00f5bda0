// Who wins, as tables that a person can read (R19–R21): what is delivered, what the folder has, what becomes of it. Pure.

/** What a delivery says about an element, a block of a screen or a line. */
export type Delivered =
  /** It is in the patch, and may be written: standard, or its specific code is authorised. */
  | 'authorised'
  /** It is in the patch with a specific code (X, Y, Z) that nobody authorised. */
  | 'not-authorised'
  /** The patch has the element, but not this block or line. */
  | 'absent';

/** What the folder has. */
export type Own =
  | 'absent'
  | 'standard'
  /** Its own: a specific code that is not authorised, or a specific or vertical action that this type of patch must keep (R8, R9). */
  | 'protected';

/** `updated` stands for `identical` where both are the same. */
export type UnitVerdict = 'created' | 'updated' | 'kept' | 'ignored' | 'removed' | 'untouched';

type UnitTable = Readonly<Record<Delivered, Readonly<Record<Own, UnitVerdict>>>>;

/** An element as a whole, by its header. An element that the patch lacks is never looked at. */
export const ELEMENT_VERDICTS: UnitTable = {
  authorised: { absent: 'created', standard: 'updated', protected: 'kept' },
  'not-authorised': { absent: 'ignored', standard: 'ignored', protected: 'ignored' },
  absent: { absent: 'untouched', standard: 'untouched', protected: 'untouched' },
};

/** A line of an element that is integrated, or a block of a screen. */
export const LINE_VERDICTS: UnitTable = {
  authorised: { absent: 'created', standard: 'updated', protected: 'kept' },
  'not-authorised': { absent: 'ignored', standard: 'ignored', protected: 'ignored' },
  absent: { absent: 'untouched', standard: 'removed', protected: 'kept' },
};

/** How a set-up field of a record that both have compares. */
export type SetUpState =
  | 'same'
  /** They differ, and nobody in the folder changed it: it is what was delivered once. */
  | 'unchanged'
  /** They differ, and the folder's people changed it. */
  | 'changed';

/** Why a set-up field might follow the delivery; the first that holds counts. */
export type SetUpReason =
  /** A history folder follows its live folder in everything (R36). */
  | 'exactly'
  /** A Specific patch may write specific script names, a Vertical one vertical ones (R8). */
  | 'patch-type'
  | 'decided-keep'
  | 'decided-take'
  | 'decided-value'
  /** The operator asked for values that nobody changed. */
  | 'take-unchanged'
  | 'none';

export type SetUpVerdict = 'identical' | 'kept' | 'taken' | 'valued';

export const SET_UP_VERDICTS: Readonly<Record<SetUpReason, Readonly<Record<SetUpState, SetUpVerdict>>>> = {
  exactly: { same: 'identical', unchanged: 'taken', changed: 'taken' },
  'patch-type': { same: 'identical', unchanged: 'taken', changed: 'taken' },
  'decided-keep': { same: 'identical', unchanged: 'kept', changed: 'kept' },
  'decided-take': { same: 'identical', unchanged: 'taken', changed: 'taken' },
  'decided-value': { same: 'identical', unchanged: 'valued', changed: 'valued' },
  'take-unchanged': { same: 'identical', unchanged: 'taken', changed: 'kept' },
  none: { same: 'identical', unchanged: 'kept', changed: 'kept' },
};
