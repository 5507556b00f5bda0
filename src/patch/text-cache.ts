// Short texts of a patch repeat without end (`CREUSR`, `"ADMIN"`, `0`): gives the same string again instead of decoding it anew.
import type { Buffer } from 'node:buffer';

const SLOTS = 4096;
/** Longer texts rarely repeat. */
const MAX_BYTES = 24;

/**
 * A table with one string per slot, so it has a fixed size and no worst case, whatever a file holds. Decoding a string costs
 * about 60 ns, finding it here about 10.
 */
export class TextCache {
  readonly #slots: string[] = new Array<string>(SLOTS).fill('');

  /** The text of ASCII bytes, one at least; undefined where a NUL is among them. */
  get(bytes: Buffer, start: number, stop: number): string | undefined {
    const length = stop - start;
    if (length > MAX_BYTES) return textWithoutNul(bytes, start, stop);
    // Five bytes tell the texts of a patch apart well enough: near the end, because values begin and end with a quote.
    const middle = start + (length >> 1);
    const mixed = (bytes[start]! << 5) ^ (bytes[middle]! << 9) ^ (bytes[Math.max(start, stop - 2)]! << 3) ^ bytes[stop - 1]!;
    const slot = (mixed ^ (length << 7) ^ (bytes[Math.max(start, stop - 3)]! << 6)) & (SLOTS - 1);
    const cached = this.#slots[slot]!;
    if (isText(cached, bytes, start, stop)) return cached;
    const text = textWithoutNul(bytes, start, stop);
    if (text !== undefined) this.#slots[slot] = text;
    return text;
  }
}

function textWithoutNul(bytes: Buffer, start: number, stop: number): string | undefined {
  const text = bytes.toString('latin1', start, stop);
  return text.includes('\0') ? undefined : text;
}

function isText(text: string, bytes: Buffer, start: number, stop: number): boolean {
  if (text.length !== stop - start) return false;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) !== bytes[start + at]) return false;
  return true;
}
