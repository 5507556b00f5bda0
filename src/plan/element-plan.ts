// Plans what a delivery does to the dictionary and to scripts, element by element. Pure.
import type { Finding } from '../base/finding.ts';
import type { Authorization } from '../dictionary/activity-codes.ts';
import type { DictionaryElement, DictionaryRecord, ElementName } from '../dictionary/element.ts';
import { elementKey, headerOf, subjectOf } from '../dictionary/element.ts';
import { ELEMENT_TYPES } from '../dictionary/element-types.ts';
import type { Fields } from '../dictionary/fields.ts';
import { fieldsToJson, fieldValue, hasNul, meaningDigest } from '../dictionary/fields.ts';
import { mergeElement } from '../dictionary/merge.ts';
import type { OwnRecord } from '../dictionary/merge-record.ts';
import type { MergeResult } from '../dictionary/merge-result.ts';
import { LINE_VERDICT_NAMES } from '../dictionary/merge-result.ts';
import { seeFields } from '../dictionary/seen-fields.ts';
import { dataTypeOf } from '../tables/data-types.ts';
import type { Terms } from './delivery.ts';
import type { Draft, PlanItem, PlanningInput } from './draft.ts';
import { mergeFindings } from './merge-findings.ts';

export function* planElement(
  element: DictionaryElement,
  input: PlanningInput,
  authorization: Authorization,
  draft: Draft,
  terms?: Terms,
): Generator<PlanItem> {
  const behaviour = ELEMENT_TYPES.get(element.type)?.behaviour;
  const own = input.facts.elements.get(elementKey(element.type, element.name));
  const merged = mergeElement(element, own, {
    authorization,
    languages: input.folder.languages,
    patchLanguages: languagesOf(element, input.delivery),
    patchType: terms?.patchType ?? input.delivery.patchType,
    exactly: terms?.exactly === true,
    takeUnchanged: input.takeUnchanged,
    decisions: input.facts.decisions,
    replay: input.authorized === 'offered',
  });
  draft.counts[merged.verdict] += 1;
  for (const verdict of LINE_VERDICT_NAMES) draft.lines[verdict] += merged.lines[verdict];
  draft.findings.push(...mergeFindings(element, own, merged));
  // What another authorisation would let in: integrating the same file again with it is not "already integrated".
  for (const { code } of [...merged.ignored, ...merged.offers]) if (code !== '') draft.ignoredCodes.add(code);
  if (merged.verdict === 'ignored') return;
  if (behaviour === 'table' && element.records.length === 0) {
    // Taken at its word, it would put every column aside.
    const subject = subjectOf(element);
    draft.findings.push({ code: 'table-empty', severity: 'block', subject, facts: { element: subject } });
  }
  yield* mergeItems(element, own, merged, draft);
  if (merged.verdict === 'kept' && merged.setUp.length === 0) return;
  const records = recordsAfter(own?.records ?? [], merged);
  if (behaviour === 'table') draft.definitions.set(element.name, records.map(shapeOnly));
  if (behaviour === 'data-type') learnDataType(element.name, records, draft);
  if (behaviour === 'activity-code') yield* planActivityCode(element, input, merged, draft);
}

/** Those that the element's texts are in, where the delivery may lack some. */
function languagesOf(element: DictionaryElement, { languages, partlyTranslated }: PlanningInput['delivery']): readonly string[] {
  if (partlyTranslated !== true) return languages;
  const carried = new Set(element.records.flatMap((record) => textLanguages(element.type, record)));
  const own = languages.filter((language) => carried.has(language));
  return own.length === 0 ? languages : own;
}

function textLanguages(type: string, { tag, fields }: DictionaryRecord): readonly string[] {
  const byTag = ELEMENT_TYPES.get(type)?.language ?? {};
  const field = Object.hasOwn(byTag, tag) ? byTag[tag] : undefined;
  const slots = Object.values(fields.slots).flat();
  return [
    ...(field === undefined ? [] : [fieldValue(fields, field) ?? '']),
    ...slots.flatMap((slot) => (slot !== null && 'texts' in slot ? Object.keys(slot.texts) : [])),
  ];
}

function* mergeItems(
  element: DictionaryElement,
  own: { readonly title: string } | undefined,
  merged: MergeResult,
  draft: Draft,
): Generator<PlanItem> {
  const { type, name, title } = element;
  const ordinal = draft.ordinal;
  const renamed = own !== undefined && own.title !== title;
  if (merged.verdict === 'created' || merged.verdict === 'updated' || renamed)
    yield { item: 'element', ordinal, type, name, title };
  for (const { tag, key, position, digest, meaning, activity, fields } of merged.writes) {
    seeFields(draft.fieldsSeen, type, tag, fields);
    const json = storable(element, tag, key, fields, draft);
    yield { item: 'record', ordinal, type, name, tag, key, position, digest, meaning, activity, fields: json };
  }
  for (const { tag, key, position, digest } of merged.moves)
    yield { item: 'move', ordinal, type, name, tag, key, position, digest };
  for (const { tag, key } of merged.removes) yield { item: 'remove', ordinal, type, name, tag, key };
  for (const { tag, key, position, digest, meaning, activity, fields, scope, before, code } of merged.offers) {
    const json = storable(element, tag, key, fields, draft);
    if (before?.fields !== undefined) yield contentItem(ordinal, before.digest, before.fields, activity);
    const offered = { tag, key, position, digest, meaning, activity, fields: json, scope, title: code };
    yield { item: 'offer', ordinal, type, name, ...offered, ...(before === undefined ? {} : { before: before.digest }) };
  }
  for (const { tag, key } of merged.withdraws) yield { item: 'withdraw', ordinal, type, name, tag, key };
  for (const { tag, key, fields } of merged.changed)
    yield { item: 'changed', ordinal, type, name, tag, key, fields: JSON.stringify(fields) };
}

/** Values before a delivery may be put together field by field: no record has had them as they are. */
function contentItem(ordinal: number, digest: string, fields: Fields, activity: string): PlanItem {
  return { item: 'content', ordinal, digest, meaning: meaningDigest(fields), activity, fields: fieldsToJson(fields) };
}

function storable(element: ElementName, tag: string, key: string, fields: Fields, draft: Draft): string {
  const json = fieldsToJson(fields);
  if (hasNul(json)) {
    const facts = { element: subjectOf(element), record: `${tag} ${key}` };
    draft.findings.push({ code: 'value-nul', severity: 'block', subject: subjectOf(element), facts });
  }
  return json;
}

/** The element's records as they will be. Only those with loaded fields count: tables and data types are loaded with theirs. */
function recordsAfter(own: readonly OwnRecord[], merged: MergeResult): readonly DictionaryRecord[] {
  const place = (record: { tag: string; key: string }): string => elementKey(record.tag, record.key);
  const gone = new Set([...merged.removes, ...merged.writes].map(place));
  const moved = new Map(merged.moves.map((move) => [place(move), move.position]));
  const staying = own.flatMap(({ tag, key, position, activity, fields }) =>
    fields === undefined || gone.has(place({ tag, key }))
      ? []
      : [{ tag, key, position: moved.get(place({ tag, key })) ?? position, activity, fields }],
  );
  return [...staying, ...merged.writes];
}

/** What a code counted as before anybody delivered it. */
const UNKNOWN_CODE = { active: true, size: 0 } as const;

/** Largest values that ADOSACT takes; more slots than columns make no sense. */
const ACTIVITY_CODE_FIELDS: Readonly<Record<string, number>> = { FLACT: 2, DIME: 1_600, MODULE: 32_767 };
const LONGEST_ACTIVITY_CODE = 10;

function activityCodeFindings(code: string, fields: Fields): readonly Finding[] {
  const block = (field: string, value: string, most: number): Finding => ({
    code: 'activity-code-value',
    severity: 'block',
    subject: `ACV:${code}`,
    facts: { element: `ACV:${code}`, field, value, most },
  });
  return [
    ...(code.length > LONGEST_ACTIVITY_CODE ? [block('CODACT', code, LONGEST_ACTIVITY_CODE)] : []),
    ...Object.entries(ACTIVITY_CODE_FIELDS).flatMap(([field, most]) => {
      const value = fieldValue(fields, field) || '0';
      return /^\d{1,9}$/.test(value) && Number(value) <= most ? [] : [block(field, value, most)];
    }),
  ];
}

const SHAPE_FIELDS = ['ABRFIC', 'CODZONE', 'CODTYP', 'LONG', 'DIME', 'NUMLIG', 'MODULE', 'CODIND', 'DESCRIPT', 'HOMONYM'];

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
  if (type === undefined) return;
  const before = draft.dataTypes.get(code);
  // Every table that uses the type follows, also those that the delivery does not name.
  if (before?.internal !== type.internal || before.length !== type.length) draft.changedTypes.add(code);
  draft.dataTypes.set(code, type);
}

/** FLACT of a code that is switched on. */
const ACTIVE = 2;

/** ADOSACT holds the state and size of each code (R25); a change of either makes the folder due. */
function* planActivityCode(
  element: DictionaryElement,
  { facts, folder }: Pick<PlanningInput, 'facts' | 'folder'>,
  merged: MergeResult,
  draft: Draft,
): Generator<PlanItem> {
  const header = headerOf(element);
  if (header === undefined || merged.writes.length === 0) return;
  const problems = activityCodeFindings(element.name, header.fields);
  draft.findings.push(...problems);
  if (problems.length > 0) return;
  const fields = Object.fromEntries(
    ['FLACT', 'DIME', 'MODULE'].map((field) => [field, Number(fieldValue(header.fields, field) || '0')]),
  );
  const before = facts.codes.get(element.name) ?? (facts.usedCodes.has(element.name) ? UNKNOWN_CODE : undefined);
  const changes =
    before !== undefined &&
    (before.active !== (fields.FLACT === ACTIVE) || before.size !== (folder.activitySizes[element.name] ?? fields.DIME));
  if (changes) draft.due.add(`activity-code:${element.name}`);
  // Tables of the same delivery follow the new state.
  draft.codes.set(element.name, { active: fields.FLACT === ACTIVE, size: fields.DIME ?? 0 });
  yield { item: 'activity', ordinal: draft.ordinal, name: element.name, title: element.title, fields: JSON.stringify(fields) };
}
