// Folders as a page: how many are in line, what is to be done, those that are not in line, then the others.

import type { FolderView } from '../../app/rustine.ts';
import type { Finding } from '../../base/finding.ts';
import type { RunView } from '../../journal/run-views.ts';
import { dueLines } from '../due.ts';
import { dueReasons } from '../due-reasons.ts';
import { kindOf, levels, stateOf } from '../folder-view.ts';
import type { Messages } from '../messages/en.ts';
import { runLine } from '../run-view.ts';
import { findingSection } from './finding-section.ts';
import { type Made, pageFacts } from './made.ts';
import type { Figure, Page, PageBlock, PageCell, PageColumn, PageSection, PageTable, Tone } from './report.ts';
import { folderRows, named, readable } from './rows.ts';

export interface FolderReport {
  readonly kind: 'status' | 'list';
  readonly folders: readonly FolderView[];
  /** Those that have not ended; only `status` knows them. */
  readonly runs?: readonly RunView[];
  readonly findings: readonly Finding[];
}

const MOST_IN_COMMANDS = 40;
const MOST_FILES = 200;
const HALF = ['creating', 'dropping'];

export function foldersPage({ kind, folders, runs = [], findings }: FolderReport, made: Made, messages: Messages): Page {
  const { reports } = messages;
  const words = reports.folders;
  const open = folders.filter((view) => !inLine(view));
  const line = folders.filter(inLine);
  const supervisor = folders.find(({ parent }) => parent === null)?.code;
  const severe = open.some(({ state }) => state !== 'ready');
  const due = dueLines(folders, messages, undefined, MOST_IN_COMMANDS);
  const sections: readonly PageSection[] = [
    {
      title: words.todo,
      blocks: [due.length === 0 ? { kind: 'text', text: words.good, tone: 'good' } : { kind: 'list', items: due }],
    },
    { title: words.lacking, blocks: lackingBlocks(open, messages) },
    { title: words.notInLine, blocks: openBlocks(open, messages) },
    { title: words.inLine, blocks: lineBlocks(line, messages) },
    { title: words.runs, blocks: runs.length === 0 ? [] : [{ kind: 'list', items: runs.map((run) => runLine(run, messages)) }] },
    ...(findings.length === 0 ? [] : [findingSection(findings, messages)]),
  ];
  return {
    language: reports.language,
    title: words.titles[kind],
    facts: pageFacts(made, supervisor === undefined ? [] : [[reports.facts.supervisor, supervisor]], messages),
    verdict:
      open.length === 0
        ? { text: words.good, tone: 'good' }
        : { text: words.open(open.length, folders.length), tone: severe ? 'bad' : 'warn' },
    figures: figuresOf(folders, line.length, runs.length, messages),
    sections: sections.filter(({ blocks }) => blocks.length > 0),
    signing: reports.signing,
  };
}

const inLine = ({ state, lag, due }: FolderView): boolean => state === 'ready' && lag.length === 0 && !due;

function figuresOf(folders: readonly FolderView[], line: number, runs: number, { reports }: Messages): readonly Figure[] {
  const words = reports.folders.figures;
  const figure = (label: string, count: number, tone: Tone, always = false): readonly Figure[] =>
    count === 0 && !always ? [] : [{ label, value: reports.number(count), tone: count === 0 ? 'plain' : tone }];
  const those = (holds: (view: FolderView) => boolean): number => folders.filter(holds).length;
  return [
    ...figure(words.all, folders.length, 'plain', true),
    ...figure(words.inLine, line, 'good', true),
    ...figure(
      words.lagging,
      those(({ lag }) => lag.length > 0),
      'warn',
      true,
    ),
    ...figure(
      words.due,
      those(({ reasons }) => reasons.length > 0),
      'warn',
      true,
    ),
    ...figure(
      words.locked,
      those(({ state }) => state === 'locked'),
      'bad',
      true,
    ),
    ...figure(
      words.half,
      those(({ state }) => HALF.includes(state)),
      'bad',
    ),
    ...figure(
      words.unreachable,
      those(({ state }) => state === 'unreachable'),
      'bad',
    ),
    ...figure(words.runs, runs, 'plain'),
  ];
}

/** Folders that lack the same patches share a row; the most folders first. */
function lackingBlocks(open: readonly FolderView[], messages: Messages): readonly PageBlock[] {
  const { lackingCaption, columns, counted } = messages.reports.folders;
  const alike = [...Map.groupBy(open, ({ lag }) => JSON.stringify(lag)).values()].filter(([first]) => first?.lag.length !== 0);
  const rows = alike
    .toSorted((a, b) => b.length - a.length)
    .map((group): readonly PageCell[] => {
      const codes = group.map(({ code }) => code);
      return [counted(group.length), named(codes, messages, codes.length), named(group[0]?.lag ?? [], messages, MOST_FILES)];
    });
  return readable(
    {
      kind: 'table',
      caption: lackingCaption,
      columns: [{ title: columns.count }, { title: columns.folders }, { title: columns.missing, code: true }],
      groups: [{ rows }],
    },
    messages,
  );
}

function openBlocks(open: readonly FolderView[], messages: Messages): readonly PageBlock[] {
  const { report, reports } = messages;
  const { columns, openCaption } = reports.folders;
  const cells = (view: FolderView): readonly PageCell[] => [
    { text: stateOf(view, report), tone: view.state === 'ready' ? 'plain' : 'bad' },
    view.lag.length === 0 ? '' : { text: reports.number(view.lag.length), tone: 'warn' },
    named(dueReasons(view.reasons, report), messages),
    levels(view),
    kindOf(view, report),
  ];
  const titles = [
    { title: columns.state },
    { title: columns.lag, right: true },
    { title: columns.why },
    { title: columns.level },
    { title: columns.kind },
  ];
  return readable(folderTable(open, openCaption, titles, cells, messages), messages);
}

function lineBlocks(line: readonly FolderView[], messages: Messages): readonly PageBlock[] {
  const { report, reports } = messages;
  const { columns, inLineCaption } = reports.folders;
  const cells = (view: FolderView): readonly PageCell[] => [
    levels(view),
    reports.number(view.patches),
    view.languages.join(' '),
    kindOf(view, report),
  ];
  const titles = [
    { title: columns.level },
    { title: columns.patches, right: true },
    { title: columns.languages },
    { title: columns.kind },
  ];
  return readable(folderTable(line, inLineCaption, titles, cells, messages), messages);
}

/** By parent, in the order of the folders; the server stands beside where there are several. */
function folderTable(
  folders: readonly FolderView[],
  caption: string,
  titles: readonly PageColumn[],
  cells: (view: FolderView) => readonly PageCell[],
  messages: Messages,
): PageTable {
  const { folders: words } = messages.reports;
  const several = folders.some(({ server }) => server !== null);
  const shape = {
    code: ({ code }: FolderView) => code,
    cells: (view: FolderView) => [...(several ? [view.server ?? ''] : []), ...cells(view)],
    groups: [...Map.groupBy(folders, ({ parent }) => parent)].map(([parent, group]) => ({
      title: parent === null ? words.root : words.below(parent, group.length),
      folders: group,
    })),
  };
  const { columns, groups } = folderRows(folders, shape, messages);
  return {
    kind: 'table',
    caption,
    columns: [...columns, ...(several ? [{ title: words.columns.server }] : []), ...titles],
    groups,
  };
}
