// The difference between two texts by lines, with some lines around each change: Myers' greedy algorithm. Pure.

export interface DiffLine {
  /** `-` only in the first text, `+` only in the second, ` ` in both. */
  readonly sign: '-' | '+' | ' ';
  readonly text: string;
}

/** Lines that belong together; places count from 1. */
export interface Hunk {
  readonly firstLine: number;
  readonly secondLine: number;
  readonly lines: readonly DiffLine[];
}

const AROUND = 3;
/** Time and memory grow with the square of the number of changes: texts that differ in more are shown as one replaced by the other. */
const MOST_CHANGES = 2_000;

/** Empty where the texts have the same lines. */
export function diffLines(first: readonly string[], second: readonly string[]): readonly Hunk[] {
  let start = 0;
  while (start < first.length && start < second.length && first[start] === second[start]) start++;
  let end = 0;
  while (end < first.length - start && end < second.length - start && first.at(-1 - end) === second.at(-1 - end)) end++;
  const same = (lines: readonly string[]): DiffLine[] => lines.map((text) => ({ sign: ' ', text }));
  const middle = changesOf(first.slice(start, first.length - end), second.slice(start, second.length - end));
  return hunksOf([...same(first.slice(0, start)), ...middle, ...same(first.slice(first.length - end))]);
}

function changesOf(first: readonly string[], second: readonly string[]): readonly DiffLine[] {
  const trace = furthestPaths(first, second);
  if (trace === undefined) {
    return [...first.map((text): DiffLine => ({ sign: '-', text })), ...second.map((text): DiffLine => ({ sign: '+', text }))];
  }
  const lines: DiffLine[] = [];
  let [x, y] = [first.length, second.length];
  for (let depth = trace.length - 1; depth > 0; depth--) {
    const furthest = trace[depth - 1] as ReadonlyMap<number, number>;
    const k = x - y;
    const down = isDown(furthest, k, depth);
    const before = down ? k + 1 : k - 1;
    const [fromX, fromY] = [furthest.get(before) ?? 0, (furthest.get(before) ?? 0) - before];
    while (x > fromX && y > fromY && x > 0 && y > 0 && first[x - 1] === second[y - 1]) {
      lines.push({ sign: ' ', text: first[x - 1] ?? '' });
      x--;
      y--;
    }
    lines.push(down ? { sign: '+', text: second[y - 1] ?? '' } : { sign: '-', text: first[x - 1] ?? '' });
    [x, y] = [fromX, fromY];
  }
  for (; x > 0; x--) lines.push({ sign: ' ', text: first[x - 1] ?? '' });
  return lines.reverse();
}

/** Whether the best path of this depth came to diagonal `k` from above: by a line of the second text. */
function isDown(furthest: ReadonlyMap<number, number>, k: number, depth: number): boolean {
  return k === -depth || (k !== depth && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
}

/** By number of changes: how far each diagonal gets. undefined where there are too many. */
function furthestPaths(first: readonly string[], second: readonly string[]): readonly ReadonlyMap<number, number>[] | undefined {
  const trace: ReadonlyMap<number, number>[] = [];
  let furthest: ReadonlyMap<number, number> = new Map();
  for (let depth = 0; depth <= Math.min(first.length + second.length, MOST_CHANGES); depth++) {
    const next = new Map<number, number>();
    for (let k = -depth; k <= depth; k += 2) {
      let x = depth === 0 ? 0 : isDown(furthest, k, depth) ? (furthest.get(k + 1) ?? 0) : (furthest.get(k - 1) ?? 0) + 1;
      while (x < first.length && x - k < second.length && first[x] === second[x - k]) x++;
      next.set(k, x);
      if (x >= first.length && x - k >= second.length) return [...trace, next];
    }
    trace.push(next);
    furthest = next;
  }
  return undefined;
}

function hunksOf(lines: readonly DiffLine[]): readonly Hunk[] {
  const near = lines.map(() => false);
  for (const [at, { sign }] of lines.entries()) {
    if (sign !== ' ') near.fill(true, Math.max(0, at - AROUND), Math.min(lines.length, at + AROUND + 1));
  }
  const hunks: { firstLine: number; secondLine: number; lines: DiffLine[] }[] = [];
  let [firstLine, secondLine] = [1, 1];
  for (const [at, line] of lines.entries()) {
    if (near[at] === true) {
      if (near[at - 1] !== true) hunks.push({ firstLine, secondLine, lines: [] });
      hunks.at(-1)?.lines.push(line);
    }
    if (line.sign !== '+') firstLine++;
    if (line.sign !== '-') secondLine++;
  }
  return hunks;
}
