// Data types (ATY) and the column type that a field of one gets. Pure.
import type { DictionaryRecord } from '../dictionary/element.ts';
import { fieldValue } from '../dictionary/fields.ts';
import type { ColumnType } from './model.ts';
import { LONGEST_VARCHAR } from './model.ts';

/** Internal types by the number that ATYPE.TYPTYP holds. */
const INTERNAL_TYPES = {
  1: 'menu',
  2: 'short',
  3: 'long',
  4: 'decimal',
  5: 'float',
  6: 'double',
  7: 'text',
  8: 'date',
  9: 'blob',
  10: 'clob',
  11: 'uuid',
  12: 'datetime',
} as const;

export type InternalType = (typeof INTERNAL_TYPES)[keyof typeof INTERNAL_TYPES];

export interface DataType {
  readonly code: string;
  /** null: the number is none that is known, so no column can be made of it. */
  readonly internal: InternalType | null;
  /** Number of the internal type, as written. */
  readonly number: string;
  /** Length as written: `20`, or `9.3` for decimals. */
  readonly length: string;
}

export function dataTypeOf(code: string, header: DictionaryRecord): DataType {
  const number = fieldValue(header.fields, 'TYPTYP') ?? '';
  const internal = Number(number) in INTERNAL_TYPES ? INTERNAL_TYPES[Number(number) as keyof typeof INTERNAL_TYPES] : null;
  return { code, internal, number, length: fieldValue(header.fields, 'LNGTYP') ?? '0' };
}

const LENGTH = /^(\d+)(?:\.(\d+))?$/;

/**
 * Column type of a field. The field's own length overrides the type's for text and decimals.
 * @returns undefined when no usable length is known or it is beyond what PostgreSQL holds
 */
export function columnTypeOf(type: DataType, fieldLength: string): ColumnType | undefined {
  const [whole, decimals] = lengthOf(fieldLength) ?? lengthOf(type.length) ?? [0, 0];
  switch (type.internal) {
    case null:
      return undefined;
    case 'text':
      return whole >= 1 && whole <= LONGEST_VARCHAR ? { kind: 'varchar', length: whole } : undefined;
    case 'decimal':
    case 'float':
    case 'double':
      return whole + decimals >= 1 && whole + decimals <= 1000
        ? { kind: 'numeric', precision: whole + decimals, scale: decimals }
        : undefined;
    case 'menu':
    case 'short':
      return { kind: 'smallint' };
    case 'long':
      return { kind: 'integer' };
    case 'date':
      return { kind: 'date' };
    case 'datetime':
      return { kind: 'timestamptz' };
    case 'uuid':
      return { kind: 'uuid' };
    case 'clob':
      return { kind: 'text' };
    case 'blob':
      return { kind: 'bytea' };
  }
}

/** Whether a field of this type may have this length: a type with a length of its own is the longest that its fields can be. */
export function lengthAllowed(type: DataType, fieldLength: string): boolean {
  const most = lengthOf(type.length);
  const length = lengthOf(fieldLength);
  if (most === undefined || length === undefined || type.internal === null || !WITH_LENGTH.has(type.internal)) return true;
  return length[0] <= most[0] && length[1] <= most[1];
}

const WITH_LENGTH: ReadonlySet<InternalType> = new Set(['text', 'decimal', 'float', 'double']);

/** The length that counts, as written: the field's own, or else the type's. */
export function writtenLength(type: DataType, fieldLength: string): string {
  return lengthOf(fieldLength) === undefined && /^[0.]*$/.test(fieldLength) ? type.length : fieldLength;
}

function lengthOf(text: string): readonly [number, number] | undefined {
  const match = LENGTH.exec(text);
  if (match === null) return undefined;
  const whole = Number(match[1]);
  const decimals = Number(match[2] ?? '0');
  return whole + decimals === 0 ? undefined : [whole, decimals];
}
