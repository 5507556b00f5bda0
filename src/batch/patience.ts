// A server that is away for a moment: what may be sent again is sent again, after longer and longer pauses.
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../base/errors.ts';

/** @param pauses in milliseconds; after the last one it is tried once more */
export async function patiently<Result>(pauses: readonly number[], work: () => Promise<Result>): Promise<Result> {
  for (const ms of pauses) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Failure) || !['database-lost', 'database-unreachable'].includes(error.code)) throw error;
      await pause(ms);
    }
  }
  return work();
}
