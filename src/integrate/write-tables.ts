// Statements that bring a folder's tables in line, and the state of its activity codes (ADOSACT).
import { qualified, quoteLiteral } from '../database/sql.ts';
import type { FolderSettings, Plan } from '../plan/plan.ts';
import type { Origin } from '../tables/aside.ts';
import { asideOf } from '../tables/aside.ts';
import { ddlOf } from '../tables/ddl.ts';
import type { TableChange } from '../tables/diff.ts';
import { rememberFormer, rememberOrder, rememberWritten, returningWritten } from './remember-rows.ts';
import { rememberTables } from './remember-tables.ts';
import type { Statement } from './statement.ts';

/** @param remembers whether the patch can be taken back later */
export function tableStatements(
  plan: Plan,
  folder: FolderSettings,
  integration: string,
  remembers: boolean,
): readonly Statement[] {
  const origin: Origin = { schema: folder.schema, folder: folder.id, integration, by: '' };
  const { before, after } = remembers ? rememberTables(plan, folder, integration) : { before: [], after: [] };
  return [
    ...before.map((text) => ({ text })),
    ...changeStatements(plan.tables, origin),
    ...after.map((text) => ({ text })),
    ...activityStatements(plan, folder, integration, remembers),
  ];
}

/** What goes is put aside before it goes. */
export function changeStatements(changes: readonly TableChange[], origin: Origin): readonly Statement[] {
  return changes.flatMap((change) => [...asideOf(change, origin), ...ddlOf(change, origin.schema)]).map((text) => ({ text }));
}

/** Codes of the folder's own list are active whatever state they are delivered in, and have the size that it sets. */
function activityStatements(plan: Plan, folder: FolderSettings, integration: string, remembers: boolean): readonly Statement[] {
  const table = qualified(folder.schema, ACTIVITY_TABLE);
  const sizes = `${quoteLiteral(JSON.stringify(folder.activitySizes))}::jsonb`;
  const active = `array[${folder.activityCodes.map(quoteLiteral).join(', ')}]::text[]`;
  const of = { folder: folder.id, integration, schema: folder.schema, table: ACTIVITY_TABLE };
  const old = `old as materialized (select t.rowid as row_number, to_jsonb(t) as value from ${table} t join s on t.dossier_0 = s.folder and t.codact_0 = s.name for update of t)`;
  const written = `select case when exists (select from old where old.row_number = w.row_number) then 'updated' else 'inserted' end as what, w.* from w`;
  return [
    {
      text: `with s as materialized (select distinct on (name) ${quoteLiteral(folder.code)} as folder, name, left(title, 80) as title, case when name = any(${active}) then 2 else (fields ->> 'FLACT')::smallint end as state,
          coalesce((${sizes} ->> name)::integer, (fields ->> 'DIME')::integer) as size, (fields ->> 'MODULE')::smallint as module
        from rustine.plan_item where plan = ${plan.id} and item = 'activity' order by name, ordinal desc),
        ${remembers ? `${old}, ${rememberFormer(of)}, ${rememberOrder(of)},` : ''}
        w as (insert into ${table} as n (dossier_0, codact_0, intit_0, flact_0, dime_0, module_0) select folder, name, title, state, size, module from s
          ${remembers ? 'where (select count(*) from old) >= 0' : ''}
          on conflict (dossier_0, codact_0) do update
          set intit_0 = excluded.intit_0, flact_0 = excluded.flact_0, dime_0 = excluded.dime_0, module_0 = excluded.module_0, updtick_0 = n.updtick_0 + 1
          ${returningWritten('n', remembers)})${remembers ? `, ${rememberWritten(of, written)}` : ''}
        select count(*) from w`,
    },
  ];
}

const ACTIVITY_TABLE = 'adosact';
