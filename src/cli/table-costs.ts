// What changes of tables cost, for people: step by step, folders with the same changes together.
import { canonical } from '../base/canonical.ts';
import type { TableCost } from '../tables/cost.ts';
import { wrap } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';

export interface FolderCosts {
  /** Those that have these changes. */
  readonly folders: readonly string[];
  readonly changes: readonly TableCost[];
}

const INDENT = 4;

/** @param named so many folders are named; absent: a few, and the others counted */
export function tableCostsText(
  folders: readonly FolderCosts[],
  messages: Messages,
  width: number | undefined,
  named?: number,
): string {
  const { report } = messages;
  const alike = Map.groupBy(
    folders.filter(({ changes }) => changes.length > 0),
    ({ changes }) => canonical(changes),
  );
  return [...alike.values()]
    .flatMap((group) => {
      const codes = group.flatMap((each) => each.folders);
      const lines = (group[0]?.changes ?? []).map((cost) => `  ${wrap(costText(cost, messages), width, INDENT)}`);
      return [`${report.costs.title(report.folders(some(codes, named), codes.length))}`, ...lines];
    })
    .join('\n');
}

function costText({ table, step, column, index, rewrites, lock, rows }: TableCost, { report }: Messages): string {
  const { costs } = report;
  const name = column ?? index;
  const what = costs.step(safe(table), `${costs.steps[step]}${name === undefined ? '' : ` ${safe(name)}`}`);
  const how = [rewrites ? costs.rewrites : '', costs.locks[lock], rows === null ? '' : costs.rows(rows)];
  return `${what} – ${how.filter((part) => part !== '').join(', ')}`;
}
