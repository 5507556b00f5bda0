// The wiring: opens what the settings say, exposes the verbs, closes in reverse.
import { availableParallelism, userInfo } from 'node:os';
import type { Finding } from '../base/finding.ts';
import type { CancelSignals } from '../batch/cancelling.ts';
import { type Recovery, recover } from '../batch/recovery.ts';
import type { Database } from '../database/database.ts';
import { openEmbedded, pinEmbedded } from '../database/embedded.ts';
import { openPostgres } from '../database/postgres.ts';
import { readEnvironment, readFolders } from '../environment/catalog.ts';
import type { ListedElement } from '../environment/elements.ts';
import { openEnvironment } from '../environment/environment.ts';
import type { FolderLock } from '../environment/folder-lock.ts';
import type { KeptEntry } from '../environment/kept.ts';
import type { LostSchema } from '../environment/lost-schemas.ts';
import { type Membership, readMembership } from '../environment/member.ts';
import type { RememberedPatches } from '../environment/remembered-patches.ts';
import { readDirectory } from '../environment/servers.ts';
import type { SettingsChange } from '../environment/settings-change.ts';
import type { FieldsSet } from '../integrate/set-fields.ts';
import type { JournalEntry, RunListener } from '../journal/journal.ts';
import type { RunMode, RunOutcome } from '../journal/outcome.ts';
import type { RunRecord, TraceOptions } from '../journal/trace.ts';
import { dropFolder } from '../validate/removal.ts';
import type { VerifiedFolder } from '../verify/verified-folders.ts';
import { acrossServers } from './across-servers.ts';
import type { CheckOptions, CheckOutcome } from './checks.ts';
import { check, readOnlyRefusal } from './checks.ts';
import type { Settings } from './config.ts';
import type { ComparedElement, SetOptions, ShownElement } from './elements.ts';
import { compareElement, listElements, setElement, showElement } from './elements.ts';
import { folderUrl, forgetPassword } from './folder-password.ts';
import type { ChangedFolder } from './folder-settings.ts';
import { changeFolder, unlockFolder } from './folder-settings.ts';
import { folderViews, oneView } from './folder-views.ts';
import { createFolders, initialize } from './folders.ts';
import type { History, HistoryOptions } from './history.ts';
import { integrateInto } from './integration.ts';
import { CONNECTIONS, jobsAtOnce } from './jobs.ts';
import type { KeptOptions, KeptRows, Purged, PurgeOptions, RestoreOptions, RestoreOutcome } from './kept.ts';
import { listKept, listRemembered, purgeKept, restoreKept, showKept } from './kept.ts';
import type { DecidedView, DecideOptions, KeptValuesOptions, KeptValueView } from './kept-values.ts';
import { decideCase, keptValues } from './kept-values.ts';
import { existingFolders, known } from './known-folders.ts';
import { openSettled } from './opened-environment.ts';
import { checkMembership, type OpenedServer } from './opened-server.ts';
import { followRun, type QueuedRun } from './queued-run.ts';
import { recoverElsewhere } from './recovery-elsewhere.ts';
import { type RevertOptions, revertFolders } from './reverts.ts';
import { type RunVerbs, runVerbs } from './runs.ts';
import { type ScriptVerbs, scriptVerbs } from './scripts.ts';
import type { ServerVerbs } from './servers.ts';
import { stopPoints } from './stop-points.ts';
import type { TaskVerbs } from './tasks.ts';
import { latestRuns, openTrace, readLog, type Trace } from './traces.ts';
import type { ValidateOptions, ValidationOutcome } from './validations.ts';
import { validateFolders } from './validations.ts';
import type { Verification, VerifyOptions } from './verification.ts';
import { verify } from './verification.ts';

export interface FolderView {
  readonly code: string;
  readonly parent: string | null;
  readonly state: string;
  /** Highest number per series and version: `{ "P_140": 12 }`. */
  readonly level: Readonly<Record<string, number>>;
  /** Standard patch files that the supervisor folder has and this one has not. */
  readonly lag: readonly string[];
  /** Of these, and of `integrateFirst`, those of which this machine knows the path: file → path. */
  readonly lagPaths?: Readonly<Record<string, string>>;
  /** Of the lag, what a validation does not bring whole: data rows and scripts to run of files that are not kept, or older than rows that are there. */
  readonly lagToIntegrate?: readonly string[];
  /** Files of other kinds that its parent has, that are not kept, and that come before the lag: they are integrated with it, in this order. */
  readonly integrateFirst?: readonly string[];
  /** Only `folder()` looks: its schema was dropped or renamed by hand. */
  readonly lostSchema?: LostSchema;
  readonly due: boolean;
  readonly languages: readonly string[];
  readonly legislations: readonly string[];
  /** Modules in use; null: all of them. */
  readonly modules: readonly number[] | null;
  /** Of a folder that a failed validation has locked: why. */
  readonly locked?: FolderLock;
  /** Why it must be validated, besides its lag: `languages`, `activity-code:ZALI`. */
  readonly reasons: readonly string[];
  /** Those set at creation; `folder()` adds those that a patch switched on. */
  readonly activityCodes: readonly string[];
  /** Code → number of slots that the folder itself sets. */
  readonly activitySizes: Readonly<Record<string, number>>;
  readonly test: boolean;
  readonly specific: boolean;
  readonly historyOf: string | null;
  readonly schema: string;
  /** Login role; null where the database user may not create roles. */
  readonly role: string | null;
  readonly tables: number;
  readonly patches: number;
  /** Name of the server that it lives on; null: the environment's own. */
  readonly server: string | null;
}

export interface InitOptions {
  readonly supervisor?: string;
  readonly languages?: readonly string[];
}

export interface FolderOptions {
  readonly parent?: string;
  readonly test?: boolean;
  readonly specific?: boolean;
  readonly historyOf?: string;
  readonly languages?: readonly string[];
  /** `KIT`, or `KIT:5` with the number of slots. */
  readonly activityCodes?: readonly string[];
  readonly legislations?: readonly string[];
  /** Modules in use; absent: all of them. */
  readonly modules?: readonly number[];
  /** Further server to live on; absent: that of the parent. */
  readonly server?: string;
}

export interface IntegrateOptions extends CancelSignals {
  readonly paths: readonly string[];
  /** Absent: all folders. */
  readonly folders?: readonly string[];
  readonly mode: RunMode;
  readonly authorize?: readonly string[];
  /** Set-up values that nobody in a folder changed follow the delivery (R37). */
  readonly takeUnchanged?: boolean;
  /** Folders that come first, with their ancestors: the others only when these got everything. */
  readonly first?: readonly string[];
  readonly onError?: 'continue' | 'stop';
  /** All folders get everything, or none gets anything. */
  readonly atomic?: boolean;
  readonly force?: readonly { readonly check: string; readonly reason: string }[];
  readonly jobs?: number;
  /** How long another run that has folders of this one, and then sessions, are waited for, in milliseconds; absent: not at all. */
  readonly waitMs?: number;
  /** How long a folder waits for somebody else's locks, all in all, in milliseconds; absent: 15 seconds. */
  readonly lockTimeoutMs?: number;
  readonly listener?: RunListener;
  /** Whether sessions of the folders' logins that are left then are ended; else they block. */
  readonly disconnect?: boolean;
}

/** The verbs over all servers of the environment. */
export interface Rustine extends Omit<OneServer, 'verify'>, ServerVerbs {
  /** The same over all servers, differences with all folders that have them. */
  verify(options: VerifyOptions): Promise<Verification>;
  /** Tasks of the batch server, and the worker. */
  readonly tasks: TaskVerbs;
  /** Who integrated, took back, validated, created or set what (R41). */
  history(options: HistoryOptions): Promise<History>;
  /** Queues the run, with its patch files: workers carry it out. */
  queue(options: IntegrateOptions): Promise<QueuedRun>;
}

/** The verbs about the folders of one database. */
export interface OneServer {
  init(options: InitOptions): Promise<{ readonly supervisor: FolderView; readonly findings: readonly Finding[] }>;
  createFolders(
    codes: readonly string[],
    options: FolderOptions,
  ): Promise<{ readonly folders: readonly FolderView[]; readonly findings: readonly Finding[] }>;
  folders(): Promise<readonly FolderView[]>;
  folder(code: string): Promise<FolderView>;
  /** Changes settings; those that are absent stay. */
  setFolder(code: string, change: SettingsChange): Promise<ChangedFolder>;
  /** Takes the lock of a failed validation away, without one; the reason is kept. @returns the folder as it is then */
  unlockFolder(code: string, reason: string): Promise<FolderView>;
  dropFolder(code: string, options?: { readonly lockTimeoutMs?: number }): Promise<void>;
  integrate(options: IntegrateOptions): Promise<RunOutcome>;
  /** Tells the events of a run as they come, and `idle` when its last worker has gone; undefined where it was left before its end. */
  follow(run: string, listener: RunListener, stop: AbortSignal, idle?: () => void): Promise<RunOutcome | undefined>;
  /** Takes the last patch of folders back. */
  revert(options: RevertOptions): Promise<RunOutcome>;
  /** The checks of `integrate` alone: nothing is locked, changed or noted. */
  check(options: CheckOptions): Promise<CheckOutcome>;
  /** Elements and own scripts of a folder (absent: the supervisor folder), of one type or of all. */
  elements(options: {
    readonly type?: string;
    readonly folder?: string;
  }): Promise<{ readonly folder: string; readonly elements: readonly ListedElement[] }>;
  /** One element, `TYPE:NAME`. */
  element(options: { readonly element: string; readonly folder?: string }): Promise<ShownElement>;
  /** What differs between two folders; `noise`: dates, users and ticks too. */
  compareElement(options: {
    readonly element: string;
    readonly against: string;
    readonly folder?: string;
    readonly noise?: boolean;
  }): Promise<ComparedElement>;
  /** Changes set-up fields as the folder's people do. */
  setElement(options: SetOptions): Promise<FieldsSet & { readonly element: string; readonly folder: string }>;
  /** Brings folders in line with their parents and their own settings, as a run. */
  validate(options: ValidateOptions): Promise<ValidationOutcome>;
  /** Compares what APATCH says with dictionary, tables and rights as they are; nothing is changed. */
  verify(options: VerifyOptions): Promise<readonly VerifiedFolder[]>;
  /** Settles what dead programs left. */
  recover(): Promise<Recovery>;
  /** Runs that were made or are at work, the latest first. */
  latestRuns(limit: number): Promise<readonly RunRecord[]>;
  /** The trace of a run: by its number, a beginning of that, or `last` (R33). */
  trace(run: string, options: TraceOptions): Promise<Trace>;
  /** All of a trace at once. */
  log(run: string, options?: TraceOptions): Promise<readonly JournalEntry[]>;
  /** What folders keep against deliveries (R37). */
  keptValues(options: KeptValuesOptions): Promise<readonly KeptValueView[]>;
  /** Decides a case, at once in every folder that has it, and for later patches. */
  decide(options: DecideOptions): Promise<DecidedView>;
  /** What was put aside (R27), the latest first. */
  kept(options: KeptOptions): Promise<readonly KeptEntry[]>;
  /** The values of one entry, and what stands there now; `limit` rows at the most. */
  keptRows(id: number, limit: number): Promise<KeptRows>;
  /** Puts entries back, all or none. */
  restoreKept(ids: readonly number[], options: RestoreOptions): Promise<RestoreOutcome>;
  /** What patches remember so that they can be taken back, by folder. */
  rememberedPatches(options: Pick<KeptOptions, 'folder'>): Promise<readonly RememberedPatches[]>;
  /** Removes entries for good; of a folder up to a day also what its patches remember: they cannot be taken back any more. */
  purgeKept(options: PurgeOptions): Promise<Purged>;
  /** Which copy is used, what hides what, what is left to run; running and exporting. */
  readonly scripts: ScriptVerbs;
  /** Which are at work, how far each folder is, stopping one. */
  readonly runs: RunVerbs;
  /** URL of the database; of a folder's own login when one is named. Keeps the embedded server running until `stopDatabase`. */
  databaseUrl(folder?: string): Promise<string>;
  close(): Promise<void>;
}

/** What the verbs share. */
export interface Opened {
  readonly settings: Settings;
  readonly database: Database;
  readonly operator: string;
  readonly jobs: number;
  /** Name of the further server that this is; null: the environment's own. */
  readonly server: string | null;
}

/**
 * Opens the database that the settings name, and further servers of its environment when a verb concerns their folders.
 * @throws Failure `database-unreachable` and the `embedded-…` ones; Refusal `database-is-server`
 */
export async function openRustine(settings: Settings): Promise<Rustine> {
  const home = await openOne(settings);
  const settled = await recoverElsewhere(home.opened);
  return acrossServers(home, (member, expected) => openOne(member, expected), settled);
}

/** @param expected what the database has to be: a server of an environment; absent: an environment */
async function openOne(settings: Settings, expected?: Membership): Promise<OpenedServer> {
  const embedded = settings.database === undefined ? await openEmbedded(settings.home) : undefined;
  const url = settings.database ?? embedded?.url ?? '';
  const jobs = jobsAtOnce(settings.jobs ?? Math.max(2, availableParallelism()));
  let database: Database;
  try {
    database = await openPostgres(url, CONNECTIONS);
  } catch (error) {
    await embedded?.release();
    throw error;
  }
  try {
    checkMembership(await readMembership(database), expected);
    await checkFrom(database, settings.from);
  } catch (error) {
    await database.close();
    await embedded?.release();
    throw error;
  }
  const opened: Opened = { settings, database, operator: userInfo().username, jobs, server: expected?.server ?? null };
  const verbs: OneServer = {
    init: (options) => initialize(opened, options),
    createFolders: (codes, options) => createFolders(opened, codes, options),
    folders: async () => {
      await openSettled(database);
      return folderViews(database);
    },
    folder: async (code) => oneView(database, code),
    setFolder: (code, change) => changeFolder(opened, code, change),
    unlockFolder: (code, reason) => unlockFolder(opened, code, reason),
    dropFolder: async (code, options) => {
      const folders = await existingFolders(database);
      const folder = known(folders, code);
      await dropFolder(database, folder, folders, options?.lockTimeoutMs);
      if (folder.role !== null) await forgetPassword(settings.home, folder.role);
    },
    integrate: (options) =>
      integrateInto(opened, options).catch((error: unknown) => {
        throw readOnlyRefusal(error);
      }),
    revert: (options) =>
      revertFolders(opened, options).catch((error: unknown) => {
        throw readOnlyRefusal(error);
      }),
    follow: (run, listener, stop, idle) => followRun(opened, run, listener, stop, idle),
    check: (options) => check(opened, options),
    elements: ({ type, folder }) => listElements(opened, type, folder),
    element: ({ element, folder }) => showElement(opened, element, folder),
    compareElement: ({ element, against, folder, noise }) => compareElement(opened, element, against, folder, noise),
    setElement: (options) => setElement(opened, options),
    validate: (options) => validateFolders(opened, options),
    verify: (options) => verify(opened, options),
    recover: async () => {
      await openEnvironment(database);
      return recover(database);
    },
    latestRuns: (limit) => latestRuns(database, limit),
    trace: (run, options) => openTrace(database, run, options),
    log: (run, options) => readLog(database, run, options ?? {}),
    keptValues: (options) => keptValues(opened, options),
    decide: (options) => decideCase(opened, options),
    kept: async (options) => listKept(database, { ...options, ...(await keptFolder(database, options.folder)) }),
    keptRows: (id, limit) => showKept(database, id, limit),
    restoreKept: (ids, how) => restoreKept(database, opened.operator, ids, how),
    purgeKept: async (options) => {
      const folder = await keptFolder(database, 'folder' in options ? options.folder : undefined);
      return purgeKept(database, opened.operator, { ...options, ...folder });
    },
    rememberedPatches: async ({ folder }) => listRemembered(database, (await keptFolder(database, folder)).folder),
    scripts: scriptVerbs(opened),
    runs: runVerbs(opened),
    databaseUrl: (folder) => databaseUrl(opened, folder),
    close: async () => {
      await database.close();
      await embedded?.release();
    },
  };
  return {
    verbs,
    opened,
    integrate: (options, part) => integrateInto(opened, options, part),
    revert: (options, part) => revertFolders(opened, options, part),
    reached: stopPoints(process.env.RUSTINE_STOP_AT),
  };
}

/** Whatever the command is: a folder that is named is one that there is. @throws Refusal `folder-unknown` */
async function checkFrom(database: Database, from: string | undefined): Promise<void> {
  if (from === undefined || (await readEnvironment(database)) === undefined) return;
  await openSettled(database);
  const folders = await readFolders(database);
  const elsewhere = (await readDirectory(database)).folders;
  if (folders.length > 0 && !elsewhere.some(({ code }) => code === from)) known(folders, from);
}

/** @throws Refusal `folder-unknown` */
async function keptFolder(database: Database, text: string | undefined): Promise<{ readonly folder?: string }> {
  return text === undefined ? {} : { folder: known(await existingFolders(database), text).code };
}

async function databaseUrl(opened: Opened, text: string | undefined): Promise<string> {
  const { settings, database } = opened;
  const url =
    text === undefined ? new URL(database.url).toString() : await folderUrl(opened, known(await existingFolders(database), text));
  if (settings.database === undefined) await pinEmbedded(settings.home);
  return url;
}
