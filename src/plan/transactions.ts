// The transactions of a run that is all or none: which folders share one, and whether the server has room for all of them at once.
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Reader } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import { readTransactionCapacity } from '../environment/transaction-capacity.ts';
import type { Delivery } from './delivery.ts';
import { tableNames } from './delivery.ts';
import { readSqlScripts } from './script-facts.ts';
import { roomFor } from './transaction-capacity.ts';
import { type GroupedFolder, groupFolders, mergeGroups } from './transaction-groups.ts';

export interface Transactions {
  /** Folders in the order of the tree, those with the topmost one first. */
  readonly groups: readonly (readonly Folder[])[];
  readonly findings: readonly Finding[];
}

export interface TransactionsInput {
  /** Folders that have something to get, with what that is. */
  readonly folders: readonly { readonly folder: Folder; readonly deliveries: readonly Delivery[] }[];
  /** Locks that the deliveries need in the folder: asked only where an estimate by their tables says that there may not be enough. */
  locks(folder: Folder, deliveries: readonly Delivery[]): Promise<number>;
  /** Folders that are asked about at the same time. */
  readonly atOnce: number;
}

/** Of a table that rows come for: itself, its indexes, its store of long values. More than most have. */
const LOCKS_PER_TABLE = 14;

/** Folders that need what an ancestor gets and has not committed, with that ancestor; those that need nobody are left out. */
export async function planTogether(reader: Reader, folders: TransactionsInput['folders']): Promise<Transactions> {
  const runsScripts = ({ elements, sqlScripts }: Delivery): boolean =>
    sqlScripts.size > 0 || elements.some(({ type }) => type === 'EXE');
  if (!folders.some((each) => each.deliveries.some(runsScripts))) return { groups: [], findings: [] };
  const byCode = new Map(folders.map(({ folder }) => [folder.code, folder]));
  const shared = (await groupsOf(reader, folders)).filter((group) => group.length > 1);
  return { groups: shared.map((group) => group.flatMap(({ code }) => byCode.get(code) ?? [])), findings: shared.map(forScripts) };
}

async function groupsOf(reader: Reader, folders: TransactionsInput['folders']): Promise<readonly (readonly GroupedFolder[])[]> {
  const deliveries = new Set(folders.flatMap((each) => each.deliveries));
  const exes = [...deliveries].flatMap(({ elements }) => elements.flatMap(({ type, name }) => (type === 'EXE' ? [name] : [])));
  return groupFolders(folders.map(groupedFolder), await readSqlScripts(reader, exes));
}

export async function planTransactions(reader: Reader, input: TransactionsInput): Promise<Transactions> {
  const { folders } = input;
  if (folders.length === 0) return { groups: [], findings: [] };
  const byCode = new Map(folders.map(({ folder }) => [folder.code, folder]));
  const wanted = await groupsOf(reader, folders);
  const capacity = await readTransactionCapacity(reader);
  const guessed = folders.map((each) => each.deliveries.reduce((sum, delivery) => sum + guessedLocks(delivery), 0));
  let room = roomFor(wanted.length, guessed, capacity);
  if (room.most < wanted.length && capacity.maxPrepared > 0) room = roomFor(wanted.length, await countedLocks(input), capacity);
  if (blocks(room.findings)) return { groups: [], findings: room.findings };
  const merged = mergeGroups(wanted, room.most);
  const shared = merged.length < wanted.length ? [] : wanted.filter((group) => group.length > 1);
  const groups = merged.map((group) => group.flatMap(({ code }) => byCode.get(code) ?? []));
  const findings = merged.length < wanted.length ? [fewer(merged)] : shared.map(forScripts);
  return { groups, findings };
}

async function countedLocks({ folders, locks, atOnce }: TransactionsInput): Promise<readonly number[]> {
  const counted: number[] = [];
  const waiting = [...folders.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, { folder, deliveries }] = next;
      counted[at] = await locks(folder, deliveries);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, folders.length) }, work));
  return counted;
}

function groupedFolder({ folder, deliveries }: TransactionsInput['folders'][number]): GroupedFolder {
  const { code, depth, parent, test, ancestors } = folder;
  return { code, depth, supervisor: parent === null, test, ancestors: ancestors.map((each) => each.code), deliveries };
}

/** With typed views: one for each type that it brings. */
function guessedLocks(delivery: Delivery): number {
  const types = new Set(delivery.elements.map(({ type }) => type)).size;
  return delivery.relations + LOCKS_PER_TABLE * tableNames(delivery).length + types;
}

const forScripts = (group: readonly GroupedFolder[]): Finding => ({
  code: 'transaction-shared',
  severity: 'info',
  facts: { folders: group.map(({ code }) => code), why: 'scripts' },
});

const fewer = (groups: readonly (readonly GroupedFolder[])[]): Finding => ({
  code: 'transactions-fewer',
  severity: 'info',
  facts: { transactions: groups.length, folders: groups.reduce((sum, group) => sum + group.length, 0) },
});
