// The verb `revert` on one server: which folders, the run's frame, what is known of the folders before it begins.
import { Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { nearestWords } from '../base/nearest.ts';
import type { CancelSignals } from '../batch/cancelling.ts';
import { type RevertElsewhere, type RevertRequest, runRevert } from '../batch/revert-run.ts';
import type { SessionOptions } from '../batch/single-user.ts';
import { type StartedRun, withRun } from '../batch/started-run.ts';
import { wavesUp } from '../batch/waves.ts';
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { readFolders } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import { checkNoHistory } from '../environment/place.ts';
import type { RunListener } from '../journal/journal.ts';
import type { RunOutcome } from '../journal/outcome.ts';
import { notReadyFindings } from '../plan/revert-checks.ts';
import { forcedChecks } from './checks.ts';
import { jobsAtOnce } from './jobs.ts';
import { chosen, knownAnywhere, knownEnvironment } from './known-folders.ts';
import type { Opened } from './rustine.ts';
import { stopPoints } from './stop-points.ts';

export interface RevertOptions extends CancelSignals {
  /** Name of the patch file, as the folders remember it. */
  readonly file: string;
  /** Codes; absent: all folders that have it. */
  readonly folders?: readonly string[];
  /** All of it for real, then rolled back. */
  readonly rehearse?: boolean;
  /** Why; kept. */
  readonly reason?: string;
  readonly force?: readonly { readonly check: string; readonly reason: string }[];
  readonly jobs?: number;
  /** How long another run that has folders of this one, and then sessions, are waited for, in milliseconds; absent: not at all. */
  readonly waitMs?: number;
  /** Whether sessions of the folders' logins that are left then are ended; else they block. */
  readonly disconnect?: boolean;
  /** How long a folder waits for somebody else's locks, all in all, in milliseconds; absent: 15 seconds. */
  readonly lockTimeoutMs?: number;
  readonly listener?: RunListener;
}

/** The run's part on one server. */
export interface RevertPart {
  /** Number of the run; absent: a new one. */
  readonly id?: string;
  /** Codes of the run's folders on further servers. */
  readonly elsewhere?: readonly string[];
  /** Of a part on a further server: called when its folders are checked. */
  readonly hold?: RevertRequest['hold'];
  /** On the environment's own server: the parts on the others, once the folders here are taken. */
  readonly far?: (started: StartedRun) => Promise<RevertElsewhere>;
}

/** How long a statement waits for a lock that somebody else holds. */
const LOCK_TIMEOUT_MS = 15_000;

/** @throws Refusal `not-initialized`, `folder-unknown`, `history-folder-follows`, `force-unknown`, `revert-file-path`, `revert-nowhere` */
export async function revertFolders(opened: Opened, options: RevertOptions, part: RevertPart = {}): Promise<RunOutcome> {
  const { database, settings, operator } = opened;
  const { file } = options;
  checkFile(file);
  const forced = forcedChecks(options.force ?? []);
  const { supervisor, folders: all } = await knownEnvironment(database);
  const having = await foldersWith(database, file);
  // A history folder gives the patch up after its live folder, by validation.
  const given =
    options.folders === undefined
      ? all.filter(({ code, historyOf }) => having.includes(code) && historyOf === null)
      : chosen(all, options.folders);
  for (const folder of given) checkNoHistory(folder, 'revert');
  const nobody = having.length === 0 && part.id === undefined && (part.elsewhere ?? []).length === 0;
  if (nobody) throw nowhere(file, await knownFiles(database));
  const from = settings.from === undefined ? supervisor : await knownAnywhere(database, all, settings.from);
  const mode = options.rehearse === true ? 'revert-rehearse' : 'revert';
  const { listener = () => undefined, cancel, abort, ...request } = options;
  const sessions: SessionOptions = { waitMs: options.waitMs ?? 0, disconnect: options.disconnect ?? false };
  const lockTimeoutMs = options.lockTimeoutMs ?? LOCK_TIMEOUT_MS;
  const start = {
    mode,
    folders: given,
    first: [],
    waves: wavesUp(given),
    from,
    operator,
    files: [file],
    authorized: [],
    forced: forced as Readonly<Record<string, string>>,
    request: { ...request },
    waitMs: options.waitMs ?? 0,
    changesMs: lockTimeoutMs,
    listener,
    ...(part.id === undefined ? {} : { id: part.id }),
    ...(part.elsewhere === undefined ? {} : { elsewhere: part.elsewhere }),
    ...(cancel === undefined ? {} : { cancel }),
    ...(abort === undefined ? {} : { abort }),
  } as const;
  return withRun(database, start, async (started) => {
    // Only from here on nobody else has these folders.
    const folders = (await readFolders(database)).filter(({ code }) => given.some((each) => each.code === code));
    const elsewhere = await part.far?.(started);
    return runRevert(database, {
      started,
      mode,
      file,
      folders,
      operator,
      reason: options.reason,
      forced,
      jobs: jobsAtOnce(options.jobs ?? opened.jobs),
      lockTimeoutMs,
      findings: readiness(folders),
      listener,
      stopPoint: stopPoints(process.env.RUSTINE_STOP_AT, opened.server),
      sessions,
      ...(elsewhere === undefined ? {} : { elsewhere }),
      ...(part.hold === undefined ? {} : { hold: part.hold }),
    });
  });
}

const readiness = (folders: readonly Folder[]): readonly Finding[] => folders.flatMap(notReadyFindings);

/** @throws Refusal `revert-file-path` */
export function checkFile(file: string): void {
  const name = file.split(/[\\/]/).at(-1) ?? '';
  if (name !== file) throw new Refusal('revert-file-path', { path: file, file: name });
}

export function nowhere(file: string, known: readonly string[]): Refusal {
  const [nearest] = nearestWords(file, known);
  return new Refusal('revert-nowhere', { file, ...(nearest === undefined ? {} : { nearest }) });
}

/** Codes of the folders of one server that have the file. */
export async function foldersWith(database: Database, file: string): Promise<readonly string[]> {
  const rows = await database.query<{ code: string }>(sql`
    select distinct f.code from rustine.integrated i join rustine.folder f on f.id = i.folder
    where i.file = ${file} and f.history_of is null order by 1`);
  return rows.map(({ code }) => code);
}

/** Files that some folder of one server has. */
export async function knownFiles(database: Database): Promise<readonly string[]> {
  const rows = await database.query<{ file: string }>(sql`select distinct file from rustine.integrated order by 1`);
  return rows.map(({ file }) => file);
}
