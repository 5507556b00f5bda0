// The logins of folders: shut while a run is at work (R12), and let in again as they were, by whoever comes once that run is over.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Session } from '../database/database.ts';
import { quoteIdentifier, sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';
import type { Folder } from './folder.ts';
import { readLoginHolder } from './holders.ts';
import type { Login } from './roles.ts';
import { lockLogins, readLogins } from './roles.ts';

/** Why a login cannot be shut: the role is another database's, it is a superuser's, or the connected user may not change it. */
export type NotShut = 'other-database' | 'superuser' | 'rights';

export interface OpenLogin {
  readonly folder: string;
  readonly reason: NotShut;
}

/**
 * From the commit on nobody new comes in with these logins; whoever is in stays. What is changed is the limit of connections: an administrator who
 * shuts a login takes LOGIN away from it, so neither undoes what the other did, and whoever takes the role on within a session (as our own
 * scripts do) does not notice.
 * @param lease under which it is done
 * @returns logins that stay open
 * @throws Failure `run-lost` where the run was settled meanwhile: nobody would let the logins in again; that of the lock where somebody is changing one
 */
export async function shutLogins(
  session: Session,
  run: string,
  folders: readonly Folder[],
  lease: string,
): Promise<readonly OpenLogin[]> {
  await lockLogins(session, SHUT_WAIT, lease);
  // Who settles a run takes its row: he waits for us and then finds what we wrote, or we find what he did.
  const living = await session.query(sql`select from rustine.run where id = ${run} and state = 'running' for key share`);
  if (living.length === 0) throw new Failure('run-lost', { run });
  const given = folders.flatMap(({ code, schema, role }) => (role === null ? [] : [{ folder: code, schema, role }]));
  const found = (await readLogins(session, given)).map((login) => ({
    ...login,
    folder: given.find(({ role }) => role === login.role)?.folder ?? '',
  }));
  const shut = found.filter((login) => notShut(login) === undefined);
  // A row that is there is of a run that died: the limit that it names is the one of before.
  await session.query(sql`
    insert into rustine.shut_login (role_name, folder, run, was_limit)
    select role, folder, ${run}, was from unnest(${shut.map((l) => l.role)}::text[], ${shut.map((l) => l.folder)}::text[], ${shut.map((l) => l.limit)}::integer[]) as l (role, folder, was)
    on conflict (role_name) do update set run = excluded.run, folder = excluded.folder, shut_at = now()`);
  await limit(
    session,
    shut.filter((login) => login.limit !== SHUT).map(({ role }) => ({ role, connections: SHUT })),
  );
  return found.flatMap((login) => {
    const reason = notShut(login);
    return reason === undefined ? [] : [{ folder: login.folder, reason }];
  });
}

const SHUT = 0;
/** Of an attempt: who waits for one login holds up all who change another. */
const SHUT_WAIT = '1s';

/** A copy of the database has the roles of its original: whoever works in the copy must not shut out those who work in the original. */
function notShut({ ours, superuser, changeable }: Login): NotShut | undefined {
  if (!ours) return 'other-database';
  if (superuser) return 'superuser';
  return changeable ? undefined : 'rights';
}

async function limit(session: Session, roles: readonly { readonly role: string; readonly connections: number }[]): Promise<void> {
  if (roles.length === 0) return;
  await session.script(
    roles.map(({ role, connections }) => `alter role ${quoteIdentifier(role)} connection limit ${connections}`).join(';\n'),
  );
}

/** The run that shut a login, and since when; undefined: none has. */
export async function shutBy(
  reader: Reader,
  role: string,
): Promise<{ readonly run: string; readonly since: string } | undefined> {
  const [row] = await reader.query<{ run: string; since: string }>(
    sql`select run, to_char(shut_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as since from rustine.shut_login where role_name = ${role}`,
  );
  return row;
}

/** Those that these runs keep out. */
export async function countShutLogins(reader: Reader, runs: readonly string[]): Promise<number> {
  const [row] = await reader.query<{ count: number }>(
    sql`select count(*)::integer as count from rustine.shut_login where run = any(${runs}::text[])`,
  );
  return row?.count ?? 0;
}

/** Which logins are let in again: those of a run (of some of its folders), or those of all runs that are over. */
export type Shut =
  | {
      readonly run: string;
      readonly folders?: readonly string[];
      /** Lease that must have the run, or must have had it last, or sees to its beginning: another worker's users stay out. */
      readonly process?: string;
    }
  | 'over';

export interface LetIn {
  /** Folders whose logins are as they were before. */
  readonly folders: readonly string[];
  /** `login-left-shut` for those that the connected user may not change, `login-locked` for those that somebody is changing. */
  readonly left: readonly Finding[];
}

/** May be repeated. A limit that somebody set meanwhile stays, and one that was 0 before is 0 again. */
export async function letIn(reader: Reader, which: Shut): Promise<LetIn> {
  const [run, folders, process] =
    which === 'over' ? [null, null, null] : [which.run, which.folders ?? null, which.process ?? null];
  const rows = await reader.query<{ folder: string; role: string; left: string | null }>(sql`
    select l.folder, l.role_name as role, l.reason as left
    from (select where ${process}::text is null or exists (select from rustine.run r where r.id = ${run} and (r.process = ${process}
        or r.process is null and r.ready_at is null and exists (select from rustine.task t where t.run = r.id and t.state = 'active' and t.process = ${process})))) as ours
      cross join lateral rustine.let_in(${run}, ${folders}) as l`);
  const locked = rows.some(({ left }) => left === 'locked') ? await readLoginHolder(reader) : {};
  return {
    folders: rows.flatMap(({ folder, left }) => (left === null ? [folder] : [])),
    left: rows.flatMap(({ folder, role, left }): readonly Finding[] => {
      if (left === null) return [];
      if (left === 'rights') return [{ code: 'login-left-shut', severity: 'warn', folder, facts: {} }];
      return [{ code: 'login-locked', severity: 'warn', folder, facts: { role, ...locked } }];
    }),
  };
}
