// What each folder's part of a run comes to, as rows that anybody can watch, with what happened meanwhile: many changes in one statement.

import { setImmediate } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Blocker } from '../environment/sessions.ts';
import type { FolderEnd } from './outcome.ts';
import { eventJson, type NotedEvent } from './runs.ts';

/** `interrupted`: was at work when its program died. */
export type RunFolderState =
  | 'waiting'
  | 'running'
  | 'postponed'
  | 'prepared'
  | 'integrated'
  | 'validated'
  | 'reverted'
  | 'unchanged'
  | 'failed'
  | 'skipped'
  | 'cancelled'
  | 'interrupted';

export interface FolderChange {
  readonly folder: string;
  readonly state: RunFolderState;
  /** How often it was begun. */
  readonly attempts?: number;
  /** Of a folder that is postponed: when it is tried again, in milliseconds from now. */
  readonly pauseMs?: number;
  /** How long it has waited for locks so far, where several workers take it in turn. */
  readonly waitedMs?: number;
  /** Stays while the folder is tried again. */
  readonly blocker?: Blocker | null;
  readonly outcome?: FolderEnd;
}

export interface FolderStates {
  /** Written soon; what changes while a statement is under way goes together with the next one. */
  set(change: FolderChange): void;
  /** Events are written soon, also where no folder's state changes. */
  tell(): void;
  /** @throws what the last statement failed of */
  written(): Promise<void>;
}

/**
 * @param process lease of who works on the folders
 * @param noted events that nobody has written yet: they go along, so that who follows the run sees them
 * @param epoch as `serverEpoch` gives it
 */
export function folderStates(database: Database, run: string, process: string, noted: NotedEvent[], epoch: number): FolderStates {
  let changes = new Map<string, FolderChange>();
  let writing: Promise<void> | undefined;
  let telling: NodeJS.Timeout | undefined;
  const write = async (): Promise<void> => {
    do {
      const now = changes;
      changes = new Map();
      const events = noted.splice(0);
      try {
        await writeStates(database, run, process, [...now.values()], events, epoch);
      } catch (error) {
        noted.unshift(...events);
        // Tried again with the next change: what came meanwhile is newer.
        changes = new Map([...now, ...changes]);
        throw error;
      }
    } while (changes.size > 0);
  };
  const start = (): Promise<void> => {
    // Not at once: a folder that ends and the next one that begins are one statement.
    writing ??= setImmediate()
      .then(write)
      .finally(() => (writing = undefined));
    return writing;
  };
  return {
    set: (change) => {
      changes.set(change.folder, { ...changes.get(change.folder), ...change });
      start().catch(() => undefined);
    },
    tell: () => {
      if (telling !== undefined) return;
      telling = setTimeout(() => {
        telling = undefined;
        if (noted.length > 0) start().catch(() => undefined);
      }, TELL_MS).unref();
    },
    written: async () => {
      await writing?.catch(() => undefined);
      if (changes.size > 0) await start();
    },
  };
}

/** So long events wait for others to be written with. */
const TELL_MS = 300;

/** Events may be there already: a connection that was lost does not tell whether its last statement was carried out. */
async function writeStates(
  database: Database,
  run: string,
  process: string,
  changes: readonly FolderChange[],
  events: readonly NotedEvent[],
  epoch: number,
): Promise<void> {
  const json = (value: unknown): string | null => (value === undefined || value === null ? null : JSON.stringify(value));
  await database.query(sql`
    with told as (
      insert into rustine.event (run, seq, event, at)
      select ${run}, e.seq, e.event, to_timestamp(e.ms / 1000)
      from unnest(${events.map((e) => e.seq)}::integer[], ${events.map((e) => eventJson(e.event))}::jsonb[], ${events.map((e) => epoch + e.at)}::float8[]) as e (seq, event, ms)
      on conflict (run, seq) do nothing)
    update rustine.run_folder f set state = c.state, process = case c.state when 'running' then ${process} end,
      attempts = coalesce(c.attempts, f.attempts), not_before = clock_timestamp() + c.pause * interval '1 millisecond',
      blocker = case c.state when 'running' then coalesce(c.blocker, f.blocker) else c.blocker end, outcome = coalesce(c.outcome, f.outcome),
      started_at = case when coalesce(c.attempts, f.attempts) > 0 then coalesce(f.started_at, clock_timestamp()) end,
      finished_at = case when c.state not in ('waiting', 'running', 'postponed', 'prepared') then clock_timestamp() end
    from unnest(${changes.map((each) => each.folder)}::text[], ${changes.map((each) => each.state)}::text[],
      ${changes.map((each) => each.attempts ?? null)}::integer[], ${changes.map((each) => each.pauseMs ?? null)}::float8[],
      ${changes.map((each) => json(each.blocker))}::jsonb[], ${changes.map((each) => json(each.outcome))}::jsonb[])
      as c (folder, state, attempts, pause, blocker, outcome)
    where f.run = ${run} and f.folder = c.folder and exists (select from rustine.run where id = ${run} and process = ${process})`);
}
