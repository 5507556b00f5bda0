// An element as the engine works on it: its records with their identity and activity code. Pure.
import type { Finding } from '../base/finding.ts';
import type { PatchRecord } from '../patch/format.ts';
import { isSpecific } from './activity-codes.ts';
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

/** One key for maps; no name holds a NUL. */
export const elementKey = (type: string, name: string): string => `${type}\0${name}`;

/** One record: identity within its element is (tag, key). */
export interface DictionaryRecord {
  readonly tag: string;
  readonly key: string;
  readonly position: number;
  /** Activity code, empty when none. */
  readonly activity: string;
  readonly fields: Fields;
  /** Of another folder's dictionary, where that folder keeps something else than was delivered: what a folder without this record begins with. */
  readonly initial?: InitialRecord;
}

/** A record as another folder has it, with what was delivered to that folder and not taken. */
export interface InitialRecord {
  readonly fields: Fields;
  /** Set-up fields that its people changed. */
  readonly changed: readonly string[];
  readonly offered: Fields;
  /** Why it was not taken there; `fields`: set-up. */
  readonly scope: 'fields' | 'line' | 'element';
  /** Code that guards the line or element there; '' for set-up fields. */
  readonly code: string;
  /** What was delivered the time before. */
  readonly before?: Fields;
  /** That delivery did not come to the folder that this is for, either. */
  readonly several: boolean;
}

export interface DictionaryElement extends ElementName {
  readonly title: string;
  readonly records: readonly DictionaryRecord[];
}

/** Fields looked at for the activity code of a type that the registry does not know. */
const USUAL_ACTIVITY_FIELDS: readonly string[] = ['CODACT'];

interface Line {
  readonly tag: string;
  /** What its key fields give; undefined where the registry names none or the line has none of them. */
  readonly natural: string | undefined;
  readonly activity: string;
  readonly fields: Fields;
}

/** Gives the records of an element their identity. Records whose key is missing or repeats are told apart by their place among their like, all are kept. */
export function identify(
  element: ElementName & { title: string },
  records: readonly PatchRecord[],
  findings: Finding[],
): DictionaryElement {
  const type = ELEMENT_TYPES.get(element.type);
  const lines = records.map(({ tag, lines: each }): Line => {
    const fields = fieldsOf(each);
    return { tag, natural: keyOf(type, element.name, tag, fields), activity: activityOf(type, fields), fields };
  });
  const groups = Map.groupBy(lines, placeOf);
  for (const { tag, natural } of [...groups.values()].flatMap((group) => group.slice(1, 2))) {
    if (natural !== undefined)
      findings.push({
        code: 'element-key-incomplete',
        severity: 'info',
        subject: subjectOf(element),
        facts: { tag, key: natural },
      });
  }
  const keyFor = keysOf(groups);
  const identified = lines.map((line, position) => {
    const { tag, activity, fields } = line;
    return { tag, key: keyFor.get(line) ?? '', position, activity, fields };
  });
  return { type: element.type, name: element.name, title: element.title, records: identified };
}

const placeOf = (line: Line): string => (line.natural === undefined ? line.tag : `${line.tag}\0${line.natural}`);

/**
 * A line whose fields give no key of its own is the n-th of those with its tag (and key) and its activity code: `#ZAL.0`. What stands
 * between in the file only orders, so a protected line of the folder cannot take the place of a standard one. Of lines with the same
 * key the first standard one has the key itself: it stays the same line when the others come and go.
 */
function keysOf(groups: ReadonlyMap<string, readonly Line[]>): ReadonlyMap<Line, string> {
  const keys = new Map<Line, string>();
  const taken = new Set<string>();
  const give = (line: Line, key: string): void => {
    let free = key;
    while (taken.has(`${line.tag}\0${free}`)) free += '#';
    taken.add(`${line.tag}\0${free}`);
    keys.set(line, free);
  };
  for (const group of groups.values()) {
    const owner = group.length === 1 ? group[0] : group.find((line) => !isSpecific(line.activity));
    if (owner?.natural !== undefined) give(owner, owner.natural);
  }
  for (const group of groups.values()) {
    const times = new Map<string, number>();
    for (const line of group) {
      const time = times.get(line.activity) ?? 0;
      times.set(line.activity, time + 1);
      if (!keys.has(line)) give(line, `${line.natural ?? ''}#${line.activity}.${time}`);
    }
  }
  return keys;
}

function keyOf(type: ElementType | undefined, element: string, tag: string, fields: Fields): string | undefined {
  if (type === undefined) return undefined;
  if (tag === type.header.tag) return element;
  const key = type.lines[tag]?.key ?? [];
  const values = key.map((alternatives) =>
    alternatives
      .split('|')
      .map((field) => fieldValue(fields, field))
      .find((value) => value !== undefined),
  );
  return values.every((value) => value === undefined) ? undefined : values.map((value) => value ?? '').join('~');
}

/** The activity code of a line with these fields in an element of that type. */
export function activityOf(type: ElementType | undefined, fields: Fields): string {
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
