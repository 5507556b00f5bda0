// `integrate --batch` over several servers: checked on each as things are now, and queued on the environment's own.
import type { Finding } from '../base/finding.ts';
import { folderCode } from '../base/ids.ts';
import { usersFindings } from '../batch/started-run.ts';
import { folderUsers } from '../journal/runs.ts';
import type { Across } from './across-servers.ts';
import { checkRequest, type ReadRequest, readRequest } from './checks.ts';
import { mirrorsOfRun } from './mirrors-behind.ts';
import { type QueuedRun, queueRun } from './queued-run.ts';
import type { IntegrateOptions } from './rustine.ts';
import { troubleFinding } from './server-outcome.ts';
import { troubleOf } from './server-part.ts';
import { HOME, hasWork, mergedFindings } from './server-run.ts';
import { canariesBySide, type Share, type Shares } from './shares.ts';

/** A server that does not answer now may do so when a worker comes to it. @throws Refusal as `integrate` does */
export async function queueAcross(across: Across, shares: Shares, options: IntegrateOptions): Promise<QueuedRun> {
  const { here, elsewhere, half } = shares;
  const wanted = (options.first ?? []).map(folderCode);
  const first = canariesBySide(shares, wanted, HOME).get(HOME) ?? [];
  return queueRun(
    across.home.opened,
    { ...options, folders: here, first },
    {
      first: wanted,
      folders: elsewhere.flatMap(({ folders }) => folders),
      check: async (asked) => {
        const found: Found[] = [];
        for (const share of elsewhere) found.push(await checkShare(across, share, here, options, asked));
        const findings = [...half, ...mergedFindings(found.map((each) => each.findings))];
        return { findings, work: found.some(({ work }) => work) };
      },
    },
  );
}

interface Found {
  readonly findings: readonly Finding[];
  readonly work: boolean;
}

async function checkShare(
  across: Across,
  { server, folders }: Share,
  here: readonly string[],
  { first: _, ...options }: IntegrateOptions,
  { deliveries, unread, findings: read }: ReadRequest,
): Promise<Found> {
  try {
    const member = await across.open(server);
    const mirrors = await mirrorsOfRun(across.home.opened.database, member, { here, folders, deliveries });
    const { opened } = member;
    const files = { deliveries, unread, findings: read };
    const asked = await readRequest(opened, { ...options, folders: [...mirrors, ...folders] }, { files });
    const scope = options.mode === 'rehearse' || options.atomic === true ? 'folder' : 'patch';
    const checked = await checkRequest(opened, asked, { jobs: options.jobs ?? opened.jobs, scope, attended: false });
    // Tasks at work there are no obstacle: the run waits for them in the queue.
    const { runs } = await folderUsers(opened.database, folders);
    return { findings: [...checked.findings, ...usersFindings({ runs, tasks: [], changes: [] })], work: hasWork(checked) };
  } catch (error) {
    const trouble = troubleOf({ server, folders }, error);
    const finding = troubleFinding(server, trouble, folders);
    const silent = trouble.code === 'server-unreachable';
    return { findings: [silent ? { ...finding, severity: 'warn' } : finding], work: silent && folders.length > 0 };
  }
}
