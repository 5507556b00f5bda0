// Shows a run as it goes, on standard error: one line that is rewritten on a terminal, a line per patch and folder elsewhere.
import { assertNever } from '../base/errors.ts';
import type { RunEvent, RunListener } from '../journal/journal.ts';
import { cut } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';
import { stepText } from './run-steps.ts';
import type { Terminal } from './terminal.ts';
import { sessionsText } from './trace.ts';

const CLEAR = '\r\u001b[2K';

export interface Progress {
  readonly listener: RunListener;
  /** Takes the line away again. */
  end(): void;
}

export const NO_PROGRESS: Progress = { listener: () => {}, end: () => {} };

export function createProgress(terminal: Terminal, messages: Messages): Progress {
  return terminal.errWidth === undefined
    ? plainProgress(terminal, messages)
    : lineProgress(terminal, messages, terminal.errWidth);
}

function plainProgress(terminal: Terminal, messages: Messages): Progress {
  const { report } = messages;
  const listener = (event: RunEvent): void => {
    switch (event.kind) {
      case 'run-started':
        return terminal.err(`${report.progress.started(event.files.length, event.folders.length, event.mode === 'rehearse')}\n`);
      case 'patch-finished':
        return terminal.err(
          `${event.folder} ${safe(event.outcome.file)}: ${report.states[event.outcome.state]}, ${event.outcome.ms} ms\n`,
        );
      case 'sessions':
        return terminal.err(`${sessionsText(event, messages)}\n`);
      case 'folder-finished':
        return terminal.err(`${event.folder}: ${report.states[event.state]}\n`);
      case 'run-waiting':
      case 'tasks-waiting':
      case 'wave-started':
      case 'folder-postponed':
      case 'run-cancelled':
        return terminal.err(`${stepText(event, messages)}\n`);
      case 'file-read':
      case 'finding':
      case 'script-run':
      case 'patch-started':
      case 'run-finished':
        return;
      default:
        return assertNever(event);
    }
  };
  return { listener, end: () => {} };
}

function lineProgress(terminal: Terminal, messages: Messages, width: number): Progress {
  const { report } = messages;
  const working = new Map<string, string>();
  let folders = 0;
  let done = 0;
  const show = (text: string) => terminal.err(CLEAR + cut(text, width - 1));
  const showFolders = () =>
    show(
      report.progress.working(
        done,
        folders,
        some(
          [...working].map(([folder, file]) => `${folder} ${safe(file)}`),
          3,
        ),
      ),
    );
  const listener = (event: RunEvent): void => {
    switch (event.kind) {
      case 'run-started':
        folders = event.folders.length;
        return show(report.progress.started(event.files.length, folders, event.mode === 'rehearse'));
      case 'run-waiting':
      case 'tasks-waiting':
      case 'folder-postponed':
      case 'run-cancelled':
        return show(stepText(event, messages));
      case 'file-read':
        return show(report.progress.read(safe(event.file), event.elements));
      case 'patch-started':
        working.set(event.folder, event.file);
        return showFolders();
      case 'sessions':
        return terminal.err(`${CLEAR}${sessionsText(event, messages)}\n`);
      case 'folder-finished':
        working.delete(event.folder);
        done++;
        return showFolders();
      case 'wave-started':
      case 'finding':
      case 'script-run':
      case 'patch-finished':
      case 'run-finished':
        return;
      default:
        return assertNever(event);
    }
  };
  return { listener, end: () => terminal.err(CLEAR) };
}
