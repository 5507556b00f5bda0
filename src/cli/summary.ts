// The end of a run: the document of `integrate --json`, and a summary that fits a screen.
import { stripVTControlCharacters } from 'node:util';
import { canonical } from '../base/canonical.ts';
import type { Finding } from '../base/finding.ts';
import type { FolderOutcome, RunOutcome } from '../journal/outcome.ts';
import { causesOf, untoldReasons } from './causes.ts';
import { condensedSummary } from './condensed-summary.ts';
import { counts, elementCounts, rowCounts, scriptCounts, sums, tableCounts, wordsFor } from './counts.ts';
import { type DueFolder, dueLines } from './due.ts';
import { causeText, findingsText } from './findings.ts';
import { paint, table, wrap } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';
import { findingDocument, problemText } from './problem.ts';
import { shortRun } from './runs-view.ts';
import { SCREEN_LINES, type SummaryStyle, toneOfState } from './summary-style.ts';
import { type FolderCosts, tableCostsText } from './table-costs.ts';
import { widthOf } from './text-width.ts';

const EXIT_CODES: Readonly<Record<Exclude<RunOutcome['state'], 'cancelled'>, number>> = {
  done: 0,
  partial: 1,
  refused: 2,
  failed: 3,
};

/** Of a run that was cancelled it says whether some folder got something. */
export function runExitCode({ state, folders }: Pick<RunOutcome, 'state' | 'folders'>): number {
  if (state !== 'cancelled') return EXIT_CODES[state];
  return folders.some(({ patches }) => patches.some(({ state }) => state === 'integrated' || state === 'reverted')) ? 1 : 2;
}

export function runDocument(outcome: RunOutcome, messages: Messages): object {
  return {
    ...outcome,
    findings: outcome.findings.map((finding) => findingDocument(finding, messages)),
    folders: outcome.folders.map((folder) => ({
      ...folder,
      patches: folder.patches.map((patch) =>
        patch.reason === undefined
          ? patch
          : { ...patch, reason: { ...patch.reason, message: problemText(patch.reason, messages) } },
      ),
    })),
  };
}

/** So few folders are told in detail, however long that gets. */
const FEW_FOLDERS = 12;
const USUAL_WIDTH = 80;

/** A table whose columns are cut tells less than the counts do. */
function tableFits({ folders }: RunOutcome, messages: Messages, { width }: SummaryStyle): boolean {
  return (
    width === undefined ||
    folderTable(folders, messages, undefined)
      .split('\n')
      .every((line) => widthOf(line) <= width)
  );
}

/** Lines on a screen, where those that are too long are broken. */
function heightOf(text: string, width = USUAL_WIDTH): number {
  return text.split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(stripVTControlCharacters(line)) / width)), 0);
}

/** @param folders all of them as they are after the run, also those that it left out; none after a rehearsal */
export function runSummary(outcome: RunOutcome, folders: readonly DueFolder[], messages: Messages, style: SummaryStyle): string {
  const { report } = messages;
  const findings = inFolderOrder(outcome).filter(({ severity }) => !style.quiet || severity === 'block');
  if (style.quiet && outcome.state === 'done') return '';
  const rehearsed = outcome.mode === 'rehearse' ? outcome.folders.filter((each) => each.due).map((each) => each.folder) : [];
  const pending = outcome.folders.flatMap((folder) => {
    const scripts = folder.patches.flatMap((patch) => patch.pending);
    return scripts.length === 0 ? [] : [report.pending(folder.folder, some(scripts.map(safe)))];
  });
  const detailed = [
    findingsText(findings, messages, { width: style.width, colour: style.colour, all: style.verbose }),
    outcome.state === 'refused' || outcome.folders.length === 0 ? '' : folderTable(outcome.folders, messages, style.width),
    style.verbose || outcome.mode === 'rehearse' ? tableCostsText(costsOfRun(outcome), messages, style.width) : '',
    ...reasons(outcome, messages, style.width),
    ...pending,
    rehearsed.length === 0 ? '' : wrap(report.due.rehearsed(some(rehearsed, 12)), style.width, 2),
    ...dueLines(folders, messages, style.width),
    paint(toneOfState(outcome.state), report.runs[outcome.mode][outcome.state], style.colour),
    paint('dim', report.runLine(outcome.run, shortRun(outcome.run), style.ms), style.colour),
  ]
    .filter((part) => part !== '')
    .join('\n');
  const fits =
    style.verbose ||
    outcome.folders.length <= FEW_FOLDERS ||
    (heightOf(detailed, style.width) <= SCREEN_LINES && tableFits(outcome, messages, style));
  return fits ? detailed : condensedSummary(outcome, folders, messages, style);
}

function costsOfRun({ folders }: RunOutcome): readonly FolderCosts[] {
  return folders.map(({ folder, patches }) => ({ folders: [folder], changes: patches.flatMap(({ tables }) => tables.changes) }));
}

/** Folders work at the same time, so their findings come in any order. */
function inFolderOrder({ findings, folders }: RunOutcome): Finding[] {
  const order = new Map(folders.map(({ folder: code }, at) => [code, at]));
  const place = ({ folder }: Finding) => (folder === undefined ? -1 : (order.get(folder) ?? order.size));
  return findings.toSorted((a, b) => place(a) - place(b));
}

/** Folders that fared alike share a line: a run over a hundred folders fits a screen. */
function folderTable(folders: readonly FolderOutcome[], messages: Messages, width: number | undefined): string {
  const { report } = messages;
  const alike = Map.groupBy(folders, (folder) =>
    canonical({ ...folder, folder: '', patches: folder.patches.map((patch) => ({ ...patch, ms: 0 })) }),
  );
  const rows = [...alike.values()].map((group) => {
    const { state, patches } = group[0] as FolderOutcome;
    const words = wordsFor(patches, messages);
    const slowest = Math.max(...group.map((folder) => folder.patches.reduce((sum, patch) => sum + patch.ms, 0)));
    return [
      some(
        group.map((each) => each.folder),
        4,
      ),
      report.states[state],
      String(patches.length),
      counts(words.elements, sums(patches, elementCounts)),
      counts(words.tables, sums(patches, tableCounts)),
      counts(words.scripts, sums(patches, scriptCounts)),
      counts(words.rows, sums(patches, rowCounts)),
      `${slowest} ms`,
    ];
  });
  const { folder, state, patches, elements, tables, scripts, rows: data, time } = report.columns;
  const columns = [
    { title: folder },
    { title: state },
    { title: patches, right: true },
    { title: elements },
    { title: tables },
    { title: scripts },
    { title: data },
    { title: time, right: true },
  ];
  return table(columns, rows, width);
}

/** Why patches failed or were skipped, where no finding says so; folders with the same reason share it. */
function reasons(outcome: RunOutcome, messages: Messages, width: number | undefined): string[] {
  return causesOf(untoldReasons(outcome)).map((cause) => wrap(causeText(cause, messages), width, 2));
}
