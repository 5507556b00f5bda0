// Whether the server has room for the locks that a folder's transaction needs: a lock for each relation that it touches.
import { Failure } from '../base/errors.ts';
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { FolderSettings } from '../plan/plan.ts';

/** So many are there on any server. */
const FEW = 1_000;

/** Checked before, not found out in the middle. Where several folders share the transaction, what it holds of the others counts too. */
export async function checkLocks(
  session: Session,
  { code, schema }: Pick<FolderSettings, 'code' | 'schema'>,
  needed: number,
): Promise<void> {
  if (needed < FEW) return;
  const [row] = await session.query<{ available: number; per: string; held: number }>(sql`
    select current_setting('max_locks_per_transaction')::integer * (current_setting('max_connections')::integer + current_setting('max_prepared_transactions')::integer) as available,
      current_setting('max_locks_per_transaction') as per,
      (select count(distinct l.relation)::integer from pg_locks l join pg_class c on c.oid = l.relation join rustine.folder f on c.relnamespace = to_regnamespace(quote_ident(f.schema_name))
        where l.pid = pg_backend_pid() and f.schema_name <> ${schema}) as held`);
  if (row === undefined || needed + row.held <= row.available) return;
  throw new Failure('lock-capacity', {
    folder: code,
    needed: needed + row.held,
    available: row.available,
    setting: `max_locks_per_transaction = ${row.per}`,
  });
}
