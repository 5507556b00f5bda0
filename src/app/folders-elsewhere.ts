// Folders on further servers: made there below mirrors of their ancestors, changed and dropped there, and noted in the environment's catalog.
import { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { folderCode } from '../base/ids.ts';
import { readEnvironment, readFolders } from '../environment/catalog.ts';
import { claimFolder, type Holder, lockParents, reserveFolder } from '../environment/directory-changes.ts';
import type { Folder } from '../environment/folder.ts';
import type { Directory, FolderElsewhere, Server } from '../environment/servers.ts';
import { readDirectory, readLag, readStandardPatches } from '../environment/servers.ts';
import type { SettingsChange } from '../environment/settings-change.ts';
import { deadProcesses, withLease } from '../journal/processes.ts';
import { noteFolders } from './directory.ts';
import type { ChangedFolder } from './folder-settings.ts';
import { existingFolders } from './known-folders.ts';
import { checkLevel, ensureMirrors } from './mirrors.ts';
import type { OpenedServer } from './opened-server.ts';
import type { FolderOptions, FolderView } from './rustine.ts';

/** Where a folder is to be, and its parent there. */
export interface Place {
  readonly server: Server;
  readonly member: OpenedServer;
}

export async function createElsewhere(
  home: OpenedServer,
  { server, member }: Place,
  texts: readonly string[],
  { server: _, ...options }: FolderOptions,
): Promise<{ readonly folders: readonly FolderView[]; readonly findings: readonly Finding[] }> {
  const { database } = home.opened;
  const here = await existingFolders(database);
  const directory = await readDirectory(database);
  const codes = texts.map(folderCode);
  const supervisor = (await readEnvironment(database))?.supervisor ?? '';
  // A history folder stands below the parent of its live one.
  const live = directory.folders.find((each) => options.historyOf !== undefined && each.code === folderCode(options.historyOf));
  const parent = folderCode(options.parent ?? live?.parent ?? supervisor);
  checkSide(directory, here, server, { folder: codes[0] ?? '', parent, historyOf: options.historyOf });
  const original = here.find(({ code }) => code === parent);
  if (original !== undefined) {
    await ensureMirrors(home, member, original);
    await checkLevel(home, member, server, original);
  }
  return withHolder(home, async (holder) => {
    await database.transaction(async (session) => {
      for (const code of codes) await reserveFolder(session, code, server, parent, holder);
    });
    home.reached('folder-reserved');
    try {
      const made = await member.verbs.createFolders(codes, { ...options, parent });
      home.reached('folder-elsewhere');
      return { ...made, folders: made.folders.map((view) => ({ ...view, server: server.name })) };
    } finally {
      await noteAll(home, server, member, codes);
    }
  });
}

/** As long as it lives, nobody else takes up what it has at hand. */
async function withHolder<Result>(home: OpenedServer, work: (holder: Holder) => Promise<Result>): Promise<Result> {
  const { database, operator } = home.opened;
  return withLease(database, operator, async ({ process }) => {
    const dead = (await deadProcesses(database)).map(({ id }) => id);
    return work({ process, dead });
  });
}

/** A server that has gone meanwhile leaves the folders half created: the next command that reaches it settles them. */
async function noteAll(home: OpenedServer, server: Server, member: OpenedServer, codes: readonly string[]): Promise<void> {
  await noteFolders(home.opened.database, server, member.opened.database, codes).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
  });
}

const own = (folders: readonly Folder[], code: string): Folder | undefined =>
  folders.find((folder) => folder.code === code && folder.mirror !== true);

/**
 * What belongs together lives together: a folder below one that is elsewhere lives there too, and so does a history folder.
 * @throws Refusal `folder-parent-unknown`, `folder-parent-elsewhere`, `folder-history-elsewhere`, `folder-unknown`
 */
export function checkSide(
  { folders: elsewhere }: Directory,
  here: readonly Folder[],
  server: Server | undefined,
  { folder, parent, historyOf }: { readonly folder: string; readonly parent: string; readonly historyOf?: string | undefined },
): void {
  const known = [...here.map(({ code }) => code), ...elsewhere.map(({ code }) => code)];
  const sideOf = (code: string): string | null => elsewhere.find((each) => each.code === code)?.server ?? null;
  if (!known.includes(parent)) throw new Refusal('folder-parent-unknown', { folder: parent, parent, known });
  const side = sideOf(parent);
  if (side !== null && side !== server?.name)
    throw new Refusal('folder-parent-elsewhere', { folder, parent, server: side, wanted: server?.name ?? '' });
  if (historyOf === undefined) return;
  const of = folderCode(historyOf);
  if (!known.includes(of)) throw new Refusal('folder-unknown', { folder: of, known });
  if (sideOf(of) !== (server?.name ?? null))
    throw new Refusal('folder-history-elsewhere', { folder, of, server: sideOf(of) ?? '', wanted: server?.name ?? '' });
}

export async function changeElsewhere(
  home: OpenedServer,
  { server, member }: Place,
  code: string,
  change: SettingsChange,
): Promise<ChangedFolder> {
  const { database } = home.opened;
  if (change.parent !== undefined) {
    const here = await existingFolders(database);
    const parent = folderCode(change.parent);
    checkSide(await readDirectory(database), here, server, { folder: code, parent });
    const original = here.find((folder) => folder.code === parent);
    if (original !== undefined) await ensureMirrors(home, member, original);
  }
  const changed = await changeThere(home, server, member, code, change);
  return { ...changed, folder: { ...changed.folder, server: server.name } };
}

/** Neither its parent nor the one that it is to stand below goes meanwhile. */
async function changeThere(
  home: OpenedServer,
  server: Server,
  member: OpenedServer,
  code: string,
  change: SettingsChange,
): Promise<ChangedFolder> {
  const { parent: wanted } = change;
  if (wanted === undefined) return member.verbs.setFolder(code, change);
  try {
    return await home.opened.database.transaction(async (session) => {
      await lockParents(session, server, code, [folderCode(wanted)]);
      return member.verbs.setFolder(code, change);
    });
  } finally {
    await noteAll(home, server, member, []);
  }
}

export async function dropElsewhere(
  home: OpenedServer,
  { server, member }: Place,
  { code }: FolderElsewhere,
  options: { readonly lockTimeoutMs?: number } | undefined,
): Promise<void> {
  const { database } = home.opened;
  await withHolder(home, async (holder) => {
    await database.transaction((session) => claimFolder(session, code, holder));
    try {
      // One that is not there is half created, or was dropped by a command that was killed.
      if (own(await readFolders(member.opened.database), code) === undefined) return;
      await database.transaction((session) => claimFolder(session, code, holder, 'dropping'));
      await member.verbs.dropFolder(code, options);
      home.reached('folder-gone');
    } finally {
      await noteAll(home, server, member, [code]);
    }
  });
}

/** Folders of a server, mirrors left out, with what they lack of the environment's supervisor folder. */
export async function viewElsewhere(home: OpenedServer, { server, member }: Place): Promise<readonly FolderView[]> {
  const views = await member.verbs.folders();
  const mirrors = new Set(
    (await readFolders(member.opened.database)).flatMap((each) => (each.mirror === true ? [each.code] : [])),
  );
  const lag = await readLag(member.opened.database, await readStandardPatches(home.opened.database));
  return views.flatMap((view) => {
    if (mirrors.has(view.code)) return [];
    const files = lag.get(view.code) ?? [];
    // What its parent there has not is not brought from it.
    const toIntegrate = files.filter((file) => !view.lag.includes(file) || view.lagToIntegrate?.includes(file) === true);
    return [
      { ...view, server: server.name, lag: files, lagToIntegrate: toIntegrate, due: view.reasons.length > 0 || files.length > 0 },
    ];
  });
}

/** As much as is known of a folder whose server does not answer, or where it is not made yet. */
export function elsewhereView({ code, parent, server, state }: FolderElsewhere, silent: boolean): FolderView {
  return {
    code,
    parent,
    state: silent ? 'unreachable' : state,
    level: {},
    lag: [],
    due: false,
    languages: [],
    legislations: [],
    modules: null,
    reasons: [],
    activityCodes: [],
    activitySizes: {},
    test: false,
    specific: false,
    historyOf: null,
    schema: code.toLowerCase(),
    role: null,
    tables: 0,
    patches: 0,
    server,
  };
}
