// French sentences about what keeps a patch from being taken back in a folder's tables and rows (R38).
import type { revertTableErrors as errorsEn, revertTableFindings as findingsEn } from '../en/revert-tables.ts';
import type { Sentences } from '../en.ts';
import type { Said } from '../said.ts';
import { some } from '../said.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count < 2 ? one : many}`;
const rows = (f: Said) => `${n(f.number('count'), 'ligne')} (${some(f.list('keys'))})`;
const by = (f: Said, one: string, many: string) => (f.number('count') < 2 ? one : many);

export const revertTableErrors: Sentences<keyof typeof errorsEn> = {
  'revert-meanwhile': (f) =>
    `${f('folder')} : ${some(f.list('tables'))} a changé pendant la reprise du patch, qui en est restée là. Relancez-la : ce qui gêne sera alors nommé.`,
  'revert-refused': (f) =>
    `${f('folder')} : la base de données refuse de remettre ${f('table') === '' ? 'les tables' : `la table ${f('table')}`} comme avant : ${f('reason')}${f.has('detail') ? ` (${f('detail')})` : ''}. Rien n'a changé. Enlevez ce qui gêne, par exemple une ligne qui a la clé d'une autre qui revient, ou une contrainte de quelqu'un ; reprenez ensuite le patch.`,
};

export const revertTableFindings: Sentences<keyof typeof findingsEn> = {
  'revert-script-wrote': (f) =>
    `Le traitement ${f('script')} de ${f('file')} a écrit des lignes de ${some(f.list('tables'))} sans qu'on ait pu le noter (lignes sans numéro, table d'un autre dossier, table que son texte ne nomme pas, écritures qu'il a annulées lui-même, table vidée par truncate) : on ne sait pas ce qui était là. Intégrez un patch qui corrige ce qui ne va pas.`,
  'revert-script-made': (f) =>
    `Le traitement ${f('script')} de ${f('file')} a lui-même créé, modifié ou supprimé des objets de la base${f.has('objects') && f.list('objects').length > 0 ? ` (${some(f.list('objects'))})` : ''}, ce qui ne peut pas être repris. Intégrez un patch qui corrige ce qui ne va pas.`,
  'revert-kept-gone': (f) =>
    `${n(f.number('count'), 'entrée')} que le patch avait ${by(f, 'mise', 'mises')} de côté dans ${f('folder')} ${by(f, 'a été supprimée', 'ont été supprimées')} définitivement depuis : ${some(f.list('entries'))}. Sans elles, nul ne sait ce qui était là. Intégrez un patch qui corrige ce qui ne va pas.`,
  'revert-kept-restored': (f) =>
    `${n(f.number('count'), 'entrée')} que le patch avait ${by(f, 'mise', 'mises')} de côté dans ${f('folder')} ${by(f, 'a été remise', 'ont été remises')} en place depuis : ${some(f.list('entries'))} (rustine kept show). Les tables ne sont plus comme le patch les a laissées. Intégrez un patch qui corrige ce qui ne va pas.`,
  'revert-table-gone': (f) =>
    `La table ${f('table')}, que le patch a créée ou modifiée, n'est plus là : quelqu'un l'a supprimée ou renommée. Remettez-la sous son nom, puis reprenez le patch.`,
  'revert-table-back': (f) =>
    `Le patch a enlevé la table ${f('table')}, et il y en a de nouveau une de ce nom. Renommez-la ou supprimez-la, puis reprenez le patch : celle d'avant revient avec ses lignes.`,
  'revert-table-changed': (f) =>
    `La table ${f('table')} a été modifiée depuis : ${some(f.list('objects'))}. Remettez ces colonnes et ces index comme le patch les a laissés, puis reprenez-le.`,
  'revert-table-in-use': (f) =>
    `La table ${f('table')} ne peut pas revenir à son état d'avant tant qu'autre chose en a besoin dans la base : ${some(f.list('objects'))}. Supprimez cela, reprenez le patch, puis recréez-le.`,
  'revert-rows-changed': (f) =>
    `Table ${f('table')} : ${rows(f)} que le patch a ${by(f, 'écrite a été modifiée', 'écrites ont été modifiées')} depuis. La reprise perdrait cela : remettez les lignes comme le patch les a laissées, ou laissez le patch.`,
  'revert-rows-deleted': (f) =>
    `Table ${f('table')} : ${rows(f)} que le patch a ${by(f, 'modifiée a été supprimée', 'modifiées ont été supprimées')} depuis. La reprise annulerait cela : laissez le patch, ou remettez d'abord les lignes comme il les a laissées, avec le même rowid.`,
  'revert-rows-back': (f) =>
    `Table ${f('table')} : ${rows(f)} que le patch a ${by(f, 'enlevée est de nouveau là', 'enlevées sont de nouveau là')}. Supprimez-${by(f, 'la', 'les')}, puis reprenez le patch : ${by(f, 'elle revient comme elle était', 'elles reviennent comme elles étaient')} avant lui.`,
  'revert-rows-since': (f) =>
    `La table ${f('table')}, que le patch a créée, a ${rows(f)} ${by(f, 'saisie', 'saisies')} depuis, qui ${by(f, 'partirait', 'partiraient')} avec elle. Copiez-${by(f, 'la ou supprimez-la', 'les ou supprimez-les')} d'abord, ou laissez le patch.`,
  'revert-values-since': (f) =>
    `La colonne ${f('column')} de la table ${f('table')}, que le patch a ajoutée, contient des valeurs saisies depuis dans ${rows(f)} : elles partiraient avec elle. Copiez-les ou videz-les d'abord, ou laissez le patch.`,
  'revert-values-unfit': (f) =>
    `La colonne ${f('column')} de la table ${f('table')} revient de ${f('from')} à ${f('to')}, et des valeurs saisies depuis n'y tiennent pas dans ${rows(f)}. Raccourcissez-les ou modifiez-les d'abord, ou laissez le patch.`,
  'revert-values-changed': (f) =>
    `La colonne ${f('column')} de la table ${f('table')} revient de ${f('from')} à ${f('to')}, et des valeurs ont été modifiées depuis dans ${rows(f)}. La reprise perdrait cela : remettez-les comme le patch les a laissées, ou laissez le patch.`,
};
