// Foreign keys that would delete or empty what people point to a row with, when the row goes or its key is set back (R38).
import type { Session } from '../database/database.ts';
import { qualified, quoteIdentifier, quoteLiteral, sql } from '../database/sql.ts';
import type { FolderSettings } from '../plan/plan.ts';
import { ROW_COLUMN } from '../tables/model.ts';
import { formerRows, lastWritten, type RememberedTable } from './remembered.ts';

interface ForeignKey {
  readonly object: string;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  /** Those that it points to. */
  readonly key: readonly string[];
  /** As the server's catalog has it: `a` nothing, `r` refuses, `c` cascades, `n` sets to null, `d` to the default. */
  readonly onDelete: string;
  readonly onUpdate: string;
}

/** Those of them with rows that it would happen to. What the key itself refuses (`restrict`) is named as well, before anything is tried. */
export async function readPointingRows(
  session: Session,
  folder: FolderSettings,
  integration: string,
  table: RememberedTable,
): Promise<readonly string[]> {
  if (!table.heldRows || table.now === null) return [];
  const keys = await session.query<ForeignKey>(sql`
    select upper(o.type) || ' ' || o.identity as object, n.nspname::text as schema, p.relname::text as table, k.confdeltype::text as "onDelete", k.confupdtype::text as "onUpdate",
      (select json_agg(a.attname order by c.at) from unnest(k.conkey) with ordinality c (number, at) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = c.number) as columns,
      (select json_agg(a.attname order by c.at) from unnest(k.confkey) with ordinality c (number, at) join pg_attribute a on a.attrelid = k.confrelid and a.attnum = c.number) as key
    from pg_class t join pg_constraint k on k.confrelid = t.oid and k.contype = 'f' and k.confdeltype <> 'a'
    join pg_class p on p.oid = k.conrelid join pg_namespace n on n.oid = p.relnamespace
    cross join lateral pg_identify_object('pg_constraint'::regclass, k.oid, 0) o
    where t.relnamespace = to_regnamespace(quote_ident(${folder.schema})) and t.relname = ${table.name} order by 1`);
  if (keys.length === 0) return [];
  const answers = await session.script(keys.map((key) => pointingSql(folder, integration, table, key)).join(';\n'));
  return keys.filter((_, at) => answers[at]?.rows[0]?.pointing === true).map(({ object }) => object);
}

function pointingSql(folder: FolderSettings, integration: string, { name }: RememberedTable, foreign: ForeignKey): string {
  const table = qualified(folder.schema, name);
  const literal = quoteLiteral(name);
  const own = foreign.schema === folder.schema && foreign.table === name;
  const key = foreign.key.map(quoteIdentifier);
  const joined = foreign.columns.map((column, at) => `p.${quoteIdentifier(column)} = t.${key[at]}`).join(' and ');
  const changed = `row(${key.map((column) => `t.${column}`).join(', ')}) is distinct from row(${key.map((column) => `r.${column}`).join(', ')})`;
  // Within the table: what goes along by itself loses nothing.
  const along = own
    ? `and not exists (select from w where w.row_number = p.${ROW_COLUMN} and w.row_number not in (select row_number from f))`
    : '';
  return `with w as materialized (${lastWritten(integration, literal)}), f as materialized (${formerRows(folder.id, integration, literal)})
    select exists (select from ${table} t join ${qualified(foreign.schema, foreign.table)} p on ${joined}
      left join f on f.row_number = t.${ROW_COLUMN} left join lateral jsonb_populate_record(null::${table}, f.value) r on f.row_number is not null
      where case when f.row_number is null then t.${ROW_COLUMN} in (select row_number from w) else ${foreign.onUpdate === 'c' || foreign.onUpdate === 'a' ? 'false' : changed} end ${along}) as pointing`;
}
