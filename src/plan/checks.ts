// The list of everything that checks and planning can find: severity, rule, where it looks, what may be forced. Pure.
import type { Facts } from '../base/errors.ts';
import type { Finding, Severity } from '../base/finding.ts';

/** What a check looks at. */
export type CheckPlace =
  | 'files'
  | 'request'
  | 'folders'
  | 'sessions'
  | 'account'
  | 'server'
  | 'elements'
  | 'activity-codes'
  | 'tables'
  | 'rows'
  | 'scripts';

export interface Check {
  readonly code: string;
  /** Numbers of the rules that it keeps. */
  readonly rules: readonly string[];
  /** The usual one first; others where it depends. */
  readonly severities: readonly [Severity, ...Severity[]];
  readonly place: CheckPlace;
  /** `run`: before anything changes anywhere. `folder`: in the transaction of each folder, before or while it changes. `revert`: there, before a patch is taken back. */
  readonly when: 'run' | 'folder' | 'revert';
  /** Name under which `--force NAME=reason` passes over it. */
  readonly force?: string;
}

/** A finding's code is stable: people and programs go by it. */
const ROWS = [
  { code: 'directory-foreign', rules: ['R10'], severities: ['block'], place: 'files', when: 'run' },
  { code: 'directory-empty', rules: ['R10'], severities: ['block'], place: 'files', when: 'run' },
  { code: 'notes', rules: ['R10'], severities: ['info'], place: 'files', when: 'run' },
  { code: 'patch-twice', rules: ['R10'], severities: ['block'], place: 'files', when: 'run' },
  { code: 'patch-unreadable', rules: ['R16'], severities: ['block'], place: 'files', when: 'run' },
  { code: 'patch-format', rules: ['R16'], severities: ['block'], place: 'files', when: 'run' },
  { code: 'slots-too-many', rules: ['R16'], severities: ['block'], place: 'files', when: 'run' },
  { code: 'patch-bom', rules: ['R16'], severities: ['warn'], place: 'files', when: 'run' },
  { code: 'patch-crlf', rules: ['R16'], severities: ['warn'], place: 'files', when: 'run' },
  { code: 'patch-latin1', rules: ['R16'], severities: ['warn'], place: 'files', when: 'run' },
  { code: 'patch-no-last-line-end', rules: ['R16'], severities: ['warn'], place: 'files', when: 'run' },
  { code: 'element-twice', rules: ['R18'], severities: ['warn'], place: 'files', when: 'run' },
  { code: 'type-unknown', rules: ['R18'], severities: ['info'], place: 'files', when: 'run' },
  { code: 'content-tag', rules: ['R24'], severities: ['block'], place: 'files', when: 'run' },
  { code: 'run-from', rules: ['R11'], severities: ['warn'], place: 'request', when: 'run' },
  { code: 'supervisor-missing', rules: ['R13'], severities: ['warn'], place: 'request', when: 'run' },
  { code: 'folders-left-out', rules: ['R14'], severities: ['info'], place: 'request', when: 'run' },
  { code: 'left-out-breaks', rules: ['R14'], severities: ['warn'], place: 'scripts', when: 'run' },
  { code: 'left-out-breaks-more', rules: ['R14'], severities: ['warn'], place: 'scripts', when: 'run' },
  { code: 'references-unreadable', rules: ['R14'], severities: ['info'], place: 'scripts', when: 'run' },
  { code: 'authorize-unused', rules: ['R19'], severities: ['warn'], place: 'request', when: 'run' },
  { code: 'force-unused', rules: ['R15'], severities: ['warn'], place: 'request', when: 'run' },
  { code: 'folder-not-ready', rules: ['R17'], severities: ['block', 'warn'], place: 'folders', when: 'run' },
  { code: 'folder-locked', rules: ['R17', 'R35'], severities: ['block'], place: 'folders', when: 'run' },
  { code: 'parent-not-ready', rules: ['R17', 'R35'], severities: ['block'], place: 'folders', when: 'run' },
  { code: 'parent-lags', rules: ['R17', 'R35'], severities: ['block'], place: 'folders', when: 'run' },
  { code: 'mirror-lags', rules: ['R17', 'R35'], severities: ['block'], place: 'folders', when: 'run' },
  { code: 'schema-missing', rules: ['R17', 'R35'], severities: ['block'], place: 'folders', when: 'run' },
  { code: 'schema-renamed', rules: ['R17', 'R35'], severities: ['block'], place: 'folders', when: 'run' },
  { code: 'folder-busy', rules: ['R17'], severities: ['warn'], place: 'folders', when: 'run' },
  { code: 'run-active', rules: ['R17'], severities: ['block'], place: 'folders', when: 'run' },
  { code: 'folder-in-use', rules: ['R17'], severities: ['block'], place: 'folders', when: 'run' },
  { code: 'tasks-active', rules: ['R12'], severities: ['block'], place: 'sessions', when: 'run' },
  { code: 'sessions-active', rules: ['R12'], severities: ['block', 'warn'], place: 'sessions', when: 'run', force: 'sessions' },
  { code: 'sessions-others', rules: ['R12'], severities: ['info'], place: 'sessions', when: 'run' },
  { code: 'sessions-ended', rules: ['R12'], severities: ['info'], place: 'sessions', when: 'run' },
  { code: 'disconnect-denied', rules: ['R12'], severities: ['block'], place: 'sessions', when: 'run' },
  { code: 'logins-shared', rules: ['R3', 'R12'], severities: ['info'], place: 'sessions', when: 'run' },
  { code: 'login-open', rules: ['R12'], severities: ['warn'], place: 'sessions', when: 'run' },
  { code: 'login-left-shut', rules: ['R12'], severities: ['warn'], place: 'sessions', when: 'run' },
  { code: 'login-locked', rules: ['R12'], severities: ['block', 'warn'], place: 'sessions', when: 'run' },
  { code: 'logins-left-shut', rules: ['R12'], severities: ['warn'], place: 'sessions', when: 'run' },
  { code: 'history-folder', rules: ['R17', 'R36'], severities: ['info'], place: 'folders', when: 'run' },
  { code: 'supervisor-only', rules: ['R7'], severities: ['info'], place: 'folders', when: 'run' },
  {
    code: 'sequence-gap',
    rules: ['R15', 'R17'],
    severities: ['block', 'warn'],
    place: 'account',
    when: 'run',
    force: 'sequence',
  },
  {
    code: 'already-integrated',
    rules: ['R15'],
    severities: ['warn', 'info', 'block'],
    place: 'account',
    when: 'run',
    force: 'already',
  },
  { code: 'older-again', rules: ['R15', 'R21'], severities: ['warn'], place: 'account', when: 'run' },
  { code: 'content-changed', rules: ['R16'], severities: ['block', 'warn'], place: 'account', when: 'run', force: 'content' },
  { code: 'server-unreachable', rules: ['R17'], severities: ['warn', 'block'], place: 'server', when: 'run' },
  { code: 'server-failed', rules: ['R17'], severities: ['block'], place: 'server', when: 'run' },
  { code: 'server-not-member', rules: ['R17'], severities: ['block'], place: 'server', when: 'run' },
  { code: 'server-read-only', rules: ['R17'], severities: ['block'], place: 'server', when: 'run' },
  { code: 'locks-low', rules: ['R17'], severities: ['warn'], place: 'server', when: 'run' },
  { code: 'prepared-transactions-off', rules: ['R30'], severities: ['block'], place: 'server', when: 'run' },
  { code: 'prepared-transactions-full', rules: ['R30'], severities: ['block'], place: 'server', when: 'run' },
  { code: 'locks-all-or-none', rules: ['R17', 'R30'], severities: ['block'], place: 'server', when: 'run' },
  { code: 'transactions-fewer', rules: ['R30'], severities: ['info'], place: 'server', when: 'run' },
  { code: 'transaction-shared', rules: ['R4', 'R30'], severities: ['info'], place: 'scripts', when: 'run' },
  { code: 'disk-low', rules: ['R17'], severities: ['warn'], place: 'server', when: 'run' },
  { code: 'disk-unknown', rules: ['R17'], severities: ['info'], place: 'server', when: 'run' },
  { code: 'folder-left-behind', rules: ['R31'], severities: ['warn'], place: 'account', when: 'folder' },
  { code: 'all-or-none', rules: ['R30'], severities: ['warn'], place: 'account', when: 'folder' },
  { code: 'decision-pending', rules: ['R30'], severities: ['block'], place: 'server', when: 'folder' },
  { code: 'parent-not-validated', rules: ['R35'], severities: ['warn'], place: 'account', when: 'folder' },
  { code: 'canary-failed', rules: ['R31'], severities: ['warn'], place: 'account', when: 'folder' },
  { code: 'mirror-failed', rules: ['R31'], severities: ['block'], place: 'account', when: 'folder' },
  { code: 'folder-gone', rules: ['R30'], severities: ['block'], place: 'folders', when: 'folder' },
  { code: 'run-given-up', rules: ['R30'], severities: ['block'], place: 'request', when: 'run' },
  { code: 'workers-lost', rules: ['R30'], severities: ['block'], place: 'folders', when: 'folder' },
  { code: 'element-ignored', rules: ['R19'], severities: ['warn'], place: 'activity-codes', when: 'folder' },
  { code: 'lines-ignored', rules: ['R19'], severities: ['warn'], place: 'activity-codes', when: 'folder' },
  { code: 'script-ignored', rules: ['R19'], severities: ['warn'], place: 'activity-codes', when: 'folder' },
  { code: 'element-kept', rules: ['R19'], severities: ['warn'], place: 'activity-codes', when: 'folder' },
  { code: 'header-specific', rules: ['R19'], severities: ['warn'], place: 'activity-codes', when: 'folder' },
  { code: 'activity-code-value', rules: ['R25'], severities: ['block'], place: 'activity-codes', when: 'folder' },
  { code: 'element-header-missing', rules: ['R20'], severities: ['warn'], place: 'elements', when: 'folder' },
  { code: 'element-key-incomplete', rules: ['R20'], severities: ['info'], place: 'elements', when: 'folder' },
  { code: 'set-up-kept', rules: ['R20', 'R37'], severities: ['info'], place: 'elements', when: 'folder' },
  { code: 'set-up-unchanged', rules: ['R37'], severities: ['info'], place: 'elements', when: 'folder' },
  { code: 'set-up-overwritten', rules: ['R20'], severities: ['warn'], place: 'elements', when: 'folder' },
  { code: 'value-nul', rules: ['R16'], severities: ['block'], place: 'elements', when: 'folder' },
  { code: 'table-empty', rules: ['R26'], severities: ['block'], place: 'tables', when: 'folder' },
  { code: 'data-type-unknown', rules: ['R26'], severities: ['block'], place: 'tables', when: 'folder' },
  { code: 'data-type-internal', rules: ['R26'], severities: ['block'], place: 'tables', when: 'folder' },
  { code: 'field-length', rules: ['R26'], severities: ['block'], place: 'tables', when: 'folder' },
  { code: 'field-too-long', rules: ['R26'], severities: ['block'], place: 'tables', when: 'folder' },
  { code: 'name-invalid', rules: ['R26'], severities: ['block'], place: 'tables', when: 'folder' },
  { code: 'name-reserved', rules: ['R26'], severities: ['block'], place: 'tables', when: 'folder' },
  { code: 'name-taken', rules: ['R26'], severities: ['block'], place: 'tables', when: 'folder' },
  { code: 'name-twice', rules: ['R26'], severities: ['block'], place: 'tables', when: 'folder' },
  { code: 'abbreviation-twice', rules: ['R26'], severities: ['block'], place: 'tables', when: 'folder' },
  { code: 'system-field', rules: ['R26'], severities: ['block'], place: 'tables', when: 'folder' },
  { code: 'too-many-columns', rules: ['R26'], severities: ['block'], place: 'tables', when: 'folder' },
  { code: 'index-field-missing', rules: ['R26'], severities: ['block'], place: 'tables', when: 'folder' },
  { code: 'index-too-wide', rules: ['R26'], severities: ['block'], place: 'tables', when: 'folder' },
  { code: 'index-left-out', rules: ['R26'], severities: ['info'], place: 'tables', when: 'folder' },
  { code: 'index-duplicates', rules: ['R26'], severities: ['block'], place: 'tables', when: 'folder' },
  { code: 'values-do-not-fit', rules: ['R26', 'R27'], severities: ['block'], place: 'tables', when: 'folder' },
  { code: 'values-kept-aside', rules: ['R27'], severities: ['info'], place: 'tables', when: 'folder' },
  { code: 'view-hidden', rules: ['R26'], severities: ['info'], place: 'tables', when: 'folder' },
  { code: 'table-unknown', rules: ['R24'], severities: ['block'], place: 'rows', when: 'folder' },
  { code: 'content-table-unknown', rules: ['R24'], severities: ['block'], place: 'rows', when: 'folder' },
  { code: 'content-own-account', rules: ['R29'], severities: ['block'], place: 'rows', when: 'folder' },
  { code: 'content-key-twice', rules: ['R24'], severities: ['block'], place: 'rows', when: 'folder' },
  { code: 'row-key-twice', rules: ['R24'], severities: ['info'], place: 'rows', when: 'folder' },
  { code: 'data-key-missing', rules: ['R24'], severities: ['block'], place: 'rows', when: 'folder' },
  { code: 'data-value', rules: ['R24'], severities: ['block'], place: 'rows', when: 'folder' },
  { code: 'rows-collide', rules: ['R24'], severities: ['block'], place: 'rows', when: 'folder' },
  { code: 'column-unknown', rules: ['R24'], severities: ['warn'], place: 'rows', when: 'folder' },
  { code: 'field-left-out', rules: ['R24'], severities: ['warn'], place: 'rows', when: 'folder' },
  { code: 'rows-left-out', rules: ['R24'], severities: ['warn'], place: 'rows', when: 'folder' },
  { code: 'function-dropped', rules: ['R28'], severities: ['info'], place: 'scripts', when: 'folder' },
  { code: 'function-kept', rules: ['R28'], severities: ['warn'], place: 'scripts', when: 'folder' },
  { code: 'script-pending', rules: ['R28'], severities: ['warn'], place: 'scripts', when: 'folder' },
  { code: 'script-left-to-run', rules: ['R28', 'R35'], severities: ['warn'], place: 'scripts', when: 'folder', force: 'scripts' },
  { code: 'script-not-rehearsed', rules: ['R28', 'R32'], severities: ['info'], place: 'scripts', when: 'folder' },
  { code: 'script-name-unsafe', rules: ['R28'], severities: ['warn'], place: 'scripts', when: 'folder' },
  { code: 'script-run-failed', rules: ['R28'], severities: ['warn'], place: 'scripts', when: 'folder' },
  { code: 'revert-script-wrote', rules: ['R38'], severities: ['block'], place: 'scripts', when: 'revert' },
  { code: 'revert-script-made', rules: ['R38'], severities: ['block'], place: 'scripts', when: 'revert' },
  { code: 'revert-kept-gone', rules: ['R38'], severities: ['block'], place: 'tables', when: 'revert' },
  { code: 'revert-kept-restored', rules: ['R38'], severities: ['block'], place: 'tables', when: 'revert' },
  { code: 'revert-table-gone', rules: ['R38'], severities: ['block'], place: 'tables', when: 'revert' },
  { code: 'revert-table-back', rules: ['R38'], severities: ['block'], place: 'tables', when: 'revert' },
  { code: 'revert-table-changed', rules: ['R38'], severities: ['block'], place: 'tables', when: 'revert' },
  { code: 'revert-table-in-use', rules: ['R38'], severities: ['block'], place: 'tables', when: 'revert' },
  { code: 'revert-values-since', rules: ['R38'], severities: ['block'], place: 'tables', when: 'revert' },
  { code: 'revert-values-unfit', rules: ['R38'], severities: ['block'], place: 'tables', when: 'revert' },
  { code: 'revert-values-changed', rules: ['R38'], severities: ['block'], place: 'tables', when: 'revert' },
  { code: 'revert-rows-changed', rules: ['R38'], severities: ['block'], place: 'rows', when: 'revert' },
  { code: 'revert-rows-deleted', rules: ['R38'], severities: ['block'], place: 'rows', when: 'revert' },
  { code: 'revert-rows-back', rules: ['R38'], severities: ['block'], place: 'rows', when: 'revert' },
  { code: 'revert-rows-since', rules: ['R38'], severities: ['block'], place: 'rows', when: 'revert' },
  { code: 'revert-given-up', rules: ['R38'], severities: ['block'], place: 'request', when: 'revert' },
  { code: 'revert-not-integrated', rules: ['R38'], severities: ['block'], place: 'account', when: 'revert' },
  { code: 'revert-not-last', rules: ['R38'], severities: ['block'], place: 'account', when: 'revert' },
  { code: 'revert-not-remembered', rules: ['R38'], severities: ['block'], place: 'account', when: 'revert' },
  { code: 'revert-purged', rules: ['R38'], severities: ['block'], place: 'account', when: 'revert' },
  { code: 'revert-below', rules: ['R38'], severities: ['block'], place: 'account', when: 'revert' },
  { code: 'revert-elements-changed', rules: ['R38'], severities: ['block'], place: 'elements', when: 'revert' },
  { code: 'revert-activity-codes', rules: ['R38'], severities: ['block'], place: 'activity-codes', when: 'revert' },
  { code: 'revert-scripts-ran', rules: ['R38'], severities: ['block'], place: 'scripts', when: 'revert' },
  { code: 'revert-functions-changed', rules: ['R38'], severities: ['block'], place: 'scripts', when: 'revert' },
  { code: 'revert-aggregates', rules: ['R38'], severities: ['block'], place: 'scripts', when: 'revert' },
  { code: 'revert-validated', rules: ['R38'], severities: ['block'], place: 'folders', when: 'revert' },
] as const satisfies readonly Check[];

export const CHECKS: readonly Check[] = ROWS;

export type CheckCode = (typeof ROWS)[number]['code'];
type ForceableRow = Extract<(typeof ROWS)[number], { readonly force: string }>;
/** Name of a check that `--force NAME=reason` may pass over. */
export type ForceName = ForceableRow['force'];

/** Names that `--force` takes. */
export const FORCEABLE: readonly string[] = CHECKS.flatMap(({ force }) => force ?? []).sort();

/** What the operator passes over, with the reason, which is kept. */
export type Forced = Readonly<Partial<Record<ForceName, string>>>;

/** The name of a check that may be forced, by that name or by the code of its finding. */
export function forceName(text: string): ForceName | undefined {
  const row = ROWS.find((each): each is ForceableRow => 'force' in each && (each.force === text || each.code === text));
  return row?.force;
}

const BY_CODE: ReadonlyMap<string, Check> = new Map(CHECKS.map((check) => [check.code, check]));

/** What is forced stays visible: what would block is a warning that says who passed over it and why. */
export function passedOver(finding: Finding, forced: Forced, by: string): Finding {
  const name = BY_CODE.get(finding.code)?.force as ForceName | undefined;
  const reason = name === undefined ? undefined : forced[name];
  if (name === undefined || reason === undefined) return finding;
  return { ...finding, severity: 'warn', facts: { ...finding.facts, check: name, forced: reason, by } };
}

/** A finding of a check in the list: its usual severity unless another of its own is given. */
export function found(
  code: CheckCode,
  place: Pick<Finding, 'folder' | 'patch' | 'subject'>,
  facts: Facts,
  severity?: Severity,
): Finding {
  return { code, severity: severity ?? BY_CODE.get(code)?.severities[0] ?? 'block', ...place, facts };
}
