// The typed views of a dictionary: which there are, which columns the fields seen in records give them, and their SQL. Pure.
import { qualified, quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import { ELEMENT_TYPES } from './element-types.ts';
import type { Fields, Slot } from './fields.ts';

/** One view: the records of a dictionary table. */
interface DictionaryView {
  readonly name: string;
  readonly type: string;
  readonly tag: string;
  /** Key fields of the header, then those of the line; alternatives by `|`. */
  readonly headerKey: readonly string[];
  readonly lineKey: readonly string[];
  /** View of the header; its own name where it is that. */
  readonly header: string;
}

/** A column as it is stored: what was seen in a field's slot so far. */
export interface ViewColumn {
  readonly field: string;
  readonly slot: number;
  /** Bits of `SIGN`. */
  readonly signs: number;
}

type Kind = 'text' | 'number' | 'date' | 'time' | 'texts';

/** Marks of the values of a slot. They only add up, so the order in which patches come in does not change what a column becomes. */
const SIGN = { number: 1, day: 2, noDay: 4, token: 8, empty: 16, time: 32, text: 64, texts: 128 } as const;
const TOKENS = SIGN.number | SIGN.day | SIGN.noDay | SIGN.token;
const STRINGS = SIGN.empty | SIGN.time | SIGN.text;

/** Fields with other names come from damaged patches; they stay in the records, and the views leave them out. */
const FIELD = /^[A-Z][A-Z0-9_]{0,49}$/i;
/** PostgreSQL's limit for a view is 1,664. */
const MOST_COLUMNS = 1_600;

const KNOWN: ReadonlyMap<string, DictionaryView> = new Map(
  [...ELEMENT_TYPES.values()]
    .filter(({ header }) => header.table !== '')
    .flatMap(({ type, header, lines }) => {
      const own = header.table.toLowerCase();
      const shared = { type, headerKey: header.key, header: own };
      return [
        { ...shared, name: own, tag: header.tag, lineKey: [] },
        ...Object.entries(lines).map(([tag, line]) => ({ ...shared, name: line.table.toLowerCase(), tag, lineKey: line.key })),
      ];
    })
    .map((view): [string, DictionaryView] => [view.name, view]),
);

const BY_TAG: ReadonlyMap<string, DictionaryView> = new Map(
  [...KNOWN.values()].map((view) => [`${view.type}\0${view.tag}`, view]),
);

/** Names of the views that elements of these types have. */
export function viewsOfTypes(types: ReadonlySet<string>): readonly string[] {
  return [...KNOWN.values()].filter((view) => types.has(view.type)).map((view) => view.name);
}

export function isViewName(name: string): boolean {
  return KNOWN.has(name);
}

export function typeOfView(name: string): string | undefined {
  return KNOWN.get(name)?.type;
}

// --- what was seen ----------------------------------------------------------------------------------------------------------------------

/** Field → signs by slot, per view. */
export type FieldsSeen = Map<string, Map<string, number[]>>;

/** Takes note of the fields of a record. Costs a look-up for each field; memory is bound by the number of fields, not of records. */
export function seeFields(seen: FieldsSeen, type: string, tag: string, fields: Fields): void {
  const view = BY_TAG.get(`${type}\0${tag}`);
  if (view === undefined) return;
  const known = seen.get(view.name) ?? new Map<string, number[]>();
  if (known.size === 0) seen.set(view.name, known);
  for (const field in fields.slots) {
    const before = known.get(field);
    if (before === undefined && (known.size >= MOST_COLUMNS || !FIELD.test(field))) continue;
    const signs = before ?? [];
    if (before === undefined) known.set(field, signs);
    const slots = fields.slots[field] ?? [];
    for (let at = 0; at < slots.length && at < MOST_COLUMNS; at++)
      signs[at] = (signs[at] ?? 0) | signOf(slots[at] ?? null, signs[at] ?? 0);
  }
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;
const DAY = /^(\d{4})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/;
const NO_DAY = /^0{6}(?:00)?$/;
const TIME = /^\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

function signOf(slot: Slot | null, before: number): number {
  if (slot === null) return 0;
  if ('texts' in slot || 'translations' in slot) return SIGN.texts;
  if ('bare' in slot) return tokenSign(slot.bare);
  if (slot.text === '') return SIGN.empty;
  // Once a text is a text, no other can make it something else.
  return (before & SIGN.text) === 0 && TIME.test(slot.text) ? SIGN.time : SIGN.text;
}

function tokenSign(token: string): number {
  if (NO_DAY.test(token)) return SIGN.noDay;
  if (token.length === 8 && isDay(token)) return SIGN.day;
  // JSON knows no negative zero, so it is stored as a token.
  return NUMBER.test(token) && !/^-0(?:\.0+)?$/.test(token) ? SIGN.number : SIGN.token;
}

function isDay(token: string): boolean {
  const [, year = '', month = '', day = ''] = DAY.exec(token) ?? [];
  return year > '0000' && new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCMonth() === Number(month) - 1;
}

/**
 * Numbers and dates look alike: eight digits are a date only where every value is one and either the empty date (`000000`, which no number
 * looks like) was seen or the field's name says so (CREDAT, DATDEB).
 */
function kindOf(field: string, signs: number): Kind {
  if ((signs & SIGN.texts) !== 0) return 'texts';
  const tokens = signs & TOKENS;
  if ((signs & STRINGS) !== 0) {
    return tokens === 0 && (signs & SIGN.time) !== 0 && (signs & SIGN.text) === 0 ? 'time' : 'text';
  }
  if (tokens === 0) return 'text';
  const days = (tokens & (SIGN.number | SIGN.token)) === 0;
  if (days && ((tokens & SIGN.noDay) !== 0 || /DAT/i.test(field))) return 'date';
  return (tokens & (SIGN.noDay | SIGN.token)) === 0 ? 'number' : 'text';
}

// --- columns ----------------------------------------------------------------------------------------------------------------------------

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
  const view = KNOWN.get(name);
  const all = view === undefined ? [] : allColumns(view, before ?? [], seen, columnsOf.get(view.header) ?? []);
  const wanted = view === undefined ? [] : inOrder(view, all);
  if (before === undefined) return { columns: fitting(wanted), difference: 'other' };
  const known = new Set(before.map(placeOf));
  const byPlace = new Map(all.map((column) => [placeOf(column), column]));
  const appended = fitting([
    ...before.map((column) => byPlace.get(placeOf(column)) ?? column),
    ...wanted.filter((column) => !known.has(placeOf(column))),
  ]);
  const [old, now] = [physical(before), physical(appended)];
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
    if (slots.some((signs) => signs !== 0)) for (const [slot, signs] of slots.entries()) add(field, slot, signs ?? 0);
  }
  for (const alternatives of view.headerKey) {
    const names = alternatives.split('|');
    if (names.some((field) => all.has(placeOf({ field, slot: 0, signs: 0 })))) continue;
    const own = header.find((column) => names.includes(column.field) && column.slot === 0);
    add(own?.field ?? names[0] ?? '', 0, own === undefined || view.name === view.header ? SIGN.text : own.signs);
  }
  return [...all.values()];
}

function inOrder(view: DictionaryView, columns: readonly ViewColumn[]): readonly ViewColumn[] {
  const keys = [...view.headerKey, ...view.lineKey].flatMap((alternatives) => alternatives.split('|'));
  const rank = ({ field }: ViewColumn): number => (keys.includes(field) ? keys.indexOf(field) : keys.length);
  return columns.toSorted((a, b) => rank(a) - rank(b) || (a.field < b.field ? -1 : a.field > b.field ? 1 : 0) || a.slot - b.slot);
}

/** A texts column takes two places. */
function fitting(columns: readonly ViewColumn[]): readonly ViewColumn[] {
  return columns.slice(0, columns.length > MOST_COLUMNS / 2 ? MOST_COLUMNS / 2 : undefined);
}

/** A field's slots have one type. */
function kindsOf(columns: readonly ViewColumn[]): ReadonlyMap<string, Kind> {
  const signs = new Map<string, number>();
  for (const column of columns) signs.set(column.field, (signs.get(column.field) ?? 0) | column.signs);
  return new Map([...signs].map(([field, all]) => [field, kindOf(field, all)]));
}

function physical(columns: readonly ViewColumn[]): readonly string[] {
  const kinds = kindsOf(columns);
  return columns.flatMap(({ field, slot }) => {
    const kind = kinds.get(field) ?? 'text';
    const name = `${field}_${slot}`.toLowerCase();
    return kind === 'texts' ? [`${name} text`, `${name}_texts`] : [`${name} ${kind}`];
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

// --- SQL --------------------------------------------------------------------------------------------------------------------------------

/**
 * `create or replace view` for one folder. It is a security barrier: a folder's login may make functions of its own (in its temporary schema),
 * and none of them may see the rows of other folders before the view has left them out (R3).
 */
export function viewSql(name: string, columns: readonly ViewColumn[], folder: number, schema: string): string {
  const view = KNOWN.get(name);
  if (view === undefined || columns.length === 0) return '';
  const kinds = kindsOf(columns);
  const list = columns.flatMap((column) => columnSql(view, column, kinds.get(column.field) ?? 'text'));
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
