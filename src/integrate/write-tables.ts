// Statements that bring a folder's tables in line, and the state of its activity codes (ADOSACT).
import { qualified, quoteLiteral } from '../database/sql.ts';
import type { FolderSettings, Plan } from '../plan/plan.ts';
import type { Origin } from '../tables/aside.ts';
import { asideOf } from '../tables/aside.ts';
import { ddlOf } from '../tables/ddl.ts';
import type { TableChange } from '../tables/diff.ts';
import type { Statement } from './statement.ts';

export function tableStatements(plan: Plan, folder: FolderSettings, integration: string): readonly Statement[] {
  const origin: Origin = { schema: folder.schema, folder: folder.id, integration, by: '' };
  return [...changeStatements(plan.tables, origin), ...activityStatements(plan, folder)];
}

/** What goes is put aside before it goes. */
export function changeStatements(changes: readonly TableChange[], origin: Origin): readonly Statement[] {
  return changes.flatMap((change) => [...asideOf(change, origin), ...ddlOf(change, origin.schema)]).map((text) => ({ text }));
}

/** Codes of the folder's own list are active whatever state they are delivered in, and have the size that it sets. */
function activityStatements(plan: Plan, folder: FolderSettings): readonly Statement[] {
  const table = qualified(folder.schema, 'adosact');
  const sizes = `${quoteLiteral(JSON.stringify(folder.activitySizes))}::jsonb`;
  const active = `array[${folder.activityCodes.map(quoteLiteral).join(', ')}]::text[]`;
  return [
    {
      text: `insert into ${table} (dossier_0, codact_0, intit_0, flact_0, dime_0, module_0)
        select distinct on (name) ${quoteLiteral(folder.code)}, name, left(title, 80), case when name = any(${active}) then 2 else (fields ->> 'FLACT')::smallint end,
          coalesce((${sizes} ->> name)::integer, (fields ->> 'DIME')::integer), (fields ->> 'MODULE')::smallint
        from rustine.plan_item where plan = ${plan.id} and item = 'activity' order by name, ordinal desc
        on conflict (dossier_0, codact_0) do update
        set intit_0 = excluded.intit_0, flact_0 = excluded.flact_0, dime_0 = excluded.dime_0, module_0 = excluded.module_0, updtick_0 = adosact.updtick_0 + 1`,
    },
  ];
}
