// The folders that an environment has, and those of them that somebody names.
import { Refusal } from '../base/errors.ts';
import { folderCode } from '../base/ids.ts';
import type { Database } from '../database/database.ts';
import { readFolders } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import { readDirectory } from '../environment/servers.ts';
import { openSettled } from './opened-environment.ts';

/** @throws Refusal `not-initialized`, `catalog-newer` */
export async function existingFolders(database: Database): Promise<readonly Folder[]> {
  return (await knownEnvironment(database)).folders;
}

/** The environment with its folders, level by level, the supervisor folder first. @throws Refusal `not-initialized`, `catalog-newer` */
export async function knownEnvironment(
  database: Database,
): Promise<{ readonly supervisor: string; readonly folders: readonly Folder[] }> {
  const { supervisor } = await openSettled(database);
  const folders = await readFolders(database);
  // A crash during `init` can leave the catalog without its supervisor folder: running `init` again makes it.
  if (folders.length === 0) throw new Refusal('not-initialized', {});
  return { supervisor, folders };
}

/** @throws Refusal `folder-unknown` */
export function known(folders: readonly Folder[], text: string): Folder {
  const code = folderCode(text);
  const folder = folders.find((each) => each.code === code);
  if (folder === undefined) throw new Refusal('folder-unknown', { folder: code, known: folders.map((each) => each.code) });
  return folder;
}

/** Folders by code, in the order of the levels. */
export function chosen(all: readonly Folder[], codes: readonly string[]): readonly Folder[] {
  const wanted = new Set(codes.map((code) => known(all, code).code));
  return all.filter((folder) => wanted.has(folder.code));
}

/** One may work from a folder of another server. */
export async function knownAnywhere(database: Database, folders: readonly Folder[], code: string): Promise<string> {
  const { folders: elsewhere } = await readDirectory(database);
  return elsewhere.find((each) => each.code === code)?.code ?? known(folders, code).code;
}

/** @throws Refusal `folder-unknown`, `first-not-given` */
export function canaries(given: readonly Folder[], texts: readonly string[]): readonly string[] {
  const codes = texts.map(folderCode);
  const missing = codes.filter((code) => !given.some((folder) => folder.code === code));
  if (missing.length > 0) throw new Refusal('first-not-given', { folders: missing, known: given.map(({ code }) => code) });
  return codes;
}
