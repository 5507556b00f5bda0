// What folders got of a run before they were postponed, given back or lost: read from their own rows, which stand whatever became of the worker.
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { PatchOutcome } from './outcome.ts';

export interface FolderProgress {
  readonly folder: string;
  /** As they were written, in the order of integration. */
  readonly got: readonly PatchOutcome[];
  /** Whether it must be validated by now. */
  readonly due: boolean;
  /** Scripts of these patches that still wait to be run outside of the database. */
  readonly waiting: readonly WaitingScript[];
}

export interface WaitingScript {
  readonly script: string;
  readonly language: string;
  /** Patch that brought it. */
  readonly file: string;
}

type Reader = Pick<Session, 'query'>;

export async function readProgress(
  reader: Reader,
  run: string,
  folders: readonly string[],
): Promise<ReadonlyMap<string, FolderProgress>> {
  if (folders.length === 0) return new Map();
  const rows = await reader.query<FolderProgress>(sql`
    select g.code as folder, g.due <> '{}' as due,
      (select coalesce(jsonb_agg(i.outcome order by i.id), '[]') from rustine.integration i where i.folder = g.id and i.run = ${run}) as got,
      (select coalesce(jsonb_agg(jsonb_build_object('script', p.script, 'language', p.language, 'file', i.file) order by i.id, p.script), '[]')
        from rustine.pending_script p join rustine.integration i on i.id = p.integration where p.folder = g.id and i.run = ${run}) as waiting
    from rustine.folder g where g.code = any(${folders}::text[])`);
  return new Map(rows.map((row) => [row.folder, row]));
}

/** Scripts of a folder of which the run's trace has a finding: that they wait, or why they failed. */
export async function readToldScripts(reader: Reader, run: string, folder: string): Promise<ReadonlySet<string>> {
  const rows = await reader.query<{ subject: string }>(sql`
    select distinct event #>> '{finding,subject}' as subject from rustine.event
    where run = ${run} and event ->> 'kind' = 'finding' and event #>> '{finding,folder}' = ${folder} and starts_with(event #>> '{finding,subject}', 'EXE:')`);
  return new Set(rows.map(({ subject }) => subject.slice('EXE:'.length)));
}
