// The table of tasks: what the batch server has to do, does and did in each folder, and which folders runs hold.
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { StoredRunState } from './run-views.ts';

export const TASK_KINDS = ['patch', 'validation', 'accounting', 'other'] as const;
export type TaskKind = (typeof TASK_KINDS)[number];
export type TaskState = 'queued' | 'active' | 'done' | 'failed' | 'cancelled';

export interface Task {
  readonly id: number;
  /** Its number in the queue. */
  readonly job: string;
  readonly kind: TaskKind;
  readonly folder: string;
  readonly title: string;
  /** Name of the program that carries it out; empty for patches and validations. */
  readonly program: string;
  /** Of a patch task: its run. */
  readonly run: string | null;
  /** What that run came to, or how far it is. */
  readonly runState: StoredRunState | null;
  readonly state: TaskState;
  /** Worker that has it, or had it last, and its machine. */
  readonly worker: string | null;
  readonly host: string | null;
  readonly attempts: number;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly cancelRequested: boolean;
  readonly exit: number | null;
  /** Why it failed: `exit`, `signal`, `timeout`, `not-started`, `no-program`, `worker-lost`, or the code of an error. */
  readonly reason: string;
  /** The last of what it printed. */
  readonly output: string;
}

type Reader = Pick<Session, 'query'>;

export interface TaskFilter {
  readonly id?: number;
  readonly job?: string;
  readonly states?: readonly TaskState[];
  readonly folders?: readonly string[];
  readonly kinds?: readonly TaskKind[];
  /** The latest ones. */
  readonly limit?: number;
}

/** The latest first. */
export async function readTasks(reader: Reader, filter: TaskFilter = {}): Promise<readonly Task[]> {
  const { id = null, job = null, states = null, folders = null, kinds = null, limit = null } = filter;
  const rows = await reader.query<Omit<Task, 'id'> & { readonly id: string }>(sql`
    select t.id::text as id, t.job::text as job, t.kind, t.folder, t.title, t.program, t.run, (select r.state from rustine.run r where r.id = t.run) as "runState", t.state, t.process as worker, t.host, t.attempts,
      to_char(t.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "createdAt", t.created_by as "createdBy",
      to_char(t.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "startedAt",
      to_char(t.finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "finishedAt",
      t.cancel_requested_at is not null as "cancelRequested", t.exit, t.reason, t.output
    from rustine.task t
    where (${id}::bigint is null or t.id = ${id}) and (${job}::uuid is null or t.job = ${job}) and (${states}::text[] is null or t.state = any(${states}))
      and (${folders}::text[] is null or t.folder = any(${folders})) and (${kinds}::text[] is null or t.kind = any(${kinds}))
    order by t.id desc limit ${limit}::bigint`);
  return rows.map((row) => ({ ...row, id: Number(row.id) }));
}

/** Folders in which no task of the kind may start now: a run holds them, or a validation wants the folder for itself (R12, R35). */
export async function heldFolders(session: Session, kind: TaskKind): Promise<readonly string[]> {
  const rows = await session.query<{ folder: string }>(sql`
    select f.folder from rustine.run r cross join lateral (select folder from rustine.run_folder where run = r.id union select unnest(r.elsewhere)) f
    where r.state in ('running', 'waiting') or (r.state = 'queued' and exists (select from rustine.task t where t.run = r.id and t.state = 'active'))
    union
    select folder from rustine.task where state = 'active' and kind <> 'patch' and (kind = 'validation' or ${kind} = 'validation')`);
  return rows.map(({ folder }) => folder);
}

export interface NewTask {
  readonly kind: TaskKind;
  readonly folder: string;
  readonly title: string;
  readonly program: string;
  readonly run: string | null;
  readonly by: string;
}

export async function insertTask(session: Session, task: NewTask): Promise<{ readonly id: number; readonly job: string }> {
  const [row] = await session.query<{ id: string; job: string }>(sql`
    insert into rustine.task (kind, folder, title, program, run, created_by)
    values (${task.kind}, ${task.folder}, ${task.title}, ${task.program}, ${task.run}, ${task.by}) returning id::text as id, job::text as job`);
  return { id: Number(row?.id), job: row?.job ?? '' };
}

/** @returns false where it is not queued any more */
export async function beginTask(session: Session, job: string, worker: string): Promise<boolean> {
  const rows = await session.query(sql`
    update rustine.task set state = 'active', process = ${worker}, host = (select host from rustine.process where id = ${worker}), attempts = attempts + 1, started_at = clock_timestamp(), finished_at = null
    where job = ${job}::uuid and state = 'queued' returning id`);
  return rows.length === 1;
}

export interface TaskEnd {
  readonly state: 'done' | 'failed' | 'cancelled';
  readonly exit: number | null;
  readonly reason: string;
  readonly output: string;
}

/** @param worker whose it must still be; null: whoever's @returns false where somebody else has settled it */
export async function endTask(session: Session, id: number, worker: string | null, end: TaskEnd): Promise<boolean> {
  const rows = await session.query(sql`
    update rustine.task set state = ${end.state}, finished_at = clock_timestamp(), exit = ${end.exit}, reason = ${end.reason}, output = ${end.output.toWellFormed()}
    where id = ${id} and (state = 'active' and process = ${worker}::text or ${worker}::text is null and state in ('queued', 'active')) returning id`);
  return rows.length === 1;
}

/** Back to the queue, as if nobody had taken it. @returns false where it is not this worker's any more */
export async function returnTask(session: Session, id: number, worker: string): Promise<boolean> {
  const rows = await session.query(sql`
    update rustine.task set state = 'queued', started_at = null, attempts = attempts - 1 where id = ${id} and state = 'active' and process = ${worker} returning id`);
  return rows.length === 1;
}

/** Back to the queue because its worker was lost: that counts. @returns false where it is not that worker's any more */
export async function loseTask(session: Session, id: number, worker: string): Promise<boolean> {
  const rows = await session.query(sql`
    update rustine.task set state = 'queued', started_at = null where id = ${id} and state = 'active' and process = ${worker} returning id`);
  return rows.length === 1;
}

export async function requestCancel(reader: Reader, id: number): Promise<void> {
  await reader.query(sql`
    update rustine.task set cancel_requested_at = coalesce(cancel_requested_at, now()) where id = ${id} and state = 'active'`);
}

/** Active tasks of workers whose lease is gone. */
export async function orphanedTasks(session: Session): Promise<readonly Task[]> {
  const rows = await session.query<{ id: string }>(sql`
    select t.id::text as id from rustine.task t
    where t.state = 'active' and not exists (select from rustine.process p where p.id = t.process)
    for update of t skip locked`);
  const found = new Set(rows.map(({ id }) => Number(id)));
  return found.size === 0 ? [] : (await readTasks(session, { states: ['active'] })).filter(({ id }) => found.has(id));
}
