// English words of the list of runs and of their traces.
const n = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

export const log = {
  run: 'run',
  mode: 'mode',
  state: 'state',
  by: 'by',
  host: 'host',
  from: 'from folder',
  started: 'started',
  ended: 'ended',
  files: 'files',
  folders: 'folders',
  authorized: 'authorised codes',
  forced: 'forced',
  modes: { integrate: 'integration', rehearse: 'rehearsal' },
  states: {
    queued: 'queued',
    waiting: 'waits for others',
    running: 'at work',
    done: 'done',
    partial: 'done in part',
    refused: 'refused',
    failed: 'failed',
    interrupted: 'interrupted',
    cancelled: 'cancelled',
  } as Record<string, string>,
  none: 'Nothing was run here yet.',
  hint: 'rustine log RUN shows one of them; the beginning of its number is enough, and `last` is the latest.',
  written: (entries: number, path: string) => `${n(entries, 'entry', 'entries')} written to ${path}.`,
  ran: 'SQL scripts run',
  pending: 'scripts left to run',
};
