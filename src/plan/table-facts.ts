// What a folder has that shapes its tables: activity codes, definitions that use a data type, names that are taken, what was put aside.
import type { Session } from '../database/database.ts';
import { quoteIdentifier, sql } from '../database/sql.ts';
import type { CodeState } from '../tables/generation.ts';
import type { FolderSettings } from './plan.ts';

/** Something put aside that may be put back (R27). */
export interface Aside {
  readonly id: string;
  readonly table: string;
  readonly kind: 'table' | 'columns';
  /** Physical columns that it holds. */
  readonly columns: readonly string[];
}

export async function gatherCodes(session: Session, folder: FolderSettings): Promise<Map<string, CodeState>> {
  const rows = await session.query<{ code: string; active: boolean; size: number }>(
    sql`select code, active, size from rustine.activity_codes(${folder.schema}, ${folder.code})`,
  );
  return new Map(rows.map(({ code, active, size }) => [code, { active, size }]));
}

/** Which of these activity codes tables of the folder carry. */
export async function gatherUsedCodes(session: Session, folder: FolderSettings, codes: readonly string[]): Promise<Set<string>> {
  const rows = await session.query<{ activity: string }>(sql`
    select distinct c.activity from rustine.record r join rustine.content c on c.id = r.content
    where r.folder = ${folder.id} and r.type = 'ATB' and c.activity = any(${codes}::text[])`);
  return new Set(rows.map((row) => row.activity));
}

/** Codes of the folder's tables with a field of one of these types that the folder has already. */
export async function gatherTypeUsers(
  session: Session,
  folder: FolderSettings,
  types: readonly string[],
): Promise<readonly string[]> {
  if (types.length === 0) return [];
  const rows = await session.query<{ name: string }>(sql`
    select distinct r.name from rustine.record r join rustine.content c on c.id = r.content
    where r.folder = ${folder.id} and r.type = 'ATB' and r.tag = 'ATZ'
      and c.fields ->> 'CODTYP' in (select name from rustine.record where folder = ${folder.id} and type = 'ATY' and tag = 'ATY' and name = any(${types}::text[]))`);
  return rows.map((row) => row.name);
}

/** Estimated rows of the folder's tables; those that PostgreSQL knows nothing about yet are missing. */
export async function gatherEstimates(session: Session, folder: FolderSettings): Promise<Map<string, number>> {
  const rows = await session.query<{ name: string; rows: number }>(sql`
    select relname::text as name, reltuples as rows from pg_class
    where relnamespace = to_regnamespace(quote_ident(${folder.schema})) and relkind = 'r' and reltuples >= 0`);
  return new Map(rows.map(({ name, rows: count }) => [name, count]));
}

export async function gatherAside(session: Session, folder: FolderSettings): Promise<readonly Aside[]> {
  return session.query<Aside>(sql`
    select id::text, table_name as table, kind, array(select jsonb_object_keys(columns)) as columns
    from rustine.kept where folder = ${folder.id} and restored_at is null and kind in ('table', 'columns') order by id`);
}

/** Who has a name. */
export interface Taken {
  /** Of a table of the folder's login: what takes it back, and leaves the login its rights. */
  readonly login?: { readonly owner: string; readonly statement: string };
}

/** Names in the schema that begin with one of these tables' and are neither such a table nor an index of one. */
export async function gatherTaken(
  session: Session,
  folder: FolderSettings,
  tables: readonly string[],
): Promise<ReadonlyMap<string, Taken>> {
  if (tables.length === 0) return new Map();
  const rows = await session.query<{ name: string; owned: boolean }>(sql`
    with wanted as (select distinct name from unnest(${tables}::text[]) name)
    select distinct x.relname::text as name, coalesce(x.relkind = 'r' and x.relowner = to_regrole(quote_ident(${folder.role})), false) as owned
    from pg_class x left join pg_index i on i.indexrelid = x.oid left join pg_class t on t.oid = i.indrelid cross join lateral (
      select array_to_string((string_to_array(x.relname, '_'))[1:n], '_') as prefix from generate_series(1, cardinality(string_to_array(x.relname, '_'))) n) p
    -- Within CASE the names are looked up in a hash table; a join compares each with each, as nobody knows how many there are: 1.8 s for 1,900 tables, now 0.1.
    where x.relnamespace = to_regnamespace(quote_ident(${folder.schema})) and case when p.prefix in (select name from wanted) then true else false end
      and not case when coalesce(t.relname, x.relname) in (select name from wanted) then x.relkind = 'i' or (x.relkind = 'r' and x.relowner <> coalesce(to_regrole(quote_ident(${folder.role})), 0)) else false end
      -- A typed view makes way for a table of its name.
      and not exists (select from rustine.dictionary_view v where x.relkind = 'v' and v.folder = ${folder.id} and v.name = x.relname)
    union
    -- A table is a type too; those of arrays make way by themselves.
    select typname::text, false from pg_type where typnamespace = to_regnamespace(quote_ident(${folder.schema})) and typrelid = 0 and typcategory <> 'A'
      and typname in (select name from wanted)`);
  const { schema, role } = folder;
  return new Map(rows.map(({ name, owned }) => [name, owned && role !== null ? { login: ofLogin(schema, role, name) } : {}]));
}

function ofLogin(schema: string, role: string, name: string): NonNullable<Taken['login']> {
  const table = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
  const grant = `grant select, insert, update, delete on ${table} to ${quoteIdentifier(role)}`;
  return { owner: role, statement: `alter table ${table} owner to current_user; ${grant}` };
}
