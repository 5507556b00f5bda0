// Several at the same time, each in its turn: what meets somebody in its way comes again later, and once the run is to stop nobody waits.
import { setTimeout as pause } from 'node:timers/promises';

export interface Turns<Item> {
  /** At the same time. */
  readonly jobs: number;
  /** Everyone's time has come then: to be left out. */
  readonly soft: AbortSignal;
  /** An error in one: the others end what they are at, and nothing else is begun. */
  readonly broken: () => void;
  /** @returns items that come again, each after so many milliseconds */
  work(item: Item): Promise<readonly Again<Item>[]>;
}

export interface Again<Item> {
  readonly item: Item;
  readonly pauseMs: number;
}

interface Waiting<Item> {
  readonly item: Item;
  /** In milliseconds of this process. */
  readonly notBefore: number;
}

/** @throws the first error, after the others have ended: what they read is removed only then */
export async function inTurn<Item>(items: readonly Item[], { jobs, soft, broken, work }: Turns<Item>): Promise<void> {
  const waiting: Waiting<Item>[] = items.map((item) => ({ item, notBefore: 0 }));
  const one = async (): Promise<void> => {
    while (waiting.length > 0) {
      const next = take(waiting, soft);
      if (next === undefined) {
        const ms = Math.max(1, Math.min(...waiting.map(({ notBefore }) => notBefore)) - performance.now());
        await pause(ms, undefined, { signal: soft }).catch(() => undefined);
        continue;
      }
      for (const { item, pauseMs } of await work(next.item)) waiting.push({ item, notBefore: performance.now() + pauseMs });
    }
  };
  const works = Array.from({ length: Math.min(jobs, items.length) }, one);
  for (const each of works) each.catch(broken);
  const failed = (await Promise.allSettled(works)).find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** The first one whose time has come. */
function take<Item>(waiting: Waiting<Item>[], soft: AbortSignal): Waiting<Item> | undefined {
  const now = performance.now();
  const at = waiting.findIndex(({ notBefore }) => notBefore <= now || soft.aborted);
  return at < 0 ? undefined : waiting.splice(at, 1)[0];
}
