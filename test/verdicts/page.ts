// The verdict matrix as a page that a person can read.
import type { Matrix } from './matrix.ts';

const HEAD = `# Who wins

What becomes of a delivered element, block, line or set-up field, and of what the folder has. Every cell of this page is what a live run against a real
database did (\`npm run verdicts\`); the rules are tables too: \`src/dictionary/verdicts.ts\`.

\`kept\`: the folder's stays although something else was delivered (\`rustine kept-values\` lists set-up fields, protected lines and elements) ·
\`ignored\`: not authorised, so it does not come in · \`identical\`: nothing is written.
`;

export function verdictPage(matrices: readonly Matrix[]): string {
  return `${HEAD}${matrices.map(section).join('')}`;
}

function section({ title, corner, columns, rows }: Matrix): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const head = line([corner.replace('\\', '╲'), ...columns]) + line(['---', ...columns.map(() => '---')]);
  return `\n## ${title}\n${head}${rows.map((row) => line([`**${row.name}**`, ...row.cells])).join('')}`;
}
