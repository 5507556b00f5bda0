// The system user the embedded server runs as: PostgreSQL refuses to run as root.
import { spawn } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../base/errors.ts';

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

const NAME = 'postgres';

/**
 * Who the server runs as for a home directory with this owner; undefined: as we are.
 * As root it is the owner of the home directory (`sudo` in somebody's home), and when this is root too, the user `postgres`.
 * @throws Failure `embedded-user`
 */
export async function serverUser(owner: SystemUser): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  if (owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return (await lookUp(NAME)) ?? (await create());
}

async function lookUp(name: string): Promise<SystemUser | undefined> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const fields = passwd
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
    ?.split(':');
  const uid = Number(fields?.[2]);
  const gid = Number(fields?.[3]);
  return Number.isInteger(uid) && uid > 0 && Number.isInteger(gid) ? { uid, gid } : undefined;
}

async function create(): Promise<SystemUser> {
  const args = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent', '--shell', '/bin/false', NAME];
  await new Promise<void>((resolve) => {
    const child = spawn('useradd', args, { stdio: 'ignore', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } });
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  // Looked up again whatever useradd said: another process may have created the user at the same moment.
  const user = await lookUp(NAME);
  if (user === undefined) {
    throw new Failure('embedded-user', {
      user: NAME,
      tried: `useradd ${args.join(' ')}`,
      remedy: 'run as another user than root, or create this user',
    });
  }
  return user;
}

/** Whether the user can go through every directory down to the path, and enter (or run) the path itself. */
export async function canReach(path: string, user: SystemUser): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (found === undefined) return false;
    const { mode, uid, gid } = found;
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (at === dirname(at)) return true;
  }
}
