// The verbs about elements of folders: list them, show one, compare it between two folders, change its set-up fields.
import { Refusal } from '../base/errors.ts';
import { nearestWords } from '../base/nearest.ts';
import type { ElementDifference } from '../dictionary/compare.ts';
import { compareRecords } from '../dictionary/compare.ts';
import type { ElementName } from '../dictionary/element.ts';
import { subjectOf } from '../dictionary/element.ts';
import { ELEMENT_TYPES } from '../dictionary/element-types.ts';
import type { Hunk } from '../dictionary/line-diff.ts';
import { diffLines } from '../dictionary/line-diff.ts';
import type { Reader } from '../environment/catalog.ts';
import type { ListedElement, StoredElement, StoredScript } from '../environment/elements.ts';
import { foldersWith, readElement, readElements, readScript } from '../environment/elements.ts';
import type { Folder } from '../environment/folder.ts';
import { checkNoHistory } from '../environment/place.ts';
import type { Assignment, FieldsSet } from '../integrate/set-fields.ts';
import { setFields } from '../integrate/set-fields.ts';
import { settingsOf } from '../integrate/settings.ts';
import { changeInFolder } from './folder-transaction.ts';
import { existingFolders, known } from './known-folders.ts';
import type { Opened } from './rustine.ts';

/** Either a dictionary element with its records, or the folder's own copy of a script. */
export type ShownElement =
  | { readonly folder: string; readonly element: StoredElement }
  | { readonly folder: string; readonly script: StoredScript; readonly source: readonly string[] | null };

export interface ComparedElement {
  readonly element: string;
  readonly folder: string;
  readonly against: string;
  /** Whether each of the two has it. */
  readonly here: boolean;
  readonly there: boolean;
  /** Of a dictionary element. */
  readonly records?: ElementDifference;
  /** Of a script: its digests, and the lines that differ where both are text. */
  readonly script?: { readonly here: string | null; readonly there: string | null; readonly hunks: readonly Hunk[] | null };
}

export interface SetOptions {
  /** `TYPE:NAME` */
  readonly element: string;
  /** Absent: the supervisor folder. */
  readonly folder?: string;
  /** `TAG:KEY`; absent: the header. */
  readonly record?: string;
  readonly assignments: readonly Assignment[];
}

/** @throws Refusal `element-name`, `element-unknown`, `folder-unknown` */
export async function showElement({ database }: Opened, text: string, folderText?: string): Promise<ShownElement> {
  const folder = chosenFolder(await existingFolders(database), folderText);
  const name = elementName(text);
  const shown = await find(database, folder, name);
  if (shown === undefined) throw await unknown(database, folder, name);
  return shown;
}

/** Also where one of the two has no such element. @throws Refusal as `showElement` where neither has it */
export async function compareElement(
  { database }: Opened,
  text: string,
  against: string,
  folderText?: string,
  withNoise = false,
): Promise<ComparedElement> {
  const folders = await existingFolders(database);
  const [folder, other] = [chosenFolder(folders, folderText), known(folders, against)];
  const name = elementName(text);
  const [here, there] = [await find(database, folder, name), await find(database, other, name)];
  if (here === undefined && there === undefined) throw await unknown(database, folder, name);
  return compareFound(name, [folder.code, here], [other.code, there], withNoise);
}

/** Between folders of two servers. @throws Refusal as `showElement` where neither has it */
export async function compareAcross(
  { database }: Opened,
  folderText: string | undefined,
  { database: elsewhere }: Opened,
  against: string,
  text: string,
  withNoise = false,
): Promise<ComparedElement> {
  const folder = chosenFolder(await existingFolders(database), folderText);
  const other = known(await existingFolders(elsewhere), against);
  const name = elementName(text);
  const [here, there] = await Promise.all([find(database, folder, name), find(elsewhere, other, name)]);
  if (here === undefined && there === undefined) throw await unknown(database, folder, name);
  return compareFound(name, [folder.code, here], [other.code, there], withNoise);
}

type Found = readonly [folder: string, shown: ShownElement | undefined];

function compareFound(name: ElementName, [folder, here]: Found, [against, there]: Found, withNoise: boolean): ComparedElement {
  const place = {
    element: subjectOf(name),
    folder,
    against,
    here: here !== undefined,
    there: there !== undefined,
  };
  if (isScript(name)) return { ...place, script: compareScripts(here, there) };
  const records = (shown: ShownElement | undefined) => (shown !== undefined && 'element' in shown ? shown.element.records : []);
  return { ...place, records: compareRecords(records(here), records(there), withNoise) };
}

function compareScripts(here: ShownElement | undefined, there: ShownElement | undefined): NonNullable<ComparedElement['script']> {
  const of = (shown: ShownElement | undefined) => (shown !== undefined && 'script' in shown ? shown : undefined);
  const [mine, theirs] = [of(here), of(there)];
  const text = (mine === undefined || mine.source !== null) && (theirs === undefined || theirs.source !== null);
  return {
    here: mine?.script.digest ?? null,
    there: theirs?.script.digest ?? null,
    hunks: text ? diffLines(mine?.source ?? [], theirs?.source ?? []) : null,
  };
}

export async function listElements(
  { database }: Opened,
  type?: string,
  folderText?: string,
): Promise<{ readonly folder: string; readonly elements: readonly ListedElement[] }> {
  const folder = chosenFolder(await existingFolders(database), folderText);
  return { folder: folder.code, elements: await readElements(database, folder.id, type?.trim().toUpperCase()) };
}

/** @throws Refusal `script-not-set-up`, `history-folder-follows`, and as `showElement` and `setFields`; Failure `lock-timeout` while a patch is being integrated into the folder */
export async function setElement(
  { database, operator }: Opened,
  options: SetOptions,
): Promise<FieldsSet & { readonly element: string; readonly folder: string }> {
  const folder = chosenFolder(await existingFolders(database), options.folder);
  checkNoHistory(folder, 'element');
  const element = elementName(options.element);
  if (isScript(element)) throw new Refusal('script-not-set-up', { element: subjectOf(element), script: element.name });
  const record = options.record === undefined ? {} : { record: recordPlace(options.record) };
  const set = await changeInFolder(database, folder.code, (session) =>
    setFields(session, settingsOf(folder), { element, ...record, assignments: options.assignments }, operator),
  );
  if (set === undefined) throw await unknown(database, folder, element);
  return { element: subjectOf(element), folder: folder.code, ...set };
}

/** The first of all folders is the supervisor folder. */
function chosenFolder(folders: readonly Folder[], text: string | undefined): Folder {
  const [supervisor] = folders;
  if (text !== undefined || supervisor === undefined) return known(folders, text ?? '');
  return supervisor;
}

/** `TYPE:NAME`; a name may hold colons itself. @throws Refusal `element-name` */
export function elementName(text: string): ElementName {
  const at = text.indexOf(':');
  const [type, name] = [text.slice(0, at).trim().toUpperCase(), text.slice(at + 1)];
  if (at < 1 || name === '') throw new Refusal('element-name', { value: text });
  return { type, name };
}

function recordPlace(text: string): { readonly tag: string; readonly key: string } {
  const at = text.indexOf(':');
  if (at < 1) throw new Refusal('record-name', { value: text });
  return { tag: text.slice(0, at).trim().toUpperCase(), key: text.slice(at + 1) };
}

const isScript = ({ type }: ElementName): boolean => ELEMENT_TYPES.get(type)?.behaviour === 'script';

async function find(reader: Reader, folder: Folder, name: ElementName): Promise<ShownElement | undefined> {
  if (!isScript(name)) {
    const element = await readElement(reader, folder.id, name);
    return element === undefined ? undefined : { folder: folder.code, element };
  }
  const script = await readScript(reader, folder.id, name);
  return script === undefined ? undefined : { folder: folder.code, script, source: sourceOf(script) };
}

/** Lines of a source; null where it is compiled. Sources that are not UTF-8 are Latin-1. */
function sourceOf({ type, bytes }: StoredScript): readonly string[] | null {
  if (type !== 'TRT') return null;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    text = Buffer.from(bytes).toString('latin1');
  }
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

const MOST_NEAR = 5;

async function unknown(reader: Reader, folder: Folder, name: ElementName): Promise<Refusal> {
  const names = (await readElements(reader, folder.id, name.type)).map((each) => each.name);
  const upper = name.name.toUpperCase();
  const begin = names.filter((each) => each !== upper && (each.startsWith(upper) || upper.startsWith(each)));
  const same = names.filter((each) => each.toUpperCase() === upper);
  const near = [...new Set([...same, ...nearestWords(upper, names, MOST_NEAR), ...begin])].slice(0, MOST_NEAR);
  return new Refusal('element-unknown', {
    element: subjectOf(name),
    folder: folder.code,
    near: near.map((each) => subjectOf({ type: name.type, name: each })),
    folders: [...(await foldersWith(reader, name))],
  });
}
