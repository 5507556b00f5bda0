// Statements that write a plan's data rows: insert or update by the first index, texts by language, what has no column.
import { qualified, quoteIdentifier } from '../database/sql.ts';
import type { FolderSettings, Plan, RowBatch } from '../plan/plan.ts';
import type { Statement } from './statement.ts';

export function rowStatements(plan: Plan, folder: FolderSettings, integration: string): readonly Statement[] {
  return [
    ...plan.batches.map((batch) => ({ text: rowStatement(plan, batch, folder.schema), counts: 'rows' as const })),
    ...textStatements(plan.id, folder.id, integration),
  ];
}

/** Insert or update by the table's first index, never delete (R24). Of rows with the same key in one patch the last counts. */
function rowStatement(plan: Plan, batch: RowBatch, schema: string): string {
  // A later row with other columns counts as well: it is in another batch of the same table.
  const batches = plan.batches.filter((each) => each.table === batch.table).map((each) => each.batch);
  const table = qualified(schema, batch.table);
  const columns = batch.columns.map(quoteIdentifier);
  const key = batch.key.map(({ column }) => quoteIdentifier(column)).join(', ');
  const same = batch.key
    .map(
      ({ column, nullable }) =>
        `t.${quoteIdentifier(column)} ${nullable ? 'is not distinct from' : '='} s.${quoteIdentifier(column)}`,
    )
    .join(' and ');
  const list = (names: readonly string[], of: string): string => names.map((name) => `${of}.${quoteIdentifier(name)}`).join(', ');
  const changed =
    batch.compared.length === 0 ? 'false' : `(${list(batch.compared, 't')}) is distinct from (${list(batch.compared, 's')})`;
  const set = [...columns.map((column) => `${column} = s.${column}`), 'updtick_0 = t.updtick_0 + 1'];
  const ticked = columns.includes('"updtick_0"') ? set.filter((each) => !each.startsWith('"updtick_0"')) : set;
  return `with s as materialized (
      select ${columns.join(', ')} from (
        select distinct on (${key}) p.position, r.* from rustine.plan_item p, jsonb_populate_record(null::${table}, p.fields) r
        where p.plan = ${plan.id} and p.item = 'row' and p.position in (${batches.join(', ')}) order by ${key}, p.ordinal desc) latest
      where position = ${batch.batch}),
    u as (update ${table} t set ${ticked.join(', ')} from s where ${same} and ${changed} returning 1),
    i as (insert into ${table} (${columns.join(', ')}) select ${columns.join(', ')} from s where not exists (select from ${table} t where ${same}) returning 1)
    select (select count(*) from i)::integer as inserted, (select count(*) from u)::integer as updated`;
}

function textStatements(plan: string, folder: number, integration: string): readonly Statement[] {
  return [
    {
      text: `insert into rustine.translation (folder, table_name, field, slot, language, id1, id2, text)
        select distinct on (name, fields ->> 'field', position, key, fields ->> 'id1', fields ->> 'id2')
          ${folder}, name, fields ->> 'field', position, key, fields ->> 'id1', fields ->> 'id2', title
        from rustine.plan_item where plan = ${plan} and item = 'translation'
        order by name, fields ->> 'field', position, key, fields ->> 'id1', fields ->> 'id2', ordinal desc
        on conflict (folder, table_name, field, slot, language, id1, id2) do update set text = excluded.text where translation.text <> excluded.text`,
    },
    {
      text: `insert into rustine.remainder (folder, integration, table_name, ordinal, fields)
        select ${folder}, ${integration}, name, ordinal, fields from rustine.plan_item where plan = ${plan} and item = 'remainder'`,
    },
  ];
}
