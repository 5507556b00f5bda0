// From the dictionary's definition of a table (ATB) to the shape that the database table should have. Pure.
import type { Finding } from '../base/finding.ts';
import type { DictionaryRecord } from '../dictionary/element.ts';
import { fieldValue } from '../dictionary/fields.ts';
import type { DataType } from './data-types.ts';
import { columnTypeOf } from './data-types.ts';
import type { Column, Index, IndexKey, Table } from './model.ts';
import { LONGEST_NAME, MOST_COLUMNS, ROW_COLUMN, TICK_COLUMN } from './model.ts';

export interface TableDefinition {
  /** Dictionary name (CODFIC). */
  readonly code: string;
  readonly abbreviation: string;
  readonly table: Table;
}

/** Dictionary names become physical ones in lower case; anything else than these characters would need a reader's guess. */
const NAME = /^[A-Z][A-Z0-9_]*$/i;
const SLOT_LIMIT = 9_999;

/** Builds the shape of one table; what is wrong with the definition becomes blocking findings that name table and field. */
export function desiredTable(
  code: string,
  records: readonly DictionaryRecord[],
  types: ReadonlyMap<string, DataType>,
  findings: Finding[],
): TableDefinition {
  const subject = `ATB:${code}`;
  const block = (finding: string, facts: Finding['facts']): void => {
    findings.push({ code: finding, severity: 'block', subject, facts });
  };
  checkName('table', code, block);
  const header = records.find((record) => record.tag === 'ATB');
  const columns = inOrder(records, 'ATZ').flatMap((record) => columnsOf(code, record, types, block));
  const all: readonly Column[] = [
    { name: TICK_COLUMN, field: null, type: { kind: 'integer' } },
    ...columns.filter((column) => column.name !== TICK_COLUMN),
    { name: ROW_COLUMN, field: null, type: { kind: 'bigint' } },
  ];
  if (all.length > MOST_COLUMNS) block('too-many-columns', { table: code, count: all.length, most: MOST_COLUMNS });
  const indexes = inOrder(records, 'ATI').flatMap((record) => indexOf(code, record, columns, block));
  for (const name of twice(columns.map((column) => column.name))) block('name-twice', { kind: 'field', table: code, name });
  for (const name of twice(indexes.map((index) => index.name))) block('name-twice', { kind: 'index', table: code, name });
  const abbreviation = header === undefined ? '' : (fieldValue(header.fields, 'ABRFIC') ?? '');
  return { code, abbreviation, table: { name: code.toLowerCase(), columns: all, indexes } };
}

/** Names that differ in the dictionary can be one in the database: by case, or by what is cut off. */
function twice(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name, at) => names.indexOf(name) < at))];
}

type Block = (code: string, facts: Finding['facts']) => void;

function checkName(kind: string, name: string, block: Block): boolean {
  const good = NAME.test(name) && name.length <= LONGEST_NAME - 6;
  if (!good) block('name-invalid', { kind, name });
  return good;
}

function inOrder(records: readonly DictionaryRecord[], tag: string): readonly DictionaryRecord[] {
  const number = (record: DictionaryRecord): number => Number(fieldValue(record.fields, 'NUMLIG') ?? record.position);
  return records.filter((record) => record.tag === tag).sort((a, b) => number(a) - number(b) || a.position - b.position);
}

function columnsOf(
  table: string,
  record: DictionaryRecord,
  types: ReadonlyMap<string, DataType>,
  block: Block,
): readonly Column[] {
  const field = fieldValue(record.fields, 'CODZONE') ?? record.key;
  if (!checkName('field', field, block)) return [];
  const code = fieldValue(record.fields, 'CODTYP') ?? '';
  const type = types.get(code);
  if (type === undefined) {
    block('data-type-unknown', { table, field, type: code });
    return [];
  }
  const columnType = columnTypeOf(type, fieldValue(record.fields, 'LONG') ?? '0');
  const slots = Math.max(1, Number(fieldValue(record.fields, 'DIME') ?? '1') || 1);
  if (columnType === undefined || !Number.isInteger(slots) || slots > SLOT_LIMIT) {
    block('field-length', { table, field, type: code, length: fieldValue(record.fields, 'LONG') ?? '', slots });
    return [];
  }
  return Array.from({ length: slots }, (_, slot) => ({ name: `${field.toLowerCase()}_${slot}`, field, type: columnType }));
}

const INDEX_KEY = /^(-?)([A-Z][A-Z0-9_]*)(?:\((\d+)\))?$/i;

function indexOf(table: string, record: DictionaryRecord, columns: readonly Column[], block: Block): readonly Index[] {
  const code = fieldValue(record.fields, 'CODIND') ?? record.key;
  if (!checkName('index', code, block)) return [];
  const names = new Set(columns.map((column) => column.name));
  const keys: IndexKey[] = [];
  for (const part of (fieldValue(record.fields, 'DESCRIPT') ?? '').split('+')) {
    const match = INDEX_KEY.exec(part.trim());
    const column = match === null ? '' : `${(match[2] ?? '').toLowerCase()}_${match[3] ?? '0'}`;
    if (match === null || !names.has(column)) {
      block('index-field-missing', { table, index: code, field: part });
      return [];
    }
    keys.push({ column, descending: match[1] === '-' });
  }
  return [{ name: indexName(table, code), unique: fieldValue(record.fields, 'HOMONYM') === '1', keys }];
}

/** Index names share one space per schema, so the table's name is part of them. */
export function indexName(table: string, code: string): string {
  return `${table}_${code}`.toLowerCase().slice(0, LONGEST_NAME);
}
