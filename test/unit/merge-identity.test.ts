// The identity of an element's lines where no key gives it: a line with an activity code never takes the place of another.
import { expect, test } from 'vitest';
import type { DictionaryElement } from '../../src/dictionary/element.ts';
import { identify } from '../../src/dictionary/element.ts';
import { exactDigest, fieldsFromJson, fieldsOf, fieldsToJson } from '../../src/dictionary/fields.ts';
import { mergeElement } from '../../src/dictionary/merge.ts';
import type { PatchRecord } from '../../src/patch/format.ts';
import { applied, mergeContext, ownElement } from '../support/merge.ts';

const context = mergeContext();

const record = (tag: string, values: Readonly<Record<string, string>>): PatchRecord => ({
  tag,
  key: '',
  lines: Object.entries(values).map(([field, text]) => ({ kind: 'value', field, index: 0, value: `"${text}"` })),
});

/** Lines as `TAG text code`. */
function element(type: string, lines: readonly string[], key = 'TEXT'): DictionaryElement {
  const records = lines.map((line) => {
    const [tag = '', text = '', code = ''] = line.split(' ');
    return record(tag, { [key]: text, CODACT: code });
  });
  return identify({ type, name: 'THING', title: '' }, records, []);
}

const textOf = (each: { fields?: ReturnType<typeof fieldsOf> }, key = 'TEXT'): unknown => each.fields?.slots[key]?.[0];

/** Texts of the element after a patch without authorised codes. */
function after(own: DictionaryElement, incoming: DictionaryElement, key = 'TEXT'): string[] {
  const merged = mergeElement(incoming, ownElement(own.records), context);
  const gone = new Set([...merged.writes, ...merged.removes].map((each) => `${each.tag} ${each.key}`));
  return [...own.records.filter((each) => !gone.has(`${each.tag} ${each.key}`)), ...merged.writes]
    .map((each) => (textOf(each, key) as { text: string }).text)
    .sort();
}

test.each([
  ['AWI', 'AWB'],
  ['AWI', 'NEWTAG'],
  ['QQQ', 'QQL'],
])('lines without a key in %s: a protected line between standard ones takes nobody’s place (%s)', (type, tag) => {
  const own = element(type, [`${type} head`, `${tag} a`, `${tag} mine ZAL`, `${tag} b`]);
  expect(after(own, element(type, [`${type} head`, `${tag} a`, `${tag} b`]))).toEqual(['a', 'b', 'head', 'mine']);
  expect(after(own, element(type, [`${type} head`, `${tag} a`, `${tag} new`, `${tag} b`]))).toEqual([
    'a',
    'b',
    'head',
    'mine',
    'new',
  ]);
  expect(after(own, element(type, [`${type} head`, `${tag} a`]))).toEqual(['a', 'head', 'mine']);
  expect(after(own, element(type, [`${type} head`, `${tag} z ZAL`, `${tag} a`, `${tag} b`]))).toEqual(['a', 'b', 'head', 'mine']);
});

test('an unknown tag in an element does not shift the lines of another tag', () => {
  const [one, two] = [element('AWI', ['AWI h', 'AWB a']), element('AWI', ['AWI h', 'NEWTAG x', 'AWB a'])];
  expect(one.records.at(-1)?.key).toBe(two.records.at(-1)?.key);
});

test('of lines that share an incomplete key, a protected one takes nobody’s place', () => {
  const own = element('ACT', ['ACT head', 'ATR P1 ZAL', 'ATR P1', 'ATR P1 ZAL'], 'CODPAR');
  expect(own.records.map((each) => each.key)).toEqual(['THING', 'P1#ZAL.0', 'P1', 'P1#ZAL.1']);
  const incoming = element('ACT', ['ACT head', 'ATR P1', 'ATR P1'], 'CODPAR');
  expect(incoming.records.map((each) => each.key)).toEqual(['THING', 'P1', 'P1#.1']);
  expect(after(own, incoming, 'CODPAR')).toEqual(['P1', 'P1', 'P1', 'P1', 'head']);
});

test('a key that looks like a made one does not meet it', () => {
  const keys = element('ACT', ['ATR P1', 'ATR P1', 'ATR P1#.1', 'ATR'], 'CODPAR').records.map((each) => each.key);
  expect(new Set(keys).size).toBe(4);
});

test('an element of an unknown type whose first line the folder protects stays, whatever code the patch gives that line', () => {
  const own = ownElement(element('QQQ', ['QQQ mine ZAL', 'QQL a']).records);
  const incoming = element('QQQ', ['QQQ theirs', 'QQL b']);
  expect(mergeElement(incoming, own, context).verdict).toBe('kept');
});

test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('%s is a name like any other', (name) => {
  for (const type of ['ACT', 'AMK', name]) {
    const own = identify({ type, name, title: '' }, [record(type, { ACTION: name }), record(name, { [name]: 'old' })], []);
    const incoming = identify({ type, name, title: '' }, [record(type, { ACTION: name }), record(name, { [name]: 'new' })], []);
    const merged = mergeElement(incoming, ownElement(own.records), context);
    expect(merged.writes.map((write) => Object.entries(write.fields.slots))).toEqual([[[name, [{ text: 'new' }]]]]);
  }
  const fields = fieldsOf([
    { kind: 'value', field: name, index: 1, value: '"v"' },
    { kind: 'text', field: 'T', index: 0, language: name, text: 't', number: '1', comment: '' },
    { kind: 'translation', field: 'U', index: 0, language: name, text: 'u', id1: '', id2: '' },
  ]);
  const back = fieldsFromJson(fieldsToJson(fields));
  expect(exactDigest(back)).toBe(exactDigest(fields));
  expect(Object.keys(back.slots)).toEqual([name, 'T', 'U']);
  const empty = fieldsOf([]);
  expect(identify({ type: 'ACT', name: 'A', title: '' }, [record('ATR', {})], []).records[0]?.fields.slots).toEqual(empty.slots);
  const merged = mergeElement(
    { type: 'ACT', name: 'A', title: '', records: [{ tag: 'ACT', key: 'A', position: 0, activity: '', fields }] },
    undefined,
    mergeContext({ languages: ['GER'], patchLanguages: [name, 'ENG', 'constructor'] }),
  );
  expect(fieldsToJson(merged.writes[0]?.fields ?? empty)).toBe(fieldsToJson(fields));
});

test('R20: a delivery that closes a local menu brings its lines at once: merged again, it changes nothing', () => {
  const menu = (changeable: number, items: Readonly<Record<number, string>>) =>
    identify(
      { type: 'AML', name: '7', title: '' },
      [
        { tag: 'AML', key: '', lines: [{ kind: 'value', field: 'AUZMOD', index: 0, value: String(changeable) }] },
        ...Object.entries(items).map(([number, text]) => record('AST', { LANNUM: number, LAN: 'ENG', LANMES: text })),
      ],
      [],
    );
  const own = ownElement(menu(2, { 1: 'red', 2: 'green' }).records);
  const closed = menu(1, { 2: 'GREEN', 3: 'blue' });
  const first = applied(own, mergeElement(closed, own, context));
  expect(first?.records.map((each) => textOf(each, 'LANMES')).filter((text) => text !== undefined)).toEqual([
    { text: 'GREEN' },
    { text: 'blue' },
  ]);
  const again = mergeElement(closed, first, context);
  expect([again.verdict, again.offers, again.withdraws]).toEqual(['identical', [], []]);
});
