// Further servers of the environment and the folders that live there, as the environment's own catalog knows them.
import { Refusal } from '../base/errors.ts';
import type { Session } from '../database/database.ts';
import { sqlState } from '../database/postgres.ts';
import { sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';
import type { FolderState } from './folder.ts';

export interface Server {
  readonly number: number;
  readonly name: string;
  /** Without its password. */
  readonly url: string;
}

export interface FolderElsewhere {
  readonly code: string;
  /** Name of its server. */
  readonly server: string;
  readonly parent: string;
  readonly state: FolderState;
}

export interface Directory {
  readonly servers: readonly Server[];
  readonly folders: readonly FolderElsewhere[];
}

const UNDEFINED_TABLE = '42P01';

/** One statement, which every command sends. Empty also where there is no environment, or one of an earlier version: it has no further servers. */
export async function readDirectory(reader: Reader): Promise<Directory> {
  const rows = await reader
    .query<Server & { readonly folders: readonly Omit<FolderElsewhere, 'server'>[] }>(sql`
      select s.number, s.name, s.url, (select coalesce(json_agg(json_build_object('code', f.code, 'parent', f.parent, 'state', f.state) order by f.code), '[]')
        from rustine.folder_elsewhere f where f.server = s.number) as folders
      from rustine.server s order by s.number`)
    .catch((error: unknown) => {
      if (sqlState(error) === UNDEFINED_TABLE) return [];
      throw error;
    });
  return {
    servers: rows.map(({ number, name, url }) => ({ number, name, url })),
    folders: rows.flatMap(({ name, folders }) => folders.map((folder) => ({ ...folder, server: name }))),
  };
}

/** One at a time: of two that add the same database under two names, the second one finds the first. */
export async function insertServer(session: Session, name: string, url: string, operator: string): Promise<Server> {
  await session.script('lock table rustine.server in share row exclusive mode');
  const [server] = await session.query<Server>(sql`
    insert into rustine.server (name, url, added_by) values (${name}, ${url}, ${operator})
    on conflict (name) do nothing returning number, name, url`);
  if (server === undefined) throw new Refusal('server-exists', { server: name });
  return server;
}

/** Until the end of the transaction nothing more is noted of it. @throws Refusal `server-in-use` */
export async function lockServer(session: Session, { number, name }: Server): Promise<void> {
  await session.query(sql`select from rustine.server where number = ${number} for update`);
  const folders = await session.query<{ code: string }>(
    sql`select code from rustine.folder_elsewhere where server = ${number} order by code`,
  );
  if (folders.length > 0) throw new Refusal('server-in-use', { server: name, folders: folders.map(({ code }) => code) });
}

export async function deleteServer(session: Session, { number }: Server): Promise<void> {
  await session.query(sql`delete from rustine.server where number = ${number}`);
}

/** A standard patch that the supervisor folder has: what others can lag behind. */
export interface StandardPatch {
  readonly file: string;
  readonly digest: string;
}

/** Of the supervisor folder of this database, in the order in which they came. */
export async function readStandardPatches(reader: Reader): Promise<readonly StandardPatch[]> {
  return reader.query<StandardPatch>(sql`
    select file, digest from (
      select distinct on (file) file, encode(digest, 'hex') as digest, patch_type, min(id) over (partition by file) as first
      from rustine.integrated where apatch_num is not null and folder = (select id from rustine.folder where parent is null)
      order by file, id desc) latest
    where patch_type = '1' order by first`);
}

/** What the folders of this database lack of the patches: folder code → files. History folders never lag by themselves (R36). */
export async function readLag(
  reader: Reader,
  patches: readonly StandardPatch[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await reader.query<{ code: string; files: readonly string[] }>(sql`
    with latest as materialized (
      select distinct on (folder, file) folder, file, encode(digest, 'hex') as digest from rustine.integrated where apatch_num is not null
      order by folder, file, id desc)
    select f.code, array_agg(h.file order by h.n) as files
    from rustine.folder f
    cross join unnest(${patches.map(({ file }) => file)}::text[], ${patches.map(({ digest }) => digest)}::text[]) with ordinality as h (file, digest, n)
    left join latest l on l.folder = f.id and l.file = h.file
    where f.history_of is null and l.digest is distinct from h.digest group by f.code`);
  return new Map(rows.map(({ code, files }) => [code, files]));
}

/** Patches that a folder has: file → digest. */
export async function readLatest(reader: Reader, code: string): Promise<ReadonlyMap<string, string>> {
  const rows = await reader.query<StandardPatch>(sql`
    select distinct on (i.file) i.file, encode(i.digest, 'hex') as digest from rustine.integrated i join rustine.folder f on f.id = i.folder
    where f.code = ${code} and i.apatch_num is not null order by i.file, i.id desc`);
  return new Map(rows.map(({ file, digest }) => [file, digest]));
}
