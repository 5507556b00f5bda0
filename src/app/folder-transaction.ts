// A transaction that changes one folder: it waits for the folder's lock, but not for ever, and says who holds it.
import type { Database, Ending, Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { lockFailure } from '../environment/sessions.ts';
import { enterFolders } from '../journal/folder-entry.ts';

const LOCK_TIMEOUT_MS = 15_000;

export interface FolderTransaction {
  readonly ending?: Ending;
  /** How long a statement waits for somebody else's lock, in milliseconds; absent: 15 seconds. */
  readonly lockTimeoutMs?: number;
  /** Further folders that it changes. */
  readonly also?: readonly string[];
  /** Folders whose descendants it changes too. */
  readonly below?: readonly string[];
}

/** @throws Refusal `run-active` in the middle of a run; Failure `lock-timeout` where somebody else holds the folder */
export async function changeInFolder<Result>(
  database: Database,
  folder: string,
  work: (session: Session) => Promise<Result>,
  { ending = 'commit', lockTimeoutMs = LOCK_TIMEOUT_MS, also = [], below = [] }: FolderTransaction = {},
): Promise<Result> {
  try {
    return await database.transaction(async (session) => {
      await session.query(sql`select set_config('lock_timeout', ${`${Math.round(lockTimeoutMs)}ms`}, true)`);
      await enterFolders(session, [folder, ...also], below);
      return work(session);
    }, ending);
  } catch (error) {
    throw await lockFailure(database, { code: folder, schema: folder.toLowerCase() }, error);
  }
}
