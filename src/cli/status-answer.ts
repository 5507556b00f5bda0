// What `status` and `folder list` answer, in every form: the folders, what is to be done about them, and the runs that have not ended.
import type { FolderView } from '../app/rustine.ts';
import type { Finding } from '../base/finding.ts';
import type { RunView } from '../journal/run-views.ts';
import type { Cli } from './cli.ts';
import { dueLines } from './due.ts';
import { foldersTable } from './folder-view.ts';
import type { Messages } from './messages/en.ts';
import { findingDocument } from './problem.ts';
import { commandsFor, folderSheet } from './report/folder-sheet.ts';
import { foldersPage } from './report/folders-page.ts';
import type { Answer } from './report-output.ts';
import { runLine } from './run-view.ts';

export interface Status {
  readonly folders: readonly FolderView[];
  readonly runs: readonly RunView[];
  /** What waits in the queue, and who could do it. */
  readonly batch: { readonly runs: number; readonly tasks: number; readonly workers: number; readonly shut: number };
  /** Servers that do not answer, and what waits there. */
  readonly missed: readonly Finding[];
}

export function statusAnswer({ folders, runs, batch, missed }: Status, { messages }: Cli): Answer {
  return {
    json: () => ({
      folders: withCommands(folders, messages),
      runs,
      batch,
      findings: missed.map((finding) => findingDocument(finding, messages)),
    }),
    text: (width) => {
      const due = dueLines(folders, messages, width);
      const advice = due.length === 0 ? messages.report.allInLine : due.join('\n');
      const open = runs.map((each) => `\n${runLine(each, messages)}`).join('');
      const waits =
        batch.runs + batch.tasks === 0
          ? ''
          : `\n${messages.report.batch.waitingWork(batch.runs, batch.tasks, batch.workers, batch.shut)}`;
      return `${foldersTable(folders, messages, width)}\n\n${advice}${open}${waits}`;
    },
    sheet: () => folderSheet(folders, messages),
    page: (made) => foldersPage({ kind: 'status', folders, runs, findings: missed }, made, messages),
  };
}

/** Each with the commands that bring it in line. */
export function withCommands(folders: readonly FolderView[], messages: Messages): readonly object[] {
  return folders.map((view) => ({ ...view, next: commandsFor(view, messages) }));
}

export function folderListAnswer(folders: readonly FolderView[], missed: readonly Finding[], { messages }: Cli): Answer {
  return {
    json: () => ({ folders }),
    text: (width) => foldersTable(folders, messages, width),
    sheet: () => folderSheet(folders, messages),
    page: (made) => foldersPage({ kind: 'list', folders, findings: missed }, made, messages),
  };
}
