// The checks that come before anything changes: facts in, findings and the work list out. Pure.
import type { Finding } from '../base/finding.ts';
import type { Folder } from '../environment/folder.ts';
import type { CheckFacts } from './check-facts.ts';
import { type Forced, type ForceName, found } from './checks.ts';
import type { Delivery } from './delivery.ts';
import { folderTasks } from './folder-checks.ts';
import { olderAgainFindings } from './older-again.ts';
import { requestFindings } from './request-checks.ts';
import type { TransactionScope } from './server-checks.ts';
import { serverFindings } from './server-checks.ts';

export interface PreflightInput {
  readonly deliveries: readonly Delivery[];
  /** Files that were given and could not be read: what builds on them is not out of sequence for that. */
  readonly unread: readonly string[];
  /** Folders given, the supervisor folder first. */
  readonly folders: readonly Folder[];
  /** All folders of the environment. */
  readonly all: readonly Folder[];
  readonly supervisor: string;
  readonly from: string;
  readonly operator: string;
  readonly authorized: readonly string[];
  /** Checks that the operator forces, with the reason. */
  readonly forced: Forced;
  /** Somebody looks on; in batch nobody does, and a patch that is there already stops it (R15). */
  readonly attended: boolean;
  readonly jobs: number;
  readonly scope: TransactionScope;
  readonly facts: CheckFacts;
}

export type Task = 'integrate' | 'already' | 'not-concerned';

/** Folder code → file → what is to be done. */
export type Tasks = ReadonlyMap<string, ReadonlyMap<string, Task>>;

export interface Preflight {
  readonly findings: readonly Finding[];
  readonly tasks: Tasks;
}

export function preflight(input: PreflightInput): Preflight {
  const { findings, tasks } = folderTasks(input);
  const { deliveries, jobs, scope, facts } = input;
  const shares = deliveries.map((delivery) => ({ delivery, folders: withTask(tasks, delivery.file, 'integrate').length }));
  return {
    findings: [
      ...requestFindings(input),
      ...deliveries.flatMap((delivery) => delivery.findings),
      ...serverFindings(facts.server, { shares, scope, jobs }),
      ...findings,
      ...olderAgainFindings(facts.olderAgain, input.folders, tasks),
      ...unusedForces(input, findings),
    ],
    tasks,
  };
}

/** Codes of the folders that have this to do with a file. */
function withTask(tasks: Tasks, file: string, task: Task): readonly string[] {
  return [...tasks].flatMap(([code, files]) => (files.get(file) === task ? [code] : []));
}

/** Sessions come and go: whether they had to be forced shows when they are looked for. Scripts are a validation's to leave. */
const JUDGED_HERE: readonly ForceName[] = ['sequence', 'content', 'already', 'scripts'];

/** What is forced without need is said: a reason that stays in a script may let through what nobody thought of. */
function unusedForces({ forced }: PreflightInput, findings: readonly Finding[]): readonly Finding[] {
  const used = new Set(findings.flatMap(({ facts }) => (facts.check === undefined ? [] : [facts.check])));
  return JUDGED_HERE.filter((check) => forced[check] !== undefined && !used.has(check)).map((check) =>
    found('force-unused', { subject: check }, { check }),
  );
}

/** @returns `needed`: some folder gets them · `past`: folders have them already, and nobody gets them */
export function sortDeliveries(
  deliveries: readonly Delivery[],
  folders: readonly Pick<Folder, 'code'>[],
  tasks: Tasks,
): { readonly needed: readonly Delivery[]; readonly past: readonly Delivery[] } {
  const having = (task: Task) => (delivery: Delivery) => folders.some(({ code }) => tasks.get(code)?.get(delivery.file) === task);
  const needed = deliveries.filter(having('integrate'));
  return { needed, past: deliveries.filter(having('already')).filter((delivery) => !needed.includes(delivery)) };
}
