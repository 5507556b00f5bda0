// Validates a folder in somebody's transaction: in line with the folder that it follows and with its own settings (R35).
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Database, Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { NO_LINES } from '../dictionary/merge-result.ts';
import { settledByValidation } from '../environment/due.ts';
import type { Folder } from '../environment/folder.ts';
import { noteLive } from '../environment/history.ts';
import { readLevelGap, readReopened } from '../environment/level-gap.ts';
import type { PatchOutcome, TableOutcome } from '../journal/outcome.ts';
import { NO_ELEMENTS, NO_TABLES } from '../journal/outcome.ts';
import type { FollowedDictionary } from './dictionary-step.ts';
import { followDictionary } from './dictionary-step.ts';
import type { FollowedLive } from './follow-live.ts';
import { followLive, retirePatches } from './follow-live.ts';
import { copyCodes } from './history.ts';
import type { Level } from './level-step.ts';
import { bringLevel, changesLevel, planLevel } from './level-step.ts';
import type { Functions } from './scripts-step.ts';
import { bringFunctions, pendingFindings } from './scripts-step.ts';
import type { TablesInLine } from './tables-step.ts';
import { bringTables } from './tables-step.ts';
import { bringTexts, missingTexts } from './texts-step.ts';
import { BEGINNING, lockValidated } from './validated-folder.ts';
import type { DictionarySource, FolderValidation, Validated, ValidationContext } from './validation-context.ts';
import type { ValidationSources } from './validation-sources.ts';

export type { FolderValidation } from './validation-context.ts';

/** What the steps brought. */
interface Brought {
  /** Of a history folder. */
  readonly live: FollowedLive | undefined;
  readonly followed: FollowedDictionary;
  readonly inLine: TablesInLine;
  readonly functions: Functions;
  readonly texts: number;
  /** Of a history folder: files that its live folder has no more, and whether activity codes stand otherwise there. */
  readonly retired: readonly string[];
  readonly codes: boolean;
  readonly level: Level;
}

/** Findings that block, of the step that found them. */
interface Blocked {
  readonly blocked: readonly Finding[];
}

/**
 * Inside somebody's transaction. Where findings block, the folder is as it was, and the outcome is `failed`, with the findings.
 * @throws Failure `folder-not-ready`, or when the database refuses
 */
export async function validateInto(
  session: Session,
  database: Database,
  folder: Folder,
  sources: ValidationSources,
  context: ValidationContext,
): Promise<Validated> {
  const started = performance.now();
  const source = sources.of(folder);
  const locked = await lockValidated(session, folder, source, sources.lease, context);
  const brought = await bring(session, database, locked.folder, source, sources, locked.integration, context);
  const ms = Math.round(performance.now() - started);
  if ('blocked' in brought) {
    await session.script(`rollback to savepoint ${BEGINNING}`);
    const codes = [...new Set(brought.blocked.filter(({ severity }) => severity === 'block').map(({ code }) => code))];
    const outcome = { ...failedValidation(locked.folder, { code: 'blocked', facts: { codes } }), ms };
    return { outcome, findings: brought.blocked };
  }
  const settled = locked.folder.due.filter(settledByValidation);
  const left = locked.folder.due.filter((reason) => !settledByValidation(reason));
  if (settled.length > 0) await session.query(sql`update rustine.folder set due = ${left}::text[] where id = ${folder.id}`);
  if (source?.exactly === true) await noteLive(session, folder.id);
  const { live, followed, inLine, functions, level } = brought;
  // What was left in this very validation is told with what it failed of.
  const told = new Set([...context.leftToRun.scripts, ...level.integrated.flatMap(({ ran }) => ran)]);
  const waiting = [...functions.pending, ...level.integrated.flatMap((each) => each.pending)];
  const pending = [...new Set(waiting)].filter((script) => !told.has(script)).sort();
  const findings = [
    ...[live, followed, inLine, functions].flatMap((each) => each?.findings ?? []),
    ...pendingFindings(locked.folder, pending),
    ...level.findings,
  ];
  return {
    outcome: { ...outcomeOf(locked.folder, brought, context), settled, due: left.length > 0, reasons: left, ms },
    findings,
  };
}

async function bring(
  session: Session,
  database: Database,
  validated: Folder,
  source: DictionarySource | null,
  sources: ValidationSources,
  integration: string,
  context: ValidationContext,
): Promise<Brought | Blocked> {
  context.step('dictionary');
  const live =
    source?.exactly === true ? await followLive(session, database, validated, source.folder, context.operator) : undefined;
  const folder = live?.folder ?? validated;
  const followed = await followDictionary(session, database, folder, source, sources, integration, context);
  if (blocks(followed.findings)) return { blocked: followed.findings };
  context.step('data-types');
  const codes = live !== undefined && source !== null && (await copyCodes(session, folder, source.folder));
  context.step('tables');
  const inLine = await bringTables(session, database, folder, context.operator, followed.plan?.tables ?? []);
  if (blocks(inLine.findings)) return { blocked: [...followed.findings, ...inLine.findings] };
  context.stopPoint('validation-tables');
  context.step('scripts');
  const functions = await bringFunctions(session, database, folder, followed.stale, integration, sources, context);
  context.step('texts');
  const languages = folder.due.some((reason) => reason === 'languages' || reason === 'parent');
  const texts = source === null || !languages ? 0 : await bringTexts(session, folder, source.folder);
  const missing = languages ? await missingTexts(session, folder) : [];
  context.step('level');
  const retired = live === undefined || source === null ? [] : await retirePatches(session, folder, source.folder, integration);
  const reopened = live === undefined ? await readReopened(session, folder.id) : [];
  const plan = planLevel(source === null ? [] : await readLevelGap(session, folder.id, source.folder.id, source.exactly));
  const brought = { live, codes, followed, inLine, functions, texts, retired };
  const wrote = changed(brought) || changesLevel(plan, reopened);
  // Before those of patches that come with it: each is chained to what was written before it.
  if (wrote) await recordValidation(session, folder, source, followed.plan?.id ?? null, integration, context);
  const level = await bringLevel(session, database, folder, source?.folder ?? folder, plan, reopened, sources, context);
  if (blocks(level.findings)) return { blocked: [followed, inLine, level].flatMap(({ findings }) => findings) };
  context.stopPoint('validation-level');
  return { ...brought, level: { ...level, findings: [...missing, ...level.findings] } };
}

function changed({ live, codes, followed, inLine, functions, texts, retired }: Omit<Brought, 'level'>): boolean {
  if (live?.changed === true || codes || retired.length > 0) return true;
  const { plan } = followed;
  const dictionary = plan === undefined ? 0 : plan.items + plan.tables.length + plan.views.length;
  return dictionary + tablesOf(inLine.tables) + functions.scripts.length + texts > 0;
}

const tablesOf = ({ created, altered, removed }: TableOutcome): number => created.length + altered.length + removed.length;

/**
 * Who did it, when, in which run: records that it changed refer to it, as those of a patch to theirs; so do elements that only lost lines, or
 * whose lines changed. What was delivered to the folder that is followed counts for them from now on.
 */
async function recordValidation(
  session: Session,
  folder: Folder,
  source: DictionarySource | null,
  plan: string | null,
  integration: string,
  { run, operator }: ValidationContext,
): Promise<void> {
  const file = source === null ? '(validation)' : `(validation with ${source.folder.code})`;
  await session.query(sql`
    with written as (
      select type, name from rustine.plan_write where plan = ${plan}::bigint
      union select type, name from rustine.plan_item where plan = ${plan}::bigint and item in ('element', 'record', 'move', 'remove')),
    noted as (
      update rustine.element e set updated_by = ${integration} from written w
      where e.folder = ${folder.id} and e.type = w.type and e.name = w.name and e.updated_by <> ${integration})
    insert into rustine.integration (id, folder, kind, run, file, digest, patch_type, languages, operator)
    values (${integration}, ${folder.id}, 'validation', ${run}, ${file}, decode(repeat('00', 32), 'hex'), '', ${folder.languages}, ${operator})`);
}

function outcomeOf(folder: Folder, brought: Brought, { differences }: ValidationContext): FolderValidation {
  const { live, followed, inLine, functions, texts, retired, level } = brought;
  const { plan } = followed;
  const elements = plan?.counts ?? NO_ELEMENTS;
  const tables = [live?.tables ?? NO_TABLES, followed.tables, inLine.tables].reduce(joined);
  const scripts = [...followed.scripts, ...functions.scripts];
  const gone = live === undefined ? 0 : live.elements.length;
  const wrote = changed(brought) || level.patches.length + level.begun.length > 0;
  return {
    folder: folder.code,
    state: wrote ? 'validated' : 'unchanged',
    due: false,
    reasons: [],
    settled: [],
    steps: [
      { step: 'dictionary', changes: elements.created + elements.updated + gone },
      { step: 'data-types', changes: plan?.changedTypes.length ?? 0 },
      { step: 'tables', changes: tablesOf(tables) },
      { step: 'scripts', changes: scripts.length + (live?.scripts.length ?? 0) },
      { step: 'texts', changes: texts },
      { step: 'level', changes: level.patches.length + retired.length },
    ],
    elements,
    lines: plan?.lines ?? NO_LINES,
    tables,
    scripts,
    ran: level.integrated.flatMap(({ ran }) => ran),
    rows: level.integrated.map(({ rows }) => rows).reduce(rowsOfBoth, NO_ROWS),
    texts,
    patches: level.patches,
    ...(differences ? { differences: { elements: followed.differences, scripts } } : {}),
    ms: 0,
  };
}

const NO_ROWS: PatchOutcome['rows'] = { inserted: 0, updated: 0, deleted: 0 };

const rowsOfBoth = (one: PatchOutcome['rows'], other: PatchOutcome['rows']): PatchOutcome['rows'] => ({
  inserted: one.inserted + other.inserted,
  updated: one.updated + other.updated,
  deleted: one.deleted + other.deleted,
});

function joined(first: TableOutcome, second: TableOutcome): TableOutcome {
  const both = (part: 'created' | 'altered' | 'removed'): readonly string[] =>
    [...new Set([...first[part], ...second[part]])].sort();
  return {
    created: both('created'),
    altered: both('altered'),
    removed: both('removed'),
    changes: [...first.changes, ...second.changes],
  };
}

export function failedValidation(
  { code, due }: Pick<Folder, 'code' | 'due'>,
  reason: NonNullable<FolderValidation['reason']>,
): FolderValidation {
  return {
    folder: code,
    state: 'failed',
    due: due.length > 0,
    reasons: due,
    settled: [],
    steps: [],
    elements: NO_ELEMENTS,
    lines: NO_LINES,
    tables: NO_TABLES,
    scripts: [],
    ran: [],
    rows: NO_ROWS,
    texts: 0,
    patches: [],
    ms: 0,
    reason,
  };
}
