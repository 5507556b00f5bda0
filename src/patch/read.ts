// Reads a patch file as a stream: bytes in, parts out in file order, in flat memory whatever the file holds.
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
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
export async function* readPatchFile(path: string): AsyncGenerator<PatchPart, void, void> {
  yield* readPatch(fileBytes(path), { file: basename(path) });
}

async function* fileBytes(path: string): AsyncGenerator<Uint8Array, void, void> {
  const handle = await open(path, 'r').catch((error: unknown) => unreadable(path, error));
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
      const { bytesRead } = await handle.read(buffer, 0, READ_BYTES).catch((error: unknown) => unreadable(path, error));
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** Turns an error of the file system into a refusal that names the file. */
export function unreadable(path: string, error: unknown): never {
  const reason = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  throw new Refusal('patch-unreadable', { file: basename(path), reason }, error);
}
