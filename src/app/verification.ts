// The verb that compares what APATCH says with folders as they are, on one server and over all of them.
import { type Facts, Refusal } from '../base/errors.ts';
import { folderCode } from '../base/ids.ts';
import { withLease } from '../journal/processes.ts';
import { type Difference, type Mend, warn } from '../verify/difference.ts';
import type { VerifiedFolder } from '../verify/verified-folders.ts';
import { verifyFolders } from '../verify/verified-folders.ts';
import type { Across } from './across-servers.ts';
import { chosen, existingFolders } from './known-folders.ts';
import { mirrorsOf } from './mirrors.ts';
import { mirrorsBehind } from './mirrors-behind.ts';
import type { Opened } from './rustine.ts';

export interface VerifyOptions {
  /** Absent: all folders. */
  readonly folders?: readonly string[];
  /** Is told each folder as it is done. */
  readonly told?: (folder: string) => void;
}

/** One difference, with all folders that have it. */
export interface SharedDifference {
  readonly code: string;
  readonly severity: 'warn' | 'info';
  readonly subject: string;
  /** The patch that brought what is expected, where it is known. */
  readonly patch?: string;
  readonly facts: Facts;
  /** `next`: the command that mends it there; null: nothing does but a backup, or nothing has to be done. */
  readonly folders: readonly {
    readonly folder: string;
    /** The server on which its mirror has it, not the folder itself. */
    readonly mirror?: string;
    readonly next: string | null;
  }[];
  /** One command for all of them, where there is one. */
  readonly next: string | null;
}

export interface LookedAt extends Pick<VerifiedFolder, 'folder' | 'chain' | 'chainedSince' | 'notCompared'> {
  /** The server on which its mirror was looked at, not the folder itself. */
  readonly mirror?: string;
}

export interface Verification {
  readonly folders: readonly LookedAt[];
  readonly differences: readonly SharedDifference[];
}

/** @throws Refusal `folder-unknown` */
export async function verify(opened: Opened, options: VerifyOptions): Promise<readonly VerifiedFolder[]> {
  const { database } = opened;
  const all = await existingFolders(database);
  const wanted = options.folders === undefined ? all.filter(({ mirror }) => mirror !== true) : chosen(all, options.folders);
  // One that is half made or half dropped is told by its state.
  const folders = wanted.filter(({ state }) => state === 'ready' || state === 'locked');
  const verified = new Map<string, VerifiedFolder>();
  await withLease(database, opened.operator, ({ process: lease }) =>
    verifyFolders(database, lease, folders, opened.jobs, (each) => {
      verified.set(each.folder, each);
      options.told?.(each.folder);
    }),
  );
  return folders.flatMap(({ code }) => verified.get(code) ?? []);
}

/** Each server looks at its own folders and at the mirrors there: folders look up in them, and nobody else sees what hands did to them. */
export async function verifyAcross(across: Across, options: VerifyOptions): Promise<Verification> {
  const { folders: elsewhere } = await across.directory();
  const wanted = options.folders?.map((text) => folderCode(text));
  const isWanted = (code: string): boolean => wanted === undefined || wanted.some((each) => each === code);
  const far = elsewhere.map(({ code }) => code);
  const here = wanted?.filter((code) => !far.includes(code));
  if (here !== undefined && here.length > 0) await checkKnown(across, here, far);
  const home =
    here?.length === 0 ? [] : await across.home.verbs.verify(here === undefined ? options : { ...options, folders: here });
  const there = await across.each(async ({ server, member }, own): Promise<readonly Placed[]> => {
    const mirrors = new Set((await mirrorsOf(member)).map(({ code }) => String(code)));
    const folders = [...mirrors, ...own].filter(isWanted);
    const verified = folders.length === 0 ? [] : await member.verbs.verify({ ...options, folders });
    const behind = await mirrorsBehind(across.home.opened.database, member);
    return verified.map((each) => {
      const lacking = [...(behind.get(each.folder)?.keys() ?? [])].map((file) =>
        warn('mirror-lacks', file, { file, server: server.name }, { by: 'catch-up', file }, file),
      );
      const place = { verified: { ...each, differences: [...lacking, ...each.differences] }, server: server.name };
      return mirrors.has(each.folder) ? { ...place, companion: own[0] ?? '' } : place;
    });
  });
  const all: readonly Placed[] = [...home.map((verified) => ({ verified })), ...there.flat()];
  return shared(all);
}

/** Whatever server they are on. @throws Refusal `folder-unknown` */
async function checkKnown({ home }: Across, codes: readonly string[], elsewhere: readonly string[]): Promise<void> {
  const known = [...(await existingFolders(home.opened.database)).map(({ code }) => String(code)), ...elsewhere];
  for (const folder of codes) if (!known.includes(folder)) throw new Refusal('folder-unknown', { folder, known });
}

/** What was found, and where. */
interface Placed {
  readonly verified: VerifiedFolder;
  /** Absent: the environment's own. */
  readonly server?: string;
  /** Of a mirror: a folder there. In a run with that one, what is done to the original is done to the mirror. */
  readonly companion?: string;
}

const mirrorOf = ({ server, companion }: Placed): { readonly mirror?: string } =>
  companion === undefined || server === undefined ? {} : { mirror: server };

function shared(placed: readonly Placed[]): Verification {
  const all = placed.flatMap((place) => place.verified.differences.map((difference) => ({ place, difference })));
  const groups = Map.groupBy(all, ({ difference: { code, severity, subject, patch, facts, mend } }) =>
    JSON.stringify([
      code,
      severity,
      code.startsWith('login-') ? '' : subject,
      patch,
      withoutTimes(facts),
      mend.by,
      'file' in mend ? mend.file : '',
    ]),
  );
  return {
    folders: placed.map((place) => {
      const { folder, chain, chainedSince, notCompared } = place.verified;
      return { folder, chain, chainedSince, notCompared, ...mirrorOf(place) };
    }),
    differences: [...groups.values()].flatMap((group) => sharedDifference(group)),
  };
}

/** When a patch came differs from folder to folder. */
function withoutTimes({ at, ...facts }: Facts): Facts {
  return facts;
}

function sharedDifference(
  group: readonly { readonly place: Placed; readonly difference: Difference }[],
): readonly SharedDifference[] {
  const [first] = group;
  if (first === undefined) return [];
  const { code, severity, subject, patch, facts, mend } = first.difference;
  return [
    {
      code,
      severity,
      subject,
      ...(patch === undefined ? {} : { patch }),
      facts,
      folders: group.map(({ place, difference }) => ({
        folder: place.verified.folder,
        ...mirrorOf(place),
        next: commandOf(difference.mend, [place]),
      })),
      next:
        mend.by === 'sql' && group.length > 1
          ? null
          : commandOf(
              mend,
              group.map(({ place }) => place),
            ),
    },
  ];
}

function commandOf(mend: Mend, places: readonly Placed[]): string | null {
  const own = places.map(({ verified }) => verified.folder);
  const folders = [...new Set([...own, ...places.flatMap(({ companion }) => companion ?? [])])];
  const server = places[0]?.server;
  switch (mend.by) {
    case 'validate':
      return `rustine validate ${folders.join(' ')}`;
    case 'integrate':
      // Not the file of a patch: a creation or a validation brought it.
      if (mend.file.startsWith('('))
        return places.some(({ companion }) => companion !== undefined) ? null : `rustine validate ${folders.join(' ')}`;
      return `rustine integrate ${shellWord(mend.file)} --folders ${folders.join(',')} --force already=REASON`;
    case 'catch-up':
      return `rustine integrate ${shellWord(mend.file)} --folders ${[...new Set(own)].join(',')}`;
    case 'sql':
      return `psql "$(rustine db url${server === undefined ? '' : ` --server ${server}`})" -c ${shellWord(mend.statement)}`;
    case 'backup':
    case 'nothing':
      return null;
  }
}

/** As it can be pasted into a shell. */
function shellWord(text: string): string {
  return /^[\w.,:=@%+/-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
