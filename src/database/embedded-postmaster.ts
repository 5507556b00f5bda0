// The PostgreSQL server process of a data directory: started or adopted, watched until it ends, stopped.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readlink, realpath, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../base/errors.ts';
import type { Binaries } from './embedded-binaries.ts';
import { errorCode, exists, filesOf, giveToOwner, lastLines, readIfThere, sizeOf, writePrivate } from './embedded-files.ts';
import type { Place } from './embedded-place.ts';

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** Resolves when the process has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** Ends all sessions, writes what is in memory and ends: nothing to recover next time. */
  stop(): Promise<void>;
}

const POLL = 5;
/** A killed server's sessions notice it only when they next wait; until then the data directory stays in use. */
const PATIENCE_AFTER_CRASH = 15_000;
/** A fast shutdown only takes long when the disk does; then the next start recovers instead. */
const PATIENCE_STOP = 60_000;
const LOG_LIMIT = 8 * 1024 * 1024;

/** Nothing inherited: neither passwords (PGPASSWORD) nor settings (PGOPTIONS) of the caller reach the server. */
export const SERVER_ENVIRONMENT: NodeJS.ProcessEnv = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

const SETTINGS: readonly string[] = [
  'listen_addresses=127.0.0.1',
  // No socket files: their path is limited to about 100 bytes, a home directory is not.
  'unix_socket_directories=',
  'password_encryption=scram-sha-256',
  'max_connections=100',
  // All or none of the folders: a transaction waits for each of them, or for several where they are more.
  'max_prepared_transactions=500',
  // One transaction touches every table of a folder, and all of them can wait at once. The server makes room for this number times the sum of
  // the two above: 240,000 locks are about 45 MB, half of it touched at the start.
  'max_locks_per_transaction=400',
  'wal_level=minimal',
  'max_wal_senders=0',
  'shared_buffers=128MB',
  'jit=off',
  'timezone=UTC',
  'log_timezone=UTC',
  'log_checkpoints=off',
  // A statement that fails can contain a password.
  'log_min_error_statement=panic',
];

/**
 * The server of the data directory, ready for sessions: the one that runs, or a new one.
 * @throws Failure `embedded-start`, with the end of the server's log
 */
export async function bringUp(place: Place, binaries: Binaries): Promise<Postmaster> {
  const files = filesOf(place.directory);
  // Neither a missing postmaster.pid nor the state in pg_control would prove that no process of a killed server is left: a start that
  // fails takes the first away, and a server killed while starting has not yet changed the second. Hence a mark of our own.
  const crashed = await exists(files.running);
  await writeFile(files.running, '', { mode: 0o600 });
  await giveToOwner(files.running);
  await forgetStalePidFile(files.data);
  const deadline = Date.now() + (crashed ? PATIENCE_AFTER_CRASH : 0);
  for (let attempt = 1; ; attempt++) {
    const logged = await sizeOf(files.serverLog);
    const server = (await adopt(place)) ?? (await start(place, binaries, attempt));
    if (server !== undefined) return server;
    // Three times even after a clean stop: the port may be taken between its choice and its use.
    if (attempt >= 3 && Date.now() > deadline) {
      // Not every later command shall wait as long.
      await rm(files.running, { force: true });
      throw new Failure('embedded-start', { directory: files.data, log: await lastLines(files.serverLog, logged) });
    }
    await sleep(Math.min(attempt * 10, 200));
  }
}

/** The server that already runs, whoever started it, once it is ready; undefined when there is none or it ended meanwhile. */
export async function adopt(place: Place): Promise<Postmaster | undefined> {
  const { data } = filesOf(place.directory);
  const found = await runningPostmaster(data);
  if (found === undefined) return undefined;
  const { pid } = found;
  const ended = (async () => {
    while (await stillRuns(data, pid)) await sleep(POLL * 4);
  })();
  return ready(place, pid, ended);
}

async function start(place: Place, binaries: Binaries, attempt: number): Promise<Postmaster | undefined> {
  const files = filesOf(place.directory);
  const port = await choosePort(attempt === 1 ? Number(await readIfThere(files.port)) : 0);
  const log = await open(files.serverLog, 'a', 0o600);
  try {
    if ((await log.stat()).size > LOG_LIMIT) await truncate(files.serverLog);
    await giveToOwner(files.serverLog);
    const args = ['-D', files.data, ...[...SETTINGS, `port=${port}`].flatMap((setting) => ['-c', setting])];
    // Its own session: a Ctrl-C meant for a terminal's processes must not end it.
    const child = spawn(binaries.postgres, args, {
      ...place.user,
      cwd: '/',
      env: SERVER_ENVIRONMENT,
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    });
    const ended = once(child, 'exit').then(() => undefined);
    ended.catch(() => undefined);
    if (child.pid === undefined) await ended;
    const server = await ready(place, child.pid ?? 0, ended);
    // Only a preference for the next time.
    if (server !== undefined) await writePrivate(files.port, `${server.port}\n`).catch(() => undefined);
    return server;
  } catch (error) {
    const code = errorCode(error);
    throw new Failure('embedded-start', { directory: files.data, reason: code }, error);
  } finally {
    await log.close();
  }
}

/** Waits for the server to accept sessions; it says so in its own file, which costs it no connection. */
async function ready(place: Place, pid: number, ended: Promise<void>): Promise<Postmaster | undefined> {
  let gone = false;
  ended.then(
    () => {
      gone = true;
    },
    () => {
      gone = true;
    },
  );
  while (!gone) {
    const state = await readPidFile(filesOf(place.directory).data);
    if (state?.pid === pid && state.ready) return { pid, port: state.port, ended, stop: () => stop(place, pid, ended) };
    await sleep(POLL);
  }
  return undefined;
}

async function stop(place: Place, pid: number, ended: Promise<void>): Promise<void> {
  signal(pid, 'SIGINT');
  const late = setTimeout(() => signal(pid, 'SIGQUIT'), PATIENCE_STOP);
  await ended;
  clearTimeout(late);
  // A server that ends in order waits for all its processes and removes its file; one that was killed meanwhile does neither.
  const { data, running } = filesOf(place.directory);
  if ((await readPidFile(data))?.pid !== pid) await rm(running, { force: true });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

interface PidFile {
  readonly pid: number;
  readonly port: number;
  readonly ready: boolean;
}

/** postmaster.pid: line 1 the process, line 4 the port, line 8 its state, padded with blanks. */
async function readPidFile(data: string): Promise<PidFile | undefined> {
  const lines = (await readIfThere(join(data, 'postmaster.pid')))?.split('\n');
  const pid = Number(lines?.[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines?.[3]), ready: lines?.[7]?.trim() === 'ready' };
}

/** What postmaster.pid says, when that process exists and is the server of this directory. */
export async function runningPostmaster(data: string): Promise<PidFile | undefined> {
  const file = await readPidFile(data);
  return file !== undefined && processExists(file.pid) && (await isServerOf(file.pid, data)) ? file : undefined;
}

/**
 * Whether the process is the server of this directory. A number can come back as another process after a restart of the machine or the
 * container, and that one must be neither waited for nor stopped. A server works in its data directory, and was started with it.
 */
async function isServerOf(pid: number, data: string): Promise<boolean> {
  const directory = await workingDirectory(pid);
  if (directory !== 'EACCES') return directory === (await realpath(data));
  const ps = spawn('ps', ['-p', String(pid), '-o', 'command='], { stdio: ['ignore', 'pipe', 'ignore'], env: SERVER_ENVIRONMENT });
  ps.on('error', () => undefined);
  return (await text(ps.stdout)).includes(`postgres -D ${data}`);
}

/** The directory, or the code of the error: a process that has ended and waits to be collected has none (ENOENT). */
async function workingDirectory(pid: number): Promise<string> {
  return process.platform === 'linux' ? readlink(`/proc/${pid}/cwd`).catch(errorCode) : 'EACCES';
}

/** For a server that was recognised before: cheap enough to ask all the time. */
async function stillRuns(data: string, pid: number): Promise<boolean> {
  return (await readPidFile(data))?.pid === pid && processExists(pid) && (await workingDirectory(pid)) !== 'ENOENT';
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // Without the right to signal it, it is not a server of ours either.
    return false;
  }
}

/** Removes a postmaster.pid whose number now belongs to some other process: PostgreSQL would refuse to start. Only for the keeper. */
async function forgetStalePidFile(data: string): Promise<void> {
  const file = await readPidFile(data);
  if (file === undefined || !processExists(file.pid) || (await isServerOf(file.pid, data))) return;
  await rm(join(data, 'postmaster.pid'), { force: true });
}

/** The preferred port when nobody listens there, else a free one. */
async function choosePort(preferred: number): Promise<number> {
  const wanted = Number.isInteger(preferred) && preferred > 0 && preferred < 65_536 ? preferred : 0;
  const probe = createServer();
  try {
    probe.listen(wanted, '127.0.0.1');
    await once(probe, 'listening');
    const address = probe.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  } catch (error) {
    if (wanted === 0) throw error;
    return choosePort(0);
  } finally {
    if (probe.listening) {
      probe.close();
      await once(probe, 'close');
    }
  }
}
