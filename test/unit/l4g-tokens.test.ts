// The lexer of the original product's language: statements, tokens, places; nothing stops it, and it takes time in proportion.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { statementsOf, type Token } from '../../src/plan/l4g-tokens.ts';

const shown = (source: string): string[] =>
  [...statementsOf(source)].map((statement) => statement.map(({ kind, text }) => `${kind[0]}:${text}`).join(' '));

describe('statements', () => {
  test.each([
    ['ends with its line, or at a colon', 'A = 1 : B = 2\nC', ['w:A s:= n:1', 'w:B s:= n:2', 'w:C']],
    ['goes on where the next line begins with &', 'Call X(A,\n  & B) From Y', ['w:Call w:X s:( w:A s:, w:B s:) w:From w:Y']],
    ['has & as a sign inside a line', 'Where A=1 & B', ['w:Where w:A s:= n:1 s:& w:B']],
    ['ends before a comment', 'A # [F:X]Y : B\nC', ['w:A', 'w:C']],
    ['keeps what stands in text', `A = 'x # "[F:X]" : y' + "it's"`, [`w:A s:= s:x # "[F:X]" : y s:+ s:it's`]],
    ['knows labels at its beginning only', '$SET_TAB\nA = num$(1)', ['l:SET_TAB', 'w:A s:= w:num$ s:( n:1 s:)']],
    ['knows ranges and decimals', '(1..10) 2.5', ['s:( n:1 s:. s:. n:10 s:) n:2.5']],
    ['takes lines with CR', 'A\r\nB\r\n', ['w:A', 'w:B']],
    ['takes letters of all languages', 'Año_é = 1', ['w:Año_é s:= n:1']],
  ])('a statement %s', (_what, source, expected) => {
    expect(shown(source)).toEqual(expected);
  });

  test('a class is what stands in brackets, however it is written', () => {
    expect(shown('[F:ITM]ITMREF(0) [m:x] [ L ] [31/12/2020]')).toEqual(['c:F:ITM w:ITMREF s:( n:0 s:) c:m:x c: L  c:31/12/2020']);
    expect(shown('[a [L]B ]\n[open')).toEqual(['s:[ w:a c:L w:B s:]', 's:[ w:open']);
  });

  test('text without its end goes to the end of the line', () => {
    expect(shown('A = "open\nB')).toEqual(['w:A s:= s:open', 'w:B']);
  });
});

const piece = fc.oneof(
  fc.constantFrom(
    '[',
    ']',
    '"',
    "'",
    '#',
    ':',
    '\n',
    '\n&',
    '\r\n',
    '$',
    '(',
    ')',
    ' ',
    '[F:ITM]',
    '[L]',
    'For',
    'é',
    '\0',
    '\u2028',
    '😀',
  ),
  fc.string({ maxLength: 5 }),
);
const anySource = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));

describe('whatever the source is', () => {
  test('every token stands where it says, in order, without overlap', () => {
    fc.assert(
      fc.property(anySource, (source) => {
        let end = 0;
        for (const token of [...statementsOf(source)].flat()) {
          expect(token.at).toBeGreaterThanOrEqual(end);
          expect(source.slice(token.at, token.end)).toContain(token.text);
          expect(token.line).toBe(source.slice(0, token.at).split('\n').length);
          end = token.end;
        }
        expect(end).toBeLessThanOrEqual(source.length);
      }),
      { numRuns: 300 },
    );
  });

  test('what is in text, in a comment or in brackets does not become a word', () => {
    const secret = 'SECRET';
    const hidden = fc.constantFrom(`"${secret}"`, `'${secret}'`, `[${secret}]`, `# ${secret}\n`);
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom('A', ' ', ':', '(', '&', '1.5'), hidden)), (pieces) => {
        const words = [...statementsOf(pieces.join(' '))].flat().filter((token: Token) => token.kind === 'word');
        expect(words.map(({ text }) => text)).not.toContain(secret);
      }),
    );
  });

  test.each([
    ['brackets that never close', '['],
    ['quotes', '"'],
    ['one endless name', 'a'],
    ['classes', '[F:A]'],
    ['separators', ':'],
    ['line ends before blanks', '\n  '],
    ['a dollar each', 'a$'],
    ['numbers', '1.'],
  ])('10 MB of %s take time in proportion', (_what, unit) => {
    const time = (bytes: number): number => {
      const source = unit.repeat(bytes / unit.length);
      const start = performance.now();
      let tokens = 0;
      for (const statement of statementsOf(source)) tokens += statement.length;
      expect(tokens).toBeGreaterThanOrEqual(0);
      return performance.now() - start;
    };
    time(100_000);
    expect(time(10_000_000)).toBeLessThan(8_000);
  });
});
