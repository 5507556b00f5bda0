// Statements for rows of tables with several indexes without duplicates: rows that change go and come again, so that values can change places.
import type { Finding } from '../base/finding.ts';
import type { StatementResult } from '../database/database.ts';
import { qualified, quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import type { FolderSettings, FurtherUnique, Plan } from '../plan/plan.ts';
import { ROW_COLUMN, TICK_COLUMN } from '../tables/model.ts';
import { keepRows } from './keep-rows.ts';
import { rememberOrder, rememberWritten, returningWritten, WRITTEN } from './remember-rows.ts';
import { batchesOf, keyList, sameKey } from './row-keys.ts';

const MOST_SAMPLES = 5;
const LONGEST_SAMPLE = 60;

/** The last of the delivered rows with a key: their key columns, and `fields`. */
function deliveredRows(plan: Plan, unique: FurtherUnique, table: string): string {
  const key = keyList(unique.key);
  return `s as materialized (
      select distinct on (${key}) ${key}, p.fields from rustine.plan_item p, jsonb_populate_record(null::${table}, p.fields) r
      where p.plan = ${plan.id} and p.item = 'row' and p.position in (${batchesOf(plan, unique.table).join(', ')}) order by ${key}, p.ordinal desc)`;
}

const orEmpty = (column: string, empty: string | null): string =>
  empty === null ? `r.${quoteIdentifier(column)}` : `coalesce(r.${quoteIdentifier(column)}, ${empty})`;

/**
 * As an update would, PostgreSQL looks at each row for itself: two rows that exchange a value would collide on the way. All rows that change
 * are deleted before the first comes again, with its number: the counts ask for that.
 */
export function uniqueRowStatement(
  plan: Plan,
  unique: FurtherUnique,
  folder: FolderSettings,
  integration: string,
  remembers: boolean,
): string {
  const of = { folder: folder.id, integration, schema: folder.schema, table: unique.table };
  const table = qualified(folder.schema, unique.table);
  const same = sameKey(unique.key, 't', 's');
  const noise = `array[${[...new Set([...unique.noise, TICK_COLUMN])].map(quoteLiteral).join(', ')}]`;
  const tick = quoteIdentifier(TICK_COLUMN);
  const all = [...unique.columns.map(({ column }) => column), ...unique.others, ROW_COLUMN].map(quoteIdentifier);
  const first = unique.columns.map(({ column, empty }) => orEmpty(column, column === TICK_COLUMN ? '1' : empty));
  return `with ${deliveredRows(plan, unique, table)},
    hit as materialized (select t as was, s.fields from ${table} t join s on ${same}),
    next as materialized (
      select (h.was).${quoteIdentifier(ROW_COLUMN)} as at, jsonb_populate_record(h.was, jsonb_build_object('${TICK_COLUMN}', (h.was).${tick} + 1) || h.fields) as row_
      from hit h where to_jsonb(jsonb_populate_record(h.was, h.fields)) - ${noise} is distinct from to_jsonb(h.was) - ${noise}),
    old as (delete from ${table} t using next n where t.rowid = n.at returning t.rowid as row_number, to_jsonb(t) as value),
    u as (insert into ${table} as w (${all.join(', ')}) overriding system value
      select ${all.map((column) => `(n.row_).${column}`).join(', ')} from next n where (select count(*) from old) > 0 ${returningWritten('w', remembers)}),
    i as (insert into ${table} as w (${unique.columns.map(({ column }) => quoteIdentifier(column)).join(', ')})
      select ${first.join(', ')} from s, jsonb_populate_record(null::${table}, s.fields) r
      where (select count(*) from old) >= 0 and not exists (select from ${table} t where ${same}) ${returningWritten('w', remembers)}),
    ${remembers ? `${rememberWritten(of, WRITTEN)}, ${rememberOrder(of)},` : ''}
    ${keepRows({ folder: folder.id, integration, table: unique.table, why: 'updated' })}
    select (select count(*) from i)::integer as inserted, (select count(*) from u)::integer as updated`;
}

interface Checked {
  readonly unique: FurtherUnique;
  readonly index: FurtherUnique['indexes'][number];
}

const checkedIndexes = (plan: Plan): readonly Checked[] =>
  plan.furtherUnique.flatMap((unique) => unique.indexes.map((index) => ({ unique, index })));

/** Locks the tables and asks which values would stand there twice after the rows are written: two statements, or none. */
export function collisionStatements(plan: Plan, folder: FolderSettings): readonly string[] {
  const checks = checkedIndexes(plan);
  if (checks.length === 0) return [];
  const tables = [...new Set(checks.map(({ unique }) => qualified(folder.schema, unique.table)))].sort();
  return [
    `lock table ${tables.join(', ')} in share row exclusive mode`,
    checks.map((check, at) => `select ${at} as at, c.* from (${collisionSql(plan, check, folder)}) c`).join(' union all '),
  ];
}

/** Delivered values among themselves, and against those of rows that stay as they are; in a replaced table none do. */
function collisionSql(plan: Plan, { unique, index }: Checked, folder: FolderSettings): string {
  const table = qualified(folder.schema, unique.table);
  const same = sameKey(unique.key, 't', 's');
  const replaced = plan.replaced.some((each) => each.table === unique.table);
  const empty = new Map(unique.columns.map(({ column, empty }) => [column, empty]));
  const names = index.columns.map(quoteIdentifier);
  const created = index.columns.map((column) => `${orEmpty(column, empty.get(column) ?? null)} as ${quoteIdentifier(column)}`);
  const fromNothing = `select ${created.join(', ')} from s, jsonb_populate_record(null::${table}, s.fields) r`;
  const come = replaced
    ? fromNothing
    : `select ${names.map((name) => `r.${name}`).join(', ')} from ${table} t join s on ${same}, jsonb_populate_record(t, s.fields) r
       union all ${fromNothing} where not exists (select from ${table} t where ${same})`;
  const stay = replaced
    ? ''
    : `union all select ${names.map((name) => `t.${name}`).join(', ')} from ${table} t join (select distinct * from come) c using (${names.join(', ')})
       where not exists (select from s where ${same})`;
  return `with ${deliveredRows(plan, unique, table)}, come as materialized (${come}),
      twice as (select pg_catalog.concat_ws('~', ${names.join(', ')}) as key, count(*) as times from (select * from come ${stay}) each_one
        where ${names.map((name) => `${name} is not null`).join(' and ')} group by ${names.join(', ')} having count(*) > 1)
    select count(*)::integer as count, (array_agg(left(key, ${LONGEST_SAMPLE}) order by key))[1:${MOST_SAMPLES}] as keys from twice`;
}

export function collisionFindings(plan: Plan, result: StatementResult | undefined): readonly Finding[] {
  const counts = new Map((result?.rows ?? []).map((row) => [Number(row.at), row]));
  return checkedIndexes(plan).flatMap(({ unique, index }, at): readonly Finding[] => {
    const count = Number(counts.get(at)?.count ?? 0);
    if (count === 0) return [];
    const facts = { table: unique.code, index: index.name, count, keys: counts.get(at)?.keys as readonly string[] };
    return [{ code: 'rows-collide', severity: 'block', subject: `ATB:${unique.code}`, facts }];
  });
}
