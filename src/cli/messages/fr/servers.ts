// French sentences and words about environments on several servers.
import type * as en from '../en/servers.ts';
import type { Sentences } from '../en.ts';
import { type Said, type Sentence, some } from '../said.ts';
import { reasons } from './reasons.ts';

const why = (f: Said) => reasons[f('reason')] ?? f('reason');

const decisionPending: Sentence = (f) =>
  `Le serveur ${f('server')} ne répond pas (${f('reason')}), et ce qui y est préparé${f.has('run') ? ` par l'exécution ${f('run')}` : ''} reste à ${f('decision') === 'commit' ? 'valider, comme sur tous les autres serveurs' : 'annuler'}. Jusque-là, personne n'entre dans ${some(f.list('folders'), 20)}, et leurs tables sont verrouillées. Démarrez le serveur ou rétablissez la connexion : \`rustine recover\` le fera alors, de même que toute commande qui concerne un de ses dossiers.`;

export const serverErrors: Sentences<keyof typeof en.serverErrors> = {
  'server-name': (f) =>
    `« ${f('value')} » n'est pas un nom de serveur. Un nom est une lettre suivie d'au plus 9 lettres ou chiffres, comme NORD.`,
  'server-exists': (f) =>
    `Le serveur ${f('server')} fait déjà partie de cet environnement. \`rustine server show ${f('server')}\` le montre ; un autre serveur a besoin d'un autre nom.`,
  'server-unknown': (f) =>
    `Il n'y a pas de serveur ${f('server')} dans cet environnement. ${f.has('known') ? `Serveurs connus : ${some(f.list('known'), 20)}.` : "Il n'a pas d'autre serveur."} \`rustine server add ${f('server')} URL\` l'ajouterait.`,
  'server-in-use': (f) =>
    `Le serveur ${f('server')} ne peut pas être supprimé : des dossiers s'y trouvent (${some(f.list('folders'), 20)}). Supprimez d'abord ces dossiers.`,
  'server-unsettled': (f) =>
    `Le serveur ${f('server')} ne peut pas être supprimé : ce que ${f.list('runs').length === 1 ? "l'exécution" : 'les exécutions'} ${some(f.list('runs'), 8)} y ${f.list('runs').length === 1 ? 'a' : 'ont'} laissé n'est pas soldé (connexions fermées, ou modifications qui attendent leur fin)${f.has('reason') ? `, et le serveur n'a pas pu être interrogé : ${why(f)}` : ''}. Rien n'a été modifié. Faites en sorte que le serveur réponde, lancez \`rustine recover\`, qui nomme ce qui gêne, puis supprimez-le.`,
  'server-database-used': (f) =>
    `La base du serveur ${f('server')} n'est pas vide : elle contient ${some(f.list('found'), 12)}. Créez-y une base vide pour Rustine et donnez son URL.`,
  'server-of-another': (f) =>
    `La base du serveur ${f('server')} appartient à un autre environnement. Créez-y une base vide et donnez son URL.`,
  'server-is-environment': (f) =>
    `L'URL du serveur ${f('server')} mène à la base de l'environnement lui-même. Donnez celle d'une autre base.`,
  'server-known': (f) =>
    `Cette base fait déjà partie de l'environnement, comme serveur ${f('as')}. Utilisez ce nom pour y créer des dossiers.`,
  'server-unreachable': (f) =>
    `Le serveur ${f('server')} (${f('url')}) est injoignable : ${why(f)}.${f.has('folders') ? ` Ses dossiers ont été laissés de côté : ${some(f.list('folders'), 20)}.` : ''} Vérifiez qu'il tourne et que son URL et son mot de passe (RUSTINE_SERVER_${f('server')}_URL, rustine.yaml ou ~/.pgpass) sont les bons, puis relancez la commande.`,
  'server-not-member': (f) =>
    `La base que désigne l'URL du serveur ${f('server')} n'est pas celle qui a été ajoutée sous ce nom.${f.has('folders') ? ` Ses dossiers ont été laissés de côté : ${some(f.list('folders'), 20)}.` : ''} Corrigez RUSTINE_SERVER_${f('server')}_URL ou rustine.yaml.`,
  'decision-pending': decisionPending,
  'database-is-server': (f) =>
    `Cette base est le serveur ${f('server')} d'un environnement qui se trouve ailleurs : elle ne contient qu'une partie de ses dossiers. Donnez l'URL de la base de l'environnement lui-même.`,
  'mirror-behind': (f) =>
    `Aucun dossier ne peut encore être créé sous ${f('folder')} sur le serveur ${f('server')} : il manque à ce qui y représente ${f('folder')} ${some(f.list('files'), 8)}. Intégrez-le à nouveau (--folders ${f('folder')}) : rien ne change là où il est déjà.`,
  'folder-parent-elsewhere': (f) =>
    `Le dossier ${f('folder')} ne peut pas se trouver ${f.has('wanted') ? `sur le serveur ${f('wanted')}` : "sur le serveur de l'environnement"} sous ${f('parent')}, qui est sur le serveur ${f('server')} : un dossier se trouve là où est son dossier de référence. Ajoutez --server ${f('server')}, ou choisissez un autre dossier de référence.`,
  'folder-history-elsewhere': (f) =>
    `Le dossier ${f('folder')} ne peut pas être le dossier historique de ${f('of')} depuis un autre serveur : les deux vont ensemble. ${f.has('server') ? `Ajoutez --server ${f('server')}.` : 'Enlevez --server.'}`,
  'kept-on-several-servers': (f) =>
    `Les entrées ${some(f.list('ids'), 20)} sont mises de côté sur plusieurs serveurs, et une commande n'en change qu'un : donnez celles de chaque serveur dans une commande à part.`,
  'export-several-servers': (f) =>
    `Les dossiers ${some(f.list('folders'), 20)} se trouvent sur plusieurs serveurs ; un export est un ensemble d'un seul serveur. Exportez ceux de chaque serveur dans un répertoire à part.`,
};

export const serverFindings: Sentences<keyof typeof en.serverFindings> = {
  'server-password': (f) =>
    `Le serveur ${f('server')} est ajouté, mais le mot de passe de son URL n'est gardé nulle part : les commandes suivantes ne pourraient pas se connecter. Définissez ${f('variable')}, ou donnez l'URL dans rustine.yaml sous servers (lisible par son propriétaire seul), ou le mot de passe dans ~/.pgpass.`,
  'server-failed': (f) =>
    `Le serveur ${f('server')} n'a pas pu faire sa part de l'exécution (${f('cause')}${f.has('reason') ? ` : ${why(f)}` : ''}) : ${some(f.list('folders'), 20)} n'ont pas tout reçu. Corrigez cela sur ce serveur (\`rustine server show ${f('server')}\` le montre), puis relancez la commande : ce qui y est déjà reste tel quel.`,
  'decision-unknown': (f) =>
    `Exécution ${f('run')} : ce qu'elle a préparé sur ce serveur attend la décision prise sur le serveur de l'environnement, où l'exécution n'est pas terminée. Laissez-la finir, ou arrêtez-la par \`rustine cancel ${f('run')}\` ; lancez ensuite \`rustine recover\`.`,
  'part-unsettled': (f) =>
    `Le serveur ${f('server')} ne répond pas (${f('reason')}) : ce que l'exécution ${f('run')} y a laissé à la mort de son programme n'est pas réglé. D'ici là, les connexions à ${some(f.list('folders'), 20)} peuvent être refusées. Démarrez le serveur ou rétablissez la connexion, puis relancez \`rustine recover\`.`,
  'decision-pending': decisionPending,
  'mirror-failed': (f) =>
    `Ce qui représente ${f('folder')} sur le serveur ${f('server')} n'a pas reçu ${f('patch')} (${some(f.list('causes'))}) : aucun dossier de ce serveur ne le reçoit. Corrigez cela dans le schéma ${f('folder').toLowerCase()} de sa base, puis relancez la commande.`,
  'mirror-not-changed': (f) =>
    `Ce qui représente ${f('folder')} sur le serveur ${f('server')} n'a pas pu être modifié de même (${f('cause')}${f.has('reason') ? ` : ${why(f)}` : ''}). Les réglages suivront au prochain \`rustine integrate\` ; les champs de paramétrage sont à saisir à nouveau quand le serveur répondra.`,
  'export-elsewhere': (f) =>
    `Les traitements de ${some(f.list('folders'), 20)} ne sont pas dans ${f('directory')} : ces dossiers se trouvent sur d'autres serveurs. \`rustine script export RÉP --folders …\` exporte ceux d'un serveur.`,
};

export const serverHelp: {
  readonly [K in keyof typeof en.serverHelp]: { readonly [W in keyof (typeof en.serverHelp)[K]]: string };
} = {
  server: { is: "ajoute, liste, montre et supprime d'autres serveurs de base de données" },
  serverAdd: {
    is: 'ajoute un serveur de base de données où des dossiers peuvent se trouver',
    name: 'son nom, comme NORD',
    url: "URL d'une base vide de ce serveur",
  },
  serverList: { is: 'liste les serveurs avec leurs dossiers' },
  serverShow: { is: 'montre un serveur', name: 'nom du serveur' },
  serverDrop: {
    is: "oublie un serveur où il n'y a aucun dossier ; sa base reste telle quelle",
    name: 'nom du serveur',
    yes: 'le confirme',
  },
};

export const serverReport = {
  columns: {
    name: 'serveur',
    url: 'URL',
    state: 'état',
    version: 'PostgreSQL',
    folders: 'dossiers',
    mirrors: 'y représente',
    reason: 'raison',
  },
  states: { reachable: 'joignable', unreachable: 'injoignable' },
  none: "Tous les dossiers se trouvent sur le serveur de l'environnement.",
  added: (name: string) => `Serveur ${name} ajouté. \`rustine folder create CODE --server ${name}\` y crée un dossier.`,
  dropped: (name: string, url: string) =>
    `Le serveur ${name} est oublié. Sa base (${url}) est telle qu'elle était ; supprimez-la si elle ne sert plus.`,
};
