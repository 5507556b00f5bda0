// The inquiry (R41): who integrated, took back, validated, created or set what, in which folders, when and with what authorised or forced; which version of an element folders have.
import { basename } from 'node:path';
import { Refusal } from '../base/errors.ts';
import { nearestWords } from '../base/nearest.ts';
import type { Database } from '../database/database.ts';
import type { ElementName } from '../dictionary/element.ts';
import type { Folder } from '../environment/folder.ts';
import {
  type ElementDecision,
  type ElementHold,
  type HeldElement,
  readElementDecisions,
  readElementNames,
  readHeldElement,
  readNotRemembered,
} from '../journal/element-history.ts';
import {
  type EntryContent,
  type EntryKey,
  type EntryRow,
  type FolderRow,
  type HistoryFilter,
  readEntryKeys,
  readHistory,
  readKnownFiles,
  readOperators,
} from '../journal/history.ts';
import { elementName } from './elements.ts';

export type { ElementDecision, ElementHold } from '../journal/element-history.ts';
export type { HistoryKind } from '../journal/history.ts';

export interface HistoryOptions {
  readonly folder?: string;
  /** Name of a patch file, or a path to one. */
  readonly patch?: string;
  /** `TYPE:NAME` */
  readonly element?: string;
  /** First and last day, `YYYY-MM-DD` (UTC). */
  readonly since?: string;
  readonly until?: string;
  readonly operator?: string;
  /** The most entries; absent: 30. */
  readonly limit?: number;
}

/** One folder of an entry. */
export interface HistoryFolder extends FolderRow {
  /** Name of the further server that it lives on; null: the environment's own. */
  readonly server: string | null;
}

/** The same thing in one run, in one folder or many. */
export interface HistoryEntry extends EntryContent {
  /** Of the first and the last folder. */
  readonly at: string;
  readonly until: string;
  readonly folders: readonly HistoryFolder[];
}

export interface ElementFolder {
  readonly folder: string;
  readonly server: string | null;
  readonly hold: ElementHold;
  /** Folder that a script is inherited from. */
  readonly from: string | null;
}

/** One version of an element: the last patch that delivered it, and who has that. */
export interface ElementVersion {
  /** Null: no patch that is known delivered it. */
  readonly file: string | null;
  readonly digest: string | null;
  /** First time that a folder got it. */
  readonly at: string | null;
  /** False: the file was integrated before deliveries were remembered, and what else brought the element since is not known. */
  readonly remembered: boolean;
  readonly folders: readonly ElementFolder[];
}

export interface ElementHistory {
  /** `TYPE:NAME` */
  readonly element: string;
  /** The latest first. */
  readonly versions: readonly ElementVersion[];
  readonly decisions: readonly ElementDecision[];
}

export interface History {
  /** The latest first. */
  readonly entries: readonly HistoryEntry[];
  /** How many there are without the limit. */
  readonly total: number;
  /** Where an element was asked for. */
  readonly element: ElementHistory | null;
  /** Patch files that were integrated before deliveries were remembered, of the folders asked for: their elements are not known. Only where an element was asked for. */
  readonly notRemembered: readonly string[];
}

/** A server with the folders of it that are asked for. */
export interface HistoryPlace {
  readonly database: Database;
  /** Null: the environment's own. */
  readonly server: string | null;
  readonly folders: readonly Folder[];
}

const LIMIT = 30;

/**
 * @param places servers that answered
 * @throws Refusal `history-days`, `element-name`, `patch-never-integrated`, `element-never-delivered`, `operator-unknown`
 */
export async function historyOf(places: readonly HistoryPlace[], options: HistoryOptions): Promise<History> {
  const { since = null, until = null, operator = null } = options;
  if (since !== null && until !== null && since > until) throw new Refusal('history-days', { since, until });
  const element = options.element === undefined ? null : elementName(options.element);
  const files = options.patch === undefined ? null : fileNames(options.patch);
  const asked = places.map((place) => {
    const filter: HistoryFilter = {
      folders: place.folders.map(({ id }) => id),
      files,
      element,
      since: since === null ? null : `${since}T00:00:00Z`,
      until: until === null ? null : dayAfter(until),
      operator,
    };
    return { ...place, filter };
  });
  const latest = await latestKeys(asked);
  const history = element === null ? null : await elementHistory(asked, element);
  if (latest.length === 0) await checkKnown(places, options, element, history);
  const shown = latest.slice(0, options.limit ?? LIMIT);
  const wanted = shown.map(({ key }) => key);
  const found = await Promise.all(
    asked.map(async ({ database, server, filter }) =>
      (await readHistory(database, { ...filter, ...between(shown) }, wanted)).map((row) => ({ row, server })),
    ),
  );
  const entries = [...Map.groupBy(found.flat(), ({ row }) => row.key).entries()]
    .sort(([a], [b]) => wanted.indexOf(a) - wanted.indexOf(b))
    .flatMap(([, rows]) => entryOf(rows));
  const notRemembered =
    element === null ? [] : await Promise.all(asked.map(({ database, filter }) => readNotRemembered(database, filter.folders)));
  return { entries, total: latest.length, element: history, notRemembered: [...new Set(notRemembered.flat())].sort() };
}

/** As it is recorded: a path to a file, or its name, with or without its ending. */
function fileNames(text: string): readonly string[] {
  const name = basename(text.trim()).toLowerCase();
  return [name, `${name}.dat`];
}

type Asked = HistoryPlace & { readonly filter: HistoryFilter };

/** Of all servers, the latest first; what one run did on several servers is one entry. */
async function latestKeys(asked: readonly Asked[]): Promise<readonly EntryKey[]> {
  const keys = await Promise.all(asked.map(({ database, filter }) => readEntryKeys(database, filter)));
  const untils = new Map<string, EntryKey>();
  for (const each of keys.flat()) {
    const known = untils.get(each.key) ?? each;
    const at = each.at < known.at ? each.at : known.at;
    untils.set(each.key, { ...(isLater(each, known) ? each : known), at });
  }
  return [...untils.values()].sort((a, b) => (isLater(a, b) ? -1 : 1));
}

/** What is shown lies within; the next microsecond does not. */
function between(entries: readonly EntryKey[]): Pick<HistoryFilter, 'since' | 'until'> {
  const [first = null] = entries.map(({ at }) => at).sort();
  const last = entries[0]?.until ?? null;
  return { since: first, until: last === null ? null : dayAfter(last.slice(0, 'YYYY-MM-DD'.length)) };
}

function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString();
}

const isLater = (a: EntryKey, b: EntryKey): boolean => (a.until === b.until ? a.last > b.last : a.until > b.until);

function entryOf(rows: readonly { readonly row: EntryRow; readonly server: string | null }[]): readonly HistoryEntry[] {
  const [first] = rows;
  if (first === undefined) return [];
  const folders = rows.flatMap(({ row, server }) => row.folders.map((folder) => ({ ...folder, server })));
  const times = folders.map(({ at }) => at).sort();
  const { key: _, folders: __, ...rest } = first.row;
  return [{ ...rest, at: times[0] ?? '', until: times.at(-1) ?? '', folders }];
}

async function elementHistory(asked: readonly Asked[], element: ElementName): Promise<ElementHistory> {
  const held = await Promise.all(
    asked.map(async ({ database, server, filter }) =>
      (await readHeldElement(database, filter.folders, element)).map((each) => ({ ...each, server })),
    ),
  );
  const decisions = await Promise.all(asked.map(({ database }) => readElementDecisions(database, element)));
  // A case has the same number on every server.
  const byCase = new Map(decisions.flat().map((decision) => [decision.case, decision]));
  return {
    element: `${element.type}:${element.name}`,
    versions: versionsOf(held.flat()),
    decisions: [...byCase.values()].sort((a, b) => (a.at < b.at ? 1 : -1)),
  };
}

type Held = HeldElement & { readonly server: string | null };

/** The version that came last is the first one; who has none of a patch comes last. */
function versionsOf(held: readonly Held[]): readonly ElementVersion[] {
  return [...Map.groupBy(held, ({ file, digest }) => `${digest} ${file}`).values()]
    .flatMap((same): (ElementVersion & { readonly last: string })[] => {
      const [one] = same;
      if (one === undefined) return [];
      const { file, digest, remembered } = one;
      const [at = null] = same.flatMap(({ first }) => first ?? []).sort();
      const last =
        same
          .flatMap((each) => each.at ?? [])
          .sort()
          .at(-1) ?? '';
      const folders = same.map(({ folder, server, hold, from }) => ({ folder, server, hold, from }));
      return [{ file, digest, at, remembered, folders, last }];
    })
    .sort((a, b) => (a.last < b.last ? 1 : -1))
    .map(({ last: _, ...version }) => version);
}

const NEAR = 5;

/** Nothing was found: where that is because there is no such file, element or person, it is said, with what may have been meant. */
async function checkKnown(
  places: readonly HistoryPlace[],
  { patch, operator }: HistoryOptions,
  element: ElementName | null,
  history: ElementHistory | null,
): Promise<void> {
  const known = async (read: (database: Database) => Promise<readonly string[]>): Promise<readonly string[]> => [
    ...new Set((await Promise.all(places.map(({ database }) => read(database)))).flat()),
  ];
  if (patch !== undefined) {
    const files = await known(readKnownFiles);
    const wanted = fileNames(patch);
    if (!files.some((file) => wanted.includes(file.toLowerCase())))
      throw new Refusal('patch-never-integrated', { file: basename(patch.trim()), near: [...nearestFiles(wanted, files)] });
  }
  if (
    element !== null &&
    history?.versions.every(({ file, folders }) => file === null && folders.every(({ hold }) => hold === 'absent'))
  ) {
    const names = await known((database) => readElementNames(database, element.type));
    if (!names.includes(element.name)) {
      const near = nearestWords(element.name.toUpperCase(), names, NEAR).map((name) => `${element.type}:${name}`);
      throw new Refusal('element-never-delivered', { element: `${element.type}:${element.name}`, near });
    }
  }
  if (operator !== undefined) {
    const people = await known(readOperators);
    if (!people.some((each) => each.toLowerCase() === operator.toLowerCase()))
      throw new Refusal('operator-unknown', { operator, known: [...people].sort().slice(0, 20) });
  }
}

/** Whatever their case. */
function nearestFiles(wanted: readonly string[], files: readonly string[]): readonly string[] {
  const byLower = new Map(files.map((file) => [file.toLowerCase(), file]));
  const near = wanted.flatMap((name) => nearestWords(name, [...byLower.keys()], NEAR));
  return [...new Set(near)].slice(0, NEAR).map((name) => byLower.get(name) ?? name);
}
