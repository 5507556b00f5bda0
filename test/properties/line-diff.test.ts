// Differences by lines: what they show is enough to make one text from the other, and no more than needed.
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { Hunk } from '../../src/dictionary/line-diff.ts';
import { diffLines } from '../../src/dictionary/line-diff.ts';

/** The second text, from the first and the difference. */
function patched(first: readonly string[], hunks: readonly Hunk[]): string[] {
  const out: string[] = [];
  let at = 0;
  for (const { firstLine, secondLine, lines } of hunks) {
    while (at < firstLine - 1) out.push(first[at++] ?? '');
    expect(out.length).toBe(secondLine - 1);
    for (const { sign, text } of lines) {
      if (sign !== '+') expect(first[at++]).toBe(text);
      if (sign !== '-') out.push(text);
    }
  }
  return [...out, ...first.slice(at)];
}

/** Length of the longest common subsequence, the slow way. */
function common(a: readonly string[], b: readonly string[]): number {
  const rows = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++)
      (rows[i] as number[])[j] =
        a[i - 1] === b[j - 1] ? (rows[i - 1]?.[j - 1] ?? 0) + 1 : Math.max(rows[i - 1]?.[j] ?? 0, rows[i]?.[j - 1] ?? 0);
  return rows[a.length]?.[b.length] ?? 0;
}

describe('line differences', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 30 });

  it('make the second text from the first, with as few changes as can be; a text and itself have none', () => {
    fc.assert(
      fc.property(text, text, (first, second) => {
        const hunks = diffLines(first, second);
        expect(patched(first, hunks)).toEqual(second);
        const changes = hunks.flatMap(({ lines }) => lines.filter(({ sign }) => sign !== ' '));
        expect(changes.length).toBe(first.length + second.length - 2 * common(first, second));
        expect(diffLines(first, first)).toEqual([]);
      }),
    );
  });

  test('a small change in a long text is small and shown with three lines around it', () => {
    const first = Array.from({ length: 50_000 }, (_, at) => `line ${at}`);
    const second = first.with(10, 'other').toSpliced(40_000, 1);
    const started = performance.now();
    const hunks = diffLines(first, second);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(hunks.map(({ firstLine, lines }) => [firstLine, lines.map(({ sign }) => sign).join('')])).toEqual([
      [8, '   -+   '],
      [39_998, '   -   '],
    ]);
  });

  test('texts that differ in everything take no more time than memory allows', () => {
    const many = (name: string) => Array.from({ length: 20_000 }, (_, at) => `${name} ${at}`);
    const [first, second] = [many('first'), many('second')];
    expect(patched(first, diffLines(first, second))).toEqual(second);
  }, 10_000);
});
