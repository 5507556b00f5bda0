// Rights of the folders' logins against those that Rustine gives (R3): one look at the server's catalog for all folders.
import type { Database } from '../database/database.ts';
import { quoteIdentifier, sql } from '../database/sql.ts';
import type { Folder } from '../environment/folder.ts';
import { readLogins as loginsOfServer } from '../environment/roles.ts';
import type { Difference } from './difference.ts';
import { MOST_LISTED, ROLE, warn } from './difference.ts';

interface RightRow {
  readonly folder: number;
  /** `grantable`: the login may have them, and may not pass them on. */
  readonly problem: 'added' | 'missing' | 'grantable';
  /** Who has it: the login, or everybody. */
  readonly everybody: boolean;
  readonly kind: 'database' | 'schema' | 'table' | 'sequence' | 'routine';
  readonly object: string;
  readonly rights: readonly string[];
}

/** What objects to come will let somebody do. */
interface DefaultRow extends Pick<RightRow, 'folder' | 'everybody' | 'rights'> {
  readonly problem: 'added' | 'missing';
  readonly kind: 'tables' | 'sequences' | 'functions' | 'types' | 'schemas' | 'large objects';
  /** Who makes them. */
  readonly maker: string;
  /** null: in any. */
  readonly schema: string | null;
}

interface OwnedRow {
  readonly folder: number;
  readonly kind: 'database' | 'schema';
  readonly object: string;
  /** Its own schema, in which it is to be let again. */
  readonly own: boolean;
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
  for (const row of await readDefaults(database, withLogin)) if (there.has(row.folder)) note(row.folder, defaultDifference(row));
  for (const row of await readOwned(database, withLogin)) note(row.folder, ownedDifference(row));
  return found;
}

/** Each keeps the folder's people out. A limit of connections does too, and is what a run or a lock sets; a day that is to come is the administrator's. */
const LET_IN: Readonly<Record<string, string>> = {
  nologin: 'login',
  expired: `valid until 'infinity'`,
};

function loginDifferences({ there, attributes, members, path, database }: LoginRow): readonly Difference[] {
  if (!there) return [warn('login-missing', ROLE, {}, { by: 'backup' })];
  const without = attributes.map((attribute) => LET_IN[attribute] ?? `no${attribute}`).join(' ');
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
  const what = `${rights.join(', ')} on ${kind} ${objects.join(', ')}`;
  const facts = { rights, kind, objects: objects.slice(0, MOST_LISTED), count: objects.length, everybody };
  const subject = objects[0] ?? '';
  switch (problem) {
    case 'added':
      return warn('right-added', subject, facts, { by: 'sql', statement: `revoke ${what} from ${whom}` });
    case 'missing':
      return warn('right-missing', subject, facts, { by: 'sql', statement: `grant ${what} to ${whom}` });
    case 'grantable':
      // What was passed on goes with it.
      return warn('right-grantable', subject, facts, {
        by: 'sql',
        statement: `revoke grant option for ${what} from ${whom} cascade`,
      });
  }
}

function defaultDifference({ problem, everybody, kind, maker, schema, rights }: DefaultRow): Difference {
  const [verb, to] = problem === 'added' ? ['revoke', 'from'] : ['grant', 'to'];
  const place = schema === null ? '' : ` in schema ${schema}`;
  const statement = `alter default privileges for role ${maker}${place} ${verb} ${rights.join(', ')} on ${kind} ${to} ${everybody ? 'public' : ROLE}`;
  const facts = { rights, kind, schema: schema ?? '', maker, everybody };
  return problem === 'added'
    ? warn('default-right-added', schema ?? maker, facts, { by: 'sql', statement })
    : warn('default-right-missing', schema ?? maker, facts, { by: 'sql', statement });
}

function ownedDifference({ kind, object, own }: OwnedRow): Difference {
  const statement = `alter ${kind} ${object} owner to current_user${own ? `; grant usage on schema ${object} to ${ROLE}` : ''}`;
  return warn('login-owns', object, { kind, object }, { by: 'sql', statement });
}

async function readLogins(database: Database, folders: readonly Folder[]): Promise<readonly LoginRow[]> {
  const rows = await database.query<LoginRow & { readonly role: string; readonly found: string }>(sql`
    select f.id as folder, f.role_name as role, r.oid is not null as there, current_database() as database,
      coalesce((select substr(setting, length('search_path=') + 1) from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase, unnest(s.setconfig) setting
        where s.setrole = r.oid and d.datname = current_database() and starts_with(setting, 'search_path=')), '') as found,
      array_remove(array[case when rolsuper then 'superuser' end, case when rolcreaterole then 'createrole' end, case when rolcreatedb then 'createdb' end,
        case when rolreplication then 'replication' end, case when rolbypassrls then 'bypassrls' end, case when not rolcanlogin then 'nologin' end,
        case when rolvaliduntil < now() then 'expired' end], null) as attributes,
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
      select c.oid, c.relnamespace as schema, case when c.relkind = 'S' then 'sequence' else 'table' end as kind, c.relname, a.grantee, a.privilege_type as "right", a.is_grantable
      from pg_class c cross join lateral aclexplode(c.relacl) a where c.relkind in ('r', 'v', 'm', 'p', 'f', 'S') and c.relacl is not null and a.grantee <> c.relowner
      union all
      -- Of single columns, as GRANT writes it.
      select c.oid, c.relnamespace, 'table', c.relname, a.grantee, format('%s (%I)', a.privilege_type, t.attname), a.is_grantable
      from pg_attribute t join pg_class c on c.oid = t.attrelid cross join lateral aclexplode(t.attacl) a
      where t.attacl is not null and c.relnamespace <> 'pg_catalog'::regnamespace and a.grantee <> c.relowner),
    wanted as (
      select f.id as folder, f.role, c.oid, case when c.relkind = 'S' then 'sequence' else 'table' end as kind, c.relname, w."right"
      from folder f join pg_class c on c.relnamespace = f.schema and c.relkind in ('r', 'v', 'S') and c.relowner <> f.role
      cross join lateral unnest(case when c.relkind = 'S' then array['USAGE', 'SELECT'] when c.relname = 'apatch' then array['SELECT']
        else array['SELECT', 'INSERT', 'UPDATE', 'DELETE'] end) as w ("right")),
    schemas as materialized (
      select n.oid, n.nspname, a.grantee, a.privilege_type as "right", a.is_grantable from pg_namespace n cross join lateral aclexplode(n.nspacl) a where a.grantee <> n.nspowner),
    database as materialized (
      select d.datname, d.datdba, a.grantee, a.privilege_type as "right" from pg_database d cross join lateral aclexplode(d.datacl) a where d.datname = current_database()),
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
      select f.id, 'grantable', false, o.kind, o.oid::regclass::text, o."right" from object o join wanted w on w.oid = o.oid and w.role = o.grantee and w."right" = o."right"
      join folder f on f.id = w.folder where o.is_grantable
      union all
      -- Of functions that scripts made, rights are part of what is compared with the script.
      select f.id, 'added', false, 'routine', p.oid::regprocedure::text, a.privilege_type
      from pg_proc p cross join lateral aclexplode(p.proacl) a join folder f on f.role = a.grantee
      where p.proacl is not null and a.grantee <> p.proowner and not exists (select from rustine.folder o where o.role_name = pg_get_userbyid(p.proowner))
      union all
      select w.folder, 'missing', false, 'schema', quote_ident(n.nspname), 'USAGE' from way w join pg_namespace n on n.oid = w.schema
      where n.nspowner <> w.role and not exists (select from schemas s where s.oid = w.schema and s.grantee = w.role and s."right" = 'USAGE')
      union all
      select f.id, 'added', false, 'schema', quote_ident(s.nspname), s."right" from schemas s join folder f on f.role = s.grantee
      where s."right" <> 'USAGE' or not exists (select from way w where w.folder = f.id and w.schema = s.oid)
      union all
      select f.id, 'grantable', false, 'schema', quote_ident(s.nspname), s."right" from schemas s join way w on w.schema = s.oid and w.role = s.grantee
      join folder f on f.id = w.folder where s.is_grantable and s."right" = 'USAGE'
      union all
      -- With the catalog everybody would read what all folders have.
      select f.id, 'added', true, 'schema', quote_ident(s.nspname), s."right" from schemas s join folder f on f.schema = s.oid or s.nspname in ('rustine', 'rustine_kept') where s.grantee = 0
      union all
      -- TEMPORARY is everybody's by PostgreSQL's own rule, and CONNECT may be given to each login where it was taken from everybody.
      select f.id, 'added', d.grantee = 0, 'database', quote_ident(d.datname), d."right" from database d join folder f on f.role = d.grantee or d.grantee = 0
      where f.role <> d.datdba and (d."right" = 'CREATE' or (d."right" = 'TEMPORARY' and d.grantee <> 0))
      union all
      select f.id, 'missing', false, 'database', quote_ident(current_database()), 'CONNECT' from folder f where not has_database_privilege(f.role, current_database(), 'CONNECT'))
    select folder, problem, everybody, kind, object, array_agg("right" order by "right") as rights from problem
    group by folder, problem, everybody, kind, object order by folder, problem, kind, object`);
}

/** Those that Rustine gives at a folder's creation: whoever owns the schema makes its tables and sequences. */
async function readDefaults(database: Database, folders: readonly Folder[]): Promise<readonly DefaultRow[]> {
  return database.query<DefaultRow>(sql`
    with folder as materialized (
      select f.id, n.oid as schema, n.nspowner as owner, r.oid as role from rustine.folder f join pg_roles r on r.rolname = f.role_name
      join pg_namespace n on n.nspname = f.schema_name where f.id = any(${folders.map(({ id }) => id)}::integer[])),
    given as materialized (
      select d.defaclrole as maker, d.defaclnamespace as schema, d.defaclobjtype as kind, a.grantee, a.privilege_type as "right"
      from pg_default_acl d cross join lateral aclexplode(d.defaclacl) a where a.grantee <> d.defaclrole),
    wanted as (
      select f.id as folder, f.role, f.owner, f.schema, w.kind::"char", w."right" from folder f
      cross join (values ('r', 'SELECT'), ('r', 'INSERT'), ('r', 'UPDATE'), ('r', 'DELETE'), ('S', 'USAGE'), ('S', 'SELECT')) as w (kind, "right") where f.owner <> f.role),
    problem as (
      select w.folder, 'missing' as problem, false as everybody, w.kind, w.owner as maker, w.schema, w."right" from wanted w
      where not exists (select from given g where g.maker = w.owner and g.schema = w.schema and g.kind = w.kind and g.grantee = w.role and g."right" = w."right")
      union all
      select f.id, 'added', g.grantee = 0, g.kind, g.maker, g.schema, g."right"
      from given g join folder f on f.role = g.grantee or (g.grantee = 0 and (g.schema = f.schema or (g.schema = 0 and g.kind in ('r', 'S', 'n'))))
      where g.maker <> f.role and not (f.owner = f.role and g.schema = f.schema) and not exists (select from wanted w where w.folder = f.id and w.schema = g.schema and w.kind = g.kind and w.role = g.grantee and w."right" = g."right"))
    select folder, problem, everybody, p.maker::regrole::text as maker, (select quote_ident(nspname) from pg_namespace n where n.oid = p.schema) as schema,
      case kind when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' when 'n' then 'schemas' else 'large objects' end as kind,
      array_agg("right" order by "right") as rights
    from problem p group by folder, problem, everybody, maker, p.schema, kind order by folder, problem, maker, p.schema, kind`);
}

/** Whoever owns a schema or the database may drop it and what is in it. */
async function readOwned(database: Database, folders: readonly Folder[]): Promise<readonly OwnedRow[]> {
  return database.query<OwnedRow>(sql`
    with folder as materialized (
      select f.id, f.schema_name, r.oid as role from rustine.folder f join pg_roles r on r.rolname = f.role_name where f.id = any(${folders.map(({ id }) => id)}::integer[]))
    select f.id as folder, 'schema' as kind, quote_ident(n.nspname) as object, n.nspname = f.schema_name as own from folder f join pg_namespace n on n.nspowner = f.role
    union all
    select f.id, 'database', quote_ident(d.datname), false from folder f join pg_database d on d.datdba = f.role where d.datname = current_database() order by 1, 2, 3`);
}
