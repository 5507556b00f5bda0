// The verbs over all servers of an environment: each goes to the server where its folder lives, those about all folders to all servers.
import { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { folderCode } from '../base/ids.ts';
import type { Recovery, StepOutcome } from '../batch/recovery.ts';
import type { Membership } from '../environment/member.ts';
import type { Directory, Server } from '../environment/servers.ts';
import { readDirectory } from '../environment/servers.ts';
import { unsettledRuns } from '../journal/left-elsewhere.ts';
import { type RunFolderView, readFarFolders } from '../journal/run-views.ts';
import { withoutEnded } from '../journal/settling.ts';
import { checkAcross } from './checks-across.ts';
import type { Settings } from './config.ts';
import { decideAcross } from './decisions-across.ts';
import { compareAcross } from './elements.ts';
import { below, folderVerbs } from './folders-across.ts';
import type { Place } from './folders-elsewhere.ts';
import { historyAcross } from './history-across.ts';
import { keptVerbs } from './kept-across.ts';
import { notCarried } from './mirrors.ts';
import type { OpenedServer } from './opened-server.ts';
import { queueAcross } from './queue-across.ts';
import { queueRun } from './queued-run.ts';
import { recoverMember } from './recovery-elsewhere.ts';
import { revertAcross } from './reverts-across.ts';
import type { OneServer, Rustine } from './rustine.ts';
import { scriptsAcross } from './scripts-across.ts';
import { integrateAcross } from './server-run.ts';
import { addServer, forgetServer, knownServer, members, unreachable, viewServer } from './servers.ts';
import { sharesOf } from './shares.ts';
import { leftOnSilent, withLeft } from './silent-servers.ts';
import { taskVerbs } from './tasks.ts';
import { validateAcross } from './validations-across.ts';
import { verifyAcross } from './verification.ts';
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
    history: (options) => historyAcross(across, options),
    revert: (options) => revertAcross(across, options),
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
        // Where the run did not come to a server, or that does not answer, the trace here says what became of its folders.
        const told = new Set(far.flat().map(({ folder }) => folder));
        const untold = (await readFarFolders(database, shown.run.run)).filter(({ folder }) => !told.has(folder));
        return { ...shown, folders: [...shown.folders, ...far.flat(), ...untold] };
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
      const all = [...first.splice(0), ...there].reduce(together, here);
      const recovered = { ...all, runs: { ...all.runs, settled: await withoutEnded(database, all.runs.settled) } };
      return withLeft(recovered, await leftOnSilent(database, across.silence));
    },
    validate: (options) => validateAcross(across, options),
    verify: (options) => verifyAcross(across, options),
    decide: (options) => decideAcross(across, options),
    scripts: scriptsAcross(across),
    serverUrl: async (name) => {
      const server = knownServer((await readDirectory(database)).servers, name);
      return (await others.open(server)).verbs.databaseUrl();
    },
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
