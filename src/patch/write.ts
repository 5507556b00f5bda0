// Writes parts as patch bytes: what was read comes out byte for byte the same.
import { Buffer } from 'node:buffer';
import { assertNever, Bug, Refusal } from '../base/errors.ts';
import { excerpt } from './fault.ts';
import type { ElementHead, PatchForm, PatchPart } from './format.ts';
import { renderRecord } from './render.ts';
import { END_LINE, STARS } from './tokens.ts';

const CHUNK_BYTES = 64 * 1024;
const LF = 10;
const CR = 13;
const BEYOND_LATIN1 = /[^\0-\xff]/;

/** How the original product writes its patches. */
export const USUAL_FORM: PatchForm = { bom: false, lineEnd: 'lf', encoding: 'utf8', lastLineEnd: true };

interface Draft {
  readonly form: PatchForm;
  readonly lineEnd: string;
  text: string;
  chunks: Uint8Array[];
  bytes: number;
  element: ElementHead | undefined;
  /** Whether the element's script or binary still lacks its line of stars. */
  bodyOpen: boolean;
  /** Payload bytes still owed to the count of a binary. */
  owed: number;
}

/**
 * The bytes of a patch, in chunks of about 64 KB. `mixed` forms cannot be told line by line: they come out as LF and UTF-8.
 * @throws Refusal `patch-text` where a text holds a line end, `patch-source` where a script holds a line of ten stars
 */
export async function* writePatch(
  parts: AsyncIterable<PatchPart> | Iterable<PatchPart>,
  form: PatchForm = USUAL_FORM,
): AsyncGenerator<Uint8Array, void, void> {
  const lineEnd = form.lineEnd === 'crlf' ? '\r\n' : '\n';
  const draft: Draft = { form, lineEnd, text: '', chunks: [], bytes: 0, element: undefined, bodyOpen: false, owed: 0 };
  if (form.bom) addBytes(draft, Buffer.from([0xef, 0xbb, 0xbf]));
  for await (const part of parts) {
    addPart(draft, part);
    if (draft.bytes + draft.text.length >= CHUNK_BYTES) yield flush(draft);
  }
  if (draft.bytes + draft.text.length > 0) yield flush(draft);
}

function addPart(draft: Draft, part: PatchPart): void {
  switch (part.part) {
    case 'header':
      addLine(draft, part.header.raw);
      break;
    case 'element':
      addElement(draft, part.element);
      break;
    case 'record':
      for (const line of renderRecord(part.record)) addLine(draft, line);
      break;
    case 'source':
      addSource(draft, part.bytes);
      break;
    case 'binary':
      draft.owed = part.length;
      addLine(draft, String(part.length));
      break;
    case 'payload':
      draft.owed -= part.bytes.length;
      addBytes(draft, part.bytes);
      break;
    case 'unknown':
      closeBody(draft);
      addLine(draft, part.line);
      break;
    case 'element-end':
      addElementEnd(draft);
      break;
    case 'end':
      draft.text += draft.form.lastLineEnd ? END_LINE + draft.lineEnd : END_LINE;
      break;
    default:
      assertNever(part);
  }
}

function addElement(draft: Draft, element: ElementHead): void {
  draft.element = element;
  draft.bodyOpen = element.type === 'TRT' || element.type === 'ADX';
  draft.owed = 0;
  addLine(draft, `2,${element.raw}`);
}

function addElementEnd(draft: Draft): void {
  const { element } = draft;
  if (element === undefined) throw new Bug('the end of an element that did not begin');
  closeBody(draft);
  draft.element = undefined;
  addLine(draft, `7,${element.raw}`);
}

function closeBody(draft: Draft): void {
  if (!draft.bodyOpen) return;
  draft.bodyOpen = false;
  if (draft.owed !== 0) throw new Bug('payload and byte count differ', { element: nameOf(draft) });
  addLine(draft, STARS);
}

/** The stars follow the last line of a script: it needs its end, and no line of the script may look like them. */
function addSource(draft: Draft, bytes: Uint8Array): void {
  if (bytes.length > 0 && bytes.at(-1) !== LF) throw new Bug('a script without its last line end', { element: nameOf(draft) });
  if (holdsStars(bytes, draft.form.lineEnd === 'crlf')) throw new Refusal('patch-source', { element: nameOf(draft) });
  addBytes(draft, bytes);
}

function holdsStars(bytes: Uint8Array, crlf: boolean): boolean {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = source.indexOf(STARS); at >= 0; at = source.indexOf(STARS, at + 1)) {
    const end = at + STARS.length;
    const ended = source[end] === LF || (crlf && source[end] === CR && source[end + 1] === LF);
    if (ended && (at === 0 || source[at - 1] === LF)) return true;
  }
  return false;
}

function nameOf({ element }: Draft): string {
  return element === undefined ? '' : `${element.type}:${element.name}`;
}

function addLine(draft: Draft, line: string): void {
  if (line.includes('\n')) throw new Refusal('patch-text', { element: nameOf(draft), text: excerpt(line) });
  // A Latin-1 file can take only what Latin-1 has; such a line is then UTF-8, as the reader takes it.
  const utf8 = draft.form.encoding === 'latin1' && BEYOND_LATIN1.test(line);
  if (utf8) addText(draft, 'latin1');
  draft.text += line + draft.lineEnd;
  if (utf8) addText(draft, 'utf8');
}

function addText(draft: Draft, encoding: 'utf8' | 'latin1'): void {
  if (draft.text === '') return;
  const bytes = Buffer.from(draft.text, encoding);
  draft.text = '';
  draft.chunks.push(bytes);
  draft.bytes += bytes.length;
}

function addBytes(draft: Draft, bytes: Uint8Array): void {
  addText(draft, draft.form.encoding === 'latin1' ? 'latin1' : 'utf8');
  draft.chunks.push(bytes);
  draft.bytes += bytes.length;
}

function flush(draft: Draft): Uint8Array {
  addText(draft, draft.form.encoding === 'latin1' ? 'latin1' : 'utf8');
  const chunk = draft.chunks.length === 1 ? draft.chunks[0]! : Buffer.concat(draft.chunks);
  draft.chunks = [];
  draft.bytes = 0;
  return chunk;
}
