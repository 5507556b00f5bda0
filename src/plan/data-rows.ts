// A delivered data row against the columns of its table: text for each column, what does not fit, and what has no place. Pure.
import type { Finding } from '../base/finding.ts';
import { NOISE } from '../dictionary/element-types.ts';
import type { Fields, Slot, TranslationIn } from '../dictionary/fields.ts';
import { inLanguages } from '../dictionary/fields.ts';
import type { TableDefinition } from '../tables/desired.ts';
import type { Column, ColumnType } from '../tables/model.ts';
import { emptyValue, typeName } from '../tables/model.ts';

export interface PlannedText extends TranslationIn {
  readonly field: string;
  readonly slot: number;
  readonly language: string;
}

export interface PlannedRow {
  /** Column → text that PostgreSQL reads as the column's type, or null. */
  readonly values: Readonly<Record<string, string | null>>;
  /** Texts by language of this row. */
  readonly texts: readonly PlannedText[];
  /** Fields for which the table has no column. */
  readonly remainder: Fields;
  readonly problems: readonly Finding[];
}

interface Collected {
  readonly values: Record<string, string | null>;
  readonly texts: PlannedText[];
  readonly remainder: Record<string, readonly (Slot | null)[]>;
  readonly problems: Finding[];
}

/** @param languages of the folder (R23), the first one fills the column itself */
export function planRow(
  definition: TableDefinition,
  fields: Fields,
  languages: readonly string[],
  patchLanguages: readonly string[],
): PlannedRow {
  const columns = new Map(definition.table.columns.map((column) => [column.name, column]));
  const collected: Collected = { values: Object.create(null), texts: [], remainder: Object.create(null), problems: [] };
  for (const [field, slots] of Object.entries(inLanguages(fields, languages, patchLanguages).slots)) {
    slots.forEach((slot, index) => {
      if (slot !== null)
        place(definition, columns.get(`${field.toLowerCase()}_${index}`), field, index, slot, languages, collected);
    });
  }
  const { identity } = definition;
  if (identity === undefined) collected.problems.push(blocked(definition, 'data-key-missing', { field: '' }));
  for (const key of identity?.keys ?? []) {
    const reported = collected.problems.some((problem) => problem.facts.field === key.column);
    if (!(key.column in collected.values) && !reported)
      collected.problems.push(blocked(definition, 'data-key-missing', { field: key.column }));
  }
  return {
    values: collected.values,
    texts: collected.texts,
    remainder: { slots: collected.remainder, extra: fields.extra },
    problems: collected.problems,
  };
}

function blocked(definition: TableDefinition, code: string, facts: Finding['facts']): Finding {
  return { code, severity: 'block', subject: `ATB:${definition.code}`, facts: { table: definition.code, ...facts } };
}

function place(
  definition: TableDefinition,
  column: Column | undefined,
  field: string,
  index: number,
  slot: Slot,
  languages: readonly string[],
  into: Collected,
): void {
  if ('translations' in slot) {
    for (const [language, text] of Object.entries(slot.translations)) into.texts.push({ field, slot: index, language, ...text });
  }
  const text = textOf(slot, languages);
  if (column === undefined) {
    if (!('translations' in slot)) {
      const kept = [...(into.remainder[field] ?? [])];
      kept[index] = slot;
      into.remainder[field] = Array.from(kept, (each) => each ?? null);
    }
    return;
  }
  if (text === undefined) return;
  const value = columnValue(column.type, text, 'bare' in slot);
  if ('reason' in value) {
    into.problems.push(
      blocked(definition, 'data-value', {
        field: column.name,
        value: [...text.slice(0, 120)].slice(0, 60).join('').toWellFormed(),
        type: typeName(column.type),
        reason: value.reason,
      }),
    );
  } else into.values[column.name] = value.value;
}

function textOf(slot: Slot, languages: readonly string[]): string | undefined {
  if ('text' in slot) return slot.text;
  if ('bare' in slot) return slot.bare;
  const texts: Readonly<Record<string, { readonly text: string }>> = 'texts' in slot ? slot.texts : slot.translations;
  const best = languages.find((language) => language in texts) ?? Object.keys(texts)[0];
  return best === undefined ? undefined : texts[best]?.text;
}

type Value =
  | { readonly value: string | null }
  | { readonly reason: 'length' | 'range' | 'number' | 'date' | 'time' | 'uuid' | 'nul' };

const INTEGER_RANGE = { smallint: 32_767n, integer: 2_147_483_647n, bigint: 9_223_372_036_854_775_807n } as const;
const DECIMAL = /^(-?)(\d*)(?:\.(\d*))?$/;
const DATE = /^(\d{4})(\d{2})(\d{2})$/;
// PostgreSQL takes no offset of 16 hours or more.
const TIME = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2}(?:\.\d+)?)(Z|[+-](?:0\d|1[0-5]):[0-5]\d)$/;
const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

/** Text that PostgreSQL reads as this type; the empty dates of the format become NULL. */
function columnValue(type: ColumnType, text: string, bare: boolean): Value {
  if (text.includes('\0')) return { reason: 'nul' };
  switch (type.kind) {
    case 'varchar':
      return [...text].length > type.length ? { reason: 'length' } : { value: text };
    case 'text':
      return { value: text };
    case 'smallint':
    case 'integer':
    case 'bigint':
      return integerValue(text, INTEGER_RANGE[type.kind]);
    case 'numeric':
      return numericValue(text, type.precision, type.scale);
    case 'date':
      return dateValue(text);
    case 'timestamptz':
      return timeValue(text, bare);
    case 'uuid':
      return /^[0-]*$/.test(text) ? { value: null } : UUID.test(text) ? { value: text } : { reason: 'uuid' };
    case 'bytea':
      return { value: text === '' ? null : `\\x${Buffer.from(text, 'utf8').toString('hex')}` };
  }
}

function integerValue(text: string, most: bigint): Value {
  if (text === '') return { value: '0' };
  if (!/^-?\d+$/.test(text)) return { reason: 'number' };
  const number = BigInt(text);
  return number > most || number < -most - 1n ? { reason: 'range' } : { value: text };
}

function numericValue(text: string, precision: number, scale: number): Value {
  if (text === '') return { value: '0' };
  const match = DECIMAL.exec(text);
  if (match === null || text === '-' || text === '.') return { reason: 'number' };
  const whole = (match[2] ?? '').replace(/^0+/, '');
  const decimals = (match[3] ?? '').replace(/0+$/, '');
  return whole.length > precision - scale || decimals.length > scale ? { reason: 'range' } : { value: text };
}

function dateValue(text: string): Value {
  if (/^0*$/.test(text)) return { value: null };
  const match = DATE.exec(text);
  if (match === null || match[1] === '0000') return { reason: 'date' };
  const iso = `${match[1]}-${match[2]}-${match[3]}`;
  const parsed = new Date(`${iso}T00:00:00Z`);
  return Number.isNaN(parsed.getTime()) || parsed.toISOString().slice(0, 10) !== iso ? { reason: 'date' } : { value: iso };
}

function timeValue(text: string, bare: boolean): Value {
  if (text === '' || (bare && /^0*$/.test(text)) || text.startsWith('0000-00-00')) return { value: null };
  const match = TIME.exec(text);
  if (match === null || Number.isNaN(Date.parse(text))) return { reason: 'time' };
  // Date.parse lets 30 February pass.
  return 'value' in dateValue((match[1] ?? '').replaceAll('-', '')) ? { value: text } : { reason: 'time' };
}

/** Columns whose change makes a row an updated one: all but noise. */
export function comparedColumns(columns: readonly string[]): readonly string[] {
  return columns.filter((column) => !NOISE.has(column.replace(/_\d+$/, '').toUpperCase()));
}

/** Key columns for finding the row; NULL where empty is NULL. */
export function keyColumns(definition: TableDefinition): readonly { column: string; nullable: boolean }[] {
  const columns = new Map(definition.table.columns.map((column) => [column.name, column.type]));
  return (definition.identity?.keys ?? []).map(({ column }) => {
    const type = columns.get(column);
    return { column, nullable: type === undefined || emptyValue(type) === undefined };
  });
}
