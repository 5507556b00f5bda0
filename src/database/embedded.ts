// The default database: a PostgreSQL of our own under the home directory, shared by all processes that use this home.
import { setTimeout as sleep } from 'node:timers/promises';
import { Bug, Failure } from '../base/errors.ts';
import { OWNER } from './embedded-cluster.ts';
import { exists, filesOf, readIfThere } from './embedded-files.ts';
import { type Hold, join } from './embedded-hold.ts';
import { findPlace, makePlace, type Place } from './embedded-place.ts';
import { runningPostmaster } from './embedded-postmaster.ts';

export interface EmbeddedServer {
  /** `postgresql://rustine:password@127.0.0.1:port/rustine`, a superuser. Contains the password: not for logs. */
  readonly url: string;
  /** Leaves. The last one to leave waits until the server has stopped cleanly, unless it is pinned. */
  release(): Promise<void>;
}

/**
 * The embedded server of a home directory, started when it does not run yet (the first time it is created).
 * It runs until the last process that opened it has released it or ended, in whatever way.
 * @throws Failure `embedded-place`, `embedded-user`, `embedded-binaries`, `embedded-init`, `embedded-version`, `embedded-start`, `embedded-keeper`
 */
export async function openEmbedded(home: string): Promise<EmbeddedServer> {
  const place = await makePlace(home);
  let hold = await opened(place);
  let url = await urlOf(place, hold.port);
  let rejoining: Promise<void> = Promise.resolve();
  let released: Promise<void> | undefined;

  // The keeper was killed, or the server was: without a keeper nobody counts us any more, and the next process to leave would stop the
  // server under our sessions. The port stays the same wherever possible, so a connection pool finds a restarted server again.
  const watch = async (since: number): Promise<void> => {
    await hold.closed;
    if (released !== undefined) return;
    const now = Date.now();
    if (now - since < 1_000) await sleep(1_000, undefined, { ref: false });
    if (released !== undefined) return;
    rejoining = (async () => {
      hold = await opened(place);
      url = await urlOf(place, hold.port);
      void watch(now);
    })();
    // Whoever uses the database next gets the error that matters.
    await rejoining.catch(() => undefined);
  };
  void watch(0);

  return {
    get url() {
      return url;
    },
    release: () => {
      released ??= rejoining.catch(() => undefined).then(() => leave(place, hold));
      return released;
    },
  };
}

/** Keeps the server running after the last process has left, until `stopEmbedded` or the end of the machine. */
export async function pinEmbedded(home: string): Promise<void> {
  const place = await makePlace(home);
  const hold = await opened(place);
  const reply = await hold.ask('pin');
  if (reply?.state !== 'pinned') throw new Failure('embedded-keeper', { directory: place.directory, asked: 'pin' });
  await hold.ask('leave');
}

/** Unpins the server. `in-use`: somebody else holds it, and it stops when they leave. */
export async function stopEmbedded(home: string): Promise<'stopped' | 'not-running' | 'in-use'> {
  const place = await findPlace(home);
  if (place === undefined) return 'not-running';
  const files = filesOf(place.directory);
  // A keeper publishes itself before it starts the server; it unpublishes itself before it stops it.
  if (!(await exists(files.card)) && (await runningPostmaster(files.data)) === undefined) return 'not-running';
  const hold = await join(place, 'adopt');
  if (hold === undefined) return 'not-running';
  const reply = await hold.ask('stop');
  return reply?.state === 'in-use' ? 'in-use' : 'stopped';
}

async function opened(place: Place): Promise<Hold> {
  const hold = await join(place, 'open');
  if (hold === undefined) throw new Bug('the keeper declined to start');
  return hold;
}

async function leave(place: Place, hold: Hold): Promise<void> {
  if ((await hold.ask('leave')) !== undefined) return;
  // The keeper was killed meanwhile: a server that runs without one is stopped by a new keeper.
  if ((await runningPostmaster(filesOf(place.directory).data)) === undefined) return;
  const again = await join(place, 'adopt');
  await again?.ask('leave');
}

async function urlOf(place: Place, port: number): Promise<string> {
  const password = (await readIfThere(filesOf(place.directory).password))?.trim();
  if (password === undefined) throw new Failure('embedded-place', { path: filesOf(place.directory).password, reason: 'ENOENT' });
  return `postgresql://${OWNER}:${password}@127.0.0.1:${port}/${OWNER}`;
}
