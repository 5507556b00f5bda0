// Why a transaction could not be prepared: what its SQL scripts did that PostgreSQL lets no prepared transaction do, or no room on the server.
import { Failure } from '../base/errors.ts';
import type { Database } from '../database/database.ts';
import { serverError } from '../database/postgres.ts';
import { sql } from '../database/sql.ts';
import { readTransactionCapacity } from '../environment/transaction-capacity.ts';
import type { SqlRun } from '../plan/plan.ts';
import type { Running } from './folder-run.ts';
import type { Group } from './group-run.ts';

/** Temporary objects were used, LISTEN or NOTIFY, or locks of the session. */
const NOT_SUPPORTED = '0A000';
/** Prepared transactions, or the table of locks. */
const NO_ROOM = '53200';

/** @returns the failure that names the scripts, or what there is no room for; the error itself where it is another one */
export async function notPreparable({ database, staged }: Running, group: Group, error: Failure): Promise<Failure> {
  const said = serverError(error);
  if (said?.sqlstate === NO_ROOM) return noRoom(database, group, said.message, error);
  if (said?.sqlstate !== NOT_SUPPORTED) return error;
  const made = await Promise.allSettled([...staged.values()].flatMap(({ plans }) => [...plans.values()]));
  const runs = made.flatMap((plan) => (plan.status === 'fulfilled' ? plan.value.runs : []));
  if (runs.length === 0) return error;
  const suspects = await likely(runs, (digests) =>
    database.query<{ digest: string }>(sql`
    select encode(digest, 'hex') as digest from rustine.blob where encode(digest, 'hex') = any(${digests}::text[])
      and case when position('\\x00'::bytea in bytes) > 0 then false else rustine.source(bytes) ~* ${SUSPICIOUS} end`),
  ).catch(() => []);
  const scripts = [...new Set((suspects.length > 0 ? suspects : runs).map(({ name }) => name))].sort();
  const folders = group.parts.map(({ folder }) => folder.code);
  return new Failure('script-not-preparable', { scripts, folders, reason: said.message }, error);
}

/** There was when the run was planned: somebody else took it meanwhile. */
async function noRoom(database: Database, group: Group, reason: string, error: Failure): Promise<Failure> {
  const now = await readTransactionCapacity(database).catch(() => undefined);
  if (now === undefined) return error;
  const { maxPrepared, preparedNow, maxConnections, locksPerTransaction, locksNow } = now;
  const locks = locksPerTransaction * (maxConnections + maxPrepared);
  const folders = group.parts.map(({ folder }) => folder.code);
  return new Failure('prepare-no-room', { folders, reason, used: preparedNow, most: maxPrepared, locksNow, locks }, error);
}

const SUSPICIOUS = String.raw`\m(temp|temporary|pg_temp\w*|listen|unlisten|notify|pg_notify|pg_advisory_\w+)\M`;

async function likely(
  runs: readonly SqlRun[],
  read: (digests: readonly string[]) => Promise<readonly { readonly digest: string }[]>,
): Promise<readonly SqlRun[]> {
  const found = new Set((await read(runs.map(({ digest }) => digest))).map(({ digest }) => digest));
  return runs.filter(({ digest }) => found.has(digest));
}
