// Runs the script of a plan in a folder's transaction: one round trip, or two where delivered rows could collide with others.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Database, Session, StatementResult } from '../database/database.ts';
import type { FolderSettings, Plan } from '../plan/plan.ts';
import { lockTables } from '../tables/locks.ts';
import type { Applied } from './apply.ts';
import { applyScript } from './apply.ts';
import { watched } from './script-watch.ts';
import type { SqlScriptOptions } from './sql-scripts.ts';
import { tableFailure } from './table-failure.ts';
import { collisionFindings, collisionStatements } from './write-unique-rows.ts';

/** @returns findings where delivered values would stand twice in an index without duplicates: nothing is written then */
export async function writePlan(
  session: Session,
  database: Database,
  folder: FolderSettings,
  made: Plan,
  integration: string,
  options: SqlScriptOptions,
): Promise<{ readonly applied: Applied } | { readonly findings: readonly Finding[] }> {
  // What is to be run once for a folder runs where the folder is.
  const plan = folder.mirror === true ? { ...made, runs: made.runs.filter(({ when }) => when !== 'end') } : made;
  const watch = { runs: plan.runs, folder: folder.code, timeoutMs: options.timeoutMs };
  const run = (statements: readonly string[]): Promise<readonly StatementResult[]> =>
    watched(database, watch, (heard) => session.script(statements.join(';\n'), heard)).catch(async (error: unknown) => {
      const tables = plan.batches.map(({ table }) => table);
      throw await tableFailure(error, database, folder, plan.tables, tables);
    });
  const script = applyScript(plan, folder, integration, options);
  const locks = lockTables(plan.tables, folder.schema);
  const collisions = collisionStatements(plan, folder);
  if (collisions.length === 0) {
    const [held, ...results] = (await run([...locks, holdPlan(plan), ...script.shape, ...script.content])).slice(locks.length);
    checkHeld(held);
    return { applied: script.read(results) };
  }
  // Which values meet shows itself once the tables are as they should be.
  const first = [...locks, holdPlan(plan), 'savepoint before_writing', ...script.shape, ...collisions];
  const [held, , ...shaped] = (await run(first)).slice(locks.length);
  checkHeld(held);
  const findings = collisionFindings(plan, shaped.at(-1));
  if (findings.length > 0) {
    await session.script('rollback to savepoint before_writing');
    return { findings };
  }
  return { applied: script.read([...shaped.slice(0, -collisions.length), ...(await run(script.content))]) };
}

/** Nobody removes what was staged while a folder reads it: the script's first statement. */
function holdPlan(plan: Plan): string {
  return `select id from rustine.work where id = ${plan.id} for share`;
}

function checkHeld(held: StatementResult | undefined): void {
  if (held?.rows.length !== 1) throw new Failure('database-lost', { reason: 'what was staged for this run is gone' });
}
