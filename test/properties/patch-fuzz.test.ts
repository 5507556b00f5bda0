// Damaged patches: whatever is done to the bytes, reading ends in parts or in a refusal that names the place, and in time.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../src/base/errors.ts';
import { PATCH_EXPECTED } from '../../src/patch/expected.ts';
import type { PatchPart } from '../../src/patch/format.ts';
import { patchParts } from '../support/patch-arbitraries.ts';
import { readBytes, realPatches, writeBytes } from '../support/patch-files.ts';

const MUTATIONS = 60_000;
const WHOLE_FILES = 300;
const MILLISECONDS = 2000;

type Random = (below: number) => number;

/** Seeded, so that a failure can be looked at again. */
function randomOf(seed: number): Random {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, below);
  };
}

type Mutation = (bytes: Buffer, random: Random, other: Buffer) => Buffer;

const HOSTILE = [
  '"',
  '","',
  '\n',
  '\r\n',
  '\0',
  '**********\n',
  '8,""\n',
  '6,"ACV"\n',
  '7,',
  '2,"',
  '3,"X",\n',
  '99,x\n',
  '\xff',
  '\xef\xbb\xbf',
];

function spanOf(bytes: Buffer, random: Random): [number, number] {
  const start = random(bytes.length);
  return [start, Math.min(bytes.length, start + 1 + random(random(4) === 0 ? 400 : 12))];
}

/** Whole lines are what the grammar is made of: moving them breaks the nesting rather than the tokens. */
function linesOf(bytes: Buffer, random: Random): [number, number] {
  const start = bytes.lastIndexOf(10, random(bytes.length)) + 1;
  let end = start;
  for (let lines = 1 + random(3); lines > 0 && end < bytes.length; lines--) end = bytes.indexOf(10, end) + 1 || bytes.length;
  return [start, end];
}

function replaced(bytes: Buffer, [start, end]: [number, number], by: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, start), by, bytes.subarray(end)]);
}

const MUTATIONS_BY_NAME: Record<string, Mutation> = {
  flip: (bytes, random) => {
    const flipped = Buffer.from(bytes);
    for (let times = 1 + random(3); times > 0; times--) {
      const at = random(flipped.length);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << random(8));
    }
    return flipped;
  },
  delete: (bytes, random) => replaced(bytes, spanOf(bytes, random), Buffer.alloc(0)),
  deleteLines: (bytes, random) => replaced(bytes, linesOf(bytes, random), Buffer.alloc(0)),
  duplicateLines: (bytes, random) => {
    const [start, end] = linesOf(bytes, random);
    return replaced(bytes, [end, end], bytes.subarray(start, end));
  },
  moveLines: (bytes, random) => {
    const [start, end] = linesOf(bytes, random);
    const rest = replaced(bytes, [start, end], Buffer.alloc(0));
    const [to] = linesOf(rest, random);
    return replaced(rest, [to, to], bytes.subarray(start, end));
  },
  truncate: (bytes, random) => bytes.subarray(0, random(bytes.length)),
  splice: (bytes, random, other) =>
    Buffer.concat([bytes.subarray(0, random(bytes.length)), other.subarray(random(other.length))]),
  insert: (bytes, random) => {
    const at = random(bytes.length + 1);
    return replaced(bytes, [at, at], Buffer.from(HOSTILE[random(HOSTILE.length)] ?? '', 'latin1'));
  },
  number: (bytes, random) => {
    const digits = [...bytes.toString('latin1').matchAll(/[0-9]+/g)];
    const match = digits[random(digits.length)];
    if (match === undefined) return bytes;
    const lies = ['0', '1', '-1', '00', '99999', '100000', '999999999999999', '1e9', '', String(Number(match[0]) + 1)];
    return replaced(bytes, [match.index, match.index + match[0].length], Buffer.from(lies[random(lies.length)] ?? ''));
  },
};

/** The file cut down to one element each, so that most mutations are cheap. */
async function elementsOf(bytes: Buffer): Promise<Buffer[]> {
  const parts = await readBytes(bytes);
  const frame = (body: PatchPart[]) =>
    parts.filter((part) => part.part === 'header' || part.part === 'end' || body.includes(part));
  const starts = parts.flatMap((part, at) => (part.part === 'element' ? [at] : []));
  const elements = starts.map((start, at) => parts.slice(start, starts[at + 1] ?? -1));
  // Of a long element the first records do.
  const cut = elements.map((body) => frame(body.length < 12 ? body : [...body.slice(0, 4), ...body.slice(-1)]));
  return Promise.all(cut.map((element) => writeBytes(element)));
}

async function seeds(): Promise<Buffer[]> {
  const generated = fc.sample(patchParts, { numRuns: 60, seed: 20_170_130 });
  const real = await Promise.all(realPatches().map(({ bytes }) => elementsOf(bytes)));
  return [...(await Promise.all(generated.map((parts) => writeBytes(parts)))), ...real.flat(), ...real.flat()];
}

/** What reading ended in: the reason of a refusal, or `read` where also writing gave the bytes back or the form says why not. */
async function outcomeOf(bytes: Buffer, cuts: number[]): Promise<string> {
  try {
    const parts = await readBytes(bytes, cuts);
    const end = parts.at(-1);
    if (end?.part !== 'end') return 'no end';
    if (end.form.encoding === 'mixed' || end.form.lineEnd === 'mixed') return 'mixed';
    return (await writeBytes(parts, end.form)).equals(bytes) ? 'read' : 'written differently';
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'patch-format') return `unexpected: ${error}`;
    const { line, offset, expected } = error.facts;
    const placed = typeof line === 'number' && line >= 1 && typeof offset === 'number' && offset >= 0 && offset <= bytes.length;
    return placed && typeof expected === 'string' ? expected : `without a place: ${error.message}`;
  }
}

const known = new Set<string>([...PATCH_EXPECTED, 'read', 'mixed']);

async function mutate(files: readonly Buffer[], count: number, seed: number): Promise<Map<string, number>> {
  const random = randomOf(seed);
  const names = Object.keys(MUTATIONS_BY_NAME);
  const outcomes = new Map<string, number>();
  for (let turn = 0; turn < count; turn++) {
    const name = names[turn % names.length] ?? 'flip';
    let bytes = files[random(files.length)] ?? Buffer.alloc(0);
    for (let times = 1 + random(2); times > 0; times--) {
      bytes = MUTATIONS_BY_NAME[name]!(bytes, random, files[random(files.length)] ?? bytes);
    }
    const started = performance.now();
    const outcome = await outcomeOf(bytes, [1 + random(300), 1 + random(3000)]);
    const took = performance.now() - started;
    if (!known.has(outcome)) throw new Error(`mutation ${turn} (${name}) of seed ${seed}: ${outcome}`);
    if (took > MILLISECONDS) throw new Error(`mutation ${turn} (${name}) of seed ${seed} took ${took} ms`);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  return outcomes;
}

describe('damaged patches', () => {
  test(`${MUTATIONS} mutations of small patches`, async () => {
    const outcomes = await mutate(await seeds(), MUTATIONS, 1);
    // The mutations must reach both ends: a fuzzer that only ever breaks line 1 shows nothing.
    expect(outcomes.get('read')).toBeGreaterThan(1000);
    expect(outcomes.size).toBeGreaterThan(18);
  });

  test.skipIf(realPatches().length === 0)(`${WHOLE_FILES} mutations of whole real patches`, async () => {
    await mutate(
      realPatches().map(({ bytes }) => bytes),
      WHOLE_FILES,
      2,
    );
  });
});
