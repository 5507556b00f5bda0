// The transactions of a run that is all or none: their names, which of them wait, the decision about them, and how it is carried out.
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../base/errors.ts';
import type { Database, Session } from '../database/database.ts';
import { sqlState } from '../database/postgres.ts';
import { quoteLiteral, sql } from '../database/sql.ts';
import type { Reader } from '../environment/catalog.ts';
import { holderFacts, readHolder } from '../environment/holders.ts';

export type Decision = 'commit' | 'rollback';

const PREFIX = 'rustine:';
const IN_USE = '55000';
const INSUFFICIENT_PRIVILEGE = '42501';
/** Somebody else is ending the very transaction. */
const ATTEMPTS = 50;
const PAUSE_MS = 100;

/** Names are the server's, not the database's: the environment and the run make them ours, the number one of several. */
export const gidOf = (environment: string, run: string, number: number): string => `${PREFIX}${environment}:${run}:${number}`;

/** A worker that takes a run up numbers its transactions anew: what is late of an earlier one is never mistaken for its own. */
export const NUMBERS_OF_A_TURN = 100_000;

/** @returns undefined for a name that is not one of ours */
export function parseGid(
  gid: string,
): { readonly environment: string; readonly run: string; readonly number: number } | undefined {
  const [, environment, run, number] = /^rustine:([0-9a-f-]{36}):([0-9a-f-]{36}):(\d{1,9})$/.exec(gid) ?? [];
  if (environment === undefined || run === undefined) return undefined;
  return { environment, run, number: Number(number) };
}

export async function readEnvironmentId(reader: Reader): Promise<string> {
  const [row] = await reader.query<{ id: string }>(sql`select id from rustine.environment`);
  return row?.id ?? '';
}

/** A transaction that a run is going to prepare, and whose work it is. */
export interface Announced {
  readonly gid: string;
  readonly folders: readonly string[];
}

export interface AnnounceOptions {
  /** Numbers of the further servers that prepare something too. */
  readonly servers?: readonly number[];
  /** Lease of the program that works on the run here. */
  readonly process?: string | null;
  /** Lease of the program on the environment's own server that decides; null: it is decided here. */
  readonly decidedBy?: string | null;
}

/** Written and committed before the first one is prepared, on whatever server: none is ever forgotten. */
export async function announce(
  database: Database,
  run: string,
  transactions: readonly Announced[],
  { servers = [], process = null, decidedBy = null }: AnnounceOptions = {},
): Promise<void> {
  if (transactions.length === 0 && servers.length === 0) return;
  await database.query(sql`
    with run as (update rustine.run set atomic = true, decided_by = ${decidedBy} where id = ${run}),
      participants as (
        insert into rustine.participant (run, server, decided_by) select ${run}, unnest(${servers}::integer[]), coalesce(${process}::text, '')
        on conflict (run, server) do update set decided_by = excluded.decided_by)
    insert into rustine.prepared (gid, run, folders)
    select p.gid, ${run}, array(select jsonb_array_elements_text(p.folders))
    from jsonb_to_recordset(${JSON.stringify(transactions)}::jsonb) as p (gid text, folders jsonb)`);
}

/** Names of a run's transactions that wait for their end now, in this database. @param turn up to which they are meant; absent: all */
export async function waitingOf(database: Database, run: string, turn?: number): Promise<readonly string[]> {
  const below = turn === undefined ? null : (turn + 1) * NUMBERS_OF_A_TURN;
  const rows = await database.query<{ gid: string }>(sql`
    select gid from pg_prepared_xacts where database = current_database() and starts_with(gid, ${PREFIX}) and split_part(gid, ':', 3) = ${run}
      and (${below}::bigint is null or split_part(gid, ':', 4)::bigint < ${below})
    order by split_part(gid, ':', 4)::integer`);
  return rows.map(({ gid }) => gid);
}

/**
 * Decides, once and for all: whoever comes first. What was decided is durable before anything is done about it.
 * @param process whose the run must be still
 * @returns the decision that stands; undefined where another worker has taken the run up, or nobody knows it
 */
export async function decide(
  database: Database,
  run: string,
  wanted: Decision,
  process: string | null,
): Promise<Decision | undefined> {
  return database.transaction(async (session) => {
    await session.script('set local synchronous_commit = on');
    const [row] = await session.query<{ decision: Decision }>(
      sql`update rustine.run set decision = coalesce(decision, ${wanted}) where id = ${run} and process is not distinct from ${process} returning decision`,
    );
    return row?.decision;
  });
}

/**
 * Carries the decision out for one transaction.
 * @returns whether it was still there
 * @throws Failure `prepared-unsettled` where it is another user's, or somebody is ending it all the time
 */
export async function finish(database: Database, gid: string, decision: Decision): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.finishPrepared(gid, decision);
    } catch (error) {
      const state = sqlState(error);
      if (state !== IN_USE && state !== INSUFFICIENT_PRIVILEGE) throw error;
      if (state === INSUFFICIENT_PRIVILEGE || attempt === ATTEMPTS) throw await unsettled(database, decision, gid);
      await sleep(PAUSE_MS);
    }
  }
}

/** Who may end it: the user who prepared it, or a superuser. */
async function unsettled(database: Database, decision: Decision, gid: string): Promise<Failure> {
  const [owned] = await database.query<{ user: string; since: string }>(sql`
    select owner::text as user, to_char(prepared at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as since from pg_prepared_xacts where gid = ${gid}`);
  const { user = '', since = '' } = owned ?? {};
  const run = parseGid(gid)?.run ?? '';
  const holder = holderFacts({ pid: null, user, application: '', since, gid });
  return new Failure('prepared-unsettled', { run, decision, ...holder, command: `${decision} prepared ${quoteLiteral(gid)}` });
}

const LOCK_NOT_AVAILABLE = '55P03';
const PATIENCE_MS = 20_000;
/** Each waits for the disk. */
const AT_ONCE = 4;

/**
 * Carries the decision out for all transactions of a run, also for one that is being prepared at this moment, by a process that was believed to
 * be dead or by the server for a client that is gone: each holds a lock on the run's row until it has ended. Forgets their names then.
 * @returns how many were there
 * @throws Failure `prepared-unsettled` where one does not end
 */
export async function finishAll(
  database: Database,
  run: string,
  decision: Decision,
  options: {
    /** Up to which they are meant, where the run was taken up several times. */
    readonly turn?: number;
    /** Called after each. */
    readonly finished?: () => void;
    /** How long those that do not end are waited for. */
    readonly patienceMs?: number;
    /** In the transaction that forgets them: no other one of the run is open then, and none can begin. */
    readonly settled?: (session: Session) => Promise<void>;
  } = {},
): Promise<number> {
  let count = 0;
  // The others are ended all the same.
  let left: Failure | undefined;
  for (const started = performance.now(); ; ) {
    const waiting = [...(await waitingOf(database, run, options.turn))];
    const work = async (): Promise<void> => {
      for (let gid = waiting.shift(); gid !== undefined; gid = waiting.shift()) {
        try {
          const there = await finish(database, gid, decision);
          count += there ? 1 : 0;
        } catch (error) {
          if (!(error instanceof Failure) || error.code !== 'prepared-unsettled') throw error;
          left ??= error;
        }
        options.finished?.();
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, work));
    if (left !== undefined) throw left;
    if (await forget(database, run, options.settled)) return count;
    if (performance.now() - started > (options.patienceMs ?? PATIENCE_MS)) {
      const holder = await readHolder(database, (session) =>
        session.query(sql`select from rustine.run where id = ${run} for update`),
      );
      throw new Failure('prepared-unsettled', { run, decision, ...holder });
    }
  }
}

/** @returns false where a transaction of the run has not ended */
async function forget(
  database: Database,
  run: string,
  settled: ((session: Session) => Promise<void>) | undefined,
): Promise<boolean> {
  try {
    await database.transaction(async (session) => {
      await session.script(`set local lock_timeout = ${PAUSE_MS}`);
      // A folder's transaction holds the row `for key share`: nothing weaker than this waits for it.
      await session.query(sql`select from rustine.run where id = ${run} for update`);
      await session.query(sql`delete from rustine.prepared where run = ${run}`);
      await settled?.(session);
    });
    return true;
  } catch (error) {
    if (sqlState(error) === LOCK_NOT_AVAILABLE) return false;
    throw error;
  }
}
