// Folders for people: the list of them, and one in full.

import type { FolderView } from '../app/rustine.ts';
import { writtenCodes } from '../base/ids.ts';
import { dueReasons } from './due-reasons.ts';
import { pairs, table } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';
import { findingText } from './problem.ts';
import { entryTime } from './trace.ts';

export function foldersTable(folders: readonly FolderView[], { report }: Messages, width: number | undefined): string {
  const { folder, parent, state, due, level, lag, kind, languages, server } = report.columns;
  // Most environments have one.
  const several = folders.some((view) => view.server !== null);
  const columns = [
    { title: folder },
    { title: parent },
    ...(several ? [{ title: server }] : []),
    { title: state },
    { title: due },
    { title: level },
    { title: lag, right: true },
    { title: languages },
    { title: kind },
  ];
  const rows = folders.map((view) => [
    view.code,
    view.parent ?? '-',
    ...(several ? [view.server ?? '-'] : []),
    stateOf(view, report),
    isSilent(view) ? '-' : view.due ? report.yes : report.no,
    levels(view) || '-',
    isSilent(view) ? '-' : String(view.lag.length),
    view.languages.join(' '),
    kindOf(view, report) || '-',
  ]);
  return table(columns, rows, width);
}

/** Nothing is known of it but that it is there. */
const isSilent = ({ state }: FolderView): boolean => state === 'unreachable';

export function folderText(view: FolderView, messages: Messages): string {
  const { report } = messages;
  const { columns } = report;
  return pairs([
    [columns.folder, view.code],
    [columns.parent, view.parent ?? '-'],
    ...(view.server === null ? [] : ([[columns.server, view.server]] as const)),
    [columns.state, stateOf(view, report)],
    ...(view.locked === undefined ? [] : ([[columns.locked, lockText(view.locked, messages)]] as const)),
    [columns.due, dueText(view, report)],
    [columns.kind, kindOf(view, report) || '-'],
    [columns.languages, view.languages.join(' ')],
    [columns.legislations, view.legislations.length === 0 ? '-' : view.legislations.join(' ')],
    [columns.modules, view.modules === null ? report.all : view.modules.join(' ')],
    [columns.activityCodes, writtenCodes(view).join(' ') || '-'],
    [columns.level, levels(view) || '-'],
    [columns.lag, view.lag.length === 0 ? '-' : some(view.lag, 20)],
    [columns.patches, String(view.patches)],
    [columns.tables, String(view.tables)],
    [columns.schema, view.schema],
    [columns.role, view.role ?? report.noRole],
  ]);
}

/** Why, since when, by whom. */
function lockText({ at, by, code, facts }: NonNullable<FolderView['locked']>, messages: Messages): string {
  return `${entryTime(at)} ${safe(by)} – ${findingText({ code, severity: 'block', facts }, messages)}`;
}

/** The reasons besides the lag, which stands in a line of its own. */
function dueText(view: FolderView, report: Messages['report']): string {
  if (!view.due) return report.no;
  return view.reasons.length === 0 ? report.yes : `${report.yes} (${some(dueReasons(view.reasons, report), 12)})`;
}

export function stateOf(view: FolderView, report: Messages['report']): string {
  return (report.states as Readonly<Record<string, string>>)[view.state] ?? view.state;
}

export function levels(view: FolderView): string {
  return Object.entries(view.level)
    .map(([series, number]) => `${series}: ${number}`)
    .join(', ');
}

export function kindOf(view: FolderView, report: Messages['report']): string {
  return [
    view.parent === null ? report.supervisor : '',
    view.test ? report.test : '',
    view.specific ? report.specific : '',
    view.historyOf === null ? '' : report.history(view.historyOf),
  ]
    .filter((word) => word !== '')
    .join(', ');
}
