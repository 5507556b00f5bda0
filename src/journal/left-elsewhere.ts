// Further servers on which a run has a part, as rows on the environment's own: what is left there when its program dies, somebody has to go and settle.
import type { Database, Session } from '../database/database.ts';
import { sqlState } from '../database/postgres.ts';
import { sql } from '../database/sql.ts';
import type { Server } from '../environment/servers.ts';
import { deadProcesses } from './processes.ts';

/** Something may be left of these runs. */
export interface LeftThere {
  readonly server: Server;
  readonly runs: readonly string[];
}

/** How long nobody else goes to a server after somebody did: one that does not answer must not keep every command. */
const AGAIN_SECONDS = 30;
const UNDEFINED_TABLE = '42P01';

/** Before anything is done there. @param process lease of the run's program */
export async function notePart(database: Database, run: string, server: Server, process: string): Promise<void> {
  await database.query(sql`
    insert into rustine.left_elsewhere (run, server, process) values (${run}, ${server.number}, ${process})
    on conflict (run, server) do update set process = excluded.process, tried_at = null`);
}

/** Nothing is left of these runs there. */
export async function forgetParts(database: Database, server: Server, runs: readonly string[]): Promise<void> {
  await database.query(sql`delete from rustine.left_elsewhere where server = ${server.number} and run = any(${runs}::text[])`);
}

/** The run's part there ended in an error: whoever comes next goes there, also while its program lives. */
export async function leavePart(database: Database, run: string, server: Server): Promise<void> {
  await database.query(sql`update rustine.left_elsewhere set process = '' where run = ${run} and server = ${server.number}`);
}

/** Where dead programs may have left something; one small statement where there is nothing. Whoever asks goes there: others do not for a while. */
export async function takeLeft(database: Database): Promise<readonly LeftThere[]> {
  const noted = await database
    .query<{ there: boolean }>(sql`select exists (select from rustine.left_elsewhere) as there`)
    .catch((error: unknown) => {
      // A catalog of an earlier version, or none.
      if (sqlState(error) === UNDEFINED_TABLE) return [];
      throw error;
    });
  if (noted[0]?.there !== true) return [];
  const dead = (await deadProcesses(database)).map(({ id }) => id);
  const rows = await database.query<Server & { readonly run: string }>(sql`
    update rustine.left_elsewhere l set tried_at = clock_timestamp() from rustine.server s
    where s.number = l.server and (l.tried_at is null or l.tried_at < clock_timestamp() - ${AGAIN_SECONDS} * interval '1 second')
      and not exists (select from rustine.process p where p.id = l.process and p.id <> all(${dead}::text[]))
    returning l.run, s.number, s.name, s.url`);
  return [...Map.groupBy(rows, ({ number }) => number).values()].flatMap((some) =>
    some.slice(0, 1).map(({ number, name, url }) => ({ server: { number, name, url }, runs: some.map(({ run }) => run) })),
  );
}

/** Runs of dead programs that may have left something on the server. */
export async function leftOn(database: Database, server: Server): Promise<readonly string[]> {
  const dead = (await deadProcesses(database)).map(({ id }) => id);
  const rows = await database.query<{ run: string }>(sql`
    select l.run from rustine.left_elsewhere l where l.server = ${server.number}
      and not exists (select from rustine.process p where p.id = l.process and p.id <> all(${dead}::text[]))`);
  return rows.map(({ run }) => run);
}

/** Runs by the number of the server: something may be left of them there, or what was decided about them is still to be carried out there. */
export async function unsettledRuns(reader: Pick<Session, 'query'>): Promise<ReadonlyMap<number, readonly string[]>> {
  const rows = await reader.query<{ server: number; runs: readonly string[] }>(sql`
    select server, array_agg(run order by run) as runs
    from (select server, run from rustine.left_elsewhere union select server, run from rustine.participant) as noted group by server`);
  return new Map(rows.map(({ server, runs }) => [server, runs]));
}

/** Of these runs, those that are settled where they were: not at work any more, with nobody shut out. @param member the server's own database */
export async function settledThere(member: Database, runs: readonly string[]): Promise<readonly string[]> {
  const rows = await member.query<{ run: string }>(sql`
    select r.run from unnest(${runs}::text[]) as r (run)
    where not exists (select from rustine.run where id = r.run and state = 'running')
      and not exists (select from rustine.shut_by_run where run = r.run) and not exists (select from rustine.prepared where run = r.run)`);
  return rows.map(({ run }) => run);
}
