// An environment on two servers, the further one behind a proxy that can be cut.
import { onTestFinished } from 'vitest';
import { openRustine, type Rustine } from '../../src/app/rustine.ts';
import type { TestEnvironment } from './environment.ts';
import { openEnvironment, queryAt } from './environment.ts';
import type { ServerProxy } from './proxy.ts';
import { openProxy } from './proxy.ts';
import { createDatabase, type TestServer } from './servers.ts';

export interface Two extends TestEnvironment {
  /** Superuser of the further server's database. */
  readonly north: string;
  readonly proxy: ServerProxy;
  at<Row extends object>(text: string): Promise<Row[]>;
}

/** X3 and LOC here; FAR on NORTH, which is reached through a proxy. */
export async function twoServers(server: TestServer, further: TestServer | undefined, folders = true): Promise<Two> {
  const { url, drop } = await createDatabase(further ?? server);
  onTestFinished(drop);
  const proxy = await openProxy(url);
  onTestFinished(() => proxy.close());
  const env = await openEnvironment(server, { settings: { servers: { NORTH: proxy.url } } });
  await env.rustine.addServer('north', proxy.url);
  if (folders) {
    await env.folders(['LOC']);
    await env.folders(['FAR'], { server: 'NORTH' });
  }
  return { ...env, north: url, proxy, at: (text) => queryAt(url, text) };
}

/** The same environment for another program, NORTH without its proxy. */
export async function reopened(env: Two, servers: Readonly<Record<string, string>> = {}): Promise<Rustine> {
  const rustine = await openRustine({
    home: env.home,
    database: env.url,
    language: 'en',
    servers: { NORTH: env.north, ...servers },
  });
  onTestFinished(() => rustine.close());
  return rustine;
}

/** Folder → what it came to. */
export const statesOf = (outcome: {
  readonly folders: readonly { readonly folder: string; readonly state: string }[];
}): Readonly<Record<string, string>> => Object.fromEntries(outcome.folders.map(({ folder, state }) => [folder, state]));
