// The latest runs as a page: what was asked, by whom, and what became of it.
import type { RunRecord } from '../../journal/trace.ts';
import type { Messages } from '../messages/en.ts';
import { shortRun } from '../runs-view.ts';
import { type Made, pageFacts } from './made.ts';
import type { Page, PageCell, Tone } from './report.ts';
import { named, readable } from './rows.ts';

const TONES: Readonly<Record<string, Tone>> = {
  done: 'good',
  partial: 'warn',
  refused: 'bad',
  failed: 'bad',
  interrupted: 'bad',
};

export function runsPage(runs: readonly RunRecord[], made: Made, messages: Messages): Page {
  const { reports, log } = messages;
  const { runs: words } = reports;
  const { columns } = words;
  const byState = [...Map.groupBy(runs, ({ state }) => state)];
  const row = (run: RunRecord): readonly PageCell[] => [
    shortRun(run.run),
    reports.time(run.startedAt),
    run.finishedAt === null ? '' : reports.duration(Date.parse(run.finishedAt) - Date.parse(run.startedAt)),
    reports.by(run.operator, run.host),
    log.modes[run.mode],
    { text: log.states[run.state] ?? run.state, tone: TONES[run.state] ?? 'plain' },
    reports.number(run.folders),
    named(run.files, messages, 12),
    { lines: [...Object.entries(run.forced).map(([check, reason]) => `${check}: ${reason}`), ...run.authorized] },
  ];
  const table = {
    kind: 'table',
    caption: words.caption,
    columns: [
      { title: columns.run, code: true },
      { title: columns.started },
      { title: columns.duration, right: true },
      { title: columns.by },
      { title: columns.mode },
      { title: columns.state },
      { title: columns.folders, right: true },
      { title: columns.files },
      { title: columns.passed },
    ],
    groups: [{ rows: runs.map(row) }],
  } as const;
  return {
    language: reports.language,
    title: words.title,
    facts: pageFacts(made, [], messages),
    verdict: { text: runs.length === 0 ? words.none : words.verdict(runs.length), tone: 'plain' },
    figures: [
      { label: words.figures.all, value: reports.number(runs.length), tone: 'plain' },
      ...byState.map(([state, group]) => ({
        label: log.states[state] ?? state,
        value: reports.number(group.length),
        tone: TONES[state] ?? 'plain',
      })),
    ],
    sections: runs.length === 0 ? [] : [{ title: words.title, blocks: readable(table, messages) }],
    signing: reports.signing,
  };
}
