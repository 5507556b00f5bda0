// After a patch is in a folder: its scripts that the database does not run are given to their runners, or said to wait (R28).
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { sql } from '../database/sql.ts';
import type { Folder } from '../environment/folder.ts';
import { pendingFinding, runPending, type ScriptRun } from '../integrate/run-scripts.ts';
import type { RunEvent } from '../journal/journal.ts';
import type { OutsideRun } from '../plan/plan.ts';
import type { Running } from './folder-run.ts';

/** What came of the scripts of a patch that run outside of the database. */
export interface OutsideOutcome {
  readonly findings: readonly Finding[];
  /** Those that still wait. */
  readonly left: readonly string[];
  /** Those that their runners ran. */
  readonly done: readonly string[];
}

/** A rehearsal runs none: what a program does outside of the database cannot be rolled back. */
export async function runOutside(running: Running, folder: Folder, pending: readonly OutsideRun[]): Promise<OutsideOutcome> {
  const { database, runners, context } = running;
  const all = pending.map(({ name }) => name);
  // Stopped at once, nothing more is started: they stay listed.
  const able = pending.filter(({ language }) => !running.cancelling.hard.aborted && Object.hasOwn(runners, language));
  const findings = pending
    .filter((each) => !able.includes(each))
    .map(({ name, language }) => pendingFinding(folder.code, name, language));
  if (able.length === 0) return { findings, left: all, done: [] };
  if (context.ending === 'rollback')
    return { findings: [...findings, ...able.map((each) => notRehearsed(folder, each))], left: all, done: [] };
  const { scriptTimeoutMs, stopPoint: reached } = context;
  reached('before-runner');
  const names = new Set(able.map(({ name }) => name));
  try {
    // A program that was taken for dead starts nothing in a folder in which others may be at work.
    const living = await database.query(sql`select from rustine.run where id = ${context.run} and state = 'running'`);
    if (living.length === 0) throw new Failure('run-lost', { run: context.run, folder: folder.code });
    const { handled, hard } = running.cancelling;
    const aborted = handled ? { aborted: hard } : {};
    const runs = await runPending({ database, runners, scriptTimeoutMs, reached, ...aborted }, folder, (script) =>
      names.has(script),
    );
    for (const event of runs.flatMap((each) => scriptEvent(each) ?? [])) running.emit(event);
    const done = new Set(runs.flatMap(({ script, state }) => (state === 'done' ? [script] : [])));
    return {
      findings: [...findings, ...runs.flatMap((run) => run.finding ?? [])],
      left: all.filter((name) => !done.has(name)),
      done: [...done],
    };
  } catch (error) {
    // The patch is in the folder: what happens to its scripts does not change that, and they stay listed.
    if (!(error instanceof Failure)) throw error;
    return {
      findings: [...findings, { code: error.code, severity: 'warn', folder: folder.code, facts: error.facts }],
      left: all,
      done: [],
    };
  }
}

function notRehearsed(folder: Folder, { name, language }: OutsideRun): Finding {
  const facts = { script: name, folder: folder.code, language };
  return { code: 'script-not-rehearsed', severity: 'info', folder: folder.code, subject: `EXE:${name}`, facts };
}

/** Nothing happened where it was left or somebody else runs it. */
export function scriptEvent({ folder, script, language, state, exit, output, ms }: ScriptRun): RunEvent | undefined {
  if (state !== 'done' && state !== 'failed') return undefined;
  return { kind: 'script-run', folder, script, language, state, exit, output, ms };
}
