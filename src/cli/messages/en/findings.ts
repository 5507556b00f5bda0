// English sentences for the codes of findings: what, where, why, and what to do.

import { type Said, type Sentence, some } from '../said.ts';
import { blockerLines } from '../session-lines.ts';
import { historyFindings } from './history-folders.ts';
import { progress } from './progress.ts';
import { reasons } from './reasons.ts';
import { revertFindings } from './revert.ts';
import { revertTableFindings } from './revert-tables.ts';
import { serverFindings } from './servers.ts';
import { sessionFindings } from './sessions.ts';
import { validationRunFindings } from './validation.ts';
import { validationFindings } from './validation-findings.ts';
import { verifyFindings } from './verify.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

const why = (f: Said) => reasons[f('reason')] ?? f('reason');

export const findings = {
  ...sessionFindings,
  ...verifyFindings,
  ...serverFindings,
  ...revertTableFindings,
  ...validationFindings,
  ...revertFindings,
  ...validationRunFindings,
  ...historyFindings,
  'patch-bom': () => 'The file starts with a byte order mark, which a patch file does not have; it is read without.',
  'patch-crlf': () =>
    'The lines end in CR LF instead of LF; they are read as LF. An editor or a transfer in text mode probably changed the file.',
  'patch-latin1': () => 'The file is not UTF-8; it is read as Latin-1. Check that accented letters came out right.',
  'patch-no-last-line-end': () => 'The last line has no line end; the file is complete all the same.',
  'patch-unknown-kind': (f) => `${n(f.number('count'), 'line')} of a kind that the patch format does not know: kept as they are.`,
  'directory-foreign': (f) =>
    `${f('directory')} holds more than patch files: ${some(f.list('names'))}. Everything in the directory would be integrated, so nothing else may be there: move these elsewhere, notes into its sub-directory doc/.`,
  'directory-empty': (f) => `${f('directory')} holds no patch file (*.dat). Check the path.`,
  notes: (f) =>
    `Notes came with this delivery: ${some(f.list('files'))} (in ${f('directory')}). Read them: they say what the patches contain.`,
  'patch-twice': (f) =>
    `${f('file')} is given twice (${some(f.list('paths'))}); the second would count as integrated already. Give it once, or rename one.`,
  'element-ignored': (f) =>
    `${f('element')} is ignored: it carries activity code ${f('code')}, which the patch header does not authorise; ${f('option')} lets it in.`,
  'lines-ignored': (f) =>
    `${f('element')}: ${n(f.number('count'), 'line')} ignored (${some(f.list('keys'))}): activity code ${f('code')} is not authorised by the patch header; ${f('option')} lets them in.`,
  'header-specific': (f) =>
    f('blocked') === 'true'
      ? `${f('element')} is left as it is: the folder's header of this standard table carries the specific code ${f('code')}, which keeps every patch of the table away. Move the code to the fields and indexes that are specific; --authorize ${f('code')} lets this patch in.`
      : `${f('element')}: the header of this standard table carries the specific code ${f('code')}: every later patch of the table will be kept away. Put the code on the fields and indexes that are specific instead.`,
  'element-header-missing': (f) =>
    `${f('element')} comes without its header record; the folder's header stays. The patch should be mended where it was made.`,
  'set-up-overwritten': (f) =>
    `${f('element')}: values that the folder's people had changed are no set-up any more, and the delivered ones take their place: ${some(f.list('fields'))}. Enter them again where they are still wanted.`,
  'activity-code-value': (f) =>
    f('field') === 'CODACT'
      ? `${f('element')}: the code has ${f('value').length} characters; ADOSACT takes ${f('most')}. The patch has to be mended where it was made.`
      : `${f('element')}, field ${f('field')}: "${f('value')}" is not a whole number from 0 to ${f('most')}. The patch has to be mended where it was made.`,
  'table-empty': (f) =>
    `${f('element')} comes without header, fields and indexes: taken at its word, all columns would go. The patch has to be mended where it was made.`,
  'set-up-kept': (f) =>
    `${f('element')}: the folder keeps its own set-up values against the delivered ones: ${some(f.list('fields'))}. See rustine kept-values.`,
  'set-up-unchanged': (f) =>
    `${f('element')}: set-up values that nobody changed differ from the delivered ones: ${some(f.list('fields'))}. They stay; ${f('option')} lets them follow.`,
  'script-ignored': (f) =>
    `${f('element')} is ignored: names that start with ${f('letter')} are specific, and the patch header authorises no such code; ${f('option')} lets it in.`,
  'element-twice': (f) => `${f('element')} is in the patch twice; the last one counts.`,
  'element-key-incomplete': (f) =>
    `${f('subject')}: records ${f('tag')} lack ${f('key')} of their key or repeat it. All are kept, in their order; nothing is lost.`,
  'type-unknown': (f) =>
    `${n(f.number('count'), 'element')} of type ${f('type')}, which Rustine does not know: stored as they came, replaced as a whole by later patches.`,
  'tag-unknown': (f) =>
    `${n(f.number('count'), 'record')} ${f('tag')} in elements of type ${f('type')}, which Rustine does not know: stored as they came.`,
  'table-unknown': (f) =>
    `${n(f.number('rows'), 'row')} for a table with abbreviation ${f('abbreviation')}, which is neither in the folder nor in the patch list. Integrate the patch that brings the table first.`,
  'content-table-unknown': (f) =>
    `${f('element')}${f.has('line') ? `, record "${f('record')}" in line ${f('line')}` : ''}: there is no table ${f('table') === '' ? 'named' : f('table')}, neither in the folder nor in the patch list, neither as a name nor as an abbreviation. Integrate the patch that brings the table first.`,
  'content-tag': (f) =>
    `${f('element')}: the record in line ${f('line')} has the tag ${f('tag')}, but the content of a table consists of ${f('expected')} records alone. The patch has to be mended where it was made.`,
  'content-own-account': (f) =>
    `${f('element')}: table ${f('table')} is the folder's own account of its patches, which a patch does not write. Ask for the patch without this element.`,
  'content-key-twice': (f) =>
    `Table ${f('table')}: ${n(f.number('count'), 'row')} of its delivered content ${f.number('count') === 1 ? 'repeats' : 'repeat'} the key of another (${some(f.list('keys'))}). The first index allows that, so they could not be told apart. Deliver the table with a unique first index.`,
  'row-key-twice': (f) =>
    `Table ${f('table')}: ${n(f.number('count'), 'row')} of the patch ${f.number('count') === 1 ? 'repeats' : 'repeat'} the key of an earlier one (${some(f.list('keys'))}); the last one counts.`,
  'column-unknown': (f) => `Table ${f('table')} has no field ${f('field')}: the values for it are left out.`,
  'field-left-out': (f) =>
    `Table ${f('table')}: this folder does not have field ${f('field')}, or not as many slots of it (inactive activity code, or its size): the values for it are left out. Once the code is active and the folder validated, integrating the same file again brings them.`,
  'rows-left-out': (f) =>
    `${n(f.number('rows'), 'row')} for table ${f('table')} left out: this folder does not have the table, because its activity code is inactive or its module is not in use. Once the folder has the table and is validated, integrating the same file again brings them.`,
  'kept-restored': (f) =>
    `Entry ${f('kept')} (table ${f('table')}) was put back already, on ${f('on').slice(0, 10)} by ${f('by')}. What stood there before that is an entry of its own: \`rustine kept --table ${f('table')}\`.`,
  'kept-table-gone': (f) =>
    `Entry ${f('kept')}: there is no table ${f('table')} in folder ${f('folder')}, so nothing can be put back into it. Put the table itself back first, if it is kept: \`rustine kept --table ${f('table')}\`.`,
  'kept-relation-gone': (f) =>
    `Entry ${f('kept')}: the table itself, ${f('relation')}, is no longer in the kept store: it was removed by other means. Only a backup has it.`,
  'kept-name-taken': (f) =>
    `Entry ${f('kept')}: folder ${f('folder')} has something else by the name of ${f('table')} now, such as a view. Rename or drop that first.`,
  'kept-values-present': (f) =>
    `Entry ${f('kept')}: ${n(f.number('count'), 'row')} of table ${f('table')} (${some(f.list('keys'))}) ${f.number('count') === 1 ? 'holds' : 'hold'} other values in ${some(f.list('columns'))} now. --overwrite takes the kept ones, and puts those of now aside.`,
  'kept-key-taken': (f) =>
    `Entry ${f('kept')}: in table ${f('table')}, ${n(f.number('count'), 'row')} (${some(f.list('keys'))}) ${f.number('count') === 1 ? 'has' : 'have'} a key of index ${f('index')} that a kept row has too. --overwrite takes the kept rows, and puts those of now aside.`,
  'kept-unfit': (f) =>
    `Entry ${f('kept')}: table ${f('table')} as it is now does not take what was kept: ${f('reason')}. \`rustine kept show ${f('kept')}\` shows the values.`,
  'kept-values-unfit': (f) =>
    `Entry ${f('kept')}: ${n(f.number('count'), 'row')} of table ${f('table')} (${some(f.list('keys'))}) would get another value than the kept one in ${some(f.list('columns'))}: the column is narrower or of another type now. Put it back when the column is as it was, or take the values from \`rustine kept show ${f('kept')}\`.`,
  'kept-undefined': (f) =>
    f.has('columns')
      ? `Table ${f('table')}: ${some(f.list('columns'))} stands in the database again, but the dictionary of folder ${f('folder')} does not define it: patches do not fill it, and where its field has fewer slots or an inactive activity code, the next table validation puts it aside again. Give the table's definition the field; a specific activity code (X, Y, Z) on it protects it from standard patches.`
      : `Table ${f('table')} stands in the database again. Where the dictionary of folder ${f('folder')} does not define it or its activity code or module is inactive, a table validation may put it aside again: define it, or activate them.`,
  'kept-rows-gone': (f) =>
    `Entry ${f('kept')}: ${n(f.number('count'), 'row')} of table ${f('table')} ${f.number('count') === 1 ? 'exists' : 'exist'} no longer; the values kept for ${f.number('count') === 1 ? 'it' : 'them'} stay aside, to be put back once the rows are. \`rustine kept show ${f('kept')}\` shows them.`,
  'kept-columns-gone': (f) =>
    `Entry ${f('kept')}: table ${f('table')} no longer has ${some(f.list('columns'))}; the values of these columns stay aside. \`rustine kept --table ${f('table')}\` lists columns that can be put back first.`,
  'data-key-missing': (f) =>
    f.has('field')
      ? `The rows for table ${f('table')} lack field ${f('field')} of its first index, by which rows are recognised. The patch has to be mended where it was made.`
      : `Table ${f('table')} has no index, so its rows could not be recognised. Give its definition one first.`,
  'data-value': (f) =>
    `Table ${f('table')}, field ${f('field')}: "${f('value')}" does not fit ${f('type')}: ${why(f)}. The patch has to be mended where it was made.`,
  'data-type-unknown': (f) =>
    `Table ${f('table')}, field ${f('field')}: the data type ${f('type')} is neither in the folder nor in the patch list. Integrate the patch that brings it (element ATY:${f('type')}) first.`,
  'data-type-internal': (f) =>
    `Table ${f('table')}, field ${f('field')}: its data type ${f('type')} has ${f.has('number') ? `the internal type ${f('number')}` : 'no internal type'}, which Rustine cannot make a column of; 1 to 12 are known. Mend the element ATY:${f('type')} where it was made.`,
  'view-hidden': (f) =>
    `The typed view ${f('view')} of the dictionary is not there: something else in the folder's schema has this name, as an application table may. The dictionary is readable in rustine.dictionary all the same.`,
  'activity-code-unknown': (f) =>
    `Activity code ${f('code')} is not in the dictionary of folder ${f('folder')}: it takes effect when a patch brings it. Check the spelling.`,
  'values-do-not-fit': (f) =>
    `Table ${f('table')}, column ${f('field')} should change from ${f('from')} to ${f('to')}, but ${n(f.number('count'), 'row holds a value', 'rows hold values')} that would not survive it: ${some(f.list('keys'))}. Change these values first, or keep the type in the patch.`,
  'values-kept-aside': (f) =>
    `Table ${f('table')}${f.has('columns') ? `, ${some(f.list('columns'))}` : ''} is there again, empty; what it held before is still put aside. \`${f('command')}\` puts it back.`,
  'index-field-missing': (f) =>
    `Table ${f('table')}, index ${f('index')}: there is no field ${f('field')} to index. The patch has to be mended where it was made.`,
  'index-duplicates': (f) =>
    `Table ${f('table')}, index ${f('index')} allows no duplicates, but ${n(f.number('count'), 'value occurs', 'values occur')} more than once: ${some(f.list('keys'))}. Mend these rows first.`,
  'index-too-wide': (f) =>
    `Table ${f('table')}, index ${f('index')} has ${f('count')} fields; PostgreSQL takes ${f('most')} at most. The patch has to be mended where it was made.`,
  'rows-collide': (f) =>
    `Table ${f('table')}, index ${f('index')} allows no duplicates, but with the delivered rows ${n(f.number('count'), 'value', 'values')} would stand there more than once: ${some(f.list('keys'))}. Change the folder's own rows that have them, or ask for a mended patch.`,
  'index-left-out': (f) =>
    `Table ${f('table')}: index ${f('index')} is not made here, because this folder does not have ${f('field')} (inactive activity code, or fewer slots).`,
  'abbreviation-twice': (f) =>
    `The abbreviation ${f('abbreviation')} belongs to several tables (${some(f.list('tables'))}): data patches could not tell them apart. Change one of them.`,
  'too-many-columns': (f) =>
    `Table ${f('table')} would have ${f('count')} columns${f.number('dropped') > 0 ? `, ${f('dropped')} of them dropped ones that PostgreSQL still counts` : ''}; PostgreSQL takes 1,600 at most. ${f.number('count') - f.number('dropped') > 1_600 ? 'Reduce the array sizes or the activity codes that set them.' : 'Dropped columns count until the table is made anew: dump and reload it (pg_dump, pg_restore) while nobody works in the folder, then try again.'}`,
  'name-reserved': (f) =>
    `No table can be called ${f('name')}: PostgreSQL or Rustine keeps that name for itself. The patch has to be mended where it was made.`,
  'function-dropped': (f) =>
    `Script ${f('script')} no longer makes function ${f('function')}, which its earlier version made: it was dropped.`,
  'function-kept': (f) =>
    f.has('users')
      ? `Script ${f('script')} no longer makes function ${f('function')}, but ${some(f.list('users'))} needs it: it was kept. Drop both where nobody uses them.`
      : `Script ${f('script')} names function ${f('function')}, which its earlier version made, and did not make it again: the function was kept as it was. \`create or replace\` without a condition would bring the new version's.`,
  'name-taken': (f) =>
    `Table ${f('table')}: its ${f('kind')} would be called ${f('name')} in the database, and ${f.has('owner') ? `a table of the folder's login ${f('owner')} has that name already. Where it is the folder's own, given to that login, do not drop it, it has the folder's data: \`${f('statement')}\` takes it back. Where a script made it, rename or drop it first.` : `something else in the folder's schema has that name already. Rename or drop that first.`}`,
  'system-field': (f) =>
    `Table ${f('table')} would lose column ${f('field')}, which Rustine itself works with. Keep the field in the patch.`,
  'name-invalid': (f) => `"${f('name')}" is not a valid name (${f('kind')}). The patch has to be mended where it was made.`,
  'value-nul': (f) =>
    `${f('element')}, record ${f('record')}: a value holds a NUL character, which PostgreSQL cannot store as text. The patch has to be mended where it was made.`,
  'slots-too-many': (f) =>
    `${f('element')}, record ${f('record')} in line ${f('line')}: its indexes ask for ${n(f.number('count'), 'slot')}, most of them empty and in field ${f('field')}; a record has at most ${f.number('most')}, and a file may not consist of empty ones. The patch has to be mended where it was made.`,
  'supervisor-missing': (f) =>
    `The supervisor folder ${f('supervisor')} is not among the folders, so scripts are not patched${f.has('scripts') ? `. Staying as they are: ${some(f.list('scripts'))}` : ''}. Add ${f('supervisor')} to --folders to patch them.`,
  'left-out-breaks': (f) =>
    `${f('script')} comes to ${f('from')}, from where this folder inherits it, and uses ${some(f.list('missing'))}, which the folder does not have${f.list('files').length > 0 ? ` and this run brings to others only (${some(f.list('files'))})` : ''}: it would fail there. Add the folder to --folders, or integrate there before anybody uses the script.`,
  'left-out-breaks-more': (f) =>
    `${n(f.number('count'), 'more script')} that this folder inherits would fail there for the same reason: ${some(f.list('scripts'))}. Add the folder to --folders; rustine script uses NAME says what each one uses.`,
  'references-unreadable': (f) =>
    `${n(f.number('count'), 'script')} cannot be read: ${some(f.list('scripts'))}. Folders that are left out inherit them (${some(f.list('folders'))}), and nobody can say in advance whether they use tables or fields that those folders do not have. Compiled scripts come readable when their source is in the patch too.`,
  'run-from': (f) =>
    `You are working from folder ${f('folder')}; it is advised to integrate from the supervisor folder ${f('supervisor')} (--from ${f('supervisor')}).`,
  'sequence-gap': (f) => {
    const lacks = f.has('lacks') ? ` The supervisor folder has ${some(f.list('lacks'))}, which this folder lacks` : '';
    const advice = f.has('lacks')
      ? `: integrate that here first (\`rustine integrate ${f.list('lacks')[0]} … --folders …\`), or force it with --force sequence=reason`
      : ' Integrate what is missing first, or force it with --force sequence=reason';
    const gap = `${f('file')} is out of sequence: it needs ${f('needs')}, the folder ${f.has('has') ? `is at ${f('has')}` : 'has none of this series'}.`;
    return f.has('check') ? `${gap}${lacks}${lacks === '' ? '' : '.'}` : `${gap}${lacks}${advice}.`;
  },
  'content-changed': (f) =>
    `${f('file')} was integrated on ${f('on')} with other content (digest ${f('integrated').slice(0, 12)}, now ${f('now').slice(0, 12)}).${f.has('check') ? '' : ' Give a changed patch a name of its own, or force it with --force content=reason.'}`,
  'already-integrated': (f) =>
    f.has('check')
      ? `${f('file')} was integrated before, and is integrated again in ${some(f.list('folders'))}. Scripts that ran then are not run again.`
      : f('everywhere') === 'true'
        ? `${f('file')} is integrated already in every folder that it concerns: nothing is to be done. --force already=reason integrates it again.`
        : `${f('file')} is integrated already in ${n(f.number('count'), 'folder')} (${some(f.list('folders'))}), where nothing is to be done; the others get it.`,
  'older-again': (f) =>
    `${f('file')} comes again to ${some(f.list('folders'))}: ${n(f.number('count'), 'element')} (${some(f.list('elements'))}) that ${some(f.list('later'))} brought later ${f.number('count') === 1 ? 'goes' : 'go'} back to what it says. Where that is not meant, give the later ones in the same run: they come again after it. A folder whose parent keeps the later version is due then, and validation brings its dictionary back; data rows come back with the later patches only.`,
  'force-unused': (f) =>
    `The check ${f('check')} is forced, but nothing needs it: leave --force ${f('check')}=… out, so that it lets nothing through by chance.`,
  'folders-left-out': (f) =>
    `${n(f.number('count'), 'folder')} left out: ${some(f.list('folders'), 12)}. ${
      f.has('lag')
        ? `${f.number('count') === 1 ? 'It lags behind until it gets' : 'They lag behind until they get'} the patches too`
        : `${f.number('count') === 1 ? 'It does' : 'They do'} not lag without these patches, as none of them is a standard one`
    }; --folders all takes every folder.`,
  'folder-busy': (f) =>
    `Table ${f('table')} of folder ${f('folder')} is kept locked by ${blockerLines(f, progress.blocker)}, as by a validation or an import: the run would wait for it. Let that end first, or end that session.`,
  'server-unreachable': (f) =>
    `Server ${f('server')} cannot be reached (${f('reason')}): its folders ${f.has('folders') ? `${some(f.list('folders'))} ` : ''}cannot get anything meanwhile. Start it or mend the connection, then run the command again.`,
  'locks-low': (f) =>
    `The run may need up to ${f('needed')} locks at once, and server ${f('server')} has room for ${f('available')} (${f('setting')}); a folder that gets none fails and stays as it was. Raise that setting and restart the server${f.number('jobs') > 1 ? `, or use --jobs with less than ${f('jobs')}` : ''}.`,
  'disk-low': (f) =>
    `Where the data of server ${f('server')} lie, ${f('free')} MB are free; the run may write about ${f('expected')} MB. Make room first: a folder for which the disk is too small fails and stays as it was.`,
  'disk-unknown': (f) =>
    `The run may write about ${f('expected')} MB on server ${f('server')}; how much is free there only its own machine can say${f.has('size') ? ` (the database has ${f('size')} MB now, tablespace ${f('tablespace')})` : ''}. Look there before.`,
  'authorize-unused': (f) =>
    `Activity code ${f('code')} was authorised, but nothing in these patches carries it. Check the spelling.`,
  'supervisor-only': (f) => `This is a supervisor patch: it goes to the supervisor folder only, not to ${f('folder')}.`,
  'script-pending': (f) =>
    f.has('language')
      ? `Script ${f('script')} is to be run after the patch and was not: no runner is set for its language (${f('language')}). Set one in rustine.yaml, then \`rustine script run ${f('script')}\`; or run it by hand.`
      : `Script ${f('script')} is to be run after the patch and was not: neither the patch, the folder nor its ancestors have it. Integrate the patch that brings it, then \`rustine script run ${f('script')}\`.`,
  'script-left-to-run': (f) =>
    `EXE:${f('script')} failed in folder ${f('folder')}${f.has('reason') ? ` (${f.has('sqlstate') ? `SQLSTATE ${f('sqlstate')}: ` : ''}${f('reason')})` : ' (its time limit)'}. The folder is validated without it, and the script is left to be run: \`${f('command')}\`, once what it failed of is mended.`,
  'script-not-rehearsed': (f) =>
    `Script ${f('script')} (${f('language')}) would be run by its runner after the patch. A rehearsal does not run it: what it does outside of the database could not be rolled back.`,
  'script-name-unsafe': (f) =>
    `Script "${f('script')}": the name could be taken for an option or a path, so it is given to no program and no file gets it. The patch has to be mended where it was made.`,
  'script-run-failed': (f) => {
    const ends: Readonly<Record<string, string>> = {
      exit: `ended with exit code ${f('exit')}`,
      signal: `was ended by ${f('signal')}`,
      aborted: 'was ended because the run was stopped',
      timeout: `was ended after ${f('seconds')} s, its time limit`,
      'not-started': `could not be started (${f('command')}: ${reasons[f('signal')] ?? f('signal')})`,
    };
    const output = f.has('output') ? ` Its last lines: ${f.list('output').join(' / ')}` : '';
    const login = f.has('login')
      ? ` If the program connects to the database: the folder's own login (${f('login')}) lets nobody in while the run is at work; give the program a login that is a member of that role.`
      : '';
    return `Script ${f('script')}: its runner ${ends[f('why')] ?? f('why')}. It stays listed; once the cause is mended, \`rustine script run ${f('script')} --folder ${f('folder')}\` runs it again.${login}${output}`;
  },
  'roles-unavailable': (f) =>
    `Database user ${f('user')} may not create login roles: the folders share one login and are not isolated from each other. A user with CREATEROLE isolates them.`,
  'run-active': (f) =>
    `${some(f.list('folders'), 12)}: run ${f('run')} of ${f('operator')} on ${f('host')} ${f('state') === 'queued' ? 'has been in the queue' : f('state') === 'waiting' ? 'has been waiting to begin here' : 'has been at work here'} since ${f('since')}${f.list('files').length === 0 ? '' : `, with ${some(f.list('files'))}`}${f('state') === 'queued' || f('state') === 'waiting' ? '; it comes first' : ''}. Wait until it is over${f.has('option') ? ` (${f('option')} does)` : ''}, or stop it with \`rustine cancel ${f('run')}\`.`,
  'workers-lost': (f) =>
    `${f('workers')} workers were lost while they were at work on folder ${f('folder')}; it is not tried again. See what ends them there (memory, a script), then run again: what the folder has got is kept.`,
  'folder-gone': (f) =>
    `Folder ${f('folder')} has been dropped since the run was queued: it gets nothing. Where it is there again, run again for it.`,
  'folder-in-use': (f) =>
    `Another command is changing folder ${f('folder')} (${blockerLines(f, progress.blocker)}), as a validation does. Wait until it has ended (--wait 10m does), then run again.`,
  'run-given-up': (f) =>
    `${f('workers')} workers were lost while they began this run; it is not tried again. See what ends them there (memory, a damaged file), then run again: what folders have got is kept.`,
  'tasks-active': (f) =>
    `Task ${f('task')} (${f('kind')}${f.has('title') ? `, ${f('title')}` : ''}) of the batch server has been at work in folder ${f('folder')} since ${f('since')}, on ${f('worker')}. Wait until it has ended (--wait 10m does), or stop it with \`rustine task cancel ${f('task')}\`.`,
  'canary-failed': (f) =>
    `Left out because ${some(f.list('folders'))}, which came first (--first), did not get everything. Mend the cause there and run again.`,
  'folder-left-behind': (f) =>
    `${f('patch')} is left out here because it failed in the supervisor folder ${f('supervisor')}: no folder gets ahead of it. Mend the cause there and run again.`,
  'prepared-transactions-off': (f) =>
    `All or none is not possible: ${f.has('server') ? `server ${f('server')}` : 'the database server'} prepares no transactions. Set ${f('setting')} = ${f('value')} in its configuration and restart it, or run without --atomic.`,
  'prepared-transactions-full': (f) =>
    `All or none is not possible now: all ${f('now')} prepared transactions that ${f.has('server') ? `server ${f('server')}` : 'the server'} allows are in use (${f('used')}; view pg_prepared_xacts names them). End those that nobody needs, or set ${f('setting')} = ${f('value')} and restart the server.`,
  'locks-all-or-none': (f) =>
    `All or none needs about ${f('needed')} locks at once for ${n(f.number('folders'), 'folder')}; ${f.has('server') ? `server ${f('server')}` : 'the server'} has room for ${f('available')}. Set ${f('setting')} = ${f('value')} (now ${f('now')}) and restart it, give fewer folders, or run without --atomic.`,
  'all-or-none': (f) =>
    `It would have worked here, but not in ${some(f.list('failed'))}: with --atomic all folders get the patches or none. Nothing was changed. Mend the cause there and run again.`,
  'transaction-shared': (f) =>
    `${some(f.list('folders'), 12)} share one transaction, one after the other: their scripts need what their ancestors get, which nobody else sees before all is committed.`,
  'transactions-fewer': (f) =>
    `${n(f.number('folders'), 'folder')} go into ${n(f.number('transactions'), 'transaction')}: ${f.has('server') ? `server ${f('server')}` : 'the server'} has no room for one each (max_prepared_transactions, max_locks_per_transaction). Only the time it takes changes.`,
  'history-folder': (f) =>
    `${f('folder')} is the history folder of ${f('of')}: it is not patched, but brought in line after the folder that it belongs to.`,
  'text-language-fallback': (f) => `The folder has none of the patch's languages: texts are taken in ${f('language')}.`,
  'due-activity-code': (f) =>
    `Activity code ${f('code')} was delivered in another state or size: the folder is due for validation.`,
  'element-kept': (f) =>
    `${f('element')} stays as the folder has it: it carries activity code ${f('code')}, which protects it, and the patch header does not authorise that code; ${f('option')} lets the patch change it.`,
  'folder-not-ready': (f) =>
    `Folder ${f('folder')} is not ready (${f('state')}): what was begun there did not end, and it gets nothing. Run that command again${f.has('server') ? '' : ' first'}: \`rustine folder ${f('state') === 'dropping' ? `drop ${f('folder')} --yes` : `create ${f('folder')}${f.has('server') ? ` --server ${f('server')}` : ''}`}\`${f.has('server') && f('state') === 'creating' ? `, or forget it: \`rustine folder drop ${f('folder')} --yes\`` : ''}.`,
  'name-twice': (f) =>
    `Table ${f('table')}: two ${f('kind') === 'index' ? 'indexes' : 'fields'} would both be named ${f('name')} in the database. The patch has to be mended where it was made.`,
  'field-too-long': (f) =>
    `Table ${f('table')}, field ${f('field')}: length ${f('length')} is more than the ${f('most')} that data type ${f('type')} allows. The patch has to be mended where it was made.`,
  'field-length': (f) =>
    `Table ${f('table')}, field ${f('field')}: length ${f('length')} in ${n(f.number('slots'), 'slot')} does not fit data type ${f('type')}. The patch has to be mended where it was made.`,
} satisfies Record<string, Sentence>;

export const unknownFinding = (code: string, subject: string, facts: string) =>
  `${subject ? `${subject}: ` : ''}${code}${facts ? ` (${facts})` : ''}.`;
