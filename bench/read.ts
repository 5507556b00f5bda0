// Reading speed, side by side: a bare node:readline loop and the patch reader over the same generated file.
// Usage: node bench/read.ts [--mb 200]
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import type { PatchPart, RecordLine } from '../src/patch/format.ts';
import { readPatchFile } from '../src/patch/read.ts';
import { elementHead, patchHeader, renderRecord } from '../src/patch/render.ts';
import { writePatch } from '../src/patch/write.ts';

const MB = 1_000_000;
const RATIO_AT_MOST = 4;
const SPEED_AT_LEAST = 50;
const RSS_AT_MOST = 200;

const NOWHERE = { line: 0, offset: 0 };
const DIGEST = '0'.repeat(64);

/** A patch of about `size` bytes: dictionary elements with accents, data, a script now and then. */
function* generated(size: number): Generator<PatchPart> {
  yield { part: 'header', header: patchHeader({ languages: ['FRA', 'ENG'], folder: 'X3', type: '1' }), at: NOWHERE };
  const source = Buffer.from("#* Création d'un traitement\nLocal Integer I\nFor I=1 To 10 : Next I\n".repeat(200));
  let written = 0;
  for (let number = 0; written < size; number++) {
    const element = elementHead(number % 50 === 49 ? 'TRT' : 'ATB', `YTABLE${number}`, `Table numéro ${number}`);
    yield { part: 'element', element, at: NOWHERE };
    if (element.type === 'TRT') {
      yield { part: 'source', bytes: source };
      written += source.length;
    } else {
      for (let line = 0; line < 20; line++) {
        const record = recordOf(number, line);
        yield { part: 'record', record, at: NOWHERE };
        written += renderRecord(record).join('\n').length + 1;
      }
    }
    yield { part: 'element-end', at: NOWHERE };
  }
  const form = { bom: false, lineEnd: 'lf', encoding: 'utf8', lastLineEnd: true } as const;
  yield { part: 'end', form, bytes: 0, digest: DIGEST };
}

function recordOf(element: number, row: number): { tag: string; key: string; lines: RecordLine[] } {
  const value = (field: string, text: string): RecordLine => ({ kind: 'value', field, index: 0, value: text });
  const label = { kind: 'text', field: 'LIBELLE', index: 0, number: '100135', comment: '' } as const;
  return {
    tag: 'ATZ',
    key: `YTABLE${element}~${row}`,
    lines: [
      value('CODACT', '""'),
      value('CODTYP', '"A"'),
      value('CODZONE', `"FIELD${row}"`),
      value('CREDAT', '20170130'),
      value('CREDATTIM', '"2016-03-30T12:39:44Z"'),
      value('CREUSR', '"ADMIN"'),
      value('DIME', '1'),
      value('EXPORDRE', String(row * 5)),
      { ...label, text: `Libellé de la zone ${row}`, language: 'FRA' },
      { ...label, text: `Label of field ${row}`, language: 'ENG' },
      { kind: 'close', of: 'text', field: 'LIBELLE', index: 0 },
      value('LNG', '30'),
      value('OPTION', '"A"'),
      value('UPDDAT', '000000'),
      value('UPDDATTIM', '"2016-03-30T12:39:44Z"'),
      value('UPDUSR', '"ADMIN"'),
    ],
  };
}

async function timed(run: () => Promise<number>): Promise<{ seconds: number; counted: number }> {
  const start = performance.now();
  const counted = await run();
  return { seconds: (performance.now() - start) / 1000, counted };
}

function readLines(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let lines = 0;
    const input = createReadStream(path);
    input.on('error', reject);
    createInterface({ input, crlfDelay: Infinity })
      .on('line', () => {
        lines++;
      })
      .on('close', () => resolve(lines));
  });
}

async function readParts(path: string): Promise<number> {
  let parts = 0;
  for await (const _part of readPatchFile(path)) parts++;
  return parts;
}

/** Runs with the highest resident size seen, sampled so often that no growth of a few megabytes is missed. */
async function sampled<Result>(run: () => Promise<Result>): Promise<{ result: Result; peak: number }> {
  let peak = 0;
  const sample = () => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const timer = setInterval(sample, 5);
  try {
    const result = await run();
    sample();
    return { result, peak: peak / MB };
  } finally {
    clearInterval(timer);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { mb: { type: 'string', default: '200' } } });
  const directory = await mkdtemp(join(tmpdir(), 'rustine-bench-'));
  try {
    const path = join(directory, 'P_0001_140.dat');
    await pipeline(Readable.from(writePatch(generated(Number(values.mb) * MB))), createWriteStream(path));
    const size = (await stat(path)).size / MB;
    // The reader goes first: the memory that readline leaves behind must not count as the reader's.
    const { result: ours, peak } = await sampled(() => timed(() => readParts(path)));
    const lines = await timed(() => readLines(path));
    const ratio = ours.seconds / lines.seconds;
    const speed = size / ours.seconds;
    console.log(`file       ${size.toFixed(0)} MB, ${lines.counted} lines, ${ours.counted} parts`);
    console.log(`readline   ${lines.seconds.toFixed(2)} s, ${(size / lines.seconds).toFixed(0)} MB/s`);
    console.log(`reader     ${ours.seconds.toFixed(2)} s, ${speed.toFixed(0)} MB/s (at least ${SPEED_AT_LEAST})`);
    console.log(`ratio      ${ratio.toFixed(2)} (at most ${RATIO_AT_MOST})`);
    console.log(`peak RSS   ${peak.toFixed(0)} MB (at most ${RSS_AT_MOST})`);
    if (ratio > RATIO_AT_MOST || speed < SPEED_AT_LEAST || peak > RSS_AT_MOST) process.exitCode = 1;
  } finally {
    await rm(directory, { recursive: true });
  }
}

await main();
