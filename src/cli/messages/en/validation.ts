// English words of the validation of folders: its steps, how it goes, how it ends, what is locked.
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
    `${folder} is locked, its data are as before: ${why} Once that is mended: \`${command}\``,
  unlocked: (folder: string) => `${folder} is not locked any more`,
};
