// A rehearsal of folders whose scripts need what an ancestor gets: one transaction down the tree, each folder rolled back before the next one comes.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Session } from '../database/database.ts';
import type { Folder } from '../environment/folder.ts';
import type { Integration, RunContext, StagedDelivery } from '../integrate/integrator.ts';
import { integrateInto } from '../integrate/integrator.ts';
import { settingsOf } from '../integrate/settings.ts';
import type { RunEvent } from '../journal/journal.ts';
import type { FolderOutcome } from '../journal/outcome.ts';
import { type FolderPart, Postponed, partOf } from './folder-part.ts';
import { attemptMs, endFolder, noteMissed, type Running, runFolder, runPatches } from './folder-run.ts';

/** Each folder with all that share its transaction. */
export function togetherOf(groups: readonly (readonly Folder[])[]): ReadonlyMap<string, readonly Folder[]> {
  return new Map(groups.flatMap((group) => group.map(({ code }) => [code, group] as const)));
}

/**
 * The folder's part, in a rehearsal after what it needs of its ancestors.
 * @throws Postponed as `runFolder`
 */
export async function runWithAncestors(running: Running, part: FolderPart): Promise<FolderOutcome> {
  const together = running.together.get(part.folder.code);
  if (together === undefined) return runFolder(running, part);
  const [left] = await rehearseTogether(running, together, [part], { begun: () => undefined, ended: () => undefined });
  if (left !== undefined) throw left.postponed;
  return endFolder(running, part);
}

/** Folders that have to come again: the first of them met a lock, the others are below it. */
export interface LeftOver {
  readonly parts: readonly FolderPart[];
  readonly postponed: Postponed;
}

interface Told {
  readonly begun: (part: FolderPart) => void;
  /** It is through, or has failed. */
  readonly ended: (part: FolderPart) => void;
}

/**
 * What an ancestor gets nobody else sees, because it is never committed: ancestors that are through are done again, and not told. What a folder did is
 * rolled back when all below it are through, so that no more locks are held than a folder and its ancestors need.
 * @param together all that share the transaction, ancestors first
 * @param parts those of them whose turn it is
 */
export async function rehearseTogether(
  running: Running,
  together: readonly Folder[],
  parts: readonly FolderPart[],
  told: Told,
): Promise<readonly LeftOver[]> {
  const { database, cancelling, context } = running;
  const wanted = new Map(parts.map((part) => [part.folder.code, part]));
  const codes = new Set(together.map(({ code }) => code));
  const children = Map.groupBy(together, ({ ancestors }) => ancestors.find(({ code }) => codes.has(code))?.code ?? '');
  const below = (folder: Folder): readonly FolderPart[] => [
    ...[wanted.get(folder.code)].filter((part) => part !== undefined),
    ...(children.get(folder.code) ?? []).flatMap(below),
  ];
  const open = new Set(parts);
  const left: LeftOver[] = [];
  const visit = async (session: Session, folder: Folder): Promise<void> => {
    const others = below(folder);
    const [first] = others;
    if (first === undefined) return;
    await session.script('savepoint before_folder');
    try {
      await rehearseOne(running, session, folder, wanted.get(folder.code), first, told);
      const part = wanted.get(folder.code);
      if (part !== undefined && open.delete(part)) told.ended(part);
      for (const child of children.get(folder.code) ?? []) await visit(session, child);
    } catch (error) {
      if (!(error instanceof Postponed)) throw error;
      left.push({ parts: others, postponed: error });
      for (const part of others) open.delete(part);
    }
    await session.script('rollback to savepoint before_folder; release savepoint before_folder');
  };
  try {
    await database.transaction(
      async (session) => {
        for (const root of children.get('') ?? []) await visit(session, root);
      },
      'rollback',
      context.aborted,
    );
  } catch (error) {
    if (!cancelling.hard.aborted && (!(error instanceof Failure) || error.code === 'run-lost')) throw error;
    for (const part of open) {
      reset(part);
      if (cancelling.hard.aborted) part.cancelled = true;
      else await runPatches(running, part, () => Promise.reject(error));
      noteMissed(running, part);
      told.ended(part);
    }
  }
  return left;
}

/** @param part absent: an ancestor, done for those below it @param first of those for whose sake it is done */
async function rehearseOne(
  running: Running,
  session: Session,
  folder: Folder,
  part: FolderPart | undefined,
  first: FolderPart,
  told: Told,
): Promise<void> {
  // What is found is told when the folder is through: one that comes again finds it again.
  const held: RunEvent[] = [];
  const findings: Finding[] = [];
  const emit = (event: RunEvent): void => {
    if (event.kind !== 'patch-started') held.push(event);
    else if (part !== undefined) running.emit(event);
  };
  if (part !== undefined) told.begun(part);
  const own = part ?? { ...partOf(folder), attempts: first.attempts, waitedMs: first.waitedMs };
  const { claimedBy, ...shared } = running.context;
  // An ancestor that is done again may be nobody's by now.
  const claim = part === undefined || claimedBy === undefined ? {} : { claimedBy };
  const context = { ...shared, ...claim, lockTimeoutMs: attemptMs(running, own) };
  try {
    await runPatches({ ...running, findings, emit }, own, (staged) => insideSavepoint(running, session, folder, staged, context));
  } catch (error) {
    reset(own);
    throw error;
  }
  if (part === undefined) return;
  noteMissed(running, part);
  running.findings.push(...findings);
  for (const event of held) running.emit(event);
}

/** A patch that fails leaves the folder as it was, with what came before: those below it still see that. */
async function insideSavepoint(
  { database }: Running,
  session: Session,
  folder: Folder,
  staged: StagedDelivery,
  context: RunContext,
): Promise<Integration> {
  const back = 'rollback to savepoint before_patch; release savepoint before_patch';
  await session.script('savepoint before_patch');
  try {
    const result = await integrateInto(session, database, settingsOf(folder), staged, context);
    await session.script(result.outcome.state === 'failed' ? back : 'release savepoint before_patch');
    return result;
  } catch (error) {
    // Where the connection is lost, the next statement says so.
    await session.script(back).catch(() => undefined);
    throw error;
  }
}

function reset(part: FolderPart): void {
  Object.assign(part, partOf(part.folder), { attempts: part.attempts, waitedMs: part.waitedMs });
}
