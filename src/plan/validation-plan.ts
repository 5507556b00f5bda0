// Plans how all tables of a folder follow its dictionary, data types, activity codes and modules, as an integration does for those of a patch.
import type { Finding } from '../base/finding.ts';
import type { Session } from '../database/database.ts';
import type { TableDefinition } from '../tables/desired.ts';
import type { TableChange } from '../tables/diff.ts';
import { inspectTables } from '../tables/inspect.ts';
import { newDraft } from './draft.ts';
import type { FolderFacts } from './facts.ts';
import { gatherAbbreviations, gatherDataTypes, gatherDefinitions } from './facts.ts';
import type { FolderSettings } from './plan.ts';
import { tableChanges } from './planner.ts';
import type { Aside } from './table-facts.ts';
import { gatherAside, gatherCodes, gatherEstimates, gatherTaken } from './table-facts.ts';
import type { TablePlanning } from './table-plan.ts';
import { loaded, locksOf, planTables } from './table-plan.ts';
import { gatherViews, viewsOf } from './view-facts.ts';
import type { ViewChange } from './view-plan.ts';
import { planViews } from './view-plan.ts';

export interface ValidationPlan {
  readonly findings: readonly Finding[];
  readonly tables: readonly TableChange[];
  readonly views: readonly ViewChange[];
  readonly locks: number;
  /** Estimated rows by table. */
  readonly rows: ReadonlyMap<string, number>;
  readonly aside: readonly Aside[];
  /** The tables as the dictionary defines them, by its name. */
  readonly definitions: ReadonlyMap<string, TableDefinition>;
}

/** A constant number of statements, however many tables the folder has. */
export async function planValidation(session: Session, folder: FolderSettings): Promise<ValidationPlan> {
  const facts = await gatherFolder(session, folder);
  const draft = newDraft(facts);
  for (const [code, records] of facts.definitions) draft.definitions.set(code, loaded(records));
  const { changes, byCode } = planTables({ folder, facts }, draft);
  const named = changes.flatMap((change) =>
    change.change === 'alter'
      ? []
      : [{ type: 'ATB', name: change.change === 'create' ? change.table.name : change.table, title: '' }],
  );
  const views = await gatherViews(session, folder, named.length === 0 ? [] : viewsOf({ elements: named }));
  return {
    findings: draft.findings,
    tables: changes,
    views: planViews(views, new Map(), tableChanges(changes), draft.findings),
    locks: locksOf(changes),
    rows: await gatherEstimates(session, folder),
    aside: await gatherAside(session, folder),
    definitions: byCode,
  };
}

type ValidationFacts = TablePlanning['facts'] & Pick<FolderFacts, 'codes' | 'dataTypes'>;

async function gatherFolder(session: Session, folder: FolderSettings): Promise<ValidationFacts> {
  const abbreviations = await gatherAbbreviations(session, folder);
  const codes = [...abbreviations.keys()];
  const names = codes.map((code) => code.toLowerCase());
  return {
    elements: new Map(),
    dataTypes: await gatherDataTypes(session, folder),
    tables: await inspectTables(session, folder.schema, names),
    abbreviations,
    definitions: await gatherDefinitions(session, folder, codes),
    codes: await gatherCodes(session, folder),
    taken: await gatherTaken(session, folder, names),
  };
}
