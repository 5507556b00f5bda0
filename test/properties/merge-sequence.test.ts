// Sequences of deliveries: what a folder keeps, it keeps whatever comes; what is listed is what the merge compared (R8, R19, R20, R37).
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { authorize } from '../../src/dictionary/activity-codes.ts';
import { mergeBlocks } from '../../src/dictionary/blocks.ts';
import { caseId, sameValue } from '../../src/dictionary/cases.ts';
import type { DictionaryElement, DictionaryRecord } from '../../src/dictionary/element.ts';
import { ELEMENT_TYPES } from '../../src/dictionary/element-types.ts';
import type { Fields } from '../../src/dictionary/fields.ts';
import { fieldValue, slotsOf } from '../../src/dictionary/fields.ts';
import type { KeptCase, OfferedRecord } from '../../src/dictionary/kept-cases.ts';
import { keptCases } from '../../src/dictionary/kept-cases.ts';
import { mergeElement } from '../../src/dictionary/merge.ts';
import type { OwnElement } from '../../src/dictionary/merge-result.ts';
import { applied, mergeContext, place } from '../support/merge.ts';

const NAME = 'THING';
const text = fc.constantFrom('a', 'b', 'c');
const code = fc.constantFrom('', '', '', 'STD', 'YTWO', 'ZALI');

const fieldsOf = (values: Readonly<Record<string, string>>): Fields => ({
  slots: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [{ text: value }]])),
  extra: [],
});

function record(tag: string, key: string, setUp: readonly string[]): fc.Arbitrary<DictionaryRecord> {
  const names = ['DES', ...setUp];
  return fc.tuple(code, ...names.map(() => text)).map(([activity, ...values]) => ({
    tag,
    key,
    position: 0,
    activity,
    fields: fieldsOf({ ...Object.fromEntries(names.map((name, at) => [name, values[at] ?? ''])), CODACT: activity }),
  }));
}

/** Types with set-up fields on header and lines, with action lines, with kept lines. */
const element: fc.Arbitrary<DictionaryElement> = fc.constantFrom('ACT', 'ADP', 'AMK', 'ADV').chain((type) => {
  const known = ELEMENT_TYPES.get(type);
  const setUp = (tag: string): readonly string[] => known?.setUp[tag] ?? [];
  const lines = Object.keys(known?.lines ?? {}).flatMap((tag) => ['1', '2'].map((key) => record(tag, key, setUp(tag))));
  return fc
    .tuple(
      record(type, NAME, setUp(type)),
      fc.subarray(lines).chain((chosen) => fc.tuple(...chosen)),
    )
    .map(([header, rest]) => ({
      type,
      name: NAME,
      title: NAME,
      records: [{ ...header, activity: '' }, ...rest].map((each, position) => ({ ...each, position })),
    }));
});

const sequence = fc.array(element, { minLength: 2, maxLength: 7 }).map((deliveries) => {
  const type = deliveries[0]?.type;
  return deliveries.filter((delivery) => delivery.type === type);
});

const context = mergeContext();
const many = { numRuns: 1_500 };

test('R20: a set-up value that is there never changes by deliveries alone', () => {
  fc.assert(
    fc.property(sequence, (deliveries) => {
      let own: OwnElement | undefined;
      for (const delivery of deliveries) {
        const before = new Map((own?.records ?? []).map((each) => [place(each), each.fields]));
        own = applied(own, mergeElement(delivery, own, context));
        for (const after of own?.records ?? []) {
          const had = before.get(place(after));
          for (const field of ELEMENT_TYPES.get(delivery.type)?.setUp[after.tag] ?? []) {
            if (had !== undefined && after.fields !== undefined && slotsOf(had, field) !== undefined)
              expect(slotsOf(after.fields, field)).toEqual(slotsOf(had, field));
          }
        }
      }
    }),
    many,
  );
});

test('R19: a protected line stays as it is, whatever is delivered', () => {
  fc.assert(
    fc.property(sequence, fc.constantFrom('1', '3', '4', '5'), (deliveries, patchType) => {
      let own = applied(
        undefined,
        mergeElement(deliveries[0] as DictionaryElement, undefined, mergeContext({ authorization: authorize(['YTWO', 'ZALI']) })),
      );
      const guarded = (own?.records ?? []).filter((each) => /^[XYZ]/.test(each.activity));
      for (const delivery of deliveries.slice(1)) own = applied(own, mergeElement(delivery, own, mergeContext({ patchType })));
      const after = new Map((own?.records ?? []).map((each) => [place(each), each.meaning]));
      for (const each of guarded) expect(after.get(place(each))).toBe(each.meaning);
    }),
    many,
  );
});

/** The folder's offers as the list of kept values reads them. */
function offered(type: string, own: OwnElement | undefined): readonly OfferedRecord[] {
  const records = new Map((own?.records ?? []).map((each) => [place(each), each]));
  return (own?.offers ?? []).map(({ tag, key, scope, meaning, fields, before }) => {
    const mine = records.get(place({ tag, key }));
    return {
      type,
      name: NAME,
      tag,
      key,
      scope,
      code: '',
      now: { meaning, fields: fields as Fields },
      before: before?.fields === undefined ? null : { meaning: before.meaning, fields: before.fields },
      own: mine?.fields === undefined ? null : { meaning: mine.meaning, fields: mine.fields },
      header: null,
      changed: mine?.changed ?? [],
    };
  });
}

const listedOf = (type: string, own: OwnElement | undefined): readonly KeptCase[] =>
  keptCases(
    offered(type, own),
    (own?.records ?? []).map(({ tag, key, meaning }) => ({ tag, key, meaning })),
  );

test('R37: what is listed are the fields that the merge kept, under the same case, until somebody decides', () => {
  fc.assert(
    fc.property(sequence, (deliveries) => {
      let own: OwnElement | undefined;
      for (const delivery of deliveries) {
        const before = listedOf(delivery.type, own);
        const merged = mergeElement(delivery, own, context);
        own = applied(own, merged);
        const ignored = new Set(merged.ignored.map(place));
        const delivered = new Set(delivery.records.map(place).filter((each) => !ignored.has(each)));
        const there = new Set((own?.records ?? []).map(place));
        // What this delivery says nothing about waits as before.
        const waiting = before.filter((each) => !delivered.has(place(each)) && there.has(place(each)));
        const listed = listedOf(delivery.type, own).filter((each) => each.scope === 'fields');
        const expected = [...merged.setUp, ...waiting].map((each) => each.caseId);
        expect(listed.map((each) => each.caseId).sort()).toEqual(expected.sort());
      }
    }),
    many,
  );
});

/** What was offered to the folder, delivered again, as a decision is carried out. */
function offeredAgain(type: string, own: OwnElement): DictionaryElement {
  const whole = own.offers.filter((offer) => offer.scope === 'element');
  const offers = new Map(own.offers.map((offer) => [place(offer), offer]));
  const lines = whole.length > 0 ? whole : own.records;
  const records = lines.map(({ tag, key }, position): DictionaryRecord => {
    const fields =
      offers.get(place({ tag, key }))?.fields ?? own.records.find((each) => place(each) === place({ tag, key }))?.fields;
    const activity = fields === undefined ? '' : (fieldValue(fields, 'CODACT') ?? '');
    return { tag, key, position, activity, fields: fields ?? { slots: {}, extra: [] } };
  });
  return { type, name: NAME, title: NAME, records };
}

test('R37: any case that is listed ends when it is taken, with what was delivered, and no other does', () => {
  // Deliveries of different authorisations leave fields, lines and whole elements to decide about, whatever codes they carry.
  const step = fc.record({ delivery: element, codes: fc.subarray(['YTWO', 'ZALI']), guarded: fc.boolean() });
  const history = fc.array(step, { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(history, fc.nat(20), (steps, pick) => {
      const type = steps[0]?.delivery.type ?? '';
      let own: OwnElement | undefined;
      for (const { delivery, codes, guarded } of steps.filter((each) => each.delivery.type === type)) {
        const activity = guarded && codes.length > 0 ? (codes[0] ?? '') : '';
        const [header, ...lines] = delivery.records as [DictionaryRecord, ...DictionaryRecord[]];
        const marked = {
          ...header,
          activity,
          fields: { ...header.fields, slots: { ...header.fields.slots, CODACT: [{ text: activity }] } },
        };
        const given = mergeContext({ authorization: authorize(codes) });
        own = applied(own, mergeElement({ ...delivery, records: [marked, ...lines] }, own, given)) ?? own;
      }
      if (own === undefined) return;
      const open = listedOf(type, own);
      const chosen = open[pick % Math.max(1, open.length)];
      if (chosen === undefined) return;
      const decided = mergeContext({ replay: true, decisions: new Map([[chosen.caseId, { choice: 'take' }]]) });
      const taken = applied(own, mergeElement(offeredAgain(type, own), own, decided));
      const left = listedOf(type, taken).map((each) => each.caseId);
      expect(left).not.toContain(chosen.caseId);
      if (chosen.scope !== 'element') {
        const others = open.filter((each) => each !== chosen && place(each) !== place(chosen)).map((each) => each.caseId);
        expect(left).toEqual(expect.arrayContaining(others));
      }
      if (chosen.scope === 'fields') {
        const fields = taken?.records.find((each) => place(each) === place(chosen))?.fields;
        expect(sameValue(fields === undefined ? undefined : slotsOf(fields, chosen.field), chosen.now as never)).toBe(true);
      }
    }),
    many,
  );
});

test('R37: equal values have the same case wherever they are; any other value another', () => {
  const at = { type: 'ACT', name: 'A', tag: 'ACT', key: 'A', field: 'F' };
  fc.assert(
    fc.property(fc.tuple(text, text, text), fc.tuple(text, text, text), (one, two) => {
      const id = ([before, now, own]: readonly [string, string, string]): string => caseId(at, { before, now, own });
      expect(id(one) === id(two)).toBe(one.join() === two.join());
    }),
  );
});

const RULE = ELEMENT_TYPES.get('AMK')?.blocks;
const screen = fc
  .array(fc.tuple(fc.constantFrom('', 'YTWO', 'ZALI'), fc.constantFrom('one', 'two', 'three')), { minLength: 1, maxLength: 6 })
  .map(
    (blocks): Fields => ({
      slots: {
        ACTBLOC: blocks.map(([activity]) => ({ text: activity })),
        TITBLOC: blocks.map(([, title]) => ({ text: title })),
        NBBLOC: [{ bare: String(blocks.length) }],
        INTMSK: [{ text: 'other' }],
      },
      extra: [],
    }),
  );

test('R19: no block of the folder’s is lost, none comes in without authorisation, and the same again changes nothing', () => {
  if (RULE === undefined) throw new Error('screens have blocks');
  const isProtected = (activity: string): boolean => activity.startsWith('Y');
  const titles = (fields: Fields, of: (activity: string) => boolean): readonly string[] =>
    (slotsOf(fields, 'ACTBLOC') ?? []).flatMap((_, at) =>
      of(fieldValue(fields, 'ACTBLOC', at) ?? '') ? [fieldValue(fields, 'TITBLOC', at) ?? ''] : [],
    );
  fc.assert(
    fc.property(screen, screen, (delivered, own) => {
      const merged = mergeBlocks(delivered, own, RULE, isProtected);
      expect([...titles(merged.fields, isProtected)].sort()).toEqual([...titles(own, isProtected)].sort());
      const open = (activity: string): boolean => !isProtected(activity);
      for (const title of titles(delivered, open)) expect(titles(merged.fields, open)).toContain(title);
      expect(fieldValue(merged.fields, 'INTMSK')).toBe('other');
      const again = mergeBlocks(delivered, merged.fields, RULE, isProtected);
      expect(again.fields).toEqual(merged.fields);
      expect(again.moved.size).toBe(0);
    }),
    many,
  );
});
