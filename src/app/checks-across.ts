// The checks alone, over all servers: each checks its own folders, and what is said of the delivery is said once.
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Across } from './across-servers.ts';
import type { CheckOptions, CheckOutcome } from './checks.ts';
import { mirrorsOf } from './mirrors.ts';
import { troubleFinding } from './server-outcome.ts';
import { troubleOf } from './server-part.ts';
import { mergedFindings } from './server-run.ts';
import type { Shares } from './shares.ts';

/** A server that does not answer is told; what else keeps one from its part blocks, as it would a run. */
export async function checkAcross(
  across: Across,
  { here, elsewhere, half }: Shares,
  options: CheckOptions,
): Promise<CheckOutcome> {
  const outcomes = [await across.home.verbs.check({ ...options, folders: here })];
  const silent: Finding[] = [];
  for (const { server, folders } of elsewhere) {
    try {
      const member = await across.open(server);
      const mirrors = (await mirrorsOf(member)).flatMap(({ code }) => (here.includes(code) ? [code] : []));
      const outcome = await member.verbs.check({ ...options, folders: [...mirrors, ...folders] });
      outcomes.push({ ...outcome, folders: outcome.folders.filter(({ folder }) => !mirrors.includes(folder)) });
    } catch (error) {
      const trouble = troubleOf({ server, folders }, error);
      const finding = troubleFinding(server, trouble, folders);
      // A run would fail its folders only.
      silent.push(trouble.code === 'server-unreachable' ? { ...finding, severity: 'warn' } : finding);
    }
  }
  const findings = [...half, ...mergedFindings(outcomes.map((outcome) => outcome.findings)), ...silent];
  return { state: blocks(findings) ? 'blocked' : 'clear', findings, folders: outcomes.flatMap(({ folders }) => folders) };
}
