// Names that no table may have: none of the original product's tables is among them.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isReserved } from '../../src/tables/reserved-names.ts';

const TABLES = join(import.meta.dirname, '../../../shared/data/x3/tables.fr.csv');

test.each(['select', 'user', 'order', 'pg_class', 'pg_', 'rowid_seq'])('%s is kept for the server or for Rustine', (name) => {
  expect(isReserved(name)).toBe(true);
});

test.skipIf(!existsSync(TABLES))('no table of the original product is refused for its name (skipped without its list)', () => {
  const codes = readFileSync(TABLES, 'utf8')
    .split('\n')
    .slice(1)
    .flatMap((line) => /^"?([^";]+)/.exec(line)?.[1]?.toLowerCase() ?? []);
  expect(codes.length).toBeGreaterThan(1_800);
  expect(codes.filter(isReserved)).toEqual([]);
});
