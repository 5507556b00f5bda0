// Watches the time of SQL scripts from outside: a script can catch the cancellation of its statement and go on, but not the end of its session.
import { Failure } from '../base/errors.ts';
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { SqlRun } from '../plan/plan.ts';
import { elementOf, MARK, scriptFailure } from './sql-scripts.ts';

/** After the limit: so long has a script that was cancelled to end by itself. */
const GRACE_MS = 1_000;
const TOLD = new RegExp(`^${MARK} (\\d+) (begin|end) ([0-9a-f-]{36})(?: (\\d+))?$`);

export interface Watched {
  readonly runs: readonly SqlRun[];
  /** Code of the folder. */
  readonly folder: string;
  /** Limit for each script. */
  readonly timeoutMs: number;
}

/**
 * Does the work, in which the runs tell when they begin and end; what goes wrong in one of them becomes a failure that names the script.
 * Nothing is asked of the server unless a script is too late.
 * @param work gets what takes the messages of the server
 */
export async function watched<Result>(
  database: Database,
  { runs, folder, timeoutMs }: Watched,
  work: (heard: (message: string) => void) => Promise<Result>,
): Promise<Result> {
  let begun = 0;
  let open: { readonly word: string; readonly timer: NodeJS.Timeout } | undefined;
  let overran: SqlRun | undefined;
  const heard = (message: string): void => {
    const [, number, what, word = '', process] = TOLD.exec(message) ?? [];
    // A script can print the same, but does not know the word; and while one runs, no other one begins.
    if (what === 'end' && open?.word === word) {
      clearTimeout(open.timer);
      open = undefined;
    } else if (what === 'begin' && open === undefined && Number(number) === begun + 1) {
      begun += 1;
      const timer = setTimeout(() => {
        overran = runs[begun - 1];
        // Where it cannot be ended, nobody is worse off than without a watch.
        database.query(sql`select pg_terminate_backend(${Number(process)}::integer)`).catch(() => undefined);
      }, timeoutMs + GRACE_MS);
      open = { word, timer };
    }
  };
  try {
    return await work(heard);
  } catch (error) {
    if (overran === undefined) throw scriptFailure(error, runs, folder, begun);
    const facts = { element: elementOf(overran), script: overran.name, folder, seconds: timeoutMs / 1_000 };
    throw new Failure('script-overran', facts, error);
  } finally {
    clearTimeout(open?.timer);
  }
}
