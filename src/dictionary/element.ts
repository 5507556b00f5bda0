// An element as the engine works on it: its records with their identity and activity code. Pure.
import type { Finding } from '../base/finding.ts';
import type { PatchRecord } from '../patch/format.ts';
import type { ElementType } from './element-types.ts';
import { ELEMENT_TYPES } from './element-types.ts';
import type { Fields } from './fields.ts';
import { fieldsOf, fieldValue } from './fields.ts';

export interface ElementName {
  readonly type: string;
  readonly name: string;
}

/** `TYPE:NAME`, as messages and options name an element. */
export function subjectOf(element: ElementName): string {
  return `${element.type}:${element.name}`;
}

/** One record: identity within its element is (tag, key). */
export interface DictionaryRecord {
  readonly tag: string;
  readonly key: string;
  readonly position: number;
  /** Activity code, empty when none. */
  readonly activity: string;
  readonly fields: Fields;
}

export interface DictionaryElement extends ElementName {
  readonly title: string;
  readonly records: readonly DictionaryRecord[];
}

/** Fields looked at for the activity code of a type that the registry does not know. */
const USUAL_ACTIVITY_FIELDS: readonly string[] = ['CODACT'];

/** Gives the records of an element their identity. Records whose key is missing or repeats are kept by position and reported. */
export function identify(
  element: ElementName & { title: string },
  records: readonly PatchRecord[],
  findings: Finding[],
): DictionaryElement {
  const type = ELEMENT_TYPES.get(element.type);
  const seen = new Map<string, number>();
  const identified = records.map((record, position) => {
    const fields = fieldsOf(record.lines);
    const wanted = keyOf(type, element.name, record.tag, fields, position);
    const place = `${record.tag}\0${wanted}`;
    const times = (seen.get(place) ?? 0) + 1;
    seen.set(place, times);
    if (times === 2) {
      findings.push({
        code: 'element-key-incomplete',
        severity: 'info',
        subject: subjectOf(element),
        facts: { tag: record.tag, key: wanted },
      });
    }
    return {
      tag: record.tag,
      key: times === 1 ? wanted : `${wanted}#${times}`,
      position,
      activity: activityOf(type, fields),
      fields,
    };
  });
  return { type: element.type, name: element.name, title: element.title, records: identified };
}

function keyOf(type: ElementType | undefined, element: string, tag: string, fields: Fields, position: number): string {
  if (type === undefined) return `#${position}`;
  if (tag === type.header.tag) return element;
  const key = type.lines[tag]?.key;
  if (key === undefined || key.length === 0) return `#${position}`;
  const values = key.map((alternatives) =>
    alternatives
      .split('|')
      .map((field) => fieldValue(fields, field))
      .find((value) => value !== undefined),
  );
  return values.every((value) => value === undefined) ? `#${position}` : values.map((value) => value ?? '').join('~');
}

function activityOf(type: ElementType | undefined, fields: Fields): string {
  for (const field of type?.activity ?? USUAL_ACTIVITY_FIELDS) {
    const value = fieldValue(fields, field);
    if (value !== undefined && value !== '') return value;
  }
  return '';
}

/** The record that speaks for the element: its header, or the first record of an unknown type. */
export function headerOf(element: DictionaryElement): DictionaryRecord | undefined {
  const tag = ELEMENT_TYPES.get(element.type)?.header.tag;
  return element.records.find((record) => record.tag === tag) ?? (tag === undefined ? element.records[0] : undefined);
}
