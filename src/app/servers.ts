// The verbs about further servers: adding one, listing them, forgetting one; and opening them when they are needed.
import { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { serverName } from '../base/ids.ts';
import type { Database } from '../database/database.ts';
import { openPostgres } from '../database/postgres.ts';
import { sql } from '../database/sql.ts';
import { passwordRefused } from '../database/unreachable.ts';
import { readFolders } from '../environment/catalog.ts';
import { openEnvironment } from '../environment/environment.ts';
import { joinEnvironment, type Membership, readMembership } from '../environment/member.ts';
import type { FolderElsewhere, Server } from '../environment/servers.ts';
import { deleteServer, insertServer, lockServer, readDirectory } from '../environment/servers.ts';
import { unsettledRuns } from '../journal/left-elsewhere.ts';
import { bringDecisions, forgetSettled } from '../journal/participants.ts';
import { isDatabaseUrl } from './config.ts';
import { settleDirectory } from './directory.ts';
import type { OpenedServer } from './opened-server.ts';
import type { Opened } from './rustine.ts';
import { urlOf, withoutPassword } from './server-url.ts';

export interface ServerView {
  readonly name: string;
  /** Without its password. */
  readonly url: string;
  readonly state: 'reachable' | 'unreachable';
  /** Why it cannot be reached. */
  readonly reason: string | null;
  /** Of PostgreSQL; null where it cannot be reached. */
  readonly version: string | null;
  readonly folders: readonly string[];
  /** Ancestors that are mirrored there; null where it cannot be reached. */
  readonly mirrors: readonly string[] | null;
}

export interface ServerVerbs {
  addServer(name: string, url: string): Promise<{ readonly server: ServerView; readonly findings: readonly Finding[] }>;
  servers(): Promise<readonly ServerView[]>;
  server(name: string): Promise<ServerView>;
  /** URL of the environment's database there. @throws Refusal `server-unknown` */
  serverUrl(name: string): Promise<string>;
  /** Refused while folders live there, or something that runs left there is not settled; its database stays as it is. */
  dropServer(name: string): Promise<{ readonly name: string; readonly url: string }>;
  /** What the verbs so far could not look at because a server did not answer, or could not carry over to it. */
  missed(): readonly Finding[];
}

/** Connections for looking at a server before it is one of the environment's. */
const FEW = 2;

export interface Members {
  /** The same one each time. @throws Failure `server-unreachable`, `server-not-member` */
  open(server: Server): Promise<OpenedServer>;
  /** Its URL as it was given, for as long as this program runs: the catalog does not hold the password. */
  remember(name: string, url: string): void;
  close(): Promise<void>;
}

export function members(
  { opened: { settings, database } }: OpenedServer,
  openOne: (settings: Opened['settings'], expected: Membership) => Promise<OpenedServer>,
): Members {
  const open = new Map<string, Promise<OpenedServer>>();
  const given = new Map(Object.entries(settings.servers ?? {}));
  const start = async (server: Server): Promise<OpenedServer> => {
    const own = await readMembership(database);
    const { from: _, ...rest } = settings;
    const url = urlOf(server, Object.fromEntries(given));
    const member = await openOne({ ...rest, database: url }, { environment: own?.environment ?? '', server: server.name }).catch(
      (error: unknown) => {
        throw unreachable(server, error);
      },
    );
    try {
      // An earlier version may have made it: nothing else there can be read before.
      await openEnvironment(member.opened.database);
      await settleDirectory(database, server, member.opened.database);
      // What a run over several servers left there follows what is decided here.
      await bringDecisions(database, member.opened.database);
      await forgetSettled(database, member.opened.database, server.number);
      return member;
    } catch (error) {
      await member.verbs.close();
      throw error;
    }
  };
  return {
    open: (server) => {
      const known = open.get(server.name);
      if (known !== undefined) return known;
      const started = start(server);
      open.set(server.name, started);
      // It may answer the next time.
      started.catch(() => open.delete(server.name));
      return started;
    },
    remember: (name, url) => {
      if (!given.has(name)) given.set(name, url);
    },
    close: async () => {
      for (const each of await Promise.allSettled(open.values())) if (each.status === 'fulfilled') await each.value.verbs.close();
    },
  };
}

/** What is not about the connection stays what it is. */
export function unreachable({ name, url }: Server, error: unknown): unknown {
  if (!(error instanceof Failure) || !['database-unreachable', 'database-lost'].includes(error.code)) return error;
  return new Failure(
    'server-unreachable',
    { server: name, url: withoutPassword(url), reason: String(error.facts.reason) },
    error,
  );
}

/** The server is known here once its database is a member: whatever a crash leaves between the two, adding it again mends. */
export async function addServer(
  { opened }: OpenedServer,
  nameText: string,
  url: string,
): Promise<{ readonly server: Server; readonly findings: readonly Finding[] }> {
  const { database, operator, settings } = opened;
  const name = serverName(nameText);
  if (!isDatabaseUrl(url)) throw new Refusal('database-url', { source: '<url>' });
  const { supervisor } = await openEnvironment(database);
  const environment = (await readMembership(database))?.environment ?? '';
  const shown = withoutPassword(url);
  let candidate: Database;
  try {
    candidate = await openPostgres(url, FEW);
  } catch (error) {
    throw unreachable({ name, url: shown, number: 0 }, error);
  }
  try {
    // One that was a server of this environment before may be of another version: found out before anything is noted.
    if ((await readMembership(candidate))?.environment === environment) await openEnvironment(candidate);
    const server = await database.transaction(async (session) => {
      const server = await insertServer(session, name, shown, operator);
      const { servers } = await readDirectory(session);
      const others = servers.flatMap((each) => (each.name === name ? [] : [each.name]));
      await candidate.transaction((there) => joinEnvironment(there, environment, supervisor, server, others));
      return server;
    });
    const { roles } = await openEnvironment(candidate);
    const findings: Finding[] = [];
    if (!roles) {
      const [row] = await candidate.query<{ user: string }>(sql`select current_user as user`);
      findings.push({ code: 'roles-unavailable', severity: 'warn', facts: { user: row?.user ?? '' } });
    }
    const refused = url !== shown && (await passwordRefused(urlOf(server, settings.servers)).catch((error: unknown) => error));
    if (refused instanceof Failure) {
      const facts = { server: name, variable: `RUSTINE_SERVER_${name}_URL` };
      findings.push({ code: 'server-password', severity: 'warn', subject: name, facts });
    }
    return { server, findings };
  } finally {
    await candidate.close();
  }
}

/**
 * What runs left there would be nobody's any more: it is settled first.
 * @param settle opens the server and settles it
 * @throws Refusal `server-in-use`, `server-unsettled`
 */
export async function forgetServer(
  { opened: { database } }: OpenedServer,
  nameText: string,
  settle: (server: Server) => Promise<void>,
): Promise<Server> {
  await openEnvironment(database);
  const server = knownServer((await readDirectory(database)).servers, nameText);
  let reason = '';
  if ((await unsettledRuns(database)).has(server.number))
    await settle(server).catch((error: unknown) => {
      if (!(error instanceof Failure) && !(error instanceof Refusal)) throw error;
      reason = typeof error.facts.reason === 'string' ? error.facts.reason : error.code;
    });
  await database.transaction(async (session) => {
    await lockServer(session, server);
    const runs = (await unsettledRuns(session)).get(server.number);
    if (runs !== undefined) throw new Refusal('server-unsettled', { server: server.name, runs, reason });
    await deleteServer(session, server);
  });
  return server;
}

/** @throws Refusal `server-unknown` */
export function knownServer(servers: readonly Server[], text: string): Server {
  const name = serverName(text);
  const server = servers.find((each) => each.name === name);
  if (server === undefined) throw new Refusal('server-unknown', { server: name, known: servers.map((each) => each.name) });
  return server;
}

export async function viewServer(members: Members, server: Server, elsewhere: readonly FolderElsewhere[]): Promise<ServerView> {
  const folders = elsewhere.filter((folder) => folder.server === server.name).map(({ code }) => code);
  const { name, url } = server;
  try {
    const { database } = (await members.open(server)).opened;
    const [row] = await database.query<{ version: string }>(sql`select current_setting('server_version') as version`);
    const mirrors = (await readFolders(database)).flatMap((folder) => (folder.mirror === true ? [folder.code] : []));
    return { name, url, folders, state: 'reachable', reason: null, version: row?.version ?? '', mirrors };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const reason = typeof error.facts.reason === 'string' ? error.facts.reason : error.code;
    return { name, url, folders, state: 'unreachable', reason, version: null, mirrors: null };
  }
}
