// English words about runs: which are at work, how far their folders are, stopping them.

/** What is said of a run that has not ended. */
export interface OpenRun {
  readonly run: string;
  readonly operator: string;
  readonly host: string;
  readonly since: string;
  readonly files: string;
  readonly state: string;
  /** How many are in which state. */
  readonly folders: string;
}

export const runWords = {
  states: {
    queued: 'queued',
    waiting: 'waits for others that have folders of it',
    running: 'running',
    interrupted: 'interrupted: its program died',
    done: 'done',
    partial: 'done for some folders only',
    refused: 'refused',
    failed: 'failed',
    cancelled: 'cancelled',
  },
  folderStates: {
    waiting: 'waiting',
    running: 'at work',
    postponed: 'postponed',
    prepared: 'prepared',
    integrated: 'integrated',
    validated: 'validated',
    reverted: 'taken back',
    unchanged: 'unchanged',
    failed: 'failed',
    skipped: 'skipped',
    cancelled: 'cancelled',
    interrupted: 'interrupted',
  },
  columns: { folder: 'folder', wave: 'wave', state: 'state', attempts: 'attempts', since: 'since', waitsFor: 'waits for' },
  line: (r: OpenRun) =>
    `Run ${r.run} of ${r.operator} on ${r.host} since ${r.since}${r.files === '' ? '' : `, with ${r.files}`}: ${r.state}${r.folders === '' ? '' : ` (${r.folders})`}`,
  stopping: (by: string, reason: string) =>
    `${by} has asked it to stop${reason === '' ? '' : ` (${reason})`}: what is at work ends its patch.`,
  asked: (run: string, state: string) =>
    state === 'cancelled'
      ? `Run ${run} is cancelled: nobody was at work in it.`
      : state === 'waiting'
        ? `Run ${run} is asked to stop: it only waits for others, and ends within seconds.`
        : `Run ${run} is asked to stop: folders at work end their patch, the others are left out. \`rustine status --run ${run}\` shows how far it is.`,
  interrupting: (hard: boolean) =>
    hard ? 'Rolling back what is at work …' : 'Stopping after the patches at work; once more (Ctrl-C) rolls them back …',
};
