// What is to be done about folders that are not in line: the exact command for each cause, or that there is none yet (R34).

import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FolderView } from '../app/rustine.ts';
import { settledByValidation } from '../environment/due.ts';
import { dueReasons } from './due-reasons.ts';
import { wrap } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';

/** What of a folder says whether and why it is due. */
export type DueFolder = Pick<FolderView, 'code' | 'state' | 'lag' | 'lagPaths' | 'lagToIntegrate' | 'reasons'> & {
  /** Where it lives; null: on the environment's own server. */
  readonly server?: string | null;
} & Partial<Pick<FolderView, 'parent' | 'historyOf' | 'integrateFirst'>>;

/** From so many on a command names no folders: those that have the patches already are left as they are. */
const MOST_FOLDERS = 12;
/** So many files of those that are missing are told before the command. */
const MOST_FILES = 3;
/** So many files a command names where no directory holds just these. */
const MOST_PATHS = 40;

/** A line per cause; none where everything is in line. @param named so many folders are named, the others counted */
export function dueLines(
  folders: readonly DueFolder[],
  messages: Messages,
  width: number | undefined,
  named = MOST_FOLDERS,
): readonly string[] {
  const { due } = messages.report;
  const ready = folders.filter(({ state }) => !['dropping', 'creating', 'unreachable'].includes(state));
  const creating = folders.filter(({ state }) => state === 'creating').map(({ code }) => code);
  const silent = Map.groupBy(
    folders.filter(({ state }) => state === 'unreachable'),
    ({ server }) => server ?? '',
  );
  const lines = [
    ...[...silent].map(([server, mine]) =>
      due.unreachable(
        some(
          mine.map(({ code }) => code),
          named,
        ),
        server,
      ),
    ),
    ...(creating.length === 0 ? [] : [due.creating(some(creating, named))]),
    ...folders
      .filter(({ state }) => state === 'dropping')
      .map(({ code }) => due.dropping(code, `rustine folder drop ${code} --yes`)),
    ...lockedLine(folders, messages, named),
    ...[
      ...Map.groupBy(
        ready.filter((folder) => !isSettledAtOnce(folder)),
        ({ lag, lagToIntegrate, integrateFirst }) => JSON.stringify([lag, lagToIntegrate ?? lag, integrateFirst]),
      ).values(),
    ].flatMap((group) => lackingLine(group, folders, messages, named)),
    ...reasonLines(ready, folders, messages, named),
  ];
  return lines.map((line) => wrap(line, width, 2));
}

/** It lags and is due for other reasons, and one validation settles both: that is told once. */
function isSettledAtOnce({ lag, lagToIntegrate = lag, reasons }: DueFolder): boolean {
  return lag.length > 0 && lagToIntegrate.length === 0 && reasons.some(settledByValidation);
}

/** What they follow is validated with them where it is locked or lags itself: alone they would be refused. */
function validateCommand(codes: readonly string[], folders: readonly DueFolder[]): string {
  const byCode = new Map(folders.map((folder) => [folder.code, folder]));
  const withLeader = (code: string): readonly string[] => {
    const { historyOf, parent } = byCode.get(code) ?? {};
    const leader = byCode.get(historyOf ?? parent ?? '');
    return leader !== undefined && (leader.state === 'locked' || leader.lag.length > 0)
      ? [...withLeader(leader.code), code]
      : [code];
  };
  const all = [...new Set(codes.length > MOST_FOLDERS ? codes : codes.flatMap(withLeader))];
  return `rustine validate ${all.length <= MOST_FOLDERS ? all.join(' ') : '--due'}`;
}

/** Their validation failed; another one, once what it failed of is mended, unlocks them. */
function lockedLine(folders: readonly DueFolder[], { report: { due } }: Messages, named: number): readonly string[] {
  const codes = folders.filter(({ state }) => state === 'locked').map(({ code }) => code);
  if (codes.length === 0) return [];
  return [due.locked(some(codes, named), codes.length, validateCommand(codes, folders))];
}

/** Folders that lack the same patches. */
function lackingLine(
  folders: readonly DueFolder[],
  all: readonly DueFolder[],
  { report: { due } }: Messages,
  named: number,
): readonly string[] {
  const lag = folders[0]?.lag ?? [];
  if (lag.length === 0) return [];
  const codes = folders.map(({ code }) => code);
  const files = some(lag.map(safe), MOST_FILES);
  const names = some(codes, named);
  // What the database keeps comes from the parent, with its rows.
  if ((folders[0]?.lagToIntegrate ?? lag).length === 0) {
    const command = validateCommand(codes, all);
    return [
      lag.length <= MOST_FILES
        ? due.lacking(names, codes.length, files, command)
        : due.lackingMany(names, lag.length, files, command, false),
    ];
  }
  const paths = pathsOf([...(folders[0]?.integrateFirst ?? []), ...lag], folders[0]?.lagPaths ?? {});
  const where = codes.length <= MOST_FOLDERS ? ` --folders ${codes.join(',')}` : '';
  const command = safe(`rustine integrate ${paths?.map(shellWord).join(' ') ?? due.directory}${where}`);
  if (lag.length <= MOST_FILES) return [due.lacking(names, codes.length, files, command)];
  return [due.lackingMany(names, lag.length, files, command, paths === undefined)];
}

/** What brings these files and no other; undefined: that cannot be said here. */
function pathsOf(lag: readonly string[], known: Readonly<Record<string, string>>): readonly string[] | undefined {
  const directories = new Set(lag.map((file) => (known[file] === undefined ? undefined : dirname(known[file]))));
  const [directory] = directories;
  if (lag.length > MOST_FILES && directory !== undefined && directories.size === 1 && holdsOnly(directory, lag))
    return [directory];
  const sure = lag.length <= MOST_FILES || (lag.length <= MOST_PATHS && !directories.has(undefined));
  return sure ? lag.map((file) => known[file] ?? file) : undefined;
}

/** Besides notes. Other patch files would be integrated, too, and what is no patch file is refused (R10). */
function holdsOnly(directory: string, files: readonly string[]): boolean {
  try {
    const there = readdirSync(directory, { withFileTypes: true }).filter((each) => !(each.isDirectory() && each.name === 'doc'));
    return there.length === files.length && there.every((each) => each.isFile() && files.includes(each.name));
  } catch {
    return false;
  }
}

function reasonLines(
  folders: readonly DueFolder[],
  all: readonly DueFolder[],
  { report }: Messages,
  named: number,
): readonly string[] {
  const { due } = report;
  const withReasons = (settled: boolean): readonly (readonly [code: string, why: string])[] =>
    folders.flatMap((folder) => {
      const mine = folder.reasons.filter((reason) => settledByValidation(reason) === settled);
      if (mine.length === 0) return [];
      const lacks = settled && isSettledAtOnce(folder) ? [due.lacks(some(folder.lag.map(safe), MOST_FILES))] : [];
      return [[folder.code, `${folder.code} (${[...lacks, some(dueReasons(mine, report).map(safe))].join(report.due.between)})`]];
    });
  const said = (list: readonly (readonly [string, string])[]): string =>
    some(
      list.map(([, why]) => why),
      named,
    );
  const settled = withReasons(true);
  const open = withReasons(false);
  const codes = settled.map(([code]) => code);
  return [
    ...(settled.length === 0 ? [] : [due.validate(said(settled), validateCommand(codes, all))]),
    ...(open.length === 0 ? [] : [due.open(said(open))]),
  ];
}

/** As it can be pasted into a shell, whatever a file is called. */
function shellWord(text: string): string {
  return /^[\w.,:=@%+/-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
