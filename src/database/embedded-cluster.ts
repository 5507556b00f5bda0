// Creates the data directory of the embedded server: complete or not at all.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, chown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Failure } from '../base/errors.ts';
import type { Binaries } from './embedded-binaries.ts';
import { errorCode, exists, filesOf, syncDirectory, writePrivate } from './embedded-files.ts';
import type { Place } from './embedded-place.ts';
import { SERVER_ENVIRONMENT } from './embedded-postmaster.ts';

/** Superuser and database of the embedded server. */
export const OWNER = 'rustine';
const DRAFT = 'init-';

/**
 * The data directory is there after this, with the database `rustine`; only the keeper may call it.
 * @throws Failure `embedded-init`, `embedded-version`
 */
export async function ensureCluster(place: Place, binaries: Binaries): Promise<void> {
  const { data } = filesOf(place.directory);
  await removeDrafts(place.directory);
  if (await exists(data)) return checkVersion(data, binaries);
  await createCluster(place, binaries);
}

async function checkVersion(data: string, binaries: Binaries): Promise<void> {
  const version = (await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => '')).trim();
  if (version !== '' && version !== binaries.major) {
    throw new Failure('embedded-version', { directory: data, data: version, server: binaries.major });
  }
}

async function createCluster(place: Place, binaries: Binaries): Promise<void> {
  const files = filesOf(place.directory);
  const draft = join(place.directory, `${DRAFT}${randomBytes(4).toString('hex')}`);
  const data = join(draft, 'data');
  const passwordFile = join(draft, 'password');
  const password = randomBytes(24).toString('base64url');
  try {
    await mkdir(draft, { mode: 0o700 });
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (place.user !== undefined) {
      await chown(passwordFile, place.user.uid, place.user.gid);
      await chown(draft, place.user.uid, place.user.gid);
      await chmod(draft, 0o700);
    }
    // C.UTF-8 comes with the server: the same order of text on every machine, whatever its operating system knows.
    await run(place, binaries.initdb, [
      ...['-D', data, '-U', OWNER, '-E', 'UTF8', '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--no-instructions'],
      ...['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'],
    ]);
    // In single-user mode, so that the directory never exists without its database.
    await run(place, binaries.postgres, ['--single', '-j', '-D', data, 'template1'], `CREATE DATABASE ${OWNER};\n\n`);
    await writePrivate(files.password, `${password}\n`);
    await rename(data, files.data);
    await syncDirectory(place.directory);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const reason = errorCode(error);
    // No right to change the user, as in a container without other users.
    if (reason === 'EPERM' && place.user !== undefined)
      throw new Failure('embedded-user', { uid: place.user.uid, reason }, error);
    throw new Failure('embedded-init', { directory: place.directory, reason }, error);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** What a keeper that was killed left behind. Its initdb may still be writing; then the rest goes next time. */
async function removeDrafts(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name.startsWith(DRAFT)) await rm(join(directory, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

async function run(place: Place, program: string, args: readonly string[], input = ''): Promise<void> {
  const child = spawn(program, args, { ...place.user, cwd: '/', env: SERVER_ENVIRONMENT, stdio: ['pipe', 'ignore', 'pipe'] });
  const log = text(child.stderr);
  log.catch(() => undefined);
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  // 'close' and not 'exit': everything it said has arrived.
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Failure('embedded-init', { program, code, log: (await log).trimEnd().split('\n').slice(-10) });
}
