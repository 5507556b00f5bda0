// The verbs about runs that were made: the latest ones, and the trace of one (R33).
import { folderCode } from '../base/ids.ts';
import { recoverIfNeeded } from '../batch/recovery.ts';
import type { Database } from '../database/database.ts';
import type { JournalEntry } from '../journal/journal.ts';
import { checkFolder, findRun, type RunRecord, readEntries, readRuns, type TraceOptions } from '../journal/trace.ts';
import { openSettled } from './opened-environment.ts';

export interface Trace {
  readonly run: RunRecord;
  /** Page by page, so that a long trace takes little memory. */
  readonly pages: AsyncIterable<readonly JournalEntry[]>;
}

/** The latest first. */
export async function latestRuns(database: Database, limit: number): Promise<readonly RunRecord[]> {
  await openSettled(database);
  return readRuns(database, limit);
}

/** @param run its number, a beginning of that, or `last`. @throws Refusal `run-unknown`, `run-ambiguous`, `folder-not-in-run` */
export async function openTrace(database: Database, run: string, options: TraceOptions): Promise<Trace> {
  await openSettled(database);
  const record = await findRun(database, run);
  const folder = options.folder === undefined ? {} : { folder: folderCode(options.folder) };
  if (folder.folder !== undefined) await checkFolder(database, record.run, folder.folder);
  return {
    run: record,
    pages: readEntries(database, record.run, { ...options, ...folder, settle: () => recoverIfNeeded(database) }),
  };
}

/** All entries at once. @throws as `openTrace` */
export async function readLog(database: Database, run: string, options: TraceOptions): Promise<readonly JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for await (const page of (await openTrace(database, run, options)).pages) entries.push(...page);
  return entries;
}
