// Merging without a database: an element as a folder has it, and what it is after a merge.
import type { Authorization } from '../../src/dictionary/activity-codes.ts';
import { authorize } from '../../src/dictionary/activity-codes.ts';
import { NO_DECISIONS } from '../../src/dictionary/cases.ts';
import type { DictionaryRecord } from '../../src/dictionary/element.ts';
import { exactDigest, meaningDigest } from '../../src/dictionary/fields.ts';
import type { MergeContext, OwnOffer, OwnRecord } from '../../src/dictionary/merge-record.ts';
import type { MergeResult, OwnElement, RecordPlace } from '../../src/dictionary/merge-result.ts';

const NO_CODES: Authorization = authorize();

export function mergeContext(given: Partial<MergeContext> = {}): MergeContext {
  return {
    authorization: NO_CODES,
    languages: ['ENG'],
    patchLanguages: ['ENG'],
    patchType: '1',
    takeUnchanged: false,
    decisions: NO_DECISIONS,
    replay: false,
    ...given,
  };
}

const asOwn = (record: DictionaryRecord): OwnRecord => ({
  ...record,
  digest: exactDigest(record.fields),
  meaning: meaningDigest(record.fields),
});

export const ownElement = (records: readonly DictionaryRecord[]): OwnElement => ({ records: records.map(asOwn), offers: [] });

export const place = ({ tag, key }: RecordPlace): string => `${tag} ${key}`;

/** The folder's element after a merge, as the integrator would write it. */
export function applied(own: OwnElement | undefined, result: MergeResult): OwnElement | undefined {
  if (own === undefined && result.verdict !== 'created') return undefined;
  const { records, offers } = own ?? { records: [], offers: [] };
  const gone = new Set([...result.removes, ...result.writes].map(place));
  const moved = new Map(result.moves.map((move) => [place(move), move.position]));
  const changed = new Map(result.changed.map((each) => [place(each), each.fields]));
  const had = new Map(records.map((record) => [place(record), record.changed ?? []]));
  const replaced = new Set([...result.offers, ...result.withdraws].map(place));
  return {
    records: [...records.filter((record) => !gone.has(place(record))), ...result.writes.map(asOwn)].map((record) => ({
      ...record,
      position: moved.get(place(record)) ?? record.position,
      changed: changed.get(place(record)) ?? had.get(place(record)) ?? [],
    })),
    offers: [...offers.filter((offer) => !replaced.has(place(offer))), ...result.offers.map(storedOffer)],
  };
}

function storedOffer({ tag, key, scope, code, digest, meaning, fields, before }: MergeResult['offers'][number]): OwnOffer {
  const offer = { tag, key, scope, code, digest, meaning, fields };
  if (before === undefined) return offer;
  const known = before.fields === undefined ? {} : { fields: before.fields };
  return {
    ...offer,
    before: { digest: before.digest, meaning: before.fields === undefined ? '' : meaningDigest(before.fields), ...known },
  };
}
