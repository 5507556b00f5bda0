// Reports as data and text: what a cell becomes, what a page says first, what is left out of one that would be too long.
import { describe, expect, it } from 'vitest';
import { messages as en } from '../../src/cli/messages/en.ts';
import { messages as fr } from '../../src/cli/messages/fr.ts';
import { csvText } from '../../src/cli/report/csv.ts';
import { folderSheet } from '../../src/cli/report/folder-sheet.ts';
import { foldersPage } from '../../src/cli/report/folders-page.ts';
import { databaseName, type Made } from '../../src/cli/report/made.ts';
import { pageText } from '../../src/cli/report/page.ts';
import type { PageTable, Sheet, SheetCell } from '../../src/cli/report/report.ts';
import { readable } from '../../src/cli/report/rows.ts';
import { runPage } from '../../src/cli/report/run-page.ts';
import { traceSheet } from '../../src/cli/report/run-sheet.ts';
import { validationSheet } from '../../src/cli/report/validation-sheet.ts';
import type { JournalEntry } from '../../src/journal/journal.ts';
import { emptyOutcome } from '../../src/journal/outcome.ts';
import type { RunFolderView } from '../../src/journal/run-views.ts';
import { folderView } from '../support/folder-views.ts';

const MADE: Made = {
  at: '2026-11-21T19:12:00.000Z',
  user: 'alice',
  host: 'app1',
  version: '0.1.0',
  database: 'db1:5432/x3',
  home: '/srv/x3',
};

async function csv(sheet: Sheet): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of csvText(sheet)) pieces.push(piece);
  return pieces.join('');
}
const cell = async (value: SheetCell): Promise<string> =>
  (await csv({ columns: ['c'], rows: [[value]] })).slice('c\r\n'.length, -2);

describe('CSV', () => {
  it('quotes what has to be quoted, and nothing else', async () => {
    expect(await cell('plain')).toBe('plain');
    expect(await cell('a,b')).toBe('"a,b"');
    expect(await cell('say "no"')).toBe('"say ""no"""');
    expect(await cell('two\nlines')).toBe('"two\nlines"');
    expect(await cell(' x')).toBe('" x"');
    expect([await cell(null), await cell(true), await cell(-3), await cell(0)]).toEqual(['', 'true', '-3', '0']);
  });

  it.each(['=1+1', '+1', '-2', '@SUM(A1)', '\tx', '＝1', "'=1", '=HYPERLINK("http://x";"y")'])(
    'a spreadsheet does not calculate %j',
    async (text) => {
      expect((await cell(text)).replace(/^"/, '')).toMatch(/^'/);
    },
  );

  it('an apostrophe that harms nobody stays as it is', async () => {
    expect(await cell("'tis")).toBe("'tis");
    expect(await cell('a=b')).toBe('a=b');
  });

  it('a list in a cell can be taken apart again', async () => {
    expect(await cell(['a', 'b'])).toBe('a; b');
    expect(await cell(['a; b', 'c\\'])).toBe(String.raw`a\; b; c\\`);
    expect(await cell([])).toBe('');
    expect(await cell(['-x.dat', 'b'])).toBe("'-x.dat; b");
  });
});

describe('folders', () => {
  const folders = [
    folderView({ code: 'X3', parent: null }),
    folderView({ code: 'SEED', lag: ['P_0002_140.dat'], due: true }),
    folderView({ code: 'SHOP', reasons: ['languages', 'activity-code:KIT'], due: true }),
    folderView({ code: 'SHUT', state: 'locked' }),
    folderView({ code: 'FAR', state: 'unreachable', server: 'NORTH' }),
    folderView({ code: 'GOOD' }),
  ];

  it('the sheet has a row per folder, with the command that mends it, the same in both languages', async () => {
    const text = await csv(folderSheet(folders, en));
    const rows = text.split('\r\n');
    expect(rows).toHaveLength(folders.length + 2);
    expect(rows[0]).toMatch(/^folder,parent,server,state,due,reasons,lag,lag_files,.*,commands$/);
    expect(rows[2]).toMatch(/^SEED,X3,,ready,true,,1,P_0002_140\.dat,.*,rustine integrate P_0002_140\.dat --folders SEED$/);
    expect(rows[5]).toMatch(/^FAR,X3,NORTH,unreachable,,,,,/);
    expect(await csv(folderSheet(folders, fr))).toBe(text);
  });

  it.each([
    ['en', en],
    ['fr', fr],
  ] as const)('the page counts first, in %s', (language, messages) => {
    const page = foldersPage({ kind: 'status', folders, findings: [] }, MADE, messages);
    expect(page.language).toBe(language);
    expect(page.verdict.tone).toBe('bad');
    expect(page.figures.map(({ value }) => value)).toEqual(['6', '2', '1', '1', '1', '1']);
    expect(page.facts.map(([, value]) => value)).toEqual(
      expect.arrayContaining([expect.stringContaining('db1:5432/x3'), 'X3', expect.stringContaining('alice'), 'Rustine 0.1.0']),
    );
    const good = foldersPage({ kind: 'status', folders: [folders[0]!], findings: [] }, MADE, messages);
    expect(good.verdict).toEqual({ text: messages.report.allInLine.replace(/.*/, messages.reports.folders.good), tone: 'good' });
  });
});

describe('a run', () => {
  const run = {
    run: '7b93a6d5-ebea-41f5-9fba-d2379c6ef017',
    mode: 'integrate',
    state: 'partial',
    operator: 'alice',
    host: 'db1',
    from: 'X3',
    startedAt: '2026-11-21T03:16:05.000Z',
    finishedAt: '2026-11-21T03:16:06.000Z',
    files: ['A.dat'],
    authorized: ['ZVIP'],
    forced: { sequence: 'the rest is on paper' },
    cancelRequestedBy: null,
    cancelReason: null,
    folders: 3,
  } as const;
  const at = run.startedAt;
  const failed = { ...emptyOutcome('A.dat', 'failed', 12), reason: { code: 'lock-timeout', facts: { table: 'item' } } };
  const done = {
    ...emptyOutcome('A.dat', 'integrated', 48),
    elements: { created: 3, updated: 0, identical: 0, kept: 1, ignored: 0 },
  };
  const entries: readonly JournalEntry[] = [
    { kind: 'run-started', run: run.run, mode: 'integrate', files: ['A.dat'], folders: ['X3', 'SEED', 'SHOP'], seq: 1, at },
    {
      kind: 'finding',
      finding: { code: 'already-integrated', severity: 'warn', folder: 'X3', patch: 'A.dat', facts: {} },
      seq: 2,
      at,
    },
    { kind: 'patch-finished', folder: 'X3', outcome: done, seq: 3, at },
    { kind: 'folder-finished', folder: 'X3', state: 'integrated', seq: 4, at },
    // It was in somebody's way first: what counts is what it came to.
    { kind: 'patch-finished', folder: 'SEED', outcome: done, seq: 5, at },
    { kind: 'patch-finished', folder: 'SEED', outcome: failed, seq: 6, at },
    { kind: 'folder-finished', folder: 'SEED', state: 'failed', seq: 7, at },
    { kind: 'run-finished', run: run.run, state: 'partial', ms: 950, seq: 8, at },
  ];
  const view = (folder: string, state: RunFolderView['state']): RunFolderView => ({
    folder,
    wave: 0,
    state,
    attempts: 1,
    startedAt: at,
    finishedAt: '2026-11-21T03:16:05.500Z',
    notBefore: null,
    blocker: null,
    outcome: null,
  });
  const folders = [view('X3', 'integrated'), view('SEED', 'failed'), view('SHOP', 'skipped')];

  it('the sheet of its trace has a row per entry, with counts where a patch has ended', async () => {
    async function* pages() {
      yield entries.slice(0, 3);
      yield entries.slice(3);
    }
    const rows = (await csv(traceSheet(run.run, pages(), en))).split('\r\n');
    expect(rows).toHaveLength(entries.length + 2);
    const columns = rows[0]?.split(',') ?? [];
    // Only sentences have quotes here.
    const value = (row: number, column: string) => rows[row]?.replace(/"[^"]*"/g, 'quoted').split(',')[columns.indexOf(column)];
    expect([value(2, 'kind'), value(2, 'severity'), value(2, 'code'), value(2, 'elements_created')]).toEqual([
      'finding',
      'warn',
      'already-integrated',
      '',
    ]);
    expect([value(3, 'folder'), value(3, 'patch'), value(3, 'state'), value(3, 'ms')]).toEqual([
      'X3',
      'A.dat',
      'integrated',
      '48',
    ]);
    expect([value(6, 'state'), value(6, 'code')]).toEqual(['failed', 'lock-timeout']);
  });

  it.each([
    ['en', en],
    ['fr', fr],
  ] as const)('the page says who forced and authorised what and why, and what failed, in %s', (_language, messages) => {
    const page = runPage({ run, entries, folders }, MADE, messages);
    const [asked, outcome] = page.sections;
    const notes = asked?.blocks.flatMap((block) => (block.kind === 'text' ? [block.text] : []));
    expect(notes).toEqual([expect.stringMatching(/sequence.*alice.*the rest is on paper/), expect.stringMatching(/alice.*ZVIP/)]);
    const table = outcome?.blocks[0] as PageTable;
    expect(table.groups.map(({ rows }) => rows.map((row) => ('wide' in row ? row.wide : row[0])))).toEqual([
      ['SEED'],
      ['SHOP'],
      ['X3'],
    ]);
    expect(JSON.stringify(table.groups[0])).toContain('lock-timeout');
    const text = [...pageText(page)].join('');
    // The reason of a failure that no finding told is among the findings, as a sentence.
    expect(text).toContain(messages.reports.severities.block);
    expect(page.figures.map(({ value }) => value).slice(0, 4)).toEqual(['3', '1', '1', '1']);
  });

  it('one that has not ended says so', () => {
    const page = runPage(
      { run: { ...run, state: 'interrupted', finishedAt: null }, entries: entries.slice(0, 3), folders: [] },
      MADE,
      en,
    );
    expect(page.verdict).toEqual({ text: 'interrupted. It has not ended.', tone: 'bad' });
  });
});

it('a validation has a row for each folder, and for each thing that changes there', async () => {
  const folder = {
    folder: 'SEED',
    due: false,
    reasons: [],
    settled: [],
    elements: { created: 0, updated: 1, identical: 0, kept: 0, ignored: 0 },
    lines: { created: 0, updated: 1, identical: 0, kept: 0, ignored: 0, removed: 0 },
    tables: { created: ['bag'], altered: ['item'], removed: [], changes: [] },
    scripts: ['TRT:LIB'],
    ran: ['COUNT'],
    rows: { inserted: 2, updated: 0, deleted: 0 },
    texts: 0,
    patches: ['A.dat'],
    differences: {
      elements: [
        {
          type: 'ATB',
          name: 'ITEM',
          change: 'updated',
          records: [
            { tag: 'ATB', key: '', change: 'updated', fields: [{ field: 'ZONE', before: '=a', after: null }] },
            { tag: 'ATZ', key: 'NAM', change: 'removed', fields: [] },
          ],
        },
      ],
      scripts: ['TRT:LIB'],
    },
    ms: 9,
    state: 'validated',
    steps: [],
  } as const;
  const outcome = { run: 'r1', mode: 'validate', state: 'done', findings: [], folders: [folder] } as const;
  const text = await csv(validationSheet(outcome));
  expect(
    text
      .trimEnd()
      .split('\r\n')
      .map((row) => row.split(',').slice(2).join().replace(/,+$/, '')),
  ).toEqual([
    'folder,kind,state,code,ms,name,change,tag,key,field,before,after',
    'SEED,folder,validated,,9',
    'SEED,element,,,,ATB:ITEM,updated',
    "SEED,field,,,,ATB:ITEM,updated,ATB,,ZONE,'=a",
    'SEED,line,,,,ATB:ITEM,removed,ATZ,NAM',
    'SEED,table,,,,bag,created',
    'SEED,table,,,,item,altered',
    'SEED,script,,,,TRT:LIB',
    'SEED,script,,,,COUNT,run',
    'SEED,rows,,,,,inserted,,,,,2',
    'SEED,patch,,,,A.dat',
  ]);
});

it('a table that is too long ends in a note that says how much is left out', () => {
  const rows = Array.from({ length: 5 }, (_, at) => [`${at}`]);
  const table: PageTable = {
    kind: 'table',
    caption: 'c',
    columns: [{ title: 't' }],
    groups: [
      { title: 'one', rows },
      { title: 'two', rows },
    ],
  };
  expect(readable(table, en, 10)).toEqual([table]);
  const [cut, note] = readable(table, en, 7);
  expect((cut as PageTable).groups.map((group) => group.rows.length)).toEqual([5, 2]);
  expect(note).toMatchObject({ kind: 'text', text: expect.stringContaining('3 more rows') });
  expect(readable({ ...table, groups: [] }, en)).toEqual([]);
});

it('a database is named without its password', () => {
  expect(databaseName('postgresql://rustine:secret@db1.example:5433/x3?sslmode=require')).toBe('db1.example:5433/x3');
});
