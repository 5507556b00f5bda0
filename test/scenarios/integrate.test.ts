// Integrating patches, rule by rule, into folders of a real database.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import { activityCode, any, bare, exe, row, rows, script, table, texts } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

const FIELDS = { COD: 'A:10', NAM: 'A:20', QTY: 'C', AMT: 'DCB:9.2', DAT: 'D' };
const item = (fields: Parameters<typeof table>[2] = FIELDS, indexes: Record<string, string> = { ITM0: 'COD' }) =>
  table('ITEM', 'ITM', fields, indexes);

const codes = (outcome: RunOutcome, folder?: string): string[] =>
  outcome.findings.filter((finding) => folder === undefined || finding.folder === folder).map((finding) => finding.code);
const states = (outcome: RunOutcome): string[] => [outcome.state, ...outcome.folders.map((folder) => folder.state)];

/** Integrates and returns whatever came of it. */
function attempt(
  env: TestEnvironment,
  path: string | readonly string[],
  options: Partial<Parameters<TestEnvironment['rustine']['integrate']>[0]> = {},
): Promise<RunOutcome> {
  return env.rustine.integrate({ paths: typeof path === 'string' ? [path] : path, mode: 'integrate', ...options });
}

const columns = async (env: TestEnvironment, name: string): Promise<string[]> =>
  (
    await env.query<{ c: string }>(
      `select attname || ' ' || format_type(atttypid, atttypmod) as c from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum`,
      [name],
    )
  ).map((each) => each.c);

describe.each(everyServer())('integrate on $name', (server) => {
  test('R26: columns are added and widened, indexes follow; the rows stay', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(
      await env.patch('ONE.dat', [
        item(),
        row('ITM', 'COD="A"', { COD: 'A', NAM: 'first', QTY: 7, AMT: bare('12.50'), DAT: bare('20240229') }),
      ]),
    );
    const wider = { COD: 'A:15', NAM: { type: 'A:20', slots: 2 }, QTY: 'L', AMT: 'DCB:11.2', DAT: 'D', NEW: 'ADATIM' };
    const outcome = await env.integrate(await env.patch('TWO.dat', [item(wider, { ITM0: 'COD', ITM1: 'NAM(1)+-DAT' })]));
    expect(outcome.folders[1]?.patches[0]?.tables).toMatchObject({ created: [], altered: ['item'] });
    expect((await columns(env, 'seed.item')).sort()).toEqual(
      [
        'amt_0 numeric(13,2)',
        'cod_0 character varying(15)',
        'dat_0 date',
        'nam_0 character varying(20)',
        'nam_1 character varying(20)',
        'new_0 timestamp with time zone',
        'qty_0 integer',
        'rowid bigint',
        'updtick_0 integer',
      ].sort(),
    );
    expect(
      await env.query(`select indexdef from pg_indexes where schemaname = 'seed' and tablename = 'item' order by 1`),
    ).toEqual([
      { indexdef: 'CREATE INDEX item_itm1 ON seed.item USING btree (nam_1, dat_0 DESC)' },
      { indexdef: 'CREATE UNIQUE INDEX item_itm0 ON seed.item USING btree (cod_0)' },
    ]);
    expect(await env.query(`select cod_0, nam_0, qty_0, amt_0, dat_0::text from seed.item`)).toEqual([
      { cod_0: 'A', nam_0: 'first', qty_0: 7, amt_0: '12.50', dat_0: '2024-02-29' },
    ]);
  });

  test('bad definitions block with table and field: unknown data type, index on no field, name, one abbreviation twice, too many columns', async () => {
    const env = await openEnvironment(server);
    const bad = [
      [table('ONE', 'ON1', { COD: 'NOTYPE' }, {}), 'data-type-unknown', { table: 'ONE', field: 'COD', type: 'NOTYPE' }],
      [table('ONE', 'ON1', { COD: 'A:0' }, {}), 'field-length', { table: 'ONE', field: 'COD', type: 'A', length: '0', slots: 1 }],
      [table('ONE', 'ON1', { COD: 'A:5' }, { ON0: 'NON' }), 'index-field-missing', { table: 'ONE', index: 'ON0', field: 'NON' }],
      [table('ONE', 'ON1', { COD: 'A:5', Cod: 'C' }, {}), 'name-twice', { kind: 'field', table: 'ONE', name: 'cod_0' }],
      [table('O"NE', 'ON1', { COD: 'A:5' }, {}), 'name-invalid', { kind: 'table', name: 'O"NE' }],
      [table('ONE', 'APT', { COD: 'A:5' }, {}), 'abbreviation-twice', { abbreviation: 'APT', tables: ['APATCH', 'ONE'] }],
      [
        table('ONE', 'ON1', { COD: { type: 'A:5', slots: 1_700 } }, {}),
        'too-many-columns',
        { table: 'ONE', count: 1_702, dropped: 0, most: 1_600 },
      ],
    ] as const;
    for (const [at, [element, code, facts]] of bad.entries()) {
      const outcome = await attempt(env, await env.patch(`BAD${at}.dat`, [element]));
      expect([outcome.state, outcome.findings.map((finding) => [finding.code, finding.facts])]).toEqual([
        'refused',
        [[code, facts]],
      ]);
    }
    expect(await env.query(`select count(*)::integer as n from x3.apatch`)).toEqual([{ n: 0 }]);
  });

  test('fields and indexes named like words that PostgreSQL reserves are like any other', async () => {
    const env = await openEnvironment(server);
    await env.integrate(
      await env.patch('R.dat', [
        table('CHOICE', 'SEL', { USER: 'A:5', ORDER: 'C' }, { FROM: 'USER+-ORDER' }),
        row('SEL', 'all', { USER: 'u', ORDER: 3 }),
      ]),
    );
    expect(await env.query('select user_0, order_0 from x3.choice')).toEqual([{ user_0: 'u', order_0: 3 }]);
  });

  test('R24: rows are inserted or updated by the first index, never deleted; what does not fit blocks', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('T.dat', [item()]));
    await env.integrate(
      await env.patch('D1.dat', [
        rows('ITM', 'all', [
          { COD: 'A', NAM: 'a', QTY: 1 },
          { COD: 'B', NAM: `it's "b" \\ \t`, QTY: 2 },
        ]),
      ]),
    );
    const second = await env.integrate(
      await env.patch('D2.dat', [
        rows('ITM', 'all', [
          { COD: 'B', NAM: 'new', QTY: 2 },
          { COD: 'A', NAM: 'a', QTY: 1 },
          { COD: 'C', NAM: '', QTY: bare('-5') },
        ]),
      ]),
    );
    expect(second.folders[0]?.patches[0]?.rows).toEqual({ inserted: 1, updated: 1, deleted: 0 });
    expect(await env.query('select cod_0, nam_0, qty_0, updtick_0 from x3.item order by 1')).toEqual([
      { cod_0: 'A', nam_0: 'a', qty_0: 1, updtick_0: 1 },
      { cod_0: 'B', nam_0: 'new', qty_0: 2, updtick_0: 2 },
      { cod_0: 'C', nam_0: '', qty_0: -5, updtick_0: 1 },
    ]);
    for (const [values, code, field] of [
      [{ NAM: 'no key' }, 'data-key-missing', 'cod_0'],
      [{ COD: 'far too long a code' }, 'data-value', 'cod_0'],
      [{ COD: 'D', QTY: 40_000 }, 'data-value', 'qty_0'],
      [{ COD: 'D', DAT: bare('20230231') }, 'data-value', 'dat_0'],
    ] as const) {
      const outcome = await attempt(env, await env.patch(`BAD${code}${field}${'DAT' in values}.dat`, [row('ITM', 'x', values)]));
      expect([outcome.state, outcome.findings.map((finding) => [finding.code, finding.facts.field])]).toEqual([
        'refused',
        [[code, field]],
      ]);
    }
    expect(await env.query('select count(*)::integer as n from x3.item')).toEqual([{ n: 3 }]);
  });

  test('a delivered value without a column is kept and reported', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('T.dat', [item()]));
    const outcome = await env.integrate(await env.patch('D.dat', [row('ITM', 'x', { COD: 'A', OTHER: 'kept' })]));
    expect(outcome.findings.map((finding) => [finding.code, finding.facts])).toEqual([
      ['column-unknown', { table: 'ITEM', field: 'OTHER' }],
    ]);
    expect(await env.query('select table_name, fields from rustine.remainder')).toEqual([
      { table_name: 'item', fields: { OTHER: 'kept' } },
    ]);
  });

  test('R23: texts of the folder’s languages only; without any of them the first of the patch', async () => {
    const env = await openEnvironment(server, { init: { languages: ['ENG', 'FRA'] } });
    await env.folders(['FR'], { languages: ['FRA'] });
    await env.folders(['DE'], { languages: ['GER'] });
    const elements = [
      any('ADC', 'SCR', [{ tag: 'ADC', values: { CODTRT: 'SCR', INTIT: texts({ ENG: 'hello', FRA: 'bonjour' }) } }]),
      item(),
      row('ITM', 'x', { COD: 'A' }, { NAM: { ENG: 'nail', FRA: 'clou' } }),
    ];
    await env.integrate(await env.patch('L.dat', elements, { languages: ['ENG', 'FRA'] }));
    expect(
      await env.query(`select folder, fields #> '{INTIT,text}' as t from rustine.dictionary where type = 'ADC' order by 1`),
    ).toEqual([
      { folder: 'DE', t: { ENG: ['hello', '0', ''] } },
      { folder: 'FR', t: { FRA: ['bonjour', '0', ''] } },
      { folder: 'X3', t: { ENG: ['hello', '0', ''], FRA: ['bonjour', '0', ''] } },
    ]);
    const names = await env.query<{ x3: string; fr: string; de: string }>(
      `select (select nam_0 from x3.item) as x3, (select nam_0 from fr.item) as fr, (select nam_0 from de.item) as de`,
    );
    expect(names).toEqual([{ x3: 'nail', fr: 'clou', de: 'nail' }]);
  });

  test('R20, R21: set-up fields stay, changed fields and missing lines follow the patch, specific lines stay', async () => {
    const env = await openEnvironment(server);
    const action = (title: string, own: string, lines: readonly (readonly [string, string])[]) =>
      any('ACT', 'ACTA', [
        { tag: 'ACT', values: { ACTION: 'ACTA', CODACT: '', INTIT: title, SPETRT: own } },
        ...lines.map(([code, activity]) => ({ tag: 'ATR', values: { CODPAR: code, CODACT: activity, VAL: title } })),
      ]);
    await env.integrate(
      await env.patch(
        'A1.dat',
        [
          action('one', 'MINE', [
            ['P1', ''],
            ['P2', ''],
            ['P3', 'ZSPE'],
          ]),
        ],
        { activityCodes: ['ZSPE'] },
      ),
    );
    const outcome = await env.integrate(
      await env.patch('A2.dat', [
        action('two', 'THEIRS', [
          ['P1', ''],
          ['P3', ''],
        ]),
      ]),
    );
    expect(outcome.folders[0]?.patches[0]?.elements.updated).toBe(1);
    expect(
      await env.query(
        `select tag, key, fields ->> 'INTIT' as title, fields ->> 'SPETRT' as own, fields ->> 'VAL' as val, delivered ->> 'SPETRT' as delivered from rustine.dictionary where type = 'ACT' order by 1, 2`,
      ),
    ).toEqual([
      { tag: 'ACT', key: 'ACTA', title: 'two', own: 'MINE', val: null, delivered: 'THEIRS' },
      { tag: 'ATR', key: 'P1', title: null, own: null, val: 'two', delivered: null },
      { tag: 'ATR', key: 'P3', title: null, own: null, val: 'one', delivered: null },
    ]);
  });

  test('unknown types are stored as they came and reported once', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const outcome = await env.integrate(
      await env.patch('U.dat', [
        any('QQQ', 'N1', [
          { tag: 'QQQ', values: { A: 1, B: bare('007') } },
          { tag: 'QQL', values: { A: 2 } },
        ]),
        any('QQQ', 'N2', []),
      ]),
    );
    expect(outcome.findings.map((finding) => [finding.code, finding.facts])).toEqual([
      ['type-unknown', { type: 'QQQ', count: 2 }],
    ]);
    expect(
      await env.query(`select tag, key, fields from rustine.dictionary where type = 'QQQ' and folder = 'SEED' order by position`),
    ).toEqual([
      { tag: 'QQQ', key: '#.0', fields: { A: 1, B: { bare: '007' } } },
      { tag: 'QQL', key: '#.0', fields: { A: 2 } },
    ]);
  });

  test('R15: numbered patches come in order; a gap blocks and may be forced with a reason that is kept', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const numbered = (n: number) =>
      env.patch(`P_000${n}_140.dat`, [any('ADC', `S${n}`, [{ tag: 'ADC', values: { CODTRT: `S${n}` } }])]);
    const [one, two, three, five] = [await numbered(1), await numbered(2), await numbered(3), await numbered(5)];
    const gap = await attempt(env, two);
    expect([gap.state, gap.findings.map((finding) => [finding.code, finding.folder, finding.facts.needs])]).toEqual([
      'refused',
      [
        ['sequence-gap', 'X3', 'P_0001_140'],
        ['sequence-gap', 'SEED', 'P_0001_140'],
      ],
    ]);
    const together = await env.integrate([three, one, two]);
    expect(together.folders[1]?.patches.map((patch) => patch.file)).toEqual([
      'P_0001_140.dat',
      'P_0002_140.dat',
      'P_0003_140.dat',
    ]);
    expect((await env.rustine.folder('SEED')).level).toEqual({ P_140: 3 });
    expect((await attempt(env, five)).state).toBe('refused');
    expect((await attempt(env, five, { force: [{ check: 'sequence', reason: 'four was withdrawn' }] })).state).toBe('done');
    expect(await env.query(`select distinct forced from rustine.integration where file = 'P_0005_140.dat'`)).toEqual([
      { forced: { sequence: 'four was withdrawn' } },
    ]);
    await expect(attempt(env, five, { force: [{ check: 'sequenz', reason: 'x' }] })).rejects.toMatchObject({
      code: 'force-unknown',
    });
  });

  test('R16: the same name with other content blocks, before anything changes', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('A.dat', [item()]));
    const outcome = await attempt(env, await env.patch('A.dat', [item({ ...FIELDS, MORE: 'C' })]));
    expect([outcome.state, codes(outcome)]).toEqual(['refused', ['content-changed']]);
    const forced = await attempt(env, await env.patch('A.dat', [item({ ...FIELDS, MORE: 'C' })]), {
      force: [{ check: 'content-changed', reason: 'delivered anew' }],
    });
    expect([forced.state, forced.folders[0]?.patches[0]?.tables.altered]).toEqual(['done', ['item']]);
  });

  test('R7, R36: a supervisor patch goes to the supervisor folder only, history folders are left alone', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.folders(['HIST'], { historyOf: 'SEED' });
    const outcome = await env.integrate(await env.patch('S.dat', [item()], { type: '2' }));
    expect(states(outcome)).toEqual(['done', 'integrated', 'skipped', 'skipped']);
    expect([codes(outcome, 'SEED'), codes(outcome, 'HIST')]).toEqual([['supervisor-only'], ['history-folder']]);
    expect((await env.rustine.folders()).map((folder) => [folder.code, folder.lag])).toEqual([
      ['X3', []],
      ['HIST', []],
      ['SEED', []],
    ]);
  });

  test('R13, R34: without the supervisor folder scripts are not patched, the run says which; folders that lag are shown', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2'] });
    const path = await env.patch('S.dat', [script('MYSCRIPT', '# hello'), item()]);
    const outcome = await env.integrate(path, { folders: ['A1'] });
    expect(outcome.findings.map(({ code, facts }) => [code, facts.scripts ?? facts.folders])).toEqual([
      ['supervisor-missing', ['TRT:MYSCRIPT']],
      ['folders-left-out', ['A2']],
    ]);
    expect(await env.query('select count(*)::integer as n from rustine.script')).toEqual([{ n: 0 }]);
    await env.integrate(path, { folders: ['X3'] });
    expect((await env.rustine.folders()).map((folder) => [folder.code, folder.due, folder.lag])).toEqual([
      ['X3', false, []],
      ['A1', false, []],
      ['A2', true, ['S.dat']],
    ]);
  });

  test('R25: a changed activity code makes the folder due; ADOSACT has its state', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('C1.dat', [activityCode('ABC', { size: 3 })]));
    const outcome = await env.integrate(await env.patch('C2.dat', [activityCode('ABC', { size: 5, active: false })]));
    expect(outcome.folders[0]?.due).toBe(true);
    expect(await env.query('select codact_0, flact_0, dime_0 from x3.adosact')).toEqual([
      { codact_0: 'ABC', flact_0: 1, dime_0: 5 },
    ]);
  });

  test('R28: scripts to run at the end stay listed', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const outcome = await env.integrate(await env.patch('E.dat', [exe('AFTERALL')]));
    expect(outcome.folders.map((folder) => folder.patches[0]?.pending)).toEqual([['AFTERALL'], ['AFTERALL']]);
    expect(await env.query('select count(*)::integer as n from rustine.pending_script')).toEqual([{ n: 2 }]);
  });

  test('R30, R31: a folder that fails keeps what it was; the others go on, and stop when asked', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2', 'A3'], jobs: 1 });
    await env.query('create table a2.item (own integer)');
    const two = [await env.patch('A.dat', [item()]), await env.patch('B.dat', [row('ITM', 'x', { COD: 'A' })])];
    const stopped = await attempt(env, two, { onError: 'stop', jobs: 1 });
    expect(states(stopped)).toEqual(['partial', 'integrated', 'integrated', 'failed', 'skipped']);
    const outcome = await attempt(env, two);
    expect(states(outcome)).toEqual(['partial', 'unchanged', 'unchanged', 'failed', 'integrated']);
    expect(outcome.folders[2]?.patches.map((patch) => patch.state)).toEqual(['failed', 'skipped']);
    expect(await env.query(`select count(*)::integer as n from a2.apatch`)).toEqual([{ n: 0 }]);
    expect(
      await env.query(
        `select count(*)::integer as n from rustine.element e join rustine.folder f on f.id = e.folder where f.code = 'A2' and name = 'ITEM'`,
      ),
    ).toEqual([{ n: 0 }]);
  });

  test('R31: no folder gets a patch that the supervisor folder was to get and did not', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    await env.query('create table x3.item (own integer)');
    const outcome = await attempt(env, await env.patch('A.dat', [item()]));
    expect([states(outcome), codes(outcome, 'A1')]).toEqual([['refused', 'failed', 'skipped'], ['folder-left-behind']]);
    expect(await columns(env, 'a1.item')).toEqual([]);
  });

  test('a folder that somebody holds is waited for', async () => {
    const env = await openEnvironment(server);
    const holder = new Client({ connectionString: env.url });
    await holder.connect();
    try {
      await holder.query('begin');
      await holder.query('select 1 from rustine.folder for update');
      const run = attempt(env, await env.patch('A.dat', [item()]));
      await new Promise((resolve) => setTimeout(resolve, 500));
      await holder.query('rollback');
      expect((await run).state).toBe('done');
    } finally {
      await holder.end();
    }
  });

  test('R16: a damaged file refuses the run with its place, and other findings are shown with it', async () => {
    const env = await openEnvironment(server);
    const good = await env.patch('P_0009_140.dat', [item()]);
    const bad = join(env.directory, 'BAD.dat');
    await writeFile(
      bad,
      '1,"","ENG","1","","X3","1",\n2,"ADC","A","t"\n3,"ADC",A\n4,"X",0,"open\n6,"ADC"\n7,"ADC","A","t"\n8,""\n',
    );
    const outcome = await attempt(env, [good, bad]);
    expect([outcome.state, outcome.findings.map((finding) => [finding.code, finding.patch, finding.subject])]).toEqual([
      'refused',
      [
        ['patch-format', 'BAD.dat', 'ADC:A'],
        ['sequence-gap', 'P_0009_140.dat', 'P_0009_140.dat'],
      ],
    ]);
    expect(outcome.findings[0]?.facts).toMatchObject({ line: 4, offset: 54 });
  });

  test('the trace of a run can be read back, in order', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const heard: string[] = [];
    const outcome = await env.integrate(await env.patch('A.dat', [item()]), { listener: (event) => heard.push(event.kind) });
    const trace = await env.rustine.log(outcome.run);
    expect(trace.map((entry) => entry.kind)).toEqual(heard.filter((kind) => kind !== 'nothing'));
    expect(heard).toEqual([
      'run-started',
      'file-read',
      'wave-started',
      'patch-started',
      'patch-finished',
      'folder-finished',
      'wave-started',
      'patch-started',
      'patch-finished',
      'folder-finished',
      'run-finished',
    ]);
    await expect(env.rustine.log('no-such-run')).rejects.toMatchObject({ code: 'run-unknown' });
  });
});
