// Brings a history folder in line with its live folder where a validation would keep what is the folder's own: settings, what is gone, the level (R36).
import type { Finding } from '../base/finding.ts';
import type { Database, Session } from '../database/database.ts';
import { id, quoteIdentifier, quoteLiteral, sql } from '../database/sql.ts';
import { readFolders } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import { changeSettings } from '../environment/settings-change.ts';
import { dropUnused } from '../integrate/former-functions.ts';
import { settingsOf } from '../integrate/settings.ts';
import { tableFailure } from '../integrate/table-failure.ts';
import { changeStatements } from '../integrate/write-tables.ts';
import { droppedViewStatements, viewStatements } from '../integrate/write-views.ts';
import type { TableOutcome } from '../journal/outcome.ts';
import { NO_TABLES, tableOutcome } from '../journal/outcome.ts';
import { tableChanges } from '../plan/planner.ts';
import { gatherEstimates } from '../plan/table-facts.ts';
import { gatherViews, viewsOf } from '../plan/view-facts.ts';
import { planViews } from '../plan/view-plan.ts';
import { costsOf } from '../tables/cost.ts';
import { removeTable } from '../tables/diff.ts';
import { inspectTables } from '../tables/inspect.ts';
import { lockTables } from '../tables/locks.ts';

/** What came to a history folder before its dictionary follows. */
export interface FollowedLive extends Gone {
  /** With the settings that count now. */
  readonly folder: Folder;
  readonly changed: boolean;
}

/** First of all: settings decide about tables, and what is gone may stand in the way of what comes. */
export async function followLive(
  session: Session,
  database: Database,
  history: Folder,
  live: Folder,
  operator: string,
): Promise<FollowedLive> {
  const set = await followSettings(session, history, live, operator);
  const folder = set ?? history;
  const gone = await removeGone(session, database, folder, live, operator);
  return { ...gone, folder, changed: set !== undefined || gone.elements.length + gone.scripts.length > 0 };
}

/** Settings of the live folder are those of its history folder. @returns the history folder with them; undefined where they were the same */
async function followSettings(session: Session, history: Folder, live: Folder, operator: string): Promise<Folder | undefined> {
  const [differing] = await session.query<{ parent: string | null }>(sql`
    select case when h.parent is distinct from l.parent then (select code from rustine.folder where id = l.parent) end as parent
    from rustine.folder h join rustine.folder l on l.id = ${live.id}
    where h.id = ${history.id} and (cardinality(array(select reason from unnest(rustine.due_after_live(h, l)) reason where reason like '%:setting:%')) > 0 or (h.test, h.specific) <> (l.test, l.specific))`);
  if (differing === undefined) return undefined;
  // Rights on the schemas of its ancestors follow.
  if (differing.parent !== null) await changeSettings(session, history.code, { parent: differing.parent }, operator, false);
  await session.query(sql`
    update rustine.folder h set languages = l.languages, legislations = l.legislations, modules = l.modules, activity_codes = l.activity_codes,
      activity_sizes = l.activity_sizes, test = l.test, specific = l.specific
    from rustine.folder l where h.id = ${history.id} and l.id = ${live.id}`);
  const now = (await readFolders(session)).find((folder) => folder.id === history.id);
  return now === undefined ? undefined : { ...now, due: history.due };
}

/** What the history folder had and its live folder has not. */
interface Gone {
  /** `TYPE:NAME` */
  readonly elements: readonly string[];
  /** With their rows: these are put aside. */
  readonly tables: TableOutcome;
  /** `KIND:NAME` */
  readonly scripts: readonly string[];
  readonly findings: readonly Finding[];
}

async function removeGone(session: Session, database: Database, history: Folder, live: Folder, operator: string): Promise<Gone> {
  const tables = await removeTables(session, database, history, live, operator);
  const rows = await session.query<{ element: string }>(sql`
    with gone as materialized (
      select type, name from rustine.element where folder = ${history.id} except select type, name from rustine.element where folder = ${live.id}),
    records as (delete from rustine.record r using gone g where r.folder = ${history.id} and r.type = g.type and r.name = g.name),
    offers as (delete from rustine.offer o using gone g where o.folder = ${history.id} and o.type = g.type and o.name = g.name),
    elements as (delete from rustine.element e using gone g where e.folder = ${history.id} and e.type = g.type and e.name = g.name)
    select type || ':' || name as element from gone order by 1`);
  const elements = rows.map(({ element }) => element);
  const { scripts, findings } = await removeScripts(session, history, live);
  return { elements, tables, scripts, findings: [...goneFindings(history, live, [...elements, ...scripts]), ...findings] };
}

const MOST_NAMED = 20;

function goneFindings(history: Folder, live: Folder, elements: readonly string[]): readonly Finding[] {
  if (elements.length === 0) return [];
  const facts = { folder: history.code, live: live.code, count: elements.length, elements: elements.slice(0, MOST_NAMED) };
  return [{ code: 'history-elements-gone', severity: 'info', facts }];
}

async function removeTables(
  session: Session,
  database: Database,
  history: Folder,
  live: Folder,
  operator: string,
): Promise<TableOutcome> {
  const gone = await session.query<{ name: string }>(sql`
    select name from rustine.element where folder = ${history.id} and type = 'ATB'
    except select name from rustine.element where folder = ${live.id} and type = 'ATB'`);
  if (gone.length === 0) return NO_TABLES;
  const names = gone.map(({ name }) => name.toLowerCase());
  const changes = [...(await inspectTables(session, history.schema, names)).values()].map((found) =>
    removeTable(found, 'dropped'),
  );
  if (changes.length === 0) return NO_TABLES;
  const facts = await gatherViews(
    session,
    settingsOf(history),
    viewsOf({ elements: gone.map(({ name }) => ({ type: 'ATB', name, title: '' })) }),
  );
  const plan = { views: planViews(facts, new Map(), tableChanges(changes), []) };
  const origin = { schema: history.schema, folder: history.id, integration: null, by: operator };
  const statements = [
    ...droppedViewStatements(plan, history),
    ...changeStatements(changes, origin),
    ...viewStatements(plan, history),
  ];
  const script = [...lockTables(changes, history.schema), ...statements.map(({ text }) => text)].join(';\n');
  await session.script(script).catch(async (error: unknown) => {
    throw await tableFailure(error, database, history, changes);
  });
  return tableOutcome(changes, costsOf(changes, await gatherEstimates(session, settingsOf(history))));
}

/** With their functions, but for those that something else uses: these are told. */
async function removeScripts(session: Session, history: Folder, live: Folder): Promise<Pick<Gone, 'scripts' | 'findings'>> {
  const rows = await session.query<{ kind: string; name: string }>(sql`
    select kind, name from rustine.script where folder = ${history.id} except select kind, name from rustine.script where folder = ${live.id} order by 1, 2`);
  if (rows.length === 0) return { scripts: [], findings: [] };
  const list = (values: readonly string[]): string => `array[${values.map(quoteLiteral).join(', ')}]::text[]`;
  const [kinds, names] = [rows.map(({ kind }) => kind), rows.map(({ name }) => name)];
  await session.script(
    dropUnused(`select p.oid from rustine.script_function f join unnest(${list(kinds)}, ${list(names)}) as g (kind, name) using (kind, name)
      join pg_proc p on p.oid = to_regprocedure(format('%s.%s', ${quoteLiteral(quoteIdentifier(history.schema))}, f.function)) where f.folder = ${history.id}`),
  );
  const functions = await session.query<{ script: string; function: string; dropped: boolean }>(sql`
    with functions as (
      delete from rustine.script_function f using unnest(${kinds}::text[], ${names}::text[]) as g (kind, name)
      where f.folder = ${history.id} and f.kind = g.kind and f.name = g.name returning f.name, f.function),
    scripts as (
      delete from rustine.script s using unnest(${kinds}::text[], ${names}::text[]) as g (kind, name)
      where s.folder = ${history.id} and s.kind = g.kind and s.name = g.name)
    select name as script, function, to_regprocedure(format('%s.%s', ${quoteIdentifier(history.schema)}::text, function)) is null as dropped
    from functions order by 1, 2`);
  const findings = functions.flatMap(({ script, function: name, dropped }): readonly Finding[] =>
    dropped
      ? []
      : [{ code: 'function-kept', severity: 'warn', subject: `TRT:${script}`, facts: { script, function: name, users: [] } }],
  );
  return { scripts: rows.map(({ kind, name }) => `${kind}:${name}`), findings };
}

/** Patches that the live folder has no more, or with other content, count no more here either. @returns their files */
export async function retirePatches(
  session: Session,
  history: Folder,
  live: Folder,
  integration: string,
): Promise<readonly string[]> {
  const rows = await session.query<{ file: string }>(sql`
    with gone as (
      update rustine.integration i set reverted_by = ${integration}
      where i.folder = ${history.id} and i.kind = 'patch' and i.reverted_by is null
        and not exists (select from rustine.integrated l where l.folder = ${live.id} and l.file = i.file and l.digest = i.digest and l.apatch_num is not null)
      returning i.file),
    apatch as (
      delete from ${id(history.schema, 'apatch')} a using gone g where a.fic_0 = left(g.file, 255)
        and not exists (select from rustine.integrated l where l.folder = ${live.id} and l.file = g.file and l.apatch_num is not null))
    select distinct file from gone order by file`);
  return rows.map(({ file }) => file);
}
