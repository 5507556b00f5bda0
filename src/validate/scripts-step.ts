// Makes the functions of a folder's SQL scripts again where they are missing or were altered, and tells what hides newer scripts or waits (R5, R28, R35).
import type { Finding } from '../base/finding.ts';
import type { Database, Session } from '../database/database.ts';
import { quoteIdentifier, sql } from '../database/sql.ts';
import type { Folder } from '../environment/folder.ts';
import { transactionSettings } from '../integrate/integrator.ts';
import { watched } from '../integrate/script-watch.ts';
import { settingsOf } from '../integrate/settings.ts';
import { sqlScriptStatements } from '../integrate/sql-scripts.ts';
import type { SqlRun } from '../plan/plan.ts';
import type { ValidationContext } from './validation-context.ts';
import type { ValidationSources } from './validation-sources.ts';

export interface Functions {
  /** Scripts that were run again. */
  readonly scripts: readonly string[];
  /** Scripts of patches that are still to be run. */
  readonly pending: readonly string[];
  readonly findings: readonly Finding[];
}

interface Row {
  readonly name: string;
  readonly digest: string;
}

/** Nothing is run where all functions are as the scripts made them. @throws Failure `script-failed` */
export async function bringFunctions(
  session: Session,
  database: Database,
  folder: Folder,
  stale: readonly string[],
  integration: string,
  sources: ValidationSources,
  context: ValidationContext,
): Promise<Functions> {
  const rows = await session.query<Row & { pending: readonly string[] }>(sql`
    with pending as (select coalesce(array_agg(script order by script), '{}') as scripts from rustine.pending_script where folder = ${folder.id})
    select '' as name, '' as digest, scripts as pending from pending
    union all
    select distinct s.name, encode(s.digest, 'hex'), '{}'::text[]
    from rustine.script_function f join rustine.script s using (folder, kind, name)
    left join pg_proc p on p.oid = to_regprocedure(format('%s.%s', ${quoteIdentifier(folder.schema)}::text, f.function))
    where f.folder = ${folder.id} and (p.oid is null or f.definition <> rustine.function_definition(p.oid))
      -- What a patch ran at its end runs once for each folder (R28), whatever it left.
      and not exists (select from rustine.integration i where i.id = f.integration and i.outcome -> 'ran' ? f.name)
    order by name`);
  const [waiting, ...scripts] = rows;
  const findings = staleFindings(folder, stale);
  const pending = waiting?.pending ?? [];
  if (scripts.length === 0) return { scripts: [], pending, findings };
  const runs = scripts.map(({ name, digest }): SqlRun => ({ name, digest, when: 'installed', own: true }));
  const settings = [...transactionSettings(sources, context), `set local rustine.integration = '${integration}'`];
  const statements = sqlScriptStatements(runs, settingsOf(folder), integration, {
    timeoutMs: context.scriptTimeoutMs,
    settings,
    remembers: false,
  });
  const watch = { runs, folder: folder.code, timeoutMs: context.scriptTimeoutMs };
  await watched(database, watch, (heard) => session.script(statements.join(';\n'), heard));
  return { scripts: scripts.map(({ name }) => `TRT:${name}`), pending, findings };
}

function staleFindings({ code }: Folder, stale: readonly string[]): readonly Finding[] {
  if (stale.length === 0) return [];
  const facts = { folder: code, count: stale.length, scripts: stale.slice(0, 20), command: 'rustine script shadowed' };
  return [{ code: 'scripts-hide-newer', severity: 'warn', facts }];
}

/** Also of patches that came with this validation. */
export function pendingFindings({ code }: Folder, scripts: readonly string[]): readonly Finding[] {
  if (scripts.length === 0) return [];
  return [{ code: 'scripts-to-run', severity: 'info', facts: { folder: code, scripts, command: 'rustine script pending' } }];
}
