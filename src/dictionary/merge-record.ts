// One delivered record against the folder's own: languages, set-up fields, decisions about them (R20, R23, R37). Pure.
import type { Digest } from '../base/ids.ts';
import type { Authorization } from './activity-codes.ts';
import type { Decisions, FieldValue } from './cases.ts';
import { caseId, plainValue, sameValue } from './cases.ts';
import type { DictionaryRecord, ElementName } from './element.ts';
import type { ElementType } from './element-types.ts';
import { NOISE, SCRIPT_NAME_FIELDS } from './element-types.ts';
import type { Fields } from './fields.ts';
import { exactDigest, fieldValue, inLanguages, meaningDigest, slotsOf, withOwnTexts } from './fields.ts';
import type { SetUpReason, SetUpVerdict } from './verdicts.ts';
import { SET_UP_VERDICTS } from './verdicts.ts';

/** What was last delivered where the folder keeps something else. Fields are loaded where the record's own are. */
export interface OwnOffer {
  readonly tag: string;
  readonly key: string;
  readonly scope: OfferScope;
  /** Code that guards the folder's own line or element; '' for set-up fields. */
  readonly code: string;
  readonly digest: string;
  readonly meaning: string;
  readonly fields?: Fields;
  /** What was delivered the time before that. */
  readonly before?: { readonly digest: string; readonly meaning: string; readonly fields?: Fields };
}

export type OfferScope = 'fields' | 'line' | 'element';

/** A record as the folder has it. Fields are loaded only where the merge needs them (set-up fields, languages that the patch lacks, tables). */
export interface OwnRecord {
  readonly tag: string;
  readonly key: string;
  readonly position: number;
  readonly activity: string;
  readonly digest: string;
  readonly meaning: string;
  readonly fields?: Fields;
  /** Set-up fields that the folder's people changed. */
  readonly changed?: readonly string[];
}

export interface MergeContext {
  readonly authorization: Authorization;
  readonly languages: readonly string[];
  readonly patchLanguages: readonly string[];
  /** Header type: `1` Standard … `5` Add-on. */
  readonly patchType: string;
  /** Set-up values that nobody changed follow the delivery. */
  readonly takeUnchanged: boolean;
  readonly decisions: Decisions;
  /**
   * The delivery is what was offered before (R37): everything in it was let in then, and what stood against it is known by the offers, whatever codes
   * were authorised at the time.
   */
  readonly replay: boolean;
  /** The folder gets what is delivered, whatever it has: a history folder follows its live folder (R36). */
  readonly exactly?: boolean;
}

export interface RecordWrite extends DictionaryRecord {
  readonly digest: Digest;
  readonly meaning: Digest;
}

/** What is delivered where the folder keeps something else (R37). */
export interface Offer extends RecordWrite {
  readonly scope: OfferScope;
  /** Code that guards the folder's own line or element; '' for set-up fields. */
  readonly code: string;
  /** What was delivered the time before; absent where nothing was. */
  readonly before?: { readonly digest: string; readonly fields?: Fields };
}

/** A set-up field that differs from the delivered one. */
export interface SetUpCase {
  readonly tag: string;
  readonly key: string;
  readonly field: string;
  readonly caseId: string;
  readonly verdict: Exclude<SetUpVerdict, 'identical'>;
  /** Whether nobody in the folder changed it. */
  readonly unchanged: boolean;
}

export interface MergedRecord {
  readonly fields: Fields;
  readonly meaning: Digest;
  readonly offer?: Offer;
  readonly setUp: readonly SetUpCase[];
  /** Set-up fields that the folder's people changed, where that changes. */
  readonly changed?: readonly string[];
  /** Fields that they changed and that are no set-up any more: the delivery overwrites them. */
  readonly overwritten: readonly string[];
}

/** A record that the folder has not: all its fields are written, in the folder's languages. */
export function newRecord(record: DictionaryRecord, context: MergeContext): RecordWrite {
  return written(record, inLanguages(record.fields, context.languages, context.patchLanguages));
}

export function written({ tag, key, position, activity }: DictionaryRecord, fields: Fields): RecordWrite {
  return { tag, key, position, activity, fields, digest: exactDigest(fields), meaning: meaningDigest(fields) };
}

/** @param setUp names of set-up fields; `*`: all of them */
export function mergeRecord(
  element: ElementName,
  type: ElementType | undefined,
  record: DictionaryRecord,
  mine: OwnRecord,
  own: OwnOffer | undefined,
  setUp: readonly string[],
  context: MergeContext,
): MergedRecord {
  const inFolder = inLanguages(record.fields, context.languages, context.patchLanguages);
  if (mine.fields === undefined) return { fields: inFolder, meaning: meaningDigest(inFolder), setUp: [], overwritten: [] };
  const delivered = withOwnTexts(inFolder, mine.fields, context.languages, context.patchLanguages);
  const before = deliveredElsewhere(record, delivered, own, context) ?? deliveredBefore(delivered, mine, own);
  const cases: SetUpCase[] = [];
  const slots = Object.create(null) as Record<string, FieldValue>;
  const changed = new Set(mine.changed ?? []);
  for (const field of setUpFields(setUp, delivered, mine.fields)) {
    const [theirs, ours] = [slotsOf(delivered, field), slotsOf(mine.fields, field)];
    if (ours === undefined) continue;
    slots[field] = ours;
    if (theirs === undefined) continue;
    if (sameValue(theirs, ours)) {
      // The delivery has come to what the folder's people chose: it is theirs no longer.
      changed.delete(field);
      continue;
    }
    const values = { before: fieldIn(before.fields, field), now: plainValue(theirs), own: plainValue(ours) };
    const id = caseId({ ...element, tag: record.tag, key: record.key, field }, values);
    const unchanged = !changed.has(field);
    const verdict = SET_UP_VERDICTS[reasonOf(field, id, type, context)][unchanged ? 'unchanged' : 'changed'];
    if (verdict === 'identical') continue;
    cases.push({ tag: record.tag, key: record.key, field, caseId: id, verdict, unchanged });
    if (verdict === 'taken') {
      slots[field] = theirs;
      changed.delete(field);
    } else if (verdict === 'valued') {
      slots[field] = context.decisions.get(id)?.value ?? ours;
      changed.add(field);
    }
  }
  const overwritten = [...changed].filter((field) => !Object.hasOwn(slots, field));
  for (const field of overwritten) changed.delete(field);
  const fields = Object.keys(slots).length === 0 ? delivered : { ...delivered, slots: { ...delivered.slots, ...slots } };
  const keeps = cases.some((each) => each.verdict !== 'taken');
  return {
    fields,
    meaning: meaningDigest(fields),
    setUp: cases,
    overwritten: overwritten.filter((field) => !sameValue(slotsOf(delivered, field), slotsOf(mine.fields as Fields, field))),
    ...(keeps ? offerOf({ ...written(record, delivered), scope: 'fields', code: '', ...storedBefore(before) }, own) : {}),
    ...(changed.size === (mine.changed ?? []).length && (mine.changed ?? []).every((field) => changed.has(field))
      ? {}
      : { changed: [...changed].sort() }),
  };
}

function reasonOf(field: string, id: string, type: ElementType | undefined, context: MergeContext): SetUpReason {
  if (context.exactly === true) return 'exactly';
  if (Object.hasOwn(SCRIPT_NAME_FIELDS, field) && SCRIPT_NAME_FIELDS[field] === context.patchType) return 'patch-type';
  const decision = context.decisions.get(id);
  if (decision !== undefined) return `decided-${decision.choice}`;
  return context.takeUnchanged || type?.personal.includes(field) === true ? 'take-unchanged' : 'none';
}

function setUpFields(setUp: readonly string[], delivered: Fields, own: Fields): readonly string[] {
  if (!setUp.includes('*')) return setUp;
  const all = new Set([...Object.keys(delivered.slots), ...Object.keys(own.slots)]);
  // A line that differs only in its dates has no case to decide.
  return [...all].filter((field) => !NOISE.has(field));
}

const fieldIn = (fields: Fields | undefined, field: string): FieldValue | null =>
  fields === undefined ? null : plainValue(slotsOf(fields, field));

/** Without digest: nothing is known to have been delivered. */
type Before = { readonly digest?: string; readonly fields: Fields };

/**
 * What was delivered before this delivery, field by field: a field that the last delivery brought as this one does keeps what came
 * before it, so a case stays the same until the delivered value changes.
 */
function deliveredBefore(delivered: Fields, mine: OwnRecord, own: OwnOffer | undefined): Before {
  const last = own?.scope === 'fields' ? own.fields : mine.fields;
  const earlier = own?.scope === 'fields' ? own.before?.fields : undefined;
  if (last === undefined) return { fields: { slots: {}, extra: [] } };
  // Not the record's own digest: its blocks may have been arranged for the comparison.
  if (own?.scope !== 'fields') return { digest: exactDigest(last), fields: last };
  const slots = Object.entries(last.slots).map(([field, value]) =>
    sameValue(value, slotsOf(delivered, field))
      ? ([field, earlier === undefined ? undefined : slotsOf(earlier, field)] as const)
      : ([field, value] as const),
  );
  const fields: Fields = {
    slots: Object.fromEntries(slots.flatMap(([field, value]) => (value === undefined ? [] : [[field, value]]))),
    extra: [],
  };
  return { digest: exactDigest(fields), fields };
}

/** Of another folder's dictionary: what it was offered before the last time, where this folder was not offered that yet. */
function deliveredElsewhere(
  { initial }: DictionaryRecord,
  delivered: Fields,
  own: OwnOffer | undefined,
  { languages, patchLanguages }: MergeContext,
): Before | undefined {
  if (initial?.before === undefined || !initial.several || own?.meaning === meaningDigest(delivered)) return undefined;
  const fields = inLanguages(initial.before, languages, patchLanguages);
  return { digest: exactDigest(fields), fields };
}

function storedBefore({ digest, fields }: Before): Pick<Offer, 'before'> {
  return digest === undefined ? {} : { before: { digest, fields } };
}

/** Nothing where the same was offered before; where only its scope changed, what came before it stays. */
export function offerOf(offer: Offer, own: OwnOffer | undefined): { readonly offer?: Offer } {
  if (own === undefined || own.meaning !== offer.meaning) return { offer };
  if (own.scope === offer.scope) return {};
  const { before: _, ...same } = offer;
  return { offer: { ...same, ...(own.before === undefined ? {} : { before: own.before }) } };
}

/** What a line or element was offered the time before: the last offer, unless it is the same one. */
export function offeredBefore(meaning: string, last: OwnOffer | undefined): OwnOffer['before'] {
  return last?.meaning === meaning ? last.before : last;
}

/** Whether the folder's header makes all lines of a tag set-up: a local menu whose content may be changed. */
export function lineSetUp(type: ElementType | undefined, tag: string, header: Fields | undefined): readonly string[] {
  const when = type !== undefined && Object.hasOwn(type.setUpWhen, tag) ? type.setUpWhen[tag] : undefined;
  if (when !== undefined && header !== undefined && fieldValue(header, when.field) === when.value) return ['*'];
  return type?.setUp[tag] ?? [];
}
