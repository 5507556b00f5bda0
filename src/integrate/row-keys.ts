// How statements name the delivered rows of a table and recognise those it has: by the first index (R24). Pure.
import { quoteIdentifier } from '../database/sql.ts';
import type { Plan, RowBatch } from '../plan/plan.ts';

/** Batches of one table: the rows of one differ from those of another in the columns they bring. */
export function batchesOf(plan: Plan, table: string): readonly number[] {
  return plan.batches.filter((each) => each.table === table).map((each) => each.batch);
}

export const keyList = (key: RowBatch['key']): string => key.map(({ column }) => quoteIdentifier(column)).join(', ');

/** Where empty is NULL, as text: two NULLs are one key, and unlike `is not distinct from` that can be hashed. */
export function sameKey(key: RowBatch['key'], a: string, b: string): string {
  return key
    .map(({ column, nullable }) => {
      const [one, other] = [`${a}.${quoteIdentifier(column)}`, `${b}.${quoteIdentifier(column)}`];
      return nullable ? `coalesce(${one}::text, '') = coalesce(${other}::text, '')` : `${one} = ${other}`;
    })
    .join(' and ');
}
