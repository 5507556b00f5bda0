// Runs SQL scripts inside a folder's transaction with the folder's rights and nothing more (decision 009), as statements of the one script.
import { Failure } from '../base/errors.ts';
import { type ServerError, serverError } from '../database/postgres.ts';
import { qualified, quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import { unlessSuperuser } from '../environment/roles.ts';
import type { FolderSettings, SqlRun } from '../plan/plan.ts';

export interface SqlScriptOptions {
  /** Limit for each script. */
  readonly timeoutMs: number;
  /** Statements that set the transaction up: a script may change settings, so they are made again after it. */
  readonly settings: readonly string[];
}

/** Name of the function through which the run with this number goes; the server names it where a script fails. */
const runnerName = (at: number): string => `rustine_run_${at + 1}`;
const RUNNER = /\brustine_run_(\d+)\(/g;

/**
 * A script's text is executed by a function that belongs to the folder's role and runs with its rights (`security definer`): there PostgreSQL
 * refuses changes of role and the end of the transaction. The function is made and called with nothing in between, so no script can put its
 * own in its place.
 */
export function sqlScriptStatements(
  runs: readonly SqlRun[],
  folder: FolderSettings,
  integration: string,
  options: SqlScriptOptions,
): readonly string[] {
  if (runs.length === 0) return [];
  return [
    ...openRights(folder),
    OWN_NAMES,
    ...runs.flatMap((run, at) => [
      ...runStatements(run, runnerName(at), folder, options),
      ...(run.own ? [recordFunctions(run.name, runnerName(at), folder, integration)] : []),
      `drop function ${qualified(folder.schema, runnerName(at))}(pg_catalog.text)`,
      ...checkAfter(folder, runnerName(at)),
    ]),
    ...closeRights(folder),
    ...options.settings,
  ];
}

/** Where a statement of ours looks up names while scripts run: never among what a script made, temporary objects included. */
const OWN_NAMES = 'set local search_path = pg_catalog, pg_temp';

function runStatements(run: SqlRun, runner: string, folder: FolderSettings, { timeoutMs }: SqlScriptOptions): readonly string[] {
  const name = qualified(folder.schema, runner);
  const path = [...[folder, ...folder.ancestors].map(({ schema }) => quoteIdentifier(schema)), 'pg_temp'].join(', ');
  return [
    // Deferred triggers would otherwise fire at the commit, with the rights of whoever commits.
    `create function ${name}(pg_catalog.text) returns pg_catalog.void language plpgsql security definer set search_path = ${path}
      as 'begin execute $1; set constraints all immediate; end'`,
    ...(folder.role === null ? [] : [`alter function ${name}(pg_catalog.text) owner to ${quoteIdentifier(folder.role)}`]),
    `set local statement_timeout = ${Math.max(1, Math.round(timeoutMs))}`,
    `select ${name}(rustine.source(bytes)) from rustine.blob where digest = '\\x${run.digest}'`,
    ...CLEAN,
  ];
}

/** What a script can leave in the session that would act later, with other rights than its own. */
const CLEAN: readonly string[] = [
  'reset all',
  OWN_NAMES,
  // A cursor that outlives the transaction is read at its end.
  'close all',
  'deallocate all',
  'discard temp',
  'select pg_catalog.pg_advisory_unlock_all()',
];

/** The role may create in its schema only meanwhile, and its APATCH is never its own to change. */
function openRights({ schema, role }: FolderSettings): readonly string[] {
  if (role === null) return [];
  const name = quoteIdentifier(role);
  return [
    // Who is no superuser gives functions away to roles that he is a member of.
    unlessSuperuser(`grant ${name} to current_user`),
    `grant create on schema ${quoteIdentifier(schema)} to ${name}`,
    `revoke insert, update, delete, truncate on ${qualified(schema, 'apatch')} from ${name}`,
  ];
}

function closeRights({ schema, role }: FolderSettings): readonly string[] {
  if (role === null) return [];
  const name = quoteIdentifier(role);
  return [`revoke create on schema ${quoteIdentifier(schema)} from ${name}`, unlessSuperuser(`revoke ${name} from current_user`)];
}

/** Functions that came after the runner in this transaction: also those that a block with a handler made, whose xmin is another. */
function recordFunctions(script: string, runner: string, folder: FolderSettings, integration: string): string {
  const schema = `${quoteLiteral(quoteIdentifier(folder.schema))}::pg_catalog.regnamespace`;
  return `insert into rustine.script_function (folder, kind, name, function, integration)
    select ${folder.id}, 'TRT', ${quoteLiteral(script)},
      pg_catalog.format('%I(%s)', p.proname, (select pg_catalog.string_agg(pg_catalog.format_type(a.type, null), ', ' order by a.ordinality) from pg_catalog.unnest(p.proargtypes) with ordinality as a (type))),
      ${integration}
    from pg_catalog.pg_proc r join pg_catalog.pg_proc p on p.pronamespace = r.pronamespace and p.oid <> r.oid
    where r.pronamespace = ${schema} and r.proname = ${quoteLiteral(runner)}
      and pg_catalog.age(p.xmin) <= pg_catalog.age(r.xmin) and p.cmin::pg_catalog.text::pg_catalog.int8 > r.cmin::pg_catalog.text::pg_catalog.int8
    on conflict (folder, function) do update set kind = excluded.kind, name = excluded.name, integration = excluded.integration`;
}

/**
 * A constraint that is checked at the end of the transaction would be checked with other rights than the script's. One that a script
 * leaves behind is refused by the name of its run.
 */
function checkAfter({ role }: FolderSettings, runner: string): readonly string[] {
  if (role === null) return [];
  const block = `begin
    if exists (select from pg_catalog.pg_constraint c join pg_catalog.pg_class t on t.oid = c.conrelid
      where c.condeferrable and c.contype <> 'f' and t.relowner = ${quoteLiteral(quoteIdentifier(role))}::pg_catalog.regrole) then
      raise exception using errcode = 'feature_not_supported', message = 'deferrable constraints of a script are not allowed', detail = ${quoteLiteral(`${runner}(`)};
    end if; end`;
  return [`do ${quoteLiteral(block)}`];
}

/** Functions that the scripts' earlier versions made and the new ones did not; one statement for all scripts of a plan. */
export function dropFormerFunctions(plan: string, folder: FolderSettings, integration: string): string {
  const block = `declare gone pg_catalog.text; begin
    for gone in delete from rustine.script_function f using rustine.plan_item p
      where p.plan = ${plan} and p.item = 'script' and f.folder = ${folder.id} and f.kind = p.type and f.name = p.name and f.integration <> ${integration}
      returning f.function
    loop execute 'drop routine if exists ' || ${quoteLiteral(`${quoteIdentifier(folder.schema)}.`)} || gone; end loop; end`;
  return `do ${quoteLiteral(block)}`;
}

/** Errors that say something about the world and nothing about the script: lock not available, deadlock, connection, resources, shutdown. */
const NOT_THE_SCRIPTS = /^(55P03|40|08|53|57P|58|XX)/;

/** An error inside a script as a failure that names the script and the place in it; any other error as it is. */
export function scriptFailure(error: unknown, runs: readonly SqlRun[], folder: string): unknown {
  const said = serverError(error);
  if (said === undefined || NOT_THE_SCRIPTS.test(said.sqlstate)) return error;
  // The outermost frame is ours: a script could name a function of its own like that.
  const at = [...`${said.detail}\n${said.context.join('\n')}`.matchAll(RUNNER)].at(-1)?.[1];
  const run = at === undefined ? undefined : runs[Number(at) - 1];
  if (run === undefined) return error;
  return new Failure(
    'script-failed',
    {
      element: `${run.when === 'end' ? 'EXE' : 'TRT'}:${run.name}`,
      script: run.name,
      folder,
      sqlstate: said.sqlstate,
      reason: said.message,
      detail: said.detail.startsWith('rustine_run_') ? '' : said.detail,
      hint: said.hint,
      ...placeOf(said, runnerName(Number(at) - 1)),
    },
    error,
  );
}

/** Only where the error is right in the script's text, not in a function that it calls, the position is one of that text. */
function placeOf(
  { query, position, context }: ServerError,
  runner: string,
): { readonly line?: number; readonly column?: number } {
  if (query === undefined || position === undefined || context[0]?.includes(runner) !== true) return {};
  const before = [...query]
    .slice(0, position - 1)
    .join('')
    .split('\n');
  return { line: before.length, column: [...(before.at(-1) ?? '')].length + 1 };
}
