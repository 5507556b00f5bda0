// A terminal in memory: what a program wrote as people would see it. Knows what the program uses, and fails for anything else.
export interface MemoryScreen {
  write(text: string): void;
  /** What is on the screen, without empty lines at the end. */
  lines(): readonly string[];
  /** Where the cursor is, from 0. */
  cursor(): { readonly row: number; readonly column: number };
  /** Lines that were pushed out at the top. */
  scrolled(): readonly string[];
}

export function memoryScreen(columns: number, rows: number): MemoryScreen {
  const grid: string[] = [''];
  const gone: string[] = [];
  let row = 0;
  let column = 0;
  const put = (character: string): void => {
    const line = (grid[row] ?? '').padEnd(column);
    grid[row] = line.slice(0, column) + character + line.slice(column + 1);
    column++;
    if (column > columns) throw new Error(`wider than the terminal: ${grid[row]}`);
  };
  const down = (): void => {
    if (row === rows - 1) {
      gone.push(grid.shift() ?? '');
      grid.push('');
    } else row++;
    grid[row] ??= '';
  };
  return {
    write(text) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a terminal is told with
      for (const [part, number, letter] of text.matchAll(/\u001b\[(\??\d*)([A-Za-z])|[\s\S]/gu)) {
        if (part === '\n') {
          down();
          column = 0;
        } else if (part === '\r') column = 0;
        else if (letter === undefined) put(part);
        else if (letter === 'A') row = Math.max(0, row - Number(number));
        else if (letter === 'B') row = Math.min(rows - 1, row + Number(number));
        else if (letter === 'K') grid[row] = (grid[row] ?? '').slice(0, column);
        else if (letter === 'J') grid.splice(row, grid.length, (grid[row] ?? '').slice(0, column));
        else if (number !== '?2026' && letter !== 'm') throw new Error(`unknown sequence ${JSON.stringify(part)}`);
      }
    },
    lines: () => grid.map((line) => line.trimEnd()).slice(0, grid.findLastIndex((line) => line.trim() !== '') + 1),
    cursor: () => ({ row, column }),
    scrolled: () => gone,
  };
}
