// Which folders of a run live where.
import { Refusal } from '../base/errors.ts';
import { folderCode } from '../base/ids.ts';
import { readFolders } from '../environment/catalog.ts';
import type { FolderElsewhere, Server } from '../environment/servers.ts';
import type { Across } from './across-servers.ts';
import { serversBelow } from './mirrors.ts';

/** Folders of the run that live on one further server. */
export interface Share {
  readonly server: Server;
  readonly folders: readonly string[];
}

export interface Shares {
  /** Codes of those on the environment's own server. */
  readonly here: readonly string[];
  /** Of the servers that have folders of the run, or mirrors of such folders. */
  readonly elsewhere: readonly Share[];
  /** Folder → parent, of all folders. */
  readonly parents: ReadonlyMap<string, string | null>;
}

/** The run's folders by server; undefined where all of it is on the environment's own. */
export async function sharesOf(across: Across, wanted: readonly string[] | undefined): Promise<Shares | undefined> {
  const directory = await across.directory();
  if (directory.folders.length === 0) return undefined;
  const folders = await readFolders(across.home.opened.database);
  const codes = wanted === undefined ? undefined : new Set<string>(wanted.map(folderCode));
  const isElsewhere = (code: string): FolderElsewhere | undefined => directory.folders.find((each) => each.code === code);
  // One that nobody knows is refused where it is looked up.
  const here =
    codes === undefined ? folders.map(({ code }) => code) : [...codes].filter((code) => isElsewhere(code) === undefined);
  const mirrored = new Set(here.flatMap((code) => serversBelow(code, folders, directory)).map(({ name }) => name));
  const elsewhere = directory.servers.flatMap((server) => {
    const own = directory.folders.filter(
      (folder) => folder.server === server.name && (codes === undefined || codes.has(folder.code)),
    );
    return own.length === 0 && !mirrored.has(server.name) ? [] : [{ server, folders: own.map(({ code }) => code) }];
  });
  const parents = new Map([...folders, ...directory.folders].map(({ code, parent }) => [code, parent]));
  return elsewhere.length === 0 ? undefined : { here, elsewhere, parents };
}

/**
 * Canaries by the server where they live. Ancestors come with them, also those on the environment's own server; those that others stand for are found there.
 * @returns empty: no folder comes first
 * @throws Refusal `first-not-given`
 */
export function canariesBySide(
  { here, elsewhere, parents }: Shares,
  first: readonly string[],
  home: string,
): ReadonlyMap<string, readonly string[]> {
  if (first.length === 0) return new Map();
  const known = [...here, ...elsewhere.flatMap(({ folders }) => folders)];
  const missing = first.filter((code) => !known.includes(code));
  if (missing.length > 0) throw new Refusal('first-not-given', { folders: missing, known });
  const chosen = new Set(first);
  for (const code of first)
    for (let at = parents.get(code) ?? null; at !== null && !chosen.has(at); at = parents.get(at) ?? null) chosen.add(at);
  const sides = [{ name: home, folders: here }, ...elsewhere.map(({ server, folders }) => ({ name: server.name, folders }))];
  return new Map(sides.map(({ name, folders }) => [name, folders.filter((code) => chosen.has(code))]));
}
