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

  /** The text of ASCII bytes; undefined where a NUL is among them. */
  get(bytes: Buffer, start: number, stop: number): string | undefined {
    if (stop - start > MAX_BYTES) {
      const text = bytes.toString('latin1', start, stop);
      return text.includes('\0') ? undefined : text;
    }
    let hash = 0;
    for (let at = start; at < stop; at++) {
      const byte = bytes[at]!;
      if (byte === 0) return undefined;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    const slot = (hash ^ (hash >>> 12)) & (SLOTS - 1);
    const cached = this.#slots[slot]!;
    if (isText(cached, bytes, start, stop)) return cached;
    const text = bytes.toString('latin1', start, stop);
    this.#slots[slot] = text;
    return text;
  }
}

function isText(text: string, bytes: Buffer, start: number, stop: number): boolean {
  if (text.length !== stop - start) return false;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) !== bytes[start + at]) return false;
  return true;
}
