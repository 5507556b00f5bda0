// A run over several servers: folders taken and checked everywhere before anything changes; a part on each server, under one number, told as one run.
import { Failure, type Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import { folderCode } from '../base/ids.ts';
import type { Elsewhere, RunRequest } from '../batch/run.ts';
import { openEnvironment } from '../environment/environment.ts';
import type { Server } from '../environment/servers.ts';
import type { RunListener } from '../journal/journal.ts';
import { notePart } from '../journal/left-elsewhere.ts';
import type { FolderOutcome, RunOutcome } from '../journal/outcome.ts';
import type { Preflight } from '../plan/preflight.ts';
import { type CanaryGate, canaryGate } from './canary-gate.ts';
import { joinedAlready } from './joined-findings.ts';
import { alignMirrors, moveMirrors } from './mirrors.ts';
import type { OpenedServer, RunPart, TakenRun } from './opened-server.ts';
import type { IntegrateOptions } from './rustine.ts';
import { type Ballot, ballot, named } from './server-ballot.ts';
import { downOutcome, mirrorFailures, type ShareOutcome, skippedShare, troubleFinding } from './server-outcome.ts';
import { openPart, type Part, type Together, troubleOf } from './server-part.ts';
import { canariesBySide, type Share, type Shares } from './shares.ts';
import { type SupervisorWatch, watchSupervisor } from './supervisor-watch.ts';

/** A server that has its part no more. */
interface Down extends Share {
  readonly error: Failure | Refusal;
}

/** Name under which the environment's own server takes part. */
export const HOME = '';

/** What the parts of one run share. */
interface Whole {
  readonly home: OpenedServer;
  readonly rehearsed: boolean;
  readonly parts: Part[];
  readonly down: Down[];
  files: readonly string[];
  readonly watch: SupervisorWatch;
  readonly gate: CanaryGate | undefined;
  /** Canaries by server, their ancestors on the environment's own server among them. */
  readonly first: ReadonlyMap<string, readonly string[]>;
  /** Where the first failure anywhere stops all servers. */
  readonly stop: { requested: boolean } | undefined;
  /** Of a run that is all or none. */
  readonly ballot: Ballot | undefined;
  /** Its number; empty until it has begun. */
  run: string;
}

/** @throws Refusal `first-not-given` */
export async function integrateAcross(
  home: OpenedServer,
  open: (server: Server) => Promise<OpenedServer>,
  shares: Shares,
  options: IntegrateOptions,
  /** Of a run that a worker takes up. */
  part: Pick<RunPart, 'id' | 'takenUp'> = {},
): Promise<RunOutcome> {
  const { here, elsewhere } = shares;
  const servers = elsewhere.map(({ server }) => server.name);
  const first = canariesBySide(shares, (options.first ?? []).map(folderCode), HOME);
  const { supervisor } = await openEnvironment(home.opened.database);
  const { listener = () => undefined } = options;
  const whole: Whole = {
    home,
    rehearsed: options.mode === 'rehearse',
    parts: [],
    down: [],
    files: [],
    watch: watchSupervisor(here.includes(supervisor) ? supervisor : undefined, () => whole.files, listener),
    gate: first.size === 0 ? undefined : canaryGate([HOME, ...servers]),
    first,
    stop: options.onError === 'stop' ? { requested: false } : undefined,
    ballot: options.atomic === true ? ballot(home.opened.database) : undefined,
    run: '',
  };
  const { parts } = whole;
  let begun = false;
  const checked = async (request: RunRequest): Promise<RunRequest> => {
    whole.files = request.deliveries.map(({ file }) => file);
    whole.run = request.started.id;
    // Of two who want the same folders one is refused here already: it must not keep the other one from those elsewhere.
    if (blocks(request.started.findings)) return request;
    const findings = await takeAll(whole, open, shares, options, request, part.takenUp);
    for (const { goOn } of parts) goOn(blocks(findings) ? findings : []);
    const others = elsewhereOf(whole);
    const begin: Elsewhere['begin'] = (tell) => {
      begun = true;
      others.begin(tell);
    };
    const shared = sharedOf(whole, HOME);
    return { ...request, ...shared, preflight: { ...request.preflight, findings }, elsewhere: { ...others, begin } };
  };
  try {
    const given = first.get(HOME) ?? [];
    const outcome = await home.integrate(
      { ...options, folders: here, first: given, listener: whole.watch.listener },
      { ...part, elsewhere: elsewhere.flatMap(({ folders }) => folders), checked },
    );
    if (begun) return outcome;
    // Written down on the other servers too; told already.
    for (const { begin } of parts) begin({ findings: outcome.findings, missed: new Set() });
    const skipped = elsewhere.flatMap((share) => skippedShare(share, whole.files).folders);
    return { ...outcome, folders: [...outcome.folders, ...skipped] };
  } finally {
    whole.ballot?.end();
    for (const part of parts) part.abandon();
    await Promise.allSettled(parts.map((part) => part.outcome));
  }
}

const sharedOf = ({ gate, stop }: Whole, server: string): Together['shared'] => ({
  ...(stop === undefined ? {} : { stop }),
  ...(gate === undefined ? {} : { canaries: (failed: readonly string[]) => gate.pass(server, failed) }),
});

const coordinatorOf = ({ ballot }: Whole, server: Server, started: RunRequest['started']): Together['shared'] =>
  ballot === undefined ? {} : { coordinator: ballot.coordinator(server, started) };

/**
 * Folders are taken on one server after the other, always in the same order: of two runs that want the same ones the first one gets all of them. Where others
 * have some, nothing further is taken. Checks come at the same time.
 * @returns what was found everywhere
 */
async function takeAll(
  whole: Whole,
  open: (server: Server) => Promise<OpenedServer>,
  { here, elsewhere, half }: Shares,
  options: IntegrateOptions,
  { started, preflight, deliveries }: RunRequest,
  takenUp: TakenRun | undefined,
): Promise<readonly Finding[]> {
  const { parts, down, first } = whole;
  const { id, lease, cancelling } = started;
  const blocked: Finding[] = [];
  const failed = (share: Share, error: unknown): void => {
    const { name } = share.server;
    if (down.some(({ server }) => server.name === name) || blocked.some(({ subject }) => subject === name)) return;
    const trouble = troubleOf(share, error);
    if (trouble.code === 'server-unreachable') down.push({ ...share, error: trouble });
    else blocked.push(troubleFinding(share.server, trouble, share.folders));
  };
  for (const share of elsewhere) {
    const { name } = share.server;
    let member: OpenedServer;
    try {
      member = await open(share.server);
    } catch (error) {
      failed(share, error);
      continue;
    }
    // Written here: what goes wrong with that is no trouble of that server's.
    await notePart(whole.home.opened.database, id, share.server, lease.process);
    try {
      const together = { id, here, deliveries, soft: cancelling.soft, hard: cancelling.hard };
      const part = await openPart(whole.home, member, share, options, {
        ...together,
        first: first.get(name) ?? [],
        shared: { ...sharedOf(whole, name), ...coordinatorOf(whole, share.server, started) },
        ...(takenUp === undefined ? {} : { takenUp }),
      });
      parts.push(part);
      if (!(await part.taken)) break;
    } catch (error) {
      failed(share, error);
    }
  }
  const found: (readonly Finding[])[] = [[...preflight.findings, ...half]];
  let work = hasWork(preflight);
  for (const [at, { status, ...result }] of (await Promise.allSettled(parts.map((part) => part.checked))).entries()) {
    const part = parts[at];
    if (part === undefined) continue;
    if (status === 'fulfilled' && 'value' in result) {
      found.push(result.value.preflight.findings);
      work ||= hasWork(result.value.preflight);
    }
    if ('reason' in result) failed(part, result.reason);
  }
  // What ended already has no part any more.
  const gone = new Set(down.map(({ server }) => server.name));
  parts.splice(0, parts.length, ...parts.filter(({ server }) => !gone.has(server.name)));
  // All or none: those that do not answer cannot get anything.
  const silent = whole.ballot === undefined ? [] : down.map((each) => troubleFinding(each.server, each.error, each.folders));
  return [...goingOn(mergedFindings(found), work), ...blocked, ...silent];
}

/** What is said of the delivery is said on each server, and shown once; a code is unused where no server has a use for it. */
export function mergedFindings(found: readonly (readonly Finding[])[]): readonly Finding[] {
  const all = joinedAlready(found).map((findings) => new Map(findings.map((finding) => [JSON.stringify(finding), finding])));
  const everywhere = (key: string): boolean => all.every((each) => each.has(key));
  const distinct = new Map(all.flatMap((each) => [...each]));
  return [...distinct].flatMap(([key, finding]) => (finding.code !== 'authorize-unused' || everywhere(key) ? [finding] : []));
}

/** Each server sees its own folders: what all of them have there may be missing on another one, and going on is right (R15, R30). */
export function goingOn(findings: readonly Finding[], work: boolean): readonly Finding[] {
  if (!work) return findings;
  return findings.map((finding) =>
    finding.code === 'already-integrated' && finding.severity === 'block' ? { ...finding, severity: 'info' } : finding,
  );
}

/** Whether something is to be integrated there. */
export function hasWork({ tasks }: Pick<Preflight, 'tasks'>): boolean {
  return [...tasks.values()].some((files) => [...files.values()].includes('integrate'));
}

/** The parts as the run on the environment's own server sees them. */
function elsewhereOf(whole: Whole): Elsewhere {
  const { parts, down, watch, gate, first, ballot } = whole;
  let tell: RunListener = () => undefined;
  let works: readonly Promise<ShareOutcome>[] = [];
  const toMove: Part[] = [];
  const heardNothing = { patches: new Map(), finished: new Set<string>(), begun: true };
  return {
    ...(ballot === undefined ? {} : { participants: ballot.participants(parts) }),
    ready: async () => (await Promise.all(parts.map((part) => readyOf(part, ballot !== undefined)))).flat(),
    begin: (emit) => {
      tell = emit;
      if (down.length > 0) stopAll(whole);
      for (const { server } of down) gate?.pass(server.name, first.get(server.name) ?? []);
      works = parts.map((part) => runPart(part, whole, tell, toMove));
      // Whoever waits for them at the end is told.
      for (const work of works) work.catch(() => undefined);
    },
    end: async (here) => {
      watch.end(here);
      gate?.pass(HOME, notWhole(first.get(HOME) ?? [], here));
      const ended = await Promise.allSettled(works);
      const bug = ended.find(({ status }) => status === 'rejected');
      if (bug?.status === 'rejected') throw bug.reason;
      // A server that does not answer any more is told already.
      for (const { member, server } of toMove)
        for (const finding of await moveMirrors(whole.home, member, server).catch(() => [])) tell({ kind: 'finding', finding });
      const ofDown = down.map((share) => downOutcome(share, share.error, whole.files, { ...heardNothing, tell }));
      const outcomes = [...ofDown, ...ended.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))];
      return { folders: outcomes.flatMap(({ folders }) => folders), failed: outcomes.some(({ failed }) => failed) };
    },
    abandon: async () => {
      watch.fail(new Failure('run-lost', { run: '', folder: '' }));
      gate?.pass(HOME, first.get(HOME) ?? []);
      ballot?.end();
      for (const part of parts) part.abandon();
      await Promise.allSettled([...works, ...parts.map(({ outcome }) => outcome)]);
    },
  };
}

/** A server that answers and cannot begin blocks the whole run; one that does not answer any more fails its own folders, or all of them or none. */
async function readyOf(part: Part, allOrNone: boolean): Promise<readonly Finding[]> {
  try {
    return (await part.ready).map((finding) => named(part.server, finding));
  } catch (error) {
    const trouble = troubleOf(part, error);
    return trouble.code === 'server-unreachable' && !allOrNone ? [] : [troubleFinding(part.server, trouble, part.folders)];
  }
}

function stopAll({ stop }: Whole): void {
  if (stop !== undefined) stop.requested = true;
}

/** @param toMove gets the part where mirrors are to stand below another parent when the run is over */
async function runPart(part: Part, whole: Whole, tell: RunListener, toMove: Part[]): Promise<ShareOutcome> {
  const { server, member, mirrors, heard } = part;
  const { home, files, gate, watch, first, rehearsed, ballot, run } = whole;
  const canaries = first.get(server.name) ?? [];
  const missed = await (ballot?.missed ?? watch.missed);
  Object.assign(heard, { tell, begun: true });
  try {
    // A rehearsal leaves them as they are.
    const aligned = rehearsed ? { mirrors: [], moved: false } : await alignMirrors(home, member);
    if (aligned.moved) toMove.push(part);
    part.begin({ findings: [], missed, folders: aligned.mirrors });
    const { folders, state } = await part.outcome;
    const broken = folders.filter(({ folder }) => mirrors.has(folder)).flatMap((mirror) => mirrorFailures(server, mirror));
    for (const finding of broken) tell({ kind: 'finding', finding });
    const own = folders.filter(({ folder }) => !mirrors.has(folder));
    gate?.pass(server.name, notWhole(canaries, own));
    const failed = state === 'refused' || broken.length > 0 || own.some((folder) => folder.state === 'failed');
    return { folders: own, failed };
  } catch (error) {
    part.abandon();
    gate?.pass(server.name, canaries);
    stopAll(whole);
    const trouble = troubleOf(part, error);
    const pending = trouble instanceof Failure ? await ballot?.pendingOn(part, run, trouble) : undefined;
    return downOutcome(part, pending ?? trouble, files, heard);
  }
}

/** Canaries that did not get everything. */
function notWhole(canaries: readonly string[], outcomes: readonly FolderOutcome[]): readonly string[] {
  const whole = new Set(
    outcomes.flatMap(({ folder, state, patches }) =>
      state !== 'failed' && state !== 'cancelled' && patches.every(({ reason }) => reason === undefined) ? [folder] : [],
    ),
  );
  return canaries.filter((code) => !whole.has(code));
}
