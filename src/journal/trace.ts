// Reads runs and their traces back: which run is meant, what was asked of it, its events page by page, also while it is still at work.
import { setTimeout as pause } from 'node:timers/promises';
import { Refusal } from '../base/errors.ts';
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { JournalEntry, RunEvent } from './journal.ts';
import type { RunMode } from './outcome.ts';
import { Seen } from './seen.ts';
import { NUMBERS_OF_A_WORKER } from './shared-runs.ts';

type Reader = Pick<Session, 'query'>;

/** A run as the catalog has it; times are ISO 8601 in UTC. */
export interface RunRecord {
  readonly run: string;
  readonly mode: RunMode;
  /** Also `running` and `interrupted`. */
  readonly state: string;
  readonly operator: string;
  readonly host: string;
  readonly from: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly files: readonly string[];
  readonly authorized: readonly string[];
  /** Check → reason. */
  readonly forced: Readonly<Record<string, string>>;
  /** Who asked it to stop, from elsewhere, and why. */
  readonly cancelRequestedBy: string | null;
  readonly cancelReason: string | null;
  /** Number of folders. */
  readonly folders: number;
}

export interface TraceOptions {
  /** Only what is about this folder, or about the whole run. */
  readonly folder?: string;
  /** Goes on until the run has ended. */
  readonly follow?: boolean;
  /** Called now and then while one follows: a run whose program died must not be followed for ever. */
  readonly settle?: () => Promise<unknown>;
}

/** Entries read at a time: an event may hold the output of a program, so not too many. */
const PAGE = 500;
const FOLLOW_MS = 500;
/** Looks between two times that dead runs are settled. */
const SETTLE_EVERY = 10;
/** So many are named where a beginning fits several runs. */
const MOST_NAMED = 8;

interface RunRow extends Omit<RunRecord, 'folders'> {
  readonly folders: number | null;
}

/** The latest first. @param among numbers of runs; null: all */
async function readRecords(reader: Reader, among: readonly string[] | null, limit: number): Promise<readonly RunRecord[]> {
  const rows = await reader.query<RunRow>(sql`
    select r.id as run, r.mode, r.state, r.operator, r.host, r.from_folder as "from",
      to_char(r.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "startedAt",
      to_char(r.finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "finishedAt",
      r.files, r.authorized, r.forced,
      case when r.cancel_requested_at is not null then coalesce(r.cancel_requested_by, '') end as "cancelRequestedBy", r.cancel_reason as "cancelReason",
      greatest((select jsonb_array_length(e.event->'folders') from rustine.event e
        where e.run = r.id and e.event->>'kind' = 'run-started' order by e.seq limit 1),
        (select count(*)::integer from rustine.run_folder f where f.run = r.id)) as folders
    from rustine.run r where ${among}::text[] is null or r.id = any(${among}::text[])
    order by r.started_at desc, r.id limit ${limit}`);
  return rows.map((row) => ({ ...row, folders: row.folders ?? 0 }));
}

/** The latest first. */
export function readRuns(reader: Reader, limit: number): Promise<readonly RunRecord[]> {
  return readRecords(reader, null, limit);
}

/**
 * The run that is meant: `last`, its number, or a beginning of that which no other run has.
 * @throws Refusal `run-unknown`, `run-ambiguous`
 */
export async function findRun(reader: Reader, meant: string): Promise<RunRecord> {
  const [found] = meant === 'last' ? await readRuns(reader, 1) : await readRecords(reader, [await numberOf(reader, meant)], 1);
  if (found === undefined) throw new Refusal('run-unknown', { run: meant });
  return found;
}

async function numberOf(reader: Reader, meant: string): Promise<string> {
  const rows = await reader.query<{ id: string }>(
    sql`select id from rustine.run where starts_with(id, ${meant}) order by length(id), id limit ${MOST_NAMED}`,
  );
  const ids = rows.map(({ id }) => id);
  const exact = ids.find((id) => id === meant);
  if (exact === undefined && ids.length > 1 && meant !== '') throw new Refusal('run-ambiguous', { run: meant, runs: ids });
  const number = meant === '' ? undefined : (exact ?? ids[0]);
  if (number === undefined) throw new Refusal('run-unknown', { run: meant });
  return number;
}

/** The entries in the order of their numbers; those that come while one follows, as they come. */
export async function* readEntries(
  reader: Reader,
  run: string,
  { folder, follow = false, settle = async () => undefined }: TraceOptions,
): AsyncGenerator<readonly JournalEntry[]> {
  const seen = new Seen();
  for (let looks = 1; ; looks++) {
    // Asked before the entries: what a run wrote before its end is read after it.
    const ended = !follow || (await hasEnded(reader, run));
    for (;;) {
      const { numbers, entries } = await readPage(reader, run, folder, seen);
      if (entries.length > 0) yield entries;
      if (numbers.length === 0) break;
      for (const number of numbers) seen.add(number);
    }
    if (ended) return;
    if (looks % SETTLE_EVERY === 0) await settle();
    await pause(FOLLOW_MS);
  }
}

interface Page {
  readonly numbers: readonly number[];
  /** Those that are wanted. */
  readonly entries: readonly JournalEntry[];
}

async function readPage(reader: Reader, run: string, folder: string | undefined, seen: Seen): Promise<Page> {
  const rows = await reader.query<{ seq: number; at: string; event: RunEvent | null }>(sql`
    select seq, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at,
      case when coalesce(coalesce(event->>'folder', event->'finding'->>'folder') = ${folder ?? null}, true) then event end as event
    from rustine.event where run = ${run} and not seq <@ ${seen.ranges()}::int4multirange order by case when seq > ${NUMBERS_OF_A_WORKER} then at end, seq limit ${PAGE}`);
  return {
    numbers: rows.map(({ seq }) => seq),
    entries: rows.flatMap(({ seq, at, event }) => (event === null ? [] : [{ ...event, seq, at }])),
  };
}

async function hasEnded(reader: Reader, run: string): Promise<boolean> {
  const [open] = await reader.query(sql`select id from rustine.run where id = ${run} and finished_at is null`);
  return open === undefined;
}

/** @throws Refusal `folder-not-in-run` */
export async function checkFolder(reader: Reader, run: string, folder: string): Promise<void> {
  // Its rows are there from its beginning, in the queue too; its first event also names folders of other servers.
  const rows = await reader.query<{ code: string }>(sql`
    select folder as code from rustine.run_folder where run = ${run}
    union select jsonb_array_elements_text(event->'folders') from rustine.event where run = ${run} and event->>'kind' = 'run-started' order by code`);
  const folders = rows.map(({ code }) => code);
  if (!folders.includes(folder)) throw new Refusal('folder-not-in-run', { folder, run, folders });
}
