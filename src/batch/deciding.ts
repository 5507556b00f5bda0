// Who decides about a run that is all or none: the environment's own server; what it and the parts on further servers tell each other.
import type { Decision } from '../journal/prepared.ts';

/** What a server's part came to: every transaction of it is prepared, or it is not whole. */
export interface Vote {
  readonly whole: boolean;
  /** Folders that would not get everything. */
  readonly failed: readonly string[];
}

/** What stands for all servers. */
export interface Verdict {
  readonly decision: Decision;
  /** Folders of all servers that would not have got everything. */
  readonly failed: readonly string[];
}

/** The parts on further servers, as the environment's own sees them. */
export interface Participants {
  /** Numbers of their servers: written down before any of them prepares something. */
  readonly servers: readonly number[];
  /** The supervisor folder is through here: they begin. @param missed what it was to get and does not (R31) */
  prepare(missed: ReadonlySet<string>): void;
  /** @returns all votes as one; a part that ended without one is not whole */
  votes(): Promise<Vote>;
  /** It is decided, and durable: they carry it out. */
  decided(verdict: Verdict): void;
}

/** The environment's own server, as a part on another one sees it: who voted follows what is decided there, and nothing else. */
export interface Coordinator {
  /** Lease of the run there: a worker that takes the run up later has another one. */
  readonly process: string;
  /** @throws Failure `run-lost` where nothing is to be heard of the decision any more: what is prepared is left to recovery */
  vote(vote: Vote): Promise<Verdict>;
  /** Nothing of the run is prepared here any more. */
  settled(): Promise<void>;
}

/** How the server at hand takes part in the decision; both absent: it is the only one. */
export interface Deciding {
  readonly participants?: Participants;
  readonly coordinator?: Coordinator;
}
