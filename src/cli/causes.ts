// Findings and reasons by distinct cause: what is the same in several folders is one cause, with the folders that have it. Pure.
import { canonical } from '../base/canonical.ts';
import type { Finding } from '../base/finding.ts';
import type { RunOutcome } from '../journal/outcome.ts';
import { some } from './messages/said.ts';

export interface Cause {
  readonly finding: Finding;
  readonly folders: readonly string[];
}

/** In the order in which the first of each came. The folder in a finding's facts is a place, not part of the cause. */
export function causesOf(findings: readonly Finding[]): readonly Cause[] {
  const causes = new Map<string, { readonly finding: Finding; readonly folders: Set<string> }>();
  for (const finding of findings) {
    const { code, severity, patch, subject, facts, folder } = finding;
    const key = canonical([
      code,
      severity,
      patch ?? null,
      subject ?? null,
      folder === undefined ? facts : { ...facts, folder: null },
    ]);
    const cause = causes.get(key) ?? { finding, folders: new Set() };
    if (folder !== undefined) cause.folders.add(folder);
    causes.set(key, cause);
  }
  return [...causes.values()].map(({ finding, folders }) => ({ finding, folders: [...folders] }));
}

/** The finding as it is said of all its folders at once. */
export function saidOfAll({ finding, folders }: Cause): Finding {
  if (folders.length < 2 || !('folder' in finding.facts)) return finding;
  return { ...finding, facts: { ...finding.facts, folder: some(folders) } };
}

/** Why patches failed or were skipped where no finding says so: an error that came without one. */
export function untoldReasons(outcome: RunOutcome): readonly Finding[] {
  const told = new Set(outcome.findings.map(({ code, folder, patch }) => canonical([code, folder ?? null, patch ?? null])));
  return outcome.folders.flatMap(({ folder, patches }) =>
    patches.flatMap(({ file, reason }): Finding[] => {
      // `blocked` only says that findings do.
      if (reason === undefined || reason.code === 'blocked' || told.has(canonical([reason.code, folder, file]))) return [];
      return [{ code: reason.code, severity: 'block', folder, patch: file, facts: reason.facts }];
    }),
  );
}
