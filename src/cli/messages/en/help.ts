// English words of the help pages.
import { batchHelp } from './batch.ts';
import { elementHelp } from './help/element.ts';
import { folderHelp } from './help/folder.ts';
import { keptHelp } from './help/kept.ts';
import { runHelp } from './help/run.ts';
import { scriptHelp } from './help/script.ts';
import { historyHelp } from './history.ts';
import { serverHelp } from './servers.ts';

export const help = {
  titles: {
    'Usage:': 'Usage:',
    'Arguments:': 'Arguments:',
    'Options:': 'Options:',
    'Global Options:': 'Options of every command:',
    'Commands:': 'Commands:',
  },
  /** Words between brackets in usage lines. */
  words: {
    options: 'options',
    command: 'command',
    dir: 'dir',
    url: 'url',
    folder: 'folder',
    lang: 'lang',
    code: 'code',
    codes: 'codes',
    folders: 'folders',
    path: 'path',
    file: 'file',
    number: 'number',
    numbers: 'numbers',
    all: 'all',
    run: 'run',
    id: 'id',
    table: 'table',
    date: 'date',
    element: 'element',
    type: 'type',
    assignment: 'FIELD=VALUE',
    line: 'TAG:KEY',
    check: 'check',
    case: 'case',
    choice: 'choice',
    value: 'value',
    reason: 'reason',
    name: 'name',
    duration: 'duration',
    kind: 'kind',
    kinds: 'kinds',
    state: 'state',
    text: 'text',
  },
  program: 'Integrates patches into all the folders (tenants) of an environment on PostgreSQL.',
  after:
    'Exit codes: 0 done · 1 done for some folders only, or a check blocks · 2 refused, nothing changed · 3 the world failed (database, disk) · 70 our own bug',
  options: {
    help: 'show this help',
    version: 'show the version',
    home: 'home directory (default: $RUSTINE_HOME, else .rustine here)',
    database: 'database URL (default: $RUSTINE_DATABASE_URL, else the embedded PostgreSQL)',
    from: 'folder one works from (default: the supervisor folder)',
    json: 'one JSON document on standard output, everything else on standard error',
    lang: 'language: en or fr (default: by locale)',
    quiet: 'results and problems only',
    verbose: 'every finding, and the details of errors',
  },
  report: {
    format: 'text, json, csv for spreadsheets and programs, or html: a page to read, print and sign',
    output: 'write to a new file; one that is there is not overwritten',
  },
  commands: {
    ...elementHelp,
    ...folderHelp,
    ...historyHelp,
    ...keptHelp,
    ...runHelp,
    ...scriptHelp,
    ...serverHelp,
    init: {
      is: 'create the environment: catalog, supervisor folder, base data types',
      supervisor: 'code of the supervisor folder (default: X3)',
      languages: 'languages of the supervisor folder, such as FRA,ENG',
    },
    patch: { is: 'look into patch files' },
    patchShow: { is: 'show header and elements of a patch file', file: 'patch file' },
    ...batchHelp,
    db: { is: 'the database in use' },
    dbUrl: {
      is: 'print its connection URL, for psql and others',
      folder: 'URL of the login of this folder',
      server: "URL of the environment's database on this further server",
    },
    dbStop: { is: 'stop the embedded database' },
  },
};
