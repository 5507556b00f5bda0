// Brings a folder's dictionary and its copies of scripts in line with the folder that it follows (or the kernel), with the tables of what changed (R19–R22, R35).
import { digestOf } from '../base/canonical.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Database, Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Folder } from '../environment/folder.ts';
import { formerFunctionFindings } from '../integrate/former-functions.ts';
import type { StagedDelivery } from '../integrate/integrator.ts';
import { planFor, transactionSettings } from '../integrate/integrator.ts';
import { checkLocks } from '../integrate/lock-capacity.ts';
import { settingsOf } from '../integrate/settings.ts';
import { WHOLE } from '../integrate/starting-point.ts';
import { checkValues, restorable } from '../integrate/value-checks.ts';
import { writePlan } from '../integrate/write-plan.ts';
import type { TableOutcome } from '../journal/outcome.ts';
import { NO_TABLES, tableOutcome } from '../journal/outcome.ts';
import type { Differing } from '../plan/differing.ts';
import { gatherDiffering } from '../plan/differing.ts';
import type { StartingState } from '../plan/facts.ts';
import { followedDelivery } from '../plan/followed-delivery.ts';
import { kernelDelivery, partOfKernel, readFromKernel } from '../plan/kernel.ts';
import type { Plan } from '../plan/plan.ts';
import { costsOf } from '../tables/cost.ts';
import type { ElementDifference } from './differences.ts';
import { readDifferences } from './differences.ts';
import type { DictionarySource, ValidationContext } from './validation-context.ts';
import type { ValidationSources } from './validation-sources.ts';

export interface FollowedDictionary {
  /** Nothing where folder and source do not differ. */
  readonly plan?: Plan;
  readonly tables: TableOutcome;
  /** `KIND:NAME` of the copies that were installed. */
  readonly scripts: readonly string[];
  /** `KIND:NAME` of copies that stay and hide newer ones (R5). */
  readonly stale: readonly string[];
  readonly differences: readonly ElementDifference[];
  readonly findings: readonly Finding[];
}

const NOTHING: FollowedDictionary = { tables: NO_TABLES, scripts: [], stale: [], differences: [], findings: [] };

/** Told once, with the patch: a validation would tell it each time. It counts them, and lists them where asked. */
const KNOWN =
  /^(element-ignored|element-kept|lines-ignored|lines-kept|script-ignored|set-up-kept|set-up-unchanged|header-specific)$/;

/** Where findings block nothing is of use: the caller rolls back. */
export async function followDictionary(
  session: Session,
  database: Database,
  folder: Folder,
  source: DictionarySource | null,
  sources: ValidationSources,
  integration: string,
  context: ValidationContext,
): Promise<FollowedDictionary> {
  if (source === null) return followKernel(session, database, folder, sources, integration, context);
  const differing = await gatherDiffering(session, settingsOf(folder), source.folder, source.exactly);
  const { stale } = differing;
  const found = { ...NOTHING, stale, findings: aheadFindings(folder, source.folder, differing.ahead) };
  if (differing.elements.length + differing.scripts.length === 0) return found;
  const staged = await sources.staged(keyOf(source, differing), () => followedDelivery(sources.reader, source.folder, differing));
  const followed = await bringDelivery(session, database, folder, staged, found, sources, integration, context);
  if (source.exactly && followed.wrote) await copyChanged(session, folder, source.folder, differing);
  return followed;
}

/** A supervisor folder follows nobody: its base data types and tables are those that it was created with, as long as no patch brought others. */
async function followKernel(
  session: Session,
  database: Database,
  folder: Folder,
  sources: ValidationSources,
  integration: string,
  context: ValidationContext,
): Promise<FollowedDictionary> {
  if (folder.parent !== null) return NOTHING;
  const kernel = await kernelDelivery();
  const wanted = (await readFromKernel(session, kernel, [folder.id])).get(folder.id) ?? [];
  if (wanted.length === 0) return NOTHING;
  const key = JSON.stringify(['kernel', ...wanted.map(({ type, name }) => `${type}:${name}`)]);
  const staged = await sources.staged(key, async () => partOfKernel(kernel, wanted));
  return bringDelivery(session, database, folder, staged, NOTHING, sources, integration, context);
}

async function bringDelivery(
  session: Session,
  database: Database,
  folder: Folder,
  staged: StagedDelivery,
  found: FollowedDictionary,
  sources: ValidationSources,
  integration: string,
  context: ValidationContext,
): Promise<FollowedDictionary & { readonly wrote?: true }> {
  const settings = settingsOf(folder);
  const { plan, state } = await planFor(session, database, settings, staged, { authorized: [], takeUnchanged: false }, WHOLE);
  const findings = [
    ...found.findings,
    ...plan.findings.filter(({ severity, code }) => severity === 'block' || !KNOWN.test(code)),
  ];
  if (blocks(findings)) return { ...found, plan, findings };
  const differences = context.differences
    ? await sources.differences(plan, () => readDifferences(session, folder.id, plan.id))
    : [];
  if (plan.items + plan.tables.length + plan.views.length === 0) return { ...found, plan, differences, findings };
  await checkLocks(session, folder, plan.locks);
  const checked = await checkValues(session, plan.tables, folder.schema);
  if (blocks(checked.findings)) return { ...found, plan, findings: [...findings, ...checked.findings] };
  const written = await writePlan(session, database, settings, plan, integration, {
    timeoutMs: context.scriptTimeoutMs,
    settings: transactionSettings(sources, context),
    remembers: false,
  });
  context.stopPoint('validation-dictionary');
  if ('findings' in written) return { ...found, plan, findings: [...findings, ...written.findings] };
  return {
    ...found,
    wrote: true,
    plan,
    tables: tableOutcome(plan.tables, costsOf(plan.tables, rowsOf(state, checked.rows))),
    scripts: plan.scripts === 0 ? [] : await installed(session, folder, integration),
    differences,
    findings: [...findings, ...restorable(plan.tables, state.aside), ...formerFunctionFindings(written.applied.functions)],
  };
}

const rowsOf = (state: StartingState, counted: ReadonlyMap<string, number>): ReadonlyMap<string, number> =>
  new Map([...state.rows, ...counted]);

/** Folders that differ from the same state of the same folder in the same things share a delivery, and plans made for it. */
function keyOf(source: DictionarySource, { state, elements, scripts }: Differing): string {
  return digestOf(JSON.stringify([source.folder.id, source.exactly, state, elements, scripts]));
}

async function installed(session: Session, folder: Folder, integration: string): Promise<readonly string[]> {
  const rows = await session.query<{ script: string }>(sql`
    select kind || ':' || name as script from rustine.script where folder = ${folder.id} and updated_by = ${integration} order by 1`);
  return rows.map(({ script }) => script);
}

/** What a patch brought that only this folder has, later than what the other one got: it stays. */
function aheadFindings({ code }: Folder, source: Folder, elements: readonly string[]): readonly Finding[] {
  if (elements.length === 0) return [];
  return [
    {
      code: 'elements-ahead',
      severity: 'info',
      facts: { folder: code, source: source.code, count: elements.length, elements: elements.slice(0, 20) },
    },
  ];
}

/** What people changed in the live folder they changed for its history folder, too; what waits for a decision waits there. */
async function copyChanged(session: Session, folder: Folder, source: Folder, { elements }: Differing): Promise<void> {
  await session.query(sql`
    update rustine.record r set changed = s.changed
    from rustine.record s join unnest(${elements.map(({ type }) => type)}::text[], ${elements.map(({ name }) => name)}::text[]) as e (type, name) using (type, name)
    where s.folder = ${source.id} and r.folder = ${folder.id} and r.type = s.type and r.name = s.name and r.tag = s.tag and r.key = s.key
      and r.changed <> s.changed`);
}
