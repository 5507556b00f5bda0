// Values that folders keep against deliveries, and what people decide about them (R20, R37).
import { describe, expect, test } from 'vitest';
import type { KeptValueView } from '../../src/app/kept-values.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import type { Element, Values } from '../support/patches.ts';
import { any, table, texts } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const action = (script: string, more: Values = {}, lines: readonly Values[] = []): Element =>
  any('ACT', 'ACTA', [
    { tag: 'ACT', values: { ACTION: 'ACTA', CODACT: '', SPETRT: script, ...more } },
    ...lines.map((values) => ({ tag: 'ATR', values: { CODPAR: 'P1', CODACT: '', ...values } })),
  ]);

const brief = ({ folder, element, scope, field, before, now, own, unchanged }: KeptValueView) => ({
  folder,
  element,
  scope,
  field,
  before,
  now,
  own,
  unchanged,
});

describe.each(oneServer())('$name', (server) => {
  let numbers = 0;
  async function deliver(
    env: TestEnvironment,
    elements: readonly Element[],
    options: Parameters<TestEnvironment['integrate']>[1] = {},
  ) {
    numbers += 1;
    return env.integrate(await env.patch(`D${numbers}.dat`, elements), options);
  }
  const scripts = (env: TestEnvironment) =>
    env.query(
      `select folder, fields ->> 'SPETRT' as script from rustine.dictionary where type = 'ACT' and tag = 'ACT' order by 1`,
    );

  test('R37: a set-up value that nobody changed is reported as such, stays, and follows only with --take-unchanged', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await deliver(env, [action('ONE')]);
    const second = await deliver(env, [action('TWO', { TYP: 2 })]);
    expect(second.findings.filter((finding) => finding.code === 'set-up-unchanged').map((finding) => finding.folder)).toEqual([
      'X3',
      'SEED',
    ]);
    const [kept] = await env.rustine.keptValues({ folder: 'SEED' });
    expect(kept && brief(kept)).toEqual({
      folder: 'SEED',
      element: 'ACT:ACTA',
      scope: 'fields',
      field: 'SPETRT',
      before: 'ONE',
      now: 'TWO',
      own: 'ONE',
      unchanged: true,
    });
    // A later delivery of the same value leaves the case as it is, whatever else it brings.
    await deliver(env, [action('TWO', { TYP: 3 })], { folders: ['SEED'] });
    expect((await env.rustine.keptValues({ folder: 'SEED' })).map((each) => each.case)).toEqual([kept?.case]);
    await deliver(env, [action('TWO', { TYP: 4 })], { folders: ['SEED'], takeUnchanged: true });
    expect(await scripts(env)).toEqual([
      { folder: 'SEED', script: 'TWO' },
      { folder: 'X3', script: 'ONE' },
    ]);
    expect(await env.rustine.keptValues({ folder: 'SEED' })).toEqual([]);
  });

  test('R37: a decision is carried out at once where the same three values stand, and followed by later patches', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2', 'A3'] });
    await deliver(env, [action('ONE')]);
    await deliver(env, [action('TWO')], { folders: ['X3', 'A1', 'A2'] });
    const cases = await env.rustine.keptValues({});
    expect(new Set(cases.map((each) => each.case)).size).toBe(1);
    const decided = await env.rustine.decide({ case: cases[0]?.case.slice(0, 6) ?? '', choice: 'take', reason: 'new script' });
    expect(decided).toMatchObject({ element: 'ACT:ACTA', field: 'SPETRT', choice: 'take', folders: ['X3', 'A1', 'A2'] });
    expect(await scripts(env)).toEqual([
      { folder: 'A1', script: 'TWO' },
      { folder: 'A2', script: 'TWO' },
      { folder: 'A3', script: 'ONE' },
      { folder: 'X3', script: 'TWO' },
    ]);
    expect(await env.rustine.keptValues({ all: true })).toEqual([]);
    await deliver(env, [action('TWO', { TYP: 7 })]);
    expect((await scripts(env)).at(2)).toEqual({ folder: 'A3', script: 'TWO' });
    expect(await env.query('select distinct apatch_num from rustine.integration where file like $1', ['(decision%'])).toEqual([
      { apatch_num: null },
    ]);
  });

  test('R37: keep and value are remembered; what is decided is no longer listed as open', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    const lines = (text: string): Element =>
      any('ADV', '1', [
        {
          tag: 'ADV',
          values: { NUMTAB: 1, ACS: text, LNG: text === 'ONE' ? 3 : 4, LNGDES: texts({ ENG: text, FRA: `${text} fr` }) },
        },
      ]);
    await deliver(env, [lines('ONE')]);
    await deliver(env, [lines('TWO')], { folders: ['A1'] });
    const open = await env.rustine.keptValues({});
    expect(open.map((each) => [each.field, each.before, each.now, each.own])).toEqual([
      ['ACS', 'ONE', 'TWO', 'ONE'],
      ['LNG', '3', '4', '3'],
      ['LNGDES', 'ENG: ONE / FRA: ONE fr', 'ENG: TWO / FRA: TWO fr', 'ENG: ONE / FRA: ONE fr'],
    ]);
    const id = (field: string): string => open.find((each) => each.field === field)?.case ?? '';
    await env.rustine.decide({ case: id('ACS'), choice: 'keep', reason: 'ours' });
    await env.rustine.decide({ case: id('LNG'), choice: 'value', value: '9' });
    await env.rustine.decide({ case: id('LNGDES'), choice: 'value', value: 'Mine' });
    expect(await env.rustine.keptValues({})).toEqual([]);
    expect((await env.rustine.keptValues({ all: true })).map((each) => [each.field, each.own, each.decision?.choice])).toEqual([
      ['ACS', 'ONE', 'keep'],
      ['LNG', '9', 'keep'],
      ['LNGDES', 'ENG: Mine / FRA: Mine', 'keep'],
    ]);
    expect(
      await env.query(
        `select r.changed from rustine.record r join rustine.folder f on f.id = r.folder where f.code = 'A1' and r.type = 'ADV'`,
      ),
    ).toEqual([{ changed: ['LNG', 'LNGDES'] }]);
    // A new delivered value is a new case, and what the folder set itself is its own now.
    await deliver(env, [lines('THREE')], { folders: ['A1'], takeUnchanged: true });
    expect((await env.rustine.keptValues({})).map((each) => [each.field, each.unchanged])).toEqual([['LNGDES', false]]);
  });

  test('R37: a protected line and a protected element are cases too; take lets the delivered ones in, with their tables', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    const mine = table(
      'ZTAB',
      'ZTA',
      { COD: 'A:10', OWN: { type: 'A:5', activity: 'ZALI' } },
      { ZTA0: 'COD' },
      { activity: 'ZALI' },
    );
    await deliver(env, [mine, action('S', {}, [{ CODACT: 'ZALI', VAL: 'mine' }])], { folders: ['A1'], authorize: ['ZALI'] });
    const outcome = await deliver(
      env,
      [table('ZTAB', 'ZTA', { COD: 'A:10', NEW: 'A:7' }, { ZTA0: 'COD' }), action('S', {}, [{ VAL: 'theirs' }])],
      { folders: ['A1'] },
    );
    expect(outcome.folders[0]?.patches[0]?.elements).toMatchObject({ kept: 1, identical: 1 });
    const open = await env.rustine.keptValues({});
    expect(open.map((each) => [each.element, each.scope, each.tag, each.key, each.code])).toEqual([
      ['ACT:ACTA', 'line', 'ATR', 'P1', 'ZALI'],
      ['ATB:ZTAB', 'element', '', '', 'ZALI'],
    ]);
    for (const each of open) await env.rustine.decide({ case: each.case, choice: 'take' });
    expect(await env.rustine.keptValues({ all: true })).toEqual([]);
    expect(
      await env.query(
        `select column_name as name from information_schema.columns where table_schema = 'a1' and table_name = 'ztab' and column_name like 'new%'`,
      ),
    ).toEqual([{ name: 'new_0' }]);
    expect(await env.query(`select fields ->> 'VAL' as val from rustine.dictionary where folder = 'A1' and tag = 'ATR'`)).toEqual(
      [{ val: 'theirs' }],
    );
  });

  test('R37: what a patch was authorised to bring can be taken, set or left, whatever its codes', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const marked = (value: string, line: string): Element =>
      any('ACT', 'ACTZ', [
        { tag: 'ACT', values: { ACTION: 'ACTZ', CODACT: 'ZALI', SPETRT: value } },
        { tag: 'ATR', values: { CODPAR: 'P1', CODACT: 'ZALI', VAL: line } },
      ]);
    const mine = any('ACT', 'ACTY', [{ tag: 'ACT', values: { ACTION: 'ACTY', CODACT: 'YOWN', TYP: 1 } }]);
    const theirs = any('ACT', 'ACTY', [
      { tag: 'ACT', values: { ACTION: 'ACTY', CODACT: '', TYP: 2 } },
      { tag: 'ATR', values: { CODPAR: 'P1', CODACT: '', VAL: 'one' } },
      { tag: 'ATR', values: { CODPAR: 'P2', CODACT: 'ZALI', VAL: 'two' } },
    ]);
    await deliver(env, [marked('ONE', 'a'), mine], { authorize: ['ZALI', 'YOWN'] });
    await deliver(env, [marked('TWO', 'b'), theirs], { authorize: ['ZALI'] });
    const open = await env.rustine.keptValues({ folder: 'SEED' });
    expect(open.map((each) => [each.element, each.scope])).toEqual([
      ['ACT:ACTY', 'element'],
      ['ACT:ACTZ', 'fields'],
    ]);
    for (const each of open) await env.rustine.decide({ case: each.case, choice: 'take' });
    expect(await env.rustine.keptValues({ all: true })).toEqual([]);
    const rows = await env.query(
      `select name, key, coalesce(fields ->> 'VAL', fields ->> 'SPETRT', fields ->> 'TYP') as value from rustine.dictionary where folder = 'SEED' and type = 'ACT' order by 1, 2`,
    );
    expect(rows).toEqual([
      { name: 'ACTY', key: 'ACTY', value: '2' },
      { name: 'ACTY', key: 'P1', value: 'one' },
      { name: 'ACTY', key: 'P2', value: 'two' },
      { name: 'ACTZ', key: 'ACTZ', value: 'TWO' },
      { name: 'ACTZ', key: 'P1', value: 'b' },
    ]);
  });

  test('R37: a decision about a whole element is followed where the same case comes up later', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    const own = any('ACT', 'ACTY', [{ tag: 'ACT', values: { ACTION: 'ACTY', CODACT: 'YOWN', TYP: 1 } }]);
    const vendor = (first: string, second: string): Element =>
      any('ACT', 'ACTY', [
        { tag: 'ACT', values: { ACTION: 'ACTY', CODACT: '', TYP: 2 } },
        { tag: 'ATR', values: { CODPAR: 'P1', CODACT: '', VAL: first } },
        { tag: 'ATR', values: { CODPAR: 'P2', CODACT: '', VAL: second } },
      ]);
    await deliver(env, [own], { authorize: ['YOWN'] });
    await deliver(env, [vendor('a', 'b')]);
    await deliver(env, [vendor('a', 'c')], { folders: ['X3', 'SEED'] });
    const [kept] = await env.rustine.keptValues({ folder: 'SEED' });
    expect((await env.rustine.decide({ case: kept?.case ?? '', choice: 'take' })).folders).toEqual(['X3', 'SEED']);
    const outcome = await deliver(env, [vendor('a', 'c')], { folders: ['SHOP'] });
    expect(outcome.folders[0]?.patches[0]?.elements).toMatchObject({ updated: 1, kept: 0 });
    expect(await env.rustine.keptValues({ all: true })).toEqual([]);
  });

  test('R23, R37: what is taken leaves the folder’s own texts in languages that the patch did not carry', async () => {
    const env = await openEnvironment(server, { init: { languages: ['FRA', 'ENG', 'SPA'] } });
    await env.folders(['SPAN'], { languages: ['FRA', 'SPA'] });
    const line = (code: string, byLanguage: Readonly<Record<string, string>>): Element =>
      any('ACT', 'ACTA', [
        { tag: 'ACT', values: { ACTION: 'ACTA', CODACT: '' } },
        { tag: 'ATR', values: { CODPAR: 'P1', CODACT: code, INTIT: texts(byLanguage) } },
      ]);
    const write = (file: string, element: Element, languages: readonly string[]) => env.patch(file, [element], { languages });
    await env.integrate(await write('T1.dat', line('YOWN', { FRA: 'un', SPA: 'uno' }), ['FRA', 'SPA']), { authorize: ['YOWN'] });
    await env.integrate(await write('T2.dat', line('', { FRA: 'deux', ENG: 'two' }), ['FRA', 'ENG']));
    const [kept] = await env.rustine.keptValues({ folder: 'SPAN' });
    await env.rustine.decide({ case: kept?.case ?? '', choice: 'take' });
    const [row] = await env.query(
      `select fields -> 'INTIT' -> 'text' as texts from rustine.dictionary where folder = 'SPAN' and tag = 'ATR'`,
    );
    expect(row).toMatchObject({ texts: { FRA: ['deux', '0', ''], SPA: ['uno', '0', ''] } });
  });

  test('R37: a case waits until somebody decides, also when later patches say nothing about it, and in folders made from here', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const parameter = (value: string | undefined): Element =>
      any('ADP', 'PAR', [
        { tag: 'ADP', values: { PARAM: 'PAR', CODACT: '' } },
        ...(value === undefined ? [] : [{ tag: 'ADW', values: { CMP: 'C1', FCY: '', VALEUR: value } }]),
      ]);
    await deliver(env, [parameter('1')]);
    await env.rustine.setElement({
      element: 'ADP:PAR',
      folder: 'SEED',
      record: 'ADW:C1~',
      assignments: [{ field: 'VALEUR', value: '9' }],
    });
    await deliver(env, [parameter('2')]);
    await deliver(env, [parameter(undefined)]);
    const [kept] = await env.rustine.keptValues({ folder: 'SEED' });
    expect(kept).toMatchObject({ field: 'VALEUR', before: '1', now: '2', own: '9', unchanged: false });
    await env.folders(['LIVE'], { parent: 'SEED' });
    expect(await env.rustine.keptValues({ folder: 'LIVE' })).toMatchObject([{ case: kept?.case, unchanged: false }]);
    await env.rustine.decide({ case: kept?.case ?? '', choice: 'value', value: '7' });
    expect(
      await env.query(`select folder, fields ->> 'VALEUR' as value from rustine.dictionary where tag = 'ADW' order by 1`),
    ).toEqual([
      { folder: 'LIVE', value: '7' },
      { folder: 'SEED', value: '7' },
      { folder: 'X3', value: '1' },
    ]);
    await expect(env.rustine.decide({ case: kept?.case ?? '', choice: 'value', value: 'a\nb' })).rejects.toMatchObject({
      code: 'case-unknown',
    });
  });

  test('bad decisions are refused with what to do, and change nothing', async () => {
    const env = await openEnvironment(server, { folders: ['A1'] });
    await deliver(env, [action('ONE')]);
    await deliver(env, [action('TWO')], { folders: ['A1'] });
    const [{ case: id } = { case: '' }] = await env.rustine.keptValues({});
    await expect(env.rustine.decide({ case: 'ffffffffffff', choice: 'keep' })).rejects.toMatchObject({ code: 'case-unknown' });
    await expect(env.rustine.decide({ case: '', choice: 'keep' })).rejects.toMatchObject({ code: 'case-unknown' });
    await expect(env.rustine.decide({ case: id, choice: 'value' })).rejects.toMatchObject({ code: 'decision-value' });
    await expect(env.rustine.decide({ case: id, choice: 'take', value: 'X' })).rejects.toMatchObject({ code: 'decision-value' });
    await expect(env.rustine.keptValues({ folder: 'NOPE' })).rejects.toMatchObject({ code: 'folder-unknown' });
    expect(await env.query('select * from rustine.decision')).toEqual([]);
    expect((await env.rustine.keptValues({})).map((each) => each.case)).toEqual([id]);
  });
});
