// Lines at the end of a terminal that are drawn anew in place: only those that changed are written, in one piece.
import { stripVTControlCharacters } from 'node:util';
import type { ScreenSize } from './progress-view.ts';
import { widthOf } from './text-width.ts';

const ESC = '\u001b[';
/** The terminal shows what lies between these at once; one that does not know them ignores them. */
const BEGIN = `${ESC}?2026h`;
const END = `${ESC}?2026l`;
const ERASE_BELOW = `${ESC}J`;
const ERASE_REST = `${ESC}K`;

export interface LiveBlock {
  draw(lines: readonly string[], size: ScreenSize): void;
  /** Takes the lines away; the next output stands where they were. */
  clear(size: ScreenSize): void;
}

/**
 * The cursor always waits on the empty line below, and is never hidden: whatever ends the program, also a signal that nobody can catch,
 * nothing has to be put right, and the last lines stay to be read.
 */
export function createLiveBlock(write: (text: string) => void): LiveBlock {
  let shown: readonly string[] = [];
  let before: ScreenSize | undefined;
  const home = (size: ScreenSize): string => {
    const rows = rowsOf(shown, size);
    return rows === 0 ? '\r' : `\r${ESC}${rows}A`;
  };
  const anew = (lines: readonly string[], size: ScreenSize): string =>
    `${home(size)}${ERASE_BELOW}${lines.map((line) => `${line}\n`).join('')}`;
  return {
    draw(lines, size) {
      const same = before !== undefined && before.columns === size.columns && before.rows === size.rows;
      const text = same && lines.length === shown.length ? changed(shown, lines) : anew(lines, size);
      if (text !== '') write(`${BEGIN}${text}${END}`);
      shown = lines;
      before = size;
    },
    clear(size) {
      if (shown.length > 0) write(`${home(size)}${ERASE_BELOW}`);
      shown = [];
    },
  };
}

/** Rows that the lines take: a terminal that was made narrower has broken those that were longer. */
function rowsOf(lines: readonly string[], { columns, rows }: ScreenSize): number {
  const taken = lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(stripVTControlCharacters(line)) / columns)), 0);
  return Math.min(taken, Math.max(0, rows - 1));
}

/** From the cursor below up to each line that changed, and down again. */
function changed(from: readonly string[], to: readonly string[]): string {
  return to
    .map((line, at) => {
      const up = to.length - at;
      return line === from[at] ? '' : `${ESC}${up}A\r${line}${ERASE_REST}${ESC}${up}B\r`;
    })
    .join('');
}
