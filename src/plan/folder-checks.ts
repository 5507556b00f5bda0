// Checks of each folder: its state, what it has integrated, and from that what is to be done there with each patch. Pure.
import type { Facts } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { quoteIdentifier } from '../database/sql.ts';
import { blockerFacts } from '../environment/blocker-facts.ts';
import type { FolderNumbers, Integrated, Sequence } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import { validateCommand } from '../environment/folder-state.ts';
import { type LostSchema, renamedBack } from '../environment/lost-schemas.ts';
import { type PatchName, parsePatchName } from '../patch/sequence.ts';
import { found, passedOver } from './checks.ts';
import type { Delivery } from './delivery.ts';
import type { Preflight, PreflightInput, Task } from './preflight.ts';

/** What the folders' checks share. */
interface Checking {
  readonly input: PreflightInput;
  /** `<folder> <file>` → what the folder has of it. */
  readonly integrated: ReadonlyMap<string, Integrated>;
  readonly numbers: ReadonlyMap<number, readonly FolderNumbers[]>;
  readonly findings: Finding[];
  /** File → folders that have it as it is. */
  readonly already: Map<string, string[]>;
}

export function folderTasks(input: PreflightInput): Preflight {
  const integrated = new Map(input.facts.integrated.map((row) => [`${row.folder} ${row.file}`, row]));
  const numbers = Map.groupBy(input.facts.sequence.folders, ({ folder }) => folder);
  const checking: Checking = { input, integrated, numbers, findings: [], already: new Map() };
  const tasks = new Map(input.folders.map((folder) => [folder.code, tasksOf(folder, checking)]));
  const findings = [...busyFolders(input, tasks), ...checking.findings, ...alreadyThere(checking, tasks)];
  return { findings, tasks };
}

function tasksOf(folder: Folder, checking: Checking): ReadonlyMap<string, Task> {
  const { input, findings } = checking;
  const { code, historyOf, state } = folder;
  if (historyOf !== null) findings.push(found('history-folder', { folder: code }, { folder: code, of: historyOf }));
  if (state === 'locked') findings.push(lockedFinding(folder));
  else if (state !== 'ready') findings.push(found('folder-not-ready', { folder: code }, { folder: code, state }));
  else {
    const lost = input.facts.lost.find((each) => each.folder === code);
    if (lost !== undefined) findings.push(lostSchema(lost, code));
  }
  const numbers = numbersOf(folder, checking);
  const tasks = new Map<string, Task>();
  for (const delivery of input.deliveries) {
    tasks.set(delivery.file, taskOf(folder, delivery, numbers, checking));
    // Where the supervisor folder is not given, nobody gets a supervisor patch.
    const got = delivery.patchType !== '2' || input.folders.some((each) => each.code === input.supervisor);
    const name = parsePatchName(delivery.file);
    if (got && name !== undefined) add(numbers, name);
  }
  return tasks;
}

/** Its validation failed: nothing else comes into it before one has come to its end (R35). */
export function lockedFinding({ code, locked }: Folder): Finding {
  const { at = '', by = '', code: cause = '' } = locked ?? {};
  return found('folder-locked', { folder: code }, { folder: code, since: at, by, cause, command: validateCommand(code) });
}

/** @param folder in which nothing can be done for it */
export function lostSchema({ folder: of, schema, found: now }: LostSchema, folder: string): Finding {
  const place = { folder, subject: schema };
  if (now === null) return found('schema-missing', place, { folder: of, schema });
  const statement = renamedBack(now, quoteIdentifier(schema));
  return found('schema-renamed', place, { folder: of, schema, found: now, statement });
}

/** Series and version (`P_140`) → numbers that the folder has. */
type Numbers = Map<string, Set<number>>;

/** A number that only the supervisor folder can have (R7) is missing nowhere else. */
function numbersOf(folder: Folder, { input, numbers }: Checking): Numbers {
  const own = new Map((numbers.get(folder.id) ?? []).map((row) => [seriesOf(row), new Set(row.numbers)]));
  const others = input.facts.sequence.supervisor.filter(({ patchType }) => patchType === '2');
  for (const row of [...others, ...input.unread.flatMap((file) => parsePatchName(file) ?? [])]) add(own, row);
  return own;
}

function add(numbers: Numbers, row: PatchName): void {
  const known = numbers.get(seriesOf(row));
  if (known === undefined) numbers.set(seriesOf(row), new Set([row.number]));
  else known.add(row.number);
}

const seriesOf = ({ series, version }: { readonly series: string; readonly version: string }): string => `${series}_${version}`;

function taskOf(folder: Folder, delivery: Delivery, numbers: Numbers, checking: Checking): Task {
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
function sequenceGap(file: string, numbers: Numbers, { supervisor }: Sequence): Facts | undefined {
  const name = parsePatchName(file);
  if (name === undefined || name.number <= 1) return undefined;
  const present = numbers.get(seriesOf(name)) ?? new Set();
  if (present.has(name.number - 1)) return undefined;
  const label = (number: number): string => `${name.series}_${String(number).padStart(4, '0')}_${name.version}`;
  // The folder lags: the supervisor folder got past it, and its files are known by name.
  const lacks = supervisor
    .filter((row) => seriesOf(row) === seriesOf(name) && row.number < name.number && !present.has(row.number))
    .sort((a, b) => a.number - b.number)
    .map((row) => row.file);
  return {
    needs: label(name.number - 1),
    has: present.size === 0 ? '' : label(Math.max(...present)),
    lacks: [...new Set(lacks)],
  };
}

/** R15: what is there already is said once for each patch, not once for each of hundreds of folders. */
function alreadyThere({ input, already }: Checking, tasks: Preflight['tasks']): readonly Finding[] {
  const { deliveries, forced, operator, attended } = input;
  const standard = new Set(deliveries.flatMap(({ file, patchType }) => (patchType === '1' ? [file] : [])));
  // Where some folder still needs one of the patches, this is the rest of a run that did not end: going on is right, in batch too (R30).
  const rest = [...tasks.values()].some((files) => [...files.values()].includes('integrate'));
  return [...already].map(([file, folders]) => {
    const concerned = [...tasks.values()].filter((files) => files.get(file) !== 'not-concerned').length;
    const everywhere = folders.length === concerned;
    const facts = { file, folders, count: folders.length, everywhere };
    const place = { patch: file, subject: file };
    const stops = !attended && !rest && standard.has(file);
    const usual = !everywhere ? 'info' : stops ? 'block' : 'warn';
    return passedOver(found('already-integrated', place, facts, usual), forced, operator);
  });
}

/** R17: only where something is to be done. */
function busyFolders({ folders, facts }: PreflightInput, tasks: Preflight['tasks']): readonly Finding[] {
  const bySchema = new Map(facts.busy.map((busy) => [busy.schema, busy]));
  return folders.flatMap(({ code, schema }) => {
    const busy = bySchema.get(schema);
    if (busy === undefined || ![...(tasks.get(code)?.values() ?? [])].includes('integrate')) return [];
    return [found('folder-busy', { folder: code }, { folder: code, table: busy.table, ...blockerFacts([busy]) })];
  });
}
