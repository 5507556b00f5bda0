// Changes set-up fields of a record as a folder's people do: a new content, its mark in `changed`, and what was delivered kept beside it (R20, R37).
import { Refusal } from '../base/errors.ts';
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { sameValue } from '../dictionary/cases.ts';
import type { ElementName } from '../dictionary/element.ts';
import { subjectOf } from '../dictionary/element.ts';
import { ELEMENT_TYPES } from '../dictionary/element-types.ts';
import type { Fields, Slot } from '../dictionary/fields.ts';
import { exactDigest, fieldsToJson, meaningDigest, slotsOf } from '../dictionary/fields.ts';
import { lineSetUp } from '../dictionary/merge-record.ts';
import type { FieldsSeen } from '../dictionary/seen-fields.ts';
import { seeFields } from '../dictionary/seen-fields.ts';
import type { StoredElement, StoredRecord } from '../environment/elements.ts';
import { readElement } from '../environment/elements.ts';
import { notReady } from '../environment/folder-state.ts';
import type { FolderSettings } from '../plan/plan.ts';
import { gatherViews, viewsOf } from '../plan/view-facts.ts';
import { planViews } from '../plan/view-plan.ts';
import { droppedViewStatements, viewStatements } from './write-views.ts';

/** `FIELD=VALUE`, `FIELD[2]=VALUE`. */
export interface Assignment {
  readonly field: string;
  /** undefined: the only slot. */
  readonly slot?: number;
  readonly value: string;
}

export interface RecordChange {
  readonly element: ElementName;
  /** Absent: the header. */
  readonly record?: { readonly tag: string; readonly key: string };
  readonly assignments: readonly Assignment[];
}

export interface FieldsSet {
  readonly tag: string;
  readonly key: string;
  /** Fields whose value differs from before. */
  readonly changed: readonly string[];
}

/**
 * The folder's row is locked: integrations wait.
 * @returns undefined where the folder has no such element
 * @throws Refusal `folder-not-ready`, `record-unknown`, `field-not-set-up`, `field-value`
 */
export async function setFields(
  session: Session,
  folder: FolderSettings,
  change: RecordChange,
  operator: string,
): Promise<FieldsSet | undefined> {
  const [locked] = await session.query<{ state: string }>(
    sql`select state from rustine.folder where id = ${folder.id} for update`,
  );
  if (locked?.state !== 'ready') throw notReady(folder.code, locked?.state);
  const element = await readElement(session, folder.id, change.element);
  if (element === undefined) return undefined;
  const record = recordOf(element, change.record);
  checkSetUp(element, record, change.assignments);
  const fields = change.assignments.reduce((before, assignment) => assigned(element, record, before, assignment), record.fields);
  const { tag, key } = record;
  const names = [...new Set(change.assignments.map(({ field }) => field))];
  const changed = names.filter((field) => !sameValue(slotsOf(fields, field), slotsOf(record.fields, field)));
  if (changed.length === 0) return { tag, key, changed };
  await write(session, folder, element, record, fields, changed, operator);
  await followViews(session, folder, element, tag, fields);
  // Columns of that type follow when the folder is validated.
  if (ELEMENT_TYPES.get(element.type)?.behaviour === 'data-type') await markDue(session, folder, `data-type:${element.name}`);
  return { tag, key, changed };
}

function recordOf(element: StoredElement, place: RecordChange['record']): StoredRecord {
  const tag = place?.tag ?? ELEMENT_TYPES.get(element.type)?.header.tag ?? element.records[0]?.tag ?? '';
  const same = element.records.filter((each) => each.tag === tag);
  const found = place === undefined ? same[0] : same.find((each) => each.key === place.key);
  if (found !== undefined) return found;
  const known = (same.length === 0 ? element.records : same).map((each) => `${each.tag}:${each.key}`);
  throw new Refusal('record-unknown', {
    element: subjectOf(element),
    record: `${tag}:${place?.key ?? ''}`,
    known: known.slice(0, 50),
  });
}

/** Everything else is the patches': the next one would overwrite it without a word. */
function checkSetUp(element: StoredElement, record: StoredRecord, assignments: readonly Assignment[]): void {
  const type = ELEMENT_TYPES.get(element.type);
  const header = element.records.find((each) => each.tag === type?.header.tag);
  const setUp = lineSetUp(type, record.tag, header?.fields);
  const keys = new Set([...(type?.header.key ?? []), ...(type?.lines[record.tag]?.key ?? [])].flatMap((each) => each.split('|')));
  const allowed = setUp.includes('*') ? Object.keys(record.fields.slots).filter((field) => !keys.has(field)) : setUp;
  const wrong = assignments.find(({ field }) => !allowed.includes(field));
  if (wrong === undefined) return;
  throw new Refusal('field-not-set-up', {
    element: subjectOf(element),
    tag: record.tag,
    field: wrong.field,
    known: [...allowed].sort(),
  });
}

const TOKEN = /^-?\d+(?:\.\d+)?$/;

/** The value keeps the form of the one before: a bare number stays one, text stays text. */
function assigned(element: StoredElement, record: StoredRecord, fields: Fields, { field, slot, value }: Assignment): Fields {
  const refuse = (reason: string): never => {
    throw new Refusal('field-value', {
      element: subjectOf(element),
      record: `${record.tag}:${record.key}`,
      field,
      value,
      reason,
    });
  };
  const before = slotsOf(fields, field) ?? [];
  if (before.length > 1 && slot === undefined) return refuse('slot-missing');
  const at = slot ?? 0;
  if (at >= Math.max(1, before.length)) return refuse('slot-unknown');
  const form = before[at] ?? before.find((each) => each !== null) ?? null;
  if (/[\n\r\0]/.test(value)) return refuse('line-end');
  const after = [...before];
  after[at] = newSlot(form, value, refuse);
  return { ...fields, slots: { ...fields.slots, [field]: after } };
}

function newSlot(form: Slot | null, value: string, refuse: (reason: string) => never): Slot {
  // A field that the record has not had yet: digits are a number, as patches write them.
  if (form === null) return TOKEN.test(value) ? { bare: value } : { text: value };
  if ('text' in form) return { text: value };
  if ('bare' in form) return TOKEN.test(value) ? { bare: value } : refuse('number');
  return refuse('texts');
}

async function write(
  session: Session,
  folder: FolderSettings,
  { type, name }: ElementName,
  record: StoredRecord,
  fields: Fields,
  changed: readonly string[],
  operator: string,
): Promise<void> {
  const { tag, key, activity, offer } = record;
  const delivered = offer?.scope === 'fields' ? offer.fields : record.changed.length === 0 ? record.fields : undefined;
  const back = changed.filter((field) => delivered !== undefined && sameValue(slotsOf(delivered, field), slotsOf(fields, field)));
  const own = [...new Set([...record.changed, ...changed])].filter((field) => !back.includes(field)).sort();
  await session.query(sql`
    insert into rustine.content (digest, meaning, activity, fields)
    values (decode(${exactDigest(fields)}, 'hex'), decode(${meaningDigest(fields)}, 'hex'), ${activity}, ${fieldsToJson(fields)}::jsonb)
    on conflict (digest) do nothing`);
  // What was delivered stands beside it from the first change on: as delivered before and now, so nothing waits for a decision yet.
  await session.query(sql`
    insert into rustine.offer (folder, type, name, tag, key, scope, position, content, before, integration, since)
    select r.folder, r.type, r.name, r.tag, r.key, 'fields', r.position, r.content, r.content, r.updated_by, coalesce(i.at, now())
    from rustine.record r left join rustine.integration i on i.id = r.updated_by
    where r.folder = ${folder.id} and r.type = ${type} and r.name = ${name} and r.tag = ${tag} and r.key = ${key} and cardinality(r.changed) = 0
    on conflict do nothing`);
  // Who did it, and when (R20): as every change of a record, it refers to an integration, which is none of a patch.
  await session.query(sql`
    with i as (insert into rustine.integration (folder, kind, file, digest, patch_type, operator)
      values (${folder.id}, 'set', ${`(element set ${type}:${name})`}, decode(repeat('00', 32), 'hex'), '', ${operator}) returning id),
    e as (update rustine.element set updated_by = (select id from i) where folder = ${folder.id} and type = ${type} and name = ${name})
    update rustine.record set content = (select id from rustine.content where digest = decode(${exactDigest(fields)}, 'hex')), changed = ${own},
      updated_by = (select id from i)
    where folder = ${folder.id} and type = ${type} and name = ${name} and tag = ${tag} and key = ${key}`);
  // Set back to what was delivered: nothing is kept against it any more, and the record is that delivery's again.
  if (delivered !== undefined && meaningDigest(delivered) === meaningDigest(fields)) {
    await session.query(sql`
      with o as (delete from rustine.offer
        where folder = ${folder.id} and type = ${type} and name = ${name} and tag = ${tag} and key = ${key} and scope = 'fields'
        returning integration)
      update rustine.record r set updated_by = o.integration from o
      where r.folder = ${folder.id} and r.type = ${type} and r.name = ${name} and r.tag = ${tag} and r.key = ${key}`);
  }
}

async function markDue(session: Session, folder: FolderSettings, reason: string): Promise<void> {
  await session.query(sql`
    update rustine.folder set due = array(select distinct unnest(due || ${[reason]}::text[]) order by 1) where id = ${folder.id}`);
}

/** A value of another kind may change the type of a view's column. */
async function followViews(
  session: Session,
  folder: FolderSettings,
  element: StoredElement,
  tag: string,
  fields: Fields,
): Promise<void> {
  const seen: FieldsSeen = new Map();
  seeFields(seen, element.type, tag, fields);
  const facts = await gatherViews(session, folder, viewsOf({ elements: [element] }));
  const views = planViews(facts, seen, { created: new Set(), gone: new Set() }, []);
  const statements = [...droppedViewStatements({ views }, folder), ...viewStatements({ views }, folder)];
  if (statements.length > 0) await session.script(statements.map(({ text }) => text).join(';\n'));
}
