// A validation as a page: that of its run, with what changed or would change; folders with the same changes are told once.
import type { ValidationOutcome } from '../../app/validations.ts';
import type { Messages } from '../messages/en.ts';
import { type Made, pageFacts } from './made.ts';
import type { Page, PageSection } from './report.ts';
import { named, readable } from './rows.ts';
import { type RunReport, runPage } from './run-page.ts';
import { changesOf } from './validation-sheet.ts';

const MOST_ROWS = 1_000;

/** @param report of its run; undefined: no folder was due */
export function validationPage(outcome: ValidationOutcome, report: RunReport | undefined, made: Made, messages: Messages): Page {
  if (report !== undefined) return runPage({ ...report, more: changeSections(outcome, messages) }, made, messages);
  const { reports, log } = messages;
  return {
    language: reports.language,
    title: log.modes[outcome.mode],
    facts: pageFacts(made, [], messages),
    verdict: { text: reports.changes.nothing, tone: 'good' },
    figures: [],
    sections: [],
    signing: reports.signing,
  };
}

function changeSections({ folders }: ValidationOutcome, messages: Messages): readonly PageSection[] {
  const { report, reports } = messages;
  const { changes: words } = reports;
  const kinds: Readonly<Record<string, string>> = words.kinds;
  const said: Readonly<Record<string, string>> = {
    ...report.validation.changes,
    run: report.scripts.run(1),
    inserted: report.rows.inserted(2),
    deleted: report.rows.deleted(2),
  };
  const tables: Readonly<Record<string, (count: number) => string>> = report.tables;
  const changed = folders
    .map((folder) => ({ folder: folder.folder, changes: changesOf(folder) }))
    .filter(({ changes }) => changes.length > 0);
  const groups = [...Map.groupBy(changed, ({ changes }) => JSON.stringify(changes)).values()].map((alike) => ({
    title: named(
      alike.map(({ folder }) => folder),
      messages,
    ),
    rows: (alike[0]?.changes ?? []).map(({ kind, name, change, tag, key, field, before, after }) => [
      text(name),
      kinds[text(kind)] ?? text(kind),
      [tag, key, field]
        .map(text)
        .filter((part) => part !== '')
        .join(' '),
      (kind === 'table' ? tables[text(change)]?.(1) : said[text(change)]) ?? text(change),
      text(before),
      text(after),
    ]),
  }));
  const table = {
    kind: 'table',
    caption: words.caption,
    columns: [words.name, words.kind, words.place, words.change, words.before, words.after].map((title) => ({ title })),
    groups,
  } as const;
  return groups.length === 0 ? [] : [{ title: words.title, blocks: readable(table, messages, MOST_ROWS) }];
}

/** Values of fields and names are texts; lists are none of them. */
const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value));
