// Mirrors on further servers, kept in line with the folders that they stand for: made when a child needs them, changed as their originals are.
import { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { readFolders } from '../environment/catalog.ts';
import { openEnvironment } from '../environment/environment.ts';
import type { Folder } from '../environment/folder.ts';
import { ancestorsOf } from '../environment/folder.ts';
import type { Directory, Server } from '../environment/servers.ts';
import { readLatest } from '../environment/servers.ts';
import { changeSettings, type SettingsChange } from '../environment/settings-change.ts';
import { createMirror } from '../validate/mirror.ts';
import { copyMissingFiles } from '../validate/mirror-files.ts';
import { withSource } from './folders.ts';
import { existingFolders } from './known-folders.ts';
import type { OpenedServer } from './opened-server.ts';
import { SCRIPT_TIMEOUT_MS } from './script-limit.ts';

/** How long a mirror's row is waited for. */
const LOCK_TIMEOUT_MS = 15_000;

/** Servers where a folder descends from this one, which lives on the environment's own. */
export function serversBelow(
  code: string,
  folders: readonly Folder[],
  { servers, folders: elsewhere }: Directory,
): readonly Server[] {
  const parents = new Map([...folders, ...elsewhere].map((folder) => [folder.code, folder.parent]));
  const descends = (folder: string): boolean => {
    const seen = new Set<string>();
    for (let at = parents.get(folder) ?? null; at !== null && !seen.has(at); at = parents.get(at) ?? null) {
      if (at === code) return true;
      seen.add(at);
    }
    return false;
  };
  const names = new Set(elsewhere.flatMap((folder) => (descends(folder.code) ? [folder.server] : [])));
  return servers.filter(({ name }) => names.has(name));
}

/** Makes those that are missing of a folder of the environment's own server and its ancestors, the supervisor folder first. */
export async function ensureMirrors(home: OpenedServer, member: OpenedServer, folder: Folder): Promise<void> {
  const [here, there] = [home.opened.database, member.opened.database];
  const { roles } = await openEnvironment(there);
  const originals = new Map((await existingFolders(here)).map((each) => [each.code, each]));
  const mirrored = new Set((await mirrorsOf(member)).map(({ code }) => code));
  const chain = [folder, ...ancestorsOf(folder.code, originals)].reverse();
  for (const original of chain.filter(({ code }) => !mirrored.has(code))) {
    const limit = home.opened.settings.scriptTimeoutMs ?? SCRIPT_TIMEOUT_MS;
    const staging = <Result>(deliver: Parameters<typeof withSource>[1], work: Parameters<typeof withSource<Result>>[2]) =>
      withSource<Result>(member.opened, deliver, work);
    await createMirror(here, there, original, staging, roles, home.opened.operator, limit);
  }
  await copyMissingFiles(here, there);
}

/** Folders of a server that stand for others; none while it is new. */
export async function mirrorsOf({ opened: { database } }: OpenedServer): Promise<readonly Folder[]> {
  return (await readFolders(database)).filter(({ mirror }) => mirror === true);
}

/**
 * A folder that is made below a mirror starts with what the original has.
 * @throws Refusal `mirror-behind`
 */
export async function checkLevel(home: OpenedServer, member: OpenedServer, server: Server, folder: Folder): Promise<void> {
  const [own, mirrored] = await Promise.all([
    readLatest(home.opened.database, folder.code),
    readLatest(member.opened.database, folder.code),
  ]);
  const files = [...own].flatMap(([file, digest]) => (mirrored.get(file) === digest ? [] : [file]));
  if (files.length > 0) throw new Refusal('mirror-behind', { folder: folder.code, server: server.name, files });
}

/**
 * Gives the mirrors of a folder the settings that it got.
 * @returns findings where a server could not be told: its mirror is told by the next run
 */
export async function changeMirrors(
  home: OpenedServer,
  open: (server: Server) => Promise<OpenedServer>,
  servers: readonly Server[],
  code: string,
  change: SettingsChange,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const server of servers) {
    try {
      const member = await open(server);
      if (change.parent !== undefined) {
        const parent = (await existingFolders(home.opened.database)).find((folder) => folder.code === change.parent);
        if (parent !== undefined) await ensureMirrors(home, member, parent);
      }
      await member.verbs.setFolder(code, change);
    } catch (error) {
      if (!(error instanceof Failure) && !(error instanceof Refusal)) throw error;
      findings.push(notCarried(code, server, error));
    }
  }
  return findings;
}

export function notCarried(folder: string, { name }: Server, error: Failure | Refusal): Finding {
  return {
    code: 'mirror-not-changed',
    severity: 'warn',
    folder,
    facts: { folder, server: name, cause: error.code, ...reasonOf(error) },
  };
}

const reasonOf = ({ facts: { reason } }: Failure | Refusal): { readonly reason?: string } =>
  typeof reason === 'string' ? { reason } : {};

/**
 * When a run goes on: mirrors whose settings are not those of their originals (a server was down when they changed) get them. Not their parents: a mirror that is
 * made on the way has to get what the original has when the run is over. Files that are kept here come to folders that were made without them.
 * @returns mirrors as they are now, and whether some stand below another parent than their originals
 */
export async function alignMirrors(
  home: OpenedServer,
  member: OpenedServer,
): Promise<{ readonly mirrors: readonly Folder[]; readonly moved: boolean }> {
  await copyMissingFiles(home.opened.database, member.opened.database);
  const differing = await differences(home, member);
  for (const { mirror, change } of differing) {
    const { parent: _, ...settings } = change;
    if (Object.keys(settings).length > 0) await changeInRun(member, mirror.code, settings);
  }
  return { mirrors: await mirrorsOf(member), moved: differing.some(({ change }) => change.parent !== undefined) };
}

/** The run has the folder: nobody else changes it, and a command that is none of the run's is kept out. */
async function changeInRun(
  { opened: { database, operator } }: OpenedServer,
  code: string,
  change: SettingsChange,
): Promise<void> {
  await database.transaction(async (session) => {
    await session.script(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await changeSettings(session, code, change, operator);
  });
}

/**
 * After a run: mirrors whose originals got another parent stand below a mirror of that one, which has what its original has.
 * @returns findings where that could not be done: the next run does it
 */
export async function moveMirrors(home: OpenedServer, member: OpenedServer, server: Server): Promise<readonly Finding[]> {
  const originals = await existingFolders(home.opened.database);
  const findings: Finding[] = [];
  for (const { mirror, change } of await differences(home, member)) {
    const parent = originals.find(({ code }) => code === change.parent);
    if (parent === undefined) continue;
    try {
      await ensureMirrors(home, member, parent);
      await member.verbs.setFolder(mirror.code, { parent: parent.code });
    } catch (error) {
      if (!(error instanceof Failure) && !(error instanceof Refusal)) throw error;
      findings.push(notCarried(mirror.code, server, error));
    }
  }
  return findings;
}

/** Mirrors that are not as their originals, and what would make them so. */
async function differences(
  home: OpenedServer,
  member: OpenedServer,
): Promise<readonly { readonly mirror: Folder; readonly change: SettingsChange }[]> {
  const originals = new Map((await existingFolders(home.opened.database)).map((each) => [each.code, each]));
  return (await mirrorsOf(member)).flatMap((mirror) => {
    const original = originals.get(mirror.code);
    const change = original === undefined ? {} : difference(original, mirror);
    return Object.keys(change).length === 0 ? [] : [{ mirror, change }];
  });
}

function difference(original: Folder, mirror: Folder): SettingsChange {
  const { parent, languages, legislations, modules, activityCodes, activitySizes, test, specific } = original;
  const differs = (one: unknown, other: unknown): boolean => JSON.stringify(one) !== JSON.stringify(other);
  return {
    ...(parent === null || parent === mirror.parent ? {} : { parent }),
    ...(differs(languages, mirror.languages) ? { languages } : {}),
    ...(differs(legislations, mirror.legislations) ? { legislations } : {}),
    ...(differs(modules, mirror.modules) ? { modules } : {}),
    ...(differs(activityCodes, mirror.activityCodes) || differs(activitySizes, mirror.activitySizes)
      ? { activityCodes, activitySizes }
      : {}),
    ...(test === mirror.test ? {} : { test }),
    ...(specific === mirror.specific ? {} : { specific }),
  };
}
