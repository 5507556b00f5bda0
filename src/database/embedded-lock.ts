// The lock that makes the keeper of a directory the only one.
import { DatabaseSync } from 'node:sqlite';
import { errorCode, giveToOwner } from './embedded-files.ts';

/**
 * Takes the lock, or returns undefined when another process has it.
 *
 * Node has no file locks of its own; SQLite's are the operating system's, given back by the kernel however the process ends, so there
 * is never a stale one to wait for. Nothing is ever written into the file. Processes we start do not inherit the lock.
 */
export async function takeLock(path: string): Promise<{ giveBack(): void } | undefined> {
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    file.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    file.close();
    // 5 and 6: busy, locked. Their extended codes are in the higher bytes.
    const number = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
    if (errorCode(error) === 'ERR_SQLITE_ERROR' && (number === 5 || number === 6)) return undefined;
    throw error;
  }
  await giveToOwner(path);
  return { giveBack: () => file.close() };
}
