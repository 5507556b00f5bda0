// Rows and names of pages, kept to what can be read: many names end in how many more there are, many rows in a note.
import type { Messages } from '../messages/en.ts';
import type { PageBlock, PageCell, PageColumn, PageRow, PageTable } from './report.ts';

const MOST_NAMED = 60;
/** Half a megabyte of rows: what a browser lays out at once, and somebody may still search. */
const MOST_ROWS = 2_000;

export function named(names: readonly string[], { reports }: Messages, most = MOST_NAMED): string {
  if (names.length <= most + 1) return names.join(', ');
  return `${names.slice(0, most).join(', ')} ${reports.more(names.length - most)}`;
}

/** The table, and below it a note where rows were left out. */
export function readable(table: PageTable, { reports }: Messages, most = MOST_ROWS): readonly PageBlock[] {
  let room = most;
  const groups = table.groups.flatMap(({ rows, ...group }) => {
    const shown = rows.slice(0, room);
    room -= shown.length;
    return shown.length === 0 ? [] : [{ ...group, rows: shown }];
  });
  const left = table.groups.reduce((sum, { rows }) => sum + rows.length, 0) - (most - room);
  if (groups.length === 0) return [];
  return [{ ...table, groups }, ...(left === 0 ? [] : [{ kind: 'text', text: reports.moreRows(left) } as const])];
}

/** More names than that make a column of their own too long: they follow below. */
const MOST_BESIDE = 30;
/** Up to so many, each thing has a row of its own. */
const FEW = 40;

/**
 * Rows by folder; of many folders those with the same row share it.
 * @returns the first columns, and the rows
 */
export function folderRows<Folder>(
  folders: readonly Folder[],
  shape: {
    readonly code: (folder: Folder) => string;
    /** What stands beside the code. */
    readonly cells: (folder: Folder) => readonly PageCell[];
    readonly groups: readonly { readonly title: string; readonly folders: readonly Folder[] }[];
  },
  messages: Messages,
): { readonly columns: readonly PageColumn[]; readonly groups: PageTable['groups'] } {
  const { columns, counted } = messages.reports.folders;
  const { code, cells, groups } = shape;
  if (folders.length <= FEW)
    return {
      columns: [{ title: columns.folder }],
      groups: groups.map(({ title, folders: mine }) => ({ title, rows: mine.map((each) => [code(each), ...cells(each)]) })),
    };
  return {
    columns: [{ title: columns.count }, { title: columns.folders }],
    groups: groups.map(({ title, folders: mine }) => ({
      title,
      rows: [...Map.groupBy(mine, (each) => JSON.stringify(cells(each))).values()]
        .toSorted((one, other) => other.length - one.length)
        .flatMap((alike): readonly PageRow[] => {
          const [first] = alike;
          const names = alike.map(code);
          const beside = first === undefined ? [] : cells(first);
          if (names.length <= MOST_BESIDE) return [[counted(names.length), names.join(', '), ...beside]];
          return [[counted(names.length), `${names[0]} … ${names.at(-1)}`, ...beside], { wide: names.join(', ') }];
        }),
    })),
  };
}
