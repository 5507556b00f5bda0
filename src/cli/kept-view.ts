// What was put aside, for people: the list, one entry with its values, the result of putting back.
import type { KeptRows, RestoreOutcome } from '../app/kept.ts';
import type { KeptEntry, KeptRow, Values } from '../environment/kept.ts';
import type { RememberedPatches } from '../environment/remembered-patches.ts';
import { findingsText } from './findings.ts';
import { paint, pairs, table } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { some } from './messages/said.ts';

export function keptTable(kept: readonly KeptEntry[], messages: Messages, width: number | undefined): string {
  const { report } = messages;
  if (kept.length === 0) return report.kept.none;
  const { id, folder, when, patch, table: tableTitle, what, rows, why, restored } = { ...report.columns, ...report.kept.columns };
  const columns = [
    { title: id, right: true },
    { title: folder },
    { title: when },
    { title: patch },
    { title: tableTitle },
    { title: what },
    { title: rows, right: true },
    { title: why },
    { title: restored },
  ];
  const cells = kept.map((entry) => [
    String(entry.id),
    entry.folder,
    minute(entry.at),
    entry.file ?? (entry.by || '-'),
    entry.table,
    whatText(entry, messages),
    String(entry.rows),
    whyText(entry, messages),
    entry.restored === null ? '-' : minute(entry.restored.at),
  ]);
  return table(columns, cells, width);
}

/** Empty where nothing is remembered. */
export function rememberedTable(
  remembered: readonly RememberedPatches[],
  { report }: Messages,
  width: number | undefined,
): string {
  if (remembered.length === 0) return '';
  const { patches, oldest, latest, size } = report.kept.remembered;
  const columns = [
    { title: report.columns.folder },
    { title: patches, right: true },
    { title: oldest },
    { title: latest },
    { title: size, right: true },
  ];
  const cells = remembered.map((each) => [
    each.folder,
    String(each.patches),
    minute(each.oldest),
    minute(each.latest),
    report.bytes(each.bytes),
  ]);
  return `${report.kept.remembered.is}\n${table(columns, cells, width)}`;
}

export function keptText({ entry, rows }: KeptRows, messages: Messages, width: number | undefined): string {
  const { report } = messages;
  const names = report.kept.columns;
  const head = pairs([
    [names.id, String(entry.id)],
    [report.columns.folder, entry.folder],
    [names.when, minute(entry.at)],
    [names.patch, entry.file ?? '-'],
    [names.by, entry.by || '-'],
    [names.table, entry.table],
    [names.what, whatText(entry, messages)],
    [names.why, whyText(entry, messages)],
    [report.columns.rows, String(entry.rows)],
    [names.restored, entry.restored === null ? report.no : `${minute(entry.restored.at)} (${entry.restored.by})`],
  ]);
  const columns = [{ title: names.key }, { title: names.column }, { title: names.old }, { title: names.now }];
  const lines = rows.flatMap((row) => rowLines(row, messages));
  const rest = entry.rows - rows.length;
  return [head, lines.length === 0 ? '' : table(columns, lines, width), rest > 0 ? report.kept.moreRows(rest, rows.length) : '']
    .filter((part) => part !== '')
    .join('\n\n');
}

/** A line for each value that is not there any more; the row's key stands before the first. */
function rowLines({ rowid, key, old, now }: KeptRow, { report }: Messages): readonly (readonly string[])[] {
  const name = Object.values(key).length === 0 ? `rowid ${rowid}` : Object.values(key).map(shown).join(' ~ ');
  const lost = Object.keys(old).filter(
    (column) => !HOUSEKEEPING.has(column) && (now === null ? holds(old, column) : now[column] !== old[column]),
  );
  if (lost.length === 0) return [[name, '-', '', report.kept.same]];
  return lost.map((column, at) => [
    at === 0 ? name : '',
    column,
    shown(old[column]),
    now === null ? report.kept.gone : column in now ? shown(now[column]) : report.kept.noColumn,
  ]);
}

/** Columns that every table has. */
const HOUSEKEEPING = new Set(['rowid', 'updtick_0']);

const holds = (values: Values, column: string): boolean => ![null, undefined, '', '0'].includes(values[column]);
const shown = (value: string | null | undefined): string => (value === null || value === undefined || value === '' ? '-' : value);
const minute = (at: string): string => at.slice(0, 16).replace('T', ' ');

function whatText({ kind, columns }: KeptEntry, { report }: Messages): string {
  if (kind !== 'columns') return report.kept.kinds[kind];
  return some(
    Object.entries(columns).map(([name, type]) => `${name} ${type}`),
    4,
  );
}

function whyText({ why }: KeptEntry, { report }: Messages): string {
  return (report.kept.reasons as Readonly<Record<string, string>>)[why] ?? why;
}

export function restoredText(
  { mode, state, findings, restored }: RestoreOutcome,
  messages: Messages,
  style: { readonly width: number | undefined; readonly colour: boolean; readonly quiet: boolean },
): string {
  const { report } = messages;
  const shownFindings = style.quiet ? findings.filter(({ severity }) => severity === 'block') : findings;
  const lines = style.quiet
    ? []
    : restored.map(({ id, folder, table: name, rows, columns }) =>
        report.kept.restoredEntry(id, folder, name, rows, columns.join(', ')),
      );
  const end = state === 'refused' ? report.kept.restored.refused : report.kept.restored[mode][partRestored(restored)];
  const ended = style.quiet && state === 'done' ? '' : paint(state === 'done' ? 'green' : 'red', end, style.colour);
  return [findingsText(shownFindings, messages, { ...style, all: true }), ...lines, ended]
    .filter((part) => part !== '')
    .join('\n');
}

/** How much of what was to be put back found a place. */
function partRestored(restored: RestoreOutcome['restored']): 'all' | 'part' | 'nothing' {
  if (restored.every(({ whole }) => whole)) return 'all';
  return restored.some(({ whole, rows, columns }) => whole || rows > 0 || columns.length > 0) ? 'part' : 'nothing';
}
