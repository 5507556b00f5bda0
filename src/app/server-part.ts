// The part of a run on a further server: its folders are taken and checked, it waits to be let go, twice, and is told as one with the whole run.
import { Bug, Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Held, RunRequest } from '../batch/run.ts';
import type { RunEvent } from '../journal/journal.ts';
import { forgetParts, leavePart, settledThere } from '../journal/left-elsewhere.ts';
import type { RunOutcome } from '../journal/outcome.ts';
import { mirrorsOfRun } from './mirrors-behind.ts';
import type { OpenedServer, TakenRun } from './opened-server.ts';
import { recoverMember } from './recovery-elsewhere.ts';
import type { IntegrateOptions } from './rustine.ts';
import type { Heard } from './server-outcome.ts';
import { unreachable } from './servers.ts';
import type { Share } from './shares.ts';

export interface Part extends Share {
  readonly member: OpenedServer;
  /** Folders that only stand for others. */
  readonly mirrors: ReadonlySet<string>;
  readonly heard: Heard;
  /** Whether its folders are its own; else others have some, and nothing is done. */
  readonly taken: Promise<boolean>;
  /** What was found; nothing is changed yet. */
  readonly checked: Promise<RunRequest>;
  /** What is checked is known everywhere. @param findings those that block; none: it goes on */
  goOn(findings: readonly Finding[]): void;
  /** What it found once nobody else is in; it is ready then. */
  readonly ready: Promise<readonly Finding[]>;
  begin(held: Held): void;
  /** Ends it where it has not begun; whoever waits in it waits no longer. */
  abandon(): void;
  readonly outcome: Promise<RunOutcome>;
}

/** How the parts of a run belong together. */
export interface Together {
  /** Number of the run. */
  readonly id: string;
  /** Whoever cancels the run on the environment's own server cancels it everywhere. */
  readonly soft: AbortSignal;
  readonly hard: AbortSignal;
  /** Of the run's folders, those on the environment's own server. */
  readonly here: readonly string[];
  readonly deliveries: RunRequest['deliveries'];
  /** Canaries, as far as they are on this server. */
  readonly first: readonly string[];
  readonly shared: Pick<RunRequest, 'stop' | 'canaries' | 'coordinator'>;
  /** Of a run that a worker takes up. */
  readonly takenUp?: TakenRun;
}

/** Begins to take the folders, once it is noted that something may be left there. Under the same number as everywhere, so another run is met wherever it is. */
export async function openPart(
  home: OpenedServer,
  member: OpenedServer,
  share: Share,
  { first: _, ...options }: IntegrateOptions,
  { id, soft, hard, here, deliveries, first, shared, takenUp }: Together,
): Promise<Part> {
  const { database } = home.opened;
  // Where what is noted cannot be changed, somebody looks there for nothing, or a little later.
  const leave = (): Promise<void> => leavePart(database, id, share.server).catch(() => undefined);
  const run = { here, folders: share.folders, deliveries };
  const known = await mirrorsOfRun(database, member, run).catch(async (error: unknown) => {
    await leave();
    throw error;
  });
  const mirrors = new Set(known);
  const heard: Heard = { patches: new Map(), finished: new Set(), begun: false, tell: options.listener ?? (() => undefined) };
  const [taken, checked] = [Promise.withResolvers<boolean>(), Promise.withResolvers<RunRequest>()];
  const [goOn, ready] = [Promise.withResolvers<readonly Finding[]>(), Promise.withResolvers<readonly Finding[]>()];
  const begin = Promise.withResolvers<Held>();
  const abandoned = new AbortController();
  for (const { promise } of [taken, checked, goOn, ready, begin]) promise.catch(() => undefined);
  let begun = false;
  const hold = (findings: readonly Finding[]): Promise<Held> => {
    ready.resolve(findings);
    return begin.promise;
  };
  const ran = member.integrate(
    {
      ...options,
      folders: [...mirrors, ...share.folders],
      first,
      cancel: AbortSignal.any([soft, abandoned.signal]),
      abort: hard,
      listener: (event) => hear(heard, mirrors, event),
    },
    {
      id,
      ...(takenUp === undefined ? {} : { takenUp: partOfTaken(takenUp, () => recoverMember(database, share.server, member)) }),
      taken: ({ findings }) => taken.resolve(!blocks(findings)),
      checked: async (request) => {
        checked.resolve(request);
        // What was found is told with the whole run; what is found from here on is this part's.
        const findings = await goOn.promise;
        return { ...request, ...shared, hold, preflight: { ...request.preflight, findings } };
      },
    },
  );
  const outcome = ran.then(
    async (ended) => {
      // It may have come to its end and have left a login shut that somebody was changing.
      const settled = await settledThere(member.opened.database, [id]).catch(() => []);
      await (settled.length === 0 ? leave() : forgetParts(database, share.server, settled).catch(() => undefined));
      return ended;
    },
    async (error: unknown) => {
      await leave();
      throw error;
    },
  );
  outcome.then(
    () => ready.resolve([]),
    (error: unknown) => {
      for (const { reject } of [taken, checked, ready]) reject(error);
    },
  );
  return {
    ...share,
    member,
    mirrors,
    heard,
    taken: taken.promise,
    checked: checked.promise,
    goOn: goOn.resolve,
    ready: ready.promise,
    begin: (held) => {
      begun = true;
      begin.resolve(held);
    },
    abandon: () => {
      if (begun) return;
      const lost = new Failure('run-lost', { run: id, folder: share.folders.join(', ') });
      for (const { reject } of [goOn, begin]) reject(lost);
      abandoned.abort();
    },
    outcome,
  };
}

/** One works from a folder of the environment's own server. */
function partOfTaken({ operator, files, stop }: TakenRun, settle: () => Promise<unknown>): TakenRun {
  return { as: 'part', operator, files, stop, settle };
}

/**
 * What kept a server from its part of a run.
 * @returns Failure `server-unreachable` where it does not answer
 * @throws what is a bug of ours
 */
export function troubleOf({ server }: Share, error: unknown): Failure | Refusal {
  const known = unreachable(server, error);
  if (known instanceof Failure || known instanceof Refusal) return known;
  throw known instanceof Error ? known : new Bug('a server failed of something unknown', { server: server.name });
}

/** Events without a folder that are told of every server: somebody waits for something there. */
const BEFORE: readonly RunEvent['kind'][] = ['run-waiting', 'tasks-waiting', 'changes-waiting', 'sessions'];

/** Events of the whole run are told once, and what happens to mirrors is not told as if it happened to their originals. */
function hear({ patches, finished, begun, tell }: Heard, mirrors: ReadonlySet<string>, event: RunEvent): void {
  if (event.kind === 'finding') {
    // What is found before it begins is told with the whole run.
    if (begun && !mirrors.has(event.finding.folder ?? '')) tell(event);
    return;
  }
  if (BEFORE.includes(event.kind)) return tell(event);
  if (!('folder' in event) || mirrors.has(event.folder)) return;
  if (event.kind === 'patch-finished') patches.set(event.folder, [...(patches.get(event.folder) ?? []), event.outcome]);
  if (event.kind === 'folder-finished') finished.add(event.folder);
  tell(event);
}
