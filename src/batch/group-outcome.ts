// What is told of a group's folders once it is decided about their transaction: until then nobody was told anything.
import { emptyOutcome, type FolderOutcome } from '../journal/outcome.ts';
import { finishFolder, type Running } from './folder-run.ts';
import { type Group, isWhole, outcomesOf } from './group-run.ts';

/** What was held back is told. */
export function done(running: Running, group: Group): readonly FolderOutcome[] {
  running.findings.push(...group.findings);
  for (const event of group.events) running.emit(event);
  return outcomesOf(running, group).map((outcome, at) => {
    running.emit({ kind: 'folder-finished', folder: outcome.folder, state: outcome.state });
    const part = group.parts[at];
    return part === undefined ? outcome : finishFolder(running, part, outcome);
  });
}

/**
 * Folders that would have got everything are left out; what failed in the others is told.
 * @param failed those of the whole run
 */
export function undone(running: Running, group: Group, failed: readonly string[]): readonly FolderOutcome[] {
  const cancelled = running.cancelling.soft.aborted;
  const came = outcomesOf(running, group);
  const incomplete = new Set(came.filter((outcome) => !isWhole(outcome)).map(({ folder }) => folder));
  const about = (folder: string | undefined): boolean => folder === undefined || incomplete.has(folder);
  running.findings.push(...group.findings.filter(({ folder, severity }) => about(folder) || severity === 'block'));
  for (const event of group.events) {
    if (event.kind === 'patch-finished' && event.outcome.state === 'integrated') continue;
    if (event.kind === 'finding' && !about(event.finding.folder) && event.finding.severity !== 'block') continue;
    running.emit(event);
  }
  const reason = { code: 'all-or-none', facts: { failed: [...failed] } };
  return came.map((outcome, at) => {
    const patches = outcome.patches.map((patch) => {
      if (patch.state !== 'integrated') return patch;
      const left = { ...emptyOutcome(patch.file, 'skipped', patch.ms), ...(cancelled ? {} : { reason }) };
      running.emit({ kind: 'patch-finished', folder: outcome.folder, outcome: left });
      return left;
    });
    const part = group.parts[at];
    const due = (part?.folder.due.length ?? 0) > 0;
    const state = outcome.state !== 'integrated' ? outcome.state : cancelled ? 'cancelled' : 'skipped';
    running.emit({ kind: 'folder-finished', folder: outcome.folder, state });
    const told = { ...outcome, patches, due, state };
    return part === undefined ? told : finishFolder(running, part, told);
  });
}
