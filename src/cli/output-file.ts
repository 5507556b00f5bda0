// A new file that a command writes its result to: it is there when it is whole; one that is there already is never overwritten.
import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { link, lstat, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure, Refusal } from '../base/errors.ts';

export interface Output {
  write(text: string): Promise<void>;
  /** Ends it: from now on the file is there. @throws Refusal `output-exists` where somebody was faster */
  keep(): Promise<void>;
  /** Ends it without a trace; after `keep` it does nothing. */
  discard(): Promise<void>;
}

/**
 * @param growing it is read while it is written: the file is there from the beginning, and stays with what was written so far
 * @throws Refusal `output-exists`, `output-directory`; Failure `output-unwritable`
 */
export async function openOutput(path: string, growing = false): Promise<Output> {
  await refuseExisting(path);
  const place = growing ? path : join(dirname(path), `.rustine-${randomBytes(6).toString('hex')}.partial`);
  const file = await open(place, 'wx').catch((error: unknown) => fail(path, error));
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await file.close();
  };
  return {
    write: async (text) => void (await file.writeFile(text).catch((error: unknown) => fail(path, error))),
    keep: async () => {
      // What a rename puts in place must be on the disk before it, or a crash leaves an empty file of that name.
      if (!growing) await file.sync().catch((error: unknown) => fail(path, error));
      await close();
      if (growing) return;
      await putInPlace(place, path).catch(async (error: unknown) => {
        await unlink(place).catch(() => undefined);
        fail(path, error);
      });
    },
    discard: async () => {
      if (!isOpen) return;
      await close();
      if (!growing) await unlink(place).catch(() => undefined);
    },
  };
}

async function refuseExisting(path: string): Promise<void> {
  const there: Stats | undefined = await lstat(path).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? undefined : fail(path, error),
  );
  if (there?.isDirectory()) throw new Refusal('output-directory', { path });
  if (there !== undefined) throw new Refusal('output-exists', { path });
}

/** A link fails where the name is taken. File systems without links: the name is taken by an empty file first. */
async function putInPlace(place: string, path: string): Promise<void> {
  try {
    await link(place, path);
    await unlink(place);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
    await (await open(path, 'wx')).close();
    await rename(place, path);
  }
}

function fail(path: string, error: unknown): never {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  if (code === 'EEXIST') throw new Refusal('output-exists', { path });
  throw new Failure('output-unwritable', { path, directory: dirname(path), reason: code }, error);
}
