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
import type { OfferedRecord } from '../../src/dictionary/kept-cases.ts';
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

test('R37: what is listed are the fields that the merge kept, under the same case; deciding to take one ends it', () => {
  fc.assert(
    fc.property(sequence, (deliveries) => {
      let own: OwnElement | undefined;
      for (const delivery of deliveries) {
        const merged = mergeElement(delivery, own, context);
        own = applied(own, merged);
        const listed = keptCases(offered(delivery.type, own), []).filter((each) => each.scope === 'fields');
        expect(listed.map((each) => each.caseId).sort()).toEqual(merged.setUp.map((each) => each.caseId).sort());
      }
      const last = deliveries.at(-1) as DictionaryElement;
      const [first] = keptCases(offered(last.type, own), []).filter((each) => each.scope === 'fields');
      if (first === undefined) return;
      const decided = mergeContext({ decisions: new Map([[first.caseId, { choice: 'take' }]]) });
      const taken = applied(own, mergeElement(last, own, decided));
      const field = taken?.records.find((each) => place(each) === place(first))?.fields;
      expect(sameValue(field === undefined ? undefined : slotsOf(field, first.field), first.now as never)).toBe(true);
      expect(keptCases(offered(last.type, taken), []).map((each) => each.caseId)).not.toContain(first.caseId);
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
