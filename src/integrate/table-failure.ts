// What a table's change or rows met in the database that no plan can see: somebody's view on a column, a row that is too long. Told as a refusal.
import { Refusal } from '../base/errors.ts';
import { serverError } from '../database/postgres.ts';
import type { Reader } from '../environment/catalog.ts';
import type { TableChange } from '../tables/diff.ts';
import { readUses, type Used } from './table-uses.ts';

/** 2BP01: something else needs what goes · 0A000: a column in use by a view, trigger or computed column cannot get another type. */
const IN_USE = /^(?:2BP01|0A000)$/;
/** Of a row, an index entry or one value. */
const TOO_LONG = '54000';

/** @param reader outside of the transaction that failed. @param written tables that get rows: the server does not always say which one it was. @returns the error itself where it is none of these */
export async function tableFailure(
  error: unknown,
  reader: Reader,
  folder: { readonly code: string; readonly schema: string },
  changes: readonly TableChange[],
  written: readonly string[] = [],
): Promise<unknown> {
  const said = serverError(error);
  if (said === undefined) return error;
  if (said.sqlstate === TOO_LONG) {
    const altered = changes.flatMap((change) => (change.change === 'alter' ? [change.table] : []));
    const tables = said.table === undefined ? [...new Set([...written, ...altered])] : [said.table];
    return new Refusal(
      'row-too-long',
      { folder: folder.code, tables: tables.map((table) => table.toUpperCase()), reason: said.message },
      error,
    );
  }
  if (!IN_USE.test(said.sqlstate)) return error;
  const [first, ...others] = await readUses(reader, folder.schema, usedColumns(changes)).catch(() => []);
  if (first === undefined) return error;
  const same = [first, ...others].filter(({ table }) => table === first.table);
  return new Refusal(
    'column-in-use',
    {
      element: `ATB:${first.table.toUpperCase()}`,
      folder: folder.code,
      table: first.table.toUpperCase(),
      columns: [...new Set(same.map(({ column }) => column))],
      objects: [...new Set(same.map(({ object }) => object))],
    },
    error,
  );
}

/** Columns that go or get another type. */
function usedColumns(changes: readonly TableChange[]): readonly Used[] {
  return changes.flatMap((change) =>
    change.change !== 'alter'
      ? []
      : change.steps.flatMap((step) =>
          step.step === 'drop-column' || 'from' in step ? [{ table: change.table, column: step.column }] : [],
        ),
  );
}
