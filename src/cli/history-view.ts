// The inquiry for people: what was written to folders, an entry a line with what is worth knowing below it, and the versions of an element.
import type { ElementFolder, ElementHistory, ElementVersion, History, HistoryEntry, HistoryFolder } from '../app/history.ts';
import { table, wrap } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';
import { shortRun } from './runs-view.ts';
import { entryTime } from './trace.ts';

const DIGEST = 8;
const NAMED = 4;
const MINUTE = 'YYYY-MM-DD HH:MM'.length;

export function historyText(found: History, messages: Messages, width: number | undefined, verbose: boolean): string {
  const { history } = messages;
  const { entries, total, element, notRemembered } = found;
  const parts: string[] = [];
  if (element !== null) parts.push(elementText(element, messages, width, verbose));
  if (entries.length === 0) parts.push(history.nothing);
  else parts.push(`${element === null ? '' : `${history.story}\n`}${entriesText(entries, messages, width, verbose)}`);
  const hints: string[] = [];
  if (total > entries.length) hints.push(history.more(entries.length, total, entries.length * 4));
  if (!verbose && entries.some(({ folders }) => folders.length > NAMED)) hints.push(history.verbose);
  if (notRemembered.length > 0) hints.push(history.notRemembered(notRemembered.map(safe)));
  if (hints.length > 0) parts.push(hints.map((hint) => wrap(hint, width, 2)).join('\n'));
  return parts.join('\n\n');
}

function entriesText(entries: readonly HistoryEntry[], messages: Messages, width: number | undefined, verbose: boolean): string {
  const { history } = messages;
  const { columns } = history;
  const titles = [columns.at, columns.what, columns.of, columns.digest, columns.folders, columns.by, columns.run];
  const rows = entries.map((entry) => [
    minute(entry.until),
    entryKind(entry, messages),
    entry.element ?? (entry.file === '' ? '-' : entry.file),
    start(entry.digest),
    named(entry.folders, messages),
    entry.operator,
    entry.run === null ? '-' : shortRun(entry.run),
  ]);
  const [head = '', ...lines] = table(
    titles.map((title) => ({ title })),
    rows,
    width,
  ).split('\n');
  const below = (entry: HistoryEntry): readonly string[] =>
    [...entryDetails(entry, messages), ...(verbose ? eachFolder(entry) : [])].map((line) => wrap(`  ${safe(line)}`, width, 4));
  return [head, ...lines.flatMap((line, at) => [line, ...(entries[at] === undefined ? [] : below(entries[at]))])].join('\n');
}

/** What was done, in a word or two. */
export function entryKind({ kind, run, takenBack }: HistoryEntry, { history }: Messages): string {
  if (takenBack) return kind === 'copied' ? history.gone : history.takenBack;
  return kind === 'copied' && run !== null ? history.brought : history.kinds[kind];
}

/** What was authorised, left out, forced, decided and taken back. */
export function entryDetails(entry: HistoryEntry, messages: Messages): readonly string[] {
  const { history } = messages;
  const { authorized, ignored, forced, operator, choice, reason, folders } = entry;
  const back = Map.groupBy(
    folders.filter(({ takenBack }) => takenBack !== null),
    ({ takenBack }) => `${takenBack?.withLive} ${takenBack?.by} ${takenBack?.run ?? takenBack?.at}`,
  );
  const purged = Map.groupBy(
    folders.filter((each) => each.purged !== null),
    (each) => `${each.purged?.by} ${each.purged?.at}`,
  );
  const copied = Map.groupBy(
    folders.filter((each) => each.copied > 0),
    (each) => each.copied,
  );
  return [
    ...(authorized.length === 0 ? [] : [history.authorized(authorized.join(', '))]),
    ...(ignored.length === 0 ? [] : [history.ignored(ignored.join(', '))]),
    // Whoever had a folder made with it forced nothing; scripts are left by whoever validates.
    ...Object.entries(forced).map(([check, why]) =>
      entry.kind === 'copied' && check !== 'scripts' ? history.forcedThere(check, why) : history.forced(check, why, operator),
    ),
    ...(choice === null ? (reason === '' ? [] : [history.reason(reason)]) : [history.chosen(choice, reason)]),
    ...[...copied].map(([count, same]) => history.withPatches(count, named(same, messages))),
    ...[...purged.values()].map((same) =>
      history.purged(same[0]?.purged?.by ?? '', minute(same[0]?.purged?.at ?? ''), named(same, messages)),
    ),
    ...[...back.values()].map((same) =>
      (same[0]?.takenBack?.withLive === true ? history.goneWithLive : history.backBy)(
        same[0]?.takenBack?.by ?? '',
        minute(same[0]?.takenBack?.at ?? ''),
        named(same, messages),
      ),
    ),
  ];
}

const eachFolder = ({ folders }: HistoryEntry): readonly string[] =>
  folders.map(({ folder, server, at }) => `${folder}  ${entryTime(at)}${server === null ? '' : `  ${server}`}`);

const minute = (at: string): string => entryTime(at).slice(0, MINUTE);

const start = (digest: string | null): string => digest?.slice(0, DIGEST) ?? '-';

/** Who did something twice on a day is named once. */
function named(folders: readonly Pick<HistoryFolder, 'folder'>[], { history }: Messages): string {
  const codes = [...new Set(folders.map(({ folder }) => folder))];
  return history.folders(codes.length, some(codes, NAMED));
}

function elementText(element: ElementHistory, messages: Messages, width: number | undefined, verbose: boolean): string {
  const { history } = messages;
  const { version, digest, since, holds, folders } = history.versionColumns;
  const held = element.versions.flatMap((each) => versionRows(each, messages));
  const [head = '', ...lines] = table(
    [version, digest, since, holds, folders].map((title) => ({ title })),
    held.map(({ cells }) => cells),
    width,
  ).split('\n');
  const below = (codes: readonly string[]): readonly string[] =>
    verbose && codes.length > NAMED ? [wrap(`  ${codes.join(', ')}`, width, 2)] : [];
  const versions = [head, ...lines.flatMap((line, at) => [line, ...below(held[at]?.codes ?? [])])].join('\n');
  const text = `${history.versions(safe(element.element))}\n${versions}`;
  return element.decisions.length === 0 ? text : `${text}\n\n${history.decisions}\n${decisionsText(element, messages, width)}`;
}

/** A line for each thing that folders hold of the version; its name stands in the first one. */
function versionRows(
  { file, digest, at, remembered, folders }: ElementVersion,
  messages: Messages,
): readonly { readonly cells: readonly string[]; readonly codes: readonly string[] }[] {
  const { history } = messages;
  const name = file === null ? history.noPatch : remembered ? file : `${file} (${history.unremembered})`;
  const held = (folder: ElementFolder): string =>
    folder.hold === 'inherited' && folder.from !== null ? history.from(folder.from) : history.holds[folder.hold];
  return [...Map.groupBy(folders, held)].map(([holds, same], row) => ({
    cells: [
      row === 0 ? name : '',
      row === 0 ? start(digest) : '',
      row === 0 && at !== null ? minute(at) : '',
      holds,
      named(same, messages),
    ],
    codes: same.map(({ folder }) => folder),
  }));
}

function decisionsText({ decisions }: ElementHistory, { history, report }: Messages, width: number | undefined): string {
  const { at, by, case: number, place, choice, reason } = history.decisionColumns;
  return table(
    [at, by, number, place, choice, reason].map((title) => ({ title })),
    decisions.map((each) => [
      minute(each.at),
      each.by,
      each.case,
      each.place === '' ? history.whole : each.place,
      report.choices[each.choice],
      each.reason === '' ? '-' : each.reason,
    ]),
    width,
  );
}
