// French words of the list of runs and of their traces.
import type { Messages } from '../en.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count < 2 ? one : many}`;

export const log: Messages['log'] = {
  run: 'exécution',
  mode: 'mode',
  state: 'état',
  by: 'par',
  host: 'machine',
  from: 'depuis le dossier',
  started: 'début',
  ended: 'fin',
  files: 'fichiers',
  folders: 'dossiers',
  authorized: 'codes autorisés',
  forced: 'contrôles forcés',
  stoppedBy: 'arrêt demandé par',
  modes: {
    integrate: 'intégration',
    rehearse: 'répétition',
    validate: 'validation',
    'validate-rehearse': 'aperçu de validation',
    revert: 'reprise',
    'revert-rehearse': 'répétition de reprise',
  },
  states: {
    queued: 'en file',
    waiting: "en attente d'autres",
    running: 'en cours',
    done: 'faite',
    partial: 'faite en partie',
    refused: 'refusée',
    failed: 'en échec',
    interrupted: 'interrompue',
    cancelled: 'annulée',
  },
  none: "Rien n'a encore été exécuté ici.",
  hint: 'rustine log EXÉCUTION en montre une ; le début de son numéro suffit, et `last` est la dernière.',
  written: (entries, path) => `${n(entries, 'ligne écrite', 'lignes écrites')} dans ${path}.`,
  ran: 'traitements SQL exécutés',
  pending: 'traitements restant à exécuter',
};
