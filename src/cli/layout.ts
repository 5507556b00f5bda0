// Lays text out for a terminal: columns, wrapping, colour.
import { styleText } from 'node:util';
import { safe } from './messages/said.ts';
import { fitted, widthOf } from './text-width.ts';

const GAP = '  ';
const LEAST_WIDTH = 6;
const WORDS = / (?![:;?!»])/; // French sets a space before these, and a line must not start with them

export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

/** Columns in line. Where they do not fit the width, the widest are cut; without a width nothing is. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width: number | undefined): string {
  const cells = [columns.map((column) => column.title), ...rows.map((row) => columns.map((_, at) => oneLine(row[at] ?? '')))];
  const widths = columns.map((_, at) => cells.reduce((most, row) => Math.max(most, widthOf(row[at] ?? '')), 0));
  if (width !== undefined) shrink(widths, width - GAP.length * (columns.length - 1));
  return cells
    .map((row) =>
      row
        .map((cell, at) => fitted(cell, widths[at] ?? 0, columns[at]?.right === true))
        .join(GAP)
        .trimEnd(),
    )
    .join('\n');
}

/** Names and values below each other. */
export function pairs(list: readonly (readonly [string, string])[]): string {
  const width = Math.max(...list.map(([name]) => widthOf(name)));
  return list.map(([name, value]) => `${fitted(name, width)}${GAP}${oneLine(value)}`.trimEnd()).join('\n');
}

/** Breaks lines at spaces; the lines after the first are indented by `indent` spaces. */
export function wrap(text: string, width: number | undefined, indent = 0): string {
  const margin = ' '.repeat(indent);
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = lines.length === 0 ? '' : margin;
    let empty = true;
    for (const word of paragraph.split(WORDS)) {
      if (!empty && width !== undefined && widthOf(line) + 1 + widthOf(word) > width) {
        lines.push(line);
        line = margin + word;
      } else line += empty ? word : ` ${word}`;
      empty = false;
    }
    lines.push(line);
  }
  return lines.join('\n');
}

export type Tone = 'bold' | 'dim' | 'red' | 'yellow' | 'green';

export function paint(tone: Tone, text: string, colour: boolean): string {
  return colour ? styleText(tone, text, { validateStream: false }) : text;
}

export function oneLine(text: string): string {
  return safe(text).replace(/[\n\t]+/g, ' ');
}

/** Takes from the widest column, one by one, until all fit the room. */
function shrink(widths: number[], room: number): void {
  for (let over = widths.reduce((sum, width) => sum + width, 0) - room; over > 0; over--) {
    const widest = Math.max(...widths);
    if (widest <= LEAST_WIDTH) return;
    widths[widths.indexOf(widest)] = widest - 1;
  }
}
