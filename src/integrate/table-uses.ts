// Who else in the database needs a table or its columns: views, foreign keys, computed columns, policies, sequences, statistics, tables that inherit. Named as SQL does, with their owner.
import { sql } from '../database/sql.ts';
import type { Reader } from '../environment/catalog.ts';
import type { WayBack } from '../tables/shape.ts';
import type { RememberedTable } from './remembered.ts';

export interface Use {
  readonly table: string;
  readonly column: string;
  /** As SQL calls it, and whose it is: `VIEW bi.totals (alice)`. */
  readonly object: string;
}

/** A column whose use is asked for; without a name: all of the table. */
export interface Used {
  readonly table: string;
  readonly column: string | null;
}

/** Other objects that need what goes or gets another type; not what goes along by itself. */
export async function readUses(reader: Reader, schema: string, used: readonly Used[]): Promise<readonly Use[]> {
  return reader.query<Use>(sql`
    select distinct c.relname::text as table, coalesce(a.attname::text, '') as column,
      upper(o.type) || ' ' || o.identity || coalesce(' (' || pg_get_userbyid(v.relowner) || ')', '') as object
    from unnest(${used.map(({ table }) => table)}::name[], ${used.map(({ column }) => column)}::name[]) as w (t, c)
    join pg_class c on c.relnamespace = to_regnamespace(quote_ident(${schema})) and c.relname = w.t
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid
    left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid
    left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
    left join pg_class v on v.oid = r.ev_class
    left join pg_attrdef f on d.classid = 'pg_attrdef'::regclass and f.oid = d.objid
    cross join lateral pg_identify_object(
      case when v.oid is null and f.oid is null then d.classid else 'pg_class'::regclass end, coalesce(v.oid, f.adrelid, d.objid),
      case when v.oid is not null then 0 when f.oid is not null then f.adnum else d.objsubid end) o
    where (w.c is null or a.attname = w.c) and (d.deptype = 'n' or (d.classid = 'pg_class'::regclass and d.objid = c.oid and d.objsubid > 0))
      and not coalesce(f.adrelid = c.oid and (w.c is null or f.adnum = a.attnum), false)
    order by 1, 3, 2`);
}

/** Who is in the way of putting a table back. Functions are not: those of the patch go before. @param way of a table that the patch changed */
export async function readTableUses(
  reader: Reader,
  schema: string,
  { name, change, referenced }: RememberedTable,
  way: WayBack | undefined,
): Promise<readonly string[]> {
  const columns =
    way === undefined
      ? []
      : [...way.added, ...way.moved, ...way.changed.filter(({ was, is }) => was.type !== is.type).map(({ is }) => is)];
  const used =
    change === 'created' ? [{ table: name, column: null }] : columns.map((column) => ({ table: name, column: column.name }));
  const uses = used.length === 0 ? [] : await readUses(reader, schema, used);
  // What belongs to a column goes with it. Sequences of columns that come anew are kept.
  const owned = way === undefined ? [] : await readOwned(reader, schema, name, way);
  // A table that others point to cannot be emptied.
  const pointing = referenced && (way?.moved.length ?? 0) > 0 ? await readPointing(reader, schema, name) : [];
  const heirs = await readHeirs(reader, schema, name);
  return [...new Set([...uses.map(({ object }) => object), ...owned, ...pointing, ...heirs])].filter(
    (object) => !object.startsWith('FUNCTION '),
  );
}

/** Sequences of columns (serial, identity), extended statistics. */
async function readOwned(reader: Reader, schema: string, table: string, { added, moved }: WayBack): Promise<readonly string[]> {
  const columns = [...added, ...moved].map((column) => column.name);
  if (columns.length === 0) return [];
  const rows = await reader.query<{ object: string }>(sql`
    select distinct upper(o.type) || ' ' || o.identity as object from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = any (${columns}::name[])
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.refobjsubid = a.attnum and d.deptype in ('a', 'i')
    cross join lateral pg_identify_object(d.classid, d.objid, 0) o
    where c.relnamespace = to_regnamespace(quote_ident(${schema})) and c.relname = ${table} and (o.type = 'statistics object' or (o.type = 'sequence' and a.attname = any (${added.map((column) => column.name)}::name[]))) order by 1`);
  return rows.map(({ object }) => object);
}

async function readPointing(reader: Reader, schema: string, table: string): Promise<readonly string[]> {
  const rows = await reader.query<{ object: string }>(sql`
    select upper(o.type) || ' ' || o.identity as object from pg_class c join pg_constraint k on k.confrelid = c.oid and k.conrelid <> c.oid and k.contype = 'f'
    cross join lateral pg_identify_object('pg_constraint'::regclass, k.oid, 0) o
    where c.relnamespace = to_regnamespace(quote_ident(${schema})) and c.relname = ${table} order by 1`);
  return rows.map(({ object }) => object);
}

/** Tables that inherit from it: their rows are seen in it, and what is done to its columns is done to theirs. */
async function readHeirs(reader: Reader, schema: string, table: string): Promise<readonly string[]> {
  const rows = await reader.query<{ object: string }>(sql`
    select upper(o.type) || ' ' || o.identity as object from pg_class c join pg_inherits h on h.inhparent = c.oid
    cross join lateral pg_identify_object('pg_class'::regclass, h.inhrelid, 0) o
    where c.relnamespace = to_regnamespace(quote_ident(${schema})) and c.relname = ${table} order by 1`);
  return rows.map(({ object }) => object);
}
