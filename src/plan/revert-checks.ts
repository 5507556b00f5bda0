// What speaks against taking a patch back from a folder (R38): facts in, findings out. Pure.
import type { Facts } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Folder } from '../environment/folder.ts';
import { found } from './checks.ts';
import { lockedFinding } from './folder-checks.ts';
import type { RevertFacts, RevertTarget } from './revert-facts.ts';

/** Before the run: a folder that is half made, half gone or locked. */
export function notReadyFindings(folder: Folder): readonly Finding[] {
  const { code, state } = folder;
  if (state === 'locked') return [lockedFinding(folder)];
  return state === 'ready' ? [] : [found('folder-not-ready', { folder: code }, { folder: code, state })];
}

/** A folder that does not have the file at all. */
export function notIntegrated(folder: string, file: string): Finding {
  return { code: 'revert-not-integrated', severity: 'block', folder, patch: file, facts: { folder, file } };
}

/** What a creation or a validation brings is theirs to remember, and they do not. */
export const isRemembered = ({ before, by }: Pick<RevertTarget, 'before' | 'by'>): boolean => before !== null && by === 'patch';

/** @param takenBack folders from which the same run has taken it back already: in a rehearsal nothing of that stayed */
export function revertFindings(folder: string, facts: RevertFacts, takenBack: ReadonlySet<string>): readonly Finding[] {
  const { target, changed, validation } = facts;
  const { file } = target;
  const place = { folder, patch: file };
  const findings: Finding[] = [];
  const below = facts.below.filter((code) => !takenBack.has(code));
  if (target.later.length > 0)
    findings.push(found('revert-not-last', place, { folder, file, later: target.later, last: target.later.at(-1) ?? '' }));
  const purged = target.notRevertible?.some(({ code }) => code === 'revert-purged') === true;
  if (!isRemembered(target) && !purged) {
    const why = target.by === 'patch' ? 'older' : target.by;
    findings.push(found('revert-not-remembered', place, { folder, file, why }));
  }
  for (const { code, facts: why } of target.notRevertible ?? [])
    findings.push({ code, severity: 'block', ...place, facts: { folder, file, ...(why as Facts) } });
  if (below.length > 0)
    findings.push(found('revert-below', place, { folder, file, folders: below, ...stuckOf(facts.stuck, below) }));
  // What came with later patches is told with them.
  const [last] = target.later.length > 0 ? [] : changed;
  if (last !== undefined) {
    const elements = changed.map(({ element }) => element);
    const { operator, on, what } = last;
    findings.push(
      found('revert-elements-changed', place, { folder, file, elements, count: elements.length, operator, on, what }),
    );
  }
  const named = (code: Parameters<typeof found>[0], fact: string, names: readonly string[], more: Facts = {}): void => {
    if (names.length > 0) findings.push(found(code, place, { folder, file, [fact]: names, count: names.length, ...more }));
  };
  named('revert-activity-codes', 'codes', facts.codes);
  named('revert-scripts-ran', 'scripts', facts.ran);
  named('revert-functions-changed', 'functions', facts.functions);
  named('revert-aggregates', 'functions', facts.aggregates);
  named('revert-validated', 'reasons', facts.settled, validation ?? {});
  return findings;
}

const stuckOf = (stuck: readonly string[], below: readonly string[]): Facts => {
  const those = stuck.filter((code) => below.includes(code));
  return those.length === 0 ? {} : { stuck: those };
};

/** Each server knows the folders below on its own: of a folder they are told once, together. */
export function joinedBelow(findings: readonly Finding[]): readonly Finding[] {
  const isBelow = ({ code }: Finding): boolean => code === 'revert-below';
  const same = Map.groupBy(findings.filter(isBelow), ({ folder, patch }) => `${folder} ${patch}`);
  const joined = [...same.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const all = (fact: 'folders' | 'stuck'): readonly string[] => {
      const named = [first, ...others].flatMap(({ facts }) => (Array.isArray(facts[fact]) ? facts[fact].map(String) : []));
      return [...new Set(named)].sort();
    };
    const folders = all('folders');
    return [{ ...first, facts: { ...first.facts, folders, ...stuckOf(all('stuck'), folders) } }];
  });
  const at = findings.findIndex(isBelow);
  return at < 0 ? findings : [...findings.slice(0, at), ...joined, ...findings.slice(at).filter((finding) => !isBelow(finding))];
}
