// English sentences for the codes of findings: what, where, why, and what to do.
import { type Sentence, some } from '../said.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

export const findings = {
  'patch-bom': () => 'The file starts with a byte order mark, which a patch file does not have; it is read without.',
  'patch-crlf': () =>
    'The lines end in CR LF instead of LF; they are read as LF. An editor or a transfer in text mode probably changed the file.',
  'patch-latin1': () => 'The file is not UTF-8; it is read as Latin-1. Check that accented letters came out right.',
  'patch-no-last-line-end': () => 'The last line has no line end; the file is complete all the same.',
  'patch-unknown-kind': (f) => `${n(f.number('count'), 'line')} of a kind that the patch format does not know: kept as they are.`,
  'directory-foreign': (f) =>
    `${f('directory')} holds more than patch files: ${some(f.list('entries'))}. Everything in the directory would be integrated, so nothing else may be there: move these elsewhere, notes into its sub-directory doc/.`,
  'directory-empty': (f) => `${f('directory')} holds no patch file (*.dat). Check the path.`,
  notes: (f) =>
    `Notes came with this delivery: ${some(f.list('notes'))} (in ${f('directory')}). Read them: they say what the patches contain.`,
  'patch-twice': (f) => `${f('file')} is given twice; it is integrated once.`,
  'element-ignored': (f) =>
    `${f('subject')} is ignored: it carries activity code ${f('code')}, which the patch header does not authorise; ${f('option')} lets it in.`,
  'lines-ignored': (f) =>
    `${f('subject')}: ${n(f.number('count'), 'line')} ${f('tag')} ignored (${some(f.list('keys'))}): activity code ${f('code')} is not authorised; --authorize ${f('code')} lets them in.`,
  'script-ignored': (f) =>
    `${f('subject')} is ignored: names that start with ${f('letter')} are specific, and the patch header authorises no such code; ${f('option')} lets it in.`,
  'element-twice': (f) => `${f('element')} is in the patch twice; the last one counts.`,
  'element-key-incomplete': (f) =>
    `${f('subject')}: several ${f('tag')} records have the same key ${f('key')}. All are kept, in their order; nothing is lost.`,
  'type-unknown': (f) =>
    `${n(f.number('count'), 'element')} of type ${f('type')}, which Rustine does not know: stored as they came, replaced as a whole by later patches.`,
  'tag-unknown': (f) =>
    `${n(f.number('count'), 'record')} ${f('tag')} in elements of type ${f('type')}, which Rustine does not know: stored as they came.`,
  'table-unknown': (f) =>
    `${n(f.number('rows'), 'row')} for a table with abbreviation ${f('abbreviation')}, which is neither in the folder nor in the patch list. Integrate the patch that brings the table first.`,
  'column-unknown': (f) => `Table ${f('table')} has no field ${f('field')}: the values for it are left out.`,
  'data-key-missing': (f) =>
    `The rows for table ${f('table')} lack field ${f('field')} of its first index, by which rows are recognised. The patch has to be mended where it was made.`,
  'data-value': (f) =>
    `Table ${f('table')}, field ${f('field')}: ${f('value')} does not fit ${f('type')} (${f('reason')}). The patch has to be mended where it was made.`,
  'data-type-unknown': (f) =>
    `Table ${f('table')}, field ${f('field')}: the data type ${f('type')} is neither in the folder nor in the patch list. Integrate the patch that brings it (element ATY:${f('type')}) first.`,
  'table-change-unsupported': (f) =>
    `Table ${f('table')}, field ${f('field')}: ${f('change')} from ${f('from')} to ${f('to')} cannot be done with the rows there are. Mend those rows, or have the patch keep the type.`,
  'index-field-missing': (f) =>
    `Table ${f('table')}, index ${f('index')}: there is no field ${f('field')} to index. The patch has to be mended where it was made.`,
  'index-duplicates': (f) =>
    `Table ${f('table')}, index ${f('index')} allows no duplicates, but ${n(f.number('count'), 'value')} occur more than once. Mend these rows first.`,
  'abbreviation-twice': (f) =>
    `The abbreviation ${f('abbreviation')} belongs to several tables (${some(f.list('tables'))}): data patches could not tell them apart. Change one of them.`,
  'too-many-columns': (f) =>
    `Table ${f('table')} would have ${f('count')} columns; PostgreSQL takes 1,600 at most. Reduce the array sizes or the activity codes that set them.`,
  'name-invalid': (f) => `"${f('name')}" is not a valid name (${f('kind')}). The patch has to be mended where it was made.`,
  'value-nul': (f) =>
    `Field ${f('field')} holds a NUL character, which PostgreSQL cannot store as text. The patch has to be mended where it was made.`,
  'supervisor-missing': (f) =>
    `The supervisor folder ${f('supervisor')} is not among the folders, so scripts are not patched. Staying as they are: ${some(f.list('scripts'))}. Add ${f('supervisor')} to --folders to patch them.`,
  'run-from': (f) =>
    `You are working from folder ${f('folder')}; it is advised to integrate from the supervisor folder ${f('supervisor')} (--from ${f('supervisor')}).`,
  'sequence-gap': (f) =>
    `${f('file')} is out of sequence: it needs ${f('needs')}, the folder is at ${f('has')}. Integrate what is missing first, or force it with --force sequence=reason.`,
  'content-changed': (f) =>
    `${f('file')} was integrated on ${f('on')} with other content (digest ${f('integrated').slice(0, 12)}). Give a changed patch a name of its own, or force it with --force content=reason.`,
  'authorize-unused': (f) =>
    `Activity code ${f('code')} was authorised, but nothing in these patches carries it. Check the spelling.`,
  'supervisor-only': (f) => `This is a supervisor patch: folder ${f('folder')} is not concerned.`,
  'script-pending': (f) =>
    `Script ${f('script')} is to be run after the patch and was not: Rustine cannot run its language. Run it by hand in this folder.`,
  'roles-unavailable': (f) =>
    `Database user ${f('user')} may not create login roles: the folders share one login and are not isolated from each other. A user with CREATEROLE isolates them.`,
  'folder-left-behind': (f) =>
    `${f('patch')} is left out here because it failed in the supervisor folder ${f('supervisor')}: no folder gets ahead of it. Mend the cause there and run again.`,
  'lock-capacity': (f) =>
    `The run would hold ${f('needed')} locks at once, the server has room for ${f('available')}. Raise ${f('setting')} and restart the server, or lower --jobs.`,
  'history-folder': (f) =>
    `${f('folder')} is a history folder: it is not patched, but brought in line after the folder that it belongs to.`,
  'text-language-fallback': (f) => `The folder has none of the patch's languages: texts are taken in ${f('language')}.`,
  'due-activity-code': (f) =>
    `Activity code ${f('code')} was delivered in another state or size: the folder is due for validation.`,
} satisfies Record<string, Sentence>;

export const unknownFinding = (code: string, subject: string, facts: string) =>
  `${subject ? `${subject}: ` : ''}${code}${facts ? ` (${facts})` : ''}.`;
