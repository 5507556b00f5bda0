// The verbs about values that folders keep against deliveries (R37): list them, decide about them.
import { Refusal } from '../base/errors.ts';
import { folderCode } from '../base/ids.ts';
import type { Choice, FieldValue } from '../dictionary/cases.ts';
import type { Fields } from '../dictionary/fields.ts';
import type { KeptValue } from '../dictionary/kept-cases.ts';
import { readFolders } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import type { Decided, FolderCase } from '../environment/kept-values.ts';
import { readKeptCases } from '../environment/kept-values.ts';
import { withLease } from '../journal/processes.ts';
import { decide } from '../validate/decision.ts';
import { openSettled } from './opened-environment.ts';
import type { Opened } from './rustine.ts';

export interface KeptValuesOptions {
  /** Absent: all folders. */
  readonly folder?: string;
  /** Those that are decided, too. */
  readonly all?: boolean;
}

/** What a folder keeps against a delivery. Values are text as people read it; null where there was none. */
export interface KeptValueView {
  /** The same three values of the same field have the same case, in whatever folder. */
  readonly case: string;
  readonly folder: string;
  /** `TYPE:NAME` */
  readonly element: string;
  readonly scope: 'fields' | 'line' | 'element';
  /** Empty for a whole element. */
  readonly tag: string;
  readonly key: string;
  /** Empty for a whole line or element. */
  readonly field: string;
  /** Specific code that protects the folder's line or element. */
  readonly code: string;
  readonly before: string | null;
  readonly now: string | null;
  readonly own: string | null;
  /** Nobody in the folder changed it: it is what was delivered once. */
  readonly unchanged: boolean;
  readonly patch: string;
  /** ISO 8601. */
  readonly since: string;
  readonly decision: Decided | null;
}

export interface DecideOptions {
  readonly case: string;
  readonly choice: Choice;
  readonly value?: string;
  readonly reason?: string;
}

export interface DecidedView {
  readonly case: string;
  readonly choice: Choice;
  readonly element: string;
  readonly field: string;
  readonly folders: readonly string[];
}

const LOCK_TIMEOUT_MS = 15_000;

export async function keptValues({ database }: Opened, options: KeptValuesOptions): Promise<readonly KeptValueView[]> {
  await openSettled(database);
  const all = await readFolders(database);
  const folders = options.folder === undefined ? all : [known(all, options.folder)];
  const codes = new Map(folders.map((folder) => [folder.id, folder.code]));
  const cases = await readKeptCases(database, [...codes.keys()]);
  // A value that was to be taken or set and stands as before is not settled.
  const open = cases.filter((kept) => options.all === true || kept.decision?.choice !== 'keep');
  return open.map((kept) => view(kept, codes.get(kept.folder) ?? ''));
}

/** @throws Refusal as `decide` of `validate/decision` */
export async function decideCase({ database, operator }: Opened, options: DecideOptions): Promise<DecidedView> {
  await openSettled(database);
  const { choice, value, reason = '' } = options;
  if ((choice === 'value') !== (value !== undefined)) throw new Refusal('decision-value', { case: options.case, choice });
  const request = { caseId: options.case, choice, reason, operator, lockTimeoutMs: LOCK_TIMEOUT_MS };
  const { kept, folders } = await withLease(database, operator, async (lease) =>
    // What is decided for a live folder comes to its history folders from there.
    decide(
      database,
      (await readFolders(database)).filter(({ historyOf }) => historyOf === null),
      {
        ...request,
        lease: lease.process,
        ...(value === undefined ? {} : { value }),
      },
    ),
  );
  return { case: kept.caseId, choice, element: `${kept.type}:${kept.name}`, field: kept.field, folders };
}

function known(folders: readonly Folder[], text: string): Folder {
  const code = folderCode(text);
  const folder = folders.find((each) => each.code === code);
  if (folder === undefined) throw new Refusal('folder-unknown', { folder: code, known: folders.map((each) => each.code) });
  return folder;
}

function view(kept: FolderCase, folder: string): KeptValueView {
  const { caseId, type, name, scope, tag, key, field, code, before, now, own, unchanged, patch, since, decision } = kept;
  const values = { before: valueText(before), now: valueText(now), own: valueText(own) };
  return {
    case: caseId,
    folder,
    element: `${type}:${name}`,
    scope,
    tag,
    key,
    field,
    code,
    ...values,
    unchanged,
    patch,
    since,
    decision,
  };
}

function valueText(value: KeptValue): string | null {
  if (value === null) return null;
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return slotsText(value as FieldValue);
  return Object.entries((value as Fields).slots)
    .map(([field, slots]) => `${field}=${slotsText(slots)}`)
    .join(' ');
}

function slotsText(slots: FieldValue): string {
  return slots
    .map((slot) => {
      if (slot === null) return '';
      if ('text' in slot) return slot.text;
      if ('bare' in slot) return slot.bare;
      return Object.entries('texts' in slot ? slot.texts : slot.translations)
        .map(([language, { text }]) => `${language}: ${text}`)
        .join(' / ');
    })
    .join(', ');
}
