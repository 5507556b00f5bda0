// What brings a database table in line with its definition, as data: the steps, what each costs, what has to hold first. Pure.
import type { Finding } from '../base/finding.ts';
import { conversionOf } from './conversion.ts';
import type { Column, ColumnType, ForeignType, Index, InspectedColumn, InspectedIndex, InspectedTable, Table } from './model.ts';
import { MOST_COLUMNS, ROW_COLUMN, TICK_COLUMN, typeName } from './model.ts';

/** Why something goes: the field left the definition · it has fewer slots · its activity code or module is not in use. */
export type Why = 'dropped' | 'shrunk' | 'inactive';

export type TableStep =
  | { readonly step: 'add-column'; readonly column: Column }
  | {
      readonly step: 'widen-column' | 'narrow-column' | 'retype-column';
      readonly column: string;
      readonly from: ColumnType | ForeignType;
      readonly to: ColumnType;
      readonly rewrites: boolean;
    }
  | { readonly step: 'drop-column'; readonly column: string; readonly type: ColumnType | ForeignType; readonly why: Why }
  | { readonly step: 'create-index'; readonly index: Index }
  | {
      readonly step: 'drop-index';
      readonly index: string;
      /** It is a constraint's, which goes with it. */
      readonly constraint?: true;
    };

export type TableChange =
  | { readonly change: 'create'; readonly table: Table }
  | {
      readonly change: 'alter';
      readonly table: string;
      readonly steps: readonly TableStep[];
      /** Indexes without duplicates that rows could break: new ones, and those whose values change. */
      readonly unique: readonly Index[];
      /** Columns that name a row to people, as they are before. */
      readonly identity: readonly string[];
    }
  | { readonly change: 'remove'; readonly table: string; readonly columns: Readonly<Record<string, string>>; readonly why: Why };

/** What the dictionary made of a table: a database administrator's own columns and indexes are left alone. */
export interface Managed {
  readonly indexes: ReadonlySet<string>;
  /** Fields as columns begin with them. */
  readonly fields: ReadonlySet<string>;
  /** Those of the definition that this folder does not generate. */
  readonly inactiveFields: ReadonlySet<string>;
}

/** @returns undefined when the table is as it should be */
export function diffTable(
  wanted: Table,
  found: InspectedTable | undefined,
  managed: Managed,
  findings: Finding[],
): TableChange | undefined {
  if (found === undefined) return { change: 'create', table: wanted };
  const columns = columnSteps(wanted, found, managed);
  const added = columns.filter((step) => step.step === 'add-column').length;
  if (added > 0 && wanted.columns.length <= MOST_COLUMNS && found.attributes + added > MOST_COLUMNS) {
    const dropped = found.attributes - found.columns.length;
    const facts = { table: wanted.name.toUpperCase(), count: found.attributes + added, dropped, most: MOST_COLUMNS };
    findings.push({ code: 'too-many-columns', severity: 'block', subject: `ATB:${wanted.name.toUpperCase()}`, facts });
  }
  const steps = [...columns, ...indexSteps(wanted.indexes, found.indexes, managed.indexes, columns)];
  if (steps.length === 0) return undefined;
  return { change: 'alter', table: wanted.name, steps, unique: uniqueToCheck(found, steps), identity: identityOf(wanted, found) };
}

/** A table that is not generated any more; its rows are put aside (R27). */
export function removeTable(found: InspectedTable, why: Why): TableChange {
  const columns = Object.fromEntries(found.columns.map((column) => [column.name, typeName(column.type)]));
  return { change: 'remove', table: found.name, columns, why };
}

function columnSteps(wanted: Table, found: InspectedTable, managed: Managed): readonly TableStep[] {
  const existing = new Map(found.columns.map((column) => [column.name, column.type]));
  const names = new Set(wanted.columns.map((column) => column.name));
  const prefixes = new Set(wanted.columns.map((column) => fieldOf(column.name)));
  const gone = found.columns.filter(({ name }) => !names.has(name) && isManaged(name, managed));
  return [
    ...gone.map(({ name, type }) => ({
      step: 'drop-column' as const,
      column: name,
      type,
      why: whyGone(name, prefixes, managed),
    })),
    ...wanted.columns.flatMap((column): readonly TableStep[] => {
      const type = existing.get(column.name);
      if (type === undefined) return [{ step: 'add-column', column }];
      return typeName(type) === typeName(column.type) ? [] : [typeStep(column, type)];
    }),
  ];
}

function typeStep({ name, type: to }: Column, from: ColumnType | ForeignType): TableStep {
  const { change, rewrites } = conversionOf(from, to);
  return { step: `${change}-column`, column: name, from, to, rewrites };
}

const SLOT = /_\d+$/;
const fieldOf = (column: string): string => column.replace(SLOT, '');

function isManaged(column: string, { fields }: Managed): boolean {
  return column !== ROW_COLUMN && column !== TICK_COLUMN && SLOT.test(column) && fields.has(fieldOf(column));
}

function whyGone(column: string, wanted: ReadonlySet<string>, { inactiveFields }: Managed): Why {
  if (wanted.has(fieldOf(column))) return 'shrunk';
  return inactiveFields.has(fieldOf(column)) ? 'inactive' : 'dropped';
}

const indexText = (index: InspectedIndex): string =>
  `${index.unique} ${index.partial === true} ${index.keys.map((key) => `${key.column} ${key.descending}`).join(',')}`;

function indexSteps(
  wanted: readonly Index[],
  found: readonly InspectedIndex[],
  managed: ReadonlySet<string>,
  columns: readonly TableStep[],
): readonly TableStep[] {
  const existing = new Map(found.map((index) => [index.name, indexText(index)]));
  const asWanted = new Set(wanted.filter((index) => existing.get(index.name) === indexText(index)).map((index) => index.name));
  const names = new Set(wanted.map((index) => index.name));
  const gone = new Set(columns.flatMap((step) => (step.step === 'drop-column' ? [step.column] : [])));
  // An index goes with a column of its, whoever made it.
  const goes = (index: InspectedIndex): boolean =>
    managed.has(index.name) ||
    names.has(index.name) ||
    (index.uses ?? index.keys.map((key) => key.column)).some((column) => gone.has(column));
  return [
    ...found
      .filter((index) => !asWanted.has(index.name) && goes(index))
      .map(({ name, constraint }) => ({
        step: 'drop-index' as const,
        index: name,
        ...(constraint === true ? { constraint } : {}),
      })),
    ...wanted.filter((index) => !asWanted.has(index.name)).map((index) => ({ step: 'create-index' as const, index })),
  ];
}

function uniqueToCheck(found: InspectedTable, steps: readonly TableStep[]): readonly Index[] {
  const dropped = new Set(steps.flatMap((step) => (step.step === 'drop-index' ? [step.index] : [])));
  const retyped = new Set(steps.flatMap((step) => (step.step === 'retype-column' ? [step.column] : [])));
  return [
    ...steps.flatMap((step) => (step.step === 'create-index' && step.index.unique ? [step.index] : [])),
    ...found.indexes.filter(
      (index) => index.unique && !dropped.has(index.name) && index.keys.some((key) => retyped.has(key.column)),
    ),
  ];
}

function identityOf(wanted: Table, found: InspectedTable): readonly string[] {
  const there = new Set(found.columns.map((column: InspectedColumn) => column.name));
  const keys = (wanted.indexes[0] ?? found.indexes.find((index) => index.unique))?.keys ?? [];
  const columns = keys.map((key) => key.column).filter((column) => there.has(column));
  return columns.length > 0 ? columns : [ROW_COLUMN].filter((column) => there.has(column));
}
