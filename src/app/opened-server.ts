// One server of an environment, open: its verbs, what they share, its part of runs.
import { Failure, Refusal } from '../base/errors.ts';
import type { RunRequest } from '../batch/run.ts';
import type { StartedRun } from '../batch/started-run.ts';
import type { Membership } from '../environment/member.ts';
import type { RunOutcome } from '../journal/outcome.ts';
import type { IntegrateOptions, OneServer, Opened } from './rustine.ts';

/** A run's part on one server. */
export interface RunPart {
  /** Number of the run; absent: a new one. */
  readonly id?: string;
  /** Called when its folders here are its own, or others have some. */
  taken?(started: StartedRun): void;
  /** Called when everything here is checked and nothing is changed yet. @returns what is to be run */
  checked(request: RunRequest): Promise<RunRequest>;
}

/** A run that is on one server. */
export const WHOLE: RunPart = { checked: (request) => Promise.resolve(request) };

/** One database, open: its verbs, what they share, and the preparation of a run. */
export interface OpenedServer {
  readonly verbs: OneServer;
  readonly opened: Opened;
  /** The run's part on this server. */
  integrate(options: IntegrateOptions, part: RunPart): Promise<RunOutcome>;
  /** Called at named points; tests stop the program there. */
  readonly reached: (point: string) => void;
}

/** @throws Refusal `database-is-server`; Failure `server-not-member` */
export function checkMembership(found: Membership | undefined, expected: Membership | undefined): void {
  if (expected === undefined) {
    const server = found?.server ?? null;
    if (server !== null) throw new Refusal('database-is-server', { server });
  } else if (found?.environment !== expected.environment || found.server !== expected.server) {
    throw new Failure('server-not-member', { server: expected.server ?? '' });
  }
}
