// A client's hold on the running server: its connection to the keeper, who is started when there is none.
import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { extname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Failure } from '../base/errors.ts';
import { errorCode, filesOf, giveToOwner, lastLines, readIfThere } from './embedded-files.ts';
import type { Place } from './embedded-place.ts';
import { type Card, parseCard, type Reply, type Request, receive, send } from './embedded-wire.ts';

/** As long as it is open, the keeper keeps the server running. The end of the process, however it ends, closes it. */
export interface Hold {
  readonly port: number;
  readonly closed: Promise<void>;
  /** The keeper's answer, undefined when it has gone without one. */
  ask(verb: 'leave' | 'pin' | 'stop'): Promise<Reply | undefined>;
}

/** `open`: starts the server when it does not run. `adopt`: only a server that runs. */
export type JoinMode = 'open' | 'adopt';

const POLL = 10;
/** How long a keeper may take to say a word; only a stranger on its port, or a suspended keeper, takes that long. */
const WELCOME_WITHIN = 5_000;

/**
 * Joins the keeper of the place; undefined only in mode `adopt`, when there is no server.
 * @throws Failure as the keeper reports it, or `embedded-keeper` when it ends without a word
 */
export async function join(place: Place, mode: JoinMode): Promise<Hold | undefined> {
  let candidate: ChildProcess | undefined;
  try {
    for (let failures = 0; ; await sleep(POLL)) {
      const hold = await joinPublished(place);
      if (hold !== undefined) return hold;
      if (candidate === undefined) {
        candidate = await startKeeper(place, mode);
      } else if (candidate.exitCode !== null || candidate.signalCode !== null) {
        if (candidate.exitCode === 0 && mode === 'adopt') return undefined;
        // Exit code 0: it did its work and stopped again before we got to it, because another client came and left.
        // Killed: somebody else's doing, rarely repeated. By itself: it will do so again.
        if (candidate.exitCode !== 0) failures += candidate.exitCode === null ? 1 : 4;
        if (failures >= 12) {
          const log = await lastLines(filesOf(place.directory).keeperLog);
          throw new Failure('embedded-keeper', {
            directory: place.directory,
            exit: candidate.exitCode ?? candidate.signalCode,
            log,
          });
        }
        candidate = undefined;
      }
    }
  } finally {
    // From now on our connection counts, or we have given up: a candidate without a task leaves.
    candidate?.stdin?.destroy();
  }
}

async function joinPublished(place: Place): Promise<Hold | undefined> {
  const card = parseCard((await readIfThere(filesOf(place.directory).card)) ?? '');
  return card === undefined || !processExists(card.pid) ? undefined : joinKeeper(card);
}

/** A killed keeper leaves its card behind, and its port to whoever comes. EPERM: it exists, as another user's. */
function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** Undefined: this keeper is gone, or going. */
async function joinKeeper(card: Card): Promise<Hold | undefined> {
  const socket = createConnection({ host: '127.0.0.1', port: card.port });
  const { next, closed } = replies(socket);
  send(socket, { verb: 'join', token: card.token } satisfies Request);
  const late = setTimeout(() => socket.destroy(), WELCOME_WITHIN);
  const welcome = await next();
  clearTimeout(late);
  if (welcome?.state !== 'welcome') {
    socket.destroy();
    return undefined;
  }
  const reply = await next();
  if (reply?.state !== 'ready') socket.destroy();
  if (reply?.state === 'failed') throw new Failure(reply.code, reply.facts);
  if (reply?.state !== 'ready') return undefined;
  // A process that has nothing else to do must be able to end without a release.
  socket.unref();
  return {
    port: reply.port,
    closed,
    ask: async (verb) => {
      socket.ref();
      send(socket, { verb });
      const answer = await next();
      if (verb === 'pin') socket.unref();
      else socket.destroy();
      return answer;
    },
  };
}

/** The replies one by one; undefined when the connection has ended. */
function replies(socket: Socket): { next(): Promise<Reply | undefined>; closed: Promise<void> } {
  const arrived: Reply[] = [];
  let ended = false;
  let wake: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      ended = true;
      wake();
      resolve();
    });
  });
  socket.on('error', () => undefined);
  receive(socket, (message) => {
    // The token has proved that this is our keeper, which speaks this language.
    arrived.push(message as unknown as Reply);
    wake();
  });
  const next = async (): Promise<Reply | undefined> => {
    while (arrived.length === 0 && !ended) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return arrived.shift();
  };
  return { next, closed };
}

/**
 * Starts a process that becomes the keeper as soon as nobody else is. Until a client has joined it lives only as long as we hold its
 * input open: killed clients leave no waiting candidates behind.
 */
async function startKeeper(place: Place, mode: JoinMode): Promise<ChildProcess> {
  // The same extension as this file: TypeScript from the sources, JavaScript from the release.
  const program = fileURLToPath(new URL(`./embedded-keeper${extname(fileURLToPath(import.meta.url))}`, import.meta.url));
  const { keeperLog } = filesOf(place.directory);
  const log = await open(keeperLog, 'a', 0o600);
  try {
    await giveToOwner(keeperLog);
    const task = JSON.stringify({ ...place, mode });
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, task], {
      cwd: '/',
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
      stdio: ['pipe', log.fd, log.fd],
      detached: true,
    });
    child.on('error', () => undefined);
    child.stdin?.on('error', () => undefined);
    child.unref();
    return child;
  } finally {
    await log.close();
  }
}
