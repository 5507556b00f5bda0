// A plan as one script for one folder: dictionary, tables, data, scripts, ADOSACT, in one round trip.
import type { StatementResult } from '../database/database.ts';
import { qualified, quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import type { FolderSettings, Plan, RowBatch } from '../plan/plan.ts';
import { ddlOf } from '../tables/ddl.ts';

/** What the script counted. */
export interface Applied {
  readonly scripts: number;
  readonly inserted: number;
  readonly updated: number;
}

interface Statement {
  readonly text: string;
  readonly counts?: 'scripts' | 'rows';
}

/** @param integration number of the integration: who and when are looked up through it */
export function applyScript(
  plan: Plan,
  folder: FolderSettings,
  integration: string,
): { readonly text: string; read(results: readonly StatementResult[]): Applied } {
  const statements: readonly Statement[] = [
    ...dictionaryStatements(plan.id, folder.id, integration),
    ...plan.tables.flatMap((change) => ddlOf(change, folder.schema)).map((text) => ({ text })),
    ...plan.batches.map((batch) => ({ text: rowStatement(plan, batch, folder.schema), counts: 'rows' as const })),
    ...textStatements(plan.id, folder.id, integration),
    { text: scriptStatement(plan.id, folder.id, integration), counts: 'scripts' },
    { text: pendingStatement(plan.id, folder.id, integration) },
    ...activityStatements(plan, folder),
  ];
  return { text: statements.map((statement) => statement.text).join(';\n'), read: (results) => readCounts(statements, results) };
}

function readCounts(statements: readonly Statement[], results: readonly StatementResult[]): Applied {
  let scripts = 0;
  let inserted = 0;
  let updated = 0;
  statements.forEach((statement, at) => {
    const result = results[at];
    if (statement.counts === 'scripts') scripts += result?.count ?? 0;
    if (statement.counts === 'rows') {
      inserted += Number(result?.rows[0]?.inserted ?? 0);
      updated += Number(result?.rows[0]?.updated ?? 0);
    }
  });
  return { scripts, inserted, updated };
}

function dictionaryStatements(plan: string, folder: number, integration: string): readonly Statement[] {
  return [
    {
      text: `insert into rustine.element (folder, type, name, title, created_by, updated_by)
        select distinct on (type, name) ${folder}, type, name, title, ${integration}, ${integration} from rustine.plan_item
        where plan = ${plan} and item = 'element' order by type, name, ordinal desc
        on conflict (folder, type, name) do update set title = excluded.title, updated_by = excluded.updated_by`,
    },
    {
      text: `insert into rustine.record (folder, type, name, tag, key, position, content, delivered, created_by, updated_by)
        select ${folder}, type, name, tag, key, position, content, delivered, ${integration}, ${integration} from rustine.plan_write where plan = ${plan}
        on conflict (folder, type, name, tag, key) do update
        set position = excluded.position, content = excluded.content, delivered = excluded.delivered, updated_by = excluded.updated_by`,
    },
    {
      text: `delete from rustine.record r using rustine.plan_item p where p.plan = ${plan} and p.item = 'remove'
        and r.folder = ${folder} and r.type = p.type and r.name = p.name and r.tag = p.tag and r.key = p.key`,
    },
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

function scriptStatement(plan: string, folder: number, integration: string): string {
  return `insert into rustine.script (folder, kind, name, title, digest, created_by, updated_by)
    select distinct on (type, name) ${folder}, type, name, title, digest, ${integration}, ${integration} from rustine.plan_item
    where plan = ${plan} and item = 'script' order by type, name, ordinal desc
    on conflict (folder, kind, name) do update set title = excluded.title, digest = excluded.digest, updated_by = excluded.updated_by`;
}

function pendingStatement(plan: string, folder: number, integration: string): string {
  return `insert into rustine.pending_script (folder, script, title, integration)
    select distinct on (name) ${folder}, name, coalesce(title, ''), ${integration} from rustine.plan_item where plan = ${plan} and item = 'exe' order by name, ordinal desc
    on conflict (folder, script) do update set title = excluded.title, integration = excluded.integration, since = now()`;
}

/** Codes that the folder was created with are active whatever state they are delivered in. */
function activityStatements(plan: Plan, folder: FolderSettings): readonly Statement[] {
  const table = qualified(folder.schema, 'adosact');
  const active = `array[${folder.activityCodes.map(quoteLiteral).join(', ')}]::text[]`;
  return [
    {
      text: `insert into ${table} (dossier_0, codact_0, intit_0, flact_0, dime_0, module_0)
        select distinct on (name) ${quoteLiteral(folder.code)}, name, left(title, 80), case when name = any(${active}) then 2 else (fields ->> 'FLACT')::smallint end,
          (fields ->> 'DIME')::integer, (fields ->> 'MODULE')::smallint
        from rustine.plan_item where plan = ${plan.id} and item = 'activity' order by name, ordinal desc
        on conflict (dossier_0, codact_0) do update
        set intit_0 = excluded.intit_0, flact_0 = excluded.flact_0, dime_0 = excluded.dime_0, module_0 = excluded.module_0, updtick_0 = adosact.updtick_0 + 1`,
    },
  ];
}
