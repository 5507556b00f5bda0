// Takes the last patch of one folder back, in one transaction (R38): checks, dictionary, tables, functions, views, account, event.
import { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Database, Ending, Session } from '../database/database.ts';
import { serverError } from '../database/postgres.ts';
import { quoteLiteral, sql } from '../database/sql.ts';
import { NO_LINES } from '../dictionary/merge-result.ts';
import { notReady } from '../environment/folder-state.ts';
import type { PatchOutcome } from '../journal/outcome.ts';
import { emptyOutcome } from '../journal/outcome.ts';
import { eventJson } from '../journal/runs.ts';
import type { FolderSettings } from '../plan/plan.ts';
import { isRemembered, notIntegrated, revertFindings } from '../plan/revert-checks.ts';
import type { RevertTarget } from '../plan/revert-facts.ts';
import { readRevertFacts, readRevertTarget } from '../plan/revert-facts.ts';
import { checkRows } from './check-rows.ts';
import { transactionSettings } from './integrator.ts';
import type { RevertedCatalog } from './revert-catalog.ts';
import { revertCatalog } from './revert-catalog.ts';
import { dropNewFunctions, readFunctions, restoreFunctions } from './revert-functions.ts';
import type { RevertedTables } from './revert-tables.ts';
import { restoreTables } from './revert-tables.ts';
import { dropViews, makeViews, readViews } from './revert-views.ts';

/** What all folders of a run share. */
export interface RevertContext {
  readonly run: string;
  readonly operator: string;
  readonly ending: Ending;
  /** Lease that has the run, and must have it still. */
  readonly process: string;
  /** Why; kept. */
  readonly reason: string | undefined;
  /** Checks that were passed over, with the reason. */
  readonly forced: Readonly<Record<string, string>>;
  /** Of a single wait. */
  readonly lockTimeoutMs: number;
  /** Folders from which this run has taken it back already. */
  readonly takenBack: ReadonlySet<string>;
  /** Of a rehearsal: folders below that are taken back before it, in its transaction. */
  readonly first?: readonly FolderSettings[];
  /** Number of the next event of the run. */
  nextEvent(): number;
  /** Called at named points; tests stop the program there. */
  readonly stopPoint: (name: string) => void;
  /** Rolls back what is at work. */
  readonly aborted?: AbortSignal;
}

export interface Reverted {
  readonly outcome: PatchOutcome;
  readonly findings: readonly Finding[];
  /** Whether the folder is due for validation now. */
  readonly due: boolean;
}

/** @throws Failure when the database refuses, Refusal `revert-in-use`; the folder is then as it was */
export async function revert(
  database: Database,
  folder: FolderSettings,
  file: string,
  context: RevertContext,
): Promise<Reverted> {
  const work = async (session: Session): Promise<Reverted> => {
    for (const below of context.first ?? []) await revertInto(session, below, file, context);
    return revertInto(session, folder, file, context);
  };
  try {
    return await database.transaction(work, context.ending, context.aborted);
  } catch (error) {
    throw inUse(error, folder.code);
  }
}

const DEPENDENT_OBJECTS = '2BP01';

function inUse(error: unknown, folder: string): unknown {
  const said = serverError(error);
  if (said?.sqlstate !== DEPENDENT_OBJECTS) return error;
  return new Refusal('revert-in-use', { folder, reason: said.detail === '' ? said.message : said.detail }, error);
}

async function revertInto(session: Session, folder: FolderSettings, file: string, context: RevertContext): Promise<Reverted> {
  const started = performance.now();
  const ms = (): number => Math.round(performance.now() - started);
  const due = await lockFolder(session, folder, context);
  const target = await readRevertTarget(session, folder, file);
  if (target === undefined) return blockedBy([notIntegrated(folder.code, file)], file, due, ms());
  const findings = await gather(session, folder, target, context.takenBack);
  if (blocks(findings)) return blockedBy(findings, file, due, ms());
  context.stopPoint('revert-checked');
  const { integration } = target;
  // What is written here is no patch's: nothing of it is remembered.
  await session.script(`set local rustine.integration = ''`);
  const functions = await readFunctions(session, integration);
  await dropNewFunctions(session, folder, functions);
  const now = await readViews(session, folder);
  const catalog = await revertCatalog(session, folder, integration);
  const wanted = await readViews(session, folder);
  await dropViews(session, folder, now, wanted);
  context.stopPoint('revert-catalog');
  const tables = await restoreTables(session, folder, integration);
  // Their parameters may be rows of tables that are back.
  await restoreFunctions(session, folder, functions);
  await makeViews(session, now, wanted);
  context.stopPoint('revert-tables');
  const outcome = outcomeOf(file, catalog, tables, ms());
  const dueNow = await record(session, folder, target, outcome, context);
  context.stopPoint('revert-recorded');
  return { outcome, findings, due: dueNow };
}

/** What would speak against it, before a run changes anything anywhere. @param takenBack folders below that the same run takes it back from */
export async function checkRevert(
  database: Database,
  folder: FolderSettings,
  file: string,
  takenBack: ReadonlySet<string>,
): Promise<readonly Finding[]> {
  return database.transaction(async (session) => {
    const target = await readRevertTarget(session, folder, file);
    return target === undefined ? [notIntegrated(folder.code, file)] : gather(session, folder, target, takenBack);
  }, 'rollback');
}

/** Rows are looked at only where what is remembered of them is whole. */
async function gather(
  session: Session,
  folder: FolderSettings,
  target: RevertTarget,
  takenBack: ReadonlySet<string>,
): Promise<readonly Finding[]> {
  const findings = revertFindings(folder.code, await readRevertFacts(session, folder, target), takenBack);
  const rows = !isRemembered(target) || target.later.length > 0 ? [] : await checkRows(session, folder, target.integration);
  return [...findings, ...rows].map((finding) => ({ ...finding, folder: folder.code, patch: target.file }));
}

/** With the fence of an integration: a program that slept longer than its lease lasts finds its run settled. @returns whether it is due */
async function lockFolder(session: Session, folder: FolderSettings, context: RevertContext): Promise<boolean> {
  const { run, process, lockTimeoutMs } = context;
  await session.script(transactionSettings({ lease: process }, { lockTimeoutMs }).join('; '));
  const [row] = await session.query<{ state: string; running: boolean; due: boolean }>(sql`
    with run as (
      select id from rustine.run where id = ${run} and state = 'running' and process = ${process} for key share)
    select state, exists (select from run) as running, cardinality(due) > 0 as due from rustine.folder where id = ${folder.id} for no key update`);
  if (row === undefined) throw new Failure('folder-unknown', { folder: folder.code, known: [] });
  if (!row.running) throw new Failure('run-lost', { run, folder: folder.code });
  if (row.state !== 'ready') throw notReady(folder.code, row.state);
  context.stopPoint('revert-locked');
  return row.due;
}

function blockedBy(findings: readonly Finding[], file: string, due: boolean, ms: number): Reverted {
  const codes = [...new Set(findings.filter(({ severity }) => severity === 'block').map(({ code }) => code))];
  const outcome: PatchOutcome = { ...emptyOutcome(file, 'failed', ms), reason: { code: 'blocked', facts: { codes } } };
  return { outcome, findings, due };
}

function outcomeOf(
  file: string,
  { elements, scripts, texts }: RevertedCatalog,
  { tables, rows }: RevertedTables,
  ms: number,
): PatchOutcome {
  const { updated, removed } = elements;
  return {
    file,
    state: 'reverted',
    elements: { created: 0, updated, identical: 0, kept: 0, ignored: 0, removed },
    lines: NO_LINES,
    tables,
    scripts: { installed: scripts.restored, run: 0, removed: scripts.removed },
    rows: { inserted: rows.inserted, updated: rows.updated + texts.restored, deleted: rows.deleted + texts.removed },
    ran: [],
    pending: [],
    ms,
  };
}

/**
 * Reasons of being due that the patch gave go with it, unless the settings were changed since: they may have given them too. What was remembered
 * of the patch is used up. @returns whether the folder is due
 */
async function record(
  session: Session,
  folder: FolderSettings,
  target: RevertTarget,
  outcome: PatchOutcome,
  context: RevertContext,
): Promise<boolean> {
  const q = quoteLiteral;
  const { integration, before } = target;
  const forced = { ...context.forced, ...(context.reason === undefined ? {} : { revert: context.reason }) };
  const given = (before?.added ?? []).filter((reason) => before?.due.includes(reason) === false);
  const event = eventJson({ kind: 'patch-finished', folder: folder.code, outcome });
  const results = await session.script(
    [
      `with taken as (
        insert into rustine.integration (folder, kind, run, file, digest, patch_type, languages, series, number, version, operator, forced, outcome, reverts)
        select folder, 'revert', ${q(context.run)}, file, digest, patch_type, languages, series, number, version, ${q(context.operator)}, ${q(JSON.stringify(forced))}::jsonb,
          ${q(JSON.stringify(outcome))}::jsonb, id from rustine.integration where id = ${integration}
        returning id, reverts)
      update rustine.integration i set reverted_by = taken.id from taken where i.id = taken.reverts`,
      `update rustine.folder f set due = case when rustine.folder_settings(f) = ${q(before?.settings ?? '')}
          then array(select d from unnest(f.due) d where d <> all (array[${given.map(q).join(', ')}]::text[]) order by 1) else f.due end
        where f.id = ${folder.id} returning cardinality(f.due) > 0 as due`,
      `delete from rustine.before_image where integration = ${integration}`,
      `insert into rustine.event (run, seq, event) values (${q(context.run)}, ${context.nextEvent()}, ${q(event)}::jsonb)`,
    ].join(';\n'),
  );
  return results[1]?.rows[0]?.due === true;
}
