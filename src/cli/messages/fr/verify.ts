// French sentences of `status --verify`.

import type { verifyFindings as english, verifyReport as englishReport } from '../en/verify.ts';
import type { Messages } from '../en.ts';
import { some } from '../said.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count < 2 ? one : many}`;

/** What default privileges are about. */
const OBJECTS: Readonly<Record<string, string>> = {
  tables: 'tables',
  sequences: 'séquences',
  functions: 'fonctions',
  types: 'types',
  schemas: 'schémas',
  'large objects': 'grands objets',
};

/** What hands put into a schema. */
const ADDED: Readonly<Record<string, string>> = {
  sequence: 'La séquence',
  type: 'Le type',
  domain: 'Le domaine',
  extension: "Le module d'extension",
};

export const verifyFindings: Pick<Messages['findings'], keyof typeof english> = {
  'history-changed': (f) =>
    `Ce que le catalogue dit de ${f('file')} (${f('at')} UTC, ${f('operator')}) a été modifié à la main par la suite : la ligne ne donne plus son empreinte.`,
  'history-inserted': (f) =>
    `La ligne de ${f('file')} (${f('at')} UTC, ${f('operator')}) a été ajoutée au catalogue à la main : elle n'est pas dans la chaîne de ce qui a été écrit dans le dossier.`,
  'history-removed': (f) =>
    `Ce qui avait été écrit dans le dossier juste avant ${f('file')} (${f('at')} UTC, ${f('operator')}) a été supprimé du catalogue à la main.`,
  'mirror-lacks': (f) =>
    `Sur le serveur ${f('server')}, il manque ${f('file')} à ce qui représente le dossier, alors que celui-ci l'a : les dossiers de ce serveur ne trouvent pas ce qu'il a apporté.`,
  'history-cut': (f) =>
    `La fin de ce qui a été écrit dans le dossier a été coupée, ou sa dernière empreinte modifiée à la main : il reste ${n(f.number('left'), 'ligne')}.`,
  'history-taken-back': (f) =>
    `La reprise de ${f('file')} (${f('at')} UTC, ${f('operator')}) : le catalogue ne dit pas la même chose du patch et de ce qui l'a repris.`,
  'standing-differs': () =>
    `Le niveau et le nombre de patches que montre \`status\` ne sont pas ceux des lignes du catalogue : ils ont été modifiés à la main, ou des lignes ont été remises sans les déclencheurs. Ce que \`status\` dit du retard de ce dossier n'est pas vrai.`,
  'trigger-off': (f) =>
    `Le déclencheur ${f('trigger')} de rustine.integration manque ou est désactivé : ce qui est écrit dans les dossiers n'est pas enchaîné ni compté pendant ce temps. S'il manque, restaurez le catalogue depuis une sauvegarde.`,
  'schema-missing': (f) =>
    `Le schéma ${f('schema')} du dossier${f.has('folder') ? ` ${f('folder')}` : ''} n'est pas dans la base : il a été supprimé ou renommé à la main, avec toutes ses tables. Rendez-lui son nom, ou restaurez-le depuis une sauvegarde, avant toute autre action dans ce dossier.`,
  'schema-renamed': (f) =>
    `Le schéma ${f('schema')} du dossier${f.has('folder') ? ` ${f('folder')}` : ''} s'appelle maintenant ${f('found')} : il a été renommé à la main. Rendez-lui son nom avant toute autre action dans ce dossier${f.has('statement') ? ` : \`${f('statement')}\`` : ''}.`,
  'table-owner-differs': (f) =>
    `La table ${f('table')} a été donnée à l'utilisateur du dossier : les traitements peuvent la modifier ou la supprimer, et elle compte comme la leur. Ne la supprimez pas : elle contient les données du dossier.`,
  'function-added': (f) =>
    `La fonction ${f('function')} est dans le schéma du dossier, et aucun traitement ne l'a créée. Elle peut en masquer une du dossier superviseur.`,
  'object-added': (f) =>
    `${ADDED[f('kind')] ?? f('kind')} ${f('name')} se trouve dans le schéma du dossier, et ne vient d'aucun traitement. Si quelqu'un en a besoin, sa place est dans un schéma à part.`,
  'column-renamed': (f) =>
    `La colonne ${f('column')} manque dans la table ${f('table')}, et ${f('found')} a son type : elle a été renommée.`,
  'apatch-missing': (f) => `APATCH n'a pas de ligne pour ${f('file')}, intégré selon le catalogue (${f('at')} UTC).`,
  'apatch-unknown': (f) => `APATCH a une ligne pour ${f('file')}, que le catalogue ne connaît pas.`,
  'apatch-changed': (f) =>
    `La ligne de ${f('file')} dans APATCH a été modifiée depuis son écriture (${f('at')} UTC) : ${some(f.list('fields'))}.`,
  'content-altered': (f) =>
    `${f('element')} : ce qui est stocké ne correspond plus à son empreinte (${some(f.list('records'))}). Cela a été modifié à la main, pour tous les dossiers qui ont la même chose.`,
  'script-altered': (f) =>
    `${f('element')} : le traitement stocké ne correspond plus à son empreinte. Il a été modifié à la main.`,
  'kept-file-altered': (f) =>
    `Le fichier de patch conservé ${f('file')} n'est plus celui qui a été livré : ce qu'il a apporté ne peut pas être comparé.`,
  'file-not-kept': (f) =>
    `Ce qui est venu avec ${f('file')} n'a pas été comparé, car le fichier n'est pas conservé. \`rustine integrate\` avec ce fichier le conserve, et ne fait rien d'autre là où il est déjà intégré.`,
  'element-missing': (f) =>
    `${f('element')} n'est pas dans le dictionnaire, alors qu'un patch ou la création du dossier l'a apporté.`,
  'element-differs': (f) =>
    `${f('element')} n'est pas tel qu'il a été livré (attendu → trouvé ; − absent, + en trop, ↕ déplacé) : ${some(f.list('lines'))}${f.number('count') > f.list('lines').length ? `, ${f.number('count')} lignes en tout` : ''}.`,
  'element-texts-to-come': (f) =>
    `${f('element')} n'a pas encore de textes en ${some(f.list('languages'))}. ${f('file')} les contient ; l'intégrer à nouveau les apporte, et reprend ce que des patches plus récents ont apporté aux mêmes éléments et lignes.`,
  'kernel-texts-to-come': (f) =>
    `${f('element')}, venu à la création du dossier, n'a pas encore de textes en ${some(f.list('languages'))}. Une validation les apporte.`,
  'script-missing': (f) => `${f('element')} : le dossier n'a pas de copie de ce traitement, alors qu'un patch l'a apporté.`,
  'script-differs': (f) => `${f('element')} : la copie de ce traitement dans le dossier n'est pas la dernière livrée.`,
  'table-missing': (f) => `La table ${f('table')} est dans le dictionnaire et pas dans la base : elle a été supprimée.`,
  'table-renamed': (f) => `La table ${f('table')} manque, et ${f('found')} a ses colonnes : elle a été renommée.`,
  'table-left': (f) =>
    `La table ${f('table')} est dans la base, alors que les codes activité et les modules du dossier ne la génèrent pas.`,
  'table-added': (f) =>
    `${f('table')} (${f('kind')}) est dans le schéma du dossier, et ni le dictionnaire ni un traitement ne l'a créé. Si quelqu'un en a besoin, sa place est dans un schéma à part.`,
  'table-unlogged': (f) => `La table ${f('table')} a été passée en « unlogged » : un arrêt brutal du serveur la vide.`,
  'table-row-security': (f) =>
    `La sécurité par ligne a été activée pour la table ${f('table')} : les programmes peuvent voir moins de lignes qu'il n'y en a.`,
  'sequence-missing': (f) =>
    `La séquence ${f('sequence')}, qui numérote les lignes de toutes les tables du dossier, manque : plus aucune table n'accepte de nouvelle ligne.`,
  'sequence-renamed': (f) =>
    `La séquence ${f('sequence')}, qui numérote les lignes de toutes les tables du dossier, s'appelle ${f('found')} : elle a été renommée. Plus aucun patch ne peut créer de table.`,
  'column-missing': (f) => `La colonne ${f('column')} (${f('type')}) manque dans la table ${f('table')}.`,
  'column-left': (f) => `La colonne ${f('column')} est dans la table ${f('table')}, alors que son champ n'est plus généré.`,
  'column-added': (f) =>
    `La colonne ${f('column')} (${f('type')}) de la table ${f('table')} n'est pas dans le dictionnaire : quelqu'un l'a ajoutée.`,
  'column-type-differs': (f) =>
    `La colonne ${f('column')} de la table ${f('table')} est de type ${f('found')} ; selon le dictionnaire, ce doit être ${f('expected')}.`,
  'column-null-differs': (f) =>
    f('notNull') === 'true'
      ? `La colonne ${f('column')} de la table ${f('table')} peut être vide (NULL) ; elle a été créée NOT NULL.`
      : `La colonne ${f('column')} de la table ${f('table')} est NOT NULL ; elle a été créée de façon à pouvoir être vide.`,
  'column-default-differs': (f) =>
    `La colonne ${f('column')} de la table ${f('table')} ${f('found') === '' ? "n'a pas de valeur par défaut" : `a la valeur par défaut ${f('found')}`} ; elle a été créée ${f('expected') === '' ? 'sans' : `avec ${f('expected')}`}.`,
  'column-collation-differs': (f) =>
    `La colonne ${f('column')} de la table ${f('table')} est triée selon le classement (collation) ${f('found')} ; elle a été créée avec celui de la base.`,
  'index-missing': (f) => `L'index ${f('index')} (${some(f.list('columns'))}) de la table ${f('table')} manque.`,
  'index-renamed': (f) =>
    `L'index ${f('index')} de la table ${f('table')} manque, et ${f('found')} porte sur les mêmes colonnes : il a été renommé. Une validation le construirait une seconde fois.`,
  'index-differs': (f) =>
    `L'index ${f('index')} de la table ${f('table')} n'est pas celui du dictionnaire (${some(f.list('columns'))}).`,
  'index-left': (f) => `L'index ${f('index')} de la table ${f('table')} n'est plus dans le dictionnaire.`,
  'index-invalid': (f) => `L'index ${f('name')} de la table ${f('table')} est invalide : le serveur ne l'utilise pas.`,
  'constraint-added': (f) =>
    `La contrainte ${f('name')} a été ajoutée à la table ${f('table')} : ${f('definition')}. Elle peut faire échouer des patches et des programmes.`,
  'trigger-added': (f) =>
    `Le trigger ${f('name')} a été ajouté à la ${f('kind') === 'view' ? 'vue' : 'table'} ${f('table')} : ${f('definition')}.`,
  'rule-added': (f) =>
    `La règle ${f('name')} a été ajoutée à la ${f('kind') === 'view' ? 'vue' : 'table'} ${f('table')} : ${f('definition')}.`,
  'view-missing': (f) => `La vue ${f('view')} du dictionnaire manque.`,
  'view-differs': (f) => `La vue ${f('view')} du dictionnaire n'est pas telle qu'elle a été créée.`,
  'function-missing': (f) => `La fonction ${f('function')}, créée par le traitement ${f('script')}, manque.`,
  'function-differs': (f) => `La fonction ${f('function')} n'est pas telle que le traitement ${f('script')} l'a créée.`,
  'function-rights-differ': (f) =>
    `Les droits d'exécution de la fonction ${f('function')} ne sont plus ceux que le traitement ${f('script')} a laissés : ${[
      ...(f.list('lost').length === 0 ? [] : [`retirés à ${some(f.list('lost'))}`]),
      ...(f.list('won').length === 0 ? [] : [`accordés depuis à ${some(f.list('won'))}`]),
    ].join(', ')}.`,
  'login-missing': () =>
    `Le rôle de connexion du dossier n'existe plus. Recréez un rôle de ce nom, ou restaurez les rôles du serveur.`,
  'login-attributes': (f) =>
    `Le rôle de connexion du dossier n'est plus tel qu'il a été créé : il est maintenant ${some(f.list('attributes'))}.`,
  'login-member': (f) => `Le rôle de connexion du dossier a été rendu membre de ${some(f.list('roles'))}, et a donc ces droits.`,
  'login-search-path': (f) =>
    `Le rôle de connexion du dossier cherche les noms dans ${f('found') === '' ? 'aucun schéma qui lui soit propre' : f('found')} ; il a été créé pour les chercher dans ${f('expected')} : ses utilisateurs et ses traitements trouvent d'autres tables et fonctions, ou aucune.`,
  'right-added': (f) =>
    `${f('everybody') === 'true' ? 'Tout le monde (PUBLIC) a' : 'Le rôle de connexion du dossier a'} plus de droits qu'il n'en a été donné : ${some(f.list('rights'))} sur ${some(f.list('objects'))}${f.number('count') > f.list('objects').length ? `, ${f.number('count')} en tout` : ''}.`,
  'right-grantable': (f) =>
    `Le rôle de connexion du dossier peut transmettre à d'autres des droits qu'il a : ${some(f.list('rights'))} sur ${some(f.list('objects'))}${f.number('count') > f.list('objects').length ? `, ${f.number('count')} en tout` : ''}.`,
  'default-right-added': (f) =>
    `${f('everybody') === 'true' ? 'Tout le monde (PUBLIC)' : 'Le rôle de connexion du dossier'} recevrait plus de droits que prévu sur les ${OBJECTS[f('kind')] ?? f('kind')} que ${f('maker')} créera${f('schema') === '' ? ', quel que soit le schéma' : ` dans le schéma ${f('schema')}`} : ${some(f.list('rights'))} (droits par défaut). Les droits sur ce qui a été créé entre-temps sont signalés à part.`,
  'default-right-missing': (f) =>
    `Il manquerait au rôle de connexion du dossier des droits sur les ${OBJECTS[f('kind')] ?? f('kind')} que les patches créeront dans le schéma ${f('schema')} : ${some(f.list('rights'))} (droits par défaut).`,
  'login-owns': (f) =>
    `Le rôle de connexion du dossier est devenu propriétaire ${f('kind') === 'database' ? 'de la base' : 'du schéma'} ${f('object')} : il peut tout y modifier, ou le supprimer avec tout ce qu'il contient.`,
  'right-missing': (f) =>
    `Il manque au rôle de connexion du dossier des droits qui lui ont été donnés : ${some(f.list('rights'))} sur ${some(f.list('objects'))}${f.number('count') > f.list('objects').length ? `, ${f.number('count')} en tout` : ''}.`,
};

export const verifyReport: typeof englishReport = {
  inLine: (count, mirrors) =>
    `${n(count, 'dossier')}${mirrors === 0 ? '' : ` et ${n(mirrors, 'miroir')}`} ${count + mirrors < 2 ? 'vérifié' : 'vérifiés'} : APATCH, dictionnaire, tables et droits sont en ordre.`,
  differs: (count, folders, mirrors) =>
    `${n(folders, 'dossier')}${mirrors === 0 ? '' : ` et ${n(mirrors, 'miroir')}`} ${folders + mirrors < 2 ? 'vérifié' : 'vérifiés'}, ${n(count, 'différence')} :`,
  one: (count) =>
    count === 0
      ? 'Vérifié : APATCH, dictionnaire, tables et droits sont en ordre, pour ce qui a été comparé.'
      : `Vérifié : ${n(count, 'différence')}.`,
  page: {
    title: "Vérification : APATCH, dictionnaire, tables et droits des dossiers tels qu'ils sont",
    differences: 'Différences',
    caption: "Ce qui n'est pas comme il se doit, les dossiers concernés, et ce qui y remédie",
    said: 'Constat',
    patch: 'Patch',
    next: 'Ce qui y remédie',
    differing: 'avec des différences',
    notCompared: 'Non comparé',
    verified: 'Dossiers vérifiés',
    asItShouldBe: 'aucune',
    since: 'Chaîne depuis',
    chain: 'Empreinte de la chaîne',
    chainCaption: "Dossiers vérifiés, et l'empreinte de tout ce qui a été écrit dans chacun, à comparer aux suivantes",
  },
  mirror: (folder, server) => `${folder} (son miroir sur ${server})`,
  notCompared: (files, count, folders) =>
    `Non comparé dans ${folders}, faute de fichier conservé : ce qui est venu avec ${files}. \`rustine integrate\` avec ${count === 1 ? 'ce fichier le' : 'ces fichiers les'} conserve, et ne fait rien d'autre là où ${count === 1 ? 'il est déjà intégré' : 'ils sont déjà intégrés'}.`,
  backup: 'aucune commande ne rétablit cela : comparez avec une sauvegarde',
  longCommand: 'le SQL est dans `rustine status --verify --json`',
  each: 'les commandes des dossiers sont dans `rustine status --verify --json` ; la première :',
  done: (done, all) => `${n(done, 'dossier')} ${done < 2 ? 'vérifié' : 'vérifiés'}${all}`,
};
