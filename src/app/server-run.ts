// A run over several servers: folders taken and checked everywhere before anything changes; a part on each server, under one number, told as one run.
import { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Elsewhere, Held, RunRequest } from '../batch/run.ts';
import { openEnvironment } from '../environment/environment.ts';
import type { Server } from '../environment/servers.ts';
import type { RunEvent } from '../journal/journal.ts';
import type { FolderOutcome, RunOutcome } from '../journal/outcome.ts';
import { alignMirrors, mirrorsOf } from './mirrors.ts';
import type { OpenedServer } from './opened-server.ts';
import type { IntegrateOptions } from './rustine.ts';
import { downOutcome, type Heard, mirrorFailures, type ShareOutcome, skippedShare } from './server-outcome.ts';
import { unreachable } from './servers.ts';
import type { Share, Shares } from './shares.ts';

/** The part of a run on a further server: its folders are taken and checked, and it waits to be let go, twice. */
interface Part extends Share {
  /** Folders that only stand for others. */
  readonly mirrors: ReadonlySet<string>;
  readonly request: RunRequest;
  readonly heard: Heard;
  /** What is checked is known everywhere. */
  goOn(findings: readonly Finding[]): void;
  /** What it found once nobody else is in; it is ready then. */
  readonly ready: Promise<readonly Finding[]>;
  begin(held: Held): void;
  /** Ends it before it has begun. */
  abandon(): void;
  readonly outcome: Promise<RunOutcome>;
}

interface Down extends Share {
  readonly error: Failure;
}

type Tell = (event: RunEvent) => void;

/** @throws Refusal `first-elsewhere`, `atomic-servers` */
export async function integrateAcross(
  home: OpenedServer,
  open: (server: Server) => Promise<OpenedServer>,
  { here, elsewhere: shares }: Shares,
  options: IntegrateOptions,
): Promise<RunOutcome> {
  checkFirst(here, options.first ?? []);
  if (options.atomic === true) throw new Refusal('atomic-servers', { servers: shares.map(({ server }) => server.name) });
  const { supervisor } = await openEnvironment(home.opened.database);
  const watch = watchSupervisor(here.includes(supervisor) ? supervisor : undefined, options.listener);
  let parts: readonly Part[] = [];
  let files: readonly string[] = [];
  let begun = false;
  const checked = async (request: RunRequest): Promise<RunRequest> => {
    const prepared = await Promise.all(shares.map((share) => preparePart(home, open, here, share, options, request)));
    parts = prepared.filter((each) => 'request' in each);
    const down = prepared.filter((each) => 'error' in each);
    const findings = mergedFindings([request, ...parts.map((part) => part.request)].map(({ preflight }) => preflight.findings));
    for (const { goOn } of parts) goOn(blocks(findings) ? findings : []);
    files = request.deliveries.map(({ file }) => file);
    const elsewhere = partsOf(parts, down, files, watch, options);
    const begin = (tell: Tell): void => {
      begun = true;
      elsewhere.begin(tell);
    };
    return { ...request, preflight: { ...request.preflight, findings }, elsewhere: { ...elsewhere, begin } };
  };
  try {
    const outcome = await home.integrate({ ...options, folders: here, listener: watch.listener }, { checked });
    if (begun) return outcome;
    // Written down on the other servers too; told already.
    for (const { begin } of parts) begin({ findings: outcome.findings, missed: new Set() });
    return { ...outcome, folders: [...outcome.folders, ...shares.flatMap((share) => skippedShare(share, files).folders)] };
  } finally {
    for (const part of parts) part.abandon();
    await Promise.allSettled(parts.map((part) => part.outcome));
  }
}

/** The others wait for the canaries: as long as these are on the environment's own server, that is one place to look at. */
function checkFirst(here: readonly string[], first: readonly string[]): void {
  const elsewhere = first.filter((code) => !here.includes(code.trim().toUpperCase()));
  if (elsewhere.length > 0) throw new Refusal('first-elsewhere', { folders: elsewhere });
}

/** Folders are taken on each server under the same number, so another run is met wherever it is. */
async function preparePart(
  home: OpenedServer,
  open: (server: Server) => Promise<OpenedServer>,
  here: readonly string[],
  share: Share,
  { first: _, ...options }: IntegrateOptions,
  { started: { id, cancelling } }: RunRequest,
): Promise<Part | Down> {
  const known = (error: unknown): Down => {
    const lost = unreachable(share.server, error);
    if (!(lost instanceof Failure) || lost.code !== 'server-unreachable') throw error;
    return { ...share, error: lost };
  };
  try {
    const member = await open(share.server);
    await alignMirrors(home, member);
    const mirrors = new Set((await mirrorsOf(member)).flatMap(({ code }) => (here.includes(code) ? [code] : [])));
    const heard: Heard = { patches: new Map(), finished: new Set(), begun: false, tell: options.listener ?? (() => undefined) };
    const [checked, goOn] = [Promise.withResolvers<RunRequest>(), Promise.withResolvers<readonly Finding[]>()];
    const [ready, begin] = [Promise.withResolvers<readonly Finding[]>(), Promise.withResolvers<Held>()];
    for (const { promise } of [goOn, ready, begin]) promise.catch(() => undefined);
    const hold = (findings: readonly Finding[]): Promise<Held> => {
      ready.resolve(findings);
      return begin.promise;
    };
    const outcome = member.integrate(
      {
        ...options,
        folders: [...mirrors, ...share.folders],
        // Whoever cancels the run on the environment's own server cancels it here.
        cancel: cancelling.soft,
        abort: cancelling.hard,
        listener: (event) => hear(heard, mirrors, event),
      },
      {
        id,
        checked: async (request) => {
          checked.resolve(request);
          // What was found is told with the whole run; what is found from here on is this part's.
          return { ...request, hold, preflight: { ...request.preflight, findings: await goOn.promise } };
        },
      },
    );
    outcome.then(() => ready.resolve([]), ready.reject);
    outcome.catch(checked.reject);
    const request = await checked.promise;
    const abandon = (): void => {
      const lost = new Failure('run-lost', { run: id, folder: share.folders.join(', ') });
      for (const { reject } of [goOn, begin]) reject(lost);
    };
    const part = { ...share, mirrors, request, heard, goOn: goOn.resolve, begin: begin.resolve, abandon, outcome };
    return { ...part, ready: ready.promise };
  } catch (error) {
    return known(error);
  }
}

/** Events without a folder that are told of every server: somebody waits for something there. */
const BEFORE: readonly RunEvent['kind'][] = ['run-waiting', 'tasks-waiting', 'sessions'];

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

/** What is said of the delivery is said on each server, and shown once; a code is unused where no server has a use for it. */
export function mergedFindings(found: readonly (readonly Finding[])[]): readonly Finding[] {
  const all = found.map((findings) => new Map(findings.map((finding) => [JSON.stringify(finding), finding])));
  const everywhere = (key: string): boolean => all.every((each) => each.has(key));
  const distinct = new Map(all.flatMap((each) => [...each]));
  return [...distinct].flatMap(([key, finding]) => (finding.code !== 'authorize-unused' || everywhere(key) ? [finding] : []));
}

/** Hears what the supervisor folder gets: the parts on other servers wait for it (R31). */
interface SupervisorWatch {
  readonly listener: Tell;
  readonly done: Promise<void>;
  /** Files that it was to get and did not. */
  readonly missed: ReadonlySet<string>;
  /** Nothing more is to be heard. */
  end(): void;
}

/** @param supervisor absent: it has no part in the run */
function watchSupervisor(supervisor: string | undefined, listener: IntegrateOptions['listener']): SupervisorWatch {
  const missed = new Set<string>();
  const { promise: done, resolve: end } = Promise.withResolvers<void>();
  if (supervisor === undefined) end();
  return {
    done,
    missed,
    end,
    listener: (event) => {
      listener?.(event);
      if (!('folder' in event) || event.folder !== supervisor) return;
      if (event.kind === 'patch-finished' && ['failed', 'skipped'].includes(event.outcome.state)) missed.add(event.outcome.file);
      if (event.kind === 'folder-finished') end();
    },
  };
}

/** The parts as the run on the environment's own server sees them. */
function partsOf(
  parts: readonly Part[],
  down: readonly Down[],
  files: readonly string[],
  watch: SupervisorWatch,
  { onError, first = [] }: IntegrateOptions,
): Elsewhere {
  // The first failure anywhere stops the run; canaries come before all others: servers one by one then, the environment's own first.
  const oneByOne = onError === 'stop' || first.length > 0;
  let emit: Tell = () => undefined;
  const start = async (part: Part): Promise<ShareOutcome> => {
    await watch.done;
    return runPart(part, watch.missed, files, emit);
  };
  let works: readonly Promise<ShareOutcome>[] = [];
  return {
    ready: async () => {
      const found = await Promise.all(parts.map((part) => part.ready.catch(() => [])));
      return found.flat();
    },
    begin: (tell) => {
      emit = tell;
      if (!oneByOne) works = parts.map(start);
      // Whoever waits for them at the end is told.
      for (const work of works) work.catch(() => undefined);
    },
    end: async (here) => {
      watch.end();
      const outcomes = down.map((share) =>
        downOutcome(share, share.error, files, { patches: new Map(), finished: new Set(), begun: true, tell: emit }),
      );
      for (const [at, part] of parts.entries()) {
        const stop = oneByOne && (stopped(here, first, onError) || (onError === 'stop' && outcomes.some(({ failed }) => failed)));
        outcomes.push(stop ? skippedShare(part, files) : await (works[at] ?? start(part)));
      }
      return { folders: outcomes.flatMap(({ folders }) => folders), failed: outcomes.some(({ failed }) => failed) };
    },
  };
}

function stopped(here: readonly FolderOutcome[], first: readonly string[], onError: IntegrateOptions['onError']): boolean {
  const canaries = new Set(first.map((code) => code.trim().toUpperCase()));
  const broken = ({ state, patches }: FolderOutcome): boolean =>
    state === 'failed' || state === 'cancelled' || patches.some(({ reason }) => reason !== undefined);
  return here.some((outcome) => broken(outcome) && (onError === 'stop' || canaries.has(outcome.folder)));
}

async function runPart(part: Part, missed: ReadonlySet<string>, files: readonly string[], emit: Tell): Promise<ShareOutcome> {
  const { server, mirrors, heard } = part;
  Object.assign(heard, { tell: emit, begun: true });
  part.begin({ findings: [], missed });
  try {
    const { folders, state } = await part.outcome;
    const broken = folders.filter(({ folder }) => mirrors.has(folder)).flatMap((mirror) => mirrorFailures(server, mirror));
    for (const finding of broken) emit({ kind: 'finding', finding });
    const own = folders.filter(({ folder }) => !mirrors.has(folder));
    const failed = state === 'refused' || broken.length > 0 || own.some((folder) => folder.state === 'failed');
    return { folders: own, failed };
  } catch (error) {
    const lost = unreachable(server, error);
    if (!(lost instanceof Failure) || lost.code !== 'server-unreachable') throw error;
    return downOutcome(part, lost, files, heard);
  }
}
