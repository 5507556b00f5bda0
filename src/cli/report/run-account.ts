// The entries of a trace put together: what each patch did in each folder, what each folder came to, findings, and the course of the run. Pure.
import type { Finding } from '../../base/finding.ts';
import type { JournalEntry } from '../../journal/journal.ts';
import type { PatchOutcome } from '../../journal/outcome.ts';
import type { RunFolderState } from '../../journal/run-folders.ts';
import type { RunFolderView } from '../../journal/run-views.ts';
import type { StepOutcome } from '../../journal/validation-steps.ts';

export interface FolderAccount {
  readonly folder: string;
  /** `undefined`: nothing is known but that it was to be done. */
  readonly state: RunFolderState | undefined;
  /** The last outcome of each file: a folder that was postponed comes to it again. */
  readonly patches: readonly PatchOutcome[];
  readonly steps: readonly StepOutcome[];
  /** Why nobody may come into it. */
  readonly locked: { readonly code: string; readonly facts: Finding['facts'] } | undefined;
  /** From its beginning to its end; null where one of them is not known. */
  readonly ms: number | null;
}

export interface RunAccount {
  /** In the order of their waves. */
  readonly folders: readonly FolderAccount[];
  readonly findings: readonly Finding[];
  /** Entries about the run between its folders. */
  readonly course: readonly JournalEntry[];
  readonly ms: number | null;
}

/** Told elsewhere on the page, folder by folder. */
const IN_FOLDERS: ReadonlySet<JournalEntry['kind']> = new Set([
  'finding',
  'patch-started',
  'patch-finished',
  'step-started',
  'step-finished',
  'folder-finished',
  'folder-prepared',
]);

/** @param views of the run's folders, those that are shown */
export function accountOf(entries: readonly JournalEntry[], views: readonly RunFolderView[]): RunAccount {
  const patches = new Map<string, Map<string, PatchOutcome>>();
  const steps = new Map<string, Map<string, StepOutcome>>();
  const locked = new Map<string, FolderAccount['locked']>();
  const put = <Value>(map: Map<string, Map<string, Value>>, folder: string, name: string, value: Value): void => {
    map.set(folder, (map.get(folder) ?? new Map<string, Value>()).set(name, value));
  };
  for (const entry of entries) {
    if (entry.kind === 'patch-finished') put(patches, entry.folder, entry.outcome.file, entry.outcome);
    if (entry.kind === 'step-finished') put(steps, entry.folder, entry.outcome.step, entry.outcome);
    if (entry.kind === 'folder-locked') locked.set(entry.folder, entry.reason);
    if (entry.kind === 'folder-unlocked') locked.delete(entry.folder);
  }
  const ended = entries.findLast((entry) => entry.kind === 'run-finished');
  return {
    folders: views.map(({ folder, state, startedAt, finishedAt }) => ({
      folder,
      state,
      patches: [...(patches.get(folder)?.values() ?? [])],
      steps: [...(steps.get(folder)?.values() ?? [])],
      locked: locked.get(folder),
      ms: startedAt === null || finishedAt === null ? null : Date.parse(finishedAt) - Date.parse(startedAt),
    })),
    findings: entries.flatMap((entry) => (entry.kind === 'finding' ? [entry.finding] : [])),
    course: entries.filter(({ kind }) => !IN_FOLDERS.has(kind)),
    ms: ended?.kind === 'run-finished' ? ended.ms : null,
  };
}
