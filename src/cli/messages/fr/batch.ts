// French words of the batch server: help of `task` and `worker`, the list of tasks, what a worker says.
import type { Messages } from '../en.ts';

type Commands = Messages['help']['commands'];

export const batchHelp: Pick<Commands, 'task' | 'taskList' | 'taskShow' | 'taskAdd' | 'taskCancel' | 'worker'> = {
  task: { is: 'tâches du serveur batch : lister, montrer, ajouter, annuler' },
  taskList: {
    is: 'liste les tâches, les plus récentes en premier (par défaut)',
    folder: 'de ces dossiers seulement',
    kind: 'de ce genre seulement : patch, validation, accounting (comptabilité), other (autre)',
    state: 'dans cet état seulement : queued, active, done, failed, cancelled',
    limit: 'autant au plus (par défaut : 50)',
  },
  taskShow: { is: "montre une tâche avec ce qu'elle a affiché", id: 'numéro de la tâche, donné par la liste' },
  taskAdd: {
    is: "met une tâche en file d'attente pour un dossier ; un worker l'exécute",
    kind: "validation, ou une tâche qu'un programme exécute : accounting (comptabilité), other (autre)",
    folder: 'dossier',
    title: "ce dont il s'agit, pour les personnes",
    program: 'nom de son programme sous tasks dans rustine.yaml (par défaut : le genre)',
  },
  taskCancel: {
    is: "annule une tâche : aussitôt si elle attend, sinon son worker l'arrête",
    id: 'numéro de la tâche',
  },
  worker: {
    is: "exécute les tâches et les intégrations de patches en attente, jusqu'à ce qu'on l'arrête",
    kinds: 'seulement les tâches de ces genres, séparés par des virgules (par défaut : tous)',
    jobs: 'tâches et dossiers en même temps',
    once: "s'arrête quand il ne reste rien à faire",
  },
};

export const batchReport: Messages['report']['batch'] = {
  none: "Il n'y a pas de tâches.",
  kinds: { patch: 'patch', validation: 'validation', accounting: 'comptabilité', other: 'autre' },
  states: { queued: 'en attente', active: 'en cours', done: 'faite', failed: 'échouée', cancelled: 'annulée' },
  stopping: "en cours d'arrêt",
  runEnded: (state, run) => `${state}, son exécution : ${run}`,
  reasons: {
    exit: "son programme s'est terminé avec une erreur",
    signal: 'son programme a été arrêté par un signal',
    timeout: 'elle a duré plus longtemps que son programme ne le peut',
    'not-started': "son programme n'a pas pu être lancé",
    'no-program': "le rustine.yaml du worker n'a pas ce programme sous tasks",
    'worker-lost': "son worker a disparu ; personne ne sait jusqu'où elle est allée",
  },
  columns: {
    id: 'tâche',
    kind: 'genre',
    title: 'intitulé',
    program: 'programme',
    since: 'depuis',
    worker: 'worker',
    created: 'ajoutée',
    by: 'par',
    started: 'commencée',
    ended: 'terminée',
    attempts: 'essais',
    exit: 'code de sortie',
    reason: 'raison',
    run: 'exécution',
  },
  waiting: (tasks) => `Attente de la fin de ces tâches : ${tasks}`,
  queued: (run, patches, folders) =>
    `L'exécution ${run} est en attente : ${patches} ${patches < 2 ? 'patch' : 'patches'}, ${folders} ${folders < 2 ? 'dossier' : 'dossiers'}. \`rustine log ${run} --follow\` montre son avancement, \`rustine cancel ${run}\` l'arrête.`,
  noWorker:
    "Elle attend : il n'y a pas de worker. `rustine worker` en lance un, ici ou sur toute machine qui atteint la base de données.",
  left: (run) => `L'exécution ${run} continue. \`rustine log ${run} --follow\` montre comment.`,
  waitingWork: (runs, tasks, workers, shut) =>
    `Serveur batch : ${runs} ${runs < 2 ? 'exécution' : 'exécutions'} et ${tasks} ${tasks < 2 ? 'autre tâche' : 'autres tâches'} en attente, ${workers === 0 ? 'aucun worker : elles attendent que `rustine worker` en lance un' : `${workers} ${workers < 2 ? 'worker' : 'workers'} au travail`}.${shut > 0 && workers === 0 ? ` D'ici là personne ne peut entrer dans ${shut} ${shut < 2 ? 'dossier' : 'dossiers'} ; \`rustine cancel EXÉCUTION\` met fin à l'exécution et laisse rentrer les utilisateurs.` : ''}`,
  idle: (run) =>
    `Il n'y a plus de worker : l'exécution n'avance plus, et personne ne peut entrer dans ses dossiers en attente. \`rustine worker\` la poursuit, \`rustine cancel ${run}\` y met fin.`,
  added: (id, kind, folder) => `La tâche ${id} (${kind}, dossier ${folder}) est en attente : un worker l'exécutera.`,
  cancelled: (id) => `La tâche ${id} est annulée.`,
  cancelling: (id) => `La tâche ${id} est en cours : son worker l'arrête.`,
  taskOf: (id, kind, folder) => `tâche ${id} (${kind}, ${folder})`,
  began: (what) => `${what} : commencée`,
  ended: (what, state, why) => `${what} : ${state}${why === '' ? '' : `, ${why}`}`,
  returned: (what) => `${what} : remise en file d'attente`,
  workerStarted: (worker, taken, jobs) => `Worker ${worker} au travail : ${taken} ; ${jobs} en même temps`,
  workerStopping: "Arrêt : ce qui est en cours se termine d'abord. Encore une fois pour arrêter les programmes aussitôt.",
  workerTrouble: (why) => `La base de données ne répond pas (${why}) ; nouvel essai.`,
  workerEnded: (done, failed, cancelled) => `Tâches faites : ${done}, échouées : ${failed}, annulées : ${cancelled}.`,
};
