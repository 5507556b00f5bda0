// Cases that wait for a decision (R37), found in what a folder has and what was offered to it. Pure.
import type { FieldValue } from './cases.ts';
import { caseId, linesDigest, plainValue, sameValue } from './cases.ts';
import type { ElementName } from './element.ts';
import { ELEMENT_TYPES, NOISE } from './element-types.ts';
import type { Fields } from './fields.ts';
import { slotsOf } from './fields.ts';
import type { OfferScope } from './merge-record.ts';
import { lineSetUp } from './merge-record.ts';

/** A content as a case compares it. */
export interface Content {
  readonly meaning: string;
  readonly fields: Fields;
}

/** One offer with the folder's own record, where there is one. */
export interface OfferedRecord extends ElementName {
  readonly tag: string;
  readonly key: string;
  readonly scope: OfferScope;
  readonly code: string;
  readonly now: Content;
  readonly before: Content | null;
  readonly own: Content | null;
  /** Header of the folder's element: it may make lines set-up. */
  readonly header: Fields | null;
  readonly changed: readonly string[];
}

/** A field, a line or an element that a folder keeps against a delivery, with its three values. */
export interface KeptCase extends ElementName {
  readonly caseId: string;
  readonly scope: OfferScope;
  /** Empty for a whole element. */
  readonly tag: string;
  readonly key: string;
  /** Empty for a whole line or element. */
  readonly field: string;
  /** Specific code that protects the folder's line or element. */
  readonly code: string;
  /** Of a field its slots; of a line all its fields; of an element the number of its lines; null where there was none. */
  readonly before: KeptValue;
  readonly now: KeptValue;
  readonly own: KeptValue;
  /** Nobody in the folder changed the field: it is what was delivered once. */
  readonly unchanged: boolean;
}

export type KeptValue = FieldValue | Fields | number | null;

/** Cases of one element in one folder. @param ownLines meanings of all its own lines, where its header is protected */
export function keptCases(
  offers: readonly OfferedRecord[],
  ownLines: readonly { readonly tag: string; readonly key: string; readonly meaning: string }[],
): readonly KeptCase[] {
  const elements = offers.filter((offer) => offer.scope === 'element');
  return [
    ...offers.flatMap((offer) => (offer.scope === 'fields' ? fieldCases(offer) : offer.scope === 'line' ? lineCase(offer) : [])),
    ...(elements.length === 0 ? [] : [elementCase(elements, ownLines)]),
  ];
}

function fieldCases(offer: OfferedRecord): readonly KeptCase[] {
  const { type, name, tag, key, own, now, before } = offer;
  if (own === null) return [];
  const known = ELEMENT_TYPES.get(type);
  const setUp = lineSetUp(known, tag, offer.header ?? undefined);
  // The header may have closed the menu since: what was offered while it was open is a case all the same.
  const all = setUp.includes('*') || (known !== undefined && Object.hasOwn(known.setUpWhen, tag));
  const fields = all ? Object.keys(own.fields.slots).filter((field) => !NOISE.has(field)) : setUp;
  return fields.flatMap((field) => {
    const [mine, theirs] = [slotsOf(own.fields, field), slotsOf(now.fields, field)];
    const earlier = before === null ? undefined : slotsOf(before.fields, field);
    if (mine === undefined || theirs === undefined || sameValue(mine, theirs)) return [];
    // The folder changed it, and no delivery has said anything new about it since.
    if (earlier !== undefined && sameValue(earlier, theirs)) return [];
    const values = { before: earlier === undefined ? null : plainValue(earlier), now: plainValue(theirs), own: plainValue(mine) };
    const place = { type, name, tag, key, field };
    return {
      ...place,
      ...values,
      caseId: caseId(place, values),
      scope: 'fields' as const,
      code: '',
      unchanged: !offer.changed.includes(field),
    };
  });
}

function lineCase({ type, name, tag, key, own, now, before, code }: OfferedRecord): readonly KeptCase[] {
  if (own === null) return [];
  const place = { type, name, tag, key, field: '' };
  const id = caseId(place, { before: before?.meaning ?? null, now: now.meaning, own: own.meaning });
  const values = { before: before?.fields ?? null, now: now.fields, own: own.fields };
  return [{ ...place, ...values, caseId: id, scope: 'line', code, unchanged: false }];
}

function elementCase(
  offers: readonly OfferedRecord[],
  ownLines: readonly { readonly tag: string; readonly key: string; readonly meaning: string }[],
): KeptCase {
  const { type = '', name = '', code = '' } = offers[0] ?? {};
  const now = linesDigest(offers.map(({ tag, key, now: { meaning } }) => ({ tag, key, meaning })));
  const place = { type, name, tag: '', key: '', field: '' };
  const id = caseId(place, { before: null, now, own: linesDigest(ownLines) });
  const before = offers.filter((offer) => offer.before !== null).length || null;
  return { ...place, caseId: id, scope: 'element', code, before, now: offers.length, own: ownLines.length, unchanged: false };
}
