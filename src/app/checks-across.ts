// The checks alone, over all servers: each checks its own folders, and what is said of the delivery is said once.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Across } from './across-servers.ts';
import type { CheckOptions, CheckOutcome } from './checks.ts';
import { mirrorsOf } from './mirrors.ts';
import { mergedFindings } from './server-run.ts';
import { unreachable } from './servers.ts';
import type { Shares } from './shares.ts';

/** A server that does not answer is told; a run would fail its folders only. */
export async function checkAcross(across: Across, { here, elsewhere }: Shares, options: CheckOptions): Promise<CheckOutcome> {
  const outcomes = [await across.home.verbs.check({ ...options, folders: here })];
  const silent: Finding[] = [];
  for (const { server, folders } of elsewhere) {
    if (folders.length === 0) continue;
    try {
      const member = await across.open(server);
      const mirrors = (await mirrorsOf(member)).flatMap(({ code }) => (here.includes(code) ? [code] : []));
      const outcome = await member.verbs.check({ ...options, folders: [...mirrors, ...folders] });
      outcomes.push({ ...outcome, folders: outcome.folders.filter(({ folder }) => !mirrors.includes(folder)) });
    } catch (error) {
      const lost = unreachable(server, error);
      if (!(lost instanceof Failure) || lost.code !== 'server-unreachable') throw error;
      silent.push({ code: lost.code, severity: 'warn', subject: server.name, facts: { ...lost.facts, folders } });
    }
  }
  const findings = [...mergedFindings(outcomes.map((outcome) => outcome.findings)), ...silent];
  return { state: blocks(findings) ? 'blocked' : 'clear', findings, folders: outcomes.flatMap(({ folders }) => folders) };
}
