// Writes element-types.md, the page of all element types, from the registry. Run: npm run docs
import { writeFileSync } from 'node:fs';
import type { Behaviour, ElementType } from '../src/dictionary/element-types.ts';
import { ELEMENT_TYPES, NOISE } from '../src/dictionary/element-types.ts';

const PAGE = new URL('./element-types.md', import.meta.url);

/** What a type does beyond being stored and merged. */
const BEHAVIOURS: Readonly<Record<Behaviour, string>> = {
  table: 'the database table follows the definition (R26)',
  script: 'goes to the folders that hold scripts (R22)',
  exe: 'runs at the end (R28)',
  'activity-code': 'sets state and size of the code in the folder, table ADOSACT (R25)',
  'data-type': 'gives fields of tables their column type',
  'table-content': 'its DIV records are the whole content of a table (R24)',
  'model-rows': 'its DIV records are rows of any table (R24)',
};

const INTRODUCTION = `# Element types

Made from the registry, \`src/dictionary/element-types.ts\`, by \`npm run docs\`. A type without special behaviour is one row there and one description
in \`test/fixtures/elements\` (then \`npm run fixtures\` and \`npm run docs\`): the tests take it through its life on a real database.

- **Rank**: elements are integrated in this order (R18), equal ranks by code.
- **Records**: tag → table (fields that identify the record). The header's key is the element's name, its parts joined by \`~\`; a line's identity is its
  tag and its key. Lines without key fields are told apart by their place among those with the same tag. \`A or B\`: whichever the record has.
- **Activity code**: the fields that may hold the activity code of an element, a line or a block (R19).
- **Set-up fields**: written when the element is created, then the folder's own (R20).
- A type that is not in the list is stored and passed on as it came. An element whose type is the abbreviation of a table holds rows of that
  table, in records with the tag DIV (R24).
`;

/** What else the registry says, in words. A property that is new there does not compile until the page can say it. */
const PARTICULARS: Readonly<{
  [Property in Exclude<keyof ElementType, Column>]: (value: NonNullable<ElementType[Property]>) => readonly string[];
}> = {
  personal: (fields) =>
    fields.length === 0 ? [] : [`as long as nobody in the folder changed them, they follow: ${fields.join(', ')}`],
  keptLines: (tags) => tags.map((tag) => `${tag} lines that a patch lacks stay`),
  setUpWhen: (tags) =>
    Object.entries(tags).map(([tag, { field, value }]) => `${tag} lines are the folder's where its ${field} is ${value}`),
  blocks: ({ activity, name, count, lines }) => [
    `blocks, each under the activity code in ${activity}${name === undefined ? '' : `, specific also where ${name} starts with X, Y or Z`}${count === undefined ? '' : `, their number in ${count}`}`,
    ...Object.entries(lines).map(([tag, field]) => `${tag} lines name their block in ${field}`),
  ],
  actions: ({ tag, field }) => [`${tag} lines with ${field} SPE or SPV are changed by Specific or Vertical patches only (R8)`],
  language: (tags) =>
    Object.entries(tags).map(([tag, field]) => `${tag} lines are texts in the language of their ${field} (R23)`),
  behaviour: (behaviour) => [BEHAVIOURS[behaviour]],
};

/** What has a column of its own. */
type Column = 'type' | 'title' | 'titleFr' | 'rank' | 'header' | 'lines' | 'activity' | 'setUp';

/** The page as Markdown. */
export function elementTypesPage(): string {
  const types = [...ELEMENT_TYPES.values()].sort((a, b) => a.rank - b.rank || (a.type < b.type ? -1 : 1));
  const columns = ['rank', 'type', 'title', 'in French', 'records', 'activity code', 'set-up fields', 'behaviour'];
  const rows = [columns, columns.map(() => '---'), ...types.map(cells)];
  const noise = `\n## Noise\nThese fields say nothing about a change; comparing and hashing leave them out, and text numbers too: ${[...NOISE].sort().join(', ')}.\n`;
  return `${INTRODUCTION}\n${rows.map((row) => `| ${row.join(' | ')} |\n`).join('')}${noise}`;
}

function cells(type: ElementType): readonly string[] {
  const { rank, title, titleFr, header, lines, activity, setUp } = type;
  const records = [
    ...(header.table === '' ? [] : [record(header.tag, header)]),
    ...Object.entries(lines).map(([tag, line]) => record(tag, line)),
  ];
  return [
    String(rank),
    type.type,
    title,
    titleFr,
    records.join('<br>'),
    activity.join(', '),
    Object.entries(setUp)
      .map(([tag, fields]) => `${tag}: ${fields.includes('*') ? 'all' : fields.join(', ')}`)
      .join('<br>'),
    particulars(type).join('<br>'),
  ];
}

function record(tag: string, { table, key }: { readonly table: string; readonly key: readonly string[] }): string {
  const fields = key.length === 0 ? '' : ` (${key.map((field) => field.replaceAll('|', ' or ')).join(', ')})`;
  return `${tag}${table === tag ? '' : ` → ${table}`}${fields}`;
}

function particulars(type: ElementType): readonly string[] {
  const say = <Property extends keyof typeof PARTICULARS>(property: Property): readonly string[] => {
    const value = type[property];
    return value === undefined ? [] : PARTICULARS[property](value as NonNullable<ElementType[Property]>);
  };
  return (Object.keys(PARTICULARS) as (keyof typeof PARTICULARS)[]).flatMap(say);
}

if (process.argv[1] === import.meta.filename) writeFileSync(PAGE, elementTypesPage());
