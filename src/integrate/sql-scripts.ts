// Runs SQL scripts inside a folder's transaction with the folder's rights and nothing more (decision 009), as statements of the one script.
import { Failure } from '../base/errors.ts';
import { type ServerError, serverError } from '../database/postgres.ts';
import { BEGUN_AGAIN } from '../database/session-settings.ts';
import { qualified, quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import { unlessSuperuser } from '../environment/roles.ts';
import type { FolderSettings, SqlRun } from '../plan/plan.ts';
import { noteScript, watchScript } from './script-writes.ts';

/** How the beginning and the end of a run are told: `<mark> <number> begin <word> <process>`, `<mark> <number> end <word>`. */
export const MARK = 'rustine-script';

export interface SqlScriptOptions {
  /** Limit for each script. */
  readonly timeoutMs: number;
  /** Statements that set the transaction up: a script may change settings, so they are made again after it. */
  readonly settings: readonly string[];
  /** Whether what was there before is remembered, so that it can be put back (R38). */
  readonly remembers: boolean;
}

/**
 * A script's text is executed by a function that belongs to the folder's role and runs with its rights (`security definer`): there PostgreSQL
 * refuses changes of role and the end of the transaction.
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
    findRunners(folder),
    ...runs.flatMap((run, at) => [
      ...(options.remembers ? [watchScript(run, folder, integration)] : []),
      `set local statement_timeout = ${limitOf(options.timeoutMs)}`,
      `do ${quoteLiteral(runBlock(run, at + 1, folder, integration, options))}`,
      ...CLEAN,
      // The next one, and what comes after the last, waits for locks no longer than the first.
      ...options.settings,
      ...(options.remembers ? [noteScript(run, folder, integration)] : []),
    ]),
    markFunctions(runs, folder),
    `update rustine.script_function set found_runners = null where folder = ${folder.id} and found_runners is not null`,
    ...closeRights(folder),
  ];
}

/** Rights that hands changed outlive a function that is replaced: they are none of the script's for that. */
function findRunners({ id, schema }: FolderSettings): string {
  return `update rustine.script_function f set found_runners = rustine.function_runners(p.oid)
    from pg_proc p where f.folder = ${id} and p.oid = to_regprocedure(format('%I.%s', ${quoteLiteral(schema)}, f.function))
      and f.runners <> rustine.function_runners(p.oid)`;
}

/** As the scripts of this transaction left them, also where one changed what another had made: what is found to be different later was changed by hand. */
function markFunctions(runs: readonly SqlRun[], { id, schema }: FolderSettings): string {
  const scripts = runs.map(({ name, digest }) => `(${quoteLiteral(name)}, decode('${digest}', 'hex'))`).join(', ');
  const speaksOfRights = `exists (select from (values ${scripts}) r (name, digest) join rustine.blob b on b.digest = r.digest
        where r.name = f.name and rustine.source(b.bytes) ~* ${quoteLiteral(String.raw`\m(grant|revoke)\M`)})`;
  return `update rustine.script_function f set mark = rustine.function_mark(p.oid), marked_on = current_setting('server_version_num')::integer / 10000,
      runners = case when f.found_runners = rustine.function_runners(p.oid) and not ${speaksOfRights} then f.runners else rustine.function_runners(p.oid) end
    from pg_proc p where f.folder = ${id} and p.oid = to_regprocedure(format('%I.%s', ${quoteLiteral(schema)}, f.function))
      and age(p.xmin) <= age(pg_current_xact_id()::xid)`;
}

const limitOf = (timeoutMs: number): number => Math.max(1, Math.round(timeoutMs));

/** Where a statement of ours looks up names while scripts run: never among what a script made, temporary objects included. */
const OWN_NAMES = 'set local search_path = pg_catalog, pg_temp';

/**
 * One run. The function has a name that nobody knows before it is there (a script can read the text of the whole message, so the server makes it
 * up), and is made and called with nothing in between. Its beginning and end are told with a word that the script cannot read, so that whoever
 * watches the time believes nobody else (script-watch).
 */
function runBlock(run: SqlRun, number: number, folder: FolderSettings, integration: string, options: SqlScriptOptions): string {
  const timeoutMs = limitOf(options.timeoutMs);
  const { schema, role } = folder;
  const path = [...[folder, ...folder.ancestors].map((each) => quoteIdentifier(each.schema)), 'pg_temp'].join(', ');
  const refuse = (condition: string, sqlstate: string, message: string): string =>
    `if ${condition} then raise exception using errcode = '${sqlstate}', message = ${quoteLiteral(message)}, detail = runner; end if;`;
  // Where folders have no logins, a script has the rights of the database user, whose login is none of the folder's.
  const ofLogin = (statement: (login: string) => string): string =>
    role === null ? '' : statement(quoteLiteral(quoteIdentifier(role)));
  return `declare
    runner constant text := '${RUNNER_PREFIX}${number}_' || replace(gen_random_uuid()::text, '-', '');
    word constant text := gen_random_uuid();
    began constant timestamptz := clock_timestamp();
    login_query constant text := ${quoteLiteral(LOGIN)} || case when has_table_privilege('pg_authid', 'select') then ${quoteLiteral(PASSWORD)} else '' end;
    login_before text;
    login_after text;
  begin
    execute format('create function %I.%I(text) returns void language plpgsql security definer set search_path = %s set row_security = on as %L',
      ${quoteLiteral(schema)}, runner, ${quoteLiteral(path)}, ${quoteLiteral(RUNNER_BODY)});
    ${ofLogin((login) => `execute format('alter function %I.%I(text) owner to %s', ${quoteLiteral(schema)}, runner, ${login});`)}
    ${ofLogin((login) => `execute login_query into login_before using ${login};`)}
    raise info '${MARK} ${number} begin % %', word, pg_backend_pid();
    execute format('select %I.%I($1)', ${quoteLiteral(schema)}, runner)
      using (select rustine.source(bytes) from rustine.blob where digest = decode('${run.digest}', 'hex'));
    perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    raise info '${MARK} ${number} end %', word;
    ${refuse(`clock_timestamp() - began > interval '${timeoutMs} milliseconds'`, '57014', 'canceling statement due to statement timeout')}
    ${refuse(`current_setting('transaction_read_only') = 'on'`, '25006', 'a script must not make the transaction read-only')}
    ${refuse(`to_regprocedure(format('%I.%I(text)', ${quoteLiteral(schema)}, runner)) is null`, '0A000', 'a script must not drop all that its role owns')}
    ${ofLogin((login) => `execute login_query into login_after using ${login};`)}
    ${refuse('login_after is distinct from login_before', '0A000', "a script must not change its folder's login (password, settings)")}
    ${role === null ? '' : refuse(deferrableOf(role), '0A000', 'deferrable constraints of a script are not allowed')}
    ${options.remembers ? `perform pg_catalog.set_config('rustine.integration', ${quoteLiteral(integration)}, true);` : ''}
    ${run.own ? `${recordFunctions(run.name, folder, integration)};` : ''}
    execute format('drop function %I.%I(text)', ${quoteLiteral(schema)}, runner);
  end`;
}

const RUNNER_PREFIX = 'rustine_run_';
const RUNNER = /\brustine_run_(\d+)_[0-9a-f]{32}\b/g;
/** Deferred triggers would otherwise fire at the commit, with the rights of whoever commits. */
const RUNNER_BODY = 'begin execute $1; set constraints all immediate; end';

/** What a role can change about itself; its password shows only to who may see passwords. $1: the role, quoted. */
const LOGIN = `select (select jsonb_agg(jsonb_build_array(setdatabase::text, setconfig) order by setdatabase) from pg_db_role_setting where setrole = to_regrole($1))::text`;
const PASSWORD = ` || coalesce((select rolpassword from pg_authid where oid = to_regrole($1)), '')`;

/** What a script can leave in the session that would act later, with other rights than its own. */
const CLEAN: readonly string[] = [
  'reset all',
  ...BEGUN_AGAIN,
  // A cursor that outlives the transaction is read at its end.
  'close all',
  'deallocate all',
  'discard temp',
  'select pg_catalog.pg_advisory_unlock_all()',
];

/** Around statements that change the functions of a folder's role. */
export function scriptRights(folder: FolderSettings): { readonly open: readonly string[]; readonly close: readonly string[] } {
  return { open: openRights(folder), close: closeRights(folder) };
}

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
function recordFunctions(script: string, folder: FolderSettings, integration: string): string {
  return `insert into rustine.script_function (folder, kind, name, function, integration, definition)
    select ${folder.id}, 'TRT', ${quoteLiteral(script)},
      format('%I(%s)', p.proname, (select string_agg(format_type(a.type, null), ', ' order by a.ordinality) from unnest(p.proargtypes) with ordinality as a (type))),
      ${integration}, rustine.function_definition(p.oid)
    from pg_proc r join pg_proc p on p.pronamespace = r.pronamespace and p.oid <> r.oid
    where r.pronamespace = ${quoteLiteral(quoteIdentifier(folder.schema))}::regnamespace and r.proname = runner
      and age(p.xmin) <= age(r.xmin) and p.cmin::text::int8 > r.cmin::text::int8
    on conflict (folder, function) do update set kind = excluded.kind, name = excluded.name, integration = excluded.integration, definition = excluded.definition`;
}

/** A constraint that is checked at the end of the transaction would be checked with other rights than the script's. */
function deferrableOf(role: string): string {
  return `exists (select from pg_constraint c join pg_class t on t.oid = c.conrelid
      where c.condeferrable and c.contype <> 'f' and t.relowner = ${quoteLiteral(quoteIdentifier(role))}::regrole)`;
}

/** Errors that say something about the world and nothing about the script: lock not available, deadlock, connection, resources, shutdown. */
const NOT_THE_SCRIPTS = /^(55P03|40|08|53|57P|58|XX)/;

/**
 * An error inside a script as a failure that names the script and the place in it; any other error as it is.
 * @param begun number of the run that was the last to begin: its time may be up when it has just ended
 */
export function scriptFailure(error: unknown, runs: readonly SqlRun[], folder: string, begun: number): unknown {
  const said = serverError(error);
  if (said === undefined || NOT_THE_SCRIPTS.test(said.sqlstate)) return error;
  // The outermost frame is ours: a script could name a function of its own like that.
  const [runner, number] = [...`${said.detail}\n${said.context.join('\n')}`.matchAll(RUNNER)].at(-1) ?? [];
  const run = runs[Number(number ?? (said.sqlstate === QUERY_CANCELED ? begun : 0)) - 1];
  if (run === undefined) return error;
  return new Failure(
    'script-failed',
    {
      element: elementOf(run),
      script: run.name,
      folder,
      sqlstate: said.sqlstate,
      reason: said.message,
      detail: said.detail.startsWith(RUNNER_PREFIX) ? '' : said.detail,
      hint: said.hint,
      ...(runner === undefined ? {} : placeOf(said, runner)),
    },
    error,
  );
}

const QUERY_CANCELED = '57014';

export const elementOf = (run: SqlRun): string => `${run.when === 'end' ? 'EXE' : 'TRT'}:${run.name}`;

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
