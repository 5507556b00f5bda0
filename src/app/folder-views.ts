// Folders as people and programs see them: settings, level, lag, what is due.
import { Refusal } from '../base/errors.ts';
import type { Database } from '../database/database.ts';
import { id, sql } from '../database/sql.ts';
import type { Reader } from '../environment/catalog.ts';
import { readFolders, readLevels } from '../environment/catalog.ts';
import { isWritten, readLiveChanges } from '../environment/history.ts';
import { type LeftToIntegrate, readLeftToIntegrate } from '../environment/level-gap.ts';
import { readLostSchemas } from '../environment/lost-schemas.ts';
import { existingFolders, known } from './known-folders.ts';
import { lagPaths } from './lag-paths.ts';
import type { FolderView } from './rustine.ts';

/** Three or four statements, however many folders. */
export async function folderViews(reader: Reader): Promise<readonly FolderView[]> {
  const [folders, levels] = [await readFolders(reader), await readLevels(reader)];
  const changes = folders.some(({ due }) => due.some(isWritten)) ? await readLiveChanges(reader) : new Map<number, string[]>();
  const lacking = [...new Set(levels.flatMap(({ lag }) => lag))];
  const behind = levels.flatMap(({ folder, lag }) => (lag.length === 0 ? [] : [folder]));
  const left = await readLeftToIntegrate(reader, behind, lacking);
  const paths = await lagPaths(reader, [...lacking, ...left.flatMap(({ first }) => first)]);
  const leftIn = Map.groupBy(left, ({ folder }) => folder);
  const [anywhere, own] = [filesOf(leftIn.get(null)), (folder: number) => filesOf(leftIn.get(folder))];
  const byFolder = new Map(levels.map((level) => [level.folder, level]));
  return folders.flatMap((folder) => {
    const level = byFolder.get(folder.id);
    // Dropped by somebody between the two statements.
    if (level === undefined) return [];
    const mine = own(folder.id);
    const first = [...new Set((leftIn.get(folder.id) ?? []).flatMap((each) => each.first))];
    const {
      code,
      parent,
      state,
      languages,
      legislations,
      modules,
      activityCodes,
      activitySizes,
      test,
      specific,
      historyOf,
      schema,
      role,
    } = folder;
    return {
      code,
      parent,
      state,
      level: level.level,
      lag: level.lag,
      ...knownPaths([...first, ...level.lag], paths),
      lagToIntegrate: level.lag.filter((file) => anywhere.has(file) || mine.has(file)),
      ...(first.length === 0 ? {} : { integrateFirst: first }),
      ...(folder.locked === undefined ? {} : { locked: folder.locked }),
      due: folder.due.length > 0 || level.lag.length > 0,
      languages,
      activityCodes,
      activitySizes,
      legislations,
      modules,
      reasons: folder.due.flatMap((reason) => (isWritten(reason) ? (changes.get(folder.id) ?? [reason]) : [reason])),
      test,
      specific,
      historyOf,
      schema,
      role,
      tables: level.tables,
      patches: level.patches,
      server: null,
    };
  });
}

const filesOf = (left: readonly LeftToIntegrate[] = []): ReadonlySet<string> => new Set(left.map(({ file }) => file));

/** @throws Refusal `folder-unknown` */
export async function oneView(database: Database, text: string): Promise<FolderView> {
  const { id: number, code, schema } = known(await existingFolders(database), text);
  const view = (await folderViews(database)).find((each) => each.code === code);
  if (view === undefined) throw new Refusal('folder-unknown', { folder: code, known: [] });
  const [lostSchema] = await readLostSchemas(database, [number]);
  if (lostSchema !== undefined) return { ...view, lostSchema };
  return { ...view, activityCodes: [...new Set([...view.activityCodes, ...(await activeCodes(database, schema))])].sort() };
}

/** The folder's own table says which codes are active now. */
async function activeCodes(database: Database, schema: string): Promise<readonly string[]> {
  const rows = await database.query<{ code: string }>(
    sql`select codact_0 as code from ${id(schema, 'adosact')} where flact_0 = 2 order by 1`,
  );
  return rows.map((row) => row.code);
}

function knownPaths(files: readonly string[], paths: Readonly<Record<string, string>>): Pick<FolderView, 'lagPaths'> {
  const mine = files.flatMap((file) => (paths[file] === undefined ? [] : [[file, paths[file]] as const]));
  return mine.length === 0 ? {} : { lagPaths: Object.fromEntries(mine) };
}
