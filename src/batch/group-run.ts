// One transaction of a run that is all or none: its folders one after the other, all their patches; prepared, or rolled back with a reason.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Session } from '../database/database.ts';
import type { Folder } from '../environment/folder.ts';
import { integrateInto } from '../integrate/integrator.ts';
import { settingsOf } from '../integrate/settings.ts';
import type { RunEvent } from '../journal/journal.ts';
import type { FolderOutcome } from '../journal/outcome.ts';
import type { OutsideRun } from '../plan/plan.ts';
import { type FolderPart, outcomeOf, Postponed, partOf } from './folder-part.ts';
import { attemptMs, filesOf, noteMissed, type Running, runPatches } from './folder-run.ts';
import { notPreparable } from './not-preparable.ts';

/** Scripts of a patch that run outside of the database, once it is in the folder for good. */
export interface Outside {
  readonly folder: Folder;
  readonly file: string;
  readonly scripts: readonly OutsideRun[];
}

export interface Group {
  /** Name of its transaction. */
  readonly gid: string;
  readonly parts: readonly FolderPart[];
  /** What is told once it is decided: until then nothing is done. */
  readonly events: RunEvent[];
  readonly findings: Finding[];
  readonly outside: Outside[];
  prepared: boolean;
}

export function groupOf(gid: string, folders: readonly Folder[]): Group {
  return { gid, parts: folders.map(partOf), events: [], findings: [], outside: [], prepared: false };
}

/** Whether the folder would get everything that it is to get. */
export function isWhole(outcome: FolderOutcome): boolean {
  const { state, patches } = outcome;
  return state !== 'failed' && state !== 'cancelled' && patches.every(({ reason }) => reason === undefined);
}

export const outcomesOf = (running: Running, { parts }: Group): readonly FolderOutcome[] =>
  parts.map((part) => outcomeOf(part, filesOf(running)));

/** Not every folder of the group got everything: its transaction is rolled back. */
class Incomplete extends Error {
  override readonly name = 'Incomplete';
}

/**
 * One attempt. Afterwards the parts say what came of it.
 * @throws Postponed when somebody else is in the way: the group comes again from its beginning
 */
export async function runGroup(running: Running, group: Group): Promise<void> {
  const { database, cancelling, context } = running;
  const rehearsed = context.ending === 'rollback';
  const holding = holdingBack(running, group);
  const missed = new Set(running.missedBySupervisor);
  const work = async (session: Session): Promise<void> => {
    for (const part of group.parts) await runPart(holding, part, session, group.parts.length > 1);
    if (!rehearsed && !outcomesOf(running, group).every(isWhole)) throw new Incomplete();
  };
  try {
    if (rehearsed) await database.transaction(work, 'rollback', context.aborted);
    else await database.prepare(group.gid, work, context.aborted);
    group.prepared = !rehearsed;
  } catch (error) {
    if (error instanceof Incomplete) return;
    reset(running, group, missed);
    if (error instanceof Postponed) throw error;
    if (cancelling.hard.aborted) {
      for (const part of group.parts) part.cancelled = true;
      return;
    }
    if (!(error instanceof Failure) || error.code === 'run-lost') throw error;
    const told = await notPreparable(running, group, error);
    // The attempt may have asked the run to stop already: what it failed of is told all the same.
    const telling = { ...holding, stop: { requested: false } };
    for (const part of group.parts) {
      await runPatches(telling, part, () => Promise.reject(told));
      noteMissed(running, part);
    }
    if (telling.stop.requested) running.stop.requested = true;
  }
}

/** What fails in one folder must not keep the next one of the transaction from showing what it would fail of. */
async function runPart(holding: Running, part: FolderPart, session: Session, several: boolean): Promise<void> {
  const { database, states } = holding;
  const context = { ...holding.context, lockTimeoutMs: attemptMs(holding, part) };
  const settings = settingsOf(part.folder);
  states.set({ folder: part.folder.code, state: 'running', attempts: part.attempts });
  if (several) await session.script('savepoint before_folder');
  await runPatches(holding, part, (staged) => integrateInto(session, database, settings, staged, context), session);
  noteMissed(holding, part);
  if (!several) return;
  const whole = isWhole(outcomeOf(part, filesOf(holding)));
  await session.script(whole ? 'release savepoint before_folder' : 'rollback to savepoint before_folder');
}

function holdingBack(running: Running, group: Group): Running {
  return {
    ...running,
    findings: group.findings,
    emit: (event) => (event.kind === 'patch-started' ? running.emit(event) : void group.events.push(event)),
    // What a program does outside of the database cannot be rolled back.
    outside: async (shared, folder, scripts, file) => {
      if (shared.context.ending === 'rollback') return running.outside(shared, folder, scripts, file);
      if (scripts.length > 0) group.outside.push({ folder, file, scripts });
      return { findings: [], left: scripts.map(({ name }) => name), done: [] };
    },
  };
}

/** @param missed what the supervisor folder was known not to get before the attempt: that of a mirror is told by its original */
function reset(running: Running, group: Group, missed: ReadonlySet<string>): void {
  for (const part of group.parts) {
    const { attempts, waitedMs } = part;
    Object.assign(part, partOf(part.folder), { attempts, waitedMs });
    if (part.folder.parent !== null) continue;
    for (const file of running.missedBySupervisor) if (!missed.has(file)) running.missedBySupervisor.delete(file);
  }
  group.events.length = 0;
  group.findings.length = 0;
  group.outside.length = 0;
}
