// Statements that write a plan's scripts, run those that are SQL, and list those to be run outside (R28).
import { quoteLiteral } from '../database/sql.ts';
import type { FolderSettings, Plan } from '../plan/plan.ts';
import { formerFunctionStatements } from './former-functions.ts';
import { noteFunctions, rememberFunctions } from './function-images.ts';
import type { SqlScriptOptions } from './sql-scripts.ts';
import { sqlScriptStatements } from './sql-scripts.ts';
import type { Statement } from './statement.ts';

export function scriptStatements(
  plan: Plan,
  folder: FolderSettings,
  integration: string,
  options: SqlScriptOptions,
): readonly Statement[] {
  // Where no script runs, no function changes.
  const remembers = options.remembers && (plan.runs.length > 0 || plan.formerFunctions);
  return [
    ...(remembers ? [{ text: rememberFunctions(folder, integration) }] : []),
    { text: scriptStatement(plan.id, folder.id, integration), counts: 'scripts' },
    { text: pendingStatement(plan.id, folder.id, integration) },
    ...doneStatements(plan, folder.id),
    ...sqlScriptStatements(plan.runs, folder, integration, options).map((text) => ({ text })),
    ...(plan.formerFunctions ? formerStatements(folder, integration) : []),
    ...(remembers ? [{ text: noteFunctions(folder, integration) }] : []),
  ];
}

function formerStatements(folder: FolderSettings, integration: string): readonly Statement[] {
  const [drop, tell] = formerFunctionStatements(folder, integration);
  return [{ text: drop }, { text: tell, counts: 'functions' }];
}

function scriptStatement(plan: string, folder: number, integration: string): string {
  return `insert into rustine.script (folder, kind, name, title, digest, created_by, updated_by)
    select distinct on (type, name) ${folder}, type, name, title, digest, ${integration}, ${integration} from rustine.plan_item
    where plan = ${plan} and item = 'script' order by type, name, ordinal desc
    on conflict (folder, kind, name) do update set title = excluded.title, digest = excluded.digest, updated_by = excluded.updated_by`;
}

/** What runs now waits no more, whichever patch listed it. */
function doneStatements({ runs }: Plan, folder: number): readonly Statement[] {
  const names = runs.flatMap(({ name, when }) => (when === 'end' ? [quoteLiteral(name)] : []));
  return names.length === 0
    ? []
    : [{ text: `delete from rustine.pending_script where folder = ${folder} and script in (${names.join(', ')})` }];
}

function pendingStatement(plan: string, folder: number, integration: string): string {
  return `insert into rustine.pending_script (folder, script, title, integration, language, delivered)
    select ${folder}, name, coalesce(title, ''), ${integration}, scope, digest from rustine.plan_item where plan = ${plan} and item = 'exe'
    on conflict (folder, script) do update set title = excluded.title, integration = excluded.integration, since = now(), language = excluded.language,
      delivered = excluded.delivered, attempts = 0, last_error = null, last_run = null`;
}
