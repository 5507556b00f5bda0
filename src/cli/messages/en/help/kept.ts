// English help of what is kept: `kept`, `kept-values`.
export const keptHelp = {
  keptValues: {
    is: 'list the values that folders keep against deliveries',
    folder: 'only those of this folder',
    all: 'those that are decided, too',
  },
  decide: {
    is: 'decide about a kept value, in all folders where it is the same',
    case: 'the case, as kept-values shows it',
    choice: 'keep the own value, take the delivered one, or set a value',
    value: 'the value to set',
    reason: 'why, kept with the decision',
  },
  kept: { is: 'what was put aside: list, show, put back, remove' },
  keptList: {
    is: 'list what was put aside (the default)',
    folder: 'of this folder only',
    table: 'of this table only',
  },
  keptShow: {
    is: 'show the values that were put aside, and those that stand there now',
    id: 'number of the entry, from the list',
    limit: 'rows to show at the most (default: 20)',
  },
  keptRestore: {
    is: 'put entries back, all of them or none',
    ids: 'numbers of the entries',
    overwrite: 'also where other values or rows stand now; these are put aside',
    rehearse: 'do all of it for real, then roll back',
  },
  keptPurge: {
    is: 'remove entries for good, and what patches remember so that they can be taken back',
    ids: 'numbers of the entries',
    folder: 'those of this folder, with --before',
    before: 'those put aside, and patches integrated, before this day, such as 2026-01-31',
    yes: 'confirm that they are deleted for good',
  },
};
