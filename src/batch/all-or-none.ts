// A run that is all or none: every folder prepared, then one decision, then all of them committed or all rolled back (decision 014).
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../base/errors.ts';
import type { Folder } from '../environment/folder.ts';
import { countLocks } from '../integrate/integrator.ts';
import { settingsOf } from '../integrate/settings.ts';
import type { FolderOutcome } from '../journal/outcome.ts';
import { announce, decide, finishAll, gidOf, NUMBERS_OF_A_TURN, readEnvironmentId } from '../journal/prepared.ts';
import { planTransactions, type Transactions } from '../plan/transactions.ts';
import type { Deciding, Verdict, Vote } from './deciding.ts';
import { Postponed, partOf, pauseAfter } from './folder-part.ts';
import { attemptMs, finishFolder, hasWork, type Running, runFolder, withWork } from './folder-run.ts';
import { done, undone } from './group-outcome.ts';
import { type Group, groupOf, isWhole, outcomesOf, runGroup } from './group-run.ts';
import { runLater } from './later-scripts.ts';
import { patiently } from './patience.ts';
import type { Wave } from './waves.ts';

/** What each folder that has something to get shares a transaction with; nothing is touched yet. */
export function transactionsOf(running: Running, folders: readonly Folder[], jobs: number): Promise<Transactions> {
  const { database, staged, context } = running;
  return planTransactions(database, {
    folders: withWork(running, folders),
    atOnce: jobs,
    locks: (folder, own) => {
      const needed = own.flatMap(({ file }) => staged.get(file) ?? []);
      return countLocks(database, settingsOf(folder), needed, context);
    },
  });
}

/** @returns the folders' outcomes */
export async function runAllOrNone(
  running: Running,
  waves: readonly Wave[],
  transactions: Transactions['groups'],
  jobs: number,
  deciding: Deciding = {},
): Promise<ReadonlyMap<string, FolderOutcome>> {
  const outcomes = new Map<string, FolderOutcome>();
  for (const folder of waves.flatMap(({ folders }) => folders)) {
    if (hasWork(running, folder)) continue;
    const part = partOf(folder);
    outcomes.set(folder.code, finishFolder(running, part, await runFolder(running, part)));
  }
  if (transactions.length === 0 && deciding.participants === undefined) {
    await deciding.coordinator?.settled();
    await deciding.coordinator?.vote({ whole: true, failed: [] });
    return outcomes;
  }
  const groups = await announced(running, transactions, deciding);
  const { decision, failed } = await prepareAndDecide(running, groups, jobs, deciding);
  const ended = new Map(
    groups
      .flatMap((group) => (decision === 'commit' ? done(running, group) : undone(running, group, failed)))
      .map((outcome) => [outcome.folder, outcome]),
  );
  const outside = decision === 'commit' ? groups.flatMap((group) => group.outside) : [];
  await runLater(running, outside, jobs, ended);
  return new Map([...outcomes, ...ended]);
}

/** Names that are written down before anything has one. */
async function announced(
  running: Running,
  transactions: Transactions['groups'],
  { participants, coordinator }: Deciding,
): Promise<readonly Group[]> {
  const { database, context } = running;
  const { stopPoint: reached } = context;
  const environment = await readEnvironmentId(database);
  const groups = transactions.map((folders, at) =>
    groupOf(gidOf(environment, context.run, running.turn * NUMBERS_OF_A_TURN + at + 1), folders),
  );
  if (context.ending === 'rollback') return groups;
  const names = groups.map(({ gid, parts }) => ({ gid, folders: parts.map(({ folder }) => folder.code) }));
  await announce(database, context.run, names, {
    process: context.process ?? null,
    servers: participants?.servers ?? [],
    decidedBy: coordinator?.process ?? null,
  });
  reached('announced');
  return groups;
}

/** @returns what stands, once it is carried out here */
async function prepareAndDecide(running: Running, groups: readonly Group[], jobs: number, deciding: Deciding): Promise<Verdict> {
  const { context, cancelling } = running;
  const { stopPoint: reached } = context;
  const { participants, coordinator } = deciding;
  const rehearsed = context.ending === 'rollback';
  let wanted: Verdict;
  let promised = false;
  try {
    await prepareAll(running, groups, jobs, () => participants?.prepare(running.missedBySupervisor));
    const others = await participants?.votes();
    const own = voteOf(running, groups);
    // For those who watch: a server that is away for a moment must not keep what is prepared from being settled.
    if (!rehearsed) await running.states.written().catch(() => undefined);
    reached('voted');
    // From here on a part follows, whatever becomes of who decides.
    promised = coordinator !== undefined && own.whole;
    const whole = own.whole && others?.whole !== false && !cancelling.soft.aborted;
    const failed = [...own.failed, ...(others?.failed ?? [])];
    wanted = (await coordinator?.vote(own)) ?? { decision: whole ? 'commit' : 'rollback', failed };
  } catch (error) {
    // A bug of ours, or somebody else has settled this run: nothing may stay prepared.
    if (!rehearsed && !promised) await settle(running, { decision: 'rollback', failed: [] }, deciding).catch(() => undefined);
    // Nobody but this program could have decided otherwise, and it does not.
    participants?.decided({ decision: 'rollback', failed: [] });
    throw error;
  }
  if (rehearsed) participants?.decided(wanted);
  else await settle(running, wanted, deciding);
  return wanted;
}

function voteOf(running: Running, groups: readonly Group[]): Vote {
  const outcomes = groups.flatMap((group) => outcomesOf(running, group));
  const failed = outcomes.filter((outcome) => !isWhole(outcome)).map(({ folder }) => folder);
  // What was not prepared cannot be committed, whatever its folders say that came of them.
  const ready = running.context.ending === 'rollback' || groups.every((group) => group.prepared);
  return { whole: ready && failed.length === 0 && !running.cancelling.soft.aborted, failed };
}

/**
 * The group of the supervisor folder first: where it fails, nobody else gets anything (R31).
 * @param begun called when it is through, and the others begin
 */
async function prepareAll(running: Running, groups: readonly Group[], jobs: number, begun: () => void): Promise<void> {
  const first = groups.filter(({ parts }) => parts.some(({ folder }) => folder.parent === null));
  for (const some of [first, groups.filter((group) => !first.includes(group))]) {
    if (some !== first) begun();
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

/**
 * The point of no return is the decision, written and committed by itself: by the environment's own server, and here after it.
 * @throws Failure `run-lost` where somebody else has settled the run
 */
async function settle(running: Running, wanted: Verdict, { participants, coordinator }: Deciding): Promise<void> {
  const { database, context, emit } = running;
  const { stopPoint: reached } = context;
  const pauses = coordinator === undefined ? PAUSES_MS : PART_PAUSES_MS;
  const decision = await patiently(pauses, () => decide(database, context.run, wanted.decision, context.process ?? null));
  if (decision === undefined) throw new Failure('run-lost', { run: context.run, folder: running.supervisor });
  emit({ kind: 'run-decided', run: context.run, decision });
  reached('decided');
  participants?.decided({ ...wanted, decision });
  await patiently(pauses, () =>
    finishAll(database, context.run, decision, { turn: running.turn, finished: () => reached('finished') }),
  );
  await coordinator?.settled();
  reached('settled');
  if (decision !== wanted.decision) throw new Failure('run-lost', { run: context.run, folder: running.supervisor });
}

/** What was decided is carried out by whoever comes next; better by who is here, where the server is back soon. */
const PAUSES_MS = [100, 300, 1_000, 2_000, 4_000, 8_000];
/** What is decided can be carried out on this server by whoever opens it next; the others need not wait for it long. */
const PART_PAUSES_MS = PAUSES_MS.slice(0, 4);
