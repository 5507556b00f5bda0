// French sentences about sessions, logins and recovery (R12).
import type { sessionErrors as errorsEn, sessionFindings as findingsEn } from '../en/sessions.ts';
import type { Sentences } from '../en.ts';
import { type Said, some } from '../said.ts';
import { listed, type SessionLine, sessionLines } from '../session-lines.ts';

const states: Readonly<Record<string, string>> = {
  active: 'active',
  idle: 'inactive',
  'idle in transaction': 'inactive dans une transaction',
  'idle in transaction (aborted)': 'inactive dans une transaction en échec',
};

const line = ({ pid, application, address, state, since, query }: SessionLine): string =>
  [
    `pid ${pid}`,
    [application, address === '' ? '' : `depuis ${address}`].filter((part) => part !== '').join(' '),
    `${states[state] ?? state}${since === '' ? '' : ` depuis le ${since}`}`.trim(),
    query === '' ? '' : `dernière instruction : ${query}`,
  ]
    .filter((part) => part !== '')
    .join(', ');

const lineWithUser = (session: SessionLine): string => `${session.user}, ${line(session)}`;

const whyOpen: Readonly<Record<string, string>> = {
  'other-database':
    'il a été créé pour une autre base (celle-ci est une copie ou a été renommée), dont il écarterait les utilisateurs. Les nouveaux dossiers reçoivent leurs propres connexions',
  superuser: "c'est un super-utilisateur, qu'aucune limite n'arrête. Retirez-lui ce droit",
  rights:
    "l'utilisateur de la base ne peut pas le modifier. Connectez Rustine avec l'utilisateur qui a créé les dossiers, ou avec un utilisateur ayant CREATEROLE et ADMIN OPTION sur lui",
};

/** Who holds what is waited for, and what ends that. */
export function heldBy(f: Said): string {
  const since = f.has('since') ? ` depuis le ${f('since')}` : '';
  const user = f.has('user') ? `utilisateur ${f('user')}` : '';
  if (f.has('pid'))
    return `En cause : la session ${[`pid ${f('pid')}`, user, f.has('application') ? f('application') : ''].filter((part) => part !== '').join(', ')}${since}. Terminez-la (\`${f('command')}\` avec psql)`;
  if (f.has('gid'))
    return `En cause : la transaction préparée ${f('gid')} (${user})${since}, que seul cet utilisateur ou un superutilisateur peut terminer. Lancez \`rustine recover\` avec cet utilisateur, ou terminez-la avec psql (\`${f('command')}\`)`;
  return 'On ne sait plus ce qui est en cause. Si cela dure, voyez pg_stat_activity, pg_locks et pg_prepared_xacts';
}

export const sessionFindings: Sentences<keyof typeof findingsEn> = {
  'sessions-active': (f) =>
    `${f.number('count') === 1 ? "Quelqu'un est connecté" : `${f('count')} sessions sont connectées`} au dossier ${f('folder')} : ${listed(sessionLines(f), line)}.${f.has('check') ? '' : ' Demandez-leur de sortir et utilisez --wait 5m, fermez-les avec --disconnect, ou passez outre avec --force sessions=raison.'}`,
  'sessions-others': (f) =>
    `Connectés à la base avec d'autres connexions que celles des dossiers : ${listed(sessionLines(f), lineWithUser)}.${f.has('locked') ? ` Des verrous y sont tenus sur des tables de ${some(f.list('locked'))} ; l'exécution les attendra.` : ''} Personne ne ferme ces sessions : voyez vous-même si elles peuvent rester.`,
  'sessions-ended': (f) => `Fermées dans le dossier ${f('folder')} : ${listed(sessionLines(f), line)}.`,
  'disconnect-denied': (f) =>
    `Les sessions du dossier ${f('folder')} ne peuvent pas être fermées, l'utilisateur de la base n'en a pas le droit : ${listed(sessionLines(f), line)}. Un administrateur peut le donner : GRANT pg_signal_backend TO l'utilisateur avec lequel Rustine se connecte ; ou les fermer à la main.`,
  'logins-shared': (f) =>
    `${f.list('folders').length === 1 ? `Le dossier ${f.list('folders')[0]} n'a` : `Les dossiers ${some(f.list('folders'))} n'ont`} pas de connexion propre (l'utilisateur de la base ne peut pas créer de rôles) : on ne peut pas savoir qui y travaille, et personne n'est écarté pendant l'exécution. Veillez-y vous-même.`,
  'login-open': (f) =>
    `Les nouvelles connexions ne peuvent pas être refusées pendant l'exécution. Le rôle du dossier : ${whyOpen[f('reason')] ?? f('reason')}. Écartez ses utilisateurs vous-même.`,
  'logins-left-shut': (f) =>
    `Les connexions des dossiers n'ont pas pu être rouvertes à l'instant : ${f('reason')}. La prochaine commande, quelle qu'elle soit, s'en charge ; \`rustine recover\` dit ce qu'il en est.`,
  'login-left-shut': (f) =>
    `La connexion du dossier ${f('folder')} reste fermée : l'utilisateur de la base ne peut plus la modifier. Rendez-lui ce droit, puis lancez \`rustine recover\`.`,
  'login-locked': (f) =>
    `${f.has('role') ? `La connexion du dossier (rôle ${f('role')}) reste fermée : quelqu'un d'autre` : "Les connexions des dossiers ne peuvent pas être fermées pour l'exécution : quelqu'un d'autre"} modifie des rôles de ce serveur et n'a pas terminé sa transaction. ${heldBy(f)}, puis ${f.has('role') ? 'lancez `rustine recover`' : 'relancez'}.`,
  'run-unsettled': (f) =>
    `L'exécution ${f('run')}, dont le programme est mort, n'est pas soldée : une de ses transactions est encore ouverte sur le serveur. ${heldBy(f)}, puis relancez \`rustine recover\`.`,
};

export const sessionErrors: Sentences<keyof typeof errorsEn> = {
  'login-shut': (f) =>
    `Personne n'entre dans le dossier ${f('folder')} pour le moment : l'exécution ${f('run')} y travaille depuis le ${f('since')}. Attendez sa fin ; \`rustine status\` la montre.`,
  'login-held': (f) =>
    `La connexion du dossier ${f('folder')} (rôle ${f('role')}) n'a pas pu être modifiée : quelqu'un d'autre modifie des rôles de ce serveur et n'a pas terminé sa transaction. ${heldBy(f)}, puis relancez la commande.`,
};

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count < 2 ? one : many}`;

export const sessionReport = {
  sessions: {
    waiting: (folders: readonly string[], sessions: readonly SessionLine[]) =>
      `Attente de ${n(sessions.length, 'session')} dans ${some(folders)} : ${listed(sessions, line)}`,
    gone: () => 'Toutes les sessions sont parties.',
    ended: (folders: readonly string[], sessions: readonly SessionLine[]) =>
      `${n(sessions.length, 'session fermée', 'sessions fermées')} dans ${some(folders)} : ${listed(sessions, line)}`,
  },
  recovery: {
    nothing: 'Il ne reste rien à régler.',
    settled: {
      prepared: (items: readonly string[]) =>
        `Transactions préparées terminées, selon la décision prise : ${n(items.length, 'exécution')} (${some(items)})`,
      runs: (items: readonly string[]) =>
        `${n(items.length, 'exécution marquée interrompue', 'exécutions marquées interrompues')} (${some(items)})`,
      tasks: (items: readonly string[]) =>
        `${n(items.length, 'tâche réglée', 'tâches réglées')}, de workers disparus (${some(items)})`,
      cancelled: (items: readonly string[]) =>
        `${n(items.length, 'exécution terminée', 'exécutions terminées')}, interrompues sur demande et sans worker (${some(items)})`,
      logins: (items: readonly string[]) => `Connexions rouvertes : ${some(items, 20)}`,
      staging: (items: readonly string[]) =>
        `Supprimé : ce que ${n(items.length, 'étape')} de programmes morts ${items.length < 2 ? 'avait' : 'avaient'} préparé`,
    },
  },
};
