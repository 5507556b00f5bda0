// What folders have of the tables and fields that scripts use, and which scripts they have copies of: a few statements, however many folders.

import { sql } from '../database/sql.ts';
import type { Reader } from '../environment/catalog.ts';
import type { KnownTables } from './script-references.ts';

/** A table, or one of its fields, under its dictionary names. */
export interface WantedPart {
  readonly table: string;
  /** Empty: the table itself. */
  readonly field: string;
}

/** The dictionary's tables of a folder, and the fields of those that are named. */
export async function readKnownTables(
  reader: Reader,
  folder: number,
  wanted: (abbreviations: ReadonlyMap<string, string>) => readonly string[],
): Promise<KnownTables> {
  const heads = await reader.query<{ name: string; abbreviation: string | null }>(sql`
    select r.name, c.fields ->> 'ABRFIC' as abbreviation from rustine.record r join rustine.content c on c.id = r.content
    where r.folder = ${folder} and r.type = 'ATB' and r.tag = 'ATB'`);
  const abbreviations = new Map(heads.map(({ name, abbreviation }) => [abbreviation ?? '', name]));
  const names = new Set(heads.map(({ name }) => name));
  const tables = wanted(abbreviations).filter((name) => names.has(name));
  const rows =
    tables.length === 0
      ? []
      : await reader.query<{ name: string; fields: string[] }>(sql`
    select r.name, array_agg(r.key) as fields from rustine.record r
    where r.folder = ${folder} and r.type = 'ATB' and r.tag = 'ATZ' and r.name = any(${tables}::text[]) group by r.name`);
  const fields = new Map(rows.map((row) => [row.name, new Set(row.fields.map(fieldOfKey))]));
  for (const name of names) if (!fields.has(name)) fields.set(name, new Set());
  return { byAbbreviation: (abbreviation) => abbreviations.get(abbreviation), fieldsOf: (table) => fields.get(table) };
}

/** The key of a field's record is its name; a name that repeats goes on with `#`. */
export const fieldOfKey = (key: string): string => key.split('#', 1)[0] ?? '';

/** Folders that lack the same of what is wanted, once for all of them. */
export interface Lack {
  readonly folders: readonly number[];
  readonly missing: readonly WantedPart[];
}

export async function readLacks(
  reader: Reader,
  folders: readonly number[],
  wanted: readonly WantedPart[],
): Promise<readonly Lack[]> {
  if (folders.length === 0 || wanted.length === 0) return [];
  const rows = await reader.query<{ folders: number[]; missing: number[] }>(sql`
    with wanted as materialized (
      select place::integer - 1 as place, name, case field when '' then 'ATB' else 'ATZ' end as tag, case field when '' then name else field end as key
      from unnest(${wanted.map(({ table }) => table)}::text[], ${wanted.map(({ field }) => field)}::text[]) with ordinality as w (name, field, place)),
    lack as (
      select f.id as folder, array_agg(w.place order by w.place) as missing
      from unnest(${folders}::integer[]) f (id) cross join wanted w
      where not exists (
        select from rustine.record r where r.folder = f.id and r.type = 'ATB' and r.name = w.name collate "C" and r.tag = w.tag collate "C" and r.key = w.key collate "C")
      group by f.id)
    select array_agg(folder) as folders, missing from lack group by missing order by missing`);
  return rows.map((row) => ({ folders: row.folders, missing: row.missing.flatMap((place) => wanted[place] ?? []) }));
}

/** Of these folders, those that never got a patch as the supervisor folder has it: not at all, with other content, or without what was ignored there (R19). */
export async function readLagging(reader: Reader, supervisor: number, folders: readonly number[]): Promise<ReadonlySet<number>> {
  const rows = await reader.query<{ id: number }>(sql`
    with had as materialized (
      select distinct on (file) file, digest, ignored, left_out from rustine.integrated where folder = ${supervisor} and patch_type <> '2' order by file, id desc)
    select f.id from unnest(${folders}::integer[]) f (id)
    where exists (select from had h where not exists (select from rustine.integrated i where i.folder = f.id and i.file = h.file
        and i.digest = h.digest and i.ignored <@ h.ignored and i.left_out <@ h.left_out))`);
  return new Set(rows.map(({ id }) => id));
}

/** Folders that have a copy of their own of one of these scripts, by `kind\0name`. */
export async function readCopyHolders(
  reader: Reader,
  scripts: readonly { readonly kind: string; readonly name: string }[],
): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const rows = await reader.query<{ script: string; folders: number[] }>(sql`
    select s.kind || chr(1) || s.name as script, array_agg(s.folder) as folders
    from rustine.script s join unnest(${scripts.map(({ kind }) => kind)}::text[], ${scripts.map(({ name }) => name)}::text[]) as w (kind, name)
      on s.kind = w.kind collate "C" and s.name = w.name collate "C"
    group by s.kind, s.name`);
  return new Map(rows.map(({ script, folders }) => [script.replace('\x01', '\0'), new Set(folders)]));
}
