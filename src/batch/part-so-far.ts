// A folder's part of a run that workers carry out, as it stands when one of them takes it up again, or leaves it out.
import type { Folder } from '../environment/folder.ts';
import { pendingFinding } from '../integrate/run-scripts.ts';
import { type FolderProgress, readToldScripts, type WaitingScript } from '../journal/folder-progress.ts';
import type { PatchOutcome } from '../journal/outcome.ts';
import { emptyOutcome } from '../journal/outcome.ts';
import { type FolderPart, partOf } from './folder-part.ts';
import type { Running } from './folder-run.ts';

/** @param progress absent: nobody has begun it */
export function partSoFar(running: Running, folder: Folder, progress: FolderProgress | undefined): FolderPart {
  const part = partOf(folder);
  // A rehearsal is one transaction: it begins anew.
  if (progress === undefined || running.context.ending === 'rollback') return part;
  return { ...part, due: progress.due, patches: patchesSoFar(running, folder, progress) };
}

/** As a worker before has left it. */
export const partBegun = (running: Running, folder: Folder): FolderPart =>
  partSoFar(running, folder, running.got.get(folder.code));

/** A worker that was lost between a patch and its runners told nobody that scripts wait (R28). */
export async function tellWaiting(
  { database, context, emit, findings }: Running,
  { folder, waiting }: FolderProgress,
): Promise<void> {
  if (waiting.length === 0) return;
  const told = await readToldScripts(database, context.run, folder);
  for (const { script, language, file } of waiting) {
    if (told.has(script)) continue;
    const finding = { ...pendingFinding(folder, script, language), patch: file };
    findings.push(finding);
    emit({ kind: 'finding', finding });
  }
}

/** Up to the patch that comes next. Those that were there before are through with too: an attempt comes to each in turn. */
function patchesSoFar({ deliveries, preflight }: Running, folder: Folder, { got, waiting }: FolderProgress): PatchOutcome[] {
  const had = new Map(got.map((outcome) => [outcome.file, outcome]));
  const last = deliveries.findLastIndex(({ file }) => had.has(file));
  const tasks = preflight.tasks.get(folder.code);
  const patches: PatchOutcome[] = [];
  for (const [at, { file }] of deliveries.entries()) {
    const outcome = had.get(file);
    const task = tasks?.get(file);
    if (outcome !== undefined) patches.push(withScripts(outcome, waiting, folder.mirror === true));
    // Before one that it got, what was to be integrated was found to be there already.
    else if (task === 'already' || (task === 'integrate' && at < last)) patches.push(emptyOutcome(file, 'already', 0));
    else if (task === 'integrate') break;
    else patches.push(emptyOutcome(file, 'skipped', 0));
  }
  return patches;
}

/** Scripts that do not wait any more have run. */
function withScripts(outcome: PatchOutcome, waiting: readonly WaitingScript[], mirror: boolean): PatchOutcome {
  if (outcome.pending.length === 0) return outcome;
  if (mirror) return { ...outcome, pending: [] };
  const left = outcome.pending.filter((name) => waiting.some(({ script }) => script === name));
  const done = outcome.pending.filter((name) => !left.includes(name));
  return { ...outcome, pending: left, ...(done.length === 0 ? {} : { ranOutside: done }) };
}
