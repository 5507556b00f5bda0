// A run that is all or none over several servers: its parts vote, are told the one decision, and what a server did not carry out is known by name.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Coordinator, Participants, Verdict, Vote } from '../batch/deciding.ts';
import type { StartedRun } from '../batch/started-run.ts';
import type { Database } from '../database/database.ts';
import type { Server } from '../environment/servers.ts';
import { forgetParticipant, forgetSettled, readPending } from '../journal/participants.ts';
import type { Part } from './server-part.ts';

export interface Ballot {
  /** As the part on that server sees it. */
  coordinator(server: Server, started: Pick<StartedRun, 'id' | 'lease'>): Coordinator;
  /** As the environment's own server sees the parts. */
  participants(parts: readonly Part[]): Participants;
  /** @returns what the supervisor folder was to get and does not: the parts begin; rejected where it never came to its end */
  readonly missed: Promise<ReadonlySet<string>>;
  /** Nothing is to be heard any more: who has voted and not been told leaves what it prepared to recovery. */
  end(): void;
  /** @returns what that server has not carried out; undefined: nothing is prepared there any more */
  pendingOn(part: Part, run: string, cause: Failure): Promise<Failure | undefined>;
}

/** @param home database of the environment's own server, which decides */
export function ballot(home: Database): Ballot {
  const missed = Promise.withResolvers<ReadonlySet<string>>();
  const verdict = Promise.withResolvers<Verdict>();
  for (const { promise } of [missed, verdict]) promise.catch(() => undefined);
  const votes = new Map<string, PromiseWithResolvers<Vote>>();
  const voteOf = ({ name }: Server): PromiseWithResolvers<Vote> => {
    const known = votes.get(name) ?? Promise.withResolvers<Vote>();
    votes.set(name, known);
    return known;
  };
  return {
    missed: missed.promise,
    coordinator: (server, { id, lease: { process } }) => ({
      process,
      vote: (vote) => {
        voteOf(server).resolve(vote);
        return verdict.promise;
      },
      // Where that fails, whoever opens the server next finds nothing there and notes it.
      settled: () => forgetParticipant(home, id, server.number, process).catch(onlyFailures),
    }),
    participants: (parts) => ({
      get servers() {
        return parts.map(({ server }) => server.number);
      },
      prepare: missed.resolve,
      votes: async () => together(await Promise.all(parts.map((part) => heardOf(part, voteOf(part.server).promise)))),
      decided: verdict.resolve,
    }),
    end: () => {
      const lost = new Failure('run-lost', { run: '', folder: '' });
      missed.reject(lost);
      verdict.reject(lost);
    },
    pendingOn: async ({ server, member, folders }, run, cause) => {
      await forgetSettled(home, member.opened.database, server.number).catch(onlyFailures);
      const pending = (await readPending(home, run)).find((each) => each.server === server.name);
      if (pending === undefined) return undefined;
      const reason = String(cause.facts.reason ?? cause.code);
      return new Failure('decision-pending', { run, server: server.name, decision: pending.decision, folders, reason }, cause);
    },
  };
}

function onlyFailures(error: unknown): void {
  if (!(error instanceof Failure)) throw error;
}

/** A part that ends without a word got nothing, whatever it ended of. What stands for a folder there is named so. */
async function heardOf({ server, mirrors, folders, outcome }: Part, vote: Promise<Vote>): Promise<Vote> {
  const ended = outcome.then(
    () => ({ whole: false, failed: folders }),
    () => ({ whole: false, failed: folders }),
  );
  const { whole, failed } = await Promise.race([vote, ended]);
  return { whole, failed: failed.map((folder) => (mirrors.has(folder) ? `${folder} (${server.name})` : folder)) };
}

const together = (votes: readonly Vote[]): Vote => ({
  whole: votes.every(({ whole }) => whole),
  failed: votes.flatMap(({ failed }) => failed),
});

const ABOUT_SERVER = new Set([
  'prepared-transactions-off',
  'prepared-transactions-full',
  'locks-all-or-none',
  'transactions-fewer',
]);

/** What is said of the room on a server says of which one. */
export function named({ name }: Server, finding: Finding): Finding {
  if (!ABOUT_SERVER.has(finding.code)) return finding;
  return { ...finding, subject: name, facts: { ...finding.facts, server: name } };
}
