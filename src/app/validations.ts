// The verb that validates folders as a run: which folders, the controls, what the run is told.
import type { CancelSignals } from '../batch/cancelling.ts';
import { type StartedRun, withRun } from '../batch/started-run.ts';
import type { ValidationOutcome, ValidationTogether } from '../batch/validating.ts';
import { runValidation, type ValidationsElsewhere } from '../batch/validation-run.ts';
import { readFolders, readLevels } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import type { RunListener } from '../journal/journal.ts';
import { type MirrorsBehind, validationFindings } from '../plan/validation-checks.ts';
import { gatherValidationFacts } from '../plan/validation-facts.ts';
import { forcedChecks, ownServer, readOnlyRefusal } from './checks.ts';
import { jobsAtOnce } from './jobs.ts';
import { canaries, chosen, knownAnywhere, knownEnvironment } from './known-folders.ts';
import type { Opened } from './rustine.ts';
import { SCRIPT_TIMEOUT_MS } from './script-limit.ts';
import { stopPoints } from './stop-points.ts';

export type { RunValidation, ValidationOutcome } from '../batch/validating.ts';

export interface ValidateOptions extends CancelSignals {
  /** Absent: all folders that are due. */
  readonly folders?: readonly string[];
  /** Done for real, then rolled back. */
  readonly preview?: boolean;
  /** Whether the outcome lists what changed one by one. */
  readonly differences?: boolean;
  /** Folders that come first, with their parents: the others only when these are through. */
  readonly first?: readonly string[];
  readonly onError?: 'continue' | 'stop';
  readonly force?: readonly { readonly check: string; readonly reason: string }[];
  readonly jobs?: number;
  /** How long another run that has folders of this one, and then sessions, are waited for, in milliseconds; absent: not at all. */
  readonly waitMs?: number;
  /** Whether sessions of the folders' logins that are left then are ended; else they block. */
  readonly disconnect?: boolean;
  /** How long a folder waits for somebody else's locks, all in all, in milliseconds; absent: 15 seconds. */
  readonly lockTimeoutMs?: number;
  readonly listener?: RunListener;
  /** Number of the task of the batch server that this is. */
  readonly task?: number;
}

/** Where a validation is part of one over several servers. */
export interface ValidationPlace {
  /** Number of the run; absent: a new one. */
  readonly id?: string;
  /** Its folders on further servers. */
  readonly elsewhere?: readonly string[];
  /** Validates them. */
  readonly others?: (started: StartedRun) => ValidationsElsewhere;
  readonly together?: ValidationTogether;
  readonly behind?: MirrorsBehind;
}

const LOCK_TIMEOUT_MS = 15_000;

/** @throws Refusal `folder-unknown`, `first-not-given`; what goes wrong in one folder is that folder's outcome */
export async function validateFolders(
  opened: Opened,
  options: ValidateOptions,
  place: ValidationPlace = {},
): Promise<ValidationOutcome> {
  const { database, operator, settings } = opened;
  const { supervisor, folders: all } = await knownEnvironment(database);
  const mode = options.preview === true ? 'validate-rehearse' : 'validate';
  const asked = options.folders === undefined ? await dueFolders(opened, all) : chosen(all, options.folders);
  const { elsewhere = [], others } = place;
  if (asked.length === 0 && elsewhere.length === 0)
    return { run: place.id ?? '', mode, state: 'done', findings: [], folders: [] };
  const from = settings.from === undefined ? supervisor : await knownAnywhere(database, all, settings.from);
  const forced = forcedChecks(options.force ?? []);
  const { listener = () => undefined, cancel, abort, task, ...request } = options;
  const lockTimeoutMs = options.lockTimeoutMs ?? LOCK_TIMEOUT_MS;
  const first = canaries(asked, options.first ?? []);
  const start = {
    ...(place.id === undefined ? {} : { id: place.id }),
    ...(cancel === undefined ? {} : { cancel }),
    ...(abort === undefined ? {} : { abort }),
    ...(task === undefined ? {} : { task }),
    mode,
    folders: asked,
    first,
    from,
    operator,
    files: [],
    authorized: [],
    forced,
    request: { ...request },
    waitMs: options.waitMs ?? 0,
    changesMs: lockTimeoutMs,
    listener,
    elsewhere,
  } as const;
  return withRun(database, start, async (started) => {
    const began = performance.now();
    // They were read before another run was waited for: only from here on nobody else has these folders.
    const now = await readFolders(database);
    const folders = now.filter(({ code }) => asked.some((each) => each.code === code));
    const jobs = jobsAtOnce(options.jobs ?? opened.jobs);
    const facts = await gatherValidationFacts(database, folders, now, await ownServer(opened));
    const findings = validationFindings({ folders, all: now, facts, jobs, ...behindOf(place) });
    return runValidation(database, {
      started,
      mode,
      folders,
      all: now,
      operator,
      forced,
      onError: options.onError ?? 'continue',
      jobs,
      lockTimeoutMs,
      scriptTimeoutMs: settings.scriptTimeoutMs ?? SCRIPT_TIMEOUT_MS,
      differences: options.differences === true,
      findings,
      controlsMs: performance.now() - began,
      listener,
      stopPoint: stopPoints(process.env.RUSTINE_STOP_AT, opened.server),
      ...place.together,
      sessions: { waitMs: options.waitMs ?? 0, disconnect: options.disconnect ?? false },
      ...(others === undefined ? {} : { elsewhere: others(started) }),
    });
  }).catch((error: unknown) => {
    throw readOnlyRefusal(error);
  });
}

const behindOf = ({ behind }: ValidationPlace): Pick<ValidationPlace, 'behind'> => (behind === undefined ? {} : { behind });

/** Those that lag, are due or locked, and the history folders of all these: what is validated changes them (R36). */
export async function dueFolders({ database }: Opened, all: readonly Folder[]): Promise<readonly Folder[]> {
  const lagging = new Set((await readLevels(database)).flatMap(({ folder, lag }) => (lag.length === 0 ? [] : [folder])));
  const isDue = ({ id, due, state }: Folder): boolean => due.length > 0 || state === 'locked' || lagging.has(id);
  const due = new Set(all.filter(isDue).map(({ code }) => code));
  return all.filter(
    ({ code, historyOf, state, mirror }) =>
      mirror !== true && ['ready', 'locked'].includes(state) && (due.has(code) || (historyOf !== null && due.has(historyOf))),
  );
}
