// What stands in a folder's schema against what its dictionary and scripts made: once for all folders that look the same.
import type { Session } from '../database/database.ts';
import { columnsFromText, viewSql } from '../dictionary/views.ts';
import type { Folder } from '../environment/folder.ts';
import { readLostSchemas, renamedBack } from '../environment/lost-schemas.ts';
import { settingsOf } from '../integrate/settings.ts';
import { planValidation } from '../plan/validation-plan.ts';
import type { Difference } from './difference.ts';
import { FOLDER, SCHEMA, warn } from './difference.ts';
import { verifyRowSequence } from './row-sequence.ts';
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
  const found = judgeShape(plan, facts, views, { scriptsOwnTables: folder.role !== null, supervisor: folder.parent === null });
  const sequence = await verifyRowSequence(session, folder);
  return [...sequence.differences, ...found.filter((difference) => !sequence.explains(difference))];
}

async function schemaDifference(session: Session, { id }: Folder): Promise<Difference | undefined> {
  const [lost] = await readLostSchemas(session, [id]);
  if (lost === undefined) return undefined;
  const { schema, found } = lost;
  if (found === null) return warn('schema-missing', SCHEMA, { schema }, { by: 'backup' });
  return warn('schema-renamed', SCHEMA, { schema, found }, { by: 'sql', statement: renamedBack(found, SCHEMA) });
}

const NO_FOLDER = -1_000_000_007;

/** For whichever folder. */
function shared(statement: string): string {
  return statement.replaceAll(`"${SCHEMA}"`, SCHEMA).replaceAll(String(NO_FOLDER), FOLDER);
}
