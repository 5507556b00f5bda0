// The patch grammar, top down over a byte window: yields the parts in file order, and `undefined` when it needs more bytes.
import type { ByteWindow, Took } from './byte-window.ts';
import type { PatchExpected } from './expected.ts';
import { patchFault } from './fault.ts';
import type { ElementHead, PatchForm, PatchPart, Place, RecordLine } from './format.ts';
import { parseLineBytes } from './line-bytes.ts';
import { TextCache } from './text-cache.ts';
import {
  END_LINE,
  isUnknownKind,
  parseByteCount,
  parseElementHead,
  parseHeader,
  parseRecordHead,
  parseRecordLine,
  STARS,
} from './tokens.ts';

/** A longer line is refused: real ones stay under a few kilobytes. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** A record is held in memory whole, so its size is limited, in text and in number of lines. */
const MAX_RECORD_LENGTH = 64 * 1024 * 1024;
export const MAX_RECORD_LINES = 500_000;

type Steps<Result> = Generator<PatchPart | undefined, Result, void>;

interface Scan {
  readonly window: ByteWindow;
  readonly file: string;
  /** `TYPE:NAME` of the element that is open, for messages. */
  element: string;
  /** Whether the header ended in CR LF: then the stars after a script may too. */
  crlf: boolean;
  readonly cache: TextCache;
}

export function* parsePatch(window: ByteWindow, file: string): Steps<PatchForm> {
  const scan: Scan = { window, file, element: '', crlf: false, cache: new TextCache() };
  while (window.available < 3 && !window.closed) yield undefined;
  window.skipBom();
  const first = yield* nextLine(scan, 'header');
  yield { part: 'header', header: accepted(scan, first, parseHeader(first)), at: window.at };
  scan.crlf = window.crlf;
  for (;;) {
    const line = yield* nextLine(scan, 'end-line');
    if (line === END_LINE) break;
    if (line.startsWith('2,')) yield* parseElement(scan, line);
    else if (isUnknownKind(line)) yield { part: 'unknown', line, at: window.at };
    else throw fault(scan, line.startsWith('8') ? 'end-line' : 'element-or-end', line);
  }
  while (window.available === 0 && !window.closed) yield undefined;
  if (window.available > 0) throw fault(scan, 'end-of-file', window.peek(100), window.next);
  return window.form;
}

function* parseElement(scan: Scan, line: string): Steps<void> {
  const element = accepted(scan, line, parseElementHead(line));
  scan.element = `${element.type}:${element.name}`;
  yield { part: 'element', element, at: scan.window.at };
  if (element.type === 'TRT') yield* parseSource(scan);
  else if (element.type === 'ADX') yield* parseBinary(scan);
  yield* parseRecords(scan, element);
  scan.element = '';
}

/** Records up to line 7. Scripts, binaries and EXE have none: only line 7 is left of them. */
function* parseRecords(scan: Scan, element: ElementHead): Steps<void> {
  const { window } = scan;
  const mayHoldRecords = element.type !== 'TRT' && element.type !== 'ADX' && element.type !== 'EXE';
  const closing = `7,${element.raw}`;
  for (;;) {
    const line = yield* nextLine(scan, 'closing-line-7');
    if (line === closing) break;
    if (mayHoldRecords && line.startsWith('3,')) yield yield* parseRecord(scan, line);
    else if (isUnknownKind(line)) yield { part: 'unknown', line, at: window.at };
    else throw fault(scan, mayHoldRecords && !line.startsWith('7') ? 'record-or-closing-line-7' : 'closing-line-7', line);
  }
  yield { part: 'element-end', at: window.at };
}

interface RecordDraft {
  readonly tag: string;
  readonly closing: string;
  readonly lines: RecordLine[];
  length: number;
}

function* parseRecord(scan: Scan, head: string): Steps<PatchPart> {
  const { at } = scan.window;
  const { tag, key } = accepted(scan, head, parseRecordHead(head));
  const draft: RecordDraft = { tag, closing: `6,"${tag}"`, lines: [], length: head.length };
  for (let took = takeRecordLines(scan, draft); took !== 'closed'; took = takeRecordLines(scan, draft)) {
    yield* awaitMore(scan, took, 'record-end');
  }
  return { part: 'record', record: { tag, key, lines: draft.lines }, at };
}

/** Goes on to line 6, or to where bytes are lacking. A plain function, because in a generator this loop takes twice the time. */
function takeRecordLines(scan: Scan, draft: RecordDraft): Took | 'closed' {
  const { window } = scan;
  for (;;) {
    const took = window.take();
    if (took !== 'line') return took;
    draft.length += window.stop - window.start;
    const plain = window.ascii ? parseLineBytes(window.bytes, window.start, window.stop, scan.cache) : undefined;
    const line = plain ?? parseOtherLine(scan, draft.closing);
    if (line === 'closed') return line;
    if (plain !== undefined) window.noteLineEnd();
    if (draft.length > MAX_RECORD_LENGTH || draft.lines.length === MAX_RECORD_LINES)
      throw fault(scan, 'smaller-record', textOf(scan));
    draft.lines.push(line);
  }
}

function parseOtherLine(scan: Scan, closing: string): RecordLine | 'closed' {
  const line = textOf(scan);
  if (line === closing) return 'closed';
  const parsed = parseRecordLine(line);
  return typeof parsed === 'string' ? refuse(scan, line.startsWith('6') ? 'record-end' : parsed, line) : parsed;
}

/** Raw lines up to the ten stars, passed on in runs as large as the window holds. */
function* parseSource(scan: Scan): Steps<void> {
  const { window } = scan;
  let runStart = window.position;
  for (;;) {
    const took = window.take();
    if (took === 'line' && !atStars(scan)) continue;
    if (took === 'too-long' || took === 'ended') yield* awaitMore(scan, took, 'source-end');
    if (window.start > runStart) {
      const run = window.bytes.subarray(runStart, window.start);
      window.noteEncoding(run);
      yield { part: 'source', bytes: run };
    }
    if (took === 'line') break;
    yield undefined;
    runStart = window.position;
  }
  window.text();
}

function atStars({ window, crlf }: Scan): boolean {
  const { bytes, start, stop } = window;
  if (stop - start !== STARS.length || (window.crlf && !crlf)) return false;
  for (let at = start; at < stop; at++) if (bytes[at] !== 42) return false;
  return true;
}

/** A byte count, that many bytes, ten stars. The count may lie: nothing is set aside for it. */
function* parseBinary(scan: Scan): Steps<void> {
  const { window } = scan;
  const count = yield* nextLine(scan, 'byte-count');
  const length = accepted(scan, count, parseByteCount(count));
  yield { part: 'binary', length, at: window.at };
  for (let left = length; left > 0; ) {
    if (window.available === 0) yield* awaitBytes(scan, 1, 'payload');
    const bytes = window.takeBytes(left);
    left -= bytes.length;
    yield { part: 'payload', bytes };
  }
  yield* awaitBytes(scan, STARS.length, 'payload-end');
  const end = window.next;
  if (window.peek(STARS.length) !== STARS) throw fault(scan, 'payload-end', window.peek(100), end);
  const stars = yield* nextLine(scan, 'payload-end');
  if (stars !== STARS) throw fault(scan, 'payload-end', stars);
}

function* awaitBytes(scan: Scan, count: number, expected: PatchExpected): Steps<void> {
  const { window } = scan;
  while (window.available < count) {
    if (window.closed) throw fault(scan, expected, window.peek(count) || undefined, window.next);
    yield undefined;
  }
}

function* nextLine(scan: Scan, expected: PatchExpected): Steps<string> {
  const { window } = scan;
  for (let took = window.take(); took !== 'line'; took = window.take()) yield* awaitMore(scan, took, expected);
  return textOf(scan);
}

/** Where no line could be taken. `expected` is what the file lacks if it ends here. */
function* awaitMore(scan: Scan, took: Took, expected: PatchExpected): Steps<void> {
  if (took === 'ended') throw fault(scan, expected, undefined);
  if (took === 'too-long') throw fault(scan, 'shorter-line', scan.window.peek(100));
  yield undefined;
}

function textOf(scan: Scan): string {
  const text = scan.window.text();
  return text.includes('\0') ? refuse(scan, 'no-nul', text) : text;
}

/** What a token function gave, or the fault at the line taken last. */
function accepted<Parsed extends object | number>(scan: Scan, line: string, parsed: Parsed | PatchExpected): Parsed {
  return typeof parsed === 'string' ? refuse(scan, parsed, line) : parsed;
}

function refuse(scan: Scan, expected: PatchExpected, found: string): never {
  throw fault(scan, expected, found);
}

/** `found` is undefined at the end of the file; an empty line shows its line end. */
function fault(scan: Scan, expected: PatchExpected, found: string | undefined, at: Place = scan.window.at): Error {
  const { file, element } = scan;
  return patchFault({ file, at, element, expected, found: found === '' ? '\n' : (found ?? '') });
}
