// French words about runs: which are at work, how far their folders are, stopping them.
import type { Messages } from '../en.ts';

export const runWords: Messages['report']['openRuns'] = {
  states: {
    queued: "en file d'attente",
    waiting: "attend que d'autres libèrent ses dossiers",
    running: 'en cours',
    interrupted: 'interrompue : son programme est mort',
    done: 'terminée',
    partial: 'faite pour une partie des dossiers seulement',
    refused: 'refusée',
    failed: 'en échec',
    cancelled: 'annulée',
  },
  folderStates: {
    waiting: 'en attente',
    running: 'en cours',
    postponed: 'remis à plus tard',
    prepared: 'préparé',
    integrated: 'intégré',
    validated: 'validé',
    reverted: 'repris',
    unchanged: 'inchangé',
    failed: 'en échec',
    skipped: 'sauté',
    cancelled: 'annulé',
    interrupted: 'interrompu',
  },
  columns: { folder: 'dossier', wave: 'vague', state: 'état', attempts: 'essais', since: 'depuis', waitsFor: 'attend' },
  line: (r) =>
    `Exécution ${r.run} de ${r.operator} sur ${r.host} depuis le ${r.since}${r.files === '' ? '' : `, avec ${r.files}`} : ${r.state}${r.folders === '' ? '' : ` (${r.folders})`}`,
  stopping: (by, reason) =>
    `${by} a demandé son arrêt${reason === '' ? '' : ` (${reason})`} : chaque patch en cours va à son terme.`,
  asked: (run, state) =>
    state === 'cancelled'
      ? `L'exécution ${run} est annulée : personne n'y travaillait.`
      : state === 'waiting'
        ? `L'arrêt de l'exécution ${run} est demandé : elle ne fait qu'attendre, et se termine en quelques secondes.`
        : `L'arrêt de l'exécution ${run} est demandé : les dossiers en cours terminent leur patch, les autres sont laissés de côté. \`rustine status --run ${run}\` montre où elle en est.`,
  interrupting: (hard) =>
    hard ? 'Annulation de ce qui est en cours …' : 'Arrêt après les patches en cours ; encore une fois (Ctrl-C) les annule …',
};
