// Validates a folder: brings all its tables in line with its own settings and dictionary, in one transaction.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Database, Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { NO_LINES } from '../dictionary/merge-result.ts';
import { settledByValidation } from '../environment/due.ts';
import type { Folder } from '../environment/folder.ts';
import { checkLocks } from '../integrate/integrator.ts';
import { reopened } from '../integrate/reopened.ts';
import { settingsOf } from '../integrate/settings.ts';
import { tableFailure } from '../integrate/table-failure.ts';
import { checkValues, restorable } from '../integrate/value-checks.ts';
import { changeStatements } from '../integrate/write-tables.ts';
import { droppedViewStatements, viewStatements } from '../integrate/write-views.ts';
import { NO_ELEMENTS, NO_TABLES, tableOutcome } from '../journal/outcome.ts';
import { planValidation } from '../plan/validation-plan.ts';
import { costsOf } from '../tables/cost.ts';
import { lockTables } from '../tables/locks.ts';
import type { FolderValidation, Validated, ValidationContext } from './validation-context.ts';
import type { ValidationSources } from './validation-sources.ts';

export type { FolderValidation } from './validation-context.ts';

/**
 * Inside somebody's transaction. Where findings block, the folder is as it was, and the outcome is `failed`, with the findings.
 * @throws Failure `folder-not-ready`, or when the database refuses
 */
export async function validateInto(
  session: Session,
  database: Database,
  folder: Folder,
  _sources: ValidationSources,
  context: ValidationContext,
): Promise<Validated> {
  const started = performance.now();
  const ms = (): number => Math.round(performance.now() - started);
  const current = await lockFolder(session, folder, context);
  const failed = async (findings: readonly Finding[]): Promise<Validated> => {
    await session.script('rollback to savepoint before_validation');
    return { outcome: blockedBy(findings, current, ms()), findings };
  };
  context.step('tables');
  const plan = await planValidation(session, settingsOf(current));
  if (blocks(plan.findings)) return failed(plan.findings);
  await checkLocks(session, folder.code, plan.locks);
  const checked = await checkValues(session, plan.tables, folder.schema);
  if (blocks(checked.findings)) return failed([...plan.findings, ...checked.findings]);
  const origin = { schema: folder.schema, folder: folder.id, integration: null, by: context.operator };
  const statements = [
    ...droppedViewStatements(plan, current),
    ...changeStatements(plan.tables, origin),
    ...viewStatements(plan, current),
  ];
  const script = [...lockTables(plan.tables, folder.schema), ...statements.map(({ text }) => text)].join(';\n');
  if (statements.length > 0)
    await session.script(script).catch(async (error: unknown) => {
      throw await tableFailure(error, database, folder, plan.tables);
    });
  const opened = reopened(plan.tables, folder.id);
  const [again] = opened.length === 0 ? [] : await session.script(opened.join(';'));
  const settled = current.due.filter(settledByValidation);
  const left = current.due.filter((reason) => !settledByValidation(reason));
  if (settled.length > 0) await session.query(sql`update rustine.folder set due = ${left}::text[] where id = ${folder.id}`);
  const tables = tableOutcome(plan.tables, costsOf(plan.tables, new Map([...plan.rows, ...checked.rows])));
  const outcome: FolderValidation = {
    folder: folder.code,
    state: plan.tables.length === 0 ? 'unchanged' : 'validated',
    due: left.length > 0,
    reasons: left,
    settled,
    steps: [{ step: 'tables', changes: plan.tables.length }],
    elements: NO_ELEMENTS,
    lines: NO_LINES,
    tables,
    scripts: [],
    texts: 0,
    patches: [],
    ms: ms(),
  };
  const files = [...new Set((again?.rows ?? []).map(({ file }) => String(file)))].sort();
  const toCome: readonly Finding[] =
    files.length === 0 ? [] : [{ code: 'rows-to-come', severity: 'warn', facts: { folder: folder.code, files } }];
  return { outcome, findings: [...plan.findings, ...toCome, ...restorable(plan.tables, plan.aside)] };
}

/** The settings that count are those of the moment when nobody else can change them any more. */
async function lockFolder(session: Session, folder: Folder, context: ValidationContext): Promise<Folder> {
  await session.script(
    `set local lock_timeout = ${Math.round(context.lockTimeoutMs)}; set local client_min_messages = warning; savepoint before_validation`,
  );
  const [row] = await session.query<{
    state: string;
    due: readonly string[];
    codes: readonly string[];
    sizes: Readonly<Record<string, number>>;
    modules: readonly number[] | null;
  }>(
    sql`select state, due, activity_codes as codes, activity_sizes as sizes, modules from rustine.folder where id = ${folder.id} for update`,
  );
  if (row === undefined) throw new Failure('folder-unknown', { folder: folder.code, known: [] });
  if (row.state !== 'ready' && row.state !== 'locked')
    throw new Failure('folder-not-ready', { folder: folder.code, state: row.state });
  return { ...folder, due: row.due, activityCodes: row.codes, activitySizes: row.sizes, modules: row.modules };
}

function blockedBy(findings: readonly Finding[], folder: Folder, ms: number): FolderValidation {
  const codes = [...new Set(findings.filter(({ severity }) => severity === 'block').map(({ code }) => code))];
  return { ...failedValidation(folder, { code: 'blocked', facts: { codes } }), ms };
}

export function failedValidation(
  folder: Pick<Folder, 'code' | 'due'>,
  reason: NonNullable<FolderValidation['reason']>,
): FolderValidation {
  return {
    folder: folder.code,
    state: 'failed',
    due: folder.due.length > 0,
    reasons: folder.due,
    settled: [],
    steps: [],
    elements: NO_ELEMENTS,
    lines: NO_LINES,
    tables: NO_TABLES,
    scripts: [],
    texts: 0,
    patches: [],
    ms: 0,
    reason,
  };
}
