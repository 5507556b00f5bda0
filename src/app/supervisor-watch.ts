// Hears what the supervisor folder gets on its own server: the parts of the run on other servers wait for it (R31).
import type { RunEvent, RunListener } from '../journal/journal.ts';
import type { FolderOutcome, PatchOutcome } from '../journal/outcome.ts';

export interface SupervisorWatch {
  readonly listener: RunListener;
  /** @returns files that it was to get and did not; rejected where it never came to its end */
  readonly missed: Promise<ReadonlySet<string>>;
  /** The folders of the environment's own server are through: nothing more is to be heard. */
  end(outcomes: readonly FolderOutcome[]): void;
  /** The run ended there in an error. */
  fail(error: unknown): void;
}

/** @param supervisor absent: it has no part in the run, and nobody waits for it */
export function watchSupervisor(
  supervisor: string | undefined,
  files: () => readonly string[],
  listener: RunListener,
): SupervisorWatch {
  const got = new Set<string>();
  const { promise: missed, resolve, reject } = Promise.withResolvers<ReadonlySet<string>>();
  missed.catch(() => undefined);
  const note = ({ file, state }: PatchOutcome): void => {
    if (state === 'integrated' || state === 'already') got.add(file);
  };
  // Also those that it did not come to, after its first failure or because somebody cancelled: nothing is told of them.
  const through = (): void => resolve(new Set(files().filter((file) => !got.has(file))));
  if (supervisor === undefined) resolve(new Set());
  return {
    missed,
    listener: (event: RunEvent) => {
      listener(event);
      if (!('folder' in event) || event.folder !== supervisor) return;
      if (event.kind === 'patch-finished') note(event.outcome);
      if (event.kind === 'folder-finished') through();
    },
    end: (outcomes) => {
      for (const { patches } of outcomes.filter(({ folder }) => folder === supervisor)) patches.forEach(note);
      through();
    },
    fail: reject,
  };
}
