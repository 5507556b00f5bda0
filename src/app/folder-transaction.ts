// A transaction that changes one folder: it waits for the folder's lock, but not for ever, and says who holds it.
import type { Database, Ending, Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { lockFailure } from '../environment/sessions.ts';

const LOCK_TIMEOUT_MS = 15_000;

export interface FolderTransaction {
  readonly ending?: Ending;
  /** How long a statement waits for somebody else's lock, in milliseconds; absent: 15 seconds. */
  readonly lockTimeoutMs?: number;
}

/** @throws Failure `lock-timeout`, as while a patch is being integrated into the folder */
export async function changeInFolder<Result>(
  database: Database,
  folder: string,
  work: (session: Session) => Promise<Result>,
  { ending = 'commit', lockTimeoutMs = LOCK_TIMEOUT_MS }: FolderTransaction = {},
): Promise<Result> {
  try {
    return await database.transaction(async (session) => {
      await session.query(sql`select set_config('lock_timeout', ${`${Math.round(lockTimeoutMs)}ms`}, true)`);
      return work(session);
    }, ending);
  } catch (error) {
    throw await lockFailure(database, { code: folder, schema: folder.toLowerCase() }, error);
  }
}
