// English sentences for the codes of errors: what, where, why, and what to do.

import { isZip, type Said, type Sentence, some } from '../said.ts';
import { blockerLines } from '../session-lines.ts';
import { help } from './help.ts';
import { inquiryErrors } from './history.ts';
import { historyErrors } from './history-folders.ts';
import { progress } from './progress.ts';
import { expected, nothing, reasons } from './reasons.ts';
import { revertErrors } from './revert.ts';
import { revertTableErrors } from './revert-tables.ts';
import { serverErrors } from './servers.ts';
import { heldBy, sessionErrors } from './sessions.ts';
import { validationErrors } from './validation.ts';

const why = (f: Said) => reasons[f('reason')] ?? f('reason');
const wanted = (f: Said) => (expected as Record<string, string>)[f('expected')] ?? f('expected');

export const errors = {
  ...sessionErrors,
  ...serverErrors,
  ...historyErrors,
  ...inquiryErrors,
  ...revertTableErrors,
  ...revertErrors,
  ...validationErrors,
  'folder-code': (f) =>
    `"${f('value')}" is not a folder code. A code is a letter followed by up to 9 letters or digits, such as SEED or TEST01.`,
  'language-code': (f) => `"${f('value')}" is not a language code. A code is three letters, such as FRA or ENG.`,
  'activity-code': (f) =>
    `"${f('value')}" is not an activity code. A code is a letter followed by up to 9 letters or digits, such as ZALI.`,
  'activity-code-size': (f) =>
    `"${f('value')}": the number of slots of an activity code follows a colon and is 1 to ${f('most')}, as in KIT:5.`,
  'legislation-code': (f) =>
    `"${f('value')}" is not a legislation code. A code is a letter followed by letters or digits, such as FRA.`,
  digest: (f) => `"${f('value')}" is not a digest: 64 hexadecimal digits are expected.`,
  'not-initialized': () => 'There is no environment in this database yet. Create it with `rustine init`.',
  'already-initialized': (f) =>
    `The environment exists already; its supervisor folder is ${f('supervisor')}. \`rustine folder list\` shows its folders; another environment needs another --home or --database.`,
  'folder-exists': (f) => `Folder ${f('folder')} exists already. \`rustine folder show ${f('folder')}\` shows it.`,
  'folder-named-twice': (f) => `Folder ${f('folder')} is named twice. Name each folder once.`,
  'folder-not-ready': (f) =>
    `Folder ${f('folder')} is being changed by another command (${f('state')}). Wait until that has ended, then run again.`,
  'folder-unknown': (f) =>
    `There is no folder ${f('folder')}. ${f.has('known') ? `Known folders: ${some(f.list('known'), 20)}.` : 'There are no folders yet.'} \`rustine folder create ${f('folder')}\` would create it.`,
  'folder-has-children': (f) =>
    `Folder ${f('folder')} cannot be dropped: ${[...(f.list('children').length === 0 ? [] : [`it is the parent of ${some(f.list('children'), 20)}`]), ...(f.list('histories').length === 0 ? [] : [`${some(f.list('histories'), 20)} ${f.list('histories').length === 1 ? 'is its history folder' : 'are its history folders'}`])].join('; ')}. Drop ${f.list('children').length + f.list('histories').length === 1 ? 'that' : 'these'} first.`,
  'folder-is-supervisor': (f) =>
    `Folder ${f('folder')} is the supervisor folder, from which all others inherit: it cannot be dropped or moved under another.`,
  'folder-parent-unknown': (f) =>
    `Folder ${f('folder')} cannot be created under ${f('parent')}: there is no folder ${f('parent')}. Create the parent first, or name another with --parent.`,
  'folder-parent-cycle': (f) =>
    `Folder ${f('folder')} would become its own ancestor: ${f.list('cycle').join(' → ')}. Choose a parent that does not descend from it.`,
  'folder-parent-history': (f) =>
    `Folder ${f('folder')} cannot be put under ${f('parent')}: ${f('history')} is the history folder of ${f('of')} and is not patched. Choose a parent outside of it.`,
  'folder-history-supervisor': (f) =>
    `Folder ${f('folder')} cannot be the history folder of ${f('of')}: that is the supervisor folder. Name the folder whose data it is to hold.`,
  'folder-history-history': (f) =>
    `Folder ${f('folder')} cannot be the history folder of ${f('of')}, which is a history folder itself. Name ${f('live')}, to which that one belongs.`,
  'folder-without-role': (f) =>
    `Folder ${f('folder')} has no login of its own: the database user may not create roles here. \`rustine db url\` without --folder gives the login that all folders share.`,
  'case-unknown': (f) => `There is no open case ${f('case')}. rustine kept-values lists the cases with their numbers.`,
  'case-ambiguous': (f) => `Several cases start with ${f('case')}: ${some(f.list('known'))}. Give more digits.`,
  'case-value': (f) =>
    `Case ${f('case')}: "${f('value')}" cannot be set${f.has('field') ? ` in field ${f('field')}` : ''}: ${why(f)}.`,
  'decision-value': (f) =>
    f('choice') === 'value'
      ? `Case ${f('case')}: the choice "value" needs the value, as in: rustine decide ${f('case')} value TEXT.`
      : `Case ${f('case')}: a value goes with the choice "value" only.`,
  'decision-blocked': (f) =>
    `Case ${f('case')}: ${f('element')} as delivered cannot be brought into folder ${f('folder')}: ${some(f.list('reasons'))}. Nothing was changed, in no folder.`,
  'folder-busy': (f) =>
    `Folder ${f('folder')} is being worked on by ${f('by')} since ${f('since')}. Wait until that is over, then run the command again.`,
  'folder-schema-exists': (f) =>
    `Folder ${f('folder')} cannot be created: the database already has a schema ${f('schema')} that does not belong to this environment. Rename or drop that schema, or choose another folder code.`,
  'role-exists': (f) =>
    `Folder ${f('folder')} cannot be created: the database server already has a role ${f('role')}, which Rustine did not make for it. Drop or rename that role, or choose another folder code.`,
  'folder-create-partial': (f) =>
    `${f('created')} ${f.list('created').length === 1 ? 'was' : 'were'} created and can be used; ${f('folder')} was not (${f('cause')}${f.has('reason') ? `: ${why(f)}` : ''}). \`rustine folder create ${f('folder')}\` alone says what is in the way.`,
  'kept-unknown': (f) => `Nothing is put aside under ${some(f.list('ids'), 20)}. \`rustine kept\` lists what is.`,
  'kept-in-use': (f) =>
    `A table that is put aside is needed by something else in the database: ${f('reason')}. Save its definition and drop it, or leave the table aside.`,
  'kept-type': (f) =>
    `Column ${f('column')} was kept with a type that cannot be made: ${f('type')}. Add the column by hand, then put its values back.`,
  'element-name': (f) => `"${f('value')}" does not name an element. Write TYPE:NAME, such as ATB:ITEM.`,
  'record-name': (f) =>
    `"${f('value')}" does not name a line. Write TAG:KEY, such as ATZ:COD; \`rustine element show\` shows them.`,
  'element-unknown': (f) =>
    `There is no element ${f('element')} in folder ${f('folder')}.${f.has('near') ? ` Similar there: ${some(f.list('near'))}.` : ''}${f.has('folders') ? ` Folders that have it: ${some(f.list('folders'), 20)}.` : ''} \`rustine element list\` lists a folder's elements.`,
  'record-unknown': (f) => `${f('element')} has no line ${f('record')}. Lines there: ${some(f.list('known'), 12)}.`,
  'field-not-set-up': (f) =>
    `${f('element')}: ${f('field')} of ${f('tag')} is not a set-up field; the next patch would overwrite it. ${f.has('known') ? `Set-up fields: ${some(f.list('known'), 40)}.` : `${f('tag')} has no set-up fields.`}`,
  'field-value': (f) =>
    `${f('element')}, line ${f('record')}, field ${f('field')}: "${f('value')}" cannot be set: ${why(f)}. \`rustine element show ${f('element')}\` shows what it holds.`,
  'run-lost': (f) =>
    `Run ${f('run')} was settled by another command while this program slept or could not reach the database: nothing more is done. The folders are whole; run it again to continue.`,
  'first-not-given': (f) =>
    `${some(f.list('folders'))} cannot come first: not among the folders of this run (${some(f.list('known'), 20)}). Add it to --folders, or leave it out of --first.`,
  'run-active': (f) =>
    `${some(f.list('folders'), 12)}: run ${f('run')} of ${f('operator')} on ${f('host')} (process ${f('pid')}) has been ${f('state') === 'running' || !f.has('state') ? 'at work here' : 'waiting to begin here'} since ${f('since')}${f.list('files').length === 0 ? '' : `, with ${some(f.list('files'))}`}. Nothing else changes a folder in the middle of a run. \`rustine log ${f('run')} --follow\` follows it, \`rustine cancel ${f('run')}\` stops it; then give this command again.`,
  'run-unknown': (f) =>
    `There is no run ${f('run')}. Every integration prints the number of its run at the end; \`rustine log\` lists the latest ones.`,
  'folder-not-in-run': (f) =>
    `Folder ${f('folder')} had no part in run ${f('run')}. Its folders: ${some(f.list('folders'), 12)}.`,
  'output-directory': (f) =>
    `${f('path')} is a directory: a report goes into a new file. Give a name in it, such as ${f('path')}/report.html.`,
  'output-unwritable': (f) =>
    `${f('path')} cannot be written: ${f('reason') === 'ENOENT' ? `there is no directory ${f('directory')}` : why(f)}. Give another place with --output, or none to have it on the screen.`,
  'output-exists': (f) => `${f('path')} exists already, and is not overwritten. Give another name, or remove it first.`,
  'run-ambiguous': (f) =>
    `${f.has('run') ? `Several runs begin with ${f('run')}` : 'Several runs are at work'}: ${some(f.list('runs'), 10)}. Say which one, with as much of its number as is needed.`,
  'run-ended': (f) => `Run ${f('run')} has ended already (${f('state')}): there is nothing to stop.`,
  'no-run-active': () => 'No run is at work: there is nothing to stop.',
  'database-unreachable': (f) =>
    `The database ${f('url')} cannot be reached: ${why(f)}. Check that the server runs and that the URL of --database or RUSTINE_DATABASE_URL is right.`,
  'database-version': (f) =>
    `The database server is PostgreSQL ${f('found')}; ${f('needed')} or newer is needed. Use a newer server, or no URL at all for the embedded one.`,
  'database-error': (f) => {
    const parts = [`The database refused a statement (SQLSTATE ${f('sqlstate')}): ${f('reason')}`];
    for (const name of ['detail', 'hint', 'where']) if (f.has(name)) parts.push(`${name}: ${f(name)}`);
    return `${parts.join('\n  ')}\nWhat was not finished has been rolled back; once the cause is mended the command can be run again.`;
  },
  'database-rights': (f) =>
    `The database user may not do this: ${f('what')}. Give it the right, or connect as a user who has it.`,
  'catalog-newer': (f) =>
    `The environment was brought to catalog version ${f('found')} by a newer Rustine; this one knows ${f('known')}. Update Rustine.`,
  'catalog-drift': (f) =>
    `The catalog (schema rustine) is not as Rustine made it: ${f('what')}. Undo the change, or restore the schema from a backup.`,
  'patch-format': (f) => {
    const where = `${f('file')}, line ${f('line')} (byte ${f('offset')})${f.has('element') ? `, element ${f('element')}` : ''}`;
    if (isZip(f)) return `${f('file')} is a zip, not a patch file. Unpack it and give the directory with the patch files in it.`;
    return `${where}: expected ${wanted(f)}, found ${f.has('found') ? f('found') : nothing}. The file is damaged or not a patch file; nothing of it is integrated. Get it again from where it came.`;
  },
  'patch-unreadable': (f) => `${f('file')} cannot be read: ${why(f)}. Check the name and the rights of the file.`,
  'patch-text': (f) => `${f('element')}: "${f('text')}" holds a line end, which a patch file cannot hold. Take the line end out.`,
  'patch-source': (f) =>
    `${f('element')}: the script holds a line of ten stars, which ends a script in a patch file. Change that line.`,
  'kept-file-gone': (f) =>
    `${f('file')} was kept in the database and is no more, so what it has for the folder could not be taken from it. Run the command again: it says then what is to be integrated from the file itself.`,
  'patch-changed': (f) =>
    `${f('file')} changed while it was being integrated. Let whatever writes it finish, then run the command again; what was committed is recognised.`,
  'patch-value': (f) =>
    `${f('file')}, element ${f('element')}, record ${f('record')}: field ${f('field')}(${f('index')}) holds ${f('value')}, but ${wanted(f)} is expected. The patch has to be mended where it was made.`,
  'database-lost': (f) =>
    `The connection to the database was lost: ${why(f)}. What was not finished has been rolled back; run the command again to continue.`,
  'embedded-start': (f) =>
    `The embedded PostgreSQL does not start${f.has('log') ? `. The end of its log says:\n${f.list('log').join('\n')}` : `: ${why(f)}.`}`,
  'embedded-init': (f) =>
    `The embedded PostgreSQL cannot be created${f.has('log') ? `. The end of its log says:\n${f.list('log').join('\n')}` : ` in ${f('directory')}: ${why(f)}.`}`,
  'embedded-version': (f) =>
    `The embedded data in ${f('directory')} belong to PostgreSQL ${f('data')}, the server installed is ${f('server')}. Install the Rustine that made them, copy the data with pg_dump, and restore them into a new home.`,
  'embedded-place': (f) =>
    `The place of the embedded PostgreSQL, ${f('path')}, cannot be used: ${why(f)}. Choose another home with --home.`,
  'embedded-keeper': (f) =>
    `The process that watches over the embedded PostgreSQL did not answer${f.has('reason') ? `: ${why(f)}` : ''}. Run the command again.${f.has('log') ? ` The end of its log says:\n${f.list('log').join('\n')}` : ''}`,
  'embedded-binaries': (f) =>
    `The embedded PostgreSQL${f.has('platform') ? ` for ${f('platform')}` : ` (${f('path')})`} cannot be used: ${why(f)}. Run \`npm install\` again without --omit=optional, or give a server with --database.`,
  'embedded-user': (f) =>
    `The embedded PostgreSQL cannot run as root, and no other user could be switched to (user ${f('user')}${f.has('tried') ? `; tried: ${f('tried')}` : ''}). Create that user, run Rustine as an ordinary user, or give a server with --database.`,
  'force-unknown': (f) =>
    `There is no check "${f('check')}" that --force could pass over. Those that can be forced: ${f('known')}.`,
  'column-in-use': (f) =>
    `Table ${f('table')}: ${some(f.list('columns'))} cannot go or get another type in folder ${f('folder')}, because something else in the database needs it: ${some(f.list('objects'))}. Save its definition, drop it, run the command again, then make it anew.`,
  'row-too-long': (f) =>
    `Folder ${f('folder')}: a row, index key or value${f.has('tables') ? ` (table ${some(f.list('tables'))})` : ''} would be longer than PostgreSQL takes (${f('reason')}). Shorten the values, or define fewer or shorter fields for the table or index.`,
  'server-read-only': (f) =>
    `Server ${f('server')} takes no changes: ${why(f)}. Give the URL of the server that does, or change that there.`,
  'lock-timeout': (f) =>
    `Folder ${f('folder')}: ${f.has('table') ? `table ${f('table')}` : 'a table'} stayed locked ${f.has('pids') ? `by ${blockerLines(f, progress.blocker)}` : 'by another session'} for too long.${f.has('query') ? ` Its statement: ${f('query')}.` : ''} End that session, or run the command again when it is over.`,
  config: (f) =>
    `${f('file')}${f.has('line') ? `, line ${f('line')}` : ''}${f.has('key') ? `, key ${f('key')}` : ''}: ${why(f)}.`,
  'database-url': (f) => `${f('source')} is not a database URL. One looks like postgresql://user:password@host:5432/name.`,
  home: (f) => `The home directory ${f('dir')} cannot be used: ${why(f)}. Choose another with --home or RUSTINE_HOME.`,
  system: (f) => `The system refused an operation${f.has('path') ? ` on ${f('path')}` : ''}: ${why(f)}.`,
  bug: (f) =>
    `This is an error in Rustine itself: ${f('what')}. Run the command again with --verbose and report what it prints in the project's issue tracker.`,
  'folder-not-creatable': (f) =>
    `Folder ${f('folder')} cannot be created from its parent: ${some(f.list('reasons'))}. Mend that in the parent folder first.`,
  blocked: (f) => `Findings block it: ${f('codes')}.`,
  'lock-capacity': (f) =>
    `Folder ${f('folder')}: its transaction needs ${f('needed')} locks at once, with those of the folders that share it; the server has room for ${f('available')} (${f('setting')}). Raise that setting and restart the server.`,
  'locks-used-up': (f) =>
    `Folder ${f('folder')}: the server has no room for the locks of this transaction (${f('reason')}). It has room for about ${f('locks')} in all (${f('setting')}); others hold ${f('locksNow')} at present. What it had begun is rolled back. Run again with less at once (--jobs) or when the others are through, or raise that setting and restart the server.`,
  'script-not-preparable': (f) =>
    `With --atomic, the transaction of ${some(f.list('folders'), 12)} cannot be prepared because of what ${some(f.list('scripts'))} does (${f('reason')}). Nothing was changed. Temporary tables, LISTEN, NOTIFY and session locks are excluded there: run without --atomic, or have the script mended where it was made.`,
  'prepare-no-room': (f) =>
    `With --atomic, the transaction of ${some(f.list('folders'), 12)} could not be prepared: the server has no room for it any more (${f('reason')}). ${f('used')} of ${f('most')} prepared transactions and ${f('locksNow')} of about ${f('locks')} locks are in use. Nothing was changed. Run again when the others are through, or raise max_prepared_transactions or max_locks_per_transaction and restart the server.`,
  'prepared-unsettled': (f) =>
    `Run ${f('run')}: a transaction of it has not ended as was decided (${f('decision')}). ${heldBy(f)}, then run \`rustine recover\`.`,
  'script-failed': (f) => {
    const where = f.has('line') ? ` in line ${f('line')}, column ${f('column')}` : '';
    const parts = [`${f('element')} failed${where} in folder ${f('folder')} (SQLSTATE ${f('sqlstate')}): ${f('reason')}`];
    for (const name of ['detail', 'hint']) if (f.has(name)) parts.push(`${name}: ${f(name)}`);
    const way = f.has('command')
      ? `Nothing was changed in this folder. Mend in its data what the script failed of and validate it again; or leave the script to be run later: \`${f('command')}\`. One that is wrong itself has to be mended where it was made, and comes with a later patch.`
      : f.has('validation')
        ? 'Nothing was changed in this folder. The script has to be mended where it was made: integrate the patch that brings it into the folder that this one follows, then validate again.'
        : 'Nothing of the patch was changed in this folder. The script has to be mended where it was made.';
    return `${parts.join('\n  ')}\n${way}`;
  },
  'script-overran': (f) =>
    `${f('element')} went on in folder ${f('folder')} after its time limit of ${f('seconds')} s: it catches the cancellation. Its session was ended, and nothing that it did stays. The script has to be mended where it was made; script-timeout in rustine.yaml sets the limit.${f.has('command') ? ` To validate the folder without it, and run it later: \`${f('command')}\`.` : ''}`,
  'script-not-pending': (f) =>
    `Script ${f('script')} is not left to run in ${some(f.list('folders'), 20)}. \`rustine script pending\` lists those that are.`,
  'script-unknown': (f) =>
    `There is no script ${f('script')} in folder ${f('folder')} or its ancestors. \`rustine script which ${f('script')} --folder FOLDER\` shows who has it.`,
  'script-not-set-up': (f) =>
    `${f('element')} is a script, and scripts have no set-up fields: a patch brings the next version. \`rustine script show ${f('script')}\` shows the one in use.`,
  'export-busy': (f) =>
    `Scripts cannot be exported to ${f('directory')} now: another export of this environment has not ended for 15 seconds. Wait for it, or end it.`,
  'script-unreadable': (f) =>
    `Of script ${f('script')}, folder ${f('folder')} finds the compiled form only: what it uses cannot be read from that. Integrate its source (TRT) too.`,
  'script-binary': (f) =>
    `Script ${f('script')} is compiled: it has no source to show. \`rustine script export DIR\` writes it to a file, --json gives it in base64.`,
  'export-directory': (f) =>
    `Scripts cannot be exported to ${f('directory')}: ${why(f)}. Name a directory that does not exist yet, or one that an export made.`,
  'task-unknown': (f) => `There is no task ${f('task')}. \`rustine task list\` has the numbers.`,
  'task-ended': (f) => `Task ${f('task')} has ended already (${f('state')}): there is nothing to cancel.`,
  'task-of-run': (f) => `Task ${f('task')} carries out run ${f('run')}: cancel that with \`rustine cancel ${f('run')}\`.`,
  'task-program': (f) =>
    `No program ${f('program')} is configured for tasks${f.has('known') ? ` (known: ${f('known')})` : ''}. Name it below tasks in rustine.yaml, with its command, or choose another one with --program.`,
  'worker-lost': () =>
    'This worker did not renew its lease in time (it slept, or the database was out of reach), and others have taken over its work. Start it again.',
} satisfies Record<string, Sentence>;

/** What can be wrong with a command line; the code of all of them is `usage`. */
export const usage = {
  'unknown-command': (f) => `There is no command "${f('value')}"${f.has('nearest') ? `; did you mean "${f('nearest')}"?` : '.'}`,
  'unknown-option': (f) => `There is no option ${f('value')} here${f.has('nearest') ? `; did you mean ${f('nearest')}?` : '.'}`,
  'missing-argument': (f) => `The argument <${(help.words as Record<string, string>)[f('value')] ?? f('value')}> is missing.`,
  'missing-value': (f) => `The option ${f('value')} needs a value.`,
  'too-many-arguments': (f) => `Too many arguments: "${f('value')}" is not expected.`,
  'nothing-to-set': (f) => `Nothing was named that should change in folder ${f('folder')}.`,
  modules: (f) => `${f('option')} cannot be "${f('value')}": module numbers separated by commas are expected, or all.`,
  assignment: (f) =>
    `"${f('value')}" does not say which field gets which value: write FIELD=VALUE, or FIELD[2]=VALUE for one place of an array.`,
  'missing-command': (f) => `"${f('command')}" needs to be told what to do: ${f('known')}.`,
  'folders-without-verify': () => 'Folders are named with --verify only.',
  'run-or-verify': () => 'Either --run or --verify: a run is shown, or folders are verified.',
  'folder-or-server': () => 'Either --folder or --server: the URL of a folder finds its server by itself.',
  'json-and-format': () => '--json is a format too: it does not go together with another --format. Leave one of them out.',
  'list-as-lines': () => 'The list of runs is no trace: --format jsonl goes with RUN. Give --format json, or name a run.',
  'follow-and-page': () =>
    'A page is made of a run as it stands: --follow does not go together with --format html. Leave one of them out.',
  choice: (f) => `${f('option')} cannot be "${f('value')}": it is one of ${f('known')}.`,
  'positive-number': (f) => `${f('option')} cannot be "${f('value')}": a whole number from 1 is expected.`,
  duration: (f) =>
    `${f('option')} cannot be "${f('value')}": a duration such as 30s, 10m or 1h30m is expected, 24 days at the most.`,
  day: (f) => `${f('option')} cannot be "${f('value')}": a day such as 2026-01-31 is expected.`,
  'purge-what': () => 'Say what to remove: either the numbers of entries, or --folder together with --before.',
  'confirm-purge': () => 'What is removed cannot be put back any more. Add --yes if that is what you want.',
  'empty-value': (f) => `${f('option')} is empty: give it a value.`,
  'empty-list': (f) => `${f('option')} is empty: name at least one, separated by commas.`,
  'force-reason': (f) => `--force "${f('value')}" lacks a reason: write --force CHECK=reason; the reason is kept with the run.`,
  'task-program-validation': () => 'A validation is carried out by the worker itself: it has no --program.',
  'follow-batch': () => '--follow is for runs in the queue: give --batch too. Without it the run is shown anyway.',
  'revert-folder': () => 'Say in which folders: --folder A,B, or --folder all for those that have the patch.',
  'unlock-reason': (f) => `--unlock needs a reason, which is kept: why folder ${f('folder')} may be used as it is.`,
  'folders-or-due': () => 'Name the folders, or all that are due with --due.',
  'folders-and-due': () => 'Name folders or give --due, not both.',
  'confirm-server-drop': (f) =>
    `Server ${f('server')} would be forgotten; its database stays as it is. Add --yes if that is what you want.`,
  'confirm-drop': (f) =>
    `Dropping folder ${f('folder')} deletes its tables and data for good. Add --yes if that is what you want.`,
} satisfies Record<string, Sentence>;

export const usageAdvice = (command: string) => `See \`${command} --help\`.`;

export const unknownError = (code: string, facts: string) => `Error ${code}${facts ? ` (${facts})` : ''}.`;
