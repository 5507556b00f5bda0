// English sentences about what keeps a patch from being taken back in a folder's tables and rows (R38).
import type { Said, Sentence } from '../said.ts';
import { some } from '../said.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
const rows = (f: Said) => `${n(f.number('count'), 'row')} (${some(f.list('keys'))})`;
const were = (f: Said) => (f.number('count') === 1 ? 'was' : 'were');

export const revertTableErrors = {
  'revert-meanwhile': (f) =>
    `${f('folder')}: ${some(f.list('tables'))} changed while the patch was being taken back, so it was left. Take it back again: what is in the way is told then.`,
  'revert-refused': (f) =>
    `${f('folder')}: the database refuses to put ${f('table') === '' ? 'the tables' : `table ${f('table')}`} back: ${f('reason')}${f.has('detail') ? ` (${f('detail')})` : ''}. Nothing was changed. Remove what is in the way, such as a row that has the key of one that comes back, or somebody's own constraint; then take the patch back again.`,
} as const satisfies Readonly<Record<string, Sentence>>;

export const revertTableFindings = {
  'revert-script-wrote': (f) =>
    `Script ${f('script')} of ${f('file')} wrote rows of ${some(f.list('tables'))} in ways that could not be written down (rows without a number, another folder's table, a table that its text does not name, writes that it undid itself, a table that it emptied with truncate): what stood there is not known. Integrate a patch that sets right what is wrong.`,
  'revert-script-made': (f) =>
    `Script ${f('script')} of ${f('file')} made, changed or dropped objects of the database itself${f.has('objects') && f.list('objects').length > 0 ? ` (${some(f.list('objects'))})` : ''}, which cannot be taken back. Integrate a patch that sets right what is wrong.`,
  'revert-kept-gone': (f) =>
    `${n(f.number('count'), 'entry', 'entries')} that the patch put aside in ${f('folder')} ${were(f)} removed for good since: ${some(f.list('entries'))}. Without them nobody knows what stood there. Integrate a patch that sets right what is wrong.`,
  'revert-kept-restored': (f) =>
    `${n(f.number('count'), 'entry', 'entries')} that the patch put aside in ${f('folder')} ${were(f)} put back since: ${some(f.list('entries'))} (rustine kept show). The tables are no longer as the patch left them. Integrate a patch that sets right what is wrong.`,
  'revert-table-gone': (f) =>
    `Table ${f('table')}, which the patch made or changed, is not there any more: somebody dropped or renamed it. Put it back under its name, then take the patch back.`,
  'revert-table-back': (f) =>
    `The patch removed table ${f('table')}, and there is one of that name again. Rename or drop it, then take the patch back: the one of before comes back with its rows.`,
  'revert-table-changed': (f) =>
    `Table ${f('table')} was changed since: ${some(f.list('objects'))}. Put these columns and indexes back as the patch left them, then take it back.`,
  'revert-table-in-use': (f) =>
    `Table ${f('table')} cannot go back as long as something else in the database needs it: ${some(f.list('objects'))}. Drop that, take the patch back, and make it again.`,
  'revert-rows-changed': (f) =>
    `Table ${f('table')}: ${rows(f)} that the patch wrote ${were(f)} changed since. Taking it back would lose that: set the rows back as the patch left them, or leave the patch.`,
  'revert-rows-deleted': (f) =>
    `Table ${f('table')}: ${rows(f)} that the patch changed ${were(f)} deleted since. Taking it back would undo that: leave the patch, or put the rows back first as it left them, with the same rowid.`,
  'revert-rows-back': (f) =>
    `Table ${f('table')}: ${rows(f)} that the patch removed ${f.number('count') === 1 ? 'stands' : 'stand'} there again. Delete them, then take the patch back: they come back as they were before it.`,
  'revert-rows-since': (f) =>
    `Table ${f('table')}, which the patch made, has ${rows(f)} that people made since: they would go with it. Copy or delete them first, or leave the patch.`,
  'revert-values-since': (f) =>
    `Column ${f('column')} of table ${f('table')}, which the patch added, holds values that people entered since in ${rows(f)}: they would go with it. Copy or empty them first, or leave the patch.`,
  'revert-values-unfit': (f) =>
    `Column ${f('column')} of table ${f('table')} goes back from ${f('from')} to ${f('to')}, and values entered since do not fit in ${rows(f)}. Shorten or change them first, or leave the patch.`,
  'revert-values-changed': (f) =>
    `Column ${f('column')} of table ${f('table')} goes back from ${f('from')} to ${f('to')}, and values were changed since in ${rows(f)}. Taking the patch back would lose that: set them back as the patch left them, or leave the patch.`,
} as const satisfies Readonly<Record<string, Sentence>>;
