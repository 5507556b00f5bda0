// Which folders of a run live where.
import { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { folderCode } from '../base/ids.ts';
import { readFolders } from '../environment/catalog.ts';
import type { Directory, FolderElsewhere, Server } from '../environment/servers.ts';
import type { Across } from './across-servers.ts';
import { settleDirectory } from './directory.ts';
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
  /** Of further servers, half created or half dropped: they get nothing. */
  readonly half: readonly Finding[];
  /** Folder → parent, of all folders. */
  readonly parents: ReadonlyMap<string, string | null>;
}

/** What a killed command left half made may be settled: its server says what there is. */
async function settledDirectory(across: Across): Promise<Directory> {
  const directory = await across.directory();
  const half = new Set(directory.folders.flatMap(({ server, state }) => (state === 'ready' ? [] : [server])));
  if (half.size === 0) return directory;
  for (const server of directory.servers.filter(({ name }) => half.has(name)))
    await across
      .open(server)
      .then((member) => settleDirectory(across.home.opened.database, server, member.opened.database))
      .catch((error: unknown) => {
        // What keeps it from the run is told there.
        if (!(error instanceof Failure) && !(error instanceof Refusal)) throw error;
      });
  return across.directory();
}

/** The run's folders by server; undefined where all of it is on the environment's own. */
export async function sharesOf(across: Across, wanted: readonly string[] | undefined): Promise<Shares | undefined> {
  const directory = await settledDirectory(across);
  if (directory.folders.length === 0) return undefined;
  const folders = await readFolders(across.home.opened.database);
  const codes = wanted === undefined ? undefined : new Set<string>(wanted.map(folderCode));
  const isElsewhere = (code: string): FolderElsewhere | undefined => directory.folders.find((each) => each.code === code);
  // One that nobody knows is refused where it is looked up.
  const here =
    codes === undefined ? folders.map(({ code }) => code) : [...codes].filter((code) => isElsewhere(code) === undefined);
  const mirrored = new Set(here.flatMap((code) => serversBelow(code, folders, directory)).map(({ name }) => name));
  const given = directory.folders.filter(({ code }) => codes === undefined || codes.has(code));
  // Somebody who names such a folder waits for it; where all are meant, the others need not.
  const severity = codes === undefined ? 'warn' : 'block';
  const half = given.flatMap(({ code, server, state }): readonly Finding[] =>
    state === 'ready' ? [] : [{ code: 'folder-not-ready', severity, folder: code, facts: { folder: code, state, server } }],
  );
  const elsewhere = directory.servers.flatMap((server) => {
    const own = given.filter((folder) => folder.server === server.name && folder.state === 'ready');
    return own.length === 0 && !mirrored.has(server.name) ? [] : [{ server, folders: own.map(({ code }) => code) }];
  });
  const parents = new Map([...folders, ...directory.folders].map(({ code, parent }) => [code, parent]));
  return elsewhere.length === 0 && half.length === 0 ? undefined : { here, elsewhere, half, parents };
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
