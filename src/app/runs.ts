// The verbs about runs: which are at work, how far each folder is, stopping one.
import { letIn } from '../environment/logins.ts';
import { requestCancel } from '../journal/cancel.ts';
import { type RunFolderView, type RunView, readOpenRuns, readRun, readRunFolders } from '../journal/run-views.ts';
import { openSettled } from './opened-environment.ts';
import type { Opened } from './rustine.ts';

export interface RunVerbs {
  /** Those that have not ended; with them the last one where its program died. */
  open(): Promise<readonly RunView[]>;
  /** @param start of the run's id. @throws Refusal `run-unknown`, `run-ambiguous` */
  show(start: string): Promise<{ readonly run: RunView; readonly folders: readonly RunFolderView[] }>;
  /**
   * Folders at work end their patch, the others are left out. Returns at once.
   * @param start of the run's id; absent: the only one that has not ended
   * @param reason shown wherever the run is
   * @throws Refusal `run-unknown`, `run-ambiguous`, `run-ended`, `no-run-active`
   */
  cancel(start?: string, reason?: string): Promise<RunView>;
}

export function runVerbs({ database, operator }: Opened): RunVerbs {
  return {
    open: async () => {
      await openSettled(database);
      return readOpenRuns(database);
    },
    show: async (start) => {
      await openSettled(database);
      const run = await readRun(database, start);
      return { run, folders: await readRunFolders(database, run.run) };
    },
    cancel: async (start, reason) => {
      await openSettled(database);
      const asked = await requestCancel(database, operator, start, reason);
      // Where that fails, the next command lets them in.
      if (asked.finishedAt !== null) await letIn(database, 'over').catch(() => undefined);
      return asked;
    },
  };
}
