// French words of tables, progress and summaries.
import type { Messages } from '../en.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count < 2 ? one : many}`;
/** Singular below two. */
const s = (word: string) => (count: number) => (count < 2 ? word : `${word}s`);

const settingNames: Readonly<Record<string, string>> = {
  parent: 'le dossier de référence',
  languages: 'la liste des langues',
  legislations: 'la liste des législations',
  modules: 'la liste des modules',
  'activity-codes': 'la liste des codes activité',
  test: "l'indicateur test",
  specific: "l'indicateur spécifique",
};

export const report: Messages['report'] = {
  columns: {
    folder: 'dossier',
    parent: 'référence',
    state: 'état',
    due: 'à valider',
    level: 'niveau',
    lag: 'retard',
    kind: 'genre',
    languages: 'langues',
    patches: 'patches',
    elements: 'éléments',
    tables: 'tables',
    scripts: 'traitements',
    rows: 'lignes',
    time: 'durée',
    type: 'type',
    name: 'nom',
    title: 'intitulé',
    records: 'enregistrements',
    activityCodes: 'codes activité',
    legislations: 'législations',
    modules: 'modules',
    schema: 'schéma',
    role: 'rôle',
    historyOf: 'historique de',
  },
  states: {
    integrated: 'intégré',
    unchanged: 'inchangé',
    already: 'déjà fait',
    failed: 'en échec',
    skipped: 'sauté',
    ready: 'prêt',
    creating: 'à demi créé',
    dropping: 'à demi supprimé',
  },
  yes: 'oui',
  no: 'non',
  all: 'tous',
  none: 'aucun',
  test: 'test',
  specific: 'spécifique',
  history: (of) => `historique de ${of}`,
  supervisor: 'superviseur',
  noRole: "aucun (l'utilisateur de la base ne peut pas créer de rôles)",
  severities: {
    block: (count) => `${n(count, 'problème')} ${count < 2 ? 'bloquant' : 'bloquants'}`,
    warn: (count) => n(count, 'avertissement'),
    info: (count) => n(count, 'remarque'),
  },
  more: (count, subjects) =>
    `… et ${count} de plus du même genre${subjects === '' ? '' : ` : ${subjects}`} (--verbose donne le détail de chacun)`,
  folders: (codes, count) => `${count === 1 ? 'dossier' : 'dossiers'} ${codes}`,
  initialized: (code) => `L'environnement est prêt ; son dossier superviseur est ${code}.`,
  foldersCreated: (codes) => (codes.length === 1 ? `Dossier ${codes[0]} créé.` : `Dossiers ${codes.join(', ')} créés.`),
  folderSet: (code, settings) =>
    `Dossier ${code} : ${settings.map((each) => settingNames[each] ?? each).join(', ')} ${settings.length < 2 ? 'a changé' : 'ont changé'}.`,
  folderSame: (code) => `Le dossier ${code} est déjà ainsi : rien n'a changé.`,
  dueFolder: (code) => `Le dossier ${code} est à valider : \`rustine validate ${code}\`.`,
  dueReason: (reason) =>
    reason.replace(/^activity-code:/, 'code activité ').replace(/^[a-z-]+$/, (each) => settingNames[each] ?? each),
  folderDropped: (code) => `Dossier ${code} supprimé.`,
  database: {
    stopped: 'La base embarquée est arrêtée.',
    'not-running': 'Aucune base embarquée ne tourne ici.',
    'in-use': "La base embarquée est encore utilisée par une autre commande ; elle s'arrêtera avec elle.",
  },
  runs: {
    integrate: {
      done: 'Fait.',
      partial: 'Fait pour une partie des dossiers seulement.',
      refused: "Refusé : rien n'a changé.",
      failed: 'Échec.',
    },
    rehearse: {
      done: 'Répété, puis annulé : tout fonctionnerait.',
      partial: 'Répété, puis annulé : cela échouerait dans certains dossiers.',
      refused: 'Refusé : les contrôles ont trouvé des problèmes bloquants.',
      failed: 'Répété, puis annulé : cela échouerait.',
    },
  },
  runEnds: { done: 'fait', partial: 'fait pour une partie des dossiers', refused: 'refusé', failed: 'échec' },
  severity: { block: 'bloquant', warn: 'avertissement', info: 'remarque' },
  elements: { created: s('créé'), updated: s('modifié'), identical: s('identique'), kept: s('conservé'), ignored: s('ignoré') },
  tables: { created: s('créée'), altered: s('modifiée'), removed: s('mise de côté') },
  scripts: { installed: s('installé') },
  rows: { inserted: s('insérée'), updated: s('modifiée'), deleted: s('supprimée') },
  lines: (count) => n(count, 'ligne'),
  moreElements: (count) => `… et ${n(count, 'élément')} de plus`,
  bytes: (count) => `${count.toLocaleString('fr')} octets`,
  pending: (folder, scripts) => `Reste à exécuter à la main dans ${folder} : ${scripts}`,
  dueFolders: (codes) =>
    `À valider : ${codes}. Leur niveau est inférieur à celui du dossier superviseur, ou leurs paramètres ont changé.`,
  keptColumns: {
    folder: 'dossier',
    age: 'âge',
    element: 'élément',
    field: 'quoi',
    before: 'livré avant',
    delivered: 'livré maintenant',
    own: 'propre',
    case: 'cas',
  },
  noKeptValues: 'Aucun dossier ne garde de valeur contre une livraison sans décision.',
  days: (count: number) => (count === 0 ? 'ce jour' : n(count, 'jour')),
  wholeElement: (code: string) => `tout l’élément (${code}), en nombre de lignes`,
  wholeLine: (line: string, code: string) => `ligne ${line} (${code})`,
  unchangedMark: '(modifié par personne)',
  choices: { keep: 'garder', take: 'prendre', value: 'valeur' },
  decideHint:
    'rustine decide CAS keep · take · value TEXTE décide un cas dans tous les dossiers concernés et pour les patches à venir. Les valeurs que personne n’a modifiées suivent un patch avec --take-unchanged.',
  decided: (id: string, choice: 'keep' | 'take' | 'value', folders: readonly string[]) =>
    `Cas ${id} : ${{ keep: 'la valeur propre reste', take: 'la valeur livrée est prise', value: 'la valeur donnée est posée' }[choice]} dans ${folders.join(', ')}, et partout où le cas se représente.`,
  allInLine: 'Tous les dossiers sont en phase avec le dossier superviseur.',
  runLine: (run, ms) =>
    `Exécution ${run}${ms === null ? '' : ` · ${(ms / 1000).toFixed(1).replace('.', ',')} s`} · rustine log ${run}`,
  progress: {
    read: (file, elements) => `${file} lu : ${n(elements, 'élément')}`,
    working: (done, all, now) => `${done}/${all} dossiers${now ? ` · ${now}` : ''}`,
    started: (files, folders, rehearse) =>
      `${rehearse ? 'Répétition' : 'Intégration'} de ${n(files, 'patch', 'patches')} dans ${n(folders, 'dossier')}`,
  },
  patchTypes: { '1': 'standard', '2': 'superviseur', '3': 'spécifique', '4': 'vertical', '5': 'add-on' },
  patchFrom: (type, folder, languages) => `Patch ${type} du dossier ${folder || '?'}, langues ${languages || '-'}`,
  patchAuthorizes: (codes) => `autorise les codes activité ${codes}`,
  patchSize: (elements, bytes) => `${n(elements, 'élément')}, ${bytes.toLocaleString('fr')} octets`,
};
