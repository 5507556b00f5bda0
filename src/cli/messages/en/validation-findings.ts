// English sentences about what validations find.
import { type Said, some } from '../said.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

export const validationFindings = {
  'rows-to-come': (f) =>
    `Folder ${f('folder')} has all of ${some(f.list('files'))} but data rows and scripts to run: these files are not kept in the database. \`${f('command')}\` brings just that, in this order.`,
  'rows-older': (f) =>
    `${f('file')} has come to folder ${f('folder')} without its data rows and scripts to run: ${f('newer')}, which is later, was integrated there before, and its rows must not be overwritten. Where they should be all the same: \`${f('command')}\`.`,
  'texts-to-come': (f) =>
    `Folder ${f('folder')} has no texts in ${f('language')}: the folder that it follows has none, either, but ${some(f.list('files'))} carried them. \`${f('command')}\` brings them: it integrates all of these files again, in their order.`,
  'texts-out-of-reach': (f) =>
    `Folder ${f('folder')} has no texts in ${f('language')}: the folder that it follows has none, either. ${some(f.list('files'))} carried them, but later patches came to the same elements or to rows: integrated again, the older ones would take the folder back. The texts come with the next patch that brings these elements in ${f('language')}.`,
  'elements-ahead': (f) =>
    `Folder ${f('folder')} keeps ${n(f.number('count'), 'element')} (${some(f.list('elements'))}) as a patch brought ${f.number('count') === 1 ? 'it' : 'them'} that ${f('source')} has not, later than anything that ${f('source')} got. Integrate that patch in ${f('source')} too, or leave it so.`,
  'scripts-hide-newer': (f) =>
    `Folder ${f('folder')} has ${n(f.number('count'), 'copy', 'copies')} of scripts (${some(f.list('scripts'))}) that hide newer ones: what these mend is not seen there. \`${f('command')}\` compares them; where nobody needs ${f.number('count') === 1 ? 'it, remove the copy' : 'them, remove the copies'}.`,
  'scripts-to-run': (f) =>
    `In folder ${f('folder')} scripts of patches are still to be run: ${some(f.list('scripts'))}. \`${f('command')}\` lists them.`,
} as const satisfies Record<string, (f: Said) => string>;
