// How much room there is for the data of the embedded server: it runs on this machine, so the file system can be asked.
import { statfs } from 'node:fs/promises';
import { filesOf } from './embedded-files.ts';
import { findPlace } from './embedded-place.ts';

/** Bytes that are free for other users than the system's; null where that cannot be found out. */
export async function freeEmbedded(home: string): Promise<number | null> {
  const place = await findPlace(home);
  if (place === undefined) return null;
  // Whoever may not look into the data directory may still look at the one around it: it is the same file system.
  for (const path of [filesOf(place.directory).data, place.directory]) {
    const found = await statfs(path).catch(() => undefined);
    if (found !== undefined) return found.bavail * found.bsize;
  }
  return null;
}
