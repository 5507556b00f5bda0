// A worker's quiet duty: every few seconds it settles what dead programs left, so that nobody stays shut out until somebody runs the next command.
import type { Database } from '../database/database.ts';
import { recoverIfNeeded } from '../validate/recovery.ts';

const EVERY_MS = 10_000;

/** A source of work that never has any: asked as often as the others, it looks when its time has come. One look at a time. */
export function recovering(database: Database, everyMs = EVERY_MS): () => Promise<undefined> {
  let next = 0;
  return async () => {
    if (performance.now() < next) return undefined;
    next = Number.POSITIVE_INFINITY;
    await recoverIfNeeded(database).finally(() => {
      next = performance.now() + everyMs;
    });
    return undefined;
  };
}
