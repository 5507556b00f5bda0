// Makes the typed views of a folder's dictionary follow columns that were put back: away before the tables change, made again after it.
import type { Session } from '../database/database.ts';
import { qualified, sql } from '../database/sql.ts';
import { columnsFromText, viewSql } from '../dictionary/views.ts';
import type { FolderSettings } from '../plan/plan.ts';

/** Name → its SQL; a view that is hidden is not there. */
export type Views = ReadonlyMap<string, string>;

export async function readViews(session: Session, folder: FolderSettings): Promise<Views> {
  const rows = await session.query<{ name: string; columns: readonly string[] }>(
    sql`select name, columns from rustine.dictionary_view where folder = ${folder.id} and not hidden and columns <> '{}'`,
  );
  return new Map(rows.map(({ name, columns }) => [name, viewSql(name, columnsFromText(columns), folder.id, folder.schema)]));
}

/** @throws what PostgreSQL says (2BP01) where something else uses one */
export async function dropViews(session: Session, folder: FolderSettings, now: Views, wanted: Views): Promise<void> {
  const going = [...now].filter(([name, text]) => wanted.get(name) !== text).map(([name]) => qualified(folder.schema, name));
  if (going.length > 0) await session.script(`drop view if exists ${going.join(', ')}`);
}

export async function makeViews(session: Session, now: Views, wanted: Views): Promise<void> {
  const made = [...wanted].filter(([name, text]) => now.get(name) !== text).map(([, text]) => text);
  if (made.length > 0) await session.script(made.join(';\n'));
}
