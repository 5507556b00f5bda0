// A run as a page: what was asked, by whom, passed over by whose decision, and what became of it in each folder.
import type { JournalEntry } from '../../journal/journal.ts';
import type { RunState } from '../../journal/outcome.ts';
import type { RunFolderView } from '../../journal/run-views.ts';
import type { RunRecord } from '../../journal/trace.ts';
import { causesOf, untoldReasons } from '../causes.ts';
import type { Messages } from '../messages/en.ts';
import { shortRun } from '../runs-view.ts';
import { eventText } from '../trace.ts';
import { findingSection } from './finding-section.ts';
import { type Made, pageFacts } from './made.ts';
import type { Figure, Page, PageBlock, PageSection, Tone } from './report.ts';
import { readable } from './rows.ts';
import { accountOf, type RunAccount } from './run-account.ts';
import { folderSection, patchSections, stateWord } from './run-folders.ts';
import { stepSections } from './step-section.ts';

export interface RunReport {
  readonly run: RunRecord;
  readonly entries: readonly JournalEntry[];
  /** Those that are shown. */
  readonly folders: readonly RunFolderView[];
  /** Where only one is wanted. */
  readonly folder?: string;
  /** What more is known of it, after what its folders came to. */
  readonly more?: readonly PageSection[];
}

const TONES: Readonly<Record<string, Tone>> = {
  done: 'good',
  partial: 'warn',
  cancelled: 'warn',
  refused: 'bad',
  failed: 'bad',
  interrupted: 'bad',
};
const MOST_STEPS = 1_000;
const ENDS: readonly string[] = ['done', 'partial', 'refused', 'failed', 'cancelled'] satisfies readonly RunState[];

export function runPage(report: RunReport, made: Made, messages: Messages): Page {
  const { run } = report;
  const { reports, log } = messages;
  const words = reports.run;
  const account = accountOf(report.entries, report.folders);
  const patches = account.folders.map(({ folder, patches }) => ({ folder, state: 'failed' as const, due: false, patches }));
  const untold = untoldReasons({ run: run.run, mode: run.mode, state: 'done', findings: account.findings, folders: patches });
  const findings = [...account.findings, ...untold];
  const about = [
    [words.facts.run, run.run],
    [words.facts.mode, log.modes[run.mode]],
    [words.facts.state, log.states[run.state] ?? run.state],
    [words.facts.by, reports.by(run.operator, run.host)],
    [words.facts.from, run.from],
    [words.facts.started, reports.time(run.startedAt)],
    [words.facts.ended, run.finishedAt === null ? words.notEnded : reports.time(run.finishedAt)],
    ...(account.ms === null ? [] : [[words.facts.took, reports.duration(account.ms)] as const]),
  ] as const;
  return {
    language: reports.language,
    title: words.title(log.modes[run.mode], shortRun(run.run)),
    facts: pageFacts(made, about, messages),
    verdict: { text: verdictOf(run, messages), tone: TONES[run.state] ?? 'plain' },
    figures: figuresOf(account, causesOf(findings), messages),
    sections: [
      askedSection(report, messages),
      ...folderSection(account.folders, messages),
      findingSection(findings, messages),
      ...(report.more ?? []),
      ...patchSections(account.folders, messages),
      ...stepSections(account.folders, messages),
      ...courseSection(account.course, messages),
    ],
    signing: reports.signing,
  };
}

function verdictOf({ mode, state }: RunRecord, { report, log, reports }: Messages): string {
  if (ENDS.includes(state)) return report.runs[mode][state as RunState];
  return `${log.states[state] ?? state}. ${reports.run.notEnded}`;
}

function figuresOf({ folders, ms }: RunAccount, causes: ReturnType<typeof causesOf>, messages: Messages): readonly Figure[] {
  const { reports } = messages;
  const words = reports.run.figures;
  const byState = [...Map.groupBy(folders, ({ state }) => state)];
  const integrated = folders.flatMap(({ patches }) => patches).filter(({ state }) => state === 'integrated').length;
  const of = (severity: string): number => causes.filter(({ finding }) => finding.severity === severity).length;
  const figure = (label: string, value: number, tone: Tone): Figure => ({ label, value: reports.number(value), tone });
  return [
    figure(words.folders, folders.length, 'plain'),
    ...byState.map(([state, group]) => {
      const { text, tone } = stateWord(state, messages);
      // The count stands apart; only its agreement is wanted.
      return figure(messages.progress.inState(group.length, text).replace(/^\d+ /, ''), group.length, tone);
    }),
    ...(integrated === 0 ? [] : [figure(words.patches, integrated, 'plain')]),
    ...(of('block') === 0 ? [] : [figure(words.blocks, of('block'), 'bad')]),
    ...(of('warn') === 0 ? [] : [figure(words.warnings, of('warn'), 'warn')]),
    ...(ms === null ? [] : [{ label: words.took, value: reports.duration(ms), tone: 'plain' } as const]),
  ];
}

/** What somebody decided against a check stands out: whoever signs takes it on. */
function askedSection({ run, folder }: RunReport, { reports }: Messages): PageSection {
  const words = reports.run;
  const decided: readonly PageBlock[] = [
    ...Object.entries(run.forced).map(([check, reason]) => words.forced(check, run.operator, reason)),
    ...(run.authorized.length === 0 ? [] : [words.authorized(run.authorized.join(', '), run.operator)]),
    ...(run.cancelRequestedBy === null ? [] : [words.stopped(run.cancelRequestedBy, run.cancelReason ?? '')]),
  ].map((text) => ({ kind: 'text', text, tone: 'warn' }));
  const facts = [
    [words.askedFacts.files, run.files.join(', ') || reports.none],
    [words.askedFacts.folders, reports.number(run.folders)],
    ...(folder === undefined ? [] : [[words.askedFacts.only, folder] as const]),
  ] as const;
  return { title: words.asked, blocks: [{ kind: 'pairs', pairs: facts }, ...decided] };
}

function courseSection(course: readonly JournalEntry[], messages: Messages): readonly PageSection[] {
  const { run: words } = messages.reports;
  const rows = course.map((entry) => [messages.reports.time(entry.at), { lines: eventText(entry, messages).split('\n') }]);
  const table = {
    kind: 'table',
    caption: words.stepsCaption,
    columns: [{ title: words.columns.when, code: true }, { title: words.columns.what }],
    groups: [{ rows }],
  } as const;
  return rows.length === 0 ? [] : [{ title: words.steps, blocks: readable(table, messages, MOST_STEPS) }];
}
