// Keeps the directory of folders on further servers in line with what these servers say, whatever a killed command left.
import type { Database } from '../database/database.ts';
import { readFolders } from '../environment/catalog.ts';
import { alignDirectory } from '../environment/directory-changes.ts';
import type { Folder } from '../environment/folder.ts';
import { readDirectory, type Server } from '../environment/servers.ts';
import { deadProcesses } from '../journal/processes.ts';

/** The server's own folders: what stands for others is left out. */
async function ownFolders(member: Database): Promise<readonly Folder[]> {
  return (await readFolders(member)).filter(({ mirror }) => mirror !== true);
}

/** A command that was killed may have left a folder made and not noted, or gone and still noted. Nothing is locked where all is in line. */
export async function settleDirectory(home: Database, server: Server, member: Database): Promise<void> {
  const there = await ownFolders(member);
  const noted = (await readDirectory(home)).folders.filter((folder) => folder.server === server.name);
  const said = (folders: readonly { readonly code: string; readonly parent: string | null; readonly state: string }[]): string =>
    JSON.stringify(folders.map(({ code, parent, state }) => [code, parent, state]).sort());
  if (said(there) !== said(noted)) await noteFolders(home, server, member, []);
}

/** @param own codes that the caller has at hand */
export async function noteFolders(home: Database, server: Server, member: Database, own: readonly string[]): Promise<void> {
  const dead = (await deadProcesses(home)).map(({ id }) => id);
  await home.transaction((session) => alignDirectory(session, server, () => ownFolders(member), own, dead));
}
