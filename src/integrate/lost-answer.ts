// Whether a patch is in a folder although nobody heard so: the connection was lost, or given up, while its transaction was to be committed.
import { Failure } from '../base/errors.ts';
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Folder } from '../environment/folder.ts';
import { readBody } from '../environment/inheritance.ts';
import type { PatchOutcome } from '../journal/outcome.ts';
import type { OutsideRun } from '../plan/plan.ts';
import type { Integration, RunContext } from './integrator.ts';

/** The server ends what it was told to end as soon as it notices; a statement in the middle goes on for a second or two. */
const WAIT = '5s';

/** @returns what came of it; undefined: nothing did, or nobody can say */
export async function readLostAnswer(
  database: Database,
  folder: Folder,
  file: string,
  { run, ending, aborted }: Pick<RunContext, 'run' | 'ending' | 'aborted'>,
  error: unknown,
): Promise<Integration | undefined> {
  const unheard = aborted?.aborted === true || (error instanceof Failure && error.code === 'database-lost');
  if (!unheard || ending === 'rollback') return undefined;
  try {
    return await database.transaction(async (session) => {
      await session.script(`set local lock_timeout = '${WAIT}'`);
      // The folder's transaction has its row until it has ended; a statement of its own, to see what that one left.
      const [row] = await session.query<{ due: boolean }>(
        sql`select cardinality(due) > 0 as due from rustine.folder where id = ${folder.id} for share`,
      );
      const [found] = await session.query<{ outcome: PatchOutcome }>(
        sql`select outcome from rustine.integration where folder = ${folder.id} and run = ${run} and file = ${file} order by id desc limit 1`,
      );
      if (found === undefined) return undefined;
      const pending: OutsideRun[] = [];
      for (const name of found.outcome.pending)
        pending.push({ name, language: (await readBody(session, folder, name))?.language ?? '' });
      return { outcome: found.outcome, findings: [], due: row?.due === true, pending };
    });
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    return undefined;
  }
}
