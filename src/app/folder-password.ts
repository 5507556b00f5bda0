// The URL of a folder's own login: its password is kept in the home directory, a file per login that only its owner can read, and renewed when it is no longer right.
import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Refusal } from '../base/errors.ts';
import type { Session } from '../database/database.ts';
import { giveToOwner, readIfThere, writePrivate } from '../database/embedded-files.ts';
import { sql } from '../database/sql.ts';
import { passwordRefused } from '../database/unreachable.ts';
import type { Folder } from '../environment/folder.ts';
import { notReady } from '../environment/folder-state.ts';
import { loginFailure } from '../environment/holders.ts';
import { shutBy } from '../environment/logins.ts';
import { setPassword } from '../environment/roles.ts';
import { changeInFolder, type FolderTransaction } from './folder-transaction.ts';
import type { Opened } from './rustine.ts';

/**
 * The password that was made last may have gone with a dropped folder, or have been replaced from another home directory or by a script:
 * only the server knows, so it is asked.
 * @throws Refusal `folder-without-role`, `folder-not-ready`, `login-shut`; Failure `lock-timeout`, `login-held`, `database-unreachable`
 */
export async function folderUrl(
  { settings, database }: Pick<Opened, 'settings' | 'database'>,
  folder: Folder,
  waiting: Pick<FolderTransaction, 'lockTimeoutMs'> = {},
): Promise<string> {
  const { role, code } = folder;
  if (role === null) throw new Refusal('folder-without-role', { folder: code });
  if (folder.state === 'locked') throw notReady(code, folder.state);
  // Whether a password is right cannot be found out while nobody is let in.
  const shut = await shutBy(database, role);
  if (shut !== undefined) throw new Refusal('login-shut', { folder: code, ...shut });
  const file = fileOf(settings.home, role);
  const known = await working(database.url, role, await readPassword(file));
  if (known !== undefined) return known;
  const password = await changeInFolder(
    database,
    code,
    async (session) => {
      await lockReady(session, folder);
      // Whoever had the lock may have made one.
      const made = await readPassword(file);
      if (made !== undefined && (await working(database.url, role, made)) !== undefined) return made;
      const fresh = randomBytes(18).toString('base64url');
      await setPassword(session, role, fresh).catch(async (error: unknown) => {
        throw await loginFailure(database, { folder: code, role }, error);
      });
      const directory = dirname(file);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await giveToOwner(directory);
      await writePrivate(file, `${fresh}\n`);
      return fresh;
    },
    waiting,
  );
  const url = loginUrl(database.url, role, password);
  const refused = await passwordRefused(url);
  if (refused !== undefined) throw refused;
  return url;
}

/** The login is gone: its password is of no use to anybody. */
export async function forgetPassword(home: string, role: string): Promise<void> {
  await rm(fileOf(home, role), { force: true });
}

/** A role is named after its database, which may be called anything. */
const fileOf = (home: string, role: string): string => join(home, 'folder-logins', encodeURIComponent(role));

async function readPassword(file: string): Promise<string | undefined> {
  const text = (await readIfThere(file))?.trim();
  return text === '' ? undefined : text;
}

async function working(database: string, role: string, password: string | undefined): Promise<string | undefined> {
  if (password === undefined) return undefined;
  const url = loginUrl(database, role, password);
  return (await passwordRefused(url)) === undefined ? url : undefined;
}

function loginUrl(database: string, role: string, password: string): string {
  const url = new URL(database);
  // They would win over those before the host.
  for (const name of ['user', 'password']) url.searchParams.delete(name);
  url.username = role;
  url.password = password;
  return url.toString();
}

/** Nothing else changes the role meanwhile: an integration opens its rights. */
async function lockReady(session: Session, { id, code }: Folder): Promise<void> {
  const [row] = await session.query<{ state: string }>(sql`select state from rustine.folder where id = ${id} for no key update`);
  if (row?.state !== 'ready') throw notReady(code, row?.state);
}
