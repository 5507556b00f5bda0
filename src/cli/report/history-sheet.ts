// The inquiry as a sheet: a row per folder and thing that was written to it; where an element was asked for, before them a row per folder with the version it has.
import type { ElementDecision, ElementVersion, History, HistoryEntry, HistoryFolder } from '../../app/history.ts';
import type { Sheet, SheetCell } from './report.ts';

type Row = Readonly<Partial<Record<(typeof COLUMNS)[number], SheetCell>>>;

const COLUMNS = [
  'kind',
  'at',
  'folder',
  'server',
  'file',
  'digest',
  'element',
  'run',
  'operator',
  'authorized',
  'ignored',
  'forced',
  'choice',
  'reason',
  'integration',
  'copied',
  'taken_back_at',
  'taken_back_by',
  'taken_back_run',
  'hold',
  'inherited_from',
  'case',
  'place',
  'purged_at',
  'purged_by',
] as const;

export function historySheet(found: History): Sheet {
  return { columns: COLUMNS, rows: rowsOf(found) };
}

function* rowsOf({ entries, element, notRemembered }: History): Generator<readonly SheetCell[]> {
  const cells = (row: Row): readonly SheetCell[] => COLUMNS.map((column) => row[column] ?? null);
  const name = element?.element ?? null;
  for (const version of element?.versions ?? []) yield* versionRows(version).map((row) => cells({ ...row, element: name }));
  for (const decision of element?.decisions ?? []) yield cells({ ...decisionRow(decision), element: name });
  for (const file of notRemembered) yield cells({ kind: 'not-remembered', file });
  for (const entry of entries) for (const folder of entry.folders) yield cells(entryRow(entry, folder));
}

/** `version`: who has it now, since when it is there at all. */
function versionRows({ file, digest, at, folders }: ElementVersion): readonly Row[] {
  return folders.map(({ folder, server, hold, from }) => ({
    kind: 'version',
    at,
    folder,
    server,
    file,
    digest,
    hold,
    inherited_from: from,
  }));
}

/** `case`: a decision about the element, wherever it counts. */
function decisionRow({ at, by, choice, place, reason, case: number }: ElementDecision): Row {
  return { kind: 'case', at, operator: by, choice, place, reason, case: number };
}

function entryRow(entry: HistoryEntry, { folder, server, at, integration, copied, takenBack, purged }: HistoryFolder): Row {
  const { kind, file, digest, element, run, operator, authorized, ignored, forced, choice, reason } = entry;
  return {
    kind,
    at,
    folder,
    server,
    file,
    digest,
    element,
    run,
    operator,
    authorized,
    ignored,
    forced: Object.entries(forced).map(([check, why]) => `${check}=${why}`),
    choice,
    reason,
    integration,
    copied,
    taken_back_at: takenBack?.at ?? null,
    taken_back_by: takenBack?.by ?? null,
    taken_back_run: takenBack?.run ?? null,
    purged_at: purged?.at ?? null,
    purged_by: purged?.by ?? null,
  };
}
