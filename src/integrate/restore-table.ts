// Puts a table back that went away: moved as it is where its name is free, else row by row into the table that has the name now.
import type { Session } from '../database/database.ts';
import { id, qualified, quoteIdentifier, quoteLiteral, sql } from '../database/sql.ts';
import type { StoredEntry } from '../environment/kept.ts';
import { KEPT_SCHEMA } from '../environment/kept.ts';
import { inspectTables } from '../tables/inspect.ts';
import type { InspectedTable } from '../tables/model.ts';
import { ROW_COLUMN, ROW_SEQUENCE, typeName } from '../tables/model.ts';
import { putRows } from './put-rows.ts';
import type { RestoredParts, Restoring } from './restoring.ts';
import { blocked, lockedTable, noted } from './restoring.ts';
import { hideView } from './write-views.ts';

export async function restoreTable(restoring: Restoring): Promise<RestoredParts> {
  const { session, entry } = restoring;
  const relation = entry.relation ?? '';
  const moved = relation === '' ? undefined : (await inspectTables(session, KEPT_SCHEMA, [relation])).get(relation);
  if (moved === undefined) return blocked(entry, 'kept-relation-gone', { relation: `${KEPT_SCHEMA}.${relation}` });
  const table = await lockedTable(restoring);
  if (table !== undefined) {
    const source = `select ${ROW_COLUMN} as row_number, to_jsonb(m) as value from ${qualified(KEPT_SCHEMA, relation)} m`;
    const types = new Map(table.columns.map(({ name, type }) => [name, typeName(type)]));
    const retyped = moved.columns.filter(({ name, type }) => types.get(name) !== typeName(type)).map(({ name }) => name);
    return putRows({ ...restoring, table, source, columns: moved.columns.map((column) => column.name), retyped });
  }
  await hideView(session, entry.schema, entry.table);
  const [other] = await session.query<{ name: string }>(
    sql`select relname as name from pg_class where relnamespace = to_regnamespace(quote_ident(${entry.schema})) and relname = ${entry.table}`,
  );
  if (other !== undefined) return blocked(entry, 'kept-name-taken', {});
  return moveBack(restoring, moved);
}

/** With its rows, its indexes and its number; the folder's role gets the rights that it has on every table. */
async function moveBack({ session, entry }: Restoring, moved: InspectedTable): Promise<RestoredParts> {
  const table = qualified(entry.schema, entry.table);
  await session.script(`alter table ${qualified(KEPT_SCHEMA, moved.name)} set schema ${quoteIdentifier(entry.schema)};
    alter table ${qualified(entry.schema, moved.name)} rename to ${quoteIdentifier(entry.table)};
    alter table ${table} alter column ${ROW_COLUMN} set default nextval(${quoteLiteral(qualified(entry.schema, ROW_SEQUENCE))}::regclass)
    ${entry.role === null ? '' : `; grant select, insert, update, delete on ${table} to ${quoteIdentifier(entry.role)}`}`);
  await renameIndexes(session, entry);
  const [counted] = await session.query<{ rows: number }>(
    sql`select count(*)::integer as rows from ${id(entry.schema, entry.table)}`,
  );
  return {
    rows: counted?.rows ?? 0,
    columns: [],
    whole: true,
    findings: [noted(entry, 'kept-undefined', 'warn', { columns: [] })],
  };
}

/** A name that something else has by now stays as it is. */
async function renameIndexes(session: Session, { schema, indexes }: StoredEntry): Promise<void> {
  const taken = await session.query<{ name: string }>(sql`
    select relname as name from pg_class
    where relnamespace = to_regnamespace(quote_ident(${schema})) and relname = any(${Object.values(indexes)}::name[])`);
  const renames = Object.entries(indexes)
    .filter(([, name]) => !taken.some((each) => each.name === name))
    .map(([aside, name]) => `alter index if exists ${qualified(schema, aside)} rename to ${quoteIdentifier(name)}`);
  if (renames.length > 0) await session.script(renames.join('; '));
}
