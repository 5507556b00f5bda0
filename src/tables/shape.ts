// A table's shape as `rustine.table_shape` has it, and what brings a table back from one shape to the one before. SQL text; pure.
import { quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import { conversionOf } from './conversion.ts';
import { parseType } from './inspect.ts';
import type { ColumnType, ForeignType } from './model.ts';
import { emptyValue, typeName } from './model.ts';

export interface ShapeColumn {
  readonly name: string;
  readonly type: string;
  readonly collation?: string;
  readonly notNull: boolean;
  readonly default?: string;
  readonly generated?: string;
  readonly virtual?: boolean;
  readonly identity?: string;
  readonly storage?: string;
  readonly compression?: string;
  readonly statistics?: number;
  readonly options?: string;
  readonly rights?: string;
  readonly comment?: string;
}

/** SQL: what a row gets in the column where nobody says. A default is shown as it was written: `0` of `numeric(9, 2)` becomes `0.00`, that of a text a text. */
export function usualValue({ type, default: usual = 'null' }: Pick<ShapeColumn, 'type' | 'default'>): string {
  return `(${usual})::${type}`;
}

export interface ShapeIndex {
  readonly name: string;
  readonly definition: string;
  /** Of a primary key, unique or exclusion constraint that it belongs to. */
  readonly constraint?: string;
  readonly clustered?: boolean;
  /** Rows are known by it in replication. */
  readonly identity?: boolean;
  readonly comment?: string;
  readonly constraintComment?: string;
  readonly columns?: readonly string[];
}

export interface ShapeConstraint {
  readonly name: string;
  readonly definition: string;
  readonly comment?: string;
  readonly columns?: readonly string[];
}

export interface TableShape {
  readonly columns: readonly ShapeColumn[];
  readonly indexes: readonly ShapeIndex[];
  readonly constraints: readonly ShapeConstraint[];
}

/** A column that has another type, default or obligation than before. */
export interface ChangedColumn {
  readonly was: ShapeColumn;
  readonly is: ShapeColumn;
}

/** The way from a shape back to the one before. */
export interface WayBack {
  /** Columns that came. */
  readonly added: readonly ShapeColumn[];
  /** Columns that went. */
  readonly gone: readonly ShapeColumn[];
  readonly changed: readonly ChangedColumn[];
  /** Columns that stand behind one that went, and come anew so that it has its place. */
  readonly moved: readonly ShapeColumn[];
  /** Indexes that came, or came in another form. */
  readonly indexes: readonly ShapeIndex[];
}

export function wayBack(before: TableShape, after: TableShape): WayBack {
  const was = new Map(before.columns.map((column) => [column.name, column]));
  const is = new Map(after.columns.map((column) => [column.name, column]));
  const gone = before.columns.filter(({ name }) => !is.has(name));
  const first = before.columns.findIndex(({ name }) => !is.has(name));
  const indexes = new Map(before.indexes.map((index) => [index.name, index.definition]));
  return {
    added: after.columns.filter(({ name }) => !was.has(name)),
    gone,
    changed: before.columns.flatMap((column): readonly ChangedColumn[] => {
      const now = is.get(column.name);
      return now === undefined || sameValues(column, now) ? [] : [{ was: column, is: now }];
    }),
    moved: first < 0 ? [] : before.columns.slice(first).filter(({ name }) => is.has(name)),
    indexes: after.indexes.filter((index) => indexes.get(index.name) !== index.definition),
  };
}

const sameValues = (one: ShapeColumn, other: ShapeColumn): boolean =>
  one.type === other.type && one.notNull === other.notNull && one.default === other.default;

/** What somebody did to the table by hand since: columns that came, went or changed, indexes that went or changed. */
export function changedSince(after: TableShape, now: TableShape): readonly string[] {
  const is = new Map(now.columns.map((column) => [column.name, column]));
  const indexes = new Map(now.indexes.map((index) => [index.name, index.definition]));
  const left = new Set(after.columns.map(({ name }) => name));
  return [
    ...after.columns.flatMap((column) => {
      const same = is.get(column.name);
      return same !== undefined && sameValues(column, same) ? [] : [column.name];
    }),
    ...now.columns.flatMap(({ name }) => (left.has(name) ? [] : [name])),
    ...after.indexes.flatMap(({ name, definition }) => (indexes.get(name) === definition ? [] : [name])),
  ];
}

/**
 * SQL: the value of before from what it became. Empty becomes empty; what does not come back like this is remembered value by value.
 * @param column SQL: the value as it is
 */
export function backValue(was: ColumnType | ForeignType, is: ColumnType | ForeignType, column: string): string {
  const type = typeName(was);
  const empty = is.kind === 'other' ? undefined : emptyValue(is);
  const isEmpty = empty === undefined ? `${column} is null` : `${column} = ${empty}`;
  const using = was.kind === 'other' ? undefined : conversionOf(is, was).using;
  const value = was.kind === 'other' ? `(${column})::text` : using === undefined ? column : using(column);
  return `case when ${isEmpty} then (${emptyOf(was)})::${type} else (${value})::${type} end`;
}

/** SQL: what a row has in a column where nobody gave it anything. */
const emptyOf = (type: ColumnType | ForeignType): string => (type.kind === 'other' ? undefined : emptyValue(type)) ?? 'null';

/** Types of the same family come back by themselves; a rewritten value is looked at. */
export const isRetyped = ({ was, is }: ChangedColumn): boolean => parseType(was.type).kind !== parseType(is.type).kind;

/** Actions of one ALTER TABLE. */
export function changeActions({ was, is }: ChangedColumn): readonly string[] {
  const column = `alter column ${quoteIdentifier(was.name)}`;
  const notNull = was.notNull ? [`${column} set not null`] : is.notNull ? [`${column} drop not null`] : [];
  const asBefore = was.default === undefined ? [`${column} drop default`] : [`${column} set default ${was.default}`];
  if (was.type === is.type) return [...asBefore, ...notNull];
  const [from, to] = [parseType(is.type), parseType(was.type)];
  const using = from.kind === to.kind ? '' : ` using (${backValue(to, from, quoteIdentifier(was.name))})`;
  return [
    `${column} drop default`,
    ...(is.notNull && !was.notNull ? [`${column} drop not null`] : []),
    `${column} type ${was.type}${was.collation === undefined ? '' : ` collate ${was.collation}`}${using}`,
    ...(was.default === undefined ? [] : [`${column} set default ${was.default}`]),
    ...(was.notNull ? [`${column} set not null`] : []),
  ];
}

/** A column that comes back; rows get the empty value, whatever its default is. */
export function columnAgain(column: ShapeColumn): string {
  const collation = column.collation === undefined ? '' : ` collate ${column.collation}`;
  const head = `add column ${quoteIdentifier(column.name)} ${column.type}${collation}`;
  const notNull = column.notNull ? ' not null' : '';
  if (column.generated !== undefined)
    return `${head} generated always as (${column.generated}) ${column.virtual === true ? 'virtual' : 'stored'}${notNull}`;
  if (column.identity !== undefined)
    return `${head} generated ${column.identity === 'a' ? 'always' : 'by default'} as identity${notNull}`;
  const type = parseType(column.type);
  const empty = type.kind === 'other' ? undefined : emptyValue(type);
  return `${head}${empty === undefined ? '' : ` default ${empty}`}${notNull}`;
}

/** What is said about a column besides its values: statements. @param table qualified name */
export function columnAttributes(table: string, column: ShapeColumn): readonly string[] {
  const name = quoteIdentifier(column.name);
  const alter = `alter table ${table} alter column ${name}`;
  const plain = column.generated === undefined && column.identity === undefined;
  return [
    ...(plain ? [column.default === undefined ? `${alter} drop default` : `${alter} set default ${column.default}`] : []),
    ...(column.storage === undefined ? [] : [`${alter} set storage ${column.storage}`]),
    ...(column.compression === undefined ? [] : [`${alter} set compression ${column.compression}`]),
    ...(column.statistics === undefined ? [] : [`${alter} set statistics ${column.statistics}`]),
    ...(column.options === undefined ? [] : [`${alter} set (${column.options.slice(1, -1)})`]),
    ...(column.comment === undefined ? [] : [`comment on column ${table}.${name} is ${quoteLiteral(column.comment)}`]),
    ...(column.rights === undefined ? [] : [rightsAgain(table, name, column.rights)]),
  ];
}

function rightsAgain(table: string, column: string, rights: string): string {
  return `do ${quoteLiteral(`declare each record; begin
    for each in select a.privilege_type as what, case a.grantee when 0 then 'public' else a.grantee::regrole::text end as who, a.is_grantable as more from aclexplode(${quoteLiteral(rights)}::aclitem[]) a loop
      execute format('grant %s (%s) on %s to %s', each.what, ${quoteLiteral(column)}, ${quoteLiteral(table)}, each.who) || case when each.more then ' with grant option' else '' end;
    end loop; end`)}`;
}

/** Indexes and constraints that are missing: statements. @param table qualified name */
export function madeAgain(
  wanted: Omit<TableShape, 'columns'>,
  now: TableShape,
  table: string,
  schema: string,
): readonly string[] {
  const indexes = new Set(now.indexes.map(({ name }) => name));
  const constraints = new Set(now.constraints.map(({ name }) => name));
  const on = (name: string): string => `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
  return [
    ...wanted.indexes
      .filter(({ name }) => !indexes.has(name))
      .flatMap((index) => [
        index.constraint === undefined
          ? index.definition
          : `alter table ${table} add constraint ${quoteIdentifier(index.name)} ${index.constraint}`,
        ...(index.comment === undefined ? [] : [`comment on index ${on(index.name)} is ${quoteLiteral(index.comment)}`]),
        ...(index.constraintComment === undefined
          ? []
          : [`comment on constraint ${quoteIdentifier(index.name)} on ${table} is ${quoteLiteral(index.constraintComment)}`]),
        ...(index.clustered === true ? [`alter table ${table} cluster on ${quoteIdentifier(index.name)}`] : []),
        ...(index.identity === true ? [`alter table ${table} replica identity using index ${quoteIdentifier(index.name)}`] : []),
      ]),
    ...wanted.constraints
      .filter(({ name }) => !constraints.has(name))
      .flatMap((constraint) => [
        `alter table ${table} add constraint ${quoteIdentifier(constraint.name)} ${constraint.definition}`,
        ...(constraint.comment === undefined
          ? []
          : [`comment on constraint ${quoteIdentifier(constraint.name)} on ${table} is ${quoteLiteral(constraint.comment)}`]),
      ]),
  ];
}
