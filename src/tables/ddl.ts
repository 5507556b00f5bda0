// From a table change to SQL: one grouped ALTER per table. Pure.
import { assertNever } from '../base/errors.ts';
import { qualified, quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import { conversionOf } from './conversion.ts';
import type { TableChange, TableStep } from './diff.ts';
import type { Column, ColumnType, ForeignType, Index, Table } from './model.ts';
import { emptyValue, ROW_COLUMN, ROW_SEQUENCE, TICK_COLUMN, typeName } from './model.ts';

/** Statements for one folder's schema. A table that goes is moved by what puts it aside. */
export function ddlOf(change: TableChange, schema: string): readonly string[] {
  switch (change.change) {
    case 'create':
      return createTable(change.table, schema);
    case 'alter':
      return alterTable(change.table, change.steps, schema);
    case 'remove':
      return [];
    default:
      return assertNever(change);
  }
}

function createTable(table: Table, schema: string): readonly string[] {
  const columns = table.columns.map((column) => columnSql(column, schema)).join(', ');
  return [
    `create table ${qualified(schema, table.name)} (${columns})`,
    ...table.indexes.map((index) => createIndex(table.name, index, schema)),
  ];
}

function columnSql(column: Column, schema: string): string {
  return `${quoteIdentifier(column.name)} ${typeName(column.type)}${constraintSql(column, schema)}`;
}

function constraintSql(column: Column, schema: string): string {
  if (column.name === ROW_COLUMN) return ` not null default nextval(${quoteLiteral(qualified(schema, ROW_SEQUENCE))}::regclass)`;
  if (column.name === TICK_COLUMN) return ' not null default 1';
  const empty = emptyValue(column.type);
  return empty === undefined ? '' : ` not null default ${empty}`;
}

function createIndex(table: string, index: Index, schema: string): string {
  const keys = index.keys.map((key) => `${quoteIdentifier(key.column)}${key.descending ? ' desc' : ''}`).join(', ');
  return `create ${index.unique ? 'unique ' : ''}index ${quoteIdentifier(index.name)} on ${qualified(schema, table)} (${keys})`;
}

/** Indexes go before the columns change and come after: no index is built twice. */
function alterTable(table: string, steps: readonly TableStep[], schema: string): readonly string[] {
  const drops: string[] = [];
  const actions: string[] = [];
  const creates: string[] = [];
  for (const step of steps) {
    switch (step.step) {
      case 'drop-index':
        drops.push(
          step.constraint === true
            ? `alter table ${qualified(schema, table)} drop constraint ${quoteIdentifier(step.index)}`
            : `drop index ${qualified(schema, step.index)}`,
        );
        break;
      case 'drop-column':
        actions.push(`drop column ${quoteIdentifier(step.column)}`);
        break;
      case 'add-column':
        actions.push(`add column ${columnSql(step.column, schema)}`);
        break;
      case 'widen-column':
      case 'narrow-column':
      case 'retype-column':
        actions.push(...typeActions(step.column, step.from, step.to));
        break;
      case 'create-index':
        creates.push(createIndex(table, step.index, schema));
        break;
      default:
        assertNever(step);
    }
  }
  const alter = actions.length === 0 ? [] : [`alter table ${qualified(schema, table)} ${actions.join(', ')}`];
  return [...drops, ...alter, ...creates];
}

/** A default that does not convert by itself goes first and comes anew; so does NOT NULL, where empty becomes or was NULL. */
function typeActions(name: string, from: ColumnType | ForeignType, to: ColumnType): readonly string[] {
  const { using } = conversionOf(from, to);
  const column = `alter column ${quoteIdentifier(name)}`;
  const type = `${column} type ${typeName(to)}${using === undefined ? '' : ` using (${using(quoteIdentifier(name))})`}`;
  if (from.kind === to.kind || name === TICK_COLUMN || name === ROW_COLUMN) return [type];
  const empty = emptyValue(to);
  if (empty === undefined) return [`${column} drop default`, `${column} drop not null`, type];
  return [`${column} drop default`, type, `${column} set default ${empty}`, `${column} set not null`];
}
