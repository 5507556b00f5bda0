// Runs for people: those that have not ended in a line each, and one with every folder.
import type { RunFolderView, RunView } from '../journal/run-views.ts';
import { table } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';

/** `Run 4f3a… of alice on db1 since 03:12: running, 3 integrated, 2 waiting` */
export function runLine(view: RunView, { report, progress }: Messages): string {
  const { openRuns: words } = report;
  const { inState } = progress;
  const { run, state, operator, host, startedAt, files, counts, cancelRequestedBy, cancelReason } = view;
  const said = Object.entries(counts).map(([name, count]) => inState(count, words.folderStates[name as keyof typeof counts]));
  const line = words.line({
    run,
    operator: safe(operator),
    host: safe(host),
    since: when(startedAt),
    state: words.states[state],
    files: some(files.map(safe), 3),
    folders: said.join(', '),
  });
  const asked =
    cancelRequestedBy !== null && state === 'running' ? [words.stopping(safe(cancelRequestedBy), safe(cancelReason ?? ''))] : [];
  return [line, ...asked].join('\n');
}

export function runText(run: RunView, folders: readonly RunFolderView[], messages: Messages, width: number | undefined): string {
  const { openRuns: words } = messages.report;
  const { folder, state, wave, attempts, since, waitsFor } = words.columns;
  const columns = [
    { title: folder },
    { title: wave, right: true },
    { title: state },
    { title: attempts, right: true },
    { title: since },
    { title: waitsFor },
  ];
  const rows = folders.map((each) => [
    each.folder,
    String(each.wave + 1),
    words.folderStates[each.state],
    String(each.attempts),
    each.startedAt === null ? '-' : when(each.startedAt),
    blockerText(each, messages),
  ]);
  return `${runLine(run, messages)}${folders.length === 0 ? '' : `\n\n${table(columns, rows, width)}`}`;
}

const when = (iso: string): string => `${iso.slice(0, 19).replace('T', ' ')} UTC`;

function blockerText({ state, blocker }: RunFolderView, { progress }: Messages): string {
  if (blocker === null || (state !== 'postponed' && state !== 'running')) return '-';
  const { role, application, pid, since } = blocker;
  return safe(progress.blocker(role, application, pid, since));
}
