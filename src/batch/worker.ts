// A worker: takes work from its sources, several pieces at once, until it is stopped or, when asked to drain, until there is nothing left.
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../base/errors.ts';

/** A piece of work that is this worker's now. */
export type Work = () => Promise<void>;

export interface WorkerOptions {
  /** Asked in this order whenever there is room. */
  readonly sources: readonly (() => Promise<Work | undefined>)[];
  /** Pieces of work at the same time. */
  readonly jobs: number;
  /** End when there is nothing left that could be taken. */
  readonly drain: boolean;
  /** Nothing more is taken; what is at work ends. */
  readonly stop: AbortSignal;
  /** The database could not be reached, while looking for work or at one; the worker goes on. */
  readonly onTrouble: (failure: Failure) => void;
}

/** Between two looks for work where there was none. */
const PAUSE_MS = 500;
/** After the database was lost. */
const TROUBLE_MS = 2_000;

/** @throws what is a bug; the other pieces of work end first */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { jobs, stop } = options;
  const hurt = new AbortController();
  const ended = AbortSignal.any([stop, hurt.signal]);
  let busy = 0;
  const slot = async (): Promise<void> => {
    while (!ended.aborted) {
      busy++;
      const found = await next(options, ended).finally(() => busy--);
      if (found instanceof Failure) {
        options.onTrouble(found);
        await pause(TROUBLE_MS, ended);
      } else if (found !== undefined) {
        busy++;
        const failed = await carriedOut(found).finally(() => busy--);
        if (failed === undefined) continue;
        options.onTrouble(failed);
        await pause(TROUBLE_MS, ended);
      } else {
        // What others are at may give more work: folders of the next wave, tasks that a run held.
        if (options.drain && busy === 0) return;
        await pause(PAUSE_MS * (0.75 + Math.random() / 2), ended);
      }
    }
  };
  const slots = Array.from({ length: jobs }, slot);
  for (const each of slots) each.catch(() => hurt.abort());
  const failed = (await Promise.allSettled(slots)).find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** What the database's absence left undone is its source's to come back to. */
async function carriedOut(work: Work): Promise<Failure | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/** Trouble of one source does not keep the others from giving work. */
async function next({ sources }: WorkerOptions, ended: AbortSignal): Promise<Work | Failure | undefined> {
  let trouble: Failure | undefined;
  for (const source of sources) {
    if (ended.aborted) return undefined;
    try {
      const work = await source();
      if (work !== undefined) return work;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      trouble ??= error;
    }
  }
  return trouble;
}

async function pause(ms: number, ended: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: ended }).catch(() => undefined);
}
