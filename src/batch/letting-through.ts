// Lets the users of folders that are through in again: all folders of a second by one statement.
import { setTimeout as setTimer } from 'node:timers';
import type { Database } from '../database/database.ts';
import { letIn, type Shut } from '../environment/logins.ts';

export interface LettingThrough {
  /** Its users come in soon. Neither waits nor fails: what is left is let in at the end of the run. */
  through(folder: string): void;
  /** Those that wait come in now. */
  now(): Promise<void>;
  /** Nobody comes in any more by this way; what is under way is waited for. */
  end(): Promise<void>;
}

/** How long a folder's users wait at the most. */
const LET_IN_EVERY_MS = 1_000;

export function lettingThrough(database: Database, ours: Exclude<Shut, 'over'>): LettingThrough {
  const waiting: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let letting: Promise<unknown> = Promise.resolve();
  let ended = false;
  const now = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const folders = waiting.splice(0);
    if (folders.length > 0) letting = letting.then(() => letIn(database, { ...ours, folders })).catch(() => undefined);
    await letting;
  };
  return {
    through: (folder) => {
      waiting.push(folder);
      if (!ended) timer ??= setTimer(() => void now(), LET_IN_EVERY_MS);
    },
    now,
    end: async () => {
      ended = true;
      clearTimeout(timer);
      await letting;
    },
  };
}
