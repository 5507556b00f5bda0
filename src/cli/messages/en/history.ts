// English words of the inquiry: what was written to folders, by whom, and which version of an element they have.
import { type Sentence, some } from '../said.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

export const historyHelp = {
  history: {
    is: 'who integrated, took back, validated, created or set what, in which folders; which folders have which version of an element',
    folder: 'only in this folder',
    patch: 'only this patch file',
    element: 'only what concerns this element, TYPE:NAME, with the version that each folder has',
    since: 'from this day on, YYYY-MM-DD (UTC)',
    until: 'up to this day, YYYY-MM-DD (UTC)',
    operator: 'only what this person did',
    limit: 'entries to list at the most (default: 30)',
  },
};

export const inquiryErrors = {
  'kept-file-damaged': (f) =>
    `${f('file')} (SHA-256 ${f('digest').slice(0, 12)}…) is kept in the database, but what is kept is no longer what was delivered: rows of rustine.patch_chunk are missing or were changed. Restore them from a backup of the database, or use the file itself where you have it. Once \`update rustine.patch set kept = false where digest = '\\x${f('digest')}'\` has been run, the next run that integrates the file keeps it again.`,
  'history-days': (f) =>
    `--since ${f('since')} is after --until ${f('until')}: no day is in between. Give the earlier day to --since; both days are within.`,
  'patch-never-integrated': (f) =>
    `No folder was ever given ${f('file')}.${f.has('near') ? ` Similar: ${some(f.list('near'))}.` : ''} \`rustine history\` lists what was integrated.`,
  'element-never-delivered': (f) =>
    `No folder has an element ${f('element')}, and no patch that is remembered delivered it.${f.has('near') ? ` Similar: ${some(f.list('near'))}.` : ''} \`rustine element list\` lists a folder's elements.`,
  'operator-unknown': (f) =>
    `Nobody called ${f('operator')} ever wrote anything to a folder.${f.has('known') ? ` Who did: ${some(f.list('known'), 20)}.` : ''}`,
} satisfies Record<string, Sentence>;

export const history = {
  columns: { at: 'when (UTC)', what: 'what', of: 'file or element', digest: 'digest', folders: 'folders', by: 'by', run: 'run' },
  kinds: {
    patch: 'integrated',
    copied: 'had from creation',
    creation: 'created',
    set: 'set',
    decision: 'decided',
    validation: 'validated',
    revert: 'taken back',
  },
  brought: 'brought by validation',
  takenBack: 'integrated (gone)',
  gone: 'brought (gone)',
  authorized: (codes: string) => `authorised: ${codes}`,
  ignored: (codes: string) => `not authorised, left out: ${codes}`,
  forced: (check: string, reason: string, by: string) => `forced (${check}) by ${by}: ${reason}`,
  forcedThere: (check: string, reason: string) => `forced where it came from (${check}): ${reason}`,
  reason: (reason: string) => `reason: ${reason}`,
  chosen: (choice: 'keep' | 'take' | 'value', reason: string) =>
    `${{ keep: 'the own value stays', take: 'the delivered value is taken', value: 'a value of its own is set' }[choice]}${reason === '' ? '' : `: ${reason}`}`,
  purged: (by: string, at: string, folders: string) =>
    `cannot be taken back any more, what was remembered of it was purged by ${by}, ${at}: ${folders}`,
  goneWithLive: (by: string, at: string, folders: string) =>
    `given up by a validation of ${by}, ${at}, as the live folder has it no more: ${folders}`,
  backBy: (by: string, at: string, folders: string) => `taken back by ${by}, ${at}: ${folders}`,
  withPatches: (patches: number, folders: string) => `with ${n(patches, 'patch', 'patches')} from the parent: ${folders}`,
  folders: (count: number, names: string) => (count === 1 ? names : `${count}: ${names}`),
  nothing: 'Nothing of that was written to any folder.',
  more: (shown: number, total: number, limit: number) =>
    `${shown} of ${total} entries; --limit ${limit} shows more, --since, --until, --folder or --patch shows fewer.`,
  verbose: 'With --verbose each folder has its line.',
  versions: (element: string) => `${element}: who has which version, the latest first`,
  versionColumns: { version: 'version', digest: 'digest', since: 'first (UTC)', holds: 'state', folders: 'folders' },
  holds: {
    delivered: 'as delivered',
    own: 'keeps its own',
    created: 'from its creation',
    inherited: 'inherits',
    rows: 'rows (not compared)',
    absent: 'has it not',
  },
  from: (folder: string) => `inherits from ${folder}`,
  noPatch: 'of no patch that is known',
  unremembered: 'before deliveries were remembered',
  notRemembered: (files: readonly string[]) =>
    `${n(files.length, 'patch was', 'patches were')} integrated before deliveries were remembered, and what they delivered is not known: ${some(files, 8)}.`,
  decisions: 'Decisions about values that folders keep against deliveries',
  decisionColumns: { at: 'when (UTC)', by: 'by', case: 'case', place: 'what', choice: 'decision', reason: 'reason' },
  whole: 'the whole element',
  story: 'What happened',
};
