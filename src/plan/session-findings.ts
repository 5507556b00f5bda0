// What is to be said of sessions and logins (R12): facts in, findings out. Pure.
import type { Facts } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Connected } from '../environment/connected.ts';
import type { Folder } from '../environment/folder.ts';
import type { OpenLogin } from '../environment/logins.ts';

/** Sessions as facts: lists side by side, so that each language says them in its own way. */
function sessionFacts(sessions: readonly Connected[]): Facts {
  return {
    count: sessions.length,
    pids: sessions.map(({ pid }) => String(pid)),
    users: sessions.map(({ user }) => user),
    applications: sessions.map(({ application }) => application),
    addresses: sessions.map(({ address }) => address),
    states: sessions.map(({ state }) => state),
    since: sessions.map(({ since }) => since),
    queries: sessions.map(({ query }) => query),
  };
}

function byFolder(sessions: readonly Connected[]): readonly (readonly [string, readonly Connected[]])[] {
  return [...Map.groupBy(sessions, ({ folder }) => folder ?? '')].filter(([folder]) => folder !== '');
}

/** Sessions of folders' logins block, unless the operator forces that; others in the database are named. */
export function sessionFindings(sessions: readonly Connected[], forced: boolean): readonly Finding[] {
  const active = byFolder(sessions).map(
    ([folder, own]): Finding => ({
      code: 'sessions-active',
      severity: forced ? 'warn' : 'block',
      folder,
      facts: { folder, ...sessionFacts(own) },
    }),
  );
  const others = sessions.filter(({ folder }) => folder === null);
  if (others.length === 0) return active;
  const locked = [...new Set(others.flatMap(({ locks }) => locks))].sort();
  return [...active, { code: 'sessions-others', severity: 'info', facts: { ...sessionFacts(others), locked } }];
}

/** Sessions that were ended, and those that could not be. */
export function disconnectFindings(ended: readonly Connected[], denied: readonly Connected[]): readonly Finding[] {
  return [
    ...byFolder(ended).map(
      ([folder, own]): Finding => ({ code: 'sessions-ended', severity: 'info', folder, facts: { folder, ...sessionFacts(own) } }),
    ),
    ...byFolder(denied).map(
      ([folder, own]): Finding => ({
        code: 'disconnect-denied',
        severity: 'block',
        folder,
        facts: { folder, role: own[0]?.user ?? '', ...sessionFacts(own) },
      }),
    ),
  ];
}

/** Logins that stay open during the run. Folders without one are told once: nobody can know who works in which. */
export function loginFindings(folders: readonly Folder[], open: readonly OpenLogin[]): readonly Finding[] {
  const shared = folders.filter(({ role }) => role === null).map(({ code }) => code);
  return [
    ...(shared.length === 0 ? [] : [{ code: 'logins-shared', severity: 'info', facts: { folders: shared } } as const]),
    ...open.map(
      // Without the folder among its facts, it is said once for all folders that share the reason.
      ({ folder, reason }): Finding => ({ code: 'login-open', severity: 'warn', folder, facts: { reason } }),
    ),
  ];
}
