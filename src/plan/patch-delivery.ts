// A patch file as a delivery: read once to check all of it, then again, part by part, whenever a plan is made.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { isSpecific } from '../dictionary/activity-codes.ts';
import type { ElementName } from '../dictionary/element.ts';
import { identify, subjectOf } from '../dictionary/element.ts';
import { DATA_TAG, ELEMENT_TYPES } from '../dictionary/element-types.ts';
import { countSlots, fieldsOf, MOST_SLOTS } from '../dictionary/fields.ts';
import { HEAD_BYTES, languageOf } from '../dictionary/script-language.ts';
import type { ElementHead, PatchHeader, PatchPart, PatchRecord } from '../patch/format.ts';
import { readPatch } from '../patch/read.ts';
import { contentCollector, contentTableOf, isContent } from './content-elements.ts';
import type { ContentTarget, DeliveredPart, Delivery } from './delivery.ts';

/** Opens the bytes of a patch file at its beginning; called for every reading. */
export type PatchOpener = () => AsyncIterable<Uint8Array>;

interface Contents {
  header?: PatchHeader;
  digest: string;
  bytes: number;
  readonly elements: { type: string; name: string; title: string }[];
  /** Element → number of the occurrence that counts: the last one that is more than data rows. */
  readonly last: Map<string, number>;
  readonly rows: Map<string, number>;
  readonly contents: ContentTarget[];
  readonly abbreviations: Set<string>;
  readonly carriedCodes: Set<string>;
  relations: number;
  readonly sqlScripts: Set<string>;
  readonly findings: Finding[];
}

/**
 * Reads the whole file once.
 * @throws Refusal `patch-format` at the first damage
 */
export async function openDelivery(
  file: string,
  open: PatchOpener,
  formFindings: (end: PatchPart & { part: 'end' }) => readonly Finding[],
): Promise<Delivery> {
  const contents: Contents = {
    digest: '',
    bytes: 0,
    elements: [],
    last: new Map(),
    rows: new Map(),
    contents: [],
    abbreviations: new Set(),
    carriedCodes: new Set(),
    relations: 0,
    sqlScripts: new Set(),
    findings: [],
  };
  const look = lookInto(contents);
  const lookAtScript = lookAtScripts(contents.sqlScripts);
  const checkSlots = slotCheck(contents.findings);
  for await (const part of readPatch(open(), { file })) {
    look(part);
    lookAtScript(part);
    checkSlots(part);
    if (part.part === 'end') contents.findings.push(...formFindings(part));
  }
  const { header, last, ...rest } = contents;
  return {
    ...rest,
    file,
    patchType: header?.type ?? '',
    languages: header?.languages ?? [],
    activityCodes: header?.activityCodes ?? [],
    comment: '',
    findings: [...contents.findings, ...repeated(contents.elements), ...unknownTypes(contents)].map((finding) => ({
      ...finding,
      patch: file,
    })),
    content: open,
    parts: (findings) => deliveredParts(readPatch(open(), { file }), { digest: contents.digest, file, last }, findings),
  };
}

/** Of a table's definition: the table with what it keeps long values in, and each index. */
const RELATIONS: Readonly<Record<string, number>> = { ATB: 2, ATI: 1 };

function lookInto(contents: Contents): (part: PatchPart) => void {
  let type = '';
  let name = '';
  let hasRows = false;
  let hasRecords = false;
  const lookAtContent = contentCollector(contents);
  return (part) => {
    lookAtContent(part);
    switch (part.part) {
      case 'header':
        contents.header = part.header;
        break;
      case 'element': {
        type = part.element.type;
        name = part.element.name;
        hasRows = false;
        hasRecords = false;
        contents.elements.push({ type, name, title: part.element.title });
        if (ELEMENT_TYPES.get(type)?.behaviour === 'script' && isSpecific(name))
          contents.carriedCodes.add(name.charAt(0).toUpperCase());
        break;
      }
      case 'record':
        if (isContent(type)) break;
        contents.relations += RELATIONS[part.record.tag] ?? 0;
        if (part.record.tag === DATA_TAG) {
          contents.rows.set(type, (contents.rows.get(type) ?? 0) + 1);
          hasRows = true;
        } else {
          hasRecords = true;
          if (part.record.tag === 'ATB') contents.abbreviations.add(abbreviationOf(part.record));
          for (const code of specificCodes(part.record, type)) contents.carriedCodes.add(code);
        }
        break;
      case 'element-end':
        if (hasRecords || !hasRows || isContent(type)) contents.last.set(placeOf({ type, name }), contents.elements.length);
        break;
      case 'end':
        contents.digest = part.digest;
        contents.bytes = part.bytes;
        break;
      default:
        break;
    }
  };
}

/** Only the beginning of each text is kept, and only until its language is known. */
function lookAtScripts(sqlScripts: Set<string>): (part: PatchPart) => void {
  let element: ElementHead | undefined;
  let head: Uint8Array[] = [];
  let bytes = 0;
  return (part) => {
    if (part.part === 'element') {
      element = ELEMENT_TYPES.get(part.element.type)?.behaviour === 'script' ? part.element : undefined;
      head = [];
      bytes = 0;
    } else if (part.part === 'source' && element !== undefined && bytes < HEAD_BYTES) {
      head.push(part.bytes.slice(0, HEAD_BYTES));
      bytes += part.bytes.length;
    } else if (part.part === 'element-end' && element !== undefined && languageOf(element.type, Buffer.concat(head)) === 'sql')
      sqlScripts.add(element.name);
  };
}

/** Empty slots that a file may have besides so many for each of its lines. */
const SPARE_SLOTS = 1_000_000;
const SPARE_PER_LINE = 50;
const MOST_EQUAL_FINDINGS = 20;

/** An index costs the places before it, in one record and in all of the file: what no table has is refused before it takes the memory. */
function slotCheck(findings: Finding[]): (part: PatchPart) => void {
  let subject = '';
  let spare = SPARE_SLOTS;
  let reported = 0;
  return (part) => {
    if (part.part === 'element') subject = subjectOf(part.element);
    if (part.part !== 'record') return;
    const { tag, lines } = part.record;
    // The usual record costs one pass: each line needs no more than its index and itself.
    const bound = lines.reduce((sum, line) => sum + (line.kind === 'unknown' ? 0 : line.index + 1), 0);
    if (bound <= Math.min(MOST_SLOTS, (SPARE_PER_LINE + 1) * lines.length)) return;
    const { count, field } = countSlots(lines);
    const enough = spare >= 0;
    spare += (SPARE_PER_LINE + 1) * lines.length - count;
    if ((count <= MOST_SLOTS && (spare >= 0 || !enough)) || reported === MOST_EQUAL_FINDINGS) return;
    reported += 1;
    const facts = { element: subject, record: tag, line: part.at.line, field, count, most: MOST_SLOTS };
    findings.push({ code: 'slots-too-many', severity: 'block', subject, facts });
  };
}

const placeOf = (element: ElementName): string => `${element.type}\0${element.name}`;

function abbreviationOf(record: PatchRecord): string {
  const line = record.lines.find((each) => each.kind === 'value' && each.field === 'ABRFIC');
  return line?.kind === 'value' ? line.value.slice(1, -1) : '';
}

function specificCodes(record: PatchRecord, type: string): readonly string[] {
  const wanted = ELEMENT_TYPES.get(type)?.activity ?? ['CODACT'];
  return record.lines.flatMap((line) =>
    line.kind === 'value' && wanted.includes(line.field) && line.value.startsWith('"') && isSpecific(line.value.slice(1))
      ? [line.value.slice(1, -1)]
      : [],
  );
}

/** An element that stands twice in a file: the later one counts. */
function repeated(elements: readonly { type: string; name: string }[]): readonly Finding[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const element of elements) {
    const subject = subjectOf(element);
    if (seen.has(subject)) twice.add(subject);
    seen.add(subject);
  }
  return [...twice].map((subject) => ({ code: 'element-twice', severity: 'warn', subject, facts: { element: subject } }));
}

function unknownTypes(contents: Contents): readonly Finding[] {
  const counts = new Map<string, number>();
  for (const { type } of contents.elements) {
    if (!ELEMENT_TYPES.has(type) && !contents.rows.has(type)) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return [...counts].map(([type, count]) => ({ code: 'type-unknown', severity: 'info', subject: type, facts: { type, count } }));
}

async function* deliveredParts(
  parts: AsyncIterable<PatchPart>,
  known: { readonly digest: string; readonly file: string; readonly last: ReadonlyMap<string, number> },
  findings: Finding[],
): AsyncGenerator<DeliveredPart> {
  let head: ElementHead | undefined;
  let records: PatchRecord[] = [];
  let body: Uint8Array[] = [];
  let hasRows = false;
  let ordinal = 0;
  let counts = true;
  for await (const part of parts) {
    if (part.part === 'element') {
      head = part.element;
      ordinal += 1;
      counts = (known.last.get(placeOf(head)) ?? ordinal) === ordinal;
      records = [];
      body = [];
      hasRows = false;
    } else if (part.part === 'record' && head !== undefined) {
      if (isContent(head.type)) {
        if (counts) yield { part: 'row', table: contentTableOf(head, part.record), fields: fieldsOf(part.record.lines) };
      } else if (part.record.tag === DATA_TAG) {
        hasRows = true;
        yield { part: 'row', table: { name: head.type, by: 'abbreviation' }, fields: fieldsOf(part.record.lines) };
      } else if (counts) records.push(part.record);
    } else if (part.part === 'source' || part.part === 'payload') {
      if (counts) body.push(part.bytes);
    } else if (part.part === 'element-end' && head !== undefined) {
      if (counts) yield* finishedElement(head, records, body, hasRows, findings);
    } else if (part.part === 'end' && part.digest !== known.digest) throw new Failure('patch-changed', { file: known.file });
  }
}

function* finishedElement(
  head: ElementHead,
  records: readonly PatchRecord[],
  body: readonly Uint8Array[],
  hasRows: boolean,
  findings: Finding[],
): Generator<DeliveredPart> {
  const { type, name, title } = head;
  switch (ELEMENT_TYPES.get(type)?.behaviour) {
    case 'script':
      yield { part: 'script', kind: type, name, title, bytes: Buffer.concat(body) };
      return;
    case 'exe':
      yield { part: 'exe', name, title };
      return;
    case 'table-content':
    case 'model-rows':
      return;
    default:
      if (!hasRows || records.length > 0)
        yield { part: 'dictionary', element: identify({ type, name, title }, records, findings) };
  }
}
