// Who wins: a delivered element against the folder's own, first by its header (R19–R21, R37). Pure.
import { caseId, linesDigest } from './cases.ts';
import type { DictionaryElement, DictionaryRecord } from './element.ts';
import { headerOf } from './element.ts';
import { ELEMENT_TYPES } from './element-types.ts';
import { isClosed } from './guards.ts';
import { mergeLines } from './merge-lines.ts';
import type { MergeContext, OwnRecord, RecordWrite } from './merge-record.ts';
import { newRecord, offeredBefore, offerOf } from './merge-record.ts';
import type { MergeResult, OwnElement } from './merge-result.ts';
import { NO_LINES, NOTHING, placeOf } from './merge-result.ts';
import type { Own } from './verdicts.ts';
import { ELEMENT_VERDICTS } from './verdicts.ts';

/** Merges one element; `own` is absent when the folder has no such element. */
export function mergeElement(incoming: DictionaryElement, own: OwnElement | undefined, context: MergeContext): MergeResult {
  const header = headerOf(incoming);
  const closed = header !== undefined && !context.replay && isClosed(header.activity, context);
  const delivered = closed ? 'not-authorised' : 'authorised';
  const ownHeader = own === undefined || header === undefined ? undefined : ownHeaderOf(incoming.type, header, own.records);
  const guarded = context.replay
    ? own?.offers.some((offer) => offer.scope === 'element') === true
    : ownHeader !== undefined && isClosed(ownHeader.activity, context);
  const guard = guarded && !elementIsTaken(incoming, own, context);
  const mine: Own = own === undefined ? 'absent' : guard ? 'protected' : 'standard';
  switch (ELEMENT_VERDICTS[delivered][mine]) {
    case 'ignored': {
      const { activity: code = '', tag = '', key = '' } = header ?? {};
      const lines = { ...NO_LINES, ignored: incoming.records.length };
      return { ...NOTHING, verdict: 'ignored', ignored: [{ code, tag, key }], lines };
    }
    case 'kept':
      return keptElement(incoming, own ?? { records: [], offers: [] }, ownHeader, context);
    default:
      return mergeLines(incoming, own, context);
  }
}

/** The folder's record that speaks for the element: where the type is unknown its key depends on the code, so it is the first one. */
function ownHeaderOf(type: string, header: DictionaryRecord, own: readonly OwnRecord[]): OwnRecord | undefined {
  const same = own.filter((record) => record.tag === header.tag);
  if (ELEMENT_TYPES.has(type)) return same.find((record) => record.key === header.key);
  const first = own.reduce((least, { position }) => Math.min(least, position), Number.POSITIVE_INFINITY);
  return same.find((record) => record.position === first);
}

/** The case of a whole element that its own header protects: what is offered against what the folder has, whatever came before. */
function elementCase({ type, name }: DictionaryElement, lines: readonly RecordWrite[], own: OwnElement): string {
  return caseId(
    { type, name, tag: '', key: '', field: '' },
    { before: null, now: linesDigest(lines), own: linesDigest(own.records) },
  );
}

function elementIsTaken(incoming: DictionaryElement, own: OwnElement | undefined, context: MergeContext): boolean {
  if (own === undefined || context.decisions.size === 0) return false;
  const lines = incoming.records.map((record) => newRecord(record, context));
  return context.decisions.get(elementCase(incoming, lines, own))?.choice === 'take';
}

/** Its header is protected: nothing is written, everything is offered. */
function keptElement(
  incoming: DictionaryElement,
  own: OwnElement,
  header: OwnRecord | undefined,
  context: MergeContext,
): MergeResult {
  const offered = new Map(own.offers.map((offer) => [placeOf(offer), offer]));
  const lines = incoming.records.map((record) => newRecord(record, context));
  const offers = lines.flatMap((line) => {
    const last = offered.get(placeOf(line));
    const earlier = offeredBefore(line.meaning, last);
    const before = earlier === undefined ? {} : { before: earlier };
    return offerOf({ ...line, scope: 'element', code: header?.activity ?? '', ...before }, last).offer ?? [];
  });
  const delivered = new Set(lines.map(placeOf));
  const withdraws = own.offers.filter((offer) => !delivered.has(placeOf(offer))).map(({ tag, key }) => ({ tag, key }));
  const kept = header === undefined ? [] : [{ code: header.activity, tag: header.tag, key: header.key }];
  return { ...NOTHING, verdict: 'kept', offers, withdraws, kept, lines: { ...NO_LINES, kept: incoming.records.length } };
}
