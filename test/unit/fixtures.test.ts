// The fixtures: packed as described, one for each type, read and written byte for byte, with the columns that tables really have.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DATA_TAG, ELEMENT_TYPES } from '../../src/dictionary/element-types.ts';
import { description, fixtureNames, fixturePath, packFixture } from '../fixtures/pack.ts';
import { readBytes, writeBytes } from '../support/patch-files.ts';

/** Column names of the original product lie beside the project, where they may be. */
const COLUMN_LIST = join(import.meta.dirname, '../../../shared/data/x3/fields.fr.csv');
const noColumnList = existsSync(COLUMN_LIST) ? undefined : `no column list: ${COLUMN_LIST} does not exist`;

/** Columns by table. */
function columnList(): ReadonlyMap<string, ReadonlySet<string>> {
  const columns = new Map<string, Set<string>>();
  for (const line of readFileSync(COLUMN_LIST, 'utf8').split('\n').slice(1)) {
    const [table = '', , column = ''] = line.split(';');
    const known = columns.get(table) ?? new Set();
    columns.set(table, known.add(column.replace(/_\d+$/, '')));
  }
  return columns;
}

const ROWS_OF_ANY_TABLE = 'DIV';

test('every element type has a fixture, and the rows of a table have one', () => {
  expect(fixtureNames()).toEqual([...ELEMENT_TYPES.keys(), ROWS_OF_ANY_TABLE].sort());
});

describe.each(fixtureNames())('%s', (name) => {
  const bytes = readFileSync(fixturePath(name));

  test('is the packing of its description (npm run fixtures)', async () => {
    expect((await packFixture(name)).equals(bytes)).toBe(true);
  });

  test('is written as it was read', async () => {
    expect((await writeBytes(await readBytes(bytes))).equals(bytes)).toBe(true);
  });

  test('has a record for the header and for each line tag of its type', () => {
    const type = ELEMENT_TYPES.get(name);
    const tags = [...new Set(description(name).records?.map((record) => record.tag))];
    const expected = type === undefined || type.header.table === '' ? tags : [type.header.tag, ...Object.keys(type.lines)];
    expect(tags).toEqual(expected);
  });
});

test.skipIf(noColumnList !== undefined)(
  `fields of the fixtures are columns of their tables${noColumnList === undefined ? '' : ` (skipped: ${noColumnList})`}`,
  async () => {
    const columns = columnList();
    const strangers: string[] = [];
    for (const name of fixtureNames()) {
      const { tables = {}, unlisted = [] } = description(name);
      for (const part of await readBytes(readFileSync(fixturePath(name)))) {
        if (part.part !== 'record' || [DATA_TAG, ...unlisted].includes(part.record.tag)) continue;
        const { tag, lines } = part.record;
        const type = ELEMENT_TYPES.get(name);
        const table = tables[tag] ?? (tag === name ? type?.header.table : type?.lines[tag]?.table) ?? '';
        const fields = new Set(lines.flatMap((line) => (line.kind === 'unknown' ? [] : [line.field])));
        for (const field of fields) {
          if (columns.get(table)?.has(field) !== true) strangers.push(`${name} ${tag}.${field}`);
        }
      }
    }
    expect(strangers).toEqual([]);
  },
);
