// Changes of the directory of folders on further servers: who has a folder at hand, and what its own server says of it.
import { Refusal } from '../base/errors.ts';
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Folder, FolderState } from './folder.ts';
import { lockWithAncestors } from './folder-locks.ts';
import { notReady } from './folder-state.ts';
import type { Server } from './servers.ts';

/** Who creates or drops a folder there: nobody else takes it up as long as that program lives. */
export interface Holder {
  /** Its lease. */
  readonly process: string;
  /** Leases of programs that are dead. */
  readonly dead: readonly string[];
}

/**
 * A code of an environment exists once, on whatever server. The locks are those of creation here: nobody else takes the code meanwhile, and the parent stays.
 * What a dead program left half created is taken up again.
 * @throws Refusal `folder-exists`, `folder-not-ready`, `folder-parent-unknown`, `server-unknown`
 */
export async function reserveFolder(
  session: Session,
  code: string,
  server: Server,
  parent: string,
  holder: Holder,
): Promise<void> {
  // The row also holds the server: it cannot be dropped before this is committed.
  const held = await session.query(sql`select from rustine.server where number = ${server.number} for key share`);
  if (held.length === 0) throw new Refusal('server-unknown', { server: server.name, known: [] });
  await lockParents(session, server, code, [parent]);
  const [taken] = await session.query<{ half: boolean }>(sql`
    select false as half from rustine.folder where code = ${code}
    union all select state = 'creating' and server = ${server.number} from rustine.folder_elsewhere where code = ${code}`);
  if (taken?.half === false) throw new Refusal('folder-exists', { folder: code });
  if (taken !== undefined) await claimFolder(session, code, holder);
  await session.query(sql`
    insert into rustine.folder_elsewhere (code, server, parent, state, process) values (${code}, ${server.number}, ${parent}, 'creating', ${holder.process})
    on conflict (code) do update set parent = excluded.parent, process = excluded.process`);
}

/**
 * Parents that live here stay until the end of the transaction: whoever drops one waits, and then finds the child.
 * @throws Refusal `folder-not-ready`, `folder-parent-unknown`
 */
export async function lockParents(session: Session, server: Server, folder: string, parents: readonly string[]): Promise<void> {
  // The supervisor folder's row is the lock of all changes of the tree.
  const [supervisor] = await session.query<{ code: string }>(sql`select code from rustine.folder where parent is null`);
  const locked = await lockWithAncestors(session, [...parents, ...(supervisor === undefined ? [] : [supervisor.code])]);
  const there = await session.query<{ code: string }>(
    sql`select code from rustine.folder_elsewhere where server = ${server.number}`,
  );
  for (const parent of parents) {
    const own = locked.find(({ code }) => code === parent);
    if (own !== undefined && own.state !== 'ready') throw notReady(parent, own.state);
    const known = [...locked, ...there].map(({ code }) => code);
    if (!known.includes(parent)) throw new Refusal('folder-parent-unknown', { folder, parent, known });
  }
}

/**
 * The folder is at hand: nobody else changes what is noted of it.
 * @param state what it is from now on; absent: as it was
 * @throws Refusal `folder-not-ready` while another program that lives creates or drops it
 */
export async function claimFolder(session: Session, code: string, holder: Holder, state?: FolderState): Promise<void> {
  const [row] = await session.query<{ state: string; held: boolean }>(sql`
    select state, exists (select from rustine.process p where p.id = e.process and p.id <> ${holder.process} and p.id <> all(${holder.dead}::text[])) as held
    from rustine.folder_elsewhere e where code = ${code} for update`);
  if (row?.held === true) throw new Refusal('folder-not-ready', { folder: code, state: row.state });
  await session.query(sql`
    update rustine.folder_elsewhere set process = ${holder.process}, state = coalesce(${state ?? null}, state) where code = ${code}`);
}

/**
 * Brings the directory in line with what the server says of its folders, one command after the other. What another program has at hand stays as that one noted
 * it, and what a dead one left half created stays until somebody creates or drops it.
 * @param read the server's own folders, mirrors left out; read while nobody else brings the directory in line
 * @param own codes that the caller has at hand
 */
export async function alignDirectory(
  session: Session,
  { number }: Server,
  read: () => Promise<readonly Folder[]>,
  own: readonly string[],
  dead: readonly string[],
): Promise<void> {
  await session.query(sql`select from rustine.server where number = ${number} for no key update`);
  const there = await read();
  const codes = there.map(({ code }) => code);
  await session.query(sql`
    delete from rustine.folder_elsewhere e where server = ${number} and code <> all(${codes}::text[])
      and (code = any(${own}::text[]) or (state = 'dropping' and not exists (select from rustine.process p where p.id = e.process and p.id <> all(${dead}::text[]))))`);
  await session.query(sql`
    insert into rustine.folder_elsewhere as e (code, server, parent, state)
    select t.code, ${number}, t.parent, t.state
    from unnest(${codes}::text[], ${there.map(({ parent }) => parent ?? '')}::text[], ${there.map(({ state }) => state)}::text[]) as t (code, parent, state)
    where not exists (select from rustine.folder f where f.code = t.code)
    on conflict (code) do update set parent = excluded.parent, state = excluded.state, process = null
      where e.server = ${number} and (e.code = any(${own}::text[]) or e.state = 'creating' or not exists (select from rustine.process p where p.id = e.process and p.id <> all(${dead}::text[])))`);
}
