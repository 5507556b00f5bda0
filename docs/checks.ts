// Writes checks.md, the page of all checks, from their list and the English sentences. Run: npm run docs
import { writeFileSync } from 'node:fs';
import { messages } from '../src/cli/messages/en.ts';
import type { Said, Sentence } from '../src/cli/messages/said.ts';
import type { Check, CheckPlace } from '../src/plan/checks.ts';
import { CHECKS } from '../src/plan/checks.ts';

const PAGE = new URL('./checks.md', import.meta.url);

const PLACES: Readonly<Record<CheckPlace, string>> = {
  files: 'patch files and directories',
  request: 'what was asked for',
  folders: 'state and settings of the folders',
  sessions: 'sessions, logins and batch tasks of the folders',
  account: 'what folders have integrated',
  server: 'database servers',
  elements: 'elements of the patch and of the folder',
  'activity-codes': 'specific activity codes',
  tables: 'table definitions, tables and their values',
  rows: 'rows of the patch',
  scripts: 'scripts',
};

const SEVERITIES = { block: '**blocks**', warn: 'warning', info: 'note' } as const;

const INTRODUCTION = `# Checks

Made from the list in \`src/plan/checks.ts\` and the sentences of the program, by \`npm run docs\`.

Everything that checking and planning can find, by the code of the finding. All findings of a run come together, each with its place. One that **blocks**
stops the run before anything changes ([the first table](#before-the-run)), or its patch in that folder, which then stays as it was
([the second](#in-each-folder)); the [third](#before-a-patch-is-taken-back) are those of taking a patch back. [\`rustine check\`](commands/check.md) gives the first ones alone, \`integrate --rehearse\` all of them; both change nothing.

A check with a name under *force* can be passed over with \`--force NAME=reason\`. Reason and author are kept with the run and with every patch that it integrates
(\`rustine.run.forced\`, \`rustine.integration.forced\`), and what was passed over appears as a warning, in the result and in [\`rustine log\`](commands/log.md).
Words in ‹› stand for what the finding is about, 2 for any number.
`;

const SECTIONS: readonly (readonly [title: string, when: Check['when'], text: string])[] = [
  ['Before the run', 'run', 'Looked at before anything changes in any folder.'],
  [
    'In each folder',
    'folder',
    'Found where a patch meets the content of a folder, in the transaction that would change it; what the database itself refuses (a lock, a full disk) comes as an error of that folder.',
  ],
  [
    'Before a patch is taken back',
    'revert',
    'Found in the transaction of each folder before anything changes there ([`rustine revert`](commands/revert.md)).',
  ],
];

/** The page as Markdown. */
export function checksPage(): string {
  return [INTRODUCTION, ...SECTIONS.map(([title, when, text]) => section(title, when, text))].join('\n');
}

function section(title: string, when: Check['when'], text: string): string {
  const columns = ['code', 'severity', 'force', 'rule', 'looks at', 'what it says'];
  const rows = [columns, columns.map(() => '---'), ...CHECKS.filter((check) => check.when === when).map(cells)];
  return `## ${title}\n${text}\n\n${rows.map((row) => `| ${row.join(' | ')} |\n`).join('')}`;
}

function cells({ code, severities, force, rules, place }: Check): readonly string[] {
  return [
    `\`${code}\``,
    severities.map((severity) => SEVERITIES[severity]).join(' or '),
    force === undefined ? '' : `\`${force}\``,
    rules.join(', '),
    PLACES[place],
    sentenceOf(code)(PLACEHOLDERS).replaceAll('|', '\\|').replaceAll('\n', ' '),
  ];
}

function sentenceOf(code: string): Sentence {
  const catalogs: readonly Readonly<Record<string, Sentence>>[] = [messages.findings, messages.errors];
  const sentence = catalogs.find((catalog) => code in catalog)?.[code];
  if (sentence === undefined) throw new Error(`no sentence for ${code}`);
  return sentence;
}

/** Stands for the facts of a finding: each is there, and shows its name. What tells a forced finding apart is left out. */
const PLACEHOLDERS: Said = Object.assign((name: string) => `‹${name}›`, {
  has: (name: string) => name !== 'check',
  list: (name: string) => [`‹${name}›`],
  number: () => 2,
  all: () => '',
});

if (process.argv[1] === import.meta.filename) writeFileSync(PAGE, checksPage());
