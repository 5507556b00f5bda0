// A new file that a command writes its result to; one that is there is never overwritten.
import { open } from 'node:fs/promises';
import { Refusal } from '../base/errors.ts';

export interface Output {
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/** @throws Refusal `output-exists`, and what the system refuses */
export async function openOutput(path: string): Promise<Output> {
  try {
    const file = await open(path, 'wx');
    return {
      write: async (text) => void (await file.writeFile(text)),
      close: () => file.close(),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Refusal('output-exists', { path });
  }
}
