// French help of the command `element`.
export const elementHelp = {
  element: { is: 'liste et montre des éléments, les compare entre dossiers, change leurs champs de paramétrage' },
  elementList: {
    is: "liste les éléments d'un dossier",
    type: 'type des éléments, comme ATB (défaut : tous)',
    folder: 'dossier (défaut : le dossier superviseur)',
  },
  elementShow: {
    is: 'montre un élément et ses lignes, ou sa différence entre deux dossiers',
    element: 'élément, sous la forme TYPE:NOM',
    folder: 'dossier (défaut : le dossier superviseur)',
    against: 'seulement ce qui diffère de ce dossier',
  },
  elementSet: {
    is: "change des champs de paramétrage d'un élément, que les patches conservent ensuite",
    element: 'élément, sous la forme TYPE:NOM',
    values: 'champs et valeurs ; CHAMP[2]=VALEUR pour un poste de tableau',
    folder: 'dossier (défaut : le dossier superviseur)',
    record: "ligne, sous la forme REPÈRE:CLÉ (défaut : l'en-tête)",
  },
};
