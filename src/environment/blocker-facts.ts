// Sessions that are in somebody's way, as facts of an error or finding: lists that stand side by side. Pure.
import type { Facts } from '../base/errors.ts';
import type { Blocker } from './sessions.ts';

export function blockerFacts(blockers: readonly Pick<Blocker, 'pid' | 'role' | 'application' | 'since'>[]): Facts {
  return {
    pids: blockers.map(({ pid }) => String(pid)),
    users: blockers.map(({ role }) => role),
    applications: blockers.map(({ application }) => application),
    since: blockers.map(({ since }) => since),
  };
}
