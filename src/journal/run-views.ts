// Runs as people and programs see them, from the same rows that those who work on them write.
import { Refusal } from '../base/errors.ts';
import { sql } from '../database/sql.ts';
import type { Reader } from '../environment/catalog.ts';
import type { Blocker } from '../environment/sessions.ts';
import type { FolderOutcome, RunMode, RunState } from './outcome.ts';
import type { RunFolderState } from './run-folders.ts';
import { findRun } from './trace.ts';

/** `waiting`: of a command, for others that have folders of it · `interrupted`: its program died. */
export type StoredRunState = RunState | 'queued' | 'waiting' | 'running' | 'interrupted';

export interface RunView {
  readonly run: string;
  readonly mode: RunMode;
  readonly state: StoredRunState;
  readonly operator: string;
  readonly host: string;
  /** ISO 8601, as all times here. */
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly files: readonly string[];
  /** Folders by state; states of none are left out. */
  readonly counts: Partial<Readonly<Record<RunFolderState, number>>>;
  readonly cancelRequestedBy: string | null;
  readonly cancelReason: string | null;
}

export interface RunFolderView {
  readonly folder: string;
  readonly wave: number;
  readonly state: RunFolderState;
  readonly attempts: number;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** Of a folder that is postponed: when it is tried again. */
  readonly notBefore: string | null;
  /** Who held the lock that it met last. */
  readonly blocker: Blocker | null;
  readonly outcome: FolderOutcome | null;
}

/** Runs that have not ended, the first one first; with them the last run of all where its program died. */
export async function readOpenRuns(reader: Reader): Promise<readonly RunView[]> {
  const ids = await reader.query<{ id: string }>(sql`
    select id from rustine.run where state in ('queued', 'waiting', 'running')
      or state = 'interrupted' and id = (select id from rustine.run order by started_at desc, id limit 1) order by started_at`);
  return readViews(
    reader,
    ids.map(({ id }) => id),
  );
}

/** @param meant as `findRun` of the trace. @throws Refusal `run-unknown`, `run-ambiguous` */
export async function readRun(reader: Reader, meant: string): Promise<RunView> {
  const { run } = await findRun(reader, meant);
  const [view] = await readViews(reader, [run]);
  if (view === undefined) throw new Refusal('run-unknown', { run: meant });
  return view;
}

export async function readRunFolders(reader: Reader, run: string): Promise<readonly RunFolderView[]> {
  return reader.query<RunFolderView>(sql`
    select folder, wave, state, attempts, to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "startedAt", to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "finishedAt",
      to_char(not_before at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "notBefore", blocker, outcome
    from rustine.run_folder where run = ${run} order by wave, folder`);
}

/** Folders of a run that are on further servers, as its trace tells of them. */
export async function readFarFolders(reader: Reader, run: string): Promise<readonly RunFolderView[]> {
  return reader.query<RunFolderView>(sql`
    select f.code as folder, (select coalesce(max(wave), 0) from rustine.run_folder where run = r.id) as wave, 0 as attempts, null as "startedAt", null as "notBefore", null as blocker, null as outcome,
      coalesce(e.event ->> 'state', case when r.state in ('queued', 'waiting', 'running') then 'waiting' when r.state = 'cancelled' then 'cancelled' else 'skipped' end) as state,
      to_char(coalesce(e.at, r.finished_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "finishedAt"
    from rustine.run r cross join unnest(r.elsewhere) f (code)
    left join lateral (
      select event, at from rustine.event where run = r.id and event ->> 'kind' = 'folder-finished' and event ->> 'folder' = f.code
      order by seq desc limit 1) e on true
    where r.id = ${run} order by f.code`);
}

async function readViews(reader: Reader, ids: readonly string[]): Promise<readonly RunView[]> {
  if (ids.length === 0) return [];
  return reader.query<RunView>(sql`
    select r.id as run, r.mode, r.state, r.operator, r.host, to_char(r.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "startedAt", to_char(r.finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "finishedAt", r.files,
      (select coalesce(json_object_agg(c.state, c.count), '{}') from (select f.state, count(*) from rustine.run_folder f where f.run = r.id group by f.state) c) as counts,
      case when r.cancel_requested_at is not null then r.cancel_requested_by end as "cancelRequestedBy", r.cancel_reason as "cancelReason"
    from rustine.run r where r.id = any(${ids}::text[]) order by r.started_at`);
}
