// Sessions as facts of a finding, one by one again: the lists that stand side by side in it, safe to print.
import { type Said, safe } from './said.ts';

/** A session, as far as the connected user may see it; empty where not. */
export interface SessionLine {
  readonly pid: string | number;
  readonly user: string;
  readonly application: string;
  readonly address: string;
  readonly state: string;
  readonly since: string;
  readonly query: string;
}

export function sessionLines(f: Said): readonly SessionLine[] {
  const at = (name: string, index: number): string => f.list(name)[index] ?? '';
  return f.list('pids').map((pid, index) => ({
    pid,
    user: at('users', index),
    application: at('applications', index),
    address: at('addresses', index),
    state: at('states', index),
    since: at('since', index),
    query: at('queries', index),
  }));
}

/** Who holds what somebody waits for: the first few. @param text from user, application, process and time */
export function blockerLines(
  f: Said,
  text: (role: string, application: string, pid: string | number, since: string) => string,
): string {
  return listed(sessionLines(f), ({ user, application, pid, since }) => text(user, application, pid, since));
}

const MOST = 8;

/** The first few of them, and how many more there are. */
export function listed(lines: readonly SessionLine[], text: (line: SessionLine) => string): string {
  const shown = lines.slice(0, MOST).map((line) => safe(text(line)));
  return lines.length > MOST ? `${shown.join('; ')} … +${lines.length - MOST}` : shown.join('; ');
}
