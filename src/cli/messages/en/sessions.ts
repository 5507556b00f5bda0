// English sentences about sessions, logins and recovery (R12).
import type { Said, Sentence } from '../said.ts';
import { some } from '../said.ts';
import { listed, type SessionLine, sessionLines } from '../session-lines.ts';

const line = ({ pid, application, address, state, since, query }: SessionLine): string =>
  [
    `pid ${pid}`,
    [application, address === '' ? '' : `from ${address}`].filter((part) => part !== '').join(' '),
    `${state}${since === '' ? '' : ` since ${since}`}`.trim(),
    query === '' ? '' : `last: ${query}`,
  ]
    .filter((part) => part !== '')
    .join(', ');

const lineWithUser = (session: SessionLine): string => `${session.user}, ${line(session)}`;

const whyOpen: Readonly<Record<string, string>> = {
  'other-database':
    'it was made for another database (this one is a copy or was renamed), whose users it would shut out. New folders get their own logins',
  superuser: 'it is a superuser, whom no limit holds up. Take that right away from it',
  rights:
    'the database user may not change it. Let Rustine connect as the user who made the folders, or as one with CREATEROLE and ADMIN OPTION on it',
};

/** Who holds what is waited for, and what ends that. */
export function heldBy(f: Said): string {
  const since = f.has('since') ? ` since ${f('since')}` : '';
  const user = f.has('user') ? `user ${f('user')}` : '';
  if (f.has('pid'))
    return `It is held by session ${[`pid ${f('pid')}`, user, f.has('application') ? f('application') : ''].filter((part) => part !== '').join(', ')}${since}. End it (\`${f('command')}\` with psql)`;
  if (f.has('gid'))
    return `It is held by the prepared transaction ${f('gid')} of ${user}${since}, which only that user or a superuser may end. Run \`rustine recover\` as that user, or end it with psql (\`${f('command')}\`)`;
  return 'Who holds it is not known any more. See pg_stat_activity, pg_locks and pg_prepared_xacts where it stays so';
}

export const sessionFindings = {
  'sessions-active': (f) =>
    `${f.number('count') === 1 ? 'Somebody is' : `${f('count')} sessions are`} connected to folder ${f('folder')}: ${listed(sessionLines(f), line)}.${f.has('check') ? '' : ' Ask them to leave and use --wait 5m, end them with --disconnect, or pass over it with --force sessions=reason.'}`,
  'sessions-others': (f) =>
    `Connected to the database with other logins than the folders': ${listed(sessionLines(f), lineWithUser)}.${f.has('locked') ? ` Locks on tables of ${some(f.list('locked'))} are held there; the run will wait for them.` : ''} Nobody ends these sessions: see yourself whether they may stay.`,
  'sessions-ended': (f) => `Ended in folder ${f('folder')}: ${listed(sessionLines(f), line)}.`,
  'disconnect-denied': (f) =>
    `The sessions of folder ${f('folder')} cannot be ended: the database user has not the right to: ${listed(sessionLines(f), line)}. An administrator can give it: GRANT pg_signal_backend TO the user that Rustine connects as; or end them by hand.`,
  'logins-shared': (f) =>
    `${f.list('folders').length === 1 ? `Folder ${f.list('folders')[0]} has no login of its own` : `Folders ${some(f.list('folders'))} have no login of their own`} (the database user may not create roles): who works in them cannot be known, and nobody is kept out during the run. See to it yourself.`,
  'login-open': (f) =>
    `New logins cannot be refused during the run; as to the folder's role, ${whyOpen[f('reason')] ?? f('reason')}. Keep its users out yourself.`,
  'logins-left-shut': (f) =>
    `The folders' logins could not be let in again just now: ${f('reason')}. The next command does it, whichever it is; \`rustine recover\` says what came of it.`,
  'login-left-shut': (f) =>
    `The login of folder ${f('folder')} stays shut: the database user may no longer change it. Give the right back, then \`rustine recover\`.`,
  'login-locked': (f) =>
    `${f.has('role') ? `The folder's login (role ${f('role')}) stays shut: somebody` : "The folders' logins cannot be shut for the run: somebody"} else is changing logins of this server and has not ended that transaction. ${heldBy(f)}, then ${f.has('role') ? 'run `rustine recover`' : 'run again'}.`,
  'run-unsettled': (f) =>
    `Run ${f('run')}, whose program is dead, is not settled: a transaction of it is still open on the server. ${heldBy(f)}, then run \`rustine recover\` again.`,
} satisfies Record<string, Sentence>;

export const sessionErrors = {
  'login-shut': (f) =>
    `Nobody is let into folder ${f('folder')} at present: the run ${f('run')} is at work there since ${f('since')}. Wait for its end; \`rustine status\` shows it.`,
  'login-held': (f) =>
    `The login of folder ${f('folder')} (role ${f('role')}) could not be changed: somebody else is changing logins of this server and has not ended that transaction. ${heldBy(f)}, then run the command again.`,
} satisfies Record<string, Sentence>;

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

export const sessionReport = {
  sessions: {
    waiting: (folders: readonly string[], sessions: readonly SessionLine[]) =>
      `Waiting for ${n(sessions.length, 'session')} in ${some(folders)}: ${listed(sessions, line)}`,
    gone: () => 'All sessions are gone.',
    ended: (folders: readonly string[], sessions: readonly SessionLine[]) =>
      `Ended ${n(sessions.length, 'session')} in ${some(folders)}: ${listed(sessions, line)}`,
  },
  recovery: {
    nothing: 'Nothing is left to settle.',
    settled: {
      prepared: (items: readonly string[]) =>
        `Ended what was prepared, as had been decided: ${n(items.length, 'run')} (${some(items)})`,
      runs: (items: readonly string[]) => `Marked as interrupted: ${n(items.length, 'run')} (${some(items)})`,
      tasks: (items: readonly string[]) => `Settled, of workers that are gone: ${n(items.length, 'task')} (${some(items)})`,
      cancelled: (items: readonly string[]) =>
        `Ended, since no worker is left for what was cancelled: ${n(items.length, 'run')} (${some(items)})`,
      logins: (items: readonly string[]) => `Logins let in again: ${some(items, 20)}`,
      staging: (items: readonly string[]) => `Removed: what ${n(items.length, 'step')} of dead programs had staged`,
    },
  },
};
