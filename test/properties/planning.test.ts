// Planning after applying is empty: whatever was integrated, the same content under another name finds everything as it should be.
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { type Holding, holdings } from '../support/folder-dump.ts';
import type { Element, Value, Values } from '../support/patches.ts';
import { activityCode, any, bare, compiled, rows, script, table, texts } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';
import { untilTheEnd } from '../support/until.ts';

/** Each run has names of its own: N stands for its number. */
type Numbered = (run: number) => Element;

const text = fc
  .oneof(fc.string({ maxLength: 8 }), fc.constantFrom('"', "it's", 'é€', 'a,b', '\\', '\\N', '$$', ' x ', ''))
  .map((value) => value.replace(/[\n\r\0]/g, ' '));
const VALUES: Readonly<Record<string, fc.Arbitrary<Value>>> = {
  'A:20': text,
  'ACB:0': text,
  'L:0': fc.constantFrom('0', '7', '-12', '007', '-0', '2147483647').map(bare),
  'C:0': fc.constantFrom('0', '1', '-3', '32767').map(bare),
  'DCB:9.3': fc.constantFrom('0', '1.5', '1.50', '-0', '-0.00', '007.100', '999999999.999', '-1').map(bare),
  'D:0': fc.constantFrom('000000', '20240229', '19991231').map(bare),
  'ADATIM:0': fc.constantFrom('0000-00-00T00:00:00Z', '2016-06-27T20:44:31Z'),
  'AUUID:0': fc.constantFrom('', '00000000-0000-0000-0000-000000000000', '6ba7b810-9dad-11d1-80b4-00c04fd430c8'),
};
const dataType = fc.constantFrom(...Object.keys(VALUES));

/** A table and rows for it; few keys and some fields left out, so that rows meet each other. */
const tableWithRows: fc.Arbitrary<readonly Numbered[]> = fc
  .tuple(fc.nat({ max: 9 }), fc.dictionary(fc.constantFrom('F1', 'F2', 'F3', 'CREUSR'), dataType, { maxKeys: 3 }), fc.boolean())
  .chain(([number, fields, descending]) => {
    const value = fc.record(
      {
        KEY: fc.constantFrom('a', 'b', 'c', ''),
        ...Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, VALUES[type]!])),
      },
      { requiredKeys: ['KEY'] },
    );
    return fc.array(value as fc.Arbitrary<Values>, { maxLength: 6 }).map((all): readonly Numbered[] => {
      const name = (run: number): string => `R${run}T${number}`;
      const definition: Numbered = (run) =>
        table(
          name(run),
          name(run),
          { KEY: 'A:5', ...fields },
          {
            I0: 'KEY',
            ...(Object.keys(fields).length > 0 ? { I1: `${descending ? '-' : ''}${Object.keys(fields)[0]}+KEY` } : {}),
          },
        );
      return all.length === 0
        ? [definition]
        : [definition, (run) => rows(name(run), 'ALL', all, { KEY: { ENG: 'k', FRA: 'c' } })];
    });
  });

const others: fc.Arbitrary<Numbered> = fc.oneof(
  fc.tuple(fc.nat({ max: 5 }), fc.boolean(), fc.nat({ max: 3 })).map(
    ([at, active, size]): Numbered =>
      (run) =>
        activityCode(`C${run}X${at}`, { active, size }),
  ),
  fc.tuple(fc.nat({ max: 5 }), fc.constantFrom('', 'A'), fc.constantFrom('', 'ZALI', 'ZNO', 'XYZ')).map(
    ([at, access, activity]): Numbered =>
      (run) =>
        any('ADP', `P${run}X${at}`, [
          { tag: 'ADP', values: { ACS: access, CODACT: activity, INTIT: texts({ ENG: 'a', FRA: 'b' }), PARAM: `P${run}X${at}` } },
          { tag: 'ADW', values: { CMP: '', FCY: '', VALEUR: access, CODACT: 'ZNO' } },
        ]),
  ),
  fc.tuple(fc.nat({ max: 5 }), fc.array(fc.tuple(fc.nat({ max: 3 }), text), { maxLength: 5 })).map(
    ([at, lines]): Numbered =>
      (run) =>
        any('AML', `${run}0${at}`, [
          { tag: 'AML', values: { MENLOC: `${run}0${at}` } },
          ...lines.map(([line, value]) => ({ tag: 'AST', values: { LANNUM: line, LAN: 'ENG', TEXTE: value } })),
        ]),
  ),
  fc.tuple(fc.nat({ max: 5 }), fc.constantFrom('', 'X', 'Z', 'SPE'), text).map(
    ([at, prefix, source]): Numbered =>
      (run) =>
        script(`${prefix}S${run}X${at}`, source),
  ),
  fc.tuple(fc.nat({ max: 5 }), fc.uint8Array({ maxLength: 9 })).map(
    ([at, bytes]): Numbered =>
      (run) =>
        compiled(`B${run}X${at}`, bytes),
  ),
  fc.tuple(fc.nat({ max: 5 }), text).map(
    ([at, value]): Numbered =>
      (run) =>
        any('QQQ', `Q${run}X${at}`, [
          { tag: 'QQQ', values: { V: value } },
          { tag: 'QQR', values: { V: [value, value] } },
        ]),
  ),
);

const content: fc.Arbitrary<readonly Numbered[]> = fc
  .tuple(fc.array(tableWithRows, { maxLength: 3 }), fc.array(others, { maxLength: 6 }))
  // Of elements that stand twice in a patch the later one counts; that has tests of its own. Rows go with the table they were made for.
  .map(([tables, more]) => {
    const seen = new Set<string>();
    const isNew = (element: Numbered): boolean => {
      const head = element(1)[0];
      const name = head?.part === 'element' ? `${head.element.type} ${head.element.name}` : '';
      return !seen.has(name) && seen.add(name) !== undefined;
    };
    const ofOwn = tables.filter(([definition]) => definition !== undefined && isNew(definition));
    return [...ofOwn.flat(), ...more.filter(isNew)];
  });

describe.each(oneServer())('$name', (server) => {
  const later = untilTheEnd();
  let environment: TestEnvironment;
  let run = 0;

  beforeAll(async () => {
    environment = await openEnvironment(server, { folders: ['PLAIN'], later });
    await environment.folders(['FR'], { languages: ['FRA'], test: true, specific: true, parent: 'PLAIN' });
  });

  /** All of a folder but the record of what it has integrated. */
  const lasting = (holding: Holding | undefined): Holding =>
    (holding ?? []).filter((line) => !/^(integration|event|remainder|row \| apatch) /.test(line));

  test('R24: of rows with the same key in one patch the last counts, whatever fields they bring', async () => {
    const number = ++run;
    const [name, all] = [
      `R${number}`,
      [
        { K: 'a', F: '1' },
        { K: 'a', F: '2', G: 'x' },
        { K: 'a', F: '3' },
        { K: 'b', F: '4', G: 'y' },
      ],
    ];
    await environment.integrate(
      await environment.patch(`A${number}.dat`, [
        table(name, name, { K: 'A:5', F: 'A:5', G: 'A:5' }, { I0: 'K' }),
        rows(name, 'ALL', all),
      ]),
    );
    expect(await environment.query(`select k_0, f_0 from x3.r${number} order by 1`)).toEqual([
      { k_0: 'a', f_0: '3' },
      { k_0: 'b', f_0: '4' },
    ]);
  });

  test('R30: everything is identical the second time, in every folder', async () => {
    await fc.assert(
      fc.asyncProperty(content, async (elements) => {
        const number = ++run;
        const made = elements.map((element) => element(number));
        const options = { activityCodes: ['ZALI'] };
        await environment.integrate(await environment.patch(`A${number}.dat`, made, options));
        const before = await holdings(environment.url);
        const again = await environment.integrate(await environment.patch(`B${number}.dat`, made, options));
        const after = await holdings(environment.url);
        for (const { folder: code, patches } of again.folders) {
          expect({ code, ...patches[0], ms: 0 }).toMatchObject({
            code,
            state: 'integrated',
            elements: { created: 0, updated: 0 },
            tables: { created: [], altered: [], removed: [], changes: [] },
            scripts: { installed: 0 },
            rows: { inserted: 0, updated: 0 },
          });
          expect(lasting(after.folders.get(code))).toEqual(lasting(before.folders.get(code)));
        }
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});
