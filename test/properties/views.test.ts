// Typed views: what was seen decides what a column is, in whatever order and portions it was seen.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fields, Slot } from '../../src/dictionary/fields.ts';
import type { FieldsSeen } from '../../src/dictionary/seen-fields.ts';
import { seeFields } from '../../src/dictionary/seen-fields.ts';
import type { ViewColumn } from '../../src/dictionary/views.ts';
import { columnsFromText, columnsToText, physicalColumns, shapeOf } from '../../src/dictionary/views.ts';

const slot: fc.Arbitrary<Slot | null> = fc.oneof(
  fc.constant(null),
  fc.constantFrom('', 'x', '2016-06-27T20:44:31Z', '0000-00-00T00:00:00Z').map((text) => ({ text })),
  fc.constantFrom('0', '7', '-1.50', '007', '-0.0', '000000', '20160627', '20240231').map((token) => ({ bare: token })),
  fc.constant({ texts: { FRA: { text: 'un', number: '1', comment: '' } } }),
);
const record: fc.Arbitrary<Fields> = fc
  .dictionary(
    fc.constantFrom('CODVAR', 'A', 'a', 'CREDAT', 'B_1', 'no field', 'constructor'),
    fc.array(slot, { minLength: 1, maxLength: 3 }),
  )
  .map((slots) => ({ slots, extra: [] }));

/** The columns after these portions of records were seen one after the other, and how each of them changed the view. */
function seenIn(portions: readonly (readonly Fields[])[]): { columns: readonly ViewColumn[]; differences: string[] } {
  let columns: readonly ViewColumn[] | undefined;
  const differences: string[] = [];
  for (const portion of portions) {
    const seen: FieldsSeen = new Map();
    for (const fields of portion) seeFields(seen, 'AGB', 'AGB', fields);
    const shape = shapeOf('aglobvar', columns, seen.get('aglobvar') ?? new Map(), new Map());
    columns = shape.columns;
    differences.push(shape.difference);
  }
  return { columns: columns ?? [], differences };
}

const sorted = (columns: readonly ViewColumn[]): string[] => [...physicalColumns(columns)].sort();

describe('the columns of a view', () => {
  it('do not depend on the order of patches, nor on how records are spread over them', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 8 }), fc.array(fc.nat(), { minLength: 8, maxLength: 8 }), (records, places) => {
        // Names that differ in case only are one column, named by the first of them.
        const shuffled = [...records.entries()].sort(([a], [b]) => (places[a] ?? 0) - (places[b] ?? 0)).map(([, each]) => each);
        const lower = (columns: readonly ViewColumn[]) =>
          columns.map((column) => ({ ...column, field: column.field.toUpperCase() }));
        const whole = sorted(lower(seenIn([records]).columns));
        expect(sorted(lower(seenIn(shuffled.map((each) => [each])).columns))).toEqual(records.length === 0 ? [] : whole);
      }),
    );
  });

  it('stay as they are when the same is seen again, and only grow at the end where the view is not made anew', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), fc.array(record, { maxLength: 5 }), (first, second) => {
        expect(seenIn([first, first]).differences).toEqual(['other', 'same']);
        const [before, now] = [seenIn([first]), seenIn([first, second])];
        if (now.differences[1] === 'other') return;
        expect(physicalColumns(now.columns).slice(0, physicalColumns(before.columns).length)).toEqual(
          physicalColumns(before.columns),
        );
        expect(now.differences[1]).toBe(now.columns.length === before.columns.length ? 'same' : 'more');
      }),
    );
  });

  it('come back from the catalog as they went, key first, each name once', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), (records) => {
        const { columns } = seenIn([records]);
        expect(columnsFromText(columnsToText(columns))).toEqual(columns);
        expect(columns[0]).toMatchObject({ field: 'CODVAR', slot: 0 });
        const names = physicalColumns(columns).map((column) => column.split(' ')[0]);
        expect(new Set(names).size).toBe(names.length);
      }),
    );
  });
});
