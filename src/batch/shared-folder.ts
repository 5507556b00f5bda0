// A folder of a shared run that this worker has claimed: brings the patches in, says what they came to, and lets its users in only where it is still its own.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { readProgress } from '../journal/folder-progress.ts';
import type { FolderOutcome } from '../journal/outcome.ts';
import { emptyOutcome } from '../journal/outcome.ts';
import type { FolderChange } from '../journal/run-folders.ts';
import { type FolderClaim, readOutcomes, settleFolder } from '../journal/shared-runs.ts';
import { type FolderPart, Postponed, pauseAfter } from './folder-part.ts';
import { attemptMs, skipFolder } from './folder-run.ts';
import { partSoFar, tellWaiting } from './part-so-far.ts';
import { runWithAncestors } from './rehearsal-group.ts';
import type { Before, Sharing } from './sharing.ts';
import { failedCanaries } from './wave-run.ts';

/** A folder whose workers die is not tried for ever. */
const MOST_LOST = 3;
/** After the database was away. */
const TROUBLE_MS = 2_000;

/** @throws Failure where the database is away: the folder is given back, or ended, as soon as it is there again */
export async function workOn(sharing: Sharing, claim: FolderClaim): Promise<void> {
  let change: FolderChange = { folder: claim.folder, state: 'postponed', pauseMs: TROUBLE_MS };
  try {
    sharing.reached('folder-claimed');
    change = await worked(sharing, claim);
    await sharing.flush();
    sharing.reached('folder-to-settle');
    await settle(sharing, change);
  } catch (error) {
    // Somebody else has the folder by now, or has ended the run: its users are theirs to let in.
    if (error instanceof Failure && error.code === 'run-lost') return;
    if (error instanceof Failure) sharing.unsettled.set(claim.folder, change);
    throw error;
  }
}

/** What could not be written down before. */
export async function settleLater(sharing: Sharing): Promise<void> {
  for (const [folder, change] of sharing.unsettled) {
    await sharing.flush();
    await settle(sharing, change);
    sharing.unsettled.delete(folder);
  }
}

async function settle({ database, row, lease, running }: Sharing, change: FolderChange): Promise<void> {
  const mine = await settleFolder(database, row.id, lease, change);
  if (mine && change.state !== 'waiting' && change.state !== 'postponed') running.through(change.folder);
}

async function worked(sharing: Sharing, claim: FolderClaim): Promise<FolderChange> {
  const { database, row, byCode, running, waves } = sharing;
  const folder = byCode.get(claim.folder);
  const wave = waves[claim.wave];
  if (claim.opens && wave !== undefined) {
    running.emit({ kind: 'wave-started', wave: claim.wave, folders: wave.folders, canary: wave.canary });
    // Else whoever follows the run hears of it when its first folder has ended. What cannot be written now comes with that one.
    await sharing.flush().catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
    });
  }
  if (folder === undefined) return gone(sharing, claim);
  // A statement after the claim: it has to see what the worker that had the folder before committed last.
  const begun = claim.attempts > 1 ? await readProgress(database, row.id, [folder.code]) : undefined;
  const progress = begun?.get(folder.code);
  if (claim.takenOver && progress !== undefined) await tellWaiting(running, progress);
  const part: FolderPart = { ...partSoFar(running, folder, progress), attempts: claim.attempts, waitedMs: claim.waitedMs };
  try {
    const outcome = await carriedOut(sharing, claim, part);
    const back = outcome.state === 'cancelled' && !sharing.cancelled();
    return back ? { folder: folder.code, state: 'waiting' } : { folder: folder.code, state: outcome.state, outcome };
  } catch (error) {
    if (error instanceof Postponed) return postponed(sharing, part, error);
    throw error;
  }
}

/** `folder drop` is refused while a run has the folder; should it be gone all the same, the others go on. */
function gone(sharing: Sharing, { folder }: FolderClaim): FolderChange {
  const { running } = sharing;
  const facts = { folder };
  running.emit({ kind: 'finding', finding: { code: 'folder-gone', severity: 'block', folder, facts } });
  const { patches, ...left } = leftOut(sharing, folder);
  const reason = { code: 'folder-gone', facts };
  const outcome: FolderOutcome = { ...left, state: 'failed', patches: patches.map((each) => ({ ...each, reason })) };
  running.emit({ kind: 'folder-finished', folder, state: 'failed' });
  return { folder, state: 'failed', outcome };
}

async function carriedOut(sharing: Sharing, claim: FolderClaim, part: FolderPart): Promise<FolderOutcome> {
  const { running } = sharing;
  if (claim.lost >= MOST_LOST) {
    const facts = { folder: claim.folder, workers: claim.lost };
    const finding: Finding = { code: 'workers-lost', severity: 'block', folder: claim.folder, facts };
    running.emit({ kind: 'finding', finding });
    return skipFolder(running, part, { code: 'workers-lost', facts }, 'failed');
  }
  const before = await beforeWave(sharing, claim.wave);
  if (before.failedCanaries.length > 0)
    return skipFolder(running, part, { code: 'canary-failed', facts: { folders: before.failedCanaries } });
  for (const file of before.missed) running.missedBySupervisor.add(file);
  return runWithAncestors(running, part);
}

function beforeWave(sharing: Sharing, wave: number): Promise<Before> {
  const known = sharing.before.get(wave) ?? readBefore(sharing, wave);
  sharing.before.set(wave, known);
  known.catch(() => sharing.before.delete(wave));
  return known;
}

async function readBefore({ database, row, running, waves }: Sharing, wave: number): Promise<Before> {
  const canaries = waves.flatMap(({ folders, canary }) => (canary ? folders : []));
  const outcomes = await readOutcomes(database, row.id, [running.supervisor, ...canaries]);
  const supervisor = outcomes.get(running.supervisor)?.patches ?? [];
  return {
    failedCanaries: waves[wave]?.canary === true ? [] : failedCanaries(canaries, outcomes),
    missed: supervisor.flatMap(({ file, state }) => (state === 'failed' || state === 'skipped' ? [file] : [])),
  };
}

function postponed(sharing: Sharing, part: FolderPart, { file, wait }: Postponed): FolderChange {
  const { running } = sharing;
  const folder = part.folder.code;
  const pauseMs = pauseAfter(part.attempts, Math.random());
  const waitedMs = Math.round(part.waitedMs + attemptMs(running, part) + pauseMs);
  const [blocker = null] = wait.blockers;
  running.emit({ kind: 'folder-postponed', folder, file, attempt: part.attempts, pauseMs, ...wait });
  return { folder, state: 'postponed', pauseMs, waitedMs, blocker };
}

/** A folder that was not begun. */
export function leftOut({ deliveries, byCode }: Sharing, code: string): FolderOutcome {
  const patches = deliveries.map(({ file }) => emptyOutcome(file, 'skipped', 0));
  return { folder: code, state: 'skipped', due: (byCode.get(code)?.due.length ?? 0) > 0, patches };
}
