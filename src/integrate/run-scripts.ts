// Runs scripts that wait in a folder (R28): each is claimed first, so that nobody else runs it at the same time, and stays listed unless it succeeded.
import { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { isSafeScriptName } from '../dictionary/script-name.ts';
import type { Folder } from '../environment/folder.ts';
import { type FoundBody, readBody, readPending } from '../environment/inheritance.ts';
import type { SqlRun } from '../plan/plan.ts';
import { OUTPUT_BYTES, type Runner, type RunnerResult, runWith } from './runner.ts';
import { watched } from './script-watch.ts';
import { settingsOf } from './settings.ts';
import { sqlScriptStatements } from './sql-scripts.ts';

export interface ScriptRunning {
  readonly database: Database;
  readonly runners: Readonly<Record<string, Runner>>;
  readonly scriptTimeoutMs: number;
  /** Called at named points after the folder's transaction; tests stop the program there. */
  readonly reached: (name: string) => void;
  /** Ends the program that runs; absent: the signals that this process gets do. */
  readonly aborted?: AbortSignal;
}

/** How the run of one pending script ended. */
export interface ScriptRun {
  readonly folder: string;
  readonly script: string;
  readonly language: string;
  /** `busy`: somebody else runs it · `left`: nobody can run it, the finding says why. */
  readonly state: 'done' | 'failed' | 'busy' | 'left';
  readonly exit: number | null;
  readonly output: string;
  readonly ms: number;
  readonly finding?: Finding;
}

/** Runs what waits in the folder, in the order in which it was listed; one that fails does not hold up the others. */
export async function runPending(
  running: ScriptRunning,
  folder: Folder,
  wanted: (script: string) => boolean,
): Promise<readonly ScriptRun[]> {
  const runs: ScriptRun[] = [];
  for (const { script } of await readPending(running.database, [folder.id])) {
    if (wanted(script)) runs.push(await runOne(running, folder, script));
  }
  return runs;
}

async function runOne(running: ScriptRunning, folder: Folder, script: string): Promise<ScriptRun> {
  const body = await readBody(running.database, folder, script);
  const about: Pick<ScriptRun, 'folder' | 'script' | 'language'> = {
    folder: folder.code,
    script,
    language: body?.language ?? '',
  };
  const nothing = { exit: null, output: '', ms: 0 };
  if (body === undefined) return { ...about, state: 'left', ...nothing, finding: pendingFinding(folder.code, script, '') };
  if (body.language === 'sql') return runInDatabase(running, folder, script, body);
  const runner = Object.hasOwn(running.runners, body.language) ? running.runners[body.language] : undefined;
  if (runner === undefined)
    return { ...about, state: 'left', ...nothing, finding: pendingFinding(folder.code, script, body.language) };
  if (!isSafeScriptName(script)) {
    const facts = { script, folder: folder.code };
    const finding: Finding = {
      code: 'script-name-unsafe',
      severity: 'warn',
      folder: folder.code,
      subject: `EXE:${script}`,
      facts,
    };
    return { ...about, state: 'left', ...nothing, finding };
  }
  const claim = await claimScript(running.database, folder, script, runner.timeoutMs);
  if (claim === undefined) return { ...about, state: 'busy', ...nothing };
  running.reached('script-claimed');
  const result = await runWith(runner, folder.code, script, body.bytes, running.aborted);
  return { ...about, ...(await settle(running.database, folder, script, claim, runner, result)) };
}

/** A script that nobody could run: `language` is empty where its text is not known. */
export function pendingFinding(folder: string, script: string, language: string): Finding {
  return { code: 'script-pending', severity: 'warn', folder, subject: `EXE:${script}`, facts: { script, folder, language } };
}

interface Claim {
  readonly attempt: number;
  readonly integration: string;
}

/** A little more than the limit, so that a claim does not end before what it protects. */
const CLAIM_MARGIN_MS = 10_000;

/** @returns undefined where somebody else has it, or it is no longer listed */
async function claimScript(database: Database, folder: Folder, script: string, timeoutMs: number): Promise<Claim | undefined> {
  const [claim] = await database.query<Claim>(sql`
    update rustine.pending_script set attempts = attempts + 1, last_run = now(), claimed_until = now() + ${timeoutMs + CLAIM_MARGIN_MS} * interval '1 millisecond'
    where folder = ${folder.id} and script = ${script} and (claimed_until is null or claimed_until < now())
    returning attempts as attempt, integration::text as integration`);
  return claim;
}

/** Listed again by another patch in the meantime, it stays: that is another run to be made. */
async function settle(
  database: Database,
  folder: Folder,
  script: string,
  claim: Claim,
  runner: Runner,
  result: RunnerResult,
): Promise<Omit<ScriptRun, 'folder' | 'script' | 'language'>> {
  const { exit, output, ms } = result;
  if (result.end === 'exit' && exit === 0) {
    await database.query(sql`
      with done as (delete from rustine.pending_script where folder = ${folder.id} and script = ${script} and integration = ${claim.integration} and attempts = ${claim.attempt})
      update rustine.pending_script set claimed_until = null where folder = ${folder.id} and script = ${script} and integration <> ${claim.integration}`);
    return { state: 'done', exit, output, ms };
  }
  const reason = result.end === 'exit' ? (exit === null ? `signal ${result.signal}` : `exit ${exit}`) : result.end;
  const lastError = `${reason}${result.end === 'not-started' ? ` ${result.signal}` : ''}\n${output}`.trim();
  // While a run is at work the folder's login lets nobody in, its programs neither: that may be the cause, and is told.
  const [kept] = await database.query<{ login: string | null }>(sql`
    update rustine.pending_script set claimed_until = null, last_error = ${lastError.slice(-OUTPUT_BYTES).toWellFormed()}
    where folder = ${folder.id} and script = ${script}
    returning (select s.role_name from rustine.shut_login s where s.folder = ${folder.code} limit 1) as login`);
  const facts = {
    script,
    folder: folder.code,
    why: result.end === 'exit' && exit === null ? 'signal' : result.end,
    exit,
    signal: result.signal,
    command: runner.command,
    seconds: Math.round(runner.timeoutMs / 1_000),
    output: lastLines(output),
    ...(kept?.login == null ? {} : { login: kept.login }),
  };
  const finding: Finding = { code: 'script-run-failed', severity: 'warn', folder: folder.code, subject: `EXE:${script}`, facts };
  return { state: 'failed', exit, output, ms, finding };
}

const lastLines = (output: string): readonly string[] =>
  output
    .trimEnd()
    .split('\n')
    .slice(-5)
    .filter((line) => line !== '');

const LOCK_LIMIT = `set local lock_timeout = '15s'`;

/** Its text came or was found after the patch: run and taken off the list in one transaction. */
async function runInDatabase(running: ScriptRunning, folder: Folder, script: string, body: FoundBody): Promise<ScriptRun> {
  const { database, scriptTimeoutMs: timeoutMs } = running;
  const about = { folder: folder.code, script, language: body.language, exit: null, output: '' };
  const runs: readonly SqlRun[] = [{ name: script, digest: body.digest, when: 'end', own: false }];
  const begun = performance.now();
  const ms = (): number => Math.round(performance.now() - begun);
  try {
    const ran = await database.transaction(async (session) => {
      // As an integration does: one at a time in a folder, and nobody waits for ever.
      await session.script(LOCK_LIMIT);
      await session.query(sql`select from rustine.folder where id = ${folder.id} for update`);
      const gone = await session.query(
        sql`delete from rustine.pending_script where folder = ${folder.id} and script = ${script} returning script`,
      );
      if (gone.length === 0) return false;
      const statements = sqlScriptStatements(runs, settingsOf(folder), '0', {
        timeoutMs,
        settings: [LOCK_LIMIT],
        remembers: false,
      });
      await watched(database, { runs, folder: folder.code, timeoutMs }, (heard) => session.script(statements.join(';\n'), heard));
      return true;
    });
    return { ...about, state: ran ? 'done' : 'busy', ms: ms() };
  } catch (error) {
    if (!(error instanceof Failure) || !['script-failed', 'script-overran'].includes(error.code)) throw error;
    const { code, facts } = error;
    await database.query(sql`
      update rustine.pending_script set attempts = attempts + 1, last_run = now(), last_error = ${String(facts.reason ?? 'timeout')}
      where folder = ${folder.id} and script = ${script}`);
    const finding: Finding = { code, severity: 'warn', folder: folder.code, subject: `EXE:${script}`, facts };
    return { ...about, state: 'failed', ms: ms(), finding };
  }
}

/** @throws Refusal `script-not-pending` where a name is given that waits nowhere */
export async function checkPending(database: Database, folders: readonly Folder[], script: string): Promise<void> {
  const ids = folders.map((folder) => folder.id);
  if ((await readPending(database, ids, script)).length > 0) return;
  throw new Refusal('script-not-pending', { script, folders: folders.map(({ code }) => code) });
}
