// Folders as people and programs see them: settings, level, lag, what is due.
import type { Reader } from '../environment/catalog.ts';
import { readFolders, readLevels } from '../environment/catalog.ts';
import type { FolderView } from './rustine.ts';

/** Two statements, however many folders. */
export async function folderViews(reader: Reader): Promise<readonly FolderView[]> {
  const [folders, levels] = [await readFolders(reader), await readLevels(reader)];
  const byFolder = new Map(levels.map((level) => [level.folder, level]));
  return folders.flatMap((folder) => {
    const level = byFolder.get(folder.id);
    // Dropped by somebody between the two statements.
    if (level === undefined) return [];
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
      due: folder.due.length > 0 || level.lag.length > 0,
      languages,
      activityCodes,
      activitySizes,
      legislations,
      modules,
      reasons: folder.due,
      test,
      specific,
      historyOf,
      schema,
      role,
      tables: level.tables,
      patches: level.patches,
    };
  });
}
