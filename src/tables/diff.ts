// What brings a database table in line with its definition, as data. Pure.
import type { Finding } from '../base/finding.ts';
import type { Column, ColumnType, Index, InspectedTable, Table } from './model.ts';
import { ROW_COLUMN, TICK_COLUMN, typeName } from './model.ts';

export type TableStep =
  | { readonly step: 'add-column'; readonly column: Column }
  | { readonly step: 'widen-column'; readonly column: string; readonly to: ColumnType; readonly rewrites: boolean }
  | { readonly step: 'create-index'; readonly index: Index }
  | { readonly step: 'drop-index'; readonly index: string };

export type TableChange =
  | { readonly change: 'create'; readonly table: Table }
  | { readonly change: 'alter'; readonly table: string; readonly steps: readonly TableStep[] };

/**
 * @param managed indexes that the dictionary made: others (a DBA's own) are left alone
 * @returns undefined when the table is as it should be. What cannot be done yet becomes a blocking finding.
 */
export function diffTable(
  wanted: Table,
  found: InspectedTable | undefined,
  managed: ReadonlySet<string>,
  findings: Finding[],
): TableChange | undefined {
  if (found === undefined) return { change: 'create', table: wanted };
  const refuse = (change: string, field: string, from: string, to: string): void => {
    findings.push({
      code: 'table-change-unsupported',
      severity: 'block',
      subject: `ATB:${wanted.name.toUpperCase()}`,
      facts: { table: wanted.name, change, field, from, to },
    });
  };
  const steps = [...columnSteps(wanted, found, refuse), ...indexSteps(wanted.indexes, found.indexes, managed)];
  return steps.length === 0 ? undefined : { change: 'alter', table: wanted.name, steps };
}

type Refuse = (change: string, field: string, from: string, to: string) => void;

function columnSteps(wanted: Table, found: InspectedTable, refuse: Refuse): readonly TableStep[] {
  const existing = new Map(found.columns.map((column) => [column.name, column.type]));
  const steps: TableStep[] = [];
  for (const column of wanted.columns) {
    const type = existing.get(column.name);
    if (type === undefined) steps.push({ step: 'add-column', column });
    else if (typeName(type) !== typeName(column.type)) {
      const widened = type.kind === 'other' ? undefined : widening(type, column.type);
      if (widened === undefined) refuse('retype', column.name, typeName(type), typeName(column.type));
      else steps.push({ step: 'widen-column', column: column.name, to: column.type, rewrites: widened.rewrites });
    }
  }
  const kept = new Set(wanted.columns.map((column) => column.name));
  for (const column of found.columns) {
    if (!kept.has(column.name) && column.name !== ROW_COLUMN && column.name !== TICK_COLUMN)
      refuse('drop-column', column.name, typeName(column.type), '');
  }
  return steps;
}

/** Every value fits as it is; only integers need the rows to be written anew. */
function widening(from: ColumnType, to: ColumnType): { readonly rewrites: boolean } | undefined {
  if (from.kind === 'varchar' && to.kind === 'varchar' && to.length > from.length) return { rewrites: false };
  if (from.kind === 'varchar' && to.kind === 'text') return { rewrites: false };
  if (from.kind === 'numeric' && to.kind === 'numeric' && to.scale === from.scale && to.precision > from.precision)
    return { rewrites: false };
  if (
    from.kind === 'numeric' &&
    to.kind === 'numeric' &&
    to.scale > from.scale &&
    to.precision - to.scale >= from.precision - from.scale
  )
    return { rewrites: true };
  if (from.kind === 'smallint' && to.kind === 'integer') return { rewrites: true };
  return undefined;
}

const indexText = (index: Index): string =>
  `${index.unique} ${index.keys.map((key) => `${key.column} ${key.descending}`).join(',')}`;

function indexSteps(wanted: readonly Index[], found: readonly Index[], managed: ReadonlySet<string>): readonly TableStep[] {
  const existing = new Map(found.map((index) => [index.name, indexText(index)]));
  const asWanted = new Set(wanted.filter((index) => existing.get(index.name) === indexText(index)).map((index) => index.name));
  const names = new Set(wanted.map((index) => index.name));
  return [
    ...found
      .filter((index) => !asWanted.has(index.name) && (managed.has(index.name) || names.has(index.name)))
      .map((index) => ({ step: 'drop-index' as const, index: index.name })),
    ...wanted.filter((index) => !asWanted.has(index.name)).map((index) => ({ step: 'create-index' as const, index })),
  ];
}
