// Makes the plan of one delivery for one starting state: judges part by part, streams what is to be written. No database, no clock.
import type { Authorization } from '../dictionary/activity-codes.ts';
import { authorize, EVERYTHING, isSpecific } from '../dictionary/activity-codes.ts';
import type { TableChange } from '../tables/diff.ts';
import type { DeliveredPart } from './delivery.ts';
import { tableNames } from './delivery.ts';
import type { Draft, PlanDraft, PlanItem, PlanningInput } from './draft.ts';
import { newDraft } from './draft.ts';
import { planElement } from './element-plan.ts';
import { planRows } from './row-plan.ts';
import { noteExe, planRuns, planScript } from './script-plan.ts';
import { locksOf, planTables } from './table-plan.ts';
import type { TableNames, ViewChange } from './view-plan.ts';
import { planViews } from './view-plan.ts';

/**
 * Yields the items of the plan; the generator's return value is the draft. Where a blocking finding turns up, the items are worth
 * nothing and the draft says why.
 */
export async function* planDelivery(input: PlanningInput): AsyncGenerator<PlanItem, PlanDraft> {
  const authorization: Authorization =
    input.authorized === 'everything'
      ? EVERYTHING
      : authorize(input.delivery.activityCodes, input.authorized === 'offered' ? [] : input.authorized);
  const draft = newDraft(input.facts);
  for await (const part of input.delivery.parts(draft.findings)) {
    yield* planPart(part, input, authorization, draft);
  }
  yield* planRuns(input, draft);
  const rowTables = tableNames(input.delivery);
  const { definitions, byCode, changes } = planTables(input, draft, rowTables);
  if (rowTables.length > 0) yield* planRows(input, { byAbbreviation: definitions, byCode, changes }, draft);
  const views = planViews(input.facts.views, draft.fieldsSeen, tableChanges(changes), draft.findings);
  return finish(draft, changes, views);
}

/** Names that application tables take and give back. */
export function tableChanges(changes: readonly TableChange[]): TableNames {
  const created = changes.flatMap((change) => (change.change === 'create' ? [change.table.name] : []));
  const gone = changes.flatMap((change) => (change.change === 'remove' ? [change.table] : []));
  return { created: new Set(created), gone: new Set(gone) };
}

/** What came with a patch to the folder whose dictionary is delivered comes as that patch would bring it. */
function authorizationOf(part: DeliveredPart, authorization: Authorization): Authorization {
  const terms = 'terms' in part ? part.terms : undefined;
  if (terms === undefined) return authorization;
  return terms.authorized === 'everything' ? EVERYTHING : authorize(terms.authorized);
}

function* planPart(part: DeliveredPart, input: PlanningInput, given: Authorization, draft: Draft): Generator<PlanItem> {
  const authorization = authorizationOf(part, given);
  draft.ordinal += 1;
  if (input.onlyTables !== null) return;
  switch (part.part) {
    case 'dictionary':
      if (input.rowsOnly) return;
      yield* planElement(part.element, input, authorization, draft, part.terms);
      return;
    case 'script':
      yield* planScript(part, input, authorization, draft);
      return;
    case 'exe':
      noteExe(part, input, authorization, draft);
      return;
    case 'row':
      return;
  }
}

function finish(draft: Draft, tables: readonly TableChange[], views: readonly ViewChange[]): PlanDraft {
  return {
    findings: draft.findings,
    counts: draft.counts,
    lines: draft.lines,
    tables,
    changedTypes: [...draft.changedTypes].sort(),
    views,
    batches: [...draft.batches.values()],
    replaced: [...draft.replaced.values()],
    furtherUnique: [...draft.furtherUnique.values()],
    scripts: draft.scripts,
    runs: draft.runs,
    pending: draft.pending,
    formerFunctions: draft.formerFunctions,
    ignoredCodes: [...draft.ignoredCodes].filter(isSpecific),
    due: [...draft.due],
    leftOut: [...draft.leftOut],
    rows: draft.rows + draft.replaced.size,
    // A view that is made reads three tables of the catalog.
    locks: locksOf(tables) + (views.length === 0 ? 0 : views.length + 3),
  };
}
