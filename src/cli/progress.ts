// Shows a run as it goes, on standard error: a block of lines that is kept up to date on a terminal, a line per folder elsewhere.
import { assertNever } from '../base/errors.ts';
import type { RunEvent, RunListener } from '../journal/journal.ts';
import { createLiveBlock } from './live-block.ts';
import type { Messages } from './messages/en.ts';
import { safe } from './messages/said.ts';
import { problemText } from './problem.ts';
import { advance, type Cause, noProgress, type RunProgress } from './progress-model.ts';
import { progressLines } from './progress-view.ts';
import { startedText } from './run-started.ts';
import { stepText } from './run-steps.ts';
import { validationStepText } from './step-text.ts';
import type { Terminal } from './terminal.ts';
import { entryTime, scriptRunText, sessionsText } from './trace.ts';

export interface Progress {
  readonly listener: RunListener;
  /** A line for people that stays, above whatever is kept up to date. */
  say(text: string): void;
  /** Takes the block away where the summary follows on the same screen; else leaves its last state. */
  end(): void;
}

/** The time as the progress needs it; replaced in tests. */
export interface Clock {
  /** Milliseconds that only go forward. */
  now(): number;
  date(): Date;
  /** @returns stops it */
  every(ms: number, work: () => void): () => void;
}

/** Shows nothing of the run. */
export function silentProgress(terminal: Terminal): Progress {
  return { listener: () => {}, say: (text) => terminal.err(`${text}\n`), end: () => {} };
}

/** Often enough to look alive, rarely enough for a slow line. */
const FRAME_MS = 100;
/** Seconds go on while nothing happens. */
const IDLE_FRAMES = 5;

const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  every: (ms, work) => {
    const timer = setInterval(work, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};

export function createProgress(terminal: Terminal, messages: Messages, clock: Clock = SYSTEM_CLOCK): Progress {
  return terminal.errWidth === undefined ? plainProgress(terminal, messages, clock) : liveProgress(terminal, messages, clock);
}

function liveProgress(terminal: Terminal, messages: Messages, clock: Clock): Progress {
  const block = createLiveBlock(terminal.err);
  const size = () => ({ columns: terminal.errWidth ?? 80, rows: terminal.errHeight ?? 24 });
  let state: RunProgress = noProgress(clock.now());
  let begun = false;
  let idle = 0;
  const draw = (): void => block.draw(progressLines(state, clock.now(), size(), messages, terminal.errColour), size());
  const stop = clock.every(FRAME_MS, () => {
    if (!begun || ++idle % IDLE_FRAMES !== 0) return;
    draw();
  });
  return {
    listener: (event) => {
      state = advance(state, event, clock.now());
      // The next frame shows it.
      begun = true;
      idle = IDLE_FRAMES - 1;
    },
    say: (text) => {
      block.clear(size());
      terminal.err(`${text}\n`);
      if (begun) draw();
    },
    end: () => {
      stop();
      if (!begun) return;
      if (terminal.width === undefined) draw();
      else block.clear(size());
    },
  };
}

function plainProgress(terminal: Terminal, messages: Messages, clock: Clock): Progress {
  const { report, progress, summary } = messages;
  let state: RunProgress = noProgress(clock.now());
  const say = (text: string): void => terminal.err(`${entryTime(clock.date().toISOString())}  ${text}\n`);
  const tell = (event: RunEvent, before: RunProgress): void => {
    switch (event.kind) {
      case 'run-started':
        return say(startedText({ mode: event.mode, files: event.files.length, folders: event.folders.length }, messages));
      case 'script-run':
        return say(scriptRunText(event, messages));
      case 'patch-finished': {
        const { file, reason, state: ended } = event.outcome;
        if (ended !== 'failed') return;
        // `blocked` only says that findings do: the first of them tells why.
        const cause: Cause | undefined = (reason?.code === 'blocked' ? before.blocked.get(event.folder) : undefined) ?? reason;
        const why = cause === undefined ? '' : ` – ${problemText(cause, messages)}`;
        return say(summary.part(`${event.folder} ${safe(file)}`, `${report.states.failed}${why}`));
      }
      case 'folder-locked':
      case 'folder-unlocked':
        return say(validationStepText(event, messages));
      case 'folder-finished': {
        const [ended] = state.ended;
        const worked = ended?.folder === event.folder && before.working.has(event.folder);
        const ms = worked ? `, ${progress.decimal((ended.ms / 1000).toFixed(1))} s` : '';
        const patches = worked && ended.patches > 0 ? `, ${progress.patches(ended.patches)}` : '';
        const done = Object.values(state.counts).reduce((sum, count) => sum + count, 0);
        return say(summary.part(`${done}/${state.folders} ${event.folder}`, `${report.states[event.state]}${patches}${ms}`));
      }
      case 'sessions':
        return say(sessionsText(event, messages));
      case 'run-waiting':
      case 'tasks-waiting':
      case 'changes-waiting':
      case 'wave-started':
      case 'folder-postponed':
      case 'folder-prepared':
      case 'run-decided':
      case 'run-cancelled':
        return say(stepText(event, messages));
      case 'step-started':
      case 'step-finished':
      case 'file-read':
      case 'finding':
      case 'patch-started':
      case 'run-finished':
        return;
      default:
        return assertNever(event);
    }
  };
  const listener = (event: RunEvent): void => {
    const before = state;
    state = advance(state, event, clock.now());
    tell(event, before);
  };
  return { listener, say, end: () => {} };
}
