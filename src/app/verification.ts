// The verb that compares what APATCH says with folders as they are, on one server and over all of them.
import type { Facts } from '../base/errors.ts';
import { folderCode } from '../base/ids.ts';
import { withLease } from '../journal/processes.ts';
import type { Difference, Mend } from '../verify/difference.ts';
import type { VerifiedFolder } from '../verify/verified-folders.ts';
import { verifyFolders } from '../verify/verified-folders.ts';
import type { Across } from './across-servers.ts';
import { chosen, existingFolders } from './known-folders.ts';
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
  readonly folders: readonly { readonly folder: string; readonly next: string | null }[];
  /** One command for all of them, where there is one. */
  readonly next: string | null;
}

export interface Verification {
  readonly folders: readonly Pick<VerifiedFolder, 'folder' | 'chain' | 'chainedSince' | 'notCompared'>[];
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

/** Each server looks at its own folders; a mirror is a copy, and its original is looked at where it lives. */
export async function verifyAcross(across: Across, options: VerifyOptions): Promise<Verification> {
  const { folders: elsewhere } = await across.directory();
  const wanted = options.folders?.map((text) => folderCode(text));
  const far = elsewhere.filter(({ code }) => wanted === undefined || wanted.some((each) => each === code));
  const here = wanted?.filter((code) => !far.some((each) => each.code === code));
  const verified =
    here?.length === 0 ? [] : [...(await across.home.verbs.verify(here === undefined ? options : { ...options, folders: here }))];
  const there =
    far.length === 0
      ? []
      : await across.each(async ({ member }, own) => {
          const codes = own.filter((code) => far.some((each) => each.code === code));
          return codes.length === 0 ? [] : member.verbs.verify({ ...options, folders: codes });
        });
  verified.push(...there.flat());
  return shared(verified);
}

function shared(verified: readonly VerifiedFolder[]): Verification {
  const all = verified.flatMap(({ folder, differences }) => differences.map((difference) => ({ folder, difference })));
  const groups = Map.groupBy(all, ({ difference: { code, severity, subject, patch, facts, mend } }) =>
    JSON.stringify([
      code,
      severity,
      code.startsWith('login-') ? '' : subject,
      patch,
      withoutTimes(facts),
      mend.by,
      mend.by === 'integrate' ? mend.file : '',
    ]),
  );
  return {
    folders: verified.map(({ folder, chain, chainedSince, notCompared }) => ({ folder, chain, chainedSince, notCompared })),
    differences: [...groups.values()].flatMap((group) => sharedDifference(group)),
  };
}

/** When a patch came differs from folder to folder. */
function withoutTimes({ at, ...facts }: Facts): Facts {
  return facts;
}

function sharedDifference(
  group: readonly { readonly folder: string; readonly difference: Difference }[],
): readonly SharedDifference[] {
  const [first] = group;
  if (first === undefined) return [];
  const { code, severity, subject, patch, facts, mend } = first.difference;
  const codes = [...new Set(group.map(({ folder }) => folder))];
  return [
    {
      code,
      severity,
      subject,
      ...(patch === undefined ? {} : { patch }),
      facts,
      folders: group.map(({ folder, difference }) => ({ folder, next: commandOf(difference.mend, [folder]) })),
      next: mend.by === 'sql' && codes.length > 1 ? null : commandOf(mend, codes),
    },
  ];
}

function commandOf(mend: Mend, folders: readonly string[]): string | null {
  switch (mend.by) {
    case 'validate':
      return `rustine validate ${folders.join(' ')}`;
    case 'integrate':
      return `rustine integrate ${shellWord(mend.file)} --folders ${folders.join(',')} --force already=REASON`;
    case 'sql':
      return `psql "$(rustine db url)" -c ${shellWord(mend.statement)}`;
    case 'backup':
    case 'nothing':
      return null;
  }
}

/** As it can be pasted into a shell. */
function shellWord(text: string): string {
  return /^[\w.,:=@%+/-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
