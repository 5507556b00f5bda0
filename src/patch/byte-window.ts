// The part of a patch file that is in memory: takes chunks in, gives lines and byte runs out, and knows where it is.
import { Buffer, isAscii, isUtf8 } from 'node:buffer';
import type { PatchForm, Place } from './format.ts';

const LF = 10;
const CR = 13;

/** `starved`: more bytes are needed. `ended`: the file has no more. `too-long`: the line passes the limit. */
export type Took = 'line' | 'starved' | 'ended' | 'too-long';

/**
 * One mutable object instead of one per line: at 8 million lines a patch, an object for each is what costs.
 * The last taken line is in `start`, `stop` (its end not included) and `at`.
 */
export class ByteWindow {
  bytes: Buffer = Buffer.alloc(0);
  /** Of the last taken line, in `bytes`. */
  start = 0;
  stop = 0;
  /** The line that `position` is in, from 1. */
  line = 1;
  /** Whether the last taken line ended in CR LF. */
  crlf = false;
  #position = 0;
  #limit = 0;
  /** Up to where a line end was looked for in vain. */
  #scanned = 0;
  /** Offset in the file of `bytes[0]`. */
  #base = 0;
  #closed = false;
  #high = 0;
  #takenLine = 1;
  readonly #maxLine: number;
  readonly #seen = { bom: false, lf: false, crlf: false, utf8: false, latin1: false, lastLineEnd: true };

  constructor(maxLine: number) {
    this.#maxLine = maxLine;
  }

  /** Where the last taken line begins. */
  get at(): Place {
    return { line: this.#takenLine, offset: this.#base + this.start };
  }

  /** Index in `bytes` of the next byte. */
  get position(): number {
    return this.#position;
  }

  /** Where the next byte is. */
  get next(): Place {
    return { line: this.line, offset: this.#base + this.#position };
  }

  get available(): number {
    return this.#limit - this.#position;
  }

  get closed(): boolean {
    return this.#closed;
  }

  push(chunk: Uint8Array): void {
    const rest = this.#limit - this.#position;
    if (rest === 0) this.#use(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length), chunk.length);
    else if (this.bytes.length - this.#limit >= chunk.length) this.#append(chunk);
    else {
      // Twice the room, so that a long line that comes in small chunks is not copied again for each.
      const grown = Buffer.allocUnsafeSlow(Math.max(2 * rest, rest + chunk.length));
      this.bytes.copy(grown, 0, this.#position, this.#limit);
      this.#use(grown, rest);
      this.#append(chunk);
    }
  }

  #use(bytes: Buffer, limit: number): void {
    this.#scanned -= this.#position;
    this.#base += this.#position;
    this.#position = 0;
    this.bytes = bytes;
    this.#limit = limit;
  }

  #append(chunk: Uint8Array): void {
    this.bytes.set(chunk, this.#limit);
    this.#limit += chunk.length;
  }

  close(): void {
    this.#closed = true;
  }

  /** Passes over a byte order mark. Call once, before anything is taken, with at least three bytes or the whole file there. */
  skipBom(): void {
    const { bytes } = this;
    if (this.#limit < 3 || bytes[0] !== 0xef || bytes[1] !== 0xbb || bytes[2] !== 0xbf) return;
    this.#seen.bom = true;
    this.#position = 3;
    this.#scanned = 3;
  }

  /** Goes to the next line. A last line without its end is a line too. */
  take(): Took {
    const { bytes } = this;
    const limit = this.#limit;
    const start = this.#position;
    let at = this.#scanned;
    let high = at === start ? 0 : this.#high;
    let byte = 0;
    for (; at < limit; at++) {
      byte = bytes[at]!;
      if (byte === LF) break;
      high |= byte;
    }
    this.start = start;
    this.#takenLine = this.line;
    if (at - start > this.#maxLine) return 'too-long';
    this.#high = high;
    if (at === limit) return this.#takeUnended(at);
    this.crlf = at > start && bytes[at - 1] === CR;
    this.stop = this.crlf ? at - 1 : at;
    this.#position = at + 1;
    this.#scanned = at + 1;
    this.line++;
    return 'line';
  }

  #takeUnended(at: number): Took {
    this.#scanned = at;
    this.stop = at;
    if (!this.#closed) return 'starved';
    if (at === this.start) return 'ended';
    this.crlf = false;
    this.#position = at;
    this.#seen.lastLineEnd = false;
    return 'line';
  }

  /** Whether the last taken line is ASCII. */
  get ascii(): boolean {
    return this.#high < 0x80;
  }

  /** Notes how the last taken line ended, where its text is not asked for. */
  noteLineEnd(): void {
    if (this.crlf) this.#seen.crlf = true;
    else if (this.#seen.lastLineEnd) this.#seen.lf = true;
  }

  /** The last taken line as text: UTF-8, or Latin-1 where the bytes are not valid UTF-8. Notes its form. */
  text(): string {
    const { bytes, start, stop } = this;
    this.noteLineEnd();
    if (this.#high < 0x80) return bytes.toString('latin1', start, stop);
    const text = bytes.toString('utf8', start, stop);
    if (text.includes('\ufffd') && !isUtf8(bytes.subarray(start, stop))) {
      this.#seen.latin1 = true;
      return bytes.toString('latin1', start, stop);
    }
    this.#seen.utf8 = true;
    return text;
  }

  /** Up to `length` bytes from here as Latin-1 text, without taking them. */
  peek(length: number): string {
    return this.bytes.toString('latin1', this.#position, Math.min(this.#limit, this.#position + length));
  }

  /** Up to `length` bytes from here; counts the lines in them. */
  takeBytes(length: number): Uint8Array {
    const start = this.#position;
    const stop = Math.min(this.#limit, start + length);
    const { bytes } = this;
    for (let at = bytes.indexOf(LF, start); at >= 0 && at < stop; at = bytes.indexOf(LF, at + 1)) this.line++;
    this.#position = stop;
    this.#scanned = stop;
    return bytes.subarray(start, stop);
  }

  /** Notes the encoding of a run of whole lines that are passed on as bytes. */
  noteEncoding(run: Uint8Array): void {
    if (isAscii(run)) return;
    if (isUtf8(run)) {
      this.#seen.utf8 = true;
      return;
    }
    // Line by line, so that what is reported does not depend on how the file was cut into chunks.
    for (let start = 0; start < run.length; ) {
      const end = run.indexOf(LF, start);
      const line = run.subarray(start, end < 0 ? run.length : end + 1);
      if (!isUtf8(line)) this.#seen.latin1 = true;
      else if (!isAscii(line)) this.#seen.utf8 = true;
      start += line.length;
    }
  }

  get form(): PatchForm {
    const { bom, lf, crlf, utf8, latin1, lastLineEnd } = this.#seen;
    return {
      bom,
      lineEnd: crlf ? (lf ? 'mixed' : 'crlf') : 'lf',
      encoding: latin1 ? (utf8 ? 'mixed' : 'latin1') : 'utf8',
      lastLineEnd,
    };
  }
}
