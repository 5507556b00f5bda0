// Which failures of a validation lock the folder (R35): what has to be mended in it does; what somebody else, the server or the operator did, does not. Which of them may be left. Pure.
import type { Facts } from '../base/errors.ts';

/** Codes that say nothing about the folder: the same validation may succeed a moment later. */
const PASSING: ReadonlySet<string> = new Set([
  // Somebody else has what it needs.
  'lock-timeout',
  'login-held',
  'run-active',
  // The server is away, full, or set up too small.
  'database-lost',
  'database-unreachable',
  'server-read-only',
  'locks-used-up',
  'lock-capacity',
  // Somebody else has the run, or the folder is not one that can be validated.
  'run-lost',
  'folder-unknown',
  'folder-not-ready',
  // The file of a patch is not what it was when the run began.
  'patch-changed',
]);

/**
 * SQLSTATE: somebody else was in the way (40, 55), the server has no room (53), was asked to stop (57), or failed (08, 58, XX); it takes no
 * changes (25006).
 */
const PASSING_STATES = /^(?:08|40|53|55|57|58|XX)|^25006$/;

export function locksFolder({ code, facts }: { readonly code: string; readonly facts: Facts }): boolean {
  if (code === 'database-error') return !PASSING_STATES.test(String(facts.sqlstate));
  return !PASSING.has(code);
}

/** Name of a script to run at the end (EXE) that this is the failure of. */
export function failedAtEnd({ code, facts }: { readonly code: string; readonly facts: Facts }): string | undefined {
  const element = String(facts.element ?? '');
  return SCRIPTS.has(code) && element.startsWith(TO_RUN) ? element.slice(TO_RUN.length) : undefined;
}

const SCRIPTS: ReadonlySet<string> = new Set(['script-failed', 'script-overran']);
const TO_RUN = 'EXE:';

/** What is told of a failure in a validation: what is done about a script is not what is done about one of a patch that is being integrated. */
export function inValidation(failure: { readonly code: string; readonly facts: Facts }, folder: string): Facts {
  const { code, facts } = failure;
  if (!SCRIPTS.has(code)) return facts;
  const command = failedAtEnd(failure) === undefined ? {} : { command: `rustine validate ${folder} --force scripts=REASON` };
  return { ...facts, validation: true, ...command };
}
