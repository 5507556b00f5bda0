// What `log` answers, in every form: the list of runs, and the trace of one, page by page.
import type { Trace } from '../app/traces.ts';
import type { JournalEntry } from '../journal/journal.ts';
import type { RunFolderView } from '../journal/run-views.ts';
import type { RunRecord } from '../journal/trace.ts';
import type { Cli } from './cli.ts';
import { runPage } from './report/run-page.ts';
import { runSheet, traceSheet } from './report/run-sheet.ts';
import { runsPage } from './report/runs-page.ts';
import type { ReportFormat } from './report-options.ts';
import type { Answer } from './report-output.ts';
import { runsTable } from './runs-view.ts';
import { entryDocument, runHead, traceText } from './trace.ts';

export function runsAnswer(runs: readonly RunRecord[], { messages }: Cli): Answer {
  return {
    json: () => ({ runs }),
    text: (width) => runsTable(runs, messages, width),
    sheet: () => runSheet(runs),
    page: (made) => runsPage(runs, made, messages),
  };
}

/** @param folders of the run: asked for where a page is made. @param folder the only one that is wanted */
export function traceAnswer(
  { run, pages }: Trace,
  folders: () => Promise<readonly RunFolderView[]>,
  folder: string | undefined,
  { messages }: Cli,
): Answer<ReportFormat | 'jsonl'> {
  let entries = 0;
  const counted = async function* (): AsyncGenerator<readonly JournalEntry[]> {
    for await (const page of pages) {
      entries += page.length;
      yield page;
    }
  };
  const all = async (): Promise<readonly JournalEntry[]> => (await Array.fromAsync(counted())).flat();
  const lines = async function* (head: string, line: (entry: JournalEntry) => string): AsyncGenerator<string> {
    yield head;
    for await (const page of counted()) yield page.map((entry) => `${line(entry)}\n`).join('');
  };
  return {
    json: async () => ({ ...run, entries: (await all()).map((entry) => entryDocument(entry, messages)) }),
    text: () => lines(`${runHead(run, messages)}\n\n`, (entry) => traceText(entry, messages)),
    forms: {
      jsonl: () =>
        lines(`${JSON.stringify({ kind: 'run', ...run })}\n`, (entry) => JSON.stringify(entryDocument(entry, messages))),
    },
    sheet: () => traceSheet(run.run, counted(), messages),
    page: async (made) =>
      runPage(
        { run, entries: await all(), folders: await folders(), ...(folder === undefined ? {} : { folder }) },
        made,
        messages,
      ),
    written: (path) => ({ document: { run: run.run, path, entries }, text: messages.log.written(entries, path) }),
  };
}
