// French words of the validation of folders: its steps, how it goes, how it ends, what is locked.

import type { validationErrors as Errors, validationRunFindings as Findings } from '../en/validation.ts';
import type { Messages, Sentences } from '../en.ts';
import { some } from '../said.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count < 2 ? one : many}`;

export const validationReport: Messages['report']['validation'] = {
  nothing: "Aucun dossier n'est à valider.",
  settled: 'réglé',
  states: {
    validated: 'validé',
    unchanged: 'inchangé',
    failed: 'en échec',
    skipped: 'sauté',
    cancelled: 'annulé',
  },
  started: (folders, preview) =>
    preview ? `Aperçu de la validation de ${n(folders, 'dossier')}` : `Validation de ${n(folders, 'dossier')}`,
  steps: {
    controls: 'contrôles',
    'single-user': 'mono-utilisateur',
    dictionary: 'dictionnaire',
    'data-types': 'types de données',
    tables: 'tables',
    scripts: 'traitements',
    texts: 'textes',
    level: 'niveau',
  },
  stepStates: { done: 'fait', unchanged: 'déjà en phase', failed: 'en échec' },
  step: (folder, step, state, counts, ms) => `${folder} ${step} : ${state}${counts === '' ? '' : ` (${counts})`} · ${ms} ms`,
  failedAt: (step) => `échec à l'étape ${step}`,
  locked: (folder, why, command) =>
    `${folder} est verrouillé, ses données sont comme avant. ${why} Une fois la cause corrigée : \`${command}\``,
  unlocked: (folder) => `${folder} n'est plus verrouillé.`,
  interrupting: (hard) =>
    hard ? 'Annulation de ce qui est en cours …' : 'Arrêt après les dossiers en cours ; encore une fois (Ctrl-C) les annule …',
  differencesOf: (folders, count) => (count === 1 ? `${folders} :` : `${folders} (${n(count, 'dossier')}) :`),
  changes: { created: 'créé', updated: 'modifié', removed: 'supprimé', kept: 'conservé' },
};

export const validationErrors: Sentences<keyof typeof Errors> = {
  'folder-locked': (f) =>
    `Le dossier ${f('folder')} est verrouillé : sa dernière validation a échoué. \`rustine folder show ${f('folder')}\` dit pourquoi ; une fois la cause corrigée, \`${f('command')}\` le déverrouille.`,
  'folder-not-locked': (f) => `Le dossier ${f('folder')} n'est pas verrouillé : il n'y a rien à déverrouiller.`,
};

export const validationRunFindings: Sentences<keyof typeof Findings> = {
  'folder-locked': (f) =>
    `Le dossier ${f('folder')} est verrouillé depuis le ${f('since')} (par ${f('by')}) : sa validation a échoué (${f('cause')}). \`rustine folder show ${f('folder')}\` dit pourquoi ; une fois la cause corrigée, \`${f('command')}\` le déverrouille.`,
  'parent-not-ready': (f) =>
    `Le dossier ${f('folder')} se règle sur ${f('parent')}, qui n'est pas prêt lui-même (${f('state')}). Validez les deux : \`${f('command')}\`.`,
  'parent-lags': (f) =>
    `Le dossier ${f('folder')} se règle sur ${f('parent')}, à qui il manque ${some(f.list('files'), 3)}. Validez les deux : \`${f('command')}\`.`,
  'mirror-lags': (f) =>
    `Sur le serveur ${f('server')}, il manque ${some(f.list('files'), 3)} à ce qui représente ${some(f.list('parents'), 3)} : ce qui en dépend ne peut pas être validé pour l'instant. \`${f('command')}\` l'apporte aux deux.`,
  'parent-not-validated': (f) =>
    `Le dossier ${f('folder')} est laissé de côté : ${f('parent')}, sur lequel il se règle, n'a pas pu être validé. Une fois la cause corrigée : \`${f('command')}\`.`,
};
