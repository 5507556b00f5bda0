// Reads of the kept store: what was put aside in which folder (R27), and the values themselves.
import { id, qualified, sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';

export type KeptKind = 'table' | 'columns' | 'rows';

export interface KeptEntry {
  readonly id: number;
  readonly folder: string;
  /** When it was put aside, ISO 8601. */
  readonly at: string;
  /** Patch file that made it go; null where that was no patch. */
  readonly file: string | null;
  /** Who did that. */
  readonly by: string;
  /** Physical name; `rustine.translation` for texts by language. */
  readonly table: string;
  readonly kind: KeptKind;
  /** Physical column → type, where columns went away. */
  readonly columns: Readonly<Record<string, string>>;
  readonly rows: number;
  /** Code of the reason. */
  readonly why: string;
  readonly restored: { readonly at: string; readonly by: string } | null;
}

/** An entry with what it takes to put it back. */
export interface StoredEntry extends KeptEntry {
  readonly folderId: number;
  readonly folderState: string;
  readonly schema: string;
  readonly role: string | null;
  /** Name in schema `rustine_kept`, of a table that went away. */
  readonly relation: string | null;
  /** Name of an index there → its own name. */
  readonly indexes: Readonly<Record<string, string>>;
}

/** Table of the texts by language: the same for all folders, so that no table of a folder can be called like this. */
export const TEXTS_TABLE = 'rustine.translation';
export const KEPT_SCHEMA = 'rustine_kept';

export interface KeptFilter {
  readonly ids?: readonly number[];
  readonly folder?: string;
  readonly table?: string;
  /** Put aside before this day, `YYYY-MM-DD` (UTC). */
  readonly before?: string;
}

/** The latest first. */
export async function readStored(reader: Reader, filter: KeptFilter): Promise<readonly StoredEntry[]> {
  const { ids = null, folder = null, table = null, before = null } = filter;
  const rows = await reader.query<Omit<StoredEntry, 'id' | 'rows'> & { id: string; rows: string }>(sql`
    select k.id::text, f.code as folder, to_char(k.kept_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at, i.file,
      coalesce(nullif(k.kept_by, ''), i.operator, '') as by, k.table_name as table, k.kind, k.columns, k.rows::text, k.why,
      case when k.restored_at is not null then jsonb_build_object('at', to_char(k.restored_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'by', coalesce(k.restored_by, '')) end as restored,
      f.id as "folderId", f.state as "folderState", f.schema_name as schema, f.role_name as role, k.relation, k.indexes
    from rustine.kept k join rustine.folder f on f.id = k.folder left join rustine.integration i on i.id = k.integration
    where (${ids}::bigint[] is null or k.id = any(${ids}::bigint[])) and (${folder}::text is null or f.code = ${folder})
      and (${table}::text is null or k.table_name = lower(${table})) and (${before}::date is null or k.kept_at < ${before}::date::timestamp at time zone 'UTC')
    order by k.id desc`);
  return rows.map((row) => ({ ...row, id: Number(row.id), rows: Number(row.rows) }));
}

/** What people and programs see of it. */
export function entryOf(stored: StoredEntry): KeptEntry {
  const {
    folderId: _,
    folderState: _state,
    schema: _schema,
    role: _role,
    relation: _relation,
    indexes: _indexes,
    ...entry
  } = stored;
  return entry;
}

/** Column → value as text: no digit is lost on the way. */
export type Values = Readonly<Record<string, string | null>>;

export interface KeptRow {
  /** Number of the row in its folder. */
  readonly rowid: string;
  /** Fields of the table's first unique index, as far as they can be found. */
  readonly key: Values;
  readonly old: Values;
  /** What stands there now: the whole row, or the columns that went away; null where the row is gone. */
  readonly now: Values | null;
}

/** @param limit rows at the most */
export async function readKeptRows(reader: Reader, entry: StoredEntry, limit: number): Promise<readonly KeptRow[]> {
  const home = entry.kind === 'table' && !(await exists(reader, entry.schema, entry.table)) ? KEPT_SCHEMA : entry.schema;
  const name = home === KEPT_SCHEMA ? (entry.relation ?? '') : entry.table;
  if (entry.table === TEXTS_TABLE) return readTexts(reader, entry, limit);
  const there = await exists(reader, home, name);
  const key = there ? await keyColumns(reader, home, name) : [];
  const rows = await reader.query<{ rowid: string; old: Values; now: Values | null }>(await rowsQuery(reader, entry, limit));
  return rows.map(({ rowid, old, now }) => {
    const whole = { ...now, ...old };
    const found = Object.fromEntries(key.flatMap((column) => (column in whole ? [[column, whole[column] ?? null]] : [])));
    const shown = entry.kind === 'columns' && now !== null ? pick(now, Object.keys(entry.columns)) : now;
    return { rowid, key: found, old, now: shown };
  });
}

const pick = (values: Values, names: readonly string[]): Values =>
  Object.fromEntries(names.flatMap((name) => (name in values ? [[name, values[name] ?? null]] : [])));

async function rowsQuery(reader: Reader, entry: StoredEntry, limit: number) {
  const none = id('rustine', 'kept_row');
  const target = (await exists(reader, entry.schema, entry.table)) ? id(entry.schema, entry.table) : undefined;
  const moved = entry.relation !== null && (await exists(reader, KEPT_SCHEMA, entry.relation));
  const kept = moved ? id(KEPT_SCHEMA, entry.relation ?? '') : none;
  // Two shapes of source and two of target: each text is a whole statement that can be read.
  if (moved && target !== undefined)
    return sql`select k.rowid::text, (select jsonb_object_agg(e.key, e.value) from jsonb_each_text(to_jsonb(k)) e) as old,
        case when t.rowid is not null then (select jsonb_object_agg(e.key, e.value) from jsonb_each_text(to_jsonb(t)) e) end as now
      from (select * from ${kept} order by rowid limit ${limit}) k left join ${target} t on t.rowid = k.rowid order by k.rowid`;
  if (moved)
    return sql`select k.rowid::text, (select jsonb_object_agg(e.key, e.value) from jsonb_each_text(to_jsonb(k)) e) as old, null as now
      from ${kept} k order by k.rowid limit ${limit}`;
  if (target !== undefined)
    return sql`select k.row_number::text as rowid, (select jsonb_object_agg(e.key, e.value) from jsonb_each_text(k.value) e) as old,
        case when t.rowid is not null then (select jsonb_object_agg(e.key, e.value) from jsonb_each_text(to_jsonb(t)) e) end as now
      from (select * from ${none} where kept = ${entry.id} order by row_number limit ${limit}) k left join ${target} t on t.rowid = k.row_number order by k.row_number`;
  return sql`select k.row_number::text as rowid, (select jsonb_object_agg(e.key, e.value) from jsonb_each_text(k.value) e) as old, null as now
    from ${none} k where kept = ${entry.id} order by k.row_number limit ${limit}`;
}

async function readTexts(reader: Reader, entry: StoredEntry, limit: number): Promise<readonly KeptRow[]> {
  const rows = await reader.query<{ rowid: string; key: Values; old: string; now: string | null }>(sql`
    select k.row_number::text as rowid,
      jsonb_build_object('table_name', r.table_name, 'field', r.field, 'slot', r.slot::text, 'language', r.language, 'id1', r.id1, 'id2', r.id2) as key,
      r.text as old, t.text as now
    from rustine.kept_row k, jsonb_populate_record(null::rustine.translation, k.value) r
    left join rustine.translation t using (folder, table_name, field, slot, language, id1, id2)
    where k.kept = ${entry.id} order by k.row_number limit ${limit}`);
  return rows.map(({ rowid, key, old, now }) => ({ rowid, key, old: { text: old }, now: now === null ? null : { text: now } }));
}

async function exists(reader: Reader, schema: string, name: string): Promise<boolean> {
  const [row] = await reader.query<{ there: boolean }>(
    sql`select exists (select from pg_class where oid = to_regclass(${qualified(schema, name)}) and relkind = 'r') as there`,
  );
  return row?.there === true;
}

/** Of the unique index that comes first by name; where there is none, of the first one. */
async function keyColumns(reader: Reader, schema: string, name: string): Promise<readonly string[]> {
  const rows = await reader.query<{ column: string }>(sql`
    select a.attname as column
    from (select i.* from pg_index i join pg_class x on x.oid = i.indexrelid
      where i.indrelid = to_regclass(${qualified(schema, name)}) and i.indexprs is null and i.indpred is null order by not i.indisunique, x.relname limit 1) i
    cross join unnest(i.indkey) with ordinality as k (attnum, n) join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum order by k.n`);
  return rows.map((row) => row.column);
}
