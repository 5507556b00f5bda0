// A rehearsal of folders whose scripts need what an ancestor gets: one transaction down the tree, each folder rolled back before the next one comes.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Session } from '../database/database.ts';
import type { Folder } from '../environment/folder.ts';
import type { Integration, RunContext, StagedDelivery } from '../integrate/integrator.ts';
import { integrateInto } from '../integrate/integrator.ts';
import { settingsOf } from '../integrate/settings.ts';
import type { RunEvent } from '../journal/journal.ts';
import type { FolderOutcome, PatchOutcome } from '../journal/outcome.ts';
import { emptyOutcome } from '../journal/outcome.ts';
import { readOutcomes } from '../journal/shared-runs.ts';
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
  const codes = part.folder.ancestors.map(({ code }) => code);
  const through = await readOutcomes(running.database, running.context.run, codes);
  const told = { begun: () => undefined, ended: () => undefined };
  const [left] = await rehearseTogether(running, together, [part], through, told);
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
 * @param through what those came to whose turn it was before
 */
export async function rehearseTogether(
  running: Running,
  together: readonly Folder[],
  parts: readonly FolderPart[],
  through: ReadonlyMap<string, FolderOutcome>,
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
      const part = wanted.get(folder.code);
      const missing = await rehearseOne(running, session, folder, part, first, through.get(folder.code), told);
      if (part !== undefined && open.delete(part)) told.ended(part);
      if (missing === undefined) for (const child of children.get(folder.code) ?? []) await visit(session, child);
      else {
        for (const each of others) {
          told.begun(each);
          await failFor(running, each, missing);
          if (open.delete(each)) told.ended(each);
        }
      }
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

/** Why an ancestor that is done again has not got what it got before. */
interface Missing {
  readonly reason: NonNullable<PatchOutcome['reason']>;
  readonly findings: readonly Finding[];
}

/**
 * @param part absent: an ancestor, done for those below it
 * @param first of those for whose sake it is done
 * @param before what such an ancestor came to when it was its turn
 * @returns what those below it lack: a run would not fail of that
 */
async function rehearseOne(
  running: Running,
  session: Session,
  folder: Folder,
  part: FolderPart | undefined,
  first: FolderPart,
  before: FolderOutcome | undefined,
  told: Told,
): Promise<Missing | undefined> {
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
    await runPatches(
      { ...running, findings, emit },
      own,
      (staged) => insideSavepoint(running, session, folder, staged, context),
      session,
    );
  } catch (error) {
    reset(own);
    throw error;
  }
  if (part === undefined) return missingOf(own, before, findings);
  noteMissed(running, part);
  running.findings.push(...findings);
  for (const event of held) running.emit(event);
  return undefined;
}

/** What failed the first time, too, those below it do without as in a run. */
function missingOf(
  { patches }: FolderPart,
  before: FolderOutcome | undefined,
  findings: readonly Finding[],
): Missing | undefined {
  const failedBefore = new Set(before?.patches.flatMap(({ file, state }) => (state === 'failed' ? [file] : [])));
  const failed = patches.find(({ file, state }) => state === 'failed' && !failedBefore.has(file));
  if (failed?.reason === undefined) return undefined;
  const blocking = findings.filter(({ patch, severity }) => patch === failed.file && severity === 'block');
  return { reason: failed.reason, findings: blocking };
}

/** Without what its ancestor gets it would fail of something else, and of nothing in the run: it is told what its ancestor failed of. */
async function failFor(running: Running, part: FolderPart, { reason, findings }: Missing): Promise<void> {
  await runPatches(running, part, async ({ delivery }) => {
    const outcome: PatchOutcome = { ...emptyOutcome(delivery.file, 'failed', 0), reason };
    return { outcome, findings, due: false, pending: [] };
  });
  noteMissed(running, part);
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
