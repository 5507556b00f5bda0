// Which folders share a transaction when all or none get the patches, and how many transactions the server has room for.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TransactionCapacity } from '../../src/environment/transaction-capacity.ts';
import { roomFor } from '../../src/plan/transaction-capacity.ts';
import { type GroupedDelivery, type GroupedFolder, groupFolders, mergeGroups } from '../../src/plan/transaction-groups.ts';

const delivery = (file: string, elements: readonly string[], sql: readonly string[] = []): GroupedDelivery => ({
  file,
  elements: elements.map((each) => {
    const [type = '', name = ''] = each.split(':');
    return { type, name, title: '' };
  }),
  sqlScripts: new Set(sql),
});

interface Given {
  readonly test?: boolean;
}

/** X3 above DEV above LIVE, and SHOP below X3. */
function tree(deliveries: readonly GroupedDelivery[], given: Readonly<Record<string, Given>> = {}): readonly GroupedFolder[] {
  const ancestors: Readonly<Record<string, readonly string[]>> = { X3: [], DEV: ['X3'], SHOP: ['X3'], LIVE: ['DEV', 'X3'] };
  return Object.entries(ancestors).map(([code, above]) => ({
    code,
    depth: above.length,
    supervisor: above.length === 0,
    test: given[code]?.test === true,
    ancestors: above,
    deliveries,
  }));
}

const grouped = (folders: readonly GroupedFolder[], catalog: readonly string[] = []): readonly string[] =>
  groupFolders(folders, new Set(catalog)).map((group) => group.map(({ code }) => code).join(' '));

describe('all or none: groups', () => {
  test('tables and rows need nobody: each folder has a transaction of its own', () => {
    expect(grouped(tree([delivery('P1', ['ATB:ITEM', 'ITM:ROWS', 'ADP:LIMIT'])]))).toEqual(['X3', 'DEV', 'SHOP', 'LIVE']);
  });

  test('R22: a SQL script that only the supervisor folder gets is called by nobody else', () => {
    expect(grouped(tree([delivery('P1', ['TRT:LIB'], ['LIB'])]))).toEqual(['X3', 'DEV', 'SHOP', 'LIVE']);
  });

  test('R4: a test folder that gets it too may call what it makes in the supervisor folder', () => {
    expect(grouped(tree([delivery('P1', ['TRT:LIB'], ['LIB'])], { LIVE: { test: true } }))).toEqual(['X3 LIVE', 'DEV', 'SHOP']);
  });

  test('R4: a SQL script that runs in every folder puts all of them together', () => {
    expect(grouped(tree([delivery('P1', ['TRT:FIX', 'EXE:FIX'], ['FIX'])]))).toEqual(['X3 DEV SHOP LIVE']);
    expect(grouped(tree([delivery('P1', ['EXE:FIX'])], {}), ['FIX'])).toEqual(['X3 DEV SHOP LIVE']);
  });

  test('scripts of another language run outside, after the commit: they need nobody', () => {
    expect(grouped(tree([delivery('P1', ['TRT:FIX', 'EXE:FIX'])]))).toEqual(['X3', 'DEV', 'SHOP', 'LIVE']);
  });

  test('R4: what an earlier file brings to the supervisor folder and a later one runs has to be found there', () => {
    const files = [delivery('P1', ['TRT:FIX']), delivery('P2', ['EXE:FIX'])];
    expect(grouped(tree(files))).toEqual(['X3 DEV SHOP LIVE']);
    expect(grouped(tree(files).map((each) => (each.code === 'SHOP' ? { ...each, deliveries: [] } : each)))).toEqual([
      'X3 DEV LIVE',
      'SHOP',
    ]);
  });

  test('R22: specific scripts may be in any folder already', () => {
    expect(grouped(tree([delivery('P1', ['TRT:ZFIX'], ['ZFIX'])]))).toEqual(['X3 DEV SHOP LIVE']);
  });

  test('every folder is in one group, and its ancestors come before it there', () => {
    const arbitrary = fc.record({
      parents: fc.array(fc.nat(), { maxLength: 12 }),
      tests: fc.array(fc.boolean(), { minLength: 13, maxLength: 13 }),
      sql: fc.boolean(),
      exe: fc.boolean(),
      most: fc.integer({ min: 1, max: 14 }),
    });
    fc.assert(
      fc.property(arbitrary, ({ parents, tests, sql, exe, most }) => {
        const files = [delivery('P1', ['TRT:LIB', ...(exe ? ['EXE:LIB'] : [])], sql ? ['LIB'] : [])];
        const folders: GroupedFolder[] = [];
        for (const [at, seed] of [0, ...parents].entries()) {
          const parent = at === 0 ? undefined : folders[seed % at];
          const ancestors = parent === undefined ? [] : [parent.code, ...parent.ancestors];
          const supervisor = at === 0;
          const test = tests[at] === true;
          folders.push({
            code: `F${at}`,
            depth: ancestors.length,
            supervisor,
            test,

            ancestors,
            deliveries: files,
          });
        }
        const groups = groupFolders(folders, new Set());
        for (const some of [groups, mergeGroups(groups, most)]) {
          const codes = some.flat().map(({ code }) => code);
          expect(codes.toSorted()).toEqual(folders.map(({ code }) => code).toSorted());
          expect(some[0]?.[0]?.code).toBe('F0');
          for (const group of groups) {
            // What belongs together stays together.
            expect(some.filter((each) => each.some((folder) => group.includes(folder)))).toHaveLength(1);
          }
        }
        for (const group of groups)
          for (const [at, folder] of group.entries())
            for (const later of group.slice(at + 1)) expect(folder.ancestors).not.toContain(later.code);
        expect(mergeGroups(groups, most).length).toBeLessThanOrEqual(most);
      }),
    );
  });
});

describe('all or none: room on the server', () => {
  const capacity: TransactionCapacity = {
    maxPrepared: 100,
    preparedNow: 0,
    maxConnections: 100,
    locksPerTransaction: 64,
    locksNow: 0,
  };
  const room = (groups: number, folders: readonly number[], change: Partial<TransactionCapacity> = {}) =>
    roomFor(groups, folders, { ...capacity, ...change });
  const few = (folders: number): readonly number[] => Array.from({ length: folders }, () => 5);

  test('as many transactions as groups where there is room', () => {
    expect(room(40, few(40))).toEqual({ most: 40, findings: [] });
  });

  test('fewer where the server has fewer; a tenth is left to others, but for the last one', () => {
    expect(room(40, few(40), { maxPrepared: 20, preparedNow: 4, locksPerTransaction: 256 }).most).toBe(14);
    expect(room(40, few(40), { maxPrepared: 20, preparedNow: 19, locksPerTransaction: 256 }).most).toBe(1);
  });

  test('fewer where each costs the locks of the catalog: 200 folders with the settings of a new server', () => {
    const { most, findings } = room(200, few(200), { maxPrepared: 200 });
    expect(findings).toEqual([]);
    expect(most).toBeGreaterThan(50);
    expect(most).toBeLessThan(200);
  });

  test('refused where the server prepares none, with the setting and a value for all groups', () => {
    expect(room(200, few(200), { maxPrepared: 0 })).toMatchObject({
      most: 0,
      findings: [
        { code: 'prepared-transactions-off', severity: 'block', facts: { setting: 'max_prepared_transactions', value: 200 } },
      ],
    });
  });

  test('refused where all of them are in use', () => {
    expect(room(3, few(3), { preparedNow: 100 }).findings).toMatchObject([
      { code: 'prepared-transactions-full', facts: { used: 100 } },
    ]);
  });

  test('refused where the locks do not fit however they are grouped; with the value that it names they do', () => {
    const refused = room(
      300,
      Array.from({ length: 300 }, () => 200),
    );
    expect(refused).toMatchObject({ most: 0, findings: [{ code: 'locks-all-or-none', severity: 'block' }] });
    const value = Number(refused.findings[0]?.facts.value);
    expect(
      room(
        300,
        Array.from({ length: 300 }, () => 200),
        { locksPerTransaction: value },
      ).most,
    ).toBeGreaterThanOrEqual(1);
    expect(
      room(
        300,
        Array.from({ length: 300 }, () => 200),
        { locksPerTransaction: value - 1 },
      ).most,
    ).toBe(0);
  });
});
