// What stands in a folder's schema: relations, columns, indexes, constraints, triggers, rules, views, functions, sequences, types; as data.
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Folder } from '../environment/folder.ts';
import { ROW_SEQUENCE } from '../tables/model.ts';

export interface ShapeFacts {
  readonly relations: readonly Relation[];
  readonly columns: readonly ColumnFact[];
  readonly objects: readonly ObjectFact[];
  readonly views: readonly ViewFact[];
  readonly functions: readonly FunctionFact[];
  /** Tables and columns (`box.num_0`) that were put back from what was put aside, whatever the dictionary says. */
  readonly restored: ReadonlySet<string>;
  /** Tables that belong to the folder's login. */
  readonly ofLogin: ReadonlySet<string>;
  /** What neither a script made nor the login. */
  readonly strange: readonly StrangeFact[];
}

/** Beside tables and what stands on them; sequences of columns come and go with these, and what an extension brings with the extension. */
export interface StrangeFact {
  readonly kind: 'routine' | 'sequence' | 'type' | 'domain' | 'extension';
  /** Quoted; of a function `name(types)`. */
  readonly name: string;
}

export interface IndexFact {
  readonly name: string;
  readonly unique: boolean;
  /** `column`, `column desc`; null: more than columns say (a condition, an expression, a constraint). */
  readonly columns: readonly string[] | null;
}

/** One that no script made. */
export interface Relation {
  readonly name: string;
  readonly kind: string;
  readonly unlogged: boolean;
  readonly rowSecurity: boolean;
  readonly indexes: readonly IndexFact[];
}

export interface ColumnFact {
  readonly table: string;
  readonly name: string;
  readonly notNull: boolean;
  readonly default: string | null;
  readonly type: string;
  /** Another than its type has. */
  readonly collation: string | null;
}

/** What stands on a table or view besides its columns; `definition` as SQL. */
export interface ObjectFact {
  readonly object: 'constraint' | 'trigger' | 'rule' | 'index';
  readonly on: 'table' | 'view';
  readonly table: string;
  readonly name: string;
  readonly definition: string;
}

export interface ViewFact {
  readonly name: string;
  /** As the catalog stores it. */
  readonly columns: readonly string[];
  /** null: no view has the name. */
  readonly definition: string | null;
}

export interface FunctionFact {
  readonly script: string;
  readonly kind: string;
  readonly function: string;
  readonly file: string | null;
  readonly state: 'changed' | 'gone' | 'rights';
  /** Who may run it no longer, and who may since. */
  readonly lost: readonly string[];
  readonly won: readonly string[];
}

/**
 * Lines that say all of it, without the folder's name and number. A default names no column: read without its table, PostgreSQL 15 does not compare the names of all
 * its columns with each other for each of them, which takes half a minute with 1,500.
 */
const LINES = (schema: string, folder: number) => sql`
    with own as (select ${schema}::text as name, ${folder}::integer as id, quote_ident(${schema}) || '.' as prefix),
    f as (select f.*, to_regrole(quote_ident(f.role_name))::oid as role from rustine.folder f join own on own.id = f.id),
    c as materialized (select c.* from pg_class c, own, f where c.relnamespace = to_regnamespace(quote_ident(own.name)) and c.relowner <> coalesce(f.role, 0)),
    line as (
      select concat_ws(' ', 'r', relname, relkind, relpersistence, relrowsecurity) as line from c where relkind <> 'i'
      union all
      select concat_ws(' ', 'c', c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, a.attcollation,
        replace(pg_get_expr(d.adbin, case a.attgenerated when '' then 0::oid else d.adrelid end), own.prefix, ''))
      from own, c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.relkind in ('r', 'p')
      union all
      select concat_ws(' ', 'i', replace(pg_get_indexdef(i.indexrelid), own.prefix, ''), i.indisvalid,
        (select concat_ws(' ', conname, contype) from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = i.indrelid limit 1))
      from own, c join pg_index i on i.indrelid = c.oid
      union all
      select concat_ws(' ', 'k', c.relname, k.conname, replace(pg_get_constraintdef(k.oid), own.prefix, '')) from own, c join pg_constraint k on k.conrelid = c.oid where k.contype in ('c', 'f')
      union all
      select concat_ws(' ', 't', replace(pg_get_triggerdef(t.oid), own.prefix, ''), t.tgenabled) from own, c join pg_trigger t on t.tgrelid = c.oid where not t.tgisinternal
      union all
      select concat_ws(' ', 'w', c.relname, r.rulename) from c join pg_rewrite r on r.ev_class = c.oid where c.relkind in ('r', 'p') or (c.relkind = 'v' and r.rulename <> '_RETURN')
      union all
      select concat_ws(' ', 'v', c.relname, c.reloptions::text, regexp_replace(pg_get_viewdef(c.oid), '\\mfolder = ' || own.id || '\\M', 'folder = own', 'g')) from own, c where c.relkind = 'v'
      union all
      select concat_ws(' ', 'l', x.relname) from pg_class x, own, f where x.relnamespace = to_regnamespace(quote_ident(own.name)) and x.relowner = f.role and x.relkind in ('r', 'p')
      union all
      select concat_ws(' ', 'P', p.proname, pg_get_function_identity_arguments(p.oid), p.proowner = f.role)
      from pg_proc p, own, f where p.pronamespace = to_regnamespace(quote_ident(own.name))
      union all
      select concat_ws(' ', 'q', c.relname, d.deptype) from c left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i', 'e') where c.relkind = 'S'
      union all
      select concat_ws(' ', 'y', t.typname, t.typtype) from pg_type t, own, f
      where t.typnamespace = to_regnamespace(quote_ident(own.name)) and t.typtype <> 'b' and t.typrelid = 0 and t.typowner <> coalesce(f.role, 0)
      union all
      select concat_ws(' ', 'x', e.extname) from pg_extension e, own where e.extnamespace = to_regnamespace(quote_ident(own.name))
      union all
      select concat_ws(' ', 'n', v.name, v.hidden, v.columns::text) from rustine.dictionary_view v join own on own.id = v.folder
      union all
      select concat_ws(' ', 'f', s.function, s.name, s.kind, s.mark = rustine.function_mark(p), p is null, s.mark is null or s.marked_on <> current_setting('server_version_num')::integer / 10000,
        case when s.runners <> rustine.function_runners(p) then concat_ws(' ', s.runners::text, rustine.function_runners(p)::text) end)
      from own join rustine.script_function s on s.folder = own.id cross join lateral to_regprocedure(format('%I.%s', own.name, s.function)) p
      union all
      select concat_ws(' ', 'd', r.type, r.name, r.tag, r.key, r.position, r.content) from rustine.record r join own on own.id = r.folder where r.type in ('ATB', 'ATY')
      union all
      select concat_ws(' ', 'a', a.code, a.active, a.size) from own, f, rustine.activity_codes(own.name, f.code) a
      union all
      select concat_ws(' ', 's', f.activity_codes::text, f.activity_sizes::text, f.modules::text) from f
      union all
      select concat_ws(' ', 'p', k.table_name, k.kind, k.columns::text) from own join rustine.kept k on k.folder = own.id where k.restored_at is not null)`;

/** The same for folders that look the same. */
export async function shapeMark(session: Session, { schema, id }: Folder): Promise<string> {
  const lines = LINES(schema, id);
  const [row] = await session.query<{ mark: string }>({
    text: `${lines.text} select concat_ws(' ', count(*), bit_xor(hashtextextended(line, 0)), bit_xor(hashtextextended(line, 1)), sum(hashtext(line))) as mark from line`,
    values: lines.values,
  });
  return row?.mark ?? '';
}

export async function gatherShape(session: Session, { schema, id, role }: Folder): Promise<ShapeFacts> {
  const relations = await session.query<Relation>(sql`
    select c.relname::text as name, c.relkind::text as kind, c.relpersistence = 'u' as unlogged, c.relrowsecurity as "rowSecurity",
      coalesce((select json_agg(json_build_object('name', x.relname, 'unique', i.indisunique, 'columns', case
          when i.indpred is null and i.indexprs is null and i.indnatts = i.indnkeyatts and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
          then (select json_agg(a.attname || case when (i.indoption[k.n - 1] & 1) = 1 then ' desc' else '' end order by k.n)
            from generate_series(1, i.indnkeyatts) as k (n) join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[k.n - 1]) end))
        from pg_index i join pg_class x on x.oid = i.indexrelid where i.indrelid = c.oid), '[]') as indexes
    from pg_class c where c.relnamespace = to_regnamespace(quote_ident(${schema})) and c.relkind in ('r', 'p', 'f', 'm', 'v') and c.relowner <> coalesce(to_regrole(quote_ident(${role}))::oid, 0)
    order by 1`);
  const tables = relations.filter(({ kind }) => kind === 'r' || kind === 'p').map(({ name }) => name);
  const columns = await session.query<ColumnFact>(sql`
    select c.relname::text as table, a.attname::text as name, a.attnotnull as "notNull", format_type(a.atttypid, a.atttypmod) as type,
      (select l.collname::text from pg_type t, pg_collation l where t.oid = a.atttypid and l.oid = a.attcollation and l.oid <> t.typcollation) as collation,
      case when a.attgenerated = '' then replace(pg_get_expr(d.adbin, 0), quote_ident(${schema}) || '.', '') end as default
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = to_regnamespace(quote_ident(${schema})) and c.relname = any(${tables}::name[]) order by 1, a.attnum`);
  const standing = relations.filter(({ kind }) => 'rpv'.includes(kind)).map(({ name }) => name);
  const objects = await session.query<ObjectFact>(sql`
    with c as materialized (
      select oid, relname, case when relkind = 'v' then 'view' else 'table' end as on_a from pg_class where relnamespace = to_regnamespace(quote_ident(${schema})) and relname = any(${standing}::name[]))
    select 'constraint' as object, c.on_a as on, c.relname::text as table, k.conname::text as name, pg_get_constraintdef(k.oid) as definition
    from c join pg_constraint k on k.conrelid = c.oid where k.contype in ('c', 'f')
    union all
    select 'trigger', c.on_a, c.relname::text, t.tgname::text, pg_get_triggerdef(t.oid) from c join pg_trigger t on t.tgrelid = c.oid where not t.tgisinternal
    union all
    select 'rule', c.on_a, c.relname::text, r.rulename::text, pg_get_ruledef(r.oid) from c join pg_rewrite r on r.ev_class = c.oid where r.rulename <> '_RETURN'
    union all
    select 'index', c.on_a, c.relname::text, x.relname::text, pg_get_indexdef(x.oid) from c join pg_index i on i.indrelid = c.oid join pg_class x on x.oid = i.indexrelid where not i.indisvalid
    order by 1, 3, 4`);
  const views = await session.query<ViewFact>(sql`
    select v.name, v.columns, concat_ws(' ', c.reloptions::text, pg_get_viewdef(c.oid)) as definition
    from rustine.dictionary_view v left join pg_class c on c.relnamespace = to_regnamespace(quote_ident(${schema})) and c.relname = v.name and c.relkind = 'v'
    where v.folder = ${id} and not v.hidden and cardinality(v.columns) > 0 order by 1`);
  const functions = await session.query<FunctionFact>(sql`
    with f as materialized (
      select s.name as script, s.kind, s.function, i.file, s.runners, rustine.function_runners(p) as may,
        case when p is null then 'gone' when s.marked_on = current_setting('server_version_num')::integer / 10000 and s.mark <> rustine.function_mark(p) then 'changed' end as state
      from rustine.script_function s left join rustine.integration i on i.id = s.integration cross join lateral to_regprocedure(format('%I.%s', ${schema}::text, s.function)) p
      where s.folder = ${id})
    select script, kind, function, file, state, '{}'::text[] as lost, '{}'::text[] as won from f where state is not null
    union all
    select script, kind, function, file, 'rights', array(select unnest(runners) except select unnest(may)), array(select unnest(may) except select unnest(runners))
    from f where state is distinct from 'gone' and runners <> may
    order by 1, 3, 5`);
  const restored = await session.query<{ name: string }>(sql`
    select case when c.name is null then k.table_name else k.table_name || '.' || c.name end as name
    from rustine.kept k left join lateral (select jsonb_object_keys(k.columns) as name where k.kind = 'columns') c on true where k.folder = ${id} and k.restored_at is not null`);
  const ofLogin = await session.query<{ name: string }>(sql`
    select relname::text as name from pg_class where relnamespace = to_regnamespace(quote_ident(${schema})) and relkind in ('r', 'p') and relowner = to_regrole(quote_ident(${role}))::oid`);
  const strange = await session.query<StrangeFact>(sql`
    with n as materialized (select to_regnamespace(quote_ident(${schema}))::oid as schema, coalesce(to_regrole(quote_ident(${role}))::oid, 0) as role),
    member as materialized (select classid, objid from pg_depend where deptype = 'e')
    select 'routine' as kind, format('%I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)) as name from n join pg_proc p on p.pronamespace = n.schema
    where p.proowner <> n.role and ('pg_proc'::regclass, p.oid) not in (select classid, objid from member) and not exists (
      select from rustine.script_function s where s.folder = ${id} and to_regprocedure(format('%I.%s', ${schema}::text, s.function)) = p.oid)
    union all
    select 'sequence', quote_ident(c.relname) from n join pg_class c on c.relnamespace = n.schema
    where c.relkind = 'S' and c.relowner <> n.role and c.relname <> ${ROW_SEQUENCE} and not exists (
      select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and (d.deptype = 'e' or (d.deptype in ('a', 'i') and d.refclassid = 'pg_class'::regclass)))
    union all
    select case t.typtype when 'd' then 'domain' else 'type' end, quote_ident(t.typname) from n join pg_type t on t.typnamespace = n.schema
    where t.typowner <> n.role and t.typtype in ('c', 'd', 'e', 'r') and (t.typtype <> 'c' or (select relkind from pg_class c where c.oid = t.typrelid) = 'c')
      and ('pg_type'::regclass, t.oid) not in (select classid, objid from member)
    union all
    select 'extension', quote_ident(e.extname) from n join pg_extension e on e.extnamespace = n.schema
    order by 1, 2`);
  return {
    relations,
    ofLogin: new Set(ofLogin.map(({ name }) => name)),
    strange,
    columns,
    objects,
    views: views.map((view) => ({ ...view, definition: view.definition === '' ? null : view.definition })),
    functions,
    restored: new Set(restored.map(({ name }) => name)),
  };
}

/** As the server writes down a view that these columns make: made beside the others, and gone with the transaction. */
export async function expectedViews(session: Session, make: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
  if (make.size === 0) return new Map();
  await session.script([...make.values()].join(';\n'));
  const rows = await session.query<{ name: string; definition: string }>(sql`
    select relname::text as name, concat_ws(' ', reloptions::text, pg_get_viewdef(oid)) as definition
    from pg_class where relnamespace = pg_my_temp_schema() and relname = any(${[...make.keys()]}::name[])`);
  return new Map(rows.map(({ name, definition }) => [name, definition]));
}
