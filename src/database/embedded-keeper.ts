// The keeper: a process of its own that runs the embedded server as long as somebody is connected to it.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bug, Failure } from '../base/errors.ts';
import { findBinaries } from './embedded-binaries.ts';
import { ensureCluster } from './embedded-cluster.ts';
import { filesOf, readIfThere, writePrivate } from './embedded-files.ts';
import { takeLock } from './embedded-lock.ts';
import type { Place } from './embedded-place.ts';
import { adopt, bringUp, type Postmaster } from './embedded-postmaster.ts';
import { type Reply, receive, send } from './embedded-wire.ts';

type Phase =
  | { readonly name: 'starting' }
  | { readonly name: 'ready'; readonly server: Postmaster }
  | { readonly name: 'failed'; readonly reply: Reply }
  | { readonly name: 'stopping' };

const POLL = 10;
/** Clients are processes on this machine that speak at once. */
const JOIN_WITHIN = 5_000;

async function main(place: Place, mode: string): Promise<void> {
  process.umask(0o077);
  const files = filesOf(place.directory);
  const starter = starterGone();
  const lock = await waitForLock(files.lock, starter);
  if (lock === undefined) return;
  if (mode === 'adopt' && (await adopt(place)) === undefined) return;
  await keep(place, starter);
  lock.giveBack();
}

/** Whoever started us holds our input open until it has joined a keeper. */
function starterGone(): { gone: boolean; readonly left: Promise<void> } {
  const state = { gone: false, left: Promise.resolve() };
  process.stdin.resume();
  process.stdin.on('error', () => undefined);
  state.left = new Promise((resolve) => {
    process.stdin.once('close', () => {
      state.gone = true;
      resolve();
    });
  });
  return state;
}

async function waitForLock(path: string, starter: { readonly gone: boolean }): Promise<{ giveBack(): void } | undefined> {
  for (; !starter.gone; await sleep(POLL)) {
    const lock = await takeLock(path);
    if (lock !== undefined) return lock;
  }
  return undefined;
}

/** From the first client to the last: returns when the server has stopped and all files say so. */
async function keep(place: Place, starter: { readonly gone: boolean; readonly left: Promise<void> }): Promise<void> {
  const files = filesOf(place.directory);
  const token = randomBytes(24).toString('base64url');
  const users = new Set<Socket>();
  const leaving = new Set<Socket>();
  let phase: Phase = { name: 'starting' };
  let pinned = false;
  let joined = false;
  let done: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });

  const endIfUnused = (): void => {
    // Before anybody has joined, the one who started us counts; afterwards only connections do.
    if (users.size > 0 || pinned || (!joined && !starter.gone)) return;
    if (phase.name === 'ready') void end(phase.server);
    if (phase.name === 'failed') void end(undefined);
  };
  const end = async (server: Postmaster | undefined): Promise<void> => {
    phase = { name: 'stopping' };
    // First unpublished, then stopped: who comes now waits for our lock with a keeper of its own.
    await rm(files.card, { force: true }).catch(complain);
    listener.close();
    for (const socket of users) socket.destroy();
    await server?.stop();
    await rm(files.pin, { force: true }).catch(complain);
    done();
  };
  const drop = (socket: Socket): void => {
    if (users.delete(socket)) endIfUnused();
  };
  const answer = async (socket: Socket, verb: unknown): Promise<void> => {
    if (phase.name !== 'ready') return;
    if (verb === 'pin') {
      await writePrivate(files.pin, `${phase.server.pid}\n`);
      pinned = true;
      send(socket, { state: 'pinned' });
      return;
    }
    if (verb === 'stop') {
      await rm(files.pin, { force: true });
      pinned = false;
    }
    // Nothing is awaited from here on: the answer is true when it is given.
    if (users.size > 1 || pinned) send(socket, { state: verb === 'stop' ? 'in-use' : 'left' });
    else leaving.add(socket);
    drop(socket);
  };
  const welcome = (socket: Socket): void => {
    joined = true;
    users.add(socket);
    send(socket, { state: 'welcome' });
    if (phase.name === 'ready') send(socket, { state: 'ready', port: phase.server.port });
    if (phase.name === 'failed') send(socket, phase.reply);
  };

  const listener = await listen((socket) => {
    const late = setTimeout(() => socket.destroy(), JOIN_WITHIN);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(late);
      leaving.delete(socket);
      drop(socket);
    });
    receive(socket, (message) => {
      if (users.has(socket))
        answer(socket, message.verb).catch((error) => {
          complain(error);
          socket.destroy();
        });
      else if (phase.name === 'stopping' || message.verb !== 'join' || !sameText(message.token, token)) socket.destroy();
      else {
        clearTimeout(late);
        welcome(socket);
      }
    });
  });
  void starter.left.then(endIfUnused);
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (phase.name === 'ready') void end(phase.server);
    });
  }
  await writePrivate(files.card, `${JSON.stringify({ pid: process.pid, port: portOf(listener), token })}\n`);

  try {
    const server = await prepare(place);
    pinned = Number(await readIfThere(files.pin)) === server.pid;
    phase = { name: 'ready', server };
    for (const socket of users) send(socket, { state: 'ready', port: server.port });
    // It ended without us: whoever is connected learns it from the closed connection, and starts it again if it wants to.
    void server.ended.then(() => {
      if (phase.name === 'ready') void end(undefined);
    });
  } catch (error) {
    const failure = error instanceof Failure ? error : new Failure('embedded-keeper', { reason: String(error) }, error);
    phase = { name: 'failed', reply: { state: 'failed', code: failure.code, facts: failure.facts } };
    for (const socket of users) send(socket, phase.reply);
  }
  endIfUnused();
  await finished;
  for (const socket of leaving) socket.end(`${JSON.stringify({ state: 'stopped' } satisfies Reply)}\n`);
}

async function prepare(place: Place): Promise<Postmaster> {
  const running = await adopt(place);
  if (running !== undefined) return running;
  const binaries = await findBinaries(place.user);
  await ensureCluster(place, binaries);
  return bringUp(place, binaries);
}

async function listen(take: (socket: Socket) => void): Promise<Server> {
  const listener = createServer(take);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return listener;
}

/** For the log: what goes wrong here is nobody's answer, and must not keep the server from being stopped. */
function complain(error: unknown): void {
  console.error(error);
}

function portOf(listener: Server): number {
  const address = listener.address();
  if (typeof address !== 'object' || address === null) throw new Bug('a TCP listener without a port');
  return address.port;
}

function sameText(given: unknown, expected: string): boolean {
  if (typeof given !== 'string' || given.length !== expected.length) return false;
  return timingSafeEqual(Buffer.from(given), Buffer.from(expected));
}

const { mode, ...place } = JSON.parse(process.argv[2] ?? '{}') as Place & { readonly mode: string };
await main(place, mode);
// Timers and sockets that are still open have no task any more.
process.exit(0);
