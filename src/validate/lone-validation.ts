// Validates one folder in a transaction of its own, outside of any run.
import type { Database } from '../database/database.ts';
import type { Folder } from '../environment/folder.ts';
import { enterFolders } from '../journal/folder-entry.ts';
import { validateInto } from './validation.ts';
import type { Validated } from './validation-context.ts';
import type { ValidationSources } from './validation-sources.ts';

export interface ValidationOptions {
  readonly operator: string;
  readonly lockTimeoutMs: number;
  readonly scriptTimeoutMs: number;
}

/** One folder in a transaction of its own, in no run. @throws Refusal `run-active`; Failure when the database refuses; the folder is then as it was */
export async function validateFolder(
  database: Database,
  folder: Folder,
  sources: ValidationSources,
  options: ValidationOptions,
): Promise<Validated> {
  const context = { ...options, run: '', differences: false, step: () => undefined, stopPoint: () => undefined };
  return database.transaction(async (session) => {
    await session.script(`set local lock_timeout = ${Math.round(options.lockTimeoutMs)}`);
    await enterFolders(session, [folder.code]);
    return validateInto(session, database, folder, sources, context);
  });
}
