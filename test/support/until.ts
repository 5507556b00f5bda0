// Work that is left for the end of what tests share.
import { afterAll } from 'vitest';
import type { Later } from './environment.ts';

/** Called where tests are described, for what they share: runs when the last of them has ended, the last one given first. */
export function untilTheEnd(): Later {
  const left: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const work of left) await work();
  });
  return (work) => void left.unshift(work);
}
