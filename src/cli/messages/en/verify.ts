// English sentences of `status --verify`: what is not as it should be.
import { type Sentence, some } from '../said.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

export const verifyFindings = {
  'history-changed': (f) =>
    `What the catalog says of ${f('file')} (${f('at')} UTC, ${f('operator')}) was changed by hand afterwards: the row does not come to its hash any more.`,
  'history-inserted': (f) =>
    `The row of ${f('file')} (${f('at')} UTC, ${f('operator')}) was put into the catalog by hand: it is not in the chain of what was written to the folder.`,
  'history-removed': (f) =>
    `What was written to the folder just before ${f('file')} (${f('at')} UTC, ${f('operator')}) was removed from the catalog by hand.`,
  'mirror-lacks': (f) =>
    `What stands for the folder on server ${f('server')} lacks ${f('file')}, which the folder has: folders there do not find what it brought.`,
  'history-cut': (f) =>
    `The end of what was written to the folder was cut off, or its last hash changed by hand: ${n(f.number('left'), 'row is', 'rows are')} left.`,
  'history-taken-back': (f) =>
    `Whether ${f('file')} (${f('at')} UTC, ${f('operator')}) was taken back: the catalog says one thing of the patch and another of what took it back.`,
  'standing-differs': () =>
    `Level and number of patches that \`status\` shows are not what the catalog's rows come to: they were changed by hand, or rows were put back with the triggers off. What \`status\` says of this folder's lag is not true.`,
  'trigger-off': (f) =>
    `Trigger ${f('trigger')} of rustine.integration is missing or switched off: what is written to folders is not chained or counted meanwhile. Where it is missing, put the catalog back from a backup.`,
  'schema-missing': (f) =>
    `${f.has('folder') ? `Schema ${f('schema')} of folder ${f('folder')}` : `The folder's schema ${f('schema')}`} is not in the database: it was dropped or renamed by hand, with all tables. Rename it back, or put it back from a backup, before anything else is done in this folder.`,
  'schema-renamed': (f) =>
    `${f.has('folder') ? `Schema ${f('schema')} of folder ${f('folder')}` : `The folder's schema ${f('schema')}`} is called ${f('found')} now: it was renamed by hand. Give it its name back before anything else is done in this folder${f.has('statement') ? `: \`${f('statement')}\`` : ''}.`,
  'table-owner-differs': (f) =>
    `Table ${f('table')} was given to the folder's login: scripts may change or drop it, and it counts as theirs. Do not drop it: it has the folder's data.`,
  'function-added': (f) =>
    `Function ${f('function')} is in the folder's schema, and no script made it. It may hide one of the supervisor folder.`,
  'object-added': (f) =>
    `The ${f('kind')} ${f('name')} is in the folder's schema, and no script made it. Where somebody needs it, it belongs into a schema of its own.`,
  'column-renamed': (f) =>
    `Column ${f('column')} is missing in table ${f('table')}, and ${f('found')} has its type: it was renamed.`,
  'apatch-missing': (f) => `APATCH has no row for ${f('file')}, which the catalog says was integrated (${f('at')} UTC).`,
  'apatch-unknown': (f) => `APATCH has a row for ${f('file')}, of which the catalog knows nothing.`,
  'apatch-changed': (f) =>
    `The row of ${f('file')} in APATCH was changed since it was written (${f('at')} UTC): ${some(f.list('fields'))}.`,
  'content-altered': (f) =>
    `${f('element')}: what is stored is not what its digest was made of (${some(f.list('records'))}). It was altered by hand, for every folder that has the same.`,
  'script-altered': (f) => `${f('element')}: the stored script is not what its digest was made of. It was altered by hand.`,
  'kept-file-altered': (f) =>
    `The kept patch file ${f('file')} is no longer what was delivered: what it brought cannot be compared.`,
  'file-not-kept': (f) =>
    `What came with ${f('file')} was not compared, because the file is not kept. \`rustine integrate\` with the file keeps it, and does nothing else where it is integrated already.`,
  'element-missing': (f) => `${f('element')} is not in the dictionary, although a patch or the folder's creation brought it.`,
  'element-differs': (f) =>
    `${f('element')} is not as it was delivered (expected → found; − missing, + too many, ↕ elsewhere): ${some(f.list('lines'))}${f.number('count') > f.list('lines').length ? `, ${f.number('count')} lines in all` : ''}.`,
  'element-texts-to-come': (f) =>
    `${f('element')} has no texts in ${some(f.list('languages'))} yet. ${f('file')} carries them; integrating it again brings them, and takes back what later patches brought to the same elements and rows.`,
  'kernel-texts-to-come': (f) =>
    `${f('element')}, which came with the folder's creation, has no texts in ${some(f.list('languages'))} yet. A validation brings them.`,
  'script-missing': (f) => `${f('element')}: the folder has no copy of this script, although a patch brought it.`,
  'script-differs': (f) => `${f('element')}: the folder's copy of this script is not the one that was delivered last.`,
  'table-missing': (f) => `Table ${f('table')} is in the dictionary and not in the database: it was dropped.`,
  'table-renamed': (f) => `Table ${f('table')} is missing, and ${f('found')} has its columns: it was renamed.`,
  'table-left': (f) =>
    `Table ${f('table')} is in the database, although the folder's activity codes and modules do not generate it.`,
  'table-added': (f) =>
    `${f('table')} (${f('kind')}) is in the folder's schema, and neither the dictionary nor a script made it. Where somebody needs it, it belongs into a schema of its own.`,
  'table-unlogged': (f) => `Table ${f('table')} was made unlogged: a crash of the server empties it.`,
  'table-row-security': (f) =>
    `Row security was switched on for table ${f('table')}: programs may see fewer rows than there are.`,
  'sequence-missing': (f) =>
    `Sequence ${f('sequence')}, which numbers the rows of all tables of the folder, is missing: no table takes a new row.`,
  'sequence-renamed': (f) =>
    `Sequence ${f('sequence')}, which numbers the rows of all tables of the folder, is called ${f('found')}: it was renamed. No patch can make a table.`,
  'column-missing': (f) => `Column ${f('column')} (${f('type')}) is missing in table ${f('table')}.`,
  'column-left': (f) => `Column ${f('column')} is in table ${f('table')}, although its field is not generated any more.`,
  'column-added': (f) =>
    `Column ${f('column')} (${f('type')}) of table ${f('table')} is not in the dictionary: somebody added it.`,
  'column-type-differs': (f) =>
    `Column ${f('column')} of table ${f('table')} has type ${f('found')}; by the dictionary it is ${f('expected')}.`,
  'column-null-differs': (f) =>
    f('notNull') === 'true'
      ? `Column ${f('column')} of table ${f('table')} may be empty (NULL); it was made NOT NULL.`
      : `Column ${f('column')} of table ${f('table')} is NOT NULL; it was made so that it may be empty.`,
  'column-default-differs': (f) =>
    `Column ${f('column')} of table ${f('table')} has ${f('found') === '' ? 'no default' : `the default ${f('found')}`}; it was made with ${f('expected') === '' ? 'none' : f('expected')}.`,
  'column-collation-differs': (f) =>
    `Column ${f('column')} of table ${f('table')} is sorted by collation ${f('found')}; it was made with that of the database.`,
  'index-missing': (f) => `Index ${f('index')} (${some(f.list('columns'))}) of table ${f('table')} is missing.`,
  'index-renamed': (f) =>
    `Index ${f('index')} of table ${f('table')} is missing, and ${f('found')} is on the same columns: it was renamed. A validation would build it a second time.`,
  'index-differs': (f) =>
    `Index ${f('index')} of table ${f('table')} is not the one of the dictionary (${some(f.list('columns'))}).`,
  'index-left': (f) => `Index ${f('index')} of table ${f('table')} is not in the dictionary any more.`,
  'index-invalid': (f) => `Index ${f('name')} of table ${f('table')} is invalid: the server does not use it.`,
  'constraint-added': (f) =>
    `Constraint ${f('name')} was added to table ${f('table')}: ${f('definition')}. Patches and programs may fail on it.`,
  'trigger-added': (f) => `Trigger ${f('name')} was added to ${f('kind')} ${f('table')}: ${f('definition')}.`,
  'rule-added': (f) => `Rule ${f('name')} was added to ${f('kind')} ${f('table')}: ${f('definition')}.`,
  'view-missing': (f) => `View ${f('view')} of the dictionary is missing.`,
  'view-differs': (f) => `View ${f('view')} of the dictionary is not as it was made.`,
  'function-missing': (f) => `Function ${f('function')} is missing, which script ${f('script')} made.`,
  'function-differs': (f) => `Function ${f('function')} is not as script ${f('script')} made it.`,
  'function-rights-differ': (f) =>
    `Who may run function ${f('function')} is not as script ${f('script')} left it: ${[
      ...(f.list('lost').length === 0 ? [] : [`${some(f.list('lost'))} may no longer`]),
      ...(f.list('won').length === 0 ? [] : [`${some(f.list('won'))} may since`]),
    ].join(', ')}.`,
  'login-missing': () =>
    `The folder's login is not there any more. Make a role of that name again, or put the server's roles back.`,
  'login-attributes': (f) => `The folder's login is not as it was made: it is ${some(f.list('attributes'))} now.`,
  'login-member': (f) => `The folder's login was made a member of ${some(f.list('roles'))}, and has their rights.`,
  'login-search-path': (f) =>
    `The folder's login looks names up in ${f('found') === '' ? 'no schema of its own' : f('found')}; it was made to look them up in ${f('expected')}: its people and scripts find other tables and functions, or none.`,
  'right-added': (f) =>
    `${f('everybody') === 'true' ? 'Everybody (PUBLIC) has' : "The folder's login has"} more rights than it was given: ${some(f.list('rights'))} on ${some(f.list('objects'))}${f.number('count') > f.list('objects').length ? `, ${f.number('count')} in all` : ''}.`,
  'right-grantable': (f) =>
    `The folder's login may pass rights on that it has: ${some(f.list('rights'))} on ${some(f.list('objects'))}${f.number('count') > f.list('objects').length ? `, ${f.number('count')} in all` : ''}.`,
  'default-right-added': (f) =>
    `${f('everybody') === 'true' ? 'Everybody (PUBLIC)' : "The folder's login"} would get more rights than it is to have on ${f('kind')} that ${f('maker')} makes from now on${f('schema') === '' ? ', in whatever schema' : ` in schema ${f('schema')}`}: ${some(f.list('rights'))} (default privileges). Rights on those made since are told by themselves.`,
  'default-right-missing': (f) =>
    `The folder's login would lack rights on ${f('kind')} that patches make from now on in schema ${f('schema')}: ${some(f.list('rights'))} (default privileges).`,
  'login-owns': (f) =>
    `The folder's login was made the owner of ${f('kind')} ${f('object')}: it may change everything there, or drop it with all that it holds.`,
  'right-missing': (f) =>
    `The folder's login lacks rights that it was given: ${some(f.list('rights'))} on ${some(f.list('objects'))}${f.number('count') > f.list('objects').length ? `, ${f.number('count')} in all` : ''}.`,
} satisfies Readonly<Record<string, Sentence>>;

export const verifyReport = {
  inLine: (count: number, mirrors: number) =>
    `${n(count, 'folder')}${mirrors === 0 ? '' : ` and ${n(mirrors, 'mirror')}`} verified: APATCH, dictionary, tables and rights are as they should be.`,
  differs: (count: number, folders: number, mirrors: number) =>
    `${n(folders, 'folder')}${mirrors === 0 ? '' : ` and ${n(mirrors, 'mirror')}`} verified, ${n(count, 'difference')} found:`,
  one: (count: number) =>
    count === 0
      ? 'Verified: APATCH, dictionary, tables and rights are as they should be, as far as they were compared.'
      : `Verified: ${n(count, 'difference')} found.`,
  page: {
    title: 'Verification: APATCH, dictionary, tables and rights of the folders as they are',
    differences: 'Differences',
    caption: 'What is not as it should be, the folders that have it, and what mends it',
    said: 'What was found',
    patch: 'Patch',
    next: 'What mends it',
    differing: 'with differences',
    notCompared: 'Not compared',
    verified: 'Verified folders',
    asItShouldBe: 'none',
    since: 'Chain since',
    chain: 'Hash of the chain',
    chainCaption: 'Folders that were verified, and the hash of all that was written to each, to be compared with later ones',
  },
  mirror: (folder: string, server: string) => `${folder} (its mirror on ${server})`,
  notCompared: (files: string, count: number, folders: string) =>
    `Not compared in ${folders}, because ${count === 1 ? 'its file is' : 'their files are'} not kept: what came with ${files}. \`rustine integrate\` with ${count === 1 ? 'the file keeps it' : 'the files keeps them'}, and does nothing else where ${count === 1 ? 'it is' : 'they are'} integrated already.`,
  backup: 'no command brings that back: compare with a backup',
  longCommand: 'the SQL is in `rustine status --verify --json`',
  each: 'the commands of the folders are in `rustine status --verify --json`; the first:',
  done: (done: number, all: string) => `${n(done, 'folder')} verified${all}`,
};
