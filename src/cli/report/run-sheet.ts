// Runs as sheets: the list of them, the trace of one with a row per entry, and the folders of one.
import type { JournalEntry } from '../../journal/journal.ts';
import type { PatchOutcome } from '../../journal/outcome.ts';
import type { RunFolderView } from '../../journal/run-views.ts';
import type { RunRecord } from '../../journal/trace.ts';
import type { Messages } from '../messages/en.ts';
import { findingText } from '../problem.ts';
import { eventText, folderOfEntry } from '../trace.ts';
import type { Sheet, SheetCell } from './report.ts';

type Columns<Thing> = Readonly<Record<string, (thing: Thing) => SheetCell>>;

const RUN: Columns<RunRecord> = {
  run: ({ run }) => run,
  mode: ({ mode }) => mode,
  state: ({ state }) => state,
  operator: ({ operator }) => operator,
  host: ({ host }) => host,
  from_folder: ({ from }) => from,
  started_at: ({ startedAt }) => startedAt,
  finished_at: ({ finishedAt }) => finishedAt,
  folders: ({ folders }) => folders,
  files: ({ files }) => files,
  authorized: ({ authorized }) => authorized,
  forced: ({ forced }) => Object.entries(forced).map(([check, reason]) => `${check}=${reason}`),
  cancel_requested_by: ({ cancelRequestedBy }) => cancelRequestedBy,
  cancel_reason: ({ cancelReason }) => cancelReason,
};

export function runSheet(runs: readonly RunRecord[]): Sheet {
  return { columns: Object.keys(RUN), rows: runs.map((run) => Object.values(RUN).map((cell) => cell(run))) };
}

/** What a patch did: of entries of other kinds these cells are empty. */
const PATCH: Columns<PatchOutcome> = {
  elements_created: ({ elements }) => elements.created,
  elements_updated: ({ elements }) => elements.updated,
  elements_identical: ({ elements }) => elements.identical,
  elements_kept: ({ elements }) => elements.kept,
  elements_ignored: ({ elements }) => elements.ignored,
  tables_created: ({ tables }) => tables.created,
  tables_altered: ({ tables }) => tables.altered,
  tables_removed: ({ tables }) => tables.removed,
  scripts_installed: ({ scripts }) => scripts.installed,
  scripts_run: ({ ran, ranOutside = [] }) => [...ran, ...ranOutside],
  scripts_pending: ({ pending }) => pending,
  rows_inserted: ({ rows }) => rows.inserted,
  rows_updated: ({ rows }) => rows.updated,
  rows_deleted: ({ rows }) => rows.deleted,
};

const ENTRY = ['run', 'seq', 'at', 'kind', 'folder', 'patch', 'state', 'severity', 'code', 'subject', 'ms', 'message'];

/** @param pages as they come: a long trace takes little memory */
export function traceSheet(run: string, pages: AsyncIterable<readonly JournalEntry[]>, messages: Messages): Sheet {
  return { columns: [...ENTRY, ...Object.keys(PATCH)], rows: tracePages(run, pages, messages) };
}

async function* tracePages(
  run: string,
  pages: AsyncIterable<readonly JournalEntry[]>,
  messages: Messages,
): AsyncGenerator<readonly (readonly SheetCell[])[]> {
  for await (const page of pages) yield page.map((entry) => [run, ...entryCells(entry, messages)]);
}

function entryCells(entry: JournalEntry, messages: Messages): readonly SheetCell[] {
  const patch = entry.kind === 'patch-finished' ? entry.outcome : undefined;
  const finding = entry.kind === 'finding' ? entry.finding : undefined;
  const reason = patch?.reason ?? (entry.kind === 'folder-locked' ? entry.reason : undefined);
  return [
    entry.seq,
    entry.at,
    entry.kind,
    folderOfEntry(entry) ?? null,
    fileOf(entry),
    stateOf(entry),
    finding?.severity ?? null,
    finding?.code ?? reason?.code ?? null,
    finding?.subject ?? subjectOf(entry),
    millisecondsOf(entry),
    finding === undefined ? eventText(entry, messages) : findingText(finding, messages),
    ...Object.values(PATCH).map((cell) => (patch === undefined ? null : cell(patch))),
  ];
}

function fileOf(entry: JournalEntry): string | null {
  if (entry.kind === 'finding') return entry.finding.patch ?? null;
  if (entry.kind === 'patch-finished') return entry.outcome.file;
  return 'file' in entry ? entry.file : null;
}

function stateOf(entry: JournalEntry): string | null {
  if (entry.kind === 'patch-finished' || entry.kind === 'step-finished') return entry.outcome.state;
  if (entry.kind === 'run-decided') return entry.decision;
  return 'state' in entry ? entry.state : null;
}

/** What it is about: a step of a validation, a script, a table. */
function subjectOf(entry: JournalEntry): string | null {
  if (entry.kind === 'step-finished') return entry.outcome.step;
  if (entry.kind === 'script-run') return entry.script;
  return entry.kind === 'folder-postponed' ? entry.table : null;
}

function millisecondsOf(entry: JournalEntry): number | null {
  if (entry.kind === 'patch-finished' || entry.kind === 'step-finished') return entry.outcome.ms;
  return 'ms' in entry ? entry.ms : null;
}

const FOLDER: Columns<RunFolderView> = {
  folder: ({ folder }) => folder,
  wave: ({ wave }) => wave,
  state: ({ state }) => state,
  attempts: ({ attempts }) => attempts,
  started_at: ({ startedAt }) => startedAt,
  finished_at: ({ finishedAt }) => finishedAt,
  not_before: ({ notBefore }) => notBefore,
  blocker_pid: ({ blocker }) => blocker?.pid ?? null,
  blocker_role: ({ blocker }) => blocker?.role ?? null,
  blocker_application: ({ blocker }) => blocker?.application ?? null,
};

export function runFolderSheet(run: string, folders: readonly RunFolderView[]): Sheet {
  return {
    columns: ['run', ...Object.keys(FOLDER)],
    rows: folders.map((view) => [run, ...Object.values(FOLDER).map((cell) => cell(view))]),
  };
}
