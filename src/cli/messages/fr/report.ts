// French words of tables, progress and summaries.

import type { Messages } from '../en.ts';
import { some } from '../said.ts';
import { batchReport } from './batch.ts';
import { liveReason } from './history-folders.ts';
import { revertedCounts, revertStarted } from './revert.ts';
import { runEnds } from './run-ends.ts';
import { runWords } from './runs.ts';
import { scriptUses } from './script-uses.ts';
import { serverReport } from './servers.ts';
import { sessionReport } from './sessions.ts';
import { validationReport } from './validation.ts';

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
  ...sessionReport,
  servers: serverReport,
  columns: {
    folder: 'dossier',
    parent: 'référence',
    state: 'état',
    due: 'à valider',
    locked: 'verrouillé',
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
    server: 'serveur',
    element: 'élément',
    patch: 'patch',
    created: 'création',
    updated: 'modification',
    historyOf: 'historique de',
    script: 'traitement',
    language: 'langage',
    digest: 'empreinte',
    date: 'date',
    use: 'emploi',
    hides: 'masque',
    content: 'contenu',
    newer: 'plus récente',
    since: 'depuis',
    attempts: 'essais',
    lastError: 'dernière erreur',
  },
  states: {
    integrated: 'intégré',
    validated: 'validé',
    reverted: 'repris',
    unchanged: 'inchangé',
    already: 'déjà fait',
    failed: 'en échec',
    skipped: 'sauté',
    cancelled: 'annulé',
    ready: 'prêt',
    locked: 'verrouillé',
    creating: 'à demi créé',
    dropping: 'à demi supprimé',
    unreachable: 'injoignable',
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
  forced: (check, by, reason) => `Forcé (${check}) par ${by} : ${reason}`,
  check: {
    clear: (patches, folders) => `Rien ne bloque : ${n(patches, 'patch', 'patches')} pour ${n(folders, 'dossier')}.`,
    nothing: "Rien ne bloque, et il n'y a rien à faire.",
    blocked: "L'intégration serait refusée : rien ne serait modifié.",
  },
  more: (count, subjects) =>
    `… et ${count} de plus du même genre${subjects === '' ? '' : ` : ${subjects}`} (--verbose donne le détail de chacun)`,
  folders: (codes, count) => `${count === 1 ? 'dossier' : 'dossiers'} ${codes}`,
  initialized: (code) => `L'environnement est prêt ; son dossier superviseur est ${code}.`,
  foldersCreated: (codes) => (codes.length === 1 ? `Dossier ${codes[0]} créé.` : `Dossiers ${some(codes, 12)} créés.`),
  folderSet: (code, settings) =>
    `Dossier ${code} : ${settings.map((each) => settingNames[each] ?? each).join(', ')} ${settings.length < 2 ? 'a changé' : 'ont changé'}.`,
  folderSame: (code) => `Le dossier ${code} est déjà ainsi : rien n'a changé.`,
  dueReason: (reason, ...more) =>
    reason.startsWith('live-folder:')
      ? liveReason([reason, ...more], (name) => settingNames[name] ?? name)
      : reason
          .replace(/^activity-code:/, 'code activité ')
          .replace(/^data-type:/, 'type de données ')
          .replace(/^older-patch:/, 'intégré à nouveau après de plus récents : ')
          .replace(/^[a-z-]+$/, (each) => settingNames[each] ?? each),
  folderDropped: (code) =>
    `Dossier ${code} supprimé, avec son historique ; les journaux de ses exécutions restent (rustine log).`,
  database: {
    stopped: 'La base embarquée est arrêtée.',
    'not-running': 'Aucune base embarquée ne tourne ici.',
    'in-use': "La base embarquée est encore utilisée par une autre commande ; elle s'arrêtera avec elle.",
  },
  runs: runEnds,
  runEnds: {
    done: 'fait',
    partial: 'fait pour une partie des dossiers',
    refused: 'refusé',
    failed: 'échec',
    cancelled: 'annulé',
  },
  severity: { block: 'bloquant', warn: 'avertissement', info: 'remarque' },
  elements: { created: s('créé'), updated: s('modifié'), identical: s('identique'), kept: s('conservé'), ignored: s('ignoré') },
  tables: { created: s('créée'), altered: s('modifiée'), removed: (count) => (count < 2 ? 'mise de côté' : 'mises de côté') },
  validation: validationReport,
  reverted: revertedCounts,
  revertStarted,
  costs: {
    step: (table, what) => `${table} : ${what}`,
    title: (folders) => `Modifications de tables, ${folders} :`,
    steps: {
      'add-column': 'ajoute la colonne',
      'widen-column': 'élargit la colonne',
      'narrow-column': 'rétrécit la colonne',
      'retype-column': 'change le type de la colonne',
      'drop-column': 'met de côté et supprime la colonne',
      'create-index': "crée l'index",
      'drop-index': "supprime l'index",
      'remove-table': 'met la table de côté',
    },
    rewrites: 'réécrit toutes les lignes',
    locks: { 'access-exclusive': 'ni lecture ni écriture pendant ce temps', share: "pas d'écriture pendant ce temps" },
    rows: (count) => n(Math.round(count), 'ligne'),
  },
  scripts: { installed: s('installé'), run: s('exécuté') },
  scriptRuns: { done: 'exécuté', failed: 'en échec', busy: "en cours d'exécution", left: 'non exécuté' },
  copies: { used: 'employée', hidden: 'masquée', same: 'identique', different: 'différent' },
  newer: { own: 'la sienne', hidden: 'la masquée' },
  scriptUses,
  noShadowed: "Aucun traitement ne masque celui d'un autre dossier.",
  noPending: 'Aucun traitement ne reste à exécuter.',
  exported: (scripts, folders, directory) =>
    `${n(scripts, 'traitement')} de ${n(folders, 'dossier')} ${scripts < 2 ? 'exporté' : 'exportés'} dans ${directory}.`,
  exportedAlready: (directory) => `${directory} est à jour.`,
  rows: { inserted: s('insérée'), updated: s('modifiée'), deleted: s('supprimée') },
  kept: {
    columns: {
      id: 'id',
      when: 'mis de côté',
      patch: 'par',
      by: 'qui',
      table: 'table',
      what: 'quoi',
      why: 'pourquoi',
      restored: 'remis',
      key: 'ligne',
      column: 'colonne',
      old: 'ancienne valeur',
      now: 'maintenant',
    },
    kinds: { table: 'table entière', columns: 'colonnes', rows: 'lignes' },
    reasons: {
      dropped: "n'est plus défini",
      narrowed: 'rétréci',
      retyped: 'changé de type',
      shrunk: 'moins de postes',
      inactive: 'code activité ou module inactif',
      replaced: 'contenu remplacé',
      updated: 'modifié',
      overwritten: 'écrasé par une remise en place',
    },
    none: "Rien n'est mis de côté.",
    same: 'inchangé',
    gone: "la ligne n'existe plus",
    noColumn: "la colonne n'existe plus",
    moreRows: (more, shown) => `… et ${n(more, 'ligne')} de plus (--limit ${more + shown} les montre)`,
    restoredEntry: (id, folder, table, rows, columns) =>
      `${id} : ${folder} ${table} : ${n(rows, 'ligne')} ${rows < 2 ? 'remise' : 'remises'} en place${columns === '' ? '' : `, colonnes ajoutées de nouveau : ${columns}`}`,
    restored: {
      restore: {
        all: 'Remis en place.',
        part: 'Remis en place en partie : le reste demeure mis de côté.',
        nothing: "Rien n'a été remis en place : rien n'a trouvé sa place. Tout demeure mis de côté.",
      },
      rehearse: {
        all: 'Répété, puis annulé : cela fonctionnerait.',
        part: 'Répété, puis annulé : une partie serait remise en place, le reste demeurerait mis de côté.',
        nothing: "Répété, puis annulé : rien ne serait remis en place, rien n'a trouvé sa place.",
      },
      refused: "Refusé : rien n'a changé.",
    },
    purged: (count) => `${n(count, 'entrée')} ${count < 2 ? 'supprimée' : 'supprimées'} définitivement.`,
    forgotten: (count) =>
      `Ce que ${count < 2 ? `${count} patch avait` : `${count} patches avaient`} retenu est supprimé aussi : ${count < 2 ? 'il ne peut plus être repris' : 'ils ne peuvent plus être repris'}.`,
    remembered: {
      is: 'Retenu pour pouvoir reprendre des patches (rustine revert) :',
      patches: 'patches',
      oldest: 'le plus ancien',
      latest: 'le plus récent',
      size: 'taille',
    },
  },
  origin: (patch, at, by) => `par ${patch}, le ${at}, ${by}`,
  activityCode: (code) => `code activité ${code}`,
  ownFields: (fields) => `modifié ici : ${fields}`,
  offer: (scope, code, patch, at) =>
    `livré par ${patch} le ${at}${scope === 'fields' ? ', conservé autrement :' : `, non repris (code activité ${code}) :`}`,
  comparing: (element, here, there) => `${element} : - ${here}, + ${there}`,
  notThere: (element, folder) => `Le dossier ${folder} n'a pas ${element}.`,
  noDifference: 'Aucune différence.',
  reordered: 'Les lignes sont dans un autre ordre.',
  fieldsSet: (element, line, folder, fields) =>
    `${element}, ligne ${line} : ${fields.join(', ')} ${fields.length < 2 ? 'modifié' : 'modifiés'} dans le dossier ${folder}. Les patches le conservent désormais.`,
  fieldsSame: (element, folder) => `${element} est déjà ainsi dans le dossier ${folder} : rien n'a changé.`,
  lines: (count) => n(count, 'ligne'),
  moreElements: (count) => `… et ${n(count, 'élément')} de plus`,
  bytes: (count) => `${count.toLocaleString('fr')} octets`,
  pending: (folder, scripts) => `Reste à exécuter dans ${folder} : ${scripts} (rustine script pending)`,
  due: {
    directory: 'RÉPERTOIRE',
    lacking: (codes, count, files, command) =>
      `${codes} ${count === 1 ? "n'a" : "n'ont"} pas ${files}, que le dossier superviseur a : \`${command}\``,
    lackingMany: (codes, count, files, command, anywhere) =>
      `Manquent dans ${codes} ${n(count, 'patch', 'patches')} que le dossier superviseur a (${files}) : \`${command}\`${anywhere ? ', RÉPERTOIRE étant un répertoire qui contient ces patches et aucun autre (`rustine status --json` donne tous les noms)' : ''}`,
    between: ' ; ',
    lacks: (files) => `n'a pas ${files}`,
    validate: (folders, command) => `À valider : ${folders} : \`${command}\``,
    open: (folders) =>
      `À valider, mais aucune commande de cette version ne le règle : ${folders}. C'est une version plus récente de Rustine qui l'a noté : utilisez-la.`,
    locked: (codes, count, command) =>
      `Verrouillé${count === 1 ? '' : 's'} par une validation en échec : ${codes} ; personne n'y entre. \`rustine folder show\` dit pourquoi ; une fois la cause corrigée : \`${command}\``,
    dropping: (code, command) => `${code} est à moitié supprimé : \`${command}\` termine la suppression`,
    unreachable: (codes, servers) =>
      `État inconnu pour ${codes} : ${servers} ne répond pas. \`rustine server list\` dit pourquoi ; démarrez-le ou rétablissez la connexion`,
    creating: (codes) =>
      `${codes} : à demi créé. Si personne n'est en train de le faire, le même \`rustine folder create\` termine la création, ou \`rustine folder drop\` le supprime`,
    rehearsed: (codes) => `Serait à valider : ${codes}.`,
  },
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
  wholeElement: (code: string) => `tout l'élément (${code}), en nombre de lignes`,
  wholeLine: (line: string, code: string) => `ligne ${line} (${code})`,
  unchangedMark: '(modifié par personne)',
  choices: { keep: 'garder', take: 'prendre', value: 'valeur' },
  decideHint:
    "rustine decide CAS keep · take · value TEXTE décide un cas dans tous les dossiers concernés et pour les patches à venir. Les valeurs que personne n'a modifiées suivent un patch avec --take-unchanged.",
  decided: (id: string, choice: 'keep' | 'take' | 'value', folders: readonly string[]) =>
    `Cas ${id} : ${{ keep: 'la valeur propre reste', take: 'la valeur livrée est prise', value: 'la valeur donnée est posée' }[choice]} dans ${folders.join(', ')}, et partout où le cas se représente.`,
  allInLine: 'Tous les dossiers sont en phase avec le dossier superviseur.',
  runLine: (run, short, ms) =>
    `Exécution ${run}${ms === null ? '' : ` · ${(ms / 1000).toFixed(1).replace('.', ',')} s`} · rustine log ${short}`,
  batch: batchReport,
  openRuns: runWords,
  progress: {
    waiting: (run, operator, host, folders) =>
      `L'exécution ${run} de ${operator} sur ${host} passe d'abord dans ${folders} : attente de sa fin`,
    changing: (changes) => `Attente de la fin d'autres commandes qui modifient des dossiers : ${changes}`,
    wave: (wave, folders, canary) => `Vague ${wave}${canary ? " (passe d'abord, à l'essai)" : ''} : ${n(folders, 'dossier')}`,
    prepared: (folder: string) => `${folder} : préparé, attend les autres`,
    decided: {
      commit: 'Tous les dossiers sont préparés : tout est confirmé',
      rollback: 'Tous les dossiers ne peuvent pas tout recevoir : tout est annulé',
    },
    postponed: (folder, table, blocker, seconds) =>
      `${folder} : ${table === '' ? 'une table' : `la table ${table}`} est verrouillée par ${blocker === '' ? 'une autre session' : blocker} ; nouvel essai dans ${seconds} s`,
    cancelled: (by, hard) =>
      hard
        ? `${by} arrête l'exécution sur-le-champ : ce qui est en cours est annulé`
        : `${by} arrête l'exécution : chaque patch en cours va à son terme`,
    read: (file, elements) => `${file} lu : ${n(elements, 'élément')}`,
    started: (files, folders, rehearse) =>
      files === 0
        ? `Aucun patch à intégrer dans ${n(folders, 'dossier')}`
        : `${rehearse ? 'Répétition' : 'Intégration'} de ${n(files, 'patch', 'patches')} dans ${n(folders, 'dossier')}`,
  },
  patchTypes: { '1': 'standard', '2': 'superviseur', '3': 'spécifique', '4': 'vertical', '5': 'add-on' },
  patchFrom: (type, folder, languages) => `Patch ${type} du dossier ${folder || '?'}, langues ${languages || '-'}`,
  patchAuthorizes: (codes) => `autorise les codes activité ${codes}`,
  patchSize: (elements, bytes) => `${n(elements, 'élément')}, ${bytes.toLocaleString('fr')} octets`,
};
