// The verbs about what was put aside (R27): list, show, put back, remove for good.
import { Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Database, Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { notReady } from '../environment/folder-state.ts';
import type { KeptEntry, KeptRow, StoredEntry } from '../environment/kept.ts';
import { entryOf, readKeptRows, readStored } from '../environment/kept.ts';
import {
  type ForgottenPatch,
  forgetPatches,
  lockForPurge,
  type RememberedPatches,
  readRememberedPatches,
} from '../environment/remembered-patches.ts';
import { purgeEntries } from '../integrate/purge.ts';
import { restoreEntries } from '../integrate/restore.ts';
import { changeInFolder, type FolderTransaction } from './folder-transaction.ts';
import { openSettled } from './opened-environment.ts';

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
  /** How long a statement waits for somebody else's lock, in milliseconds; absent: 15 seconds. */
  readonly lockTimeoutMs?: number;
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
    /** Every value found a place; else the rest stays aside. */
    readonly whole: boolean;
  }[];
}

/** What was removed for good. */
export interface Purged {
  readonly purged: readonly KeptEntry[];
  /** Patches that cannot be taken back any more: what they remembered for that is gone. */
  readonly forgotten: readonly ForgottenPatch[];
}

export type PurgeOptions = { readonly ids: readonly number[] } | { readonly folder: string; readonly before: string };

/** The latest first. */
export async function listKept(database: Database, options: KeptOptions): Promise<readonly KeptEntry[]> {
  await openSettled(database);
  return (await readStored(database, options)).map(entryOf);
}

/** Of each folder, what its patches remember so that they can be taken back. */
export async function listRemembered(database: Database, folder?: string): Promise<readonly RememberedPatches[]> {
  await openSettled(database);
  return readRememberedPatches(database, folder);
}

/** @throws Refusal `kept-unknown` */
export async function showKept(database: Database, id: number, limit: number): Promise<KeptRows> {
  await openSettled(database);
  const [entry] = await known(database, [id]);
  if (entry === undefined) throw new Refusal('kept-unknown', { ids: [String(id)] });
  return { entry: entryOf(entry), rows: await readKeptRows(database, entry, limit) };
}

/** All of the entries or none, in one transaction. @throws Refusal `kept-unknown`, `folder-not-ready`; Failure `lock-timeout` */
export async function restoreKept(
  database: Database,
  operator: string,
  ids: readonly number[],
  options: RestoreOptions,
): Promise<RestoreOutcome> {
  await openSettled(database);
  const mode = options.rehearse === true ? 'rehearse' : 'restore';
  const work = async (session: Session): Promise<RestoreOutcome> => {
    const entries = await lockEntries(session, ids);
    const { entries: restored, findings } = await restoreEntries(session, entries, operator, options.overwrite ?? false);
    const byId = new Map(entries.map((entry) => [entry.id, entry]));
    return {
      mode,
      state: restored.length === entries.length ? 'done' : 'refused',
      findings,
      restored: restored.map(({ id, rows, columns, whole }) => {
        const { folder = '', table = '' } = byId.get(id) ?? {};
        return { id, folder, table, rows, columns, whole };
      }),
    };
  };
  return inFolders(database, await known(database, ids), work, {
    ending: mode === 'rehearse' ? 'rollback' : 'commit',
    ...(options.lockTimeoutMs === undefined ? {} : { lockTimeoutMs: options.lockTimeoutMs }),
  });
}

/** For good; of a folder also what its patches of that time remember. @throws Refusal `kept-unknown`, `kept-in-use`, `folder-not-ready`; Failure `lock-timeout` */
export async function purgeKept(database: Database, operator: string, options: PurgeOptions): Promise<Purged> {
  await openSettled(database);
  const found = 'ids' in options ? await known(database, options.ids) : await readStored(database, options);
  const work = async (session: Session): Promise<Purged> => {
    const entries = await lockEntries(
      session,
      found.map((entry) => entry.id),
    );
    await purgeEntries(session, entries);
    const purged = entries.map(entryOf);
    if ('ids' in options) return { purged, forgotten: [] };
    const state = await lockForPurge(session, options.folder);
    if (state !== 'ready') throw notReady(options.folder, state ?? 'dropping');
    return { purged, forgotten: await forgetPatches(session, options.folder, options.before, operator) };
  };
  return 'ids' in options ? inFolders(database, found, work) : changeInFolder(database, options.folder, work);
}

/** Of several folders the first stands for all where a lock has to be waited for. */
function inFolders<Result>(
  database: Database,
  entries: readonly StoredEntry[],
  work: (session: Session) => Promise<Result>,
  options: FolderTransaction = {},
): Promise<Result> {
  return changeInFolder(database, entries[0]?.folder ?? '', work, { ...options, also: entries.map(({ folder }) => folder) });
}

async function known(reader: Pick<Session, 'query'>, ids: readonly number[]): Promise<readonly StoredEntry[]> {
  const entries = await readStored(reader, { ids });
  const unknown = ids.filter((id) => !entries.some((entry) => entry.id === id));
  if (unknown.length > 0) throw new Refusal('kept-unknown', { ids: unknown.map(String) });
  return entries;
}

/** Nothing is integrated into the folders of these entries until the end. */
async function lockEntries(session: Session, ids: readonly number[]): Promise<readonly StoredEntry[]> {
  await session.query(sql`
    select from rustine.folder where id in (select folder from rustine.kept where id = any(${ids}::bigint[]))
    order by parent is null, id desc for update`);
  const entries = await known(session, ids);
  const busy = entries.find((entry) => entry.folderState !== 'ready');
  if (busy !== undefined) throw notReady(busy.folder, busy.folderState);
  return entries;
}
