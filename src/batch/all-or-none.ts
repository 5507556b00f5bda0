// A run that is all or none: every folder prepared, then one decision, then all of them committed or all rolled back (decision 014).
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../base/errors.ts';
import type { Folder } from '../environment/folder.ts';
import { countLocks } from '../integrate/integrator.ts';
import { settingsOf } from '../integrate/settings.ts';
import type { FolderOutcome } from '../journal/outcome.ts';
import { emptyOutcome } from '../journal/outcome.ts';
import { announce, type Decision, decide, finishAll, gidOf, NUMBERS_OF_A_TURN, readEnvironmentId } from '../journal/prepared.ts';
import { planTransactions, type Transactions } from '../plan/transactions.ts';
import { Postponed, partOf, pauseAfter } from './folder-part.ts';
import { attemptMs, finishFolder, hasWork, type Running, runFolder, withWork } from './folder-run.ts';
import { type Group, groupOf, isWhole, type Outside, outcomesOf, runGroup } from './group-run.ts';
import type { Wave } from './waves.ts';

/** What each folder that has something to get shares a transaction with; nothing is touched yet. */
export function transactionsOf(running: Running, folders: readonly Folder[]): Promise<Transactions> {
  const { database, staged, context } = running;
  return planTransactions(database, {
    folders: withWork(running, folders),
    locks: async (folder, { file }) => {
      const delivery = staged.get(file);
      return delivery === undefined ? 0 : countLocks(database, settingsOf(folder), delivery, context);
    },
  });
}

/** @returns the folders' outcomes */
export async function runAllOrNone(
  running: Running,
  waves: readonly Wave[],
  transactions: Transactions,
  jobs: number,
): Promise<ReadonlyMap<string, FolderOutcome>> {
  const { database, context } = running;
  const { stopPoint: reached } = context;
  const outcomes = new Map<string, FolderOutcome>();
  for (const folder of waves.flatMap(({ folders }) => folders)) {
    if (hasWork(running, folder)) continue;
    const part = partOf(folder);
    outcomes.set(folder.code, finishFolder(running, part, await runFolder(running, part)));
  }
  if (transactions.groups.length === 0) return outcomes;
  const environment = await readEnvironmentId(database);
  const groups = transactions.groups.map((folders, at) =>
    groupOf(gidOf(environment, context.run, running.turn * NUMBERS_OF_A_TURN + at + 1), folders),
  );
  const rehearsed = context.ending === 'rollback';
  if (!rehearsed) {
    await announce(
      database,
      context.run,
      groups.map(({ gid, parts }) => ({ gid, folders: parts.map(({ folder }) => folder.code) })),
    );
    reached('announced');
  }
  try {
    await prepareAll(running, groups, jobs);
  } catch (error) {
    // A bug of ours, or somebody else has settled this run: nothing may stay prepared.
    if (!rehearsed) await settle(running, 'rollback').catch(() => undefined);
    throw error;
  }
  const prepared = groups.flatMap((group) => outcomesOf(running, group));
  // What was not prepared cannot be committed, whatever its folders say that came of them.
  const ready = rehearsed || groups.every((group) => group.prepared);
  const whole = ready && prepared.every(isWhole) && !running.cancelling.soft.aborted;
  // For those who watch: a server that is away for a moment must not keep what is prepared from being settled.
  if (!rehearsed) await running.states.written().catch(() => undefined);
  const decision = rehearsed ? (whole ? 'commit' : 'rollback') : await settle(running, whole ? 'commit' : 'rollback');
  if (whole && decision === 'rollback') throw new Failure('run-lost', { run: context.run, folder: running.supervisor });
  const failed = prepared.filter((outcome) => !isWhole(outcome)).map(({ folder }) => folder);
  const ended = groups.flatMap((group) => (decision === 'commit' ? done(running, group) : undone(running, group, failed)));
  for (const outcome of ended) {
    outcomes.set(outcome.folder, outcome);
    running.through(outcome.folder);
  }
  if (decision === 'commit')
    await runLater(
      running,
      groups.flatMap(({ outside }) => outside),
      jobs,
      outcomes,
    );
  return outcomes;
}

/** The group of the supervisor folder first: where it fails, nobody else gets anything (R31). */
async function prepareAll(running: Running, groups: readonly Group[], jobs: number): Promise<void> {
  const first = groups.filter(({ parts }) => parts.some(({ folder }) => folder.parent === null));
  for (const some of [first, groups.filter((group) => !first.includes(group))]) {
    const waiting = [...some];
    const work = async (): Promise<void> => {
      for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) await prepareGroup(running, group);
    };
    const works = Array.from({ length: Math.min(jobs, some.length) }, work);
    for (const each of works) each.catch(() => (running.stop.requested = true));
    const broken = (await Promise.allSettled(works)).find((each) => each.status === 'rejected');
    if (broken !== undefined) throw broken.reason;
  }
}

/** Comes again where somebody else is in the way: what others prepared keeps waiting, so the pause is short. */
async function prepareGroup(running: Running, group: Group): Promise<void> {
  const { states, emit, cancelling } = running;
  const { stopPoint: reached } = running.context;
  for (;;) {
    const stopped = cancelling.soft.aborted || running.stop.requested;
    for (const part of group.parts) {
      if (cancelling.soft.aborted) part.cancelled = true;
      else if (!stopped) part.attempts += 1;
    }
    if (stopped) return;
    try {
      await runGroup(running, group);
      break;
    } catch (error) {
      if (!(error instanceof Postponed)) throw error;
      const { file, wait } = error;
      const [blocker = null] = wait.blockers;
      const [first] = group.parts;
      const attempt = first?.attempts ?? 1;
      const pauseMs = pauseAfter(attempt, Math.random());
      for (const part of group.parts) {
        part.waitedMs += attemptMs(running, part) + pauseMs;
        states.set({ folder: part.folder.code, state: 'postponed', pauseMs, blocker });
      }
      emit({ kind: 'folder-postponed', folder: first?.folder.code ?? '', file, attempt, pauseMs, ...wait });
      await pause(pauseMs, undefined, { signal: cancelling.soft }).catch(() => undefined);
    }
  }
  if (!group.prepared) return;
  for (const outcome of outcomesOf(running, group)) {
    states.set({ folder: outcome.folder, state: 'prepared', outcome, blocker: null });
    emit({ kind: 'folder-prepared', folder: outcome.folder });
  }
  reached('prepared');
}

/** The point of no return is the decision, written and committed by itself. @returns the decision that stands */
async function settle(running: Running, wanted: Decision): Promise<Decision> {
  const { database, context, emit } = running;
  const { stopPoint: reached } = context;
  const decision = await patiently(() => decide(database, context.run, wanted, context.process ?? null));
  if (decision === undefined) throw new Failure('run-lost', { run: context.run, folder: running.supervisor });
  emit({ kind: 'run-decided', run: context.run, decision });
  reached('decided');
  await patiently(() => finishAll(database, context.run, decision, { turn: running.turn, finished: () => reached('finished') }));
  return decision;
}

const PAUSES_MS = [100, 300, 1_000, 2_000, 4_000, 8_000];

/** What was decided is carried out by whoever comes next; better by who is here, where the server is back soon. */
async function patiently<Result>(work: () => Promise<Result>): Promise<Result> {
  for (const ms of PAUSES_MS) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Failure) || !['database-lost', 'database-unreachable'].includes(error.code)) throw error;
      await pause(ms);
    }
  }
  return work();
}

/** What was held back is told. */
function done(running: Running, group: Group): readonly FolderOutcome[] {
  running.findings.push(...group.findings);
  for (const event of group.events) running.emit(event);
  return outcomesOf(running, group).map((outcome, at) => {
    running.emit({ kind: 'folder-finished', folder: outcome.folder, state: outcome.state });
    const part = group.parts[at];
    return part === undefined ? outcome : finishFolder(running, part, outcome);
  });
}

/** What runs outside of the database runs now that all is committed; several folders at once, each its scripts in their order. */
async function runLater(
  running: Running,
  outside: readonly Outside[],
  jobs: number,
  outcomes: Map<string, FolderOutcome>,
): Promise<void> {
  const waiting = [...Map.groupBy(outside, ({ folder }) => folder.code).values()];
  const work = async (): Promise<void> => {
    for (let some = waiting.shift(); some !== undefined; some = waiting.shift()) {
      for (const { folder, file, scripts } of some) {
        const { findings, left, done } = await running.outside(running, folder, scripts, file);
        for (const finding of findings.map((each) => ({ ...each, patch: file }))) {
          running.findings.push(finding);
          running.emit({ kind: 'finding', finding });
        }
        const outcome = outcomes.get(folder.code);
        if (outcome === undefined) continue;
        const ran = done.length === 0 ? {} : { ranOutside: done };
        const patches = outcome.patches.map((patch) => (patch.file === file ? { ...patch, pending: left, ...ran } : patch));
        outcomes.set(folder.code, { ...outcome, patches });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, waiting.length) }, work));
}

/** Folders that would have got everything are left out; what failed in the others is told. */
function undone(running: Running, group: Group, failed: readonly string[]): readonly FolderOutcome[] {
  const cancelled = running.cancelling.soft.aborted;
  const incomplete = new Set(failed);
  const about = (folder: string | undefined): boolean => folder === undefined || incomplete.has(folder);
  running.findings.push(...group.findings.filter(({ folder, severity }) => about(folder) || severity === 'block'));
  for (const event of group.events) {
    if (event.kind === 'patch-finished' && event.outcome.state === 'integrated') continue;
    if (event.kind === 'finding' && !about(event.finding.folder) && event.finding.severity !== 'block') continue;
    running.emit(event);
  }
  const reason = { code: 'all-or-none', facts: { failed: [...failed] } };
  return outcomesOf(running, group).map((outcome, at) => {
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
