// The first part of every run, also a verb of its own: from what was asked for to deliveries, findings and the work list.
import { Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import { lookForSessions } from '../batch/single-user.ts';
import { usersFindings } from '../batch/started-run.ts';
import { freeEmbedded } from '../database/embedded-space.ts';
import { READ_ONLY_TRANSACTION, sqlState } from '../database/postgres.ts';
import type { Folder } from '../environment/folder.ts';
import { folderUsers } from '../journal/runs.ts';
import { gatherCheckFacts, type ServerFacts } from '../plan/check-facts.ts';
import { FORCEABLE, type Forced, forceName, passedOver } from '../plan/checks.ts';
import type { Delivery } from '../plan/delivery.ts';
import { mayComeAgain } from '../plan/older-again.ts';
import type { Preflight, Task, Tasks } from '../plan/preflight.ts';
import { preflight } from '../plan/preflight.ts';
import type { TransactionScope } from '../plan/server-checks.ts';
import { type OpenedDeliveries, openDeliveries } from './deliveries.ts';
import { chosen, knownAnywhere, knownEnvironment } from './known-folders.ts';
import { leftOutFindings } from './left-out.ts';
import type { Opened } from './rustine.ts';

/** Name of the server that holds the catalog. */
const MAIN = 'main';

export interface CheckOptions {
  readonly paths: readonly string[];
  /** Absent: all folders. */
  readonly folders?: readonly string[];
  readonly authorize?: readonly string[];
  readonly force?: readonly { readonly check: string; readonly reason: string }[];
  /** Folders that a run would work on at the same time. */
  readonly jobs?: number;
}

/** What was asked for, read: patch files, folders, codes. */
export interface ReadRequest {
  readonly supervisor: string;
  readonly from: string;
  /** All folders of the environment, and those given. */
  readonly all: readonly Folder[];
  readonly folders: readonly Folder[];
  readonly authorized: readonly string[];
  readonly forced: Forced;
  readonly deliveries: readonly Delivery[];
  /** Files that could not be read; `findings` says why. */
  readonly unread: readonly string[];
  readonly findings: readonly Finding[];
}

/** How a run would go about it. */
export interface RunShape {
  readonly jobs: number;
  readonly scope: TransactionScope;
  /** False: nobody looks on (batch); absent: somebody does. */
  readonly attended?: boolean;
}

export interface CheckOutcome {
  /** `clear`: a run would not be refused. */
  readonly state: 'clear' | 'blocked';
  readonly findings: readonly Finding[];
  /** What a run would do in each folder, patches in their order. */
  readonly folders: readonly {
    readonly folder: string;
    readonly patches: readonly { readonly file: string; readonly task: Task }[];
  }[];
}

/** Nothing is locked, changed or noted. @throws Refusal `not-initialized`, `folder-unknown`, `force-unknown` */
export async function check(opened: Opened, options: CheckOptions): Promise<CheckOutcome> {
  const request = await readRequest(opened, options);
  const { tasks, findings: judged } = await checkRequest(opened, request, { jobs: options.jobs ?? opened.jobs, scope: 'patch' });
  const findings = [...judged, ...(await othersAtWork(opened, request, tasks))];
  return {
    state: blocks(findings) ? 'blocked' : 'clear',
    findings,
    folders: request.folders.map(({ code }) => ({
      folder: code,
      patches: request.deliveries.map(({ file }) => ({ file, task: tasks.get(code)?.get(file) ?? 'not-concerned' })),
    })),
  };
}

/** A run that begins takes its folders and keeps others out of them; who only looks asks who is there. */
async function othersAtWork(opened: Opened, { folders, forced }: ReadRequest, tasks: Tasks): Promise<readonly Finding[]> {
  const { database, operator } = opened;
  const codes = folders.map(({ code }) => code);
  const concerned = folders.filter(({ code }) => [...(tasks.get(code)?.values() ?? [])].includes('integrate'));
  const sessions = await lookForSessions(database, concerned, forced.sessions !== undefined);
  return [
    ...usersFindings(await folderUsers(database, codes)),
    ...sessions.map((finding) => passedOver(finding, forced, operator)),
  ];
}

/** @param given what is known already @throws Refusal `not-initialized`, `folder-unknown`, `force-unknown` */
export async function readRequest(
  opened: Opened,
  options: CheckOptions,
  given: { readonly from?: string; readonly files?: OpenedDeliveries } = {},
): Promise<ReadRequest> {
  const { database, settings } = opened;
  const forced = forcedChecks(options.force ?? []);
  const { supervisor, folders: all } = await knownEnvironment(database);
  const folders = options.folders === undefined ? all : chosen(all, options.folders);
  const wanted = given.from ?? settings.from;
  const from = wanted === undefined ? supervisor : await knownAnywhere(database, all, wanted);
  const authorized = [...new Set((options.authorize ?? []).map((code) => code.toUpperCase()))];
  const files = given.files ?? (await openDeliveries(options.paths));
  return { supervisor, from, all, folders, authorized, forced, ...files };
}

/** All findings at once, those of the files first. */
export async function checkRequest(opened: Opened, request: ReadRequest, shape: RunShape): Promise<Preflight> {
  const { database, operator } = opened;
  const { deliveries, all, folders, authorized } = request;
  const server = await ownServer(opened);
  const again = mayComeAgain(request.forced, authorized);
  const facts = await gatherCheckFacts(database, { deliveries, all, folders, authorized, again, server });
  const { tasks, findings } = preflight({ attended: true, ...request, ...shape, operator, facts });
  const leftOut = await leftOutFindings(database, { deliveries, folders, authorized, tasks }, all);
  return { tasks, findings: [...request.findings, ...findings, ...leftOut] };
}

/** Each server checks its own folders. */
export async function ownServer({ server, settings }: Opened): Promise<Pick<ServerFacts, 'name' | 'free'>> {
  const free = settings.database === undefined ? await freeEmbedded(settings.home) : null;
  return { name: server ?? MAIN, free };
}

/** A run is noted in the catalog before its folders are looked at: where that cannot be written, there is no run. */
export function readOnlyRefusal(error: unknown): unknown {
  if (sqlState(error) !== READ_ONLY_TRANSACTION) return error;
  return new Refusal('server-read-only', { server: MAIN, reason: 'read-only' }, error);
}

/** @throws Refusal `force-unknown` */
export function forcedChecks(force: readonly { readonly check: string; readonly reason: string }[]): Forced {
  const named = force.map(({ check, reason }) => {
    const name = forceName(check);
    if (name === undefined) throw new Refusal('force-unknown', { check, known: FORCEABLE });
    return [name, reason] as const;
  });
  return Object.fromEntries(named);
}
