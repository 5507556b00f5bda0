// What becomes of a folder's dictionary when elements of unusual form come in, on a real database.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import { any, row, script, table, texts } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

interface Line {
  readonly tag: string;
  readonly key: string;
}

/** Records of an element in their order, with what the columns say. */
const lines = (env: TestEnvironment, type: string, columns = 'tag, key', folder = 'X3'): Promise<Line[]> =>
  env.query<Line>(
    `select ${columns} from rustine.dictionary where type = $1 and folder = $2 order by position, tag collate "C", key collate "C"`,
    [type, folder],
  );

describe.each(everyServer())('dictionary on $name', (server) => {
  test('of an element that stands twice in a file the last counts, wholly; data rows of both count', async () => {
    const env = await openEnvironment(server);
    const action = (title: string, parameters: readonly string[]) =>
      any('ACT', 'ACTA', [
        { tag: 'ACT', values: { ACTION: 'ACTA', INTIT: title } },
        ...parameters.map((code) => ({ tag: 'ATR', values: { CODPAR: code, VAL: title } })),
      ]);
    await env.integrate(await env.patch('T0.dat', [action('zero', ['P1', 'P2']), script('MYSCRIPT', '# zero')]));
    const outcome = await env.integrate(
      await env.patch('T1.dat', [
        action('one', ['P1', 'P3']),
        script('MYSCRIPT', '# one'),
        table('ITEM', 'ITM', { COD: 'A:5' }, { ITM0: 'COD' }),
        row('ITM', 'same', { COD: 'A' }),
        action('two', ['P1', 'P2']),
        script('MYSCRIPT', '# two'),
        row('ITM', 'same', { COD: 'B' }),
      ]),
    );
    expect(outcome.findings.map((finding) => [finding.code, finding.subject])).toEqual([
      ['element-twice', 'ACT:ACTA'],
      ['element-twice', 'TRT:MYSCRIPT'],
      ['element-twice', 'ITM:same'],
    ]);
    expect(outcome.folders[0]?.patches[0]?.elements).toMatchObject({ created: 1, updated: 2, identical: 0 });
    expect(await lines(env, 'ACT', `tag, key, coalesce(fields ->> 'INTIT', fields ->> 'VAL') as v`)).toEqual([
      { tag: 'ACT', key: 'ACTA', v: 'two' },
      { tag: 'ATR', key: 'P1', v: 'two' },
      { tag: 'ATR', key: 'P2', v: 'two' },
    ]);
    expect(
      await env.query(
        `select convert_from(b.bytes, 'UTF8') as source from rustine.script s join rustine.blob b on b.digest = s.digest`,
      ),
    ).toEqual([{ source: '# two\n' }]);
    expect(await env.query('select cod_0 from x3.item order by 1')).toEqual([{ cod_0: 'A' }, { cod_0: 'B' }]);
  });

  const setUp = (title: string, own: string) =>
    any('ACT', 'ACTA', [{ tag: 'ACT', values: { ACTION: 'ACTA', INTIT: title, SPETRT: own } }]);
  const delivered = (env: TestEnvironment) =>
    lines(env, 'ACT', `fields ->> 'INTIT' as title, fields ->> 'SPETRT' as own, delivered ->> 'SPETRT' as delivered`);
  const verdicts = (outcome: RunOutcome) =>
    outcome.folders.map((folder) =>
      Object.entries(folder.patches[0]?.elements ?? {}).flatMap(([verdict, count]) => (count > 0 ? [verdict] : [])),
    );

  test('R37: what was last delivered is kept also where the folder’s own value stays, and goes when both agree again', async () => {
    const env = await openEnvironment(server);
    for (const [file, value, verdict, last] of [
      ['S1.dat', 'MINE', 'created', null],
      ['S2.dat', 'ONE', 'kept', 'ONE'],
      ['S3.dat', 'TWO', 'kept', 'TWO'],
      ['S4.dat', 'TWO', 'kept', 'TWO'],
      ['S5.dat', 'MINE', 'identical', null],
    ] as const) {
      const before = await env.query('select xmin, * from rustine.record order by key');
      const outcome = await env.integrate(await env.patch(file, [setUp('title', value)]));
      expect(verdicts(outcome)).toEqual([[verdict]]);
      expect(await delivered(env)).toEqual([{ title: 'title', own: 'MINE', delivered: last }]);
      if (file === 'S4.dat') expect(await env.query('select xmin, * from rustine.record order by key')).toEqual(before);
    }
  });

  test('folders that differ only in what was last delivered do not share a plan', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2'] });
    await env.integrate(await env.patch('S1.dat', [setUp('title', 'MINE')]));
    await env.integrate(await env.patch('S2.dat', [setUp('title', 'ONE')]), { folders: ['X3', 'A1'] });
    const outcome = await env.integrate(await env.patch('S3.dat', [setUp('title', 'MINE')]));
    expect(verdicts(outcome)).toEqual([['identical'], ['identical'], ['identical']]);
    for (const folder of ['X3', 'A1', 'A2']) expect(await lines(env, 'ACT', 'delivered', folder)).toEqual([{ delivered: null }]);
  });

  test('lines follow the order of the patch; running it again changes nothing; protected lines stay where they are', async () => {
    const env = await openEnvironment(server);
    const menu = (keys: readonly string[], activityCodes: readonly string[] = []) =>
      [
        [
          any('ACT', 'ACTA', [
            { tag: 'ACT', values: { ACTION: 'ACTA' } },
            ...keys.map((code) => ({ tag: 'ATR', values: { CODPAR: code, CODACT: code.startsWith('Z') ? 'ZAL' : '' } })),
          ]),
        ],
        { activityCodes },
      ] as const;
    await env.integrate(await env.patch('O1.dat', ...menu(['A', 'Z1', 'B', 'C'], ['ZAL'])));
    const turned = menu(['C', 'B', 'A']);
    const outcome = await env.integrate(await env.patch('O2.dat', ...turned));
    expect(verdicts(outcome)).toEqual([['updated']]);
    const order = async () => (await lines(env, 'ACT')).map((line) => line.key);
    expect(await order()).toEqual(['ACTA', 'C', 'B', 'Z1', 'A']);
    const before = await env.query('select xmin, * from rustine.record order by key');
    const again = await env.integrate(await env.patch('O3.dat', ...turned));
    expect(verdicts(again)).toEqual([['identical']]);
    expect(await env.query('select xmin, * from rustine.record order by key')).toEqual(before);
  });

  test('R23: the folder’s texts in languages that the patch does not carry stay', async () => {
    const env = await openEnvironment(server, { init: { languages: ['ENG', 'GER'] } });
    await env.folders(['DE'], { languages: ['GER'] });
    const described = (title: Readonly<Record<string, string>>, value: string) =>
      any('ADC', 'SCR', [{ tag: 'ADC', values: { CODTRT: 'SCR', INTIT: texts(title), VAL: value } }]);
    const states = async () => {
      const select = `fields #> '{INTIT,text}' as t, fields ->> 'VAL' as v`;
      return [await lines(env, 'ADC', select), await lines(env, 'ADC', select, 'DE')].flat();
    };
    const all = { languages: ['ENG', 'GER'] };
    await env.integrate(await env.patch('L1.dat', [described({ ENG: 'hello', GER: 'hallo' }, 'one')], all));
    const two = [described({ ENG: 'good day' }, 'two')];
    expect(verdicts(await env.integrate(await env.patch('L2.dat', two, { languages: ['ENG'] })))).toEqual([
      ['updated'],
      ['updated'],
    ]);
    const expected = [
      { t: { ENG: ['good day', '0', ''], GER: ['hallo', '0', ''] }, v: 'two' },
      { t: { GER: ['hallo', '0', ''] }, v: 'two' },
    ];
    expect(await states()).toEqual(expected);
    expect(verdicts(await env.integrate(await env.patch('L3.dat', two, { languages: ['ENG'] })))).toEqual([
      ['identical'],
      ['identical'],
    ]);
    expect(await states()).toEqual(expected);
    await env.integrate(await env.patch('L4.dat', [described({ ENG: 'good day' }, 'two')], all));
    expect(await states()).toEqual([
      { t: { ENG: ['good day', '0', ''] }, v: 'two' },
      { t: { ENG: ['good day', '0', ''] }, v: 'two' },
    ]);
  });

  test.each([
    ['one record with fields that begin at index 99999', 1, 3_000, 99_999, 300_000_000],
    ['many records that each begin at index 19999', 1_000, 1, 19_999, 20_000],
    ['rows of the kind that is carried later', 1, 3_000, 99_999, 300_000_000],
  ])('a small file that asks for millions of slots is refused: %s', async (what, records, fields, index, count) => {
    const env = await openEnvironment(server);
    const [type, tag] = what.startsWith('rows') ? ['TAB', 'DIV'] : ['ADC', 'ADX'];
    const record = [`3,"${tag}",""`, ...Array.from({ length: fields }, (_, at) => `4,"F${at}",${index},1`), `6,"${tag}"`];
    const path = join(env.directory, 'WIDE.dat');
    await mkdir(env.directory, { recursive: true });
    await writeFile(
      path,
      `${['1,"","ENG","1","","X3","1",', `2,"${type}","A","t"`, ...Array.from({ length: records }, () => record).flat(), `7,"${type}","A","t"`, '8,""'].join('\n')}\n`,
    );
    const started = performance.now();
    const outcome = await env.rustine.integrate({ paths: [path], mode: 'integrate' });
    expect(performance.now() - started).toBeLessThan(3_000);
    expect([outcome.state, outcome.findings.filter((finding) => finding.severity === 'block')]).toMatchObject([
      'refused',
      [{ code: 'slots-too-many', subject: `${type}:A`, facts: { element: `${type}:A`, record: tag, field: 'F0', count } }],
    ]);
  });
});
