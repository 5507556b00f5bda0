// Plans how the database tables follow their definitions. Pure.
import type { Finding } from '../base/finding.ts';
import type { DictionaryRecord } from '../dictionary/element.ts';
import { elementKey } from '../dictionary/element.ts';
import { fieldValue } from '../dictionary/fields.ts';
import type { OwnRecord } from '../dictionary/merge-record.ts';
import type { DesiredContext, TableDefinition } from '../tables/desired.ts';
import { desiredTable, indexName } from '../tables/desired.ts';
import type { Managed, TableChange } from '../tables/diff.ts';
import { diffTable, removeTable } from '../tables/diff.ts';
import type { Draft } from './draft.ts';
import type { FolderFacts } from './facts.ts';
import type { FolderSettings } from './plan.ts';
import type { Taken } from './table-facts.ts';

/** What the tables of a folder are planned from. */
export interface TablePlanning {
  readonly folder: Pick<FolderSettings, 'activityCodes' | 'activitySizes' | 'modules'>;
  readonly facts: Pick<FolderFacts, 'abbreviations' | 'definitions' | 'elements' | 'tables' | 'taken'>;
}

export interface TablePlan {
  /** By abbreviation: tables of the delivery and those that rows are delivered for. */
  readonly definitions: Map<string, TableDefinition>;
  /** The same by dictionary name, and those that have no abbreviation. */
  readonly byCode: ReadonlyMap<string, TableDefinition>;
  readonly changes: readonly TableChange[];
}

/**
 * Tables of the delivery (`draft.definitions`), those that use a data type it changes, and those that rows are delivered for: what a row is
 * written to has to be the table that the definition makes, and nothing that a script put in its place.
 * @param rowTables names and abbreviations by which the delivery means tables that it has rows for
 */
export function planTables({ folder, facts }: TablePlanning, draft: Draft, rowTables: readonly string[] = []): TablePlan {
  const { activityCodes: alwaysActive, activitySizes: ownSizes, modules } = folder;
  const generation = { codes: draft.codes, alwaysActive, ownSizes, modules };
  const context: DesiredContext = { types: draft.dataTypes, generation, findings: draft.findings };
  const definitions = new Map<string, TableDefinition>();
  const byCode = new Map<string, TableDefinition>();
  const abbreviations = new Map(facts.abbreviations);
  const planned: TableDefinition[] = [];
  const withRows = new Set(rowTables);
  for (const [code, records] of draft.definitions) {
    const definition = desiredTable(code, records, context);
    abbreviations.set(code, definition.abbreviation);
    definitions.set(definition.abbreviation, definition);
    byCode.set(code, definition);
    planned.push(definition);
  }
  reportTwice(abbreviations, new Set(draft.definitions.keys()), draft.findings);
  for (const [code, own] of facts.definitions) {
    if (draft.definitions.has(code)) continue;
    const records = loaded(own);
    const definition = desiredTable(code, records, context);
    const abbreviation = abbreviations.get(code) ?? '';
    byCode.set(code, definition);
    if (!definitions.has(abbreviation)) definitions.set(abbreviation, definition);
    if (withRows.has(code) || withRows.has(abbreviation) || usesChanged(records, draft.changedTypes)) planned.push(definition);
  }
  const changes = planned.flatMap((definition) => changeOf(definition, facts, draft.findings) ?? []);
  reportTaken(planned, changes, facts, draft.findings);
  return { definitions, byCode, changes };
}

export function loaded(records: readonly OwnRecord[]): readonly DictionaryRecord[] {
  return records.flatMap((record) => (record.fields === undefined ? [] : [{ ...record, fields: record.fields }]));
}

function usesChanged(records: readonly DictionaryRecord[], types: ReadonlySet<string>): boolean {
  return types.size > 0 && records.some((record) => record.tag === 'ATZ' && types.has(fieldValue(record.fields, 'CODTYP') ?? ''));
}

function changeOf(definition: TableDefinition, facts: TablePlanning['facts'], findings: Finding[]): TableChange | undefined {
  const { code, table } = definition;
  const found = facts.tables.get(table.name);
  const own = facts.elements.get(elementKey('ATB', code))?.records ?? facts.definitions.get(code);
  if (found !== undefined && own === undefined) {
    // Somebody else's table: bringing it in line could take columns away that the dictionary never made.
    findings.push(nameTaken(code, 'table', table.name));
    return undefined;
  }
  if (!definition.generated) return found === undefined ? undefined : removeTable(found, 'inactive');
  return diffTable(table, found, managedOf(definition, own ?? []), findings);
}

/** What the definition made so far, and what it makes now. */
function managedOf(definition: TableDefinition, own: readonly OwnRecord[]): Managed {
  const before = own.filter((record) => record.tag === 'ATZ').map((record) => record.key.toLowerCase());
  return {
    indexes: new Set(own.filter((record) => record.tag === 'ATI').map((record) => indexName(definition.code, record.key))),
    fields: new Set([...definition.fields, ...before]),
    inactiveFields: definition.inactiveFields,
  };
}

/** Tables and indexes share their names within a schema. */
function reportTaken(
  planned: readonly TableDefinition[],
  changes: readonly TableChange[],
  { taken, definitions }: TablePlanning['facts'],
  findings: Finding[],
): void {
  const code = new Map(planned.map((definition) => [definition.table.name, definition.code]));
  const owners = new Map<string, string>();
  for (const { generated, table } of planned) if (generated) owners.set(table.name, table.name);
  for (const change of changes) {
    const name = change.change === 'create' ? change.table.name : change.table;
    const indexes =
      change.change === 'create'
        ? change.table.indexes
        : change.change === 'alter'
          ? change.steps.flatMap((step) => (step.step === 'create-index' ? [step.index] : []))
          : [];
    const by = change.change === 'create' ? taken.get(name) : undefined;
    // Where the folder had no such definition before, it is not its table that was given away.
    const known = definitions.has(code.get(name) ?? '');
    if (by !== undefined) findings.push(nameTaken(code.get(name) ?? name, 'table', name, known ? by : {}));
    for (const index of indexes) {
      // Two equal ones of one table are reported with its definition.
      const owner = owners.get(index.name);
      if (taken.has(index.name) || (owner !== undefined && owner !== name))
        findings.push(nameTaken(code.get(name) ?? name, 'index', index.name));
      owners.set(index.name, name);
    }
  }
}

function nameTaken(code: string, kind: 'table' | 'index', name: string, { login }: Taken = {}): Finding {
  return { code: 'name-taken', severity: 'block', subject: `ATB:${code}`, facts: { table: code, kind, name, ...login } };
}

/** Data patches name a table by its abbreviation: it is unique in a folder. */
function reportTwice(abbreviations: ReadonlyMap<string, string>, delivered: ReadonlySet<string>, findings: Finding[]): void {
  const named = [...abbreviations].filter(([, abbreviation]) => abbreviation !== '');
  for (const [abbreviation, entries] of Map.groupBy(named, ([, each]) => each)) {
    const tables = entries.map(([code]) => code);
    if (tables.length < 2 || !tables.some((code) => delivered.has(code))) continue;
    findings.push({
      code: 'abbreviation-twice',
      severity: 'block',
      subject: `ATB:${tables.find((code) => delivered.has(code))}`,
      facts: { abbreviation, tables },
    });
  }
}

/** A table that is created, altered or put aside is locked with its indexes. */
export function locksOf(changes: readonly TableChange[]): number {
  return changes.reduce((sum, change) => sum + 2 + stepsOf(change), 0);
}

function stepsOf(change: TableChange): number {
  if (change.change === 'create') return change.table.indexes.length;
  return change.change === 'alter' ? change.steps.length : 4;
}
