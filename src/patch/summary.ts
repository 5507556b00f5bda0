// What a patch file holds, element by element, without keeping its content: for showing it.
import { basename } from 'node:path';
import { Bug } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { formFindings } from './form-findings.ts';
import type { ElementHead, PatchForm, PatchHeader, PatchPart } from './format.ts';
import { readPatchFile } from './read.ts';

export interface ElementSummary {
  readonly type: string;
  readonly name: string;
  readonly title: string;
  /** Number of records by tag, in file order. */
  readonly records: Readonly<Record<string, number>>;
  /** Of a script. */
  readonly sourceLines?: number;
  /** Of a binary. */
  readonly payloadBytes?: number;
}

export interface PatchSummary {
  readonly header: PatchHeader;
  readonly form: PatchForm;
  readonly digest: string;
  readonly bytes: number;
  /** The first elements, as many as the limits allow. */
  readonly elements: readonly ElementSummary[];
  /** All elements, also those beyond the limits. */
  readonly elementCount: number;
  /** Number of all elements by type; what is beyond the limit of types counts under the empty type. */
  readonly types: Readonly<Record<string, number>>;
  /** The form of the file, and `patch-unknown-kind` (warn; facts `file`, `count`) for lines that the format does not know. */
  readonly findings: readonly Finding[];
}

interface Counting {
  readonly head: ElementHead;
  readonly records: Map<string, number>;
  sourceLines: number;
  payloadBytes: number;
}

interface Tally {
  readonly limit: number;
  readonly elements: ElementSummary[];
  readonly types: Map<string, number>;
  /** Characters of names, titles and tags that may still be kept: a hostile file has names of megabytes. */
  room: number;
  open: Counting | undefined;
  elementCount: number;
  unknownLines: number;
}

const ELEMENT_LIMIT = 10_000;
/** Distinct types of a file, distinct tags of an element: real ones have tens. */
const KEY_LIMIT = 1000;
const ROOM = 8 * 1024 * 1024;
const LF = 10;

/**
 * @param options `limit`: the most elements that are listed (default 10,000); those beyond are only counted
 * @throws Refusal `patch-unreadable`, `patch-format`
 */
export async function summarizePatch(path: string, options: { readonly limit?: number } = {}): Promise<PatchSummary> {
  const limit = options.limit ?? ELEMENT_LIMIT;
  const tally: Tally = { limit, elements: [], types: new Map(), room: ROOM, open: undefined, elementCount: 0, unknownLines: 0 };
  let header: PatchHeader | undefined;
  for await (const part of readPatchFile(path)) {
    if (part.part === 'header') header = part.header;
    else if (part.part !== 'end') count(tally, part);
    else if (header !== undefined) return summaryOf(tally, header, part, basename(path));
  }
  throw new Bug('a patch read without header or end', { path });
}

function summaryOf(tally: Tally, header: PatchHeader, end: Extract<PatchPart, { part: 'end' }>, file: string): PatchSummary {
  const { form, digest, bytes } = end;
  const { elements, elementCount, types, unknownLines } = tally;
  const findings = formFindings(form, file);
  if (unknownLines > 0) {
    findings.push({ code: 'patch-unknown-kind', severity: 'warn', patch: file, facts: { file, count: unknownLines } });
  }
  return { header, form, digest, bytes, elements, elementCount, types: Object.fromEntries(types), findings };
}

function count(tally: Tally, part: PatchPart): void {
  const { open } = tally;
  switch (part.part) {
    case 'element':
      tally.elementCount++;
      addOne(tally, tally.types, part.element.type);
      tally.open = { head: part.element, records: new Map(), sourceLines: 0, payloadBytes: 0 };
      break;
    case 'record':
      if (open !== undefined) addOne(tally, open.records, part.record.tag);
      tally.unknownLines += part.record.lines.filter((line) => line.kind === 'unknown').length;
      break;
    case 'source':
      if (open !== undefined) open.sourceLines += countLines(part.bytes);
      break;
    case 'payload':
      if (open !== undefined) open.payloadBytes += part.bytes.length;
      break;
    case 'unknown':
      tally.unknownLines++;
      break;
    case 'element-end':
      if (open !== undefined) list(tally, open);
      tally.open = undefined;
  }
}

function addOne(tally: Tally, counts: Map<string, number>, key: string): void {
  const counted = counts.get(key);
  if (counted !== undefined) counts.set(key, counted + 1);
  else if (counts.size < KEY_LIMIT && tally.room >= key.length) {
    tally.room -= key.length;
    counts.set(key, 1);
  } else counts.set('', (counts.get('') ?? 0) + 1);
}

function list(tally: Tally, { head, records, sourceLines, payloadBytes }: Counting): void {
  const { type, name, title } = head;
  const room = tally.room - name.length - title.length;
  if (tally.elements.length >= tally.limit || room < 0) return;
  tally.room = room;
  tally.elements.push({
    type,
    name,
    title,
    records: Object.fromEntries(records),
    ...(type === 'TRT' ? { sourceLines } : {}),
    ...(type === 'ADX' ? { payloadBytes } : {}),
  });
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) lines++;
  return lines;
}
