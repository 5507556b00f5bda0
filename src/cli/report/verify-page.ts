// A verification as a page to sign: which folders were looked at, what differs and what mends it, what was not compared, the hash of each chain.
import type { Finding } from '../../base/finding.ts';
import type { Messages } from '../messages/en.ts';
import { findingSection } from './finding-section.ts';
import { type Made, pageFacts } from './made.ts';
import type { Page, PageBlock, PageSection } from './report.ts';
import { named, readable } from './rows.ts';

export interface VerifyReport {
  readonly supervisor: string | undefined;
  /** Folders, and mirrors of them (told by their server), that were looked at. */
  readonly places: readonly { readonly place: string; readonly chain: string | null; readonly chainedSince: string | null }[];
  readonly differences: readonly {
    readonly places: readonly string[];
    readonly said: string;
    readonly patch: string | undefined;
    readonly wrong: boolean;
    /** What mends it: a command for all of them, or one for each. */
    readonly next: readonly string[];
  }[];
  /** In sentences. */
  readonly notCompared: readonly string[];
  /** What lags, is due or locked, with the commands. */
  readonly due: readonly string[];
  /** Servers that do not answer. */
  readonly missed: readonly Finding[];
  /** As the text says it first. */
  readonly verdict: string;
}

export function verifyPage(report: VerifyReport, made: Made, messages: Messages): Page {
  const { reports } = messages;
  const words = messages.verify.page;
  const { places, differences, notCompared, due, missed, supervisor } = report;
  const wrong = differences.filter((each) => each.wrong);
  const differing = new Set(wrong.flatMap((each) => each.places)).size;
  const good = wrong.length === 0 && missed.length === 0;
  const list = (items: readonly string[]): readonly PageBlock[] => (items.length === 0 ? [] : [{ kind: 'list', items }]);
  const sections: readonly PageSection[] = [
    { title: words.differences, blocks: differenceBlocks(report, messages) },
    ...(missed.length === 0 ? [] : [findingSection(missed, messages)]),
    { title: reports.folders.todo, blocks: list(due) },
    { title: words.notCompared, blocks: list(notCompared) },
    { title: words.verified, blocks: chainBlocks(report, messages) },
  ];
  return {
    language: reports.language,
    title: words.title,
    facts: pageFacts(made, supervisor === undefined ? [] : [[reports.facts.supervisor, supervisor]], messages),
    verdict: { text: report.verdict, tone: good ? (due.length === 0 ? 'good' : 'warn') : 'bad' },
    figures: [
      { label: words.verified, value: reports.number(places.length), tone: 'plain' },
      { label: words.differing, value: reports.number(differing), tone: differing === 0 ? 'plain' : 'bad' },
      { label: words.differences, value: reports.number(wrong.length), tone: wrong.length === 0 ? 'plain' : 'bad' },
    ],
    sections: sections.filter(({ blocks }) => blocks.length > 0),
    signing: reports.signing,
  };
}

function differenceBlocks({ differences }: VerifyReport, messages: Messages): readonly PageBlock[] {
  const { columns } = messages.reports.folders;
  const words = messages.verify.page;
  const rows = differences.map(({ places, said, patch, wrong, next }) => [
    named(places, messages),
    said,
    patch ?? '',
    next.length > 0 ? { lines: next } : wrong ? messages.verify.backup : '',
  ]);
  const titles = [{ title: columns.folders }, { title: words.said }, { title: words.patch, code: true }, { title: words.next }];
  return readable({ kind: 'table', caption: words.caption, columns: titles, groups: [{ rows }] }, messages);
}

function chainBlocks({ places, differences }: VerifyReport, messages: Messages): readonly PageBlock[] {
  const { columns } = messages.reports.folders;
  const words = messages.verify.page;
  const rows = places.map(({ place, chain, chainedSince }) => {
    const count = differences.filter((each) => each.wrong && each.places.includes(place)).length;
    return [
      place,
      count === 0
        ? { text: words.asItShouldBe, tone: 'good' as const }
        : { text: messages.reports.number(count), tone: 'bad' as const },
      chainedSince === null ? '' : `${chainedSince} UTC`,
      chain ?? '',
    ];
  });
  const titles = [{ title: columns.folder }, { title: words.differences }, { title: words.since }, { title: words.chain }];
  return readable({ kind: 'table', caption: words.chainCaption, columns: titles, groups: [{ rows }] }, messages);
}
