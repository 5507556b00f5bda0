// Checks of each folder: its state, what it has integrated, and from that what is to be done there with each patch. Pure.
import type { Facts } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Integrated, SeriesNumber } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import { parsePatchName } from '../patch/sequence.ts';
import { found, passedOver } from './checks.ts';
import type { Delivery } from './delivery.ts';
import type { Preflight, PreflightInput, Task } from './preflight.ts';

/** What the folders' checks share. */
interface Checking {
  readonly input: PreflightInput;
  /** `<folder> <file>` → what the folder has of it. */
  readonly integrated: ReadonlyMap<string, Integrated>;
  readonly findings: Finding[];
  /** File → folders that have it as it is. */
  readonly already: Map<string, string[]>;
}

export function folderTasks(input: PreflightInput): Preflight {
  const integrated = new Map(input.facts.integrated.map((row) => [`${row.folder} ${row.file}`, row]));
  const checking: Checking = { input, integrated, findings: [], already: new Map() };
  const tasks = new Map(input.folders.map((folder) => [folder.code, tasksOf(folder, checking)]));
  const findings = [...busyFolders(input, tasks), ...checking.findings, ...alreadyThere(checking, tasks)];
  return { findings, tasks };
}

function tasksOf(folder: Folder, checking: Checking): ReadonlyMap<string, Task> {
  const { input, findings } = checking;
  const { code, historyOf, state } = folder;
  if (historyOf !== null) findings.push(found('history-folder', { folder: code }, { folder: code, of: historyOf }));
  if (state !== 'ready') findings.push(found('folder-not-ready', { folder: code }, { folder: code, state }));
  const numbers = numbersOf(folder, input);
  const tasks = new Map<string, Task>();
  for (const delivery of input.deliveries) {
    tasks.set(delivery.file, taskOf(folder, delivery, numbers, checking));
    // Where the supervisor folder is not given, nobody gets a supervisor patch.
    const got = delivery.patchType !== '2' || input.folders.some((each) => each.code === input.supervisor);
    const number = got ? numberOf(delivery.file) : undefined;
    if (number !== undefined) numbers.add(number);
  }
  return tasks;
}

/** Numbers that the folder has; one that only the supervisor folder can have (R7) is missing nowhere else. */
function numbersOf(folder: Folder, { facts, unread }: PreflightInput): Set<string> {
  const present = facts.sequence.filter((row) => row.folder === folder.id || (row.supervisor && row.patchType === '2'));
  return new Set([...present.map(labelOf), ...unread.flatMap((file) => numberOf(file) ?? [])]);
}

const labelOf = ({ series, version, number }: Pick<SeriesNumber, 'series' | 'version' | 'number'>): string =>
  `${series}_${version}_${number}`;

function numberOf(file: string): string | undefined {
  const name = parsePatchName(file);
  return name === undefined ? undefined : labelOf(name);
}

function taskOf(folder: Folder, delivery: Delivery, numbers: ReadonlySet<string>, checking: Checking): Task {
  const { input, findings, already } = checking;
  const { file, digest, patchType } = delivery;
  const { code } = folder;
  if (folder.historyOf !== null) return 'not-concerned';
  if (patchType === '2' && folder.parent !== null) {
    findings.push(found('supervisor-only', { folder: code, patch: file }, { folder: code }));
    return 'not-concerned';
  }
  const had = checking.integrated.get(`${folder.id} ${file}`);
  const place = { folder: code, patch: file, subject: file };
  if (had !== undefined && had.digest !== digest) {
    const facts = { file, on: had.at, integrated: had.digest.slice(0, 12), now: digest.slice(0, 12) };
    findings.push(passedOver(found('content-changed', place, facts), input.forced, input.operator));
  }
  if (had !== undefined && had.digest === digest && !had.open && !letsMoreIn(had, input.authorized)) {
    const having = already.get(file) ?? [];
    having.push(code);
    already.set(file, having);
    return input.forced.already === undefined ? 'already' : 'integrate';
  }
  const gap = had === undefined ? sequenceGap(file, numbers, input.facts.sequence) : undefined;
  if (gap !== undefined) findings.push(passedOver(found('sequence-gap', place, { file, ...gap }), input.forced, input.operator));
  return 'integrate';
}

/** Integrated before, but a code that was not authorised then is now: what was ignored comes in. */
function letsMoreIn(had: Integrated, authorized: readonly string[]): boolean {
  return authorized.some((code) => had.ignored.includes(code) || had.ignored.includes(code.charAt(0)));
}

/** Number n needs n-1; the first number of a series needs nothing. */
function sequenceGap(file: string, numbers: ReadonlySet<string>, sequence: readonly SeriesNumber[]): Facts | undefined {
  const name = parsePatchName(file);
  if (name === undefined || name.number <= 1 || numbers.has(labelOf({ ...name, number: name.number - 1 }))) return undefined;
  const { series, version } = name;
  const prefix = `${series}_${version}_`;
  const present = [...numbers].filter((each) => each.startsWith(prefix)).map((each) => Number(each.slice(prefix.length)));
  const label = (number: number): string => `${series}_${String(number).padStart(4, '0')}_${version}`;
  // The folder lags: the supervisor folder got past it, and its files are known by name.
  const lacks = sequence
    .filter((row) => row.supervisor && row.series === series && row.version === version && row.number < name.number)
    .filter((row) => !numbers.has(labelOf(row)))
    .sort((a, b) => a.number - b.number)
    .map((row) => row.file);
  return {
    needs: label(name.number - 1),
    has: present.length === 0 ? '' : label(Math.max(...present)),
    lacks: [...new Set(lacks)],
  };
}

/** R15: what is there already is said once for each patch, not once for each of hundreds of folders. */
function alreadyThere({ input, already }: Checking, tasks: Preflight['tasks']): readonly Finding[] {
  const { forced, operator, attended } = input;
  return [...already].map(([file, folders]) => {
    const concerned = [...tasks.values()].filter((files) => files.get(file) !== 'not-concerned').length;
    const everywhere = folders.length === concerned;
    const facts = { file, folders, count: folders.length, everywhere };
    const place = { patch: file, subject: file };
    // Where some folders still need it, this is the rest of a run that did not end: going on is right, in batch too (R30).
    const usual = !everywhere ? 'info' : attended ? 'warn' : 'block';
    return passedOver(found('already-integrated', place, facts, usual), forced, operator);
  });
}

/** R17: only where something is to be done. */
function busyFolders({ folders, facts }: PreflightInput, tasks: Preflight['tasks']): readonly Finding[] {
  const bySchema = new Map(facts.busy.map((busy) => [busy.schema, busy]));
  return folders.flatMap(({ code, schema }) => {
    const busy = bySchema.get(schema);
    if (busy === undefined || ![...(tasks.get(code)?.values() ?? [])].includes('integrate')) return [];
    return [found('folder-busy', { folder: code }, { folder: code, who: busy.who, table: busy.table })];
  });
}
