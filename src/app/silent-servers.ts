// What waits on servers that do not answer: runs of dead programs that only they can end, told by those who ask about all servers.
import type { Finding } from '../base/finding.ts';
import type { Recovery } from '../batch/recovery.ts';
import type { Database } from '../database/database.ts';
import { readUnsettled } from '../journal/unsettled-elsewhere.ts';

/** @param silent why a server does not answer; undefined where it does */
export async function leftOnSilent(
  home: Database,
  silent: (server: string) => string | undefined,
): Promise<{ readonly pending: readonly Finding[]; readonly others: readonly Finding[] }> {
  const found = (await readUnsettled(home)).flatMap(({ run, server, decision, folders }): readonly Finding[] => {
    const reason = silent(server);
    if (reason === undefined) return [];
    const facts = { run, server, folders, reason };
    if (decision === null) return [{ code: 'part-unsettled', severity: 'warn', subject: server, facts }];
    return [{ code: 'decision-pending', severity: 'block', subject: server, facts: { ...facts, decision } }];
  });
  const pending = found.filter(({ code }) => code === 'decision-pending');
  return { pending, others: found.filter((finding) => !pending.includes(finding)) };
}

/** What could not be settled is left; a run whose decision waits on some server has not ended, whatever was ended elsewhere. */
export function withLeft(recovery: Recovery, { pending, others }: Awaited<ReturnType<typeof leftOnSilent>>): Recovery {
  const { prepared, runs } = recovery;
  const waits = pending.map(({ facts }) => String(facts?.run));
  const settled = prepared.settled.filter((entry) => !waits.some((run) => entry.startsWith(run)));
  return {
    ...recovery,
    prepared: { settled, left: [...prepared.left, ...pending] },
    runs: { ...runs, left: [...runs.left, ...others] },
  };
}
