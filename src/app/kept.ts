// The verbs about what was put aside (R27): list, show, put back, remove for good.
import { Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Database, Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { openEnvironment } from '../environment/environment.ts';
import type { KeptEntry, KeptRow, StoredEntry } from '../environment/kept.ts';
import { entryOf, readKeptRows, readStored } from '../environment/kept.ts';
import { purgeEntries } from '../integrate/purge.ts';
import { restoreEntries } from '../integrate/restore.ts';

export interface KeptOptions {
  readonly folder?: string;
  /** Physical or dictionary name. */
  readonly table?: string;
}

export interface KeptRows {
  readonly entry: KeptEntry;
  /** The first ones by number. */
  readonly rows: readonly KeptRow[];
}

export interface RestoreOptions {
  /** What stands there now may go; it is put aside. */
  readonly overwrite?: boolean;
  /** Do all of it, then roll back. */
  readonly rehearse?: boolean;
}

export interface RestoreOutcome {
  readonly mode: 'restore' | 'rehearse';
  readonly state: 'done' | 'refused';
  readonly findings: readonly Finding[];
  /** Empty when refused: all of it or nothing. */
  readonly restored: readonly {
    readonly id: number;
    readonly folder: string;
    readonly table: string;
    /** Rows that were changed or came back. */
    readonly rows: number;
    /** Columns that were added again. */
    readonly columns: readonly string[];
  }[];
}

export type PurgeOptions = { readonly ids: readonly number[] } | { readonly folder: string; readonly before: string };

/** The latest first. */
export async function listKept(database: Database, options: KeptOptions): Promise<readonly KeptEntry[]> {
  await openEnvironment(database);
  return (await readStored(database, options)).map(entryOf);
}

/** @throws Refusal `kept-unknown` */
export async function showKept(database: Database, id: number, limit: number): Promise<KeptRows> {
  await openEnvironment(database);
  const [entry] = await known(database, [id]);
  if (entry === undefined) throw new Refusal('kept-unknown', { ids: [String(id)] });
  return { entry: entryOf(entry), rows: await readKeptRows(database, entry, limit) };
}

/** All of the entries or none, in one transaction. @throws Refusal `kept-unknown`, `folder-not-ready` */
export async function restoreKept(
  database: Database,
  operator: string,
  lockTimeoutMs: number,
  ids: readonly number[],
  options: RestoreOptions,
): Promise<RestoreOutcome> {
  await openEnvironment(database);
  const mode = options.rehearse === true ? 'rehearse' : 'restore';
  return database.transaction(
    async (session) => {
      const entries = await lockEntries(session, ids, lockTimeoutMs);
      const { entries: restored, findings } = await restoreEntries(session, entries, operator, options.overwrite ?? false);
      const byId = new Map(entries.map((entry) => [entry.id, entry]));
      return {
        mode,
        state: restored.length === entries.length ? 'done' : 'refused',
        findings,
        restored: restored.map((each) => ({
          id: each.id,
          folder: byId.get(each.id)?.folder ?? '',
          table: byId.get(each.id)?.table ?? '',
          rows: each.rows,
          columns: each.columns,
        })),
      };
    },
    mode === 'rehearse' ? 'rollback' : 'commit',
  );
}

/** For good. @returns what was removed. @throws Refusal `kept-unknown`, `folder-not-ready` */
export async function purgeKept(database: Database, lockTimeoutMs: number, options: PurgeOptions): Promise<readonly KeptEntry[]> {
  await openEnvironment(database);
  return database.transaction(async (session) => {
    const ids = 'ids' in options ? options.ids : (await readStored(session, options)).map((entry) => entry.id);
    const entries = await lockEntries(session, ids, lockTimeoutMs);
    await purgeEntries(session, entries);
    return entries.map(entryOf);
  });
}

async function known(reader: Pick<Session, 'query'>, ids: readonly number[]): Promise<readonly StoredEntry[]> {
  const entries = await readStored(reader, { ids });
  const unknown = ids.filter((id) => !entries.some((entry) => entry.id === id));
  if (unknown.length > 0) throw new Refusal('kept-unknown', { ids: unknown.map(String) });
  return entries;
}

/** Nothing is integrated into the folders of these entries until the end. */
async function lockEntries(session: Session, ids: readonly number[], lockTimeoutMs: number): Promise<readonly StoredEntry[]> {
  await session.script(`set local lock_timeout = ${Math.round(lockTimeoutMs)}`);
  await session.query(sql`
    select from rustine.folder where id in (select folder from rustine.kept where id = any(${ids}::bigint[])) order by id for update`);
  const entries = await known(session, ids);
  const busy = entries.find((entry) => entry.folderState !== 'ready');
  if (busy !== undefined) throw new Refusal('folder-not-ready', { folder: busy.folder, state: busy.folderState });
  return entries;
}
