// Random patches over few elements, so that they meet: with texts, set-up fields, lines, blocks, actions, codes, tables, rows, scripts.
import fc from 'fast-check';
import type { Element, PatchOptions, RecordOf, Values } from './patches.ts';
import { activityCode, any, exe, rows, script, table, texts } from './patches.ts';

/** Each case has elements of its own: the number of the case is part of their names. */
export type Numbered = (number: number) => Element;

export interface RandomPatch {
  readonly elements: readonly Numbered[];
  readonly options: PatchOptions;
}

/** Specific ones begin with X, Y or Z. */
const CODES = ['', '', '', 'STD', 'ZALI', 'YOWN'] as const;
const code = fc.constantFrom(...CODES);
const value = fc.constantFrom('', 'a', 'b', "it's");
const number = fc.nat({ max: 3 });
const title = fc.tuple(value, value).map(([english, french]) => texts({ ENG: english, FRA: french }));

/** Lines with different keys, in any order. */
function lines<Key extends string>(
  keys: readonly Key[],
  line: (key: Key) => fc.Arbitrary<RecordOf>,
): fc.Arbitrary<readonly RecordOf[]> {
  return fc.shuffledSubarray([...keys]).chain((chosen) => fc.tuple(...chosen.map(line)));
}

function element(
  type: string,
  header: Readonly<Record<string, fc.Arbitrary<Values[string]>>>,
  ownLines: fc.Arbitrary<readonly RecordOf[]> = fc.constant([]),
): fc.Arbitrary<Numbered> {
  return fc.tuple(fc.constantFrom('A', 'B'), fc.record(header), ownLines).map(
    ([letter, values, records]): Numbered =>
      (run) =>
        any(type, `${run}${letter}`, [{ tag: type, values: values as Values }, ...records]),
  );
}

const action = element(
  'ACT',
  { CODACT: code, INTITA: title, SPETRT: value },
  lines(['P1', 'P2', 'P3'], (key) =>
    fc.record({ CODACT: code, VAL: value }).map((values) => ({ tag: 'ATR', values: { CODPAR: key, ...values } })),
  ),
);

const parameter = element(
  'ADP',
  { ACS: value, CODACT: code, NAM: title },
  lines(['', 'C1', 'C2'], (key) => value.map((own) => ({ tag: 'ADW', values: { CMP: key, FCY: '', VALEUR: own } }))),
);

const menu = element(
  'AML',
  { AUZMOD: fc.constantFrom(1, 2), CODACT: code },
  lines(['1', '2', '3'], (key) => value.map((own) => ({ tag: 'AST', values: { LANNUM: Number(key), LAN: 'ENG', LANMES: own } }))),
);

const two = <Each>(each: fc.Arbitrary<Each>): fc.Arbitrary<readonly Each[]> => fc.array(each, { minLength: 2, maxLength: 2 });

const screen = element(
  'AMK',
  // Blocks with a title: an empty place of an array is none.
  {
    ACTBLOC: two(code),
    CODACT: code,
    INTBLOC: fc.constant(['left', 'right']),
    NBBLOC: fc.constant(2),
    NBRLIG: two(number),
    TRTSPE: value,
    TRTSPV: value,
  },
  fc
    .tuple(
      lines(['Z1', 'Z2', 'Z3'], (key) =>
        fc
          .record({ CODACT: code, CODCTL: value, INTIT: title, NUMBLOC: fc.constantFrom(1, 2) })
          .map((values) => ({ tag: 'AMZ', values: { CODZON: key, ...values } })),
      ),
      lines(['1', '2', '3'], (key) =>
        fc
          .record({ ACTION: fc.constantFrom('GO', 'SPE', 'SPV'), INTITACT: title })
          .map((values) => ({ tag: 'AMA', values: { CODZON: 'Z1', NOACT: Number(key), ...values } })),
      ),
    )
    .map((each) => each.flat()),
);

const description = element('ADC', { CODACT: code, DES: title, SRC: number, UPDUSR: value });

const unknown = element(
  'QQQ',
  { CODACT: code, V: value },
  fc.array(value, { maxLength: 3 }).map((all) => all.map((own) => ({ tag: 'QQR', values: { V: own } }))),
);

const others: fc.Arbitrary<Numbered> = fc.oneof(
  fc.tuple(fc.constantFrom('', 'Z', 'SPE'), value).map(
    ([prefix, source]): Numbered =>
      (run) =>
        script(`${prefix}S${run}`, `# ${source}`),
  ),
  fc.boolean().map(
    (active): Numbered =>
      (run) =>
        activityCode(`C${run}`, { active }),
  ),
  fc.constant((run: number) => exe(`S${run}`)),
);

/** A data type of its own and a table that uses it: in each patch, so that rows always find their table. */
const definitions: fc.Arbitrary<readonly Numbered[]> = fc
  .record({ name: value, size: number, length: fc.constantFrom(10, 12), fields: fc.subarray(['F1', 'F2', 'F3'] as const) })
  .map(({ name, size, length, fields }) => [
    (run) =>
      any('ATY', `T${run}`, [
        { tag: 'ATY', values: { CODACT: '', CODTYP: `T${run}`, INTITTYP: name, LNGTYP: length, TYPTYP: 7 } },
      ]),
    (run) => {
      const types = { F1: `T${run}`, F2: 'L', F3: 'A:20' };
      const chosen = Object.fromEntries(fields.map((field) => [field, types[field]]));
      const indexes = { I0: 'KEY', ...(fields.includes('F2') ? { I1: '-F2+KEY' } : {}) };
      return table(`T${run}`, `T${run}`, { KEY: 'A:5', ...chosen }, indexes, { header: { NBENREG: size } });
    },
  ]);

const tableRows = fc.uniqueArray(fc.record({ KEY: fc.constantFrom('a', 'b', 'c'), F1: value, F2: number }), {
  selector: (row) => row.KEY,
  minLength: 1,
});

const data: fc.Arbitrary<Numbered> = fc.oneof(
  tableRows.map(
    (all): Numbered =>
      (run) =>
        rows(`T${run}`, 'CHOSEN', all),
  ),
  tableRows.map(
    (all): Numbered =>
      (run) =>
        any(
          'TAB',
          `T${run}`,
          all.map((values) => ({ tag: 'DIV', values })),
        ),
  ),
);

const nameOf = (numbered: Numbered): string => {
  const [head] = numbered(0);
  return head?.part === 'element' ? `${head.element.type} ${head.element.name}` : '';
};

/** @param types patch types to draw from; codes are authorised by the header where `authorizes` says so; `least` elements of the dictionary */
export function randomPatch(types: readonly string[], authorizes = true, least = 0): fc.Arbitrary<RandomPatch> {
  const kinds = fc.oneof(action, parameter, menu, screen, screen, description, unknown, others);
  return fc
    .record({
      definitions,
      // One way to bring rows a patch: what two of them mean together depends on their order.
      data: fc.option(data, { nil: undefined }),
      elements: fc.uniqueArray(kinds, { selector: nameOf, minLength: least, maxLength: least + 6 }),
      type: fc.constantFrom(...types),
      activityCodes: authorizes ? fc.subarray(['ZALI', 'YOWN']) : fc.constant([]),
    })
    .map((drawn) => ({
      elements: [...drawn.definitions, ...(drawn.data === undefined ? [] : [drawn.data]), ...drawn.elements],
      options: { type: drawn.type, activityCodes: drawn.activityCodes },
    }));
}
