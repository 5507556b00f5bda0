// What folders hold, as text lines: equal for equal folders, so that two of them, or one before and after, can be compared.
import type { Client } from 'pg';
import { escapeIdentifier } from 'pg';
import { connected } from './environment.ts';

/**
 * All that a folder holds, as text lines that are equal for equal folders: shape and rows of its tables, dictionary, scripts, what it has
 * integrated. Left out is what differs between two runs that do the same: times, numbers given by sequences, random identifiers.
 */
export type Holding = readonly string[];

export interface Environment {
  readonly folders: ReadonlyMap<string, Holding>;
  /** Files that have an APATCH row, by folder, in order. */
  readonly apatch: ReadonlyMap<string, readonly string[]>;
}

export async function holdings(url: string): Promise<Environment> {
  return connected(url, async (client) => {
    const folders = new Map<string, Holding>();
    const apatch = new Map<string, readonly string[]>();
    const there = await client.query<{ exists: boolean }>(`select to_regclass('rustine.folder') is not null as exists`);
    if (there.rows[0]?.exists !== true) return { folders, apatch };
    await client.query('begin isolation level repeatable read');
    const { rows } = await client.query<{ id: number; code: string; schema: string; role: string | null }>(
      'select id, code, schema_name as schema, role_name as role from rustine.folder order by code',
    );
    for (const { id, code, schema, role } of rows) {
      folders.set(code, [...(await catalogLines(client, id)), ...(await schemaLines(client, schema, role))]);
      const files = await client.query<{ file: string }>(
        `select fic_0 as file from ${escapeIdentifier(schema)}.apatch order by num_0`,
      );
      apatch.set(
        code,
        files.rows.map(({ file }) => file),
      );
    }
    await client.query('commit');
    return { folders, apatch };
  });
}

const CATALOG_LINES = `
  select concat_ws(' | ', 'folder', code, state, languages, activity_codes, legislations, modules, test, specific, due) as line from rustine.folder where id = $1
  union all select concat_ws(' | ', 'element', type, name, title) from rustine.element where folder = $1
  union all select concat_ws(' | ', 'record', r.type, r.name, r.tag, r.key, r.position, c.activity, c.fields, encode(c.digest, 'hex'), r.changed)
    from rustine.record r join rustine.content c on c.id = r.content where r.folder = $1
  union all select concat_ws(' | ', 'dictionary', x.type, x.name, x.title, x.tag, x.key, x.position, x.activity, x.fields, x.delivered)
    from rustine.dictionary x join rustine.folder f on f.code = x.folder where f.id = $1
  union all select concat_ws(' | ', 'script', s.kind, s.name, s.title, encode(b.bytes, 'hex'))
    from rustine.script s left join rustine.blob b on b.digest = s.digest where s.folder = $1
  union all select concat_ws(' | ', 'offer', o.type, o.name, o.tag, o.key, o.scope, o.code, o.position, encode(c.digest, 'hex'), b.fields)
    from rustine.offer o join rustine.content c on c.id = o.content left join rustine.content b on b.id = o.before where o.folder = $1
  union all select concat_ws(' | ', 'kept', kind, table_name, columns, rows, why, restored_at is null) from rustine.kept where folder = $1
  union all select concat_ws(' | ', 'kept row', k.table_name, r.value - array['rowid', 'credattim_0', 'upddattim_0', 'dat_0', 'auuid_0'])
    from rustine.kept k join rustine.kept_row r on r.kept = k.id where k.folder = $1
  union all select concat_ws(' | ', 'function', kind, name, function) from rustine.script_function where folder = $1
  union all select concat_ws(' | ', 'pending', script, title, language) from rustine.pending_script where folder = $1
  union all select concat_ws(' | ', 'translation', table_name, field, slot, language, id1, id2, text) from rustine.translation where folder = $1
  union all select concat_ws(' | ', 'remainder', i.file, x.table_name, x.ordinal, x.fields)
    from rustine.remainder x left join rustine.integration i on i.id = x.integration where x.folder = $1
  union all select concat_ws(' | ', 'integration', file, encode(digest, 'hex'), patch_type, series, number, version, apatch_num, ignored, rows,
      -- How many rows a table has is the server's guess, which changes when it has looked.
      regexp_replace((outcome - 'ms')::text, '"rows": (null|[0-9]+), "step"', '"step"', 'g'))
    from rustine.integration where folder = $1
  union all select concat_ws(' | ', 'event', e.event #>> '{outcome,file}', e.event #> '{outcome,elements}')
    from rustine.event e join rustine.folder f on f.code = e.event ->> 'folder'
    where f.id = $1 and e.event ->> 'kind' = 'patch-finished' and e.event #>> '{outcome,state}' = 'integrated'`;

async function catalogLines(client: Client, folder: number): Promise<readonly string[]> {
  const { rows } = await client.query<{ line: string }>(
    `select line from (${CATALOG_LINES}) all_lines order by line collate "C"`,
    [folder],
  );
  return rows.map(({ line }) => line);
}

const SHAPE_LINES = `
  select concat_ws(' | ', 'column', c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) as line
    from pg_class c join pg_attribute a on a.attrelid = c.oid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = to_regnamespace(quote_ident($1)) and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
  union all select concat_ws(' | ', 'view column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod)) from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = to_regnamespace(quote_ident($1)) and c.relkind = 'v' and a.attnum > 0
  union all select concat_ws(' | ', 'index', indexdef, i.indisvalid) from pg_indexes x join pg_class c on c.relname = x.indexname and c.relnamespace = to_regnamespace(quote_ident($1))
    join pg_index i on i.indexrelid = c.oid where x.schemaname = $1
  union all select concat_ws(' | ', 'other', relkind, relname) from pg_class where relnamespace = to_regnamespace(quote_ident($1)) and relkind not in ('r', 'i')
  union all select concat_ws(' | ', 'function in place', p.oid::regprocedure, p.prosrc, (select rolname from pg_roles r where r.oid = p.proowner) = $2) from pg_proc p where p.pronamespace = to_regnamespace(quote_ident($1))
  union all select concat_ws(' | ', 'schema rights', has_schema_privilege($2, $1, 'create'))
  union all select concat_ws(' | ', 'rights', relname, replace(relacl::text, coalesce($2, '-'), 'role')) from pg_class where relnamespace = to_regnamespace(quote_ident($1)) and relkind = 'r'`;

/** Columns of rows that no two runs have in common. */
const PASSING = ['rowid', 'credattim_0', 'upddattim_0', 'dat_0', 'auuid_0'];

async function schemaLines(client: Client, schema: string, role: string | null): Promise<readonly string[]> {
  const shape = await client.query<{ line: string }>(`select line from (${SHAPE_LINES}) all_lines order by line collate "C"`, [
    schema,
    role,
  ]);
  const tables = await client.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = to_regnamespace(quote_ident($1)) and relkind = 'r' order by relname`,
    [schema],
  );
  const lines = shape.rows.map(({ line }) => line);
  for (const { name } of tables.rows) {
    const { rows } = await client.query<{ line: string }>(
      `select (to_jsonb(t) - $1::text[])::text as line from ${escapeIdentifier(schema)}.${escapeIdentifier(name)} t order by 1`,
      [PASSING],
    );
    lines.push(...rows.map(({ line }) => `row | ${name} | ${line}`));
  }
  return lines;
}

/** Lines that only one of the two has, for messages that can be read. */
export function difference(one: Holding, other: Holding): readonly string[] {
  const [left, right] = [new Set(one), new Set(other)];
  return [
    ...one.filter((line) => !right.has(line)).map((line) => `- ${line}`),
    ...other.filter((line) => !left.has(line)).map((line) => `+ ${line}`),
  ];
}
