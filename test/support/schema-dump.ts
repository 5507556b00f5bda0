// What `pg_dump` writes of a schema, and the same for servers that no pg_dump here is new enough for: shape, order of columns, rows as they stand, numbers, rights.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { escapeIdentifier } from 'pg';
import { connected } from './environment.ts';
import { POSTGRES_15 } from './skip.ts';

const MOST_BYTES = 256 * 1024 * 1024;

/** Of PostgreSQL 15 byte by byte what `pg_dump` says, but for its random guard line; of a newer one lines that say as much. */
export async function schemaDump(url: string, schema: string): Promise<readonly string[]> {
  const own = await linesOf(url, schema);
  if (!(await isPostgres15(url))) return own;
  const { stdout } = await promisify(execFile)(join(POSTGRES_15, 'pg_dump'), ['--schema', schema, url], {
    maxBuffer: MOST_BYTES,
  });
  return [...own, ...stdout.split('\n').filter((line) => !/^\\(?:un)?restrict /.test(line))];
}

async function isPostgres15(url: string): Promise<boolean> {
  return connected(url, async (client) => {
    const { rows } = await client.query<{ version: number }>(
      `select current_setting('server_version_num')::integer / 10000 as version`,
    );
    return rows[0]?.version === 15;
  });
}

const SHAPE = `
  select concat_ws(' | ', 'table', c.relname, c.relkind, c.relpersistence, c.relreplident, c.relacl, c.reloptions, c.relrowsecurity, obj_description(c.oid, 'pg_class'), pg_get_userbyid(c.relowner)) as line
    from pg_class c where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'S', 'v')
  union all select concat_ws(' | ', 'column', c.relname, to_char(row_number() over (partition by c.oid order by a.attnum), '0000'), a.attname, format_type(a.atttypid, a.atttypmod),
      a.attcollation, a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attgenerated, a.attidentity, a.attstorage, a.attcompression, a.attstattarget, a.attacl, a.attoptions, col_description(c.oid, a.attnum))
    from pg_class c join pg_attribute a on a.attrelid = c.oid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'v') and a.attnum > 0 and not a.attisdropped
  union all select concat_ws(' | ', 'index', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisclustered, i.indisreplident, obj_description(i.indexrelid, 'pg_class'))
    from pg_index i join pg_class c on c.oid = i.indrelid where c.relnamespace = $1::regnamespace
  union all select concat_ws(' | ', 'constraint', c.relname, k.conname, k.convalidated, pg_get_constraintdef(k.oid), obj_description(k.oid, 'pg_constraint'))
    from pg_constraint k join pg_class c on c.oid = k.conrelid where c.relnamespace = $1::regnamespace
  union all select concat_ws(' | ', 'trigger', c.relname, pg_get_triggerdef(g.oid), g.tgenabled) from pg_trigger g join pg_class c on c.oid = g.tgrelid where c.relnamespace = $1::regnamespace and not g.tgisinternal
  union all select concat_ws(' | ', 'function', p.oid::regprocedure, p.proacl, case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end, obj_description(p.oid, 'pg_proc')) from pg_proc p where p.pronamespace = $1::regnamespace
  union all select concat_ws(' | ', 'schema', nspacl, pg_get_userbyid(nspowner)) from pg_namespace where oid = $1::regnamespace`;

async function linesOf(url: string, schema: string): Promise<readonly string[]> {
  return connected(url, async (client) => {
    await client.query(`set search_path = pg_catalog; set timezone = 'UTC'; set synchronize_seqscans = off`);
    const shape = await client.query<{ line: string }>(`select line from (${SHAPE}) l order by line collate "C"`, [schema]);
    const relations = await client.query<{ name: string; kind: string }>(
      `select relname as name, relkind as kind from pg_class where relnamespace = $1::regnamespace and relkind in ('r', 'S') order by relname collate "C"`,
      [schema],
    );
    const lines = shape.rows.map(({ line }) => line);
    for (const { name, kind } of relations.rows) {
      const columns = kind === 'S' ? 'last_value, is_called' : 't.*';
      const { rows } = await client.query<{ line: string }>(
        `select row(${columns})::text as line from ${escapeIdentifier(schema)}.${escapeIdentifier(name)} t ${kind === 'r' ? 'order by ctid' : ''}`,
      );
      lines.push(...rows.map(({ line }, at) => `row | ${name} | ${at} | ${line}`));
    }
    return lines;
  });
}
