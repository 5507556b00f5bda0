// What a table's change or rows met in the database that no plan can see: somebody's view on a column, a row that is too long. Told as a refusal.
import { Refusal } from '../base/errors.ts';
import { serverError } from '../database/postgres.ts';
import { sql } from '../database/sql.ts';
import type { Reader } from '../environment/catalog.ts';
import type { TableChange } from '../tables/diff.ts';

/** 2BP01: something else needs what goes · 0A000: a column in use by a view, trigger or computed column cannot get another type. */
const IN_USE = /^(?:2BP01|0A000)$/;
/** Of a row, an index entry or one value. */
const TOO_LONG = '54000';

/** @param reader outside of the transaction that failed. @param written tables that get rows: the server does not always say which one it was. @returns the error itself where it is none of these */
export async function tableFailure(
  error: unknown,
  reader: Reader,
  folder: { readonly code: string; readonly schema: string },
  changes: readonly TableChange[],
  written: readonly string[] = [],
): Promise<unknown> {
  const said = serverError(error);
  if (said === undefined) return error;
  if (said.sqlstate === TOO_LONG) {
    const altered = changes.flatMap((change) => (change.change === 'alter' ? [change.table] : []));
    const tables = said.table === undefined ? [...new Set([...written, ...altered])] : [said.table];
    return new Refusal(
      'row-too-long',
      { folder: folder.code, tables: tables.map((table) => table.toUpperCase()), reason: said.message },
      error,
    );
  }
  if (!IN_USE.test(said.sqlstate)) return error;
  const [first, ...others] = await readUses(reader, folder.schema, changes).catch(() => []);
  if (first === undefined) return error;
  const same = [first, ...others].filter(({ table }) => table === first.table);
  return new Refusal(
    'column-in-use',
    {
      element: `ATB:${first.table.toUpperCase()}`,
      folder: folder.code,
      table: first.table.toUpperCase(),
      columns: [...new Set(same.map(({ column }) => column))],
      objects: [...new Set(same.map(({ object }) => object))],
    },
    error,
  );
}

interface Use {
  readonly table: string;
  readonly column: string;
  /** As SQL calls it, and whose it is: `VIEW bi.totals (alice)`. */
  readonly object: string;
}

/** Other objects that need columns which go or get another type; not what goes along by itself. */
async function readUses(reader: Reader, schema: string, changes: readonly TableChange[]): Promise<readonly Use[]> {
  const columns = changes.flatMap((change) =>
    change.change !== 'alter'
      ? []
      : change.steps.flatMap((step) =>
          step.step === 'drop-column' || 'from' in step ? [{ table: change.table, column: step.column }] : [],
        ),
  );
  return reader.query<Use>(sql`
    select distinct c.relname::text as table, a.attname::text as column,
      upper(o.type) || ' ' || o.identity || coalesce(' (' || pg_get_userbyid(v.relowner) || ')', '') as object
    from unnest(${columns.map(({ table }) => table)}::name[], ${columns.map(({ column }) => column)}::name[]) as w (t, c)
    join pg_class c on c.relnamespace = to_regnamespace(quote_ident(${schema})) and c.relname = w.t
    join pg_attribute a on a.attrelid = c.oid and a.attname = w.c
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.refobjsubid = a.attnum
    left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
    left join pg_class v on v.oid = r.ev_class
    left join pg_attrdef f on d.classid = 'pg_attrdef'::regclass and f.oid = d.objid
    cross join lateral pg_identify_object(
      case when v.oid is null and f.oid is null then d.classid else 'pg_class'::regclass end, coalesce(v.oid, f.adrelid, d.objid),
      case when v.oid is not null then 0 when f.oid is not null then f.adnum else d.objsubid end) o
    where (d.deptype = 'n' or (d.classid = 'pg_class'::regclass and d.objid = c.oid and d.objsubid > 0))
      and not coalesce(f.adrelid = c.oid and f.adnum = a.attnum, false)
    order by 1, 3, 2`);
}
