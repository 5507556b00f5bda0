// Locks rows of folders for changes of the tree and of what follows from it, in the one order that everybody takes them in.
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';

export interface LockedFolder {
  readonly code: string;
  readonly state: string;
}

/**
 * The folders with all their ancestors. Rights on a schema are one row of the server's catalog, and whoever changes it while somebody else
 * does, a script's run included, would fail: so whoever changes rights on the schemas of a chain holds the rows of the chain. Children come
 * first and the supervisor folder last, as where decisions lock folders: two who wait for each other cannot be.
 * @param below codes of folders whose descendants are locked too
 */
export async function lockWithAncestors(
  session: Session,
  codes: readonly string[],
  below: readonly string[] = [],
): Promise<readonly LockedFolder[]> {
  // The second time finds what the tree became while the first one waited; nothing moves while the supervisor folder's row is held.
  await lockOnce(session, codes, below);
  return lockOnce(session, codes, below);
}

function lockOnce(session: Session, codes: readonly string[], below: readonly string[]): Promise<readonly LockedFolder[]> {
  return session.query<LockedFolder>(sql`
    with recursive up (id, parent) as (
      select id, parent from rustine.folder where code = any(${codes}::text[])
      union select f.id, f.parent from rustine.folder f join up on f.id = up.parent),
    down (id) as (
      select id from rustine.folder where code = any(${below}::text[])
      union select f.id from rustine.folder f join down on f.parent = down.id)
    select code, state from rustine.folder where id in (select id from up union all select id from down)
    order by parent is null, id desc for no key update`);
}
