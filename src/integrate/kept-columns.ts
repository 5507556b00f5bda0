// A column that went away as SQL again, from its name and the type that was written down then. Pure.
import { Refusal } from '../base/errors.ts';
import { quoteIdentifier } from '../database/sql.ts';
import type { ColumnType } from '../tables/model.ts';
import { emptyValue, typeName } from '../tables/model.ts';

const VARCHAR = /^(?:varchar|character varying)\((\d{1,8})\)$/;
const NUMERIC = /^numeric\((\d{1,4}),\s*(\d{1,4})\)$/;
const PLAIN = new Map<string, ColumnType>([
  ...(['smallint', 'integer', 'bigint', 'date', 'timestamptz', 'uuid', 'text', 'bytea'] as const).map(
    (kind): [string, ColumnType] => [kind, { kind }],
  ),
  ['timestamp with time zone', { kind: 'timestamptz' }],
]);
/** Types that the dictionary does not make, as the server writes them: words, then numbers between brackets. */
const FOREIGN = /^[a-z][a-z0-9_ ]*(?:\(\d+(?:,\s*\d+)?\))?(?:\[\])?$/;

/** `"qty_0" integer not null default 0`. @throws Refusal `kept-type` */
export function columnSql(name: string, type: string): string {
  const known = knownType(type);
  if (known === undefined) {
    if (!FOREIGN.test(type)) throw new Refusal('kept-type', { column: name, type });
    return `${quoteIdentifier(name)} ${type}`;
  }
  const empty = emptyValue(known);
  return `${quoteIdentifier(name)} ${typeName(known)}${empty === undefined ? '' : ` not null default ${empty}`}`;
}

function knownType(text: string): ColumnType | undefined {
  const varchar = VARCHAR.exec(text);
  if (varchar !== null) return { kind: 'varchar', length: Number(varchar[1]) };
  const numeric = NUMERIC.exec(text);
  if (numeric !== null) return { kind: 'numeric', precision: Number(numeric[1]), scale: Number(numeric[2]) };
  return PLAIN.get(text);
}
