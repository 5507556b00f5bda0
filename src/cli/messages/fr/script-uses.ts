// French words of what a script uses.
export const scriptUses = {
  of: (script: string, from: string, language: string) => `${script} tel que ${from} l'a (${language})`,
  nothing: "Il n'utilise ni table ni autre traitement.",
  columns: { table: 'table', fields: 'champs', line: 'ligne', script: 'appelle', found: 'trouvé dans' },
  missing: '(absent du dossier)',
  nobody: 'aucun dossier de la chaîne',
  unknown: (abbreviation: string, line: number) =>
    `Ligne ${line} : ni le traitement ni le dictionnaire du dossier ne disent quelle table est ${abbreviation}.`,
  unread: {
    dynamic: (text: string, line: number) => `Ligne ${line} : ${text} – ce qui est utilisé n'est connu qu'à l'exécution.`,
    class: (text: string, line: number) => `Ligne ${line} : ${text} – une classe de variables inconnue.`,
    syntax: (text: string, line: number) =>
      `Ligne ${line} : l'analyseur de PostgreSQL ne l'accepte pas (${text}) ; ce qui s'y trouve n'a pas été lu.`,
    size: (text: string, line: number) => `Ligne ${line} : le traitement a ${text} caractères, plus qu'on n'en lit.`,
    language: (text: string, line: number) => `Ligne ${line} : une fonction en ${text} ; son corps n'a pas été lu.`,
  },
};
