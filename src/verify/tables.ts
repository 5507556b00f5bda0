// What stands in a folder's schema against what its dictionary and scripts made: once for all folders that look the same.
import type { Session } from '../database/database.ts';
import { quoteIdentifier, sql } from '../database/sql.ts';
import { columnsFromText, viewSql } from '../dictionary/views.ts';
import type { Folder } from '../environment/folder.ts';
import { settingsOf } from '../integrate/settings.ts';
import { planValidation } from '../plan/validation-plan.ts';
import type { Difference } from './difference.ts';
import { FOLDER, SCHEMA, warn } from './difference.ts';
import { judgeShape } from './shape.ts';
import { expectedViews, gatherShape, shapeMark } from './shape-facts.ts';

/** What was found already, by what the folder looks like. */
export type KnownShapes = Map<string, Promise<readonly Difference[]>>;

/** In a transaction that is rolled back. */
export async function verifyTables(session: Session, folder: Folder, known: KnownShapes): Promise<readonly Difference[]> {
  const schema = await schemaDifference(session, folder);
  if (schema !== undefined) return [schema];
  const mark = `${folder.role === null} ${folder.parent === null} ${await shapeMark(session, folder)}`;
  const before = known.get(mark);
  if (before !== undefined) return before;
  const found = compare(session, folder);
  known.set(mark, found);
  found.catch(() => known.delete(mark));
  return found;
}

async function compare(session: Session, folder: Folder): Promise<readonly Difference[]> {
  const facts = await gatherShape(session, folder);
  const plan = await planValidation(session, settingsOf(folder));
  const wanted = facts.views.map(({ name, columns }) => ({ name, columns: columnsFromText(columns) }));
  const made = await expectedViews(
    session,
    new Map(wanted.map(({ name, columns }) => [name, viewSql(name, columns, folder.id, 'pg_temp')])),
  );
  const views = new Map(
    wanted.map(({ name, columns }) => [
      name,
      { definition: made.get(name) ?? '', sql: shared(viewSql(name, columns, NO_FOLDER, SCHEMA)) },
    ]),
  );
  return judgeShape(plan, facts, views, { scriptsOwnTables: folder.role !== null, supervisor: folder.parent === null });
}

/** One that was renamed is known by the login, which may still use it, and by a table that every folder has. */
async function schemaDifference(session: Session, { schema, role }: Folder): Promise<Difference | undefined> {
  const [row] = await session.query<{ there: boolean; others: readonly string[] }>(sql`
    select to_regnamespace(quote_ident(${schema})) is not null as there, case when to_regnamespace(quote_ident(${schema})) is null then array(
      select n.nspname::text from pg_namespace n cross join lateral aclexplode(n.nspacl) a
      where a.grantee = to_regrole(quote_ident(${role}))::oid and not exists (select from rustine.folder f where f.schema_name = n.nspname)
        and to_regclass(format('%I.apatch', n.nspname)) is not null) else '{}' end as others`);
  if (row?.there === true) return undefined;
  const [found] = row?.others ?? [];
  if (found === undefined || row?.others.length !== 1) return warn('schema-missing', SCHEMA, { schema }, { by: 'backup' });
  const statement = `alter schema ${quoteIdentifier(found)} rename to ${SCHEMA}`;
  return warn('schema-renamed', SCHEMA, { schema, found }, { by: 'sql', statement });
}

const NO_FOLDER = -1_000_000_007;

/** For whichever folder. */
function shared(statement: string): string {
  return statement.replaceAll(`"${SCHEMA}"`, SCHEMA).replaceAll(String(NO_FOLDER), FOLDER);
}
