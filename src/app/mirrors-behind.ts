// Mirrors that lack patches of their originals, since their server was down when these came: which patches, and which mirrors a run brings along.
import type { Database } from '../database/database.ts';
import type { Folder } from '../environment/folder.ts';
import { ancestorsOf } from '../environment/folder.ts';
import { readLatest } from '../environment/servers.ts';
import { existingFolders } from './known-folders.ts';
import { mirrorsOf } from './mirrors.ts';
import type { OpenedServer } from './opened-server.ts';

/** Mirror → file → digest, as the original has it. */
export type Behind = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Those that are in line are not named. */
export async function mirrorsBehind(home: Database, member: OpenedServer): Promise<Behind> {
  const behind = new Map<string, ReadonlyMap<string, string>>();
  for (const { code } of await mirrorsOf(member)) {
    const [original, mirror] = await Promise.all([readLatest(home, code), readLatest(member.opened.database, code)]);
    const files = [...original].filter(([file, digest]) => mirror.get(file) !== digest);
    if (files.length > 0) behind.set(code, new Map(files));
  }
  return behind;
}

/**
 * Codes of those that are validated with folders of their server: whose original is in the run, and of the ancestors of these folders those that were not
 * brought in line when their original was, since the run was killed or their server away.
 */
export async function mirrorsOfValidation(
  home: Database,
  member: OpenedServer,
  here: readonly string[],
  folders: readonly string[],
): Promise<readonly string[]> {
  const mirrors = await mirrorsOf(member);
  const above = await aboveOf(member, folders);
  const behind = await mirrorsBehind(home, member);
  const settled = new Set((await existingFolders(home)).flatMap(({ code, due }) => (due.length === 0 ? [String(code)] : [])));
  return mirrors.flatMap(({ code, parent, due }) => {
    const left = behind.has(code) ? parent !== null : due.length > 0 && settled.has(code);
    return here.includes(code) || (above.has(code) && left) ? [code] : [];
  });
}

/**
 * What a validation does not bring to the mirrors of one server: those that are validated too get what the mirror of their parent has.
 * @param validated mirrors of it
 * @returns mirror → files
 */
export async function staysBehind(
  home: Database,
  member: OpenedServer,
  validated: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const stays = new Map<string, readonly string[]>();
  const parents = new Map((await mirrorsOf(member)).map(({ code, parent }) => [String(code), parent]));
  for (const [code, files] of await mirrorsBehind(home, member)) {
    const parent = parents.get(code) ?? null;
    const comes = parent !== null && validated.includes(code) ? await readLatest(member.opened.database, parent) : new Map();
    const left = [...files].flatMap(([file, digest]) => (comes.get(file) === digest ? [] : [file]));
    if (left.length > 0) stays.set(code, left);
  }
  return stays;
}

/** Folders of a run on one further server. */
export interface RunThere {
  /** Of the run's folders, those on the environment's own server. */
  readonly here: readonly string[];
  readonly folders: readonly string[];
  readonly deliveries: readonly { readonly file: string; readonly digest: string }[];
}

/**
 * Codes of those that get the run's patches: whose original is in the run, and of the ancestors of its folders those that still lack a patch which their
 * original has. Else what the original brings to these folders would never come.
 */
export async function mirrorsOfRun(home: Database, member: OpenedServer, run: RunThere): Promise<readonly string[]> {
  const { here, folders, deliveries } = run;
  const mirrors = (await mirrorsOf(member)).map(({ code }) => String(code));
  const others = mirrors.filter((code) => !here.includes(code));
  if (others.length === 0 || folders.length === 0) return mirrors.filter((code) => here.includes(code));
  const above = await aboveOf(member, folders);
  const behind = await mirrorsBehind(home, member);
  const lacks = (code: string): boolean => deliveries.some(({ file, digest }) => behind.get(code)?.get(file) === digest);
  return mirrors.filter((code) => here.includes(code) || (above.has(code) && lacks(code)));
}

async function aboveOf({ opened: { database } }: OpenedServer, folders: readonly string[]): Promise<ReadonlySet<string>> {
  const all = new Map<string, Folder>((await existingFolders(database)).map((each) => [each.code, each]));
  return new Set(folders.flatMap((code) => ancestorsOf(code, all).map((each) => String(each.code))));
}
