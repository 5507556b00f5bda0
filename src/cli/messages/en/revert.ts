// English sentences about taking patches back (R38): what speaks against it, what was done.
import type { Said, Sentence } from '../said.ts';
import { some } from '../said.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** Folders that share a finding are told together. */
const given = (f: Said) => f('folder').replaceAll(', ', ',');

const NOT_REMEMBERED: Readonly<Record<string, string>> = {
  older: 'an earlier version of Rustine integrated it, which did not remember what was there before',
  creation: 'the folder has had it since its creation, which remembers nothing. Only dropping the folder takes it away',
  validation:
    'a validation brought it from the parent folder, and validations remember nothing for taking back. The parent folder does not give it up either while this folder has it: integrate a patch that sets right what is wrong',
};

export const revertErrors = {
  'revert-nowhere': (f) =>
    `No folder has ${f('file')}, so there is nothing to take back.${f.has('nearest') ? ` Is ${f('nearest')} meant?` : ''} rustine history lists what was integrated.`,
  'revert-file-path': (f) =>
    `What is taken back is named by its file name, as the folders remember it, without a directory: rustine revert ${f('file')} …`,
  'revert-in-use': (f) =>
    `${f('folder')}: something else in the database needs what the patch brought: ${f('reason')}. Drop or change that first, then take the patch back again. Nothing was changed.`,
} as const satisfies Readonly<Record<string, Sentence>>;

export const revertFindings = {
  'revert-given-up': () =>
    "The run was given up on the environment's own server or another one before anything was changed; what blocked it is told there (rustine log).",
  'revert-not-integrated': (f) =>
    `There is no ${f('file')} in ${f('folder')}, so there is nothing to take back there. Leave that out.`,
  'revert-not-last': (f) =>
    `${f('file')} is not the last patch of ${f('folder')}: ${some(f.list('later'))} came after it. Take back the last one first: rustine revert ${f('last')} --folder ${given(f)}.`,
  'revert-not-remembered': (f) => `${f('file')} cannot be taken back in ${f('folder')}: ${NOT_REMEMBERED[f('why')] ?? f('why')}.`,
  'revert-purged': (f) =>
    `${f('file')} cannot be taken back in ${f('folder')}: ${f('by')} removed for good what was remembered of it, on ${f('at').slice(0, 10)} (rustine kept purge). Integrate a patch that sets right what is wrong.`,
  'revert-below': (f) =>
    `${f('folder')} cannot give up ${f('file')} while folders below have it: ${some(f.list('folders'))}. They look up scripts here and would be ahead. ${f.has('stuck') ? `In ${some(f.list('stuck'))} it came with a validation or with the folder's creation, which remember nothing for taking back: as long as there is such a folder below, it stays here, too. Integrate a patch that sets right what is wrong.` : 'Take it back there first, or with --folder all.'}`,
  'revert-elements-changed': (f) =>
    `${n(f.number('count'), 'element')} that ${f('file')} brought to ${f('folder')} ${f.number('count') === 1 ? 'was' : 'were'} changed since: ${some(f.list('elements'))}. Last by ${f('operator')} on ${f('on')}: ${f('what')}. Taking the patch back would lose that: set the values back as they were, or leave the patch.`,
  'revert-activity-codes': (f) =>
    `The settings of ${f('folder')} name activity codes that only ${f('file')} brought: ${some(f.list('codes'))}. Take them out of the list first: rustine folder set ${given(f)} --activity-codes …`,
  'revert-scripts-ran': (f) =>
    `Scripts of ${f('file')} ran in ${f('folder')} outside of its transaction: ${some(f.list('scripts'))}. What they did is not known and cannot be taken back. Integrate a patch that sets right what is wrong.`,
  'revert-functions-changed': (f) =>
    `${n(f.number('count'), 'function')} that ${f('file')} made in ${f('folder')} ${f.number('count') === 1 ? 'was' : 'were'} changed or dropped since: ${some(f.list('functions'))}. Put them back as the patch left them, or leave the patch.`,
  'revert-aggregates': (f) =>
    `${f('file')} replaced or dropped aggregates of ${f('folder')}, which cannot be made again as they were: ${some(f.list('functions'))}. Integrate a patch that makes them.`,
  'revert-validated': (f) =>
    `${f('folder')}: validated${f.has('operator') ? ` by ${f('operator')} on ${f('on')}` : ''} with what ${f('file')} brought (${some(f.list('reasons'))}), and the tables have followed that. Integrate a patch that sets right what is wrong.`,
} as const satisfies Readonly<Record<string, Sentence>>;

const s = (word: string) => (_count: number) => word;
const back = { restored: s('set back'), returned: s('come back'), removed: s('removed') };

/** What was done to so many, by kind of thing. */
export const revertedCounts = {
  elements: { updated: back.restored, removed: back.removed },
  tables: { created: back.returned, altered: back.restored, removed: back.removed },
  scripts: { installed: back.restored, removed: back.removed },
  rows: { inserted: back.returned, updated: back.restored, deleted: back.removed },
};

export const revertStarted = (folders: number, rehearsed: boolean): string =>
  `${rehearsed ? 'Rehearsing to take it back' : 'Taking it back'} in ${n(folders, 'folder')}`;
