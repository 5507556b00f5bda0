// The registry of element types: its page is up to date, and nothing comes before what it needs.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { elementTypesPage } from '../../docs/element-types.ts';
import { ELEMENT_TYPES } from '../../src/dictionary/element-types.ts';

/** Ranks of the original product, as far as they are known. */
const KNOWN_RANKS: Readonly<Record<string, number>> = {
  ACV: 1,
  ACS: 14,
  ACT: 16,
  ACL: 18,
  ACN: 36,
  ABT: 45,
  ABA: 46,
  ABG: 47,
  ABF: 54,
  ABI: 55,
  ABM: 56,
  ABV: 57,
  ABO: 58,
};

/**
 * Type → types that it refers to, by the fields of its records. Left out is what goes both ways or points from a lower known rank to a
 * higher one (an action's access to screens, a data type's linked object): such a reference is looked up when it is used.
 */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  ATY: ['ACV'],
  AML: ['ACV'],
  ADV: ['ACV', 'ATY'],
  ADI: ['ADV'],
  ADP: ['ACV', 'AML'],
  ATB: ['ACV', 'ATY', 'AML', 'ADV'],
  ACT: ['ACV', 'AML'],
  ACL: ['ATB'],
  AMK: ['ACV', 'ATY', 'ATB', 'AML', 'ACT', 'ACL', 'ACS', 'ASY'],
  AWI: ['ACV', 'AMK', 'ACT', 'ACS'],
  AOB: ['ACV', 'ATB', 'AMK', 'AWI'],
  AFC: ['ACV', 'AOB', 'ACT'],
  AVW: ['ACV', 'ATB', 'ATY'],
  ASU: ['ACV', 'ATY'],
  AWE: ['ASU', 'AOB'],
  ACLA: ['ACV', 'ATY', 'ATB', 'AOB'],
  ASW: ['ACV', 'ACLA'],
  ACN: ['ACV', 'ATB', 'AMK', 'AOB'],
  ANG: ['AOB', 'AFC'],
  APE: ['ACV', 'AOB'],
  ATN: ['ACV', 'AOB', 'ATB'],
  AOE: ['ACV', 'AOB', 'ATB', 'ACS'],
  AWA: ['AOB', 'ATB', 'ACT'],
  ARP: ['ACV', 'AFC', 'ACS', 'ATY'],
  ABT: ['AFC'],
  ABA: ['ABT'],
  ABG: ['ABT'],
  ABF: ['ATB'],
  ABI: ['ABF'],
  ABM: ['ABF', 'ABI'],
  ABV: ['ABF'],
  ABO: ['ABF', 'ABI', 'ABM'],
};

const rank = (type: string): number => ELEMENT_TYPES.get(type)?.rank ?? Number.NaN;

test('docs/element-types.md is what the registry says (npm run docs)', () => {
  expect(readFileSync(new URL('../../docs/element-types.md', import.meta.url), 'utf8')).toBe(elementTypesPage());
});

test('R18: known ranks are kept', () => {
  for (const [type, known] of Object.entries(KNOWN_RANKS)) expect([type, rank(type)]).toEqual([type, known]);
});

test('R18: no type comes before one that it needs', () => {
  for (const [type, needed] of Object.entries(NEEDS)) {
    for (const other of needed) expect([other, 'before', type, rank(other) < rank(type)]).toEqual([other, 'before', type, true]);
  }
});

test('R18: scripts to run come after everything, data and scripts after the dictionary', () => {
  const ranks = [...ELEMENT_TYPES.values()].filter((each) => each.type !== 'EXE').map((each) => each.rank);
  expect(rank('EXE')).toBeGreaterThan(Math.max(...ranks));
  const dictionary = [...ELEMENT_TYPES.values()].filter((each) => each.header.table !== '').map((each) => each.rank);
  for (const type of ['TRT', 'ADX', 'TAB', 'AAA']) expect(rank(type)).toBeGreaterThan(Math.max(...dictionary));
});

test('set-up fields and keys belong to records that the type has', () => {
  for (const type of ELEMENT_TYPES.values()) {
    const tags = [type.header.tag, ...Object.keys(type.lines)];
    for (const [tag, fields] of Object.entries(type.setUp)) {
      expect(tags).toContain(tag);
      const key = tag === type.header.tag ? type.header.key : (type.lines[tag]?.key ?? []);
      expect(fields.filter((field) => key.includes(field))).toEqual([]);
    }
  }
});
