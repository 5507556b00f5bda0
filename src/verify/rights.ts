// Rights of the folders' logins against those that Rustine gives (R3): one look at the server's catalog for all folders.
import type { Database } from '../database/database.ts';
import { quoteIdentifier, sql } from '../database/sql.ts';
import type { Folder } from '../environment/folder.ts';
import { readLogins as loginsOfServer } from '../environment/roles.ts';
import type { Difference } from './difference.ts';
import { MOST_LISTED, ROLE, warn } from './difference.ts';

interface RightRow {
  readonly folder: number;
  readonly problem: 'added' | 'missing';
  /** Who has it: the login, or everybody. */
  readonly everybody: boolean;
  readonly kind: 'schema' | 'table' | 'sequence';
  readonly object: string;
  readonly rights: readonly string[];
}

interface LoginRow {
  readonly folder: number;
  readonly there: boolean;
  readonly attributes: readonly string[];
  readonly members: readonly string[];
  /** Where its names are looked up (R4), as it is set and as it should be; absent: the same. */
  readonly path?: { readonly found: string; readonly expected: string };
  readonly database: string;
}

/** @returns by number of the folder */
export async function verifyRights(
  database: Database,
  folders: readonly Folder[],
): Promise<ReadonlyMap<number, readonly Difference[]>> {
  const withLogin = folders.filter(({ role }) => role !== null);
  const found = new Map<number, Difference[]>();
  if (withLogin.length === 0) return found;
  const note = (folder: number, difference: Difference): void => {
    found.set(folder, [...(found.get(folder) ?? []), difference]);
  };
  const logins = await readLogins(database, withLogin);
  for (const login of logins) for (const difference of loginDifferences(login)) note(login.folder, difference);
  const there = new Set(logins.filter((login) => login.there).map(({ folder }) => folder));
  const rights = await readRights(database, withLogin);
  for (const [, rows] of Map.groupBy(rights, ({ folder, problem, everybody, kind, rights: each }) =>
    JSON.stringify([folder, problem, everybody, kind, each]),
  )) {
    const [first] = rows;
    if (first !== undefined && there.has(first.folder))
      note(
        first.folder,
        rightDifference(
          first,
          rows.map(({ object }) => object),
        ),
      );
  }
  return found;
}

function loginDifferences({ there, attributes, members, path, database }: LoginRow): readonly Difference[] {
  if (!there) return [warn('login-missing', ROLE, {}, { by: 'backup' })];
  const without = attributes.map((attribute) => (attribute === 'nologin' ? 'login' : `no${attribute}`)).join(' ');
  return [
    ...(attributes.length === 0
      ? []
      : [warn('login-attributes', ROLE, { attributes }, { by: 'sql', statement: `alter role ${ROLE} ${without}` })]),
    ...(members.length === 0
      ? []
      : [warn('login-member', ROLE, { roles: members }, { by: 'sql', statement: `revoke ${members.join(', ')} from ${ROLE}` })]),
    ...(path === undefined
      ? []
      : [
          warn('login-search-path', ROLE, path, {
            by: 'sql',
            statement: `alter role ${ROLE} in database ${quoteIdentifier(database)} set search_path = ${path.expected}`,
          }),
        ]),
  ];
}

function rightDifference({ problem, everybody, kind, rights }: RightRow, objects: readonly string[]): Difference {
  const whom = everybody ? 'public' : ROLE;
  const [verb, to] = problem === 'added' ? ['revoke', 'from'] : ['grant', 'to'];
  const statement = `${verb} ${rights.join(', ')} on ${kind} ${objects.join(', ')} ${to} ${whom}`;
  const facts = { rights, kind, objects: objects.slice(0, MOST_LISTED), count: objects.length, everybody };
  const subject = objects[0] ?? '';
  return problem === 'added'
    ? warn('right-added', subject, facts, { by: 'sql', statement })
    : warn('right-missing', subject, facts, { by: 'sql', statement });
}

async function readLogins(database: Database, folders: readonly Folder[]): Promise<readonly LoginRow[]> {
  const rows = await database.query<LoginRow & { readonly role: string; readonly found: string }>(sql`
    select f.id as folder, f.role_name as role, r.oid is not null as there, current_database() as database,
      coalesce((select substr(setting, length('search_path=') + 1) from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase, unnest(s.setconfig) setting
        where s.setrole = r.oid and d.datname = current_database() and starts_with(setting, 'search_path=')), '') as found,
      array_remove(array[case when rolsuper then 'superuser' end, case when rolcreaterole then 'createrole' end, case when rolcreatedb then 'createdb' end,
        case when rolreplication then 'replication' end, case when rolbypassrls then 'bypassrls' end, case when not rolcanlogin then 'nologin' end], null) as attributes,
      array(select quote_ident(g.rolname) from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = r.oid order by 1) as members
    from rustine.folder f left join pg_roles r on r.rolname = f.role_name where f.id = any(${folders.map(({ id }) => id)}::integer[]) order by f.id`);
  const asked = folders.flatMap(({ role, schema }) => (role === null ? [] : [{ role, schema }]));
  const ours = new Set((await loginsOfServer(database, asked)).flatMap((login) => (login.ours ? [login.role] : [])));
  const byId = new Map(folders.map((folder) => [folder.id, folder]));
  return rows.map(({ found, role, ...row }) => {
    const { schema = '', ancestors = [] } = byId.get(row.folder) ?? {};
    const expected = [schema, ...ancestors.map((each) => each.schema)].map(quoteIdentifier).join(', ');
    // In a copy of the database the login is still that of the original.
    const same = !ours.has(role) || found.replaceAll('"', '') === expected.replaceAll('"', '');
    return same ? row : { ...row, path: { found, expected } };
  });
}

/** Its own schema and those of its ancestors; in its own all tables and views but APATCH, which it reads only, and the sequences. */
async function readRights(database: Database, folders: readonly Folder[]): Promise<readonly RightRow[]> {
  const pairs = folders.flatMap(({ id, schema, ancestors }) =>
    [schema, ...ancestors.map((each) => each.schema)].map((each) => [id, each] as const),
  );
  return database.query<RightRow>(sql`
    with folder as materialized (
      select f.id, n.oid as schema, r.oid as role from rustine.folder f join pg_roles r on r.rolname = f.role_name
      left join pg_namespace n on n.nspname = f.schema_name where f.id = any(${folders.map(({ id }) => id)}::integer[])),
    way as materialized (
      select f.id as folder, f.role, n.oid as schema from unnest(${pairs.map(([id]) => id)}::integer[], ${pairs.map(([, schema]) => schema)}::text[]) as p (folder, name)
      join folder f on f.id = p.folder join pg_namespace n on n.nspname = p.name),
    object as materialized (
      select c.oid, c.relnamespace as schema, case when c.relkind = 'S' then 'sequence' else 'table' end as kind, c.relname, c.relowner, a.grantee, a.privilege_type as "right"
      from pg_class c cross join lateral aclexplode(c.relacl) a where c.relkind in ('r', 'v', 'm', 'p', 'f', 'S') and c.relacl is not null and a.grantee <> c.relowner
      union all
      -- Of single columns, as GRANT writes it.
      select c.oid, c.relnamespace, 'table', c.relname, c.relowner, a.grantee, format('%s (%I)', a.privilege_type, t.attname)
      from pg_attribute t join pg_class c on c.oid = t.attrelid cross join lateral aclexplode(t.attacl) a
      where t.attacl is not null and c.relnamespace <> 'pg_catalog'::regnamespace and a.grantee <> c.relowner),
    wanted as (
      select f.id as folder, f.role, c.oid, case when c.relkind = 'S' then 'sequence' else 'table' end as kind, c.relname, w."right"
      from folder f join pg_class c on c.relnamespace = f.schema and c.relkind in ('r', 'v', 'S') and c.relowner <> f.role
      cross join lateral unnest(case when c.relkind = 'S' then array['USAGE', 'SELECT'] when c.relname = 'apatch' then array['SELECT']
        else array['SELECT', 'INSERT', 'UPDATE', 'DELETE'] end) as w ("right")),
    schemas as materialized (select n.oid, n.nspname, a.grantee, a.privilege_type as "right" from pg_namespace n cross join lateral aclexplode(n.nspacl) a),
    problem as (
      select w.folder, 'missing' as problem, false as everybody, w.kind, w.oid::regclass::text as object, w."right" from wanted w
      where not exists (select from object o where o.oid = w.oid and o.grantee = w.role and o."right" = w."right")
      union all
      select f.id, 'added', false, o.kind, o.oid::regclass::text, o."right" from object o join folder f on f.role = o.grantee
      where not exists (select from wanted w where w.folder = f.id and w.oid = o.oid and w."right" = o."right")
        -- A table that was put aside has its rights for when it comes back; into the schema where it stands nobody comes.
        and not (o.schema = 'rustine_kept'::regnamespace and exists (select from rustine.kept k where k.folder = f.id and k.relation = o.relname))
      union all
      select f.id, 'added', true, o.kind, o.oid::regclass::text, o."right" from object o join folder f on f.schema = o.schema where o.grantee = 0
      union all
      select w.folder, 'missing', false, 'schema', quote_ident(n.nspname), 'USAGE' from way w join pg_namespace n on n.oid = w.schema
      where not exists (select from schemas s where s.oid = w.schema and s.grantee = w.role and s."right" = 'USAGE')
      union all
      select f.id, 'added', false, 'schema', quote_ident(s.nspname), s."right" from schemas s join folder f on f.role = s.grantee
      where s."right" <> 'USAGE' or not exists (select from way w where w.folder = f.id and w.schema = s.oid)
      union all
      select f.id, 'added', true, 'schema', quote_ident(s.nspname), s."right" from schemas s join folder f on f.schema = s.oid where s.grantee = 0)
    select folder, problem, everybody, kind, object, array_agg("right" order by "right") as rights from problem
    group by folder, problem, everybody, kind, object order by folder, problem, kind, object`);
}
