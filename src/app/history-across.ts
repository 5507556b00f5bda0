// The inquiry over all servers of an environment: each is asked for its own folders, and told as one.
import { folderCode } from '../base/ids.ts';
import type { Folder } from '../environment/folder.ts';
import type { Across } from './across-servers.ts';
import { type History, type HistoryOptions, type HistoryPlace, historyOf } from './history.ts';
import { existingFolders, known } from './known-folders.ts';

/** @throws Refusal `folder-unknown`, and as `historyOf` */
export async function historyAcross(across: Across, options: HistoryOptions): Promise<History> {
  const { database } = across.home.opened;
  const here: HistoryPlace = { database, server: null, folders: await existingFolders(database) };
  if (options.folder !== undefined) {
    const code = folderCode(options.folder);
    const place = await across.placeOf(code);
    if (place === undefined) return historyOf([{ ...here, folders: [known(here.folders, code)] }], options);
    return historyOf([await placeOn(place.server.name, place.member.opened.database, (folder) => folder.code === code)], options);
  }
  const there = await across.each(({ server, member }, own) =>
    placeOn(server.name, member.opened.database, (folder) => own.includes(folder.code)),
  );
  return historyOf([here, ...there], options);
}

/** Mirrors are the environment's own folders: what came to them is told there. */
async function placeOn(
  server: string,
  database: HistoryPlace['database'],
  wanted: (folder: Folder) => boolean,
): Promise<HistoryPlace> {
  const folders = await existingFolders(database);
  return { database, server, folders: folders.filter((folder) => folder.mirror !== true && wanted(folder)) };
}
