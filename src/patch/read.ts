// Reads a patch file as a stream: bytes in, parts out in file order, in flat memory whatever the file holds.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { Refusal } from '../base/errors.ts';
import { ByteWindow } from './byte-window.ts';
import type { PatchPart } from './format.ts';
import { MAX_LINE_BYTES, parsePatch } from './grammar.ts';

const READ_BYTES = 256 * 1024;

/**
 * The parts of a patch. The source may cut the bytes anywhere and must not reuse its chunks.
 * @throws Refusal `patch-format` at the first break of the format (facts: `file`, `line`, `offset`, `element`, `expected`, `found`)
 */
export async function* readPatch(
  source: AsyncIterable<Uint8Array>,
  options: { readonly file: string },
): AsyncGenerator<PatchPart, void, void> {
  const window = new ByteWindow(MAX_LINE_BYTES);
  const grammar = parsePatch(window, options.file);
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of source) {
    if (chunk.length === 0) continue;
    hash.update(chunk);
    bytes += chunk.length;
    window.push(chunk);
    for (let step = grammar.next(); step.value !== undefined; step = grammar.next()) {
      if (step.done) break;
      yield step.value;
    }
  }
  window.close();
  for (let step = grammar.next(); ; step = grammar.next()) {
    if (step.done) {
      yield { part: 'end', form: step.value, bytes, digest: hash.digest('hex') };
      return;
    }
    if (step.value !== undefined) yield step.value;
  }
}

/**
 * The parts of the patch file at `path`; its name in messages is the base name.
 * @throws Refusal `patch-unreadable` (facts: `file`, `reason`), `patch-format`
 */
export function readPatchFile(path: string): AsyncGenerator<PatchPart, void, void> {
  return readPatch(fileBytes(path), { file: basename(path) });
}

/** @throws Refusal `patch-unreadable` */
export async function* fileBytes(path: string): AsyncGenerator<Uint8Array, void, void> {
  try {
    // The stream reads ahead while a chunk is worked on. It never reuses a chunk, so parts may be views into it.
    const stream = createReadStream(path, { highWaterMark: READ_BYTES }) as AsyncIterable<Uint8Array>;
    yield* stream;
  } catch (error) {
    unreadable(path, error);
  }
}

/** Turns an error of the file system into a refusal that names the file. */
export function unreadable(path: string, error: unknown): never {
  const reason = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  throw new Refusal('patch-unreadable', { file: basename(path), reason }, error);
}
