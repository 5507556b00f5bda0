// English help of the command `script`.
export const scriptHelp = {
  script: { is: 'scripts: lookup, hidden copies, what is left to run, export' },
  scriptWhich: {
    is: 'show which copy of a script a folder uses, and all copies up to the supervisor folder',
    name: 'name of the script',
    folder: 'folder (default: the one that one works from)',
    kind: 'TRT (source) or ADX (compiled); default: both',
  },
  scriptShadowed: { is: 'list the copies that hide those of other folders', folder: 'this folder only' },
  scriptPending: { is: 'list the scripts that are left to run', folder: 'this folder only' },
  scriptRun: {
    is: 'run the scripts that are left to run',
    name: 'this script only',
    folder: 'in this folder only',
  },
  scriptShow: { is: 'print the source of a script as a folder finds it' },
  scriptUses: { is: 'tables, fields and scripts that a script uses' },
  scriptExport: {
    is: 'write the scripts of the folders to a directory, for runtimes outside',
    dir: 'directory: a new one, or one that an export made',
    folders: 'folders, separated by commas (default: all)',
  },
};
