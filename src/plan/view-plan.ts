// Plans how the typed views of the dictionary follow the fields that were seen, and make way for application tables of their name. Pure.
import type { Finding } from '../base/finding.ts';
import type { FieldsSeen } from '../dictionary/seen-fields.ts';
import { viewOfName } from '../dictionary/view-names.ts';
import type { ViewColumn } from '../dictionary/views.ts';
import { shapeOf } from '../dictionary/views.ts';
import type { ViewFacts } from './view-facts.ts';

/** What becomes of one view. Nothing is planned for a view that stays as it is. */
export interface ViewChange {
  readonly view: string;
  readonly columns: readonly ViewColumn[];
  /** Dropped before the tables are made: its name is wanted, or its columns change in a way that no replacing can do. */
  readonly drop: boolean;
  /** Made, or replaced with more columns, after the tables. */
  readonly make: boolean;
  readonly hidden: boolean;
}

/** Database tables that appear and disappear with the plan. */
export interface TableNames {
  readonly created: ReadonlySet<string>;
  readonly gone: ReadonlySet<string>;
}

export function planViews(
  facts: ViewFacts,
  delivered: FieldsSeen,
  tables: TableNames,
  findings: Finding[],
): readonly ViewChange[] {
  const seen = together(facts.seen, delivered);
  const columnsOf = new Map([...facts.known].map(([name, view]) => [name, view.columns]));
  const changes: ViewChange[] = [];
  // A header comes before its lines: they may take its key.
  const isHeader = (view: string): number => (viewOfName(view)?.header === view ? 0 : 1);
  const views = [...new Set([...seen.keys(), ...facts.known.keys()])].sort((a, b) => isHeader(a) - isHeader(b));
  for (const view of views) {
    const before = facts.known.get(view);
    const { columns, difference } = shapeOf(view, before?.columns, seen.get(view) ?? new Map(), columnsOf);
    columnsOf.set(view, columns);
    const hidden = tables.created.has(view) || (facts.occupied.has(view) && !tables.gone.has(view));
    if (hidden && before?.hidden !== true)
      findings.push({ code: 'view-hidden', severity: 'info', subject: `ATB:${view.toUpperCase()}`, facts: { view } });
    const there = before !== undefined && !before.hidden;
    const make = !hidden && (!there || difference !== 'same');
    const drop = there && (hidden || difference === 'other');
    if (make || drop || hidden !== before?.hidden || !sameColumns(before.columns, columns))
      changes.push({ view, columns, drop, make, hidden });
  }
  return changes;
}

function together(a: FieldsSeen, b: FieldsSeen): FieldsSeen {
  if (a.size === 0) return b;
  const all: FieldsSeen = new Map([...a].map(([view, fields]) => [view, new Map(fields)]));
  for (const [view, fields] of b) {
    const known = all.get(view) ?? new Map<string, number[]>();
    all.set(view, known);
    for (const [field, signs] of fields) {
      const before = known.get(field) ?? [];
      known.set(
        field,
        Array.from({ length: Math.max(before.length, signs.length) }, (_, at) => (before[at] ?? 0) | (signs[at] ?? 0)),
      );
    }
  }
  return all;
}

function sameColumns(a: readonly ViewColumn[], b: readonly ViewColumn[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ field, slot, signs }, at) => b[at]?.field === field && b[at].slot === slot && b[at].signs === signs)
  );
}
