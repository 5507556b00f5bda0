// Patches made to do harm: a clear refusal, in bounded memory and time.
import { expect, test } from 'vitest';
import type { PatchPart } from '../../src/patch/format.ts';
import { MAX_LINE_BYTES, MAX_RECORD_LINES } from '../../src/patch/grammar.ts';
import { readPatch } from '../../src/patch/read.ts';
import { inChunks, readText, refusalOf } from '../support/patch-files.ts';

const MB = 1024 * 1024;
const HEAD = '1,"","FRA","1","","X3","1",\n';

interface Drained {
  readonly counts: ReadonlyMap<PatchPart['part'], number>;
  /** Resident memory that reading added, at most, in MB. */
  readonly grown: number;
}

async function drain(source: AsyncIterable<Uint8Array>): Promise<Drained> {
  const before = process.memoryUsage.rss();
  const counts = new Map<PatchPart['part'], number>();
  let grown = 0;
  let read = 0;
  for await (const { part } of readPatch(source, { file: 'TEST.dat' })) {
    counts.set(part, (counts.get(part) ?? 0) + 1);
    if (read++ % 1000 === 0) grown = Math.max(grown, process.memoryUsage.rss() - before);
  }
  return { counts, grown: grown / MB };
}

/** `text` over and over, for ever or `times`; counts what was taken of it. */
function endless(head: string, text: string, times = Number.POSITIVE_INFINITY, tail = '') {
  const taken = { bytes: 0 };
  const chunk = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)));
  const whole = Math.floor((times * text.length) / chunk.length);
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(head);
    for (let turn = 0; turn < whole; turn++) {
      taken.bytes += chunk.length;
      yield chunk;
    }
    const rest = times - (whole * chunk.length) / text.length;
    yield Buffer.from(text.repeat(Number.isFinite(rest) ? rest : 0) + tail);
  }
  return { bytes: bytes(), taken };
}

test('a line without end is refused at the limit', async () => {
  const { bytes, taken } = endless('1,"', 'x');
  const { facts } = await refusalOf(drain(bytes));
  expect(facts).toMatchObject({ line: 1, offset: 0, expected: 'shorter-line' });
  expect(taken.bytes).toBeLessThan(MAX_LINE_BYTES + MB);
});

test('a script line without end is refused at the limit', async () => {
  const { bytes, taken } = endless(`${HEAD}2,"TRT","A",""\n`, '*');
  expect((await refusalOf(drain(bytes))).facts).toMatchObject({ line: 3, element: 'TRT:A', expected: 'shorter-line' });
  expect(taken.bytes).toBeLessThan(MAX_LINE_BYTES + MB);
});

test('a long line in tiny chunks takes time in proportion to its length', async () => {
  const text = `${HEAD}2,"ATB","A",""\n3,"A",\n4,"F",0,"${'x'.repeat(MB)}"\n6,"A"\n7,"ATB","A",""\n8,""\n`;
  const started = performance.now();
  const { counts } = await drain(inChunks(Buffer.from(text), [3]));
  expect(counts.get('record')).toBe(1);
  expect(performance.now() - started).toBeLessThan(10_000);
});

test('a record that never ends is refused by its number of lines', async () => {
  const { bytes } = endless(`${HEAD}2,"ATB","A",""\n3,"A",\n`, '4,"F",0,1\n');
  const { facts } = await refusalOf(drain(bytes));
  expect(facts).toMatchObject({ line: MAX_RECORD_LINES + 4, element: 'ATB:A', expected: 'smaller-record' });
});

test('a record that never ends is refused by its size', async () => {
  const { bytes, taken } = endless(`${HEAD}2,"ATB","A",""\n3,"A",\n`, `4,"F",0,"${'x'.repeat(3 * MB)}"\n`);
  expect((await refusalOf(drain(bytes))).facts).toMatchObject({ expected: 'smaller-record' });
  expect(taken.bytes).toBeLessThan(70 * MB);
});

test('a byte count that lies upwards sets nothing aside and is refused at the end of the file', async () => {
  const text = `${HEAD}2,"ADX","A",""\n999999999999999\nabc**********\n7,"ADX","A",""\n8,""\n`;
  const { facts } = await refusalOf(readText(text));
  expect(facts).toMatchObject({ line: 7, offset: text.length, element: 'ADX:A', expected: 'payload', found: '' });
});

test('a byte count that lies downwards is refused where the stars should be', async () => {
  const { facts } = await refusalOf(readText(`${HEAD}2,"ADX","A",""\n2\nabc**********\n7,"ADX","A",""\n8,""\n`));
  expect(facts).toMatchObject({
    line: 4,
    offset: 47,
    expected: 'payload-end',
    found: 'c**********\\x0a7,"ADX","A",""\\x0a8,""\\x0a',
  });
});

test.each(['"', '""', '"""', '"\n', '1', '1,', '1,"', '8,""\n', '\n', '\0', '\xff'])(
  'a file of only %j is refused',
  async (text) => {
    expect((await refusalOf(readText(text))).facts).toMatchObject({ line: 1, offset: 0, element: '' });
  },
);

test('a million empty elements go by in flat memory', async () => {
  const { bytes } = endless(HEAD, '2,"EXE","A",""\n7,"EXE","A",""\n', 1_000_000, '8,""\n');
  const { counts, grown } = await drain(bytes);
  expect(counts.get('element-end')).toBe(1_000_000);
  // What is collected late on a busy machine counts too; kept elements would be several times that.
  expect(grown).toBeLessThan(250);
});

test('a million empty records and empty binaries go by in flat memory', async () => {
  const text = '2,"ATB","A",""\n3,"A",\n6,"A"\n7,"ATB","A",""\n2,"ADX","B",""\n0\n**********\n7,"ADX","B",""\n';
  const { bytes } = endless(HEAD, text, 500_000, '8,""\n');
  const { counts, grown } = await drain(bytes);
  expect(counts.get('record')).toBe(500_000);
  expect(counts.get('payload')).toBeUndefined();
  // What is collected late on a busy machine counts too; kept elements would be several times that.
  expect(grown).toBeLessThan(250);
});

test('lines of nothing but separators are judged in time in proportion to their length', async () => {
  const started = performance.now();
  for (const rest of ['","', '",1,"', '","FRA",1', '","FRA","', '"', ',']) {
    for (const kind of ['2,"A","', '4,"F",0,"', '5,"F",0,"', '9,"F",0,"']) {
      const line = `${kind}${rest.repeat(MB / rest.length)}x`;
      await refusalOf(readText(`${HEAD}2,"ATB","A",""\n3,"A",\n${line}\n`));
      await readText(`${HEAD}2,"ATB","A",""\n3,"A",\n${line}"\n`).catch(() => undefined);
    }
  }
  expect(performance.now() - started).toBeLessThan(20_000);
});

test('a refusal quotes what it found short and printable', async () => {
  const { facts } = await refusalOf(readText(`${HEAD}2,"ATB","\u001b[2J${'N'.repeat(9000)}",""\n\u001b]0;${'x'.repeat(9000)}\n`));
  expect(String(facts.found).length).toBeLessThanOrEqual(60);
  expect(String(facts.element).length).toBeLessThanOrEqual(120);
  expect(`${facts.found}${facts.element}`).not.toMatch(/\p{Cc}/u);
});
