// English words of what a script uses.
export const scriptUses = {
  of: (script: string, from: string, language: string) => `${script} as ${from} has it (${language})`,
  nothing: 'It uses no table and no other script.',
  columns: { table: 'table', fields: 'fields', line: 'line', script: 'calls', found: 'found in' },
  /** Behind the name of a table or field. */
  missing: '(not in the folder)',
  nobody: 'nobody on the way up',
  unknown: (abbreviation: string, line: number) =>
    `Line ${line}: neither the script nor the folder's dictionary says which table ${abbreviation} is.`,
  unread: {
    dynamic: (text: string, line: number) => `Line ${line}: ${text} – what this uses is known only when it runs.`,
    class: (text: string, line: number) => `Line ${line}: ${text} – a class of variables that is not known.`,
    syntax: (text: string, line: number) =>
      `Line ${line}: PostgreSQL's parser does not take it (${text}); what stands there was not read.`,
    size: (text: string, line: number) => `Line ${line}: the script has ${text} characters, which is more than is read.`,
    language: (text: string, line: number) => `Line ${line}: a function in ${text}; its body was not read.`,
  },
};
