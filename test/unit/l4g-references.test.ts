// What scripts in the original product's language use: tables by their declarations, fields by their classes, scripts that they call.
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPatchFile } from '../../src/patch/read.ts';
import { classOf, readL4g } from '../../src/plan/l4g-references.ts';
import { statementsOf } from '../../src/plan/l4g-tokens.ts';
import { type KnownTables, resolveReferences } from '../../src/plan/script-references.ts';

const TABLES: Readonly<Record<string, readonly [string, string]>> = {
  ITM: ['ITMMASTER', 'ITMREF ITMDES STU WEIGHT'],
  ITF: ['ITMFACILIT', 'ITMREF STOFCY SAFSTO'],
  BPC: ['BPCUSTOMER', 'BPCNUM BPCSTA CREUSR'],
  AUS: ['AUTILIS', 'USR NOMUSR'],
};
const known: KnownTables = {
  byAbbreviation: (abbreviation) => TABLES[abbreviation]?.[0],
  fieldsOf: (table) => {
    const found = Object.values(TABLES).find(([name]) => name === table);
    return found === undefined ? undefined : new Set(found[1].split(' '));
  },
};

/** `TABLE(FIELD FIELD)` for each table. */
const uses = (source: string): string[] =>
  resolveReferences(readL4g(source), known).tables.map(
    ({ table, fields }) => `${table}(${fields.map(({ field }) => field).join(' ')})`,
  );

describe('tables and fields', () => {
  test.each<[string, string, string[]]>([
    ['a declaration with an abbreviation', 'Local File ITMMASTER [YITM]\nX = [F:YITM]STU', ['ITMMASTER(STU)']],
    [
      'several, written together',
      'local file ITMMASTER[I1], ITMFACILIT [I2]\nX=[F:I2]SAFSTO',
      ['ITMFACILIT(SAFSTO)', 'ITMMASTER()'],
    ],
    ['the abbreviation with its letter', 'If !clalev([F:ZITF]) : Local File ITMFACILIT[F:ZITF] : Endif', ['ITMFACILIT()']],
    ['no abbreviation: the dictionary has one', 'File ITMMASTER\nX = [F:ITM]STU', ['ITMMASTER(STU)']],
    ['opened elsewhere', 'X = [F:ITM]STU', ['ITMMASTER(STU)']],
    ['an index, not a field', 'Read [ITM]ITM0 = [F:ITF]ITMREF;[L]STOFCY', ['ITMFACILIT(ITMREF)', 'ITMMASTER()']],
    ['an index with its number', 'Read [F:ITF]ITF0(1)=[L]A', ['ITMFACILIT()']],
    [
      'a loop, and fields without a class',
      'For [ITF]ITF0 Where ITMREF="A" & SAFSTO(0)>0 & N=1\nNext',
      ['ITMFACILIT(ITMREF SAFSTO)'],
    ],
    ['a loop over numbers', 'For [L]I = 1 To [F:ITF]SAFSTO', ['ITMFACILIT(SAFSTO)']],
    [
      'a condition in a declaration',
      'Local File ITMMASTER [I] Where left$(ITMREF,1) = "B" Order By Key I0 = STU Desc',
      ['ITMMASTER(ITMREF STU)'],
    ],
    ['a filter', 'Filter [ITM] Where STU="UN" Order By WEIGHT', ['ITMMASTER(STU WEIGHT)']],
    ['columns', 'Columns [ITM] (ITMREF, ITMDES)', ['ITMMASTER(ITMDES ITMREF)']],
    ['an update', 'Update [BPC] Where BPCNUM=[L]A With BPCSTA=2', ['BPCUSTOMER(BPCNUM BPCSTA)']],
    [
      'writing',
      'Trbegin [ITM]\nRaz [F:ITM]\n[F:ITM]STU = "UN" : Write [F:ITM]\nDelete [BPC] Where BPCSTA=1\nCommit',
      ['BPCUSTOMER(BPCSTA)', 'ITMMASTER(STU)'],
    ],
    [
      'a link',
      'Local File BPCUSTOMER [BPC], AUTILIS [U]\nLink [BPC] With [U]CODUSR~=[F:BPC]CREUSR As [L1] Where BPCSTA = 2\nFor [L1]\nX = [F:L1]NOMUSR\nNext',
      ['AUTILIS(NOMUSR)', 'BPCUSTOMER(BPCSTA CREUSR)'],
    ],
    [
      "a link by the dictionary's abbreviations",
      'Local File BPCUSTOMER, AUTILIS\nLink [BPC] With [AUS]CODUSR~=[BPC]CREUSR As [L1]\nFor [L1]\nX = [F:L1]NOMUSR\nNext',
      ['AUTILIS(NOMUSR)', 'BPCUSTOMER(CREUSR)'],
    ],
    ['the default table', 'File ITMMASTER [I]\nX = [F]WEIGHT', ['ITMMASTER(WEIGHT)']],
    ['an abbreviation like a class of variables', 'Local File ITMMASTER [S]\nX = [F:S]STU + [S]adxmto', ['ITMMASTER(STU)']],
    ['a table that nobody knows', 'Local File YSTRANGE [YS]\nX = [F:YS]ANY', ['YSTRANGE(ANY)']],
    ['not text or comments', 'X = "[F:ITM]STU" # [F:ITM]ITMDES\nEvalue(\'[F:BPC]BPCNUM\')', []],
    [
      'not masks, variables, dates, channels',
      'Local Mask SOH0 [ITM]\n[M:ITM]STU = [L]X + [V]GUSER + [S]adxmto\nY = [01/01/2020]\nOpeni "F" Using [AUS]\nX=[ITM]STU',
      [],
    ],
  ])('%s', (_what, source, expected) => {
    expect(uses(source)).toEqual(expected);
  });

  test('parts of a script that declare an abbreviation differently: the table that has the field', () => {
    const source =
      'Subprog A\nLocal File ITMMASTER [X]\nY=[F:X]STU\nEnd\nSubprog B\nLocal File ITMFACILIT [X]\nY=[F:X]SAFSTO\nEnd';
    expect(uses(source)).toEqual(['ITMFACILIT(SAFSTO)', 'ITMMASTER(STU)']);
  });

  test('abbreviations that nobody explains are told, with the line', () => {
    expect(resolveReferences(readL4g('\nX = [F:QQQ]A'), known).unknown).toEqual([{ abbreviation: 'QQQ', line: 2 }]);
  });

  test('what is known only at run time is told', () => {
    expect(readL4g('Local File =NAME [X]\nY = [F:X]A\nCall Z From =S\nY=[F:=W]B\nY=[K:W]C').unread).toEqual([
      { kind: 'dynamic', text: '= NAME X', line: 1 },
      { kind: 'dynamic', text: 'From =', line: 3 },
      { kind: 'dynamic', text: '[F:=W]', line: 4 },
      { kind: 'class', text: '[K:W]', line: 5 },
    ]);
  });
});

test('scripts that are called', () => {
  const source = `Call A(1,[F:ITM]STU) From STKLIB : Gosub B From "TRTX3"
Gosub LOCAL
If func YLIB.CHECK(1) = 2
For [ITM]ITM0 From "A" To "Z"
# Call C From NOT`;
  expect(readL4g(source).scripts.map(({ name, line }) => `${name} ${line}`)).toEqual(['STKLIB 1', 'TRTX3 1', 'YLIB 3']);
});

test('no source stops it', () => {
  const word = fc.constantFrom(
    'Local',
    'File',
    'Mask',
    'Link',
    'With',
    'As',
    'Where',
    'For',
    'Read',
    'Call',
    'From',
    'func',
    'Columns',
    'X',
    '[F:X]',
    '[X]',
    '[F]',
    '[=X]',
    '[',
    ']',
    '(',
    ')',
    ',',
    '=',
    '.',
    ':',
    '\n',
    '\n&',
    '"a"',
    '1',
    '#',
    '$',
    '[M:X]',
    'Using',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), (words) => {
      resolveReferences(readL4g(words.join(' ')), known);
    }),
    { numRuns: 500 },
  );
});

test('many tables and uses of the default one do not multiply', () => {
  const source = `${Array.from({ length: 20_000 }, (_, i) => `File T${i} [A${i}]\n`).join('')}${Array.from({ length: 20_000 }, (_, i) => `X=[F]F${i}\n`).join('')}`;
  const start = performance.now();
  expect(readL4g(source).tables).toHaveLength(20_000);
  expect(performance.now() - start).toBeLessThan(5_000);
});

test.each(['Mask ', 'File X ', 'Call X ', 'Link [A] With [B]X=1 As [C] ', 'For [ITM] Where A1 & '])(
  'a line of a million characters "%s" takes no time for each of its words',
  (unit) => {
    const start = performance.now();
    readL4g(unit.repeat(1_000_000 / unit.length));
    expect(performance.now() - start).toBeLessThan(10_000);
  },
);

test('what is too long to be a script is not read, and told', () => {
  expect(readL4g(`Local File ITMMASTER [ITM]\n${' '.repeat(5_000_000)}`)).toMatchObject({
    tables: [],
    unread: [{ kind: 'size' }],
  });
});

const SHARED = new URL('../../../shared/data/patches/', import.meta.url);
const shared = ['V11_SRC_SVG_WEB_PHP_20170130_01.dat', 'ZCLIENT.dat'].filter((file) => existsSync(new URL(file, SHARED)));

describe.skipIf(shared.length === 0)('real sources (skipped where the shared patches are absent)', () => {
  test('every bracket is understood, the tables and fields are found', async () => {
    const counts: Record<string, number> = {};
    const found: string[] = [];
    for (const file of shared) {
      for await (const part of readPatchFile(new URL(file, SHARED).pathname)) {
        if (part.part !== 'source') continue;
        const source = Buffer.from(part.bytes).toString();
        for (const token of [...statementsOf(source)].flat()) {
          const kind = token.kind === 'class' ? classOf(token.text).kind : token.text === '[' ? 'unknown' : undefined;
          if (kind !== undefined) counts[kind] = (counts[kind] ?? 0) + 1;
        }
        expect(readL4g(source).unread).toEqual([]);
        found.push(...uses(source));
      }
    }
    expect(counts).toEqual({ file: 7, variables: 4, abbreviation: 3 });
    expect(found).toEqual(['ITMMVT(ITMREF PHYALL PHYSTO STOFCY)']);
  });
});
