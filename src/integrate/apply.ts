// A plan as one script for one folder: dictionary, tables, data, scripts, in one round trip; two where rows could collide.
import type { StatementResult } from '../database/database.ts';
import type { FolderSettings, Plan } from '../plan/plan.ts';
import type { FormerFunction } from './former-functions.ts';
import { type Numbers, numbersSql } from './remember-tables.ts';
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
  /** Where the numbers of the folder's rows stood before; absent: nobody asks for that. */
  readonly numbers?: Numbers;
}

export interface ApplyScript {
  /** Statements for dictionary and tables, then those for rows and scripts. */
  readonly shape: readonly string[];
  readonly content: readonly string[];
  /** @param results of all of them */
  read(results: readonly StatementResult[]): Applied;
}

/** @param integration number of the integration: who and when are looked up through it */
export function applyScript(plan: Plan, folder: FolderSettings, integration: string, scripts: SqlScriptOptions): ApplyScript {
  const { remembers } = scripts;
  const shape: readonly Statement[] = [
    ...(remembers ? [{ text: numbersSql(folder.schema), counts: 'numbers' as const }] : []),
    ...droppedViewStatements(plan, folder),
    ...dictionaryStatements(plan, folder, integration),
    ...tableStatements(plan, folder, integration, remembers),
    ...viewStatements(plan, folder),
  ];
  const content: readonly Statement[] = [
    ...rowStatements(plan, folder, integration, remembers),
    ...scriptStatements(plan, folder, integration, scripts),
  ];
  const texts = (statements: readonly Statement[]): readonly string[] => statements.map((statement) => statement.text);
  return { shape: texts(shape), content: texts(content), read: (results) => readCounts([...shape, ...content], results) };
}

function readCounts(statements: readonly Statement[], results: readonly StatementResult[]): Applied {
  const counted: Record<Counted, number> = { scripts: 0, inserted: 0, updated: 0, deleted: 0 };
  const functions: FormerFunction[] = [];
  let numbers: Numbers | undefined;
  statements.forEach((statement, at) => {
    const result = results[at];
    if (statement.counts === 'functions') functions.push(...((result?.rows ?? []) as unknown as readonly FormerFunction[]));
    if (statement.counts === 'numbers') numbers = result?.rows[0] as unknown as Numbers;
    if (statement.counts === 'scripts') counted.scripts += result?.count ?? 0;
    if (statement.counts === 'rows') {
      counted.inserted += Number(result?.rows[0]?.inserted ?? 0);
      counted.updated += Number(result?.rows[0]?.updated ?? 0);
      counted.deleted += Number(result?.rows[0]?.deleted ?? 0);
    }
  });
  return { ...counted, functions, ...(numbers === undefined ? {} : { numbers }) };
}
