// Looks, before tables change, whether their rows allow it: locks the tables, then asks all questions in one statement.
import type { Finding } from '../base/finding.ts';
import type { Session } from '../database/database.ts';
import type { Aside } from '../plan/table-facts.ts';
import type { Check } from '../tables/checks.ts';
import { checkSql, checksOf } from '../tables/checks.ts';
import type { TableChange } from '../tables/diff.ts';
import { lockTables } from '../tables/locks.ts';
import { typeName } from '../tables/model.ts';

export interface CheckedValues {
  /** Values that do not fit, rows that are there twice: they block. */
  readonly findings: readonly Finding[];
  /** Rows of the tables that were looked at, counted. */
  readonly rows: ReadonlyMap<string, number>;
}

interface CheckRow {
  readonly rows: string;
  readonly count: string;
  readonly samples: readonly string[];
}

/**
 * One round trip where there is something to check, none otherwise.
 * @param lock whether nothing may change afterwards; without it the answer is how things stand
 */
export async function checkValues(
  session: Session,
  changes: readonly TableChange[],
  schema: string,
  lock = true,
): Promise<CheckedValues> {
  const checks = checksOf(changes);
  if (checks.length === 0) return { findings: [], rows: new Map() };
  const text = checkSql(checks, schema);
  const results = await session.script([...(lock ? lockTables(changes, schema) : []), text].join(';\n'));
  const answers = (results.at(-1)?.rows ?? []) as unknown as readonly CheckRow[];
  return {
    findings: checks.flatMap((check, at) => findingOf(check, answers[at])),
    rows: new Map(checks.map((check, at) => [check.table, Number(answers[at]?.rows ?? 0)])),
  };
}

function findingOf(check: Check, answer: CheckRow | undefined): readonly Finding[] {
  const count = Number(answer?.count ?? 0);
  if (count === 0) return [];
  const table = check.table.toUpperCase();
  const subject = `ATB:${table}`;
  const keys = answer?.samples ?? [];
  if (check.check === 'unique')
    return [{ code: 'index-duplicates', severity: 'block', subject, facts: { table, index: check.index, count, keys } }];
  const field = check.column;
  const facts = { table, field, from: typeName(check.from), to: typeName(check.to), count, keys };
  return [{ code: 'values-do-not-fit', severity: 'block', subject, facts }];
}

/** A table or column that comes back while its values of then are still aside: nobody should have to remember that. */
export function restorable(changes: readonly TableChange[], aside: readonly Aside[]): readonly Finding[] {
  return aside.flatMap(({ id, table, kind, columns }): readonly Finding[] => {
    const change = changes.find((each) => (each.change === 'create' ? each.table.name : each.table) === table);
    const added =
      change?.change === 'alter' ? change.steps.flatMap((step) => (step.step === 'add-column' ? [step.column.name] : [])) : [];
    const back = kind === 'table' ? change?.change === 'create' : columns.some((column) => added.includes(column));
    if (!back) return [];
    const facts = {
      table: table.toUpperCase(),
      columns: kind === 'table' ? [] : columns.filter((column) => added.includes(column)),
      command: `rustine kept restore ${id}`,
    };
    return [{ code: 'values-kept-aside', severity: 'info', subject: `ATB:${table.toUpperCase()}`, facts }];
  });
}
