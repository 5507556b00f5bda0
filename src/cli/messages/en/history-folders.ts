// English sentences about history folders: what is refused there, why they are due.
import { type Said, type Sentence, some } from '../said.ts';

export const historyErrors = {
  'folder-history-settings': (f) =>
    `Folder ${f('folder')} gets the settings of ${f('of')}, whose history folder it is to be; ${f.list('options').join(', ')} ${f.list('options').length === 1 ? 'asks' : 'ask'} for others. Leave ${f.list('options').length === 1 ? 'it' : 'them'} out, or change ${f('of')} first (\`rustine folder set ${f('of')}\`).`,
  'history-folder-follows': (f) => {
    const [what, command] = changes[f('change')] ?? ['this is not changed', 'folder show'];
    return `${f('folder')} is the history folder of ${f('live')} and follows it by validation: ${what} there. Do it in ${f('live')} (\`rustine ${command.replace('LIVE', f('live'))}\`), then \`rustine validate ${f('folder')}\`.`;
  },
} satisfies Record<string, Sentence>;

export const historyFindings = {
  'history-elements-gone': (f) =>
    `Folder ${f('folder')} lost what ${f('live')}, whose history folder it is, has no more: ${some(f.list('elements'))}. Rows of tables that went are put aside: \`rustine kept --folder ${f('folder')}\` lists them.`,
} as const satisfies Record<string, (f: Said) => string>;

/** What is not done in a history folder, and the command for the live one. */
const changes: Readonly<Record<string, readonly [what: string, command: string]>> = {
  settings: ['its settings are not changed', 'folder set LIVE …'],
  element: ['no element is changed', 'element set … --folder LIVE'],
  revert: ['no patch is taken back', 'revert … --folder LIVE'],
};

/** What was written to the live folder. */
const written: Readonly<Record<string, string>> = {
  patch: 'patch ',
  revert: 'taken back: ',
  set: 'an element was set',
  decision: 'a value was decided about',
  validation: 'it was validated',
  setting: '',
};

/** All that was written to it in one, so that its name is said once. @param setting names a setting */
export function liveReason(reasons: readonly string[], setting: (name: string) => string): string {
  const [, live = ''] = reasons[0]?.split(':') ?? [];
  const details = reasons.flatMap((reason) => {
    const [, , kind, ...rest] = reason.split(':');
    const detail = rest.join(':');
    return kind === undefined || kind === 'more'
      ? []
      : [`${written[kind] ?? ''}${kind === 'setting' ? setting(detail) : detail}`];
  });
  const more = reasons.some((reason) => reason.endsWith(':more')) ? ' and more' : '';
  return `live folder ${live} changed${details.length === 0 ? '' : `: ${details.join(', ')}${more}`}`;
}
