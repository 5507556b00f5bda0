// Arbitrary patches for property tests: everything that the format allows, with a liking for quotes, separators and stars.
import fc from 'fast-check';
import type { ElementHead, PatchHeader, PatchPart, PatchRecord, RecordLine } from '../../src/patch/format.ts';
import { elementHead } from '../../src/patch/render.ts';
import { USUAL_FORM } from '../../src/patch/write.ts';

const at = { line: 0, offset: 0 };

const piece = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
  { weight: 3, arbitrary: fc.string({ maxLength: 12 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '"',
      '","',
      ',',
      '""',
      '","FRA","',
      '",0,"',
      '***',
      '**********',
      'é',
      'Ã©',
      '\r',
      '\ufeff',
      '\ufffd',
    ),
  },
);

/** Text on one line, without NUL. */
const text = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join('').replace(/[\n\0]/g, ''));

/** Text at the end of a line: a last CR would be part of the line's end. */
const lineTail = text.map((value) => value.replace(/\r+$/, ''));
const token = text.map((value) => value.replaceAll('"', '')).filter((value) => value !== '');
/** A quoted text that cannot be taken for two. */
const single = text.filter((value) => !`"${value}"`.includes('","'));
const language = fc.string({ unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'), minLength: 3, maxLength: 3 });
const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 9 });
const index = fc.oneof(fc.constant(0), fc.nat({ max: 99_999 }), fc.nat({ max: 12 }));

const value = fc.oneof(
  text.map((inner) => `"${inner}"`),
  fc
    .tuple(fc.constantFrom('', '-'), digits, fc.option(digits))
    .map(([sign, whole, rest]) => sign + whole + (rest === null ? '' : `.${rest}`)),
);

const unknownLine = fc
  .tuple(fc.constantFrom('0', '10', '11', '42', '007', '1000000'), lineTail)
  .map(([kind, rest]) => `${kind},${rest}`);

const LANGUAGE_AND_NUMBER = /(?=","[A-Z]{3}",[0-9]+,")/g;

export const recordLine: fc.Arbitrary<RecordLine> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('value' as const), field: token, index, value }) },
  {
    weight: 3,
    arbitrary: fc
      .record({ kind: fc.constant('text' as const), field: token, index, text, language, number: digits, comment: text })
      // Text that holds a whole middle of line 5 could be read in two ways.
      .filter((line) => [...`"${line.text}","FRA",1,"${line.comment}"`.matchAll(LANGUAGE_AND_NUMBER)].length === 1),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('translation' as const),
      field: token,
      index,
      text,
      language,
      id1: single,
      id2: single,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('close' as const),
      of: fc.constantFrom('text', 'translation'),
      field: token,
      index,
    }),
  },
  { weight: 1, arbitrary: unknownLine.map((line) => ({ kind: 'unknown' as const, line })) },
);

const record: fc.Arbitrary<PatchRecord> = fc.record({ tag: token, key: lineTail, lines: fc.array(recordLine, { maxLength: 6 }) });

const header: fc.Arbitrary<PatchHeader> = fc
  .record({
    unknown1: text.map((inner) => inner.replaceAll('"', '')),
    languages: fc.array(language, { maxLength: 3 }),
    unknown2: fc.constantFrom('', '1', '2'),
    activityCodes: fc.array(language, { maxLength: 3 }),
    folder: text.map((inner) => inner.replaceAll('"', '')),
    type: fc.constantFrom('1', '2', '3', '4', '5', '17'),
    separator: fc.constantFrom('/', ',', ';', ' ', ', '),
  })
  .map(({ separator, ...fields }) => ({
    ...fields,
    raw: `1,"${fields.unknown1}","${fields.languages.join('/')}","${fields.unknown2}","${fields.activityCodes.join(separator)}","${fields.folder}","${fields.type}",`,
  }));

function head(type: fc.Arbitrary<string>): fc.Arbitrary<ElementHead> {
  return fc.tuple(type, text, single).map(([of, name, title]) => elementHead(of, name, title));
}

const unknownPart = unknownLine.map((line): PatchPart => ({ part: 'unknown', line, at }));
const end: PatchPart = { part: 'element-end', at };

const dictionary: fc.Arbitrary<PatchPart[]> = fc
  .tuple(
    head(
      fc.oneof(
        fc.constantFrom('ATB', 'ACV', 'AML', 'ZZZ'),
        token.filter((type) => !['TRT', 'ADX', 'EXE'].includes(type)),
      ),
    ),
    fc.array(
      fc.oneof(
        { weight: 4, arbitrary: record.map((of): PatchPart => ({ part: 'record', record: of, at })) },
        { weight: 1, arbitrary: unknownPart },
      ),
      {
        maxLength: 4,
      },
    ),
  )
  .map(([element, body]) => [{ part: 'element', element, at }, ...body, end]);

const bodyByte = fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 10, 13, 34, 42, 42));
const bodyBytes = fc.array(bodyByte, { maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const sourceLine = fc
  .oneof(
    bodyBytes,
    fc
      .constantFrom('**********', '**********\r', '***********', ' **********', '7,"TRT","A","B"', 'été')
      .map((line) => Buffer.from(line)),
  )
  .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10)))
  .filter((line) => line.toString('latin1') !== '**********');
const lineEnd = fc.constantFrom('\n', '\r\n').map((ending) => Buffer.from(ending));

const scriptText = fc
  .array(fc.tuple(sourceLine, lineEnd), { maxLength: 6 })
  .map((lines) => Buffer.concat(lines.flat()))
  .filter((source) => !/(^|\n)\*{10}\n/.test(source.toString('latin1')));

const script: fc.Arbitrary<PatchPart[]> = fc
  .tuple(head(fc.constant('TRT')), scriptText, fc.array(unknownPart, { maxLength: 1 }))
  .map(([element, bytes, after]) => [{ part: 'element', element, at }, { part: 'source', bytes }, ...after, end]);

const binary: fc.Arbitrary<PatchPart[]> = fc
  .tuple(
    head(fc.constant('ADX')),
    fc.oneof(bodyBytes, fc.constant(Buffer.from('**********\n7,"ADX"'))),
    fc.array(unknownPart, { maxLength: 1 }),
  )
  .map(([element, bytes, after]) => [
    { part: 'element', element, at },
    { part: 'binary', length: bytes.length, at },
    { part: 'payload', bytes },
    ...after,
    end,
  ]);

const empty: fc.Arbitrary<PatchPart[]> = head(fc.constant('EXE')).map((element) => [{ part: 'element', element, at }, end]);

const element = fc.oneof(
  { weight: 4, arbitrary: dictionary },
  script,
  binary,
  empty,
  unknownPart.map((part) => [part]),
);

/** The parts of a whole patch in the usual form. Places, size and digest are placeholders. */
export const patchParts: fc.Arbitrary<PatchPart[]> = fc
  .tuple(header, fc.array(element, { maxLength: 5 }))
  .map(([of, elements]) => [
    { part: 'header', header: of, at },
    ...elements.flat(),
    { part: 'end', form: USUAL_FORM, bytes: 0, digest: '' },
  ]);
