// The fields of a record survive being stored, digit by digit, and only noise is left out of their meaning.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NOISE } from '../../src/dictionary/element-types.ts';
import type { Fields, Slot } from '../../src/dictionary/fields.ts';
import {
  exactDigest,
  fieldsFromJson,
  fieldsOf,
  fieldsToJson,
  hasNul,
  meaningDigest,
  withoutNul,
} from '../../src/dictionary/fields.ts';
import type { RecordLine } from '../../src/patch/format.ts';
import { connected } from '../support/environment.ts';
import { recordLine } from '../support/patch-arbitraries.ts';
import { everyServer } from '../support/servers.ts';

const oddNumber = fc.oneof(
  fc.constantFrom(
    '007',
    '1.50',
    '-0',
    '-0.0',
    '-0.00',
    '0',
    '0.0',
    '000000',
    '-007',
    '12345678901234567890123',
    '0.1000',
    '1.',
    '-1.50',
    '20240131',
  ),
  fc
    .tuple(
      fc.constantFrom('', '-'),
      fc.bigInt({ min: 0n, max: 10n ** 30n }),
      fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 6 }),
    )
    .map(([sign, whole, rest]) => `${sign}${whole}${rest === '' ? '' : `.${rest}`}`),
);
const oddLine: fc.Arbitrary<RecordLine> = fc.record({
  kind: fc.constant('value' as const),
  field: fc.constantFrom('A', 'B', 'UPDTICK', '__proto__', 'constructor', '0', 'bare', 'text', 'é', '?'),
  index: fc.nat({ max: 3 }),
  value: oddNumber,
});
/** Lines of all kinds; indexes beyond a few hundred only cost time. */
const lines = fc
  .array(fc.oneof({ weight: 3, arbitrary: recordLine }, { weight: 2, arbitrary: oddLine }), { maxLength: 8 })
  .map((all) => all.map((line) => (line.kind === 'unknown' ? line : { ...line, index: line.index % 300 })));

test('fields written as JSON and read again are the same', () => {
  fc.assert(
    fc.property(lines, (all) => {
      const fields = fieldsOf(all);
      const again = fieldsFromJson(fieldsToJson(fields));
      expect(again).toEqual(fields);
      expect(exactDigest(again)).toBe(exactDigest(fields));
    }),
    { numRuns: 2_000 },
  );
});

test('a NUL is found where there is one, and goes without anything else', () => {
  const piece = fc.constantFrom('\0', '\\', '\\u0000', 'u0000', 'a', '"');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const json = JSON.stringify(pieces.join(''));
      expect(hasNul(json)).toBe(pieces.includes('\0'));
      expect(JSON.parse(withoutNul(json))).toBe(pieces.join('').replaceAll('\0', ''));
    }),
  );
});

describe('meaning', () => {
  const change = (fields: Fields, name: string, slots: readonly (Slot | null)[]): Fields => ({
    ...fields,
    slots: { ...fields.slots, [name]: slots },
  });

  test('noise says nothing: dates, users, ticks and text numbers', () => {
    fc.assert(
      fc.property(lines, fc.constantFrom(...NOISE), oddNumber, (all, name, value) => {
        const fields = fieldsOf(all);
        expect(meaningDigest(change(fields, name, [{ bare: value }]))).toBe(meaningDigest(fields));
        const renumbered = fieldsOf(all.map((line) => (line.kind === 'text' ? { ...line, number: `${line.number}1` } : line)));
        expect(meaningDigest(renumbered)).toBe(meaningDigest(fields));
      }),
    );
  });

  test('everything else does', () => {
    const name = fc.constantFrom('A', 'COD', 'UPDTICKS', 'CRE', 'X_UPDUSR', 'updusr');
    const slot: fc.Arbitrary<Slot> = fc.oneof(
      fc.string().map((text) => ({ text })),
      oddNumber.map((bare) => ({ bare })),
      fc.tuple(fc.string(), fc.string()).map(([text, comment]) => ({ texts: { FRA: { text, number: '1', comment } } })),
      fc.tuple(fc.string(), fc.string()).map(([text, id1]) => ({ translations: { FRA: { text, id1, id2: '' } } })),
    );
    fc.assert(
      fc.property(lines, name, slot, slot, (all, of, one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        const fields = fieldsOf(all);
        expect(meaningDigest(change(fields, of, [one]))).not.toBe(meaningDigest(change(fields, of, [other])));
        expect(meaningDigest(change(fields, of, [one]))).not.toBe(meaningDigest(change(fields, of, [one, other])));
        expect(meaningDigest({ ...fields, extra: [...fields.extra, '10,x'] })).not.toBe(meaningDigest(fields));
      }),
    );
  });

  test('the order of lines that do not belong together does not', () => {
    fc.assert(
      fc.property(lines, (all) => {
        const values = all.filter((line) => line.kind === 'value');
        const unique = values.filter(
          (line, at) => values.findIndex((other) => other.field === line.field && other.index === line.index) === at,
        );
        expect(meaningDigest(fieldsOf(unique.toReversed()))).toBe(meaningDigest(fieldsOf(unique)));
      }),
    );
  });
});

describe.each(everyServer())('$name', (server) => {
  let stored: (json: readonly string[]) => Promise<readonly string[]>;
  let close: () => void;
  let closed: Promise<void>;

  beforeAll(async () => {
    await new Promise<void>((ready, failed) => {
      closed = connected(server.url, async (client) => {
        await client.query('create temporary table fields (at integer, value jsonb)');
        stored = async (json) => {
          await client.query('truncate fields');
          await client.query(
            'insert into fields select ordinality, value::jsonb from unnest($1::text[]) with ordinality as all_values (value)',
            [json],
          );
          const { rows } = await client.query<{ value: string }>('select value::text from fields order by at');
          return rows.map(({ value }) => value);
        };
        ready();
        await new Promise<void>((done) => {
          close = done;
        });
      }).catch(failed) as Promise<void>;
    });
  });
  afterAll(async () => {
    close();
    await closed;
  });

  test('fields that went through a jsonb column are the same, with every digit', async () => {
    const several = fc.array(
      lines.map((all) => fieldsOf(all)).filter((fields) => !hasNul(fieldsToJson(fields))),
      { minLength: 1, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(several, async (all) => {
        const again = (await stored(all.map(fieldsToJson))).map(fieldsFromJson);
        expect(again).toEqual(all);
        expect(again.map(exactDigest)).toEqual(all.map(exactDigest));
      }),
      { numRuns: 150 },
    );
  });
});
