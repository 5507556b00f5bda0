// A validation over all servers, as one run: the folders of the environment's own server first, then those of each further one, with the mirrors that they follow.
import { Failure, Refusal } from '../base/errors.ts';
import { folderCode } from '../base/ids.ts';
import type { StartedRun } from '../batch/started-run.ts';
import { nothingDone, type RunValidation } from '../batch/validating.ts';
import type { Server } from '../environment/servers.ts';
import type { RunEvent } from '../journal/journal.ts';
import { forgetParts, leavePart, notePart, settledThere } from '../journal/left-elsewhere.ts';
import type { Across } from './across-servers.ts';
import { knownEnvironment } from './known-folders.ts';
import { mirrorsOf } from './mirrors.ts';
import type { OpenedServer } from './opened-server.ts';
import { troubleFinding } from './server-outcome.ts';
import { troubleOf } from './server-part.ts';
import { unreachable } from './servers.ts';
import { dueFolders, type ValidateOptions, type ValidationOutcome, validateFolders } from './validations.ts';

/** Folders of the run on one further server. */
interface FarShare {
  readonly server: Server;
  readonly folders: readonly string[];
}

interface FarPart {
  readonly folders: readonly RunValidation[];
  /** Whether something went wrong there. */
  readonly failed: boolean;
}

export async function validateAcross(across: Across, options: ValidateOptions): Promise<ValidationOutcome> {
  const { servers, folders: elsewhere } = await across.directory();
  const wanted = options.folders?.map(folderCode);
  const given = elsewhere.filter(({ code }) => wanted === undefined || wanted.includes(code as never));
  if (given.length === 0) return across.home.verbs.validate(options);
  const { opened } = across.home;
  // A name that nobody knows is refused there, before anything changes.
  const here =
    wanted?.filter((code) => !given.some((folder) => folder.code === code)) ??
    (await dueFolders(opened, (await knownEnvironment(opened.database)).folders)).map(({ code }) => code);
  const shares: FarShare[] = [];
  for (const server of servers) {
    const codes = given.filter((folder) => folder.server === server.name).map(({ code }) => code);
    const due = wanted === undefined ? await dueThere(across, server, codes) : codes;
    if (due.length > 0) shares.push({ server, folders: due });
  }
  const far = shares.flatMap(({ folders }) => folders);
  const first = options.first?.map(folderCode);
  if (first !== undefined) {
    const missing = first.filter((code) => ![...here, ...far].includes(code));
    if (missing.length > 0) throw new Refusal('first-not-given', { folders: missing, known: [...here, ...far] });
  }
  const mine = (codes: readonly string[]): Pick<ValidateOptions, 'folders' | 'first'> => ({
    folders: codes,
    ...(first === undefined ? {} : { first: first.filter((code) => codes.includes(code)) }),
  });
  return validateFolders(
    opened,
    { ...options, ...mine(here) },
    {
      elsewhere: far,
      others: (started) => ({
        validate: async (tell) => {
          const parts: FarPart[] = [];
          for (const share of shares) {
            const own = { ...options, ...mine(share.folders) };
            parts.push(await validateThere(across, share, here, own, started, tell));
          }
          return { folders: parts.flatMap(({ folders }) => folders), failed: parts.some(({ failed }) => failed) };
        },
      }),
    },
  );
}

/** Where the server does not answer, all of its folders are meant: nothing is known of them. */
async function dueThere(across: Across, server: Server, codes: readonly string[]): Promise<readonly string[]> {
  try {
    const { opened } = await across.open(server);
    const due = await dueFolders(opened, (await knownEnvironment(opened.database)).folders);
    return due.map(({ code }) => code).filter((code) => codes.includes(code));
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
  across: Across,
  { server, folders }: FarShare,
  here: readonly string[],
  options: ValidateOptions,
  { id, lease, cancelling }: StartedRun,
  tell: (event: RunEvent) => void,
): Promise<FarPart> {
  const { database } = across.home.opened;
  const told = new Map<string, RunValidation>();
  try {
    await notePart(database, id, server, lease.process);
    const member = await across.open(server);
    // What is validated here has to be so there, too, where it stands for its original.
    const mirrors = (await mirrorsOf(member)).flatMap(({ code }) => (here.includes(code) ? [code] : []));
    const outcome = await validateFolders(
      member.opened,
      {
        ...options,
        folders: [...mirrors, ...folders],
        cancel: cancelling.soft,
        abort: cancelling.hard,
        listener: (event) => {
          if (isAbout(event, mirrors)) tell(event);
        },
      },
      { id },
    );
    for (const folder of outcome.folders) told.set(folder.folder, folder);
    await forget(across, member, server, id);
    return { folders: folders.flatMap((code) => told.get(code) ?? []), failed: outcome.state !== 'done' };
  } catch (error) {
    await leavePart(database, id, server).catch(() => undefined);
    const { code, facts } = troubleOf({ server, folders }, error);
    tell({ kind: 'finding', finding: troubleFinding(server, troubleOf({ server, folders }, error), folders) });
    const lost = folders.map((folder) => nothingDone({ code: folder, due: [] }, 'failed', { code, facts }));
    for (const { folder } of lost) tell({ kind: 'folder-finished', folder, state: 'failed' });
    return { folders: lost, failed: true };
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
