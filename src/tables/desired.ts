// From the dictionary's definition of a table (ATB) to the shape that the database table should have in a folder. Pure.
import type { Finding } from '../base/finding.ts';
import type { DictionaryRecord } from '../dictionary/element.ts';
import { fieldValue } from '../dictionary/fields.ts';
import type { DataType } from './data-types.ts';
import { columnTypeOf, lengthAllowed, writtenLength } from './data-types.ts';
import type { Generation } from './generation.ts';
import { isActive, slotsOfField, usesModule } from './generation.ts';
import type { Column, Index, IndexKey, Table } from './model.ts';
import { LONGEST_NAME, MOST_COLUMNS, MOST_KEYS, ROW_COLUMN, SYSTEM_TABLES, TICK_COLUMN } from './model.ts';
import { isReserved } from './reserved-names.ts';

export interface TableDefinition {
  /** Dictionary name (CODFIC). */
  readonly code: string;
  readonly abbreviation: string;
  readonly table: Table;
  /** False where the table's activity code is inactive or its module not in use: the folder has the definition and no table. */
  readonly generated: boolean;
  /** The definition's first index, by which data patches recognise rows (R24); undefined where there is none, or it is not generated. */
  readonly identity: Index | undefined;
  /** Fields of the definition as columns begin with them; those that are not generated too. */
  readonly fields: ReadonlySet<string>;
  readonly inactiveFields: ReadonlySet<string>;
}

/** What a definition is judged with. */
export interface DesiredContext {
  readonly types: ReadonlyMap<string, DataType>;
  readonly generation: Generation;
  readonly findings: Finding[];
}

/** Dictionary names become physical ones in lower case; anything else than these characters would need a reader's guess. */
const NAME = /^[A-Z][A-Z0-9_]*$/i;
const SLOT_LIMIT = 9_999;

type Report = (severity: Finding['severity'], code: string, facts: Finding['facts']) => void;

/** Builds the shape of one table; what is wrong with the definition becomes blocking findings that name table and field. */
export function desiredTable(code: string, records: readonly DictionaryRecord[], context: DesiredContext): TableDefinition {
  const report: Report = (severity, finding, facts) =>
    void context.findings.push({ code: finding, severity, subject: `ATB:${code}`, facts });
  const name = code.toLowerCase();
  if (checkName('table', code, report) && isReserved(name)) report('block', 'name-reserved', { kind: 'table', name: code });
  const header = records.find((record) => record.tag === 'ATB');
  const generated = isGenerated(name, header, context.generation);
  const fields = inOrder(records, 'ATZ').map((record) => fieldOf(code, record, context, generated, report));
  const columns = fields.flatMap((field) => field.columns);
  const all: readonly Column[] = [
    { name: TICK_COLUMN, field: null, type: { kind: 'integer' } },
    ...columns.filter((column) => column.name !== TICK_COLUMN),
    { name: ROW_COLUMN, field: null, type: { kind: 'bigint' } },
  ];
  if (all.length > MOST_COLUMNS)
    report('block', 'too-many-columns', { table: code, count: all.length, dropped: 0, most: MOST_COLUMNS });
  for (const missing of missingColumns(name, columns)) report('block', 'system-field', { table: code, field: missing });
  const indexRecords = inOrder(records, 'ATI');
  const indexes = indexRecords.map((record) => indexOf(code, record, fields, context.generation, generated, report));
  const kept = indexes.flatMap((index) => index ?? []);
  for (const twin of twice(columns.map((column) => column.name)))
    report('block', 'name-twice', { kind: 'field', table: code, name: twin });
  for (const twin of twice(kept.map((index) => index.name)))
    report('block', 'name-twice', { kind: 'index', table: code, name: twin });
  return {
    code,
    abbreviation: header === undefined ? '' : (fieldValue(header.fields, 'ABRFIC') ?? ''),
    table: { name, columns: all, indexes: kept },
    generated,
    identity: indexes[0],
    fields: new Set(fields.map((field) => field.name)),
    inactiveFields: new Set(fields.filter((field) => !field.active).map((field) => field.name)),
  };
}

/** The tables that Rustine itself works with are there whatever a definition says. */
function isGenerated(name: string, header: DictionaryRecord | undefined, generation: Generation): boolean {
  if (header === undefined || SYSTEM_TABLES.has(name)) return true;
  const module = Number(fieldValue(header.fields, 'MODULE') ?? '0') || 0;
  return isActive(generation, header.activity) && usesModule(generation, module);
}

function missingColumns(name: string, columns: readonly Column[]): readonly string[] {
  const there = new Set(columns.map((column) => column.name));
  return (SYSTEM_TABLES.get(name) ?? []).filter((column) => !there.has(column));
}

/** Names that differ in the dictionary can be one in the database: by case, or by what is cut off. */
function twice(names: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return [...new Set(names.filter((name) => seen.has(name) || !seen.add(name)))];
}

function checkName(kind: string, name: string, report: Report): boolean {
  const good = NAME.test(name) && name.length <= LONGEST_NAME - 6;
  if (!good) report('block', 'name-invalid', { kind, name });
  return good;
}

function inOrder(records: readonly DictionaryRecord[], tag: string): readonly DictionaryRecord[] {
  const number = (record: DictionaryRecord): number => Number(fieldValue(record.fields, 'NUMLIG') ?? record.position);
  return records.filter((record) => record.tag === tag).sort((a, b) => number(a) - number(b) || a.position - b.position);
}

interface DesiredField {
  /** What its columns begin with. */
  readonly name: string;
  readonly active: boolean;
  /** Slots that the definition itself gives it. */
  readonly own: number;
  /** Its slots come from its activity code. */
  readonly sized: boolean;
  readonly columns: readonly Column[];
}

function fieldOf(
  table: string,
  record: DictionaryRecord,
  { types, generation }: DesiredContext,
  generated: boolean,
  report: Report,
): DesiredField {
  const field = fieldValue(record.fields, 'CODZONE') ?? record.key;
  const own = Math.max(1, Number(fieldValue(record.fields, 'DIME') ?? '1') || 1);
  const slots = slotsOfField(generation, record.activity, own);
  const active = isActive(generation, record.activity);
  const name = field.toLowerCase();
  const nothing: DesiredField = { name, active, own, sized: slots !== own, columns: [] };
  if (!checkName('field', field, report) || !active || !generated) return nothing;
  const code = fieldValue(record.fields, 'CODTYP') ?? '';
  const type = types.get(code);
  if (type === undefined) {
    report('block', 'data-type-unknown', { table, field, type: code });
    return nothing;
  }
  if (type.internal === null) {
    report('block', 'data-type-internal', { table, field, type: code, number: type.number });
    return nothing;
  }
  const length = fieldValue(record.fields, 'LONG') ?? '0';
  const columnType = columnTypeOf(type, length);
  if (columnType === undefined || !Number.isInteger(slots) || slots > SLOT_LIMIT) {
    report('block', 'field-length', { table, field, type: code, length: writtenLength(type, length), slots });
    return nothing;
  }
  if (!lengthAllowed(type, length)) {
    report('block', 'field-too-long', { table, field, type: code, length, most: type.length });
    return nothing;
  }
  return {
    ...nothing,
    columns: Array.from({ length: slots }, (_, slot) => ({ name: `${name}_${slot}`, field, type: columnType })),
  };
}

const INDEX_KEY = /^(-?)([A-Z][A-Z0-9_]*)(?:\((\d+)\))?$/i;

/** @returns undefined where the index is not generated, or wrong */
function indexOf(
  table: string,
  record: DictionaryRecord,
  fields: readonly DesiredField[],
  generation: Generation,
  generated: boolean,
  report: Report,
): Index | undefined {
  const code = fieldValue(record.fields, 'CODIND') ?? record.key;
  if (!checkName('index', code, report)) return undefined;
  const keys: IndexKey[] = [];
  let absent: string | undefined;
  for (const part of (fieldValue(record.fields, 'DESCRIPT') ?? '').split('+')) {
    const match = INDEX_KEY.exec(part.trim());
    const slot = Number(match?.[3] ?? '0');
    const found = match === null ? undefined : keyColumn((match[2] ?? '').toLowerCase(), slot, fields);
    if (match === null || found === undefined) {
      report('block', 'index-field-missing', { table, index: code, field: part });
      return undefined;
    }
    if (found === 'absent') absent ??= part.trim();
    else keys.push({ column: found, descending: match[1] === '-' });
  }
  if (!generated || !isActive(generation, record.activity)) return undefined;
  if (absent !== undefined) {
    report('info', 'index-left-out', { table, index: code, field: absent });
    return undefined;
  }
  if (keys.length > MOST_KEYS) {
    report('block', 'index-too-wide', { table, index: code, count: keys.length, most: MOST_KEYS });
    return undefined;
  }
  return { name: indexName(table, code), unique: fieldValue(record.fields, 'HOMONYM') === '1', keys };
}

/** `absent`: the definition has the field (or its slot), this folder does not generate it. */
function keyColumn(name: string, slot: number, fields: readonly DesiredField[]): string | 'absent' | undefined {
  const field = fields.find((each) => each.name === name);
  if (field === undefined) return undefined;
  if (slot < field.columns.length) return `${name}_${slot}`;
  return slot < field.own || field.sized || !field.active ? 'absent' : undefined;
}

/** Index names share one space per schema, so the table's name is part of them. */
export function indexName(table: string, code: string): string {
  return `${table}_${code}`.toLowerCase().slice(0, LONGEST_NAME);
}
