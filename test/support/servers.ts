// The database servers of a test run, and databases of one's own in them.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Client, escapeIdentifier } from 'pg';
import { inject } from 'vitest';
import { openEmbedded, stopEmbedded } from '../../src/database/embedded.ts';
import { findBinaries } from '../../src/database/embedded-binaries.ts';
import { serverUser } from '../../src/database/embedded-user.ts';
import { connected, queryAt } from './connected.ts';
import { serverPlace } from './server-place.ts';

export interface TestServer {
  readonly name: 'PostgreSQL 18 (embedded)' | 'PostgreSQL 15';
  /** Superuser, maintenance database. */
  readonly url: string;
}

export interface TestDatabase {
  /** Superuser, the new database. */
  readonly url: string;
  readonly name: string;
  /** Drops the database, whoever is connected, and the roles whose names start with `<database>_`. */
  drop(): Promise<void>;
}

/** All servers of this run; where a story needs a second one, it takes the last. */
export function servers(): readonly TestServer[] {
  return inject('servers');
}

/** `npm test` and `npm run test:15` share the suite, which would take longer than ten minutes in one piece; absent: all of it. */
const part = process.env.RUSTINE_TEST_PART;

/** For `describe.each`: what may differ between versions of PostgreSQL runs on each. */
export function everyServer(): readonly TestServer[] {
  if (part === 'first') return servers().slice(0, 1);
  return part === 'again' ? servers().slice(1) : servers();
}

/** For `describe.each`: what does not differ between versions of PostgreSQL runs on one. */
export function oneServer(): readonly TestServer[] {
  return part === 'again' ? [] : servers().slice(0, 1);
}

/** An empty database with a random name: tests run side by side without seeing each other. */
export async function createDatabase(server: TestServer | undefined): Promise<TestDatabase> {
  if (server === undefined) throw new Error('no server');
  const database = testDatabase(server);
  await queryAt(server.url, creation(database.name, 'template0'));
  return database;
}

/** A name and how it is reached; the database is still to be created. */
export function testDatabase(server: TestServer): TestDatabase {
  const name = `t${randomBytes(6).toString('hex')}`;
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return { url: url.href, name, drop: () => dropDatabase(server, name) };
}

/**
 * The statement that makes a database. By files: in memory a third of the work that writing each page to the log is; and copied by way of the log,
 * unlogged tables have broken indexes after a crash.
 */
export const creation = (name: string, template: string): string =>
  `CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(template)} STRATEGY file_copy`;

async function dropDatabase(server: TestServer, name: string): Promise<void> {
  await connected(server.url, async (client) => {
    await endPrepared(server, name, client);
    await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`);
    const roles = await client.query<{ rolname: string }>('SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)', [
      `${name}_`,
    ]);
    for (const { rolname } of roles.rows) await client.query(`DROP ROLE ${escapeIdentifier(rolname)}`);
  });
}

/** A prepared transaction that nobody ended keeps a database alive; it can only be ended from inside. */
async function endPrepared(server: TestServer, name: string, client: Client): Promise<void> {
  const prepared = await client.query<{ gid: string }>('SELECT gid FROM pg_prepared_xacts WHERE database = $1', [name]);
  const own = Object.assign(new URL(server.url), { pathname: `/${name}` }).href;
  for (const { gid } of prepared.rows) await queryAt(own, `ROLLBACK PREPARED '${gid.replaceAll("'", "''")}'`);
}

/**
 * A home directory that the server's user can enter also when the tests run as root (mkdtemp makes it 0700, and then the data would be
 * placed outside of it). `remove` stops what runs there, as far as nobody else holds it.
 */
export async function temporaryHome(
  prefix = 'rustine-test-',
  place = tmpdir(),
): Promise<{ readonly home: string; remove(): Promise<void> }> {
  const home = await mkdtemp(join(place, prefix));
  await chmod(home, 0o711);
  return {
    home,
    remove: async () => {
      // A server that cannot start cannot be stopped either.
      await stopEmbedded(home).catch(() => undefined);
      const pointer = await readFile(join(home, 'postgres', 'where.json'), 'utf8').catch(() => '{}');
      const elsewhere: unknown = JSON.parse(pointer).directory;
      if (typeof elsewhere === 'string') await rm(elsewhere, { recursive: true, force: true });
      await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    },
  };
}

type StartedServer = TestServer & { stop(): Promise<void> };

export async function startEmbedded(): Promise<StartedServer> {
  const { home, remove } = await temporaryHome('rustine-run-', await serverPlace());
  const server = await openEmbedded(home).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  // As on the other server: whatever is killed here is a process, and what those wrote the system has. A third of the tests' time.
  await connected(server.url, async (client) => {
    for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit'])
      await client.query(`ALTER SYSTEM SET ${setting} = off`);
    await client.query('SELECT pg_reload_conf()');
  });
  return {
    name: 'PostgreSQL 18 (embedded)',
    url: server.url,
    stop: async () => {
      await server.release();
      await remove();
    },
  };
}

/** A server of the test's own, of the version that is embedded, with settings of its own. */
export async function startWith(settings: readonly string[]): Promise<StartedServer> {
  const { postgres } = await findBinaries(await serverUser(await stat(tmpdir())));
  return startProgram('PostgreSQL 18 (embedded)', dirname(postgres), settings);
}

export const startPostgres15 = (binaries: string): Promise<StartedServer> => startProgram('PostgreSQL 15', binaries, []);

/** In a process of its own that ends with us, so that a test run that is killed leaves no server behind. */
async function startProgram(
  serverName: TestServer['name'],
  binaries: string,
  settings: readonly string[],
): Promise<StartedServer> {
  const program = join(import.meta.dirname, 'server-program.ts');
  const child = spawn(process.execPath, [program, binaries, ...settings], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const line = once(createInterface({ input: child.stdout }), 'line');
  const [url] = (await Promise.race([line, ended])) as [unknown];
  if (typeof url !== 'string') throw new Error(`${serverName} did not start`);
  return {
    name: serverName,
    url,
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
