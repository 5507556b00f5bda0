// French sentences about history folders: what is refused there, why they are due.
import type { historyFindings as english, historyErrors as englishErrors } from '../en/history-folders.ts';
import type { Sentences } from '../en.ts';
import { type Sentence, some } from '../said.ts';

export const historyErrors: Sentences<keyof typeof englishErrors> = {
  'folder-history-settings': (f) =>
    `Le dossier ${f('folder')} reçoit les paramètres de ${f('of')}, dont il doit être le dossier historique ; ${f.list('options').join(', ')} en ${f.list('options').length === 1 ? 'demande' : 'demandent'} d'autres. Enlevez ${f.list('options').length === 1 ? 'cette option' : 'ces options'}, ou changez d'abord ${f('of')} (\`rustine folder set ${f('of')}\`).`,
  'history-folder-follows': (f) => {
    const [what, command] = changes[f('change')] ?? ["cela ne s'y change pas", 'folder show'];
    return `${f('folder')} est le dossier historique de ${f('live')} et le suit par la validation : ${what}. Faites-le dans ${f('live')} (\`rustine ${command.replace('LIVE', f('live'))}\`), puis \`rustine validate ${f('folder')}\`.`;
  },
};

export const historyFindings: Record<keyof typeof english, Sentence> = {
  'history-elements-gone': (f) =>
    `Le dossier ${f('folder')} a perdu ce que ${f('live')}, dont il est le dossier historique, n'a plus : ${some(f.list('elements'))}. Les lignes des tables parties sont mises de côté : \`rustine kept --folder ${f('folder')}\` les liste.`,
};

const changes: Readonly<Record<string, readonly [what: string, command: string]>> = {
  settings: ['ses paramètres ne se changent pas', 'folder set LIVE …'],
  element: ["aucun élément ne s'y change", 'element set … --folder LIVE'],
  revert: ["aucun patch ne s'y reprend", 'revert … --folder LIVE'],
};

const written: Readonly<Record<string, string>> = {
  patch: 'patch ',
  revert: 'reprise de ',
  set: 'un élément y a été modifié',
  decision: 'une valeur y a été tranchée',
  validation: 'il a été validé',
  setting: '',
};

export function liveReason(reasons: readonly string[], setting: (name: string) => string): string {
  const [, live = ''] = reasons[0]?.split(':') ?? [];
  const details = reasons.flatMap((reason) => {
    const [, , kind, ...rest] = reason.split(':');
    const detail = rest.join(':');
    return kind === undefined || kind === 'more'
      ? []
      : [`${written[kind] ?? ''}${kind === 'setting' ? setting(detail) : detail}`];
  });
  const more = reasons.some((reason) => reason.endsWith(':more')) ? ' et davantage' : '';
  return `le dossier d'exploitation ${live} a changé${details.length === 0 ? '' : ` : ${details.join(', ')}${more}`}`;
}
