// French words of the help pages.
import type { Messages } from '../en.ts';
import { batchHelp } from './batch.ts';
import { elementHelp } from './help/element.ts';
import { folderHelp } from './help/folder.ts';
import { keptHelp } from './help/kept.ts';
import { runHelp } from './help/run.ts';
import { scriptHelp } from './help/script.ts';
import { historyHelp } from './history.ts';
import { serverHelp } from './servers.ts';

export const help: Messages['help'] = {
  titles: {
    'Usage:': 'Usage :',
    'Arguments:': 'Arguments :',
    'Options:': 'Options :',
    'Global Options:': 'Options de toutes les commandes :',
    'Commands:': 'Commandes :',
  },
  words: {
    options: 'options',
    command: 'commande',
    dir: 'rép',
    url: 'url',
    folder: 'dossier',
    lang: 'langue',
    code: 'code',
    codes: 'codes',
    folders: 'dossiers',
    path: 'chemin',
    file: 'fichier',
    number: 'nombre',
    numbers: 'numéros',
    all: 'all',
    run: 'exécution',
    id: 'id',
    table: 'table',
    date: 'date',
    element: 'élément',
    type: 'type',
    assignment: 'CHAMP=VALEUR',
    line: 'REPÈRE:CLÉ',
    check: 'contrôle',
    case: 'cas',
    choice: 'choix',
    value: 'valeur',
    reason: 'raison',
    name: 'nom',
    duration: 'durée',
    kind: 'genre',
    kinds: 'genres',
    state: 'état',
    text: 'texte',
  },
  program: "Intègre des patches dans tous les dossiers d'un environnement sous PostgreSQL.",
  after:
    "Codes de retour : 0 fait · 1 fait pour une partie des dossiers, ou un contrôle bloque · 2 refusé, rien n'a changé · 3 panne extérieure (base, disque) · 70 erreur de Rustine",
  options: {
    help: 'affiche cette aide',
    version: 'affiche la version',
    home: 'répertoire de travail (défaut : $RUSTINE_HOME, sinon .rustine ici)',
    database: 'URL de la base (défaut : $RUSTINE_DATABASE_URL, sinon le PostgreSQL embarqué)',
    from: 'dossier depuis lequel on travaille (défaut : le dossier superviseur)',
    json: 'un seul document JSON sur la sortie standard, tout le reste sur la sortie des erreurs',
    lang: 'langue : en ou fr (défaut : selon le système)',
    quiet: 'résultats et problèmes seulement',
    verbose: 'tous les constats, et le détail des erreurs',
  },
  report: {
    format: 'text, json, csv pour tableurs et programmes, ou html : une page à lire, imprimer et signer',
    output: "écrit dans un nouveau fichier ; un fichier existant n'est pas écrasé",
  },
  commands: {
    ...elementHelp,
    ...folderHelp,
    ...historyHelp,
    ...keptHelp,
    ...runHelp,
    ...scriptHelp,
    ...serverHelp,
    init: {
      is: "crée l'environnement : catalogue, dossier superviseur, types de données de base",
      supervisor: 'code du dossier superviseur (défaut : X3)',
      languages: 'langues du dossier superviseur, comme FRA,ENG',
    },
    patch: { is: 'examine des patches' },
    patchShow: { is: "montre l'en-tête et les éléments d'un patch", file: 'patch' },
    ...batchHelp,
    db: { is: 'la base de données utilisée' },
    dbUrl: {
      is: 'affiche son URL de connexion, pour psql et autres',
      folder: 'URL de la connexion de ce dossier',
      server: "URL de la base de l'environnement sur cet autre serveur",
    },
    dbStop: { is: 'arrête la base embarquée' },
  },
};
