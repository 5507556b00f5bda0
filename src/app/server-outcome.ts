// What a run over several servers says of a server's folders where the server did not answer, or was left out.
import type { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Server } from '../environment/servers.ts';
import type { RunEvent } from '../journal/journal.ts';
import type { FolderOutcome, PatchOutcome } from '../journal/outcome.ts';
import { emptyOutcome } from '../journal/outcome.ts';

export interface ShareOutcome {
  readonly folders: readonly FolderOutcome[];
  readonly failed: boolean;
}

/** What was heard of a server's folders so far. */
export interface Heard {
  readonly patches: Map<string, readonly PatchOutcome[]>;
  readonly finished: Set<string>;
  /** Whether the folders there have begun. */
  begun: boolean;
  /** Whom it is told to. */
  tell: (event: RunEvent) => void;
}

/** What kept a server from its part. @param folders that did not get everything */
export function troubleFinding({ name }: Server, { code, facts }: Failure | Refusal, folders: readonly string[]): Finding {
  const severity = 'block';
  if (['server-unreachable', 'server-not-member', 'decision-pending'].includes(code))
    return { code, severity, subject: name, facts: { ...facts, server: name, folders } };
  const { reason } = facts;
  const why = typeof reason === 'string' ? { reason } : {};
  return { code: 'server-failed', severity, subject: name, facts: { server: name, cause: code, ...why, folders } };
}

interface Named {
  readonly server: Server;
  readonly folders: readonly string[];
}

/** A server did not answer, or does not any more: its folders that were through are what they are, the others failed. */
export function downOutcome(
  { server, folders }: Named,
  error: Failure | Refusal,
  files: readonly string[],
  { patches, finished, tell }: Heard,
): ShareOutcome {
  const { code, facts } = error;
  const left = folders.filter((folder) => !finished.has(folder));
  tell({ kind: 'finding', finding: troubleFinding(server, error, left) });
  const outcomes = folders.map((folder): FolderOutcome => {
    const had = patches.get(folder) ?? [];
    const missing = files.filter((file) => !had.some((patch) => patch.file === file));
    const lost = missing.map((file) => ({ ...emptyOutcome(file, 'failed', 0), reason: { code, facts } }));
    for (const outcome of lost) tell({ kind: 'patch-finished', folder, outcome });
    if (!finished.has(folder)) tell({ kind: 'folder-finished', folder, state: 'failed' });
    const all = [...had, ...lost];
    const failed = all.length === 0 || all.some(({ state }) => state === 'failed');
    return { folder, state: failed ? 'failed' : 'integrated', due: false, patches: all };
  });
  return { folders: outcomes, failed: true };
}

export function skippedShare({ folders }: Named, files: readonly string[]): ShareOutcome {
  const skipped = folders.map(
    (folder): FolderOutcome => ({
      folder,
      state: 'skipped',
      due: false,
      patches: files.map((file) => emptyOutcome(file, 'skipped', 0)),
    }),
  );
  return { folders: skipped, failed: false };
}

/** Its children on that server did not get the patch; the original's own failure is told already. */
export function mirrorFailures({ name }: Server, { folder, patches }: FolderOutcome): readonly Finding[] {
  return patches.flatMap(({ file, state, reason }): readonly Finding[] => {
    if (state !== 'failed') return [];
    const codes = reason?.facts.codes;
    const causes = Array.isArray(codes) ? codes.map(String) : [reason?.code ?? ''];
    return [
      { code: 'mirror-failed', severity: 'block', folder, patch: file, facts: { folder, server: name, patch: file, causes } },
    ];
  });
}
