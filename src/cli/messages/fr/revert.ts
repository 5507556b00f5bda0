// French sentences about taking patches back (R38): what speaks against it, what was done.

import type { revertErrors as errorsEn, revertFindings as findingsEn } from '../en/revert.ts';
import type { Messages, Sentences } from '../en.ts';
import type { Said } from '../said.ts';
import { some } from '../said.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count < 2 ? one : many}`;

/** Folders that share a finding are told together. */
const given = (f: Said) => f('folder').replaceAll(', ', ',');

const NOT_REMEMBERED: Readonly<Record<string, string>> = {
  older: "une version antérieure de Rustine l'a intégré, qui ne retenait pas ce qui était là avant",
  creation: "le dossier l'a depuis sa création, qui ne retient rien. Seule la suppression du dossier l'enlève",
  validation:
    "une validation l'a apporté depuis le dossier de référence, et une validation ne retient rien pour la reprise. Le dossier de référence ne s'en défait pas non plus tant que ce dossier l'a : intégrez un patch qui corrige ce qui ne va pas",
};

export const revertErrors: Sentences<keyof typeof errorsEn> = {
  'revert-nowhere': (f) =>
    `Aucun dossier n'a ${f('file')} : il n'y a rien à reprendre.${f.has('nearest') ? ` S'agit-il de ${f('nearest')} ?` : ''} rustine history montre ce qui a été intégré.`,
  'revert-file-path': (f) =>
    `Un patch à reprendre se désigne par son nom de fichier, tel que les dossiers l'ont retenu, sans répertoire : rustine revert ${f('file')} …`,
  'revert-in-use': (f) =>
    `${f('folder')} : autre chose dans la base a besoin de ce que le patch a apporté : ${f('reason')}. Supprimez ou modifiez cela d'abord, puis reprenez le patch. Rien n'a changé.`,
};

export const revertFindings: Sentences<keyof typeof findingsEn> = {
  'revert-given-up': () =>
    "L'exécution a été abandonnée sur le serveur de l'environnement ou sur un autre avant tout changement ; la cause y est dite (rustine log).",
  'revert-not-integrated': (f) => `Pas de ${f('file')} dans ${f('folder')} : il n'y a rien à y reprendre. Ne citez pas cela.`,
  'revert-not-last': (f) =>
    `${f('file')} n'est pas le dernier patch de ${f('folder')} ; venus après : ${some(f.list('later'))}. Reprenez d'abord le dernier : rustine revert ${f('last')} --folder ${given(f)}.`,
  'revert-not-remembered': (f) =>
    `${f('file')} ne peut pas être repris dans ${f('folder')} : ${NOT_REMEMBERED[f('why')] ?? f('why')}.`,
  'revert-purged': (f) =>
    `${f('file')} ne peut plus être repris dans ${f('folder')} : ${f('by')} a supprimé définitivement ce qui en était retenu, le ${f('at').slice(0, 10)} (rustine kept purge). Intégrez un patch qui corrige ce qui ne va pas.`,
  'revert-below': (f) =>
    `Pas de reprise de ${f('file')} dans ${f('folder')} tant que des dossiers au-dessous l'ont : ${some(f.list('folders'))}. Ils y cherchent leurs traitements et seraient en avance. ${f.has('stuck') ? `Dans ${some(f.list('stuck'))}, il est venu par une validation ou à la création du dossier, qui ne retiennent rien pour la reprise : tant qu'il y a un tel dossier au-dessous, il reste ici aussi. Intégrez un patch qui corrige ce qui ne va pas.` : "Reprenez-le d'abord là-bas, ou avec --folder all."}`,
  'revert-elements-changed': (f) =>
    `${n(f.number('count'), 'élément')} que ${f('file')} a apporté${f.number('count') < 2 ? '' : 's'} dans ${f('folder')} ${f.number('count') < 2 ? 'a été modifié' : 'ont été modifiés'} depuis : ${some(f.list('elements'))}. En dernier par ${f('operator')} le ${f('on')} : ${f('what')}. La reprise perdrait cela : remettez les valeurs comme elles étaient, ou laissez le patch.`,
  'revert-activity-codes': (f) =>
    `Les paramètres de ${f('folder')} citent des codes activité que seul ${f('file')} a apportés : ${some(f.list('codes'))}. Enlevez-les d'abord de la liste : rustine folder set ${given(f)} --activity-codes …`,
  'revert-scripts-ran': (f) =>
    `Des traitements de ${f('file')} ont été exécutés dans ${f('folder')} hors de sa transaction : ${some(f.list('scripts'))}. Ce qu'ils ont fait n'est pas connu et ne peut pas être repris. Intégrez un patch qui corrige ce qui ne va pas.`,
  'revert-functions-changed': (f) =>
    `${n(f.number('count'), 'fonction')} que ${f('file')} a faite${f.number('count') < 2 ? '' : 's'} dans ${f('folder')} ${f.number('count') < 2 ? 'a été modifiée ou supprimée' : 'ont été modifiées ou supprimées'} depuis : ${some(f.list('functions'))}. Remettez-les comme le patch les a laissées, ou laissez le patch.`,
  'revert-aggregates': (f) =>
    `${f('file')} a remplacé ou supprimé des agrégats de ${f('folder')}, qui ne peuvent pas être refaits tels qu'ils étaient : ${some(f.list('functions'))}. Intégrez un patch qui les fait.`,
  'revert-validated': (f) =>
    `${f('folder')} : validation faite${f.has('operator') ? ` par ${f('operator')} le ${f('on')}` : ''} avec ce que ${f('file')} a apporté (${some(f.list('reasons'))}), et les tables ont suivi. Intégrez un patch qui corrige ce qui ne va pas.`,
};

/** Singular below two. */
const s = (one: string) => (count: number) => (count < 2 ? one : `${one}s`);

export const revertedCounts: Messages['report']['reverted'] = {
  elements: { updated: s('remis'), removed: s('enlevé') },
  tables: { created: s('revenue'), altered: s('remise'), removed: s('enlevée') },
  scripts: { installed: s('remis'), removed: s('enlevé') },
  rows: { inserted: s('revenue'), updated: s('remise'), deleted: s('enlevée') },
};

export const revertStarted: Messages['report']['revertStarted'] = (folders, rehearsed) =>
  `${rehearsed ? 'Répétition de la reprise' : 'Reprise'} dans ${n(folders, 'dossier')}`;
