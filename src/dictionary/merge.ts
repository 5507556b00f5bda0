// Who wins: a delivered element against the folder's own (R19–R21, R23). Pure.
import type { Digest } from '../base/ids.ts';
import type { Authorization } from './activity-codes.ts';
import { isAuthorized, isSpecific } from './activity-codes.ts';
import type { DictionaryElement, DictionaryRecord } from './element.ts';
import { headerOf } from './element.ts';
import { ELEMENT_TYPES } from './element-types.ts';
import type { Fields } from './fields.ts';
import { exactDigest, inLanguages, meaningDigest, slotsOf, withOwnTexts } from './fields.ts';

/** A record as the folder has it. Fields are loaded only where the merge needs them (set-up fields, languages that the patch lacks, tables). */
export interface OwnRecord {
  readonly tag: string;
  readonly key: string;
  readonly position: number;
  readonly activity: string;
  readonly digest: string;
  readonly meaning: string;
  readonly fields?: Fields;
  /** What was last delivered, where the record keeps something else. */
  readonly offer?: { readonly digest: string; readonly meaning: string };
}

export interface MergeContext {
  readonly authorization: Authorization;
  readonly languages: readonly string[];
  readonly patchLanguages: readonly string[];
}

export type Verdict = 'created' | 'updated' | 'identical' | 'kept' | 'ignored';

export interface RecordWrite extends DictionaryRecord {
  readonly digest: Digest;
  readonly meaning: Digest;
}

/** What was delivered where the folder keeps something else (R37). */
export interface Offer extends DictionaryRecord {
  readonly scope: 'fields' | 'line' | 'element';
  readonly digest: Digest;
  readonly meaning: Digest;
  /** Digest of what was delivered the time before; absent where nothing was. */
  readonly before?: string;
}

/** A record whose content stays; its position in the element changes. */
export interface RecordMove {
  readonly tag: string;
  readonly key: string;
  readonly position: number;
  /** Of the content that it has and keeps. */
  readonly digest: string;
  readonly activity: string;
}

export interface MergeResult {
  readonly verdict: Verdict;
  readonly writes: readonly RecordWrite[];
  readonly moves: readonly RecordMove[];
  readonly removes: readonly { readonly tag: string; readonly key: string }[];
  readonly offers: readonly Offer[];
  /** Offers that stand no longer: the record is now what was delivered, or gone. */
  readonly withdraws: readonly { readonly tag: string; readonly key: string }[];
  /** Codes that were not authorised, with the lines they cost (tag and key); the header's line stands for the whole element. */
  readonly ignored: readonly { readonly code: string; readonly tag: string; readonly key: string }[];
  /** Lines the folder keeps although the patch says otherwise (protected). */
  readonly kept: readonly { readonly code: string; readonly tag: string; readonly key: string }[];
}

const NOTHING = { writes: [], moves: [], removes: [], offers: [], withdraws: [], ignored: [], kept: [] } as const;

const placeOf = (record: { tag: string; key: string }): string => `${record.tag}\0${record.key}`;

/** Merges one element; `own` is empty when the folder has no such element. */
export function mergeElement(
  incoming: DictionaryElement,
  own: readonly OwnRecord[],
  exists: boolean,
  context: MergeContext,
): MergeResult {
  const header = headerOf(incoming);
  if (header !== undefined && !isAuthorized(context.authorization, header.activity)) {
    return { ...NOTHING, verdict: 'ignored', ignored: [{ code: header.activity, tag: header.tag, key: header.key }] };
  }
  const ownHeader = header === undefined ? undefined : ownHeaderOf(incoming.type, header, own);
  if (ownHeader !== undefined && isProtected(ownHeader, context)) {
    return { ...NOTHING, verdict: 'kept', kept: [{ code: ownHeader.activity, tag: ownHeader.tag, key: ownHeader.key }] };
  }
  return mergeRecords(incoming, own, exists, context);
}

/** The folder's record that speaks for the element: where the type is unknown its key depends on the code, so it is the first one. */
function ownHeaderOf(type: string, header: DictionaryRecord, own: readonly OwnRecord[]): OwnRecord | undefined {
  const same = own.filter((record) => record.tag === header.tag);
  if (ELEMENT_TYPES.has(type)) return same.find((record) => record.key === header.key);
  const first = own.reduce((least, { position }) => Math.min(least, position), Number.POSITIVE_INFINITY);
  return same.find((record) => record.position === first);
}

function isProtected(record: OwnRecord, context: MergeContext): boolean {
  return isSpecific(record.activity) && !isAuthorized(context.authorization, record.activity);
}

function mergeRecords(
  incoming: DictionaryElement,
  own: readonly OwnRecord[],
  exists: boolean,
  context: MergeContext,
): MergeResult {
  const type = ELEMENT_TYPES.get(incoming.type);
  const ownByPlace = new Map(own.map((record) => [placeOf(record), record]));
  const writes: RecordWrite[] = [];
  const moves: RecordMove[] = [];
  const offers: Offer[] = [];
  const withdraws: { tag: string; key: string }[] = [];
  const ignored: { code: string; tag: string; key: string }[] = [];
  const kept: { code: string; tag: string; key: string }[] = [];
  const delivered = new Set<string>();
  let keptSetUp = false;
  let reordered = false;
  for (const record of incoming.records) {
    const place = placeOf(record);
    delivered.add(place);
    if (!isAuthorized(context.authorization, record.activity)) {
      ignored.push({ code: record.activity, tag: record.tag, key: record.key });
      continue;
    }
    const mine = ownByPlace.get(place);
    if (mine !== undefined && isProtected(mine, context)) {
      kept.push({ code: mine.activity, tag: mine.tag, key: mine.key });
      continue;
    }
    const { write, move, offer, keepsOwn } = mergeRecord(record, mine, type?.setUp[record.tag] ?? [], context);
    keptSetUp ||= keepsOwn;
    reordered ||= move !== undefined;
    if (offer !== undefined) offers.push(offer);
    if (!keepsOwn && mine?.offer !== undefined) withdraws.push({ tag: record.tag, key: record.key });
    if (write !== undefined) writes.push(write);
    if (move !== undefined) moves.push(move);
  }
  const missing = own.filter((record) => !delivered.has(placeOf(record)));
  const removes = missing.filter((record) => !isProtected(record, context)).map(({ tag, key }) => ({ tag, key }));
  kept.push(
    ...missing.filter((record) => isProtected(record, context)).map(({ activity, tag, key }) => ({ code: activity, tag, key })),
  );
  withdraws.push(...missing.filter((record) => record.offer !== undefined).map(({ tag, key }) => ({ tag, key })));
  const changes = reordered || writes.length + removes.length > 0;
  return { verdict: verdictOf(exists, changes, keptSetUp), writes, moves, removes, offers, withdraws, ignored, kept };
}

function verdictOf(exists: boolean, changes: boolean, keptSetUp: boolean): Verdict {
  if (!exists) return 'created';
  if (changes) return 'updated';
  return keptSetUp ? 'kept' : 'identical';
}

function mergeRecord(
  record: DictionaryRecord,
  mine: OwnRecord | undefined,
  setUp: readonly string[],
  context: MergeContext,
): { write?: RecordWrite; move?: RecordMove; offer?: Offer; keepsOwn: boolean } {
  const inFolder = inLanguages(record.fields, context.languages, context.patchLanguages);
  const delivered =
    mine?.fields === undefined ? inFolder : withOwnTexts(inFolder, mine.fields, context.languages, context.patchLanguages);
  const fields = mine?.fields === undefined || setUp.length === 0 ? delivered : withOwnSetUp(delivered, mine.fields, setUp);
  const meaning = meaningDigest(fields);
  const keepsOwn = fields !== delivered && meaningDigest(delivered) !== meaning;
  const offer = keepsOwn && mine !== undefined ? offerOf(record, delivered, mine) : {};
  if (mine?.meaning !== meaning)
    return { write: { ...record, fields, digest: exactDigest(fields), meaning }, ...offer, keepsOwn };
  const { tag, key, position, activity } = record;
  return mine.position === position
    ? { ...offer, keepsOwn }
    : { move: { tag, key, position, digest: mine.digest, activity }, ...offer, keepsOwn };
}

/** Nothing where the same was offered before. */
function offerOf(record: DictionaryRecord, delivered: Fields, mine: OwnRecord): { offer?: Offer } {
  const meaning = meaningDigest(delivered);
  if (mine.offer?.meaning === meaning) return {};
  const before = mine.offer?.digest ?? mine.digest;
  return { offer: { ...record, scope: 'fields', fields: delivered, digest: exactDigest(delivered), meaning, before } };
}

/** Set-up fields are written at creation only (R20): the folder's value wins from then on. */
function withOwnSetUp(delivered: Fields, own: Fields, setUp: readonly string[]): Fields {
  const mine = setUp.flatMap((field) => {
    const slots = slotsOf(own, field);
    return slots === undefined ? [] : [[field, slots] as const];
  });
  return mine.length === 0 ? delivered : { ...delivered, slots: { ...delivered.slots, ...Object.fromEntries(mine) } };
}
