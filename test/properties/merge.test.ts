// Who wins, whatever is delivered and whatever the folder has (R19–R21, R23).
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { authorize } from '../../src/dictionary/activity-codes.ts';
import { NO_DECISIONS } from '../../src/dictionary/cases.ts';
import type { DictionaryElement, DictionaryRecord } from '../../src/dictionary/element.ts';
import { ELEMENT_TYPES, parentLine } from '../../src/dictionary/element-types.ts';
import type { Fields } from '../../src/dictionary/fields.ts';
import { mergeElement } from '../../src/dictionary/merge.ts';
import type { MergeContext } from '../../src/dictionary/merge-record.ts';
import type { OwnElement } from '../../src/dictionary/merge-result.ts';
import { applied, ownElement, place } from '../support/merge.ts';

const NAME = 'THING';
/** Types with set-up fields on the header, on lines, on both, and on none. */
const type = fc.constantFrom('ATB', 'ADP', 'AMK', 'ACT', 'AML', 'ZZZ');
const activity = fc.constantFrom('', '', 'STD', 'XONE', 'YTWO', 'ZALI', 'zlow');
const language = fc.constantFrom('ENG', 'FRA', 'GER', 'SPA');

function fieldsFor(of: string, tag: string): fc.Arbitrary<Fields> {
  const names = ['DES', 'UPDUSR', ...(ELEMENT_TYPES.get(of)?.setUp[tag] ?? ['OTHER'])];
  const plain = fc.uniqueArray(fc.tuple(fc.constantFrom(...names), fc.constantFrom('a', 'b', 'c')), {
    selector: ([name]) => name,
  });
  const texts = fc.dictionary(language, fc.constantFrom('one', 'two'), { minKeys: 1 });
  return fc.tuple(plain, texts).map(([values, byLanguage]) => ({
    slots: {
      ...Object.fromEntries(values.map(([name, text]) => [name, [{ text }]])),
      TITLE: [
        { texts: Object.fromEntries(Object.entries(byLanguage).map(([lan, text]) => [lan, { text, number: '1', comment: '' }])) },
      ],
    },
    extra: [],
  }));
}

function recordFor(of: string, tag: string, key: string): fc.Arbitrary<DictionaryRecord> {
  return fc.record({
    tag: fc.constant(tag),
    key: fc.constant(key),
    position: fc.constant(0),
    activity,
    fields: fieldsFor(of, tag),
  });
}

/** A header, and lines with keys out of few, so that both sides have some in common. */
function elementFor(of: string): fc.Arbitrary<DictionaryElement> {
  const tags = Object.keys(ELEMENT_TYPES.get(of)?.lines ?? { ZZY: 1 });
  const places = tags.flatMap((tag) => ['1', '2', '3'].map((key) => [tag, key] as const));
  return fc
    .tuple(
      recordFor(of, of, NAME),
      fc.subarray(places).chain((chosen) => fc.tuple(...chosen.map(([tag, key]) => recordFor(of, tag, key)))),
    )
    .map(([header, lines]) => ({
      type: of,
      name: NAME,
      title: NAME,
      records: [header, ...lines].map((record, position) => ({ ...record, position })),
    }));
}

const context: fc.Arbitrary<MergeContext> = fc.record({
  authorization: fc.subarray(['XONE', 'YTWO', 'ZALI']).map((codes) => authorize(codes)),
  languages: fc.subarray(['ENG', 'FRA', 'SPA'], { minLength: 1 }),
  patchLanguages: fc.constant(['ENG', 'FRA', 'GER']),
  patchType: fc.constant('1'),
  takeUnchanged: fc.constant(false),
  decisions: fc.constant(NO_DECISIONS),
  replay: fc.constant(false),
});

const pair = type.chain((of) => fc.record({ incoming: elementFor(of), before: elementFor(of), context }));

const lineSet = (element: OwnElement | undefined): readonly string[] =>
  (element?.records ?? []).map((record) => `${place(record)} ${record.activity} ${record.meaning}`).sort();
const isSpecific = (code: string): boolean => /^[XYZ]/i.test(code);
const mayWrite = (given: MergeContext, code: string): boolean =>
  !isSpecific(code) || given.authorization.codes.has(code.toUpperCase());

/** A line is guarded by its own code, or by that of the line it belongs to. */
const isOpen = (given: MergeContext, type: string, line: Line, among: readonly Line[]): boolean => {
  const known = ELEMENT_TYPES.get(type);
  const parent = known === undefined ? undefined : parentLine(known, line.tag);
  const of = among.find((each) => each.tag === parent?.tag && each.key === line.key);
  return mayWrite(given, line.activity) && (of === undefined || mayWrite(given, of.activity));
};
type Line = Pick<DictionaryRecord, 'tag' | 'key' | 'activity'>;

const many = { numRuns: 3_000 };

test('R20: merged twice, the second time changes nothing', () => {
  fc.assert(
    fc.property(pair, fc.boolean(), ({ incoming, before, context: given }, exists) => {
      const own = exists ? ownElement(before.records) : undefined;
      const first = mergeElement(incoming, own, given);
      const second = mergeElement(incoming, applied(own, first), given);
      expect([second.writes, second.moves, second.removes, second.offers, second.withdraws]).toEqual([[], [], [], [], []]);
      expect(['identical', 'kept', 'ignored']).toContain(second.verdict);
    }),
    many,
  );
});

test('R19: lines of the folder with a code that is not authorised never change and never go', () => {
  fc.assert(
    fc.property(pair, ({ incoming, before, context: given }) => {
      const own = ownElement(before.records);
      const after = new Map(
        applied(own, mergeElement(incoming, own, given))?.records.map((record) => [place(record), record.meaning]),
      );
      for (const record of own.records.filter((each) => !isOpen(given, incoming.type, each, own.records)))
        expect(after.get(place(record))).toBe(record.meaning);
    }),
    many,
  );
});

test('R19: delivered lines with a code that is not authorised do not come in', () => {
  fc.assert(
    fc.property(pair, ({ incoming, before, context: given }) => {
      const own = ownElement(before.records);
      const result = mergeElement(incoming, own, given);
      for (const write of result.writes) expect(mayWrite(given, write.activity)).toBe(true);
      const unauthorized = incoming.records.filter((record) => !isOpen(given, incoming.type, record, incoming.records));
      if (result.verdict !== 'ignored' && result.kept.every((each) => each.tag !== incoming.type)) {
        expect(result.ignored.map(place).sort()).toEqual(unauthorized.map(place).sort());
      }
    }),
    many,
  );
});

test('R19: an element whose header is not authorised changes nothing, neither does one whose header the folder protects', () => {
  fc.assert(
    fc.property(pair, ({ incoming, before, context: given }) => {
      const own = ownElement(before.records);
      const [delivered, mine] = [incoming.records[0]?.activity ?? '', own.records[0]?.activity ?? ''];
      fc.pre(!mayWrite(given, delivered) || !mayWrite(given, mine));
      const result = mergeElement(incoming, own, given);
      expect([result.writes, result.removes]).toEqual([[], []]);
      expect(result.verdict).toBe(mayWrite(given, delivered) ? 'kept' : 'ignored');
    }),
    many,
  );
});

test('R20: set-up fields are written at creation only', () => {
  fc.assert(
    fc.property(pair, ({ incoming, before, context: given }) => {
      const own = ownElement(before.records);
      const mine = new Map(own.records.map((record) => [place(record), record]));
      for (const write of mergeElement(incoming, own, given).writes) {
        const had = mine.get(place(write));
        for (const field of ELEMENT_TYPES.get(incoming.type)?.setUp[write.tag] ?? []) {
          if (had?.fields?.slots[field] !== undefined) expect(write.fields.slots[field]).toEqual(had.fields.slots[field]);
        }
      }
    }),
    many,
  );
});

test('R21: lines that are missing from the patch and not protected go; all delivered ones that may are there', () => {
  fc.assert(
    fc.property(pair, ({ incoming, before, context: given }) => {
      const own = ownElement(before.records);
      const result = mergeElement(incoming, own, given);
      fc.pre(result.verdict !== 'ignored' && result.kept.every((each) => each.tag !== incoming.type));
      const after = new Set(applied(own, result)?.records.map(place));
      const delivered = new Set(incoming.records.map(place));
      const keptTags = ELEMENT_TYPES.get(incoming.type)?.keptLines ?? [];
      for (const record of own.records)
        if (!delivered.has(place(record)) && isOpen(given, incoming.type, record, own.records) && !keptTags.includes(record.tag))
          expect(after.has(place(record))).toBe(false);
      for (const record of incoming.records)
        if (isOpen(given, incoming.type, record, incoming.records)) expect(after.has(place(record))).toBe(true);
    }),
    many,
  );
});

test('R23: what is written has the languages of the folder, or one that was delivered', () => {
  fc.assert(
    fc.property(pair, ({ incoming, context: given }) => {
      for (const write of mergeElement(incoming, undefined, given).writes) {
        const slot = write.fields.slots['TITLE']?.[0];
        const languages = slot !== null && slot !== undefined && 'texts' in slot ? Object.keys(slot.texts) : [];
        expect(languages.length).toBeGreaterThan(0);
        if (!languages.every((each) => given.languages.includes(each))) expect(languages).toHaveLength(1);
      }
    }),
    many,
  );
});

test('R23: texts of the folder in languages that the patch does not carry stay', () => {
  fc.assert(
    fc.property(pair, ({ incoming, before, context: given }) => {
      fc.pre(given.languages.includes('SPA'));
      const own = ownElement(before.records);
      const spanish = (record: { fields?: Fields } | undefined): unknown => {
        const slot = record?.fields?.slots['TITLE']?.[0];
        return slot !== null && slot !== undefined && 'texts' in slot ? slot.texts['SPA']?.text : undefined;
      };
      const mine = new Map(own.records.map((record) => [place(record), record]));
      for (const write of mergeElement(incoming, own, given).writes) {
        const had = spanish(mine.get(place(write)));
        if (had !== undefined && spanish(incoming.records.find((each) => place(each) === place(write))) === undefined)
          expect(spanish(write)).toBe(had);
      }
    }),
    many,
  );
});

test('the order of the records in the patch does not change the resulting lines', () => {
  const shuffled = pair.chain((given) =>
    fc
      .shuffledSubarray([...given.incoming.records], { minLength: given.incoming.records.length })
      .map((records) => ({ ...given, records })),
  );
  fc.assert(
    fc.property(shuffled, ({ incoming, before, context: given, records }) => {
      // The first record speaks for the element where the type is unknown.
      fc.pre(ELEMENT_TYPES.has(incoming.type));
      const own = ownElement(before.records);
      const [one, other] = [mergeElement(incoming, own, given), mergeElement({ ...incoming, records }, own, given)];
      expect(other.verdict).toBe(one.verdict);
      expect(lineSet(applied(own, other))).toEqual(lineSet(applied(own, one)));
    }),
    many,
  );
});
