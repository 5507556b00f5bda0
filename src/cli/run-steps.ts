// What a run says about itself between its folders: waits, waves, postponed folders, its cancelling; a line each.
import { assertNever } from '../base/errors.ts';
import type { RunEvent } from '../journal/journal.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';

export type RunStep = Extract<
  RunEvent,
  {
    kind:
      | 'run-waiting'
      | 'tasks-waiting'
      | 'changes-waiting'
      | 'wave-started'
      | 'folder-postponed'
      | 'folder-prepared'
      | 'run-decided'
      | 'run-cancelled';
  }
>;

export function stepText(event: RunStep, messages: Messages): string {
  const { report } = messages;
  const { progress } = report;
  switch (event.kind) {
    case 'run-waiting':
      return progress.waiting(event.run, safe(event.operator), safe(event.host), some(event.folders));
    case 'tasks-waiting':
      return report.batch.waiting(
        some(
          event.tasks.map(({ task, kind, folder, host }) => `${task} (${report.batch.kinds[kind]}, ${folder}, ${safe(host)})`),
        ),
      );
    case 'changes-waiting':
      return progress.changing(
        some(
          event.changes.map(
            ({ folder, role, application, pid, since }) =>
              `${folder} (${safe(messages.progress.blocker(role, application, pid, since))})`,
          ),
          3,
        ),
      );
    case 'wave-started':
      return progress.wave(event.wave + 1, event.folders.length, event.canary);
    case 'folder-postponed': {
      const blockers = event.blockers.map(({ role, application, pid, since, query }) => {
        const who = messages.progress.blocker(role, application, pid, since);
        return safe(query === '' ? who : messages.summary.part(who, query));
      });
      return progress.postponed(
        event.folder,
        safe(event.table),
        some(blockers, 2),
        messages.progress.decimal((event.pauseMs / 1000).toFixed(1)),
      );
    }
    case 'folder-prepared':
      return progress.prepared(event.folder);
    case 'run-decided':
      return progress.decided[event.decision];
    case 'run-cancelled':
      return progress.cancelled(safe(event.by), event.hard);
    default:
      return assertNever(event);
  }
}
