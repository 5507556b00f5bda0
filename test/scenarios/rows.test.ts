// Data rows of a patch in a folder's tables (R24), and what is put aside of those that were there (R27), on a real database.
import { describe, expect, test } from 'vitest';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { connected, openEnvironment } from '../support/environment.ts';
import { activityCode, any, bare, content, row, rows, table } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

const FIELDS = { COD: 'A:10', NAM: 'A:20', QTY: 'C' };
const item = () => table('ITEM', 'ITM', FIELDS, { ITM0: 'COD' });

const counts = (outcome: RunOutcome) => outcome.folders.map((folder) => folder.patches[0]?.rows);
const found = (outcome: RunOutcome) => [
  outcome.state,
  outcome.findings.map(({ code, severity, subject, facts }) => [code, severity, subject, facts]),
];
const attempt = (env: TestEnvironment, path: string): Promise<RunOutcome> =>
  env.rustine.integrate({ paths: [path], mode: 'integrate' });

const items = (env: TestEnvironment, folder = 'x3') =>
  env.query(`select cod_0 as cod, nam_0 as nam, qty_0 as qty, updtick_0 as tick from ${folder}.item order by cod_0 collate "C"`);
/** What was put aside, with the rows as they were. */
const kept = (env: TestEnvironment) =>
  env.query<{ folder: string; file: string; why: string; rows: number; old: string[][] }>(`
    select f.code as folder, i.file, k.kind, k.table_name as table, k.why, k.rows::integer,
      (select json_agg(json_build_array(r.value ->> 'cod_0', r.value ->> 'nam_0') order by r.value ->> 'cod_0' collate "C") from rustine.kept_row r where r.kept = k.id) as old
    from rustine.kept k join rustine.folder f on f.id = k.folder join rustine.integration i on i.id = k.integration order by k.id`);

describe.each(everyServer())('rows on $name', (server) => {
  test('R27: a row that changes is kept as it was, with the patch that changed it; equal and new ones are not', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(
      await env.patch('T.dat', [
        item(),
        rows('ITM', 'all', [
          { COD: 'A', NAM: 'a', QTY: 1 },
          { COD: 'B', NAM: 'b', QTY: 2 },
          { COD: 'C', NAM: 'c', QTY: 3 },
        ]),
      ]),
    );
    expect(await kept(env)).toEqual([]);
    await env.query(`update seed.item set nam_0 = 'of seed' where cod_0 = 'C'`);
    const outcome = await env.integrate(
      await env.patch('D.dat', [
        rows('ITM', 'all', [
          { COD: 'A', NAM: 'a', QTY: 1 },
          { COD: 'B', NAM: 'new', QTY: 2 },
          { COD: 'C', QTY: 4 },
          { COD: 'D', NAM: 'd', QTY: 5 },
        ]),
      ]),
    );
    expect(counts(outcome)).toEqual([
      { inserted: 1, updated: 2, deleted: 0 },
      { inserted: 1, updated: 2, deleted: 0 },
    ]);
    const entry = { file: 'D.dat', kind: 'rows', table: 'item', why: 'updated', rows: 1 };
    // One entry for each set of columns that rows came with.
    expect(await kept(env)).toEqual([
      { folder: 'X3', ...entry, old: [['B', 'b']] },
      { folder: 'X3', ...entry, old: [['C', 'c']] },
      { folder: 'SEED', ...entry, old: [['B', 'b']] },
      { folder: 'SEED', ...entry, old: [['C', 'of seed']] },
    ]);
    expect(
      await env.query(`select count(*)::integer as n from rustine.kept_row r join rustine.kept k on k.id = r.kept join x3.item t on t.rowid = r.row_number
        where k.folder = (select id from rustine.folder where code = 'X3') and t.cod_0 = r.value ->> 'cod_0' and (r.value -> 'rowid')::bigint = t.rowid and (r.value -> 'updtick_0')::integer = 1`),
    ).toEqual([{ n: 2 }]);
  });

  test('R27: a rehearsal keeps nothing', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('T.dat', [item(), row('ITM', 'a', { COD: 'A', NAM: 'a' })]));
    await env.integrate(await env.patch('D.dat', [row('ITM', 'a', { COD: 'A', NAM: 'b' })]), { mode: 'rehearse' });
    expect(await kept(env)).toEqual([]);
  });

  test('R27: texts by language that are overwritten are kept', async () => {
    const env = await openEnvironment(server);
    const named = (texts: Readonly<Record<string, string>>) => row('ITM', 'a', { COD: 'A' }, { NAM: texts });
    await env.integrate(await env.patch('T.dat', [item(), named({ ENG: 'nail', FRA: 'clou' })]));
    await env.integrate(await env.patch('D.dat', [named({ ENG: 'screw', FRA: 'clou' })]));
    expect(
      await env.query(
        `select k.table_name, k.why, k.rows::integer, r.value ->> 'language' as language, r.value ->> 'text' as text
         from rustine.kept k join rustine.kept_row r on r.kept = k.id order by k.id`,
      ),
    ).toEqual([
      { table_name: 'item', why: 'updated', rows: 1, language: null, text: null },
      { table_name: 'rustine.translation', why: 'updated', rows: 1, language: 'ENG', text: 'nail' },
    ]);
    expect(await env.query('select language, text from rustine.translation order by 1')).toEqual([
      { language: 'ENG', text: 'screw' },
      { language: 'FRA', text: 'clou' },
    ]);
  });

  test.each(['ITEM', 'ITM'])(
    'R24: TAB %s replaces the content: equal rows are not touched, the others are kept aside',
    async (name) => {
      const env = await openEnvironment(server, { folders: ['SEED'] });
      await env.integrate(
        await env.patch('T.dat', [
          item(),
          rows('ITM', 'all', [
            { COD: 'A', NAM: 'a', QTY: 1 },
            { COD: 'B', NAM: 'b', QTY: 2 },
            { COD: 'C', NAM: 'c', QTY: 3 },
          ]),
        ]),
      );
      await env.query(`insert into seed.item (cod_0, nam_0) values ('Z', 'own')`);
      const untouched = `select xmin::text, ctid::text, * from x3.item where cod_0 = 'A'`;
      const before = await env.query(untouched);
      const outcome = await env.integrate(
        await env.patch('C.dat', [
          content(name, [
            { COD: 'D', NAM: 'd', QTY: 4 },
            { COD: 'B', NAM: 'new', QTY: 2 },
            { COD: 'A', NAM: 'a', QTY: 1 },
          ]),
        ]),
      );
      expect(counts(outcome)).toEqual([
        { inserted: 1, updated: 1, deleted: 1 },
        { inserted: 1, updated: 1, deleted: 2 },
      ]);
      expect(await env.query(untouched)).toEqual(before);
      for (const folder of ['x3', 'seed'])
        expect(await items(env, folder)).toEqual([
          { cod: 'A', nam: 'a', qty: 1, tick: 1 },
          { cod: 'B', nam: 'new', qty: 2, tick: 2 },
          { cod: 'D', nam: 'd', qty: 4, tick: 1 },
        ]);
      expect((await kept(env)).map(({ folder, why, old }) => [folder, why, old])).toEqual([
        ['X3', 'replaced', [['C', 'c']]],
        ['X3', 'updated', [['B', 'b']]],
        [
          'SEED',
          'replaced',
          [
            ['C', 'c'],
            ['Z', 'own'],
          ],
        ],
        ['SEED', 'updated', [['B', 'b']]],
      ]);
    },
  );

  test('R24: an empty TAB empties the table; of a TAB that stands twice the last counts; a new folder gets the content too', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('A.dat', [item(), row('ITM', 'a', { COD: 'A', NAM: 'a' })]));
    expect(counts(await env.integrate(await env.patch('B.dat', [content('ITEM', [])])))).toEqual([
      { inserted: 0, updated: 0, deleted: 1 },
    ]);
    expect(await items(env)).toEqual([]);
    expect(await kept(env)).toMatchObject([{ file: 'B.dat', why: 'replaced', rows: 1, old: [['A', 'a']] }]);
    await env.folders(['LATE']);
    const paths = ['A.dat', 'B.dat'].map((file) => `${env.directory}/${file}`);
    await env.integrate(paths);
    expect(await items(env, 'late')).toEqual([]);
    const twice = await env.integrate(
      await env.patch('C.dat', [content('ITEM', [{ COD: 'X' }, { COD: 'Y' }]), content('ITEM', [{ COD: 'Y' }])]),
    );
    expect(found(twice)).toMatchObject(['done', [['element-twice', 'warn', 'TAB:ITEM', {}]]]);
    expect((await items(env)).map((each) => (each as { cod: string }).cod)).toEqual(['Y']);
  });

  test('R24: the content of a table whose first index allows duplicates; a table that the same patch creates', async () => {
    const env = await openEnvironment(server);
    const list = (kind: number) =>
      any('ATB', 'LIST', [
        { tag: 'ATB', values: { ABRFIC: 'LST', CODFIC: 'LIST' } },
        ...['COD', 'DAT'].map((name, at) => ({
          tag: 'ATZ',
          values: { CODZONE: name, CODTYP: name === 'COD' ? 'A' : 'D', LONG: name === 'COD' ? 5 : 0, NUMLIG: at + 1 },
        })),
        { tag: 'ATI', values: { CODIND: 'LST0', DESCRIPT: 'COD+DAT', HOMONYM: kind, NUMLIG: 1 } },
      ]);
    const none = bare('000000');
    await env.integrate(await env.patch('A.dat', [list(2), content('LIST', [{ COD: 'A', DAT: none }])]));
    await env.query(`insert into x3.list (cod_0) values ('A'), ('A'), ('B')`);
    const outcome = await env.integrate(await env.patch('B.dat', [content('LST', [{ COD: 'A', DAT: none }])]));
    expect(counts(outcome)).toEqual([{ inserted: 0, updated: 0, deleted: 3 }]);
    expect(await env.query('select cod_0 from x3.list')).toEqual([{ cod_0: 'A' }]);
    const twice = await attempt(
      env,
      await env.patch('C.dat', [
        content('LST', [
          { COD: 'A', DAT: none },
          { COD: 'A', DAT: none },
        ]),
      ]),
    );
    expect(found(twice)).toEqual([
      'refused',
      [['content-key-twice', 'block', 'ATB:LIST', { table: 'LIST', count: 1, keys: ['A~'] }]],
    ]);
  });

  test('R24: TAB also knows tables that have no abbreviation, several of them', async () => {
    const env = await openEnvironment(server);
    const none = (code: string) => table(code, '', { COD: 'A:5' }, { IND: 'COD' });
    await env.integrate(await env.patch('A.dat', [none('ONE'), none('TWO'), content('ONE', [{ COD: 'a' }])]));
    await env.integrate(await env.patch('B.dat', [content('ONE', [{ COD: 'b' }]), content('TWO', [{ COD: 'c' }])]));
    expect(await env.query('select cod_0 from x3.one union all select cod_0 from x3.two')).toEqual([
      { cod_0: 'b' },
      { cod_0: 'c' },
    ]);
  });

  test('R25: the content of a table that the folder does not have is left out there, and told', async () => {
    const env = await openEnvironment(server);
    const box = table('BOX', 'BOX', { COD: 'A:5' }, { BOX0: 'COD' }, { activity: 'KIT' });
    const outcome = await env.integrate(
      await env.patch('A.dat', [activityCode('KIT', { active: false }), box, content('BOX', [{ COD: 'a' }])]),
    );
    expect(outcome.findings.map(({ code, severity, facts }) => [code, severity, facts.rows])).toContainEqual([
      'rows-left-out',
      'warn',
      1,
    ]);
    expect(counts(outcome)).toEqual([{ inserted: 0, updated: 0, deleted: 0 }]);
  });

  test('R27: what somebody else changes at the same moment is kept as they left it', async () => {
    const env = await openEnvironment(server);
    await env.integrate(
      await env.patch('T.dat', [
        item(),
        rows('ITM', 'all', [
          { COD: 'A', NAM: 'a' },
          { COD: 'B', NAM: 'b' },
        ]),
      ]),
    );
    const path = await env.patch('D.dat', [
      rows('ITM', 'all', [
        { COD: 'A', NAM: 'new' },
        { COD: 'B', NAM: 'new' },
      ]),
    ]);
    await connected(env.url, async (other) => {
      await other.query('begin');
      await other.query(`update x3.item set nam_0 = 'just now' where cod_0 = 'A'`);
      const running = env.integrate(path);
      for (let waiting = 0; waiting === 0; )
        waiting = (
          await env.query(`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`)
        ).length;
      await other.query('commit');
      expect(counts(await running)).toEqual([{ inserted: 0, updated: 2, deleted: 0 }]);
    });
    expect(await kept(env)).toMatchObject([
      {
        rows: 2,
        old: [
          ['A', 'just now'],
          ['B', 'b'],
        ],
      },
    ]);
    expect(await items(env)).toMatchObject([{ nam: 'new' }, { nam: 'new' }]);
  });

  test('AAA: rows of tables that the record’s tag or its label names are inserted or updated, none is deleted', async () => {
    const env = await openEnvironment(server);
    const other = table('OTHER', 'OTH', { KEY: 'L', TXT: 'A:9' }, { OTH0: 'KEY' });
    await env.integrate(await env.patch('T.dat', [item(), other, row('ITM', 'a', { COD: 'A', NAM: 'a' })]));
    const outcome = await env.integrate(
      await env.patch('M.dat', [
        any('AAA', 'MODEL', [
          { tag: 'DIV', label: '"ITEM~A"', values: { COD: 'A', NAM: 'by label' } },
          { tag: 'ITM', label: 'anything', values: { COD: 'B', NAM: 'by tag' } },
          { tag: 'DIV', label: 'OTH~7', values: { KEY: 7, TXT: 'seven' } },
        ]),
      ]),
    );
    expect(counts(outcome)).toEqual([{ inserted: 2, updated: 1, deleted: 0 }]);
    expect(await items(env)).toMatchObject([
      { cod: 'A', nam: 'by label' },
      { cod: 'B', nam: 'by tag' },
    ]);
    expect(await env.query('select key_0, txt_0 from x3.other')).toEqual([{ key_0: 7, txt_0: 'seven' }]);
    expect(await kept(env)).toMatchObject([{ file: 'M.dat', why: 'updated', old: [['A', 'a']] }]);
  });

  test('bad input: unknown tables, strange records and the folder’s own account block by name, and nothing changes', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('T.dat', [item(), row('ITM', 'a', { COD: 'A', NAM: 'a' })]));
    const before = await items(env);
    const outcome = await attempt(
      env,
      await env.patch('B1.dat', [
        row('ITM', 'b', { COD: 'B' }),
        content('NO"NE', [{ COD: 'A' }]),
        content('NOTHING', []),
        any('AAA', 'MODEL', [
          { tag: 'DIV', label: "it's~x", values: { COD: 'A' } },
          { tag: 'DIV', values: { COD: 'A' } },
          { tag: 'QQQ', values: { COD: 'A' } },
          { tag: 'QQQ', values: { COD: 'B' } },
        ]),
      ]),
    );
    const unknown = (subject: string, name: string, facts: object) => [
      'content-table-unknown',
      'block',
      subject,
      { element: subject, table: name, ...facts },
    ];
    expect(found(outcome)).toEqual([
      'refused',
      [
        unknown('TAB:NO"NE', 'NO"NE', { rows: 1, record: '', line: 8 }),
        unknown('TAB:NOTHING', 'NOTHING', { rows: 0 }),
        unknown('AAA:MODEL', "it's", { rows: 1, record: "it's~x", line: 15 }),
        unknown('AAA:MODEL', '', { rows: 1, record: '', line: 18 }),
        unknown('AAA:MODEL', 'QQQ', { rows: 2, record: '', line: 21 }),
      ],
    ]);
    expect(
      found(await attempt(env, await env.patch('B2.dat', [any('TAB', 'ITEM', [{ tag: 'ITM', values: { COD: 'B' } }])]))),
    ).toMatchObject(['refused', [['content-tag', 'block', 'TAB:ITEM', { tag: 'ITM', line: 3, expected: 'DIV' }]]]);
    expect(found(await attempt(env, await env.patch('B3.dat', [content('APATCH', [])])))).toMatchObject([
      'refused',
      [['content-own-account', 'block', 'TAB:APATCH', { table: 'APATCH' }]],
    ]);
    expect(await items(env)).toEqual(before);
    expect(await kept(env)).toEqual([]);
    expect(await env.query('select fic_0 from x3.apatch')).toEqual([{ fic_0: 'T.dat' }]);
  });

  test.each(['ITM', 'TAB', 'AAA'])('bad input: values and keys that do not fit block in %s too', async (type) => {
    const env = await openEnvironment(server);
    await env.integrate(
      await env.patch('T.dat', [item(), table('HEAP', 'HEA', { COD: 'A:5' }, {}), row('ITM', 'a', { COD: 'A', NAM: 'a' })]),
    );
    const into = (values: Parameters<typeof row>[2]) =>
      any(type, type === 'ITM' ? 'x' : 'ITEM', [{ tag: 'DIV', label: 'ITEM~', values }]);
    for (const [at, [values, code, facts]] of (
      [
        [{ NAM: 'x' }, 'data-key-missing', { table: 'ITEM', field: 'cod_0' }],
        [{ COD: 'far too long a code' }, 'data-value', { field: 'cod_0', value: 'far too long a code', reason: 'length' }],
        [{ COD: 'B', QTY: 99_999 }, 'data-value', { field: 'qty_0', value: '99999', reason: 'range' }],
      ] as const
    ).entries())
      expect(found(await attempt(env, await env.patch(`V${at}.dat`, [into(values)])))).toMatchObject([
        'refused',
        [[code, 'block', 'ATB:ITEM', facts]],
      ]);
    const heap = any(type === 'ITM' ? 'HEA' : type, 'HEAP', [{ tag: 'DIV', label: 'HEAP', values: { COD: 'A' } }]);
    expect(found(await attempt(env, await env.patch('H.dat', [heap])))).toMatchObject([
      'refused',
      [['data-key-missing', 'block', 'ATB:HEAP', { table: 'HEAP', field: '' }]],
    ]);
    expect(await items(env)).toEqual([{ cod: 'A', nam: 'a', qty: 0, tick: 1 }]);
  });

  test('rows with the same key in one patch: the last counts, and a note says so', async () => {
    const env = await openEnvironment(server);
    const outcome = await env.integrate(
      await env.patch('T.dat', [
        table('NUM', 'NUM', { N: 'DCB:5.2', TXT: 'A:5' }, { NUM0: 'N' }),
        rows('NUM', 'all', [
          { N: bare('7'), TXT: 'a' },
          { N: bare('007.10'), TXT: 'b' },
          { N: bare('7.00'), TXT: 'c' },
          { N: bare('-0'), TXT: 'd' },
          { N: bare('0.0'), TXT: 'e' },
        ]),
      ]),
    );
    expect(found(outcome)).toMatchObject([
      'done',
      [['row-key-twice', 'info', 'ATB:NUM', { table: 'NUM', count: 2, keys: ['7', '0'] }]],
    ]);
    expect(await env.query('select n_0::text as n, txt_0 as txt from x3.num order by n_0')).toEqual([
      { n: '0.00', txt: 'e' },
      { n: '7.00', txt: 'c' },
      { n: '7.10', txt: 'b' },
    ]);
  });
});
