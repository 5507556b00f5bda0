// French help of what is kept: `kept`, `kept-values`.
export const keptHelp = {
  keptValues: {
    is: 'liste les valeurs que les dossiers gardent contre les livraisons',
    folder: 'seulement celles de ce dossier',
    all: 'aussi celles qui sont décidées',
  },
  decide: {
    is: "décide d'une valeur gardée, dans tous les dossiers où elle est la même",
    case: 'le cas, comme kept-values le montre',
    choice: 'keep garde la valeur propre, take prend la valeur livrée, value en pose une',
    value: 'la valeur à poser',
    reason: 'pourquoi, gardé avec la décision',
  },
  kept: { is: 'ce qui a été mis de côté : lister, montrer, remettre, supprimer' },
  keptList: {
    is: 'liste ce qui a été mis de côté (par défaut)',
    folder: 'de ce dossier seulement',
    table: 'de cette table seulement',
  },
  keptShow: {
    is: 'montre les valeurs mises de côté et celles qui y sont maintenant',
    id: "numéro de l'entrée, donné par la liste",
    limit: 'nombre de lignes à montrer au plus (défaut : 20)',
  },
  keptRestore: {
    is: 'remet des entrées en place, toutes ou aucune',
    ids: 'numéros des entrées',
    overwrite: "même là où il y a maintenant d'autres valeurs ou lignes ; celles-ci sont mises de côté",
    rehearse: 'fait tout pour de bon, puis annule',
  },
  keptPurge: {
    is: 'supprime définitivement des entrées, et ce que les patches retiennent pour pouvoir être repris',
    ids: 'numéros des entrées',
    folder: 'celles de ce dossier, avec --before',
    before: 'celles mises de côté, et les patches intégrés, avant ce jour, comme 2026-01-31',
    yes: 'confirme la suppression définitive',
  },
};
