// Which folders of a run live where.
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
  return elsewhere.length === 0 ? undefined : { here, elsewhere };
}
