// A validation over all servers, as one run: a part on each of them, at the same time, where mirrors wait for the folders that they stand for.
import { Failure } from '../base/errors.ts';
import { folderCode } from '../base/ids.ts';
import type { StartedRun } from '../batch/started-run.ts';
import { nothingDone, type RunValidation, type ValidationTogether } from '../batch/validating.ts';
import type { ValidationsElsewhere } from '../batch/validation-run.ts';
import { readLag, readStandardPatches, type Server } from '../environment/servers.ts';
import type { RunEvent } from '../journal/journal.ts';
import { forgetParts, leavePart, notePart, settledThere } from '../journal/left-elsewhere.ts';
import { copyMissingFiles } from '../validate/mirror-files.ts';
import type { Across } from './across-servers.ts';
import { type CanaryGate, canaryGate } from './canary-gate.ts';
import { knownEnvironment } from './known-folders.ts';
import { mirrorsOfValidation, staysBehind } from './mirrors-behind.ts';
import type { OpenedServer } from './opened-server.ts';
import { type OriginalsWatch, watchOriginals } from './originals-watch.ts';
import { troubleFinding } from './server-outcome.ts';
import { troubleOf } from './server-part.ts';
import { HOME } from './server-run.ts';
import { unreachable } from './servers.ts';
import { canariesBySide, type Share } from './shares.ts';
import { dueFolders, type ValidateOptions, type ValidationOutcome, validateFolders } from './validations.ts';

interface FarPart {
  readonly folders: readonly RunValidation[];
  /** Whether something went wrong there. */
  readonly failed: boolean;
}

/** What the parts of one run share. */
interface Whole {
  readonly across: Across;
  readonly options: ValidateOptions;
  /** Folders of the environment's own server. */
  readonly here: readonly string[];
  readonly shares: readonly Share[];
  readonly watch: OriginalsWatch;
  readonly gate: CanaryGate | undefined;
  /** Canaries by server, with their ancestors. */
  readonly first: ReadonlyMap<string, readonly string[]>;
  /** Where the first failure anywhere stops all servers. */
  readonly stop: { requested: boolean } | undefined;
}

/** @throws Refusal `first-not-given` */
export async function validateAcross(across: Across, options: ValidateOptions): Promise<ValidationOutcome> {
  const { servers, folders: elsewhere } = await across.directory();
  const wanted = options.folders?.map(folderCode);
  const given = elsewhere.filter(({ code }) => wanted === undefined || wanted.includes(code as never));
  if (given.length === 0) return across.home.verbs.validate(options);
  const { opened } = across.home;
  const { folders: all } = await knownEnvironment(opened.database);
  // A name that nobody knows is refused there, before anything changes.
  const here =
    wanted?.filter((code) => !given.some((folder) => folder.code === code)) ??
    (await dueFolders(opened, all)).map(({ code }) => code);
  const shares: Share[] = [];
  for (const server of servers) {
    const codes = given.filter((folder) => folder.server === server.name).map(({ code }) => code);
    const due = wanted === undefined ? await dueThere(across, server, codes) : codes;
    if (due.length > 0) shares.push({ server, folders: due });
  }
  const parents = new Map([...all, ...elsewhere].map(({ code, parent }) => [code, parent]));
  const first = canariesBySide({ here, elsewhere: shares, half: [], parents }, (options.first ?? []).map(folderCode), HOME);
  const whole: Whole = {
    across,
    options,
    here,
    shares,
    watch: watchOriginals(here, options.listener ?? (() => undefined)),
    gate: first.size === 0 ? undefined : canaryGate([HOME, ...shares.map(({ server }) => server.name)]),
    first,
    stop: options.onError === 'stop' ? { requested: false } : undefined,
  };
  return validateFolders(
    opened,
    { ...options, folders: here, first: first.get(HOME) ?? [], listener: whole.watch.listener },
    {
      elsewhere: shares.flatMap(({ folders }) => folders),
      others: (started) => othersOf(whole, started),
      together: togetherOf(whole, HOME),
    },
  );
}

function togetherOf({ gate, stop }: Whole, server: string): ValidationTogether {
  return {
    ...(stop === undefined ? {} : { stop }),
    ...(gate === undefined ? {} : { canaries: (failed) => gate.pass(server, failed) }),
  };
}

/** All servers work at the same time, each level by level. */
function othersOf(whole: Whole, started: StartedRun): ValidationsElsewhere {
  const { shares, watch, gate, first } = whole;
  const given = new AbortController();
  const soft = AbortSignal.any([started.cancelling.soft, given.signal]);
  let works: readonly Promise<FarPart>[] = [];
  return {
    begin: (tell) => {
      works = shares.map((share) => validateThere(whole, share, started, soft, tell));
      // Whoever waits for them at the end is told.
      for (const work of works) work.catch(() => undefined);
    },
    end: async () => {
      watch.end();
      const parts = await Promise.all(works);
      return { folders: parts.flatMap(({ folders }) => folders), failed: parts.some(({ failed }) => failed) };
    },
    abandon: async () => {
      given.abort();
      watch.end();
      gate?.pass(HOME, first.get(HOME) ?? []);
      await Promise.allSettled(works);
    },
  };
}

/** Where the server does not answer, all of its folders are meant: nothing is known of them. */
async function dueThere(across: Across, server: Server, codes: readonly string[]): Promise<readonly string[]> {
  try {
    const { opened } = await across.open(server);
    const { folders } = await knownEnvironment(opened.database);
    const due = new Set<string>((await dueFolders(opened, folders)).map(({ code }) => code));
    // What the mirror of the supervisor folder lacks too, nobody there knows of.
    const lag = await readLag(opened.database, await readStandardPatches(across.home.opened.database));
    const lagging = folders.filter(({ code, state }) => lag.has(code) && ['ready', 'locked'].includes(state));
    for (const { code } of lagging) due.add(code);
    return codes.filter((code) => due.has(code));
  } catch (error) {
    if (!isSilent(server, error)) throw error;
    return codes;
  }
}

function isSilent(server: Server, error: unknown): boolean {
  const lost = unreachable(server, error);
  return lost instanceof Failure && ['server-unreachable', 'server-not-member'].includes(lost.code);
}

/** Under the same number, and stopped with the whole run. */
async function validateThere(
  whole: Whole,
  share: Share,
  { id, lease, cancelling }: StartedRun,
  soft: AbortSignal,
  tell: (event: RunEvent) => void,
): Promise<FarPart> {
  const { across, options, here, watch, gate, first } = whole;
  const { server, folders } = share;
  const { database } = across.home.opened;
  const canaries = first.get(server.name) ?? [];
  const ended = new Set<string>();
  const endOthers = (outcomes: readonly RunValidation[]): void => {
    for (const { folder, state } of outcomes) if (!ended.has(folder)) tell({ kind: 'folder-finished', folder, state });
  };
  try {
    await notePart(database, id, server, lease.process);
    const member = await across.open(server);
    if (options.preview !== true) await copyMissingFiles(database, member.opened.database);
    // What is validated here has to be so there, too, where it stands for its original.
    const mirrors = await mirrorsOfValidation(database, member, here, folders);
    const listener = (event: RunEvent): void => {
      if (!isAbout(event, mirrors)) return;
      if (event.kind === 'folder-finished') ended.add(event.folder);
      tell(event);
    };
    const given = { folders: [...mirrors, ...folders], first: canaries, cancel: soft, abort: cancelling.hard, listener };
    const together = { ...togetherOf(whole, server.name), original: watch.validated };
    const behind = { server: server.name, files: await staysBehind(database, member, mirrors) };
    const outcome = await validateFolders(member.opened, { ...options, ...given }, { id, together, behind });
    await forget(across, member, server, id);
    const own = outcome.folders.filter(({ folder }) => !mirrors.includes(folder));
    endOthers(own);
    return { folders: own, failed: outcome.state !== 'done' };
  } catch (error) {
    await leavePart(database, id, server).catch(() => undefined);
    const trouble = troubleOf(share, error);
    const { code, facts } = trouble;
    tell({ kind: 'finding', finding: troubleFinding(server, trouble, folders) });
    const lost = folders.map((folder) => nothingDone({ code: folder, due: [] }, 'failed', { code, facts }));
    endOthers(lost);
    if (whole.stop !== undefined) whole.stop.requested = true;
    return { folders: lost, failed: true };
  } finally {
    // Also where its folders did not begin; who has passed already is not meant.
    gate?.pass(server.name, canaries);
  }
}

/** It may have left a login shut that somebody was changing. */
async function forget(across: Across, member: OpenedServer, server: Server, run: string): Promise<void> {
  const { database } = across.home.opened;
  const settled = await settledThere(member.opened.database, [run]).catch(() => []);
  await (settled.length === 0 ? leavePart(database, run, server) : forgetParts(database, server, settled)).catch(() => undefined);
}

/** Events without a folder that are told of every server: somebody waits for something there. */
const OF_A_SERVER: readonly RunEvent['kind'][] = ['run-waiting', 'tasks-waiting', 'changes-waiting', 'sessions'];

/** What is about the whole run is told once, and what happens to mirrors is not told as if it happened to their originals. */
function isAbout(event: RunEvent, mirrors: readonly string[]): boolean {
  if (event.kind === 'finding') return !mirrors.includes(event.finding.folder ?? '');
  if (OF_A_SERVER.includes(event.kind)) return true;
  return 'folder' in event && !mirrors.includes(event.folder);
}
