// From one column type to another: what it costs, which values do not fit, which would not come back the same. SQL conditions as text. Pure.
import { quoteLiteral } from '../database/sql.ts';
import type { ColumnType, ForeignType } from './model.ts';
import { emptyValue, typeName } from './model.ts';

/** Makes a condition or value of a column's expression. */
type Expression = (column: string) => string;

export interface Conversion {
  /** Of the same kind or another; `widen`: every value of the one is a value of the other. */
  readonly change: 'widen' | 'narrow' | 'retype';
  readonly rewrites: boolean;
  /** Whether a value can be converted; absent: every value. Never fails itself, on whatever value. */
  readonly fits?: Expression;
  /** The converted value of one that fits; absent: what PostgreSQL does by itself. */
  readonly using?: Expression;
  /** Whether a value that fits would not convert back to the same; absent: all would. */
  readonly changed?: Expression;
}

type Kind = ColumnType['kind'];
type NumberKind = 'smallint' | 'integer' | 'bigint' | 'numeric';
type Numbers = Extract<ColumnType, { kind: NumberKind }>;

/** Dates go on for longer. */
const LAST_TIMESTAMP = '294276-12-31';

const INTEGERS = { smallint: 32_767n, integer: 2_147_483_647n, bigint: 9_223_372_036_854_775_807n } as const;

const isNumber = (type: ColumnType | ForeignType): type is Numbers => type.kind in INTEGERS || type.kind === 'numeric';

/** @param from and `to` differ */
export function conversionOf(from: ColumnType | ForeignType, to: ColumnType): Conversion {
  if (isNumber(from) && isNumber(to)) return numberConversion(from, to);
  if (to.kind === 'varchar' || to.kind === 'text') return toText(from, to.kind === 'varchar' ? to.length : undefined, to);
  if (from.kind === 'varchar' || from.kind === 'text' || from.kind === 'other') return fromText(from, to);
  if (from.kind === 'date' && to.kind === 'timestamptz')
    return {
      change: 'retype',
      rewrites: true,
      fits: (c) => `(${c} <= '${LAST_TIMESTAMP}' or ${c} = 'infinity')`,
      using: (c) => `${c}::timestamp at time zone 'UTC'`,
    };
  if (from.kind === 'timestamptz' && to.kind === 'date')
    return {
      change: 'retype',
      rewrites: true,
      fits: (c) => `(${c} at time zone 'UTC')::time = '00:00'`,
      using: (c) => `(${c} at time zone 'UTC')::date`,
    };
  return onlyEmpty(from, to);
}

/** Between kinds that have nothing in common the column can change as long as it holds nothing. */
function onlyEmpty(from: ColumnType | ForeignType, to: ColumnType): Conversion {
  return {
    change: 'retype',
    rewrites: true,
    fits: (c) => `not (${holds(from, c)})`,
    using: () => `${emptyValue(to) ?? 'null'}::${typeName(to)}`,
  };
}

/** Whether a value is more than what a row has where nobody gave it anything. Never NULL. */
export function holds(type: ColumnType | ForeignType, column: string): string {
  if (type.kind === 'other') return `${column} is not null`;
  if (type.kind === 'bytea') return `coalesce(octet_length(${column}) > 0, false)`;
  const empty = type.kind === 'text' ? "''" : emptyValue(type);
  return empty === undefined ? `${column} is not null` : `coalesce(${column} <> ${empty}, false)`;
}

function numberConversion(from: Numbers, to: Numbers): Conversion {
  const [wholeBefore, wholeAfter] = [most(from), most(to)];
  const scale = (type: Numbers): number => (type.kind === 'numeric' ? type.scale : 0);
  const change = from.kind === 'numeric' ? to.kind === 'numeric' : to.kind !== 'numeric';
  const rewrites = from.kind !== 'numeric' || to.kind !== 'numeric' || from.scale !== to.scale || to.precision < from.precision;
  // Only numeric knows a value that is no number.
  const whole: Pick<Conversion, 'fits'> =
    from.kind === 'numeric' && to.kind !== 'numeric' ? { fits: (c) => `${c} <> 'NaN'` } : {};
  if (wholeAfter >= wholeBefore && scale(to) >= scale(from)) return { change: change ? 'widen' : 'retype', rewrites, ...whole };
  const range = (c: string): string =>
    to.kind === 'numeric'
      ? `abs(trunc(${c}::numeric)) <= ${wholeAfter}`
      : `${c}::numeric between -${wholeAfter + 1n} and ${wholeAfter}`;
  return {
    change: change ? 'narrow' : 'retype',
    rewrites,
    fits: (c) => `${range(c)} and ${c}::numeric = round(${c}::numeric, ${scale(to)})`,
  };
}

/** The largest whole number. */
function most(type: Numbers): bigint {
  return type.kind === 'numeric' ? 10n ** BigInt(Math.max(0, type.precision - type.scale)) - 1n : INTEGERS[type.kind];
}

/** @param length undefined: as long as it likes */
function toText(from: ColumnType | ForeignType, length: number | undefined, to: ColumnType): Conversion {
  // Bytes are text in some encoding or in none: nobody can tell which.
  if (from.kind === 'bytea') return onlyEmpty(from, to);
  const family = from.kind === 'varchar' || from.kind === 'text';
  // Without the zeros that only the old scale asked for: `0.00` is empty and has to fit anywhere.
  const written: Expression = (c) => (from.kind === 'numeric' ? `trim_scale(${c})` : c);
  const text: Expression = (c) => (family ? c : `${written(c)}::text`);
  const using: Expression = (c) => (length === undefined ? text(c) : `coalesce(${text(c)}, '')`);
  if (from.kind === 'varchar' && (length === undefined || length > from.length)) return { change: 'widen', rewrites: false };
  if (length === undefined) return { change: 'retype', rewrites: true, using };
  return {
    change: family ? 'narrow' : 'retype',
    rewrites: true,
    fits: (c) => `char_length(${text(c)}) <= ${length}`,
    using,
  };
}

/** A text that reads as a value of the type. Where it would be written in another way (`007`, `1.5` with two decimals), it does not come back. */
interface Reading {
  readonly reads: Expression;
  readonly value: Expression;
}

function fromText(from: ColumnType | ForeignType, to: ColumnType): Conversion {
  const reading = readingOf(to);
  if (reading === undefined) return onlyEmpty(from, to);
  const text: Expression = (c) => `${c}::text`;
  const empty = emptyValue(to) ?? 'null';
  const converted: Expression = (c) =>
    `case when coalesce(${text(c)}, '') = '' then ${empty} else ${reading.value(text(c))} end::${typeName(to)}`;
  return {
    change: 'retype',
    rewrites: true,
    fits: (c) => `case when coalesce(${text(c)}, '') = '' then true else ${reading.reads(text(c))} end`,
    using: converted,
    changed: (c) => `coalesce(${text(c)} <> '' and ${backText(converted(c), to.kind)} <> ${text(c)}, false)`,
  };
}

/** What conversion to text makes of the value. */
const backText = (value: string, kind: Kind): string =>
  kind === 'bytea' ? `convert_from(${value}, 'UTF8')` : `(${value})::text`;

const matches = (text: string, pattern: string): string => `${text} ~ ${quoteLiteral(pattern)}`;
const digits = (text: string): string => `replace(${text}, '-', '')`;
const part = (text: string, from: number, count: number): string => `substr(${text}, ${from}, ${count})::integer`;

/** Year, month and day of eight digits that are a day of the calendar. */
const isDay = (d: string): string =>
  `case when ${part(d, 1, 4)} >= 1 and ${part(d, 5, 2)} between 1 and 12 then ${part(d, 7, 2)} between 1 and extract(day from make_date(${part(d, 1, 4)}, ${part(d, 5, 2)}, 1) + interval '1 month' - interval '1 day') else false end`;

function readingOf(to: ColumnType): Reading | undefined {
  switch (to.kind) {
    case 'smallint':
    case 'integer':
    case 'bigint': {
      const limit = INTEGERS[to.kind];
      return {
        reads: (t) =>
          `case when ${matches(t, '^[+-]?[0-9]{1,38}$')} then ${t}::numeric between -${limit + 1n} and ${limit} else false end`,
        value: (t) => `${t}::numeric`,
      };
    }
    case 'numeric':
      return {
        // The length first: PostgreSQL refuses numbers of more digits than it can hold.
        reads: (t) =>
          `case when char_length(${t}) <= 2000 and ${matches(t, '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)$')} then abs(${t}::numeric) < 1${'0'.repeat(to.precision - to.scale)} and ${t}::numeric = round(${t}::numeric, ${to.scale}) else false end`,
        value: (t) => `${t}::numeric`,
      };
    case 'date':
      return {
        reads: (t) => `case when ${matches(t, '^[0-9]{4}-?[0-9]{2}-?[0-9]{2}$')} then ${isDay(digits(t))} else false end`,
        value: (t) => `make_date(${part(digits(t), 1, 4)}, ${part(digits(t), 5, 2)}, ${part(digits(t), 7, 2)})`,
      };
    case 'timestamptz':
      return {
        reads: (t) =>
          `case when ${matches(t, '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)$')} then ${isDay(digits(`left(${t}, 10)`))} else false end`,
        value: (t) => `${t}::timestamptz`,
      };
    case 'uuid':
      return {
        reads: (t) => matches(t, '^[0-9A-Fa-f]{8}-?([0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}$'),
        value: (t) => `${t}::uuid`,
      };
    case 'bytea':
      return { reads: () => 'true', value: (t) => `convert_to(${t}, 'UTF8')` };
    default:
      return undefined;
  }
}
