// A preview of folders that follow some that the same preview would change: one transaction, in which these get first what they would get; all is rolled back.
import { Failure } from '../base/errors.ts';
import type { Session } from '../database/database.ts';
import { leaderOf } from '../plan/validation-checks.ts';
import type { Again } from './in-turn.ts';
import type { RunValidation, Validating, ValidationPart } from './validating.ts';
import { type Attempted, AttemptFailed, attemptInside, repeatInside } from './validation-attempt.ts';

/** Folders of one wave whose turn comes at once. */
export interface Turn {
  /** Folders that come before them in the same transaction, each after the one that it follows; none: every part has its own transaction. */
  readonly first: readonly ValidationPart[];
  readonly parts: readonly ValidationPart[];
}

/** Pure. @param parts all of a preview; none where what a folder gets stays @param mine those whose turn it is */
export function turnsOf(
  parts: ReadonlyMap<string, ValidationPart>,
  mine: readonly ValidationPart[],
  outcomes: ReadonlyMap<string, RunValidation>,
): readonly Turn[] {
  const above = new Map(mine.map((part) => [part, changedAbove(part, parts, outcomes)]));
  const groups = Map.groupBy(mine, (part) => above.get(part)?.[0]?.folder.code ?? part);
  return [...groups.values()].map((group) => ({
    first: [...new Set(group.flatMap((part) => above.get(part) ?? []))],
    parts: group,
  }));
}

/** From the topmost one that would change down to the one that the folder follows. */
function changedAbove(
  part: ValidationPart,
  parts: ReadonlyMap<string, ValidationPart>,
  outcomes: ReadonlyMap<string, RunValidation>,
): readonly ValidationPart[] {
  const chain: ValidationPart[] = [];
  for (let leader = leaderIn(part, parts); leader !== undefined; leader = leaderIn(leader, parts)) chain.unshift(leader);
  const top = chain.findIndex(({ folder }) => outcomes.get(folder.code)?.state === 'validated');
  return top < 0 ? [] : chain.slice(top);
}

const leaderIn = ({ folder }: ValidationPart, parts: ReadonlyMap<string, ValidationPart>): ValidationPart | undefined =>
  parts.get(leaderOf(folder) ?? '');

/** What becomes of the folders is the run's. */
export interface Taken {
  /** Whether it is its turn: else it was left out. */
  begins(part: ValidationPart): boolean;
  ended(part: ValidationPart, attempted: Attempted): Promise<void>;
  /** @returns after how many milliseconds it comes again; undefined: it does not */
  failed(part: ValidationPart, error: AttemptFailed): Promise<number | undefined>;
  /** What it follows does not get any more what it got. */
  leftOut(part: ValidationPart, leader: string): void;
}

/** What a folder did is rolled back before the next one that does not follow it: no more locks are held than a folder and those above it need. */
export async function previewTogether(validating: Validating, turn: Turn, taken: Taken): Promise<readonly Again<Turn>[]> {
  const { database, cancelling } = validating;
  const open = new Set(turn.parts);
  const again: { readonly part: ValidationPart; readonly pauseMs: number }[] = [];
  const failed = async (part: ValidationPart, error: AttemptFailed): Promise<void> => {
    open.delete(part);
    const pauseMs = await taken.failed(part, error);
    if (pauseMs !== undefined) again.push({ part, pauseMs });
  };
  const below = (leader: string): readonly ValidationPart[] => [
    ...turn.parts.filter((part) => open.has(part) && leaderOf(part.folder) === leader),
    ...turn.first.filter(({ folder }) => leaderOf(folder) === leader).flatMap(({ folder }) => below(folder.code)),
  ];
  const preview = async (session: Session, inside: Validating, part: ValidationPart): Promise<void> => {
    if (!taken.begins(part)) {
      open.delete(part);
      return;
    }
    const done = await within(session, () => attemptInside(session, inside, part));
    if (done instanceof AttemptFailed) return failed(part, done);
    open.delete(part);
    await taken.ended(part, done.tell());
  };
  const visit = async (session: Session, inside: Validating, leader: ValidationPart): Promise<void> => {
    const { code } = leader.folder;
    const waiting = below(code);
    const [one] = waiting;
    if (one === undefined) return;
    // It waits as those do for whose sake it is done again.
    const own = { ...leader, attempts: one.attempts, waitedMs: one.waitedMs };
    const done = await within(session, async () => {
      const gets = await repeatInside(session, inside, own);
      if (!gets) return false;
      for (const part of turn.parts) if (open.has(part) && leaderOf(part.folder) === code) await preview(session, inside, part);
      for (const next of turn.first) if (leaderOf(next.folder) === code) await visit(session, inside, next);
      return true;
    });
    if (done === true) return;
    for (const part of below(code)) {
      if (done !== false) await failed(part, done);
      else if (open.delete(part)) taken.leftOut(part, code);
    }
  };
  try {
    await database.transaction(
      async (session) => {
        const sources = validating.sources.within(session);
        try {
          const [top] = turn.first;
          if (top !== undefined) await visit(session, { ...validating, sources }, top);
        } finally {
          await sources.release();
        }
      },
      'rollback',
      cancelling.hard,
    );
  } catch (error) {
    if (!cancelling.hard.aborted && (!(error instanceof Failure) || error.code === 'run-lost')) throw error;
    for (const part of [...open]) await failed(part, new AttemptFailed(error, [], undefined));
  }
  if (again.length === 0) return [];
  const pauseMs = Math.max(...again.map((each) => each.pauseMs));
  return [{ item: { ...turn, parts: again.map(({ part }) => part) }, pauseMs }];
}

/** Whatever it did is rolled back. @returns also what it was thrown out of, where the session goes on */
async function within<Result>(session: Session, work: () => Promise<Result>): Promise<Result | AttemptFailed> {
  await session.script('savepoint before_preview');
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AttemptFailed)) throw error;
    return error;
  } finally {
    // Where the connection is lost, this says so.
    await session.script('rollback to savepoint before_preview; release savepoint before_preview');
  }
}
