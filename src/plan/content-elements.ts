// Elements that bring rows of tables they name themselves: TAB (a table's whole content) and AAA (rows chosen by a set-up model). Pure.
import type { Finding } from '../base/finding.ts';
import type { ElementName } from '../dictionary/element.ts';
import { subjectOf } from '../dictionary/element.ts';
import { DATA_TAG, ELEMENT_TYPES } from '../dictionary/element-types.ts';
import type { PatchPart, PatchRecord } from '../patch/format.ts';
import type { ContentTarget, TableName } from './delivery.ts';

/** Types whose records are rows, whatever their tag. */
export function isContent(type: string): boolean {
  return replaces(type) || ELEMENT_TYPES.get(type)?.behaviour === 'model-rows';
}

const replaces = (type: string): boolean => ELEMENT_TYPES.get(type)?.behaviour === 'table-content';

/**
 * The table of a record. TAB: the element's name. AAA, for which there is no real file to learn from: the record's tag, or, where that
 * is DIV, what its label says before the first `~`.
 */
export function contentTableOf(element: ElementName, record: PatchRecord): TableName {
  if (replaces(element.type)) return { name: element.name, by: 'either' };
  return { name: record.tag === DATA_TAG ? (unquoted(record.key).split('~')[0] ?? '') : record.tag, by: 'either' };
}

/** Labels come bare or in quotes. */
function unquoted(label: string): string {
  return label.length >= 2 && label.startsWith('"') && label.endsWith('"') ? label.slice(1, -1) : label;
}

/** Collects, part by part, what tables the content elements of a file are about. */
export function contentCollector(into: {
  readonly contents: ContentTarget[];
  readonly findings: Finding[];
}): (part: PatchPart) => void {
  let element: ElementName | undefined;
  let targets = new Map<string, ContentTarget>();
  let reported = false;
  return (part) => {
    if (part.part === 'element') {
      reported = false;
      element = isContent(part.element.type) ? { type: part.element.type, name: part.element.name } : undefined;
      targets = element !== undefined && replaces(element.type) ? new Map([[element.name, emptyTarget(element)]]) : new Map();
    } else if (part.part === 'record' && element !== undefined) {
      if (replaces(element.type) && part.record.tag !== DATA_TAG && !reported) {
        reported = true;
        into.findings.push(strange(element, part));
      }
      addRow(targets, element, part);
    } else if (part.part === 'element-end') {
      into.contents.push(...targets.values());
      targets = new Map();
      element = undefined;
    }
  };
}

type RecordPart = PatchPart & { readonly part: 'record' };

function emptyTarget(element: ElementName): ContentTarget {
  return { element: subjectOf(element), table: element.name, rows: 0, replaces: true };
}

function addRow(targets: Map<string, ContentTarget>, element: ElementName, { record, at }: RecordPart): void {
  const { name } = contentTableOf(element, record);
  const known = targets.get(name);
  targets.set(name, {
    element: subjectOf(element),
    table: name,
    record: known?.record ?? { label: unquoted(record.key), line: at.line },
    rows: (known?.rows ?? 0) + 1,
    replaces: replaces(element.type),
  });
}

/** A table's content consists of its rows alone: what else could such a record be? */
function strange(element: ElementName, { record, at }: RecordPart): Finding {
  const subject = subjectOf(element);
  return {
    code: 'content-tag',
    severity: 'block',
    subject,
    facts: { element: subject, tag: record.tag, line: at.line, expected: DATA_TAG },
  };
}
