// French help of the command `script`.
export const scriptHelp = {
  script: { is: 'traitements : recherche, copies masquées, ce qui reste à exécuter, export' },
  scriptWhich: {
    is: "montre quelle copie d'un traitement un dossier emploie, et toutes les copies jusqu'au dossier superviseur",
    name: 'nom du traitement',
    folder: 'dossier (défaut : celui depuis lequel on travaille)',
    kind: 'TRT (source) ou ADX (compilé) ; défaut : les deux',
  },
  scriptShadowed: { is: "liste les copies qui masquent celles d'autres dossiers", folder: 'ce dossier seulement' },
  scriptPending: { is: 'liste les traitements qui restent à exécuter', folder: 'ce dossier seulement' },
  scriptRun: {
    is: 'exécute les traitements qui restent à exécuter',
    name: 'ce traitement seulement',
    folder: 'dans ce dossier seulement',
  },
  scriptShow: { is: "affiche la source d'un traitement tel qu'un dossier le trouve" },
  scriptUses: { is: "tables, champs et traitements qu'un traitement utilise" },
  scriptExport: {
    is: 'écrit les traitements des dossiers dans un répertoire, pour les exécuteurs extérieurs',
    dir: 'répertoire : nouveau, ou fait par un export',
    folders: 'dossiers, séparés par des virgules (défaut : tous)',
  },
};
