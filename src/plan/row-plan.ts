// Plans the data rows of a delivery, once the tables they go to are known. Pure.
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Fields } from '../dictionary/fields.ts';
import { fieldsToJson } from '../dictionary/fields.ts';
import type { TableDefinition } from '../tables/desired.ts';
import { comparedColumns, keyColumns, planRow } from './data-rows.ts';
import type { Draft, PlanItem, PlanningInput } from './draft.ts';
import type { RowBatch } from './plan.ts';

/** Of findings that are equal but for the row, so many are named. */
const MOST_EQUAL_FINDINGS = 20;

export async function* planRows(
  input: PlanningInput,
  definitions: ReadonlyMap<string, TableDefinition>,
  draft: Draft,
): AsyncGenerator<PlanItem> {
  for (const [abbreviation, rows] of input.delivery.rows) {
    if (!definitions.has(abbreviation))
      draft.findings.push({ code: 'table-unknown', severity: 'block', subject: abbreviation, facts: { abbreviation, rows } });
  }
  if (blocks(draft.findings)) return;
  const reported = new Map<string, number>();
  const report = (finding: Finding): void => {
    const kind = `${finding.code} ${finding.subject} ${String(finding.facts.field)}`;
    const times = (reported.get(kind) ?? 0) + 1;
    reported.set(kind, times);
    if (times <= MOST_EQUAL_FINDINGS) draft.findings.push(finding);
  };
  for await (const part of input.delivery.parts([])) {
    const definition = part.part === 'row' ? definitions.get(part.abbreviation) : undefined;
    if (part.part === 'row' && definition !== undefined) yield* rowItems(input, definition, part.fields, draft, report);
  }
}

function* rowItems(
  input: PlanningInput,
  definition: TableDefinition,
  fields: Fields,
  draft: Draft,
  report: (finding: Finding) => void,
): Generator<PlanItem> {
  const row = planRow(definition, fields, input.folder.languages, input.delivery.languages);
  for (const problem of row.problems) report(problem);
  if (row.problems.length > 0) return;
  const ordinal = ++draft.rows;
  const name = definition.table.name;
  yield {
    item: 'row',
    ordinal,
    position: batchOf(definition, Object.keys(row.values), draft).batch,
    fields: JSON.stringify(row.values),
  };
  for (const text of row.texts) {
    yield {
      item: 'translation',
      ordinal,
      name,
      key: text.language,
      position: text.slot,
      title: text.text,
      fields: JSON.stringify({ field: text.field, id1: text.id1, id2: text.id2 }),
    };
  }
  const left = Object.keys(row.remainder.slots);
  if (left.length === 0 && row.remainder.extra.length === 0) return;
  for (const field of left)
    report({
      code: 'column-unknown',
      severity: 'warn',
      subject: `ATB:${definition.code}`,
      facts: { table: definition.code, field },
    });
  yield { item: 'remainder', ordinal, name, fields: fieldsToJson(row.remainder) };
}

function batchOf(definition: TableDefinition, columns: readonly string[], draft: Draft): RowBatch {
  const sorted = [...columns].sort();
  const signature = `${definition.table.name} ${sorted.join(' ')}`;
  const known = draft.batches.get(signature);
  if (known !== undefined) return known;
  const batch = {
    batch: draft.batches.size,
    table: definition.table.name,
    columns: sorted,
    key: keyColumns(definition),
    compared: comparedColumns(sorted),
  };
  draft.batches.set(signature, batch);
  return batch;
}
