// Login roles and rights of folders (R3): a role uses its own schema, reaches its ancestors' functions, and nothing else.
import { applicationOf } from '../database/application-name.ts';
import type { Session } from '../database/database.ts';
import { id, quoteIdentifier, quoteLiteral, sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';
import type { Folder } from './folder.ts';

/** Whether the connected user may create roles. */
export async function mayCreateRoles(session: Session): Promise<{ readonly allowed: boolean; readonly user: string }> {
  const [row] = await session.query<{ allowed: boolean; user: string }>(sql`
    select rolsuper or rolcreaterole as allowed, rolname as user from pg_roles where rolname = current_user`);
  return { allowed: row?.allowed ?? false, user: row?.user ?? '' };
}

/** Roles belong to the whole server, so their names begin with the database's. */
export async function roleName(reader: Reader, folder: string): Promise<string> {
  return `${(await databaseName(reader)).slice(0, 50)}_${folder.toLowerCase()}`;
}

export async function roleExists(reader: Reader, role: string): Promise<boolean> {
  const [row] = await reader.query<{ there: boolean }>(
    sql`select exists (select from pg_roles where rolname = ${role}) as there`,
  );
  return row?.there === true;
}

/** Says whose a role is: a copy of the database names the roles of its original. */
const mark = (database: string, schema: string): string => `Rustine: schema ${schema} of database ${database}`;

/**
 * Creates the role and its rights. Tables made later get theirs through default privileges.
 * @param ancestors schemas from the parent up: usage only, which reaches their functions and no table
 */
export async function createRole(
  session: Session,
  role: string,
  { schema }: Pick<Folder, 'schema'>,
  ancestors: readonly string[],
): Promise<void> {
  const name = quoteIdentifier(role);
  const own = quoteIdentifier(schema);
  const database = await databaseName(session);
  await session.script(`create role ${name} login nosuperuser nocreatedb nocreaterole noinherit;
    comment on role ${name} is ${quoteLiteral(mark(database, schema))};
    alter role ${name} in database ${quoteIdentifier(database)} set search_path = ${[schema, ...ancestors].map(quoteIdentifier).join(', ')};
    grant usage on schema ${own} to ${name};
    alter default privileges in schema ${own} grant select, insert, update, delete on tables to ${name};
    alter default privileges in schema ${own} grant usage, select on sequences to ${name};
    ${ancestors.map((ancestor) => `grant usage on schema ${quoteIdentifier(ancestor)} to ${name};`).join('\n')}`);
}

async function databaseName(reader: Reader): Promise<string> {
  const [row] = await reader.query<{ name: string }>(sql`select current_database() as name`);
  return row?.name ?? '';
}

/** The folder's own record of its patches is not its to change. */
export async function protectRecord(session: Session, role: string, schema: string): Promise<void> {
  await session.query(sql`revoke insert, update, delete on ${id(schema, 'apatch')} from ${id(role)}`);
}

/**
 * Once its own schema is gone: what the role has left (the way into its ancestors' schemas, and whatever scripts made elsewhere, as large objects
 * or default privileges) goes with it. One that we did not make stays, without rights on these folders.
 */
export async function dropRole(
  session: Session,
  role: string,
  { schema: own }: Pick<Folder, 'schema'>,
  ancestors: readonly string[],
): Promise<void> {
  const [found] = await session.query<{ mark: string | null; database: string }>(sql`
    select shobj_description(oid, 'pg_authid') as mark, current_database() as database from pg_roles where rolname = ${role}`);
  if (found === undefined) return;
  await lockLogins(session);
  const name = quoteIdentifier(role);
  if (found.mark === mark(found.database, own))
    await session.script(`${unlessSuperuser(`grant ${name} to current_user`)}; drop owned by ${name}; drop role ${name}`);
  else await session.script(ancestors.map((schema) => `revoke all on schema ${quoteIdentifier(schema)} from ${name}`).join('; '));
}

/** Only members of a role may give things to it or drop what it has; a superuser counts as one. */
export function unlessSuperuser(statement: string): string {
  const block = `begin if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then ${statement}; end if; end`;
  return `do ${quoteLiteral(block)}`;
}

/** One number for the transaction-scoped lock of whoever changes a login: PostgreSQL refuses the second of two who change the same one at once. */
const LOGIN_LOCK = 7_083_121;

/** Longest wait for a login that somebody else is changing; an administrator may be, in a transaction that he forgot. */
const LOGIN_WAIT = '5s';

/** Until the end of the transaction, which should be near. Whoever has no limit for locks gets one: nobody is held up for long by whom we wait for. @param lease under which it is done */
export async function lockLogins(session: Session, wait = LOGIN_WAIT, lease?: string): Promise<void> {
  const application = lease === undefined ? null : applicationOf(lease);
  await session.query(sql`
    select set_config('lock_timeout', case current_setting('lock_timeout') when '0' then ${wait} else current_setting('lock_timeout') end, true),
      set_config('application_name', coalesce(${application}::text, current_setting('application_name')), true), pg_advisory_xact_lock(${LOGIN_LOCK})`);
}

/** A login as the server knows it. */
export interface Login {
  readonly role: string;
  /** How many connections it may have; -1: any number. */
  readonly limit: number;
  readonly superuser: boolean;
  /** Whether it was made for this schema of this database. */
  readonly ours: boolean;
  /** Whether the connected user may change it. */
  readonly changeable: boolean;
}

/** Those of the roles that there are. */
export async function readLogins(
  reader: Reader,
  roles: readonly { readonly role: string; readonly schema: string }[],
): Promise<readonly Login[]> {
  const rows = await reader.query<Omit<Login, 'ours'> & { readonly mark: string | null; readonly database: string }>(sql`
    select r.rolname as role, r.rolconnlimit as limit, r.rolsuper as superuser, shobj_description(r.oid, 'pg_authid') as mark, current_database() as database,
      u.rolsuper or (u.rolcreaterole and not r.rolsuper
        and (current_setting('server_version_num')::integer < 160000 or pg_has_role(current_user, r.oid, 'MEMBER WITH ADMIN OPTION'))) as changeable
    from pg_roles r, pg_roles u where r.rolname = any(${roles.map(({ role }) => role)}::text[]) and u.rolname = current_user order by r.rolname`);
  return rows.map(({ mark: made, database, ...login }) => {
    const schema = roles.find(({ role }) => role === login.role)?.schema ?? '';
    return { ...login, ours: made === mark(database, schema) };
  });
}

/** A new password for the folder's login; the text never reaches a log. */
export async function setPassword(session: Session, role: string, password: string): Promise<void> {
  await lockLogins(session);
  await session.script(`alter role ${quoteIdentifier(role)} password ${quoteLiteral(password)}`);
}

/**
 * The folder, or one that it inherits from, has another parent: the role loses the way into the schemas of those that are its ancestors no longer, and looks up
 * scripts along the new chain (R4).
 * @param before schemas from the parent up, as they were
 * @param after as they are now
 */
export async function moveRole(
  session: Session,
  role: string,
  { schema }: Pick<Folder, 'schema'>,
  before: readonly string[],
  after: readonly string[],
): Promise<void> {
  const name = quoteIdentifier(role);
  const list = (schemas: readonly string[]): string => schemas.map(quoteIdentifier).join(', ');
  const gone = before.filter((each) => !after.includes(each));
  const come = after.filter((each) => !before.includes(each));
  const database = quoteIdentifier(await databaseName(session));
  const statements = [
    ...(gone.length === 0 ? [] : [`revoke usage on schema ${list(gone)} from ${name}`]),
    ...(come.length === 0 ? [] : [`grant usage on schema ${list(come)} to ${name}`]),
    `alter role ${name} in database ${database} set search_path = ${list([schema, ...after])}`,
  ];
  await session.script(statements.join(';\n'));
}
