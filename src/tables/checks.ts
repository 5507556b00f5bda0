// What must hold of the rows before a table changes, as one SQL statement for all of it: which values do not fit, which are there twice. Pure.
import { qualified, quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import { conversionOf } from './conversion.ts';
import type { TableChange, TableStep } from './diff.ts';
import type { ColumnType, ForeignType, Index } from './model.ts';
import { emptyValue } from './model.ts';

export type Check =
  | {
      readonly check: 'fits';
      readonly table: string;
      readonly column: string;
      readonly from: ColumnType | ForeignType;
      readonly to: ColumnType;
      readonly identity: readonly string[];
    }
  | {
      readonly check: 'unique';
      readonly table: string;
      readonly index: string;
      /** Values of the index's columns as they will be; a row with a NULL among them has no twin. */
      readonly keys: readonly string[];
    };

/** Of so many rows that break a rule the keys are shown. */
const MOST_SAMPLES = 5;
const LONGEST_SAMPLE = 60;

export function checksOf(changes: readonly TableChange[]): readonly Check[] {
  return changes.flatMap((change): readonly Check[] => {
    if (change.change !== 'alter') return [];
    const { table, steps, identity } = change;
    const fits = steps.flatMap((step): readonly Check[] =>
      isTypeStep(step) && conversionOf(step.from, step.to).fits !== undefined
        ? [{ check: 'fits', table, column: step.column, from: step.from, to: step.to, identity }]
        : [],
    );
    const unique = change.unique.flatMap((index): readonly Check[] => {
      const keys = keysAfter(index, steps);
      return keys === undefined ? [] : [{ check: 'unique', table, index: index.name, keys }];
    });
    return [...fits, ...unique];
  });
}

type TypeStep = Extract<TableStep, { from: unknown }>;
const isTypeStep = (step: TableStep): step is TypeStep => 'from' in step;

/** A column that is added is the same in all rows, so it does not tell them apart. @returns undefined where it is NULL in all of them */
function keysAfter(index: Index, steps: readonly TableStep[]): readonly string[] | undefined {
  const added = new Map(
    steps.flatMap((step) => (step.step === 'add-column' ? [[step.column.name, step.column.type] as const] : [])),
  );
  const changed = new Map(steps.flatMap((step) => (isTypeStep(step) ? [[step.column, step] as const] : [])));
  const keys: string[] = [];
  for (const { column } of index.keys) {
    const type = added.get(column);
    if (type !== undefined && emptyValue(type) === undefined) return undefined;
    if (type === undefined) keys.push(valueAfter(`t.${quoteIdentifier(column)}`, changed.get(column)));
  }
  return keys;
}

function valueAfter(column: string, step: TypeStep | undefined): string {
  const conversion = step === undefined ? undefined : conversionOf(step.from, step.to);
  if (conversion?.using === undefined) return column;
  return conversion.fits === undefined
    ? conversion.using(column)
    : `case when ${conversion.fits(column)} then ${conversion.using(column)} end`;
}

/** One row per check, in their order: `at`, `rows` of the table, `count` of those that break the rule, `samples`. */
export function checkSql(checks: readonly Check[], schema: string): string {
  const numbered = checks.map((check, at) => ({ check, at }));
  const tables = [...Map.groupBy(numbered, ({ check }) => check.table)];
  const counts = tables.map(([table, own], at) => {
    const columns = own.map((each) => `${countSql(each.check, schema)} as n${each.at}`);
    return `c${at} as materialized (select count(*) as total, ${columns.join(', ')} from ${qualified(schema, table)} t)`;
  });
  const selects = tables.flatMap(([, own], at) =>
    own.map(
      ({ check, at: number }) =>
        `select ${number} as at, total::text as rows, n${number}::text as count, case when n${number} > 0 then ${samplesSql(check, schema)} else '{}' end as samples from c${at}`,
    ),
  );
  return `with ${counts.join(', ')} ${selects.join(' union all ')} order by at`;
}

const unfit = (check: Check & { check: 'fits' }): string =>
  `not coalesce(${conversionOf(check.from, check.to).fits?.(`t.${quoteIdentifier(check.column)}`) ?? 'true'}, true)`;

function countSql(check: Check, schema: string): string {
  return check.check === 'fits'
    ? `count(*) filter (where ${unfit(check)})`
    : `(select count(*) from (${twinsSql(check, schema)}) d)`;
}

/** Groups of rows that an index without duplicates would not take. */
function twinsSql({ table, keys }: Check & { check: 'unique' }, schema: string): string {
  const shown = keys.length === 0 ? `''` : `concat_ws(' ', ${keys.map((key) => `(${key})::text`).join(', ')})`;
  const whole = keys.map((key) => `(${key}) is not null`).join(' and ') || 'true';
  return `select ${shown} as key, count(*) as times from ${qualified(schema, table)} t where ${whole} group by ${keys.length === 0 ? '()' : keys.join(', ')} having count(*) > 1`;
}

function samplesSql(check: Check, schema: string): string {
  if (check.check === 'unique') {
    return `array(select left(key, ${LONGEST_SAMPLE}) || ' (' || times || ')' from (${twinsSql(check, schema)}) d order by times desc, key limit ${MOST_SAMPLES})`;
  }
  const identity = check.identity.map((column) => `t.${quoteIdentifier(column)}::text`);
  const key = identity.length === 0 ? quoteLiteral('') : `left(concat_ws(' ', ${identity.join(', ')}), ${LONGEST_SAMPLE})`;
  return `array(select ${key} || ': ' || left(t.${quoteIdentifier(check.column)}::text, ${LONGEST_SAMPLE}) from ${qualified(schema, check.table)} t where ${unfit(check)} limit ${MOST_SAMPLES})`;
}
