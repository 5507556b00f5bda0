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
  const shares = await readShares(reader, folders, lag);
  const large = writtenBytes(shares) >= LARGE_BYTES;
  return { lag, lost, shares, server: { ...(await askServer(reader, large && server.free === null)), ...server } };
}

/** What a patch brought to the supervisor folder it brings to those that follow, too. */
async function readShares(
  reader: Reader,
  folders: readonly Folder[],
  lag: ReadonlyMap<string, readonly string[]>,
): Promise<readonly Share[]> {
  const counts = new Map<string, number>();
  for (const { code } of folders) for (const file of lag.get(code) ?? []) counts.set(file, (counts.get(file) ?? 0) + 1);
  if (counts.size === 0) return [];
  const rows = await reader.query<{ file: string; bytes: number }>(sql`
    select distinct on (i.file) i.file, p.bytes::float8 as bytes
    from rustine.integrated i join rustine.folder f on f.id = i.folder and f.parent is null join rustine.patch p on p.digest = i.digest
    where i.file = any(${[...counts.keys()]}::text[]) and i.apatch_num is not null order by i.file, i.id desc`);
  // A validation writes dictionary and rows in the transaction of a folder; locks are counted there.
  return rows.map(({ file, bytes }) => ({ delivery: { bytes, relations: 0 }, folders: counts.get(file) ?? 0 }));
}
