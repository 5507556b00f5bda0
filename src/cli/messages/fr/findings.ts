// French sentences for the codes of findings: what, where, why, and what to do.
import type { FindingCode, Sentences } from '../en.ts';
import { type Said, some } from '../said.ts';
import { blockerLines } from '../session-lines.ts';
import { historyFindings } from './history-folders.ts';
import { progress } from './progress.ts';
import { reasons } from './reasons.ts';
import { revertFindings } from './revert.ts';
import { revertTableFindings } from './revert-tables.ts';
import { serverFindings } from './servers.ts';
import { sessionFindings } from './sessions.ts';
import { validationRunFindings } from './validation.ts';
import { validationFindings } from './validation-findings.ts';
import { verifyFindings } from './verify.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count < 2 ? one : many}`;
const MEND = 'Le patch est à corriger là où il a été fait.';

const why = (f: Said) => reasons[f('reason')] ?? f('reason');

export const findings: Sentences<FindingCode> = {
  ...sessionFindings,
  ...verifyFindings,
  ...serverFindings,
  ...revertTableFindings,
  ...validationFindings,
  ...revertFindings,
  ...validationRunFindings,
  ...historyFindings,
  'patch-bom': () => "Le fichier commence par une marque d'ordre des octets, qu'un patch n'a pas ; il est lu sans elle.",
  'patch-crlf': () =>
    'Les lignes finissent par CR LF au lieu de LF ; elles sont lues comme LF. Un éditeur ou un transfert en mode texte a sans doute modifié le fichier.',
  'patch-latin1': () => "Le fichier n'est pas en UTF-8 ; il est lu en Latin-1. Vérifiez les lettres accentuées.",
  'patch-no-last-line-end': () => "La dernière ligne n'a pas de fin de ligne ; le fichier est complet quand même.",
  'patch-unknown-kind': (f) =>
    `${n(f.number('count'), 'ligne')} d'un genre inconnu du format des patches : gardées telles quelles.`,
  'directory-foreign': (f) =>
    `${f('directory')} contient autre chose que des patches : ${some(f.list('names'))}. Tout le répertoire serait intégré, il ne doit donc rien y avoir d'autre : déplacez-les, les notes dans son sous-répertoire doc/.`,
  'directory-empty': (f) => `${f('directory')} ne contient aucun patch (*.dat). Vérifiez le chemin.`,
  notes: (f) =>
    `Des notes accompagnent cette livraison : ${some(f.list('files'))} (dans ${f('directory')}). Lisez-les : elles décrivent le contenu des patches.`,
  'patch-twice': (f) =>
    `${f('file')} est donné deux fois (${some(f.list('paths'))}) ; le second passerait pour déjà intégré. Donnez-le une fois, ou renommez l'un des deux.`,
  'element-ignored': (f) =>
    `${f('element')} est ignoré : il porte le code activité ${f('code')}, que l'en-tête du patch n'autorise pas ; ${f('option')} le fait entrer.`,
  'lines-ignored': (f) =>
    `${f('element')} : ${n(f.number('count'), 'ligne')} ${f.number('count') < 2 ? 'ignorée' : 'ignorées'} (${some(f.list('keys'))}) : le code activité ${f('code')} n'est pas autorisé par l'en-tête du patch ; ${f('option')} les fait entrer.`,
  'header-specific': (f) =>
    f('blocked') === 'true'
      ? `${f('element')} reste tel quel : l'en-tête de cette table standard porte dans le dossier le code spécifique ${f('code')}, qui écarte tout patch de la table. Placez le code sur les champs et les index spécifiques ; --authorize ${f('code')} laisse entrer ce patch.`
      : `${f('element')} : l'en-tête de cette table standard porte le code spécifique ${f('code')} : tout patch ultérieur de la table sera écarté. Placez plutôt le code sur les champs et les index spécifiques.`,
  'element-header-missing': (f) =>
    `${f('element')} est livré sans son enregistrement d'en-tête ; celui du dossier reste. Le patch est à corriger là où il a été fait.`,
  'set-up-overwritten': (f) =>
    `${f('element')} : des valeurs modifiées dans le dossier ne relèvent plus du paramétrage, et celles livrées prennent leur place : ${some(f.list('fields'))}. Saisissez-les à nouveau là où elles sont encore voulues.`,
  'activity-code-value': (f) =>
    f('field') === 'CODACT'
      ? `${f('element')} : le code a ${f('value').length} caractères ; ADOSACT en prend ${f('most')}. Le patch est à corriger là où il a été fait.`
      : `${f('element')}, champ ${f('field')} : « ${f('value')} » n'est pas un nombre entier de 0 à ${f('most')}. Le patch est à corriger là où il a été fait.`,
  'table-empty': (f) =>
    `${f('element')} est livré sans en-tête, champs ni index : pris au mot, toutes les colonnes partiraient. Le patch est à corriger là où il a été fait.`,
  'set-up-kept': (f) =>
    `${f('element')} : le dossier garde ses propres valeurs de paramétrage contre celles livrées : ${some(f.list('fields'))}. Voir rustine kept-values.`,
  'set-up-unchanged': (f) =>
    `${f('element')} : des valeurs de paramétrage que personne n'a modifiées diffèrent de celles livrées : ${some(f.list('fields'))}. Elles restent ; ${f('option')} les laisse suivre.`,
  'script-ignored': (f) =>
    `${f('element')} est ignoré : les noms qui commencent par ${f('letter')} sont spécifiques, et l'en-tête du patch n'autorise aucun tel code ; ${f('option')} le fait entrer.`,
  'element-twice': (f) => `${f('element')} est deux fois dans le patch ; le dernier compte.`,
  'element-key-incomplete': (f) =>
    `${f('subject')} : des enregistrements ${f('tag')} n'ont pas ${f('key')} de leur clé, ou la répètent. Tous sont gardés, dans leur ordre ; rien n'est perdu.`,
  'type-unknown': (f) =>
    `${n(f.number('count'), 'élément')} de type ${f('type')}, inconnu de Rustine : conservés tels quels, remplacés en entier par les patches suivants.`,
  'tag-unknown': (f) =>
    `${n(f.number('count'), 'enregistrement')} ${f('tag')} dans des éléments de type ${f('type')}, inconnus de Rustine : conservés tels quels.`,
  'table-unknown': (f) =>
    `${n(f.number('rows'), 'ligne')} pour une table d'abréviation ${f('abbreviation')}, qui n'est ni dans le dossier ni dans la liste de patches. Intégrez d'abord le patch qui apporte la table.`,
  'content-table-unknown': (f) =>
    `${f('element')}${f.has('line') ? `, enregistrement « ${f('record')} » de la ligne ${f('line')}` : ''} : il n'y a pas de table ${f('table') === '' ? 'nommée' : f('table')}, ni dans le dossier ni dans la liste de patches, ni par son nom ni par son abréviation. Intégrez d'abord le patch qui apporte la table.`,
  'content-tag': (f) =>
    `${f('element')} : l'enregistrement de la ligne ${f('line')} est de type ${f('tag')}, or le contenu d'une table ne se compose que d'enregistrements ${f('expected')}. ${MEND}`,
  'content-own-account': (f) =>
    `${f('element')} : la table ${f('table')} est le suivi des patches du dossier lui-même, qu'un patch n'écrit pas. Demandez le patch sans cet élément.`,
  'content-key-twice': (f) =>
    `Table ${f('table')} : ${n(f.number('count'), 'ligne')} du contenu livré ${f.number('count') < 2 ? 'répète' : 'répètent'} la clé d'une autre (${some(f.list('keys'))}). Le premier index le permet : on ne saurait pas les distinguer. Livrez la table avec un premier index sans doublons.`,
  'row-key-twice': (f) =>
    `Table ${f('table')} : ${n(f.number('count'), 'ligne')} du patch ${f.number('count') < 2 ? 'répète' : 'répètent'} la clé d'une ligne précédente (${some(f.list('keys'))}) ; la dernière compte.`,
  'column-unknown': (f) => `La table ${f('table')} n'a pas de champ ${f('field')} : ses valeurs sont laissées de côté.`,
  'field-left-out': (f) =>
    `Table ${f('table')} : ce dossier n'a pas le champ ${f('field')}, ou pas autant de postes (code activité inactif, ou sa taille) : ses valeurs sont laissées de côté. Le code une fois actif et le dossier validé, intégrer à nouveau le même fichier les apporte.`,
  'rows-left-out': (f) =>
    `${n(f.number('rows'), 'ligne')} de la table ${f('table')} laissée${f.number('rows') < 2 ? '' : 's'} de côté : ce dossier n'a pas la table, car son code activité est inactif ou son module n'est pas utilisé. Une fois la table là et le dossier validé, intégrer à nouveau le même fichier les apporte.`,
  'kept-restored': (f) =>
    `L'entrée ${f('kept')} (table ${f('table')}) a déjà été remise en place, le ${f('on').slice(0, 10)} par ${f('by')}. Ce qui y était avant cela est une entrée à part : \`rustine kept --table ${f('table')}\`.`,
  'kept-table-gone': (f) =>
    `Entrée ${f('kept')} : il n'y a pas de table ${f('table')} dans le dossier ${f('folder')}, rien ne peut donc y être remis. Remettez d'abord la table elle-même, si elle est gardée : \`rustine kept --table ${f('table')}\`.`,
  'kept-relation-gone': (f) =>
    `Entrée ${f('kept')} : la table elle-même, ${f('relation')}, n'est plus parmi ce qui est gardé : elle a été supprimée par un autre moyen. Seule une sauvegarde la contient.`,
  'kept-name-taken': (f) =>
    `Entrée ${f('kept')} : le dossier ${f('folder')} a maintenant autre chose sous le nom ${f('table')}, une vue par exemple. Renommez ou supprimez d'abord cela.`,
  'kept-values-present': (f) =>
    `Entrée ${f('kept')} : ${n(f.number('count'), 'ligne')} de la table ${f('table')} (${some(f.list('keys'))}) ${f.number('count') < 2 ? 'contient' : 'contiennent'} maintenant d'autres valeurs dans ${some(f.list('columns'))}. --overwrite prend les valeurs gardées et met de côté celles de maintenant.`,
  'kept-key-taken': (f) =>
    `Entrée ${f('kept')} : dans la table ${f('table')}, ${n(f.number('count'), 'ligne')} (${some(f.list('keys'))}) ${f.number('count') < 2 ? 'a' : 'ont'} une clé de l'index ${f('index')} qu'a aussi une ligne gardée. --overwrite prend les lignes gardées et met de côté celles de maintenant.`,
  'kept-unfit': (f) =>
    `Entrée ${f('kept')} : la table ${f('table')}, telle qu'elle est maintenant, n'accepte pas ce qui a été gardé : ${f('reason')}. \`rustine kept show ${f('kept')}\` montre les valeurs.`,
  'kept-values-unfit': (f) =>
    `Entrée ${f('kept')} : ${n(f.number('count'), 'ligne')} de la table ${f('table')} (${some(f.list('keys'))}) ${f.number('count') < 2 ? 'recevrait une autre valeur' : 'recevraient une autre valeur'} que celle gardée dans ${some(f.list('columns'))} : la colonne est maintenant plus étroite ou d'un autre type. Remettez l'entrée en place quand la colonne sera comme avant, ou reprenez les valeurs dans \`rustine kept show ${f('kept')}\`.`,
  'kept-undefined': (f) =>
    f.has('columns')
      ? `Table ${f('table')} : ${some(f.list('columns'))} est de nouveau dans la base de données, mais le dictionnaire du dossier ${f('folder')} ne le définit pas : les patches ne l'alimentent pas et, si son champ a moins de postes ou un code activité inactif, la prochaine validation de la table le remettra de côté. Donnez ce champ à la définition de la table ; un code activité spécifique (X, Y, Z) l'y protège des patches standard.`
      : `La table ${f('table')} est de nouveau dans la base de données. Si le dictionnaire du dossier ${f('folder')} ne la définit pas, ou si son code activité ou son module est inactif, une validation peut la remettre de côté : définissez-la, ou activez-les.`,
  'kept-rows-gone': (f) =>
    `Entrée ${f('kept')} : ${n(f.number('count'), 'ligne')} de la table ${f('table')} ${f.number('count') < 2 ? "n'existe" : "n'existent"} plus ; les valeurs gardées restent de côté, à remettre une fois les lignes revenues. \`rustine kept show ${f('kept')}\` les montre.`,
  'kept-columns-gone': (f) =>
    `Entrée ${f('kept')} : la table ${f('table')} n'a plus ${some(f.list('columns'))} ; les valeurs de ces colonnes restent de côté. \`rustine kept --table ${f('table')}\` liste les colonnes à remettre d'abord.`,
  'data-key-missing': (f) =>
    f.has('field')
      ? `Les lignes de la table ${f('table')} n'ont pas le champ ${f('field')} du premier index, auquel on les reconnaît. ${MEND}`
      : `La table ${f('table')} n'a pas d'index : ses lignes ne pourraient pas être reconnues. Donnez-en d'abord un à sa définition.`,
  'data-value': (f) =>
    `Table ${f('table')}, champ ${f('field')} : « ${f('value')} » ne convient pas à ${f('type')} : ${why(f)}. ${MEND}`,
  'data-type-unknown': (f) =>
    `Table ${f('table')}, champ ${f('field')} : le type de données ${f('type')} n'est ni dans le dossier ni dans la liste de patches. Intégrez d'abord le patch qui l'apporte (élément ATY:${f('type')}).`,
  'data-type-internal': (f) =>
    `Table ${f('table')}, champ ${f('field')} : son type de données ${f('type')} ${f.has('number') ? `a le type interne ${f('number')}` : "n'a pas de type interne"}, Rustine ne peut pas en faire de colonne ; 1 à 12 sont connus. Corrigez l'élément ATY:${f('type')} là où il a été fait.`,
  'view-hidden': (f) =>
    `La vue typée ${f('view')} du dictionnaire n'est pas là : autre chose dans le schéma du dossier porte ce nom, par exemple une table de l'application. Le dictionnaire reste lisible dans rustine.dictionary.`,
  'activity-code-unknown': (f) =>
    `Le code activité ${f('code')} n'est pas dans le dictionnaire du dossier ${f('folder')} : il prendra effet quand un patch l'apportera. Vérifiez l'orthographe.`,
  'values-do-not-fit': (f) =>
    `Table ${f('table')}, colonne ${f('field')} : elle devrait passer de ${f('from')} à ${f('to')}, mais ${n(f.number('count'), 'ligne contient une valeur', 'lignes contiennent des valeurs')} qui n'y survivrai${f.number('count') < 2 ? 't' : 'ent'} pas : ${some(f.list('keys'))}. Changez d'abord ces valeurs, ou gardez le type dans le patch.`,
  'values-kept-aside': (f) =>
    `La table ${f('table')}${f.has('columns') ? `, ${some(f.list('columns'))},` : ''} est de nouveau là, vide ; ce qu'elle contenait est toujours mis de côté. \`${f('command')}\` le remet en place.`,
  'index-field-missing': (f) =>
    `Table ${f('table')}, index ${f('index')} : il n'y a pas de champ ${f('field')} à indexer. ${MEND}`,
  'index-duplicates': (f) =>
    `Table ${f('table')}, index ${f('index')} sans doublons, mais ${n(f.number('count'), 'valeur apparaît', 'valeurs apparaissent')} plusieurs fois : ${some(f.list('keys'))}. Corrigez d'abord ces lignes.`,
  'index-too-wide': (f) =>
    `Table ${f('table')}, index ${f('index')} : il a ${f('count')} champs ; PostgreSQL en accepte ${f('most')} au plus. ${MEND}`,
  'rows-collide': (f) =>
    `Table ${f('table')}, index ${f('index')} sans doublons, mais avec les lignes livrées ${n(f.number('count'), 'valeur y serait', 'valeurs y seraient')} plus d'une fois : ${some(f.list('keys'))}. Changez les lignes du dossier qui les ont, ou demandez un patch corrigé.`,
  'index-left-out': (f) =>
    `Table ${f('table')} : l'index ${f('index')} n'est pas créé ici, car ce dossier n'a pas ${f('field')} (code activité inactif, ou moins d'occurrences).`,
  'abbreviation-twice': (f) =>
    `L'abréviation ${f('abbreviation')} est celle de plusieurs tables (${some(f.list('tables'))}) : les patches de données ne sauraient pas les distinguer. Changez l'une d'elles.`,
  'too-many-columns': (f) =>
    `La table ${f('table')} aurait ${f('count')} colonnes${f.number('dropped') > 0 ? `, dont ${f('dropped')} supprimées que PostgreSQL compte encore` : ''} ; PostgreSQL en accepte 1 600 au plus. ${f.number('count') - f.number('dropped') > 1_600 ? 'Réduisez les dimensions ou les codes activité qui les fixent.' : "Les colonnes supprimées comptent jusqu'à ce que la table soit recréée : exportez-la et rechargez-la (pg_dump, pg_restore) pendant que personne ne travaille dans le dossier, puis recommencez."}`,
  'name-reserved': (f) => `Aucune table ne peut s'appeler ${f('name')} : PostgreSQL ou Rustine se réserve ce nom. ${MEND}`,
  'function-dropped': (f) =>
    `Le traitement ${f('script')} ne crée plus la fonction ${f('function')}, que sa version précédente avait créée : elle a été supprimée.`,
  'function-kept': (f) =>
    f.has('users')
      ? `Le traitement ${f('script')} ne crée plus la fonction ${f('function')}, mais ${some(f.list('users'))} en a besoin : elle a été conservée. Supprimez les deux si personne ne s'en sert.`
      : `Le traitement ${f('script')} nomme la fonction ${f('function')}, que sa version précédente avait créée, et ne l'a pas recréée : elle reste telle qu'elle était. \`create or replace\` sans condition apporterait celle de la nouvelle version.`,
  'name-taken': (f) =>
    `Table ${f('table')} : ${f('kind') === 'index' ? 'son index' : 'elle'} s'appellerait ${f('name')} dans la base de données, et ${f.has('owner') ? `une table de l'utilisateur ${f('owner')} du dossier porte déjà ce nom. Si c'est celle du dossier, donnée à cet utilisateur, ne la supprimez pas : elle contient ses données ; \`${f('statement')}\` la reprend. Si un traitement l'a créée, renommez-la ou supprimez-la d'abord.` : "autre chose porte déjà ce nom dans le schéma du dossier. Renommez ou supprimez d'abord cela."}`,
  'system-field': (f) =>
    `La table ${f('table')} perdrait la colonne ${f('field')}, dont Rustine lui-même se sert. Gardez le champ dans le patch.`,
  'name-invalid': (f) => `« ${f('name')} » n'est pas un nom valide (${f('kind')}). ${MEND}`,
  'value-nul': (f) =>
    `${f('element')}, enregistrement ${f('record')} : une valeur contient un caractère NUL, que PostgreSQL ne peut pas garder dans un texte. ${MEND}`,
  'slots-too-many': (f) =>
    `${f('element')}, enregistrement ${f('record')} à la ligne ${f('line')} : ses indices demandent ${n(f.number('count'), 'poste')}, vides pour la plupart et dans le champ ${f('field')} ; un enregistrement en a ${f.number('most')} au plus, et un fichier ne peut se composer de postes vides. ${MEND}`,
  'supervisor-missing': (f) =>
    `Le dossier superviseur ${f('supervisor')} n'est pas parmi les dossiers : les traitements ne sont pas patchés${f.has('scripts') ? `. Restent tels quels : ${some(f.list('scripts'))}` : ''}. Ajoutez ${f('supervisor')} à --folders pour les patcher.`,
  'left-out-breaks': (f) =>
    `${f('script')} arrive dans ${f('from')}, dont ce dossier l'hérite, et utilise ${some(f.list('missing'))}, que le dossier n'a pas${f.list('files').length > 0 ? ` et que cette intégration n'apporte qu'aux autres (${some(f.list('files'))})` : ''} : il y échouerait. Ajoutez le dossier à --folders, ou intégrez-y les patches avant que quelqu'un n'utilise le traitement.`,
  'left-out-breaks-more': (f) =>
    `${n(f.number('count'), 'autre traitement', 'autres traitements')} dont ce dossier hérite y échouerai${f.number('count') === 1 ? 't' : 'ent'} pour la même raison : ${some(f.list('scripts'))}. Ajoutez le dossier à --folders ; rustine script uses NOM dit ce que chacun utilise.`,
  'references-unreadable': (f) =>
    `${n(f.number('count'), 'traitement ne peut être lu', 'traitements ne peuvent être lus')} : ${some(f.list('scripts'))}. Les dossiers laissés de côté en héritent (${some(f.list('folders'))}), et nul ne peut dire d'avance s'ils utilisent des tables ou des champs que ces dossiers n'ont pas. Un traitement compilé se lit quand sa source est aussi dans le patch.`,
  'run-from': (f) =>
    `Vous travaillez depuis le dossier ${f('folder')} ; il est conseillé d'intégrer depuis le dossier superviseur ${f('supervisor')} (--from ${f('supervisor')}).`,
  'sequence-gap': (f) => {
    const lacks = f.has('lacks') ? ` Le dossier superviseur a ${some(f.list('lacks'))}, qui manque à ce dossier` : '';
    const advice = f.has('lacks')
      ? ` : intégrez-le d'abord ici (\`rustine integrate ${f.list('lacks')[0]} … --folders …\`), ou forcez avec --force sequence=raison`
      : " Intégrez d'abord ce qui manque, ou forcez avec --force sequence=raison";
    const gap = `${f('file')} est hors séquence : il lui faut ${f('needs')}, le dossier ${f.has('has') ? `en est à ${f('has')}` : "n'a rien de cette série"}.`;
    return f.has('check') ? `${gap}${lacks}${lacks === '' ? '' : '.'}` : `${gap}${lacks}${advice}.`;
  },
  'content-changed': (f) =>
    `${f('file')} a été intégré le ${f('on')} avec un autre contenu (empreinte ${f('integrated').slice(0, 12)}, maintenant ${f('now').slice(0, 12)}).${f.has('check') ? '' : ' Donnez un autre nom au patch modifié, ou forcez avec --force content=raison.'}`,
  'already-integrated': (f) =>
    f.has('check')
      ? `${f('file')} a déjà été intégré, et l'est à nouveau dans ${some(f.list('folders'))}. Les traitements exécutés alors ne le sont pas une seconde fois.`
      : f('everywhere') === 'true'
        ? `${f('file')} est déjà intégré dans tous les dossiers concernés : il n'y a rien à faire. --force already=raison l'intègre à nouveau.`
        : `${f('file')} est déjà intégré dans ${n(f.number('count'), 'dossier')} (${some(f.list('folders'))}), où il n'y a rien à faire ; les autres le reçoivent.`,
  'older-again': (f) =>
    `${f('file')} est intégré à nouveau dans ${some(f.list('folders'))} : ${n(f.number('count'), 'élément')} (${some(f.list('elements'))}) que ${some(f.list('later'))} a apporté${f.number('count') < 2 ? '' : 's'} plus tard ${f.number('count') < 2 ? 'revient' : 'reviennent'} à ce qu'il en dit. Si ce n'est pas voulu, donnez aussi les plus récents : ils sont alors intégrés à nouveau après lui. Un dossier dont le dossier de référence garde la version plus récente est ensuite à valider, et la validation lui rend son dictionnaire ; les lignes de données ne reviennent qu'avec les patches plus récents.`,
  'force-unused': (f) =>
    `Le contrôle ${f('check')} est forcé, mais rien ne le demande : retirez --force ${f('check')}=…, pour qu'il ne laisse rien passer par hasard.`,
  'folders-left-out': (f) =>
    `${f.number('count') < 2 ? 'Un dossier est laissé' : `${f('count')} dossiers sont laissés`} de côté : ${some(f.list('folders'), 12)}. ${
      f.has('lag')
        ? `${f.number('count') < 2 ? "Il restera en retard tant qu'il n'aura" : "Ils resteront en retard tant qu'ils n'auront"} pas reçu ces patches`
        : `${f.number('count') < 2 ? "Il n'est pas" : 'Ils ne sont pas'} en retard sans ces patches, dont aucun n'est standard`
    } ; --folders all prend tous les dossiers.`,
  'folder-busy': (f) =>
    `La table ${f('table')} du dossier ${f('folder')} est verrouillée par ${blockerLines(f, progress.blocker)}, comme par une validation ou un import : l'intégration devrait attendre. Laissez d'abord finir, ou terminez cette session.`,
  'server-unreachable': (f) =>
    `Le serveur ${f('server')} est injoignable (${f('reason')}) : ses dossiers ${f.has('folders') ? `${some(f.list('folders'))} ` : ''}ne peuvent rien recevoir d'ici là. Démarrez-le ou rétablissez la connexion, puis relancez la commande.`,
  'locks-low': (f) =>
    `L'intégration peut demander jusqu'à ${f('needed')} verrous à la fois, et le serveur ${f('server')} en a ${f('available')} (${f('setting')}) ; un dossier qui n'en obtient pas échoue et reste tel qu'il était. Augmentez ce paramètre et redémarrez le serveur${f.number('jobs') > 1 ? `, ou donnez à --jobs moins de ${f('jobs')}` : ''}.`,
  'disk-low': (f) =>
    `Là où sont les données du serveur ${f('server')}, ${f('free')} Mo sont libres ; l'exécution peut en écrire environ ${f('expected')}. Faites d'abord de la place : un dossier pour lequel le disque ne suffit pas échoue et reste tel qu'il était.`,
  'disk-unknown': (f) =>
    `L'exécution peut écrire environ ${f('expected')} Mo sur le serveur ${f('server')} ; seule sa propre machine sait combien il y reste de place${f.has('size') ? ` (la base occupe maintenant ${f('size')} Mo, tablespace ${f('tablespace')})` : ''}. Vérifiez-le avant.`,
  'authorize-unused': (f) =>
    `Le code activité ${f('code')} est autorisé, mais rien dans ces patches ne le porte. Vérifiez l'orthographe.`,
  'supervisor-only': (f) => `C'est un patch superviseur : il ne concerne que le dossier superviseur, et non ${f('folder')}.`,
  'script-pending': (f) =>
    f.has('language')
      ? `Le traitement ${f('script')} est à exécuter après le patch et ne l'a pas été : aucun exécuteur n'est défini pour son langage (${f('language')}). Définissez-en un dans rustine.yaml, puis \`rustine script run ${f('script')}\` ; ou exécutez-le à la main.`
      : `Le traitement ${f('script')} est à exécuter après le patch et ne l'a pas été : ni le patch, ni le dossier, ni ses dossiers de référence ne l'ont. Intégrez le patch qui l'apporte, puis \`rustine script run ${f('script')}\`.`,
  'script-left-to-run': (f) =>
    `EXE:${f('script')} a échoué dans le dossier ${f('folder')}${f.has('reason') ? ` (${f.has('sqlstate') ? `SQLSTATE ${f('sqlstate')} : ` : ''}${f('reason')})` : ' (durée limite)'}. Le dossier est validé sans lui, et le traitement reste à exécuter : \`${f('command')}\`, quand la cause de l'échec sera corrigée.`,
  'script-not-rehearsed': (f) =>
    `Le traitement ${f('script')} (${f('language')}) serait exécuté par son exécuteur après le patch. Une répétition ne l'exécute pas : ce qu'il fait hors de la base ne pourrait pas être annulé.`,
  'script-name-unsafe': (f) =>
    `Traitement « ${f('script')} » : le nom pourrait passer pour une option ou un chemin, il n'est donc donné à aucun programme ni à aucun fichier. ${MEND}`,
  'script-run-failed': (f) => {
    const ends: Readonly<Record<string, string>> = {
      exit: `a rendu le code ${f('exit')}`,
      signal: `a été arrêté par ${f('signal')}`,
      aborted: "a été arrêté avec l'exécution",
      timeout: `a été arrêté après ${f('seconds')} s, sa durée limite`,
      'not-started': `n'a pas pu être lancé (${f('command')} : ${reasons[f('signal')] ?? f('signal')})`,
    };
    const output = f.has('output') ? ` Ses dernières lignes : ${f.list('output').join(' / ')}` : '';
    const login = f.has('login')
      ? ` Si le programme se connecte à la base : la connexion du dossier (${f('login')}) n'admet personne pendant l'exécution ; donnez au programme une connexion membre de ce rôle.`
      : '';
    return `Traitement ${f('script')} : son exécuteur ${ends[f('why')] ?? f('why')}. Il reste listé ; la cause corrigée, \`rustine script run ${f('script')} --folder ${f('folder')}\` l'exécute à nouveau.${login}${output}`;
  },
  'roles-unavailable': (f) =>
    `L'utilisateur ${f('user')} de la base ne peut pas créer de rôles : les dossiers partagent une connexion et ne sont pas isolés. Un utilisateur avec CREATEROLE les isole.`,
  'run-active': (f) =>
    `${some(f.list('folders'), 12)} : l'exécution ${f('run')} de ${f('operator')} sur ${f('host')} ${f('state') === 'queued' ? "est en file d'attente" : f('state') === 'waiting' ? "attend d'y commencer" : 'y travaille'} depuis le ${f('since')}${f.list('files').length === 0 ? '' : `, avec ${some(f.list('files'))}`}${f('state') === 'queued' || f('state') === 'waiting' ? " ; elle passe d'abord" : ''}. Attendez sa fin${f.has('option') ? ` (${f('option')} le fait)` : ''}, ou arrêtez-la par \`rustine cancel ${f('run')}\`.`,
  'workers-lost': (f) =>
    `${f('workers')} workers ont disparu pendant qu'ils travaillaient dans le dossier ${f('folder')} ; il n'est plus essayé. Cherchez ce qui les arrête là (mémoire, un traitement), puis relancez : ce que le dossier a reçu est gardé.`,
  'folder-gone': (f) =>
    `Le dossier ${f('folder')} a été supprimé depuis que l'exécution est en file : il ne reçoit rien. S'il existe de nouveau, relancez pour lui.`,
  'folder-in-use': (f) =>
    `Une autre commande modifie le dossier ${f('folder')} (${blockerLines(f, progress.blocker)}), comme le fait une validation. Attendez sa fin (--wait 10m s'en charge), puis relancez.`,
  'run-given-up': (f) =>
    `${f('workers')} workers ont disparu pendant qu'ils commençaient cette exécution ; elle n'est plus essayée. Cherchez ce qui les arrête là (mémoire, un fichier endommagé), puis relancez : ce que les dossiers ont reçu est gardé.`,
  'tasks-active': (f) =>
    `La tâche ${f('task')} (${f('kind')}${f.has('title') ? `, ${f('title')}` : ''}) du serveur batch travaille dans le dossier ${f('folder')} depuis le ${f('since')}, sur ${f('worker')}. Attendez sa fin (--wait 10m le fait), ou arrêtez-la par \`rustine task cancel ${f('task')}\`.`,
  'canary-failed': (f) =>
    `Laissé de côté car ${some(f.list('folders'))}, qui passait d'abord (--first), n'a pas tout reçu. Corrigez là-bas et relancez.`,
  'folder-left-behind': (f) =>
    `${f('patch')} est laissé de côté ici car il a échoué dans le dossier superviseur ${f('supervisor')} : aucun dossier ne le devance. Corrigez là-bas et relancez.`,
  'prepared-transactions-off': (f) =>
    `Tout ou rien est impossible : le serveur ${f.has('server') ? f('server') : 'de base de données'} ne prépare pas de transactions. Mettez ${f('setting')} = ${f('value')} dans sa configuration et redémarrez-le, ou lancez sans --atomic.`,
  'prepared-transactions-full': (f) =>
    `Tout ou rien est impossible pour l'instant : les ${f('now')} transactions préparées que le serveur${f.has('server') ? ` ${f('server')}` : ''} admet sont toutes prises (${f('used')} ; la vue pg_prepared_xacts les nomme). Terminez celles dont personne n'a besoin, ou mettez ${f('setting')} = ${f('value')} et redémarrez le serveur.`,
  'locks-all-or-none': (f) =>
    `Tout ou rien demande environ ${f('needed')} verrous à la fois pour ${n(f.number('folders'), 'dossier')} ; le serveur${f.has('server') ? ` ${f('server')}` : ''} en admet ${f('available')}. Mettez ${f('setting')} = ${f('value')} (à présent ${f('now')}) et redémarrez-le, donnez moins de dossiers, ou lancez sans --atomic.`,
  'all-or-none': (f) =>
    `Ici tout aurait fonctionné, mais pas dans ${some(f.list('failed'))} : avec --atomic, tous les dossiers reçoivent les patches ou aucun. Rien n'a été modifié. Corrigez là-bas et relancez.`,
  'transaction-shared': (f) =>
    `${some(f.list('folders'), 12)} partagent une seule transaction, l'un après l'autre : leurs traitements ont besoin de ce que reçoivent leurs dossiers de référence, que personne d'autre ne voit avant la fin.`,
  'transactions-fewer': (f) =>
    `${n(f.number('folders'), 'dossier')} vont dans ${n(f.number('transactions'), 'transaction')} : le serveur${f.has('server') ? ` ${f('server')}` : ''} n'a pas la place pour une par dossier (max_prepared_transactions, max_locks_per_transaction). Seule la durée change.`,
  'history-folder': (f) =>
    `${f('folder')} est le dossier historique de ${f('of')} : il n'est pas patché, mais mis en phase après le dossier auquel il appartient.`,
  'text-language-fallback': (f) => `Le dossier n'a aucune des langues du patch : les textes sont pris en ${f('language')}.`,
  'due-activity-code': (f) =>
    `Le code activité ${f('code')} est livré dans un autre état ou une autre taille : le dossier est à valider.`,
  'element-kept': (f) =>
    `${f('element')} reste tel que le dossier l'a : il porte le code activité ${f('code')}, qui le protège, et l'en-tête du patch n'autorise pas ce code ; ${f('option')} laisse le patch le modifier.`,
  'folder-not-ready': (f) =>
    `Le dossier ${f('folder')} n'est pas prêt (${f('state')}) : ce qui y était commencé n'est pas allé au bout, et il ne reçoit rien. Relancez ${f.has('server') ? '' : "d'abord "}cette commande : \`rustine folder ${f('state') === 'dropping' ? `drop ${f('folder')} --yes` : `create ${f('folder')}${f.has('server') ? ` --server ${f('server')}` : ''}`}\`${f.has('server') && f('state') === 'creating' ? `, ou oubliez-le : \`rustine folder drop ${f('folder')} --yes\`` : ''}.`,
  'name-twice': (f) =>
    `Table ${f('table')} : deux ${f('kind') === 'index' ? 'index porteraient' : 'champs porteraient'} le nom ${f('name')} dans la base de données. ${MEND}`,
  'field-too-long': (f) =>
    `Table ${f('table')}, champ ${f('field')} : la longueur ${f('length')} dépasse les ${f('most')} que le type de données ${f('type')} permet. ${MEND}`,
  'field-length': (f) =>
    `Table ${f('table')}, champ ${f('field')} : la longueur ${f('length')} en ${n(f.number('slots'), 'poste')} ne convient pas au type de données ${f('type')}. ${MEND}`,
};

export const unknownFinding = (code: string, subject: string, facts: string) =>
  `${subject ? `${subject} : ` : ''}${code}${facts ? ` (${facts})` : ''}.`;
