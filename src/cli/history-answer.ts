// What `history` answers, in every form.
import type { History } from '../app/history.ts';
import type { Finding } from '../base/finding.ts';
import type { Cli } from './cli.ts';
import { historyText } from './history-view.ts';
import { findingDocument } from './problem.ts';
import { historyPage } from './report/history-page.ts';
import { historySheet } from './report/history-sheet.ts';
import type { Answer } from './report-output.ts';

/** @param asked the options as typed */
export function historyAnswer(found: History, missed: readonly Finding[], asked: string, { messages, options }: Cli): Answer {
  return {
    json: () => ({ ...found, findings: missed.map((finding) => findingDocument(finding, messages)) }),
    text: (width) => historyText(found, messages, width, options.verbose === true),
    sheet: () => historySheet(found),
    page: (made) => historyPage({ found, asked, findings: missed }, made, messages),
  };
}
