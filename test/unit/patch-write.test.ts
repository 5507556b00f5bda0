// Writing patches: chunks, forms, what is refused; and the summary of a written file.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Bug } from '../../src/base/errors.ts';
import type { PatchPart, RecordLine } from '../../src/patch/format.ts';
import { elementHead, patchHeader } from '../../src/patch/render.ts';
import { summarizePatch } from '../../src/patch/summary.ts';
import { USUAL_FORM, writePatch } from '../../src/patch/write.ts';
import { noRealPatches, realPatches, refusalOf, writeBytes } from '../support/patch-files.ts';

const at = { line: 0, offset: 0 };
const header: PatchPart = {
  part: 'header',
  header: patchHeader({ languages: ['FRA'], activityCodes: ['XA', 'XB'], folder: 'X3', type: '3' }),
  at,
};
const close: PatchPart = { part: 'element-end', at };
const end: PatchPart = { part: 'end', form: USUAL_FORM, bytes: 0, digest: '' };

function open(type: string, name = 'A'): PatchPart {
  return { part: 'element', element: elementHead(type, name, ''), at };
}

function record(...lines: RecordLine[]): PatchPart {
  return { part: 'record', record: { tag: 'R', key: 'K', lines }, at };
}

describe('write', () => {
  test('a patch made by hand', async () => {
    const script: PatchPart = { part: 'source', bytes: Buffer.from('x\n') };
    const bytes = await writeBytes([
      header,
      open('ATB'),
      record({ kind: 'value', field: 'F', index: 0, value: '""' }),
      close,
      open('TRT'),
      script,
      close,
      end,
    ]);
    expect(bytes.toString().split('\n')).toEqual([
      ...['1,"","FRA","1","XA/XB","X3","3",', '2,"ATB","A",""', '3,"R",K', '4,"F",0,""', '6,"R"', '7,"ATB","A",""'],
      ...['2,"TRT","A",""', 'x', '**********', '7,"TRT","A",""', '8,""', ''],
    ]);
  });

  test('comes in chunks of about 64 KB', async () => {
    const value = record({ kind: 'value', field: 'F', index: 0, value: `"${'é'.repeat(500)}"` });
    const chunks = await Array.fromAsync(writePatch([header, open('ATB'), ...Array<PatchPart>(500).fill(value), close, end]));
    expect(chunks.slice(0, -1).every((chunk) => chunk.length >= 65_536 && chunk.length < 150_000)).toBe(true);
    expect(chunks.length).toBeGreaterThan(3);
  });

  test('a line end in a text is refused', async () => {
    const value = record({ kind: 'value', field: 'F', index: 0, value: '"a\nb"' });
    expect((await refusalOf(writeBytes([header, open('ATB'), value]))).code).toBe('patch-text');
  });

  test.each(['**********\n', 'a\n**********\nb\n'])('a script with a line of ten stars is refused: %j', async (source) => {
    const body: PatchPart = { part: 'source', bytes: Buffer.from(source) };
    const { code, facts } = await refusalOf(writeBytes([header, open('TRT'), body]));
    expect({ code, facts }).toEqual({ code: 'patch-source', facts: { element: 'TRT:A' } });
  });

  test.each<[string, PatchPart[]]>([
    ['a script without its last line end', [open('TRT'), { part: 'source', bytes: Buffer.from('x') }]],
    [
      'a payload shorter than its count',
      [open('ADX'), { part: 'binary', length: 2, at }, { part: 'payload', bytes: Buffer.from('x') }, close],
    ],
    ['an end without an element', [close]],
  ])('%s is an error of the program', async (_name, parts) => {
    await expect(writeBytes([header, ...parts])).rejects.toThrow(Bug);
  });
});

async function summaryOf(parts: PatchPart[], limit?: number) {
  const directory = await mkdtemp(join(tmpdir(), 'rustine-summary-'));
  try {
    const path = join(directory, 'P_0001_140.dat');
    await writeFile(path, await writeBytes(parts));
    return await summarizePatch(path, limit === undefined ? {} : { limit });
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe('summary', () => {
  const unknown: RecordLine = { kind: 'unknown', line: '10,x' };
  const parts: PatchPart[] = [
    ...[header, open('ATB', '__proto__'), record(), record(unknown), { part: 'unknown', line: '11,', at } as const, close],
    ...[open('TRT'), { part: 'source', bytes: Buffer.from('x\ny\n') } as const, close],
    ...[open('ADX'), { part: 'binary', length: 3, at } as const, { part: 'payload', bytes: Buffer.from('a\nb') } as const, close],
    ...[open('EXE'), close, end],
  ];

  test('counts what each element holds', async () => {
    const summary = await summaryOf(parts);
    expect(summary.elements).toEqual([
      { type: 'ATB', name: '__proto__', title: '', records: { R: 2 } },
      { type: 'TRT', name: 'A', title: '', records: {}, sourceLines: 2 },
      { type: 'ADX', name: 'A', title: '', records: {}, payloadBytes: 3 },
      { type: 'EXE', name: 'A', title: '', records: {} },
    ]);
    expect(summary).toMatchObject({ elementCount: 4, types: { ATB: 1, TRT: 1, ADX: 1, EXE: 1 }, header: { folder: 'X3' } });
    const facts = { file: 'P_0001_140.dat', count: 2 };
    expect(summary.findings).toEqual([{ code: 'patch-unknown-kind', severity: 'warn', patch: 'P_0001_140.dat', facts }]);
  });

  test('lists no more elements than asked for, and counts all', async () => {
    const summary = await summaryOf(parts, 1);
    expect(summary.elements).toHaveLength(1);
    expect(summary).toMatchObject({ elementCount: 4, types: { ATB: 1, TRT: 1, ADX: 1, EXE: 1 } });
  });

  test.skipIf(noRealPatches !== undefined).each(realPatches())('of real patch $file', async ({ path, bytes }) => {
    const summary = await summarizePatch(path);
    expect(summary.bytes).toBe(bytes.length);
    expect(summary.findings).toEqual([]);
    expect(summary.elements.length).toBe(summary.elementCount);
    expect(summary.elements.length).toBeGreaterThan(5);
  });
});
