// The checks that come before anything changes: facts in, findings and the work list out. Pure.
import type { Finding } from '../base/finding.ts';
import { ELEMENT_TYPES } from '../dictionary/element-types.ts';
import type { Integrated, SeriesNumber } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import { parsePatchName } from '../patch/sequence.ts';
import type { Delivery } from './delivery.ts';

export interface PreflightInput {
  readonly deliveries: readonly Delivery[];
  /** Folders given, the supervisor folder first. */
  readonly folders: readonly Folder[];
  readonly supervisor: string;
  readonly from: string;
  readonly authorized: readonly string[];
  /** Those of the authorised codes that folders carry: they open what is protected there. */
  readonly carried: ReadonlySet<string>;
  /** Checks that the operator forces, with the reason. */
  readonly forced: Readonly<Record<string, string>>;
  readonly integrated: readonly Integrated[];
  readonly sequence: readonly SeriesNumber[];
}

export type Task = 'integrate' | 'already' | 'not-concerned';

export interface Preflight {
  readonly findings: readonly Finding[];
  /** Folder code → file → what is to be done. */
  readonly tasks: ReadonlyMap<string, ReadonlyMap<string, Task>>;
}

/** Checks that `--force CHECK=reason` may override. */
export const FORCEABLE = ['sequence', 'content', 'sessions'] as const;

export function preflight(input: PreflightInput): Preflight {
  const findings: Finding[] = [
    ...runFindings(input),
    ...input.deliveries.flatMap((delivery) => deliveryFindings(delivery, input)),
  ];
  const tasks = new Map<string, ReadonlyMap<string, Task>>();
  for (const folder of input.folders) tasks.set(folder.code, folderTasks(folder, input, findings));
  return { findings, tasks };
}

function runFindings(input: PreflightInput): readonly Finding[] {
  const findings: Finding[] = [];
  if (input.from !== input.supervisor) {
    findings.push({
      code: 'run-from',
      severity: 'warn',
      folder: input.from,
      facts: { folder: input.from, supervisor: input.supervisor },
    });
  }
  const scripts = input.deliveries.flatMap((delivery) =>
    delivery.elements.filter((e) => ELEMENT_TYPES.get(e.type)?.behaviour === 'script').map((e) => `${e.type}:${e.name}`),
  );
  if (!input.folders.some((folder) => folder.code === input.supervisor)) {
    findings.push({
      code: 'supervisor-missing',
      severity: 'warn',
      folder: input.supervisor,
      facts: { supervisor: input.supervisor, scripts },
    });
  }
  return findings;
}

function deliveryFindings(delivery: Delivery, input: PreflightInput): readonly Finding[] {
  const unused = input.authorized.filter(
    (code) => !input.carried.has(code) && !input.deliveries.some((each) => carries(each, code)),
  );
  const first = delivery === input.deliveries[0];
  return [
    ...delivery.findings,
    ...(first
      ? unused.map((code): Finding => ({ code: 'authorize-unused', severity: 'warn', subject: code, facts: { code } }))
      : []),
  ];
}

function carries(delivery: Delivery, code: string): boolean {
  return delivery.carriedCodes.has(code) || delivery.carriedCodes.has(code.charAt(0));
}

function folderTasks(folder: Folder, input: PreflightInput, findings: Finding[]): ReadonlyMap<string, Task> {
  const tasks = new Map<string, Task>();
  // A number that only the supervisor folder can have (R7) is missing nowhere else.
  const present = input.sequence.filter((row) => row.folder === folder.id || (row.supervisor && row.patchType === '2'));
  const numbers = new Set(present.map((row) => `${row.series}_${row.version}_${row.number}`));
  if (folder.historyOf !== null)
    findings.push({
      code: 'history-folder',
      severity: 'info',
      folder: folder.code,
      facts: { folder: folder.code, of: folder.historyOf },
    });
  if (folder.state !== 'ready')
    findings.push({
      code: 'folder-not-ready',
      severity: 'block',
      folder: folder.code,
      facts: { folder: folder.code, state: folder.state },
    });
  for (const delivery of input.deliveries) {
    const task = folderTask(folder, delivery, numbers, input, findings);
    tasks.set(delivery.file, task);
    const name = parsePatchName(delivery.file);
    // Where the supervisor folder is not given, nobody gets a supervisor patch.
    const got = delivery.patchType !== '2' || input.folders.some((each) => each.code === input.supervisor);
    if (name !== undefined && got) numbers.add(`${name.series}_${name.version}_${name.number}`);
  }
  return tasks;
}

function folderTask(
  folder: Folder,
  delivery: Delivery,
  numbers: ReadonlySet<string>,
  input: PreflightInput,
  findings: Finding[],
): Task {
  const { file } = delivery;
  if (folder.historyOf !== null) return 'not-concerned';
  if (delivery.patchType === '2' && folder.parent !== null) {
    findings.push({
      code: 'supervisor-only',
      severity: 'info',
      folder: folder.code,
      patch: file,
      facts: { folder: folder.code },
    });
    return 'not-concerned';
  }
  const had = input.integrated.find((row) => row.folder === folder.id && row.file === file);
  if (had !== undefined && had.digest !== delivery.digest && input.forced.content === undefined) {
    findings.push({
      code: 'content-changed',
      severity: 'block',
      folder: folder.code,
      patch: file,
      subject: file,
      facts: { file, on: had.at, integrated: had.digest.slice(0, 12), now: delivery.digest.slice(0, 12) },
    });
  }
  if (had !== undefined && had.digest === delivery.digest && !had.open && !letsMoreIn(had, input.authorized)) return 'already';
  const gap = had === undefined ? sequenceGap(file, numbers) : undefined;
  if (gap !== undefined && input.forced.sequence === undefined) {
    findings.push({
      code: 'sequence-gap',
      severity: 'block',
      folder: folder.code,
      patch: file,
      subject: file,
      facts: { file, ...gap },
    });
  }
  return 'integrate';
}

/** Integrated before, but a code that was not authorised then is now: what was ignored comes in. */
function letsMoreIn(had: Integrated, authorized: readonly string[]): boolean {
  return authorized.some((code) => had.ignored.includes(code) || had.ignored.includes(code.charAt(0)));
}

/** Number n needs n-1; the first number of a series needs nothing. */
function sequenceGap(file: string, numbers: ReadonlySet<string>): { readonly needs: string; readonly has: string } | undefined {
  const name = parsePatchName(file);
  if (name === undefined || name.number <= 1) return undefined;
  const prefix = `${name.series}_${name.version}_`;
  if (numbers.has(`${prefix}${name.number - 1}`)) return undefined;
  const present = [...numbers].filter((each) => each.startsWith(prefix)).map((each) => Number(each.slice(prefix.length)));
  const label = (number: number): string => `${name.series}_${String(number).padStart(4, '0')}_${name.version}`;
  return { needs: label(name.number - 1), has: present.length === 0 ? '' : label(Math.max(...present)) };
}
