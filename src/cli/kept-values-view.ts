// Kept values for people: by folder, the oldest first, with the three values of each case.
import type { KeptValueView } from '../app/kept-values.ts';
import { table, wrap } from './layout.ts';
import type { Messages } from './messages/en.ts';

const DAY = 86_400_000;

export function keptValuesText(
  values: readonly KeptValueView[],
  { report }: Messages,
  width: number | undefined,
  now: Date,
): string {
  if (values.length === 0) return report.noKeptValues;
  const { folder, age, element, field, before, delivered, own, case: id } = report.keptColumns;
  const columns = [folder, age, element, field, before, delivered, own, id].map((title) => ({ title, right: title === age }));
  const sorted = [...values].sort((a, b) => compare(a.folder, b.folder) || compare(a.since, b.since));
  const rows = sorted.map((value) => [
    value.folder,
    report.days(Math.max(0, Math.floor((now.getTime() - Date.parse(value.since)) / DAY))),
    value.element,
    place(value, report),
    value.before ?? '-',
    value.now ?? '-',
    value.own ?? '-',
    value.decision === null ? value.case : `${value.case} ${report.choices[value.decision.choice]}`,
  ]);
  const hint = wrap(report.decideHint, width, 2);
  return `${table(columns, rows, width)}\n\n${hint}`;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Values of a whole element are numbers of lines. */
function place({ scope, tag, key, field, code, unchanged }: KeptValueView, report: Messages['report']): string {
  const line = tag === '' ? '' : `${tag} ${key}`;
  if (scope === 'element') return report.wholeElement(code);
  if (scope === 'line') return report.wholeLine(line, code);
  return unchanged ? `${line} ${field} ${report.unchangedMark}` : `${line} ${field}`;
}
