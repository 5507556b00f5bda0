// French sentences for the codes of findings: what, where, why, and what to do.
import type { FindingCode, Sentences } from '../en.ts';
import { some } from '../said.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count < 2 ? one : many}`;
const MEND = 'Le patch est à corriger là où il a été fait.';

export const findings: Sentences<FindingCode> = {
  'patch-bom': () => "Le fichier commence par une marque d'ordre des octets, qu'un patch n'a pas ; il est lu sans elle.",
  'patch-crlf': () =>
    'Les lignes finissent par CR LF au lieu de LF ; elles sont lues comme LF. Un éditeur ou un transfert en mode texte a sans doute modifié le fichier.',
  'patch-latin1': () => "Le fichier n'est pas en UTF-8 ; il est lu en Latin-1. Vérifiez les lettres accentuées.",
  'patch-no-last-line-end': () => "La dernière ligne n'a pas de fin de ligne ; le fichier est complet quand même.",
  'patch-unknown-kind': (f) =>
    `${n(f.number('count'), 'ligne')} d'un genre inconnu du format des patches : gardées telles quelles.`,
  'directory-foreign': (f) =>
    `${f('directory')} contient autre chose que des patches : ${some(f.list('entries'))}. Tout le répertoire serait intégré, il ne doit donc rien y avoir d'autre : déplacez-les, les notes dans son sous-répertoire doc/.`,
  'directory-empty': (f) => `${f('directory')} ne contient aucun patch (*.dat). Vérifiez le chemin.`,
  notes: (f) =>
    `Des notes accompagnent cette livraison : ${some(f.list('notes'))} (dans ${f('directory')}). Lisez-les : elles décrivent le contenu des patches.`,
  'patch-twice': (f) => `${f('file')} est donné deux fois ; il est intégré une fois.`,
  'element-ignored': (f) =>
    `${f('subject')} est ignoré : il porte le code activité ${f('code')}, que l'en-tête du patch n'autorise pas ; ${f('option')} le fait entrer.`,
  'lines-ignored': (f) =>
    `${f('subject')} : ${n(f.number('count'), 'ligne')} ${f('tag')} ${f.number('count') < 2 ? 'ignorée' : 'ignorées'} (${some(f.list('keys'))}) : le code activité ${f('code')} n'est pas autorisé ; --authorize ${f('code')} les fait entrer.`,
  'script-ignored': (f) =>
    `${f('subject')} est ignoré : les noms qui commencent par ${f('letter')} sont spécifiques, et l'en-tête du patch n'autorise aucun tel code ; ${f('option')} le fait entrer.`,
  'element-twice': (f) => `${f('element')} est deux fois dans le patch ; le dernier compte.`,
  'element-key-incomplete': (f) =>
    `${f('subject')} : plusieurs enregistrements ${f('tag')} ont la même clé ${f('key')}. Tous sont gardés, dans leur ordre ; rien n'est perdu.`,
  'type-unknown': (f) =>
    `${n(f.number('count'), 'élément')} de type ${f('type')}, inconnu de Rustine : conservés tels quels, remplacés en entier par les patches suivants.`,
  'tag-unknown': (f) =>
    `${n(f.number('count'), 'enregistrement')} ${f('tag')} dans des éléments de type ${f('type')}, inconnus de Rustine : conservés tels quels.`,
  'table-unknown': (f) =>
    `${n(f.number('rows'), 'ligne')} pour une table d'abréviation ${f('abbreviation')}, qui n'est ni dans le dossier ni dans la liste de patches. Intégrez d'abord le patch qui apporte la table.`,
  'column-unknown': (f) => `La table ${f('table')} n'a pas de champ ${f('field')} : ses valeurs sont laissées de côté.`,
  'data-key-missing': (f) =>
    `Les lignes de la table ${f('table')} n'ont pas le champ ${f('field')} du premier index, auquel on les reconnaît. ${MEND}`,
  'data-value': (f) =>
    `Table ${f('table')}, champ ${f('field')} : ${f('value')} ne convient pas à ${f('type')} (${f('reason')}). ${MEND}`,
  'data-type-unknown': (f) =>
    `Table ${f('table')}, champ ${f('field')} : le type de données ${f('type')} n'est ni dans le dossier ni dans la liste de patches. Intégrez d'abord le patch qui l'apporte (élément ATY:${f('type')}).`,
  'table-change-unsupported': (f) =>
    `Table ${f('table')}, champ ${f('field')} : ${f('change')} de ${f('from')} en ${f('to')} impossible avec les lignes présentes. Corrigez ces lignes, ou gardez le type dans le patch.`,
  'index-field-missing': (f) =>
    `Table ${f('table')}, index ${f('index')} : il n'y a pas de champ ${f('field')} à indexer. ${MEND}`,
  'index-duplicates': (f) =>
    `Table ${f('table')}, index ${f('index')} sans doublons, mais ${n(f.number('count'), 'valeur')} ${f.number('count') < 2 ? 'apparaît' : 'apparaissent'} plusieurs fois. Corrigez d'abord ces lignes.`,
  'abbreviation-twice': (f) =>
    `L'abréviation ${f('abbreviation')} est celle de plusieurs tables (${some(f.list('tables'))}) : les patches de données ne sauraient pas les distinguer. Changez l'une d'elles.`,
  'too-many-columns': (f) =>
    `La table ${f('table')} aurait ${f('count')} colonnes ; PostgreSQL en admet 1 600. Réduisez la taille des tableaux ou les codes activité qui la fixent.`,
  'name-invalid': (f) => `« ${f('name')} » n'est pas un nom valide (${f('kind')}). ${MEND}`,
  'value-nul': (f) =>
    `Le champ ${f('field')} contient un caractère NUL, que PostgreSQL ne peut pas garder dans un texte. ${MEND}`,
  'supervisor-missing': (f) =>
    `Le dossier superviseur ${f('supervisor')} n'est pas parmi les dossiers : les traitements ne sont pas patchés. Restent tels quels : ${some(f.list('scripts'))}. Ajoutez ${f('supervisor')} à --folders pour les patcher.`,
  'run-from': (f) =>
    `Vous travaillez depuis le dossier ${f('folder')} ; il est conseillé d'intégrer depuis le dossier superviseur ${f('supervisor')} (--from ${f('supervisor')}).`,
  'sequence-gap': (f) =>
    `${f('file')} est hors séquence : il lui faut ${f('needs')}, le dossier en est à ${f('has')}. Intégrez d'abord ce qui manque, ou forcez avec --force sequence=raison.`,
  'content-changed': (f) =>
    `${f('file')} a été intégré le ${f('on')} avec un autre contenu (empreinte ${f('integrated').slice(0, 12)}). Donnez un autre nom au patch modifié, ou forcez avec --force content=raison.`,
  'authorize-unused': (f) =>
    `Le code activité ${f('code')} est autorisé, mais rien dans ces patches ne le porte. Vérifiez l'orthographe.`,
  'supervisor-only': (f) => `C'est un patch superviseur : le dossier ${f('folder')} n'est pas concerné.`,
  'script-pending': (f) =>
    `Le traitement ${f('script')} est à exécuter après le patch et ne l'a pas été : Rustine ne sait pas exécuter son langage. Exécutez-le à la main dans ce dossier.`,
  'roles-unavailable': (f) =>
    `L'utilisateur ${f('user')} de la base ne peut pas créer de rôles : les dossiers partagent une connexion et ne sont pas isolés. Un utilisateur avec CREATEROLE les isole.`,
  'folder-left-behind': (f) =>
    `${f('patch')} est laissé de côté ici car il a échoué dans le dossier superviseur ${f('supervisor')} : aucun dossier ne le devance. Corrigez là-bas et relancez.`,
  'lock-capacity': (f) =>
    `L'exécution tiendrait ${f('needed')} verrous à la fois, le serveur en admet ${f('available')}. Augmentez ${f('setting')} et redémarrez le serveur, ou baissez --jobs.`,
  'history-folder': (f) =>
    `${f('folder')} est un dossier historique : il n'est pas patché, mais mis en phase après le dossier auquel il appartient.`,
  'text-language-fallback': (f) => `Le dossier n'a aucune des langues du patch : les textes sont pris en ${f('language')}.`,
  'due-activity-code': (f) =>
    `Le code activité ${f('code')} est livré dans un autre état ou une autre taille : le dossier est à valider.`,
};

export const unknownFinding = (code: string, subject: string, facts: string) =>
  `${subject ? `${subject} : ` : ''}${code}${facts ? ` (${facts})` : ''}.`;
