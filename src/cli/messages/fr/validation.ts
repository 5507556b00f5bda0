// French words of the validation of folders: its steps, how it goes, how it ends, what is locked.
import type { Messages } from '../en.ts';

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
    `${folder} est verrouillé, ses données sont comme avant : ${why} Une fois la cause corrigée : \`${command}\``,
  unlocked: (folder) => `${folder} n'est plus verrouillé`,
};
