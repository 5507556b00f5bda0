// One server of an environment, open: its verbs, what they share, its part of runs.
import { Failure, Refusal } from '../base/errors.ts';
import type { RunRequest } from '../batch/run.ts';
import type { StartedRun, Taken } from '../batch/started-run.ts';
import type { Membership } from '../environment/member.ts';
import type { RunOutcome } from '../journal/outcome.ts';
import type { OpenedDeliveries } from './deliveries.ts';
import type { RevertOptions, RevertPart } from './reverts.ts';
import type { IntegrateOptions, OneServer, Opened } from './rustine.ts';

/** A run as a worker takes it up from the queue: asked for earlier, by somebody else, on another machine. */
export interface TakenRun extends Taken {
  readonly operator: string;
  /** Folder one works from; absent: the supervisor folder. */
  readonly from?: string;
  readonly files: OpenedDeliveries;
}

/** A run's part on one server. */
export interface RunPart {
  /** Number of the run; absent: a new one. */
  readonly id?: string;
  /** Called when its folders here are its own, or others have some. */
  taken?(started: StartedRun): void;
  /** Codes of the run's folders on further servers; only the environment's own server has to know. */
  readonly elsewhere?: readonly string[];
  /** Of a run that a worker takes up from the queue. */
  readonly takenUp?: TakenRun;
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
  /** The part of a run that takes a patch back. */
  revert(options: RevertOptions, part: RevertPart): Promise<RunOutcome>;
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
