// Puts rows back into a table as they were: by their number where they still stand, else as new ones; what they meet is put aside again.
import type { Finding } from '../base/finding.ts';
import { qualified, quoteIdentifier } from '../database/sql.ts';
import type { StoredEntry } from '../environment/kept.ts';
import type { Index, InspectedTable } from '../tables/model.ts';
import { ROW_COLUMN, TICK_COLUMN } from '../tables/model.ts';
import { keepRows } from './keep-rows.ts';
import { keptRows, unfitValues, writable } from './kept-fit.ts';
import type { RestoredParts, Restoring } from './restoring.ts';
import { noted } from './restoring.ts';

/** With `overwrite`, rows that have the unique key of a kept one go away for it, put aside. */
export interface PutRows extends Restoring {
  readonly table: InspectedTable;
  /** SQL: a query of `row_number` and `value` (JSONB by column). */
  readonly source: string;
  /** Columns that the kept rows have; those that the table has no more are left where they are. */
  readonly columns: readonly string[];
  /** Those of them that may have another type by now; absent: any. */
  readonly retyped?: readonly string[];
}

const MOST_SAMPLES = 5;

export async function putRows(put: PutRows): Promise<RestoredParts> {
  const unfit = await unfitValues(put, put.table, kept(put), writable(put.table, put.retyped ?? put.columns));
  if (unfit.length > 0) return { rows: 0, columns: [], whole: false, findings: unfit };
  const taken = await takenKeys(put);
  if (taken.length > 0 && !put.overwrite) return { rows: 0, columns: [], whole: false, findings: taken };
  if (taken.length > 0) await put.session.script(clearStatement(put));
  const [result] = await put.session.script(putStatement(put));
  const findings = lostColumns(put);
  return { rows: Number(result?.rows[0]?.rows ?? 0), columns: [], whole: findings.length === 0, findings };
}

/** Values of columns that the table has no more stay aside. */
function lostColumns({ entry, table, columns }: PutRows): readonly Finding[] {
  const there = new Set(table.columns.map((column) => column.name));
  const lost = columns.filter((name) => !there.has(name));
  return lost.length === 0 ? [] : [noted(entry, 'kept-columns-gone', 'warn', { columns: lost })];
}

const kept = (put: PutRows): string => keptRows(put, put.source, writable(put.table, put.retyped ?? put.columns));

const target = (entry: StoredEntry): string => qualified(entry.schema, entry.table);

function keepOld({ entry, operator }: PutRows): string {
  return keepRows({ folder: entry.folderId, integration: 'null', table: entry.table, why: 'overwritten', operator });
}

/** A row that is no kept one and has the unique key of one. */
function meets(index: Index): string {
  const same = index.keys.map(({ column }) => `t.${quoteIdentifier(column)} = (k.r).${quoteIdentifier(column)}`).join(' and ');
  return `${same} and t.rowid <> k.row_number and not exists (select from kept other where other.row_number = t.rowid)`;
}

const uniqueIndexes = (table: InspectedTable): readonly Index[] => table.indexes.filter((index) => index.unique);

async function takenKeys(put: PutRows): Promise<readonly Finding[]> {
  const indexes = uniqueIndexes(put.table);
  if (indexes.length === 0) return [];
  const counts = indexes.map((index, at) => {
    const key = index.keys.map(({ column }) => `t.${quoteIdentifier(column)}`).join(', ');
    return `select ${at} as index, count(*)::integer as count, (array_agg(concat_ws('~', ${key}) order by ${key}))[1:${MOST_SAMPLES}] as keys
      from kept k join ${target(put.entry)} t on ${meets(index)}`;
  });
  const [result] = await put.session.script(`with ${kept(put)} ${counts.join(' union all ')}`);
  return (result?.rows ?? [])
    .filter((row) => Number(row.count) > 0)
    .map((row) =>
      noted(put.entry, 'kept-key-taken', 'block', {
        index: indexes[Number(row.index)]?.name ?? '',
        count: Number(row.count),
        keys: (row.keys as readonly string[] | null) ?? [],
      }),
    );
}

function clearStatement(put: PutRows): string {
  const table = target(put.entry);
  const taking = uniqueIndexes(put.table).map((index) => `select t.rowid from kept k join ${table} t on ${meets(index)}`);
  return `with ${kept(put)},
    old as (delete from ${table} o where o.rowid in (${taking.join(' union all ')}) returning o.rowid as row_number, to_jsonb(o) as value),
    ${keepOld(put)} select count(*) from old`;
}

/** All of it is put aside before the first row changes: the count asks for that. */
function putStatement(put: PutRows): string {
  const columns = writable(put.table, put.columns)
    .map((column) => column.name)
    .filter((name) => name !== ROW_COLUMN && name !== TICK_COLUMN);
  const list = (of: string): string => columns.map((name) => `${of}.${quoteIdentifier(name)}`).join(', ');
  const ticks = put.columns.includes(TICK_COLUMN);
  const names = [...columns, ...(ticks ? [TICK_COLUMN] : [])].map(quoteIdentifier);
  const set = [
    ...columns.map((name) => `${quoteIdentifier(name)} = (k.r).${quoteIdentifier(name)}`),
    `${TICK_COLUMN} = t.${TICK_COLUMN} + 1`,
  ];
  const differs = columns.length === 0 ? 'false' : `row(${list('t')}) is distinct from row(${list('(k.r)')})`;
  return `with ${kept(put)},
    old as materialized (select t.rowid as row_number, to_jsonb(t) as value from ${target(put.entry)} t join kept k on k.row_number = t.rowid where ${differs}),
    ${keepOld(put)},
    u as (update ${target(put.entry)} t set ${set.join(', ')} from kept k where k.row_number = t.rowid and ${differs} and (select count(*) from old) > 0 returning 1),
    i as (insert into ${target(put.entry)} (${[...names, ROW_COLUMN].join(', ')})
      select ${[...names.map((name) => `(k.r).${name}`), 'k.row_number'].join(', ')} from kept k
      where not exists (select from ${target(put.entry)} t where t.rowid = k.row_number) returning 1)
    select ((select count(*) from u) + (select count(*) from i))::integer as rows`;
}
