// Where the embedded server of a home directory lives, and as whom it runs there.
import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, link, mkdir, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { errorCode, exists, filesOf, readIfThere, writePrivate } from './embedded-files.ts';
import { canReach, type SystemUser, serverUser } from './embedded-user.ts';

export interface Place {
  /** The directory of the server: data, password, log and what its keeper writes. */
  readonly directory: string;
  /** Who the server runs as; undefined: as we are. */
  readonly user: SystemUser | undefined;
}

/** What root keeps for homes that the server's user cannot enter; also the copied binaries. */
export const SHARED_ROOT = '/var/lib/rustine';
const POINTER = 'where.json';

/** The place that was made for this home before, if any. Changes nothing. */
export async function findPlace(home: string): Promise<Place | undefined> {
  return guarded(home, async () => {
    const near = join(await realpath(home), 'postgres');
    const directory = await chosenBefore(near);
    return directory === undefined ? undefined : { directory, user: await userOf(directory) };
  });
}

/** The place for this home, made when it is not there yet. */
export async function makePlace(home: string): Promise<Place> {
  const place = await guarded(home, async () => {
    await mkdir(home, { recursive: true });
    const real = await realpath(home);
    const owner = await stat(real);
    const user = await serverUser(owner);
    const near = join(real, 'postgres');
    // The server's user only passes through: it owns the data directory, and nothing else here is readable for it.
    if ((await mkdir(near, { recursive: true, mode: user === undefined ? 0o700 : 0o711 })) !== undefined && user !== undefined) {
      await chmod(near, 0o711);
      await chown(near, owner.uid, owner.gid);
    }
    const before = await chosenBefore(near);
    if (before !== undefined) {
      await mkdir(before, { recursive: true, mode: 0o711 });
      return { directory: before, user: await userOf(before, user) };
    }
    if (user === undefined || (await canReach(near, user))) return { directory: near, user };
    return { directory: await placeElsewhere(real, near), user };
  });
  if (place === undefined) throw new Failure('embedded-place', { path: home, reason: 'ENOENT' });
  return place;
}

async function chosenBefore(near: string): Promise<string | undefined> {
  const pointer = await readIfThere(join(near, POINTER));
  if (pointer !== undefined) {
    const parsed: unknown = JSON.parse(pointer);
    if (typeof parsed === 'object' && parsed !== null && 'directory' in parsed && typeof parsed.directory === 'string') {
      return parsed.directory;
    }
    throw new Failure('embedded-place', { path: join(near, POINTER), reason: 'unreadable' });
  }
  return (await exists(filesOf(near).data)) ? near : undefined;
}

/** Existing data is served by its owner: PostgreSQL accepts nobody else. */
async function userOf(directory: string, otherwise?: SystemUser): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(filesOf(directory).data).catch(() => undefined);
  return owner === undefined ? otherwise : { uid: owner.uid, gid: owner.gid };
}

/**
 * A place outside the home, remembered by a pointer in the home. The name has a random part: a home that was deleted and made again
 * must not find the old data. Of several processes that choose at once, the first to link its pointer decides for all.
 */
async function placeElsewhere(realHome: string, near: string): Promise<string> {
  const hash = createHash('sha256').update(realHome).digest('hex').slice(0, 16);
  const directory = join(SHARED_ROOT, `${hash}-${randomBytes(4).toString('hex')}`);
  const draft = join(near, `${POINTER}.${randomBytes(4).toString('hex')}`);
  const note = 'The user that runs PostgreSQL cannot enter this home directory: the database is kept in `directory`.';
  await writePrivate(draft, `${JSON.stringify({ note, directory }, null, 2)}\n`);
  try {
    await link(draft, join(near, POINTER));
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const chosen = await chosenBefore(near);
  if (chosen === undefined) throw new Failure('embedded-place', { path: near, reason: 'pointer-lost' });
  // Explicitly: the mode given to mkdir is cut by the umask.
  await mkdir(chosen, { recursive: true });
  await chmod(SHARED_ROOT, 0o755);
  await chmod(chosen, 0o711);
  return chosen;
}

async function guarded(home: string, work: () => Promise<Place | undefined>): Promise<Place | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new Failure('embedded-place', { path: home, reason: errorCode(error) }, error);
  }
}
