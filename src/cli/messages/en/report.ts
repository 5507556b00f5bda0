// English words of tables, progress and summaries.
import type { FolderRunState, PatchRunState } from '../../../journal/outcome.ts';
import { some } from '../said.ts';
import { batchReport } from './batch.ts';
import { liveReason } from './history-folders.ts';
import { revertedCounts, revertStarted } from './revert.ts';
import { runEnds } from './run-ends.ts';
import { runWords } from './runs.ts';
import { scriptUses } from './script-uses.ts';
import { serverReport } from './servers.ts';
import { sessionReport } from './sessions.ts';
import { validationReport } from './validation.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

const states: Record<FolderRunState | PatchRunState | 'ready' | 'locked' | 'creating' | 'dropping' | 'unreachable', string> = {
  integrated: 'integrated',
  validated: 'validated',
  reverted: 'taken back',
  unchanged: 'unchanged',
  already: 'already',
  failed: 'failed',
  skipped: 'skipped',
  cancelled: 'cancelled',
  ready: 'ready',
  locked: 'locked',
  creating: 'half created',
  dropping: 'half dropped',
  unreachable: 'unreachable',
};
const settingNames: Readonly<Record<string, string>> = {
  parent: 'parent',
  languages: 'languages',
  legislations: 'legislations',
  modules: 'modules',
  'activity-codes': 'activity codes',
  test: 'test flag',
  specific: 'specific flag',
};

/** What was done to so many; the same word for any number in English. */
const s = (word: string) => (_count: number) => word;

export const report = {
  ...sessionReport,
  servers: serverReport,
  columns: {
    folder: 'folder',
    parent: 'parent',
    state: 'state',
    due: 'due',
    locked: 'locked',
    level: 'level',
    lag: 'lag',
    kind: 'kind',
    languages: 'languages',
    patches: 'patches',
    elements: 'elements',
    tables: 'tables',
    scripts: 'scripts',
    rows: 'rows',
    time: 'time',
    type: 'type',
    name: 'name',
    title: 'title',
    records: 'records',
    activityCodes: 'activity codes',
    legislations: 'legislations',
    modules: 'modules',
    schema: 'schema',
    role: 'role',
    server: 'server',
    element: 'element',
    patch: 'patch',
    created: 'created',
    updated: 'updated',
    historyOf: 'history of',
    script: 'script',
    language: 'language',
    digest: 'digest',
    date: 'date',
    use: 'use',
    hides: 'hides',
    content: 'content',
    newer: 'newer',
    since: 'since',
    attempts: 'attempts',
    lastError: 'last error',
  },
  states,
  yes: 'yes',
  no: 'no',
  all: 'all',
  none: 'none',
  test: 'test',
  specific: 'specific',
  history: (of: string) => `history of ${of}`,
  supervisor: 'supervisor',
  noRole: 'none (the database user may not create roles)',
  severities: {
    block: (count: number) => `${n(count, 'problem')} that ${count === 1 ? 'blocks' : 'block'}`,
    warn: (count: number) => n(count, 'warning'),
    info: (count: number) => n(count, 'note'),
  },
  /** After a finding that was passed over. */
  forced: (check: string, by: string, reason: string) => `Forced (${check}) by ${by}: ${reason}`,
  check: {
    clear: (patches: number, folders: number) => `Nothing blocks: ${n(patches, 'patch', 'patches')} for ${n(folders, 'folder')}.`,
    nothing: 'Nothing blocks, and nothing is to be done.',
    blocked: 'A run would be refused: nothing would be changed.',
  },
  more: (count: number, subjects: string) =>
    `… and ${count} more like this${subjects === '' ? '' : `: ${subjects}`} (--verbose says each in full)`,
  folders: (codes: string, count: number) => `${count === 1 ? 'folder' : 'folders'} ${codes}`,
  initialized: (code: string) => `The environment is ready; its supervisor folder is ${code}.`,
  foldersCreated: (codes: readonly string[]) => `${codes.length === 1 ? 'Folder' : 'Folders'} ${some(codes, 12)} created.`,
  folderSet: (code: string, settings: readonly string[]) =>
    `Folder ${code}: ${settings.map((each) => settingNames[each] ?? each).join(', ')} changed.`,
  folderSame: (code: string) => `Folder ${code} is set like that already: nothing was changed.`,
  /** @param more of a history folder: all that was written to its live folder is told as one */
  dueReason: (reason: string, ...more: readonly string[]) =>
    reason.startsWith('live-folder:')
      ? liveReason([reason, ...more], (name) => settingNames[name] ?? name)
      : reason
          .replace(/^activity-code:/, 'activity code ')
          .replace(/^data-type:/, 'data type ')
          .replace(/^older-patch:/, 'integrated again after later ones: ')
          .replace(/^[a-z-]+$/, (each) => settingNames[each] ?? each),
  folderDropped: (code: string) => `Folder ${code} dropped, with its history; the traces of its runs stay (rustine log).`,
  database: {
    stopped: 'The embedded database is stopped.',
    'not-running': 'No embedded database is running here.',
    'in-use': 'The embedded database is still in use by another command; it stops when that one ends.',
  },
  runs: runEnds,
  runEnds: { done: 'done', partial: 'done for some folders only', refused: 'refused', failed: 'failed', cancelled: 'cancelled' },
  severity: { block: 'blocks', warn: 'warning', info: 'note' },
  /** What was done to so many. */
  elements: { created: s('new'), updated: s('updated'), identical: s('identical'), kept: s('kept'), ignored: s('ignored') },
  tables: { created: s('new'), altered: s('altered'), removed: s('put aside') },
  validation: validationReport,
  reverted: revertedCounts,
  revertStarted,
  costs: {
    step: (table: string, what: string) => `${table}: ${what}`,
    title: (folders: string) => `Changes of tables in ${folders}:`,
    steps: {
      'add-column': 'adds column',
      'widen-column': 'widens column',
      'narrow-column': 'narrows column',
      'retype-column': 'changes the type of column',
      'drop-column': 'puts aside and drops column',
      'create-index': 'makes index',
      'drop-index': 'drops index',
      'remove-table': 'puts the table aside',
    },
    rewrites: 'writes all rows anew',
    locks: { 'access-exclusive': 'nobody reads or writes meanwhile', share: 'nobody writes meanwhile' },
    rows: (count: number) => n(Math.round(count), 'row'),
  },
  scripts: { installed: s('installed'), run: s('run') },
  scriptRuns: { done: 'run', failed: 'failed', busy: 'being run', left: 'not run' },
  copies: { used: 'used', hidden: 'hidden', same: 'same', different: 'different' },
  newer: { own: 'own', hidden: 'hidden' },
  scriptUses,
  noShadowed: 'No script hides that of another folder.',
  noPending: 'No script is left to run.',
  exported: (scripts: number, folders: number, directory: string) =>
    `${n(scripts, 'script')} of ${n(folders, 'folder')} exported to ${directory}.`,
  exportedAlready: (directory: string) => `${directory} is up to date.`,
  rows: { inserted: s('inserted'), updated: s('updated'), deleted: s('deleted') },
  kept: {
    columns: {
      id: 'id',
      when: 'put aside',
      patch: 'by',
      by: 'who',
      table: 'table',
      what: 'what',
      why: 'why',
      restored: 'put back',
      key: 'row',
      column: 'column',
      old: 'old value',
      now: 'now',
    },
    kinds: { table: 'whole table', columns: 'columns', rows: 'rows' },
    reasons: {
      dropped: 'no longer defined',
      narrowed: 'made narrower',
      retyped: 'type changed',
      shrunk: 'fewer slots',
      inactive: 'activity code or module inactive',
      replaced: 'content replaced',
      updated: 'updated',
      overwritten: 'overwritten by putting back',
    },
    none: 'Nothing is put aside.',
    same: 'as it was',
    gone: 'row is gone',
    noColumn: 'column is gone',
    moreRows: (more: number, shown: number) => `… and ${n(more, 'row')} more (--limit ${more + shown} shows them)`,
    restoredEntry: (id: number, folder: string, table: string, rows: number, columns: string) =>
      `${id}: ${folder} ${table}: ${n(rows, 'row')} put back${columns === '' ? '' : `, columns added again: ${columns}`}`,
    restored: {
      restore: {
        all: 'Put back.',
        part: 'Put back in part: the rest stays aside.',
        nothing: 'Nothing was put back: none of it found a place. It stays aside.',
      },
      rehearse: {
        all: 'Rehearsed, and rolled back: it would work.',
        part: 'Rehearsed, and rolled back: a part would be put back, the rest would stay aside.',
        nothing: 'Rehearsed, and rolled back: nothing would be put back, none of it finds a place.',
      },
      refused: 'Refused: nothing was changed.',
    },
    purged: (count: number) => `${n(count, 'entry', 'entries')} removed for good.`,
    forgotten: (count: number) =>
      `What ${n(count, 'patch', 'patches')} remembered is gone too: ${count === 1 ? 'it' : 'they'} cannot be taken back any more.`,
    remembered: {
      is: 'Remembered so that patches can be taken back (rustine revert):',
      patches: 'patches',
      oldest: 'oldest',
      latest: 'latest',
      size: 'size',
    },
  },
  origin: (patch: string, at: string, by: string) => `by ${patch}, ${at}, ${by}`,
  activityCode: (code: string) => `activity code ${code}`,
  ownFields: (fields: string) => `changed here: ${fields}`,
  offer: (scope: string, code: string, patch: string, at: string) =>
    `${scope === 'fields' ? 'delivered' : `delivered, not taken (activity code ${code})`} by ${patch}, ${at}${scope === 'fields' ? ', kept otherwise:' : ':'}`,
  comparing: (element: string, here: string, there: string) => `${element}: - ${here}, + ${there}`,
  notThere: (element: string, folder: string) => `Folder ${folder} has no ${element}.`,
  noDifference: 'No difference.',
  reordered: 'The lines stand in another order.',
  fieldsSet: (element: string, line: string, folder: string, fields: readonly string[]) =>
    `${element}, line ${line}: ${fields.join(', ')} changed in folder ${folder}. Patches keep it from now on.`,
  fieldsSame: (element: string, folder: string) => `${element} is like that already in folder ${folder}: nothing was changed.`,
  lines: (count: number) => n(count, 'line'),
  moreElements: (count: number) => `… and ${n(count, 'element')} more`,
  bytes: (count: number) => `${count.toLocaleString('en')} bytes`,
  pending: (folder: string, scripts: string) => `Still to be run in ${folder}: ${scripts} (rustine script pending)`,
  due: {
    directory: 'DIRECTORY',
    lacking: (codes: string, count: number, files: string, command: string) =>
      `${codes} ${count === 1 ? 'lacks' : 'lack'} ${files}, which the supervisor folder has: \`${command}\``,
    lackingMany: (codes: string, count: number, files: string, command: string, anywhere: boolean) =>
      `Missing in ${codes}: ${n(count, 'patch', 'patches')} that the supervisor folder has (${files}): \`${command}\`${anywhere ? ', DIRECTORY being one that holds these patches and no others (`rustine status --json` has all names)' : ''}`,
    between: '; ',
    lacks: (files: string) => `lacks ${files}`,
    validate: (folders: string, command: string) => `Due for validation: ${folders}: \`${command}\``,
    open: (folders: string) =>
      `Due, and no command of this version settles it: ${folders}. A later version of Rustine has noted that: use that one.`,
    locked: (codes: string, count: number, command: string) =>
      `Locked by a failed validation: ${codes}; nobody comes in. \`rustine folder show\` says why ${count === 1 ? 'it is' : 'each is'}; once that is mended: \`${command}\``,
    dropping: (code: string, command: string) => `${code} is half dropped: \`${command}\` finishes that`,
    unreachable: (codes: string, servers: string) =>
      `Not known of ${codes}: ${servers} does not answer. \`rustine server list\` says why; start it or mend the connection`,
    creating: (codes: string) =>
      `${codes}: half created. Unless somebody is making it now, the same \`rustine folder create\` finishes that, or \`rustine folder drop\` takes it away`,
    rehearsed: (codes: string) => `Would be due for validation: ${codes}.`,
  },
  keptColumns: {
    folder: 'folder',
    age: 'age',
    element: 'element',
    field: 'what',
    before: 'delivered before',
    delivered: 'delivered now',
    own: 'own',
    case: 'case',
  },
  noKeptValues: 'No folder keeps a value against a delivery without a decision.',
  days: (count: number) => (count === 0 ? 'today' : n(count, 'day')),
  wholeElement: (code: string) => `the whole element (${code}), by number of lines`,
  wholeLine: (line: string, code: string) => `line ${line} (${code})`,
  unchangedMark: '(changed by nobody)',
  choices: { keep: 'keep', take: 'take', value: 'value' },
  decideHint:
    'rustine decide CASE keep · take · value TEXT decides a case in every folder that has it, and for later patches. Values that nobody changed follow a patch with --take-unchanged.',
  decided: (id: string, choice: 'keep' | 'take' | 'value', folders: readonly string[]) =>
    `Case ${id}: ${{ keep: 'the own value stays', take: 'the delivered value is taken', value: 'the given value is set' }[choice]} in ${folders.join(', ')}, and wherever the case comes up again.`,
  allInLine: 'All folders are in line with the supervisor folder.',
  runLine: (run: string, short: string, ms: number | null) =>
    `Run ${run}${ms === null ? '' : ` · ${(ms / 1000).toFixed(1)} s`} · rustine log ${short}`,
  batch: batchReport,
  openRuns: runWords,
  progress: {
    waiting: (run: string, operator: string, host: string, folders: string) =>
      `Run ${run} of ${operator} on ${host} has ${folders} first: waiting until it is over`,
    changing: (changes: string) => `Waiting until other commands have ended that change folders: ${changes}`,
    wave: (wave: number, folders: number, canary: boolean) =>
      `Wave ${wave}${canary ? ' (comes first, for trial)' : ''}: ${n(folders, 'folder')}`,
    prepared: (folder: string) => `${folder}: prepared, waits for the others`,
    decided: { commit: 'All folders are prepared: committing', rollback: 'Not every folder could get everything: rolling back' },
    postponed: (folder: string, table: string, blocker: string, seconds: string) =>
      `${folder}: ${table === '' ? 'a table' : `table ${table}`} is locked by ${blocker === '' ? 'another session' : blocker}; again in ${seconds} s`,
    cancelled: (by: string, hard: boolean) =>
      hard
        ? `${by} stops the run at once: what is at work is rolled back`
        : `${by} stops the run: what is at work ends its patch`,
    read: (file: string, elements: number) => `read ${file}: ${n(elements, 'element')}`,
    started: (files: number, folders: number, rehearse: boolean) =>
      files === 0
        ? `No patch to integrate in ${n(folders, 'folder')}`
        : `${rehearse ? 'Rehearsing' : 'Integrating'} ${n(files, 'patch', 'patches')} in ${n(folders, 'folder')}`,
  },
  patchTypes: { '1': 'standard', '2': 'supervisor', '3': 'specific', '4': 'vertical', '5': 'add-on' } as Record<string, string>,
  patchFrom: (type: string, folder: string, languages: string) =>
    `${type} patch from folder ${folder || '?'}, languages ${languages || '-'}`,
  patchAuthorizes: (codes: string) => `authorises activity codes ${codes}`,
  patchSize: (elements: number, bytes: number) => `${n(elements, 'element')}, ${bytes.toLocaleString('en')} bytes`,
};
