// The verb `revert` over several servers: checked everywhere before anything changes anywhere, then folders on further servers, their mirrors, the environment's own.
import type { Finding } from '../base/finding.ts';
import { folderCode } from '../base/ids.ts';
import type { RevertElsewhere } from '../batch/revert-run.ts';
import type { StartedRun } from '../batch/started-run.ts';
import { readFolders } from '../environment/catalog.ts';
import type { Directory, Server } from '../environment/servers.ts';
import type { RunEvent } from '../journal/journal.ts';
import { forgetParts, leavePart, notePart, settledThere } from '../journal/left-elsewhere.ts';
import type { FolderOutcome, RunOutcome } from '../journal/outcome.ts';
import { emptyOutcome } from '../journal/outcome.ts';
import { joinedBelow } from '../plan/revert-checks.ts';
import type { Across } from './across-servers.ts';
import { mirrorsOf, serversBelow } from './mirrors.ts';
import type { OpenedServer } from './opened-server.ts';
import { checkFile, foldersWith, knownFiles, nowhere, type RevertOptions } from './reverts.ts';
import { troubleFinding } from './server-outcome.ts';
import { troubleOf } from './server-part.ts';

/** Folders of the run on one further server. */
interface RevertShare {
  readonly server: Server;
  /** undefined: it does not answer, which `trouble` says. */
  readonly member: OpenedServer | undefined;
  readonly folders: readonly string[];
  /** Those that stand for folders of the environment's own server that are given. */
  readonly mirrors: readonly string[];
  readonly trouble: readonly Finding[];
}

/** The run there: it waits when it is checked. */
interface RevertThere {
  readonly share: RevertShare;
  readonly checked: Promise<readonly Finding[]>;
  readonly outcome: Promise<RunOutcome>;
  /** @param findings those that block after all */
  goOn(findings: readonly Finding[], tell: (event: RunEvent) => void): void;
}

/** @throws Refusal `revert-file-path`, `revert-nowhere`, `folder-unknown` */
export async function revertAcross(across: Across, options: RevertOptions): Promise<RunOutcome> {
  const { file } = options;
  checkFile(file);
  const directory = await across.directory();
  if (directory.folders.length === 0) return across.home.verbs.revert(options);
  const { database } = across.home.opened;
  const having = await foldersWith(database, file);
  const wanted = options.folders?.map(folderCode);
  const isFar = (code: string): boolean => directory.folders.some((folder) => folder.code === code);
  const here = wanted === undefined ? having : wanted.filter((code) => !isFar(code));
  const above = here.filter((code) => having.includes(code));
  const all = await readFolders(database);
  const shares: RevertShare[] = [];
  const known = [...(await knownFiles(database))];
  for (const server of directory.servers) {
    const given = directory.folders.flatMap(({ code, server: name }) =>
      name === server.name && (wanted === undefined || wanted.includes(code as never)) ? [code] : [],
    );
    const concerned = above.some((code) => serversBelow(code, all, directory).some(({ name }) => name === server.name));
    if (given.length === 0 && !concerned) continue;
    const share = await shareOf(across, server, given, above, file, wanted === undefined);
    if (share.member !== undefined) known.push(...(await knownFiles(share.member.opened.database)));
    if (share.folders.length + share.mirrors.length + share.trouble.length > 0) shares.push(share);
  }
  if (above.length === 0 && !shares.some(({ folders, trouble }) => folders.length + trouble.length > 0))
    throw nowhere(file, known);
  return across.home.revert(
    { ...options, folders: here },
    {
      elsewhere: shares.flatMap(({ folders }) => folders),
      far: (started) => Promise.resolve(elsewhereOf(across, shares, options, started, parentsOf(all, directory))),
    },
  );
}

const parentsOf = (
  all: readonly { readonly code: string; readonly parent: string | null }[],
  { folders }: Directory,
): ReadonlyMap<string, string | null> => new Map([...all, ...folders].map(({ code, parent }) => [code, parent]));

async function shareOf(
  across: Across,
  server: Server,
  given: readonly string[],
  above: readonly string[],
  file: string,
  all: boolean,
): Promise<RevertShare> {
  try {
    const member = await across.open(server);
    const having = await foldersWith(member.opened.database, file);
    const mirrors = (await mirrorsOf(member))
      .map(({ code }) => code)
      .filter((code) => above.includes(code) && having.includes(code));
    const folders = all ? given.filter((code) => having.includes(code)) : given;
    return { server, member, folders, mirrors, trouble: [] };
  } catch (error) {
    // Whether its folders have the patch nobody can say.
    const trouble = troubleFinding(server, troubleOf({ server, folders: given }, error), given);
    return { server, member: undefined, folders: given, mirrors: [], trouble: [trouble] };
  }
}

function elsewhereOf(
  across: Across,
  shares: readonly RevertShare[],
  options: RevertOptions,
  started: StartedRun,
  parents: ReadonlyMap<string, string | null>,
): RevertElsewhere {
  const { database } = across.home.opened;
  const parts: RevertThere[] = [];
  let begun = false;
  return {
    ready: async () => {
      const found: Finding[] = shares.flatMap(({ trouble }) => trouble);
      for (const share of shares) {
        if (share.member === undefined) continue;
        await notePart(database, started.id, share.server, started.lease.process);
        const part = revertThere(share, share.member, options, started);
        parts.push(part);
        try {
          found.push(...(await part.checked));
        } catch (error) {
          found.push(troubleFinding(share.server, troubleOf(share, error), share.folders));
        }
      }
      return joinedBelow(distinct(found));
    },
    revert: async (tell) => {
      begun = true;
      for (const { goOn } of parts) goOn([], tell);
      const ended = await Promise.all(parts.map((part) => endOf(across, part, options.file, started.id, tell)));
      const kept = ended.flatMap((each) => each.kept);
      return {
        folders: ended.flatMap(({ folders }) => folders),
        failed: ended.some(({ failed }) => failed),
        above: keptBelow(kept, parents),
      };
    },
    abandon: async () => {
      if (!begun) for (const { goOn } of parts) goOn([GIVEN_UP], () => undefined);
      await Promise.allSettled(parts.map(({ outcome }) => outcome));
      if (!begun) for (const { share } of parts) await leavePart(database, started.id, share.server).catch(() => undefined);
    },
  };
}

const GIVEN_UP: Finding = { code: 'revert-given-up', severity: 'block', facts: {} };

/** What is about the whole run is told once. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}

/** Folder → those below it, on other servers, that still have the patch. */
function keptBelow(kept: readonly string[], parents: ReadonlyMap<string, string | null>): ReadonlyMap<string, readonly string[]> {
  const below = new Map<string, string[]>();
  for (const code of kept) {
    const seen = new Set<string>();
    for (let at: string | null = code; at !== null && !seen.has(at); at = parents.get(at) ?? null) {
      seen.add(at);
      below.set(at, [...(below.get(at) ?? []), code]);
    }
  }
  return below;
}

/** Under the same number, and stopped with the whole run. */
function revertThere(
  share: RevertShare,
  member: OpenedServer,
  options: RevertOptions,
  { id, cancelling }: StartedRun,
): RevertThere {
  const checked = Promise.withResolvers<readonly Finding[]>();
  const go = Promise.withResolvers<readonly Finding[]>();
  let tell: ((event: RunEvent) => void) | undefined;
  const before = options.listener ?? (() => undefined);
  const listener = (event: RunEvent): void => {
    if (!isAbout(event, share.mirrors)) return;
    // What is found before it begins is told with the whole run.
    if (tell === undefined && event.kind === 'finding') return;
    (tell ?? before)(event);
  };
  const outcome = member.revert(
    {
      ...options,
      folders: [...share.mirrors, ...share.folders],
      cancel: cancelling.soft,
      abort: cancelling.hard,
      listener,
    },
    {
      id,
      hold: (findings) => {
        checked.resolve(findings);
        return go.promise;
      },
    },
  );
  outcome.then(({ findings }) => checked.resolve(findings), checked.reject);
  checked.promise.catch(() => undefined);
  return {
    share,
    checked: checked.promise,
    outcome,
    goOn: (findings, told) => {
      tell = told;
      go.resolve(findings);
    },
  };
}

interface Ended {
  readonly folders: readonly FolderOutcome[];
  readonly failed: boolean;
  /** Folders and mirrors there that still have the patch. */
  readonly kept: readonly string[];
}

async function endOf(
  across: Across,
  { share, outcome }: RevertThere,
  file: string,
  run: string,
  tell: (event: RunEvent) => void,
): Promise<Ended> {
  const { database } = across.home.opened;
  const { server, folders, mirrors, member } = share;
  try {
    const { state, folders: ended } = await outcome;
    const settled = member === undefined ? [] : await settledThere(member.opened.database, [run]).catch(() => []);
    await (settled.length === 0 ? leavePart(database, run, server) : forgetParts(database, server, settled)).catch(
      () => undefined,
    );
    const kept = ended.flatMap((each) => (each.state === 'reverted' ? [] : [each.folder]));
    return { folders: ended.filter(({ folder }) => !mirrors.includes(folder)), failed: state !== 'done', kept };
  } catch (error) {
    await leavePart(database, run, server).catch(() => undefined);
    const trouble = troubleOf(share, error);
    tell({ kind: 'finding', finding: troubleFinding(server, trouble, folders) });
    const reason = { code: trouble.code, facts: trouble.facts };
    const lost = folders.map(
      (folder): FolderOutcome => ({
        folder,
        state: 'failed',
        due: false,
        patches: [{ ...emptyOutcome(file, 'failed', 0), reason }],
      }),
    );
    for (const { folder } of lost) tell({ kind: 'folder-finished', folder, state: 'failed' });
    return { folders: lost, failed: true, kept: [...folders, ...mirrors] };
  }
}

/** Events without a folder that are told of every server: somebody waits for something there. */
const OF_A_SERVER: readonly RunEvent['kind'][] = ['run-waiting', 'tasks-waiting', 'changes-waiting', 'sessions'];

/** What is about the whole run is told once, and what happens to mirrors is not told as if it happened to their originals. */
function isAbout(event: RunEvent, mirrors: readonly string[]): boolean {
  if (event.kind === 'finding') return !mirrors.includes(event.finding.folder ?? '');
  if (OF_A_SERVER.includes(event.kind)) return true;
  return 'folder' in event && !mirrors.includes(event.folder);
}
