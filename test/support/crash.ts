// Stops the real command line where a crash would, and compares what folders hold before and after.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { escapeIdentifier } from 'pg';
import { connected } from './environment.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/rustine.js');

export interface Stopped {
  /** null: killed. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly ms: number;
}

export interface Stop {
  /** A named point, `planned` or `planned:3`. */
  readonly at?: string;
  /** Milliseconds after the start. */
  readonly after?: number;
}

/** Runs the program as a person would; killed without warning where `stop` says so. */
export async function rustine(argv: readonly string[], stop: Stop = {}): Promise<Stopped> {
  const started = performance.now();
  const env = { ...process.env, ...(stop.at === undefined ? {} : { RUSTINE_STOP_AT: stop.at }) };
  const child = spawn(process.execPath, [PROGRAM, ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const timer = stop.after === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), stop.after);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString(), ms: performance.now() - started };
}

/** Waits until the server has noticed that its clients are gone: until then a last statement may still run. */
export async function abandoned(url: string): Promise<void> {
  await connected(url, async (client) => {
    for (;;) {
      const { rows } = await client.query(
        `select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
      );
      if (rows.length === 0) return;
      await sleep(5);
    }
  });
}

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
  select concat_ws(' | ', 'folder', code, state, languages, activity_codes, test, specific, due) as line from rustine.folder where id = $1
  union all select concat_ws(' | ', 'element', type, name, title) from rustine.element where folder = $1
  union all select concat_ws(' | ', 'record', r.type, r.name, r.tag, r.key, r.position, c.activity, c.fields, encode(c.digest, 'hex'), d.fields)
    from rustine.record r join rustine.content c on c.id = r.content left join rustine.offer o on o.folder = r.folder and o.type = r.type and o.name = r.name and o.tag = r.tag and o.key = r.key left join rustine.content d on d.id = o.content where r.folder = $1
  union all select concat_ws(' | ', 'dictionary', x.type, x.name, x.title, x.tag, x.key, x.position, x.activity, x.fields, x.delivered)
    from rustine.dictionary x join rustine.folder f on f.code = x.folder where f.id = $1
  union all select concat_ws(' | ', 'script', s.kind, s.name, s.title, encode(b.bytes, 'hex'))
    from rustine.script s left join rustine.blob b on b.digest = s.digest where s.folder = $1
  union all select concat_ws(' | ', 'pending', script, title) from rustine.pending_script where folder = $1
  union all select concat_ws(' | ', 'translation', table_name, field, slot, language, id1, id2, text) from rustine.translation where folder = $1
  union all select concat_ws(' | ', 'remainder', i.file, x.table_name, x.ordinal, x.fields)
    from rustine.remainder x left join rustine.integration i on i.id = x.integration where x.folder = $1
  union all select concat_ws(' | ', 'integration', file, encode(digest, 'hex'), patch_type, series, number, version, apatch_num, ignored, rows, outcome - 'ms')
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
  union all select concat_ws(' | ', 'index', indexdef, i.indisvalid) from pg_indexes x join pg_class c on c.relname = x.indexname and c.relnamespace = to_regnamespace(quote_ident($1))
    join pg_index i on i.indexrelid = c.oid where x.schemaname = $1
  union all select concat_ws(' | ', 'other', relkind, relname) from pg_class where relnamespace = to_regnamespace(quote_ident($1)) and relkind not in ('r', 'i')
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

/** What is left of runs and their staging: nothing may be left after a run that ended. */
export async function leftovers(url: string): Promise<readonly string[]> {
  return connected(url, async (client) => {
    const { rows } = await client.query<{ line: string }>(`
      select concat_ws(' ', 'run', id, state) as line from rustine.run where state = 'running'
      union all select concat_ws(' ', 'work', id, pid) from rustine.work
      union all select distinct concat_ws(' ', 'plan_item', plan) from rustine.plan_item
      union all select distinct concat_ws(' ', 'plan_write', plan) from rustine.plan_write
      union all select distinct concat_ws(' ', 'delivery_element', delivery) from rustine.delivery_element
      union all select concat_ws(' ', 'prepared', gid) from pg_prepared_xacts where database = current_database()`);
    return rows.map(({ line }) => line);
  });
}

/** Pseudo-random numbers from 0 to 1: the same for the same seed, so a failure can be repeated. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
