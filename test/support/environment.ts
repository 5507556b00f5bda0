// An environment of one's own for a test: a fresh database, an open Rustine, a directory for patches; gone when the test ends.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, escapeIdentifier } from 'pg';
import { onTestFinished } from 'vitest';
import type { Settings } from '../../src/app/config.ts';
import type { FolderOptions, InitOptions, IntegrateOptions, Rustine } from '../../src/app/rustine.ts';
import { openRustine } from '../../src/app/rustine.ts';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import { queryAt } from './connected.ts';
import type { Element, PatchOptions } from './patches.ts';
import { writePatchFile } from './patches.ts';
import { createDatabase, creation, type TestDatabase, type TestServer, testDatabase } from './servers.ts';
import { copyOf, hasTemplates } from './templates.ts';

export { connected, queryAt } from './connected.ts';

/** Runs when the test or the file ends, the last one first. */
export type Later = (work: () => Promise<void>) => void;

export interface TestEnvironment {
  readonly url: string;
  readonly database: string;
  readonly home: string;
  /** Where patch files go. */
  readonly directory: string;
  readonly rustine: Rustine;
  /** Rows of a statement, as the superuser. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Writes a patch file. @returns its path */
  patch(file: string, elements: readonly Element[], options?: PatchOptions): Promise<string>;
  /** Integrates and expects a run that did all it was asked. */
  integrate(paths: string | readonly string[], options?: Partial<IntegrateOptions>): Promise<RunOutcome>;
  /** Runs when the environment goes. */
  readonly later: Later;
  /** Folders below the supervisor folder or the one that the options name. */
  folders(codes: readonly string[], options?: FolderOptions): Promise<void>;
}

export interface EnvironmentOptions {
  /** What `init` is told; `false`: no `init`. */
  readonly init?: InitOptions | false;
  /** Folders to create below the supervisor folder. */
  readonly folders?: readonly string[];
  readonly jobs?: number;
  /** Besides home, database and language. */
  readonly settings?: Partial<Settings>;
  readonly later?: Later;
  /** Another URL than the superuser's, made from it. */
  readonly as?: (superuser: string, database: string) => Promise<string>;
}

/** @param options `later` defaults to the end of the running test */
export async function openEnvironment(
  server: TestServer | undefined,
  options: EnvironmentOptions = {},
): Promise<TestEnvironment> {
  const later = options.later ?? onTestFinished;
  const copied = server !== undefined && options.as === undefined && options.init !== false && hasTemplates(server);
  const {
    url: superuser,
    name,
    drop,
  } = copied ? await copyOfSuch(server, options.init ?? {}, options.folders ?? []) : await createDatabase(server);
  later(drop);
  const url = options.as === undefined ? superuser : await options.as(superuser, name);
  const environment = await attach(url, name, later, { jobs: options.jobs ?? 2, ...options.settings }, superuser);
  if (copied) return environment;
  if (options.init !== false) await environment.rustine.init(options.init ?? {});
  if (options.folders !== undefined) await environment.folders(options.folders);
  return environment;
}

/** A database with an environment as it is after `init` and the creation of folders; one with folders begins as one without. */
function copyOfSuch(server: TestServer, init: InitOptions, folders: readonly string[]): Promise<TestDatabase> {
  return copyOf(server, JSON.stringify([init, folders]), async () => {
    const after: (() => Promise<void>)[] = [];
    const none = folders.length === 0;
    const { url, name } = none ? await createDatabase(server) : await copyOfSuch(server, init, []);
    const { rustine } = await attach(url, name, (work) => void after.unshift(work), {});
    await (none ? rustine.init(init) : rustine.createFolders(folders, {}));
    for (const work of after) await work();
    return name;
  });
}

/** An environment in a database that is there already. */
async function attach(
  url: string,
  database: string,
  later: Later,
  settings: Partial<Settings>,
  superuser = url,
): Promise<TestEnvironment> {
  const home = await mkdtemp(join(tmpdir(), 'rustine-env-'));
  later(() => rm(home, { recursive: true, force: true }));
  const rustine = await openRustine({ home, database: url, language: 'en', ...settings });
  later(() => rustine.close().catch(() => undefined));
  const directory = join(home, 'patches');
  return {
    url,
    database,
    home,
    directory,
    rustine,
    later,
    query: (text, values) => queryAt(superuser, text, values),
    patch: (file, elements, options) => writePatchFile(directory, file, elements, options),
    integrate: async (paths, options) => {
      const outcome = await rustine.integrate({
        paths: typeof paths === 'string' ? [paths] : paths,
        mode: 'integrate',
        ...options,
      });
      if (outcome.state !== 'done') throw new Error(`the run ended ${outcome.state}: ${JSON.stringify(outcome.findings)}`);
      return outcome;
    },
    folders: async (codes, options) => {
      await rustine.createFolders(codes, options ?? {});
    },
  };
}

/** An environment as another one is to which nobody is connected any more: much faster than making it. */
export async function cloneEnvironment(
  server: TestServer | undefined,
  original: string,
  later: Later,
  settings: Partial<Settings> = {},
): Promise<TestEnvironment> {
  const { url, name } = await cloneDatabase(server, original, later);
  return attach(url, name, later, { jobs: 2, ...settings });
}

/** URL of a user who owns the database and may create roles, and no more: for `as` in {@link EnvironmentOptions}. */
export async function databaseOwner(superuser: string, database: string): Promise<string> {
  const owner = `${database}_owner`;
  await queryAt(superuser, `create role ${escapeIdentifier(owner)} login password 'secret' createrole`);
  await queryAt(superuser, `alter database ${escapeIdentifier(database)} owner to ${escapeIdentifier(owner)}`);
  const url = new URL(superuser);
  url.username = owner;
  url.password = 'secret';
  return url.href;
}

/** Somebody else who holds a lock on a folder's table `item` until the test ends. */
export async function itemHolder(env: TestEnvironment, folder: string): Promise<Client> {
  const client = new Client({ connectionString: env.url, application_name: 'nightly' });
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  await client.query('begin');
  await client.query(`select count(*) from ${folder}.item`);
  return client;
}

/** A copy of a database that nobody is connected to: much faster than `init` and `folder create`. Its folders' roles are the original's. */
export async function cloneDatabase(server: TestServer | undefined, original: string, later: Later): Promise<TestDatabase> {
  if (server === undefined) throw new Error('no server');
  const database = testDatabase(server);
  await queryAt(server.url, creation(database.name, original));
  later(database.drop);
  return database;
}
