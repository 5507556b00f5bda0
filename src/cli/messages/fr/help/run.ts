// French help of the commands that make, show and settle runs.
export const runHelp = {
  integrate: {
    is: 'intègre des patches dans les dossiers',
    paths: "patches, ou répertoires ne contenant rien d'autre",
    folders: 'dossiers concernés, séparés par des virgules (défaut : tous)',
    takeUnchanged: "laisse suivre la livraison les valeurs de paramétrage que personne n'a modifiées dans le dossier",
    atomic: 'tous les dossiers reçoivent les patches, ou aucun (PostgreSQL doit admettre les transactions préparées)',
    authorize: 'codes activité spécifiques admis en plus de ceux des en-têtes de patch',
    force: 'passe outre un contrôle, avec une raison qui est gardée : sequence, content, already, sessions (répétable)',
    onError: "quand un dossier échoue : continuer avec les autres (continue, par défaut) ou s'arrêter (stop)",
    first: "dossiers qui passent d'abord avec leurs dossiers de référence ; les autres ne suivent que si ceux-ci ont tout reçu",
    wait: 'combien de temps attendre une autre exécution qui a pris ces dossiers, puis leurs sessions, par exemple 30s, 1h30m',
    jobs: 'nombre de dossiers traités en même temps',
    rehearse: 'fait tout pour de bon, puis annule',
    disconnect: 'ferme les sessions des dossiers (avec --wait : celles qui restent alors)',
    batch: "met l'intégration en file d'attente : des workers l'exécutent, sur n'importe quelle machine",
    follow: "avec --batch : montre l'avancement ; Ctrl-C la quitte, elle continue",
  },
  check: {
    is: "contrôle ce que rencontrerait l'intégration de ces patches, sans rien modifier",
    paths: "patches, ou répertoires ne contenant rien d'autre",
    folders: 'dossiers qui les recevraient, séparés par des virgules (défaut : tous)',
    authorize: 'codes activité spécifiques qui seraient admis en plus de ceux des en-têtes de patch',
    force: 'contrôle qui serait levé, avec une raison (répétable)',
    jobs: 'nombre de dossiers qui seraient traités en même temps',
  },
  recover: {
    is: "remet d'aplomb ce que des programmes morts ont laissé : exécutions, connexions fermées, données préparées",
  },
  status: {
    is: 'montre les dossiers avec niveau, retard et état, et les exécutions en cours',
    run: 'où en est chaque dossier de cette exécution ; le début de son numéro suffit',
  },
  cancel: {
    is: 'arrête une exécution : les dossiers en cours terminent leur patch, les autres sont laissés de côté',
    run: "numéro de l'exécution, ou son début (défaut : la seule en cours)",
    reason: 'pourquoi : montré par status et log',
  },
  log: {
    is: "liste les dernières exécutions, ou montre la trace de l'une d'elles",
    run: "numéro de l'exécution ou son début, ou last (par défaut : liste les dernières exécutions)",
    folder: "seulement ce qui concerne ce dossier ou toute l'exécution",
    follow: "continue jusqu'à la fin de l'exécution",
    format:
      'text, jsonl (un document JSON par ligne), json, csv (une ligne par événement), ou html : une page à lire, imprimer et signer',
    output: 'écrit dans un nouveau fichier',
    limit: "nombre maximal d'exécutions à lister (par défaut : 20)",
  },
  validate: {
    is: 'met des dossiers en accord avec leurs paramètres et leur dictionnaire',
    folders: 'codes des dossiers',
    due: 'tous les dossiers à valider',
  },
};
