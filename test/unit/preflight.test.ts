// The checks before anything changes, judged on facts alone.
import { describe, expect, test } from 'vitest';
import type { SeriesNumber } from '../../src/environment/catalog.ts';
import type { Folder } from '../../src/environment/folder.ts';
import type { Delivery } from '../../src/plan/delivery.ts';
import { preflight } from '../../src/plan/preflight.ts';

const folder = (id: number, code: string, parent: string | null): Folder => ({
  id,
  code,
  parent,
  depth: parent === null ? 0 : 1,
  state: 'ready',
  schema: code.toLowerCase(),
  role: null,
  languages: ['ENG'],
  activityCodes: [],
  activitySizes: {},
  test: false,
  specific: false,
  historyOf: null,
  due: [],
  legislations: [],
  modules: null,
  ancestors: [],
});
const X3 = folder(1, 'X3', null);
const SEED = folder(2, 'SEED', 'X3');

const delivery = (number: number, patchType = '1'): Delivery => ({
  file: `P_000${number}_140.dat`,
  digest: String(number).repeat(64),
  patchType,
  languages: ['ENG'],
  activityCodes: [],
  comment: '',
  bytes: 0,
  elements: [],
  rows: new Map(),
  contents: [],
  abbreviations: new Set(),
  carriedCodes: new Set(),
  findings: [],
  parts: async function* () {},
});
const has = (of: Folder, number: number, patchType = '1'): SeriesNumber => ({
  folder: of.id,
  supervisor: of.parent === null,
  patchType,
  series: 'P',
  version: '140',
  number,
});

/** Folder and file of every gap. */
function gaps(folders: readonly Folder[], deliveries: readonly Delivery[], sequence: readonly SeriesNumber[]) {
  const { findings } = preflight({
    deliveries,
    folders,
    supervisor: 'X3',
    from: 'X3',
    authorized: [],
    carried: new Set(),
    forced: {},
    integrated: [],
    sequence,
  });
  return findings.filter(({ code }) => code === 'sequence-gap').map((gap) => [gap.folder, gap.patch]);
}

describe('R7, R15: a supervisor patch in a numbered series', () => {
  test('that the supervisor folder has leaves no gap in the others', () => {
    expect(gaps([X3, SEED], [delivery(3)], [has(X3, 1), has(SEED, 1), has(X3, 2, '2')])).toEqual([]);
    expect(gaps([SEED], [delivery(3)], [has(SEED, 1), has(X3, 2, '2')])).toEqual([]);
  });

  test('that the supervisor folder gets in the same run leaves none either', () => {
    expect(gaps([X3, SEED], [delivery(1), delivery(2, '2'), delivery(3)], [])).toEqual([]);
  });

  test('that nobody has or gets is a gap', () => {
    expect(gaps([SEED], [delivery(2, '2'), delivery(3)], [has(SEED, 1)])).toEqual([['SEED', 'P_0003_140.dat']]);
  });

  test('a standard patch that only the supervisor folder has is a gap in the others', () => {
    expect(gaps([X3, SEED], [delivery(3)], [has(X3, 1), has(SEED, 1), has(X3, 2)])).toEqual([['SEED', 'P_0003_140.dat']]);
  });
});
