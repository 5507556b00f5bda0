// The verbs about folders over all servers of an environment: creating, listing, setting up, dropping.
import { Refusal } from '../base/errors.ts';
import { folderCode } from '../base/ids.ts';
import { readFolders } from '../environment/catalog.ts';
import type { Server } from '../environment/servers.ts';
import type { Across } from './across-servers.ts';
import { changeElsewhere, checkSide, createElsewhere, dropElsewhere, elsewhereView, viewElsewhere } from './folders-elsewhere.ts';
import { changeMirrors, serversBelow } from './mirrors.ts';
import type { FolderView, OneServer } from './rustine.ts';
import { knownServer } from './servers.ts';
import { leftOnSilent } from './silent-servers.ts';

type FolderVerb = 'createFolders' | 'folders' | 'folder' | 'setFolder' | 'unlockFolder' | 'dropFolder';

export function folderVerbs(across: Across): Pick<OneServer, FolderVerb> {
  const { home } = across;
  const { verbs } = home;
  const { database } = home.opened;
  return {
    createFolders: async (codes, options) => {
      const directory = await across.directory();
      const wanted = options.server === undefined ? undefined : knownServer(directory.servers, options.server);
      const there = (text: string | undefined) => directory.folders.find(({ code }) => code === text?.trim().toUpperCase());
      const beside = there(options.historyOf) ?? there(options.parent);
      const server = wanted ?? directory.servers.find(({ name }) => name === beside?.server);
      if (server !== undefined) return createElsewhere(home, { server, member: await across.open(server) }, codes, options);
      if (directory.folders.length > 0 && options.historyOf !== undefined) {
        const here = await readFolders(database);
        const below = folderCode(options.parent ?? here[0]?.code ?? '');
        checkSide(directory, here, undefined, { folder: codes[0] ?? '', parent: below, historyOf: options.historyOf });
      }
      return verbs.createFolders(codes, options);
    },
    folders: () => allFolders(across),
    folder: async (code) => {
      const place = await across.placeOf(code);
      if (place === undefined) return verbs.folder(code);
      const listed = (await viewElsewhere(home, place)).find((view) => view.code === folderCode(code));
      return { ...(await place.member.verbs.folder(code)), ...(listed === undefined ? {} : within(listed)) };
    },
    setFolder: async (code, change) => {
      const place = await across.placeOf(code);
      if (place !== undefined) return changeElsewhere(home, place, folderCode(code), change);
      const directory = await across.directory();
      if (directory.folders.length > 0 && change.parent !== undefined)
        checkSide(directory, await readFolders(database), undefined, { folder: code, parent: folderCode(change.parent) });
      const changed = await verbs.setFolder(code, change);
      const servers = await below(across, changed.folder.code);
      const findings = await changeMirrors(home, across.open, servers, changed.folder.code, change);
      return { ...changed, findings: [...changed.findings, ...findings] };
    },
    unlockFolder: async (code, reason) => ((await across.placeOf(code))?.member.verbs ?? verbs).unlockFolder(code, reason),
    dropFolder: async (code, options) => {
      const { folders } = await across.directory();
      const wanted = folders.length === 0 ? code : folderCode(code);
      const elsewhere = folders.find((each) => each.code === wanted);
      const place = await across.placeOf(code);
      if (elsewhere !== undefined && place !== undefined) return dropElsewhere(home, place, elsewhere, options);
      const children = folders.filter(({ parent }) => parent === wanted).map((child) => child.code);
      if (children.length > 0) throw new Refusal('folder-has-children', { folder: wanted, children });
      return verbs.dropFolder(code, options);
    },
  };
}

/** What only the listing over all servers knows. */
const within = ({ server, lag, due }: FolderView): Pick<FolderView, 'server' | 'lag' | 'due'> => ({ server, lag, due });

/** Further servers with folders below that one: they have a mirror of it. */
export async function below(across: Across, code: string): Promise<readonly Server[]> {
  const directory = await across.directory();
  return directory.folders.length === 0 ? [] : serversBelow(code, await readFolders(across.home.opened.database), directory);
}

/** Level by level; of a server that does not answer as much as is known. */
async function allFolders(across: Across): Promise<readonly FolderView[]> {
  const here = await across.home.verbs.folders();
  if ((await across.directory()).folders.length === 0) return here;
  const there = (await across.each((place) => viewElsewhere(across.home, place))).flat();
  // Opening the servers may have settled what a command left that was killed.
  const { folders: elsewhere } = await across.directory();
  const silent = elsewhere.filter(({ code }) => !there.some((view) => view.code === code));
  // What they wait for there is said beside them.
  if (silent.length > 0)
    for (const finding of (await leftOnSilent(across.home.opened.database, across.silence)).pending) across.note(finding);
  const all = [...here, ...there, ...silent.map((folder) => elsewhereView(folder, across.silence(folder.server) !== undefined))];
  const parents = new Map(all.map(({ code, parent }) => [code, parent]));
  const depth = (code: string): number => {
    let steps = 0;
    for (let up = parents.get(code) ?? null; up !== null && steps < all.length; up = parents.get(up) ?? null) steps += 1;
    return steps;
  };
  return all.toSorted((a, b) => depth(a.code) - depth(b.code) || (a.code < b.code ? -1 : 1));
}
