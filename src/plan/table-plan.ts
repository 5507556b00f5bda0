// Plans how the database tables follow their definitions. Pure.
import type { TableDefinition } from '../tables/desired.ts';
import { desiredTable, indexName } from '../tables/desired.ts';
import type { TableChange } from '../tables/diff.ts';
import { diffTable } from '../tables/diff.ts';
import type { Draft, PlanningInput } from './draft.ts';
import type { FolderFacts } from './facts.ts';
import { elementKey } from './facts.ts';

export function planTables(
  input: PlanningInput,
  draft: Draft,
): { definitions: Map<string, TableDefinition>; changes: readonly TableChange[] } {
  const definitions = new Map<string, TableDefinition>();
  const changes: TableChange[] = [];
  const abbreviations = new Map(input.facts.abbreviations);
  for (const [code, records] of draft.definitions) {
    const definition = desiredTable(code, records, draft.dataTypes, draft.findings);
    abbreviations.set(code, definition.abbreviation);
    definitions.set(definition.abbreviation, definition);
    const change = diffTable(
      definition.table,
      input.facts.tables.get(definition.table.name),
      managedIndexes(input.facts, code),
      draft.findings,
    );
    if (change !== undefined) changes.push(change);
  }
  reportTwice(abbreviations, new Set(draft.definitions.keys()), draft);
  for (const [code, records] of input.facts.definitions) {
    const loaded = records.flatMap((record) => (record.fields === undefined ? [] : [{ ...record, fields: record.fields }]));
    const abbreviation = abbreviations.get(code) ?? '';
    if (!definitions.has(abbreviation) && !draft.definitions.has(code))
      definitions.set(abbreviation, desiredTable(code, loaded, draft.dataTypes, draft.findings));
  }
  return { definitions, changes };
}

function managedIndexes(facts: FolderFacts, code: string): ReadonlySet<string> {
  const own = facts.elements.get(elementKey('ATB', code))?.records ?? [];
  return new Set(own.filter((record) => record.tag === 'ATI').map((record) => indexName(code, record.key)));
}

/** Data patches name a table by its abbreviation: it is unique in a folder. */
function reportTwice(abbreviations: ReadonlyMap<string, string>, delivered: ReadonlySet<string>, draft: Draft): void {
  const named = [...abbreviations].filter(([, abbreviation]) => abbreviation !== '');
  for (const [abbreviation, entries] of Map.groupBy(named, ([, each]) => each)) {
    const tables = entries.map(([code]) => code);
    if (tables.length < 2 || !tables.some((code) => delivered.has(code))) continue;
    draft.findings.push({
      code: 'abbreviation-twice',
      severity: 'block',
      subject: `ATB:${tables.find((code) => delivered.has(code))}`,
      facts: { abbreviation, tables },
    });
  }
}

/** A table that is created or altered is locked with its indexes. */
export function locksOf(changes: readonly TableChange[]): number {
  return changes.reduce(
    (sum, change) => sum + 2 + (change.change === 'create' ? change.table.indexes.length : change.steps.length),
    0,
  );
}
