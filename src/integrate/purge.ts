// Removes entries of the kept store for good: their rows, and tables that were moved there.
import { Refusal } from '../base/errors.ts';
import type { Session } from '../database/database.ts';
import { serverError } from '../database/postgres.ts';
import { qualified, sql } from '../database/sql.ts';
import type { StoredEntry } from '../environment/kept.ts';
import { KEPT_SCHEMA } from '../environment/kept.ts';

const IN_USE = '2BP01';

/** @throws Refusal `kept-in-use` */
export async function purgeEntries(session: Session, entries: readonly StoredEntry[]): Promise<void> {
  const relations = entries.flatMap(({ relation }) => (relation === null ? [] : [qualified(KEPT_SCHEMA, relation)]));
  if (relations.length > 0)
    await session.script(`drop table if exists ${relations.join(', ')}`).catch((error: unknown) => {
      const said = serverError(error);
      throw said?.sqlstate === IN_USE ? new Refusal('kept-in-use', { reason: said.detail }, error) : error;
    });
  await session.query(sql`delete from rustine.kept where id = any(${entries.map((entry) => entry.id)}::bigint[])`);
}
