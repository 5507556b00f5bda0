// The verbs over all servers of an environment: each goes to the server where its folder lives, those about all folders to all servers.
import { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { folderCode } from '../base/ids.ts';
import type { Recovery, StepOutcome } from '../batch/recovery.ts';
import { readFolders } from '../environment/catalog.ts';
import { KEPT_PER_SERVER, type Membership } from '../environment/member.ts';
import type { Directory, Server } from '../environment/servers.ts';
import { readDirectory } from '../environment/servers.ts';
import { unsettledRuns } from '../journal/left-elsewhere.ts';
import type { RunFolderView } from '../journal/run-views.ts';
import { checkAcross } from './checks-across.ts';
import type { Settings } from './config.ts';
import { decideAcross } from './decisions-across.ts';
import { compareAcross } from './elements.ts';
import type { Place } from './folders-elsewhere.ts';
import { changeElsewhere, checkSide, createElsewhere, dropElsewhere, elsewhereView, viewElsewhere } from './folders-elsewhere.ts';
import { changeMirrors, notCarried, serversBelow } from './mirrors.ts';
import type { OpenedServer } from './opened-server.ts';
import { queueAcross } from './queue-across.ts';
import { queueRun } from './queued-run.ts';
import { recoverMember } from './recovery-elsewhere.ts';
import type { FolderView, OneServer, Rustine } from './rustine.ts';
import { scriptsAcross } from './scripts-across.ts';
import { integrateAcross } from './server-run.ts';
import { addServer, forgetServer, knownServer, members, unreachable, viewServer } from './servers.ts';
import { sharesOf } from './shares.ts';
import { leftOnSilent, withLeft } from './silent-servers.ts';
import { taskVerbs } from './tasks.ts';
import { validateAcross } from './validations-across.ts';
import { carryOutWhole } from './whole-run.ts';

/** What verbs over several servers work with. */
export interface Across {
  readonly home: OpenedServer;
  directory(): Promise<Directory>;
  open(server: Server): Promise<OpenedServer>;
  /** Where the folder lives; undefined: on the environment's own server, or nowhere. */
  placeOf(folder: string | undefined): Promise<Place | undefined>;
  /** Asks every server; those that do not answer are noted and left out. */
  each<Result>(
    ask: (place: Place, folders: readonly string[]) => Promise<Result>,
    /** Numbers of servers that are asked although no folder lives there. */
    also?: ReadonlyMap<number, unknown>,
  ): Promise<readonly Result[]>;
  /** Why the server did not answer; undefined where it did. */
  silence(server: string): string | undefined;
  note(finding: Finding): void;
}

export function acrossServers(
  home: OpenedServer,
  openOne: (settings: Settings, expected: Membership) => Promise<OpenedServer>,
  /** What was settled on further servers when the environment was opened: told by whoever asks for the recovery first. */
  first: Recovery[] = [],
): Rustine {
  const { verbs } = home;
  const { database } = home.opened;
  const others = members(home, openOne);
  const missed = new Map<string, Finding>();
  const across: Across = {
    home,
    directory: () => readDirectory(database),
    open: others.open,
    placeOf: async (text) => {
      if (text === undefined) return undefined;
      const { servers, folders } = await readDirectory(database);
      const code = folders.length === 0 ? '' : folderCode(text);
      const folder = folders.find((each) => each.code === code);
      const server = servers.find(({ name }) => name === folder?.server);
      return server === undefined ? undefined : { server, member: await others.open(server) };
    },
    each: async (ask, also) => {
      const { servers, folders } = await readDirectory(database);
      const answers = servers.map(async (server) => {
        const own = folders.filter((folder) => folder.server === server.name).map(({ code }) => code);
        if (own.length === 0 && also?.has(server.number) !== true) return [];
        try {
          return [await ask({ server, member: await others.open(server) }, own)];
        } catch (error) {
          const lost = unreachable(server, error);
          if (!(lost instanceof Failure) || !['server-unreachable', 'server-not-member'].includes(lost.code)) throw error;
          const facts = { ...lost.facts, folders: own };
          missed.set(server.name, { code: lost.code, severity: 'warn', subject: server.name, facts });
          return [];
        }
      });
      return (await Promise.all(answers)).flat();
    },
    silence: (server) => {
      const finding = missed.get(server);
      return finding === undefined ? undefined : String(finding.facts?.reason ?? finding.code);
    },
    note: (finding) => missed.set(JSON.stringify(finding), finding),
  };
  /** The verbs of the server where the folder lives. */
  const at = async (folder: string | undefined): Promise<OneServer> => (await across.placeOf(folder))?.member.verbs ?? verbs;
  return {
    ...verbs,
    ...folderVerbs(across),
    ...keptVerbs(across),
    integrate: async (options) => {
      const shares = await sharesOf(across, options.folders);
      if (shares === undefined) return verbs.integrate(options);
      return integrateAcross(home, across.open, shares, options);
    },
    queue: async (options) => {
      const shares = await sharesOf(across, options.folders);
      return shares === undefined ? queueRun(home.opened, options) : queueAcross(across, shares, options);
    },
    follow: async (run, listener, stop, idle) => {
      const outcome = await verbs.follow(run, listener, stop, idle);
      if (outcome === undefined) return undefined;
      // What the trace does not say of folders elsewhere, their own server knows.
      const far = await across.each(async ({ member }, own) =>
        (await foldersOf(member, run)).filter(({ folder }) => own.includes(folder)),
      );
      const told = new Map(far.flat().map((each) => [each.folder, each.outcome]));
      return { ...outcome, folders: outcome.folders.map((folder) => told.get(folder.folder) ?? folder) };
    },
    tasks: taskVerbs(home.opened, {
      elsewhere: async () => (await across.directory()).folders.map(({ code }) => code),
      validate: (options) => validateAcross(across, options),
      carryOut: (row, how) => carryOutWhole(across, row, how),
    }),
    runs: {
      ...verbs.runs,
      show: async (start) => {
        const shown = await verbs.runs.show(start);
        // A run that is on one server only is not known on the others.
        const far = await across.each(async ({ member }, own) =>
          (await foldersOf(member, shown.run.run)).filter(({ folder }) => own.includes(folder)),
        );
        return { ...shown, folders: [...shown.folders, ...far.flat()] };
      },
    },
    check: async (options) => {
      const shares = await sharesOf(across, options.folders);
      return shares === undefined ? verbs.check(options) : checkAcross(across, shares, options);
    },
    elements: async (options) => (await at(options.folder)).elements(options),
    element: async (options) => (await at(options.folder)).element(options),
    compareElement: async (options) => {
      const [one, other] = [await across.placeOf(options.folder), await across.placeOf(options.against)];
      if (one?.server.name === other?.server.name) return (one?.member.verbs ?? verbs).compareElement(options);
      const [here, there] = [one?.member ?? home, other?.member ?? home];
      return compareAcross(here.opened, options.folder, there.opened, options.against, options.element, options.noise);
    },
    setElement: async (options) => {
      const place = await across.placeOf(options.folder);
      if (place !== undefined) return place.member.verbs.setElement(options);
      const set = await verbs.setElement(options);
      // What is created below a mirror starts with the original's values.
      for (const server of await below(across, set.folder))
        await others
          .open(server)
          .then((member) => member.verbs.setElement({ ...options, folder: set.folder }))
          .catch((error: unknown) => {
            if (!(error instanceof Failure) && !(error instanceof Refusal)) throw error;
            across.note(notCarried(set.folder, server, error));
          });
      return set;
    },
    recover: async () => {
      const here = await verbs.recover();
      const noted = await unsettledRuns(database);
      const there = await across.each(({ server, member }) => recoverMember(database, server, member), noted);
      const recovered = [...first.splice(0), ...there].reduce(together, here);
      return withLeft(recovered, await leftOnSilent(database, across.silence));
    },
    validate: (options) => validateAcross(across, options),
    decide: (options) => decideAcross(across, options),
    scripts: scriptsAcross(across),
    databaseUrl: async (folder) => (await at(folder)).databaseUrl(folder),
    addServer: async (name, url) => {
      const { server, findings } = await addServer(home, name, url);
      others.remember(server.name, url);
      return { server: await viewServer(others, server, []), findings };
    },
    servers: async () => {
      const { servers, folders } = await readDirectory(database);
      return Promise.all(servers.map((server) => viewServer(others, server, folders)));
    },
    server: async (name) => {
      const { servers, folders } = await readDirectory(database);
      return viewServer(others, knownServer(servers, name), folders);
    },
    dropServer: async (name) =>
      forgetServer(home, name, async (server) => void (await recoverMember(database, server, await others.open(server)))),
    missed: () => [...missed.values()],
    close: async () => {
      await others.close();
      await verbs.close();
    },
  };
}

/** A run that is not on that server is not known there. */
async function foldersOf({ verbs }: OpenedServer, run: string): Promise<readonly RunFolderView[]> {
  const there = await verbs.runs.show(run).catch((error: unknown) => {
    if (error instanceof Refusal && error.code === 'run-unknown') return undefined;
    throw error;
  });
  return there?.folders ?? [];
}

/** What was settled on both. */
function together(one: Recovery, other: Recovery): Recovery {
  const steps = Object.entries(one) as [keyof Recovery, StepOutcome][];
  return Object.fromEntries(
    steps.map(([step, { settled, left }]) => [
      step,
      { settled: [...new Set([...settled, ...other[step].settled])], left: [...left, ...other[step].left] },
    ]),
  ) as unknown as Recovery;
}

type FolderVerb = 'createFolders' | 'folders' | 'folder' | 'setFolder' | 'dropFolder';

function folderVerbs(across: Across): Pick<OneServer, FolderVerb> {
  const { home } = across;
  const { verbs } = home;
  const { database } = home.opened;
  return {
    createFolders: async (codes, options) => {
      const directory = await across.directory();
      const wanted = options.server === undefined ? undefined : knownServer(directory.servers, options.server);
      const parent = directory.folders.find(({ code }) => code === options.parent?.trim().toUpperCase());
      const server = wanted ?? directory.servers.find(({ name }) => name === parent?.server);
      if (server !== undefined) return createElsewhere(home, { server, member: await across.open(server) }, codes, options);
      if (directory.folders.length > 0 && options.historyOf !== undefined) {
        const here = await readFolders(database);
        const below = folderCode(options.parent ?? here[0]?.code ?? '');
        checkSide(directory, here, undefined, { folder: codes[0] ?? '', parent: below, historyOf: options.historyOf });
      }
      return verbs.createFolders(codes, options);
    },
    folders: () => allFolders(across),
    folder: async (code) => {
      const place = await across.placeOf(code);
      if (place === undefined) return verbs.folder(code);
      const listed = (await viewElsewhere(home, place)).find((view) => view.code === folderCode(code));
      return { ...(await place.member.verbs.folder(code)), ...(listed === undefined ? {} : within(listed)) };
    },
    setFolder: async (code, change) => {
      const place = await across.placeOf(code);
      if (place !== undefined) return changeElsewhere(home, place, folderCode(code), change);
      const directory = await across.directory();
      if (directory.folders.length > 0 && change.parent !== undefined)
        checkSide(directory, await readFolders(database), undefined, { folder: code, parent: folderCode(change.parent) });
      const changed = await verbs.setFolder(code, change);
      const servers = await below(across, changed.folder.code);
      const findings = await changeMirrors(home, across.open, servers, changed.folder.code, change);
      return { ...changed, findings: [...changed.findings, ...findings] };
    },
    dropFolder: async (code, options) => {
      const { folders } = await across.directory();
      const wanted = folders.length === 0 ? code : folderCode(code);
      const elsewhere = folders.find((each) => each.code === wanted);
      const place = await across.placeOf(code);
      if (elsewhere !== undefined && place !== undefined) return dropElsewhere(home, place, elsewhere, options);
      const children = folders.filter(({ parent }) => parent === wanted).map((child) => child.code);
      if (children.length > 0) throw new Refusal('folder-has-children', { folder: wanted, children });
      return verbs.dropFolder(code, options);
    },
  };
}

/** What only the listing over all servers knows. */
const within = ({ server, lag, due }: FolderView): Pick<FolderView, 'server' | 'lag' | 'due'> => ({ server, lag, due });

async function below(across: Across, code: string): Promise<readonly Server[]> {
  const directory = await across.directory();
  return directory.folders.length === 0 ? [] : serversBelow(code, await readFolders(across.home.opened.database), directory);
}

/** Level by level; of a server that does not answer as much as is known. */
async function allFolders(across: Across): Promise<readonly FolderView[]> {
  const here = await across.home.verbs.folders();
  if ((await across.directory()).folders.length === 0) return here;
  const there = (await across.each((place) => viewElsewhere(across.home, place))).flat();
  // Opening the servers may have settled what a command left that was killed.
  const { folders: elsewhere } = await across.directory();
  const silent = elsewhere.filter(({ code }) => !there.some((view) => view.code === code));
  // What they wait for there is said beside them.
  if (silent.length > 0)
    for (const finding of (await leftOnSilent(across.home.opened.database, across.silence)).pending) across.note(finding);
  const all = [...here, ...there, ...silent.map((folder) => elsewhereView(folder, across.silence(folder.server) !== undefined))];
  const parents = new Map(all.map(({ code, parent }) => [code, parent]));
  const depth = (code: string): number => {
    let steps = 0;
    for (let up = parents.get(code) ?? null; up !== null && steps < all.length; up = parents.get(up) ?? null) steps += 1;
    return steps;
  };
  return all.toSorted((a, b) => depth(a.code) - depth(b.code) || (a.code < b.code ? -1 : 1));
}

type KeptVerb = 'keptValues' | 'kept' | 'keptRows' | 'restoreKept' | 'purgeKept';

function keptVerbs(across: Across): Pick<OneServer, KeptVerb> {
  const { verbs } = across.home;
  /** Numbers of what is put aside say on which server it is. */
  const ofNumbers = async (ids: readonly number[]): Promise<OneServer> => {
    const numbers = [...new Set(ids.map((id) => Math.floor(id / KEPT_PER_SERVER)))];
    if (numbers.length > 1) throw new Refusal('kept-on-several-servers', { ids: ids.map(String) });
    const server = (await across.directory()).servers.find(({ number }) => number === numbers[0]);
    return server === undefined ? verbs : (await across.open(server)).verbs;
  };
  return {
    keptValues: async (options) => {
      const place = await across.placeOf(options.folder);
      if (place !== undefined) return place.member.verbs.keptValues(options);
      const here = await verbs.keptValues(options);
      if (options.folder !== undefined) return here;
      const there = await across.each(async ({ member }, own) =>
        (await member.verbs.keptValues(options)).filter(({ folder }) => own.includes(folder)),
      );
      return [...here, ...there.flat()];
    },
    kept: async (options) => {
      const place = await across.placeOf(options.folder);
      if (place !== undefined) return place.member.verbs.kept(options);
      const here = await verbs.kept(options);
      if (options.folder !== undefined) return here;
      const there = await across.each(async ({ member }, own) =>
        (await member.verbs.kept(options)).filter(({ folder }) => own.includes(folder)),
      );
      return [...here, ...there.flat()];
    },
    keptRows: async (id, limit) => (await ofNumbers([id])).keptRows(id, limit),
    restoreKept: async (ids, options) => (await ofNumbers(ids)).restoreKept(ids, options),
    purgeKept: async (options) => {
      if ('ids' in options) return (await ofNumbers(options.ids)).purgeKept(options);
      return ((await across.placeOf(options.folder))?.member.verbs ?? verbs).purgeKept(options);
    },
  };
}
