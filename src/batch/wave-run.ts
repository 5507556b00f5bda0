// Goes through the waves: several folders at once, those that meet a lock again later, none once the run is to stop.
import type { FolderOutcome } from '../journal/outcome.ts';
import type { FolderChange } from '../journal/run-folders.ts';
import { type FolderPart, Postponed, pauseAfter } from './folder-part.ts';
import { attemptMs, endFolder, finishFolder, hasWork, type Running, runFolder, skipFolder } from './folder-run.ts';
import { type Again, inTurn } from './in-turn.ts';
import { partBegun } from './part-so-far.ts';
import { type LeftOver, rehearseTogether } from './rehearsal-group.ts';
import type { Wave } from './waves.ts';

/** A folder; in a rehearsal several that share a transaction. */
type Unit = readonly FolderPart[];

type Told = (outcome: FolderOutcome, part: FolderPart) => void;

/** @returns the folders' outcomes in the order of the waves */
export async function runWaves(
  running: Running,
  waves: readonly Wave[],
  jobs: number,
): Promise<ReadonlyMap<string, FolderOutcome>> {
  const outcomes = new Map<string, FolderOutcome>();
  const changes: FolderChange[] = [];
  for (const { folders } of waves) {
    for (const folder of folders.filter((each) => !hasWork(running, each))) {
      const outcome = await runFolder(running, partBegun(running, folder));
      outcomes.set(folder.code, outcome);
      changes.push({ folder: folder.code, state: outcome.state, outcome });
    }
  }
  // However many there are, they are one statement.
  for (const change of changes) running.states.set(change);
  const { canaries = async (failed: readonly string[]) => failed } = running;
  const first = waves.flatMap(({ folders, canary }) => (canary ? folders.map(({ code }) => code) : []));
  let verdict: Promise<readonly string[]> | undefined;
  const broken = (): Promise<readonly string[]> => (verdict ??= canaries(failedCanaries(first, outcomes)));
  for (const [at, wave] of waves.entries()) {
    const parts = wave.folders.filter(({ code }) => !outcomes.has(code)).map((folder) => partBegun(running, folder));
    if (parts.length === 0) continue;
    const failed = wave.canary ? [] : await broken();
    if (failed.length > 0) {
      for (const part of parts) {
        const outcome = skipFolder(running, part, { code: 'canary-failed', facts: { folders: failed } });
        outcomes.set(part.folder.code, outcome);
      }
      continue;
    }
    const folders = parts.map(({ folder }) => folder.code);
    running.emit({ kind: 'wave-started', wave: at, folders, canary: wave.canary });
    await runWave(running, parts, jobs, outcomes);
  }
  // Others may wait for it.
  void broken();
  return outcomes;
}

/** Those that did not get everything. */
export function failedCanaries(canaries: readonly string[], outcomes: ReadonlyMap<string, FolderOutcome>): readonly string[] {
  const whole = (outcome: FolderOutcome | undefined): boolean =>
    outcome !== undefined &&
    outcome.state !== 'failed' &&
    outcome.state !== 'cancelled' &&
    outcome.patches.every((patch) => patch.reason === undefined);
  return canaries.filter((code) => !whole(outcomes.get(code)));
}

async function runWave(
  running: Running,
  parts: readonly FolderPart[],
  jobs: number,
  outcomes: Map<string, FolderOutcome>,
): Promise<void> {
  const units: readonly Unit[] = [...Map.groupBy(parts, ({ folder }) => running.together.get(folder.code) ?? folder).values()];
  const told: Told = (outcome, part) => {
    outcomes.set(outcome.folder, finishFolder(running, part, outcome));
    running.through(outcome.folder);
  };
  await inTurn(units, {
    jobs,
    soft: running.cancelling.soft,
    broken: () => {
      running.stop.requested = true;
    },
    work: (unit) => attempt(running, unit, outcomes, told),
  });
}

/** @returns those that come again */
async function attempt(
  running: Running,
  parts: Unit,
  outcomes: ReadonlyMap<string, FolderOutcome>,
  told: Told,
): Promise<readonly Again<Unit>[]> {
  const [part] = parts;
  if (part === undefined) return [];
  if (running.cancelling.soft.aborted || running.stop.requested) {
    for (const each of parts) {
      each.cancelled = running.cancelling.soft.aborted;
      told(endFolder(running, each), each);
    }
    return [];
  }
  const begun = (each: FolderPart): void => {
    each.attempts += 1;
    running.states.set({ folder: each.folder.code, state: 'running', attempts: each.attempts });
  };
  const together = running.together.get(part.folder.code);
  if (together !== undefined) {
    const ended = (each: FolderPart): void => told(endFolder(running, each), each);
    const left = await rehearseTogether(running, together, parts, outcomes, { begun, ended });
    return left.flatMap((each) => postpone(running, each));
  }
  begun(part);
  try {
    told(await runFolder(running, part), part);
    return [];
  } catch (error) {
    if (!(error instanceof Postponed)) throw error;
    return postpone(running, { parts, postponed: error });
  }
}

/** The first one met a lock; the others of a rehearsal are below it, and come with it. */
function postpone(running: Running, { parts, postponed: { file, wait } }: LeftOver): readonly Again<Unit>[] {
  const [first] = parts;
  if (first === undefined) return [];
  const attempts = Math.max(1, first.attempts);
  const pauseMs = pauseAfter(attempts, Math.random());
  const [blocker = null] = wait.blockers;
  const waited = attemptMs(running, first) + pauseMs;
  for (const part of parts) {
    part.waitedMs += waited;
    running.states.set({ folder: part.folder.code, state: 'postponed', pauseMs, blocker });
  }
  running.emit({ kind: 'folder-postponed', folder: first.folder.code, file, attempt: attempts, pauseMs, ...wait });
  return [{ item: parts, pauseMs }];
}
