// Patch bytes and parts for tests: reading from memory in chosen chunks, writing to memory, the real files where they are at hand.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from '../../src/base/errors.ts';
import type { PatchForm, PatchPart } from '../../src/patch/format.ts';
import { readPatch } from '../../src/patch/read.ts';
import { writePatch } from '../../src/patch/write.ts';

/** Real patch files lie beside the project, where they may be; they are never part of it. */
const REAL_PATCHES = join(import.meta.dirname, '../../../shared/data/patches');

export const noRealPatches = existsSync(REAL_PATCHES) ? undefined : `no real patch files: ${REAL_PATCHES} does not exist`;

export function realPatches(): { readonly file: string; readonly path: string; readonly bytes: Buffer }[] {
  if (noRealPatches !== undefined) return [];
  return readdirSync(REAL_PATCHES)
    .filter((file) => file.toLowerCase().endsWith('.dat'))
    .map((file) => ({ file, path: join(REAL_PATCHES, file), bytes: readFileSync(join(REAL_PATCHES, file)) }));
}

/** Cuts bytes into chunks of the sizes given, over and over. */
export async function* inChunks(bytes: Uint8Array, sizes: readonly number[] = [65_536]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

export async function readBytes(bytes: Uint8Array, sizes?: readonly number[]): Promise<PatchPart[]> {
  return Array.fromAsync(readPatch(inChunks(bytes, sizes), { file: 'TEST.dat' }));
}

export function readText(text: string): Promise<PatchPart[]> {
  return readBytes(Buffer.from(text));
}

export async function writeBytes(parts: Iterable<PatchPart>, form?: PatchForm): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(writePatch(parts, form)));
}

/** The refusal that a promise ends in; any other ending fails the test. */
export async function refusalOf(promise: Promise<unknown>): Promise<Refusal> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

/** The parts with the pieces of each body joined: where a body is cut depends on the chunks. */
export function joined(parts: readonly PatchPart[]): PatchPart[] {
  const whole: PatchPart[] = [];
  for (const part of parts) {
    const last = whole.at(-1);
    if (last !== undefined && isBody(last) && isBody(part) && last.part === part.part) {
      whole[whole.length - 1] = { part: part.part, bytes: Buffer.concat([last.bytes, part.bytes]) };
    } else whole.push(isBody(part) ? { part: part.part, bytes: Buffer.from(part.bytes) } : part);
  }
  return whole;
}

/** Joined, and without what parts made by hand cannot know: places, form, size, digest, empty bodies. */
export function content(parts: readonly PatchPart[]): unknown[] {
  return joined(parts)
    .filter((part) => !isBody(part) || part.bytes.length > 0)
    .map((part) => {
      const { at, ...rest } = { at: undefined, ...part };
      return rest.part === 'end' ? { part: 'end' } : rest;
    });
}

function isBody(part: PatchPart): part is Extract<PatchPart, { bytes: Uint8Array }> {
  return part.part === 'source' || part.part === 'payload';
}
