// The folders of a run on its page: what became of each, and what each patch or step did in it.
import type { RunFolderState } from '../../journal/run-folders.ts';
import { counts, elementCounts, rowCounts, scriptCounts, sums, tableCounts } from '../counts.ts';
import type { Messages } from '../messages/en.ts';
import type { PageBlock, PageCell, PageSection, PageTable, Tone } from './report.ts';
import { folderRows, named, readable } from './rows.ts';
import type { FolderAccount } from './run-account.ts';

type PatchOutcome = FolderAccount['patches'][number];

/** What went wrong comes first, what nothing was done in last. */
const ORDER: readonly (RunFolderState | undefined)[] = [
  'failed',
  'interrupted',
  'cancelled',
  'skipped',
  undefined,
  'waiting',
  'running',
  'postponed',
  'prepared',
  'integrated',
  'validated',
  'reverted',
  'unchanged',
];
const TONES: Partial<Readonly<Record<RunFolderState, Tone>>> = {
  failed: 'bad',
  interrupted: 'bad',
  cancelled: 'warn',
  skipped: 'warn',
  integrated: 'good',
  validated: 'good',
  reverted: 'good',
};

export function stateWord(state: FolderAccount['state'], { report, reports }: Messages): { text: string; tone: Tone } {
  if (state === undefined) return { text: reports.run.notBegun, tone: 'plain' };
  return { text: report.openRuns.folderStates[state], tone: TONES[state] ?? 'plain' };
}

const COUNTED = ['elements', 'tables', 'scripts', 'rows'] as const;

/** A group of rows for each state; of many folders those that fared alike share a row. */
export function folderSection(folders: readonly FolderAccount[], messages: Messages): readonly PageSection[] {
  const { reports } = messages;
  const { columns, outcome, outcomeCaption, stepOutcomeCaption, stateCount } = reports.run;
  // What a validation did is told by step, further below.
  const counted = folders.some(({ patches }) => patches.length > 0);
  const byState = ORDER.map((state) => ({ state, folders: folders.filter((each) => each.state === state) }));
  const shape = {
    code: ({ folder }: FolderAccount) => folder,
    cells: (folder: FolderAccount) => folderCells(folder, counted, messages),
    groups: byState
      .filter((group) => group.folders.length > 0)
      .map((group) => ({
        title: stateCount(stateWord(group.state, messages).text, group.folders.length),
        folders: group.folders,
      })),
  };
  const rows = folderRows(folders, shape, messages);
  const table: PageTable = {
    kind: 'table',
    caption: counted ? outcomeCaption : stepOutcomeCaption,
    columns: [
      ...rows.columns,
      { title: columns.state },
      ...(counted ? [{ title: columns.patches, right: true }, ...COUNTED.map((name) => ({ title: columns[name] }))] : []),
      { title: columns.why },
    ],
    groups: rows.groups,
  };
  return folders.length === 0 ? [] : [{ title: outcome, blocks: [...readable(table, messages), ...slowest(folders, messages)] }];
}

/** Durations differ from folder to folder: they would keep folders apart that fared alike. */
function slowest(folders: readonly FolderAccount[], { reports }: Messages): readonly PageBlock[] {
  const timed = folders.flatMap(({ folder, ms }) => (ms === null ? [] : [{ folder, ms }])).toSorted((a, b) => b.ms - a.ms);
  const [most] = timed;
  const median = timed[Math.floor(timed.length / 2)];
  if (most === undefined || median === undefined) return [];
  return [{ kind: 'text', text: reports.run.slowest(most.folder, reports.duration(most.ms), reports.duration(median.ms)) }];
}

function folderCells(folder: FolderAccount, counted: boolean, messages: Messages): readonly PageCell[] {
  const { patches } = folder;
  const number = patches.length === 0 ? '' : messages.reports.number(patches.length);
  return [
    stateWord(folder.state, messages),
    ...(counted ? [number, ...countCells(patches, messages)] : []),
    { lines: whyLines(folder, messages) },
  ];
}

/** What it was in a word: the sentence stands among the findings, once for all folders. */
function whyLines({ patches, steps, locked }: FolderAccount, messages: Messages): readonly string[] {
  const { report, summary } = messages;
  const failed = steps.filter(({ state }) => state === 'failed');
  return [
    ...patches.flatMap(({ file, reason }) => (reason === undefined ? [] : [summary.part(file, reason.code)])),
    ...failed.map(({ step }) => report.validation.failedAt(report.validation.steps[step])),
    ...(locked === undefined ? [] : [`${report.states.locked}: ${locked.code}`]),
  ];
}

function countCells(patches: readonly PatchOutcome[], { report }: Messages): readonly string[] {
  return [
    said(counts(report.elements, sums(patches, elementCounts))),
    said(counts(report.tables, sums(patches, tableCounts))),
    said(counts(report.scripts, sums(patches, scriptCounts))),
    said(counts(report.rows, sums(patches, rowCounts))),
  ];
}

const said = (text: string): string => (text === '-' ? '' : text);

/** Where there are too many for a page, the sums of each patch alone. */
const MOST_DETAILED = 200;

export function patchSections(folders: readonly FolderAccount[], messages: Messages): readonly PageSection[] {
  const { reports } = messages;
  const { run: words } = reports;
  const { columns } = words;
  const all = folders.flatMap(({ folder, patches }) => patches.map((patch) => ({ folder, patch })));
  const counted = [
    { title: columns.elements },
    { title: columns.tables },
    { title: columns.scripts },
    { title: columns.rows },
    { title: columns.pending },
    { title: columns.took, right: true },
  ];
  const sections: PageSection[] = [];
  if (all.length > 0) {
    const rows = [...Map.groupBy(all, ({ patch }) => patch.file)].map(([file, group]): readonly PageCell[] => [
      file,
      {
        lines: stateLines(
          group.map(({ patch }) => patch.state),
          messages,
        ),
      },
      ...patchCells(
        group.map(({ patch }) => patch),
        messages,
      ),
    ]);
    const columnsOf = [{ title: columns.file, code: true }, { title: columns.states }, ...counted];
    const table: PageTable = { kind: 'table', caption: words.sumsCaption, columns: columnsOf, groups: [{ rows }] };
    sections.push({ title: words.sums, blocks: readable(table, messages) });
  }
  if (all.length > 0 && all.length <= MOST_DETAILED) {
    const groups = folders
      .filter(({ patches }) => patches.length > 0)
      .map(({ folder, patches }) => ({
        title: folder,
        rows: patches.map((patch) => [patch.file, patchState(patch, messages), ...patchCells([patch], messages)]),
      }));
    const columnsOf = [{ title: columns.file, code: true }, { title: columns.state }, ...counted];
    const table: PageTable = { kind: 'table', caption: words.patchesCaption, columns: columnsOf, groups };
    sections.push({ title: words.patches, blocks: readable(table, messages) });
  }
  return sections;
}

function stateLines(states: readonly PatchOutcome['state'][], { report, reports }: Messages): readonly string[] {
  return [...Map.groupBy(states, (state) => state)].map(([state, group]) =>
    reports.run.stateCount(report.states[state], group.length),
  );
}

function patchState({ state }: PatchOutcome, { report }: Messages): PageCell {
  const tones: Partial<Record<string, Tone>> = { integrated: 'good', failed: 'bad', skipped: 'warn' };
  return { text: report.states[state], tone: tones[state] ?? 'plain' };
}

/** Of one patch the tables are named, of several folders they are counted. */
function patchCells(patches: readonly PatchOutcome[], messages: Messages): readonly PageCell[] {
  const { report, reports } = messages;
  const [elements = '', tables = '', scripts = '', rows = ''] = countCells(patches, messages);
  const [one] = patches;
  const names =
    patches.length !== 1 || one === undefined
      ? []
      : (['created', 'altered', 'removed'] as const).flatMap((change) =>
          one.tables[change].length === 0
            ? []
            : [`${report.tables[change](one.tables[change].length)} ${named(one.tables[change], messages)}`],
        );
  const pending = [...new Set(patches.flatMap((patch) => patch.pending))];
  return [
    elements,
    names.length === 0 ? tables : { lines: names },
    scripts,
    rows,
    named(pending, messages),
    reports.duration(Math.max(...patches.map(({ ms }) => ms))),
  ];
}
