// Statements that write a plan's data rows: insert or update by the first index, a table's whole content, texts by language, what has no column.
import { qualified, quoteIdentifier } from '../database/sql.ts';
import type { FolderSettings, Plan, ReplacedTable, RowBatch } from '../plan/plan.ts';
import { keepRows } from './keep-rows.ts';
import { rememberOrder, rememberWritten, returningWritten, WRITTEN } from './remember-rows.ts';
import { batchesOf, keyList, sameKey } from './row-keys.ts';
import type { Statement } from './statement.ts';
import { uniqueRowStatement } from './write-unique-rows.ts';

/** @param remembers whether it can be taken back later what is written */
export function rowStatements(plan: Plan, folder: FolderSettings, integration: string, remembers: boolean): readonly Statement[] {
  const counts = 'rows' as const;
  const unique = new Set(plan.furtherUnique.map(({ table }) => table));
  return [
    ...lockStatements(plan, folder),
    // First what goes away: a new row may have the value of another unique index from it.
    ...plan.replaced.map((table) => ({ text: replaceStatement(plan, table, folder, integration, remembers), counts })),
    ...plan.furtherUnique.map((unique) => ({ text: uniqueRowStatement(plan, unique, folder, integration, remembers), counts })),
    ...plan.batches
      .filter((batch) => !unique.has(batch.table))
      .map((batch) => ({ text: rowStatement(plan, batch, folder, integration, remembers), counts })),
    ...textStatements(plan.id, folder.id, integration),
  ];
}

/** What somebody else adds to a table while its content is replaced would survive. */
function lockStatements(plan: Plan, folder: FolderSettings): readonly Statement[] {
  const tables = plan.replaced.map(({ table }) => qualified(folder.schema, table)).sort();
  return tables.length === 0 ? [] : [{ text: `lock table ${tables.join(', ')} in share row exclusive mode` }];
}

/**
 * Insert or update by the table's first index, never delete (R24); a row that changes is kept as it was (R27). Of rows with the same key
 * in one patch the last counts, also when it is in another batch of the same table.
 */
function rowStatement(plan: Plan, batch: RowBatch, folder: FolderSettings, integration: string, remembers: boolean): string {
  const of = { folder: folder.id, integration, schema: folder.schema, table: batch.table };
  const table = qualified(folder.schema, batch.table);
  const columns = batch.columns.map(quoteIdentifier);
  const key = keyList(batch.key);
  const same = sameKey(batch.key, 't', 's');
  const list = (names: readonly string[], of: string): string => names.map((name) => `${of}.${quoteIdentifier(name)}`).join(', ');
  const changed =
    batch.compared.length === 0 ? 'false' : `(${list(batch.compared, 't')}) is distinct from (${list(batch.compared, 's')})`;
  const ticks = columns.includes('"updtick_0"') ? [] : ['updtick_0 = t.updtick_0 + 1'];
  const set = [...columns.map((column) => `${column} = s.${column}`), ...ticks];
  // Rows are locked as they are copied, and all of them are copied before the first is updated: the count asks for that.
  return `with s as materialized (
      select ${columns.join(', ')} from (
        select distinct on (${key}) p.position, r.* from rustine.plan_item p, jsonb_populate_record(null::${table}, p.fields) r
        where p.plan = ${plan.id} and p.item = 'row' and p.position in (${batchesOf(plan, batch.table).join(', ')}) order by ${key}, p.ordinal desc) latest
      where position = ${batch.batch}),
    old as materialized (select t.rowid as row_number, to_jsonb(t) as value from ${table} t join s on ${same} where ${changed} for update of t),
    u as (update ${table} t set ${set.join(', ')} from s where ${same} and ${changed} and (select count(*) from old) > 0 ${returningWritten('t', remembers)}),
    i as (insert into ${table} as n (${columns.join(', ')}) select ${columns.join(', ')} from s where not exists (select from ${table} t where ${same}) ${returningWritten('n', remembers)}),
    ${remembers ? `${rememberWritten(of, WRITTEN)}, ${rememberOrder(of)},` : ''}
    ${keepRows({ folder: folder.id, integration, table: batch.table, why: 'updated' })}
    select (select count(*) from i)::integer as inserted, (select count(*) from u)::integer as updated`;
}

/** Rows whose key was not delivered go away, and are kept; so do all but one of those with a key that occurs more than once. */
function replaceStatement(
  plan: Plan,
  replaced: ReplacedTable,
  folder: FolderSettings,
  integration: string,
  remembers: boolean,
): string {
  const of = { folder: folder.id, integration, schema: folder.schema, table: replaced.table };
  const table = qualified(folder.schema, replaced.table);
  const batches = batchesOf(plan, replaced.table);
  const key = keyList(replaced.key);
  const delivered = `select distinct ${key} from (select r.* from rustine.plan_item p, jsonb_populate_record(null::${table}, p.fields) r
      where p.plan = ${plan.id} and p.item = 'row' and p.position in (${batches.join(', ')})) row_`;
  // Found first, then deleted: a condition with `or` would look through all delivered keys for each row.
  const unknown = `select g.rowid from ${table} g where not exists (select from s where ${sameKey(replaced.key, 'g', 's')})`;
  const twins = `select g.rowid from (select rowid, row_number() over (partition by ${key} order by rowid) as place from ${table}) g where place > 1`;
  const goes =
    batches.length === 0 ? 'true' : `t.rowid in (${[unknown, ...(replaced.duplicates ? [twins] : [])].join(' union all ')})`;
  return `with ${batches.length === 0 ? '' : `s as materialized (${delivered}),`}
    old as (delete from ${table} t where ${goes} returning t.rowid as row_number, to_jsonb(t) as value),
    ${remembers ? `${rememberOrder(of)},` : ''}
    ${keepRows({ folder: folder.id, integration, table: replaced.table, why: 'replaced' })}
    select count(*)::integer as deleted from old`;
}

/** The table of the texts as the kept store names it; no table of a folder can be called that. */
const TEXTS = 'rustine.translation';
const TEXT_KEY = 'table_name, field, slot, language, id1, id2';

function textStatements(plan: string, folder: number, integration: string): readonly Statement[] {
  return [
    {
      text: `with s as materialized (
          select distinct on (${TEXT_KEY}) ${TEXT_KEY}, text from (
            select name as table_name, fields ->> 'field' as field, position as slot, key as language, fields ->> 'id1' as id1, fields ->> 'id2' as id2, title as text, ordinal
            from rustine.plan_item where plan = ${plan} and item = 'translation') each_one
          order by ${TEXT_KEY}, ordinal desc),
        old as materialized (
          select row_number() over (order by ${TEXT_KEY}) as row_number, to_jsonb(t) as value
          from rustine.translation t join s using (${TEXT_KEY}) where t.folder = ${folder} and t.text <> s.text),
        ${keepRows({ folder, integration, table: TEXTS, why: 'updated' })}
        insert into rustine.translation (folder, ${TEXT_KEY}, text) select ${folder}, ${TEXT_KEY}, text from s
        on conflict (folder, ${TEXT_KEY}) do update set text = excluded.text where translation.text <> excluded.text`,
    },
    {
      text: `insert into rustine.remainder (folder, integration, table_name, ordinal, fields)
        select ${folder}, ${integration}, name, ordinal, fields from rustine.plan_item where plan = ${plan} and item = 'remainder'`,
    },
  ];
}
