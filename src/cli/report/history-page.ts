// The inquiry as a page: which folders have which version of an element, decisions about it, and what was written to folders, by whom.
import type { ElementFolder, ElementHistory, History, HistoryEntry } from '../../app/history.ts';
import type { Finding } from '../../base/finding.ts';
import { entryDetails, entryKind } from '../history-view.ts';
import type { Messages } from '../messages/en.ts';
import { shortRun } from '../runs-view.ts';
import { findingSection } from './finding-section.ts';
import { type Made, pageFacts } from './made.ts';
import type { Page, PageBlock, PageRow, PageSection } from './report.ts';
import { readable } from './rows.ts';

export interface HistoryReport {
  readonly found: History;
  /** What was asked for, as typed. */
  readonly asked: string;
  /** Servers that do not answer. */
  readonly findings: readonly Finding[];
}

const DIGEST = 12;
/** More names than that follow in a row of their own. */
const MOST_BESIDE = 12;

export function historyPage({ found, asked, findings }: HistoryReport, made: Made, messages: Messages): Page {
  const { reports, history } = messages;
  const { entries, total, element, notRemembered } = found;
  const words = reports.history;
  const folders = new Set(entries.flatMap((entry) => entry.folders.map(({ folder }) => folder)));
  const people = new Set(entries.map(({ operator }) => operator));
  const forced = entries.filter((entry) => Object.keys(entry.forced).length > 0).length;
  const figure = (label: string, value: number, tone: 'plain' | 'warn' = 'plain') => ({
    label,
    value: reports.number(value),
    tone,
  });
  return {
    language: reports.language,
    title: element === null ? words.title : words.titleOf(element.element),
    facts: pageFacts(made, asked === '' ? [] : [[reports.facts.asked, asked]], messages),
    verdict: {
      text: entries.length === 0 ? history.nothing : words.verdict(total, folders.size),
      tone: 'plain',
    },
    figures: [
      figure(words.figures.entries, entries.length),
      figure(words.figures.folders, folders.size),
      figure(words.figures.people, people.size),
      ...(forced === 0 ? [] : [figure(words.figures.forced, forced, 'warn')]),
    ],
    sections: [
      ...(element === null ? [] : elementSections(element, messages)),
      ...(entries.length === 0 ? [] : [storySection(entries, total, messages)]),
      ...(notRemembered.length === 0
        ? []
        : [
            {
              title: words.unknown,
              blocks: [{ kind: 'text', text: history.notRemembered(notRemembered), tone: 'warn' }],
            } as const,
          ]),
      ...(findings.length === 0 ? [] : [findingSection(findings, messages)]),
    ],
    signing: reports.signing,
  };
}

function storySection(entries: readonly HistoryEntry[], total: number, messages: Messages): PageSection {
  const { reports, history } = messages;
  const { columns } = history;
  const title = (text: string): string => reports.history.heading(text);
  const rows = entries.flatMap((entry): readonly PageRow[] =>
    withNames(
      entry.folders.map(({ folder }) => folder),
      (names) => [
        reports.time(entry.until),
        entry.takenBack ? { text: entryKind(entry, messages), tone: 'warn' } : entryKind(entry, messages),
        entry.element ?? entry.file,
        entry.digest?.slice(0, DIGEST) ?? '',
        names,
        entry.operator,
        entry.run === null ? '' : shortRun(entry.run),
        { lines: entryDetails(entry, messages) },
      ],
      messages,
    ),
  );
  const table = {
    kind: 'table',
    caption: reports.history.storyCaption,
    columns: [
      { title: title(columns.at) },
      { title: title(columns.what) },
      { title: title(columns.of) },
      { title: title(columns.digest), code: true },
      { title: title(columns.folders) },
      { title: title(columns.by) },
      { title: title(columns.run), code: true },
      { title: reports.history.passed },
    ],
    groups: [{ rows }],
  } as const;
  const more: readonly PageBlock[] =
    total > entries.length ? [{ kind: 'text', text: history.more(entries.length, total, total), tone: 'warn' }] : [];
  return { title: title(history.story), blocks: [...more, ...readable(table, messages)] };
}

/** A folder may have been written to more than once. */
function withNames(folders: readonly string[], row: (names: string) => PageRow, { reports }: Messages): readonly PageRow[] {
  const names = [...new Set(folders)];
  if (names.length <= MOST_BESIDE) return [row(names.join(', '))];
  return [row(`${reports.folders.counted(names.length)}: ${names[0]} … ${names.at(-1)}`), { wide: names.join(', ') }];
}

function elementSections(element: ElementHistory, messages: Messages): readonly PageSection[] {
  const { history, report, reports } = messages;
  const title = (text: string): string => reports.history.heading(text);
  const { version, digest, since, holds, folders } = history.versionColumns;
  const held = (folder: ElementFolder): string =>
    folder.hold === 'inherited' && folder.from !== null ? history.from(folder.from) : history.holds[folder.hold];
  const rows = element.versions.flatMap((each) =>
    [...Map.groupBy(each.folders, held)].flatMap(([state, same]) =>
      withNames(
        same.map(({ folder }) => folder),
        (names) => [
          each.file === null ? history.noPatch : each.remembered ? each.file : `${each.file} (${history.unremembered})`,
          each.digest?.slice(0, DIGEST) ?? '',
          each.at === null ? '' : reports.time(each.at),
          state,
          names,
        ],
        messages,
      ),
    ),
  );
  const versions = {
    kind: 'table',
    caption: history.versions(element.element),
    columns: [
      { title: title(version) },
      { title: title(digest), code: true },
      { title: title(since) },
      { title: title(holds) },
      { title: title(folders) },
    ],
    groups: [{ rows }],
  } as const;
  const { at, by, case: number, place, choice, reason } = history.decisionColumns;
  const decisions = {
    kind: 'table',
    caption: history.decisions,
    columns: [at, by, number, place, choice, reason].map((text) => ({ title: title(text) })),
    groups: [
      {
        rows: element.decisions.map((each) => [
          reports.time(each.at),
          each.by,
          each.case,
          each.place === '' ? history.whole : each.place,
          report.choices[each.choice],
          each.reason,
        ]),
      },
    ],
  } as const;
  return [
    { title: reports.history.versions, blocks: readable(versions, messages) },
    ...(element.decisions.length === 0 ? [] : [{ title: reports.history.decisions, blocks: readable(decisions, messages) }]),
  ];
}
