// Reads of the catalog: the environment, its folders, what each has integrated.
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Ancestor, Folder, FolderState } from './folder.ts';
import type { FolderLock } from './folder-lock.ts';

export interface Environment {
  readonly supervisor: string;
  readonly version: number;
  readonly roles: boolean;
}

/** Anything that runs one statement: a session inside a transaction, or the database. */
export type Reader = Pick<Session, 'query'>;

/** @returns undefined when the database holds no environment yet */
export async function readEnvironment(reader: Reader): Promise<Environment | undefined> {
  const [there] = await reader.query<{ there: boolean }>(sql`select to_regclass('rustine.environment') is not null as there`);
  if (there?.there !== true) return undefined;
  return readCatalog(reader);
}

/** The same where there is a catalog; else the database's error. */
export async function readCatalog(reader: Reader): Promise<Environment | undefined> {
  const [row] = await reader.query<Environment>(sql`select supervisor, version, roles from rustine.environment`);
  return row;
}

interface FolderRow {
  readonly id: number;
  readonly code: string;
  readonly parent: string | null;
  readonly state: FolderState;
  readonly schema_name: string;
  readonly role_name: string | null;
  readonly languages: readonly string[];
  readonly activity_codes: readonly string[];
  readonly activity_sizes: Readonly<Record<string, number>>;
  readonly legislations: readonly string[];
  readonly modules: readonly number[] | null;
  readonly test: boolean;
  readonly specific: boolean;
  readonly history_of: string | null;
  readonly due: readonly string[];
  readonly locked: FolderLock | null;
  readonly depth: number;
  readonly ancestors: readonly Ancestor[];
  readonly mirror: boolean;
}

/** All folders, the supervisor folder first, then level by level. */
export async function readFolders(reader: Reader): Promise<readonly Folder[]> {
  const rows = await reader.query<FolderRow>(sql`
    with recursive tree as (
      select id, 0 as depth, '[]'::jsonb as ancestors from rustine.folder where parent is null
      union all
      select f.id, t.depth + 1, jsonb_build_array(jsonb_build_object('id', p.id, 'code', p.code, 'schema', p.schema_name)) || t.ancestors
      from tree t join rustine.folder p on p.id = t.id join rustine.folder f on f.parent = t.id)
    select f.id, f.code, p.code as parent, f.state, f.schema_name, f.role_name, f.languages, f.activity_codes, f.activity_sizes, f.legislations, f.modules, f.test, f.specific,
      h.code as history_of, case when h.id is null then f.due else f.due || rustine.due_after_live(f, h) end as due, f.locked, f.mirror, t.depth, t.ancestors
    from tree t join rustine.folder f on f.id = t.id left join rustine.folder p on p.id = f.parent left join rustine.folder h on h.id = f.history_of
    order by t.depth, f.code`);
  return rows.map(folderOf);
}

function folderOf(row: FolderRow): Folder {
  return {
    id: row.id,
    code: row.code,
    parent: row.parent,
    depth: row.depth,
    state: row.state,
    schema: row.schema_name,
    role: row.role_name,
    languages: row.languages,
    activityCodes: row.activity_codes,
    activitySizes: row.activity_sizes,
    legislations: row.legislations,
    modules: row.modules,
    test: row.test,
    specific: row.specific,
    historyOf: row.history_of,
    due: row.due,
    ancestors: row.ancestors,
    ...(row.locked === null ? {} : { locked: row.locked }),
    ...(row.mirror ? { mirror: true } : {}),
  };
}

/** What a folder has integrated of one file: the latest time. */
export interface Integrated {
  readonly folder: number;
  readonly file: string;
  readonly digest: string;
  readonly at: string;
  readonly ignored: readonly string[];
  /**
   * Rows are still to come: a new folder has only what the patch brought to its parent's dictionary, or rows were left out for a table or
   * column that the folder did not have then and has now.
   */
  readonly open: boolean;
}

export async function readIntegrated(
  reader: Reader,
  folders: readonly number[],
  files: readonly string[],
): Promise<readonly Integrated[]> {
  return reader.query<Integrated>(sql`
    select distinct on (folder, file) folder, file, encode(digest, 'hex') as digest, to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as at, ignored, apatch_num is null or reopened as open
    from rustine.integrated where folder = any(${folders}::integer[]) and file = any(${files}::text[]) order by folder, file, id desc`);
}

/** Which of these activity codes records of folders carry. */
export async function readCarriedCodes(reader: Reader, codes: readonly string[]): Promise<ReadonlySet<string>> {
  if (codes.length === 0) return new Set();
  const rows = await reader.query<{ activity: string }>(
    sql`select distinct activity from rustine.content where activity = any(${codes}::text[])`,
  );
  return new Set(rows.map((row) => row.activity));
}

/** Numbers that folders have in the series asked for. */
export interface Sequence {
  readonly folders: readonly FolderNumbers[];
  /** Patches of the supervisor folder, whatever folders are given: what it has others may lack. */
  readonly supervisor: readonly SeriesNumber[];
}

export interface FolderNumbers {
  readonly folder: number;
  readonly series: string;
  readonly version: string;
  readonly numbers: readonly number[];
}

export interface SeriesNumber {
  readonly file: string;
  readonly patchType: string;
  readonly series: string;
  readonly version: string;
  readonly number: number;
}

/** @param series `P_140`. One row for each folder and series: hundreds of folders have hundreds of numbers each */
export async function readSequence(reader: Reader, folders: readonly number[], series: readonly string[]): Promise<Sequence> {
  if (series.length === 0) return { folders: [], supervisor: [] };
  const [row] = await reader.query<Sequence>(sql`
    with numbered as materialized (
      select i.folder, f.parent is null as supervisor, i.file, i.patch_type, i.series, i.version, i.number
      from rustine.integrated i join rustine.folder f on f.id = i.folder
      where (i.folder = any(${folders}::integer[]) or f.parent is null) and i.series || '_' || i.version = any(${series}::text[]))
    select coalesce((select json_agg(g) from (
        select folder, series, version, json_agg(distinct number) as numbers from numbered where folder = any(${folders}::integer[]) group by 1, 2, 3) g), '[]') as folders,
      coalesce((select json_agg(g) from (
        select distinct file, patch_type as "patchType", series, version, number from numbered where supervisor) g), '[]') as supervisor`);
  return row ?? { folders: [], supervisor: [] };
}

export interface FolderLevel {
  readonly folder: number;
  readonly level: Readonly<Record<string, number>>;
  readonly lag: readonly string[];
  readonly patches: number;
  readonly tables: number;
}

/**
 * Level, lag, and counts of all folders in one statement. Lag is what the supervisor folder has of standard patches and a folder has not, or
 * has with other content; history folders never lag by themselves (R36). Folders that have the same standard patches lack the same, so it is
 * looked up once for all of them.
 */
export async function readLevels(reader: Reader): Promise<readonly FolderLevel[]> {
  return reader.query<FolderLevel>(sql`
    with standing as materialized (
      select f.id, f.history_of, s.level, s.patches, s.standard from rustine.folder f cross join lateral rustine.standing(f.id) s where f.level is null
      union all
      select id, history_of, level, patches, standard from rustine.folder where level is not null),
    supervisor as materialized (select s.id, s.standard from standing s join rustine.folder f using (id) where f.parent is null),
    had as materialized (
      select distinct on (file) file, digest, patch_type, min(id) over (partition by file) as first
      from (select file, digest, patch_type, id from rustine.integrated where folder = (select id from supervisor) and apatch_num is not null) i
      order by file, id desc),
    other as materialized (
      select standard, min(id) as id from standing where history_of is null and standard <> (select standard from supervisor) group by standard),
    theirs as materialized (
      select distinct on (o.standard, i.file) o.standard, i.file, i.digest from other o join rustine.integrated i on i.folder = o.id and i.apatch_num is not null
      order by o.standard, i.file, i.id desc),
    lag as (
      select o.standard, json_agg(h.file order by h.first) as files
      from other o cross join had h left join theirs t on t.standard = o.standard and t.file = h.file
      where h.patch_type = '1' and t.digest is distinct from h.digest group by o.standard)
    select s.id as folder, s.level, case when s.history_of is null then coalesce(l.files, '[]') else '[]' end as lag, s.patches,
      (select count(*)::integer from rustine.element e where e.folder = s.id and e.type = 'ATB') as tables
    from standing s left join lag l on l.standard = s.standard`);
}
