// The trace of a run for people: what was asked, then a line per event.
import { assertNever } from '../base/errors.ts';
import type { JournalEntry, RunEvent } from '../journal/journal.ts';
import type { PatchOutcome } from '../journal/outcome.ts';
import type { RunRecord } from '../journal/trace.ts';
import { wordsFor } from './counts.ts';
import { pairs } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';
import { findingDocument, findingText, problemText } from './problem.ts';
import { startedText } from './run-started.ts';
import { stepText } from './run-steps.ts';
import { validationStepText } from './step-text.ts';

type ScriptRunEvent = Extract<RunEvent, { readonly kind: 'script-run' }>;

export function entryDocument(entry: JournalEntry, messages: Messages): object {
  return entry.kind === 'finding' ? { ...entry, finding: findingDocument(entry.finding, messages) } : entry;
}

export function traceText(entry: JournalEntry, messages: Messages): string {
  return `${entryTime(entry.at)}  ${eventText(entry, messages)}`;
}

/** ISO 8601 in UTC, to the second. */
export function entryTime(at: string): string {
  return at.replace('T', ' ').replace(/\.\d+Z$|Z$/, '');
}

/** What became of a script that was run outside of the database, in one line. */
export function scriptRunText({ folder, script, language, state, ms }: ScriptRunEvent, messages: Messages): string {
  const { report, summary } = messages;
  return summary.part(`${folder} ${safe(script)} (${safe(language)})`, `${report.scriptRuns[state]} · ${ms} ms`);
}

/** Which folder it is about; undefined: the whole run. */
export function folderOfEntry(entry: JournalEntry): string | undefined {
  if (entry.kind === 'finding') return entry.finding.folder;
  return 'folder' in entry ? entry.folder : undefined;
}

export function eventText(entry: JournalEntry, messages: Messages): string {
  const { report } = messages;
  const { part } = messages.summary;
  switch (entry.kind) {
    case 'run-started':
      return part(
        startedText({ mode: entry.mode, files: entry.files.length, folders: entry.folders.length }, messages),
        `${entry.files.length === 0 ? '' : `${safe(entry.files.join(', '))} → `}${some(entry.folders, 12)}`,
      );
    case 'run-waiting':
    case 'tasks-waiting':
    case 'changes-waiting':
    case 'wave-started':
    case 'folder-postponed':
    case 'folder-prepared':
    case 'run-decided':
    case 'run-cancelled':
      return stepText(entry, messages);
    case 'file-read':
      return report.progress.read(safe(entry.file), entry.elements);
    case 'finding': {
      const { finding } = entry;
      const place = [finding.folder, finding.patch].filter((part) => part !== undefined).join(' ');
      return part(`${report.severity[finding.severity]}${place === '' ? '' : ` ${safe(place)}`}`, findingText(finding, messages));
    }
    case 'sessions':
      return sessionsText(entry, messages);
    case 'patch-started':
      return `${entry.folder} ${safe(entry.file)} …`;
    case 'patch-finished':
      return `${entry.folder} ${patchText(entry.outcome, messages)}`;
    case 'script-run': {
      const { output } = entry;
      const printed = output.trim() === '' ? '' : `\n${safe(output.trimEnd()).replace(/^/gm, '    ')}`;
      return `${scriptRunText(entry, messages)}${printed}`;
    }
    case 'step-started':
    case 'step-finished':
    case 'folder-locked':
    case 'folder-unlocked':
      return validationStepText(entry, messages);
    case 'folder-finished':
      return part(entry.folder, report.states[entry.state]);
    case 'run-finished':
      return `${report.runEnds[entry.state]} (${entry.ms} ms)`;
    default:
      return assertNever(entry);
  }
}

/** Who is waited for, or was ended: the same words in the trace and as it happens. */
export function sessionsText({ state, sessions }: Extract<RunEvent, { kind: 'sessions' }>, { report }: Messages): string {
  const folders = [...new Set(sessions.flatMap(({ folder }) => folder ?? []))];
  return report.sessions[state](folders, sessions);
}

/** What was asked, by whom, and what became of it. */
export function runHead(run: RunRecord, { log }: Messages): string {
  const forced = Object.entries(run.forced).map(([check, reason]) => `${check}: ${reason}`);
  return pairs([
    [log.run, run.run],
    [log.mode, log.modes[run.mode]],
    [log.state, log.states[run.state] ?? run.state],
    [log.by, run.operator],
    [log.host, run.host],
    [log.from, run.from],
    [log.started, entryTime(run.startedAt)],
    ...(run.finishedAt === null ? [] : [[log.ended, entryTime(run.finishedAt)] as const]),
    [log.files, run.files.join(', ') || '-'],
    [log.folders, String(run.folders)],
    ...(run.authorized.length === 0 ? [] : [[log.authorized, run.authorized.join(', ')] as const]),
    ...(run.cancelRequestedBy === null
      ? []
      : [[log.stoppedBy, [run.cancelRequestedBy, run.cancelReason ?? ''].filter((part) => part !== '').join(' · ')] as const]),
    ...(forced.length === 0 ? [] : [[log.forced, forced.join(' · ')] as const]),
  ]);
}

function patchText(outcome: PatchOutcome, messages: Messages): string {
  const { report, log } = messages;
  const { file, state, elements, tables, scripts, rows, ms, reason } = outcome;
  const counted = (words: Readonly<Record<string, (count: number) => string>>, of: object) =>
    Object.entries(of).flatMap(([name, count]) => (count === 0 ? [] : [`${count} ${words[name]?.(Number(count)) ?? name}`]));
  const words = wordsFor([outcome], messages);
  const named = (['created', 'altered', 'removed'] as const).flatMap((change) =>
    tables[change].length === 0 ? [] : [`${words.tables[change]?.(tables[change].length)} ${tables[change].map(safe).join(' ')}`],
  );
  const parts = [
    [report.columns.elements, counted(words.elements, elements)],
    [report.columns.tables, named],
    [report.columns.scripts, counted(words.scripts, scripts)],
    [log.ran, outcome.ran.map(safe)],
    [log.pending, outcome.pending.map(safe)],
    [report.columns.rows, counted(words.rows, rows)],
  ] as const;
  const said = parts.flatMap(([name, what]) => (what.length === 0 ? [] : [messages.summary.part(name, what.join(', '))]));
  // A finding with that code has just said it, in this folder as in perhaps hundreds of others: its code is enough.
  const told = reason !== undefined && Object.hasOwn(messages.findings, reason.code);
  const why = reason === undefined ? '' : ` – ${told ? reason.code : problemText(reason, messages)}`;
  return messages.summary.part(safe(file), `${[report.states[state], ...said, `${ms} ms`].join(' · ')}${why}`);
}
