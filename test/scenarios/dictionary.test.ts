// What becomes of a folder's dictionary when elements of unusual form come in, on a real database.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import { any, row, script, table } from '../support/patches.ts';
import { servers } from '../support/servers.ts';

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

describe.each(servers())('dictionary on $name', (server) => {
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
