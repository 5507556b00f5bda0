// One attempt to validate a folder: its transaction with the run's fence, the engine's steps and their events; what is rolled back is told all the same.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { RunEvent } from '../journal/journal.ts';
import { eventJson } from '../journal/runs.ts';
import type { StepCounts, StepOutcome, ValidationStep } from '../journal/validation-steps.ts';
import { validateInto } from '../validate/validation.ts';
import type { FolderValidation, Validated } from '../validate/validation-context.ts';
import { attemptMs } from './folder-part.ts';
import type { RunValidation, Validating, ValidationPart } from './validating.ts';

/** What came of an attempt that was not thrown out of. */
export interface Attempted {
  readonly outcome: RunValidation;
  readonly findings: readonly Finding[];
}

/** What a transaction that was to be committed wrote of itself. */
interface Recorded {
  readonly attempted: Attempted;
  readonly events: readonly RunEvent[];
  /** Of these events in the trace. */
  readonly numbers: readonly number[];
}

/** Thrown where an attempt failed: with the steps that it came to, the last of them the one that failed. */
export class AttemptFailed extends Error {
  override readonly name = 'AttemptFailed';
  readonly steps: readonly StepOutcome[];
  /** It had come to its commit. */
  readonly recorded: Recorded | undefined;

  constructor(cause: unknown, steps: readonly StepOutcome[], recorded: Recorded | undefined) {
    super('attempt failed', { cause });
    this.steps = steps;
    this.recorded = recorded;
  }
}

/** @throws AttemptFailed: the folder is as it was */
export async function attemptValidation(validating: Validating, part: ValidationPart): Promise<Attempted> {
  try {
    return await attempt(validating, part);
  } catch (error) {
    const heard = error instanceof AttemptFailed ? await readUnheard(validating, part, error) : undefined;
    if (heard === undefined) throw error;
    return tellRecorded(validating, heard);
  }
}

async function attempt(validating: Validating, part: ValidationPart): Promise<Attempted> {
  const { database, mode, cancelling } = validating;
  const clock = toldClock(validating, part);
  let recorded: Recorded | undefined;
  try {
    const done = await database.transaction(
      (session) =>
        attemptInto(session, validating, part, clock, (made) => {
          recorded = made;
        }),
      mode === 'validate' ? 'commit' : 'rollback',
      cancelling.hard,
    );
    return tellRecorded(validating, done);
  } catch (error) {
    throw new AttemptFailed(error, clock.ended('failed'), mode === 'validate' ? recorded : undefined);
  }
}

/**
 * The same in a transaction that goes on, and is rolled back: a preview. What came of it is told by `tell`, once the folder is as it was.
 * @throws AttemptFailed: the caller rolls back
 */
export async function attemptInside(
  session: Session,
  validating: Validating,
  part: ValidationPart,
): Promise<{ readonly outcome: RunValidation; tell(): Attempted }> {
  const clock = toldClock(validating, part);
  try {
    const done = await attemptInto(session, validating, part, clock, () => undefined);
    return { outcome: done.attempted.outcome, tell: () => tellRecorded(validating, done) };
  } catch (error) {
    throw new AttemptFailed(error, clock.ended('failed'), undefined);
  }
}

/**
 * What a folder that was previewed already gets, for those that follow it: nothing is told.
 * @returns whether it gets it
 * @throws AttemptFailed: the caller rolls back
 */
export async function repeatInside(session: Session, validating: Validating, part: ValidationPart): Promise<boolean> {
  const context = {
    ...contextOf(
      validating,
      part,
      stepClock(() => undefined),
    ),
    differences: false,
  };
  try {
    await enter(session, validating, part);
    const { outcome } = await validateInto(session, validating.database, part.folder, validating.sources, context);
    return outcome.state !== 'failed';
  } catch (error) {
    throw new AttemptFailed(error, [], undefined);
  }
}

async function attemptInto(
  session: Session,
  validating: Validating,
  part: ValidationPart,
  clock: StepClock,
  written: (recorded: Recorded) => void,
): Promise<Recorded> {
  const { database, journal } = validating;
  const { folder } = part;
  await enter(session, validating, part);
  validating.stopPoint('validation-begun');
  const context = contextOf(validating, part, clock);
  const attempted = attemptedOf(part, await validateInto(session, database, folder, validating.sources, context), clock);
  const events = eventsOf(attempted.outcome, folder.state === 'locked');
  if (attempted.outcome.state === 'failed') return { attempted, events, numbers: [] };
  validating.stopPoint('validation-done');
  const numbers = events.map(() => journal.nextEvent());
  const recorded = { attempted, events, numbers };
  written(recorded);
  await record(session, validating.run, folder.id, recorded);
  validating.stopPoint('validation-recorded');
  return recorded;
}

function toldClock({ journal, writtenThere }: Validating, { folder }: ValidationPart): StepClock {
  return stepClock((step) => {
    const event: RunEvent = { kind: 'step-started', folder: folder.code, step };
    // Who looks on sees it; what the step came to is written.
    writtenThere.add(event);
    journal.emit(event);
  });
}

/** What came of it although nobody heard so, is what came of it. */
async function readUnheard(
  { database, run, cancelling }: Validating,
  { folder }: ValidationPart,
  { cause, recorded }: AttemptFailed,
): Promise<Recorded | undefined> {
  const unheard = cancelling.hard.aborted || (cause instanceof Failure && cause.code === 'database-lost');
  if (!unheard || recorded === undefined) return undefined;
  try {
    return await database.transaction(async (session) => {
      await session.script(`set local lock_timeout = '${UNHEARD_WAIT}'`);
      // The folder's transaction has its row until it has ended; a statement of its own, to see what that one left.
      await session.query(sql`select from rustine.folder where id = ${folder.id} for share`);
      const there = await session.query(sql`
        select from rustine.event where run = ${run} and seq = any(${recorded.numbers}::integer[])
          and event ->> 'kind' = 'step-finished' and event ->> 'folder' = ${folder.code}`);
      return there.length === 0 ? undefined : recorded;
    });
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    return undefined;
  }
}

/** The server ends what it was told to end as soon as it notices; a statement in the middle goes on for a second or two. */
const UNHEARD_WAIT = '5s';

function tellRecorded({ mode, journal, writtenThere }: Validating, { attempted, events }: Recorded): Attempted {
  for (const event of events) {
    if (mode === 'validate' && attempted.outcome.state !== 'failed') writtenThere.add(event);
    journal.emit(event);
  }
  return attempted;
}

/** What an attempt that was thrown out of came to, for whoever reads the trace. */
export function tellSteps({ journal }: Validating, folder: string, steps: readonly StepOutcome[]): void {
  for (const outcome of steps) journal.emit({ kind: 'step-finished', folder, outcome });
}

/** A program that slept longer than its lease lasts finds its run settled; who settles it waits for the key that is held here. */
async function enter(session: Session, { run, process, lockTimeoutMs }: Validating, part: ValidationPart): Promise<void> {
  const [row] = await session.query<{ running: boolean }>(sql`
    with run as materialized (select id from rustine.run where id = ${run} and state = 'running' and process = ${process} for key share)
    select exists (select from run) as running, set_config('lock_timeout', ${`${Math.round(attemptMs(part, lockTimeoutMs))}ms`}, true)`);
  if (row?.running !== true) throw new Failure('run-lost', { run, folder: part.folder.code });
}

function contextOf(
  { run, operator, forced, lockTimeoutMs, scriptTimeoutMs, differences, stopPoint }: Validating,
  part: ValidationPart,
  clock: StepClock,
) {
  return {
    run,
    operator,
    lockTimeoutMs: attemptMs(part, lockTimeoutMs),
    scriptTimeoutMs,
    differences,
    leftToRun: { scripts: [...part.leftToRun.keys()], reason: forced.scripts ?? '' },
    step: clock.step,
    stopPoint,
  };
}

/** In the folder's transaction: its steps are told where and when what they did is there; what was locked is not any more. */
async function record(session: Session, run: string, folder: number, { events, numbers }: Recorded): Promise<void> {
  await session.query(sql`
    with told as (
      insert into rustine.event (run, seq, event)
      select ${run}, e.seq, e.event from unnest(${numbers}::integer[], ${events.map(eventJson)}::jsonb[]) as e (seq, event))
    update rustine.folder set state = 'ready', locked = null where id = ${folder} and state = 'locked'`);
}

function attemptedOf(part: ValidationPart, { outcome, findings }: Validated, clock: StepClock): Attempted {
  const { state, steps: _, ...rest } = outcome;
  const own = state === 'failed' ? clock.ended('failed') : clock.ended('done').map((step) => counted(step, outcome));
  const steps = [...part.before, ...own];
  return {
    outcome: { ...rest, state, steps },
    findings: findings.map((finding) => ({ ...finding, folder: finding.folder ?? part.folder.code })),
  };
}

function eventsOf({ folder, state, steps }: RunValidation, wasLocked: boolean): readonly RunEvent[] {
  const own = steps.filter(({ step }) => step !== 'controls' && step !== 'single-user');
  return [
    ...own.map((outcome): RunEvent => ({ kind: 'step-finished', folder, outcome })),
    ...(wasLocked && state !== 'failed' ? [{ kind: 'folder-unlocked', folder } as const] : []),
  ];
}

/** What a step did, from what the folder came to. */
function counted(step: StepOutcome, outcome: FolderValidation): StepOutcome {
  const changes = outcome.steps.find((each) => each.step === step.step)?.changes ?? 0;
  const counts = changes === 0 ? {} : countsOf(step.step, changes, outcome);
  return { ...step, state: changes === 0 ? 'unchanged' : 'done', counts };
}

function countsOf(step: ValidationStep, changes: number, { elements, tables }: FolderValidation): StepCounts {
  const { created, updated, kept } = elements;
  const named: Partial<Record<ValidationStep, StepCounts>> = {
    dictionary: { created, updated, kept },
    tables: { created: tables.created.length, altered: tables.altered.length, removed: tables.removed.length },
    scripts: { installed: changes },
  };
  const there = Object.entries(named[step] ?? {}).filter(([, count]) => count > 0);
  return there.length === 0 ? { changes } : Object.fromEntries(there);
}

interface StepClock {
  step(step: ValidationStep): void;
  /** @param last what became of the step that was begun last */
  ended(last: 'done' | 'failed'): readonly StepOutcome[];
}

function stepClock(begun: (step: ValidationStep) => void): StepClock {
  const steps: { readonly step: ValidationStep; readonly at: number }[] = [];
  return {
    step: (step) => {
      steps.push({ step, at: performance.now() });
      begun(step);
    },
    ended: (last) => {
      const now = performance.now();
      return steps.map(({ step, at }, index): StepOutcome => {
        const until = steps[index + 1]?.at ?? now;
        const state = index === steps.length - 1 ? last : 'done';
        return { step, state, counts: {}, ms: Math.round(until - at) };
      });
    },
  };
}
