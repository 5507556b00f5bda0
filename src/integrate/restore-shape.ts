// Gives a table that an integration changed its shape of before, with the values that columns had (R38), and writes its rows anew where that takes it.
import type { Session } from '../database/database.ts';
import { qualified, quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import { KEPT_SCHEMA } from '../environment/kept.ts';
import type { FolderSettings } from '../plan/plan.ts';
import { ROW_COLUMN } from '../tables/model.ts';
import type { ShapeColumn, ShapeIndex, TableShape, WayBack } from '../tables/shape.ts';
import { changeActions, columnAgain, columnAttributes, isRetyped, madeAgain, wayBack } from '../tables/shape.ts';
import { belongAgain, letGo, readColumnSequences } from './column-sequences.ts';
import { formerValues, type RememberedTable } from './remembered.ts';
import { placesOf } from './undo-rows.ts';

/** Its rows are undone. */
export async function restoreShape(
  session: Session,
  folder: FolderSettings,
  integration: string,
  { name, before, after, now }: RememberedTable,
): Promise<void> {
  if (before === null || after === null || now === null) return;
  const table = qualified(folder.schema, name);
  const way = wayBack(before, after);
  const again = [...way.gone, ...way.moved];
  const sequences = await readColumnSequences(session, table, way.moved);
  const [last] = (
    await session.script(
      [
        ...way.indexes.filter((index) => has(now.indexes, index)).map((index) => dropIndex(index, table, folder.schema)),
        ...alterStatements(way, table),
        ...letGo(sequences),
        ...columnsAgain(way, before, folder, integration, name),
        ...fillStatements(way, folder, integration, name),
        ...again.flatMap((column) => columnAttributes(table, column)),
        ...belongAgain(sequences, table),
        `select rustine.table_shape(${quoteLiteral(table)}::regclass) as shape`,
      ].join(';\n'),
    )
  ).slice(-1);
  const made = madeAgain(wanted(before, after, now), last?.rows[0]?.shape as TableShape, table, folder.schema);
  if (made.length > 0) await session.script(made.join(';\n'));
}

const has = (all: readonly { readonly name: string }[], { name }: { readonly name: string }): boolean =>
  all.some((each) => each.name === name);

function dropIndex({ name, constraint }: ShapeIndex, table: string, schema: string): string {
  return constraint === undefined
    ? `drop index ${qualified(schema, name)}`
    : `alter table ${table} drop constraint ${quoteIdentifier(name)}`;
}

function alterStatements({ added, changed }: WayBack, table: string): readonly string[] {
  const actions = [...added.map(({ name }) => `drop column ${quoteIdentifier(name)}`), ...changed.flatMap(changeActions)];
  return actions.length === 0 ? [] : [`alter table ${table} ${actions.join(', ')}`];
}

/** Where one comes back between others, those behind it come anew: the rows wait elsewhere meanwhile. */
function columnsAgain(
  { gone, moved }: WayBack,
  before: TableShape,
  folder: FolderSettings,
  integration: string,
  name: string,
): readonly string[] {
  if (gone.length === 0) return [];
  const anew = before.columns.filter((column) => has(gone, column) || has(moved, column));
  const actions = [...moved.map((column) => `drop column ${quoteIdentifier(column.name)}`), ...anew.map(columnAgain)];
  const alter = `alter table ${qualified(folder.schema, name)} ${actions.join(', ')}`;
  if (moved.length === 0) return [alter];
  const held = before.columns
    .filter((column) => column.generated === undefined && !has(gone, column))
    .map((column) => column.name);
  return rewriteRows(folder, integration, name, held, [alter]);
}

/** Takes all rows out of a table and puts them back in the order in which they stood. @param between statements while it is empty */
export function rewriteRows(
  { schema }: FolderSettings,
  integration: string,
  name: string,
  columns: readonly string[],
  between: readonly string[],
): readonly string[] {
  const table = qualified(schema, name);
  const held = qualified(KEPT_SCHEMA, `h${integration}`);
  const list = (of: string): string => columns.map((column) => `${of}${quoteIdentifier(column)}`).join(', ');
  return [
    `create unlogged table ${held} as select ${list('t.')} from ${table} t left join (${placesOf(integration, name)}) o on o.row_number = t.${ROW_COLUMN} order by o.n nulls last, t.ctid`,
    `truncate ${table}`,
    ...between,
    `insert into ${table} (${list('')}) overriding system value select ${list('')} from ${held}`,
    `drop table ${held}`,
  ];
}

/** Values that columns had and that they do not have by themselves. */
function fillStatements(
  { gone, changed }: WayBack,
  folder: FolderSettings,
  integration: string,
  name: string,
): readonly string[] {
  const columns = [
    ...gone.filter(({ generated }) => generated === undefined),
    ...changed.filter(isRetyped).map(({ was }) => was),
  ];
  if (columns.length === 0) return [];
  const table = qualified(folder.schema, name);
  const keys = `array[${columns.map((column) => quoteLiteral(column.name)).join(', ')}]`;
  return [
    `update ${table} t set ${columns.map(fill).join(', ')}
      from (${formerValues(folder.id, integration, quoteLiteral(name))}) v, jsonb_populate_record(null::${table}, v.value) r
      where v.row_number = t.${ROW_COLUMN} and v.value ?| ${keys}`,
  ];
}

function fill({ name }: ShapeColumn): string {
  const column = quoteIdentifier(name);
  return `${column} = case when v.value ? ${quoteLiteral(name)} then r.${column} else t.${column} end`;
}

/** As before, and what people made since of what is still there. */
function wanted(before: TableShape, after: TableShape, now: TableShape): Omit<TableShape, 'columns'> {
  const columns = new Set(before.columns.map(({ name }) => name));
  const since = <Made extends { readonly name: string; readonly columns?: readonly string[] }>(
    was: readonly Made[],
    left: readonly Made[],
    is: readonly Made[],
  ): readonly Made[] =>
    is.filter((made) => !has(was, made) && !has(left, made) && (made.columns ?? []).every((column) => columns.has(column)));
  return {
    indexes: [...before.indexes, ...since(before.indexes, after.indexes, now.indexes)],
    constraints: [...before.constraints, ...since(before.constraints, after.constraints, now.constraints)],
  };
}
