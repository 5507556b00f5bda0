// A person's decision about a case (R37): stored, and carried out at once in every folder where the same three values stand.
import { Refusal } from '../base/errors.ts';
import { blocks } from '../base/finding.ts';
import type { Database, Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Choice, FieldValue } from '../dictionary/cases.ts';
import { caseId, plainValue } from '../dictionary/cases.ts';
import { subjectOf } from '../dictionary/element.ts';
import type { Slot } from '../dictionary/fields.ts';
import { fieldsToJson } from '../dictionary/fields.ts';
import type { Folder } from '../environment/folder.ts';
import { notReady } from '../environment/folder-state.ts';
import type { FolderCase } from '../environment/kept-values.ts';
import { readKeptCases } from '../environment/kept-values.ts';
import type { RunContext, StagedDelivery } from '../integrate/integrator.ts';
import { integrateInto } from '../integrate/integrator.ts';
import { settingsOf } from '../integrate/settings.ts';
import { enterFolders } from '../journal/folder-entry.ts';
import { stageDelivery } from '../plan/facts.ts';
import { offerDelivery } from '../plan/offer-delivery.ts';
import { clearStaging } from '../plan/staging.ts';

export interface DecisionRequest {
  /** Case id, or its beginning where that is enough. */
  readonly caseId: string;
  readonly choice: Choice;
  /** For choice `value`: what the field gets. */
  readonly value?: string;
  readonly reason: string;
  readonly operator: string;
  /** Of who decides: what is staged is theirs. */
  readonly lease: string;
  readonly lockTimeoutMs: number;
}

export interface DecisionOutcome {
  readonly kept: FolderCase;
  /** Folders that had the case, in the order of the levels. */
  readonly folders: readonly string[];
}

/** All folders or none. @throws Refusal `case-unknown`, `case-ambiguous`, `case-value`, `decision-blocked`, `folder-not-ready`, `run-active` */
export async function decide(database: Database, folders: readonly Folder[], request: DecisionRequest): Promise<DecisionOutcome> {
  const staged: string[] = [];
  try {
    return await database.transaction(async (session) => {
      await session.script(`set local lock_timeout = ${Math.round(request.lockTimeoutMs)}`);
      const all = await readKeptCases(
        session,
        folders.map((folder) => folder.id),
      );
      const { caseId: id, ...element } = chosen(all, request.caseId);
      const having = (cases: readonly FolderCase[]): readonly Folder[] =>
        folders.filter((folder) => cases.some((each) => each.caseId === id && each.folder === folder.id));
      await enterFolders(
        session,
        having(all).map((folder) => folder.code),
      );
      await lockFolders(session, having(all));
      // What stands now: somebody may have integrated in between.
      const cases = await readKeptCases(
        session,
        having(all).map((folder) => folder.id),
        element,
      );
      const kept = chosen(cases, id);
      const concerned = having(cases);
      const value = request.choice === 'value' ? newValue(kept, request.value ?? '') : undefined;
      await store(session, kept, request, value);
      for (const folder of concerned) staged.push(...(await carryOut(session, database, folder, kept, request)));
      return { kept, folders: concerned.map((folder) => folder.code) };
    });
  } finally {
    await database.transaction((session) => clearStaging(session, staged)).catch(() => undefined);
  }
}

function chosen(cases: readonly FolderCase[], text: string): FolderCase {
  const ids = [...new Set(cases.map((each) => each.caseId).filter((id) => id.startsWith(text.toLowerCase())))];
  const found = cases.find((each) => each.caseId === ids[0]);
  if (found === undefined || text === '') throw new Refusal('case-unknown', { case: text });
  if (ids.length > 1) throw new Refusal('case-ambiguous', { case: text, known: ids.slice(0, 10) });
  return found;
}

/** The value in the form that the field has: a number stays one, texts get it in every language. */
function newValue(kept: FolderCase, text: string): FieldValue {
  const refuse = (reason: string): never => {
    throw new Refusal('case-value', { case: kept.caseId, field: kept.field, value: text, reason });
  };
  if (kept.scope !== 'fields' || !Array.isArray(kept.own)) return refuse('not-a-field');
  const own = kept.own as FieldValue;
  // No line of a patch could hold it.
  if (/[\n\r\0]/.test(text)) return refuse('line-end');
  const parts = own.length === 1 ? [text] : text.split(',').map((part) => part.trim());
  if (parts.length !== own.length) return refuse('slots');
  return own.map((slot, at): Slot | null => {
    const part = parts[at] ?? '';
    if (slot === null) return null;
    if ('text' in slot) return { text: part };
    if ('bare' in slot) return /^-?\d+(\.\d+)?$/.test(part) ? { bare: part } : refuse('number');
    if ('texts' in slot)
      return {
        texts: Object.fromEntries(Object.entries(slot.texts).map(([language, each]) => [language, { ...each, text: part }])),
      };
    return refuse('not-a-field');
  });
}

/** The supervisor folder last, as where folders are made and changed: they and decisions cannot wait for each other. */
async function lockFolders(session: Session, folders: readonly Folder[]): Promise<void> {
  const rows = await session.query<{ code: string; state: string }>(sql`
    select code, state from rustine.folder where id = any(${folders.map((folder) => folder.id)}::integer[]) order by parent is null, id desc for update`);
  const other = rows.find((row) => row.state !== 'ready');
  if (other !== undefined) throw notReady(other.code, other.state);
}

async function store(session: Session, kept: FolderCase, request: DecisionRequest, value: FieldValue | undefined): Promise<void> {
  await storeOne(session, kept, kept.caseId, request, value);
  // With its new value the field still differs from the delivered one: that is decided too.
  if (value !== undefined) {
    const own = plainValue(value);
    const followUp = caseId(kept, { before: kept.before, now: kept.now, own });
    await storeOne(session, { ...kept, own }, followUp, { ...request, choice: 'keep' }, undefined);
  }
}

async function storeOne(
  session: Session,
  kept: FolderCase,
  id: string,
  { choice, reason, operator }: DecisionRequest,
  value: FieldValue | undefined,
): Promise<void> {
  const { type, name, tag, key, field, before, now, own } = kept;
  const json = (each: unknown): string | null => (each === null ? null : JSON.stringify(each));
  await session.query(sql`
    insert into rustine.decision (case_id, type, name, tag, key, field, before, now, own, choice, value, reason, decided_by)
    values (${id}, ${type}, ${name}, ${tag}, ${key}, ${field}, ${json(before)}::jsonb, ${json(now)}::jsonb, ${json(own)}::jsonb, ${choice},
      ${value === undefined ? null : valueJson(value)}::jsonb, ${reason}, ${operator})
    on conflict (case_id) do update set choice = excluded.choice, value = excluded.value, reason = excluded.reason,
      decided_by = excluded.decided_by, decided_at = now()`);
}

/** As the field of a record stands in the catalog. */
function valueJson(value: FieldValue): string {
  return fieldsToJson({ slots: { V: value }, extra: [] }).slice('{"V":'.length, -1);
}

/** Offers the element to the folder again: the merge finds the decision. @returns what was staged for it */
async function carryOut(
  session: Session,
  database: Database,
  folder: Folder,
  kept: FolderCase,
  request: DecisionRequest,
): Promise<readonly string[]> {
  if (request.choice === 'keep') return [];
  const settings = settingsOf(folder);
  const delivery = await offerDelivery(session, settings, kept, `(decision ${kept.caseId})`);
  const stagedAs = await database.transaction((other) => stageDelivery(other, request.lease, delivery));
  const staged: StagedDelivery = { delivery, stagedAs, lease: request.lease, plans: new Map() };
  const { findings } = await integrateInto(session, database, settings, staged, decisionContext(request));
  if (blocks(findings)) {
    const reasons = findings
      .filter((finding) => finding.severity === 'block')
      .map((each) => `${each.subject ?? ''} ${each.code}`);
    throw new Refusal('decision-blocked', { case: kept.caseId, folder: folder.code, element: subjectOf(kept), reasons });
  }
  const left = await readKeptCases(session, [folder.id], kept);
  if (left.some((each) => each.caseId === kept.caseId))
    throw new Refusal('decision-blocked', {
      case: kept.caseId,
      folder: folder.code,
      element: subjectOf(kept),
      reasons: findings.map((each) => `${each.subject ?? ''} ${each.code}`),
    });
  return [stagedAs, ...(await Promise.all([...staged.plans.values()])).map((plan) => plan.id)];
}

/** No patch, no run, no APATCH row; nothing else is let in. */
function decisionContext({ operator, lockTimeoutMs }: DecisionRequest): RunContext {
  return {
    run: '',
    operator,
    ending: 'commit',
    authorized: 'offered',
    takeUnchanged: false,
    forced: {},
    records: false,
    lockTimeoutMs,
    // Values of the dictionary: there is no script among them.
    scriptTimeoutMs: 0,
    nextEvent: () => 0,
    stopPoint: () => undefined,
  };
}
