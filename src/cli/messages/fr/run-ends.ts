// French sentences for how a run ended, by what it was to do.
import type { Messages } from '../en.ts';

export const runEnds: Messages['report']['runs'] = {
  integrate: {
    done: 'Fait.',
    partial: 'Fait pour une partie des dossiers seulement.',
    refused: "Refusé : rien n'a changé.",
    failed: 'Échec.',
    cancelled: 'Annulé sur demande : chaque dossier est entier, et relancer continue.',
  },
  rehearse: {
    done: 'Répété, puis annulé : tout fonctionnerait.',
    partial: 'Répété, puis annulé : cela échouerait dans certains dossiers.',
    refused: "Refusé : dans l'état actuel, cela ne serait pas intégré. Rien n'a changé.",
    failed: 'Répété, puis annulé : cela échouerait.',
    cancelled: "Annulé sur demande : rien n'a été conservé.",
  },
  validate: {
    done: 'Validé.',
    partial: 'Validé pour une partie des dossiers seulement.',
    refused: "Refusé : rien n'a changé.",
    failed: 'La validation a échoué.',
    cancelled: 'Annulé sur demande : chaque dossier est entier, et valider à nouveau continue.',
  },
  'validate-rehearse': {
    done: 'Aperçu, puis annulé : tout fonctionnerait.',
    partial: 'Aperçu, puis annulé : cela échouerait dans certains dossiers.',
    refused: "Refusé : dans l'état actuel, cela ne serait pas fait. Rien n'a changé.",
    failed: 'Aperçu, puis annulé : cela échouerait.',
    cancelled: "Annulé sur demande : rien n'a été conservé.",
  },
  revert: {
    done: 'Repris.',
    partial: 'Repris pour une partie des dossiers seulement.',
    refused: "Refusé : rien n'a changé.",
    failed: "La reprise a échoué ; rien n'a changé.",
    cancelled: 'Annulé sur demande : chaque dossier est entier, et relancer continue.',
  },
  'revert-rehearse': {
    done: 'Répété, puis annulé : le patch peut être repris.',
    partial: 'Répété, puis annulé : dans certains dossiers le patch ne peut pas être repris.',
    refused: "Refusé : dans l'état actuel, le patch ne serait pas repris. Rien n'a changé.",
    failed: 'Répété, puis annulé : le patch ne peut pas être repris.',
    cancelled: "Annulé sur demande : rien n'a été conservé.",
  },
};
