// A sheet as CSV (RFC 4180), harmless for spreadsheet programs. Pure.
import { safe } from '../messages/said.ts';
import type { Sheet, SheetCell } from './report.ts';

/** In front of a file: spreadsheet programs take it for UTF-8 then. */
export const BYTE_ORDER_MARK = '\ufeff';

/** Spreadsheet programs calculate what begins like that. The apostrophe in front of it is in the way of ours, so it gets another. */
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/;
/** What would end the cell or the row, and what readers strip from cells without quotes. */
const QUOTED = /[",\r\n]|^\s|\s$|^\ufeff/;
const ROWS_AT_ONCE = 500;

/** Piece by piece: a sheet of many rows takes little memory. */
export async function* csvText({ columns, rows }: Sheet): AsyncGenerator<string> {
  yield csvRow(columns);
  let piece: string[] = [];
  for await (const given of Symbol.asyncIterator in rows ? rows : [rows]) {
    for (const row of given) {
      piece.push(csvRow(row));
      if (piece.length < ROWS_AT_ONCE) continue;
      yield piece.join('');
      piece = [];
    }
    if (piece.length > 0) yield piece.join('');
    piece = [];
  }
}

function csvRow(cells: readonly SheetCell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(cell: SheetCell): string {
  if (cell === null) return '';
  if (typeof cell === 'number' || typeof cell === 'boolean') return String(cell);
  const text = safe(typeof cell === 'string' ? cell : joined(cell));
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return QUOTED.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** `a; b`; what is an item's own is marked, so that the list can be taken apart again. */
function joined(items: readonly string[]): string {
  return items.map((item) => item.replace(/[\\;]/g, String.raw`\$&`)).join('; ');
}
