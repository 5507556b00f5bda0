// Reading a patch: its parts with their places, every refusal with line, offset and element, and the unusual forms.
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { PatchExpected } from '../../src/patch/expected.ts';
import { PATCH_EXPECTED } from '../../src/patch/expected.ts';
import { formFindings } from '../../src/patch/form-findings.ts';
import { readPatchFile } from '../../src/patch/read.ts';
import { content, readBytes, readText, refusalOf, writeBytes } from '../support/patch-files.ts';

const HEADER = '1,"","FRA/ENG","1","","X3","1",\n';
const ACV = '2,"ACV","ZA","Été"\n3,"ACV",ZA\n4,"COD",0,"ZA"\n6,"ACV"\n12,more\n7,"ACV","ZA","Été"\n';
const TRT = '2,"TRT","ZT",""\n#été\r\n***********\n**********\r\n**********\n7,"TRT","ZT",""\n';
const ADX = '2,"ADX","ZX",""\n5\na\n*\0\n**********\n7,"ADX","ZX",""\n';
const EXE = '2,"EXE","ZE",""\n7,"EXE","ZE",""\n';
const END = '8,""\n';
const WHOLE = HEADER + ACV + TRT + ADX + EXE + END;

test('a patch is a sequence of parts with their places', async () => {
  const parts = await readText(WHOLE);
  expect(parts.map((part) => part.part)).toEqual([
    ...['header', 'element', 'record', 'unknown', 'element-end'],
    ...['element', 'source', 'element-end'],
    ...['element', 'binary', 'payload', 'element-end'],
    ...['element', 'element-end', 'end'],
  ]);
  const places = parts.flatMap((part) => ('at' in part ? [part.at] : []));
  expect(places.map((at) => at.line)).toEqual([1, 2, 3, 6, 7, 8, 13, 14, 15, 19, 20, 21]);
  const lines = Buffer.from(WHOLE);
  for (const { line, offset } of places) {
    expect(lines.subarray(0, offset).filter((byte) => byte === 10).length).toBe(line - 1);
    expect(offset === 0 || lines[offset - 1] === 10).toBe(true);
  }
  const digest = createHash('sha256').update(WHOLE).digest('hex');
  const form = { bom: false, lineEnd: 'lf', encoding: 'utf8', lastLineEnd: true };
  expect(parts.at(-1)).toEqual({ part: 'end', form, bytes: lines.length, digest });
});

test('a script keeps its bytes, also its own line ends', async () => {
  const source = (await readText(WHOLE)).find((part) => part.part === 'source');
  expect(Buffer.from(source?.part === 'source' ? source.bytes : []).toString()).toBe('#été\r\n***********\n**********\r\n');
});

const RECORD = `${HEADER}2,"ACV","ZA",""\n3,"ACV",ZA\n`;
const BODY = `${HEADER}2,"ACV","ZA",""\n`;

/** What stands before the fault, the fault, and what is expected there, in which element. */
const FAULTS: [PatchExpected, string, string, string][] = [
  ['header', '', '', ''],
  ['header', '', '2,"ACV","ZA",""\n', ''],
  ['element-or-end', HEADER, '3,"ACV",ZA\n', ''],
  ['element-or-end', HEADER, '\n8,""\n', ''],
  ['element-or-end', HEADER + EXE, '7,"EXE","ZE",""\n', ''],
  ['element-head', HEADER, '2,"ACV","ZA"\n', ''],
  ['closing-line-7', BODY, '7,"ACV","ZB",""\n', 'ACV:ZA'],
  ['closing-line-7', BODY, '', 'ACV:ZA'],
  ['closing-line-7', `${HEADER}2,"EXE","ZE",""\n`, '3,"ACV",ZA\n', 'EXE:ZE'],
  ['closing-line-7', `${HEADER}2,"TRT","ZT",""\n**********\n`, '3,"ACV",ZA\n', 'TRT:ZT'],
  ['record-or-closing-line-7', BODY, '4,"COD",0,1\n', 'ACV:ZA'],
  ['record-or-closing-line-7', BODY, '2,"ACV","ZB",""\n', 'ACV:ZA'],
  ['record-or-closing-line-7', BODY, '8,""\n', 'ACV:ZA'],
  ['record-head', BODY, '3,ACV\n', 'ACV:ZA'],
  ['value-or-record-end', RECORD, '3,"ACV",ZB\n', 'ACV:ZA'],
  ['value-or-record-end', RECORD, '7,"ACV","ZA",""\n', 'ACV:ZA'],
  ['record-end', RECORD, '6,"ACW"\n', 'ACV:ZA'],
  ['record-end', RECORD, '', 'ACV:ZA'],
  ['field', RECORD, '4,COD,0,1\n', 'ACV:ZA'],
  ['index', RECORD, '4,"COD",x,1\n', 'ACV:ZA'],
  ['value', `${RECORD}4,"COD",0,1\n`, '4,"COD",1,"a\n', 'ACV:ZA'],
  ['text', RECORD, '5,"LIB",0,"a"\n', 'ACV:ZA'],
  ['translation', RECORD, '9,"LIB",0,"a"\n', 'ACV:ZA'],
  ['no-nul', RECORD, '4,"COD",0,"a\0"\n', 'ACV:ZA'],
  ['no-nul', RECORD, '4,"COD",0,"long enough for the other way\0"\n', 'ACV:ZA'],
  ['source-end', `${HEADER}2,"TRT","ZT",""\nabc\n`, '', 'TRT:ZT'],
  ['source-end', `${HEADER}2,"TRT","ZT",""\n**********\r\n`, '', 'TRT:ZT'],
  ['byte-count', `${HEADER}2,"ADX","ZX",""\n`, '05\n', 'ADX:ZX'],
  ['payload', `${HEADER}2,"ADX","ZX",""\n50\n\n\n\n`, '', 'ADX:ZX'],
  ['payload-end', `${HEADER}2,"ADX","ZX",""\n2\n\n\n`, '***\n7,"ADX","ZX",""\n', 'ADX:ZX'],
  ['payload-end', `${HEADER}2,"ADX","ZX",""\n2\n\n\n`, '***********\n', 'ADX:ZX'],
  ['end-line', HEADER + EXE, '', ''],
  ['end-line', HEADER, '8,"x"\n', ''],
  ['end-line', HEADER, '8,""\r', ''],
  ['end-of-file', HEADER + END, '\n', ''],
  ['end-of-file', WHOLE, '\x1a', ''],
];

describe('the first fault refuses the file', () => {
  test.each(FAULTS)('%s after %j: %j', async (expected, before, fault, element) => {
    const { code, facts } = await refusalOf(readText(before + fault));
    expect(code).toBe('patch-format');
    const line = before.split('\n').length;
    expect(facts).toMatchObject({ file: 'TEST.dat', line, offset: Buffer.byteLength(before), element, expected });
    expect(facts.found === '').toBe(fault === '');
  });

  test('every expectation but the sizes is among these', () => {
    const seen = new Set<string>(['shorter-line', 'smaller-record', ...FAULTS.map(([expected]) => expected)]);
    expect(PATCH_EXPECTED.filter((expected) => !seen.has(expected))).toEqual([]);
  });

  test('a file cut off anywhere is refused, except for the last line end', async () => {
    const bytes = Buffer.from(WHOLE);
    for (let length = 0; length < bytes.length - 1; length++) {
      expect((await refusalOf(readBytes(bytes.subarray(0, length)))).code).toBe('patch-format');
    }
    expect((await readBytes(bytes.subarray(0, -1))).at(-1)).toMatchObject({ form: { lastLineEnd: false } });
  });
});

describe('unusual forms are read and reported', () => {
  const usual = { bom: false, lineEnd: 'lf', encoding: 'utf8', lastLineEnd: true };
  const plain = HEADER + ACV + EXE + END;

  test.each([
    ['a byte order mark', Buffer.from(`\ufeff${plain}`), { bom: true }, ['patch-bom']],
    ['CR LF', Buffer.from(plain.replaceAll('\n', '\r\n')), { lineEnd: 'crlf' }, ['patch-crlf']],
    [
      'CR LF without the last',
      Buffer.from(plain.replaceAll('\n', '\r\n').slice(0, -2)),
      { lineEnd: 'crlf', lastLineEnd: false },
      ['patch-crlf', 'patch-no-last-line-end'],
    ],
    ['one CR LF', Buffer.from(plain.replace('\n', '\r\n')), { lineEnd: 'mixed' }, ['patch-crlf']],
    ['Latin-1', Buffer.from(plain, 'latin1'), { encoding: 'latin1' }, ['patch-latin1']],
    [
      'Latin-1 and UTF-8',
      Buffer.concat([Buffer.from(HEADER + ACV), Buffer.from(ACV + END, 'latin1')]),
      { encoding: 'mixed' },
      ['patch-latin1'],
    ],
    ['no last line end', Buffer.from(plain.slice(0, -1)), { lastLineEnd: false }, ['patch-no-last-line-end']],
  ])('%s', async (_name, bytes, form, codes) => {
    const parts = await readBytes(bytes, [5]);
    const end = parts.at(-1);
    if (end?.part !== 'end') throw new Error('no end');
    expect(end.form).toEqual({ ...usual, ...form });
    expect(formFindings(end.form, 'TEST.dat').map((finding) => [finding.code, finding.severity])).toEqual(
      codes.map((code) => [code, 'warn']),
    );
    if (!Object.values(form).includes('mixed')) expect(await writeBytes(parts, end.form)).toEqual(bytes);
    expect(parts[1]).toMatchObject({ element: { title: 'Été' } });
  });

  test('a CR LF file holds the same as its LF twin, script and binary aside', async () => {
    const crlf = await readBytes(Buffer.from(plain.replaceAll('\n', '\r\n')));
    expect(content(crlf)).toEqual(content(await readText(plain)));
  });

  test('in a CR LF file the stars after a script end in CR LF', async () => {
    const text = `${HEADER}2,"TRT","ZT",""\nabc\n**********\n7,"TRT","ZT",""\n8,""\n`.replaceAll('\n', '\r\n');
    const parts = await readText(text);
    expect(parts.at(-1)).toMatchObject({ form: { lineEnd: 'crlf' } });
    expect(content(parts)[2]).toEqual({ part: 'source', bytes: Buffer.from('abc\r\n') });
  });

  test('a script in Latin-1 is reported too', async () => {
    const parts = await readBytes(Buffer.from(WHOLE.replace('Été', 'Ete').replace('Été', 'Ete'), 'latin1'), [9]);
    expect(parts.at(-1)).toMatchObject({ form: { encoding: 'latin1' } });
  });
});

test.each([
  ['/nowhere/P_0001_140.dat', 'ENOENT', 'P_0001_140.dat'],
  [import.meta.dirname, 'EISDIR', 'unit'],
])('%s cannot be read', async (path, reason, file) => {
  const { code, facts } = await refusalOf(Array.fromAsync(readPatchFile(path)));
  expect({ code, facts }).toEqual({ code: 'patch-unreadable', facts: { file, reason } });
});
