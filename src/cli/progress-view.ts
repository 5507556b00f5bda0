// A run that goes on as lines for a screen of a given size: totals, pace, what failed, who is at work, who ended. Pure.
import { oneLine, paint, type Tone } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';
import { problemText } from './problem.ts';
import {
  type EndedFolder,
  endedFolders,
  type FailedFolders,
  type FolderAtWork,
  paceOf,
  type RunProgress,
  waitingFolders,
} from './progress-model.ts';
import { startedText } from './run-started.ts';
import { stepText } from './run-steps.ts';
import { cut, fitted, widthOf } from './text-width.ts';
import { sessionsText } from './trace.ts';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

interface Line {
  readonly text: string;
  readonly tone?: Tone;
}

const HEAD_LINES = 3;
const CODE_WIDTH = 10;
const BAR_WIDTH = 24;
/** Below this a bar tells nothing. */
const LEAST_BAR = 6;

/** At most one line less than the screen has, because the cursor stands below them; none wider than one column less than the screen. */
export function progressLines(
  state: RunProgress,
  now: number,
  size: ScreenSize,
  messages: Messages,
  colour: boolean,
): readonly string[] {
  const width = Math.max(1, size.columns - 1);
  const height = Math.max(1, size.rows - 1);
  const head = headLines(state, now, width, messages).slice(0, Math.max(1, Math.min(HEAD_LINES, height - 2)));
  const room = height - head.length;
  const failed = failedLines(state, failedRoom(state, room), width, messages);
  const postponed = postponedLines(state, now, room - failed.length, messages);
  const working = workingLines(state, now, room - failed.length - postponed.length, width, messages);
  const ended = state.ended
    .slice(0, Math.max(0, room - failed.length - postponed.length - working.length))
    .map((each) => endedLine(each, messages));
  return [...head, ...failed, ...postponed, ...working, ...ended].map(({ text, tone }) => {
    const shown = cut(oneLine(text), width);
    return tone === undefined ? shown : paint(tone, shown, colour);
  });
}

/** A third of the room, so that those at work stay on the screen; more where few are at work. */
function failedRoom(state: RunProgress, room: number): number {
  if (state.failed.size === 0 || room <= 0) return 0;
  return Math.max(1, Math.floor(room / 3), room - state.working.size - state.postponed.size - 1);
}

function headLines(state: RunProgress, now: number, width: number, messages: Messages): readonly Line[] {
  const { report, progress } = messages;
  const ended = endedFolders(state);
  const failed = state.counts.failed ?? 0;
  const totals = [progress.folders(ended, state.folders), ...(failed === 0 ? [] : [`${failed} ${report.states.failed}`])];
  const percent = state.folders === 0 ? 0 : Math.floor((100 * ended) / state.folders);
  const about = totals.join(' · ');
  const bar = Math.min(BAR_WIDTH, width - widthOf(about) - 8);
  const drawn = bar < LEAST_BAR ? '' : `${barOf(ended, state.folders, bar)} ${String(percent).padStart(3)} %  `;
  return [
    { text: `${drawn}${about}`, tone: failed === 0 ? 'bold' : 'red' },
    stepOrPace(state, now, messages),
    { text: countsText(state, messages) },
  ];
}

function barOf(ended: number, all: number, width: number): string {
  const full = all === 0 ? 0 : Math.min(width, Math.floor((width * ended) / all));
  return '█'.repeat(full) + '░'.repeat(width - full);
}

function stepOrPace(state: RunProgress, now: number, messages: Messages): Line {
  return state.step === undefined
    ? { text: paceText(state, now, messages) }
    : {
        text: state.step.kind === 'sessions' ? sessionsText(state.step, messages) : stepText(state.step, messages),
        tone: 'yellow',
      };
}

function paceText(state: RunProgress, now: number, messages: Messages): string {
  const { report, progress } = messages;
  const pace = paceOf(state, now);
  const elapsed = progress.elapsed(clock(now - state.startedAt));
  if (pace === undefined) {
    const what = startedText({ mode: state.mode, files: state.files.length, folders: state.folders }, messages);
    const read = state.read === undefined ? '' : report.progress.read(safe(state.read.file), state.read.elements);
    return [elapsed, read === '' ? what : read].join(' · ');
  }
  return [
    elapsed,
    ...(pace.left === undefined || pace.left <= 0 ? [] : [progress.left(clock(pace.left))]),
    progress.foldersPerMinute(rate(pace.foldersPerMinute, progress)),
    ...(state.files.length === 0 ? [] : [progress.patchesPerSecond(rate(pace.patchesPerSecond, progress))]),
  ].join(' · ');
}

function countsText(state: RunProgress, { report, progress }: Messages): string {
  const ended = Object.entries(state.counts).map(([name, count]) =>
    progress.inState(count, report.states[name as keyof typeof state.counts]),
  );
  const waiting = waitingFolders(state);
  const { wave } = state;
  return [
    // One wave is no news.
    ...(wave === undefined || (wave.wave === 0 && !wave.canary) ? [] : [progress.wave(wave.wave + 1, wave.canary)]),
    ...(state.working.size === 0 ? [] : [progress.atWork(state.working.size)]),
    ...(state.prepared.size === 0 ? [] : [progress.prepared(state.prepared.size)]),
    ...(state.postponed.size === 0 ? [] : [progress.postponed(state.postponed.size)]),
    ...(waiting === 0 ? [] : [progress.waiting(waiting)]),
    ...ended,
  ].join(' · ');
}

function failedLines(state: RunProgress, most: number, width: number, messages: Messages): readonly Line[] {
  if (most <= 0) return [];
  const groups = [...state.failed.values()].sort((a, b) => b.folders.length - a.folders.length);
  const shown = groups.length <= most ? groups : groups.slice(0, most - 1);
  const rest = groups.slice(shown.length);
  const more = rest.reduce((sum, group) => sum + group.folders.length, 0);
  return [
    ...shown.map((group) => failedLine(group, width, messages)),
    ...(rest.length === 0 ? [] : [{ text: `✗ ${messages.progress.moreCauses(rest.length, more)}`, tone: 'red' as const }]),
  ];
}

/** The folders take half of the line at the most: the cause has to be read. */
function failedLine({ cause, file, folders }: FailedFolders, width: number, messages: Messages): Line {
  const place = cut(`${some(folders, 3)} ${safe(file)}`.trimEnd(), Math.floor(width / 2));
  return { text: `✗ ${messages.summary.part(place, problemText(cause, messages))}`, tone: 'red' };
}

/** Half of what is left at the most: those that come next first. */
function postponedLines(state: RunProgress, now: number, room: number, messages: Messages): readonly Line[] {
  const most = Math.max(0, Math.min(Math.ceil(room / 2), room - Math.min(1, state.working.size)));
  const all = [...state.postponed.values()].sort((a, b) => a.until - b.until);
  return all.slice(0, most).map(({ event, until }) => ({
    text: `○ ${stepText({ ...event, pauseMs: Math.max(0, until - now) }, messages)}`,
    tone: 'yellow',
  }));
}

function workingLines(state: RunProgress, now: number, most: number, width: number, messages: Messages): readonly Line[] {
  if (most <= 0) return [];
  // The longest at work first: what hangs must not be what is left out.
  const all = [...state.working.values()].sort((a, b) => a.since - b.since);
  const shown = all.length <= most ? all : all.slice(0, most - 1);
  const lines = shown.map((each) => workingLine(state, each, now, width, messages));
  return shown.length === all.length
    ? lines
    : [...lines, { text: `▸ ${messages.progress.moreAtWork(all.length - shown.length)}` }];
}

function workingLine(state: RunProgress, at: FolderAtWork, now: number, width: number, { progress, report }: Messages): Line {
  const doing = progress.doing[at.doing === 'scripts' ? 'scripts' : state.mode];
  const time = fitted(clock(now - at.patchSince), 6, true);
  const which = state.files.length < 2 ? '' : ` ${at.number}/${state.files.length}`;
  const step = at.step === undefined ? undefined : report.validation.steps[at.step];
  const steps = step === undefined ? [] : Object.values(report.validation.steps).map(widthOf);
  const longest = Math.max(...state.files.map((file) => widthOf(safe(file))), ...steps, 0);
  const room = width - 2 - CODE_WIDTH - 1 - widthOf(which) - time.length - 2 - widthOf(doing);
  const file = fitted(step ?? safe(at.file), Math.max(4, Math.min(longest, room)));
  return { text: `▸ ${fitted(at.folder, CODE_WIDTH)} ${file}${which}${time}  ${doing}` };
}

function endedLine({ folder, state, patches, ms }: EndedFolder, { report, progress }: Messages): Line {
  const mark = state === 'failed' ? '✗' : '✓';
  const what = patches === 0 ? report.states[state] : `${report.states[state]}, ${progress.patches(patches)}`;
  const text = `${mark} ${fitted(folder, CODE_WIDTH)} ${what}, ${progress.decimal((ms / 1000).toFixed(1))} s`;
  return { text, tone: state === 'failed' ? 'red' : 'dim' };
}

/** `0:07`, `12:40`, `1:05:12`. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0'));
  const hours = Math.floor(seconds / 3600);
  return hours > 0 ? `${hours}:${parts.join(':')}` : parts.join(':').replace(/^0/, '');
}

function rate(value: number, { decimal }: Messages['progress']): string {
  return value >= 100 ? String(Math.round(value)) : decimal(value.toFixed(1));
}
