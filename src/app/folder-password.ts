// Passwords of folder logins made by `db url --folder`: kept in the home directory, readable by its owner only.
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The password of a role, made at first use. `fresh` says that the server does not know it yet. */
export async function folderPassword(
  home: string,
  role: string,
): Promise<{ readonly password: string; readonly fresh: boolean }> {
  const file = join(home, 'folder-logins.json');
  const known = await readLogins(file);
  const existing = known[role];
  if (existing !== undefined) return { password: existing, fresh: false };
  const password = randomBytes(18).toString('base64url');
  await mkdir(home, { recursive: true });
  await writeFile(file, `${JSON.stringify({ ...known, [role]: password }, null, 2)}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
  return { password, fresh: true };
}

async function readLogins(file: string): Promise<Record<string, string>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}
