// What delivered rows make of a table's content (R24): several indexes without duplicates, fields that are not delivered, sessions beside it.
import { describe, expect, test } from 'vitest';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { connected, openEnvironment } from '../support/environment.ts';
import type { Values } from '../support/patches.ts';
import { any, bare, content, row, rows, table } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

const attempt = (env: TestEnvironment, path: string, mode: 'integrate' | 'rehearse' = 'integrate'): Promise<RunOutcome> =>
  env.rustine.integrate({ paths: [path], mode });
const found = ({ state, findings }: RunOutcome) => [
  state,
  findings.map(({ code, severity, subject, facts }) => [code, severity, subject, facts]),
];

/** Two indexes without duplicates: the code, and the other code with the day. */
const UNIQUE = any('ATB', 'UQ2', [
  { tag: 'ATB', values: { ABRFIC: 'UQ2', CODFIC: 'UQ2' } },
  ...['COD', 'ALT', 'DAY', 'NAM'].map((name, at) => ({
    tag: 'ATZ',
    values: { CODZONE: name, CODTYP: name === 'DAY' ? 'D' : 'A', LONG: name === 'DAY' ? 0 : 9, NUMLIG: at + 1 },
  })),
  { tag: 'ATI', values: { CODIND: 'UQ20', DESCRIPT: 'COD', HOMONYM: 1, NUMLIG: 1 } },
  { tag: 'ATI', values: { CODIND: 'UQ21', DESCRIPT: 'ALT+DAY', HOMONYM: 1, NUMLIG: 2 } },
]);
const DAY = bare('20240131');
const three: readonly Values[] = [
  { COD: 'a', ALT: '1', DAY, NAM: 'own a' },
  { COD: 'b', ALT: '2', DAY, NAM: 'own b' },
  { COD: 'c', ALT: '3', DAY, NAM: 'own c' },
];
const swapped: readonly Values[] = [
  { COD: 'a', ALT: '2', DAY },
  { COD: 'b', ALT: '1', DAY, NAM: 'new b' },
];

describe.each(everyServer())('content of tables on $name', (server) => {
  const all = (env: TestEnvironment) =>
    env.query(`select cod_0 as cod, alt_0 as alt, nam_0 as nam, updtick_0 as tick from x3.uq2 order by cod_0`);

  test('R24: values of a second index without duplicates change places, also with a new row; numbers and the rest of a row stay', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('A.dat', [UNIQUE, rows('UQ2', 'all', three)]));
    await env.query(
      `alter table x3.uq2 add column note text default 'none', add column loud text generated always as (upper(nam_0)) stored`,
    );
    await env.query(`update x3.uq2 set note = cod_0`);
    const before = await env.query<{ cod: string; id: string }>(
      `select cod_0 as cod, rowid as id from x3.uq2 where cod_0 <> 'd' order by 1`,
    );
    const outcome = await env.integrate(
      await env.patch('B.dat', [
        rows('UQ2', 'all', [...swapped, { COD: 'c', ALT: '4', DAY }, { COD: 'd', ALT: '3', DAY, NAM: 'new d' }]),
      ]),
    );
    expect(outcome.folders[0]?.patches[0]?.rows).toEqual({ inserted: 1, updated: 3, deleted: 0 });
    expect(await all(env)).toEqual([
      { cod: 'a', alt: '2', nam: 'own a', tick: 2 },
      { cod: 'b', alt: '1', nam: 'new b', tick: 2 },
      { cod: 'c', alt: '4', nam: 'own c', tick: 2 },
      { cod: 'd', alt: '3', nam: 'new d', tick: 1 },
    ]);
    expect(await env.query(`select cod_0 as cod, rowid as id from x3.uq2 where cod_0 <> 'd' order by 1`)).toEqual(before);
    expect(await env.query('select note, loud from x3.uq2 order by cod_0')).toEqual([
      { note: 'a', loud: 'OWN A' },
      { note: 'b', loud: 'NEW B' },
      { note: 'c', loud: 'OWN C' },
      { note: 'none', loud: 'NEW D' },
    ]);
    expect(await env.query(`select why, rows::integer from rustine.kept`)).toEqual([{ why: 'updated', rows: 3 }]);
    const same = await env.query('select xmin::text, * from x3.uq2 order by cod_0');
    await env.integrate(await env.patch('C.dat', [rows('UQ2', 'all', swapped)]));
    expect(await env.query('select xmin::text, * from x3.uq2 order by cod_0')).toEqual(same);
  });

  test('R24: a replaced table takes values that change places; fields that are not delivered are empty afterwards', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('A.dat', [UNIQUE, rows('UQ2', 'all', three)]));
    const outcome = await env.integrate(await env.patch('B.dat', [content('UQ2', swapped)]));
    expect(outcome.folders[0]?.patches[0]?.rows).toEqual({ inserted: 0, updated: 2, deleted: 1 });
    expect(await all(env)).toEqual([
      { cod: 'a', alt: '2', nam: '', tick: 2 },
      { cod: 'b', alt: '1', nam: 'new b', tick: 2 },
    ]);
    const tbx = table('TBX', 'TBX', { COD: 'A:5', NAM: 'A:9', DAY: 'D', QTY: 'L', CREUSR: 'A:5' }, { TBX0: 'COD' });
    await env.integrate(await env.patch('C.dat', [tbx, row('TBX', 'a', { COD: 'a', NAM: 'own', DAY, QTY: 3, CREUSR: 'me' })]));
    await env.integrate(await env.patch('D.dat', [content('TBX', [{ COD: 'a' }])]));
    expect(await env.query('select cod_0, nam_0, day_0, qty_0, creusr_0 from x3.tbx')).toEqual([
      { cod_0: 'a', nam_0: '', day_0: null, qty_0: 0, creusr_0: 'me' },
    ]);
    expect(
      await env.query(
        `select r.value ->> 'nam_0' as nam from rustine.kept k join rustine.kept_row r on r.kept = k.id where k.table_name = 'tbx'`,
      ),
    ).toEqual([{ nam: 'own' }]);
  });

  test('bad input: values that would stand in a second index twice block with their keys, and nothing changes', async () => {
    const env = await openEnvironment(server);
    const first = rows('UQ2', 'all', [...three, { COD: 'e', ALT: '9', DAY: bare('000000') }]);
    await env.integrate(await env.patch('A.dat', [UNIQUE, first]));
    const before = await all(env);
    const wider = any('ATB', 'UQ2', [
      ...UNIQUE.flatMap((part) =>
        part.part === 'record' ? [{ tag: part.record.tag, values: valuesOf(part.record.lines) }] : [],
      ),
      { tag: 'ATZ', values: { CODZONE: 'MORE', CODTYP: 'C', NUMLIG: 9 } },
    ]);
    const collide = (count: number, keys: readonly string[]) => [
      'rows-collide',
      'block',
      'ATB:UQ2',
      { table: 'UQ2', index: 'uq2_uq21', count, keys },
    ];
    const withOwn = await env.patch('B.dat', [
      wider,
      rows('UQ2', 'all', [
        { COD: 'd', ALT: '1', DAY },
        { COD: 'a', ALT: '2' },
      ]),
    ]);
    for (const mode of ['rehearse', 'integrate'] as const) {
      const outcome = await attempt(env, withOwn, mode);
      expect(found(outcome)[1]).toEqual([collide(1, ['2~2024-01-31'])]);
      expect(outcome.folders[0]?.patches[0]?.state).toBe('failed');
    }
    const among = [
      { COD: 'x', ALT: '7', DAY },
      { COD: 'y', ALT: '7', DAY, NAM: 'y' },
      { COD: 'z', ALT: '9', DAY: bare('000000') },
    ];
    expect(found(await attempt(env, await env.patch('C.dat', [content('UQ2', among)])))[1]).toEqual([
      collide(1, ['7~2024-01-31']),
    ]);
    expect(await all(env)).toEqual(before);
    expect(
      await env.query(
        `select count(*)::integer as n from information_schema.columns where table_schema = 'x3' and column_name = 'more_0'`,
      ),
    ).toEqual([{ n: 0 }]);
    // Without a day two are not the same.
    await env.integrate(await env.patch('D.dat', [rows('UQ2', 'all', [{ COD: 'z', ALT: '9' }])]));
    const fresh = await openEnvironment(server);
    expect(found(await attempt(fresh, await fresh.patch('E.dat', [UNIQUE, rows('UQ2', 'all', among)])))[1]).toEqual([
      collide(1, ['7~2024-01-31']),
    ]);
    expect(await fresh.query(`select to_regclass('x3.uq2') as there`)).toEqual([{ there: null }]);
  });

  test('R24: a row that another session adds while the content is replaced waits, and is not part of what was replaced', async () => {
    const env = await openEnvironment(server);
    const tbx = table('TBX', 'TBX', { COD: 'A:5' }, { TBX0: 'COD' });
    await env.integrate(await env.patch('A.dat', [tbx, row('TBX', 'a', { COD: 'a' })]));
    const path = await env.patch('B.dat', [content('TBX', [{ COD: 'b' }])]);
    await connected(env.url, async (other) => {
      await other.query('begin');
      await other.query(`insert into x3.tbx (cod_0) values ('late')`);
      const running = env.integrate(path);
      for (let waiting = 0; waiting === 0; )
        waiting = (
          await env.query(`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`)
        ).length;
      await other.query('commit');
      expect((await running).folders[0]?.patches[0]?.rows).toEqual({ inserted: 1, updated: 0, deleted: 2 });
    });
    expect(await env.query('select cod_0 from x3.tbx')).toEqual([{ cod_0: 'b' }]);
  });

  test.each(['APT', 'TAB', 'AAA'])('R29: no row of a patch gets into the folder’s own account: %s', async (type) => {
    const env = await openEnvironment(server);
    const forged = { tag: type === 'AAA' ? 'APT' : 'DIV', values: { FIC: 'FAKE.dat', NUM: 2_147_483_646 } };
    const outcome = await attempt(env, await env.patch('A.dat', [any(type, 'APATCH', [forged])]));
    const subject = type === 'APT' ? 'APT' : `${type}:APATCH`;
    expect(found(outcome)).toEqual([
      'refused',
      [['content-own-account', 'block', subject, { element: subject, table: 'APATCH' }]],
    ]);
    expect(await env.query('select fic_0 from x3.apatch')).toEqual([]);
  });

  test('bad input: a data type of an unknown internal type or with a length that cannot be is named as what is wrong', async () => {
    const env = await openEnvironment(server);
    const type = (number: number, length: number) =>
      any('ATY', 'ZZT', [{ tag: 'ATY', values: { CODTYP: 'ZZT', TYPTYP: number, LNGTYP: length } }]);
    const using = table('ZZZ', 'ZZZ', { COD: 'A:5', BAD: 'ZZT' }, { ZZZ0: 'COD' });
    const facts = { table: 'ZZZ', field: 'BAD', type: 'ZZT' };
    expect(found(await attempt(env, await env.patch('A.dat', [type(99, 5), using])))).toEqual([
      'refused',
      [['data-type-internal', 'block', 'ATB:ZZZ', { ...facts, number: '99' }]],
    ]);
    expect(found(await attempt(env, await env.patch('B.dat', [type(7, -5), using])))).toEqual([
      'refused',
      [['field-length', 'block', 'ATB:ZZZ', { ...facts, length: '-5', slots: 1 }]],
    ]);
    await env.integrate(await env.patch('C.dat', [type(7, 5), using]));
    expect(found(await attempt(env, await env.patch('D.dat', [type(99, 5)])))).toMatchObject([
      'refused',
      [['data-type-internal', 'block', 'ATB:ZZZ', { number: '99' }]],
    ]);
  });

  test('bad input: a time with an offset that no place has', async () => {
    const env = await openEnvironment(server);
    const tim = table('TIM', 'TIM', { COD: 'A:5', AT: 'ADATIM' }, { TIM0: 'COD' });
    const at = (offset: string) => row('TIM', offset, { COD: offset.slice(0, 5), AT: `2024-01-01T10:00:00${offset}` });
    await env.integrate(await env.patch('A.dat', [tim, at('+15:59'), at('-15:59'), at('Z')]));
    for (const [n, offset] of ['+20:00', '-16:00', '+01:60'].entries())
      expect(found(await attempt(env, await env.patch(`B${n}.dat`, [at(offset)])))).toMatchObject([
        'refused',
        [['data-value', 'block', 'ATB:TIM', { field: 'at_0', reason: 'time' }]],
      ]);
  });
});

/** Fields of a record as a builder takes them. */
function valuesOf(lines: readonly { readonly kind: string; readonly field?: string; readonly value?: string }[]): Values {
  return Object.fromEntries(
    lines.flatMap(({ kind, field = '', value = '' }) =>
      kind === 'value' ? [[field, value.startsWith('"') ? value.slice(1, -1) : bare(value)]] : [],
    ),
  );
}
