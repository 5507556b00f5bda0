// The verb that validates folders: the supervisor folder first, then level by level, several at once.
import { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Folder } from '../environment/folder.ts';
import { lockFailure } from '../environment/sessions.ts';
import type { RunState } from '../journal/outcome.ts';
import { withLease } from '../journal/processes.ts';
import { validateFolder } from '../validate/lone-validation.ts';
import type { FolderValidation } from '../validate/validation.ts';
import { failedValidation } from '../validate/validation.ts';
import type { ValidationSources } from '../validate/validation-sources.ts';
import { validationSources } from '../validate/validation-sources.ts';
import { chosen, existingFolders } from './known-folders.ts';
import type { Opened } from './rustine.ts';
import { SCRIPT_TIMEOUT_MS } from './script-limit.ts';

export interface ValidateOptions {
  /** Absent: all folders that are due. */
  readonly folders?: readonly string[];
  /** How long a statement waits for somebody else's lock, in milliseconds; absent: 15 seconds. */
  readonly lockTimeoutMs?: number;
}

export interface ValidationOutcome {
  readonly state: RunState;
  readonly findings: readonly Finding[];
  readonly folders: readonly FolderValidation[];
}

const LOCK_TIMEOUT_MS = 15_000;

/** @throws Refusal `folder-unknown`; what goes wrong in one folder is that folder's outcome */
export async function validateFolders(opened: Opened, options: ValidateOptions): Promise<ValidationOutcome> {
  const all = await existingFolders(opened.database);
  const folders = options.folders === undefined ? all.filter(({ due }) => due.length > 0) : chosen(all, options.folders);
  const { findings, outcomes } = await withLease(opened.database, opened.operator, async ({ process: lease }) => {
    const sources = validationSources(opened.database, lease, all);
    try {
      return await validateLevels(opened, folders, sources, options);
    } finally {
      await sources.release();
    }
  });
  const ended = folders.flatMap((folder) => outcomes.get(folder.code) ?? []);
  const order = new Map(folders.map(({ code }, at) => [code, at]));
  const place = ({ folder = '' }: Finding): number => order.get(folder) ?? 0;
  return { state: stateOf(ended), findings: findings.toSorted((a, b) => place(a) - place(b)), folders: ended };
}

async function validateLevels(
  opened: Opened,
  folders: readonly Folder[],
  sources: ValidationSources,
  options: ValidateOptions,
): Promise<{ readonly findings: readonly Finding[]; readonly outcomes: ReadonlyMap<string, FolderValidation> }> {
  const findings: Finding[] = [];
  const outcomes = new Map<string, FolderValidation>();
  for (const level of Map.groupBy(folders, (folder) => folder.depth).values()) {
    const waiting = [...level];
    const work = async (): Promise<void> => {
      for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift()) {
        const { code } = folder;
        const done = await validateOne(opened, folder, sources, options.lockTimeoutMs ?? LOCK_TIMEOUT_MS);
        outcomes.set(code, done.outcome);
        findings.push(...done.findings.map((finding) => ({ ...finding, folder: code })));
      }
    };
    await Promise.all(Array.from({ length: Math.min(opened.jobs, level.length) }, work));
  }
  return { findings, outcomes };
}

/** A failure of one folder is that folder's outcome; a bug of ours stops the program. */
async function validateOne(
  { database, operator, settings }: Opened,
  folder: Folder,
  sources: ValidationSources,
  lockTimeoutMs: number,
): Promise<{ readonly outcome: FolderValidation; readonly findings: readonly Finding[] }> {
  try {
    return await validateFolder(database, folder, sources, {
      operator,
      lockTimeoutMs,
      scriptTimeoutMs: settings.scriptTimeoutMs ?? SCRIPT_TIMEOUT_MS,
    });
  } catch (error) {
    const known = await lockFailure(database, folder, error);
    if (!(known instanceof Failure) && !(known instanceof Refusal)) throw known;
    const { code, facts } = known;
    const reason = known instanceof Refusal ? { code: 'blocked', facts: { codes: [code] } } : { code, facts };
    return { outcome: failedValidation(folder, reason), findings: [{ code, facts, severity: 'block' }] };
  }
}

function stateOf(folders: readonly FolderValidation[]): RunState {
  const failed = folders.filter((folder) => folder.state === 'failed');
  if (failed.length === 0) return 'done';
  if (failed.length < folders.length) return 'partial';
  return failed.every((folder) => folder.reason?.code === 'blocked') ? 'refused' : 'failed';
}
