// Takes a patch back folder by folder, the deepest first: several at once, those that meet a lock again later, none once the run is to stop.
import { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import { lockFailure, readLockWait } from '../environment/sessions.ts';
import { readLostAnswer } from '../integrate/lost-answer.ts';
import type { RevertContext, Reverted } from '../integrate/revert.ts';
import { revert } from '../integrate/revert.ts';
import { settingsOf } from '../integrate/settings.ts';
import type { FolderOutcome } from '../journal/outcome.ts';
import { emptyOutcome } from '../journal/outcome.ts';
import { isLeaseGone } from '../journal/processes.ts';
import { found } from '../plan/checks.ts';
import type { FolderSettings } from '../plan/plan.ts';
import { readUsingFolders } from '../plan/revert-facts.ts';
import type { Cancelling } from './cancelling.ts';
import { attemptMs, type FolderPart, mayWait, outcomeOf, Postponed, partOf, pauseAfter } from './folder-part.ts';
import { type Again, inTurn } from './in-turn.ts';
import type { RevertRequest } from './revert-run.ts';
import type { RunJournal } from './run-journal.ts';

/** What the folders of the run share. */
export interface Reverting extends RevertRequest {
  readonly database: Database;
  readonly run: string;
  /** Lease of who has the run. */
  readonly process: string;
  readonly journal: RunJournal;
  readonly cancelling: Cancelling;
  /** Its users may come in again. */
  readonly through: (folder: string) => void;
}

/** Folder → those below it, on other servers, that still have the patch: it must not give it up. */
type Above = ReadonlyMap<string, readonly string[]>;

export async function revertWaves(reverting: Reverting, above: Above): Promise<ReadonlyMap<string, FolderOutcome>> {
  const { started, folders, jobs, cancelling, journal } = reverting;
  const outcomes = new Map<string, FolderOutcome>();
  const takenBack = new Set<string>();
  const stop = { requested: false };
  const end = (part: FolderPart): void => {
    const outcome = outcomeOf(part, [reverting.file]);
    outcomes.set(outcome.folder, outcome);
    if (outcome.state === 'reverted') takenBack.add(outcome.folder);
    journal.emit({ kind: 'folder-finished', folder: outcome.folder, state: outcome.state });
    journal.states.set({ folder: outcome.folder, state: outcome.state, outcome, blocker: null });
    reverting.through(outcome.folder);
  };
  const now = new Map(folders.map((folder) => [folder.code, folder]));
  for (const [wave, { folders: level }] of started.waves.entries()) {
    const parts = level.flatMap(({ code }) => now.get(code) ?? []).map(partOf);
    if (parts.length === 0) continue;
    journal.emit({ kind: 'wave-started', wave, folders: parts.map(({ folder }) => folder.code), canary: false });
    await inTurn(parts, {
      jobs,
      soft: cancelling.soft,
      broken: () => {
        stop.requested = true;
      },
      work: async (part) => {
        if (cancelling.soft.aborted || stop.requested) {
          part.cancelled = cancelling.soft.aborted;
          end(part);
          return [];
        }
        return attempt(reverting, part, takenBack, above, end);
      },
    });
  }
  return outcomes;
}

/** @returns the folder again where somebody was in the way */
async function attempt(
  reverting: Reverting,
  part: FolderPart,
  takenBack: ReadonlySet<string>,
  above: Above,
  end: (part: FolderPart) => void,
): Promise<readonly Again<FolderPart>[]> {
  const { journal, file } = reverting;
  const { code } = part.folder;
  part.attempts += 1;
  journal.states.set({ folder: code, state: 'running', attempts: part.attempts });
  journal.emit({ kind: 'patch-started', folder: code, file });
  try {
    const { outcome, findings, due } = await tried(reverting, part, takenBack, above);
    for (const finding of findings) journal.found([{ ...finding, folder: code, patch: file }]);
    part.due = due;
    part.patches.push(outcome);
    journal.emit({ kind: 'patch-finished', folder: code, outcome });
  } catch (error) {
    if (error instanceof Postponed) return [postpone(reverting, part, error)];
    if (!reverting.cancelling.hard.aborted || reverting.cancelling.lost) throw error;
    part.cancelled = true;
  }
  end(part);
  return [];
}

function postpone({ journal, lockTimeoutMs, file }: Reverting, part: FolderPart, { wait }: Postponed): Again<FolderPart> {
  const pauseMs = pauseAfter(part.attempts, Math.random());
  const [blocker = null] = wait.blockers;
  part.waitedMs += attemptMs(part, lockTimeoutMs) + pauseMs;
  const { code } = part.folder;
  journal.states.set({ folder: code, state: 'postponed', pauseMs, blocker });
  journal.emit({ kind: 'folder-postponed', folder: code, file, attempt: part.attempts, pauseMs, ...wait });
  return { item: part, pauseMs };
}

/** A failure of one folder is that folder's outcome; a bug of ours stops the program. @throws Postponed; whatever it was where the run is to stop at once */
async function tried(reverting: Reverting, part: FolderPart, takenBack: ReadonlySet<string>, above: Above): Promise<Reverted> {
  const { database, run, file, cancelling, process, lockTimeoutMs } = reverting;
  const { folder } = part;
  const below = above.get(folder.code) ?? [];
  if (below.length > 0) {
    const facts = { folder: folder.code, file, folders: below };
    return failed(part, file, [found('revert-below', {}, facts)], { code: 'blocked', facts: { codes: ['revert-below'] } });
  }
  const context: RevertContext = {
    run,
    operator: reverting.operator,
    ending: reverting.mode === 'revert' ? 'commit' : 'rollback',
    process,
    reason: reverting.reason,
    forced: reverting.forced,
    lockTimeoutMs: attemptMs(part, lockTimeoutMs),
    takenBack,
    nextEvent: reverting.journal.nextEvent,
    stopPoint: reverting.stopPoint,
    aborted: cancelling.hard,
  };
  try {
    return await revertOrRehearse(reverting, settingsOf(folder), context);
  } catch (error) {
    const heard = await readLostAnswer(database, folder, file, context, error);
    if (heard !== undefined) return heard;
    if (cancelling.lost) throw new Failure('run-lost', { run, folder: folder.code });
    if (cancelling.hard.aborted) throw error;
    // Somebody else has settled this run: nothing of it may be done any more, in no folder.
    if (error instanceof Failure && error.code === 'run-lost') throw error;
    if (error instanceof Failure && error.code === 'database-lost' && (await isLeaseGone(database, process)))
      throw new Failure('run-lost', { run, folder: folder.code });
    const wait = mayWait(part, lockTimeoutMs) ? await readLockWait(database, folder, error) : undefined;
    if (wait !== undefined) throw new Postponed(file, wait);
    const known = await lockFailure(database, folder, error);
    if (!(known instanceof Failure) && !(known instanceof Refusal)) throw known;
    const { code, facts } = known;
    // What somebody has to mend is no failure of the world.
    const reason = known instanceof Refusal ? { code: 'blocked', facts: { codes: [code] } } : { code, facts };
    return failed(part, file, [{ code, severity: 'block', facts }], reason);
  }
}

/**
 * In a rehearsal the functions of folders below are still there, rolled back, and what they use would be in the way: where something is, those
 * folders are taken back before it in the same transaction, as in the real run.
 */
async function revertOrRehearse(
  { database, file, folders }: Reverting,
  folder: FolderSettings,
  context: RevertContext,
): Promise<Reverted> {
  try {
    return await revert(database, folder, file, context);
  } catch (error) {
    if (context.ending === 'commit' || !(error instanceof Refusal) || !IN_THE_WAY.includes(error.code)) throw error;
    const using = await readUsingFolders(database, folder);
    const below = [...context.takenBack].filter((code) => using.includes(code));
    const first = below.flatMap((code) => folders.find((each) => each.code === code) ?? []).map(settingsOf);
    if (first.length === 0) throw error;
    return await revert(database, folder, file, { ...context, first });
  }
}

const IN_THE_WAY = ['revert-in-use', 'revert-refused'];

function failed(
  part: FolderPart,
  file: string,
  findings: readonly Finding[],
  reason: NonNullable<Reverted['outcome']['reason']>,
): Reverted {
  return { outcome: { ...emptyOutcome(file, 'failed', 0), reason }, findings, due: part.due };
}
