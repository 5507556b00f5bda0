// One delivery into one folder in one transaction (R30): lock, starting state, plan, apply, APATCH, event.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import { workUnder } from '../database/application-name.ts';
import type { Database, Ending, Session } from '../database/database.ts';
import { qualified, quoteLiteral, sql } from '../database/sql.ts';
import { ELEMENT_TYPES } from '../dictionary/element-types.ts';
import { notReady } from '../environment/folder-state.ts';
import type { PatchOutcome } from '../journal/outcome.ts';
import { emptyOutcome, tableOutcome } from '../journal/outcome.ts';
import { eventJson } from '../journal/runs.ts';
import { parsePatchName } from '../patch/sequence.ts';
import type { Delivery } from '../plan/delivery.ts';
import { tableNames } from '../plan/delivery.ts';
import type { Authorized } from '../plan/draft.ts';
import type { StartingState } from '../plan/facts.ts';
import { gatherBasis, gatherFacts } from '../plan/facts.ts';
import { type ComesWith, mayComeAgain, olderAgainDue } from '../plan/older-again.ts';
import type { FolderSettings, OutsideRun, Plan } from '../plan/plan.ts';
import { planDelivery } from '../plan/planner.ts';
import { stagePlan } from '../plan/staging.ts';
import { viewsOf } from '../plan/view-facts.ts';
import type { TableCost } from '../tables/cost.ts';
import { costsOf } from '../tables/cost.ts';
import { apatchFile, apatchSql } from './apatch.ts';
import type { Applied } from './apply.ts';
import { formerFunctionFindings } from './former-functions.ts';
import { checkLocks } from './lock-capacity.ts';
import { rememberNumbers } from './remember-tables.ts';
import { reopened } from './reopened.ts';
import { noteUncaptured } from './script-writes.ts';
import { type Scope, type StartingPoint, startingPoint, WHOLE } from './starting-point.ts';
import { checkValues, restorable } from './value-checks.ts';
import { writePlan } from './write-plan.ts';

/** A delivery whose element list is staged, and the plans made for it so far, by starting state. */
export interface StagedDelivery {
  readonly delivery: Delivery;
  readonly stagedAs: string;
  /** Lease of who staged it, and works with it. */
  readonly lease: string;
  readonly plans: Map<string, Promise<Plan>>;
}

/** What all folders of a run share. */
export interface RunContext {
  readonly run: string;
  readonly operator: string;
  readonly ending: Ending;
  readonly authorized: Authorized;
  /** Set-up values that nobody in a folder changed follow the delivery (R37). */
  readonly takeUnchanged: boolean;
  readonly forced: Readonly<Record<string, string>>;
  /** Whether APATCH gets a row: a folder's first dictionary is no patch. */
  readonly records: boolean;
  /** Of a single wait. */
  readonly lockTimeoutMs: number;
  /** Limit for each SQL script. */
  readonly scriptTimeoutMs: number;
  /** No event: the patch comes with something that is told as a whole. */
  readonly untold?: boolean;
  /** What else the run brings. */
  readonly comes?: ComesWith;
  /** Number of the next event of the run. */
  nextEvent(): number;
  /** Called at named points; tests stop the program there. */
  readonly stopPoint: (name: string) => void;
  /** Rolls back what is at work. */
  readonly aborted?: AbortSignal;
  /** Of a run that workers share: the lease that has claimed the folder, and must have it still. */
  readonly claimedBy?: string;
  /** Of a run that one program has: its lease, which must have it still. */
  readonly process?: string;
}

export interface Integration {
  readonly outcome: PatchOutcome;
  readonly findings: readonly Finding[];
  readonly due: boolean;
  /** Scripts that wait to be run outside of the database. */
  readonly pending: readonly OutsideRun[];
}

/** @throws Failure when the database refuses; the folder is then as it was */
export async function integrate(
  database: Database,
  folder: FolderSettings,
  staged: StagedDelivery,
  context: RunContext,
): Promise<Integration> {
  return database.transaction(
    (session) => integrateInto(session, database, folder, staged, context),
    context.ending,
    context.aborted,
  );
}

/** What would block the delivery in this folder, where it is not integrated for another reason: all findings are shown together. */
export async function blockingFindings(
  database: Database,
  folder: FolderSettings,
  staged: StagedDelivery,
  context: RunContext,
): Promise<readonly Finding[]> {
  return database.transaction((session) => findBlocking(session, database, folder, staged, context), 'rollback');
}

/** The same in a transaction that goes on, with what it did before: another session would wait for its locks. */
export async function blockingFindingsInside(
  session: Session,
  database: Database,
  folder: FolderSettings,
  staged: StagedDelivery,
  context: RunContext,
): Promise<readonly Finding[]> {
  await session.script('savepoint before_looking');
  try {
    return await findBlocking(session, database, folder, staged, context);
  } finally {
    await session.script('rollback to savepoint before_looking; release savepoint before_looking');
  }
}

async function findBlocking(
  session: Session,
  database: Database,
  folder: FolderSettings,
  staged: StagedDelivery,
  context: RunContext,
): Promise<readonly Finding[]> {
  await session.script(transactionSettings(staged, context).join('; '));
  const { plan } = await planFor(session, database, folder, staged, context, WHOLE);
  const blocking = plan.findings.filter((finding) => finding.severity === 'block');
  return blocking.length > 0 ? blocking : (await checkValues(session, plan.tables, folder.schema, false)).findings;
}

/** Locks that the delivery needs in this folder as it is now: counted before anything is done. */
export async function countLocks(
  database: Database,
  folder: FolderSettings,
  deliveries: readonly StagedDelivery[],
  context: RunContext,
): Promise<number> {
  return database.transaction(async (session) => {
    let sum = 0;
    for (const [at, staged] of deliveries.entries()) {
      if (at === 0) await session.script(transactionSettings(staged, context).join('; '));
      const { plan } = await planFor(session, database, folder, staged, context, WHOLE);
      const written = new Set(plan.batches.map(({ table }) => table)).size;
      sum += 2 * plan.locks + LOCKS_OF_WRITTEN_TABLE * written;
    }
    return sum;
  }, 'rollback');
}

/** With its indexes and its store of long values. */
const LOCKS_OF_WRITTEN_TABLE = 10;

/** The same inside a transaction of somebody else's: a folder is created and filled at once. */
export async function integrateInto(
  session: Session,
  database: Database,
  asked: FolderSettings,
  staged: StagedDelivery,
  context: RunContext,
): Promise<Integration> {
  const started = performance.now();
  const locked = await lockFolder(session, asked, staged, context);
  return integrateLocked(session, database, locked, staged, context, started);
}

/** The same where somebody has locked the folder, and knows where the integration begins. */
export async function integrateLocked(
  session: Session,
  database: Database,
  { settings: folder, integration, already, scope, ignored, withDictionary = !scope.rowsOnly }: Locked,
  staged: StagedDelivery,
  context: RunContext,
  started = performance.now(),
): Promise<Integration> {
  const file = staged.delivery.file;
  const ms = (): number => Math.round(performance.now() - started);
  if (already) return { outcome: emptyOutcome(file, 'already', ms()), findings: [], due: false, pending: [] };
  context.stopPoint('folder-locked');
  const { plan, state } = await planFor(session, database, folder, staged, context, scope);
  if (blocks(plan.findings)) return blockedBy(plan.findings, file, ms());
  await checkLocks(session, folder, plan.locks);
  const checked = await checkValues(session, plan.tables, folder.schema);
  if (blocks(checked.findings)) return blockedBy([...plan.findings, ...checked.findings], file, ms());
  context.stopPoint('planned');
  const written = await writePlan(session, database, folder, plan, integration, {
    timeoutMs: context.scriptTimeoutMs,
    // A script's end resets them all.
    settings: [
      ...transactionSettings(staged, context),
      ...(hasImages(context) ? [`set local rustine.integration = '${integration}'`] : []),
    ],
    remembers: context.records && context.untold !== true,
  });
  if ('findings' in written) return blockedBy([...plan.findings, ...written.findings], file, ms());
  const { applied } = written;
  context.stopPoint('applied');
  const costs = costsOf(plan.tables, new Map([...state.rows, ...checked.rows]));
  const outcome = outcomeOf(file, plan, costs, applied, ms());
  const codes = [...new Set([...plan.ignoredCodes, ...ignored])];
  const settled = { ...plan, ignoredCodes: codes };
  const again = withDictionary && context.records && context.untold !== true && mayComeAgain(context.forced, context.authorized);
  const results = await session.script(
    [
      recordScript(folder, staged.delivery, { ...settled, withDictionary }, outcome, integration, context),
      ...(applied.numbers === undefined ? [] : [rememberNumbers(folder, integration, applied.numbers)]),
      ...(context.records && plan.runs.length > 0 ? [noteUncaptured(integration)] : []),
      ...(again ? [olderAgainDue(folder, integration, staged.delivery, context.comes)] : []),
    ].join(';\n'),
  );
  context.stopPoint('recorded');
  return {
    outcome,
    findings: [...plan.findings, ...restorable(plan.tables, state.aside), ...formerFunctionFindings(applied.functions)],
    due: plan.due.length > 0 || (again && results.some(({ rows }) => rows[0]?.older_again === true)),
    pending: plan.pending,
  };
}

function blockedBy(findings: readonly Finding[], file: string, ms: number): Integration {
  const codes = [...new Set(findings.filter((finding) => finding.severity === 'block').map((finding) => finding.code))];
  const outcome: PatchOutcome = { ...emptyOutcome(file, 'failed', ms), reason: { code: 'blocked', facts: { codes } } };
  return { outcome, findings, due: false, pending: [] };
}

function outcomeOf(file: string, plan: Plan, costs: readonly TableCost[], applied: Applied, ms: number): PatchOutcome {
  const ran = plan.runs.flatMap(({ name, when }) => (when === 'end' ? [name] : []));
  return {
    file,
    state: 'integrated',
    elements: plan.counts,
    lines: plan.lines,
    tables: tableOutcome(plan.tables, costs),
    scripts: { installed: applied.scripts, run: ran.length },
    rows: { inserted: applied.inserted, updated: applied.updated, deleted: applied.deleted },
    ran,
    pending: plan.pending.map(({ name }) => name),
    ms,
  };
}

// The server ends a statement whose client was killed, so that the folder is free again at once. Not every platform's server can.
const NOTICE_LOST_CLIENT = `do $$ begin perform set_config('client_connection_check_interval', '1s', true); exception when others then null; end $$`;

/** How every folder's transaction is set up. */
export const transactionSettings = (
  { lease }: Pick<StagedDelivery, 'lease'>,
  { lockTimeoutMs }: Pick<RunContext, 'lockTimeoutMs'>,
): readonly string[] => [
  workUnder(lease),
  `set local lock_timeout = ${Math.round(lockTimeoutMs)}`,
  'set local client_min_messages = warning',
  NOTICE_LOST_CLIENT,
];

/** Rows of the catalog are remembered as they were (R38), by a decision too, which may change what a patch brought; a creation finds none. */
const hasImages = ({ authorized }: RunContext): boolean => authorized !== 'everything';

const kindOf = (context: RunContext): string => (context.records ? 'patch' : hasImages(context) ? 'set' : 'creation');

/** What the folder's lock showed. */
export interface Locked extends StartingPoint {
  readonly integration: string;
  /** The patch's dictionary comes now: with it, or with the validation that it is part of. */
  readonly withDictionary?: boolean;
}

/** Locks the folder's row and looks again whether another run was faster. */
async function lockFolder(
  session: Session,
  folder: FolderSettings,
  staged: StagedDelivery,
  context: RunContext,
): Promise<Locked> {
  await session.script(transactionSettings(staged, context).join('; '));
  // A program that slept longer than its lease lasts finds its run settled, or its folder another worker's. Who settles the run waits for
  // the key that is held here; who would take the folder over passes it by.
  // Not `for update`: a folder's row that is written twice in a transaction (chain, due) has the reference to its parent looked at again, and the
  // parent's row may be held by a transaction that is prepared.
  const { claimedBy = null, process = null } = context;
  const [row] = await session.query<{ state: string; integration: string; running: boolean }>(sql`
    with run as (
      select id from rustine.run where id = ${context.run} and state = 'running' and decision is null and (${process}::text is null or process = ${process}) for key share),
    claim as (select run from rustine.run_folder where run = ${context.run} and folder = ${folder.code} and state = 'running' and process = ${claimedBy}::text for share),
    numbered as materialized (select nextval(pg_get_serial_sequence('rustine.integration', 'id'))::text as number)
    select state, (select number from numbered) as integration,
      set_config('rustine.integration', case when ${hasImages(context)} then (select number from numbered) else '' end, true),
      exists (select from run) and (${claimedBy}::text is null or exists (select from claim)) as running
    from rustine.folder where id = ${folder.id} for no key update`);
  if (row === undefined) throw new Failure('folder-unknown', { folder: folder.code, known: [] });
  const fresh = { settings: folder, integration: row.integration, already: false, scope: WHOLE, ignored: [] };
  if (!context.records) return fresh;
  if (!row.running) throw new Failure('run-lost', { run: context.run, folder: folder.code });
  if (row.state !== 'ready') throw notReady(folder.code, row.state);
  return { ...fresh, ...(await startingPoint(session, folder, staged.delivery, context)) };
}

export async function planFor(
  session: Session,
  database: Database,
  folder: FolderSettings,
  staged: StagedDelivery,
  context: Pick<RunContext, 'authorized' | 'takeUnchanged'>,
  scope: Scope,
): Promise<{ readonly plan: Plan; readonly state: StartingState }> {
  const { delivery, stagedAs } = staged;
  const abbreviations = [...new Set([...tableNames(delivery), ...delivery.abbreviations])];
  const state = await gatherBasis(session, folder, stagedAs, abbreviations, viewsOf(delivery));
  const { supervisor, test, specific, languages } = folder;
  // Who receives scripts matters only where there are any: else the supervisor folder shares the plan of its children.
  const scripts = delivery.elements.some((element) => ELEMENT_TYPES.get(element.type)?.behaviour === 'script')
    ? [supervisor, test, specific]
    : [];
  // So do the folder's modules and its own list of codes, where there are tables.
  const shapes = tableNames(delivery).length > 0 || delivery.elements.some(({ type }) => type === 'ATB' || type === 'ATY');
  const generated = shapes ? [[...folder.activityCodes].sort(), Object.entries(folder.activitySizes).sort(), folder.modules] : [];
  const basis = JSON.stringify([
    state.digest,
    languages,
    scripts,
    scope.rowsOnly,
    [...(scope.onlyTables ?? [])].sort(),
    scope.ranBefore,
    scope.leftToRun,
    generated,
  ]);
  const known = staged.plans.get(basis);
  if (known !== undefined) return { plan: await known, state };
  const made = gatherFacts(session, folder, delivery, stagedAs).then((facts) =>
    stagePlan(
      database,
      staged.lease,
      basis,
      planDelivery({ delivery, folder, facts, authorized: context.authorized, ...scope, takeUnchanged: context.takeUnchanged }),
    ),
  );
  staged.plans.set(basis, made);
  // A failure (a lost connection) is this folder's; the next one tries anew.
  made.catch(() => staged.plans.delete(basis));
  return { plan: await made, state };
}

/** APATCH, what we know beyond it, the folder's due mark, and the event: one round trip. */
function recordScript(
  folder: FolderSettings,
  delivery: Delivery,
  plan: Plan & { readonly withDictionary: boolean },
  outcome: PatchOutcome,
  integration: string,
  context: RunContext,
): string {
  const q = quoteLiteral;
  const textArray = (values: readonly string[]): string => `array[${values.map(q).join(', ')}]::text[]`;
  const name = parsePatchName(delivery.file);
  const authorized = typeof context.authorized === 'string' ? [] : context.authorized;
  const statements: string[] = [];
  if (context.records) statements.push(apatchSql(folder, delivery, integration, context), ...reopened(plan.tables, folder.id));
  statements.push(`insert into rustine.integration (id, folder, kind, run, file, digest, patch_type, languages, series, number, version, apatch_num, operator, authorized, ignored, left_out, forced, rows, outcome, before, rows_only)
    values (${integration}, ${folder.id}, '${kindOf(context)}', ${q(context.run)}, ${q(delivery.file)}, '\\x${delivery.digest}', ${q(delivery.patchType)}, ${textArray(delivery.languages)},
      ${name === undefined ? 'null, null, null' : `${q(name.series)}, ${name.number}, ${q(name.version)}`},
      ${context.records ? `(select num_0 from ${qualified(folder.schema, 'apatch')} where fic_0 = ${q(apatchFile(delivery.file))})` : 'null'},
      ${q(context.operator)}, ${textArray(authorized)}, ${textArray(plan.ignoredCodes)}, ${textArray(plan.leftOut)}, ${q(JSON.stringify(context.forced))}::jsonb, ${plan.rows}, ${q(JSON.stringify(outcome))}::jsonb, ${context.records ? beforeSql(folder, plan) : 'null'}, ${!plan.withDictionary})`);
  if (plan.due.length > 0) {
    statements.push(
      `update rustine.folder set due = array(select distinct unnest(due || ${textArray(plan.due)}) order by 1) where id = ${folder.id}`,
    );
  }
  if (context.records && context.untold !== true) {
    const event = eventJson({ kind: 'patch-finished', folder: folder.code, outcome });
    statements.push(
      `insert into rustine.event (run, seq, event) values (${q(context.run)}, ${context.nextEvent()}, ${q(event)}::jsonb)`,
    );
  }
  return statements.join(';\n');
}

/** Of the folder's own row, what taking the patch back asks for; before the patch makes it due. */
function beforeSql(folder: FolderSettings, plan: Plan): string {
  const added = quoteLiteral(JSON.stringify(plan.due));
  return `(select jsonb_build_object('due', f.due, 'added', ${added}::jsonb, 'activityCodes', f.activity_codes, 'settings', rustine.folder_settings(f)) from rustine.folder f where f.id = ${folder.id})`;
}
