// Drops a folder: first its state says so, then its tables in portions that fit the lock table, then schema, role and records.
import { setTimeout } from 'node:timers/promises';
import { Failure, Refusal } from '../base/errors.ts';
import type { Database, Session } from '../database/database.ts';
import { qualified, quoteIdentifier, sql } from '../database/sql.ts';
import { blockerFacts } from '../environment/blocker-facts.ts';
import type { Folder } from '../environment/folder.ts';
import { ancestorsOf } from '../environment/folder.ts';
import { lockWithAncestors } from '../environment/folder-locks.ts';
import { loginFailure } from '../environment/holders.ts';
import { dropRole } from '../environment/roles.ts';
import { lockFailure, readUsers } from '../environment/sessions.ts';
import { enterFolders } from '../journal/folder-entry.ts';

const TABLES_AT_ONCE = 200;

/** How long it waits for other sessions, all in all before anything is dropped, later for each portion. */
const LOCK_TIMEOUT_MS = 15_000;
const LOOK_AGAIN_MS = 250;

/**
 * May be repeated after a crash or a lock: it goes on where it stopped.
 * @throws Refusal `folder-is-supervisor`, `folder-has-children`, `run-active`; Failure `lock-timeout`, `login-held`
 */
export async function dropFolder(
  database: Database,
  folder: Folder,
  folders: readonly Folder[],
  lockTimeoutMs = LOCK_TIMEOUT_MS,
): Promise<void> {
  if (folder.parent === null) throw new Refusal('folder-is-supervisor', { folder: folder.code });
  const ancestors = ancestorsOf(folder.code, new Map(folders.map((each) => [each.code, each])));
  const inTime = <Result>(work: (session: Session) => Promise<Result>): Promise<Result> =>
    database
      .transaction(async (session) => {
        await session.script(`set local lock_timeout = ${Math.round(lockTimeoutMs)}`);
        return work(session);
      })
      .catch(async (error: unknown) => {
        throw await lockFailure(database, folder, error);
      });
  await inTime((session) => markDropping(session, folder, lockTimeoutMs));
  while (await inTime((session) => dropTables(session, folder.schema)));
  while (await inTime((session) => dropAside(session, folder.id)));
  await inTime(async (session) => {
    // As at creation: the role's rights on its ancestors' schemas go.
    await lockWithAncestors(session, [folder.code]);
    await session.script(`drop schema if exists ${quoteIdentifier(folder.schema)} cascade`);
    const { role, code } = folder;
    if (role !== null)
      await dropRole(
        session,
        role,
        folder,
        ancestors.map((ancestor) => ancestor.schema),
      ).catch(async (error: unknown) => {
        throw await loginFailure(database, { folder: code, role }, error);
      });
    // Of a folder that was locked.
    await session.query(sql`
      with login as (delete from rustine.shut_login where role_name = ${role})
      delete from rustine.folder where id = ${folder.id}`);
  });
}

/** Whoever makes a child holds the folder's row: it is there when we look, or finds the folder marked. */
async function markDropping(session: Session, folder: Folder, lockTimeoutMs: number): Promise<void> {
  await session.query(sql`select from rustine.folder where id = ${folder.id} for update`);
  const below = await session.query<{ code: string; history: boolean }>(
    sql`select code, history_of is not distinct from ${folder.id} as history from rustine.folder where parent = ${folder.id} or history_of = ${folder.id}
      union all select code, false from rustine.folder_elsewhere where parent = ${folder.code} order by code`,
  );
  const codes = (history: boolean): readonly string[] => below.flatMap((each) => (each.history === history ? [each.code] : []));
  if (below.length > 0)
    throw new Refusal('folder-has-children', { folder: folder.code, children: codes(false), histories: codes(true) });
  await enterFolders(session, [folder.code], [], true);
  await waitForUsers(session, folder, lockTimeoutMs);
  await session.query(sql`update rustine.folder set state = 'dropping' where id = ${folder.id}`);
}

/** Whoever works in the folder is found before it is half gone. @throws Failure `lock-timeout` */
async function waitForUsers(session: Session, folder: Folder, lockTimeoutMs: number): Promise<void> {
  const started = performance.now();
  for (;;) {
    const [first, ...others] = await readUsers(session, folder.schema);
    if (first === undefined) return;
    if (performance.now() - started >= lockTimeoutMs) {
      throw new Failure('lock-timeout', { folder: folder.code, table: first.table, ...blockerFacts([first, ...others]) });
    }
    await setTimeout(Math.min(LOOK_AGAIN_MS, lockTimeoutMs));
  }
}

/** Tables that were put aside go with their folder (R27): its role could not be dropped while it has rights on them. */
async function dropAside(session: Session, folder: number): Promise<boolean> {
  const tables = await session.query<{ name: string }>(sql`
      select c.relname as name from rustine.kept k join pg_class c on c.relname = k.relation
      where k.folder = ${folder} and c.relnamespace = 'rustine_kept'::regnamespace and c.relkind = 'r' order by k.id limit ${TABLES_AT_ONCE}`);
  if (tables.length === 0) return false;
  await session.script(`drop table ${tables.map((table) => qualified('rustine_kept', table.name)).join(', ')} cascade`);
  return true;
}

async function dropTables(session: Session, schema: string): Promise<boolean> {
  const tables = await session.query<{ name: string }>(sql`
      select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = ${schema} and c.relkind = 'r' order by c.relname limit ${TABLES_AT_ONCE}`);
  if (tables.length === 0) return false;
  await session.script(`drop table ${tables.map((table) => qualified(schema, table.name)).join(', ')} cascade`);
  return true;
}
