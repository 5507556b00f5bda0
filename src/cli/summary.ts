// The end of a run: the document of `integrate --json`, and a summary that fits a screen.
import { canonical } from '../base/canonical.ts';
import type { Finding } from '../base/finding.ts';
import type { FolderOutcome, PatchOutcome, RunOutcome } from '../journal/outcome.ts';
import { type DueFolder, dueLines } from './due.ts';
import { findingsText } from './findings.ts';
import { paint, type Tone, table, wrap } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';
import { findingDocument, problemText } from './problem.ts';
import { type FolderCosts, tableCostsText } from './table-costs.ts';

const EXIT_CODES: Readonly<Record<Exclude<RunOutcome['state'], 'cancelled'>, number>> = {
  done: 0,
  partial: 1,
  refused: 2,
  failed: 3,
};
const TONES: Readonly<Record<RunOutcome['state'], Tone>> = {
  done: 'green',
  partial: 'yellow',
  refused: 'red',
  failed: 'red',
  cancelled: 'yellow',
};

export interface SummaryStyle {
  readonly width: number | undefined;
  readonly colour: boolean;
  readonly verbose: boolean;
  readonly quiet: boolean;
  /** How long the run took, where known. */
  readonly ms: number | null;
}

/** Of a run that was cancelled it says whether some folder got something. */
export function runExitCode({ state, folders }: Pick<RunOutcome, 'state' | 'folders'>): number {
  if (state !== 'cancelled') return EXIT_CODES[state];
  return folders.some(({ patches }) => patches.some((patch) => patch.state === 'integrated')) ? 1 : 2;
}

export function toneOfState(state: RunOutcome['state']): Tone {
  return TONES[state];
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
  const parts = [
    findingsText(findings, messages, { width: style.width, colour: style.colour, all: style.verbose }),
    outcome.state === 'refused' || outcome.folders.length === 0 ? '' : folderTable(outcome.folders, messages, style.width),
    style.verbose || outcome.mode === 'rehearse' ? tableCostsText(costsOfRun(outcome), messages, style.width) : '',
    ...reasons(outcome, messages, style.width),
    ...pending,
    rehearsed.length === 0 ? '' : wrap(report.due.rehearsed(some(rehearsed, 12)), style.width, 2),
    ...dueLines(folders, messages, style.width),
    paint(TONES[outcome.state], report.runs[outcome.mode][outcome.state], style.colour),
    paint('dim', report.runLine(outcome.run, style.ms), style.colour),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function costsOfRun({ folders }: RunOutcome): readonly FolderCosts[] {
  return folders.map(({ folder, patches }) => ({ folder, changes: patches.flatMap(({ tables }) => tables.changes) }));
}

/** Folders work at the same time, so their findings come in any order. */
function inFolderOrder({ findings, folders }: RunOutcome): Finding[] {
  const order = new Map(folders.map(({ folder: code }, at) => [code, at]));
  const place = ({ folder }: Finding) => (folder === undefined ? -1 : (order.get(folder) ?? order.size));
  return findings.toSorted((a, b) => place(a) - place(b));
}

/** Folders that fared alike share a line: a run over a hundred folders fits a screen. */
function folderTable(folders: readonly FolderOutcome[], { report }: Messages, width: number | undefined): string {
  const alike = Map.groupBy(folders, (folder) =>
    canonical({ ...folder, folder: '', patches: folder.patches.map((patch) => ({ ...patch, ms: 0 })) }),
  );
  const rows = [...alike.values()].map((group) => {
    const { state, patches } = group[0] as FolderOutcome;
    const slowest = Math.max(...group.map((folder) => folder.patches.reduce((sum, patch) => sum + patch.ms, 0)));
    return [
      some(
        group.map((each) => each.folder),
        4,
      ),
      report.states[state],
      String(patches.length),
      counts(
        report.elements,
        sums(patches, (patch) => ({ ...patch.elements })),
      ),
      counts(
        report.tables,
        sums(patches, ({ tables }) => ({
          created: tables.created.length,
          altered: tables.altered.length,
          removed: tables.removed.length,
        })),
      ),
      counts(
        report.scripts,
        sums(patches, (patch) => ({ ...patch.scripts })),
      ),
      counts(
        report.rows,
        sums(patches, (patch) => ({ ...patch.rows })),
      ),
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
  const told = new Set(outcome.findings.map(({ code, folder, patch }) => canonical([code, folder ?? null, patch ?? null])));
  const isTold = (code: string, folder: string, file: string) => code === 'blocked' || told.has(canonical([code, folder, file]));
  const failed = outcome.folders.flatMap((folder) =>
    folder.patches.flatMap(({ file, reason }) =>
      reason === undefined || isTold(reason.code, folder.folder, file) ? [] : [{ folder: folder.folder, file, reason }],
    ),
  );
  return [
    ...Map.groupBy(failed, ({ file, reason }) => canonical([file, reason.code, { ...reason.facts, folder: null }])).values(),
  ].map((group) => {
    const [{ file, reason }] = group as [(typeof failed)[number]];
    const place = `${safe(file)} · ${messages.report.folders(some(group.map(({ folder }) => folder)), group.length)}`;
    return wrap(`${place} – ${problemText(reason, messages)}`, width, 2);
  });
}

type Counts = Readonly<Record<string, number>>;

function sums(patches: readonly PatchOutcome[], of: (patch: PatchOutcome) => Counts): Counts {
  const total: Record<string, number> = {};
  for (const patch of patches) for (const [name, count] of Object.entries(of(patch))) total[name] = (total[name] ?? 0) + count;
  return total;
}

/** `3 new, 2 ignored`; zeros are left out. */
export function counts(words: Readonly<Record<string, (count: number) => string>>, numbers: Counts): string {
  const said = Object.entries(words).flatMap(([name, word]) => {
    const number = numbers[name] ?? 0;
    return number === 0 ? [] : [`${number} ${word(number)}`];
  });
  return said.length === 0 ? '-' : said.join(', ');
}
