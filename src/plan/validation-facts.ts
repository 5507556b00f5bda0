// Gathers the facts that the controls of a validation judge: a few statements, however many folders there are.
import { sql } from '../database/sql.ts';
import type { Reader } from '../environment/catalog.ts';
import { readLevels } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import { type LostSchema, readLostSchemas } from '../environment/lost-schemas.ts';
import { askServer } from '../environment/server-state.ts';
import type { ServerFacts } from './check-facts.ts';
import { LARGE_BYTES, type Share, writtenBytes } from './server-checks.ts';
import { leadersOutside } from './validation-checks.ts';

export interface ValidationFacts {
  /** Code → standard patches that the folder lacks. */
  readonly lag: ReadonlyMap<string, readonly string[]>;
  /** Of the folders of the run, and of those that they follow. */
  readonly lost: readonly LostSchema[];
  readonly server: ServerFacts;
  /** The patches that the folders lack, as deliveries. */
  readonly shares: readonly Share[];
}

export async function gatherValidationFacts(
  reader: Reader,
  folders: readonly Folder[],
  all: readonly Folder[],
  server: Pick<ServerFacts, 'name' | 'free'>,
): Promise<ValidationFacts> {
  const leaders = leadersOutside(folders, all);
  const lost = await readLostSchemas(
    reader,
    [...folders, ...leaders].map(({ id }) => id),
  );
  // The supervisor folder has all there is; levels are many rows.
  const behind = [...folders, ...leaders].filter(({ parent }) => parent !== null);
  const codes = new Map(behind.map(({ id, code }) => [id, code]));
  const levels = behind.length === 0 ? [] : await readLevels(reader);
  const lag = new Map(
    levels.flatMap(({ folder, lag: files }) => (codes.has(folder) ? [[codes.get(folder) ?? '', files] as const] : [])),
  );
  const shares = await readShares(reader, folders);
  const large = writtenBytes(shares) >= LARGE_BYTES;
  return { lag, lost, shares, server: { ...(await askServer(reader, large && server.free === null)), ...server } };
}

/** All that those above have and that does not stay there, of whatever kind: those between get it in the same run. */
async function readShares(reader: Reader, folders: readonly Folder[]): Promise<readonly Share[]> {
  const behind = folders.filter(({ parent }) => parent !== null).map(({ id }) => id);
  if (behind.length === 0) return [];
  const rows = await reader.query<{ bytes: number; folders: number }>(sql`
    with recursive above as (
      select id as folder, coalesce(history_of, parent) as id from rustine.folder where id = any(${behind}::integer[])
      union select a.folder, coalesce(f.history_of, f.parent) from above a join rustine.folder f on f.id = a.id),
    had as materialized (
      select distinct on (folder, file) folder, file, digest, at from rustine.integrated
      where folder in (select id from above) and apatch_num is not null and patch_type <> '2' order by folder, file, id desc),
    lacking as (
      select distinct a.folder, h.digest from above a join had h on h.folder = a.id
      where not exists (
        select from rustine.integrated o
        where o.folder = a.folder and o.file = h.file and o.apatch_num is not null and (o.digest = h.digest or o.at > h.at)))
    select p.bytes::float8 as bytes, count(*)::integer as folders
    from lacking l join rustine.patch p on p.digest = l.digest group by p.digest, p.bytes`);
  // A validation writes dictionary and rows in the transaction of a folder; locks are counted there.
  return rows.map(({ bytes, folders: count }) => ({ delivery: { bytes, relations: 0 }, folders: count }));
}
