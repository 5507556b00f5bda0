// Folders as a sheet: a row per folder, with what is to be done as commands.
import type { FolderView } from '../../app/rustine.ts';
import { writtenCodes } from '../../base/ids.ts';
import { dueLines } from '../due.ts';
import type { Messages } from '../messages/en.ts';
import type { Sheet, SheetCell } from './report.ts';

const COLUMNS = {
  folder: ({ code }) => code,
  parent: ({ parent }) => parent,
  server: ({ server }) => server,
  state: ({ state }) => state,
  due: (view) => (isSilent(view) ? null : view.due),
  reasons: ({ reasons }) => reasons,
  lag: (view) => (isSilent(view) ? null : view.lag.length),
  lag_files: ({ lag }) => lag,
  level: ({ level }) => Object.entries(level).map(([series, number]) => `${series}=${number}`),
  languages: ({ languages }) => languages,
  legislations: ({ legislations }) => legislations,
  modules: ({ modules }) => modules?.map(String) ?? 'all',
  activity_codes: (view) => writtenCodes(view),
  test: ({ test }) => test,
  specific: ({ specific }) => specific,
  history_of: ({ historyOf }) => historyOf,
  tables: ({ tables }) => tables,
  patches: ({ patches }) => patches,
  schema: ({ schema }) => schema,
  role: ({ role }) => role,
} satisfies Readonly<Record<string, (view: FolderView) => SheetCell>>;

export function folderSheet(folders: readonly FolderView[], messages: Messages): Sheet {
  return {
    columns: [...Object.keys(COLUMNS), 'commands'],
    rows: folders.map((view) => [...Object.values(COLUMNS).map((cell) => cell(view)), commandsFor(view, messages)]),
  };
}

/** Nothing is known of it but that it is there. */
const isSilent = ({ state }: FolderView): boolean => state === 'unreachable';

/** What is to be done about one folder. They stand between backticks in what people are told. */
export function commandsFor(view: FolderView, messages: Messages): readonly string[] {
  return dueLines([view], messages, undefined).flatMap((line) =>
    [...line.matchAll(/`([^`]+)`/g)].map(([, command = '']) => command),
  );
}
