// Hears which folders of the environment's own server were validated: on further servers their mirrors, and what follows these, wait for that.
import type { RunListener } from '../journal/journal.ts';

export interface OriginalsWatch {
  readonly listener: RunListener;
  /** Whether it is in line, once it is through; not asked for at all, it is as it is to be. */
  validated(code: string): Promise<boolean>;
  /** The folders here are through, or come to no end: those that were not heard of are not in line. */
  end(): void;
}

/** @param codes of the folders here that are validated */
export function watchOriginals(codes: readonly string[], listener: RunListener): OriginalsWatch {
  const awaited = new Map(codes.map((code) => [code, Promise.withResolvers<boolean>()]));
  return {
    listener: (event) => {
      listener(event);
      if (event.kind === 'folder-finished') awaited.get(event.folder)?.resolve(['validated', 'unchanged'].includes(event.state));
    },
    validated: async (code) => (await awaited.get(code)?.promise) ?? true,
    end: () => {
      for (const { resolve } of awaited.values()) resolve(false);
    },
  };
}
