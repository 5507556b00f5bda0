// Rules of integration that no single element type or table shows: who is patched, in what order, what is recorded, what is warned of.
import { describe, expect, test } from 'vitest';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import type { Element, Values } from '../support/patches.ts';
import { any, exe, row, script, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const codes = (outcome: RunOutcome, folder: string): readonly string[] =>
  outcome.findings.filter((finding) => finding.folder === folder).map((finding) => finding.code);

/** Header fields of an element in SEED, and what was delivered and not taken. */
async function header(env: TestEnvironment, type: string, name: string): Promise<{ own: Values; delivered: Values | null }> {
  const [found] = await env.query<{ own: Values; delivered: Values | null }>(
    `select fields as own, delivered from rustine.dictionary where folder = 'SEED' and type = $1 and tag = $1 and name = $2`,
    [type, name],
  );
  if (found === undefined) throw new Error(`SEED has no ${type}:${name}`);
  return found;
}

describe.each(oneServer())('rules on $name', (server) => {
  test('R7: a supervisor patch goes to the supervisor folder only, whatever folders are given; the others hear that it is not theirs', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const path = await env.patch('SUP.dat', [any('ADC', 'SCR', [{ tag: 'ADC', values: { CODTRT: 'SCR' } }])], { type: '2' });
    const outcome = await env.rustine.integrate({ paths: [path], mode: 'integrate', folders: ['SEED'] });
    expect([outcome.folders.map((each) => [each.folder, each.state]), codes(outcome, 'SEED')]).toEqual([
      [['SEED', 'skipped']],
      ['supervisor-only'],
    ]);
    expect(await env.query('select 1 from seed.apatch')).toEqual([]);
    await env.integrate(path);
    expect(await env.query(`select folder from rustine.dictionary where type = 'ADC'`)).toEqual([{ folder: 'X3' }]);
    expect((await env.rustine.folders()).map((folder) => [folder.code, folder.due, folder.lag])).toEqual([
      ['X3', false, []],
      ['SEED', false, []],
    ]);
  });

  /** Types with the name of a specific or vertical script. */
  const SCRIPT_NAMES = [
    ['AMK', 'CODMSK', 'TRTSPE', '3'],
    ['AMK', 'CODMSK', 'TRTSPV', '4'],
    ['AOB', 'ABREV', 'TRTSPE', '3'],
    ['AOB', 'ABREV', 'TRTSPV', '4'],
    ['ACN', 'COD', 'PRGSPE', '3'],
    ['ARP', 'RPTCOD', 'TRTSPE', '3'],
    ['ACT', 'ACTION', 'SPETRT', '3'],
    ['APE', 'TRTPAR', 'TRTSPE', '3'],
  ] as const;

  test('R8, R9: the specific or vertical script of a type stays against all kinds of patches but its own', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const elements = (name: string) =>
      SCRIPT_NAMES.map(([type, key, field]) =>
        any(type, `${type}${field}`, [{ tag: type, values: { [key]: `${type}${field}`, [field]: name } }]),
      );
    const states = async () =>
      Promise.all(
        SCRIPT_NAMES.map(async ([type, , field]) => {
          const { own, delivered } = await header(env, type, `${type}${field}`);
          return [own[field], delivered?.[field] ?? null];
        }),
      );
    await env.integrate(await env.patch('ONE.dat', elements('OWN')));
    expect(await states()).toEqual(SCRIPT_NAMES.map(() => ['OWN', null]));
    for (const patchType of ['1', '5']) {
      await env.integrate(await env.patch(`T${patchType}.dat`, elements(`BY${patchType}`), { type: patchType }));
      expect(await states()).toEqual(SCRIPT_NAMES.map(() => ['OWN', `BY${patchType}`]));
    }
    await env.integrate(await env.patch('T3.dat', elements('BY3'), { type: '3' }));
    expect(await states()).toEqual(SCRIPT_NAMES.map(([, , , opens]) => (opens === '3' ? ['BY3', null] : ['OWN', 'BY3'])));
    await env.integrate(await env.patch('T4.dat', elements('BY4'), { type: '4' }));
    expect(await states()).toEqual(SCRIPT_NAMES.map(([, , , opens]) => (opens === '3' ? ['BY3', 'BY4'] : ['BY4', null])));
  });

  test('R18: a patch may bring its elements in any order, several patches are taken in the order of their names', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const type = any('ATY', 'COL', [{ tag: 'ATY', values: { CODTYP: 'COL', TYPTYP: 7, LNGTYP: 5 } }]);
    const item = table('ITEM', 'ITM', { COD: 'COL', NUM: 'L' }, { ITM0: 'COD' });
    // The script to run counts the rows: it has to come after them wherever it stands.
    const count = script('COUNTER', '-- counts\nupdate item set num_0 = (select count(*) from item);');
    const turned = await env.patch('A9.dat', [exe('COUNTER'), row('ITM', 'a', { COD: 'A' }), count, item, type]);
    const later = await env.patch('A10.dat', [row('ITM', 'a', { COD: 'B' }), row('ITM', 'a', { COD: 'A', NUM: 7 })]);
    const outcome = await env.integrate([later, turned]);
    expect(outcome.folders.map((folder) => folder.patches.map((patch) => patch.file))).toEqual(
      Array(2).fill(['A9.dat', 'A10.dat']),
    );
    for (const schema of ['x3', 'seed'])
      expect(await env.query(`select cod_0, num_0 from ${schema}.item order by 1`)).toEqual([
        { cod_0: 'A', num_0: 7 },
        { cod_0: 'B', num_0: 0 },
      ]);
    const counted = await env.integrate(await env.patch('B.dat', [exe('COUNTER')]));
    expect(counted.folders.map((folder) => folder.patches[0]?.state)).toEqual(['integrated', 'integrated']);
    expect(await env.query('select distinct num_0 from seed.item')).toEqual([{ num_0: 2 }]);
  });

  test('R19: what the operator authorises for a run comes in, and stands in the record of the patch', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const action = (text: string) =>
      any('ACT', 'ACTA', [
        { tag: 'ACT', values: { ACTION: 'ACTA', CODACT: '' } },
        { tag: 'ATR', values: { CODPAR: 'OWN', CODACT: 'YOWN', VAL: text } },
        { tag: 'ATR', values: { CODPAR: 'HERS', CODACT: 'ZHERS', VAL: text } },
      ]);
    const outcome = await env.integrate(await env.patch('A.dat', [action('one')]), { authorize: ['yown'] });
    expect(outcome.findings.filter((finding) => finding.folder === 'SEED').map(({ code, facts }) => [code, facts.code])).toEqual([
      ['lines-ignored', 'ZHERS'],
    ]);
    const lines = `select folder, key, fields ->> 'VAL' as val from rustine.dictionary where tag = 'ATR' order by 1`;
    expect(await env.query(lines)).toEqual(['SEED', 'X3'].map((folder) => ({ folder, key: 'OWN', val: 'one' })));
    // The next patch is not covered by it.
    await env.integrate(await env.patch('B.dat', [action('two')]));
    expect(await env.query(lines)).toEqual(['SEED', 'X3'].map((folder) => ({ folder, key: 'OWN', val: 'one' })));
    expect(
      await env.query(
        'select distinct file, authorized, ignored from rustine.integration where apatch_num is not null order by file',
      ),
    ).toEqual([
      { file: 'A.dat', authorized: ['YOWN'], ignored: ['ZHERS'] },
      { file: 'B.dat', authorized: [], ignored: ['YOWN', 'ZHERS'] },
    ]);
  });

  test('R19: a specific code on the header of a standard table keeps every later patch away, with a warning each time', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const item = (fields: Parameters<typeof table>[2], activity = ''): Element =>
      table('ITEM', 'ITM', fields, { ITM0: 'COD' }, { activity });
    const first = await env.integrate(await env.patch('A.dat', [item({ COD: 'A:5' }, 'YOWN')], { activityCodes: ['YOWN'] }));
    expect(codes(first, 'SEED')).toEqual(['header-specific']);
    for (const file of ['B.dat', 'C.dat']) {
      const outcome = await env.integrate(await env.patch(file, [item({ COD: 'A:5', NEW: 'L' })]));
      expect(codes(outcome, 'SEED')).toEqual(['header-specific']);
      expect(outcome.folders[1]?.patches[0]?.elements).toMatchObject({ kept: 1, updated: 0 });
    }
    const columns = `select attname from pg_attribute where attrelid = 'seed.item'::regclass and attnum > 0 and attname = 'new_0'`;
    expect(await env.query(columns)).toEqual([]);
    await env.integrate(await env.patch('D.dat', [item({ COD: 'A:5', NEW: 'L' })]), { authorize: ['YOWN'] });
    expect(await env.query(columns)).toEqual([{ attname: 'new_0' }]);
  });

  test('R29: each folder keeps a row for each patch; the same file again keeps its number', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const element = (text: string) => [any('ADC', 'SCR', [{ tag: 'ADC', values: { CODTRT: 'SCR', DES: text } }])];
    const numbered = await env.patch('X_0001_120.dat', element('one'));
    await env.integrate([numbered, await env.patch('ZOTHER.DAT', element('two'))]);
    const apatch = () =>
      env.query(
        `select num_0, fic_0, patnum_0, release_0, typ_0, nump_0, dat_0 = current_date as today, usr_0 = creusr_0 as user, updtick_0 from seed.apatch order by num_0`,
      );
    const both = [
      { num_0: 1, fic_0: 'X_0001_120.dat', patnum_0: 'X_0001_120', release_0: '120', typ_0: 'X', nump_0: 1 },
      { num_0: 2, fic_0: 'ZOTHER.DAT', patnum_0: 'ZOTHER', release_0: '', typ_0: '', nump_0: 0 },
    ].map((each) => ({ ...each, today: true, user: true, updtick_0: 1 }));
    expect(await apatch()).toEqual(both);
    const forced = [{ check: 'content', reason: 'delivered anew' }];
    await env.integrate(await env.patch('X_0001_120.dat', element('three')), { force: forced });
    expect(await apatch()).toEqual(both.map((each) => (each.num_0 === 1 ? { ...each, updtick_0: 2 } : each)));
    expect(
      await env.query(
        `select i.apatch_num, i.forced from rustine.integration i join rustine.folder f on f.id = i.folder where f.code = 'SEED' and i.apatch_num is not null order by i.id`,
      ),
    ).toEqual([
      { apatch_num: 1, forced: {} },
      { apatch_num: 2, forced: {} },
      { apatch_num: 1, forced: { content: 'delivered anew' } },
    ]);
  });

  test('R19, R20: a block that a patch brings has its own set-up values, the folder’s blocks keep theirs wherever they go', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const screen = (blocks: readonly (readonly [title: string, code: string, lines: number])[]) =>
      any('AMK', 'SCR', [
        {
          tag: 'AMK',
          values: {
            CODMSK: 'SCR',
            CODACT: '',
            NBBLOC: blocks.length,
            INTBLOC: blocks.map(([title]) => title),
            ACTBLOC: blocks.map(([, code]) => code),
            NBRLIG: blocks.map(([, , lines]) => lines),
          },
        },
      ]);
    await env.integrate(
      await env.patch(
        'A.dat',
        [
          screen([
            ['plan', '', 5],
            ['own', 'YOWN', 7],
          ]),
        ],
        { activityCodes: ['YOWN'] },
      ),
    );
    const blocks = screen([
      ['plan', '', 6],
      ['new', '', 9],
    ]);
    for (const [file, verdict] of [
      ['B.dat', 'updated'],
      ['AGAIN.dat', 'kept'],
    ] as const) {
      const outcome = await env.integrate(await env.patch(file, [blocks]));
      expect(outcome.folders.map((folder) => folder.patches[0]?.elements[verdict])).toEqual([1, 1]);
      const { own, delivered } = await header(env, 'AMK', 'SCR');
      expect([own.INTBLOC, own.NBRLIG, own.NBBLOC]).toEqual([['plan', 'new', 'own'], [5, 9, 7], 3]);
      expect(delivered?.NBRLIG).toEqual([6, 9, 7]);
    }
  });
});
