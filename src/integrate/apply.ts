// A plan as one script for one folder: dictionary, tables, data, scripts, in one round trip.
import type { StatementResult } from '../database/database.ts';
import type { FolderSettings, Plan } from '../plan/plan.ts';
import type { FormerFunction } from './former-functions.ts';
import type { SqlScriptOptions } from './sql-scripts.ts';
import type { Counted, Statement } from './statement.ts';
import { dictionaryStatements } from './write-dictionary.ts';
import { rowStatements } from './write-rows.ts';
import { scriptStatements } from './write-scripts.ts';
import { tableStatements } from './write-tables.ts';
import { droppedViewStatements, viewStatements } from './write-views.ts';

/** What the script counted, and what became of functions that scripts no longer make. */
export interface Applied extends Readonly<Record<Counted, number>> {
  readonly functions: readonly FormerFunction[];
}

/** @param integration number of the integration: who and when are looked up through it */
export function applyScript(
  plan: Plan,
  folder: FolderSettings,
  integration: string,
  scripts: SqlScriptOptions,
): { readonly text: string; read(results: readonly StatementResult[]): Applied } {
  const statements: readonly Statement[] = [
    ...droppedViewStatements(plan, folder),
    ...dictionaryStatements(plan, folder, integration),
    ...tableStatements(plan, folder, integration),
    ...viewStatements(plan, folder),
    ...rowStatements(plan, folder, integration),
    ...scriptStatements(plan, folder, integration, scripts),
  ];
  return { text: statements.map((statement) => statement.text).join(';\n'), read: (results) => readCounts(statements, results) };
}

function readCounts(statements: readonly Statement[], results: readonly StatementResult[]): Applied {
  const counted: Record<Counted, number> = { scripts: 0, inserted: 0, updated: 0, deleted: 0 };
  const functions: FormerFunction[] = [];
  statements.forEach((statement, at) => {
    const result = results[at];
    if (statement.counts === 'functions') functions.push(...((result?.rows ?? []) as unknown as readonly FormerFunction[]));
    if (statement.counts === 'scripts') counted.scripts += result?.count ?? 0;
    if (statement.counts === 'rows') {
      counted.inserted += Number(result?.rows[0]?.inserted ?? 0);
      counted.updated += Number(result?.rows[0]?.updated ?? 0);
      counted.deleted += Number(result?.rows[0]?.deleted ?? 0);
    }
  });
  return { ...counted, functions };
}
