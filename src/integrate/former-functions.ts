// Functions that a script's earlier version made and the new one did not: dropped where nothing speaks against it, and told in any case.
import type { Finding } from '../base/finding.ts';
import { quoteLiteral } from '../database/sql.ts';
import type { FolderSettings } from '../plan/plan.ts';

/** What became of one, as the second statement says. */
export interface FormerFunction {
  readonly script: string;
  readonly function: string;
  readonly dropped: boolean;
  /** What needs it, where it was kept for that. */
  readonly users: readonly string[];
}

/**
 * Two statements for all scripts of a plan: the first drops, the second tells and forgets. A function whose name the new text still has stays, as
 * with `if to_regproc('…') is null then create …`, unless the text made another one of that name; and so does one that something else uses.
 */
export function formerFunctionStatements(folder: FolderSettings, integration: string): readonly [drop: string, tell: string] {
  const former = `select f.kind, f.name, f.function, to_regprocedure(format('%I.%s', ${quoteLiteral(folder.schema)}, f.function)) as routine,
        ${NAMED} and not exists (select from rustine.script_function g where g.folder = f.folder and g.kind = f.kind and g.name = f.name
          and g.integration = ${integration} and (parse_ident(g.function, false))[1] = n.name) as named
      from rustine.script_function f join rustine.script s using (folder, kind, name) join rustine.blob b on b.digest = s.digest
        cross join lateral (select (parse_ident(f.function, false))[1] as name) n
      where f.folder = ${folder.id} and f.integration <> ${integration} and s.updated_by = ${integration}`;
  const tell = `with former as (${former}),
    gone as (delete from rustine.script_function f using former o
      where f.folder = ${folder.id} and f.function = o.function and o.routine is null returning f.name, f.function)
    select name as script, function, true as dropped, '{}'::text[] as users from gone
    union all
    select name, function, false, array(
      select case when d.classid = 'pg_rewrite'::regclass then (select pg_describe_object('pg_class'::regclass, ev_class, 0) from pg_rewrite where oid = d.objid)
        else pg_describe_object(d.classid, d.objid, d.objsubid) end
      from pg_depend d where not named and d.refclassid = 'pg_proc'::regclass and d.refobjid = routine and d.deptype = 'n' order by 1)
    from former where routine is not null
    order by 1, 2`;
  return [dropUnused(`select routine from (${former}) f where not named and routine is not null`), tell];
}

/** Drops those of the routines (a query of their numbers) that nothing else needs; what they need of each other goes with them. */
export function dropUnused(routines: string): string {
  return `do ${quoteLiteral(`declare
      going oid[] := array(${routines});
      free oid[];
    begin
      loop
        free := array(select g from unnest(going) g where not exists (select from pg_depend d
          where d.refclassid = 'pg_proc'::regclass and d.refobjid = g and d.deptype = 'n' and not (d.classid = 'pg_proc'::regclass and d.objid = any(going))));
        exit when cardinality(free) = cardinality(going);
        going := free;
      end loop;
      if cardinality(going) > 0 then
        execute (select 'drop routine ' || string_agg(g::regprocedure::text, ', ') from unnest(going) g);
      end if;
    end`)}`;
}

/** Whether the new text has the name as a word. A text with NUL is no SQL, and no text to the server. */
const NAMED = `case when position('\\x00'::bytea in b.bytes) > 0 then false else
          lower(rustine.source(b.bytes)) ~ ('(^|[^[:alnum:]_$])' || regexp_replace(lower(n.name), '([^[:alnum:]_])', '\\\\\\1', 'g') || '($|[^[:alnum:]_$])') end`;

export function formerFunctionFindings(functions: readonly FormerFunction[]): readonly Finding[] {
  return functions.map(({ script, function: name, dropped, users }): Finding => {
    const about = { subject: `TRT:${script}`, facts: { script, function: name, ...(dropped ? {} : { users }) } };
    return dropped
      ? { code: 'function-dropped', severity: 'info', ...about }
      : { code: 'function-kept', severity: 'warn', ...about };
  });
}
