// English words of the validation of folders: its steps, how it goes, how it ends, what is locked.
import { type Sentence, some } from '../said.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

export const validationReport = {
  nothing: 'No folder is due.',
  settled: 'settled',
  states: {
    validated: 'validated',
    unchanged: 'unchanged',
    failed: 'failed',
    skipped: 'skipped',
    cancelled: 'cancelled',
  },
  started: (folders: number, preview: boolean) =>
    preview ? `Preview of the validation of ${n(folders, 'folder')}` : `Validating ${n(folders, 'folder')}`,
  steps: {
    controls: 'controls',
    'single-user': 'single user',
    dictionary: 'dictionary',
    'data-types': 'data types',
    tables: 'tables',
    scripts: 'scripts',
    texts: 'texts',
    level: 'level',
  },
  stepStates: { done: 'done', unchanged: 'in line', failed: 'failed' },
  step: (folder: string, step: string, state: string, counts: string, ms: number) =>
    `${folder} ${step}: ${state}${counts === '' ? '' : ` (${counts})`} · ${ms} ms`,
  failedAt: (step: string) => `failed at the step ${step}`,
  locked: (folder: string, why: string, command: string) =>
    `${folder} is locked, its data are as before. ${why} Once that is mended: \`${command}\``,
  unlocked: (folder: string) => `${folder} is not locked any more.`,
  interrupting: (hard: boolean) =>
    hard ? 'Rolling back what is at work …' : 'Stopping after the folders at work; once more (Ctrl-C) rolls them back …',
  differencesOf: (folders: string, count: number) => (count === 1 ? `${folders}:` : `${folders} (${n(count, 'folder')}):`),
  changes: { created: 'created', updated: 'updated', removed: 'removed', kept: 'kept' },
};

export const validationErrors = {
  'folder-locked': (f) =>
    `Folder ${f('folder')} is locked: its last validation failed. \`rustine folder show ${f('folder')}\` says why; once that is mended, \`${f('command')}\` unlocks it.`,
  'folder-not-locked': (f) => `Folder ${f('folder')} is not locked: there is nothing to unlock.`,
} satisfies Record<string, Sentence>;

export const validationRunFindings = {
  'folder-locked': (f) =>
    `Folder ${f('folder')} has been locked since ${f('since')} (by ${f('by')}): its validation failed (${f('cause')}). \`rustine folder show ${f('folder')}\` says why; once that is mended, \`${f('command')}\` unlocks it.`,
  'parent-not-ready': (f) =>
    `Folder ${f('folder')} is brought in line with ${f('parent')}, which is not ready itself (${f('state')}). Validate both: \`${f('command')}\`.`,
  'parent-lags': (f) =>
    `Folder ${f('folder')} is brought in line with ${f('parent')}, which lacks ${some(f.list('files'), 3)} itself. Validate both: \`${f('command')}\`.`,
  'mirror-lags': (f) =>
    `What stands for ${some(f.list('parents'), 3)} on server ${f('server')} lacks ${some(f.list('files'), 3)}, and what is below it cannot be brought in line meanwhile. \`${f('command')}\` brings it to both.`,
  'parent-not-validated': (f) =>
    `Folder ${f('folder')} is left out: ${f('parent')}, which it follows, could not be validated. Once that is mended: \`${f('command')}\`.`,
} satisfies Record<string, Sentence>;
