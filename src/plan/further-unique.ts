// Tables of rows that have more indexes without duplicates than the first one: what is needed to write such rows and to find collisions. Pure.
import { NOISE } from '../dictionary/element-types.ts';
import type { TableDefinition } from '../tables/desired.ts';
import type { TableChange } from '../tables/diff.ts';
import type { InspectedTable } from '../tables/model.ts';
import { emptyValue, ROW_COLUMN } from '../tables/model.ts';
import { keyColumns } from './data-rows.ts';
import type { FurtherUnique } from './plan.ts';

/** @returns undefined where the first index is the only one without duplicates */
export function furtherUnique(
  definition: TableDefinition,
  found: InspectedTable | undefined,
  changes: readonly TableChange[],
): FurtherUnique | undefined {
  const { table, identity, code } = definition;
  const steps = changes.flatMap((change) => (change.change === 'alter' && change.table === table.name ? change.steps : []));
  const gone = new Set(
    steps.flatMap((step) => (step.step === 'drop-column' ? [step.column] : step.step === 'drop-index' ? [step.index] : [])),
  );
  const indexes = table.indexes.filter((index) => index.unique && index !== identity);
  const defined = new Set(table.indexes.map((index) => index.name));
  const foreign = (found?.indexes ?? []).some((index) => index.unique && !defined.has(index.name) && !gone.has(index.name));
  if (indexes.length === 0 && !foreign) return undefined;
  const columns = new Map(table.columns.map(({ name, type }) => [name, emptyValue(type)]));
  const others = (found?.columns ?? []).filter(
    ({ name, generated }) => !columns.has(name) && !gone.has(name) && generated !== true,
  );
  return {
    table: table.name,
    code,
    key: keyColumns(definition),
    columns: [...columns].filter(([name]) => name !== ROW_COLUMN).map(([column, empty]) => ({ column, empty: empty ?? null })),
    others: others.map(({ name }) => name),
    noise: [...columns.keys()].filter((column) => NOISE.has(column.replace(/_\d+$/, '').toUpperCase())),
    indexes: indexes.map((index) => ({ name: index.name, columns: index.keys.map(({ column }) => column) })),
  };
}
