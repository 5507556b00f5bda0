// French sentences for the codes of errors: what, where, why, and what to do.
import type { ErrorCode, Messages, Sentences } from '../en.ts';
import { isZip, type Said, some } from '../said.ts';
import { blockerLines } from '../session-lines.ts';
import { help } from './help.ts';
import { inquiryErrors } from './history.ts';
import { historyErrors } from './history-folders.ts';
import { progress } from './progress.ts';
import { expected, nothing, reasons } from './reasons.ts';
import { revertErrors } from './revert.ts';
import { revertTableErrors } from './revert-tables.ts';
import { serverErrors } from './servers.ts';
import { heldBy, sessionErrors } from './sessions.ts';
import { validationErrors } from './validation.ts';

const why = (f: Said) => reasons[f('reason')] ?? f('reason');
const wanted = (f: Said) => (expected as Record<string, string>)[f('expected')] ?? f('expected');

export const errors: Sentences<ErrorCode> = {
  ...sessionErrors,
  ...serverErrors,
  ...historyErrors,
  ...inquiryErrors,
  ...revertTableErrors,
  ...revertErrors,
  ...validationErrors,
  'folder-code': (f) =>
    `« ${f('value')} » n'est pas un code de dossier. Un code est une lettre suivie d'au plus 9 lettres ou chiffres, comme SEED ou TEST01.`,
  'language-code': (f) => `« ${f('value')} » n'est pas un code de langue. Un code a trois lettres, comme FRA ou ENG.`,
  'activity-code': (f) =>
    `« ${f('value')} » n'est pas un code activité. Un code est une lettre suivie d'au plus 9 lettres ou chiffres, comme ZALI.`,
  'activity-code-size': (f) =>
    `« ${f('value')} » : le nombre de postes d'un code activité suit deux-points et va de 1 à ${f('most')}, comme dans KIT:5.`,
  'legislation-code': (f) =>
    `« ${f('value')} » n'est pas un code législation. Un code est une lettre suivie de lettres ou de chiffres, comme FRA.`,
  digest: (f) => `« ${f('value')} » n'est pas une empreinte : 64 chiffres hexadécimaux sont attendus.`,
  'not-initialized': () => "Il n'y a pas encore d'environnement dans cette base. Créez-le avec `rustine init`.",
  'already-initialized': (f) =>
    `L'environnement existe déjà ; son dossier superviseur est ${f('supervisor')}. \`rustine folder list\` montre ses dossiers ; un autre environnement demande un autre --home ou --database.`,
  'folder-exists': (f) => `Le dossier ${f('folder')} existe déjà. \`rustine folder show ${f('folder')}\` le montre.`,
  'folder-named-twice': (f) => `Le dossier ${f('folder')} est nommé deux fois. Nommez chaque dossier une seule fois.`,
  'folder-not-ready': (f) =>
    `Le dossier ${f('folder')} est en cours de modification par une autre commande (${f('state')}). Attendez qu'elle se termine, puis relancez.`,
  'folder-unknown': (f) =>
    `Il n'y a pas de dossier ${f('folder')}. ${f.has('known') ? `Dossiers connus : ${some(f.list('known'), 20)}.` : "Il n'y a encore aucun dossier."} \`rustine folder create ${f('folder')}\` le créerait.`,
  'folder-has-children': (f) =>
    `Le dossier ${f('folder')} ne peut pas être supprimé : ${[...(f.list('children').length === 0 ? [] : [`il est le dossier de référence de ${some(f.list('children'), 20)}`]), ...(f.list('histories').length === 0 ? [] : [`${some(f.list('histories'), 20)} ${f.list('histories').length === 1 ? 'est son dossier historique' : 'sont ses dossiers historiques'}`])].join(' ; ')}. Supprimez d'abord ${f.list('children').length + f.list('histories').length === 1 ? 'celui-ci' : 'ceux-ci'}.`,
  'folder-is-supervisor': (f) =>
    `Le dossier ${f('folder')} est le dossier superviseur, dont tous les autres héritent : il ne peut être ni supprimé ni rattaché à un autre.`,
  'folder-parent-unknown': (f) =>
    `Le dossier ${f('folder')} ne peut pas être créé sous ${f('parent')} : il n'y a pas de dossier ${f('parent')}. Créez d'abord celui-ci, ou nommez-en un autre avec --parent.`,
  'folder-parent-cycle': (f) =>
    `Le dossier ${f('folder')} deviendrait son propre ancêtre : ${f.list('cycle').join(' → ')}. Choisissez une référence qui n'en descend pas.`,
  'folder-parent-history': (f) =>
    `Le dossier ${f('folder')} ne peut pas être rattaché à ${f('parent')} : ${f('history')} est le dossier historique de ${f('of')} et n'est pas patché. Choisissez une autre référence.`,
  'folder-history-supervisor': (f) =>
    `Le dossier ${f('folder')} ne peut pas être le dossier historique de ${f('of')}, qui est le dossier superviseur. Nommez le dossier dont il doit garder les données.`,
  'folder-history-history': (f) =>
    `Le dossier ${f('folder')} ne peut pas être le dossier historique de ${f('of')}, qui est lui-même un dossier historique. Nommez ${f('live')}, auquel celui-ci appartient.`,
  'folder-without-role': (f) =>
    `Le dossier ${f('folder')} n'a pas de connexion propre : l'utilisateur de la base ne peut pas créer de rôles ici. \`rustine db url\` sans --folder donne la connexion commune à tous.`,
  'case-unknown': (f) => `Il n'y a pas de cas ouvert ${f('case')}. rustine kept-values liste les cas et leurs numéros.`,
  'case-ambiguous': (f) => `Plusieurs cas commencent par ${f('case')} : ${some(f.list('known'))}. Donnez plus de chiffres.`,
  'case-value': (f) =>
    `Cas ${f('case')} : « ${f('value')} » ne peut pas être posé${f.has('field') ? ` dans le champ ${f('field')}` : ''} : ${why(f)}.`,
  'decision-value': (f) =>
    f('choice') === 'value'
      ? `Cas ${f('case')} : le choix « value » demande la valeur, ainsi : rustine decide ${f('case')} value TEXTE.`
      : `Cas ${f('case')} : une valeur ne va qu'avec le choix « value ».`,
  'decision-blocked': (f) =>
    `Cas ${f('case')} : ${f('element')} tel que livré ne peut pas entrer dans le dossier ${f('folder')} : ${some(f.list('reasons'))}. Rien n'a changé, dans aucun dossier.`,
  'folder-busy': (f) =>
    `Le dossier ${f('folder')} est occupé par ${f('by')} depuis ${f('since')}. Attendez la fin, puis relancez la commande.`,
  'folder-schema-exists': (f) =>
    `Le dossier ${f('folder')} ne peut pas être créé : la base contient déjà un schéma ${f('schema')} qui n'appartient pas à cet environnement. Renommez ou supprimez ce schéma, ou choisissez un autre code.`,
  'role-exists': (f) =>
    `Le dossier ${f('folder')} ne peut pas être créé : le serveur de base de données a déjà un rôle ${f('role')}, que Rustine n'a pas créé pour lui. Supprimez ou renommez ce rôle, ou choisissez un autre code.`,
  'folder-create-partial': (f) =>
    `${f.list('created').length === 1 ? 'Créé et utilisable' : 'Créés et utilisables'} : ${f('created')}. Le dossier ${f('folder')} ne l'a pas été (${f('cause')}${f.has('reason') ? ` : ${why(f)}` : ''}). \`rustine folder create ${f('folder')}\` seul dit ce qui gêne.`,
  'kept-unknown': (f) => `Rien n'est mis de côté sous ${some(f.list('ids'), 20)}. \`rustine kept\` liste ce qui l'est.`,
  'kept-in-use': (f) =>
    `Autre chose dans la base de données a besoin d'une table mise de côté : ${f('reason')}. Sauvegardez sa définition et supprimez-le, ou laissez la table de côté.`,
  'kept-type': (f) =>
    `La colonne ${f('column')} a été gardée avec un type impossible à recréer : ${f('type')}. Ajoutez la colonne à la main, puis remettez ses valeurs.`,
  'element-name': (f) => `« ${f('value')} » ne désigne pas un élément. Écrivez TYPE:NOM, comme ATB:ITEM.`,
  'record-name': (f) =>
    `« ${f('value')} » ne désigne pas une ligne. Écrivez REPÈRE:CLÉ, comme ATZ:COD ; \`rustine element show\` les montre.`,
  'element-unknown': (f) =>
    `Il n'y a pas d'élément ${f('element')} dans le dossier ${f('folder')}.${f.has('near') ? ` Noms proches : ${some(f.list('near'))}.` : ''}${f.has('folders') ? ` Dossiers qui l'ont : ${some(f.list('folders'), 20)}.` : ''} \`rustine element list\` liste les éléments d'un dossier.`,
  'record-unknown': (f) => `${f('element')} n'a pas de ligne ${f('record')}. Lignes présentes : ${some(f.list('known'), 12)}.`,
  'field-not-set-up': (f) =>
    `${f('element')} : ${f('field')} de ${f('tag')} n'est pas un champ de paramétrage ; le prochain patch l'écraserait. ${f.has('known') ? `Champs de paramétrage : ${some(f.list('known'), 40)}.` : `${f('tag')} n'en a aucun.`}`,
  'field-value': (f) =>
    `${f('element')}, ligne ${f('record')}, champ ${f('field')} : « ${f('value')} » ne convient pas : ${why(f)}. \`rustine element show ${f('element')}\` montre ce qu'il contient.`,
  'run-lost': (f) =>
    `L'exécution ${f('run')} a été close par une autre commande pendant que ce programme dormait ou ne pouvait joindre la base de données : rien de plus n'est fait. Les dossiers sont entiers ; relancez pour continuer.`,
  'first-not-given': (f) =>
    `${some(f.list('folders'))} ne peut passer d'abord : absent des dossiers de cette exécution (${some(f.list('known'), 20)}). Ajoutez-le à --folders, ou retirez-le de --first.`,
  'run-active': (f) =>
    `${some(f.list('folders'), 12)} : l'exécution ${f('run')} de ${f('operator')} sur ${f('host')} (processus ${f('pid')}) ${f('state') === 'running' || !f.has('state') ? 'y travaille' : 'attend de commencer ici'} depuis le ${f('since')}${f.list('files').length === 0 ? '' : `, avec ${some(f.list('files'))}`}. Rien d'autre ne modifie un dossier au milieu d'une exécution. \`rustine log ${f('run')} --follow\` la suit, \`rustine cancel ${f('run')}\` l'arrête ; relancez ensuite cette commande.`,
  'run-unknown': (f) =>
    `Il n'y a pas d'exécution ${f('run')}. Chaque intégration affiche son numéro d'exécution à la fin ; \`rustine log\` montre les dernières.`,
  'folder-not-in-run': (f) =>
    `Le dossier ${f('folder')} ne faisait pas partie de l'exécution ${f('run')}. Ses dossiers : ${some(f.list('folders'), 12)}.`,
  'output-directory': (f) =>
    `${f('path')} est un répertoire : un rapport va dans un nouveau fichier. Donner un nom dans ce répertoire, par exemple ${f('path')}/rapport.html.`,
  'output-unwritable': (f) =>
    `Impossible d'écrire ${f('path')} : ${f('reason') === 'ENOENT' ? `le répertoire ${f('directory')} n'existe pas` : why(f)}. Donner un autre endroit avec --output, ou aucun pour le lire à l'écran.`,
  'output-exists': (f) => `${f('path')} existe déjà et n'est pas écrasé. Donner un autre nom, ou supprimer d'abord ce fichier.`,
  'run-ambiguous': (f) =>
    `${f.has('run') ? `Plusieurs exécutions commencent par ${f('run')}` : 'Plusieurs exécutions sont en cours'} : ${some(f.list('runs'), 10)}. Dites laquelle, avec assez de son numéro.`,
  'run-ended': (f) => `L'exécution ${f('run')} est déjà terminée (${f('state')}) : il n'y a rien à arrêter.`,
  'no-run-active': () => "Aucune exécution n'est en cours : il n'y a rien à arrêter.",
  'database-unreachable': (f) =>
    `La base de données ${f('url')} est injoignable : ${why(f)}. Vérifiez que le serveur tourne et que l'URL de --database ou RUSTINE_DATABASE_URL est la bonne.`,
  'database-version': (f) =>
    `Le serveur est PostgreSQL ${f('found')} ; il faut ${f('needed')} ou plus récent. Prenez un serveur plus récent, ou aucune URL pour le serveur embarqué.`,
  'database-error': (f) => {
    const parts = [`La base de données a refusé une instruction (SQLSTATE ${f('sqlstate')}) : ${f('reason')}`];
    for (const [name, word] of [
      ['detail', 'détail'],
      ['hint', 'conseil'],
      ['where', 'où'],
    ] as const)
      if (f.has(name)) parts.push(`${word} : ${f(name)}`);
    return `${parts.join('\n  ')}\nCe qui n'était pas terminé a été annulé ; une fois la cause corrigée, la commande peut être relancée.`;
  },
  'database-rights': (f) =>
    `L'utilisateur de la base n'a pas le droit de faire ceci : ${f('what')}. Donnez-lui ce droit, ou connectez-vous avec un utilisateur qui l'a.`,
  'catalog-newer': (f) =>
    `L'environnement a été amené à la version ${f('found')} du catalogue par un Rustine plus récent ; celui-ci connaît la ${f('known')}. Mettez Rustine à jour.`,
  'catalog-drift': (f) =>
    `Le catalogue (schéma rustine) n'est plus tel que Rustine l'a fait : ${f('what')}. Annulez ce changement, ou restaurez le schéma d'une sauvegarde.`,
  'patch-format': (f) => {
    const where = `${f('file')}, ligne ${f('line')} (octet ${f('offset')})${f.has('element') ? `, élément ${f('element')}` : ''}`;
    if (isZip(f))
      return `${f('file')} est un fichier zip, non un patch. Décompressez-le et donnez le répertoire où se trouvent les patches.`;
    return `${where} : attendu ${wanted(f)}, trouvé ${f.has('found') ? f('found') : nothing}. Le fichier est abîmé ou n'est pas un patch ; rien n'en est intégré. Reprenez-le à sa source.`;
  },
  'patch-unreadable': (f) => `${f('file')} est illisible : ${why(f)}. Vérifiez le nom et les droits du fichier.`,
  'patch-text': (f) => `${f('element')} : « ${f('text')} » contient une fin de ligne, impossible dans un patch. Enlevez-la.`,
  'patch-source': (f) =>
    `${f('element')} : le traitement contient une ligne de dix étoiles, qui termine un traitement dans un patch. Changez cette ligne.`,
  'kept-file-gone': (f) =>
    `${f('file')} était conservé dans la base et ne l'est plus : ce qu'il a pour le dossier n'a pas pu en être pris. Relancez la commande : elle dira alors ce qu'il faut intégrer depuis le fichier lui-même.`,
  'patch-changed': (f) =>
    `${f('file')} a changé pendant son intégration. Laissez finir ce qui l'écrit, puis relancez la commande ; ce qui est validé sera reconnu.`,
  'patch-value': (f) =>
    `${f('file')}, élément ${f('element')}, enregistrement ${f('record')} : le champ ${f('field')}(${f('index')}) contient ${f('value')}, or ${wanted(f)} est attendu. Le patch est à corriger là où il a été fait.`,
  'database-lost': (f) =>
    `La connexion à la base de données est perdue : ${why(f)}. Ce qui n'était pas terminé a été annulé ; relancez la commande pour continuer.`,
  'embedded-start': (f) =>
    `Le PostgreSQL embarqué ne démarre pas${f.has('log') ? `. La fin de son journal dit :\n${f.list('log').join('\n')}` : ` : ${why(f)}.`}`,
  'embedded-init': (f) =>
    `Le PostgreSQL embarqué ne peut pas être créé${f.has('log') ? `. La fin de son journal dit :\n${f.list('log').join('\n')}` : ` dans ${f('directory')} : ${why(f)}.`}`,
  'embedded-version': (f) =>
    `Les données embarquées de ${f('directory')} sont celles de PostgreSQL ${f('data')}, le serveur installé est le ${f('server')}. Installez le Rustine qui les a faites, copiez-les avec pg_dump, et restaurez-les dans un autre répertoire.`,
  'embedded-place': (f) =>
    `L'endroit du PostgreSQL embarqué, ${f('path')}, est inutilisable : ${why(f)}. Choisissez un autre répertoire avec --home.`,
  'embedded-keeper': (f) =>
    `Le processus qui surveille le PostgreSQL embarqué n'a pas répondu${f.has('reason') ? ` : ${why(f)}` : ''}. Relancez la commande.${f.has('log') ? ` La fin de son journal dit :\n${f.list('log').join('\n')}` : ''}`,
  'embedded-binaries': (f) =>
    `Le PostgreSQL embarqué${f.has('platform') ? ` pour ${f('platform')}` : ` (${f('path')})`} est inutilisable : ${why(f)}. Relancez \`npm install\` sans --omit=optional, ou indiquez un serveur avec --database.`,
  'embedded-user': (f) =>
    `Le PostgreSQL embarqué ne peut pas tourner sous root, et aucun autre utilisateur n'a pu être pris (utilisateur ${f('user')}${f.has('tried') ? ` ; essayé : ${f('tried')}` : ''}). Créez cet utilisateur, lancez Rustine sous un utilisateur ordinaire, ou indiquez un serveur avec --database.`,
  'force-unknown': (f) =>
    `Il n'y a pas de contrôle « ${f('check')} » que --force pourrait lever. Peuvent l'être : ${f('known')}.`,
  'column-in-use': (f) =>
    `Table ${f('table')} : ${some(f.list('columns'))} ne peut ni disparaître ni changer de type dans le dossier ${f('folder')}, car autre chose dans la base de données en a besoin : ${some(f.list('objects'))}. Sauvegardez sa définition, supprimez-le, relancez la commande, puis recréez-le.`,
  'row-too-long': (f) =>
    `Dossier ${f('folder')} : une ligne, une clé d'index ou une valeur${f.has('tables') ? ` (table ${some(f.list('tables'))})` : ''} serait plus longue que ce qu'accepte PostgreSQL (${f('reason')}). Raccourcissez les valeurs, ou définissez moins de champs ou des champs plus courts dans la table ou l'index.`,
  'server-read-only': (f) =>
    `Le serveur ${f('server')} n'accepte aucune modification : ${why(f)}. Donnez l'URL du serveur qui en accepte, ou changez cela sur place.`,
  'lock-timeout': (f) =>
    `Dossier ${f('folder')} : ${f.has('table') ? `la table ${f('table')}` : 'une table'} est restée trop longtemps verrouillée par ${f.has('pids') ? blockerLines(f, progress.blocker) : 'une autre session'}. ${f.has('query') ? `Son instruction : ${f('query')}. ` : ''}Terminez cette session, ou relancez la commande quand elle est finie.`,
  config: (f) =>
    `${f('file')}${f.has('line') ? `, ligne ${f('line')}` : ''}${f.has('key') ? `, clé ${f('key')}` : ''} : ${why(f)}.`,
  'database-url': (f) =>
    `${f('source')} n'est pas une URL de base de données. Elle ressemble à postgresql://utilisateur:motdepasse@serveur:5432/nom.`,
  home: (f) => `Le répertoire ${f('dir')} est inutilisable : ${why(f)}. Choisissez-en un autre avec --home ou RUSTINE_HOME.`,
  system: (f) => `Le système a refusé une opération${f.has('path') ? ` sur ${f('path')}` : ''} : ${why(f)}.`,
  bug: (f) =>
    `C'est une erreur de Rustine lui-même : ${f('what')}. Relancez la commande avec --verbose et signalez ce qui s'affiche dans le suivi des anomalies du projet.`,
  'folder-not-creatable': (f) =>
    `Le dossier ${f('folder')} ne peut pas être créé d'après son dossier de référence : ${some(f.list('reasons'))}. Corrigez d'abord cela dans le dossier de référence.`,
  blocked: (f) => `Des constats l'empêchent : ${f('codes')}.`,
  'lock-capacity': (f) =>
    `Dossier ${f('folder')} : sa transaction demande ${f('needed')} verrous à la fois, avec ceux des dossiers qui la partagent ; le serveur en admet ${f('available')} (${f('setting')}). Augmentez ce paramètre et redémarrez le serveur.`,
  'locks-used-up': (f) =>
    `Dossier ${f('folder')} : le serveur n'a plus de place pour les verrous de cette transaction (${f('reason')}). Il en admet environ ${f('locks')} en tout (${f('setting')}) ; d'autres en tiennent ${f('locksNow')} en ce moment. Ce qu'elle avait commencé est annulé. Relancez avec moins de dossiers à la fois (--jobs) ou quand les autres auront fini, ou augmentez ce paramètre et redémarrez le serveur.`,
  'script-not-preparable': (f) =>
    `Avec --atomic, la transaction de ${some(f.list('folders'), 12)} ne peut pas être préparée à cause de ce que fait ${some(f.list('scripts'))} (${f('reason')}). Rien n'a été modifié. Les tables temporaires, LISTEN, NOTIFY et les verrous de session y sont exclus : lancez sans --atomic, ou faites corriger le traitement là où il a été fait.`,
  'prepare-no-room': (f) =>
    `Avec --atomic, la transaction de ${some(f.list('folders'), 12)} n'a pas pu être préparée : le serveur n'a plus de place pour elle (${f('reason')}). ${f('used')} transactions préparées sur ${f('most')} et ${f('locksNow')} verrous sur environ ${f('locks')} sont pris. Rien n'a été modifié. Relancez quand les autres auront fini, ou augmentez max_prepared_transactions ou max_locks_per_transaction et redémarrez le serveur.`,
  'prepared-unsettled': (f) =>
    `Exécution ${f('run')} : une de ses transactions n'est pas terminée comme décidé (${f('decision')}). ${heldBy(f)}, puis lancez \`rustine recover\`.`,
  'script-failed': (f) => {
    const where = f.has('line') ? ` à la ligne ${f('line')}, colonne ${f('column')},` : '';
    const parts = [
      `${f('element')} a échoué${where} dans le dossier ${f('folder')} (SQLSTATE ${f('sqlstate')}) : ${f('reason')}`,
    ];
    if (f.has('detail')) parts.push(`détail : ${f('detail')}`);
    if (f.has('hint')) parts.push(`conseil : ${f('hint')}`);
    const way = f.has('command')
      ? `Rien n'a changé dans ce dossier. Corrigez dans ses données ce qui a fait échouer le traitement, puis validez-le à nouveau ; ou laissez le traitement à exécuter plus tard : \`${f('command')}\`. S'il est faux lui-même, il est à corriger là où il a été fait, et arrive avec un patch suivant.`
      : f.has('validation')
        ? "Rien n'a changé dans ce dossier. Le traitement est à corriger là où il a été fait : intégrez le patch qui l'apporte dans le dossier que celui-ci suit, puis validez à nouveau."
        : "Rien du patch n'a changé dans ce dossier. Le traitement est à corriger là où il a été fait.";
    return `${parts.join('\n  ')}\n${way}`;
  },
  'script-overran': (f) =>
    `${f('element')} a continué dans le dossier ${f('folder')} au-delà de sa durée limite de ${f('seconds')} s : il intercepte l'annulation. Sa session a été fermée et rien de ce qu'il a fait ne reste. Le traitement doit être corrigé là où il a été fait ; script-timeout dans rustine.yaml fixe la durée limite.${f.has('command') ? ` Pour valider le dossier sans lui et l'exécuter plus tard : \`${f('command')}\`.` : ''}`,
  'script-not-pending': (f) =>
    `Le traitement ${f('script')} ne reste pas à exécuter dans ${some(f.list('folders'), 20)}. \`rustine script pending\` liste ceux qui le sont.`,
  'script-unknown': (f) =>
    `Il n'y a pas de traitement ${f('script')} dans le dossier ${f('folder')} ni dans ses dossiers de référence. \`rustine script which ${f('script')} --folder DOSSIER\` montre qui l'a.`,
  'script-not-set-up': (f) =>
    `${f('element')} est un traitement, et un traitement n'a pas de champs de paramétrage : c'est un patch qui apporte la version suivante. \`rustine script show ${f('script')}\` montre celle qui sert.`,
  'export-busy': (f) =>
    `Les traitements ne peuvent pas être exportés dans ${f('directory')} pour l'instant : un autre export de cet environnement n'est pas terminé après 15 secondes. Attendez-le, ou terminez-le.`,
  'script-unreadable': (f) =>
    `Du traitement ${f('script')}, le dossier ${f('folder')} ne trouve que la forme compilée : on n'y lit pas ce qu'il utilise. Intégrez aussi sa source (TRT).`,
  'script-binary': (f) =>
    `Le traitement ${f('script')} est compilé : il n'a pas de source à montrer. \`rustine script export RÉP\` l'écrit dans un fichier, --json le donne en base64.`,
  'export-directory': (f) =>
    `Les traitements ne peuvent pas être exportés dans ${f('directory')} : ${why(f)}. Nommez un répertoire qui n'existe pas encore, ou qu'un export a fait.`,
  'task-unknown': (f) => `Il n'y a pas de tâche ${f('task')}. \`rustine task list\` donne les numéros.`,
  'task-ended': (f) => `La tâche ${f('task')} est déjà terminée (${f('state')}) : il n'y a rien à annuler.`,
  'task-of-run': (f) =>
    `La tâche ${f('task')} porte l'exécution ${f('run')} : annulez celle-ci avec \`rustine cancel ${f('run')}\`.`,
  'task-program': (f) =>
    `Aucun programme ${f('program')} n'est configuré pour les tâches${f.has('known') ? ` (connus : ${f('known')})` : ''}. Donnez-le sous tasks dans rustine.yaml, avec sa commande, ou choisissez-en un autre avec --program.`,
  'worker-lost': () =>
    "Ce worker n'a pas renouvelé son bail à temps (il dormait, ou la base était hors d'atteinte), et d'autres ont repris son travail. Relancez-le.",
};

export const usage: Messages['usage'] = {
  'unknown-command': (f) =>
    `Il n'y a pas de commande « ${f('value')} »${f.has('nearest') ? ` ; vouliez-vous dire « ${f('nearest')} » ?` : '.'}`,
  'unknown-option': (f) =>
    `Il n'y a pas d'option ${f('value')} ici${f.has('nearest') ? ` ; vouliez-vous dire ${f('nearest')} ?` : '.'}`,
  'missing-argument': (f) => `L'argument <${(help.words as Record<string, string>)[f('value')] ?? f('value')}> manque.`,
  'missing-value': (f) => `L'option ${f('value')} demande une valeur.`,
  'too-many-arguments': (f) => `Trop d'arguments : « ${f('value')} » n'est pas attendu.`,
  'nothing-to-set': (f) => `Rien n'est indiqué qui doive changer dans le dossier ${f('folder')}.`,
  modules: (f) =>
    `${f('option')} ne peut pas valoir « ${f('value')} » : on attend des numéros de modules séparés par des virgules, ou all.`,
  assignment: (f) =>
    `« ${f('value')} » ne dit pas quel champ reçoit quelle valeur : écrivez CHAMP=VALEUR, ou CHAMP[2]=VALEUR pour un poste de tableau.`,
  'missing-command': (f) => `Il faut dire à « ${f('command')} » ce qu'il doit faire : ${f('known')}.`,
  'folders-without-verify': () => "On ne nomme des dossiers qu'avec --verify.",
  'run-or-verify': () => 'Soit --run, soit --verify : on montre une exécution, ou on vérifie des dossiers.',
  'folder-or-server': () => "Soit --folder, soit --server : l'URL d'un dossier trouve elle-même son serveur.",
  'json-and-format': () => "--json est aussi un format : il ne va pas avec un autre --format. Enlever l'un des deux.",
  choice: (f) => `${f('option')} ne peut pas être « ${f('value')} » : choix possibles ${f('known')}.`,
  'list-as-lines': () =>
    "La liste des exécutions n'est pas une trace : --format jsonl va avec une EXÉCUTION. Donner --format json, ou nommer une exécution.",
  'follow-and-page': () =>
    "Une page montre une exécution telle qu'elle est : --follow ne va pas avec --format html. Enlever l'un des deux.",
  'positive-number': (f) => `${f('option')} ne peut pas être « ${f('value')} » : un nombre entier à partir de 1 est attendu.`,
  duration: (f) =>
    `${f('option')} ne peut pas valoir « ${f('value')} » : une durée comme 30s, 10m ou 1h30m est attendue, 24 jours au plus.`,
  day: (f) => `${f('option')} ne peut pas être « ${f('value')} » : un jour comme 2026-01-31 est attendu.`,
  'purge-what': () => "Dites ce qu'il faut supprimer : des numéros d'entrées, ou --folder avec --before.",
  'confirm-purge': () =>
    "Ce qui est supprimé ne pourra plus être remis en place. Ajoutez --yes si c'est bien ce que vous voulez.",
  'empty-value': (f) => `${f('option')} est vide : donnez-lui une valeur.`,
  'empty-list': (f) => `${f('option')} est vide : donnez au moins un élément, séparés par des virgules.`,
  'force-reason': (f) =>
    `Il manque la raison de --force « ${f('value')} » : écrivez --force CONTROLE=raison ; la raison est gardée avec l'exécution.`,
  'task-program-validation': () => "Une validation est faite par le worker lui-même : elle n'a pas de --program.",
  'follow-batch': () =>
    "--follow est pour les exécutions en file d'attente : ajoutez --batch. Sans lui, l'exécution est montrée de toute façon.",
  'revert-folder': () => 'Dites dans quels dossiers : --folder A,B, ou --folder all pour ceux qui ont le patch.',
  'unlock-reason': (f) =>
    `--unlock demande un motif, qui est conservé : pourquoi le dossier ${f('folder')} peut servir tel qu'il est.`,
  'folders-or-due': () => 'Nommez les dossiers, ou tous ceux à valider avec --due.',
  'folders-and-due': () => 'Nommez des dossiers ou donnez --due, pas les deux.',
  'confirm-server-drop': (f) =>
    `Le serveur ${f('server')} serait oublié ; sa base reste telle quelle. Ajoutez --yes si c'est ce que vous voulez.`,
  'confirm-drop': (f) =>
    `Supprimer le dossier ${f('folder')} efface définitivement ses tables et ses données. Ajoutez --yes si c'est bien ce que vous voulez.`,
};

export const usageAdvice = (command: string) => `Voir \`${command} --help\`.`;

export const unknownError = (code: string, facts: string) => `Erreur ${code}${facts ? ` (${facts})` : ''}.`;
