// Makes the plan of one delivery for one starting state: judges part by part, streams what is to be written to a sink. No database, no clock.
import { digestOf } from '../base/canonical.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Authorization } from '../dictionary/activity-codes.ts';
import { authorize, EVERYTHING, isScriptAuthorized, isSpecific, isSpecificScript } from '../dictionary/activity-codes.ts';
import type { DictionaryElement, DictionaryRecord, ElementName } from '../dictionary/element.ts';
import { headerOf, subjectOf } from '../dictionary/element.ts';
import { ELEMENT_TYPES } from '../dictionary/element-types.ts';
import type { Fields } from '../dictionary/fields.ts';
import { exactDigest, fieldsToJson, fieldValue, hasNul, meaningDigest } from '../dictionary/fields.ts';
import type { MergeContext, MergeResult, OwnRecord, Verdict } from '../dictionary/merge.ts';
import { mergeElement } from '../dictionary/merge.ts';
import { NO_ELEMENTS } from '../journal/outcome.ts';
import type { DataType } from '../tables/data-types.ts';
import { dataTypeOf } from '../tables/data-types.ts';
import type { TableDefinition } from '../tables/desired.ts';
import { desiredTable, indexName } from '../tables/desired.ts';
import type { TableChange } from '../tables/diff.ts';
import { diffTable } from '../tables/diff.ts';
import { comparedColumns, keyColumns, planRow } from './data-rows.ts';
import type { DeliveredPart, Delivery } from './delivery.ts';
import type { FolderFacts } from './facts.ts';
import { elementKey } from './facts.ts';
import type { FolderSettings, Plan, RowBatch } from './plan.ts';

/** One staged row of a plan, as the catalog's plan_item holds it. */
export interface PlanItem {
  readonly item:
    | 'element'
    | 'record'
    | 'remove'
    | 'delivered'
    | 'script'
    | 'exe'
    | 'activity'
    | 'row'
    | 'translation'
    | 'remainder';
  readonly ordinal: number;
  readonly type?: string;
  readonly name?: string;
  readonly tag?: string;
  readonly key?: string;
  readonly position?: number;
  readonly digest?: string;
  readonly meaning?: string;
  /** Digest of what was delivered, where the record keeps something else. */
  readonly delivered?: string;
  readonly activity?: string;
  readonly title?: string;
  /** JSON text. */
  readonly fields?: string;
  readonly bytes?: Uint8Array;
}

export interface PlanningInput {
  readonly delivery: Delivery;
  readonly folder: FolderSettings;
  readonly facts: FolderFacts;
  /** Codes the operator authorised for the run, besides those of the header; `everything` for a copy of a folder. */
  readonly authorized: readonly string[] | 'everything';
}

/** What a plan is before it is staged: the small part, after its items were drained. */
export type PlanDraft = Omit<Plan, 'id' | 'basis'>;

interface Draft {
  readonly findings: Finding[];
  readonly counts: Record<Verdict, number>;
  readonly definitions: Map<string, readonly DictionaryRecord[]>;
  readonly dataTypes: Map<string, DataType>;
  readonly ignoredCodes: Set<string>;
  readonly due: Set<string>;
  readonly pending: string[];
  readonly batches: Map<string, RowBatch>;
  /** Physical tables that the delivery changes, for the lock count. */
  ordinal: number;
  scripts: number;
  rows: number;
}

/**
 * Yields the items of the plan; the generator's return value is the draft. Where a blocking finding turns up, the items are worth
 * nothing and the draft says why.
 */
export async function* planDelivery(input: PlanningInput): AsyncGenerator<PlanItem, PlanDraft> {
  const authorization: Authorization =
    input.authorized === 'everything' ? EVERYTHING : authorize(input.delivery.activityCodes, input.authorized);
  const draft = newDraft(input.facts);
  for await (const part of input.delivery.parts(draft.findings)) {
    yield* planPart(part, input, authorization, draft);
  }
  const { definitions, changes } = planTables(input, draft);
  if (input.delivery.rows.size > 0) yield* planRows(input, definitions, draft);
  return finish(draft, changes);
}

function newDraft(facts: FolderFacts): Draft {
  const dataTypes = new Map<string, DataType>();
  for (const [code, header] of facts.dataTypes) {
    const type = header.fields === undefined ? undefined : dataTypeOf(code, { ...header, fields: header.fields });
    if (type !== undefined) dataTypes.set(code, type);
  }
  return {
    findings: [],
    counts: { ...NO_ELEMENTS },
    definitions: new Map(),
    dataTypes,
    ignoredCodes: new Set(),
    due: new Set(),
    pending: [],
    batches: new Map(),
    ordinal: 0,
    scripts: 0,
    rows: 0,
  };
}

function* planPart(part: DeliveredPart, input: PlanningInput, authorization: Authorization, draft: Draft): Generator<PlanItem> {
  draft.ordinal += 1;
  switch (part.part) {
    case 'dictionary':
      yield* planElement(part.element, input, authorization, draft);
      return;
    case 'script':
      yield* planScript(part, input, authorization, draft);
      return;
    case 'exe':
      if (!isScriptAuthorized(authorization, part.name)) {
        ignoreScript({ type: 'EXE', name: part.name }, input.delivery, draft);
        return;
      }
      draft.pending.push(part.name);
      draft.findings.push({
        code: 'script-pending',
        severity: 'warn',
        subject: `EXE:${part.name}`,
        facts: { script: part.name },
      });
      yield { item: 'exe', ordinal: draft.ordinal, name: part.name, title: part.title };
      return;
    case 'row':
      return;
  }
}

// --- dictionary -----------------------------------------------------------------------------------------------------------------------

function* planElement(
  element: DictionaryElement,
  input: PlanningInput,
  authorization: Authorization,
  draft: Draft,
): Generator<PlanItem> {
  const behaviour = ELEMENT_TYPES.get(element.type)?.behaviour;
  if (behaviour === 'table-content' || behaviour === 'model-rows') {
    draft.findings.push({
      code: 'element-unsupported',
      severity: 'block',
      subject: subjectOf(element),
      facts: { element: subjectOf(element) },
    });
    return;
  }
  const own = input.facts.elements.get(elementKey(element.type, element.name));
  const context: MergeContext = { authorization, languages: input.folder.languages, patchLanguages: input.delivery.languages };
  const merged = mergeElement(element, own?.records ?? [], own !== undefined, context);
  draft.counts[merged.verdict] += 1;
  reportMerge(element, merged, draft);
  if (merged.verdict === 'ignored') return;
  yield* mergeItems(element, merged, draft);
  const records = recordsAfter(own?.records ?? [], merged);
  if (behaviour === 'table') draft.definitions.set(element.name, records.map(shapeOnly));
  if (behaviour === 'data-type') learnDataType(element.name, records, draft);
  if (behaviour === 'activity-code') yield* planActivityCode(element, own?.records ?? [], merged, draft);
}

function reportMerge(element: ElementName, merged: MergeResult, draft: Draft): void {
  const subject = subjectOf(element);
  if (merged.verdict === 'ignored') {
    const code = merged.ignored[0]?.code ?? '';
    draft.ignoredCodes.add(code);
    draft.findings.push({
      code: 'element-ignored',
      severity: 'warn',
      subject,
      facts: { element: subject, code, option: `--authorize ${code}` },
    });
    return;
  }
  for (const [code, lines] of Map.groupBy(merged.ignored, (line) => line.code)) {
    draft.ignoredCodes.add(code);
    const keys = lines.map((line) => `${line.tag} ${line.key}`);
    draft.findings.push({
      code: 'lines-ignored',
      severity: 'warn',
      subject,
      facts: { element: subject, code, count: lines.length, keys: keys.slice(0, 20), option: `--authorize ${code}` },
    });
  }
  if (merged.verdict === 'kept' && merged.kept.length > 0) {
    const code = merged.kept[0]?.code ?? '';
    draft.ignoredCodes.add(code);
    draft.findings.push({
      code: 'element-kept',
      severity: 'warn',
      subject,
      facts: { element: subject, code, option: `--authorize ${code}` },
    });
  }
}

function* mergeItems(element: DictionaryElement, merged: MergeResult, draft: Draft): Generator<PlanItem> {
  const { type, name, title } = element;
  const ordinal = draft.ordinal;
  if (merged.verdict === 'created' || merged.verdict === 'updated') yield { item: 'element', ordinal, type, name, title };
  for (const { tag, key, position, digest, meaning, activity, fields, delivered } of merged.writes) {
    const json = fieldsToJson(fields);
    if (hasNul(json))
      draft.findings.push({
        code: 'value-nul',
        severity: 'block',
        subject: subjectOf(element),
        facts: { element: subjectOf(element), record: `${tag} ${key}` },
      });
    const kept = delivered === undefined ? {} : { delivered: exactDigest(delivered) };
    yield { item: 'record', ordinal, type, name, tag, key, position, digest, meaning, activity, fields: json, ...kept };
    if (delivered !== undefined) {
      yield {
        item: 'delivered',
        ordinal,
        digest: exactDigest(delivered),
        meaning: meaningDigest(delivered),
        activity,
        fields: fieldsToJson(delivered),
      };
    }
  }
  for (const { tag, key } of merged.removes) yield { item: 'remove', ordinal, type, name, tag, key };
}

/** The element's records as they will be. Only those with loaded fields count: tables and data types are loaded with theirs. */
function recordsAfter(own: readonly OwnRecord[], merged: MergeResult): readonly DictionaryRecord[] {
  const place = (record: { tag: string; key: string }): string => elementKey(record.tag, record.key);
  const gone = new Set([...merged.removes, ...merged.writes].map(place));
  const staying = own.flatMap((record) =>
    record.fields === undefined || gone.has(place(record)) ? [] : [{ ...record, fields: record.fields }],
  );
  return [...staying, ...merged.writes];
}

const SHAPE_FIELDS = ['ABRFIC', 'CODZONE', 'CODTYP', 'LONG', 'DIME', 'NUMLIG', 'CODIND', 'DESCRIPT', 'HOMONYM'];

/** Table definitions wait until all data types are known: of tens of thousands of lines only what shapes the table is kept. */
function shapeOnly(record: DictionaryRecord): DictionaryRecord {
  const { tag, key, position, activity, fields } = record;
  const slots = Object.fromEntries(
    SHAPE_FIELDS.flatMap((field) => (fields.slots[field] === undefined ? [] : [[field, fields.slots[field]]])),
  );
  return { tag, key, position, activity, fields: { slots, extra: [] } };
}

function learnDataType(code: string, records: readonly DictionaryRecord[], draft: Draft): void {
  const header = records.find((record) => record.tag === 'ATY');
  const type = header === undefined ? undefined : dataTypeOf(code, header);
  if (type !== undefined) draft.dataTypes.set(code, type);
}

/** ADOSACT holds the state and size of each code (R25); a change of either makes the folder due. */
function* planActivityCode(
  element: DictionaryElement,
  own: readonly OwnRecord[],
  merged: MergeResult,
  draft: Draft,
): Generator<PlanItem> {
  const header = headerOf(element);
  if (header === undefined || merged.writes.length === 0) return;
  if (own.length > 0) draft.due.add(`activity-code:${element.name}`);
  const fields = Object.fromEntries(
    ['FLACT', 'DIME', 'MODULE'].map((field) => [field, Number(fieldValue(header.fields, field) ?? '0') || 0]),
  );
  yield { item: 'activity', ordinal: draft.ordinal, name: element.name, title: element.title, fields: JSON.stringify(fields) };
}

// --- scripts --------------------------------------------------------------------------------------------------------------------------

function* planScript(
  part: DeliveredPart & { part: 'script' },
  input: PlanningInput,
  authorization: Authorization,
  draft: Draft,
): Generator<PlanItem> {
  if (!isScriptAuthorized(authorization, part.name)) {
    ignoreScript({ type: part.kind, name: part.name }, input.delivery, draft);
    return;
  }
  const own = input.facts.scripts.get(elementKey(part.kind, part.name));
  if (!receivesScript(input.folder, part.name, own !== undefined)) return;
  const digest = digestOf(part.bytes);
  draft.counts[own === undefined ? 'created' : own === digest ? 'identical' : 'updated'] += 1;
  if (own === digest) return;
  draft.scripts += 1;
  yield {
    item: 'script',
    ordinal: draft.ordinal,
    type: part.kind,
    name: part.name,
    title: part.title,
    digest,
    bytes: part.bytes,
  };
}

/** R22: the supervisor folder and test folders; specific scripts also folders flagged specific, and where they already are. */
function receivesScript(folder: FolderSettings, name: string, present: boolean): boolean {
  return folder.supervisor || folder.test || (isSpecificScript(name) && (folder.specific || present));
}

function ignoreScript(script: ElementName, delivery: Delivery, draft: Draft): void {
  const letter = script.name.charAt(0).toUpperCase();
  // Any code with this letter lets it in; the patch's own are the likely ones.
  const code = [...delivery.carriedCodes].find((each) => each.length > 1 && each.startsWith(letter)) ?? letter;
  draft.counts.ignored += 1;
  draft.ignoredCodes.add(letter);
  const subject = subjectOf(script);
  draft.findings.push({
    code: 'script-ignored',
    severity: 'warn',
    subject,
    facts: { element: subject, letter, option: `--authorize ${code}` },
  });
}

// --- tables ---------------------------------------------------------------------------------------------------------------------------

function planTables(
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

// --- data rows ------------------------------------------------------------------------------------------------------------------------

const MOST_EQUAL_FINDINGS = 20;

async function* planRows(
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

// --- result ---------------------------------------------------------------------------------------------------------------------------

/** A table that is created or altered is locked with its indexes. */
function locksOf(changes: readonly TableChange[]): number {
  return changes.reduce(
    (sum, change) => sum + 2 + (change.change === 'create' ? change.table.indexes.length : change.steps.length),
    0,
  );
}

function finish(draft: Draft, tables: readonly TableChange[]): PlanDraft {
  return {
    findings: draft.findings,
    counts: draft.counts,
    tables,
    batches: [...draft.batches.values()],
    scripts: draft.scripts,
    pending: draft.pending,
    ignoredCodes: [...draft.ignoredCodes].filter(isSpecific),
    due: [...draft.due],
    rows: draft.rows,
    locks: locksOf(tables),
  };
}
