// The small files of the embedded server's directory: what they are called, how they are written and read.
import { randomBytes } from 'node:crypto';
import { chown, lstat, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The names inside the directory of one embedded server. */
export function filesOf(directory: string) {
  return {
    data: join(directory, 'data'),
    /** Password of the superuser `rustine`. */
    password: join(directory, 'password'),
    /** Where the running keeper listens. */
    card: join(directory, 'keeper.json'),
    /** Held locked by the keeper as long as it lives. */
    lock: join(directory, 'keeper.lock'),
    keeperLog: join(directory, 'keeper.log'),
    serverLog: join(directory, 'server.log'),
    /** Process id of the server that was asked to stay. */
    pin: join(directory, 'pinned'),
    /** There from before the server starts until it has stopped in order. */
    running: join(directory, 'running'),
    /** The port last used, taken again when it is free: addresses survive a restart. */
    port: join(directory, 'port'),
  } as const;
}

export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}

export async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

/** The text of a file, or undefined when there is none; other errors are thrown. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Root writes on behalf of the directory's owner, who must be able to read the file without being root. */
export async function giveToOwner(path: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const owner = await stat(dirname(path));
  if (owner.uid !== 0) await chown(path, owner.uid, owner.gid);
}

/** Writes a file that only its owner can read; readers see the old or the new content, never a part. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const fresh = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    const file = await open(fresh, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await giveToOwner(fresh);
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

/** Makes a rename inside the directory durable: without it a power cut could take the new name away again. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The last lines of a log, not looking back beyond `from`: for the facts of a failure. */
export async function lastLines(path: string, from = 0): Promise<string[]> {
  const text = (await readFile(path).catch(() => Buffer.alloc(0))).subarray(from).toString().trimEnd();
  return text === '' ? [] : text.split('\n').slice(-10);
}

export async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
