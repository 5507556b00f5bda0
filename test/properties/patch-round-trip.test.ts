// Reading and writing patches are inverse to each other, whatever the patch holds and however its bytes arrive.
import { isAscii } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../src/base/errors.ts';
import { parseLineBytes } from '../../src/patch/line-bytes.ts';
import { renderRecordLine } from '../../src/patch/render.ts';
import { TextCache } from '../../src/patch/text-cache.ts';
import { parseRecordLine } from '../../src/patch/tokens.ts';
import { patchParts, recordLine } from '../support/patch-arbitraries.ts';
import { content, joined, noRealPatches, readBytes, realPatches, writeBytes } from '../support/patch-files.ts';

const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });

describe('arbitrary patches', () => {
  test('written and read again are the same parts', async () => {
    await fc.assert(
      fc.asyncProperty(patchParts, async (parts) => {
        expect(content(await readBytes(await writeBytes(parts)))).toEqual(content(parts));
      }),
      { numRuns: 1000 },
    );
  });

  test('read and written again are the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(patchParts, async (parts) => {
        const bytes = await writeBytes(parts);
        const read = await readBytes(bytes);
        expect(await writeBytes(read)).toEqual(bytes);
        expect(read.at(-1)).toMatchObject({ part: 'end', bytes: bytes.length });
      }),
      { numRuns: 500 },
    );
  });

  test('are the same parts, places included, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(patchParts, sizes, async (parts, cuts) => {
        const bytes = await writeBytes(parts);
        expect(joined(await readBytes(bytes, cuts))).toEqual(joined(await readBytes(bytes)));
      }),
      { numRuns: 500 },
    );
  });

  test('in an unusual form come out the same, unless the form is mixed', async () => {
    const form = fc.record({
      bom: fc.boolean(),
      lineEnd: fc.constantFrom('lf', 'crlf'),
      encoding: fc.constantFrom('utf8', 'latin1'),
      lastLineEnd: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(patchParts, form, sizes, async (parts, written, cuts) => {
        // The encoding is found line by line: a tag must not be UTF-8 on one line and Latin-1 on the other.
        fc.pre(
          written.encoding === 'utf8' || parts.every((part) => part.part !== 'record' || isAscii(Buffer.from(part.record.tag))),
        );
        const bytes = await writeBytes(parts, written).catch((error: unknown) => {
          // Stars with CR LF end a script in a CR LF file, so such a script cannot be written there.
          fc.pre(!(error instanceof Refusal && error.code === 'patch-source'));
          throw error;
        });
        const read = await readBytes(bytes, cuts);
        const end = read.at(-1);
        if (end?.part !== 'end') throw new Error('no end');
        expect(end.form).toMatchObject({ bom: written.bom, lineEnd: written.lineEnd, lastLineEnd: written.lastLineEnd });
        if (end.form.encoding !== 'mixed') expect(await writeBytes(read, end.form)).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });
});

test('the fast way to read a line gives what the long way gives, or nothing', () => {
  const cache = new TextCache();
  const line = fc.oneof(
    recordLine.map(renderRecordLine),
    fc
      .tuple(recordLine.map(renderRecordLine), fc.nat(), fc.constantFrom('', '"', ',', '-', '.', '0', '4'))
      .map(([text, place, with_]) => {
        const at = place % (text.length + 1);
        return text.slice(0, at) + with_ + text.slice(at + 1);
      }),
  );
  fc.assert(
    fc.property(line, (text) => {
      const bytes = Buffer.from(text, 'latin1');
      fc.pre(bytes.every((byte) => byte < 0x80) && text === bytes.toString('latin1'));
      const fast = parseLineBytes(bytes, 0, bytes.length, cache);
      if (fast !== undefined) expect(fast).toEqual(parseRecordLine(text));
    }),
    { numRuns: 20_000 },
  );
});

describe.skipIf(noRealPatches !== undefined)(`real patches${noRealPatches === undefined ? '' : ` (${noRealPatches})`}`, () => {
  test.each(realPatches())('$file comes out byte for byte the same', async ({ bytes }) => {
    const parts = await readBytes(bytes);
    expect((await writeBytes(parts)).equals(bytes)).toBe(true);
    for (const sizes of [[1], [7, 4096], [bytes.length]]) {
      expect(joined(await readBytes(bytes, sizes))).toEqual(joined(parts));
    }
  });
});
