// The columns that the fields seen in records give a typed view, and its SQL. Pure.
import { qualified, quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import type { Kind } from './seen-fields.ts';
import { kindOf } from './seen-fields.ts';
import type { DictionaryView } from './view-names.ts';
import { viewOfName } from './view-names.ts';

/** A column as it is stored: what was seen in a field's slot so far. */
export interface ViewColumn {
  readonly field: string;
  readonly slot: number;
  /** Bits of `SIGN`. */
  readonly signs: number;
}

/** PostgreSQL's limit for a view is 1,664; a texts column takes two places. */
const MOST_COLUMNS = 800;

/** What becomes of a view: `same` columns (what was seen may differ), more columns at its end, or made anew in its usual order. */
export interface ViewShape {
  readonly columns: readonly ViewColumn[];
  readonly difference: 'same' | 'more' | 'other';
}

/**
 * The columns that a view has after these fields were seen. Key fields first, then by name; what comes later goes to the end, because that is
 * what `create or replace view` can do.
 * @param columnsOf columns of the views, of which the header's counts: a line whose records lack its key takes it from the element's name
 */
export function shapeOf(
  name: string,
  before: readonly ViewColumn[] | undefined,
  seen: ReadonlyMap<string, readonly number[]>,
  columnsOf: ReadonlyMap<string, readonly ViewColumn[]>,
): ViewShape {
  const view = viewOfName(name);
  const all = view === undefined ? [] : allColumns(view, before ?? [], seen, columnsOf.get(view.header) ?? []);
  const wanted = view === undefined ? [] : inOrder(view, all);
  if (before === undefined) return { columns: fitting(wanted), difference: 'other' };
  const known = new Set(before.map(placeOf));
  const byPlace = new Map(all.map((column) => [placeOf(column), column]));
  const appended = fitting([
    ...before.map((column) => byPlace.get(placeOf(column)) ?? column),
    ...wanted.filter((column) => !known.has(placeOf(column))),
  ]);
  const [old, now] = [physicalColumns(before), physicalColumns(appended)];
  if (!old.every((column, at) => column === now[at])) return { columns: fitting(wanted), difference: 'other' };
  return { columns: appended, difference: old.length === now.length ? 'same' : 'more' };
}

const placeOf = ({ field, slot }: ViewColumn): string => `${field.toLowerCase()}:${slot}`;

function allColumns(
  view: DictionaryView,
  before: readonly ViewColumn[],
  seen: ReadonlyMap<string, readonly number[]>,
  header: readonly ViewColumn[],
): readonly ViewColumn[] {
  const all = new Map(before.map((column) => [placeOf(column), column]));
  const add = (field: string, slot: number, signs: number): void => {
    const known = all.get(placeOf({ field, slot, signs }));
    all.set(placeOf({ field, slot, signs }), { field: known?.field ?? field, slot, signs: (known?.signs ?? 0) | signs });
  };
  for (const [field, slots] of seen) {
    for (const [slot, signs] of slots.entries()) if (signs !== 0) add(field, slot, signs);
  }
  for (const alternatives of view.headerKey) {
    const names = alternatives.split('|');
    const there = names.find((field) => all.has(placeOf({ field, slot: 0, signs: 0 })));
    const ofHeader =
      view.name === view.header ? undefined : header.find(({ field, slot }) => slot === 0 && names.includes(field));
    // Of the header's type too, so that lines can be joined to it.
    add(there ?? ofHeader?.field ?? names[0] ?? '', 0, ofHeader?.signs ?? 0);
  }
  return [...all.values()];
}

function inOrder(view: DictionaryView, columns: readonly ViewColumn[]): readonly ViewColumn[] {
  const keys = [...view.headerKey, ...view.lineKey].flatMap((alternatives) => alternatives.split('|'));
  const rank = ({ field }: ViewColumn): number => (keys.includes(field) ? keys.indexOf(field) : keys.length);
  return columns.toSorted((a, b) => rank(a) - rank(b) || (a.field < b.field ? -1 : a.field > b.field ? 1 : 0) || a.slot - b.slot);
}

function fitting(columns: readonly ViewColumn[]): readonly ViewColumn[] {
  return columns.slice(0, MOST_COLUMNS);
}

/** A field's slots have one type. */
function kindsOf(columns: readonly ViewColumn[]): ReadonlyMap<string, Kind> {
  const signs = new Map<string, number>();
  for (const column of columns)
    signs.set(column.field.toLowerCase(), (signs.get(column.field.toLowerCase()) ?? 0) | column.signs);
  return new Map([...signs].map(([field, all]) => [field, kindOf(field, all)]));
}

/** Name and kind of each column that the view has, in its order. */
export function physicalColumns(columns: readonly ViewColumn[]): readonly string[] {
  const kinds = kindsOf(columns);
  return columns.flatMap(({ field, slot }) => {
    const kind = kinds.get(field.toLowerCase()) ?? 'text';
    const name = `${field}_${slot}`.toLowerCase();
    return kind === 'texts' ? [`${name} text`, `${name}_texts texts`] : [`${name} ${kind}`];
  });
}

/** As the catalog stores it. */
export function columnsToText(columns: readonly ViewColumn[]): readonly string[] {
  return columns.map(({ field, slot, signs }) => `${field}:${slot}:${signs}`);
}

export function columnsFromText(texts: readonly string[]): readonly ViewColumn[] {
  return texts.map((text) => {
    const [field = '', slot = '0', signs = '0'] = text.split(':');
    return { field, slot: Number(slot), signs: Number(signs) };
  });
}

/**
 * `create or replace view` for one folder. It is a security barrier: a folder's login may make functions of its own (in its temporary schema),
 * and none of them may see the rows of other folders before the view has left them out (R3).
 */
export function viewSql(name: string, columns: readonly ViewColumn[], folder: number, schema: string): string {
  const view = viewOfName(name);
  if (view === undefined || columns.length === 0) return '';
  const kinds = kindsOf(columns);
  const list = columns.flatMap((column) => columnSql(view, column, kinds.get(column.field.toLowerCase()) ?? 'text'));
  return `create or replace view ${qualified(schema, name)} with (security_barrier) as select ${list.join(', ')}
    from rustine.record r join rustine.content c on c.id = r.content join rustine.folder f on f.id = r.folder
    where r.folder = ${folder} and r.type = ${quoteLiteral(view.type)} and r.tag = ${quoteLiteral(view.tag)}`;
}

function columnSql(view: DictionaryView, { field, slot }: ViewColumn, kind: Kind): readonly string[] {
  const name = `${field}_${slot}`.toLowerCase();
  const value = `rustine.field_slot(c.fields, ${quoteLiteral(field)}, ${slot})`;
  const named = (expression: string, as = name): string => `${expression} as ${quoteIdentifier(as)}`;
  const key = slot === 0 ? nameSql(view, field) : undefined;
  const or = (expression: string, other: string | undefined): string =>
    other === undefined ? expression : `coalesce(${expression}, ${other})`;
  const stamp = slot === 0 && Object.hasOwn(STAMPS, field) ? STAMPS[field] : undefined;
  if (stamp !== undefined && stamp.kind === kind) return [named(stampSql(stamp))];
  switch (kind) {
    case 'number':
      return [named(or(`rustine.value_number(${value})`, key === undefined ? undefined : `rustine.text_number(${key})`))];
    case 'date':
      return [named(`rustine.value_date(${value})`)];
    case 'time':
      return [named(`rustine.value_time(${value})`)];
    case 'texts':
      return [named(`rustine.value_text(${value}, f.languages)`), named(`rustine.value_texts(${value})`, `${name}_texts`)];
    default:
      return [named(or(`rustine.value_text(${value}, f.languages)`, key))];
  }
}

interface Stamp {
  readonly kind: Kind;
  readonly of: 'created_by' | 'updated_by';
  readonly column: string;
}

/** Who made and changed a record in this folder, and when (R20): the integration knows, whatever the delivered record says. */
const STAMPS: Readonly<Record<string, Stamp>> = {
  CREDAT: { kind: 'date', of: 'created_by', column: 'i.at::date' },
  CREDATTIM: { kind: 'time', of: 'created_by', column: 'i.at' },
  CREUSR: { kind: 'text', of: 'created_by', column: 'i.operator' },
  UPDDAT: { kind: 'date', of: 'updated_by', column: 'i.at::date' },
  UPDDATTIM: { kind: 'time', of: 'updated_by', column: 'i.at' },
  UPDUSR: { kind: 'text', of: 'updated_by', column: 'i.operator' },
};

/** Looked up only where somebody selects the column. Nobody has changed a record that is as it was created. */
function stampSql({ of, column, kind }: Stamp): string {
  const unless = of === 'updated_by' ? ' and r.updated_by <> r.created_by' : '';
  const found = `(select ${column} from rustine.integration i where i.id = r.${of}${unless})`;
  return kind === 'text' ? `coalesce(${found}, '')` : found;
}

/** A key field of the header, from the element's name: `PRG~SUBPRG`. */
function nameSql(view: DictionaryView, field: string): string | undefined {
  const at = view.headerKey.findIndex((alternatives) => alternatives.split('|').includes(field));
  if (at < 0) return undefined;
  // A collation of its own would travel into every comparison: the view shows the database's usual one.
  const text = 'r.name collate "default"';
  return view.headerKey.length === 1 ? `(${text})` : `split_part(${text}, '~', ${at + 1})`;
}
