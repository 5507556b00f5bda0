// A worker's quiet duty: every few seconds it settles what dead programs left, on further servers too, so that nobody stays shut out until somebody runs the next command.
import type { Database } from '../database/database.ts';
import { recoverIfNeeded } from './recovery.ts';

const EVERY_MS = 3_000;

export interface Recovering {
  /** Waits for the look that is under way. @throws what is a bug */
  end(): Promise<void>;
}

/** However busy the worker is: what it waits for may be a dead one's. One look at a time. @param elsewhere settles what they left on further servers */
export function startRecovering(
  database: Database,
  everyMs = EVERY_MS,
  elsewhere: () => Promise<unknown> = async () => undefined,
): Recovering {
  let looking: Promise<unknown> | undefined;
  const bugs: unknown[] = [];
  const look = (): void => {
    looking ??= recoverIfNeeded(database)
      .then(elsewhere)
      .catch((error: unknown) => void bugs.push(error))
      .finally(() => (looking = undefined));
  };
  const timer = setInterval(look, everyMs);
  return {
    end: async () => {
      clearInterval(timer);
      await looking;
      for (const bug of bugs) throw bug;
    },
  };
}
