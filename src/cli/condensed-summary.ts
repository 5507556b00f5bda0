// The end of a run over many folders, on one screen: counts, sums, failures by distinct cause, what is due, and where the rest is.
import type { Finding } from '../base/finding.ts';
import type { RunOutcome } from '../journal/outcome.ts';
import { type Cause, causesOf, saidOfAll, untoldReasons } from './causes.ts';
import { counts, elementCounts, rowCounts, scriptCounts, sums, tableCounts, wordsFor } from './counts.ts';
import { type DueFolder, dueLines } from './due.ts';
import { paint, wrap } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe } from './messages/said.ts';
import { findingText } from './problem.ts';
import { shortRun } from './runs-view.ts';
import { SCREEN_LINES, type SummaryStyle, toneOfState } from './summary-style.ts';
import { cut, widthOf } from './text-width.ts';

/** Where the width is not known, lines are broken as on a usual screen. */
const USUAL_WIDTH = 80;
/** A cause says what and where in so many lines; the trace has all of it. */
const CAUSE_LINES = 3;
const DUE_LINES = 4;
const DUE_NAMED = 3;

export function condensedSummary(
  outcome: RunOutcome,
  folders: readonly DueFolder[],
  messages: Messages,
  style: SummaryStyle,
): string {
  const { report } = messages;
  const width = style.width ?? USUAL_WIDTH;
  const end = [
    ...pendingLine(outcome, messages, width),
    ...dueText(outcome, folders, messages, width),
    paint(toneOfState(outcome.state), cut(report.runs[outcome.mode][outcome.state], width), style.colour),
    paint('dim', report.runLine(shortRun(outcome.run), shortRun(outcome.run), style.ms), style.colour),
  ];
  const head = style.quiet
    ? []
    : [...clipped(statesText(outcome, messages), width, 2), ...clipped(sumsText(outcome, messages), width, 3)];
  const room = SCREEN_LINES - head.length - end.length;
  return [...head, ...problemLines(outcome, messages, { ...style, width }, room), ...end].join('\n');
}

/** At most so many lines, the last one with an ellipsis where something is left out. */
function clipped(text: string, width: number, most: number, indent = 2): readonly string[] {
  const lines = wrap(text, width, indent).split('\n');
  const shown = lines.length <= most ? lines : [...lines.slice(0, most - 1), `${lines[most - 1] ?? ''} …`];
  return shown.map((line) => cut(line, width));
}

function statesText({ folders }: RunOutcome, { progress, report, summary }: Messages): string {
  const byState = [...Map.groupBy(folders, ({ state }) => state)];
  return summary.folders(
    folders.length,
    byState.map(([state, group]) => progress.inState(group.length, report.states[state])).join(', '),
  );
}

function sumsText(outcome: RunOutcome, messages: Messages): string {
  const { report, summary } = messages;
  const patches = outcome.folders.flatMap((folder) => folder.patches);
  const integrated = patches.filter(({ state }) => state === 'integrated' || state === 'reverted').length;
  const words = wordsFor(patches, messages);
  const parts = [
    [report.columns.elements, counts(words.elements, sums(patches, elementCounts))],
    [report.columns.tables, counts(words.tables, sums(patches, tableCounts))],
    [report.columns.scripts, counts(words.scripts, sums(patches, scriptCounts))],
    [report.columns.rows, counts(words.rows, sums(patches, rowCounts))],
  ] as const;
  const said = parts.flatMap(([name, what]) => (what === '-' ? [] : [summary.part(name, what)]));
  return summary.inAll([summary.patches(integrated), ...said].join(' · '));
}

/** What blocks first, then warnings as far as there is room; what is left out is counted. */
function problemLines(
  outcome: RunOutcome,
  messages: Messages,
  style: SummaryStyle & { readonly width: number },
  room: number,
): readonly string[] {
  const findings = [...outcome.findings, ...untoldReasons(outcome)];
  const failures = byFolders(causesOf(findings.filter(({ severity }) => severity === 'block')));
  const warnings = byFolders(causesOf(findings.filter(({ severity }) => severity === 'warn')));
  const notes = causesOf(findings.filter(({ severity }) => severity === 'info'));
  const failed = new Set(failures.flatMap(({ folders }) => folders)).size;
  const title = failures.length === 0 ? [] : [messages.summary.failures(failures.length, failed)];
  const blocks = causeLines(failures, messages, style, room - title.length - 1);
  // Of warnings and notes one line at least, when there are any.
  const left = style.quiet ? 0 : room - title.length - blocks.length;
  const shown = left > CAUSE_LINES ? causeLines(warnings.slice(0, 1), messages, style, left - 1) : [];
  const rest = [
    ...(warnings.length === 0 ? [] : [messages.report.severities.warn(warnings.length)]),
    ...(notes.length === 0 ? [] : [messages.report.severities.info(notes.length)]),
  ];
  return [
    ...title.map((line) => paint('red', cut(line, style.width), style.colour)),
    ...blocks,
    ...(rest.length === 0 || left < 1
      ? []
      : [paint('yellow', cut(messages.summary.others(rest.join(', ')), style.width), style.colour)]),
    ...shown,
  ];
}

function byFolders(causes: readonly Cause[]): readonly Cause[] {
  return causes.toSorted((a, b) => b.folders.length - a.folders.length);
}

/** Causes of one kind are told by one of them where there are more than lines for all. */
function causeLines(
  causes: readonly Cause[],
  messages: Messages,
  style: { readonly width: number },
  room: number,
): readonly string[] {
  const each = (cause: Cause, alike = 0): readonly string[] =>
    clipped(`  ${causeSentence(cause, alike, messages)}`, style.width, CAUSE_LINES, 4);
  const all = causes.map((cause) => each(cause));
  if (all.flat().length <= room) return all.flat();
  const kinds = [...Map.groupBy(causes, ({ finding }) => finding.code).values()].map((kind) => {
    const folders = [...new Set(kind.flatMap((cause) => cause.folders))];
    return { kind, folders, lines: each({ ...(kind[0] as Cause), folders }, kind.length - 1) };
  });
  const lines: string[] = [];
  for (const [at, { lines: mine }] of kinds.entries()) {
    const isLast = at === kinds.length - 1;
    if (lines.length + mine.length + (isLast ? 0 : 1) > room) {
      const rest = kinds.slice(at);
      const left = new Set(rest.flatMap(({ folders }) => folders)).size;
      const more = messages.summary.moreCauses(
        rest.reduce((sum, { kind }) => sum + kind.length, 0),
        left,
      );
      return room <= 0 ? [] : [...lines, cut(`  ${more}`, style.width)];
    }
    lines.push(...mine);
  }
  return lines;
}

function causeSentence(cause: Cause, alike: number, messages: Messages): string {
  const { finding, folders } = cause;
  const { patch, subject } = finding;
  // The folders stand in front already.
  const first: Finding = alike > 0 ? finding : saidOfAll(cause);
  const text = findingText(first, messages);
  const place = [
    messages.summary.where(folders),
    patch === undefined ? '' : safe(patch),
    subject === undefined || text.includes(subject) ? '' : cut(safe(subject), 40),
  ].filter((part) => part !== '');
  const more = alike === 0 ? '' : ` ${messages.summary.alike(alike)}`;
  return `${place.join(' · ')}${more}${place.length === 0 ? '' : ' – '}${text}`;
}

function pendingLine({ folders }: RunOutcome, { summary }: Messages, width: number): readonly string[] {
  const pending = folders.map(({ patches }) => patches.flatMap((patch) => patch.pending));
  const scripts = [...new Set(pending.flat())].map(safe);
  if (scripts.length === 0) return [];
  return clipped(summary.pending(scripts, pending.filter((each) => each.length > 0).length), width, 2);
}

/** The commands in full where they are few enough, for a command that is cut is none; else the one that shows them. */
function dueText(outcome: RunOutcome, folders: readonly DueFolder[], messages: Messages, width: number): readonly string[] {
  if (outcome.mode === 'rehearse') {
    const due = outcome.folders.filter((each) => each.due).map((each) => each.folder);
    return due.length === 0 ? [] : clipped(messages.summary.rehearsedDue(due), width, 2);
  }
  const lines = dueLines(folders, messages, width, DUE_NAMED).flatMap((line) => line.split('\n'));
  if (lines.length <= DUE_LINES && lines.every((line) => widthOf(line) <= width)) return lines;
  const due = folders.filter(
    (each) =>
      ['dropping', 'creating', 'unreachable', 'locked'].includes(each.state) || each.lag.length > 0 || each.reasons.length > 0,
  );
  return clipped(messages.summary.due(due.length), width, 2);
}
