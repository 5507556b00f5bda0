// French words for facts that are codes themselves: what the patch reader expected, why the system refused.
import type * as english from '../en/reasons.ts';

export const expected: typeof english.expected = {
  header: 'la ligne d’en-tête, 1,"","FRA","1",…',
  'element-or-end': 'un nouvel élément (ligne 2) ou la fin du fichier (ligne 8)',
  'element-head': 'une ligne 2 complète, avec type, nom et intitulé',
  'closing-line-7': "la ligne 7 qui répète la ligne 2 de l'élément",
  'record-or-closing-line-7': "un enregistrement (ligne 3) ou la fin de l'élément (ligne 7)",
  'record-head': 'une ligne 3 complète, avec table et clé',
  'value-or-record-end': "une valeur (ligne 4, 5 ou 9) ou la fin de l'enregistrement (ligne 6)",
  'record-end': "la ligne 6 de l'enregistrement",
  field: 'un nom de champ entre guillemets',
  index: 'un indice en chiffres',
  value: 'un texte entre guillemets ou un nombre',
  text: 'texte, langue, numéro et commentaire',
  translation: 'texte, langue et deux identifiants',
  'source-end': 'la ligne de dix étoiles qui termine un traitement',
  'byte-count': "le nombre d'octets d'un binaire",
  payload: "autant d'octets qu'annoncé",
  'payload-end': "dix étoiles après le dernier octet d'un binaire",
  'end-line': 'la dernière ligne, 8,"" : le fichier est tronqué',
  'end-of-file': 'rien après la dernière ligne',
  'shorter-line': 'une ligne plus courte (16 Mio au plus)',
  'smaller-record': 'un enregistrement plus petit',
  'no-nul': 'un texte sans caractère NUL',
};

export const reasons: Readonly<Record<string, string>> = {
  ENOENT: "il n'existe pas",
  EACCES: 'droits insuffisants',
  EPERM: "ce n'est pas permis",
  EISDIR: "c'est un répertoire",
  ENOTDIR: "une partie du chemin n'est pas un répertoire",
  ENOSPC: "il n'y a plus de place sur le disque",
  EROFS: 'le disque est en lecture seule',
  EMFILE: 'trop de fichiers ouverts',
  ELOOP: 'les liens symboliques tournent en rond',
  EIO: 'le disque signale une erreur',
  unknown: "pour une raison que le système n'a pas donnée",
  unreadable: "son contenu n'est pas celui que Rustine a écrit",
  'pointer-lost': "il désigne un endroit qui n'existe plus",
  'platform-not-supported': "il n'y en a pas pour cette plate-forme",
  'package-missing': "son paquet npm n'est pas installé",
  'key-database': 'une URL de base de données est attendue, comme postgresql://utilisateur@serveur:5432/nom',
  'key-language': 'en ou fr est attendu',
  'key-jobs': 'un nombre entier à partir de 1 est attendu',
  'key-unknown': "cette clé n'existe pas ; clés connues : database, language, jobs",
  'not-keys': 'une liste de clés et de valeurs est attendue, comme `language: fr`',
  'yaml-syntax': "ce n'est pas du YAML valide",
  'password-readable':
    "l'URL de la base contient un mot de passe, et d'autres peuvent lire le fichier. Rendez-le lisible par son propriétaire seul (chmod 600), ou donnez l'URL dans RUSTINE_DATABASE_URL",
};

export const nothing = 'la fin du fichier';
