// Where patch files that folders lack lie, as far as this machine knows: the places from which runs took them before.
import { access } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { sql } from '../database/sql.ts';
import type { Reader } from '../environment/catalog.ts';

/** File name → path, of those that are still there. */
export async function lagPaths(reader: Reader, files: readonly string[]): Promise<Readonly<Record<string, string>>> {
  if (files.length === 0) return {};
  const runs = await reader.query<{ file: string; paths: unknown }>(sql`
    select distinct on (f.file) f.file, r.request->'paths' as paths
    from rustine.run r, unnest(r.files) as f (file)
    where f.file = any(${[...new Set(files)]}::text[]) and r.host = ${hostname()} and jsonb_typeof(r.request->'paths') = 'array'
    order by f.file, r.started_at desc`);
  const found = await Promise.all(runs.map(async ({ file, paths }) => [file, await existing(file, paths)] as const));
  return Object.fromEntries(found.flatMap(([file, path]) => (path === undefined ? [] : [[file, path]])));
}

/** A path is a patch file, or a directory of them. */
async function existing(file: string, paths: unknown): Promise<string | undefined> {
  const texts = Array.isArray(paths) ? paths.filter((path) => typeof path === 'string') : [];
  for (const path of texts.map((each) => (basename(each) === file ? each : join(each, file)))) {
    const there = await access(path).then(
      () => true,
      () => false,
    );
    if (there) return path;
  }
  return undefined;
}
