// Puts values of columns that went away back: into the column where it stands, else into one that is added again.
import type { Finding } from '../base/finding.ts';
import { qualified, quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import type { InspectedTable } from '../tables/model.ts';
import { MOST_COLUMNS, ROW_COLUMN, TICK_COLUMN } from '../tables/model.ts';
import { keepRows } from './keep-rows.ts';
import { columnSql } from './kept-columns.ts';
import { keptRows, keyColumns, unfitValues, writable } from './kept-fit.ts';
import type { RestoredParts, Restoring } from './restoring.ts';
import { blocked, lockedTable, noted } from './restoring.ts';

const MOST_SAMPLES = 5;

export async function restoreColumns(restoring: Restoring, table: InspectedTable): Promise<RestoredParts> {
  const { session, entry, overwrite } = restoring;
  const there = new Set(table.columns.map((column) => column.name));
  const gone = Object.entries(entry.columns).filter(([name]) => !there.has(name));
  if (gone.length > 0) {
    const count = table.attributes + gone.length;
    const dropped = table.attributes - table.columns.length;
    if (count > MOST_COLUMNS) return blocked(entry, 'too-many-columns', { count, dropped, most: MOST_COLUMNS });
    const added = gone.map(([name, type]) => `add column ${columnSql(name, type)}`).join(', ');
    await session.script(`alter table ${target(restoring)} ${added}`);
  }
  const now = gone.length === 0 ? table : ((await lockedTable(restoring)) ?? table);
  const into = writable(now, Object.keys(entry.columns));
  const kept = keptRows(restoring, `select row_number, value from rustine.kept_row where kept = ${entry.id}`, into);
  const names = into.map(({ name }) => name);
  const unfit = await unfitValues(restoring, now, kept, into);
  if (unfit.length > 0) return { rows: 0, columns: [], whole: false, findings: unfit };
  const present = await presentValues(restoring, now, kept, names);
  if (present.count > 0 && !overwrite)
    return blocked(entry, 'kept-values-present', { columns: Object.keys(entry.columns), ...present });
  const [result] = await session.script(fillStatement(restoring, kept, names));
  const filled = { rows: Number(result?.rows[0]?.rows ?? 0), missing: Number(result?.rows[0]?.missing ?? 0) };
  const columns = gone.map(([name]) => name);
  return { rows: filled.rows, columns, whole: filled.missing === 0, findings: notes(restoring, columns, filled.missing) };
}

const target = ({ entry }: Restoring): string => qualified(entry.schema, entry.table);

/** The kept value of a column and the present one are compared as text: the column may have another type by now. */
function differs(name: string): string {
  return `(k.value ? ${quoteLiteral(name)} and (k.value ->> ${quoteLiteral(name)}) is distinct from (to_jsonb(t.${quoteIdentifier(name)}) #>> '{}'))`;
}

/** Neither empty nor what was kept. */
function holdsOther(name: string): string {
  return `(${differs(name)} and coalesce(to_jsonb(t.${quoteIdentifier(name)}), 'null') not in ('null', '""', '0'))`;
}

const anyOf = (names: readonly string[], condition: (name: string) => string): string =>
  names.length === 0 ? 'false' : `(${names.map(condition).join(' or ')})`;

interface Present {
  readonly count: number;
  readonly keys: readonly string[];
}

async function presentValues(
  restoring: Restoring,
  table: InspectedTable,
  kept: string,
  names: readonly string[],
): Promise<Present> {
  const key = keyColumns(table);
  const shown = (key.length === 0 ? [ROW_COLUMN] : key).map((column) => `t.${quoteIdentifier(column)}`).join(', ');
  const [result] = await restoring.session.script(`with ${kept}
    select count(*)::integer as count, (array_agg(concat_ws('~', ${shown}) order by ${shown}))[1:${MOST_SAMPLES}] as keys
    from kept k join ${target(restoring)} t on t.rowid = k.row_number where ${anyOf(names, holdsOther)}`);
  const row = result?.rows[0];
  return { count: Number(row?.count ?? 0), keys: (row?.keys as readonly string[] | null) ?? [] };
}

/** Only columns that a kept row has: it was kept for those that held something. */
function fillStatement(restoring: Restoring, kept: string, names: readonly string[]): string {
  const { entry, operator } = restoring;
  const set = names.map(
    (name) =>
      `${quoteIdentifier(name)} = case when k.value ? ${quoteLiteral(name)} then (k.r).${quoteIdentifier(name)} else t.${quoteIdentifier(name)} end`,
  );
  const [changed, other] = [anyOf(names, differs), anyOf(names, holdsOther)];
  return `with ${kept},
    old as materialized (select t.rowid as row_number, to_jsonb(t) as value from ${target(restoring)} t join kept k on k.row_number = t.rowid where ${other}),
    ${keepRows({ folder: entry.folderId, integration: 'null', table: entry.table, why: 'overwritten', operator })},
    u as (update ${target(restoring)} t set ${[...set, `${TICK_COLUMN} = t.${TICK_COLUMN} + 1`].join(', ')} from kept k
      where k.row_number = t.rowid and ${changed} and (select count(*) from old) >= 0 returning 1)
    select (select count(*) from u)::integer as rows,
      (select count(*) from kept k where not exists (select from ${target(restoring)} t where t.rowid = k.row_number))::integer as missing`;
}

function notes({ entry }: Restoring, added: readonly string[], missing: number): readonly Finding[] {
  return [
    ...(added.length === 0 ? [] : [noted(entry, 'kept-undefined', 'warn', { columns: added })]),
    ...(missing === 0 ? [] : [noted(entry, 'kept-rows-gone', 'warn', { count: missing })]),
  ];
}
