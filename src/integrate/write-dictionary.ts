// Statements that write a plan's dictionary part: elements, records, offers.
import type { FolderSettings, Plan } from '../plan/plan.ts';
import type { Statement } from './statement.ts';

/** Elements, their records, what was offered and not taken, and ADOSACT. */
export function dictionaryStatements(settled: Plan, settings: FolderSettings, integration: string): readonly Statement[] {
  const plan = settled.id;
  const folder = settings.id;
  return [
    {
      text: `insert into rustine.element (folder, type, name, title, created_by, updated_by)
        select distinct on (type, name) ${folder}, type, name, title, ${integration}, ${integration} from rustine.plan_item
        where plan = ${plan} and item = 'element' order by type, name, ordinal desc
        on conflict (folder, type, name) do update set title = excluded.title, updated_by = excluded.updated_by`,
    },
    {
      text: `insert into rustine.record (folder, type, name, tag, key, position, content, created_by, updated_by)
        select ${folder}, type, name, tag, key, position, content, ${integration}, ${integration} from rustine.plan_write where plan = ${plan}
        on conflict (folder, type, name, tag, key) do update
        set position = excluded.position, content = excluded.content, updated_by = excluded.updated_by`,
    },
    {
      text: `delete from rustine.record r using rustine.plan_item p where p.plan = ${plan} and p.item = 'remove'
        and r.folder = ${folder} and r.type = p.type and r.name = p.name and r.tag = p.tag and r.key = p.key`,
    },
    {
      text: `insert into rustine.offer (folder, type, name, tag, key, scope, code, position, content, before, integration)
        select distinct on (p.type, p.name, p.tag, p.key) ${folder}, p.type, p.name, p.tag, p.key, p.scope, coalesce(p.title, ''), p.position, c.id, b.id, ${integration}
        from rustine.plan_item p join rustine.content c on c.digest = p.digest left join rustine.content b on b.digest = p.before
        where p.plan = ${plan} and p.item = 'offer' order by p.type, p.name, p.tag, p.key, p.ordinal desc
        on conflict (folder, type, name, tag, key) do update set scope = excluded.scope, code = excluded.code, position = excluded.position,
          content = excluded.content, before = excluded.before, integration = excluded.integration, since = excluded.since`,
    },
    {
      text: `delete from rustine.offer o using rustine.plan_item p where p.plan = ${plan} and p.item = 'withdraw'
        and o.folder = ${folder} and o.type = p.type and o.name = p.name and o.tag = p.tag and o.key = p.key`,
    },
    {
      text: `update rustine.record r set changed = array(select jsonb_array_elements_text(p.fields)) from rustine.plan_item p
        where p.plan = ${plan} and p.item = 'changed' and r.folder = ${folder} and r.type = p.type and r.name = p.name and r.tag = p.tag and r.key = p.key`,
    },
  ];
}
