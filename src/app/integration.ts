// The verb `integrate` on one server: reads the request, starts the run, checks it again under its lock, hands it to the batch.
import { resolve } from 'node:path';
import { type RunRequest, run } from '../batch/run.ts';
import { type StartedRun, withRun } from '../batch/started-run.ts';
import { readFolders } from '../environment/catalog.ts';
import type { RunOutcome } from '../journal/outcome.ts';
import { checkRequest, readRequest } from './checks.ts';
import { jobsAtOnce } from './jobs.ts';
import { KEEP_PATCHES_BYTES } from './keep-limit.ts';
import { canaries } from './known-folders.ts';
import { type RunPart, WHOLE } from './opened-server.ts';
import type { IntegrateOptions, Opened } from './rustine.ts';
import { SCRIPT_TIMEOUT_MS } from './script-limit.ts';
import { stopPoints } from './stop-points.ts';

/** How long a statement waits for a lock that somebody else holds. */
const LOCK_TIMEOUT_MS = 15_000;

export async function integrateInto(own: Opened, options: IntegrateOptions, part: RunPart = WHOLE): Promise<RunOutcome> {
  const { takenUp: taken } = part;
  const opened = { ...own, operator: taken?.operator ?? own.operator };
  const { database, settings, operator } = opened;
  const asked = await readRequest(opened, options, taken);
  const { supervisor, from, deliveries, authorized, forced } = asked;
  const { mode } = options;
  const jobs = jobsAtOnce(options.jobs ?? opened.jobs);
  const first = canaries(asked.folders, options.first ?? []);
  const files = deliveries.map((delivery) => delivery.file);
  const { listener = () => undefined, cancel, abort, ...given } = options;
  // From wherever somebody looks for the files later.
  const request = { ...given, paths: options.paths.map((path) => resolve(path)) };
  const id = part.id === undefined ? {} : { id: part.id };
  const signals = { ...(cancel === undefined ? {} : { cancel }), ...(abort === undefined ? {} : { abort }) };
  const start = {
    mode,
    folders: asked.folders,
    first,
    from,
    operator,
    files,
    authorized,
    forced,
    request,
    listener,
    ...id,
    ...signals,
    ...(part.elsewhere === undefined ? {} : { elsewhere: part.elsewhere }),
    ...(taken === undefined ? {} : { taken }),
  };
  const work = async (started: StartedRun): Promise<RunOutcome> => {
    part.taken?.(started);
    // They were read before the patch files, and before another run was waited for: only from here on nobody else has these folders.
    const now = await readFolders(database);
    const folders = now.filter(({ code }) => asked.folders.some((each) => each.code === code));
    // All transactions together are looked at where they are planned: an estimate by the patches alone would refuse too much.
    const scope = mode === 'rehearse' || options.atomic === true ? 'folder' : 'patch';
    // Nobody looks on where a worker begins (R15); where it goes on, what is there already came with this very run.
    const attended = taken === undefined || started.turn > 1;
    const checked = await checkRequest(opened, { ...asked, all: now, folders }, { jobs, scope, attended });
    const goesOn = started.turn > 1;
    const found = checked.findings.filter(({ code }) => !goesOn || code !== 'already-integrated');
    const prepared: RunRequest = {
      started,
      mode,
      deliveries,
      folders,
      supervisor,
      operator,
      authorized,
      takeUnchanged: options.takeUnchanged ?? false,
      forced,
      onError: options.onError ?? 'continue',
      atomic: options.atomic ?? false,
      jobs,
      lockTimeoutMs: options.lockTimeoutMs ?? LOCK_TIMEOUT_MS,
      scriptTimeoutMs: settings.scriptTimeoutMs ?? SCRIPT_TIMEOUT_MS,
      keepBytes: settings.keepPatchesBytes ?? KEEP_PATCHES_BYTES,
      runners: settings.runners ?? {},
      preflight: { ...checked, findings: [...started.findings, ...found] },
      listener,
      sessions: { waitMs: options.waitMs ?? 0, disconnect: options.disconnect ?? false },
      stopPoint: stopPoints(process.env.RUSTINE_STOP_AT, opened.server),
    };
    return run(database, await part.checked(prepared));
  };
  // In the queue others are waited for until they are through, unless somebody said how long.
  const waitMs = options.waitMs ?? (taken === undefined ? 0 : Number.POSITIVE_INFINITY);
  return withRun(database, { ...start, waitMs, changesMs: options.lockTimeoutMs ?? LOCK_TIMEOUT_MS }, work);
}
