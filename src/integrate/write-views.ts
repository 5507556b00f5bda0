// Statements that make a plan's typed views, and note which columns they have.
import type { Session } from '../database/database.ts';
import { qualified, quoteLiteral, sql } from '../database/sql.ts';
import { columnsToText, viewSql } from '../dictionary/views.ts';
import type { FolderSettings, Plan } from '../plan/plan.ts';
import type { Statement } from './statement.ts';

/** Before the tables: one of them may want the name. */
export function droppedViewStatements(
  { views }: Pick<Plan, 'views'>,
  folder: Pick<FolderSettings, 'schema'>,
): readonly Statement[] {
  const names = views.filter(({ drop }) => drop).map(({ view }) => qualified(folder.schema, view));
  return names.length === 0 ? [] : [{ text: `drop view if exists ${names.join(', ')}` }];
}

/** After the tables. Nothing where nothing is new. */
export function viewStatements(
  { views }: Pick<Plan, 'views'>,
  folder: Pick<FolderSettings, 'id' | 'schema'>,
): readonly Statement[] {
  if (views.length === 0) return [];
  const made = views.filter(({ make, columns }) => make && columns.length > 0);
  const rows = views.map(
    ({ view, columns, hidden }) =>
      `(${folder.id}, ${quoteLiteral(view)}, array[${columnsToText(columns).map(quoteLiteral).join(', ')}]::text[], ${hidden})`,
  );
  return [
    ...made.map(({ view, columns }) => ({ text: viewSql(view, columns, folder.id, folder.schema) })),
    {
      text: `insert into rustine.dictionary_view (folder, name, columns, hidden) values ${rows.join(', ')}
        on conflict (folder, name) do update set columns = excluded.columns, hidden = excluded.hidden`,
    },
  ];
}

/** Makes way for an application table of the name outside a plan, as a table that is put back. */
export async function hideView(session: Session, schema: string, name: string): Promise<void> {
  const hidden = await session.query(sql`
    update rustine.dictionary_view v set hidden = true from rustine.folder f
    where f.id = v.folder and f.schema_name = ${schema} and v.name = ${name} and not v.hidden returning v.name`);
  if (hidden.length > 0) await session.script(`drop view if exists ${qualified(schema, name)}`);
}
