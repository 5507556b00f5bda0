// A validation as a sheet: a row per folder, and below it a row for each thing that changed or would change there.
import type { RunValidation, ValidationOutcome } from '../../app/validations.ts';
import type { Sheet, SheetCell } from './report.ts';

type Row = Readonly<Partial<Record<(typeof COLUMNS)[number], SheetCell>>>;

const COLUMNS = [
  'run',
  'mode',
  'folder',
  'kind',
  'state',
  'code',
  'ms',
  'name',
  'change',
  'tag',
  'key',
  'field',
  'before',
  'after',
] as const;

export function validationSheet({ run, mode, folders }: ValidationOutcome): Sheet {
  const rows = folders.flatMap((folder) => [
    folderRow(folder),
    ...changesOf(folder).map((row) => ({ folder: folder.folder, ...row })),
  ]);
  return { columns: COLUMNS, rows: rows.map((row: Row) => COLUMNS.map((column) => ({ run, mode, ...row })[column] ?? null)) };
}

function folderRow({ folder, state, reason, ms }: RunValidation): Row {
  return { kind: 'folder', folder, state, code: reason?.code ?? null, ms };
}

/** One by one, as they were found. */
export function changesOf({ differences, tables, patches, ran, rows }: RunValidation): readonly Row[] {
  const { elements = [], scripts = [] } = differences ?? {};
  return [
    ...elements.flatMap(({ type, name, change, records }) => [
      { kind: 'element', name: `${type}:${name}`, change },
      ...records.flatMap((record): readonly Row[] => {
        const place = { name: `${type}:${name}`, tag: record.tag, key: record.key, change: record.change };
        if (record.fields.length === 0) return [{ kind: 'line', ...place }];
        return record.fields.map(({ field, before, after }) => ({ kind: 'field', ...place, field, before, after }));
      }),
    ]),
    ...(['created', 'altered', 'removed'] as const).flatMap((change) =>
      tables[change].map((name) => ({ kind: 'table', name, change })),
    ),
    ...scripts.map((name) => ({ kind: 'script', name })),
    ...ran.map((name) => ({ kind: 'script', name, change: 'run' })),
    ...(['inserted', 'updated', 'deleted'] as const).flatMap((change) =>
      rows[change] === 0 ? [] : [{ kind: 'rows', change, after: rows[change] }],
    ),
    ...patches.map((name) => ({ kind: 'patch', name })),
  ];
}
