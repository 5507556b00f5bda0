// Plans the data rows of a delivery, once the tables they go to are known. Pure.
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Fields } from '../dictionary/fields.ts';
import { fieldsToJson } from '../dictionary/fields.ts';
import type { TableDefinition } from '../tables/desired.ts';
import type { TableChange } from '../tables/diff.ts';
import { emptyText } from '../tables/model.ts';
import { comparedColumns, keyColumns, planRow } from './data-rows.ts';
import type { Delivery, TableName } from './delivery.ts';
import type { Draft, PlanItem, PlanningInput } from './draft.ts';
import { furtherUnique } from './further-unique.ts';
import type { RowBatch } from './plan.ts';
import { RepeatedKeys } from './repeated-keys.ts';

/** Of findings that are equal but for the row, so many are named. */
const MOST_EQUAL_FINDINGS = 20;

/** Tables that rows can be for, by both of their names. */
export interface Tables {
  readonly byAbbreviation: ReadonlyMap<string, TableDefinition>;
  readonly byCode: ReadonlyMap<string, TableDefinition>;
  /** How they change before the rows come. */
  readonly changes: readonly TableChange[];
}

export async function* planRows(input: PlanningInput, tables: Tables, draft: Draft): AsyncGenerator<PlanItem> {
  const { onlyTables } = input;
  if (onlyTables === null) reportUnknown(input.delivery, tables, draft);
  const concerned = (name: TableName): TableDefinition | undefined => {
    const definition = find(tables, name);
    return definition === undefined || onlyTables?.has(definition.table.name) === false ? undefined : definition;
  };
  reportOwnAccount(input.delivery, concerned, draft);
  if (blocks(draft.findings)) return;
  reportLeftOut(input.delivery, concerned, draft);
  for (const content of input.delivery.contents) {
    const definition = content.replaces ? concerned({ name: content.table, by: 'either' }) : undefined;
    if (definition?.generated === true) planReplacement(definition, draft);
  }
  const rows: Rows = { input, draft, repeated: new RepeatedKeys(), report: limited(draft.findings) };
  for await (const part of input.delivery.parts([])) {
    const definition = part.part === 'row' ? concerned(part.table) : undefined;
    if (part.part === 'row' && definition?.generated === true) yield* rowItems(rows, definition, part.fields);
  }
  for (const { table } of draft.batches.values()) planUnique(definitionOf(tables, table), input, tables, draft);
  for (const { definition, keys, count } of rows.repeated.found()) reportRepeated(definition, keys, count, draft);
}

function definitionOf({ byCode }: Tables, table: string): TableDefinition | undefined {
  return byCode.values().find((definition) => definition.table.name === table);
}

function planUnique(definition: TableDefinition | undefined, input: PlanningInput, { changes }: Tables, draft: Draft): void {
  if (definition === undefined || draft.furtherUnique.has(definition.table.name)) return;
  const unique = furtherUnique(definition, input.facts.tables.get(definition.table.name), changes);
  if (unique !== undefined) draft.furtherUnique.set(unique.table, unique);
}

function find(tables: Tables, { name, by }: TableName): TableDefinition | undefined {
  return (by === 'either' ? tables.byCode.get(name) : undefined) ?? tables.byAbbreviation.get(name);
}

/** The folder knows the table and has none: its activity code is inactive, or its module not in use. */
function reportLeftOut(delivery: Delivery, concerned: (name: TableName) => TableDefinition | undefined, draft: Draft): void {
  const delivered = [
    ...[...delivery.rows].map(([name, rows]) => ({ definition: concerned({ name, by: 'abbreviation' }), rows })),
    ...delivery.contents.map(({ table, rows }) => ({ definition: concerned({ name: table, by: 'either' }), rows })),
  ];
  for (const { definition, rows } of delivered) {
    if (definition === undefined || definition.generated) continue;
    const { code: table } = definition;
    draft.leftOut.add(definition.table.name);
    draft.findings.push({ code: 'rows-left-out', severity: 'warn', subject: `ATB:${table}`, facts: { table, rows } });
  }
}

function reportUnknown(delivery: Delivery, tables: Tables, draft: Draft): void {
  for (const [abbreviation, rows] of delivery.rows) {
    if (!tables.byAbbreviation.has(abbreviation))
      draft.findings.push({ code: 'table-unknown', severity: 'block', subject: abbreviation, facts: { abbreviation, rows } });
  }
  for (const { element, table, record, rows } of delivery.contents) {
    if (find(tables, { name: table, by: 'either' }) !== undefined) continue;
    const where = record === undefined ? {} : { record: record.label, line: record.line };
    draft.findings.push({
      code: 'content-table-unknown',
      severity: 'block',
      subject: element,
      facts: { element, table, rows, ...where },
    });
  }
}

/** APATCH is the folder's own account of its patches (R29): what another folder's says would be false in this one. */
const OWN_ACCOUNT = 'apatch';

function reportOwnAccount(delivery: Delivery, concerned: (name: TableName) => TableDefinition | undefined, draft: Draft): void {
  const delivered = [
    ...[...delivery.rows.keys()].map((name) => ({ element: name, definition: concerned({ name, by: 'abbreviation' }) })),
    ...delivery.contents.map(({ element, table }) => ({ element, definition: concerned({ name: table, by: 'either' }) })),
  ];
  for (const { element, definition } of delivered) {
    if (definition?.table.name !== OWN_ACCOUNT) continue;
    const facts = { element, table: definition.code };
    draft.findings.push({ code: 'content-own-account', severity: 'block', subject: element, facts });
  }
}

/** The state and size of the folder's activity codes: other tables follow at validation (R25). */
const CODES = 'adosact';

function planReplacement(definition: TableDefinition, draft: Draft): void {
  const { name, indexes } = definition.table;
  if (name === CODES) draft.due.add('activity-codes');
  const key = keyColumns(definition);
  const duplicates = indexes[0]?.unique !== true || key.some((column) => column.nullable);
  draft.replaced.set(name, { table: name, key, duplicates });
}

/** Of rows with one key the last counts (R24); but a table whose first index lets keys repeat would lose rows of its content. */
function losesRepeated(definition: TableDefinition, draft: Draft): boolean {
  return draft.replaced.has(definition.table.name) && definition.identity?.unique !== true;
}

function reportRepeated(definition: TableDefinition, keys: readonly string[], count: number, draft: Draft): void {
  const table = definition.code;
  const lost = losesRepeated(definition, draft);
  draft.findings.push({
    ...(lost ? { code: 'content-key-twice', severity: 'block' } : { code: 'row-key-twice', severity: 'info' }),
    subject: `ATB:${table}`,
    facts: { table, count, keys },
  });
}

interface Rows {
  readonly input: PlanningInput;
  readonly draft: Draft;
  readonly repeated: RepeatedKeys;
  readonly report: (finding: Finding) => void;
}

function limited(findings: Finding[]): (finding: Finding) => void {
  const reported = new Map<string, number>();
  return (finding) => {
    const kind = `${finding.code} ${finding.subject} ${String(finding.facts.field)}`;
    const times = (reported.get(kind) ?? 0) + 1;
    reported.set(kind, times);
    if (times <= MOST_EQUAL_FINDINGS) findings.push(finding);
  };
}

function* rowItems({ input, draft, repeated, report }: Rows, definition: TableDefinition, fields: Fields): Generator<PlanItem> {
  const row = planRow(definition, fields, input.folder.languages, input.delivery.languages);
  for (const problem of row.problems) report(problem);
  if (row.problems.length > 0) return;
  const values = draft.replaced.has(definition.table.name) ? { ...emptyValues(definition), ...row.values } : row.values;
  repeated.note(definition, values, losesRepeated(definition, draft));
  if (definition.table.name === CODES) draft.due.add(`activity-code:${values.codact_0 ?? ''}`);
  const ordinal = ++draft.rows;
  const name = definition.table.name;
  yield {
    item: 'row',
    ordinal,
    position: batchOf(definition, Object.keys(values), draft).batch,
    fields: JSON.stringify(values),
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
  const left = Object.entries(row.remainder.slots);
  if (left.length === 0 && row.remainder.extra.length === 0) return;
  for (const [field, slots] of left) {
    const known = definition.fields.has(field.toLowerCase());
    if (known) slots.forEach((slot, at) => void (slot !== null && draft.leftOut.add(`${name}.${field.toLowerCase()}_${at}`)));
    const facts = { table: definition.code, field };
    report({ code: known ? 'field-left-out' : 'column-unknown', severity: 'warn', subject: `ATB:${definition.code}`, facts });
  }
  yield { item: 'remainder', ordinal, name, fields: fieldsToJson(row.remainder) };
}

/** A table whose content is replaced holds what was delivered: a field that was not is empty. Who made a row and when is not its content. */
function emptyValues(definition: TableDefinition): Readonly<Record<string, string | null>> {
  const columns = definition.table.columns.filter((column) => column.field !== null);
  const compared = new Set(comparedColumns(columns.map((column) => column.name)));
  return Object.fromEntries(columns.flatMap(({ name, type }) => (compared.has(name) ? [[name, emptyText(type)]] : [])));
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
