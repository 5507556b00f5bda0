// Checks of what was asked for: where one works from, which folders are left out, which codes are authorised. Pure.
import type { Finding } from '../base/finding.ts';
import { ELEMENT_TYPES } from '../dictionary/element-types.ts';
import { found } from './checks.ts';
import type { Delivery } from './delivery.ts';
import type { PreflightInput } from './preflight.ts';

export function requestFindings(input: PreflightInput): readonly Finding[] {
  return [...fromElsewhere(input), ...withoutSupervisor(input), ...leftOut(input), ...unusedCodes(input)];
}

/** R11 */
function fromElsewhere({ from, supervisor }: PreflightInput): readonly Finding[] {
  return from === supervisor ? [] : [found('run-from', { folder: from }, { folder: from, supervisor })];
}

/** R13 */
function withoutSupervisor({ folders, supervisor, deliveries }: PreflightInput): readonly Finding[] {
  if (folders.some(({ code }) => code === supervisor)) return [];
  const scripts = deliveries.flatMap(({ elements }) =>
    elements.filter(({ type }) => ELEMENT_TYPES.get(type)?.behaviour === 'script').map(({ type, name }) => `${type}:${name}`),
  );
  return [found('supervisor-missing', { folder: supervisor }, { supervisor, scripts })];
}

/** R14: those that lack one of the patches and do not get it. Of the supervisor folder another finding tells. */
function leftOut({ all, folders, supervisor, deliveries, facts }: PreflightInput): readonly Finding[] {
  const given = new Set(folders.map(({ code }) => code));
  const concerning = deliveries.filter(({ patchType }) => patchType !== '2');
  const has = new Set(facts.integrated.map(({ folder, file, digest }) => `${folder} ${digest} ${file}`));
  const codes = all
    .filter(({ code, historyOf, mirror }) => !given.has(code) && code !== supervisor && historyOf === null && mirror !== true)
    .filter(({ id }) => concerning.some(({ file, digest }) => !has.has(`${id} ${digest} ${file}`)))
    .map(({ code }) => code);
  // Only standard patches count for the level of a folder (R34).
  const lag = concerning.some(({ patchType }) => patchType === '1');
  return codes.length === 0
    ? []
    : [found('folders-left-out', {}, { folders: codes, count: codes.length, ...(lag ? { lag } : {}) })];
}

/** R19: a code that nothing carries is probably misspelt. */
function unusedCodes({ authorized, deliveries, facts }: PreflightInput): readonly Finding[] {
  if (deliveries.length === 0) return [];
  return authorized
    .filter((code) => !facts.carried.has(code) && !deliveries.some((delivery) => carries(delivery, code)))
    .map((code) => found('authorize-unused', { subject: code }, { code }));
}

function carries(delivery: Delivery, code: string): boolean {
  return delivery.carriedCodes.has(code) || delivery.carriedCodes.has(code.charAt(0));
}
