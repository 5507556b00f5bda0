// Brings all tables of a folder in line with its dictionary, data types, activity codes and modules (R26, R35).
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Database, Session } from '../database/database.ts';
import type { Folder } from '../environment/folder.ts';
import { checkLocks } from '../integrate/lock-capacity.ts';
import { reopened } from '../integrate/reopened.ts';
import { settingsOf } from '../integrate/settings.ts';
import { tableFailure } from '../integrate/table-failure.ts';
import { checkValues, restorable } from '../integrate/value-checks.ts';
import { changeStatements } from '../integrate/write-tables.ts';
import { droppedViewStatements, viewStatements } from '../integrate/write-views.ts';
import type { TableOutcome } from '../journal/outcome.ts';
import { NO_TABLES, tableOutcome } from '../journal/outcome.ts';
import { planValidation } from '../plan/validation-plan.ts';
import { costsOf } from '../tables/cost.ts';
import type { TableChange } from '../tables/diff.ts';
import { lockTables } from '../tables/locks.ts';

export interface TablesInLine {
  readonly tables: TableOutcome;
  readonly findings: readonly Finding[];
}

/**
 * Where findings block, nothing was changed.
 * @param before what the validation changed already: rows that were left out for want of these may come now, too
 */
export async function bringTables(
  session: Session,
  database: Database,
  folder: Folder,
  operator: string,
  before: readonly TableChange[],
): Promise<TablesInLine> {
  const plan = await planValidation(session, settingsOf(folder));
  if (blocks(plan.findings)) return { tables: NO_TABLES, findings: plan.findings };
  await checkLocks(session, folder, plan.locks);
  const checked = await checkValues(session, plan.tables, folder.schema);
  if (blocks(checked.findings)) return { tables: NO_TABLES, findings: [...plan.findings, ...checked.findings] };
  const origin = { schema: folder.schema, folder: folder.id, integration: null, by: operator };
  const statements = [
    ...droppedViewStatements(plan, folder),
    ...changeStatements(plan.tables, origin),
    ...viewStatements(plan, folder),
    ...reopened([...before, ...plan.tables], folder.id).map((text) => ({ text })),
  ].map(({ text }) => text);
  if (statements.length > 0) {
    await session.script([...lockTables(plan.tables, folder.schema), ...statements].join(';\n')).catch(async (error: unknown) => {
      throw await tableFailure(error, database, folder, plan.tables);
    });
  }
  return {
    tables: tableOutcome(plan.tables, costsOf(plan.tables, new Map([...plan.rows, ...checked.rows]))),
    findings: [...plan.findings, ...restorable(plan.tables, plan.aside)],
  };
}
